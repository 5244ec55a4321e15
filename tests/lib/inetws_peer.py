# SPDX-License-Identifier: ISC
"""
A client and a server of the websocket extension "inetws", written from
inetws-protocol(7) and the Python standard library alone.  Slow and plain, with
hooks for everything that can go wrong (class Faults).

    dial(host, port, path, stream, settings, faults) -> Tunnel, when it ended
    Server(target, settings, faults)                 -> .port, .tunnels, .stop()

and, for scripted conversations frame by frame, class Raw with raw_dial() and
raw_accept().
"""

import base64
import hashlib
import os
import queue
import random
import re
import select
import socket
import struct
import threading
import time

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NUMBER = r"(?:0|[1-9][0-9]{0,18})"
LINE = re.compile(
    r"(?:(open) (-|[0-9.]{7,15}:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5})"
    r"|(ok)|(fail) ([ -~]{1,120})|(eof) (%s)|(rst)|(ack) (%s))"
    % (NUMBER, NUMBER))
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAM = re.compile(r'[ \t]*;[ \t]*(%s)(?:=(?:(%s)|"(%s)"))?'
                   % (TOKEN, TOKEN, TOKEN))


class Fault(Exception):
    """The peer broke a rule."""


class Refused(Exception):
    def __init__(self, status, text=""):
        Exception.__init__(self, "%s %s" % (status, text))
        self.status = status


class Lost(Exception):
    pass


# Frames -------------------------------------------------------------------

def xor(data, key, phase=0):
    n = len(data)
    if n == 0:
        return b""
    key = key[phase % 4:] + key[:phase % 4]
    pad = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(data, "little") ^
            int.from_bytes(pad, "little")).to_bytes(n, "little")


def encode(opcode, payload=b"", mask=False, fin=True):
    n = len(payload)
    bit = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + xor(payload, key)


class Decoder:
    """Bytes in, events out; payload of binary messages as soon as it comes."""

    def __init__(self, masked):
        self.masked = masked        # what the peer must do
        self.raw = bytearray()
        self.left = None            # of a binary frame being taken
        self.message = None

    def feed(self, data):
        self.raw += data

    def events(self):
        while True:
            if self.left is not None:
                part = bytes(self.raw[:self.left])
                if part:
                    del self.raw[:len(part)]
                    out = xor(part, self.key, self.phase) if self.masked \
                        else part
                    self.phase += len(part)
                    self.left -= len(part)
                if self.left == 0:
                    self.left = None
                    if self.fin:
                        self.message = None
                if part:
                    yield ("data", out)
                if self.left is not None:
                    return
            if len(self.raw) < 2:
                return
            b0, b1 = self.raw[0], self.raw[1]
            fin, op, n, at = b0 >> 7, b0 & 15, b1 & 127, 2
            if b0 & 0x70 or op not in (0, 1, 2, 8, 9, 10):
                raise Fault("reserved bit or opcode")
            if (b1 >> 7) != (1 if self.masked else 0):
                raise Fault("masking")
            if op >= 8 and (n > 125 or not fin):
                raise Fault("control frame too long or fragmented")
            if n >= 126:
                size = 2 if n == 126 else 8
                if len(self.raw) < 2 + size:
                    return
                least = 126 if n == 126 else 65536
                n = int.from_bytes(self.raw[2:2 + size], "big")
                at += size
                if n < least or n >> 63:
                    raise Fault("length not minimal")
            if op == TEXT and (not fin or n > 125 or n == 0):
                raise Fault("text message is no control line")
            if op == CONT and self.message is None or \
               op in (TEXT, BINARY) and self.message is not None:
                raise Fault("continuation out of order")
            key = b""
            if self.masked:
                key = bytes(self.raw[at:at + 4])
                at += 4
            if len(self.raw) < at or op not in (BINARY, CONT) and \
               len(self.raw) < at + n:
                return
            if op in (BINARY, CONT):
                del self.raw[:at]
                self.message = BINARY
                self.fin, self.left, self.key, self.phase = fin, n, key, 0
                continue
            body = bytes(self.raw[at:at + n])
            del self.raw[:at + n]
            if self.masked:
                body = xor(body, key)
            if op == CLOSE:
                if n == 1:
                    raise Fault("close with one byte")
                code = struct.unpack(">H", body[:2])[0] if n else None
                yield ("close", code)
            else:
                yield ({TEXT: "text", PING: "ping", PONG: "pong"}[op], body)


