#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""OpenSSL is loaded by processes that need TLS and by no others; after a
redirect also in the sandbox and behind a chroot; and without it everything
else works.

If it fails: instances without TLS use more memory, or a redirect to wss://
fails.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import json             # noqa: E402
import re               # noqa: E402
import signal           # noqa: E402
import exchange         # noqa: E402

with open(t.INETWS, 'rb') as f:
    NOTE = re.search(rb'FDO\0(\[\{"soname":\["libssl.*?\}\])\0', f.read())
if not NOTE:
    t.skip_all('it is linked with OpenSSL')


def mapped(pid):
    """Which libraries of OpenSSL a process has."""
    with open('/proc/%d/maps' % pid) as f:
        return sorted(set(re.findall(r'/(libssl|libcrypto)\.so', f.read())))


BOTH = ['libcrypto', 'libssl']


def says(sock, text=b'hello'):
    sock.sendall(text)
    return t.ws.read_exactly(sock, len(text)) == text


def works(r, name):
    if not t.is_((r.returncode, r.stdout), (0, b'hello'), name):
        t.diag(r.stderr.decode())


def hello(url, *options, **kw):
    return t.run_inetws('connect', *options, url, input=b'hello', **kw)


def redirector(url):
    """Redirects every request there."""
    return t.WSServer(answer=lambda first, fields: (
        'HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n' %
        url).encode())


def secure(cert):
    """A server with TLS; .url besides."""
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key)
    s.url = 'wss://localhost:%d/' % s.port
    return s


def test_without_tls():
    s = t.server(t.echo().port)
    c = t.client('ws://localhost:%d/' % s.port)
    v = t.ws.dial(c.port)
    t.ok(says(v), 'a tunnel is up')
    for name, p in (('server', s), ('client', c)):
        t.is_([mapped(x) for x in (p.pid, t.child(p.pid))], [[], []],
              '%s: without OpenSSL, and so is its child' % name)
    p = t.connect('ws://localhost:%d/' % s.port)
    p.stdin.write(b'hello')
    p.stdin.flush()
    t.is_(p.stdout.read(5), b'hello', 'connect, alone')
    t.is_(mapped(p.pid), [], 'is without, too')
    a, b = exchange.pair()
    p = t.inetws('server', '127.0.0.1:%d' % t.echo().port, stdin=b, stdout=b)
    b.close()
    a.settimeout(t.BOUND)
    a.sendall(t.ws.request())
    t.like(t.ws.read_head(a)[0].decode(), r'\AHTTP/1.1 101 ', 'by inetd')
    t.is_(mapped(p.pid), [], 'without as well')
    a.close()


def test_with_tls():
    cert = t.certificate()
    s = secure(cert)
    c = t.client(s.url, '--cacert', cert.ca)
    v = t.ws.dial(c.port)
    t.ok(says(v), 'a tunnel is up')
    for name, p in (('server', s), ('client', c)):
        t.is_([mapped(x) for x in (p.pid, t.child(p.pid))],
              [BOTH, BOTH], '%s: once for all' % name)


def test_redirect():
    """The process that meets it loads it, and its supervisor only for options
    that may be wrong."""
    cert = t.certificate()
    s = secure(cert)
    for words, file, before in (((), cert.ca, []),
                                (('--cacert', cert.ca), '', BOTH)):
        c = t.client('ws://127.0.0.1:%d/' % redirector(s.url).port, *words,
                     env=dict(os.environ, SSL_CERT_FILE=file))
        v = t.ws.dial(c.port)
        t.ok(says(v), 'a tunnel is up')
        child = t.child(c.pid)
        t.is_((mapped(c.pid), mapped(child)), (before, BOTH),
              'before the fork' if before else 'in the child alone')


# What a client says that was redirected from where its session is: the new
# place is asked for a websocket, by TLS, and not told of the session.
ELSEWHERE = 'redial-failed .*answered by a peer that knows no sessions'


def test_redirect_in_sandbox():
    """The websocket is lost, and what answers then redirects."""
    cert = t.certificate()
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    proxy = t.Proxy(s.port)
    c = t.client('ws://localhost:%d/ssh/' % proxy.port, '--resume', '5s',
                 env=dict(os.environ, SSL_CERT_FILE=cert.ca))
    v = t.ws.dial(c.port)
    t.ok(says(v), 'a tunnel is up')
    child = t.child(c.pid)
    t.is_(mapped(child), [], 'without OpenSSL')
    proxy.to = ('127.0.0.1', redirector(n.url).port)
    t.ok(t.until(lambda: proxy.cut('rst')), 'cut')
    t.ok(c.has_line(ELSEWHERE), 'it was followed, by TLS')
    t.is_(t.ws.read_all(v), (b'', 'reset'), 'and the stream is reset')


