#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS of a client: its own certificate, and the authorities it trusts, against
nginx and openssl s_server.  A refusal is named, and the status is 77.

If it fails: a client trusts a wrong server, or refuses a right one without a
reason.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import signal           # noqa: E402


def hello(url, *options, **kw):
    return t.run_inetws('connect', *options, url, input=b'hello', **kw)


def works(r, name):
    if not t.is_((r.returncode, r.stdout), (0, b'hello'), name):
        t.diag(r.stderr.decode())


def refused(r, pattern, name, status=77):
    t.is_((r.returncode, r.stdout), (status, b''), '%s: %d' % (name, status))
    t.like(r.stderr, pattern, 'in words')
    t.is_(r.stderr.count(b'\n'), 1, 'of one line')


def mutual(ca, extra=''):
    """nginx that wants certificates of this authority."""
    site = t.certificate()
    return site, t.nginx(t.server(t.echo().port).port, site, extra='''
        ssl_verify_client on; ssl_client_certificate %s; %s
        ''' % (ca.cert, extra))


def test_mutual_nginx():
    ca = t.Authority('client CA')
    good, bad = ca.issue('alice', ()), ca.issue('mallory', ())
    wrong = t.Authority('client CA').issue('alice', ())
    site, n = mutual(ca, 'ssl_crl %s;' % ca.crl(bad))
    trust = ('--cacert', site.ca)
    works(hello(n.url, *trust, '--cert', good.cert, '--key', good.key),
          'a good certificate')
    works(hello(n.url, *trust, '-E', t.bundle(good.key, good.cert)),
          'in one file, the key first')
    refused(hello(n.url, *trust), 'wants a certificate of ours, use --cert',
            'none')
    refused(hello(n.url, *trust, '--cert', wrong.cert, '--key', wrong.key),
            'may have refused our certificate', "another authority's")
    refused(hello(n.url, *trust, '--cert', bad.cert, '--key', bad.key),
            'may have refused our certificate', 'a revoked one')


def test_chain():
    """cat Root.crt CA.crt My.crt My.key, in any order."""
    root = t.Authority('root')
    ca = t.Authority('intermediate', root)
    mine = ca.issue('alice', ())
    other = t.certificate()
    site, n = mutual(root, 'ssl_verify_depth 3;')
    trust = ('--cacert', site.ca)
    files = [root.cert, ca.cert, mine.cert, mine.key]
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        works(hello(n.url, *trust, '--cert',
                    t.bundle(*(files[i] for i in order))),
              'one file, order %s' % (order,))
    works(hello(n.url, *trust, '--cert', t.bundle(ca.cert, mine.cert),
                '--key', mine.key), 'two files')
    works(hello(n.url, *trust, '--cert', mine.cert, '--key',
                t.bundle(mine.key, root.cert, ca.cert)),
          'the chain with the key')
    works(hello(n.url, *trust, '--cert', t.bundle(other.cert, *files)),
          'an unknown one among them')
    refused(hello(n.url, *trust, '--cert', mine.cert, '--key', mine.key),
            'may have refused our certificate', 'without the chain')


