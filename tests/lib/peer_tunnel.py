# SPDX-License-Identifier: ISC
"""One side of a tunnel between two inetws; dialler and acceptor alike."""

import fcntl
import queue
import re
import select
import socket
import struct
import termios
import threading
import time

from peer_faults import reset
from peer_frames import BINARY, CLOSE, Fault, Lost, NUMBER, PING, PONG, TEXT

LINE = re.compile(
    r"(?:(open) (-|[0-9.]{7,15}:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5})"
    r"|(ok)|(fail) ([ -~]{1,120})|(eof) (%s)|(rst)|(ack) (%s)(?: (%s))?)"
    % (NUMBER, NUMBER, NUMBER))


class Tunnel:
    """
    One side.  outcome: None while it goes on, then "ended", "stream-reset",
    "peer-reset", "closed" (with trouble), "fault", "lost".
    """

    def __init__(self, dialler, stream, settings, faults):
        self.dialler = dialler
        self.stream = stream
        self.settings = settings
        self.faults = faults
        self.session = None
        self.params = None          # the parameters of the peer
        self.my_id = None
        self.win = settings.win
        self.peer_win = None
        self.outcome = None
        self.why = ""
        self.wires = 1
        self.resumes = 0
        self.lines = []             # every control line: (">" or "<", text)
        self.codes = []             # Close codes, likewise
        self.most_kept = 0
        # own direction
        self.kept = bytearray()     # from position base on
        self.base = self.next = self.top = 0
        self.peer_ack = 0
        self.limit = 0              # what the peer permits
        self.eof_acked = False      # by "ack N"
        self.final_sent = False     # our "ack N"
        self.read_ended = self.eof_sent = False
        # the peer's
        self.waiting = bytearray()
        self.taken = self.delivered = 0
        self.acked = 0
        self.peer_eof = None
        self.shut = False
        self.refused = False        # the stream has not taken all
        self.delivered_at = None
        # open, ok
        self.role = None            # "asking", "serving" or None
        self.opened = self.okayed = False
        self.addr = settings.addr or "-"
        self.get_stream = None      # serving: addr -> stream
        self.rst_due = self.rst_rcvd = False
        self.failed = None          # text of fail, sent or received
        self.last_k = 0
        self.redials = queue.Queue()
        self.bell, self.bell_in = socket.socketpair()
        self.bell.setblocking(False)
        self.ended = threading.Event()
        if stream is not None:
            stream.setblocking(False)

    def close(self):
        """Frees the tunnel, which is not used any more."""
        self.bell.close()
        self.bell_in.close()
        self.ended.set()

    # what is true of it

    def begun(self):
        return self.role is None or self.okayed or \
            self.role == "asking" and self.dialler and self.opened or \
            self.role == "serving" and not self.dialler and self.opened

    def over(self):
        return self.rst_due or self.rst_rcvd or self.failed is not None

    def total(self):
        return self.base + len(self.kept)

    def complete(self):
        """Is the second condition of a due Close true (inetws-protocol(7),
        Close)?"""
        return self.eof_acked and self.shut

    def due(self, wire):
        if self.over():
            return not self.rst_due or wire.rst_sent
        return self.complete() and wire.eof_sent and wire.final_sent

    def end(self, outcome, why=""):
        if self.outcome is None:
            self.outcome, self.why = outcome, why
        if self.stream is not None:
            if outcome == "ended":
                self.stream.close()
            else:
                reset(self.stream)
            self.stream = None

    def reset_stream(self):
        if self.stream is not None:
            reset(self.stream)
            self.stream = None
        self.waiting.clear()
        del self.kept[:]
        self.base = self.next

    def await_network(self):
        """A stream that has been shown the end of file is not reset before the
        network has taken what came before."""
        limit = time.monotonic() + self.settings.linger
        while self.shut and self.stream is not None and \
                time.monotonic() < limit:
            left = fcntl.ioctl(self.stream, termios.TIOCOUTQ, b"\0" * 4)
            if left == b"\0" * 4:
                break
            time.sleep(.005)

    def stream_failed(self, why):
        self.why = self.why or why
        self.rst_due = True
        self.reset_stream()

    def refuse(self):
        """The stream takes no more: what comes for it is dropped, and its own
        direction goes on to its end."""
        self.refused = True
        self.waiting.clear()

    # the stream

    def room(self):
        return len(self.kept) < \
            (self.peer_win if self.session else 65536) + 65536

    def read_stream(self):
        try:
            data = self.stream.recv(65536)
        except BlockingIOError:
            return
        except OSError as e:
            if self.stream.family != socket.AF_UNIX:
                return self.stream_failed(str(e))
            # it was closed with input unread: all it sent has come before
            self.refuse()
            data = b""
        if data:
            self.kept += data
            self.most_kept = max(self.most_kept, len(self.kept))
        else:
            self.read_ended = True

    def write_stream(self):
        while self.waiting and self.stream is not None:
            try:
                n = self.stream.send(bytes(self.waiting[:65536]))
            except BlockingIOError:
                return
            except BrokenPipeError:
                return self.refuse()
            except OSError as e:
                return self.refuse() if self.read_ended else \
                    self.stream_failed(str(e))
            del self.waiting[:n]
            self.delivered += n
            self.delivered_at = time.monotonic()
        if self.peer_eof is not None and not self.waiting and not self.shut \
           and not self.refused and self.stream is not None:
            self.shut = True
            try:
                self.stream.shutdown(socket.SHUT_WR)
            except OSError as e:
                self.stream_failed(str(e))

    # what is sent

    def send_line(self, wire, line):
        self.lines.append((">", line))
        wire.put(TEXT, line.encode())
        if self.faults.sent(self, line):
            wire.cut_when_flushed = True

    def ack_wanted(self, wire):
        if self.session is None or self.faults.withhold_acks or \
                self.over() or self.shut:
            return False
        if wire.fresh:
            return self.delivered > 0
        fresh = self.delivered - self.acked
        return fresh >= self.win // 4 or fresh > 0 and \
            time.monotonic() >= self.delivered_at + .2

    def pump(self, wire):
        """Sends what may be sent now."""
        if wire.close_sent or wire.cut_when_flushed:
            return
        if self.ack_wanted(wire):
            self.acked = self.delivered
            self.send_line(wire, "ack %d %d" % (
                self.acked + self.faults.ack_delta, self.win))
        if self.shut and not wire.final_sent and not self.over() and \
                not self.faults.withhold_acks:
            self.acked = self.delivered
            wire.final_sent = self.final_sent = True
            self.send_line(wire, "ack %d" % (
                self.acked + self.faults.ack_delta))
        wire.fresh = False
        if self.next == 0 and not self.over() and not wire.opening_sent:
            if self.role == "asking":
                wire.opening_sent = self.opened = True
                self.send_line(wire, "open " + self.addr)
            elif self.role == "serving" and self.okayed:
                wire.opening_sent = True
                self.send_line(wire, "ok")
        if self.refused and self.eof_acked and not self.over():
            self.stream_failed("the stream has not taken all")
        if self.rst_due and not wire.rst_sent:
            wire.rst_sent = True
            if self.failed is None:
                self.send_line(wire, "rst")
            else:
                self.send_line(wire, "fail " + self.failed)
        talk = self.role is None or self.okayed or \
            self.role == "asking" and self.dialler and self.opened
        while talk and not self.over() and len(wire.out) < 65536 and \
                not wire.cut_when_flushed:
            n = min(self.total() - self.next, self.settings.chunk)
            if self.session is not None:
                n = min(n, max(self.limit, self.peer_win) - self.next)
            if n <= 0:
                break
            at = self.next - self.base
            wire.put(BINARY, bytes(self.kept[at:at + n]))
            self.next += n
            self.top = max(self.top, self.next)
            if self.session is None:
                del self.kept[:n]
                self.base = self.next
        if talk and self.read_ended and self.next == self.total() and \
           not wire.eof_sent and not self.over():
            wire.eof_sent = self.eof_sent = True
            self.send_line(wire, "eof %d" % (
                self.next + self.faults.eof_delta))
        if self.due(wire):
            self.say_close(wire, 1000)

    def say_close(self, wire, code):
        if not wire.close_sent:
            wire.close_sent = True
            wire.close_at = time.monotonic()
            self.codes.append((">", code))
            wire.put(CLOSE, b"" if code is None else struct.pack(">H", code))

    # what is received

    def take(self, wire):
        for kind, body in wire.decoder.events():
            if wire.close_rcvd:
                return
            if kind == "data":
                self.received_data(body)
            elif kind == "text":
                line = body.decode("latin-1")
                self.lines.append(("<", line))
                if self.faults.received(self, line):
                    wire.cut()
                self.received_line(line)
            elif kind == "ping":
                if not self.faults.mute and not wire.close_sent:
                    wire.put(PONG, body)
            elif kind == "close":
                wire.close_rcvd = True
                self.codes.append(("<", body))
                self.received_close(wire, body)

    def received_data(self, body):
        if self.over():
            return
        if self.peer_eof is not None:
            raise Fault("data after eof")
        if self.role == "serving" and not self.opened or \
           self.role == "asking" and not self.okayed:
            raise Fault("data before open or ok")
        if self.role == "serving" and self.dialler and not self.okayed:
            raise Fault("data before ok")
        self.taken += len(body)
        if self.session is not None and self.taken - self.acked > self.win:
            raise Fault("more than the window")
        if not self.refused:
            self.waiting += body

    def received_line(self, line):
        if self.over():
            return
        m = LINE.fullmatch(line)
        if m is None:
            raise Fault("malformed control line")
        got = [g for g in m.groups() if g is not None]
        word = got[0]
        value = None
        if word in ("eof", "ack"):
            value = int(got[1])
            if value >= 1 << 63:
                raise Fault("number too large")
        if word == "open":
            if self.role != "serving" or self.opened and got[1] != self.addr:
                raise Fault("open")
            if not self.opened:
                self.opened, self.addr = True, got[1]
                self.serve()
            return
        if word in ("ok", "fail"):
            if self.role != "asking" or not self.opened:
                raise Fault(word)
            if word == "ok":
                self.okayed = True
            elif self.okayed:
                raise Fault("fail after ok")
            else:
                self.failed = got[1]
                self.reset_stream()
            return
        if word == "ack" and len(got) == 2:
            if not self.eof_sent or value != self.total():
                raise Fault("ack %d answers no eof" % value)
            self.eof_acked = True
            self.acknowledged(value)
            return
        if word == "ack":
            if self.session is None:
                raise Fault("ack with credit without a session")
            limit = value + int(got[2])
            if value < self.peer_ack or value > self.next or \
                    limit < max(self.limit, self.peer_win) or limit >> 63:
                raise Fault("%s, had %d, sent %d, limit %d" %
                            (line, self.peer_ack, self.next, self.limit))
            self.limit = limit
            self.acknowledged(value)
            return
        if self.role == "serving" and not self.opened or \
           self.role == "asking" and not self.okayed and word == "eof":
            raise Fault("%s before open or ok" % word)
        if word == "eof":
            if self.peer_eof is None:
                if value != self.taken:
                    raise Fault("eof %d after %d bytes" % (value, self.taken))
                self.peer_eof = value
            elif self.peer_eof != value:
                raise Fault("another eof")
        else:
            self.rst_rcvd = True
            self.await_network()
            self.reset_stream()

    def acknowledged(self, value):
        self.peer_ack = value
        if value > self.base:
            del self.kept[:value - self.base]
            self.base = value

    def serve(self):
        try:
            self.stream = self.get_stream(self.addr)
            self.stream.setblocking(False)
            self.okayed = True
        except OSError as e:
            self.failed = str(e)[:100] or "failed"
            self.rst_due = True

    def received_close(self, wire, code):
        waits = self.role is not None and not self.opened
        if self.over() or waits and code in (1000, 1001):
            return
        if code == 1000:
            if self.complete() and self.final_sent:
                return
            raise Fault("Close 1000 out of order")
        if code in (1001, 1012):
            self.say_close(wire, code)
            try:
                wire.flush()
            except Lost:
                pass
            raise Lost("Close %d" % code)
        self.say_close(wire, code)
        self.reset_stream()
        self.outcome, self.why = "closed", "Close %s" % code

    # the loop

    def run(self, wire, until=None):
        """
        Goes on until: "done"; "lost"; "redial" (a redial waits);
        "time" (until has come).  Without a wire it serves the stream only.
        """
        self.wire = wire
        try:
            return self.run_wire(wire, until)
        except Fault as e:
            self.end("fault", str(e))
            if wire is not None:
                self.say_close(wire, 1002)
                self.farewell(wire)
            return "done"
        except Lost as e:
            self.lost_why = str(e)
            if wire is not None and wire.how != "silent":
                wire.sock.close()
            return "lost"
        finally:
            self.wire = None

    def run_wire(self, wire, until):
        first = wire is not None and bool(wire.early)
        while True:
            while first and wire.early:
                wire.read()
                self.take(wire)
            if self.outcome == "closed":
                self.farewell(wire)
                return "done"
            self.write_stream()
            if wire is not None:
                self.pump(wire)
                wire.flush()
                if wire.close_sent and wire.close_rcvd and not wire.out:
                    self.finish()
                    self.farewell(wire)
                    return "done"
            now = time.monotonic()
            limit = now + 5
            if until is not None:
                limit = min(limit, until)
            if wire is not None:
                limit = min(limit, self.timers(wire, now))
            # one bell may have rung for several
            if self.redials.empty():
                if until is not None and now >= until:
                    return "time"
                self.poll(wire, max(0, limit - now))
            if not self.redials.empty():
                return "redial"

    def poll(self, wire, timeout):
        rd, wr = [self.bell], []
        if wire is not None:
            if self.session is not None or len(self.waiting) < 262144:
                rd.append(wire.sock)
            else:
                wire.received_at = time.monotonic()
            if wire.out:
                wr.append(wire.sock)
        if self.stream is not None:
            if not self.read_ended and self.room():
                rd.append(self.stream)
            if self.waiting:
                wr.append(self.stream)
        r, w, _ = select.select(rd, wr, [], timeout)
        if self.bell in r:
            self.bell.recv(100)
        if self.stream is not None and self.stream in r:
            self.read_stream()
        if wire is not None and wire.sock in r:
            more = wire.read()
            self.take(wire)
            if not more:
                if wire.close_rcvd and (self.over() or self.shut):
                    wire.out.clear()
                    wire.close_sent = True
                else:
                    raise Lost("bare end")

    def timers(self, wire, now):
        s = self.settings
        at = now + 5
        if self.session is not None and self.delivered > self.acked:
            # an acknowledgement that is late already is being withheld
            due = self.delivered_at + .2
            at = min(at, due if due > now else now + .05)
        if s.ping_interval and not self.faults.mute and not wire.close_sent:
            due = min(wire.received_at, wire.sent_at) + s.ping_interval
            if now >= due:
                if now >= getattr(wire, "pinged", 0) + s.ping_interval:
                    wire.put(PING, b"?")
                    wire.pinged = now
                    wire.flush()
                due = wire.pinged + s.ping_interval
            at = min(at, due)
        if s.ping_timeout:
            due = wire.received_at + s.ping_timeout
            if now >= due:
                raise Lost("ping timeout")
            at = min(at, due)
        if wire.close_sent:
            due = wire.close_at + s.linger
            if now >= due:
                raise Lost("no Close came")
            at = min(at, due)
        return at

    def finish(self):
        """Both sides have closed, or it does not matter any more."""
        if self.failed is not None:
            self.end("stream-reset" if self.rst_due else "peer-reset",
                     self.failed)
        elif self.rst_rcvd:
            self.end("peer-reset")
        elif self.rst_due:
            self.end("stream-reset", self.why)
        elif not self.complete():
            self.end("lost", "never opened" if not self.begun() else "")
        else:
            self.end("ended")

    def farewell(self, wire):
        """Sends what is left, then ends the wire: the acceptor first."""
        limit = time.monotonic() + self.settings.linger
        try:
            while wire.out and time.monotonic() < limit:
                select.select([], [wire.sock], [], .2)
                wire.flush()
            if self.dialler or not wire.close_rcvd:
                if not self.dialler:
                    wire.sock.shutdown(socket.SHUT_WR)
                while time.monotonic() < limit:
                    r, _, _ = select.select([wire.sock], [], [], .2)
                    if r and not wire.read():
                        break
        except (OSError, Lost):
            pass
        wire.sock.close()

    def lost(self):
        """The session is given up."""
        if self.complete():
            self.end("ended")
        elif self.rst_rcvd or self.rst_due:
            self.finish()
        else:
            self.end("lost", getattr(self, "lost_why", ""))

    def replay_from(self, at):
        """The peer has taken this many bytes: False if that is not possible.
        """
        if self.over():
            return True
        if at < self.peer_ack or at > self.top:
            return False
        self.next = at
        return True
