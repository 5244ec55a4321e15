#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The reverse proxies of contrib, run with the files that are documented: TLS,
ssh and megabytes through each, and the client's address in the log.

If it fails: the shipped nginx, haproxy, apache or caddy configuration does not
work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import base64           # noqa: E402
import shlex            # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import exchange         # noqa: E402
import manual           # noqa: E402

DATA = exchange.noise(4 << 20)
PEER = '127.0.0.5'
TRUST = ['--trusted-proxy', '127.0.0.1', '--real-ip-header',
         'X-Forwarded-For']


PASSWORD = 'ann:pw-5521'


def password_hash(*words):
    """The hash that a program makes of the password."""
    return t.run(list(words), timeout=60 * t.SCALE).stdout.decode().strip()


def visit(port, cert, path, name='localhost', user=None):
    """A plain peer that comes from an address of its own."""
    sock = socket.create_connection(('127.0.0.1', port), t.BOUND,
                                    (PEER, 0))
    t.on_close(sock.close)
    sock = ssl.create_default_context(cafile=cert.ca).wrap_socket(
        sock, server_hostname=name)
    sock.sendall(t.ws.request(path, host=name, headers=[] if user is None else [
        ('Authorization', 'Basic ' + base64.b64encode(user.encode()).decode())]))
    head, rest = t.ws.read_head(sock)
    return head, t.ws.WebSocket(sock, True, rest)


def check_server(what, server, port, cert, d, path='/ssh/', name='localhost',
                 user=None):
    """Through TLS and a proxy at a port, to the echo behind our server."""
    url = 'wss://localhost:%d%s' % (port, path)
    if name == 'localhost':
        given = ''
        if user is not None:
            t.like(visit(port, cert, path)[0], r'\AHTTP/1\.1 401 ',
                   what + ': refused without the password')
            with open(t.folder() + '/password', 'w') as f:
                f.write(user + '\n')
            # Caddy takes seconds of the processor for a password.
            given = '-u @%s --handshake-timeout 1m ' % f.name
        proxy = 'ProxyCommand=%s connect --cacert %s %s%s' % (
            shlex.quote(t.INETWS), cert.ca, given, url)
        r = t.run(['ssh', '-F', d.config, '-o', proxy, 'there', 'cat'],
                  input=DATA, timeout=60 * t.SCALE)
        t.is_((r.returncode, r.stdout == DATA), (0, True),
              '%s: ssh, 4 MB both ways' % what) or t.diag(r.stderr)
    head, w = visit(port, cert, path, name, user)
    t.like(head, r'\AHTTP/1\.1 101 ', '%s: a plain peer' % what)
    t.is_(w.take_data(4), b'SSH-', 'talks to sshd')
    w.close(1000)
    t.is_(w.take_close(answer=False), 1000, 'and they part well')
    t.ok(server.has_line(r'peer=%s[ :]' % PEER.replace('.', r'\.')),
         '%s: the log has the client\'s address' % what)


def world(*options, **kw):
    t.need('ssh', 'sshd')
    d = t.sshd()
    return d, t.certificate(), t.server(d.port, *options, **kw)


def address(server):
    return '127.0.0.1:%d' % server.port


def test_nginx():
    d, cert, s = world(*TRUST)
    n = t.nginx(s.port, cert)
    check_server('nginx', s, n.port, cert, d)


def test_nginx_many():
    d, cert, s = world('--trusted-proxy', 'unix', '--real-ip-header',
                       'X-Forwarded-For',
                       listen='unix:%s/ssh.sock' % t.folder())
    names = ('DNS:*.ws.example.org', 'DNS:*.example.org')
    cert = t.certificate(names)
    port = t.free_port()
    t.nginx_site(port, t.contrib(
        'nginx/many.conf', (' 443 ssl', ' 127.0.0.1:%d ssl' % port),
        ('/etc/ssl/certs/ws.example.org.pem', cert.cert),
        ('/etc/ssl/private/ws.example.org.key', cert.key),
        ('/run/inetws/', os.path.dirname(s.name[5:]) + '/')))
    check_server('nginx, many', s, port, cert, d, '/', 'ssh.ws.example.org')
    t.like(visit(port, cert, '/', 'none.ws.example.org')[0],
           r'\AHTTP/1\.1 502 ', 'no such instance')
    try:
        visit(port, cert, '/', 'www.example.org')
        t.ok(False, 'no such name')
    except ssl.SSLError as e:
        t.like(str(e), 'unrecognized', 'no such name')


def test_docker_site():
    """What compose.yaml gives nginx; it includes the usual location."""
    d, cert, s = world(*TRUST)
    port, at = t.free_port(), t.folder()
    with open(at + '/inetws.conf', 'w') as f:
        f.write(t.location(s.port))
    t.nginx_site(port, t.contrib(
        'docker/site.conf', (' 443 ssl', ' 127.0.0.1:%d ssl' % port),
        ('/etc/nginx/tls/cert.pem', cert.cert),
        ('/etc/nginx/tls/key.pem', cert.key),
        ('/etc/nginx/inetws.conf', at + '/inetws.conf')))
    check_server('nginx of compose.yaml', s, port, cert, d)