# Heads and parameters ------------------------------------------------------

def read_head(sock, deadline, most=16384):
    data = b""
    while b"\r\n\r\n" not in data:
        left = deadline - time.monotonic()
        if left <= 0 or len(data) > most:
            raise Lost("no head")
        sock.settimeout(left)
        try:
            part = sock.recv(4096)
        except OSError as e:
            raise Lost("no head: %s" % e)
        if not part:
            raise Lost("bare end within the handshake")
        data += part
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        fields[name] = fields[name] + ", " + value if name in fields else value
    return lines[0], fields, rest


def accept_of(key):
    return base64.b64encode(
        hashlib.sha1(key.encode() + GUID).digest()).decode()


def elements(field):
    """The elements of Sec-WebSocket-Extensions: (name, [(param, value)])."""
    out = []
    for part in re.findall(r'(?:[^,"]|"[^"]*"?)+', field or ""):
        part = part.strip(" \t")
        m = re.match(TOKEN, part)
        if m is None:
            if part:
                out.append((part, None))
            continue
        name, at, params = m.group(0).lower(), m.end(), []
        while at < len(part):
            m = PARAM.match(part, at)
            if m is None:
                params = None
                break
            value = m.group(2) if m.group(2) is not None else m.group(3)
            params.append((m.group(1).lower(), value))
            at = m.end()
        out.append((name, params))
    return out


def number(text):
    if text is None or re.fullmatch(NUMBER, text) is None or \
       int(text) >= 1 << 63:
        raise ValueError("number")
    return int(text)


def check(params, answer, redial):
    """A dict of the parameters of one element, or ValueError."""
    if params is None:
        raise ValueError("syntax")
    got = {}
    for name, value in params:
        if name in got:
            raise ValueError("repeated " + name)
        got[name] = value
    redial = redial or not answer and got.get("resume") is not None
    must = {"v", "id"}
    may = {"win"}
    if redial:
        must |= {"resume", "at"} | (set() if answer else {"n"})
    else:
        may |= {"park", "resume"} | (set() if answer else {"serve"})
    if not must <= set(got) or not set(got) <= must | may:
        raise ValueError("missing or unknown")
    if got["v"] != "1":
        raise ValueError("version")
    if not 1 <= len(got["id"] or "") <= 16:
        raise ValueError("id")
    got["win"] = number(got["win"]) if "win" in got else 1048576
    if not 65536 <= got["win"] <= 16777216:
        raise ValueError("win")
    for flag in ("serve", "park"):
        if got.get(flag) is not None:
            raise ValueError(flag)
    if "serve" in got and "park" in got:
        raise ValueError("serve and park")
    if "resume" in got and (answer or redial) and \
       re.fullmatch(r"[0-9a-f]{32}", got["resume"] or "") is None:
        raise ValueError("resume")
    for name in ("n", "at"):
        if name in got:
            got[name] = number(got[name])
    if got.get("n") == 0:
        raise ValueError("n")
    return got


def read_offer(field):
    for name, params in elements(field):
        if name == "inetws":
            try:
                return check(params, False, False)
            except ValueError:
                pass
    return None


def read_answer(field, offer):
    """The agreed parameters; None: foreign.  ValueError: handshake fails."""
    found = elements(field)
    if not found:
        return None
    if len(found) != 1 or found[0][0] != "inetws":
        raise ValueError("extension that was not offered")
    params = found[0][1]
    if params is None:
        raise ValueError("syntax")
    ids = [v for k, v in params if k == "id"]
    if not ids or ids == [offer["id"]]:
        return None
    redial = offer.get("resume") is not None
    got = check(params, True, redial)
    if "park" in got and "park" not in offer or \
       "resume" in got and "resume" not in offer or \
       redial and got["resume"] != offer["resume"]:
        raise ValueError("not offered")
    return got


def write_params(params):
    out = ["inetws"]
    for name, value in params.items():
        if value is None:
            out.append(name)
        elif name == "resume":
            out.append('resume="%s"' % value)
        else:
            out.append("%s=%s" % (name, value))
    return "; ".join(out)


def log_id():
    return "".join(random.choice("abcdefghijkmnopqrstuvwxyz")
                   for _ in range(8))


# Settings and faults --------------------------------------------------------

