#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Fifteen wrong steps of a new user, each made for real: the message that is
printed names the cure, or its words stand in inetws-troubleshooting(7) over a
text that does; and inetws check says what to do.

If it fails: a user who has made that mistake has to read the source.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import messages         # noqa: E402
import re               # noqa: E402

# (words that are printed, text) of each item of the page.
ENTRIES = [(e.quotes, e.text) for e in messages.page()]


def cured(step, printed, cure):
    """The message names the cure, or one look-up in the page does."""
    if isinstance(printed, bytes):
        printed = printed.decode()
    if re.search(cure, printed):
        return t.ok(True, step + ': by the message')
    found = [words for words, text in ENTRIES if re.search(cure, text) and
             any(w in printed for w in words)]
    if t.ok(found, step + ': by one look-up') is False or not found:
        t.diag('printed: ' + printed)
        t.diag('entries: %r' % [w for w, _ in ENTRIES
                                if any(x in printed for x in w)])


def checked(step, cure, *words):
    """What check says last names the cure."""
    r = t.run_inetws('check', *words)
    t.ok(r.returncode not in (0, 64, 71), '%s: check fails (%d)' %
         (step, r.returncode))
    t.like(r.stdout.decode().partition('\nnext:\n')[2], cure,
           'and says what to do')


def connect(*words, **kw):
    return t.run_inetws('connect', *words, input=b'', **kw).stderr


def both(step, cure, *words):
    cured(step, connect(*words), cure)
    checked(step, cure, *words)


def url(port, scheme='ws', host='127.0.0.1'):
    return '%s://%s:%d/' % (scheme, host, port)


def site(text):
    port = t.free_port()
    t.nginx_site(port, 'server { listen 127.0.0.1:%d; %s }\n' % (port, text))
    return url(port)


LINES = ('proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; '
         'proxy_set_header Connection "upgrade";')


def test_no_upgrade_lines():
    s = t.server(t.echo().port)
    for more in ('', 'proxy_http_version 1.1;'):
        both('no Upgrade lines', r'proxy_set_header (Upgrade|Connection)',
             site('location / { proxy_pass http://127.0.0.1:%d; %s }' %
                  (s.port, more)))


def test_wrong_path():
    s = t.server(t.echo().port, '--path', '/right/')
    both('wrong path at nginx', 'location', site('location /ssh/ { %s '
         'proxy_pass http://127.0.0.1:%d; }' % (LINES, s.port)) + 'shh/')
    both('wrong path at inetws', '--?path|Fl -path', url(s.port))


def test_http_for_https():
    n = t.nginx(t.server(t.echo().port).port, t.certificate())
    both('ws:// for wss://', 'wss://', n.url.replace('wss:', 'ws:'))
    both('http:// for https://', 'wss://', n.url.replace('wss:', 'http:'))


def test_dead_target():
    s = t.server(t.free_port())
    both('dead target', '(?i)start the target|target does not run',
         url(s.port))
    both('dead target behind nginx',
         '(?i)start the target|target does not run', t.nginx(s.port).url)
    s.wait_line('event=failed')
    cured('in the log of the server', s.log, 'cannot connect to 127')


def test_wrong_password():
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('ann:{PLAIN}right\n')
    s = t.server(t.echo().port)
    there = site('auth_basic x; auth_basic_user_file %s; location / { %s '
                 'proxy_pass http://127.0.0.1:%d; }' % (users, LINES, s.port))
    both('wrong password', r'USER:PASSWORD', '-u', 'ann:left', there)
    both('no password', r'USER:PASSWORD', there)


def test_old_certificate():
    cert = t.certificate(days=-1)
    n = t.nginx(t.server(t.echo().port).port, cert)
    both('old certificate', '(?i)renew', '--cacert', cert.ca, n.url)


def test_proxy_password():
    p = t.Scripted(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n'
                   b'Content-Length: 0\r\n\r\n')
    both('proxy asks for a password', '--?proxy-user',
         '-x', 'http://127.0.0.1:%d' % p.port, 'ws://h.example/')


def test_ipv6_only():
    if os.getuid() != 0:
        raise t.Skip('needs root, for a network without IPv6')
    words = ('--resolve', 'h.example:80:2001:db8::1', 'ws://h.example/')
    alone = t.need_unshare('-n') + [t.INETWS]
    r = t.run(alone + ['connect', *words], input=b'')
    cured('IPv6 only, from a host without', r.stderr,
          'address of the other kind')
    r = t.run(alone + ['check', *words])
    t.like(r.stdout, 'address of the other kind', 'check too')
    # At 127.0.0.1 no other program has the same port.
    s = t.server(t.echo().port, listen='[::1]:%d' % t.free_port())
    both('listens on IPv6 only', 'listening on', '-4', url(s.port))
    cured('an IPv6 address with -4',
          connect('-4', url(s.port, host='[::1]')), 'leave --ipv4 out')


