#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The rules of inetws-protocol(7) one by one: exchanges with the program led
frame by frame, right ones and wrong ones, and plain peers.

If it fails: the program breaks a rule of its protocol, and other versions fail
with it.
"""

import concurrent.futures
import os
import re
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "lib"))

import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402

BOUND = t.BOUND
SID = "0a" * 16
OFFER = "inetws; v=2; id=me; win=65536; resume"
PLAIN = "inetws; v=2; id=me"


class Served:
    """inetws server, a target's end (.far) and a Raw that dialled (.raw)."""

    def __init__(self, offer=OFFER, *options):
        self.target = t.Held()
        self.program = t.server(self.target.port, "-v", "-v", *options)
        self.raw = self.dial(offer)
        self.far = self.target.next()
        self.sid = (self.raw.params or {}).get("resume")

    def dial(self, offer):
        return p.raw_dial("127.0.0.1", self.program.port, "/", offer,
                          timeout=BOUND)

    def redial(self, n, at, sid=None):
        return self.dial('inetws; v=2; id=me; win=65536; resume="%s"; n=%d; '
                         'at=%d' % (sid or self.sid, n, at))

    def status(self, n, at, sid=None):
        """Of a redial: 101 or what it was refused with."""
        try:
            self.redial(n, at, sid).drop()
            return 101
        except p.Refused as e:
            return e.status

    def alive(self, name):
        """Is the tunnel undisturbed?"""
        self.raw.data(b"yes")
        t.is_(t.ws.read_exactly(self.far, 3), b"yes", name)


def how_ends(sock):
    return t.ws.read_all(sock)[1]


def is_broken(sock):
    """
    Has a reset come behind an end of file?  Reading does not tell, writing
    does.
    """
    def fails():
        try:
            sock.send(b"?")
            return False
        except OSError:
            return True
    return t.until(fails)


def without_credit(answer):
    """What lines_to_close() returns, without acknowledgements that were due
    before this test said more."""
    lines, data, code = answer
    return [x for x in lines if not re.match("ack [0-9]+ ", x)], data, code


def end_code(raw):
    """The code of the Close that comes, or how the websocket ends."""
    try:
        return raw.lines_to_close(BOUND)[2]
    except EOFError:
        return "eof"
    except ConnectionResetError:
        return "reset"


# Negotiation, at the server.

def test_offers():
    good = (PLAIN, OFFER, "INETWS;V=2;ID=\"a\";win=16777216",
            "permessage-deflate, inetws; v=2; id=a",
            "inetws; v=1; id=a, inetws; v=2; id=a",
            "inetws; v=2; id=a; colour=blue; x",
            "inetws; v=2; id=a; park")
    bad = ("inetws", "inetws; v=1; id=a", "inetws; v=3; id=a", "inetws; v=2", "inetws; id=a",
           "inetws; v=02; id=a", "inetws; v=2; id=a; win=65535",
           "inetws; v=2; id=a; win=16777217", "inetws; v=2; id=a; win=+65536",
           "inetws; v=2; id=a; win=065536", "inetws; v=2; id=a; win",
           "inetws; v=2; id=a; id=a", "inetws; v=2; id=a; serve=1",
           "inetws; v=2; id=a; serve; park",
           "inetws; v=2; id=a; at=0", "inetws; v=2; id=a; n=1",
           "inetws; v=2; id=a; resume; at=0",
           "inetws; v=2; id=a; resume=0011; n=1; at=0",
           'inetws; v=2; id=a; resume="%s"; at=0' % SID,
           'inetws; v=2; id=a; resume="%s"; n=1' % SID,
           'inetws; v=2; id=a; resume="%s"; n=0; at=0' % SID,
           'inetws; v=2; id=a; resume="%s"; n=1; at=-1' % SID,
           'inetws; v=2; id=a; resume="%s"; n=1; at=9223372036854775808' % SID,
           'inetws; v=2; id=a; resume="%s"; n=1; at=0; park' % SID,
           'inetws; v=2; id=a; resume="%s"; n=1; at=0' % SID.upper().replace(
               "0A", "AA"),
           "inetws; v=2; id=" + "a" * 17, "inetws; v=2; id = a",
           "permessage-deflate")
    malformed = ("inetws; v=2; id=a; colour=", 'inetws; v=2; id="a b"',
                 "inetws; v=2; id=", "inetws; v=2; id=a;",
                 "inetws; v=2; id=a, ;x")
    echo = t.echo()
    s = t.server(echo.port)

    def ask(offer):
        try:
            raw = p.raw_dial("127.0.0.1", s.port, "/", offer, timeout=BOUND)
        except p.Refused as e:
            return e.status
        raw.drop()
        return raw.fields.get("sec-websocket-extensions")
    for offer in good:
        answer = ask(offer)
        ours = p.read_offer(offer)
        try:
            got = p.read_answer(answer, ours)
        except (ValueError, TypeError) as e:
            got = e
        t.ok(isinstance(got, dict) and ("resume" in got) == ("resume" in ours),
             "%s: %s" % (offer, re.sub(r"[0-9a-f]{32}", "...", str(answer))))
    for offer in bad:
        t.is_(ask(offer), None, "declined: %s" % offer)
    for offer in malformed:
        t.is_(ask(offer), 400, "400: %s" % offer)
    t.is_(ask("inetws; v=2; id=a; serve"), 400, "an agent: 400")
    sids = [re.search("[0-9a-f]{32}", ask(OFFER))[0] for _ in range(5)]
    t.is_(len(set(sids)), 5, "ids of sessions differ")