class Settings:
    def __init__(self, **kw):
        self.win = 65536
        self.session = True         # ask for, or give, a session
        self.extension = True
        self.resume = 10.0
        self.linger = 5.0
        self.ping_interval = 5.0
        self.ping_timeout = 10.0
        self.handshake = 5.0
        self.retry = 0.02           # first delay between redials
        self.chunk = 65535          # largest frame
        self.headers = ""           # whole lines of a request
        self.addr = None            # dialler: ask for park and open ADDR
        self.serve = False          # dialler: offer serve
        self.visitor = None         # acceptor: a gate; stream of the visitor
        self.__dict__.update(kw)


class Faults:
    """Nothing goes wrong; override or set what shall."""

    eof_delta = 0                   # added to the count of eof
    ack_delta = 0                   # added to every ack
    withhold_acks = False           # or True
    mute = False                    # never answers a Ping, sends none

    def limits(self, no):
        """
        Of wire number no: after how many bytes sent and received behind the
        handshake it is cut (None: never), and how: "fin", "rst", or "silent"
        (not closed, just never looked at again).
        """
        return None, None, "fin"

    def sent(self, tunnel, line):
        """True: cut the wire once this control line has been sent."""
        return False

    def received(self, tunnel, line):
        """True: cut the wire now, before the line is looked at."""
        return False

    def redial(self, tunnel, offer):
        """The offer of a redial, to be changed."""
        return offer

    def drop_answer(self, no):
        """
        Redial no: the dialler leaves after its request, or the acceptor after
        it took over, without the 101.
        """
        return False


class RandomFaults(Faults):
    """Cuts the first n wires somewhere, from a seed."""

    def __init__(self, seed, n=5, most=200000, silent=False):
        self.random = random.Random(seed)
        self.n = n
        self.most = most
        self.hows = ["fin", "rst"] + (["silent"] if silent else [])

    def limits(self, no):
        if no >= self.n:
            return None, None, "fin"
        r = self.random
        # small numbers are likely: heads and lines of the first frames
        at = int(self.most ** r.random())
        how = r.choice(self.hows)
        return (at, None, how) if r.random() < .5 else (None, at, how)

    def drop_answer(self, no):
        return no < self.n and self.random.random() < .15


# The wire -------------------------------------------------------------------

