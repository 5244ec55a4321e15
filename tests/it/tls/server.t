#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A server with its own TLS: certificates both ways, against openssl s_client,
stunnel, Python and the client of this program; and certificates that are
replaced.

If it fails: clients without a right certificate get in, or a renewed one is
not used.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import shutil           # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import stat             # noqa: E402


# A websocket that comes and goes.
REQUEST = t.ws.request() + t.ws.frame(t.ws.CLOSE, t.ws.close_payload(1000),
                                      key=b'abcd')


def secure(cert, *options, **kw):
    """A server with this certificate; .url besides."""
    s = t.server(kw.pop('target', None) or t.echo().port, '--tls-cert',
                 cert.cert, '--tls-key', cert.key, *options, **kw)
    s.url = 'wss://localhost:%d/' % s.port
    return s


def hello(url, *options, **kw):
    return t.run_inetws('connect', *options, url, input=b'hello', **kw)


def works(r, name):
    if not t.is_((r.returncode, r.stdout), (0, b'hello'), name):
        t.diag(r.stderr.decode())


def dial(port, cert, own=None):
    """A TLS socket by Python."""
    context = ssl.create_default_context(cafile=cert.ca)
    if own:
        context.load_cert_chain(own.cert, own.key)
    return context.wrap_socket(t.ws.dial(port), server_hostname='localhost')


def up(sock):
    """A websocket on it."""
    sock.sendall(t.ws.request())
    head, rest = t.ws.read_head(sock)
    if b' 101 ' not in head.split(b'\r\n')[0]:
        raise AssertionError('no 101 but %r' % head)
    return t.ws.WebSocket(sock, True, rest)


def says(w, data=b'hello'):
    w.send(data)
    return w.take_data(len(data)) == data


def s_client(port, *words, text=b''):
    openssl, = t.need('openssl')
    return t.run([openssl, 's_client', '-connect', '127.0.0.1:%d' % port,
                  '-ign_eof'] + list(words), input=text)


def test_plain_tls():
    cert = t.certificate()
    s = secure(cert)
    trust = ('--cacert', cert.ca)
    works(hello(s.url, *trust), 'our client')
    works(hello(s.url, *trust, '--tls-min', '1.3'), 'with TLS 1.3')
    w = up(dial(s.port, cert))
    t.ok(says(w), 'Python')
    t.ok(all(says(w, os.urandom(1 << 17)) for _ in range(24)),
         '3 MiB there and back')
    w.close(1000)
    t.is_(w.take_close(answer=False), 1000, 'Close is answered')
    w.sock.suppress_ragged_eofs = False
    t.is_(w.take_end(), 'eof', 'and it ends with close_notify')
    s2 = t.server(t.echo().port, '--tls-cert', t.bundle(cert.key, cert.cert))
    works(hello('wss://localhost:%d/' % s2.port, *trust), 'one file')
    other = t.certificate()
    conf = os.path.join(t.folder(), 'conf')
    with open(conf, 'w') as f:
        f.write('tls-cert %s\ntls-key %s\n' % (other.cert, other.key))
    s2 = t.server(t.echo().port, '-K', conf, '--tls-cert',
                  t.bundle(cert.key, cert.cert))
    works(hello('wss://localhost:%d/' % s2.port, *trust),
          'instead of the certificate and the key of a configuration file')
    pw = os.path.join(t.folder(), 'pw')
    with open(pw, 'w') as f:
        f.write('open sesame\n')
    s2 = secure(cert._replace(key=t.encrypted(cert.key, 'open sesame')),
                '--key-password-file', pw)
    s2.send(signal.SIGHUP)
    s2.wait_line('event=reloaded-file.*certificates')
    works(hello(s2.url, *trust), 'an encrypted key, read again')
    r = t.run_inetws('connect', 'ws://localhost:%d/' % s.port,
                     input=b'hello')
    t.is_(r.returncode, 76, 'without TLS: 76')
    t.like(r.stderr, 'answered 400 .*this port speaks TLS: use wss://',
           'in words')
    s.wait_line('event=failed.*it speaks HTTP without TLS')
    t.ok(True, 'which the log says')
    r = s_client(s.port, '-CAfile', cert.ca, '-tls1_3', text=REQUEST)
    t.like(r.stdout, '101 Switching', 's_client')
    t.like(r.stdout, 'Compression: NONE', 'no compression')
    again = t.client(s.url, *trust)
    v = t.ws.dial(again.port)
    v.sendall(b'x' * 100000)
    t.is_(len(t.ws.read_exactly(v, 100000)), 100000, 'client over it')
    for method in 'GET', 'HEAD':
        answer = t.ws.ask(s.port, t.ws.request(method=method))
        t.is_((answer.status, answer.body != b''), (400, method == 'GET'),
              method + ': an answer to HEAD has no content')


