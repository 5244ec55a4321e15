# SPDX-License-Identifier: ISC
"""A websocket peer that can send any byte, right or wrong.

frame() builds any frame, right or wrong.  WebSocket is either end of a
connection whose handshake is done; connect() dials one and WSServer (in
peers.py) accepts them.
"""

import base64
import collections
import hashlib
import os
import socket
import struct
import time

import proc

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NEVER_SENT = (1005, 1006, 1015)         # codes that no frame may have
GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

Frame = collections.namedtuple('Frame', 'fin rsv opcode masked payload')
Answer = collections.namedtuple('Answer', 'status reason headers body')


def mask(payload, key):
    """XOR with a key of four bytes, fast enough for many megabytes."""
    n = len(payload)
    if n == 0 or key == b'\0\0\0\0':
        return bytes(payload)
    pad = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(payload, 'little') ^
            int.from_bytes(pad, 'little')).to_bytes(n, 'little')


def frame(opcode, payload=b'', fin=True, rsv=0, key=None, form=None,
          length=None):
    """A frame's bytes.

    key: four bytes to mask with, or None for an unmasked frame.
    form: 7, 16 or 64 bits for the length, the shortest by default.
    length: what the header says, if not the truth.
    """
    n = len(payload) if length is None else length
    form = form or (7 if n < 126 else 16 if n < 65536 else 64)
    head = bytes([(fin and 0x80) | rsv << 4 | opcode])
    bit = 0 if key is None else 0x80
    if form == 7:
        head += bytes([bit | n])
    elif form == 16:
        head += bytes([bit | 126]) + struct.pack('>H', n)
    else:
        head += bytes([bit | 127]) + struct.pack('>Q', n)
    if key is None:
        return head + payload
    return head + key + mask(payload, key)


def close_payload(code=None, reason=b''):
    return b'' if code is None else struct.pack('>H', code) + reason


def accept_of(key):
    if isinstance(key, str):
        key = key.encode('latin-1')
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


class WebSocket:
    """One end.  A client masks what it sends, a server does not."""

    def __init__(self, sock, is_client, early=b''):
        self.sock = sock
        self.is_client = is_client
        self.buffer = bytearray(early)
        self.data = bytearray()     # payload of data frames, as taken
        self.pings = []             # payloads of pings seen
        self.pongs = []
        self.frames = []            # (opcode, length) of data frames seen
        self.close_frame = None     # (code or None, reason) once it came
        sock.settimeout(proc.BOUND)
        proc.on_close(sock.close, end=True)

    # out

    def key(self):
        return os.urandom(4) if self.is_client else None

    def raw(self, data):
        self.sock.sendall(data)

    def send(self, payload, opcode=BINARY, **kw):
        kw.setdefault('key', self.key())
        self.raw(frame(opcode, payload, **kw))

    def text(self, payload, **kw):
        self.send(payload, TEXT, **kw)

    def ping(self, payload=b''):
        self.send(payload, PING)

    def pong(self, payload=b''):
        self.send(payload, PONG)

    def close(self, code=None, reason=b''):
        self.send(close_payload(code, reason), CLOSE)

    # in

    def _fill(self, n):
        while len(self.buffer) < n:
            more = self.sock.recv(1 << 18)
            if not more:
                return False
            self.buffer += more
        return True

    def read_frame(self):
        """The next frame; None at the end of the transport."""
        if not self._fill(2):
            if self.buffer:
                raise EOFError('the transport ended within a header')
            return None
        b0, b1 = self.buffer[0], self.buffer[1]
        n, at = b1 & 0x7f, 2
        if n == 126:
            at = 4
        elif n == 127:
            at = 10
        masked = b1 >> 7
        if not self._fill(at + 4 * masked):
            raise EOFError('the transport ended within a header')
        if n >= 126:
            n = int.from_bytes(self.buffer[2:at], 'big')
        key = bytes(self.buffer[at:at + 4]) if masked else None
        at += 4 * masked
        if not self._fill(at + n):
            raise EOFError('the transport ended within a frame')
        payload = bytes(self.buffer[at:at + n])
        del self.buffer[:at + n]
        if key is not None:
            payload = mask(payload, key)
        return Frame(b0 >> 7, b0 >> 4 & 7, b0 & 15, masked, payload)

    def take(self, answer_pings=True):
        """Takes one frame into data, pings, close_frame; None at the end."""
        f = self.read_frame()
        if f is None:
            return None
        if f.opcode in (CONT, TEXT, BINARY):
            self.data += f.payload
            self.frames.append((f.opcode, len(f.payload)))
        elif f.opcode == PING:
            self.pings.append(f.payload)
            if answer_pings:
                self.pong(f.payload)
        elif f.opcode == PONG:
            self.pongs.append(f.payload)
        elif f.opcode == CLOSE:
            code = struct.unpack('>H', f.payload[:2])[0] if f.payload else None
            self.close_frame = (code, bytes(f.payload[2:]))
        return f

    def take_data(self, n):
        """The next n bytes of data, or fewer if it ends before."""
        while len(self.data) < n and not self.close_frame:
            if self.take() is None:
                break
        got = bytes(self.data[:n])
        del self.data[:n]
        return got

    def take_close(self, answer=True):
        """Reads on to the Close frame; its code, 'eof' or 'reset'.

        The code is 1005 for a Close without one (RFC 6455 7.1.5), and no
        number if the frame has one that no frame may have (7.4.1).
        """
        try:
            while self.close_frame is None:
                if self.take() is None:
                    return 'eof'
            if answer:
                self.close(self.close_frame[0])
        except ConnectionResetError:
            return 'reset'
        except BrokenPipeError:
            pass
        code = self.close_frame[0]
        if code in NEVER_SENT:
            return '%d, which no frame may have' % code
        return 1005 if code is None else code

    def take_end(self):
        """Reads on to the end of the transport: 'eof' or 'reset'."""
        try:
            while self.take(answer_pings=False) is not None:
                pass
            return 'eof'
        except EOFError:
            return 'eof within a frame'
        except (ConnectionResetError, BrokenPipeError):
            return 'reset'

    # the transport

    def bye(self, code=1000):
        """Sends Close and reads on; the code of the peer's Close, or 'eof' or
        'reset'."""
        try:
            self.close(code)
        except BrokenPipeError:
            pass
        code = self.take_close(answer=False)
        self.sock.close()
        return code

    def drop(self):
        """Ends the connection without a Close: a clean end of TCP."""
        self.sock.close()

    def reset(self):
        reset(self.sock)