def test_own_files():
    """Mistakes are told before anything is dialled."""
    ca = t.Authority()
    mine, other = ca.issue('alice', ()), ca.issue('bob', ())
    d = t.folder()
    secret = t.encrypted(mine.key, 'open sesame')
    for name, text in (('junk', 'nothing\n'), ('right', '\ufeffopen sesame\r\n'),
                       ('wrong', 'guess\n'),
                       ('cut', open(mine.key).read()[:80] + '\n'),
                       ('short', '-----BEGIN CERTIFICATE-----\nMIIB\n'
                        '-----END CERTIFICATE-----\n'),
                       ('list', '-----BEGIN X509 CRL-----\nMIIB\n')):
        with open(os.path.join(d, name), 'w') as f:
            f.write(text)
    url = 'wss://127.0.0.1:%d/' % t.free_port()
    right = ('--key-password-file', d + '/right')
    for words, pattern in (
            (('--cert', d + '/none'), '--cert .*/none: No such file'),
            (('--cert', d + '/junk'), '--cert .*/junk: no PEM file'),
            (('--cert', mine.cert), 'no private key in it: --key'),
            (('--key', mine.key), '--key: has no effect without --cert'),
            (('--cert', mine.cert, '--key', other.key),
             'no certificate in it belongs to the key.*CN=alice'),
            (('--cert', mine.cert, '--key', other.cert),
             '--key .*: no private key in it'),
            (('--cert', mine.cert, '--key', t.bundle(mine.key, other.key)),
             'more than one private key'),
            (('--cert', mine.cert, '--key', d + '/cut'),
             '--key .*: a broken PEM block'),
            (('--cert', mine.cert, '--key', secret),
             'encrypted: --key-password-file is needed'),
            (('--cert', mine.cert, '--key', secret, '--key-password-file',
              d + '/wrong'), 'cannot be decrypted'),
            (('--cert', mine.cert, '--key', secret, '--key-password-file',
              d + '/none'), '--key-password-file .*/none: No such file'),
            (('--pinnedpubkey', 'md5//x'), "--pinnedpubkey: 'md5//x'"),
            (('--pinnedpubkey', 'sha256//short='), '--pinnedpubkey'),
            (('--peer-certs', mine.key), '--peer-certs .*: no certificate'),
            (('--crlfile', mine.cert),
             '--crlfile .*: no certificate or crl found'),
            (('--crlfile', d + '/list'), '--crlfile .*: a broken PEM block'),
            (('--cacert', d + '/short'), '--cacert .*: a broken PEM block'),
            (('--cacert', d + '/none'), '--cacert .*/none: No such file'),
            (('--ciphers', 'NONE-OF-THESE'), '--ciphers'),
            (('--tls13-ciphers', 'NONE'), '--tls13-ciphers'),
            (('--tls-min', '1.1'), 'tls-min.*1.2.1.3')):
        r = hello(url, *words)
        t.is_(r.returncode, 64, '%s: 64' % ' '.join(
            os.path.basename(w) for w in words))
        t.like(r.stderr, pattern, 'in words')
        t.ok(b'sesame' not in r.stderr, 'without the password')
    ws = url.replace('wss', 'ws')
    for words, pattern in (
            (('--cacert', d + '/none'), '--cacert .*/none: No such file'),
            (('--capath', d + '/none'), '--capath .*/none: No such file'),
            (('--cacert', d + '/short'), '--cacert .*: a broken PEM block'),
            (('--peer-certs', d + '/none'),
             '--peer-certs .*/none: No such file'),
            (('--crlfile', d + '/none'), '--crlfile .*/none: No such file'),
            (('--cert', mine.cert), 'no private key in it: --key'),
            (('--pinnedpubkey', 'md5//x'), "--pinnedpubkey: 'md5//x'"),
            (('--ciphers', 'NONE-OF-THESE'), '--ciphers'),
            (('--tls13-ciphers', 'NONE'), '--tls13-ciphers'),
            (('--proxy-cacert', d + '/none'),
             '--proxy-cacert .*/none: No such file'),
            (('--proxy-cacert', d + '/short'),
             '--proxy-cacert .*: a broken PEM block')):
        r = hello(ws, *words)
        t.is_(r.returncode, 64, 'no TLS before a redirection: 64 as well')
        t.like(r.stderr, pattern, 'in words')
        r = t.run_inetws('check', ws, *words)
        t.is_(r.returncode, 64, 'check tells it too')
        t.like(r.stdout, '(?m)^failed: .*' + pattern, 'in words')
    site, n = mutual(ca)
    works(hello(n.url, '--cacert', site.ca, '--cert', mine.cert, '--key',
                secret, *right), 'an encrypted key')


def test_pins():
    ca = t.Authority()
    cert, other = ca.issue(), ca.issue()
    n = t.nginx(t.server(t.echo().port).port, cert)
    trust = ('--cacert', ca.cert)
    good, wrong = t.pin(cert.cert), t.pin(other.cert)
    works(hello(n.url, *trust, '--pinnedpubkey', good), 'the right key')
    works(hello(n.url, *trust, '--pinnedpubkey', wrong + ';' + good),
          'one of two')
    works(hello(n.url, '-k', '--pinnedpubkey', good), 'and no authority')
    for words in (trust, ('-k',)):
        r = hello(n.url, *words, '--pinnedpubkey', wrong)
        refused(r, 'public key of localhost: it is not pinned',
                'a wrong pin with %s' % words[0])
        t.ok(good.encode() in r.stderr, 'which tells the right one')