def test_redirect_in_sandbox_with_files():
    """What the sandbox does not read has been read before."""
    ca = t.Authority()
    cert, own = ca.issue(), ca.issue('alice', ())
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert, extra='ssl_verify_client on; '
                'ssl_client_certificate %s;' % ca.cert)
    for options in (('--cert', own.cert, '--key', own.key),
                    ('--cert', own.cert, '--key', own.key, '--crlfile',
                     ca.crl(), '--peer-certs', cert.cert)):
        proxy = t.Proxy(s.port)
        c = t.client('ws://localhost:%d/ssh/' % proxy.port, '--cacert',
                     ca.cert, *options)
        v = t.ws.dial(c.port)
        t.ok(says(v), 'a tunnel is up')
        proxy.to = ('127.0.0.1', redirector(n.url).port)
        t.ok(t.until(lambda: proxy.cut('rst')), 'cut')
        t.ok(c.has_line(ELSEWHERE), 'followed with ' +
             ' '.join(options[::2]))
        v.close()


def test_redirect_in_chroot():
    if os.getuid() != 0:
        raise t.Skip('needs root')
    url = secure(t.certificate()).url.replace('localhost', '127.0.0.1')
    d = t.folder()
    os.chmod(d, 0o755)
    c = t.client('ws://127.0.0.1:%d/' % redirector(url).port, '--chroot', d,
                 '--run-as', 'nobody', '-k')
    v = t.ws.dial(c.port)
    t.ok(says(v), 'a tunnel, by what was loaded before')


def test_reload():
    """A new start is not needed when TLS is wanted later."""
    cert = t.certificate()
    plain, s = t.server(t.echo().port), secure(cert)
    conf = t.folder() + '/conf'

    def write(*lines):
        with open(conf, 'w') as f:
            f.write('\n'.join(lines) + '\n')
    write('mode client', 'listen 127.0.0.1:0',
          'url ws://localhost:%d/' % plain.port)
    c = t.inetws('-K', conf)
    port = t.port_of(t.listening(c)[0])
    t.ok(says(t.ws.dial(port)), 'a tunnel without')
    write('mode client', 'listen 127.0.0.1:0', 'url ' + s.url,
          'cacert ' + cert.ca)
    c.send(signal.SIGHUP)
    c.wait_line('event=reloaded$')
    c.baseline = None           # its tickets need two descriptors now
    v = t.ws.dial(port)
    t.ok(says(v), 'and one with TLS')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 1),
         'from the other server')
    write('mode server', 'listen 127.0.0.1:0', 'target 127.0.0.1:9')
    p = t.inetws('-K', conf)
    t.listening(p)
    with open(conf, 'a') as f:
        f.write('tls-cert %s\ntls-key %s\n' % (cert.cert, cert.key))
    p.send(signal.SIGHUP)
    p.wait_line('event=reload .*tls-cert has changed, which needs a restart')
    t.is_(mapped(p.pid), [], 'a server says that it needs one')


def missing(how):
    """(environment, words) of a system without it, or with another thing."""
    d = t.folder()
    path = os.path.join(d, json.loads(NOTE[1])[0]['soname'][0])
    if how == 'empty':
        with open(path, 'w'):
            pass
        words = '%s: file too short' % path
    else:                       # a library, but another one
        with open('/proc/self/maps') as f:
            libc = re.search(r'/\S+/libc[.-]\S*', f.read())[0]
        os.symlink(libc, path)
        words = 'undefined symbol: SSL_'
    return {'LD_LIBRARY_PATH': d}, words


def test_missing():
    cert = t.certificate()
    good = secure(cert)
    plain = t.server(t.echo().port)
    for how in ('empty', 'another'):
        env, words = missing(how)
        why = 'TLS needs OpenSSL: .*' + re.escape(words)
        r = t.run_inetws('--version', env=env)
        t.is_(r.returncode, 0, '%s: --version' % how)
        t.like(r.stdout, r'\Ainetws .*\n%s.*\n(http-parser|llhttp) ' % why,
               'tells of it')
        works(hello('ws://localhost:%d/' % plain.port, env=env), 'no TLS')
        r = t.run_inetws('check', 'ws://localhost:%d/' % plain.port, env=env)
        t.is_(r.returncode, 0, 'check without TLS')
        for words in (('connect', '--cacert', cert.ca, good.url),
                      ('check', '--cacert', cert.ca, good.url),
                      ('client', '-l', '127.0.0.1:0', good.url),
                      ('connect', '--cacert', cert.ca, '-x',
                       'https://localhost:9', 'ws://localhost:9/'),
                      ('server', '-l', '127.0.0.1:0', '--tls-cert',
                       cert.cert, '--tls-key', cert.key, '127.0.0.1:9')):
            r = t.run_inetws(*words, env=env)
            t.is_(r.returncode, 71, '%s with TLS: 71' % words[0])
            t.like(r.stdout + r.stderr, why, 'and why')
        r = hello('ws://127.0.0.1:%d/' % redirector(good.url).port, env=env)
        t.is_(r.returncode, 71, 'a redirect to TLS: 71')
        t.like(r.stderr, why, 'and why')
        if os.getuid() == 0:
            d = t.folder()
            os.chmod(d, 0o755)
            c = t.client('ws://127.0.0.1:%d/' % plain.port, '--chroot', d,
                         '--run-as', 'nobody', env=env)
            t.ok(says(t.ws.dial(c.port)), 'no TLS, in a chroot')


t.main()
