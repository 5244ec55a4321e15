#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""server and client started by a systemd of the test's own, in each way in
which it passes sockets.

If it fails: socket activation does not work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import container        # noqa: E402
import re               # noqa: E402
import exchange         # noqa: E402

DATA = exchange.noise(10 << 20)

# name: (of each connection a process?, words of ours, lines of the service)
WAYS = {
    'accept-3': (True, [], ''),
    'accept-0': (True, [], 'StandardInput=socket\nStandardError=journal\n'),
    'accept-012': (True, [], 'StandardInput=socket\nStandardError=inherit\n'),
    'listen': (False, [], ''),
    'listen-named': (False, ['-l', 'systemd:two', '-l', 'systemd:one'], ''),
    'listen-one-name': (False, ['-l', 'systemd:two'], ''),
    'listen-0': (False, ['-l', 'inetd'],
                 'StandardInput=socket\nStandardError=journal\n'),
}

SOCKET = '[Socket]\nAccept=%s\nFileDescriptorName=%s\nService=%s\n%s'
SERVICE = '''[Service]
Type=%s
ExecStart=-/usr/bin/inetws %s
KillMode=process
%s'''


def machine():
    g = container.Container()
    g.copy(t.INETWS, '/usr/bin/inetws')
    g.boot()
    return g


def install(g, name, mode, port, goal):
    """Two sockets where a process may have several."""
    each, words, lines = WAYS[name]
    unit = '%s-%s' % (mode, name)
    listen = 'ListenStream=127.0.0.1:%d\n'
    sockets = [(unit, 'one', listen % port)]
    if not each and name != 'listen-0':
        sockets.append((unit + '-2', 'two', listen % (port + 1)))
    for one, label, where in sockets:
        text = SOCKET % ('yes' if each else 'no', label,
                         unit + '.service', where)
        if each:
            text = text.replace('Service=%s.service\n' % unit, '').replace(
                'FileDescriptorName=one\n', '')
        g.put('/etc/systemd/system/%s.socket' % one, text)
    g.put('/etc/systemd/system/%s%s.service' % (unit, '@' if each else ''),
          SERVICE % ('simple' if each else 'notify', ' '.join(
              [mode, '-v'] + words + [goal]),
              lines + ('' if each else 'Sockets=%s\n' % ' '.join(
                  s[0] + '.socket' for s in sockets))))
    g.must('systemctl', 'daemon-reload')
    g.must('systemctl', 'start', *(s[0] + '.socket' for s in sockets))
    ports = [port + i for i in range(len(sockets))]
    return unit, ports[1:] if name == 'listen-one-name' else ports


def logged(g, unit, address):
    """In all of it: of a process that has gone journald does not know the
    unit, if it comes by syslog."""
    peer = 'peer=%s:%d ' % address
    t.ok(t.until(lambda: peer in g.journal(), pause=0.2),
         '%s: the journal knows the peer' % unit)


def as_server(g, name, port):
    echo = t.echo()
    unit, ports = install(g, name, 'server', port, '127.0.0.1:%d' % echo.port)
    for port in ports:
        r = t.run([t.INETWS, 'connect', 'ws://127.0.0.1:%d/' % port],
                  input=DATA, timeout=60 * t.SCALE)
        t.is_((r.returncode, r.stdout == DATA), (0, True),
              '%s: 10 MB both ways' % unit)
        w = t.ws.connect(port)
        address = w.sock.getsockname()
        w.send(b'hello')
        t.is_(w.take_data(5), b'hello', '%s: a plain peer' % unit)
        w.close(1000)
        t.is_((w.take_close(answer=False), w.take_end(), bytes(w.data),
               bytes(w.buffer)), (1000, 'eof', b'', b''),
              '%s: no stray byte behind it' % unit)
        w.sock.close()
        logged(g, unit, address)


def as_client(g, name, port):
    there = t.server(t.echo().port)
    unit, ports = install(g, name, 'client', port, 'ws://127.0.0.1:%d/' %
                          there.port)
    for port in ports:
        sock = t.ws.dial(port)
        address = sock.getsockname()
        k = exchange.Exchange(sock, DATA)
        t.is_((k.join(), len(k.got), bytes(k.got) == DATA),
              ('eof', len(DATA), True),
              '%s: 10 MB both ways and no stray byte' % unit)
        logged(g, unit, address)
    there.stop()
    t.is_(t.ws.dial_and_read(ports[0])[0], b'',
          '%s: without a server no byte comes' % unit)


@t.limit(120)
def test_server():
    g = machine()
    with g.net():
        for i, name in enumerate(WAYS):
            as_server(g, name, 8100 + 10 * i)


@t.limit(120)
def test_client():
    g = machine()
    with g.net():
        for i, name in enumerate(WAYS):
            as_client(g, name, 8100 + 10 * i)
    for name, fewer in (('warning', 'event=closed'), ('info', None)):
        lines = g.must('journalctl', '-q', '-o', 'cat', '-t', 'inetws', '-p',
                       name)
        t.like(lines, 'event=failed .*target=ws://', 'with priorities: ' +
               name)
        t.ok(fewer is None or fewer not in lines, 'and nothing below')
        t.is_([x for x in lines.splitlines() if re.match(r'<\d>|ts=', x)], [],
              'which are not in the lines')


t.main()
