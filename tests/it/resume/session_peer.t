#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The Python client of inetws-protocol(7) against the Python server, without
the program: the page is enough to build both, and they lose nothing when
websockets are cut anywhere.  INETWS_SEED replays one of the random cases.

If it fails: the protocol page cannot be implemented as it stands.
"""

import os
import random
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "lib"))
os.environ["INETWS_NO_BINARY"] = "1"

import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
from exchange import BOUND, Exchange, noise, pair   # noqa: E402


class Both:
    """A whole tunnel: the Exchanges at its ends are .a and .b."""

    def __init__(self, up=b"", down=b"", cs=None, ss=None, cf=None, sf=None,
                 a=None, b=None, target=None):
        self.b, self.b_args, self.down = None, b or {}, down
        self.server = p.Server(target or self.target, ss or p.Settings(), sf)
        near, inner = pair()
        self.a = Exchange(near, up, **(a or {}))
        self.result = None
        self.thread = threading.Thread(target=self.dial, daemon=True, args=(
            inner, cs or p.Settings(), cf))
        self.thread.start()

    def target(self):
        inner, far = pair()
        self.b = Exchange(far, self.down, **self.b_args)
        return inner

    def dial(self, inner, settings, faults):
        try:
            self.result = p.dial("127.0.0.1", self.server.port, "/", inner,
                                 settings, faults, self.target)
        except (p.Refused, OSError) as e:
            self.result = e

    def join(self):
        """True if everything ended in time."""
        self.thread.join(BOUND)
        good = not self.thread.is_alive() and self.server.join(BOUND)
        self.a.join()
        if self.b is not None:
            self.b.join()
        self.server.stop()
        return good

    @property
    def far(self):
        return self.server.tunnels[0]

    def outcomes(self):
        return self.result.outcome, self.far.outcome

    def whole(self):
        return (self.a.how, self.b.how) == ("eof", "eof") and \
            self.a.got == self.down and self.b.got == self.a.data

    def tell(self):
        for name, x in (("dialler", self.result), ("acceptor", self.far)):
            t.diag("%s: %s %r, %d websockets, %d resumes, taken %s, "
                   "sent %s" % (
                name, x.outcome, x.why or getattr(x, "lost_why", ""),
                x.wires, x.resumes, x.taken, x.top))
            t.diag("  %s %s" % (x.lines[-8:], x.codes))
        t.diag("a got %d %s, b got %d %s" % (
            len(self.a.got), self.a.how, len(self.b.got), self.b.how))


def test_negotiation():
    good = [
        "inetws; v=2; id=a",
        "inetws;v=2;id=\"a\";win=65536",
        "INETWS; V=2; Id=x-._9; win=16777216; resume",
        "permessage-deflate; client_max_window_bits, inetws; v=2; id=a",
        "inetws; v=1; id=a, inetws; v=2; id=a",
        "inetws; v=2; id=a; colour=blue",
        "inetws; v=2; id=a; resume=\"%s\"; n=1; at=0" % ("0a" * 16),
        "inetws; id=a; park; v=2",
    ]
    bad = [
        None, "", "inetws", "inetws; v=1; id=a", "inetws; v=2", "inetws; id=a",
        "inetws; v=2; id=a; win=65535", "inetws; v=2; id=a; win=16777217",
        "inetws; v=2; id=a; win=+65536", "inetws; v=2; id=a; win=065536",
        "inetws; v=2; id=a; id=a", "inetws; v=2; id=a; serve=1",
        "inetws; v=2; id=a; serve; park", "inetws; v=2; id=a; colour=",
        "inetws; v=2; id=a; at=0", "inetws; v=2; id=a; n=1",
        "inetws; v=2; id=a; resume=0011; n=1; at=0",
        "inetws; v=2; id=a; resume=\"%s\"; at=0" % ("0a" * 16),
        "inetws; v=2; id=a; resume=\"%s\"; n=1" % ("0a" * 16),
        "inetws; v=2; id=a; resume=\"%s\"; n=0; at=0" % ("0a" * 16),
        "inetws; v=2; id=a; resume=\"%s\"; n=1; at=-1" % ("0a" * 16),
        "inetws; v=2; id=a; resume=\"%s\"; n=1; at=0; park" % ("0a" * 16),
        "inetws; v=2; id=a; resume=\"%s\"; n=1; at=0" % ("0A" * 16),
        "inetws; v=2; id=%s" % ("a" * 17), "inetws; v=2; id=",
        "inetws; v=2; id = a", "inetws; v=2; id=a;", "inet; v=2; id=a",
    ]
    for field in good:
        t.ok(p.read_offer(field), "taken: %s" % field)
    for field in bad:
        t.ok(p.read_offer(field) is None, "declined: %s" % field)

    def answers(field, **offer):
        try:
            got = p.read_answer(field, dict({"id": "me", "v": 2}, **offer))
        except ValueError:
            return "fails"
        return "plain" if got is None else "agreed"
    sid = "0b" * 16
    for want, field, offer in (
            ("plain", None, {}), ("plain", "inetws", {}),
            ("plain", "inetws; v=2; id=me; resume", {"resume": None}),
            ("plain", "inetws; v=7; id=me; x", {}),
            ("agreed", "inetws; v=2; id=you", {}),
            ("agreed", "inetws; v=2; id=you; resume=\"%s\"" % sid,
             {"resume": None}),
            ("agreed", "inetws; v=2; id=you; park", {"park": None}),
            ("agreed", "inetws; v=2; id=you; resume=%s; at=5" % sid,
             {"resume": sid}),
            ("fails", "inetws; v=2; id=you; resume=\"%s\"" % sid, {}),
            ("fails", "inetws; v=2; id=you; resume", {"resume": None}),
            ("fails", "inetws; v=2; id=you; park", {}),
            ("fails", "inetws; v=2; id=you; serve", {"serve": None}),
            ("agreed", "inetws; v=2; id=you; x", {}),
            ("fails", "inetws; v=1; id=you", {}),
            ("fails", 'inetws; v=2; id="a b"', {}),
            ("fails", "inetws, inetws; v=2; id=you", {}),
            ("fails", "inetws; v=2; id=you; v=2", {}),
            ("fails", "inetws; v=2; id=you; resume=%s; at=5" % sid,
             {"resume": None}),
            ("fails", "inetws; v=2; id=you; resume=%s" % sid, {"resume": sid}),
            ("fails", "inetws; v=2; id=you", {"resume": sid}),
            ("fails", "inetws; v=2; id=you; resume=%s; at=5" % sid,
             {"resume": "0c" * 16}),
            ("fails", "inetws; v=2; id=you, inetws; v=2; id=you", {}),
            ("fails", "permessage-deflate", {})):
        t.is_(answers(field, **offer), want, "answer %s" % field)


def test_plain():
    for session in (True, False):
        word = "session" if session else "no session"
        for up, down, a, b, who in (
                (noise(200000), noise(300000, 2), {}, {}, "both at once"),
                (noise(50), noise(300000, 2), {}, {"wait_eof": True},
                 "the dialler first"),
                (noise(300000), noise(50, 2), {"wait_eof": True}, {},
                 "the acceptor first"),
                (b"", b"", {}, {"wait_eof": True}, "nothing at all")):
            x = Both(up, down, p.Settings(session=session), a=a, b=b)
            good = t.ok(x.join() and x.whole() and
                        x.outcomes() == ("ended", "ended"),
                        "%s, %s ends" % (word, who))
            t.is_([c for _, c in x.result.codes], [1000, 1000], "closed 1000")
            acks = [n for _, n in x.result.lines if n.startswith("ack")]
            finals = sorted(n for n in acks if n.count(" ") == 1)
            t.ok(finals == sorted(["ack %d" % len(up), "ack %d" % len(down)])
                 and (session or len(acks) == 2), "acks: %r" % acks[-1:])
            if not good:
                x.tell()


def test_resets():
    for session in (True, False):
        for who in "ab":
            x = Both(noise(1000), noise(1000, 2), p.Settings(session=session),
                     a={"keep": True}, b={"keep": True})
            t.until(lambda: x.b is not None and len(x.b.got) == 1000 and
                    len(x.a.got) == 1000)
            near, far = (x.a, x.b) if who == "a" else (x.b, x.a)
            near.reset()
            t.ok(x.join(), "session %s, %s resets: it ends" % (session, who))
            t.is_(far.how, "reset", "the other stream is reset")
            want = ("stream-reset", "peer-reset")
            t.is_(x.outcomes(), want if who == "a" else want[::-1],
                  "and both know why")


@t.limit(240)
def test_random_cuts():
    seeds = [int(os.environ["INETWS_SEED"])] if "INETWS_SEED" in os.environ \
        else range(60)
    bad = 0
    resumes = 0
    began = time.monotonic()
    for seed in seeds:
        r = random.Random(seed)
        up, down = (noise(int(400000 ** r.random()), r.random())
                    for _ in range(2))
        first = r.choice([{}, {}, {"wait_eof": True}])
        later = {} if first else r.choice([{}, {"wait_eof": True}])
        x = Both(up, down, p.Settings(chunk=r.choice([1000, 65535])),
                 p.Settings(win=r.choice([65536, 200000]),
                            chunk=r.choice([300, 65535])),
                 p.RandomFaults(seed, r.randrange(6), len(up) + 2000, True),
                 p.RandomFaults(seed + 1000, r.randrange(6),
                                len(down) + 2000),
                 a=first, b=later)
        good = x.join() and x.whole() and \
            x.outcomes() == ("ended", "ended")
        if not good:
            bad += 1
            t.diag("INETWS_SEED=%d fails" % seed)
            x.tell()
            if bad == 3:
                break
        resumes += x.far.resumes
        p.drop_silent()
    t.ok(bad == 0, "%d tunnels, %d resumes, %.1f s: nothing lost" %
         (len(seeds), resumes, time.monotonic() - began))
    t.ok(resumes > len(seeds), "websockets were really cut")


def test_cut_at_lines():
    for word in ("ack", "eof", "ack 1000"):
        for sending in (True, False):
            for side in ("cf", "sf"):
                faults = p.After(word, sending)
                x = Both(noise(100000), noise(1000, 2), p.Settings(),
                         p.Settings(resume=6), b={"wait_eof": True},
                         **{side: faults})
                good = x.join() and x.whole() and faults.times < 3 and \
                    x.outcomes() == ("ended", "ended")
                t.ok(good, "cut %s %r at the %s" % (
                    "behind sending" if sending else "on receiving", word,
                    "dialler" if side == "cf" else "acceptor"))
                if not good:
                    x.tell()


def test_last_frames_lost():
    for side in ("cf", "sf"):
        faults = p.LastFrames()
        x = Both(noise(70000), noise(50000, 2), p.Settings(),
                 p.Settings(resume=6), **{side: faults})
        t.ok(x.join() and x.whole() and x.outcomes() == ("ended", "ended"),
             "the last frames are lost: a success at both sides (%s)" % side)
        t.ok(faults.done and x.far.wires > 1, "over another websocket")


class LastAckLost(p.Faults):
    """The dialler has sent all; it notices late that its last ack is lost."""

    def __init__(self):
        self.lost = False

    def limits(self, no):
        return None, None, "silent"

    def received(self, tunnel, line):
        if self.lost or not tunnel.final_sent or line.count(" ") != 1 or \
                not line.startswith("ack"):
            return False
        self.lost = True
        return True

    def redial(self, tunnel, offer):
        time.sleep(1)
        return offer


def test_answers_after_close():
    """Who has sent Close answers redials for --resume, not for --linger."""
    cf = LastAckLost()
    x = Both(noise(3000), noise(5000, 2), cf=cf, ss=p.Settings(linger=.3),
             a={"wait_eof": True})
    good = t.ok(x.join() and cf.lost and x.whole() and
                x.outcomes() == ("ended", "ended"),
                "the last ack is lost: it comes with a redial after --linger")
    if not good:
        x.tell()
    p.drop_silent()


def test_withheld_acks():
    cf = p.Faults()
    cf.withhold_acks = True
    x = Both(b"", noise(500000), p.Settings(win=65536), p.Settings(), cf=cf)
    t.until(lambda: x.server.tunnels and x.far.top == 65536)
    t.is_(x.far.top, 65536, "no more than the window goes out")
    t.ok(x.far.most_kept <= 65536 * 3, "memory is bounded")
    cf.withhold_acks = False
    t.ok(x.join() and x.whole(), "it goes on when acks come")


def test_stalled_reader():
    data = noise(1000000)
    x = Both(data, noise(20 << 20, 2), a={"slow": .02})
    t.until(lambda: x.b is not None and len(x.b.got) == len(data))
    t.ok(len(x.a.got) < 20 << 20, "a slow reader does not stop the other way")
    x.a.slow = 0
    t.ok(x.join() and x.whole(), "and gets it all")


def test_lies():
    for side in ("cf", "sf"):
        for lie in ({"eof_delta": 1}, {"eof_delta": -1}, {"ack_delta": 1000}):
            x = Both(noise(5000), noise(5000, 2), **{side: p.faulty(**lie)})
            t.ok(x.join(), "%s at %s: it ends" % (lie, side))
            honest = x.far if side == "cf" else x.result
            t.is_(honest.outcome, "fault", "a protocol error: " + honest.why)
            t.is_([c for w, c in honest.codes if w == ">"], [1002], "1002")
            far = x.b if side == "cf" else x.a
            if "eof_delta" in lie:
                t.is_(far.how, "reset", "the stream is reset")


def test_refused_redials():
    for name, change in (
            ("a wrong id", lambda x: {"resume": "0" * 32}),
            ("attempt 1 again and again", lambda x: {"n": 1}),
            ("a position never sent", lambda x: {"at": 10 ** 9})):
        x = Both(b"", noise(5000), ss=p.Settings(resume=1), a={"keep": True},
                 cf=p.Redials(change, wires=2))
        t.ok(x.join(), "%s: it ends" % name)
        t.is_(x.result.outcome, "lost", "the dialler's session is lost")
        t.is_(x.a.how, "reset", "its stream is reset")
        t.is_(x.b.how, "reset", "and the other one")
        t.is_(x.server.statuses, [410] * 5, "410, tried five times")


def test_replayed_attempt():
    x = Both(noise(1000), noise(1000, 2), p.Settings(),
             cf=p.Redials(lambda x: {}, 500), a={"keep": True},
             b={"keep": True})
    t.until(lambda: x.result or x.server.tunnels and x.far.resumes == 1)
    t.until(lambda: x.b and len(x.b.got) == 1000)
    again = [o for o in x.server.offers if "n=1" in o][0]
    try:
        p.raw_dial("127.0.0.1", x.server.port, "/", again)
        t.ok(False, "a replayed attempt is refused")
    except p.Refused as e:
        t.is_(e.status, 410, "a replayed attempt is refused with 410")
    x.a.sock.sendall(b"more")
    t.ok(t.until(lambda: len(x.b.got) == 1004), "and nothing is disturbed")
    x.a.sock.shutdown(socket.SHUT_WR)
    x.b.sock.shutdown(socket.SHUT_WR)
    t.ok(x.join() and x.outcomes() == ("ended", "ended"), "it ends well")
    t.is_((bytes(x.b.got[:1000]), bytes(x.a.got)),
          (noise(1000), noise(1000, 2)), "bytes are equal")


def test_expiry():
    x = Both(b"", noise(5000), p.Settings(resume=.5), p.Settings(resume=.5),
             a={"keep": True}, b={"keep": True})
    t.until(lambda: len(x.a.got) == 5000)
    x.server.stop()
    x.far.wire.sock.shutdown(socket.SHUT_RDWR)
    t.ok(x.join(), "redials are not answered: it ends")
    t.is_(x.outcomes(), ("lost", "lost"), "lost at both sides")
    t.is_((x.a.how, x.b.how), ("reset", "reset"), "both streams are reset")
    t.ok(not x.server.sessions, "nothing is left of it")


def test_no_session():
    x = Both(noise(3000), noise(3000, 2), p.Settings(session=False),
             cf=p.Redials(lambda x: {}), a={"keep": True}, b={"keep": True})
    t.ok(x.join(), "without a session a lost websocket is the end")
    t.is_(x.outcomes(), ("lost", "lost"), "lost at both sides")
    t.is_((x.a.how, x.b.how), ("reset", "reset"), "both streams are reset")


def test_park():
    x = Both(noise(100000), noise(50000, 2), p.Settings(addr="10.0.0.1:99"),
             b={"wait_eof": True}, cf=p.RandomFaults(5, 4, 30000))
    t.ok(x.join() and x.whole() and x.far.resumes, "a warm tunnel, cut")
    t.is_(x.far.lines[0], ("<", "open 10.0.0.1:99"), "open comes first")

    def broken():
        raise OSError("refused")
    x = Both(noise(1000), b"", p.Settings(addr="-"), target=broken)
    t.ok(x.join(), "the target is dead")
    t.is_(x.outcomes(), ("peer-reset", "stream-reset"), "fail is a reset")
    t.is_(x.a.how, "reset", "and shown as one")


def test_refused():
    """A stream that takes no more is read to its end, and then reset."""
    for refuses in "a", "b":
        for seed in None, 1, 2, 3:
            faults = p.RandomFaults(seed, 3) if seed else None
            near, inner = socket.socketpair()
            server = p.Server(lambda: inner) if refuses == "b" else None
            output = noise(300000)

            def refuse():
                near.recv(1)
                near.shutdown(socket.SHUT_RD)
                near.sendall(output)
                near.close()
            threading.Thread(target=refuse, daemon=True).start()
            other, its = pair()
            x = Exchange(other, noise(900000, 2), keep=True)
            if refuses == "b":
                result = p.dial("127.0.0.1", server.port, "/", its,
                                p.Settings(), faults)
            else:
                server = p.Server(lambda: its)
                result = p.dial("127.0.0.1", server.port, "/", inner,
                                p.Settings(), faults)
            t.ok(server.join(BOUND), "refused at %s, seed %s: it ends" % (
                refuses, seed))
            x.join()
            t.ok(x.got == output, "all of the output")
            outcomes = result.outcome, server.tunnels[0].outcome
            t.is_(outcomes if refuses == "a" else outcomes[::-1],
                  ("stream-reset", "peer-reset"), "both know why")
            server.stop()


def test_serve():
    visitors = []

    def visitor():
        inner, far = pair()
        visitors.append(Exchange(far, noise(70000), wait_eof=True))
        return inner
    b = Both.__new__(Both)
    b.b_args, b.down = {}, noise(90000, 2)
    gate = p.Server(None, p.Settings(visitor=visitor))
    result = p.dial("127.0.0.1", gate.port, "/", None,
                    p.Settings(serve=True), p.RandomFaults(9, 0),
                    lambda addr: b.target())
    gate.join(BOUND)
    visitors[0].join()
    b.b.join()
    t.is_((result.outcome, gate.tunnels[0].outcome), ("ended", "ended"),
          "an agent and a gate")
    t.ok(visitors[0].got == b.down and b.b.got == noise(70000), "bytes equal")
    try:
        p.dial("127.0.0.1", p.Server(b.target).port, "/", None,
               p.Settings(serve=True))
        t.ok(False, "a server refuses serve")
    except p.Refused as e:
        t.is_(e.status, 400, "a server refuses serve")
    gate.stop()


def test_ping():
    # A busy machine may be as late as the first timeouts are short.
    for timeout in .6, 2, 5:
        settings = [p.Settings(ping_interval=.1, ping_timeout=timeout)
                    for _ in range(2)]
        x = Both(b"x", b"y", *settings, a={"keep": True}, b={"keep": True})
        time.sleep(timeout + 1)
        idle = x.far.wires == 1 and x.far.outcome is None
        x.a.sock.shutdown(socket.SHUT_WR)
        time.sleep(timeout + .4)
        x.b.sock.sendall(b"still there")
        x.b.sock.shutdown(socket.SHUT_WR)
        whole = x.join() and x.a.got == b"ystill there"
        if x.far.wires == 1:
            break
    t.ok(idle, "an idle tunnel lives on pings")
    t.ok(whole, "also half-closed")
    t.is_((x.far.wires, x.outcomes()), (1, ("ended", "ended")),
          "on one websocket")


def test_black_hole():
    ss = p.Settings(ping_interval=.1, ping_timeout=.5)
    x = Both(noise(3000), noise(90000, 2), p.Settings(), ss, cf=p.Silent())
    t.ok(x.join() and x.whole() and x.far.resumes,
         "a redial takes over from a websocket that lives")
    x = Both(noise(90000), noise(3000, 2), ss, p.Settings(), sf=p.Silent())
    t.ok(x.join() and x.whole() and x.far.resumes,
         "a black hole is noticed by pings")
    p.drop_silent()


t.main()