def test_peer_certs():
    ca = t.Authority()
    cert, other = ca.issue('this'), ca.issue('other')
    alone = t.self_signed()
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    works(hello(n.url, '--peer-certs', cert.cert), 'no authority is needed')
    r = hello(n.url, '--peer-certs', t.bundle(cert.key, other.cert,
                                              cert.cert))
    works(r, 'a key in a file of its own')
    t.like(r.stderr, 'event=peer-certs.*private key.*ignored', 'is told of')
    refused(hello(n.url, '--cacert', ca.cert, '--peer-certs', other.cert),
            'not among those of --peer-certs .CN=this', 'another of the CA')
    works(hello(n.url, '--cacert', ca.cert, '--peer-certs', cert.cert),
          'both hold')
    refused(hello(n.url, '--cacert', t.Authority().cert, '--peer-certs',
                  cert.cert), 'unknown authority',
            'allowed, but not issued by --cacert')
    refused(hello(n.url.replace('localhost', '127.1'), '--peer-certs',
                  cert.cert), 'mismatch', 'names count')
    n = t.nginx(s.port, alone)
    works(hello(n.url, '--peer-certs', alone.cert), 'a self-signed one')


def test_refusals():
    """Each kind of bad certificate has words of its own."""
    root = t.Authority('root')
    ca = t.Authority('between', root)
    s = t.server(t.echo().port)
    trust = ('--cacert', root.cert)

    def serve(cert):
        return t.nginx(s.port, cert).url

    def address(url):
        return url.replace('localhost', '127.0.0.1')

    good, revoked = root.issue(), root.issue('gone')
    refused(hello(serve(root.issue(days=-1)), *trust),
            'expired on .*it is now', 'expired')
    refused(hello(serve(t.self_signed()), *trust),
            'self-signed certificate.*--cacert', 'self-signed')
    refused(hello(serve(root.issue(names=['DNS:example.org'])), *trust),
            'hostname mismatch: it is for .*DNS:example.org', 'wrong host')
    refused(hello(address(serve(root.issue('127.0.0.1', ()))), *trust),
            'it is for CN=127.0.0.1; .*subjectAltName=IP:127.0.0.1',
            'an address as common name')
    chained = ca.issue()
    refused(hello(serve(chained), *trust),
            'unknown authority: CN=between, .*chain may be incomplete',
            'a chain cut short')
    works(hello(serve(chained._replace(cert=t.bundle(
        chained.cert, ca.cert))), *trust), 'the whole chain')
    works(hello(serve(chained), '--cacert', ca.cert),
          'an intermediate authority that is trusted')
    lists = ('--crlfile', root.crl(revoked))
    refused(hello(serve(revoked), *trust, *lists),
            'revoked by its issuer: CN=gone', 'revoked')
    url = serve(good)
    works(hello(url, *trust, *lists), 'another one with that list')
    refused(hello(url, *trust, '--crlfile', t.Authority('x').crl()),
            r'revocation list of its issuer .CN=root. is not in --crlfile',
            'no list of the issuer')
    old = root.crl(days=-1)
    t.until(lambda: b'expired' in hello(url, *trust, '--crlfile',
                                        old).stderr)
    refused(hello(url, *trust, '--crlfile', old),
            'has expired: --crlfile needs a newer one', 'an old list')
    works(hello(serve(chained._replace(cert=t.bundle(
        chained.cert, ca.cert))), *trust, '--crlfile', ca.crl()),
          'authorities need no list')


