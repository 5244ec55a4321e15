#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The cases that conformance suites for websockets try (the numbers are those
of Autobahn|Testsuite: 1 to 7, 9 and 10), towards a server and towards a client.
A tunnel returns bytes and not messages, so what is compared is the stream, the
form of each frame, and the code of the Close.

If it fails: a websocket library that passes such a suite cannot talk to inetws.
"""

import os
import random
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MIB = 1 << 20

# How a tunnel ends: what its stream sees, the exit status of a process.
ENDS = {'ended': ('eof', 0), 'peer-closed': ('reset', 74),
        'peer-fault': ('reset', 76)}


class Peer(t.ws.WebSocket):
    """One that holds every frame it gets against RFC 6455 section 5."""

    def __init__(self, w):
        super().__init__(w.sock, w.is_client, w.buffer)
        self.wrong = set()
        self.in_message = False

    def read_frame(self):
        f = super().read_frame()
        if f is None:
            return None
        if self.close_frame is not None:
            self.wrong.add('a frame behind Close')
        if bool(f.masked) == self.is_client:
            self.wrong.add('the mask bit')
        if f.rsv or f.opcode not in (CONT, TEXT, BINARY, CLOSE, PING, PONG):
            self.wrong.add('a reserved bit or opcode')
        if f.opcode >= CLOSE and (not f.fin or len(f.payload) > 125):
            self.wrong.add('a control frame in fragments or too long')
        if f.opcode < CLOSE:
            if (f.opcode == CONT) != self.in_message:
                self.wrong.add('a continuation out of place')
            self.in_message = not f.fin
        return f

    def make(self, opcode, payload=b'', **kw):
        kw.setdefault('key', self.key())
        return t.ws.frame(opcode, payload, **kw)


class Tunnel:
    """A raw peer (.w), inetws, and behind it a stream that echoes."""

    def echo(self, sock):
        self.end = None

        def copy():
            try:
                while True:
                    data = sock.recv(1 << 18)
                    if not data:
                        self.end = 'eof'
                        break
                    sock.sendall(data)
            except OSError:
                self.end = 'reset'
            sock.close()
        self.thread = threading.Thread(target=copy, daemon=True)
        self.thread.start()


class AtServer(Tunnel):
    role = 'server'
    program = None

    @classmethod
    def prepare(cls):
        cls.target = t.Held()
        cls.program = t.server(cls.target.port, '--ping-interval', '0')

    def __init__(self):
        self.w = Peer(t.ws.connect(self.program.port))
        self.echo(self.target.next())

    def ended(self, word):
        """None, or what is wrong with how the stream ended."""
        self.w.sock.close()
        self.thread.join(t.BOUND)
        want = ENDS[word][0]
        return None if self.end == want else 'stream: %s' % self.end


class AtClient(Tunnel):
    role = 'connect'

    @classmethod
    def prepare(cls):
        cls.server = t.WSServer()

    def __init__(self):
        ours, theirs = socket.socketpair()
        self.program = t.inetws(
            'connect', '--ping-interval', '0',
            'ws://127.0.0.1:%d/' % self.server.port, stdin=theirs,
            stdout=theirs)
        theirs.close()
        self.w = Peer(self.server.next())
        self.echo(ours)

    def ended(self, word):
        self.w.sock.close()
        status = self.program.wait()
        self.thread.join(t.BOUND)
        want = ENDS[word][1]
        return None if status == want else 'status %d' % status


def both(case):
    """The case towards a server, then towards a client."""
    def run():
        for kind in (AtServer, AtClient):
            kind.prepare()
            case(kind)
            t.cleanup()
    run.__name__ = case.__name__
    run.limit = 120
    return run


def send(w, pieces):
    """From a thread of its own: what comes back has to be read meanwhile."""
    def write():
        try:
            for piece in pieces:
                w.raw(piece)
        except OSError:
            pass
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def chops(data, size):
    return (data[i:i + size] for i in range(0, len(data), size))


def comes_back(x, name, pieces, data):
    """All the data returns, and nothing is wrong with the frames."""
    thread = send(x.w, pieces)
    got = x.w.take_data(len(data))
    thread.join(t.BOUND)
    t.ok(got == data and not x.w.wrong, '%s: %s%s' % (
        x.role, name, ' (%s)' % ', '.join(x.w.wrong) if x.w.wrong else ''))


def ends(x, name, code, word):
    """
    The Close that comes, then the transport's end, which a client leaves to the
    server (RFC 6455 7.1.1), then the stream's.
    """
    got = x.w.take_close(answer=False)
    rest = x.w.take_end() if x.role == 'server' else 'eof'
    how = x.ended(word)
    good = got == code and rest == 'eof' and how is None and not x.w.wrong
    t.ok(good, '%s: %s: %s' % (x.role, name, code))
    if not good:
        t.diag('Close %s, transport %s, %s, %s' % (got, rest, how, x.w.wrong))


def good_end(x, name):
    x.w.close(1000)
    ends(x, name, 1000, 'ended')


def fails(kind, name, make, code=1002, pieces=None):
    """make(w) is what the peer sends, at the latest byte of which it fails."""
    x = kind()
    data = make(x.w)
    send(x.w, data if isinstance(data, list) else [data])
    ends(x, name, code, 'peer-fault')


# 1: one frame of each size, as text and as binary

@both
def test_1_sizes(kind):
    x = kind()
    for opcode, word in ((TEXT, 'text'), (BINARY, 'binary')):
        for n in (0, 125, 126, 127, 128, 65535, 65536):
            data = b'*' * n if opcode == TEXT else os.urandom(n)
            comes_back(x, '1: %d bytes of %s' % (n, word),
                       [x.w.make(opcode, data)], data)
        data = b'*' * 65536
        comes_back(x, '1: 65536 bytes of %s in chops of 997' % word,
                   chops(x.w.make(opcode, data), 997), data)
    comes_back(x, '1: a byte behind them', [x.w.make(BINARY, b'x')], b'x')
    good_end(x, '1: Close')


# 2: pings and pongs

def pongs(x, name, pieces, want):
    """RFC 6455 5.5.3: some may be left out, the last one may not."""
    del x.w.pongs[:]
    thread = send(x.w, pieces)
    while not x.w.pongs or x.w.pongs[-1] != want[-1]:
        if x.w.take() is None:
            break
    thread.join(t.BOUND)
    rest = iter(want)
    t.ok(x.w.pongs[-1:] == want[-1:] and all(p in rest for p in x.w.pongs) and
         not x.w.wrong, '%s: %s' % (x.role, name))


@both
def test_2_pings(kind):
    x = kind()
    for payload in (b'', b'Hello, world!', bytes(range(125)),
                    b'\0\xff\xfe\xfd\xfc\xfb\0\xff', b'\xfe' * 125):
        pongs(x, '2: a ping of %d' % len(payload),
              [x.w.make(PING, payload)], [payload])
    pongs(x, '2: a ping of 125, octet by octet',
          chops(x.w.make(PING, b'*' * 125), 1), [b'*' * 125])
    for payload in (b'', b'unsolicited'):
        pongs(x, '2: an unsolicited pong of %d, then a ping' % len(payload),
              [x.w.make(PONG, payload), x.w.make(PING, b'p')], [b'p'])
    many = [b'payload-%d' % i for i in range(10)]
    pings = [x.w.make(PING, p) for p in many]
    pongs(x, '2: ten pings', [b''.join(pings)], many)
    pongs(x, '2: ten pings, octet by octet', chops(b''.join(pings), 1), many)
    comes_back(x, '2: data behind them', [x.w.make(TEXT, b'x')], b'x')
    good_end(x, '2: Close')
    fails(kind, '2: a ping of 126', lambda w: w.make(PING, b'*' * 126))
    fails(kind, '2: a pong of 126', lambda w: w.make(PONG, b'*' * 126))


# 3 and 4: reserved bits and opcodes

@both
def test_3_reserved_bits(kind):
    for rsv, opcode in ((1, TEXT), (2, TEXT), (3, TEXT), (4, TEXT),
                        (5, BINARY), (6, PING), (7, CLOSE), (1, PONG)):
        fails(kind, '3: bits %d of opcode %d' % (rsv, opcode),
              lambda w: w.make(TEXT, b'first') +
              w.make(opcode, b'\x03\xe8', rsv=rsv) + w.make(PING, b'later'))
    fails(kind, '3: octet by octet', lambda w: list(chops(
        w.make(TEXT, b'first') + w.make(TEXT, b'x', rsv=4), 1)))
    fails(kind, '3: of a continuation', lambda w: w.make(
        TEXT, b'first', fin=False) + w.make(CONT, b'x', rsv=4))


@both
def test_4_opcodes(kind):
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        fails(kind, '4: opcode %d' % opcode, lambda w: w.make(opcode))
    for opcode in (3, 7, 11, 15):
        fails(kind, '4: opcode %d with payload among text' % opcode,
              lambda w: w.make(TEXT, b'first') + w.make(opcode, b'x') +
              w.make(PING))


# 5: fragments

F, L = False, True      # more follows; the last one

FRAGMENTS = (       # frames as (opcode, payload, fin); what the stream gets
    ('text in two', ((TEXT, b'a', F), (CONT, b'b', L))),
    ('binary in two', ((BINARY, b'a', F), (CONT, b'b', L))),
    ('text in three', ((TEXT, b'a', F), (CONT, b'b', F), (CONT, b'c', L))),
    ('a ping between two', ((TEXT, b'a', F), (PING, b'p', L), (CONT, b'b', L))),
    ('a pong between two', ((TEXT, b'a', F), (PONG, b'p', L), (CONT, b'b', L))),
    ('pings between five', ((BINARY, b'1', F), (CONT, b'2', F), (PING, b'p', L),
                            (CONT, b'3', F), (CONT, b'4', F), (PING, b'p', L),
                            (CONT, b'5', L))),
    ('a ping in front and behind', ((PING, b'p', L), (TEXT, b'a', F),
                                    (CONT, b'b', L), (PING, b'q', L))),
    ('empty fragments', ((TEXT, b'', F), (CONT, b'', F), (CONT, b'', L))),
    ('an empty first fragment', ((TEXT, b'', F), (CONT, b'b', L))),
    ('an empty last fragment', ((BINARY, b'a', F), (CONT, b'', L))),
    ('an empty one in the middle', ((TEXT, b'a', F), (CONT, b'', F),
                                    (CONT, b'c', L))),
    ('text, then binary', ((TEXT, b'a', F), (CONT, b'b', L),
                           (BINARY, b'\xff', F), (CONT, b'\xfe', L))),
)

BAD_FRAGMENTS = (
    ('a ping in fragments', ((PING, b'a', F), (CONT, b'b', L))),
    ('a pong in fragments', ((PONG, b'a', F), (CONT, b'b', L))),
    ('a Close in fragments', ((CLOSE, b'', F), (CONT, b'', L))),
    ('the end of nothing', ((CONT, b'a', L), (TEXT, b'b', L))),
    ('the middle of nothing', ((CONT, b'a', F), (TEXT, b'b', L))),
    ('the end of what has ended', ((TEXT, b'a', F), (CONT, b'b', L),
                                   (CONT, b'c', L))),
    ('the middle of what has ended', ((TEXT, b'a', F), (CONT, b'b', L),
                                      (CONT, b'c', F), (TEXT, b'd', F))),
    ('the end behind a whole message', ((BINARY, b'a', L), (CONT, b'b', L))),
    ('text within text', ((TEXT, b'a', F), (TEXT, b'b', L))),
    ('text within text, in fragments', ((TEXT, b'a', F), (TEXT, b'b', F),
                                        (CONT, b'c', L))),
    ('binary within text', ((TEXT, b'a', F), (CONT, b'b', F),
                            (BINARY, b'c', L))),
    ('text within binary', ((BINARY, b'a', F), (TEXT, b'b', L))),
    ('text within text behind a ping', ((TEXT, b'a', F), (PING, b'', L),
                                        (TEXT, b'b', L))),
)


def frames(w, parts):
    return [w.make(op, payload, fin=fin) for op, payload, fin in parts]


@both
def test_5_fragments(kind):
    x = kind()
    for name, parts in FRAGMENTS:
        data = b''.join(p for op, p, _ in parts if op < CLOSE)
        pings = [p for op, p, _ in parts if op == PING]
        made = frames(x.w, parts)
        for how, pieces in (('at once', [b''.join(made)]), ('each', made),
                            ('octet by octet', chops(b''.join(made), 1))):
            del x.w.pongs[:]
            comes_back(x, '5: %s, %s' % (name, how), pieces, data)
            while pings and x.w.pongs[-1:] != pings[-1:]:
                if x.w.take() is None:
                    t.ok(False, '5: %s: the ping is answered' % name)
                    break
    good_end(x, '5: Close')
    for name, parts in BAD_FRAGMENTS:
        fails(kind, '5: ' + name, lambda w: b''.join(frames(w, parts)))
        fails(kind, '5: %s, octet by octet' % name, lambda w: list(chops(
            b''.join(frames(w, parts)), 1)))


# 6: text, which is checked for being UTF-8 while it passes

TEXTS = [b'', b'Hello', 'κόσμε'.encode(), 'Hello-µ@ßöäüàá-UTF-8!!'.encode()]
SEQUENCES = [bytes.fromhex(s) for s in (
    # the first and the last of each length, and their neighbours
    '00 7f c280 dfbf e0a080 efbfbf f0908080 f48fbfbf ed9fbf ee8080 efbfbd '
    'f7bfbfbf f8888080 f8888080 80 bf f4908080 fbbfbfbfbf fc8480808080 '
    'fdbfbfbfbfbf fe ff fefeffff '
    # continuations alone, and characters without theirs
    '80bf 80bf80 80bf80bf c0 c1 c2 df e0 e0a0 ef efbf f0 f090 f09080 f4 f48fbf '
    'c220 e020 e0a020 f020 f09020 f0908020 '
    # overlong forms
    'c0af e080af f08080af f8808080af c1bf e09fbf f08fbfbf c080 e08080 f0808080 '
    # surrogates, alone and in pairs
    'eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf eda080edb080 '
    'edafbfedbfbf '
    # no characters, but code points
    'efbfbe efbfbf f09fbfbe f09fbfbf f0afbfbf f48fbfbe').split()]
SEQUENCES += [bytes(range(0x80, 0xc0)), bytes(range(0xc0, 0xe0)),
              'κόσμε'.encode() + b'\xed\xa0\x80edited',
              'κόσμε'.encode() + b'\xf4\x90\x80\x80edited']


def is_text(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


def in_octets(w, data):
    """A message whose fragments have one octet each."""
    return b''.join(w.make(CONT if i else TEXT, data[i:i + 1],
                           fin=i == len(data) - 1) for i in range(len(data)))


@both
def test_6_text(kind):
    x = kind()
    good = TEXTS + [s for s in SEQUENCES if is_text(s)]
    for data in good:
        comes_back(x, '6: %s' % data.hex(), [x.w.make(TEXT, data)], data)
        if data:
            comes_back(x, '6: %s in fragments of an octet' % data.hex(),
                       [in_octets(x.w, data)], data)
    comes_back(x, '6: three empty fragments, then text',
               [x.w.make(TEXT, fin=False), x.w.make(CONT, fin=False),
                x.w.make(CONT), x.w.make(TEXT, b'x')], b'x')
    good_end(x, '6: Close')
    for data in [s for s in SEQUENCES if not is_text(s)]:
        fails(kind, '6: %s' % data.hex(),
              lambda w: w.make(TEXT, data), 1007)
    for data in SEQUENCES[-4:]:
        fails(kind, '6: %s.. in fragments of an octet' % data.hex()[:30],
              lambda w: in_octets(w, data), 1007)
    x = kind()
    data = b''.join(SEQUENCES)
    comes_back(x, '6: all of it as binary', [x.w.make(BINARY, data)], data)
    good_end(x, '6: Close')


@both
def test_6_fails_at_once(kind):
    """At the octet that is wrong, not at the end of the message or frame."""
    head, wrong = 'κόσμε'.encode(), b'\xf4\x90'
    fails(kind, '6: in a fragment, more of which are to come',
          lambda w: w.make(TEXT, head, fin=False) +
          w.make(CONT, wrong, fin=False), 1007)
    fails(kind, '6: in a frame, more of which is to come',
          lambda w: w.make(TEXT, head + wrong, length=1000, form=16), 1007)
    fails(kind, '6: the same, octet by octet', lambda w: list(chops(
        w.make(TEXT, head + wrong, length=1000, form=16), 1)), 1007)


# 7: Close

GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
              1014, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000,
             65535)


def end_of(code, role):
    """inetws-protocol(7), TABLE OF ENDS, towards a plain peer."""
    if code in (1000, 1005) or (code == 1001 and role == 'server'):
        return 'ended'
    return 'peer-closed'


@both
def test_7_close(kind):
    def closes(name, make, code, word):
        x = kind()
        send(x.w, [make(x.w)])
        ends(x, '7: ' + name, code, word)

    def closing(code, reason=b''):
        return lambda w: w.make(CLOSE, t.ws.close_payload(code, reason))

    closes('Close without a payload', lambda w: w.make(CLOSE), 1005, 'ended')
    closes('a payload of one octet', lambda w: w.make(CLOSE, b'\x03'), 1002,
           'peer-fault')
    closes('a payload of two', closing(1000), 1000, 'ended')
    closes('a reason', closing(1000, b'Hello!'), 1000, 'ended')
    closes('a reason of 123', closing(1000, b'*' * 123), 1000, 'ended')
    closes('a reason of 124', closing(1000, b'*' * 124), 1002, 'peer-fault')
    closes('a reason that is no UTF-8', closing(
        1000, 'κόσμε'.encode() + b'\xed\xa0\x80edited'), 1007, 'peer-fault')
    closes('a reason that ends within a character', closing(
        1000, 'κόσμε'.encode()[:-1]), 1007, 'peer-fault')
    for code in GOOD_CODES:
        closes('code %d' % code, closing(code, b'r'), code,
               end_of(code, kind.role))
    for code in BAD_CODES:
        closes('code %d, not allowed in a frame' % code, closing(code), 1002,
               'peer-fault')


@both
def test_7_behind_close(kind):
    """What comes behind a Close is nothing."""
    def after(name, *parts):
        x = kind()
        comes_back(x, '7: %s: the message before' % name,
                   [x.w.make(TEXT, b'before')], b'before')
        send(x.w, [x.w.make(CLOSE, b'\x03\xe8') + b''.join(
            x.w.make(op, p) for op, p in parts)])
        ends(x, '7: ' + name, 1000, 'ended')
        t.is_((bytes(x.w.data), x.w.pongs), (b'', []), 'and no more comes')

    after('Close')
    after('a second Close', (CLOSE, b'\x03\xf3'))
    after('a ping behind Close', (PING, b'p'))
    after('text behind Close', (TEXT, b'behind'))
    after('rubbish behind Close', (TEXT, b'\xff'), (3, b''), (CONT, b''))
    x = kind()
    send(x.w, [x.w.make(TEXT, b'a', fin=False) + x.w.make(CLOSE, b'\x03\xe8') +
               x.w.make(CONT, b'b')])
    ends(x, '7: Close within a message, whose rest is missing', 1002,
         'peer-fault')
    x = kind()
    data = os.urandom(256 * 1024)
    comes_back(x, '7: 256 KiB', [x.w.make(BINARY, data)], data)
    send(x.w, [x.w.make(CLOSE, b'\x03\xe8') + x.w.make(PING)])
    ends(x, '7: Close and a ping behind them', 1000, 'ended')


# 9: large frames and messages, many small ones

def some_text(n):
    return ('BAsd7&jh23€' * (n // 13 + 1)).encode()[:n - 3].decode(
        errors='ignore').encode().ljust(n, b'.')


@both
def test_9_sizes(kind):
    x = kind()
    noise = os.urandom(16 * MIB)
    text = some_text(16 * MIB)
    sizes = (64, 256, 1024, 4096) if not t.LONG else (
        64, 256, 1024, 4096, 8192, 16384)
    for kib in sizes:
        n = kib * 1024
        for opcode, word, data in ((TEXT, 'text', some_text(n)),
                                   (BINARY, 'binary', noise[:n])):
            comes_back(x, '9: one frame of %d KiB of %s' % (kib, word),
                       [x.w.make(opcode, data)], data)
    comes_back(x, '9: one frame of 16 MiB', [x.w.make(BINARY, noise)], noise)
    if t.LONG:
        comes_back(x, '9: as text', [x.w.make(TEXT, text)], text)
    good_end(x, '9: Close')


@both
def test_9_fragments(kind):
    x = kind()
    total = 4 * MIB if t.LONG else MIB
    for opcode, word, data in ((TEXT, 'text', some_text(total)),
                               (BINARY, 'binary', os.urandom(total))):
        for size in (64, 256, 1024, 4096, 16384, 65536, 256 * 1024, MIB,
                     4 * MIB):
            parts = list(chops(data, size))
            made = b''.join(
                x.w.make(CONT if i else opcode, p, fin=i == len(parts) - 1)
                for i, p in enumerate(parts))
            comes_back(x, '9: %d KiB of %s in fragments of %d' % (
                total >> 10, word, size), [made], data)
    good_end(x, '9: Close')


@both
def test_9_chops(kind):
    x = kind()
    total = MIB if t.LONG else MIB // 8
    for opcode, word, data in ((TEXT, 'text', some_text(total)),
                               (BINARY, 'binary', os.urandom(total))):
        made = x.w.make(opcode, data)
        for size in (64, 128, 256, 512, 1024, 2048):
            comes_back(x, '9: %d KiB of %s in chops of %d' % (
                total >> 10, word, size), chops(made, size), data)
    good_end(x, '9: Close')


@both
def test_9_many(kind):
    x = kind()
    for n in (0, 16, 64, 256, 1024, 4096, 16384):
        for opcode, word in ((TEXT, 'text'), (BINARY, 'binary')):
            made = x.w.make(opcode, b'*' * n)
            comes_back(x, '9: 1000 messages of %d bytes of %s' % (n, word),
                       [made * 1000], b'*' * n * 1000)
    good_end(x, '9: Close')


# 10: a message that its sender fragments

@both
def test_10_fragmented_by_the_sender(kind):
    x = kind()
    data = some_text(65536)
    parts = list(chops(data, 1300))
    comes_back(x, '10: 64 KiB in fragments of 1300', frames(x.w, [
        (CONT if i else TEXT, p, i == len(parts) - 1)
        for i, p in enumerate(parts)]), data)
    rand = random.Random(10)
    for opcode, payload in ((TEXT, data), (BINARY, os.urandom(65536))):
        made, at = [], 0
        while at < len(payload):
            n = rand.choice((0, 1, 2, 125, 126, 1300, 4000))
            made.append(x.w.make(CONT if made else opcode,
                                 payload[at:at + n],
                                 fin=at + n >= len(payload)))
            at += n
        comes_back(x, '10: 64 KiB of opcode %d in random fragments' % opcode,
                   made, payload)
    good_end(x, '10: Close')


t.main()
