#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The cost of a process that is started for each connection: of a client to
wss://, against one that forks, time to the first byte, memory, and which
certificates it reads; of a server, what it does before its first byte.

If it fails: each connection under inetd costs several times what it should.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import re               # noqa: E402
import shutil           # noqa: E402
import statistics       # noqa: E402
import exchange         # noqa: E402

OTHERS = 150            # authorities that have nothing to do with it
ROUNDS = 7


def authorities(cert):
    """A hashed folder of many, ours among them, and all of it in one file."""
    openssl, = t.need('openssl')
    d = t.folder()
    shutil.copy(cert.ca, d + '/ours.pem')
    r = t.run([openssl, 'rehash', d])
    if r.returncode:
        raise AssertionError(r.stderr)
    with open(cert.ca) as f:
        text = f.read()
    for i in range(OTHERS):
        with open('%s/%08x.0' % (d, i), 'w') as f:
            f.write(text)
    with open(d + '/ca-certificates.crt', 'w') as f:
        f.write(text * OTHERS)
    return d


def by_inetd(url, **kw):
    """(program, our end of its connection)"""
    a, b = exchange.pair()
    p = t.inetws('client', '-l', 'inetd', url, stdin=b, stdout=b, **kw)
    b.close()
    a.settimeout(t.BOUND)
    return p, a


def first_byte(sock, begin):
    sock.sendall(b'x')
    if t.ws.read_exactly(sock, 1) != b'x':
        raise AssertionError('no byte came back')
    return (t.ws.now() - begin) * 1000


def test_cost():
    cert = t.certificate()
    url = t.nginx(t.server(t.echo().port).port, cert).url
    env = {'SSL_CERT_DIR': authorities(cert)}
    alone, forked, memory = [], [], {}
    c = t.client(url, env=env)
    for _ in range(ROUNDS):
        begin = t.ws.now()
        p, sock = by_inetd(url, env=env)
        alone.append(first_byte(sock, begin))
        memory['inetd'] = t.private_kib(p.pid)
        sock.close()
        begin = t.ws.now()
        v = t.ws.dial(c.port)
        forked.append(first_byte(v, begin))
        memory['forked'] = t.private_kib(t.child(c.pid))
        v.close()
        t.until(lambda: not t.children(c.pid))
    t.diag('to the first byte over TLS: %.1f ms by inetd, %.1f ms forked; '
           'memory of its own: %d and %d KiB' % (
               statistics.median(alone), statistics.median(forked),
               memory['inetd'], memory['forked']))
    t.ok(min(alone) < 1000 * t.SCALE, 'a first byte by inetd')
    if not t.SANITIZED:
        t.ok(memory['inetd'] < 6000, 'in a few megabytes')
        t.ok(memory['forked'] < memory['inetd'], 'forked in less')


def test_certificates_read():
    """Those that are asked for, and no bundle."""
    strace, = t.need('strace')
    cert = t.certificate()
    url = t.nginx(t.server(t.echo().port).port, cert).url
    folder, trace = authorities(cert), t.folder() + '/trace'
    a, b = exchange.pair()
    # A file for each process: in one they would divide each other's lines.
    p = t.Program([strace, '-ff', '-e', 'trace=openat,open,read', '-o', trace,
                   t.INETWS, 'client', '-l', 'inetd', url], stdin=b, stdout=b,
                  env={'SSL_CERT_DIR': folder})
    b.close()
    a.settimeout(t.BOUND)
    try:
        first_byte(a, t.ws.now())
    except (AssertionError, ConnectionResetError):
        if 'ptrace' in p.log or 'PTRACE' in p.log:
            raise t.Skip('strace may not attach here')
        raise
    a.close()
    p.wait()
    opened = []
    for path in glob.glob(trace + '.*'):
        with open(path) as f:
            opened += re.findall(r'open(?:at)?\(.*"%s/([^"]+)".* = \d+' %
                                 folder, f.read())
    t.is_(len(opened), 1, 'one file of %d: %s' % (OTHERS + 2, opened))


def test_start():
    """Nothing that only a process with children has a use for."""
    strace, = t.need('strace')
    trace = t.folder() + '/trace'
    a, b = exchange.pair()
    p = t.Program([strace, '-f', '-e', 'trace=mmap', '-o', trace, t.INETWS,
                   'server', '-l', 'inetd', '127.0.0.1:%d' % t.echo().port],
                  stdin=b, stdout=b)
    b.close()
    a.settimeout(t.BOUND)
    try:
        a.sendall(t.ws.request())
        t.ws.read_head(a)
    except (AssertionError, ConnectionResetError):
        if 'ptrace' in p.log or 'PTRACE' in p.log:
            raise t.Skip('strace may not attach here')
        raise
    a.close()
    p.wait()
    with open(trace) as f:
        calls = f.read()
    t.like(calls, 'MAP_PRIVATE', 'calls were seen')
    t.unlike(calls, r'MAP_SHARED\|MAP_ANON', 'no memory is shared')


def test_questions():
    """To ask the processor what it is takes microseconds in a virtual machine,
    each time; the C library has asked already."""
    objdump, readelf = t.need('objdump', 'readelf')
    if 'INTERP' not in t.run([readelf, '-lW', t.INETWS]).stdout.decode():
        raise t.Skip('in a static program the C library is part of it')
    if t.SANITIZED:
        raise t.Skip('sanitizers are part of it')
    text = t.run([objdump, '-d', '--no-show-raw-insn',
                  t.INETWS]).stdout.decode()
    t.ok(len(text) > 100000, 'the program was taken apart')
    t.is_(re.findall(r'\scpuid\b', text), [], 'it asks nothing')


t.main()