def test_servername():
    cert = t.certificate(['DNS:hidden.example.org'])
    seen = []
    context = t.tls_context(cert)
    context.sni_callback = lambda sock, name, ctx: seen.append(name)
    server = t.WSServer(tls=context)
    p = t.connect('wss://127.0.0.1:%d/' % server.port, '--cacert', cert.ca,
                  '--servername', 'hidden.example.org')
    w = server.next()
    t.is_(seen, ['hidden.example.org'], 'it is asked for, and verified')
    t.is_(w.request['host'], '127.0.0.1:%d' % server.port,
          "Host is the URL's")
    w.bye()
    p.stdin.close()
    t.is_(p.wait(), 0, 'and all ends well')
    r = hello('wss://127.0.0.1:%d/' % server.port, '--cacert', cert.ca,
              '--servername', 'other.example.org')
    refused(r, 'certificate of other.example.org: hostname mismatch',
            'another name')
    seen.clear()
    cert = t.certificate()
    context = t.tls_context(cert)
    context.sni_callback = lambda sock, name, ctx: seen.append(name)
    server = t.WSServer(tls=context)
    p = t.connect('wss://localhost:%d/' % server.port, '--cacert', cert.ca,
                  '--servername', '')
    server.next().bye()
    p.stdin.close()
    t.is_((p.wait(), seen), (0, [None]), 'none is sent')
    refused(hello('wss://ip6-localhost:%d/' % server.port, '--cacert',
                  cert.ca, '--servername', '', '--resolve',
                  'ip6-localhost:%d:127.0.0.1' % server.port),
            'certificate of ip6-localhost: hostname mismatch',
            "and the URL's host is verified")
    there = ('--cacert', cert.ca, '--servername', '', '--connect-to',
             '::127.0.0.1:%d' % server.port)
    for host in ('.', '.localhost'):
        r = hello('wss://%s/' % host, *there)
        t.is_(r.returncode, 76, '%s is no name to verify' % host)
        t.like(r.stderr, 'TLS with %s: no certificate can be for such a name'
               % host.replace('.', '[.]'), 'says so')


def s_server(cert, *words):
    openssl, = t.need('openssl')
    port = t.free_port()
    p = t.Program([openssl, 's_server', '-accept', '127.0.0.1:%d' % port,
                   '-cert', cert.cert, '-key', cert.key, '-quiet'] +
                  list(words), stdin=-1, stdout=-1)

    def up():
        try:
            t.ws.dial(port).close()
            return True
        except OSError:
            return False
    if not t.until(up):
        raise AssertionError('s_server does not start: ' + p.log)
    return p, port


def test_stopped_while_asked():
    """It asks for a certificate, takes none, and owes the answer."""
    ca = t.Authority()
    cert = ca.issue()
    p, port = s_server(cert, '-verify', '1', '-CAfile', ca.cert)
    c = t.client('wss://localhost:%d/' % port, '-v', '--cacert', ca.cert)
    v = t.ws.dial(c.port)
    t.ok(c.has_line('> GET / '), 'the request is out')
    for event in ('stopping', 'failed'):
        os.kill(c.pid, signal.SIGTERM)
        t.ok(c.has_line('event=' + event), 'it is stopped')
    t.like(c.log, 'event=failed .* why="[^"]*: no answer: interrupted"',
           'which the certificate is not to blame for')
    v.close()


