# SPDX-License-Identifier: ISC
"""The page of --metrics in a browser, with as many tunnels as a test needs."""

import http.server
import re
import threading

import observe
import proc


def watched(target):
    observe.rundir()
    s = proc.server(target, '--metrics', '127.0.0.1:0')
    s.url = 'http://' + s.wait_line(r'metrics on (\S+)')[1] + '/'
    return s


def column(b, name):
    """The texts of a column, of those rows that are shown."""
    return b.now('''return [...document.querySelectorAll(
        `#tunnels tbody tr:not([hidden]) td[data-n="${arguments[0]}"]`)]
        .map(e => e.textContent)''', name)


class Many(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        for name in ('content-type', 'content-security-policy'):
            self.send_header(name, self.server.fields[name])
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_):
        pass


def many(rows, fields, page):
    """A server of the page, with its one row repeated."""
    row = re.search(r'<tr><td.*?</tr>\n', page)[0]
    made = []
    for i in range(rows):
        made.append(re.sub(r'data-v="\d+">\d+</td></tr>',
                           'data-v="%d">%d</td></tr>' % (i, i), re.sub(
                               r'127\.0\.0\.1:\d+', '10.1.%d.%d:4000' % (
                                   i // 250, i % 250), row, count=1)))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Many)
    server.daemon_threads = True
    server.fields, server.page = fields, page.replace(row, ''.join(made))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proc.on_close(server.shutdown)
    return 'http://127.0.0.1:%d/' % server.server_port
