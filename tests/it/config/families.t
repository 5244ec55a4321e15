#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A family that is asked for, and an address of the other one: an instance that
could never connect says so, and does not start.

If it fails: a service runs for ever and serves nobody.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import json             # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402

V4, V6 = '127.0.0.1:9', '[::1]:9'
L = ('-l', '127.0.0.1:0')
WS4, WS6 = 'ws://127.0.0.1:9/', 'ws://[::1]:9/'

# words, and what the error names
WRONG = (
    (('server', '-4', *L, V6), '--ipv4: TARGET [::1]:9 is an IPv6'),
    (('server', '-6', *L, V4), '--ipv6: TARGET 127.0.0.1:9 is an IPv4'),
    (('server', '--interface', '127.0.0.1', *L, V6),
     '--interface 127.0.0.1: TARGET [::1]:9 is an IPv6'),
    (('server', '-4', '--interface', '::1', *L, V4),
     '--interface ::1: is an IPv6 address'),
    (('agent', '-4', WS4, V6), '--ipv4: TARGET [::1]:9'),
    (('agent', '-4', WS6, V4), "--ipv4: the URL's host [::1]:9"),
    (('client', '-6', *L, WS4), "--ipv6: the URL's host 127.0.0.1:9"),
    (('client', '--interface', '::1', *L, WS4),
     "--interface ::1: the URL's host 127.0.0.1:9"),
    (('connect', '-4', WS6), "--ipv4: the URL's host"),
    (('check', '-4', WS6), "--ipv4: the URL's host"),
    (('connect', '-4', '-x', 'http://[::1]:9', 'ws://h.example/'),
     '--ipv4: proxy http://[::1]:9 is an IPv6'),
    (('connect', '-4', '-x', 'socks5h://[::1]:9', 'ws://h.example/'),
     '--ipv4: proxy socks5h://[::1]:9 is an IPv6'),
    (('connect', '-4', '--connect-to', '::[::1]:9', 'ws://h.example/'),
     '--ipv4: [::1]:9 of --connect-to'),
    (('connect', '-4', '--resolve', 'h.example:80:::1,2001:db8::1',
      'ws://h.example/'), '--resolve has no IPv4 address for h.example'),
    (('connect', '-4', '-x', 'socks5h://127.0.0.1:9', '--resolve',
      'h.example:80:::1', 'ws://h.example/'),
     '--resolve has no IPv4 address for h.example'),
)

# They may work, or it is not known from the words.
RIGHT = (
    (69, ('connect', '-4', WS4)),
    (69, ('connect', '-6', 'ws://[::ffff:127.0.0.1]:9/')),
    (69, ('connect', '-4', '--resolve', 'h.example:9:::1,127.0.0.1',
          'ws://h.example:9/')),
    # the proxy dials it
    (69, ('connect', '-4', '-x', 'http://127.0.0.1:9', 'ws://[::1]/')),
    (69, ('connect', '-4', '-x', 'socks5://127.0.0.1:9', 'ws://[::1]/')),
    (69, ('connect', '-4', '--resolve', 'other.example:9:::1', WS4)),
)


def test_words():
    for words, named in WRONG:
        r = t.run_inetws(*words)
        text = ' '.join(words)
        t.is_(r.returncode, 64, text)
        said = (r.stdout + r.stderr).decode()
        t.ok(named in said and 'give an IPv' in said,
             'it names the address, and what to do') or t.diag(said)


def test_variable():
    r = t.run_inetws('connect', '-4', 'ws://h.example/',
                     env=dict(os.environ, http_proxy='http://[::1]:9'))
    t.is_(r.returncode, 64, 'a proxy of the environment')
    t.like(r.stderr.decode(), r'--ipv4: proxy http://\[::1\]:9 \(of http_proxy',
           'is named')


def test_others():
    for status, words in RIGHT:
        r = t.run_inetws(*words)
        t.is_(r.returncode, status, ' '.join(words)) or t.diag(r.stderr)


def test_file():
    path = t.folder() + '/conf'
    for lines, said in (
            (('ipv4', 'target ' + V6), ':3: ipv4: TARGET [::1]:9'),
            (('interface 127.0.0.1', 'target ' + V6),
             ':3: interface 127.0.0.1: TARGET')):
        with open(path, 'w') as f:
            f.write('\n'.join(('mode server', 'listen 127.0.0.1:0') + lines))
        r = t.run_inetws('-K', path)
        t.is_(r.returncode, 78, 'in a file: 78')
        t.ok(path + said in r.stderr.decode(), said) or t.diag(r.stderr)


def test_check():
    for words in ((WS6,), ('-x', 'http://[::1]:9', 'ws://h.example/')):
        r = t.run_inetws('check', '--json', '-4', *words)
        steps = [s for s in json.loads(r.stdout)['steps'] if
                 s['state'] == 'failed']
        t.is_((r.returncode, [s['step'] for s in steps]), (64, ['name']),
              'check: the step, and the status of a usage error')
        t.like(steps[0]['advice'], '^correct what',
               'and what to do')


def test_reload():
    """What would not start is not taken by HUP."""
    for mode, lines, wrong in (
            ('server', 'target ' + V4, 'ipv6'),
            ('client', 'url ' + WS4, 'ipv6'),
            ('agent', 'target %s\nurl %s' % (V4, WS4), 'ipv6')):
        path = t.folder() + '/conf'
        with open(path, 'w') as f:
            f.write('mode %s\n%s\n' % (mode, lines))
            if mode != 'agent':
                f.write('listen 127.0.0.1:0\n')
        s = t.inetws('-K', path)
        t.ok(s.has_line('listening on' if mode != 'agent' else 'event='),
             mode + ' runs')
        with open(path, 'a') as f:
            f.write(wrong + '\n')
        s.send(signal.SIGHUP)
        t.ok(s.has_line(r'event=reload .*ipv6: .*127\.0\.0\.1:9 is an IPv4'),
             mode + ': HUP keeps the old state, and says why')
        t.is_(s.stop(), 0, 'it goes on until TERM')


def test_listening():
    """Where connections come from is another matter."""
    try:
        with socket.socket(socket.AF_INET6) as any_port:
            any_port.bind(('::1', 0))
    except OSError as e:
        raise t.Skip('no IPv6 here: %s' % e)
    s = t.server(t.echo().port, '-4', listen='[::1]:0')
    w = t.ws.connect(('::1', s.port))
    w.send(b'word')
    t.is_(w.take_data(4), b'word', 'server -4 accepts from ::1')
    w.bye()


t.main()