def test_haproxy():
    program, = t.need('haproxy')
    d, cert, s = world(*manual.words(
        '# inetws server -l 127.0.0.1:8080 --accept-proxy',
        ('127.0.0.1:9117', '127.0.0.1:0'))[3:-1])
    port, at = t.free_port(), t.folder()
    with open(at + '/pem', 'w') as f:
        for path in (cert.cert, cert.key):
            with open(path) as g:
                f.write(g.read())
    with open(at + '/cfg', 'w') as f:
        f.write(t.contrib('haproxy/haproxy.cfg',
                          ('password HASH', 'password ' + password_hash(
                              'openssl', 'passwd', '-6', PASSWORD[4:])),
                          ('bind :443', 'bind 127.0.0.1:%d' % port),
                          ('/etc/haproxy/example.org.pem', at + '/pem'),
                          ('server ssh 127.0.0.1:8080',
                           'server ssh ' + address(s)),
                          # what each of three checks may take
                          ('port 9117 inter 10s', 'port %s inter 1s' %
                           s.wait_line(r'metrics on \S+:(\d+)')[1])))
    r = t.run([program, '-c', '-V', '-f', at + '/cfg'])
    t.is_((r.returncode, r.stderr), (0, b''), 'haproxy has no warnings')
    t.answering(t.Program([program, '-db', '-f', at + '/cfg']), port)
    check_server('haproxy', s, port, cert, d, user=PASSWORD)
    t.like(visit(port, cert, '/other/')[0], r'\AHTTP/1\.1 503 ',
           'another path leads nowhere')
    d.program.stop()
    t.ok(t.until(lambda: visit(
        port, cert, '/ssh/', user=PASSWORD)[0].startswith(b'HTTP/1.1 503 ')), 'without sshd it is seen to be down')
    t.unlike(s.log, 'without a request', 'checks are not logged as failures')


def test_apache():
    program, = t.need('apache2')
    d, cert, s = world(*TRUST)
    port, at = t.free_port(), t.folder()
    os.chmod(at, 0o755)         # for apache's worker
    htpasswd, = t.need('htpasswd')
    t.run([htpasswd, '-B', '-b', '-c', at + '/users', *PASSWORD.split(':')])
    os.chmod(at + '/users', 0o644)
    modules = ('mpm_event', 'authz_core', 'proxy', 'proxy_http', 'ssl',
               'socache_shmcb', 'auth_basic', 'authn_core', 'authn_file',
               'authz_user')
    user = 'User nobody\nGroup nogroup\n' if os.getuid() == 0 else ''
    with open(at + '/conf', 'w') as f:
        f.write('ServerRoot %s\nServerName localhost\nPidFile pid\n'
                'ErrorLog error\nDefaultRuntimeDir %s\n'
                'Listen 127.0.0.1:%d\n%s' % (at, at, port, user))
        for m in modules:
            f.write('LoadModule %s_module '
                    '/usr/lib/apache2/modules/mod_%s.so\n' % (m, m))
        f.write('<VirtualHost *>\nSSLEngine on\nSSLCertificateFile %s\n'
                'SSLCertificateKeyFile %s\n%s\n</VirtualHost>\n' % (
                    cert.cert, cert.key, t.contrib(
                        'apache/inetws.conf', ('/etc/apache2/ssh.users',
                                               at + '/users'),
                        ('http://127.0.0.1:8080',
                                               'http://' + address(s)))))
    t.answering(t.Program([program, '-f', at + '/conf', '-DFOREGROUND']),
                port)
    check_server('apache', s, port, cert, d, user=PASSWORD)


def test_caddy():
    program, htpasswd = t.need('caddy', 'htpasswd')
    t.like(password_hash(program, 'hash-password', '--plaintext',
                         PASSWORD[4:]), r'\A\$2a\$', 'caddy: a hash')
    # That one takes a second of the processor for each request, ten and more
    # where others run, which is longer than a client waits.
    cheap = password_hash(htpasswd, '-nbBC', '4', 'ann',
                          PASSWORD[4:]).split(':')[1]
    d, cert, s = world(*TRUST)
    port, at = t.free_port(), t.folder()
    with open(at + '/Caddyfile', 'w') as f:
        f.write('{\n\tadmin off\n\tauto_https disable_redirects\n}\n' +
                t.contrib('caddy/Caddyfile', (
                    '\nexample.org {\n', '\nlocalhost:%d {\n\tbind 127.0.0.1\n'
                    '\ttls %s %s\n' % (port, cert.cert, cert.key)),
                    ('\tann HASH\n', '\tann %s\n' % cheap),
                    (' 127.0.0.1:8080\n}', ' %s\n}' % address(s))))
    t.answering(t.Program([program, 'run', '--config', at + '/Caddyfile',
                           '--adapter', 'caddyfile'],
                          env={'HOME': at, 'XDG_DATA_HOME': at,
                               'XDG_CONFIG_HOME': at}), port)
    check_server('caddy', s, port, cert, d, user=PASSWORD)


t.main()