def test_session():
    """A server with TLS of its own speaks the whole extension."""
    cert = t.certificate()
    s = secure(cert)
    sock = dial(s.port, cert)
    sock.sendall(t.ws.request(headers=[(
        'Sec-WebSocket-Extensions',
        'inetws; v=2; id=me; win=262144; resume')]))
    head = t.ws.read_head(sock)[0]
    t.like(head, 'Extensions: inetws; v=2', 'the extension is spoken')
    t.like(head, 'resume="[0-9a-f]{32}"', 'with a session')
    with_cert = t.client(s.url, '--cacert', cert.ca)
    v = t.ws.dial(with_cert.port)
    v.sendall(b'some')
    t.ws.read_exactly(v, 4)
    v.shutdown(1)
    t.is_(t.ws.read_all(v), (b'', 'eof'), 'half-close is kept')


def test_profile():
    """What is weak is not spoken."""
    cert = t.certificate()
    s = secure(cert)
    for words, want in ((('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'), 1),
                        (('-tls1_2', '-cipher', 'AES128-SHA'), 1),
                        (('-tls1_2', '-cipher',
                          'ECDHE-ECDSA-AES128-SHA256'), 1),
                        (('-tls1_2', '-cipher',
                          'ECDHE-ECDSA-AES128-GCM-SHA256'), 0),
                        (('-alpn', 'h2'), 1),
                        (('-alpn', 'h2,http/1.1'), 0)):
        r = s_client(s.port, *words, text=REQUEST)
        t.is_(b'101 Switching' not in r.stdout, bool(want),
              '%s: %s' % (' '.join(words), 'refused' if want else 'taken'))
    r = s_client(s.port, '-alpn', 'h2,http/1.1', text=REQUEST)
    t.like(r.stdout, 'ALPN protocol: http/1.1', 'ALPN')
    t.like(r.stdout, r'ticket lifetime hint: 3600 \(', 'tickets for an hour')
    openssl, = t.need('openssl')
    p = t.Program([openssl, 's_client', '-connect', '127.0.0.1:%d' % s.port,
                   '-tls1_2', '-CAfile', cert.ca], stdin=-1, stdout=-1)
    p.stdin.write(b'R\n')
    p.stdin.flush()
    t.ok(p.has_line('(?i)no.renegotiation'), 'no renegotiation')
    s3 = secure(cert, '--tls-min', '1.3', '--tls13-ciphers',
                'TLS_CHACHA20_POLY1305_SHA256')
    r = s_client(s3.port, '-tls1_2')
    t.like(r.stderr + r.stdout, 'protocol version', '--tls-min 1.3')
    r = s_client(s3.port, text=REQUEST)
    t.like(r.stdout, 'TLS_CHACHA20_POLY1305_SHA256', '--tls13-ciphers')