def reset(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


class Wire:
    graveyard = []                  # silently abandoned ones stay open

    def __init__(self, sock, dialler, early, limits):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.dialler = dialler
        self.decoder = Decoder(not dialler)
        self.early = early
        self.send_left, self.recv_left, self.how = limits
        self.out = bytearray()
        self.cut_when_flushed = False
        self.close_sent = self.close_rcvd = False
        self.fresh = True
        self.acked = 0              # highest ack said on this wire
        self.eof_sent = self.rst_sent = self.word_said = False
        self.heard = self.said = time.monotonic()
        self.close_at = None

    def put(self, opcode, payload=b""):
        self.out += encode(opcode, payload, self.dialler)
        self.said = time.monotonic()

    def cut(self):
        if self.how == "silent":
            self.graveyard.append(self.sock)
        elif self.how == "rst":
            reset(self.sock)
        else:
            self.sock.close()
        raise Lost("cut")

    def flush(self):
        while self.out:
            n = len(self.out)
            if self.send_left is not None:
                n = min(n, self.send_left)
            if n == 0:
                self.cut()
            try:
                n = self.sock.send(memoryview(bytes(self.out[:n])))
            except BlockingIOError:
                return
            except OSError as e:
                raise Lost(str(e))
            del self.out[:n]
            if self.send_left is not None:
                self.send_left -= n
        if self.cut_when_flushed:
            self.cut()

    def read(self):
        """False at a bare end."""
        if self.early:
            data, self.early = self.early, b""
        else:
            n = 65536
            if self.recv_left is not None:
                n = min(n, self.recv_left)
                if n == 0:
                    self.cut()
            try:
                data = self.sock.recv(n)
            except BlockingIOError:
                return True
            except OSError as e:
                raise Lost(str(e))
            if self.recv_left is not None:
                self.recv_left -= len(data)
        if not data:
            return False
        self.heard = time.monotonic()
        self.decoder.feed(data)
        return True


def drop_silent():
    """Closes what was cut silently."""
    while Wire.graveyard:
        Wire.graveyard.pop().close()


# The tunnel -----------------------------------------------------------------

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
        self.params = None          # what the peer said of itself
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
        self.read_ended = False
        # the peer's
        self.waiting = bytearray()
        self.taken = self.delivered = 0
        self.acked = 0
        self.peer_eof = None
        self.shut = False
        self.delivered_at = None
        # open, ok
        self.role = None            # "asking", "serving" or None
        self.opened = self.okayed = False
        self.addr = settings.addr or "-"
        self.get_stream = None      # serving: addr -> stream
        self.rst_due = self.rst_rcvd = False
        self.failed = None          # text of fail, sent or received
        self.last_k = 0
        self.door = queue.Queue()
        self.bell, self.bell_in = socket.socketpair()
        self.bell.setblocking(False)
        self.ended = threading.Event()
        if stream is not None:
            stream.setblocking(False)

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
        """The second condition of a due Close, in a session."""
        return self.session is not None and self.read_ended and \
            self.next == self.total() == self.peer_ack and \
            self.peer_eof is not None and self.shut and \
            self.acked == self.delivered

    def due(self, wire):
        if self.over():
            return not self.rst_due or wire.rst_sent
        if not wire.eof_sent or self.peer_eof is None or not self.shut:
            return False
        if self.session is None:
            return True
        return self.complete() and wire.acked == self.delivered

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

    def stream_failed(self, why):
        self.why = self.why or why
        self.rst_due = True
        self.reset_stream()

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
            return self.stream_failed(str(e))
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
            except OSError as e:
                return self.stream_failed(str(e))
            del self.waiting[:n]
            self.delivered += n
            self.delivered_at = time.monotonic()
        if self.peer_eof is not None and not self.waiting and not self.shut \
           and self.stream is not None:
            self.shut = True
            try:
                self.stream.shutdown(socket.SHUT_WR)
            except OSError as e:
                self.stream_failed(str(e))

    # what is said

    def say(self, wire, line):
        self.lines.append((">", line))
        wire.put(TEXT, line.encode())
        if self.faults.sent(self, line):
            wire.cut_when_flushed = True

    def ack_wanted(self, wire):
        if self.session is None or self.faults.withhold_acks or self.over():
            return False
        if wire.fresh:
            return self.delivered > 0
        fresh = self.delivered - self.acked
        if self.peer_eof is not None and not self.waiting:
            return wire.acked < self.delivered
        return fresh >= self.win // 4 or fresh > 0 and \
            time.monotonic() >= self.delivered_at + .2

    def pump(self, wire):
        """Puts onto the wire what may be said now."""
        if wire.close_sent or wire.cut_when_flushed:
            return
        if self.ack_wanted(wire):
            self.acked = wire.acked = self.delivered
            self.say(wire, "ack %d" % (self.acked + self.faults.ack_delta))
        wire.fresh = False
        if self.next == 0 and not self.over() and not wire.word_said:
            if self.role == "asking":
                wire.word_said = self.opened = True
                self.say(wire, "open " + self.addr)
            elif self.role == "serving" and self.okayed:
                wire.word_said = True
                self.say(wire, "ok")
        if self.rst_due and not wire.rst_sent:
            wire.rst_sent = True
            if self.failed is None:
                self.say(wire, "rst")
            else:
                self.say(wire, "fail " + self.failed)
        talk = self.role is None or self.okayed or \
            self.role == "asking" and self.dialler and self.opened
        while talk and not self.over() and len(wire.out) < 65536 and \
                not wire.cut_when_flushed:
            n = min(self.total() - self.next, self.settings.chunk)
            if self.session is not None:
                n = min(n, self.peer_ack + self.peer_win - self.next)
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
            wire.eof_sent = True
            self.say(wire, "eof %d" % (self.next + self.faults.eof_delta))
        if self.due(wire):
            self.say_close(wire, 1000)

    def say_close(self, wire, code):
        if not wire.close_sent:
            wire.close_sent = True
            wire.close_at = time.monotonic()
            self.codes.append((">", code))
            wire.put(CLOSE, b"" if code is None else struct.pack(">H", code))

    # what is heard

    def take(self, wire):
        for kind, body in wire.decoder.events():
            if wire.close_rcvd:
                return
            if kind == "data":
                self.heard_data(body)
            elif kind == "text":
                line = body.decode("latin-1")
                self.lines.append(("<", line))
                if self.faults.received(self, line):
                    wire.cut()
                self.heard_line(line)
            elif kind == "ping":
                if not self.faults.mute and not wire.close_sent:
                    wire.put(PONG, body)
            elif kind == "close":
                wire.close_rcvd = True
                self.codes.append(("<", body))
                self.heard_close(wire, body)

    def heard_data(self, body):
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
        self.waiting += body

    def heard_line(self, line):
        m = LINE.fullmatch(line)
        if m is None and not self.over():
            raise Fault("malformed control line")
        if self.over():
            return
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
        if word == "ack":
            if self.session is None:
                raise Fault("ack without a session")
            if value < self.peer_ack or value > self.next:
                raise Fault("ack %d, had %d, sent %d" %
                            (value, self.peer_ack, self.next))
            self.peer_ack = value
            del self.kept[:value - self.base]
            self.base = value
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
            self.reset_stream()

    def serve(self):
        try:
            self.stream = self.get_stream(self.addr)
            self.stream.setblocking(False)
            self.okayed = True
        except OSError as e:
            self.failed = str(e)[:100] or "failed"
            self.rst_due = True

    def heard_close(self, wire, code):
        if code == 1000:
            both = self.read_ended and self.next == self.total() and \
                self.peer_eof is not None and \
                (wire.eof_sent or self.complete())
            waits = self.role is not None and not self.opened
            if self.over() or waits or both and \
               (self.session is None or self.peer_ack == self.total()):
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
        Goes on until: "done"; "lost"; "redial" (somebody is at the door);
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
            if first:
                first = False
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
                if self.outcome is not None:
                    return "done"
            if until is not None and now >= until:
                return "time"
            self.poll(wire, max(0, limit - now))
            if not self.door.empty():
                return "redial"

    def poll(self, wire, timeout):
        rd, wr = [self.bell], []
        if wire is not None:
            if self.session is not None or len(self.waiting) < 262144:
                rd.append(wire.sock)
            else:
                wire.heard = time.monotonic()
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
            due = min(wire.heard, wire.said) + s.ping_interval
            if now >= due:
                if now >= getattr(wire, "pinged", 0) + s.ping_interval:
                    wire.put(PING, b"?")
                    wire.pinged = now
                    wire.flush()
                due = wire.pinged + s.ping_interval
            at = min(at, due)
        if s.ping_timeout:
            due = wire.heard + s.ping_timeout
            if now >= due:
                raise Lost("ping timeout")
            at = min(at, due)
        if wire.close_sent:
            due = wire.close_at + s.linger
            if now >= due:
                self.lost_why = "no Close came"
                self.lost()
                return now
            at = min(at, due)
        return at

    def finish(self):
        """Both have closed, or it does not matter any more."""
        if self.failed is not None:
            self.end("stream-reset" if self.rst_due else "peer-reset",
                     self.failed)
        elif self.rst_rcvd:
            self.end("peer-reset")
        elif self.rst_due:
            self.end("stream-reset", self.why)
        elif self.session is not None and not self.complete():
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
        """The peer has taken so much: False if that cannot be."""
        if self.over():
            return True
        if at < self.peer_ack or at > self.top:
            return False
        self.next = at
        return True


# The dialler ----------------------------------------------------------------

def request(sock, host, path, offer, headers, deadline):
    """One handshake.  The fields of the 101 and the bytes behind it."""
    key = base64.b64encode(os.urandom(16)).decode()
    text = ("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: %s\r\n%s" % (path, host, key, headers))
    if offer:
        text += "Sec-WebSocket-Extensions: %s\r\n" % offer
    sock.sendall((text + "\r\n").encode())
    return key


def answer(sock, key, deadline):
    first, fields, rest = read_head(sock, deadline)
    m = re.fullmatch(r"HTTP/1\.[01] ([0-9]{3})(?: .*)?", first)
    if m is None:
        raise Refused(0, "no HTTP")
    if m.group(1) != "101":
        raise Refused(int(m.group(1)), first)
    if fields.get("sec-websocket-accept") != accept_of(key):
        raise Refused(0, "accept value")
    return fields, rest


def dial(host, port, path, stream, settings=None, faults=None,
         get_stream=None):
    """Runs a whole tunnel; returns when it has ended.  Refused, Lost."""
    settings, faults = settings or Settings(), faults or Faults()
    t = Tunnel(True, stream, settings, faults)
    t.my_id = log_id()
    offer = {"v": 1, "id": t.my_id, "win": settings.win}
    if settings.addr is not None:
        offer["park"] = None
    if settings.serve:
        offer["serve"] = None
        t.role, t.get_stream = "serving", get_stream
    if settings.session:
        offer["resume"] = None
    deadline = time.monotonic() + settings.handshake
    sock = socket.create_connection((host, port), settings.handshake)
    try:
        key = request(sock, host, path,
                      write_params(offer) if settings.extension else None,
                      settings.headers, deadline)
        fields, early = answer(sock, key, deadline)
        got = read_answer(fields.get("sec-websocket-extensions"), offer)
        if got is None:
            raise Refused(101, "foreign")
    except BaseException:
        sock.close()
        if stream is not None:
            reset(stream)
        raise
    t.params, t.session, t.peer_win = got, got.get("resume"), got["win"]
    if "park" in got:
        t.role = "asking"
    wire = Wire(sock, True, early, faults.limits(0))
    while True:
        state = t.run(wire)
        if state == "done":
            break
        if t.session is None or not t.begun() or \
           not redial(t, host, port, path):
            t.lost()
            break
        wire = t.new_wire
    t.ended.set()
    return t


def redial(t, host, port, path):
    """True: t.new_wire is the next one."""
    s, gone, delay = t.settings, 0, t.settings.retry
    ends = t.complete() or t.over()
    limit = time.monotonic() + (s.linger if ends else s.resume)
    k = 0
    while time.monotonic() < limit:
        if k:
            if t.run(None, time.monotonic() +
                     delay * random.uniform(.5, 1.5)) == "done":
                return False
            delay = min(delay * 2, 1)
        k += 1
        t.last_k += 1
        status = attempt(t, host, port, path)
        if status == 101:
            t.resumes += 1
            return True
        if status == 410:
            gone += 1
            if ends or gone == 5:
                t.lost_why = "410"
                return False
        elif status is not None and status != 408 and status != 429 and \
                status < 500:
            t.lost_why = "refused: %d" % status
            return False
        else:
            gone = 0
    return False


def attempt(t, host, port, path):
    """The status; None: no answer; 0: an answer to give up over."""
    offer = t.faults.redial(t, {
        "v": 1, "id": t.my_id, "win": t.win, "resume": t.session,
        "n": t.last_k, "at": t.taken})
    no = t.wires
    t.wires += 1
    deadline = time.monotonic() + t.settings.handshake
    sock = None
    try:
        sock = socket.create_connection((host, port), t.settings.handshake)
        key = request(sock, host, path, write_params(offer),
                      t.settings.headers, deadline)
        if t.faults.drop_answer(no):
            raise Lost("answer dropped")
        fields, early = answer(sock, key, deadline)
        got = read_answer(fields.get("sec-websocket-extensions"), offer)
    except Refused as e:
        sock.close()
        return e.status
    except ValueError:
        sock.close()
        return 0
    except (OSError, Lost):
        if sock is not None:
            sock.close()
        return None
    if got is None:
        sock.close()
        return 410
    if not t.replay_from(got["at"]):
        sock.close()
        return 0
    t.new_wire = Wire(sock, True, early, t.faults.limits(no))
    return 101


# The acceptor ---------------------------------------------------------------

class Server:
    """
    target() -> connected socket, or OSError (502).  Each tunnel runs in a
    thread of its own.
    """

    def __init__(self, target, settings=None, faults=None, port=0):
        self.target = target
        self.settings = settings or Settings()
        self.faults = faults or Faults()
        self.sessions = {}
        self.tunnels = []
        self.statuses = []          # of everything but a 101
        self.offers = []            # fields as they came
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.stopped = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopped:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            th = threading.Thread(target=self.serve, args=(sock,),
                                  daemon=True)
            th.start()
            self.threads.append(th)

    def stop(self):
        self.stopped = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def join(self, seconds):
        limit = time.monotonic() + seconds
        for th in list(self.threads):
            th.join(max(0, limit - time.monotonic()))
        return not any(th.is_alive() for th in self.threads)

    def refuse(self, sock, status, text):
        self.statuses.append(status)
        body = text + "\r\n"
        try:
            sock.settimeout(2)
            sock.sendall(("HTTP/1.1 %d %s\r\nConnection: close\r\n"
                          "Content-Length: %d\r\n\r\n%s" %
                          (status, text, len(body), body)).encode())
        except OSError:
            pass
        sock.close()

    def write_101(self, sock, key, params):
        text = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" %
                accept_of(key))
        if params is not None:
            text += "Sec-WebSocket-Extensions: %s\r\n" % write_params(params)
        sock.settimeout(5)
        sock.sendall((text + "\r\n").encode())

    def serve(self, sock):
        s = self.settings
        try:
            first, fields, early = read_head(
                sock, time.monotonic() + s.handshake)
        except Lost:
            sock.close()
            return
        key = fields.get("sec-websocket-key")
        if not first.startswith("GET ") or key is None:
            return self.refuse(sock, 426, "Upgrade Required")
        field = fields.get("sec-websocket-extensions")
        self.offers.append(field)
        offer = read_offer(field) if s.extension else None
        if offer is not None and offer.get("resume") is not None:
            with self.lock:
                t = self.sessions.get(offer["resume"])
                if t is not None:
                    t.door.put((sock, key, offer, early))
                    t.bell_in.send(b"!")
            if t is None:
                self.refuse(sock, 410, "no session")
            return
        if offer is None:
            return self.refuse(sock, 400, "inetws only")
        if ("serve" in offer) != (s.visitor is not None):
            return self.refuse(sock, 400, "serve")
        self.tunnel(sock, key, offer, early)

    def tunnel(self, sock, key, offer, early):
        s = self.settings
        t = Tunnel(False, None, s, self.faults)
        try:
            if "serve" in offer:
                t.role, t.stream = "asking", s.visitor()
            elif "park" in offer:
                t.role, t.get_stream = "serving", lambda addr: self.target()
            else:
                t.stream = self.target()
        except OSError:
            return self.refuse(sock, 502, "target")
        if t.stream is not None:
            t.stream.setblocking(False)
        t.params, t.peer_win, t.my_id = offer, offer["win"], log_id()
        t.reply = {"v": 1, "id": t.my_id, "win": s.win}
        if "park" in offer:
            t.reply["park"] = None
        if "resume" in offer and s.session:
            t.session = os.urandom(16).hex()
            t.reply["resume"] = t.session
            with self.lock:
                self.sessions[t.session] = t
        self.tunnels.append(t)
        try:
            self.write_101(sock, key, t.reply)
        except OSError:
            t.session = None
        self.keep(t, Wire(sock, False, early, self.faults.limits(0)))
        with self.lock:
            self.sessions.pop(t.session, None)
            while not t.door.empty():
                self.refuse(t.door.get()[0], 410, "no session")
        t.ended.set()

    def keep(self, t, wire):
        limit = None
        while True:
            state = t.run(wire, limit)
            if state == "done":
                return
            if state == "lost":
                if t.session is None or not t.begun():
                    return t.lost()
                wire = None
                limit = time.monotonic() + \
                    (self.settings.linger if t.complete() or t.over()
                     else self.settings.resume)
            elif state == "time":
                t.lost_why = "no redial came"
                return t.lost()
            else:
                state, new = self.at_the_door(t, wire)
                if state == "end":
                    return
                if state == "taken":
                    wire = new
                    limit = None if new is not None else \
                        time.monotonic() + self.settings.resume

    def at_the_door(self, t, wire):
        """
        ("same", None): the old wire goes on.  ("taken", the new one, or None
        if it was lost at once).  ("end", None).
        """
        sock, key, offer, early = t.door.get()
        if offer["n"] <= t.last_k or not t.begun():
            self.refuse(sock, 410, "no session")
            return "same", None
        if not t.over() and not t.peer_ack <= offer["at"] <= t.top:
            self.refuse(sock, 410, "no session")
            t.end("fault", "at %d" % offer["at"])
            if wire is not None:
                wire.sock.close()
            return "end", None
        t.last_k = offer["n"]
        if wire is not None:
            wire.sock.close()
        no = t.wires
        t.wires += 1
        t.replay_from(offer["at"])
        reply = {"v": 1, "id": t.my_id, "win": t.win, "resume": t.session,
                 "at": t.taken}
        try:
            if self.faults.drop_answer(no):
                raise OSError("dropped")
            self.write_101(sock, key, reply)
        except OSError:
            sock.close()
            return "taken", None
        t.resumes += 1
        return "taken", Wire(sock, False, early, self.faults.limits(no))


