#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, in a real browser.  The session paints itself,
anew at each key.

If it fails: the page browser-desktop/README.md does not work as it is written.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import browser                          # noqa: E402
import grp                              # noqa: E402
import pwd                              # noqa: E402
from scenario import Scenario           # noqa: E402

PASSWORD = 'pw-of-ann-7731'
FIRST, SECOND = (0x10, 0xa0, 0x60), (0xd0, 0x30, 0x90)
SESSION = '''#!/bin/sh
xsetroot -solid '#10a060'
xev -root -event keyboard | while read -r line; do
	case $line in
	*"keysym 0x62, b"*) xsetroot -solid '#d03090' ;;
	*"keysym 0x71, q"*) exit ;;
	esac
done
'''


class World:
    def __init__(self):
        t.need('startx', 'Xvnc', 'xev', 'xsetroot', 'nginx')
        if not os.path.isdir('/usr/share/novnc'):
            raise t.Skip('novnc is not installed')
        self.d = t.folder()
        self.cert = t.certificate()
        self.https, self.port = t.free_port(), t.free_port()
        # no other test has a display of this number
        self.s = Scenario(__file__, {
            '127.0.0.1:6080': '127.0.0.1:%d' % self.port,
            '/usr/bin/Xvnc': '/usr/bin/Xvnc :%d' % self.port,
            '/usr/bin/startxfce4': self.d + '/session',
            '/usr/bin/inetws': t.INETWS,
            'listen 443': 'listen 127.0.0.1:%d' % self.https,
            'server_name desk.example.org': 'server_name localhost',
            '/etc/inetws': self.d, '/etc/ssl/desk.pem': self.cert.cert,
            '/etc/ssl/desk.key': self.cert.key})
        self.users()
        self.s.site('nginx.conf', 'include /etc/nginx/mime.types;')
        self.web = t.Program(self.s.exec_start('desktop-web.service',
                                               t=self.d))
        t.listening(self.web)

    def users(self):
        t.need('htpasswd')
        line, = self.s.commands('install')
        ours = {'ann': pwd.getpwuid(os.getuid()).pw_name,
                'www-data': grp.getgrgid(os.getgid()).gr_name}
        t.is_(t.run([ours.get(w, w) for w in line]).returncode, 0, 'its file')
        line, = self.s.commands('htpasswd')
        made = t.run(line[:1] + ['-i'] + line[1:], input=PASSWORD.encode())
        t.is_(made.returncode, 0, 'a password')

    def desktop(self):
        with open(self.d + '/session', 'w') as f:
            f.write(SESSION)
        os.chmod(self.d + '/session', 0o755)
        p = t.Program(self.s.exec_start('desktop.service', t=self.d),
                      env={'HOME': self.d, 'TMPDIR': self.d,
                           'XAUTHORITY': self.d + '/auth'})
        t.on_close(self.end)
        if not t.until(lambda: os.path.exists(self.d + '/desktop.sock') or
                       not p.alive()) or not p.alive():
            raise AssertionError('the desktop does not start: ' + p.log)
        return p

    def end(self):
        """As systemd does it, by TERM: Xvnc has a lock file to remove."""
        for pid in t.family():
            if 'Xvnc' in t.command_of(pid):
                os.kill(pid, signal.SIGTERM)
        t.until(lambda: not os.path.exists('/tmp/.X%d-lock' % self.port))

    def status(self, *words):
        return t.run_inetws('connect', '--cacert', self.cert.ca, *words,
                            'wss://localhost:%d/websockify' % self.https
                            ).returncode


@t.limit(90)
def test_desktop():
    w = World()
    desktop = w.desktop()
    t.is_(os.stat(w.d + '/desktop.sock').st_mode & 0o777, 0o600,
          'the screen\'s socket is for its owner alone')
    b = browser.Browser(trust=[w.cert])
    b.get('https://ann:%s@localhost:%d/vnc_lite.html?path=none' % (
        PASSWORD, w.https))
    b.get('https://localhost:%d/' % w.https)
    t.ok(b.shows(FIRST, .8), 'the desktop is seen')
    b.pointer(400, 300, click=True)
    b.key('b')
    t.ok(b.shows(SECOND, .8), 'a key gets there, and what it changes is seen')
    b.get('about:blank')
    line = w.web.wait_line('event=closed .*')[0]
    t.like(line, 'user=ann .*end=ended', 'the browser leaves: a good end')
    t.ok(desktop.alive(), 'the desktop goes on')
    b.get('https://localhost:%d/' % w.https)
    t.ok(b.shows(SECOND, .8), 'and is what it was')
    t.ok(PASSWORD not in w.web.log, 'no password in the log')


def test_refused():
    w = World()
    w.desktop()
    curl, = t.need('curl')

    def page(*words):
        return t.run([curl, '-sS', '--cacert', w.cert.ca, '-o', '/dev/null',
                      '-w', '%{http_code}', *words,
                      'https://localhost:%d/vnc.html' % w.https]).stdout
    good, wrong = 'ann:' + PASSWORD, 'ann:wrong'
    t.is_((page(), page('-u', wrong), page('-u', good)),
          (b'401', b'401', b'200'), 'the page wants the password')
    t.is_((w.status(), w.status('-u', wrong), w.status('-u', good)),
          (77, 77, 0), 'and so does the screen')
    direct = 'ws://127.0.0.1:%d/websockify' % w.port
    t.is_((t.run_inetws('connect', direct).returncode,
           t.run_inetws('connect', '-u', good, direct).returncode), (77, 0),
          'also without nginx')
    t.is_(w.status('-u', good, '--origin', 'https://evil.example.org'), 77,
          'a page from elsewhere is refused')


def test_verify():
    """systemd finds nothing to complain about."""
    analyze, = t.need('systemd-analyze')
    s, d = Scenario(__file__, {'/usr/bin/inetws': t.INETWS,
                               '/usr/bin/startx ': '/bin/echo '}), t.folder()
    for name in ('desktop.service', 'desktop-web.service'):
        with open(os.path.join(d, name), 'w') as f:
            f.write(s.text(name))
        out = t.run([analyze, '--user', 'verify', '--man=no',
                     os.path.join(d, name)], env=dict(
                         os.environ, XDG_RUNTIME_DIR=d, HOME=d))
        t.is_((out.returncode, out.stdout, out.stderr), (0, b'', b''), name)


if __name__ == '__main__':
    t.main()