def test_clients():
    """--tls-client-ca: good, none, wrong, revoked, expired."""
    site = t.certificate()
    ca = t.Authority('client CA')
    good, gone = ca.issue('alice', ()), ca.issue('mallory', ())
    server = ca.issue('web', (), ext='extendedKeyUsage=serverAuth\n')
    wrong = t.Authority('other CA').issue('alice', ())
    s = secure(site, '--tls-client-ca', ca.cert, '--crlfile', ca.crl(gone))
    trust = ('--cacert', site.ca)
    works(hello(s.url, *trust, '--cert', good.cert, '--key', good.key),
          'a good certificate')
    s.wait_line('event=closed.*subject="?CN=alice')
    t.ok(True, 'the log has its subject')
    for own, mine, theirs in (
            (None, 'localhost wants a certificate of ours: use --cert',
             'the client has sent no certificate'),
            (wrong, 'our certificate was refused by localhost: its authority',
             'unknown authority: CN=other CA.*--tls-client-ca'),
            (gone, 'our certificate was refused by localhost: it is revoked',
             'revoked by its issuer: CN=mallory'),
            (ca.issue('old', (), days=-1),
             'our certificate was refused by localhost: it has expired',
             'the client: expired on'),
            (server, 'our certificate was refused',
             'unsuitable certificate purpose .CN=web')):
        words = ('--cert', own.cert, '--key', own.key) if own else ()
        for version in ('1.2', '1.3'):
            before = s.mark()
            r = hello(s.url, *trust, *words, '--tls-min', version)
            t.is_((r.returncode, r.stdout), (77, b''), '77')
            t.like(r.stderr, mine, 'because ' + mine)
            t.ok(s.has_line('event=failed.*' + theirs, since=before),
                 'the server says: ' + theirs)


def test_client_peers():
    site, ca = t.certificate(), t.Authority('client CA')
    alice, bob = ca.issue('alice', ()), ca.issue('bob', ())
    me = t.self_signed('self')
    s = secure(site, '--tls-peer-certs', t.bundle(alice.cert, me.cert))
    trust = ('--cacert', site.ca)
    for own in (alice, me):
        works(hello(s.url, *trust, '--cert', own.cert, '--key', own.key),
              'one of --tls-peer-certs')
    for version in ('1.2', '1.3'):
        r = hello(s.url, *trust, '--cert', bob.cert, '--key', bob.key,
                  '--tls-min', version)
        t.is_((r.returncode, r.stdout), (77, b''), 'another: 77')
        t.like(r.stderr, 'our certificate was refused by localhost',
               'in words')
    s = secure(site, '--tls-peer-certs', alice.cert, '--tls-client-ca',
               ca.cert)
    r = hello(s.url, *trust, '--cert', bob.cert, '--key', bob.key)
    t.is_((r.returncode, r.stdout), (77, b''),
          'also if its authority is known: 77')
    t.like(r.stderr, 'refused by localhost: .*not among those accepted',
           'in words')
    s.wait_line('not among those of --tls-peer-certs .CN=bob')
    works(hello(s.url, *trust, '--cert', alice.cert, '--key', alice.key),
          'one of both')
    s = secure(site, '--tls-peer-certs', t.bundle(alice.cert, me.cert),
               '--tls-client-ca', t.Authority('another CA').cert)
    for own in (alice, me):
        r = hello(s.url, *trust, '--cert', own.cert, '--key', own.key)
        t.is_((r.returncode, r.stdout), (77, b''),
              'one of --tls-peer-certs, but not of --tls-client-ca: 77')