# Scripted conversations ---------------------------------------------------

class Raw:
    """A websocket, frame by frame, without any rule of its own."""

    def __init__(self, sock, dialler, early=b"", fields=None):
        self.sock = sock
        self.dialler = dialler
        self.buf = early
        self.fields = fields or {}
        self.params = None          # of the peer's extension

    def send(self, opcode, payload=b"", fin=True, mask=None):
        if isinstance(payload, str):
            payload = payload.encode()
        self.sock.sendall(encode(
            opcode, payload, self.dialler if mask is None else mask, fin))

    def text(self, line):
        self.send(TEXT, line)

    def data(self, payload):
        self.send(BINARY, payload)

    def closing(self, code=1000):
        self.send(CLOSE, b"" if code is None else struct.pack(">H", code))

    def need(self, n):
        while len(self.buf) < n:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self.buf += part

    def frame(self, timeout=5, pings=False):
        """
        The next frame: (opcode, payload), a Close as (8, code).  Pings are
        answered and, like Pongs, left out unless asked for.  EOFError at the
        end, ConnectionResetError, socket.timeout.
        """
        limit = time.monotonic() + timeout
        while True:
            self.sock.settimeout(max(.01, limit - time.monotonic()))
            self.need(2)
            op, n, at = self.buf[0] & 15, self.buf[1] & 127, 2
            if (self.buf[1] >> 7) == self.dialler:
                raise Fault("masking")
            if n >= 126:
                size = 2 if n == 126 else 8
                self.need(2 + size)
                n = int.from_bytes(self.buf[2:2 + size], "big")
                at += size
            key = b""
            if not self.dialler:
                self.need(at + 4)
                key = self.buf[at:at + 4]
                at += 4
            self.need(at + n)
            body = self.buf[at:at + n]
            self.buf = self.buf[at + n:]
            if key:
                body = xor(body, key)
            if op == PING and not pings:
                try:
                    self.send(PONG, body)
                except OSError:
                    pass
                continue
            if op == PONG and not pings:
                continue
            if op == CLOSE:
                return op, struct.unpack(">H", body[:2])[0] if n else None
            return op, body.decode() if op == TEXT else body

    def until(self, want, timeout=5):
        """Frames up to and with the first that is want; Fault at the end."""
        seen = []
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            seen.append(self.frame(max(.01, limit - time.monotonic())))
            if seen[-1] == want:
                return seen
        raise socket.timeout("no %r in %r" % (want, seen))

    def lines_to_close(self, timeout=5):
        """All up to the Close: (lines, data, code)."""
        lines, data = [], b""
        limit = time.monotonic() + timeout
        while True:
            op, body = self.frame(max(.01, limit - time.monotonic()))
            if op == CLOSE:
                return lines, data, body
            if op == TEXT:
                lines.append(body)
            else:
                data += body

    def drop(self, how="fin"):
        if how == "rst":
            reset(self.sock)
        else:
            self.sock.close()


