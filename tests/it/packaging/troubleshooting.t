#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws-troubleshooting(7): each message that it explains is printed, with
the exit status that it names, when the mistake is made; its commands and lines
for nginx do what it says.

If it fails: a user who looks an error up does not find it.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import ca               # noqa: E402
import manual           # noqa: E402
import messages         # noqa: E402
import reverse          # noqa: E402

NAME = 'inetws-troubleshooting.7'
PAGE = os.path.join(t.ROOT, 'man', NAME)
# Explained, but not provoked here.
UNTRIED = {'timed out', 'expired on', 'not valid before', 'Permission denied',
           'no trusted certificates', 'timed out while resolving',
           'TLS needs OpenSSL',
           # one of them is
           'Name or service not known', 'Temporary failure in name resolution',
           # in wrong_steps.t
           'Network is unreachable', 'Network unreachable',
           'Cannot assign requested address', 'Address not available',
           'Address family for hostname not supported',
           'a subprotocol that was not offered',
           'requires another subprotocol', 'this path does not lead to inetws',
           'the websocket ended without Close',
           'no server knew the session',
           # in it/tls
           'no common version of TLS', 'no common cipher',
           'finds nothing in common', 'no common protocol',
           'it is not pinned', 'it is not among those of',
           'revoked by its issuer', 'the revocation list of its issuer',
           'wants a certificate of ours', 'our certificate was refused',
           'it may have refused our certificate', 'a broken PEM block',
           'belongs to it', 'belongs to the key', 'belongs to this key',
           # in client/proxy_refusals.t, client/request.t, reverse/gate.t
           'it wants credentials', 'it does not take the credentials given',
           'it takes neither a user and password nor none',
           'closed within the answer', 'cannot send the request',
           'accepts only inetws agents'}
# In the words of glibc: in those of musl.
MUSL = {'Name or service not known': 'Name does not resolve',
        'Address already in use': 'Address in use'}


def explained():
    """{message: exit statuses} of the items of the page that have some."""
    found = {}
    for entry in messages.page():
        for quote, statuses in zip(entry.quotes, entry.statuses):
            if statuses:
                found.setdefault(quote, set()).update(statuses)
    return found


def connect(*words):
    r = t.run_inetws('connect', *words, input=b'')
    return r.returncode, r.stderr.decode()


def url(port, scheme='ws'):
    return '%s://127.0.0.1:%d/' % (scheme, port)


def site(text):
    port = t.free_port()
    t.nginx_site(port, 'server { listen 127.0.0.1:%d; %s }\n' % (port, text))
    return url(port)


def mistakes():
    """(message, (status, what was printed)) of each mistake."""
    dead = t.free_port()
    s = t.server(t.echo().port)
    yield t.unknown_name()[1], connect('ws://nothing.invalid/')
    yield 'Connection refused', connect(url(dead))
    yield 'does not speak TLS', connect(url(s.port, 'wss'))
    cert = t.certificate()
    tls = t.nginx(s.port, cert)
    yield 'issued by an unknown authority', connect(tls.url)
    yield 'hostname mismatch', connect('--cacert', cert.ca, '--servername',
                                       'other.example.org', tls.url)
    yield 'answered 400', connect(tls.url.replace('wss:', 'ws:'))
    yield 'answered 404', connect(t.nginx(s.port).url + '../other/')
    path = t.server(t.echo().port, '--path', '/right')
    yield 'no such path', connect(url(path.port))
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('token:ann:%s\n' % ('0' * 64))
    auth = t.server(t.echo().port, '--auth-file', users)
    yield 'answered 401', connect(url(auth.port))
    pass_ = 'proxy_pass http://127.0.0.1:%d;' % s.port
    yield 'answered 426', connect(site(
        'location / { %s proxy_http_version 1.1; }' % pass_))
    yield 'answered 505', connect(site('location / { %s }' % pass_))
    gone = t.server(dead)
    yield 'answered 502', connect(url(gone.port))
    yield 'answered 502', connect(t.nginx(dead).url)
    r = t.run_inetws('server', '-l', '127.0.0.1:%d' % s.port, 'h:1')
    yield 'Address already in use', (r.returncode, r.stderr.decode())
    yield from agents()
    r = t.run_inetws('gate', '-l', '127.0.0.1:0', '--visitors', '127.0.0.1:0')
    yield 'who may be an agent?', (r.returncode, r.stderr.decode())
    yield 'self-signed certificate', connect(
        t.nginx(s.port, ca.self_signed()).url)
    yield from answers()
    yield from starts()