def test_subject():
    """--auth-command and a program know the client."""
    site, ca = t.certificate(), t.Authority('client CA')
    path = os.path.join(t.folder(), 'decide')
    with open(path, 'w') as f:
        f.write('#!/bin/sh\ntest "$SSL_CLIENT_VERIFY" = SUCCESS || exit 1\n'
                'case $SSL_CLIENT_S_DN in CN=alice) echo Alice;;\n'
                'O=Example\\\\,\\ Inc.,CN=carol) echo Carol;;\n'
                '*) exit 1; esac\n')
    os.chmod(path, stat.S_IRWXU)
    trust = ('--cacert', site.ca)
    s = secure(site, '--tls-client-ca', ca.cert, '--auth-command', path)
    for name, status in (('alice', 0), ('bob', 77), ('alice,CN=x', 77),
                         ('carol/O=Example, Inc.', 0)):
        own = ca.issue(name, ())
        r = hello(s.url, *trust, '--cert', own.cert, '--key', own.key)
        t.is_(r.returncode, status, '%s: %d' % (name, status))
    s.wait_line('user=Alice subject="?CN=alice')
    s.wait_line('user=Carol subject=')
    s.wait_line('event=failed.*subject="?CN=bob')
    own = ca.issue('alice', ())
    p = t.inetws('server', '-l', '127.0.0.1:0', '--tls-cert', site.cert,
                 '--tls-key', site.key, '--tls-client-ca', ca.cert, '--',
                 'sh', '-c', 'echo $SSL_CLIENT_S_DN', env={
                     'SSL_CLIENT_S_DN': 'forged'})
    url = 'wss://localhost:%d/' % t.port_of(t.listening(p)[0])
    r = t.run_inetws('connect', *trust, '--cert', own.cert, '--key',
                     own.key, url)
    t.is_(r.stdout, b'CN=alice\n', 'a program is told')
    nameless = ca.issue('', ())
    with open(path, 'w') as f:
        f.write('#!/bin/sh\necho "$SSL_CLIENT_VERIFY ${SSL_CLIENT_S_DN-no}"')
    r = hello(s.url, *trust, '--cert', nameless.cert, '--key', nameless.key)
    t.is_(r.returncode, 0, 'a certificate without a subject')
    s.wait_line('user="SUCCESS "')
    long = ca.issue('x' * 60 + '/O=' + 'y' * 60 + '/OU=' + 'z' * 60 +
                    '/L=' + 'w' * 60 + '/ST=' + 'v' * 60, ())
    r = hello(s.url, *trust, '--cert', long.cert, '--key', long.key)
    t.is_(r.returncode, 77, 'a subject that does not fit is refused')
    t.like(r.stderr, '403 Forbidden.*subject is longer', 'with the reason')
    s.wait_line('subject is longer than')


def test_bad_files():
    cert, other = t.certificate(), t.certificate()
    for words, pattern in (
            (('--tls-key', cert.key), 'without --tls-cert'),
            (('--tls-client-ca', cert.ca), 'without --tls-cert'),
            (('--tls-cert', '/nonexistent'), '--tls-cert /nonexistent: No'),
            (('--tls-cert', cert.cert), 'no private key in it: --tls-key'),
            (('--tls-cert', cert.cert, '--tls-key', other.key),
             '--tls-cert .*belongs to the key'),
            (('--tls-cert', cert.cert, '--tls-key', cert.key,
              '--tls-client-ca', '/nonexistent'),
             '--tls-client-ca /nonexistent'),
            (('--cert', cert.cert), 'belongs to client')):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', *words,
                         '127.0.0.1:1')
        t.is_(r.returncode, 64, '%s: 64' % ' '.join(
            os.path.basename(w) for w in words))
        t.like(r.stderr, pattern, 'in words')


def shown_to(port, name, *words):
    """The subject of the certificate that s_client gets for this name."""
    r = s_client(port, *(('-servername', name) if name else
                         ('-noservername',)), *words, text=REQUEST)
    found = re.search(rb'subject=CN ?= ?(\S+)', r.stdout)
    return found.group(1).decode() if found else None


def test_ticket_of_another_name():
    """RFC 6066 3: a session is not resumed under another name."""
    ca = t.Authority()
    a = ca.issue('a', ['DNS:a.example'])
    b = ca.issue('b', ['DNS:b.example'])
    s = t.server(t.echo().port, '--tls-cert', a.cert, '--tls-key', a.key,
                 '--tls-cert', b.cert, '--tls-key', b.key)
    for version in ('-tls1_2', '-tls1_3'):
        for name, want in (('b.example', b'New'), ('a.example', b'Reused')):
            ticket = t.folder() + '/ticket'
            first = s_client(s.port, version, '-servername', 'a.example',
                             '-sess_out', ticket, text=REQUEST)
            t.ok(b'New, ' in first.stdout and os.path.exists(ticket),
                 '%s: a ticket for a.example' % version)
            again = s_client(s.port, version, '-servername', name,
                             '-sess_in', ticket, text=REQUEST)
            t.ok(want + b', ' in again.stdout,
                 '%s: for %s: %s' % (version, name, want.decode()))


