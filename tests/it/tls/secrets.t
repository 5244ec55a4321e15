#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Secrets of TLS and of its users are in no log, title or statistics; and no
core dump would have them.

If it fails: keys and passwords show up where other users can read them.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import base64           # noqa: E402
import contextlib       # noqa: E402
import hashlib          # noqa: E402
import re               # noqa: E402

PASSWORD = 'pw-Kq7vXw2m'
TOKEN = 'tok-3f9a8b77Zz'
COOKIE = 'sid-9d8f7e6a5'
KEY_PASSWORD = 'kp-Wm4cTt8r'
GUESS = 'guess-Hh3jLl9p'


def basic(user, password):
    return base64.b64encode(('%s:%s' % (user, password)).encode()).decode()


def write(text):
    path = os.path.join(t.folder(), 'f')
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


class Setup:
    """A server with TLS and users, and what a client needs for it."""

    def __init__(self):
        ca = t.Authority()
        site, own = ca.issue(), ca.issue('alice', ())
        self.key = t.encrypted(own.key, KEY_PASSWORD)
        self.secrets = {
            'a password': PASSWORD, 'it in base64': basic('ann', PASSWORD),
            'a token': TOKEN, 'a cookie': COOKIE,
            "a key's password": KEY_PASSWORD, 'a wrong password': GUESS,
            'it in base64 too': basic('ann', GUESS),
            "the server's key": open(site.key).read().split('\n')[1][20:],
            "the client's key": open(own.key).read().split('\n')[1][20:]}
        crypt = t.openssl('passwd', '-6', '-stdin',
                          input=PASSWORD.encode()).decode().strip()
        self.secrets['its hash'] = crypt.split('$')[-1]
        users = write('ann:%s\ntoken:robot:%s\n' % (
            crypt, hashlib.sha256(TOKEN.encode()).hexdigest()))
        self.target = t.echo()
        t.rundir()
        self.server = t.server(
            self.target.port, '-v', '-v', '--tls-cert', site.cert,
            '--tls-key', site.key, '--tls-client-ca', ca.cert, '--auth-file',
            users, '--metrics', '127.0.0.1:0')
        self.metrics = t.port_of(self.server.wait_line(
            r'metrics on (\S+)')[1])
        self.tls = ('--cacert', ca.cert, '--cert', own.cert, '--key',
                    self.key, '--key-password-file',
                    write(KEY_PASSWORD + '\n'), '-v', '-v')
        self.at = 'localhost:%d/' % self.server.port

    def clean(self, text, where):
        found = [name for name, secret in self.secrets.items()
                 if secret in text]
        t.is_(found, [], 'no secret in ' + where)


def titles():
    return '\n'.join(t.command_of(pid) for pid in t.family()
                     if 'inetws' in t.command_of(pid))


def core_limits():
    """The soft limits of all processes of ours."""
    found = set()
    for pid in t.family():
        if 'inetws' not in t.command_of(pid):
            continue
        with contextlib.suppress(OSError):      # it may have ended meanwhile
            with open('/proc/%d/limits' % pid) as f:
                found.add(re.search(r'^Max core file size\s+(\S+)',
                                    f.read(), re.M)[1])
    return found


def test_everywhere():
    s = Setup()
    ways = (
        ('userinfo', 'wss://ann:%s@%s' % (PASSWORD, s.at), ()),
        ('a file of fields', 'wss://' + s.at,
         ('-H', '@' + write('Authorization: Bearer %s\n'
                            'Cookie: sid=%s\n' % (TOKEN, COOKIE)))),
        ('a field', 'wss://' + s.at,
         ('-H', 'Authorization: Basic ' + basic('ann', PASSWORD))))
    for name, url, words in ways:
        c = t.client(url, *s.tls, *words)
        p = t.connect(url, *s.tls, *words)
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', name + ': client')
        p.stdin.write(b'y')
        p.stdin.flush()
        t.is_(p.stdout.read(1), b'y', name + ': connect')
        shown = titles()
        t.ok(shown.count('inetws') >= 5, 'processes have titles')
        s.clean(shown, 'titles')
        if not t.SANITIZED:
            t.is_(core_limits(), {'0'}, 'no core dumps')
        for words in ((), ('--json',)):
            shown = t.run_inetws('status', *words).stdout.decode()
            t.like(shown, 'localhost', 'status shows them')
            s.clean(shown, 'status')
        for path in ('/', '/metrics'):
            s.clean(t.ws.ask(s.metrics, b'GET %s HTTP/1.1\r\nHost: x\r\n\r\n'
                             % path.encode()).body.decode(), path)
        v.close()
        p.stdin.close()
        t.is_(p.wait(), 0, 'it ends well')
        c.wait_line('event=closed')
        c.stop()
        s.clean(c.log + p.wait_log(), "the client's log at its longest")
        t.like(c.log, '> GET ', 'which shows requests')
    r = t.run_inetws('connect', *s.tls, 'wss://ann:%s@%s' % (GUESS, s.at))
    t.is_(r.returncode, 77, 'a wrong password: 77')
    s.clean(r.stderr.decode(), 'the refusal')
    s.server.stop()
    s.clean(s.server.log, "the server's log at its longest")
    t.like(s.server.log, 'user=ann', 'which names users')


def test_errors():
    """Nor in errors about bad options."""
    s = Setup()
    cut = write(open(s.key).read()[:200])
    for words in (('--key', cut, '--cert', cut),
                  ('--key-password-file', write(GUESS + '\n')),
                  ('-H', 'Authorization Bearer ' + TOKEN),
                  ('-H', 'Authorization: Bearer %s\r\nx: y' % TOKEN)):
        r = t.run_inetws('connect', *s.tls, *words, 'wss://' + s.at)
        t.is_(r.returncode, 64, '%s is refused' % words[0])
        s.clean(r.stderr.decode(), 'the words')
    r = t.run_inetws('connect', *s.tls, '--nonsense',
                     'wss://ann:%s@%s' % (PASSWORD, s.at))
    s.clean(r.stderr.decode(), 'a usage error')
    r = t.run_inetws('connect', *s.tls, 'wss://ann:%s@%s' % (PASSWORD, s.at),
                     '--dump-config')
    s.clean(r.stdout.decode(), '--dump-config')


t.main()
