#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws-troubleshooting(7): each message that it explains is printed, with
the exit status that it names, when the mistake is made.

If it fails: a user who looks an error up does not find it.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import ca               # noqa: E402
import re               # noqa: E402

PAGE = os.path.join(t.ROOT, 'man', 'inetws-troubleshooting.7')
# Explained, but not provoked here.
UNTRIED = {'timed out', 'expired on', 'not valid before', 'Permission denied',
           'no trusted certificates', 'answered 403', 'answered 407',
           'answered 503', 'answered 504',
           # in wrong_steps.t
           'Network is unreachable', 'Cannot assign requested address',
           'Address family for hostname not supported',
           'a subprotocol that was not offered',
           'the websocket ended without Close',
           'no server knew the session'}


# In the words of glibc: in those of musl.
MUSL = {'Name or service not known': 'Name does not resolve',
        'Address already in use': 'Address in use'}


def explained():
    """{message: exit status} of the items of the page."""
    found = {}
    with open(PAGE) as f:
        for line in re.findall(r'(?m)^\.It Ql (.*)$', f.read()):
            for part in re.split(r' ?, (?:Ql )?', line):
                m = re.match(r'(.*?)(?: No .*)?$', part)
                status = re.search(r'\((?:exit status )?(\d+)\)', part) or \
                    re.search(r'\((?:exit status )?(\d+)\)', line)
                if status:
                    found[m[1]] = int(status[1])
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
    yield 'Name or service not known', connect('ws://nothing.invalid/')
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
    r = t.run_inetws('gate', '-l', '127.0.0.1:0', '--visitors', '127.0.0.1:0')
    yield 'who may be an agent?', (r.returncode, r.stderr.decode())
    yield 'self-signed certificate', connect(
        t.nginx(s.port, ca.self_signed()).url)


@t.limit(120)
def test_messages():
    page = explained()
    with open(PAGE) as f:
        text = f.read()
    t.need('nginx')
    tried = set()
    for message, (status, printed) in mistakes():
        other = MUSL.get(message, message)
        t.ok(message in text and other in text, 'explained: ' + message)
        t.ok(message in printed or other in printed, 'and printed')
        if message in page:
            t.is_(status, page[message], 'with that status')
        tried.add(message)
    t.is_(sorted(set(page) - tried - UNTRIED - set(MUSL.values())), [],
          'the page explains nothing else')


t.main()