def test_several_names():
    """By the name that the client asks for, whatever the order."""
    ca = t.Authority()
    rsa = ('-newkey', 'rsa:2048', '-nodes')
    a = ca.issue('a-ec', ['DNS:a.example'])
    a_rsa = ca.issue('a-rsa', ['DNS:a.example'], newkey=rsa)
    b = ca.issue('b', ['DNS:*.b.example', 'DNS:localhost'])
    d = t.folder()
    live = t.Cert(ca.cert, d + '/b.pem', d + '/b.key')
    shutil.copy(b.cert, live.cert)
    shutil.copy(b.key, live.key)
    s = t.server(t.echo().port, '--tls-key', live.key, '--tls-cert', a.cert,
                 '--tls-key', a_rsa.key, '--tls-cert', live.cert,
                 '--tls-key', a.key, '--tls-cert', a_rsa.cert)
    for name, words, want in (
            ('a.example', (), 'a-ec'), ('x.b.example', (), 'b'),
            ('a.example', ('-sigalgs', 'RSA-PSS+SHA256'), 'a-rsa'),
            ('a.example', ('-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-'
                           'SHA256'), 'a-rsa'),
            ('x.y.b.example', (), 'a-ec'), ('other.example', (), 'a-ec'),
            (None, (), 'a-ec'), ('A.EXAMPLE', ('-tls1_2',), 'a-ec')):
        t.is_(shown_to(s.port, name, *words), want, '%s: %s' % (
            ' '.join((name or 'no name',) + words), want))
    works(hello('wss://localhost:%d/' % s.port, '--cacert', ca.cert),
          'our client is shown the second')
    renewed = ca.issue('b-new', ['DNS:*.b.example'])
    replace(live.cert, renewed.cert)
    t.is_(shown_to(s.port, 'x.b.example'), 'b', 'half of a renewal')
    replace(live.key, renewed.key)
    t.is_(shown_to(s.port, 'x.b.example'), 'b-new', 'the whole of it')
    t.is_(shown_to(s.port, 'a.example'), 'a-ec', 'the others stay')
    longest = []
    for _ in range(30):         # until no other process came between
        if longest and min(longest) < 20 * t.SCALE:
            break
        mark = s.mark()
        s.send(signal.SIGHUP)
        m = s.wait_line('event=reloaded-file what=certificates '
                        r'steps=(\d+) longest-us=(\d+)', since=mark)
        longest.append(int(m[2]) / 1000)
    t.is_(m[1], '11', 'HUP: six files, one a turn, and what belongs to them')
    t.ok(min(longest) < 20 * t.SCALE, 'the longest turn takes %.1f ms' %
         min(longest))
    t.is_(shown_to(s.port, 'x.b.example'), 'b-new', 'all are as before')
    for words, pattern in (
            (('--tls-cert', a.cert, '--tls-cert', b.cert, '--tls-key', a.key),
             '%s: no --tls-key belongs to it; it is for .*b.example' % b.cert),
            (('--tls-cert', a.cert, '--tls-key', a.key, '--tls-key', b.key),
             '--tls-key %s: no certificate of --tls-cert' % b.key)):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', *words, '127.0.0.1:1')
        t.is_(r.returncode, 64, 'what does not match is an error')
        t.like(r.stderr, pattern, 'that names the file')
    conf = d + '/conf'
    with open(conf, 'w') as f:
        f.write('mode server\ntarget 127.0.0.1:1\ntls-cert %s\n'
                'tls-cert %s\ntls-key %s\n' % (a.cert, b.cert, a.key))
    r = t.run_inetws('-K', conf, '--tls-cert', a.cert, '--dump-config')
    t.is_(re.findall(rb'tls-(?:cert|key) (.*)', r.stdout),
          [a.cert.encode()], "the command line's replace the file's")