def agents():
    """A gate with --agents-file, and an agent without its secret."""
    g = reverse.gate(auth=('--agents-file', reverse.agents_file(a='s3cret')))
    for options, *said in (
            ((), 'it needs a secret', 'the request has no secret of an agent'),
            (('-H', 'Authorization: Bearer else'),
             'unknown agent name or wrong secret')):
        r = t.run_inetws('agent', '--retry', '1', *options,
                         g.url('a'), '127.0.0.1:1')
        for message in said:
            yield message, (r.returncode, r.stderr.decode())


def answers():
    """What web servers answer that have no inetws behind them, or another one."""
    for answer, *messages in (
            (b'HTTP/1.1 403 No', 'answered 403',
             'a rule of the web server or CDN forbids it'),
            (b'HTTP/1.1 405 No', 'answered 405'),
            (b'HTTP/1.1 413 Long', 'answered 413',
             'the request is too long for it'),
            (b'HTTP/1.1 414 Long', 'answered 414'),
            (b'HTTP/1.1 415 No', 'answered 415',
             'what answers there is not inetws'),
            (b'HTTP/1.1 418 No', 'answered 418',
             'a filter there takes this for an attack'),
            (b'HTTP/1.1 421 No', 'answered 421',
             'it does not serve this host'),
            (b'HTTP/1.1 426 No', 'a proxy between removes the field Upgrade'),
            (b'HTTP/1.1 429 Slowly', 'answered 429',
             'too many requests from here'),
            (b'HTTP/1.1 431 Long', 'answered 431'),
            (b'HTTP/1.1 451 No', 'answered 451', 'it is blocked where you are'),
            (b'HTTP/1.1 520 Oh', 'the web server there has failed'),
            (b'HTTP/1.1 500 Oh', 'answered 500'),
            (b'HTTP/1.1 503 Full', 'answered 503'),
            (b'HTTP/1.1 504 Late', 'answered 504'),
            (b'HTTP/1.1 511 Login', 'this network wants a login'),
            (b'HTTP/1.1 101 Upgrade', 'wrong answer'),
            (b'HTTP/1.1 302 There', 'without one good Location'),
            (b'HTTP/1.1 302 There\r\nLocation: ftp://h/',
             'redirects to what is no websocket URL'),
            (b'HTTP/1.1 302 There\r\nLocation: /', 'more than 5 redirects'),
            (b'SSH-2.0-OpenSSH', 'malformed answer'),
            (b'', 'closed without an answer')):
        there = t.Scripted(answer and answer +
                           b'\r\nContent-Length: 0\r\n\r\n')
        came = connect(url(there.port))
        for message in messages:
            yield message, came
    for answer, message in (
            ('407 No', 'answered 407'),
            ('403 No', 'its rules do not allow that'),
            ('405 Not Allowed', 'is it a forward proxy?'),
            ('501 Unsupported', 'is it a forward proxy?'),
            ('502 No', 'the proxy does not reach the server'),
            ('503 No', 'the proxy does not reach the server')):
        proxy = t.Scripted(('HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n' %
                            answer).encode())
        yield message, connect('-x', 'http://127.0.0.1:%d' % proxy.port,
                               'ws://h.example/')
    silent = t.Held()
    yield 'no answer', connect('--handshake-timeout', '2s',
                               url(silent.port))
    tls = t.nginx(1, t.certificate(), extra='location /login/ '
                  '{ return 302 ws://127.0.0.1:1/; }')
    yield 'redirects out of TLS', connect(
        '-k', tls.url.replace('/ssh/', '/login/'))