def test_redial_of_another_version():
    """It is its session's, which may be kept by a process of before an
    upgrade; it never gets another stream."""
    x = Served()
    for version in (1, 3):
        for what, sid in (('nobody', SID), ('a process of this version',
                                            x.sid)):
            try:
                x.dial('inetws; v=%d; id=me; resume="%s"; n=1; at=0' % (
                    version, sid)).drop()
                status = 101
            except p.Refused as e:
                status = e.status
            t.is_(status, 410, 'version %d, kept by %s: 410' % (version,
                                                                what))
    t.is_(x.target.accepted, 1, 'no stream is opened for them')
    x.alive('and the session goes on')


def test_no_session_offered():
    x = Served(OFFER, "--resume", "0")
    t.ok(x.raw.params and x.sid is None, "--resume 0: no session, but inetws")
    t.is_(x.status(1, 0, SID), 410, "and a redial is a 410")


# Control lines, at the server.

def test_bad_lines():
    for line in ("eof", "eof ", "eof 01", "eof +1", "eof -1", "eof 0 ",
                 " eof 0", "eof  0", "eof\t0", "EOF 0", "eof 0\n", "eof 0x0",
                 "eof 9223372036854775808", "eof 00000000000000000000",
                 "eof 1", "ack", "ack 00", "ack 1", "rst ", "rst 1", "ok",
                 "fail x", "fail", "open -", "hello", "", "e", "\0",
                 "eof \u0660", "x" * 126):
        x = Served()
        x.raw.text(line)
        t.is_((end_code(x.raw), how_ends(x.far)), (1002, "reset"),
              "%r: 1002 and a reset" % line[:30])
        t.cleanup()
    x = Served()
    x.raw.send(p.TEXT, "eo", fin=False)
    x.raw.send(p.CONT, "f 0")
    t.is_((end_code(x.raw), how_ends(x.far)), (1002, "reset"),
          "a line in two fragments")
    t.is_(x.status(1, 0), 410, "and the session is gone")
    for line in ("ack 0", "ack 0 65536"):
        x = Served(PLAIN)
        x.raw.text(line)
        t.is_((end_code(x.raw), how_ends(x.far)), (1002, "reset"),
              "%s without a session" % line)


def test_data():
    x = Served()
    x.raw.data(b"")
    x.raw.send(p.BINARY, b"one", fin=False)
    x.raw.send(p.CONT, b"", fin=False)
    x.raw.send(p.PING, b"!")
    x.raw.send(p.CONT, b"two")
    x.raw.text("eof 6")
    t.is_(t.ws.read_all(x.far), (b"onetwo", "eof"),
          "fragments and empty messages are taken")
    x.raw.until((p.TEXT, "ack 6"), BOUND)
    t.ok(True, "and acknowledged")
    x.raw.text("eof 6")
    x.raw.data(b"")
    x.far.sendall(b"still")
    x.raw.until((p.BINARY, b"still"), BOUND)
    t.ok(True, "the same eof again and an empty message are nothing")
    x.raw.data(b"x")
    t.is_(end_code(x.raw), 1002, "data after eof: 1002")
    t.ok(is_broken(x.far), "and a reset")