def serial(port, ca):
    """The serial number of the certificate that a new connection gets."""
    context = ssl.create_default_context(cafile=ca)
    with context.wrap_socket(t.ws.dial(port),
                             server_hostname='localhost') as sock:
        return int(sock.getpeercert()['serialNumber'], 16)


def replace(path, by):
    """As tools that renew certificates do it."""
    shutil.copy(by, path + '.new')
    os.rename(path + '.new', path)


def waiting(port):
    """Connections that its listener has and nobody has accepted."""
    with open('/proc/net/tcp') as f:
        for x in f.read().splitlines()[1:]:
            words = x.split()
            if words[1].endswith(':%04X' % port) and words[3] == '0A':
                return int(words[4].partition(':')[2], 16)


def test_renewal_between_two():
    """Of connections that are accepted in one go the second one comes when the
    files have changed."""
    strace, = t.need('strace')
    ca = t.Authority()
    d = t.folder()
    certs = [ca.issue() for _ in range(2)]
    live = t.Cert(ca.cert, d + '/cert.pem', d + '/key.pem')

    def put(cert):
        replace(live.cert, cert.cert)
        replace(live.key, cert.key)
    put(certs[0])
    s = secure(live)
    number = [int(os.path.basename(c.cert)[:-4]) for c in certs]
    t.is_(serial(s.port, ca.cert), number[0], 'the first certificate')
    slow = t.Program([strace, '-o', '/dev/null', '-e', 'trace=accept4',
                      '-e', 'inject=accept4:delay_exit=500000', '-p', s.pid])
    if not slow.has_line('attached'):
        raise t.Skip('strace may not attach here')
    t.on_close(lambda: slow.stop(signal.SIGINT))
    first = t.ws.dial(s.port)
    t.ok(t.until(lambda: waiting(s.port) == 0), 'one is being accepted')
    put(certs[1])
    t.is_(serial(s.port, ca.cert), number[1],
          'one that comes then has the new certificate')
    first.close()


@t.limit(120)
def test_renewal():
    """Certificates change while tunnels run and new ones arrive."""
    ca = t.Authority()
    d = t.folder()
    certs = [ca.issue() for _ in range(4)]
    live = t.Cert(ca.cert, d + '/cert.pem', d + '/key.pem')
    shutil.copy(certs[0].cert, live.cert)
    shutil.copy(certs[0].key, live.key)
    s = secure(live, '--drain', '0')
    number = [int(os.path.basename(c.cert)[:-4]) for c in certs]
    t.is_(serial(s.port, ca.cert), number[0], 'the first certificate')
    tunnels = [up(dial(s.port, live)) for _ in range(20)]
    t.ok(all(says(w) for w in tunnels), '20 tunnels')

    replace(live.cert, certs[1].cert)
    got = {serial(s.port, ca.cert) for _ in range(3)}
    t.is_(got, {number[0]}, 'half of a renewal changes nothing')
    replace(live.key, certs[1].key)
    t.is_(serial(s.port, ca.cert), number[1], 'the whole of it is taken up')
    s.wait_line('event=reloaded-file.*certificates')
    t.is_(len(re.findall('event=certificates.*belongs to the key.*'
                         'the old ones stay', s.log)), 1,
          'half of it is told of once')
    t.ok(all(says(w) for w in tunnels), 'the 20 go on')

    more = []
    for i in range(20):
        if i == 5:
            replace(live.cert, certs[2].cert)
            replace(live.key, certs[2].key)
        if i == 10:
            before = s.mark()
            s.send(signal.SIGHUP)
        more.append(up(dial(s.port, live)))
    s.wait_line('event=reloaded$', since=before)
    t.is_(serial(s.port, ca.cert), number[2], 'renewed while they come')
    t.ok(all(says(w) for w in more + tunnels), 'none of the 40 is dropped')

    with open(live.key, 'w') as f:
        f.write('-----BEGIN nonsense\n')
    before = s.mark()
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded$', since=before)
    t.like('\n'.join(s.log.split('\n')[before:]), '(?sm)event=certificates[^\n]*tls-key[^\n]*'
           'the old ones stay.*event=reloaded$', 'HUP tells when it is through')
    t.is_(serial(s.port, ca.cert), number[2], 'a broken file: the old one')
    os.unlink(live.key)
    t.is_(serial(s.port, ca.cert), number[2], 'no file: the old one')
    shutil.copy(certs[3].key, live.key)
    shutil.copy(certs[3].cert, live.cert)
    t.is_(serial(s.port, ca.cert), number[3], 'and it recovers')
    t.ok(all(says(w) for w in more + tunnels), 'the 40 never noticed')
    t.is_(s.stop(), 0, 'the server ends well')


