#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An upgrade from earlier programs (tests/lib/earlier.py): tunnels with and
without a session, plain ones and those of an agent go on, also when their
websocket is lost afterwards; what the new program does not know of the old one
it says, and nothing is left of that.  INETWS_LONG: from each of them.

If it fails: an upgrade drops tunnels, or the new program does not start.
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t              # noqa: E402
import cutting                  # noqa: E402
import earlier                  # noqa: E402
import exchange                 # noqa: E402
import reverse as r             # noqa: E402

MB = 1 << 20
DATA = exchange.noise(3 * MB)
LEAVE = ('--drain', 'leave')
# The version of a page stands behind its magic number, in all of them.
PAGE = struct.Struct('=II')


def version(path):
    with open(path, 'rb') as f:
        return PAGE.unpack(f.read(PAGE.size))[1]


def at(port):
    return '127.0.0.1:%d' % port


class Services:
    """A server, a client with sessions and one without, a gate and its agent,
    all of one program; sessions go by proxies that can be cut."""

    def __init__(self, program, before=None):
        self.target = before.target if before else t.echo()
        ports = before.ports if before else [0] * 5
        self.server = t.server(self.target.port, *LEAVE, program=program,
                               listen=at(ports[0]))
        self.gate = r.gate(*LEAVE, program=program, listen=at(ports[1]),
                           visitors=at(ports[2]))
        self.cut = before.cut if before else [
            t.Proxy(self.server.port), t.Proxy(self.gate.port)]
        self.kept = t.client('ws://%s/' % at(self.cut[0].port), *LEAVE,
                             program=program, listen=at(ports[3]))
        self.plain = t.client('ws://%s/' % at(self.server.port), *LEAVE,
                              '--resume', '0', program=program,
                              listen=at(ports[4]))
        self.agent = r.agent('ws://%s/agents/a' % at(self.cut[1].port),
                             self.target.port, *LEAVE, program=program)
        self.ports = [self.server.port, self.gate.port, self.gate.visitors,
                      self.kept.port, self.plain.port]
        self.all = (self.server, self.gate, self.kept, self.plain, self.agent)

    def tunnels(self):
        """{name: (send and have it back, socket)}"""
        w = t.ws.connect(self.server.port)
        return {'a session': t.ws.dial(self.kept.port),
                'no session': t.ws.dial(self.plain.port),
                'an agent': r.visit(self.gate.visitors),
                'a plain peer': w}

    def children(self):
        return [c for p in self.all for c in t.children(p.pid, False)]


def echoes(sock, data):
    if isinstance(sock, t.ws.WebSocket):
        sock.send(data)
        back = sock.take_data(len(data))
        del sock.data[:]
        return back == data
    return exchange.comes_back(sock, data)


def end(sock):
    if isinstance(sock, t.ws.WebSocket):
        sock.close(1000)
        sock.take_close(answer=False)
    else:
        sock.close()


def all_echo(tunnels, data, when):
    for name, sock in tunnels.items():
        t.ok(echoes(sock, data), '%s: %s' % (name, when))


def lose_twice(services, tunnels):
    """Data both ways, whose websockets end while it is on its way; not at its
    end, where a side that has all may leave the other to wait for --resume."""
    moved = {name: cutting.Half(tunnels[name], 4 * MB, 1, 4 * MB, 1)
             for name in ('a session', 'an agent')}
    for e in moved.values():
        e.allow(2 * MB)
        e.start()
    for part in (1, 2):
        t.until(lambda: all(e.got >= part * MB - MB // 2
                            for e in moved.values()))
        for p in services.cut:
            p.cut()
        t.until(lambda: all(e.got == (part + 1) * MB for e in moved.values()))
        for e in moved.values():
            e.allow((part + 2) * MB)
    for name, e in moved.items():
        e.join(2 * t.BOUND)
        t.ok(e.whole(), name + ': two lost websockets, and all comes back') \
            or t.diag('%d, %s, %s' % (e.got, e.how, e.failed))