def test_acks():
    x = Served()
    x.far.sendall(b"0123456789")
    t.is_(x.raw.frame(BOUND), (p.BINARY, b"0123456789"), "ten bytes come")
    for n in (3, 3, 10, 10):
        x.raw.text("ack %d 65536" % n)
    began = time.monotonic()
    x.alive("acks that rise or stay are taken")
    t.is_(x.raw.frame(BOUND), (p.TEXT, "ack 3 262144"), "ours comes")
    t.ok(time.monotonic() - began > .9, "a second later, not at once")
    x.raw.text("ack 9 65537")
    t.is_((end_code(x.raw), how_ends(x.far)), (1002, "reset"),
          "an ack that goes back: 1002 and a reset")
    x = Served()
    win = int(x.raw.params.get("win", 262144))
    x.raw.data(b"x" * (win // 4 + 1))
    t.like(x.raw.frame(BOUND)[1], "^ack [0-9]+ [0-9]+$", "an ack for a quarter")


def test_window():
    x = Served(OFFER, "--window", "64k")
    t.is_(x.raw.params["win"], "65536", "--window is our own win")
    code = None
    try:
        for _ in range(400):
            x.raw.data(b"x" * 65536)    # neither they nor our acks are read
    except OSError:
        code = "reset"
    try:
        code = end_code(x.raw)
    except OSError as e:
        code = e
    t.ok(code in (1002, "reset", "eof"), "more than win: %s" % code)
    x.raw.drop()
    t.ok(x.program.has_line("peer-fault"), "a protocol error")
    t.is_(how_ends(x.far), "reset", "and a reset")


def test_resets():
    x = Served()
    x.raw.text("rst")
    t.is_(how_ends(x.far), "reset", "rst resets the stream")
    x.raw.text("what")
    x.raw.data(b"ever")
    t.is_(end_code(x.raw), 1000, "and is answered by Close 1000")
    x = Served()
    x.far.sendall(b"data")
    x.raw.until((p.BINARY, b"data"), BOUND)
    t.ws.reset(x.far)
    t.is_(x.raw.frame(BOUND), (p.TEXT, "rst"), "a reset stream says rst")
    x.raw.data(b"on its way")
    t.is_(end_code(x.raw), 1000, "then Close 1000")


# Close, at the server.

def test_close_early():
    for before in ((), ("eof 0",)):
        x = Served()
        for line in before:
            x.raw.text(line)
        x.raw.closing(1000)
        t.is_(end_code(x.raw), 1002, "Close 1000 after %r: 1002" % (before,))
        t.ok(is_broken(x.far), "and a reset")
    x = Served()
    x.far.sendall(b"data")
    x.far.shutdown(socket.SHUT_WR)
    x.raw.until((p.TEXT, "eof 4"), BOUND)
    x.raw.text("eof 0")
    x.raw.closing(1000)
    t.is_(end_code(x.raw), 1002, "Close 1000 before the last ack: 1002")


def test_close_in_order():
    x = Served()
    x.raw.data(b"up")
    x.raw.text("eof 2")
    x.raw.until((p.TEXT, "ack 2"), BOUND)
    x.far.sendall(b"down")
    x.far.shutdown(socket.SHUT_WR)
    x.raw.until((p.TEXT, "eof 4"), BOUND)
    x.raw.sock.settimeout(.4)
    try:
        t.ok(x.raw.frame(.4) is None, "no Close before the last ack")
    except socket.timeout:
        t.ok(True, "no Close before the last ack")
    x.raw.text("ack 4 65536")
    x.raw.sock.settimeout(.4)
    try:
        t.ok(x.raw.frame(.4) is None, "none before the end is confirmed")
    except socket.timeout:
        t.ok(True, "none before the end is confirmed")
    x.raw.text("ack 4")
    t.is_(x.raw.frame(BOUND), (p.CLOSE, 1000), "Close after it")
    x.raw.closing(1000)
    t.is_(t.ws.read_all(x.raw.sock), (b"", "eof"), "the acceptor ends first")
    t.is_(how_ends(x.far), "eof", "a clean end")


def test_close_codes():
    for code in (1001, 1012):
        x = Served()
        x.raw.data(b"first")
        t.is_(t.ws.read_exactly(x.far, 5), b"first", "a byte passes")
        x.raw.closing(code)
        t.is_(end_code(x.raw), code, "Close %d gets the same back" % code)
        t.ok(end_code(x.raw) in ("eof", "reset"), "and the end")
        x.raw.drop()
        x.raw = x.redial(1, 0)
        t.is_(x.raw.params["at"], "5", "Close %d is loss, and resumed" % code)
        x.alive("and goes on")
    for code in (None, 1002, 1011, 1008, 3000, 4999):
        x = Served()
        x.raw.closing(code)
        t.is_(how_ends(x.far), "reset", "Close %s is a reset" % code)
        t.is_(x.status(1, 0), 410, "and the end of the session")


# Resumption, at the server.

def test_resume():
    x = Served()
    x.raw.data(b"whole")
    x.raw.sock.sendall(p.encode(p.BINARY, b"x" * 1000, True)[:8 + 400])
    x.far.sendall(b"0123456789")
    x.far.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_exactly(x.far, 405), b"whole" + b"x" * 400,
          "a part of a frame is delivered")
    x.raw.until((p.TEXT, "eof 10"), BOUND)
    x.raw.drop("rst")
    x.raw = x.redial(1, 4)
    got = x.raw.params
    t.is_(got["at"], "405", "and counted")
    t.ok(got["resume"] == x.sid and got["id"] != "me" and got["v"] == "2",
         "the answer names the session")
    t.is_([x.raw.frame(BOUND) for _ in range(3)],
          [(p.TEXT, "ack 405 262144"), (p.BINARY, b"456789"), (p.TEXT, "eof 10")],
          "the last ack, the bytes from there, eof")
    x.raw.data(b"y" * 5)
    t.is_(t.ws.read_exactly(x.far, 5), b"y" * 5, "a fresh frame, no rest")
    x.raw.text("eof 410")
    x.raw.text("ack 10")
    t.is_(without_credit(x.raw.lines_to_close(BOUND)),
          (["ack 410"], b"", 1000), "the end")
    x.raw.drop()                        # its last frames are lost
    x.raw = x.redial(7, 10)
    t.is_(x.raw.lines_to_close(BOUND), (["ack 410", "eof 10"], b"", 1000),
          "which is sent again on another websocket")
    x.raw.text("ack 10")
    x.raw.text("eof 410")
    x.raw.closing(1000)
    t.is_(how_ends(x.far), "eof", "a clean end")
    t.ok(x.program.has_line("closed .*end=ended.*resumes=2"), "resumes=2")
    t.unlike(x.program.log, x.sid, "the id of the session is never logged")
    t.ok(t.until(lambda: x.status(8, 10) == 410), "then the session is gone")


def test_takeover():
    x = Served()
    x.raw.data(b"one")
    t.is_(t.ws.read_exactly(x.far, 3), b"one", "a websocket is up")
    old, x.raw = x.raw, x.redial(1, 0)
    t.is_(x.raw.params["at"], "3", "a redial takes over")
    t.ok(end_code(old) in ("eof", "reset"),
         "the old websocket ends without Close")
    x.alive("the new one works")


def test_refused_redials():
    x = Served()
    x.far.sendall(b"0123456789")
    x.raw.until((p.BINARY, b"0123456789"), BOUND)
    x.raw.text("ack 10 65536")
    x.alive("a tunnel")
    for name, n, at, sid in (("an unknown session", 1, 10, SID),
                             ("one that is nearly right", 1, 10,
                              x.sid[:-1] + ("1" if x.sid[-1] == "0"
                                            else "0"))):
        t.is_(x.status(n, at, sid), 410, name)
    x.alive("is not disturbed")
    x.raw.drop()
    x.raw = x.redial(5, 10)
    for n in (5, 4, 1):
        try:
            x.redial(n, 10).drop()
            t.ok(False, "attempt %d after 5" % n)
        except p.Refused as e:
            t.is_((e.status, "inetws-instance" in e.fields), (410, False),
                  "attempt %d after 5: a 410 that is not final" % n)
        t.is_(x.status(n, 10 ** 6), 410, "also with a wrong position")
    x.alive("is not disturbed")
    if os.geteuid() == 0:
        def become_nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        other = t.server(x.target.port, "-v", "-v", preexec_fn=become_nobody,
                         program=t.world_executable())
        port, x.program.port = x.program.port, other.port
        t.is_(x.status(6, 10), 410, "through another user's server")
        x.program.port = port
        x.alive("is not disturbed")
    else:
        t.skip("another user: needs root", 2)
    t.is_(x.status(6, 9), 410, "a position before the last ack")
    t.is_(how_ends(x.far), "reset", "ends the session")
    x = Served()
    x.far.sendall(b"0123456789")
    x.raw.until((p.BINARY, b"0123456789"), BOUND)
    t.is_(x.status(1, 11), 410, "a position behind what was sent")
    t.is_(how_ends(x.far), "reset", "ends the session")


def test_redial_is_checked():
    """As every other request, before anything is asked of the session."""
    x = Served(OFFER, "--path", "/")
    redial = ('inetws; v=2; id=me; win=65536; resume="%s"; n=9; at=0' % x.sid)
    for name, path, headers, want in (
            ("another path", "/other", "", 404),
            ("a page of another site", "/", "Origin: https://evil.example\r\n",
             403), ("two keys", "/", "Sec-WebSocket-Key: %s==\r\n" % ("A" * 22),
                    400)):
        try:
            p.raw_dial("127.0.0.1", x.program.port, path, redial, headers,
                       timeout=BOUND).drop()
            status = 101
        except p.Refused as e:
            status = e.status
        t.is_(status, want, "%s: %d" % (name, want))
    x.alive("the session is not disturbed")
    t.is_(x.status(1, 0), 101, "and no attempt was counted")


def test_second_server():
    """Any process of the same user can take the redial in."""
    x = Served()
    x.alive("a tunnel")
    other = t.server(x.target.port)
    x.raw.drop()
    x.program.port = other.port
    x.raw = x.redial(1, 0)
    t.is_(x.raw.params["at"], "3", "resumed through another server")
    x.raw.text("rst")
    t.is_(how_ends(x.far), "reset", "the session is the same")


# Plain peers.

def test_plain_dialler():
    for offer in (None, "permessage-deflate", "inetws; v=1; id=a"):
        x = Served(offer)
        t.ok("sec-websocket-extensions" not in x.raw.fields,
             "%s: nothing is agreed" % offer)
        lines = ("eof 0", "rst", "ack 5", "open -", "fail x")
        for line in lines:
            x.raw.text(line)
        all_ = "".join(lines).encode()
        t.is_(t.ws.read_exactly(x.far, len(all_)), all_,
              "control lines are data")
        x.far.sendall(b"reply")
        t.is_(x.raw.frame(BOUND), (p.BINARY, b"reply"), "we send data only")
        x.raw.closing(1000)
        t.is_(end_code(x.raw), 1000, "and no line at the end")


def answers(offer_id):
    """(what the client makes of it, the answer)"""
    a = "inetws; v=2; id=you"
    return (
        ("agreed", a), ("agreed", a + '; resume="%s"' % SID),
        ("agreed", a + "; win=65536; resume=%s" % SID),
        ("agreed", "INETWS; ID=you; V=2"), ("agreed", a + "; x"),
        ("plain", None), ("plain", "inetws"),
        ("plain", "inetws; v=2; win=65536"),
        ("plain", "inetws; v=2; id=%s; resume" % offer_id),
        ("plain", "inetws; v=9; id=%s; what" % offer_id),
        ("fails", "inetws; v=1; id=you"), ("fails", 'inetws; v=2; id="a b"'),
        ("fails", "inetws, " + a),
        ("fails", a + "; v=2"), ("fails", a + "; resume"),
        ("fails", a + "; resume=12"), ("fails", a + "; park"),
        ("fails", a + "; serve"), ("fails", a + "; win=1"),
        ("fails", a + "; at=0"),
        ("fails", a + '; resume="%s"; at=0' % SID),
        ("fails", a + '; resume="%s"; n=1' % SID),
        ("fails", "inetws; v=2; id=" + "y" * 17),
        ("fails", a + ", " + a), ("fails", "permessage-deflate"),
        ("fails", a + ", permessage-deflate"))


def test_answers():
    for i in range(len(answers(""))):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            c = t.connect("ws://127.0.0.1:%d/" % listener.getsockname()[1],
                          "--linger", "1s")
            want, answer = answers("")[i]

            def reply(field):
                return answers(p.read_offer(field)["id"])[i][1]
            raw = p.raw_accept(listener, reply, BOUND)
            try:
                c.stdin.write(b"hi")
                c.stdin.close()
            except BrokenPipeError:
                pass                    # it has left already
            try:
                seen = [raw.frame(BOUND) for _ in range(2)]
            except (EOFError, ConnectionResetError):
                seen = []
            got = "agreed" if (p.TEXT, "eof 2") in seen else \
                "plain" if (p.BINARY, b"hi") in seen else "fails"
            if not t.is_(got, want, "answer %s: %s" % (answer, want)):
                t.diag(seen)
            elif want == "fails":
                t.is_(c.wait(), 76, "exit status 76")
            raw.drop()
        t.cleanup()


def test_plain_acceptor():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        c = t.connect("ws://127.0.0.1:%d/" % listener.getsockname()[1])
        raw = p.raw_accept(listener, lambda field: field, BOUND)
        raw.text("eof 0")
        raw.text("rst")
        raw.closing(1000)
        t.is_(c.stdout.read(), b"eof 0rst", "an echoed offer: lines are data")
        t.is_(c.wait(), 0, "and it ends well")


# Resumption, at the client.

class Dialled:
    """inetws connect, whose websocket (.raw) this test has accepted."""

    def __init__(self, *options, answer='; win=65536; resume="%s"' % SID,
                 fields=""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        t.on_close(self.listener.close)
        self.program = t.connect(
            "ws://127.0.0.1:%d/x" % self.listener.getsockname()[1],
            "-v", "-v", *options)
        self.raw = self.accept("inetws; v=2; id=you" + answer,
                               fields=fields)
        self.id = self.raw.params["id"]

    def accept(self, answer=None, status=None, fields=""):
        return p.raw_accept(self.listener, answer, BOUND, status, fields)

    def resume(self, at):
        self.raw = self.accept('inetws; v=2; id=you; win=65536; resume="%s"; '
                               'at=%d' % (SID, at))
        return self.raw.params


def test_redial():
    x = Dialled()
    x.program.stdin.write(b"0123456789")
    x.program.stdin.flush()
    x.raw.until((p.BINARY, b"0123456789"), BOUND)
    x.raw.text("ack 3 262144")
    x.raw.data(b"down")
    x.raw.sock.sendall(p.encode(p.BINARY, b"y" * 70000)[:10 + 200])
    t.is_(x.program.stdout.read(204), b"down" + b"y" * 200, "data comes")
    x.raw.until((p.TEXT, "ack 204 262144"), BOUND)
    x.raw.drop("rst")
    got = x.resume(5)
    t.is_(got, {"v": "2", "id": x.id, "win": got["win"], "resume": SID,
                "n": "1", "at": "204"}, "the redial names its position")
    t.is_([x.raw.frame(BOUND) for _ in range(2)],
          [(p.TEXT, "ack 204 262144"), (p.BINARY, b"56789")],
          "the last ack, then the bytes from there")
    x.raw.closing(1012)
    fields = x.accept(status=503)
    t.like(fields["sec-websocket-extensions"], "; n=2; at=204",
           "Close 1012 is loss; a 503")
    t.like(fields["request"], "^GET /x ", "the path is the same")
    fields = x.accept(status=410)
    t.like(fields["sec-websocket-extensions"], "; n=3;", "is tried again")
    x.accept(status=429)
    t.is_(x.resume(10)["n"], "5", "and so are 410 and 429")
    x.raw.text("ack 10 262144")
    x.raw.text("eof 204")
    t.is_(x.program.stdout.read(), b"", "end of file")
    x.program.stdin.close()
    x.raw.until((p.TEXT, "eof 10"), BOUND)
    x.raw.text("ack 10")
    t.is_(x.raw.lines_to_close(BOUND), ([], b"", 1000), "the end")
    x.raw.drop()
    x.accept(status=410)
    began = time.monotonic()
    t.is_(x.program.wait(), 0, "a 410 after our Close was due is a success")
    t.ok(time.monotonic() - began < 5 * t.SCALE, "at once")
    t.ok(x.program.has_line("resumes=2"), "resumes=2 in the log")
    t.unlike(x.program.log, SID, "the id of the session is never shown")


def gone():
    x = Dialled()
    x.raw.drop()
    for _ in range(5):
        x.accept(status=410)
    yield x.program.wait(), 74, "five times 410: lost"


def temporary():
    x = Dialled()
    x.raw.drop()
    for status in (400, 401, 403, 404, 500, 502):
        x.accept(status=status)
    yield x.resume(0)["n"], "7", "other answers are temporary"


def too_late():
    x = Dialled("--resume", "2s")
    x.raw.drop()
    x.accept(status=404)
    x.listener.close()
    yield x.program.wait(), 74, "until --resume runs out"
    x = Dialled("--resume", "600ms")
    x.raw.drop()
    x.listener.close()
    yield x.program.wait(), 74, "--resume runs out"


def wrong_positions():
    x = Dialled()
    x.raw.drop()
    x.accept('inetws; v=2; id=you; resume="%s"; at=9' % SID)
    yield x.program.wait(), 74, "a position never sent: lost"
    x = Dialled()
    x.program.stdin.write(b"0123456789")
    x.program.stdin.flush()
    x.raw.until((p.BINARY, b"0123456789"), BOUND)
    x.raw.text("ack 4 262144")
    x.raw.send(p.PING, b"taken")
    while x.raw.frame(BOUND, pings=True) != (p.PONG, b"taken"):
        pass
    x.raw.drop()
    x.accept('inetws; v=2; id=you; resume="%s"; at=3' % SID)
    yield x.program.wait(), 74, "a position before the last ack: lost"


def not_valid():
    x = Dialled()
    x.raw.drop()
    x.accept('inetws; v=2; id=you; resume="%s"; at=0' % SID.replace("a", "b"))
    x.accept('inetws; v=2; id=you; resume="%s"' % SID)
    yield x.resume(0)["n"], "3", "a 101 that is not valid is temporary"


def without_session():
    x = Dialled()
    x.raw.drop()
    for _ in range(2):
        x.accept()
    yield x.resume(0)["n"], "3", "a 101 without the session is temporary"


def test_redial_gives_up():
    """Side by side, as each waits between its redials."""
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for rows in pool.map(lambda case: list(case()), (
                gone, temporary, too_late, wrong_positions, not_valid,
                without_session)):
            for got, want, name in rows:
                t.is_(got, want, name)


def test_cookies():
    """Those of a 101 or a redirect go with the next request, for a balancer."""
    x = Dialled("-H", "Cookie: mine=1", fields="Set-Cookie: s=secret-1; "
                "Path=/\r\nSet-Cookie: tls=1; Secure\r\n"
                "Set-Cookie: far=1; Domain=localhost\r\n")
    x.raw.drop()
    fields = x.accept(status=503, fields="Set-Cookie: s=other\r\n"
                      "Retry-After: 0\r\n")
    t.is_(fields["cookie"], "mine=1; s=secret-1", "a 101's, behind our own")
    fields = x.accept(status=302, fields="Location: /y/z\r\n"
                      "Set-Cookie: r=secret-2\r\n")
    t.is_(fields["cookie"], "mine=1; s=secret-1", "a refusal's are none")
    fields = x.accept(status=502)
    t.is_((fields["request"][:9], fields["cookie"]),
          ("GET /y/z ", "mine=1; s=secret-1; r=secret-2"), "a redirect's")
    fields = x.accept(None, fields="Set-Cookie: s=wrong; Path=/\r\n").fields
    t.is_(fields["cookie"], "mine=1; s=secret-1; r=secret-2",
          "they are kept")
    x.accept(status=307, fields="Location: http://localhost:%d/\r\n" %
             x.listener.getsockname()[1])
    t.ok("cookie" not in x.accept(status=502), "another host gets none")
    x.resume(0)
    t.is_(x.raw.fields["cookie"], "mine=1; s=secret-1; r=secret-2",
          "a 101 without the session sets none")
    t.unlike(x.program.log, "secret|wrong", "and the log shows none")


HERE = "Inetws-Instance: 0123456789abcdef\r\n"
THERE = "Inetws-Instance: fedcba9876543210\r\n"


def test_instance():
    """A 410 of where the session was is final, another's is not."""
    x = Dialled(fields=HERE)
    x.raw.drop()
    x.accept(status=410, fields=THERE)
    x.accept(status=410)
    t.is_(x.resume(0)["n"], "3", "410 of another instance: tried again")
    x.raw.drop()
    x.accept(status=410, fields=HERE)
    t.is_(x.program.wait(), 74, "of the same one: the end")
    t.ok(x.program.has_line("why=.*no new websocket.*answered 410"),
         "and the log has the true reason")
    s = Served()
    token = s.raw.fields.get("inetws-instance", "")
    t.like(token, "^[0-9a-f]{16}$", "a server names its instance")
    try:
        s.redial(1, 0, SID)
        t.ok(False, "an unknown session")
    except p.Refused as e:
        t.is_(e.status, 410, "an unknown session")
        t.is_(e.fields.get("inetws-instance"), token, "410 names it too")
    other = Served()
    t.is_(other.raw.fields.get("inetws-instance"), token,
          "two servers here are one instance")


def test_other_id():
    x = Served()
    x.alive("a tunnel")
    try:
        x.dial('inetws; v=2; id=other; resume="%s"; n=1; at=0' % x.sid)
        t.ok(False, "refused")
    except p.Refused as e:
        t.is_(e.status, 410, "a redial repeats its id")
    x.alive("is not disturbed")


def test_redirected_redial():
    """The session's ID goes only to where it came from."""
    x = Dialled()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        x.raw.drop()
        x.accept(status=307, fields="Location: ws://127.0.0.1:%d/y\r\n" %
                 elsewhere.getsockname()[1])
        raw = p.raw_accept(elsewhere, None, BOUND)
        t.ok("sec-websocket-extensions" not in raw.fields,
             "followed without the extension")
        raw.drop()
    t.is_(x.resume(0)["n"], "2", "that was no answer: tried again")


# A name server that answers once.
ONCE = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
int getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	static int asked;
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(host, "a.example") != 0 ||
	    (hints->ai_flags & AI_NUMERICHOST))
		return real(host, service, hints, found);
	return asked++ ? EAI_AGAIN : real("127.0.0.1", service, hints, found);
}
'''


def test_redirected_without_names():
    """The password is for the host of the URL: where that had redirected us
    is not asked in its place when no name server answers."""
    with socket.create_server(("127.0.0.1", 0)) as first, \
            socket.create_server(("127.0.0.1", 0)) as elsewhere:
        c = t.connect("ws://a.example:%d/x" % first.getsockname()[1],
                      "-u", "ann:secret", "-v", env=t.preloaded(ONCE))
        p.raw_accept(first, None, BOUND, 302, "Location: ws://127.0.0.1:%d/\r\n"
                     % elsewhere.getsockname()[1])
        raw = p.raw_accept(elsewhere, 'inetws; v=2; id=you; resume="%s"' % SID)
        raw.data(b"up")
        t.is_(c.stdout.read(2), b"up", "redirected")
        raw.drop("rst")
        t.ok(c.has_line("cannot resolve a.example", count=2),
             "redials wait for a name server")
        elsewhere.settimeout(0)
        try:
            elsewhere.accept()
            t.ok(False, "no request comes where it was redirected to")
        except BlockingIOError:
            t.ok(True, "no request comes where it was redirected to")


def test_client_rules():
    for name, say in (
            ("eof of another count", lambda r: r.text("eof 1")),
            ("ack of what was not sent", lambda r: r.text("ack 1 262144")),
            ("ack of no eof", lambda r: r.text("ack 0")),
            ("credit that falls", lambda r: r.text("ack 0 65535")),
            ("masked data", lambda r: r.send(p.BINARY, b"x", mask=True)),
            ("an early Close 1000", lambda r: r.closing(1000)),
            ("open", lambda r: r.text("open -")),
            ("ok", lambda r: r.text("ok"))):
        x = Dialled()
        say(x.raw)
        t.is_(end_code(x.raw), 1002, "client, %s: 1002" % name)
        x.raw.drop()
        t.is_(x.program.wait(), 76, "exit status 76")
    x = Dialled(answer="")
    x.program.stdin.write(b"up")
    x.program.stdin.close()
    t.is_([x.raw.frame(BOUND) for _ in range(2)],
          [(p.BINARY, b"up"), (p.TEXT, "eof 2")], "without a session: eof")
    x.raw.data(b"down")
    x.raw.text("eof 4")
    t.is_(x.program.stdout.read(), b"down", "and half-close")
    t.is_(x.raw.frame(BOUND), (p.TEXT, "ack 4"), "which is confirmed")
    x.raw.text("ack 2")
    t.is_(x.raw.lines_to_close(BOUND), ([], b"", 1000), "Close, then")
    x.raw.closing(1000)
    t.is_(x.program.wait(), 0, "a success")
    x = Dialled(answer="")
    x.raw.drop()
    t.is_(x.program.wait(), 74,
          "without a session a lost websocket is the end")


def test_early_frames():
    """Frames in one segment with the answer to a redial."""
    x = Dialled()
    x.raw.drop()
    sock, _ = x.listener.accept()
    _, fields, _ = p.read_head(sock, time.monotonic() + BOUND)
    sock.sendall((
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
        "Sec-WebSocket-Extensions: inetws; v=2; id=you; resume=\"%s\"; at=0"
        "\r\n\r\n" % (p.accept_of(fields["sec-websocket-key"]), SID)).encode()
        + p.encode(p.BINARY, b"early") + p.encode(p.TEXT, b"rst") +
        p.encode(p.CLOSE, struct.pack(">H", 1000)))
    t.is_(x.program.wait(), 74, "rst in the same segment as the answer")
    sock.close()


t.main()