def test_client_ca_changes():
    """An authority that is taken away counts at once, resumed or not."""
    site, a, b = t.certificate(), t.Authority('a'), t.Authority('b')
    d = t.folder()
    shutil.copy(a.cert, d + '/ca.pem')
    s = secure(site, '--tls-client-ca', d + '/ca.pem')
    own = a.issue('alice', ())
    context = ssl.create_default_context(cafile=site.ca)
    context.load_cert_chain(own.cert, own.key)
    sock = context.wrap_socket(t.ws.dial(s.port),
                               server_hostname='localhost')
    w = up(sock)
    sock2 = context.wrap_socket(t.ws.dial(s.port), session=sock.session,
                                server_hostname='localhost')
    t.ok(says(up(sock2)) and sock2.session_reused,
         'a session is resumed in another process')
    replace(d + '/ca.pem', b.cert)
    sock3 = context.wrap_socket(t.ws.dial(s.port), session=sock.session,
                                server_hostname='localhost')
    t.ok(not sock3.session_reused, 'not behind a change')
    try:
        up(sock3)
        t.ok(False, 'refused')
    except (ssl.SSLError, AssertionError, OSError):
        t.ok(True, 'refused')
    t.ok(says(w), 'what was open goes on')


def test_stunnel():
    """stunnel as a client's TLS."""
    site, ca = t.certificate(), t.Authority()
    own = ca.issue('stunnel', ())
    s = secure(site, '--tls-client-ca', ca.cert)
    port = t.stunnel('connect', s.port, own, 'verifyChain = yes\n'
                     'CAfile = %s\ncheckHost = localhost' % site.ca)
    works(hello('ws://localhost:%d/' % port), 'through stunnel')
    s.wait_line('event=closed.*subject="?CN=stunnel')


def test_inetd():
    """One connection on descriptor 0, as inetd gives it."""
    cert = t.certificate()
    echo = t.echo()
    with socket.create_server(('127.0.0.1', 0)) as listener:
        near = t.ws.dial(listener.getsockname()[1])
        far, _ = listener.accept()
    with far:
        p = t.inetws('server', '--tls-cert', cert.cert, '--tls-key',
                     cert.key, '127.0.0.1:%d' % echo.port, stdin=far)
    context = ssl.create_default_context(cafile=cert.ca)
    w = up(context.wrap_socket(near, server_hostname='localhost'))
    t.ok(says(w), 'TLS by inetd')
    w.bye()
    t.is_(p.wait(), 0, 'it ends well')


def test_proxy_header():
    """A PROXY header comes before TLS."""
    cert = t.certificate()
    s = secure(cert, '--accept-proxy')
    sock = t.ws.dial(s.port)
    sock.sendall(b'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n')
    context = ssl.create_default_context(cafile=cert.ca)
    w = up(context.wrap_socket(sock, server_hostname='localhost'))
    t.ok(says(w), 'TLS behind it')
    w.bye()
    s.wait_line('event=closed.*peer=192.0.2.1:1000')


t.main()