def reset(sock):
    """Closes a socket so that the peer gets ECONNRESET."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack('ii', 1, 0))
    sock.close()


def dial(where, timeout=None):
    """A socket to a port, (host, port), or the path of a Unix socket."""
    timeout = timeout or proc.BOUND
    if isinstance(where, str):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(where)
    else:
        where = ('127.0.0.1', where) if isinstance(where, int) else where
        s = socket.create_connection(where, timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    proc.on_close(s.close, end=True)
    return s


def request(path='/', key='dGhlIHNhbXBsZSBub25jZQ==', host='localhost',
            headers=(), drop=(), method='GET', version='HTTP/1.1'):
    """A right upgrade request; headers are added, those in drop left out."""
    lines = [('Host', host), ('Upgrade', 'websocket'),
             ('Connection', 'Upgrade'), ('Sec-WebSocket-Key', key),
             ('Sec-WebSocket-Version', '13')]
    lines = [(n, v) for n, v in lines if n not in drop] + list(headers)
    return ('%s %s %s\r\n' % (method, path, version) +
            ''.join('%s: %s\r\n' % h for h in lines) +
            '\r\n').encode('latin-1')


def read_head(sock):
    """(head with its empty line, bytes behind it); what came, at the end."""
    data = b''
    while b'\r\n\r\n' not in data:
        more = sock.recv(65536)
        if not more:
            return data, b''
        data += more
    at = data.index(b'\r\n\r\n') + 4
    return data[:at], data[at:]


def parse_head(head):
    """(first line, {lower-case name: value}); repeated fields are joined."""
    lines = head.decode('latin-1').split('\r\n')
    fields = {}
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(':')
            name = name.lower()
            value = value.strip()
            fields[name] = (fields[name] + ', ' + value if name in fields
                            else value)
    return lines[0], fields


def ask(where, data, pieces=None):
    """Sends raw request bytes; an Answer with its whole body.

    status is 0 if the connection ended without an answer.
    """
    sock = data_socket = dial(where)
    try:
        for piece in (pieces or [data]):
            data_socket.sendall(piece)
        head, body = read_head(sock)
        if not head:
            return Answer(0, '', {}, b'')
        first, fields = parse_head(head)
        words = first.split(' ', 2)
        status = int(words[1])
        if status != 101:
            while True:
                more = sock.recv(65536)
                if not more:
                    break
                body += more
        return Answer(status, words[2] if len(words) > 2 else '', fields, body)
    except (ConnectionResetError, BrokenPipeError):
        return Answer(0, 'reset', {}, b'')
    finally:
        sock.close()


def connect(where, path='/', headers=(), early=b'', **kw):
    """Dials and does the handshake; .answer has the head's fields."""
    key = base64.b64encode(os.urandom(16)).decode()
    sock = dial(where)
    sock.sendall(request(path, key, headers=headers, **kw) + early)
    head, rest = read_head(sock)
    first, fields = parse_head(head)
    if ' 101 ' not in first + ' ':
        raise AssertionError('no 101 but %r' % head)
    if fields.get('sec-websocket-accept') != accept_of(key):
        raise AssertionError('wrong accept value in %r' % head)
    w = WebSocket(sock, True, rest)
    w.answer = fields
    return w


def read_all(sock):
    """(bytes, 'eof' or 'reset'): a stream to its end."""
    data = bytearray()
    try:
        while True:
            more = sock.recv(1 << 18)
            if not more:
                return bytes(data), 'eof'
            data += more
    except ConnectionResetError:
        return bytes(data), 'reset'


def dial_and_read(where):
    """What a client that sends nothing receives: as read_all().

    A reset may come so early that connect(2) reports it.
    """
    try:
        return read_all(dial(where))
    except ConnectionResetError:
        return b'', 'reset'


def read_exactly(sock, n):
    data = bytearray()
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            break
        data += more
    return bytes(data)


def quiet_for(sock, seconds):
    """Does nothing arrive, not even an end, for this time?"""
    before = sock.gettimeout()
    sock.settimeout(seconds)
    try:
        sock.recv(1, socket.MSG_PEEK)
        return False
    except (TimeoutError, BlockingIOError):
        return True
    except OSError:
        return False
    finally:
        sock.settimeout(before)


def now():
    return time.monotonic()