def starts():
    """What does not even start."""
    yield 'No such device', connect('--interface', 'if!none0', url(1))
    r = t.run_inetws('server', '-l', 'systemd', 'h:1')
    yield 'systemd has passed no', (r.returncode, r.stderr.decode())
    pid = t.folder() + '/pid'
    t.server(1, '--pidfile', pid)
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--pidfile', pid, 'h:1')
    yield 'is locked', (r.returncode, r.stderr.decode())
    yield 'no certificate or crl found', connect('--cacert', PAGE,
                                                 url(1, 'wss'))
    yield 'no PEM file', connect('--cert', PAGE, '--key', PAGE, url(1, 'wss'))


@t.limit(120)
def test_messages():
    page = explained()
    with open(PAGE) as f:
        text = f.read()
    t.need('nginx')
    t.ok(len(page) > 30, '%d messages with their statuses' % len(page))
    tried = set()
    for message, (status, printed) in mistakes():
        other = MUSL.get(message, message)
        t.ok(message in text and other in text, 'explained: ' + message)
        t.ok(message in printed or other in printed, 'and printed')
        if message in page:
            t.ok(status in page[message], 'with that status (%d of %r)' %
                 (status, page[message]))
        tried.add(message)
    t.is_(sorted(set(page) - tried - UNTRIED - set(MUSL.values())), [],
          'the page explains nothing else')


def test_check():
    s = t.server(t.echo().port)
    at = ('wss://example.org/ssh/', url(s.port))
    r = t.run_inetws(*manual.words('$ inetws check wss', at, page=NAME))
    t.is_(r.returncode, 0, 'check')
    short = ('--proxy-idle', '--proxy-idle=500ms')
    r = t.run_inetws(*manual.words('$ inetws check --proxy-idle', short, at,
                                   page=NAME))
    t.like(r.stdout, '(?m)^ok +idle +lives for', 'measures the time')
    r = t.run_inetws(*manual.words('$ inetws connect -v', at, page=NAME),
                     input=b'')
    t.is_(r.returncode, 0, 'connect')
    t.like(r.stderr, 'websocket is open', 'shows each step')


def test_nginx():
    """The lines that a proxy lacks."""
    s = t.server(t.echo().port)
    lines = manual.block('proxy_http_version', page=NAME)
    status, printed = connect(site(
        'location / { proxy_pass http://127.0.0.1:%d; %s }' % (s.port, lines)))
    t.is_((status, printed), (0, ''), 'with them it works')


def test_pem():
    openssl, = t.need('openssl')
    cert, d = t.certificate(), t.folder()
    t.run([openssl, 'x509', '-in', cert.ca, '-outform', 'DER', '-out',
           d + '/cert.der'])
    t.run([openssl, *manual.words('$ openssl x509', page=NAME)], cwd=d)
    n = t.nginx(t.server(t.echo().port).port, cert)
    for name, code in (('cert.der', 64), ('cert.pem', 0)):
        t.is_(t.run_inetws('check', '--cacert', d + '/' + name,
                           n.url).returncode, code, name)


def test_readable():
    """Whether the user of a service can read a file."""
    setpriv, = t.need('setpriv')
    if os.getuid() != 0:
        raise t.Skip('needs root: another user')
    path = t.folder() + '/ssh.conf'
    os.chmod(os.path.dirname(path), 0o755)
    with open(path, 'w') as f:
        f.write('mode server\n')
    words = manual.words('# setpriv --reuid', (
        '--reuid inetws --regid inetws', '--reuid nobody --regid nogroup'),
        ('/etc/inetws/ssh.conf', path), page=NAME)
    for mode, printed in ((0o600, b''), (0o644, b'mode server\n')):
        os.chmod(path, mode)
        t.is_(t.run([setpriv, *words]).stdout, printed, 'mode %o' % mode)


def test_all():
    here = os.path.relpath(os.path.abspath(__file__), t.ROOT)
    run = manual.used(here, other=True).union(*(
        manual.used('tests/it/' + path, other=True) for path in (
            'packaging/contrib_systemd.t', 'supervisor/huge_text.t')))
    t.is_([i.text for i in manual.items(NAME) if not any(
        i.text.startswith(begin) for begin in run)], [],
        'what is there to be pasted is run here')


t.main()
