#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Whole tunnels between the program and the Python peer of inetws-protocol(7),
in both roles: half-close, resets, lost websockets, resumption.  INETWS_SEED
replays one of the random cases.

If it fails: the program and another implementation of the page lose bytes
together.
"""

import os
import random
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "lib"))

import inetws as t                      # noqa: E402
import cutting                          # noqa: E402
import inetws_peer as p                 # noqa: E402
from exchange import BOUND, Exchange, noise, pair   # noqa: E402

class Tunnel:
    """
    One tunnel.  .near is the Exchange at our program's side, .far
    the one at the Python side; .peer is the Python side's p.Tunnel.
    """

    def __init__(self, near, far, near_args=None, far_args=None, settings=None,
                 faults=None, options=()):
        self.near_data, self.far_data = near, far
        self.near_args, self.far_args = near_args or {}, far_args or {}
        self.settings, self.faults = settings or p.Settings(), faults
        self.options = ("-v", "-v") + tuple(options)
        self.peer = self.near = self.far = self.error = None
        self.begin()

    def whole(self):
        return (self.near.how, self.far.how) == ("eof", "eof") and \
            self.near.got == self.far_data and self.far.got == self.near_data

    def cut(self):
        self.live.wire.sock.shutdown(socket.SHUT_RDWR)

    def word(self):
        """How our program says that it ended."""
        m = self.program.has_line(r"closed .*\bend=([a-z-]+)")
        return m and m[1]

    def resumes(self):
        m = self.program.has_line(r"closed .*\bresumes=([0-9]+)", .1)
        return int(m[1]) if m else 0

    def good(self):
        return self.join() and self.whole() and \
            (self.peer.outcome, self.word()) == ("ended", "ended")

    def tell(self):
        x = self.peer
        if x is not None:
            t.diag("peer: %s %r, %d websockets, %d resumes, taken %s, "
                   "sent %s" % (
                x.outcome, x.why or getattr(x, "lost_why", ""), x.wires,
                x.resumes, x.taken, x.top))
            t.diag("  %s %s" % (x.lines[-8:], x.codes))
        for name, exchange, want in (("near", self.near, self.far_data),
                                     ("far", self.far, self.near_data)):
            if exchange is not None:
                t.diag("%s got %d of %d, %s" % (name, len(exchange.got),
                                                len(want), exchange.how))
        t.diag("ours: %s" % self.word())


class Server(Tunnel):
    """Python dials inetws server."""

    def begin(self):
        target = t.Held()
        self.program = t.server(target.port, *self.options)
        inner, outer = pair()
        self.far = Exchange(outer, self.far_data, **self.far_args)
        self.thread = threading.Thread(target=self.dial, args=(inner,),
                                       daemon=True)
        self.thread.start()
        sock = target.next()
        sock.settimeout(None)
        self.near = Exchange(sock, self.near_data, **self.near_args)

    def dial(self, inner):
        try:
            self.peer = p.dial("127.0.0.1", self.program.port, "/", inner,
                               self.settings, self.faults, live=self.see)
        except (p.Refused, p.Lost, OSError) as e:
            self.error = e

    def see(self, tunnel):
        self.live = tunnel

    def join(self):
        self.thread.join(BOUND)
        self.near.join()
        self.far.join()
        return self.peer is not None


class Client(Tunnel):
    """inetws client dials Python."""

    def begin(self):
        self.server = p.Server(self.target, self.settings, self.faults)
        t.on_close(self.server.stop)
        self.program = t.client("ws://127.0.0.1:%d/" % self.server.port,
                                *self.options)
        sock = socket.create_connection(("127.0.0.1", self.program.port))
        self.near = Exchange(sock, self.near_data, **self.near_args)

    def target(self):
        inner, outer = pair()
        self.far = Exchange(outer, self.far_data, **self.far_args)
        return inner

    def join(self):
        self.near.join()
        if self.far is not None:
            self.far.join()
        good = self.server.join(BOUND)
        self.peer = self.server.tunnels[0] if self.server.tunnels else None
        return good and self.peer is not None

    @property
    def live(self):
        return self.server.tunnels[0]


ROLES = (("server", Server), ("client", Client))
KEEP = {"keep": True}


def test_half_close():
    for role, make in ROLES:
        for session in (True, False):
            word = "%s, %s session" % (role, "a" if session else "no")
            for who, near, far, n, f in (
                    ("both at once", noise(300000), noise(200000, 2), {}, {}),
                    ("ours first", noise(50), noise(300000, 2), {},
                     {"wait_eof": True}),
                    ("the peer's first", noise(300000), noise(50, 2),
                     {"wait_eof": True}, {}),
                    ("no byte is sent", b"", b"", {}, {"wait_eof": True})):
                x = make(near, far, n, f, p.Settings(session=session))
                if not t.ok(x.good(), "%s, %s ends" % (word, who)):
                    x.tell()
                    continue
                t.is_(sorted(x.peer.codes), [("<", 1000), (">", 1000)],
                      "Close 1000 both ways")
                acks = [n for w, n in x.peer.lines
                        if w == "<" and n.startswith("ack")]
                finals = [n for n in acks if n.count(" ") == 1]
                t.ok(finals == ["ack %d" % len(far)] and
                     (session or acks == finals), "acks: %r" % acks[-1:])
                t.is_([n for w, n in x.peer.lines if w == "<" and
                       n.startswith("eof")], ["eof %d" % len(near)], "eof")


def test_resume_off():
    for role, make in ROLES:
        x = make(noise(3000), noise(3000, 2), options=("--resume", "0"))
        t.ok(x.good(), "%s --resume 0: a tunnel without a session" % role)
        t.ok(x.peer.session is None and not x.peer.resumes, "none is there")


def test_resets():
    for role, make in ROLES:
        for session in (True, False):
            for who in ("near", "far"):
                x = make(noise(1000), noise(1000, 2), KEEP, KEEP,
                         p.Settings(session=session))
                t.until(lambda: x.near and x.far and len(x.near.got) == 1000
                        and len(x.far.got) == 1000)
                one, other = (x.near, x.far) if who == "near" else \
                    (x.far, x.near)
                one.reset()
                t.ok(x.join(), "%s, session %s: the %s stream is reset" %
                     (role, session, who))
                t.is_(other.how, "reset", "the other is reset too")
                want = ("peer-reset", "stream-reset")
                t.is_((x.peer.outcome, x.word()),
                      want if who == "near" else want[::-1], "both know why")


@t.limit(240)
def test_random_cuts():
    seeds = [int(os.environ["INETWS_SEED"])] if "INETWS_SEED" in os.environ \
        else range(20)
    for role, make in ROLES:
        resumes = 0
        bad = 0
        for seed in seeds:
            r = random.Random(seed)
            near, far = (noise(int(500000 ** r.random()), r.random())
                         for _ in range(2))
            first = r.choice([{}, {}, {"wait_eof": True}])
            later = {} if first else r.choice([{}, {"wait_eof": True}])
            # a websocket without data is resumed all the same
            x = make(near, far, first, later,
                     p.Settings(win=r.choice([65536, 200000]),
                                chunk=r.choice([300, 65535])),
                     p.RandomFaults(seed, r.randrange(5),
                                    max(len(near), len(far)) + 2000,
                                    role == "server"),
                     ("--ping-interval", "1s", "--linger", "5s",
                      "--resume", "9s"))
            if not x.good():
                bad += 1
                t.diag("INETWS_SEED=%d fails for the %s" % (seed, role))
                x.tell()
                if bad == 2:
                    break
            else:
                resumes += x.peer.resumes
            p.drop_silent()
            x.near.close()
            x.far.close()
            t.cleanup()
        t.ok(bad == 0, "%s: %d tunnels, %d resumes, nothing lost" %
             (role, len(seeds), resumes))
        t.ok(resumes > len(seeds) // 2, "websockets were really cut")


def test_cut_at_lines():
    for role, make in ROLES:
        for word in ("ack", "eof"):
            for sending in (True, False):
                x = make(noise(100000), noise(100000, 2), {},
                         {"wait_eof": True},
                         faults=p.After(word, sending, 2),
                         options=("--linger", "5s", "--resume", "9s"))
                if not t.ok(x.good(), "%s: cut %s %s" % (
                        role, "behind sending" if sending else "on receiving",
                        word)):
                    x.tell()
                t.ok(x.peer.resumes > 0, "and resumed (%d)" % x.peer.resumes)
                t.cleanup()


def test_last_frames_lost():
    for role, make in ROLES:
        faults = p.LastFrames()
        x = make(noise(70000), noise(50000, 2), None, None,
                 p.Settings(resume=6), faults,
                 ("--linger", "5s", "--resume", "9s"))
        if not t.ok(x.good(), "%s: the last frames are lost: a success at "
                    "both sides" % role):
            x.tell()
        t.ok(faults.done and x.peer.wires > 1, "over another websocket")


def test_reported():
    for role, make in ROLES:
        x = make(noise(50000), noise(50000, 2),
                 faults=p.Redials(lambda x: {}, 20000, 2))
        t.ok(x.good(), "%s: cut twice" % role)
        t.is_(x.resumes(), 2, "resumes=2 in the log line")
        t.ok(x.program.has_line("websocket-lost"), "websocket-lost, with -v")
        t.ok(x.program.has_line("resumed"), "resumed after, with -v")
        t.unlike(x.program.log, x.peer.session, "the session id is no word "
                 "for the log")


def test_window():
    for role, make in ROLES:
        faults = p.Faults()
        faults.withhold_acks = True
        x = make(noise(900000), noise(5, 2), {}, {"wait_eof": True},
                 p.Settings(win=65536), faults)
        t.until(lambda: x.far and len(x.far.got) == 65536)
        x.far.eof.wait(.5)
        t.is_(len(x.far.got), 65536, "%s: the window is all that comes" % role)
        faults.withhold_acks = False
        t.ok(x.good(), "it goes on when acks come")
        t.cleanup()


def test_stalled_reader():
    for role, make in ROLES:
        for session in (True, False):
            data = noise(2000000)
            x = make(noise(30 << 20, 2), data, far_args={"slow": .02},
                     settings=p.Settings(session=session))
            t.until(lambda: x.near and len(x.near.got) == len(data))
            t.ok(x.far.how is None, "%s, session %s: a slow reader does not "
                 "stop the other way" % (role, session))
            x.far.slow = 0
            t.ok(x.good(), "and gets it all")
            t.cleanup()


def test_lies():
    for role, make in ROLES:
        for lie in ({"eof_delta": 1}, {"eof_delta": -1}, {"ack_delta": 9999}):
            x = make(noise(5000), noise(5000, 2), KEEP, {},
                     faults=p.faulty(**lie))
            t.ok(x.join(), "%s: %s: it ends" % (role, lie))
            t.is_([c for w, c in x.peer.codes if w == "<"], [1002],
                  "closed with 1002")
            t.is_(x.word(), "peer-fault", "the log says so")
            if "eof_delta" in lie:
                t.is_(x.near.how, "reset", "the stream is reset")


def test_black_hole():
    quick = ("--ping-interval", "200ms", "--ping-timeout", "1s")
    x = Server(noise(90000, 2), noise(3000), faults=p.Silent())
    t.ok(x.good() and x.resumes() == 1,
         "server: a redial takes over from a websocket that seems alive")
    x = Client(noise(3000), noise(90000, 2), faults=p.Silent(), options=quick)
    t.ok(x.good() and x.resumes() >= 1,
         "client: a black hole is noticed and redialled")
    p.drop_silent()


def test_trickle():
    """What is sent behind the Ping, and taken by the next hop, tells nothing."""
    if not sys.platform.startswith('linux'):
        return t.skip('only Linux tells what was acknowledged')
    target = t.Held()
    cutter = cutting.Cutter(t.server(target.port).port)
    c = t.client('ws://127.0.0.1:%d/' % cutter.port)
    near = t.ws.dial(c.port)
    far = target.next()
    near.sendall(b'first')
    t.is_(t.ws.read_exactly(far, 5), b'first', 'a session')
    cutter.hole()
    over = threading.Event()

    def write():
        while not over.wait(.05):
            near.sendall(b'some more')
    thread = threading.Thread(target=write)
    thread.start()
    t.ok(c.has_line('event=resumed'),
         'bytes trickle into a dead path: it is given up all the same')
    over.set()
    thread.join()


def test_supervisor_killed():
    x = Server(noise(50000), noise(50000, 2), KEEP, KEEP)
    t.until(lambda: len(x.near.got) == 50000 and len(x.far.got) == 50000)
    listener = x.program.port
    x.program.popen.kill()
    x.program.wait()
    again = t.inetws("server", "-l", "127.0.0.1:%d" % listener,
                     "127.0.0.1:9")
    t.listening(again)
    x.near.sock.sendall(b"tunnels live on")
    t.ok(t.until(lambda: len(x.far.got) == 50015),
         "kill -9 of the supervisor: the tunnel goes on")
    x.cut()
    x.far.sock.sendall(b"and resume")
    t.ok(t.until(lambda: len(x.near.got) == 50010),
         "a later loss is resumed through the new supervisor")
    for exchange in (x.near, x.far):
        exchange.sock.shutdown(socket.SHUT_WR)
    t.ok(x.join() and x.peer.outcome == "ended", "it ends well")


def test_expiry():
    x = Server(noise(3000), noise(3000, 2), KEEP, KEEP,
               p.Settings(resume=.3),
               p.Redials(lambda x: {"resume": "0" * 32}),
               ("--resume", "1s"))
    t.ok(x.join(), "server: no redial names the session")
    t.is_(x.near.how, "reset", "its stream is reset")
    t.is_(x.word(), "websocket-lost", "the log says why")
    t.ok(t.until(lambda: len(t.family(x.program.pid)) == 0),
         "no process is left")
    x = Client(noise(3000), noise(3000, 2), KEEP, KEEP,
               p.Settings(resume=.1), options=("--resume", "1s"))
    t.until(lambda: x.server.tunnels and len(x.near.got) == 3000)
    x.server.stop()
    x.cut()
    t.ok(x.join(), "client: redials are not answered")
    t.is_(x.near.how, "reset", "its stream is reset")
    t.is_(x.word(), "websocket-lost", "the log says why")
    t.ok(t.until(lambda: len(t.family(x.program.pid)) == 0),
         "no process is left")


def test_connect():
    """On two pipes: bytes, half-close, cuts, exit status."""
    for cuts in (0, 4):
        resumes = 0
        for near, far in ((noise(200000), noise(300000, 2)),
                          (b"", noise(100000)), (noise(100000), b"")):
            exchanges = []

            def target():
                inner, outer = pair()
                exchanges.append(Exchange(outer, far, wait_eof=True))
                return inner
            s = p.Server(target, faults=p.RandomFaults(
                7 + len(near), cuts, 100000))
            t.on_close(s.stop)
            got = t.run_inetws("connect", "--linger", "5s",
                               "ws://127.0.0.1:%d/" % s.port, input=near)
            exchanges[0].join()
            t.ok(got.returncode == 0 and got.stdout == far and
                 exchanges[0].got == near and exchanges[0].how == "eof",
                 "connect: %d out, %d in, %d cuts, %d resumes" % (
                     len(near), len(far), cuts, s.tunnels[0].resumes))
            resumes += s.tunnels[0].resumes
        t.is_(resumes > 0, cuts > 0, "%d cuts, %d resumes" % (cuts, resumes))
    s = p.Server(target, p.Settings(resume=.1))
    t.on_close(s.stop)
    c = t.connect("ws://127.0.0.1:%d/" % s.port, "--resume", "500ms")
    t.until(lambda: s.tunnels and s.tunnels[0].delivered is not None)
    s.stop()
    t.until(lambda: getattr(s.tunnels[0], "wire", None))
    s.tunnels[0].wire.sock.shutdown(socket.SHUT_RDWR)
    t.is_(c.wait(), 74, "connect: a session that is lost is status 74")


def test_many_cut_at_once():
    n = 40
    target = t.echo()
    s = t.server(target.port)
    proxy = t.Proxy(s.port)
    c = t.client("ws://127.0.0.1:%d/" % proxy.port)
    socks = [socket.create_connection(("127.0.0.1", c.port), BOUND)
             for _ in range(n)]
    for sock in socks:
        sock.settimeout(BOUND)
        sock.sendall(b"hello")
    t.ok(all(t.ws.read_exactly(k, 5) == b"hello" for k in socks), "%d tunnels"
         % n)
    for how in ("fin", "rst"):
        t.ok(proxy.cut(how) >= n, "all websockets are cut (%s)" % how)
        for sock in socks:
            sock.sendall(b"again")
        t.ok(all(t.ws.read_exactly(k, 5) == b"again" for k in socks),
             "all come back")
    for sock in socks:
        sock.shutdown(socket.SHUT_WR)
    t.ok(all(t.ws.read_all(k) == (b"", "eof") for k in socks), "all end well")
    t.ok(t.until(lambda: not t.family(s.pid) and not t.family(c.pid)),
         "and leave nothing behind")


t.main()