def test_port_taken():
    s = t.server(t.echo().port)
    for words in (('server', '-l', '127.0.0.1:%d' % s.port, '127.0.0.1:1'),
                  ('client', '-l', '127.0.0.1:%d' % s.port, url(1))):
        cured('port taken', t.run_inetws(*words).stderr, 'ss -ltnp')


def test_time_out():
    """A proxy's 60 seconds, here three."""
    s = t.server(t.Held().port, '--ping-interval', '0', '--resume', '0')
    there = site('location / { %s proxy_read_timeout 3s; proxy_pass '
                 'http://127.0.0.1:%d; }' % (LINES, s.port))
    p = t.connect(there, '--ping-interval', '0', '--resume', '0')
    p.wait()
    cured('time-out of a proxy', p.log, 'proxy_read_timeout')
    checked('time-out of a proxy', '--ping-interval',
            '--proxy-idle=12s', there)


def test_stale_dns():
    if os.getuid() != 0:
        raise t.Skip('needs root, for hosts(5) of its own')
    s = t.server(t.echo().port)
    hosts = t.folder() + '/hosts'
    with open(hosts, 'w') as f:
        f.write('127.0.0.77 moved.example\n')
    run = [*t.need_unshare('-m'), 'sh', '-c',
           'mount --bind %s /etc/hosts && exec "$0" "$@"' % hosts, t.INETWS]
    there = 'ws://moved.example:%d/' % s.port
    r = t.run(run + ['connect', there], input=b'')
    t.like(r.stderr, '127.0.0.77', 'the address that was tried is told')
    cured('stale DNS', r.stderr, '(?i)old (address|one)')
    r = t.run(run + ['check', there])
    t.like(r.stdout.decode().partition('\nnext:\n')[2], 'old one',
           'check too')


def test_wrong_subprotocol():
    s = t.server(t.echo().port, '--subprotocol', 'mqtt')
    checked('wrong subprotocol', '--subprotocol', '--subprotocol', 'binary',
            url(s.port))
    up = t.WSServer(headers=[('Sec-WebSocket-Protocol', 'chat')])
    both('a subprotocol that was not offered', '--?subprotocol', url(up.port))


def test_unreadable():
    if os.getuid() != 0:
        raise t.Skip('needs root, for a service with another user')
    d = t.folder()
    os.chmod(d, 0o755)
    for name, text in (('users', 'ann:{PLAIN}x\n'), ('conf', 'mode server\n')):
        with open(d + '/' + name, 'w') as f:
            f.write(text)
        os.chmod(d + '/' + name, 0o600)
    inetws = t.world_executable()
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--auth-file',
                     d + '/users', '127.0.0.1:1', program=inetws,
                     preexec_fn=t.unprivileged())
    cured('a file of the service', r.stderr, 'setpriv')
    r = t.run_inetws('server', '-K', d + '/conf', program=inetws,
                     preexec_fn=t.unprivileged())
    cured('its configuration file', r.stderr, 'setpriv')


def test_two_instances():
    path = t.folder() + '/s'
    t.server(t.echo().port, listen='unix:' + path)
    r = t.run_inetws('server', '-l', 'unix:' + path, '127.0.0.1:1')
    cured('two instances on one Unix socket', r.stderr, '(?i)ss -l|another')
    if os.getuid() != 0:
        raise t.Skip('needs root: instances of one user share sessions')
    target = t.Held()
    two = [t.server(target.port), t.server(
        t.Held().port, preexec_fn=t.unprivileged(),
        program=t.world_executable())]

    class Elsewhere(t.Proxy):
        """Leads each connection but the first one to the other."""

        def _serve(self, a):
            if self.accepted > 1:
                self.to = ('127.0.0.1', two[1].port)
            super()._serve(a)
    p = Elsewhere(two[0].port)
    c = t.connect(url(p.port), '--resume', '3s')
    target.next().sendall(b'x')
    t.is_(c.stdout.read(1), b'x', 'a tunnel')
    p.cut()
    c.wait(3 * t.BOUND)
    cured('two instances at one address', c.log, '(?i)sticky')
    p = Elsewhere(two[0].port)
    checked('two instances at one address', 'sticky', '--test-resume',
            url(p.port))


def test_clock():
    cert = t.Authority().issue(begins=2)
    n = t.nginx(t.server(t.echo().port).port, cert)
    both('clock off', 'clock', '--cacert', cert.ca, n.url)


t.main()