def pages():
    d = os.environ['RUNTIME_DIRECTORY']
    return sorted(os.path.join(d, f) for f in os.listdir(d))


def upgrade(commit):
    program = earlier.program(commit)
    t.rundir()
    old = Services(program)
    t.ok(r.parked(old.gate), commit + ': an agent waits')
    tunnels = old.tunnels()
    all_echo(tunnels, b'one', 'a tunnel of the earlier program')
    format, = {version(p) for p in pages()}
    children = old.children()
    for p in old.all:
        t.is_(p.stop(), 0, '%s: stops, and leaves its tunnels' % p.argv[1])
    left = set(pages())
    new = Services(t.INETWS, old)
    all_echo(tunnels, b'two', 'goes on next to the new program')
    lose_twice(new, tunnels)
    t.ok(echoes(tunnels['no session'], DATA) and
         echoes(tunnels['a plain peer'], b'three'), 'the others go on')
    t.ok(r.parked(new.gate), 'the new agent waits, too')
    more = new.tunnels()
    all_echo(more, b'four', 'a new one, by the new program')
    here = {version(p) for p in pages()} - {format}
    ran = t.run_inetws('status')
    t.is_(ran.returncode, 0, 'status shows the new instances')
    for word in ('server', 'gate', 'agent', 'client'):
        t.like(ran.stdout.decode(), r'(?m)^inetws %s ' % word, word)
    if here:
        t.like(ran.stderr.decode(), r'\.stats: of another version of inetws '
               r'\(its format is %d, this one reads %d\)' % (
                   format, here.pop()), 'and says what it does not')
    end(tunnels['no session'])
    end(tunnels['a plain peer'])
    alive = lambda: [x for x in map(t.command_of, children) if x]
    t.until(lambda: not alive())
    t.is_(alive(), [], 'the old processes end with their tunnels')
    t.run_inetws('status')
    if format not in {version(p) for p in pages()}:
        t.is_(left & set(pages()), set(), 'and nothing is left of them')
    for sock in more.values():
        end(sock)
    for p in new.all:
        t.is_(p.stop(), 0, '%s: stops' % p.argv[1])


def case_of(commit):
    @t.limit(900)               # it may have to be built
    def case():
        upgrade(commit)
    return case


for one in earlier.COMMITS if t.LONG else earlier.COMMITS[:1]:
    globals()['test_upgrade_from_' + one] = case_of(one)


def test_each_version():
    """A new version of the page comes with a commit that has the last one."""
    have = {earlier.page_version(c) for c in earlier.COMMITS}
    t.is_(have, set(range(min(have), earlier.page_version('HEAD'))),
          'upgrades from all versions of the statistics page')


def test_statistics_file():
    """One that processes share, as those of inetws-each@.service: it is made
    anew, or an upgraded server would not start."""
    program = earlier.program()
    page = t.folder() + '/page'
    echo = t.echo()
    old = t.server(echo.port, *LEAVE, '--stats-file', page, program=program)
    w = t.ws.connect(old.port)
    t.ok(echoes(w, b'one'), 'a tunnel of the earlier program')
    before = version(page)
    ran = t.run_inetws('status', page)
    t.is_(ran.returncode, 78, 'its page cannot be shown')
    t.like(ran.stderr.decode(), r'format is %d\b.*tunnels go on' % before,
           'and why')
    t.is_(old.stop(), 0, 'it stops, and leaves its tunnel')
    new = t.server(echo.port, *LEAVE, '--stats-file', page,
                   listen=at(old.port))
    v = t.ws.connect(new.port)
    t.ok(echoes(v, b'two') and echoes(w, b'three'), 'both go on')
    t.ok(version(page) > before, 'the page is a new one')
    t.is_(t.one(page)['active'], 1, 'with what the new program has')
    t.is_(sorted(os.listdir(os.path.dirname(page))), ['page'],
          'and no other file is made')


t.main()
