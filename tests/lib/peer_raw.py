# SPDX-License-Identifier: ISC
"""Scripted conversations: a websocket that follows no rule by itself."""

import socket
import struct
import time

from peer_faults import reset
from peer_frames import (BINARY, CLOSE, Fault, PING, PONG, TEXT, accept_of,
                         answer, elements, encode, read_head, request, xor)


class Raw:
    """A websocket that the test drives frame by frame."""

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
    """Dials; a Raw behind its 101, or Refused with the status."""
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


def raw_accept(listener, reply=None, timeout=10, status=None, fields=""):
    """
    Accepts one connection and answers 101 with reply in the extensions'
    field: a string, None, or a function of the request's field.  With status:
    refuses and returns the request's fields.  fields: lines of the answer.
    """
    listener.settimeout(timeout)
    sock, _ = listener.accept()
    first, got, early = read_head(sock, time.monotonic() + timeout)
    field = got.get("sec-websocket-extensions")
    got["request"] = first
    if status is not None:
        sock.sendall(b"HTTP/1.1 %d No\r\nConnection: close\r\n%s"
                     b"Content-Length: 0\r\n\r\n" %
                     (status, fields.encode()))
        sock.close()
        return got
    if callable(reply):
        reply = reply(field)
    text = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" %
            accept_of(got["sec-websocket-key"]))
    if reply is not None:
        text += "Sec-WebSocket-Extensions: %s\r\n" % reply
    sock.sendall((text + fields + "\r\n").encode())
    raw = Raw(sock, False, early, got)
    for name, params in elements(field):
        if name == "inetws" and params is not None:
            raw.params = dict(params)
    return raw