def test_s_server():
    """Versions, ciphers and refusals by the other side."""
    ca = t.Authority()
    cert, mine = ca.issue(), ca.issue('alice', ())
    own = ('--cert', mine.cert, '--key', mine.key)
    unknown = t.Authority('unknown')
    for words, options, pattern, status in (
            (('-tls1_2',), ('--tls-min', '1.3'),
             'no common version of TLS .1.3 or later', 76),
            (('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-SHA'), (),
             'nothing in common', 76),
            (('-Verify', '2', '-CAfile', ca.cert, '-verify_return_error'),
             (), 'wants a certificate of ours: use --cert', 77),
            (('-Verify', '2', '-CAfile', ca.cert, '-verify_return_error',
              '-tls1_2'), (), 'wants a certificate of ours: use --cert', 77),
            (('-Verify', '2', '-CAfile', unknown.cert,
              '-verify_return_error'), own,
             'our certificate was refused by localhost: its authority', 77),
            (('-Verify', '2', '-CAfile', unknown.cert,
              '-verify_return_error', '-tls1_2'), own,
             'our certificate was refused by localhost: its authority', 77),
            (('-alpn', 'h2'), (), 'http/1.1', 76)):
        p, port = s_server(cert, *words)
        r = hello('wss://localhost:%d/' % port, '--cacert', ca.cert,
                  '--handshake-timeout', '5s', *options)
        refused(r, pattern, ' '.join(w for w in words if '/' not in w),
                status)
        p.stop(9)
    p, port = s_server(cert, '-cipher', 'ECDHE-ECDSA-AES256-SHA', '-tls1_2')
    r = hello('wss://localhost:%d/' % port, '--cacert', ca.cert, '-v',
              '--ciphers', 'ECDHE-ECDSA-AES256-SHA', '--handshake-timeout',
              '300ms')
    t.like(r.stderr, 'TLSv1.2 ECDHE-ECDSA-AES256-SHA', '--ciphers')
    p.stop(9)
    p, port = s_server(cert)
    r = hello('wss://localhost:%d/' % port, '--cacert', ca.cert, '-v',
              '--tls13-ciphers', 'TLS_CHACHA20_POLY1305_SHA256',
              '--handshake-timeout', '300ms')
    t.like(r.stderr, 'TLSv1.3 TLS_CHACHA20_POLY1305_SHA256',
           '--tls13-ciphers')


def test_redial():
    """A lost websocket is dialled again with the same certificate."""
    ca = t.Authority()
    mine = ca.issue('alice', ())
    site, n = mutual(ca)
    proxy = t.Proxy(n.port)
    key = t.encrypted(mine.key, 'sesame')
    pw = os.path.join(t.folder(), 'pw')
    with open(pw, 'w') as f:
        f.write('sesame')
    c = t.client(n.url.replace(':%d/' % n.port, ':%d/' % proxy.port),
                 '--cacert', site.ca, '--cert', mine.cert, '--key', key,
                 '--key-password-file', pw)
    v = t.ws.dial(c.port)
    for i in range(3):
        v.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', 'round %d' % i)
        t.ok(proxy.cut('rst'), 'cut')
    v.shutdown(1)
    t.is_(t.ws.read_all(v), (b'', 'eof'), 'a clean end')
    c.wait_line('event=closed.*resumes=[123]')


def test_stunnel():
    """stunnel as what does TLS in front of a server, and for a client."""
    ca = t.Authority()
    cert, mine = ca.issue(), ca.issue('alice', ())
    s = t.server(t.echo().port)
    port = t.stunnel('accept', s.port, cert, 'verifyChain = yes\nCAfile = %s'
                     % ca.cert)
    url = 'wss://localhost:%d/' % port
    trust = ('--cacert', ca.cert)
    works(hello(url, *trust, '--cert', mine.cert, '--key', mine.key),
          'through stunnel')
    refused(hello(url, *trust), 'wants a certificate of ours: use --cert',
            'without a certificate')
    other = t.certificate()
    refused(hello(url, *trust, '--cert', other.cert, '--key', other.key),
            'our certificate was refused', "another authority's")


def test_reload_to_tls():
    """HUP with another URL: the context is made once, not by each child."""
    t.need_dynamic('it has the library')
    conf = t.folder() + '/conf'

    def write(url):
        with open(conf, 'w') as f:
            f.write('insecure\nlisten 127.0.0.1:0\nurl %s\n' % url)

    def has_library():
        with open('/proc/%d/maps' % c.pid) as f:
            return 'libssl' in f.read()
    cert = t.certificate()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key)
    write('ws://127.0.0.1:%d/' % s.port)
    c = t.inetws('client', '-K', conf)
    port = t.port_of(t.listening(c)[0])
    before = has_library()
    write('wss://127.0.0.1:%d/' % s.port)
    c.send(signal.SIGHUP)
    c.wait_line('event=reloaded$')
    t.is_((before, t.until(has_library)), (False, True),
          'HUP from ws:// to wss:// loads the library')
    c.baseline = None           # tickets go from process to process
    v = t.ws.dial(port)
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'and a connection is served')


t.main()
