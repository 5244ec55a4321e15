# SPDX-License-Identifier: ISC
"""The settings of a peer, and the faults that it is to make."""

import random
import select
import socket
import struct
import time

from peer_frames import Decoder, Lost, encode


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
    """Makes no fault; subclasses override methods, tests set members."""

    eof_delta = 0                   # added to the count of eof
    ack_delta = 0                   # added to every ack
    withhold_acks = False           # or True
    mute = False                    # never answers a Ping, sends none

    def limits(self, no):
        """After how many bytes behind the handshake wire number no is cut:
        (sent, received, how); None: never.  how: "fin", "rst", or "silent" (it
        stays open and is not used any more)."""
        return None, None, "fin"

    def sent(self, tunnel, line):
        """Called when a control line was sent.  True: cut the wire."""
        return False

    def received(self, tunnel, line):
        """Called when a control line came, before it is used.  True: cut the
        wire."""
        return False

    def redial(self, tunnel, offer):
        """Changes the offer of a redial."""
        return offer

    def drop_answer(self, no):
        """
        Redial no: the dialler leaves after its request, or the acceptor after
        it took over, without the 101.
        """
        return False


class RandomFaults(Faults):
    """Cuts the first n wires at random places, which follow from a seed."""

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


class After(Faults):
    """Cuts the wire behind the first control lines that begin with a word."""

    def __init__(self, word, sending, times=3):
        self.word, self.sending, self.times = word, sending, times

    def hit(self, line):
        if self.times and line.startswith(self.word):
            self.times -= 1
            return True
        return False

    def sent(self, tunnel, line):
        return self.sending and self.hit(line)

    def received(self, tunnel, line):
        return not self.sending and self.hit(line)


class LastFrames(Faults):
    """Loses the wire together with the last of this side's eof and final ack:
    its peer has everything but the word for it."""

    def __init__(self):
        self.done = False

    def sent(self, tunnel, line):
        if tunnel.eof_sent and tunnel.final_sent and not self.done:
            self.done = True
            tunnel.wire.cut()           # with the line still unsent
        return False


def faulty(**kw):
    f = Faults()
    f.__dict__.update(kw)
    return f


class Redials(Faults):
    """Cuts the wire when the dialler has received n bytes, and changes the
    offer of its redials."""

    def __init__(self, change, n=1000, wires=1):
        self.change, self.n, self.wires = change, n, wires

    def limits(self, no):
        return (None, self.n if no < self.wires else None, "fin")

    def redial(self, tunnel, offer):
        return dict(offer, **self.change(tunnel))


class Silent(Faults):
    def limits(self, no):
        return (None, 2000, "silent") if no == 0 else (None, None, "fin")


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
        self.eof_sent = self.rst_sent = self.opening_sent = False
        self.final_sent = False
        self.received_at = self.sent_at = time.monotonic()
        self.close_at = None

    def put(self, opcode, payload=b""):
        self.out += encode(opcode, payload, self.dialler)
        self.sent_at = time.monotonic()

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
        """Reads what is there.  False at an end without Close."""
        n = 65536
        if self.recv_left is not None:
            n = min(n, self.recv_left)
            if n == 0:
                self.cut()
        if self.early:
            data, self.early = self.early[:n], self.early[n:]
        else:
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
        self.received_at = time.monotonic()
        self.decoder.feed(data)
        return True


def drop_silent():
    """Closes the connections that were cut silently."""
    while Wire.graveyard:
        Wire.graveyard.pop().close()
