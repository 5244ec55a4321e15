# SPDX-License-Identifier: ISC
"""
Frames, heads and parameters of the extension "inetws", as inetws-protocol(7)
has them: what both the whole peer (inetws_peer) and the scripted one (Raw in
peer_raw) are made of.
"""

import base64
import hashlib
import os
import random
import re
import socket
import struct
import time

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NUMBER = r"(?:0|[1-9][0-9]{0,18})"
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAM = re.compile(r'[ \t]*;[ \t]*(%s)(?:=(?:(%s)|"(%s)"))?'
                   % (TOKEN, TOKEN, TOKEN))


class Fault(Exception):
    """The peer broke a rule."""


class Refused(Exception):
    def __init__(self, status, text="", fields=None):
        Exception.__init__(self, "%s %s" % (status, text))
        self.status = status
        self.fields = fields or {}


class Lost(Exception):
    pass


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
    known = ("v", "id", "win", "serve", "park", "resume", "n", "at")
    for name, value in params:
        if name not in known:
            continue
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
        raise ValueError("missing or out of place")
    if got["v"] != "2":
        raise ValueError("version")
    if not 1 <= len(got["id"] or "") <= 16:
        raise ValueError("id")
    got["win"] = number(got["win"]) if "win" in got else 262144
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
    """The agreed parameters; None: a plain peer.  ValueError: it fails."""
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
        raise Refused(int(m.group(1)), first, fields)
    if fields.get("sec-websocket-accept") != accept_of(key):
        raise Refused(0, "accept value")
    return fields, rest