def raw_dial(host, port, path="/", offer=None, headers="", timeout=5):
    """A Raw after its 101, or Refused with the status."""
    sock = socket.create_connection((host, port), timeout)
    deadline = time.monotonic() + timeout
    try:
        key = request(sock, host, path, offer, headers, deadline)
        fields, early = answer(sock, key, deadline)
    except BaseException:
        sock.close()
        raise
    raw = Raw(sock, True, early, fields)
    for name, params in elements(fields.get("sec-websocket-extensions")):
        if name == "inetws" and params is not None:
            raw.params = dict(params)
    return raw


def raw_accept(listener, reply=None, timeout=10, status=None):
    """
    Accepts one connection and answers 101 with reply in the extensions'
    field: a string, None, or a function of the request's field.  With status:
    refuses and returns None.
    """
    listener.settimeout(timeout)
    sock, _ = listener.accept()
    first, fields, early = read_head(sock, time.monotonic() + timeout)
    field = fields.get("sec-websocket-extensions")
    fields["request"] = first
    if status is not None:
        sock.sendall(b"HTTP/1.1 %d No\r\nConnection: close\r\n"
                     b"Content-Length: 0\r\n\r\n" % status)
        sock.close()
        return fields
    if callable(reply):
        reply = reply(field)
    text = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" %
            accept_of(fields["sec-websocket-key"]))
    if reply is not None:
        text += "Sec-WebSocket-Extensions: %s\r\n" % reply
    sock.sendall((text + "\r\n").encode())
    raw = Raw(sock, False, early, fields)
    for name, params in elements(field):
        if name == "inetws" and params is not None:
            raw.params = dict(params)
    return raw
