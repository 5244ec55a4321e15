#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every frame rule of RFC 6455 sections 5 and 7, in both roles: a wrong frame
gets its close code and resets the stream, a right one passes.

If it fails: other websocket programs cannot use inetws, or wrong frames do
damage.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

f = t.ws.frame
K = b'\x11\x22\x33\x44'
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def close(code, reason=b'', key=K):
    return f(CLOSE, t.ws.close_payload(code, reason), key=key)


def bad(k):
    """(name, frames, close code); k is the key a right frame has."""
    cases = []
    for bit, name in ((4, 'RSV1'), (2, 'RSV2'), (1, 'RSV3')):
        cases.append((name, f(BINARY, b'x', rsv=bit, key=k), 1002))
    for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        cases.append(('opcode %d' % op, f(op, b'x', key=k), 1002))
    cases += [
        ('16-bit length for 125', f(BINARY, b'x' * 125, form=16, key=k),
         1002),
        ('16-bit length for 0', f(BINARY, b'', form=16, key=k), 1002),
        ('64-bit length for 65535',
         f(BINARY, b'x' * 65535, form=64, key=k), 1002),
        ('64-bit length for 10', f(BINARY, b'x' * 10, form=64, key=k), 1002),
        ('a length of 2^63', f(BINARY, b'x', form=64, length=1 << 63, key=k),
         1002),
        ('a length of 2^64-1',
         f(BINARY, b'x', form=64, length=(1 << 64) - 1, key=k), 1002),
        ('a ping of 126', f(PING, b'x' * 126, key=k), 1002),
        ('a pong of 126', f(PONG, b'x' * 126, key=k), 1002),
        ('a close of 126', f(CLOSE, b'\x03\xe8' + b'x' * 124, key=k), 1002),
        ('a ping with a 64-bit length', f(PING, b'x', form=64, key=k), 1002),
        ('a fragmented ping', f(PING, b'x', fin=False, key=k), 1002),
        ('a fragmented pong', f(PONG, b'x', fin=False, key=k), 1002),
        ('a fragmented close', f(CLOSE, b'', fin=False, key=k), 1002),
        ('a continuation of nothing', f(CONT, b'x', key=k), 1002),
        ('a continuation behind the end',
         f(BINARY, b'x', fin=False, key=k) + f(CONT, b'x', key=k) +
         f(CONT, b'x', key=k), 1002),
        ('a new message within a message',
         f(BINARY, b'x', fin=False, key=k) + f(BINARY, b'x', key=k), 1002),
        ('text within a binary message',
         f(BINARY, b'x', fin=False, key=k) + f(TEXT, b'x', key=k), 1002),
    ]
    for name, text in (
            ('a byte 0xff', b'ab\xff'), ('a lone continuation', b'\x80'),
            ('an overlong form', b'\xc0\x80'),
            ('an overlong form of three', b'\xe0\x80\xaf'),
            ('a surrogate', b'\xed\xa0\x80'),
            ('above U+10FFFF', b'\xf4\x90\x80\x80'),
            ('five bytes', b'\xf8\x88\x80\x80\x80'),
            ('an unfinished character', b'ab\xe2\x82')):
        cases.append(('text with ' + name, f(TEXT, text, key=k), 1007))
    cases += [
        ('text broken across frames',
         f(TEXT, b'\xe2\x82', fin=False, key=k) + f(CONT, b'\x28', key=k),
         1007),
        ('text unfinished in its last frame',
         f(TEXT, b'\xe2\x82', fin=False, key=k) + f(CONT, b'', key=k), 1007),
        ('a close of one byte', f(CLOSE, b'\x03', key=k), 1002),
        ('a close reason that is no UTF-8', close(1000, b'\xff', k),
         (1002, 1007)),
    ]
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999,
                 5000, 65535):
        cases.append(('close code %d' % code, close(code, key=k), 1002))
    return cases


def check(name, code, want):
    if isinstance(want, tuple):
        t.ok(code in want, '%s: %s' % (name, code))
    else:
        t.is_(code, want, '%s: %s' % (name, want))


@t.limit(150)
def test_bad_frames_at_the_server():
    target = t.Held()
    s = t.server(target.port)
    cases = bad(K) + [
        ('an unmasked frame', f(BINARY, b'x'), 1002),
        ('an unmasked ping', f(PING, b'x'), 1002),
        ('an unmasked close', f(CLOSE, b''), 1002)]
    for name, data, want in cases:
        mark = s.mark()
        w = t.ws.connect(s.port)
        stream = target.next()
        w.raw(f(BINARY, b'good', key=K) + data)
        check('server: ' + name, w.take_close(), want)
        t.is_(t.ws.read_all(stream)[1], 'reset', 'and the stream is reset')
        w.sock.close()
        stream.close()
        s.wait_line('event=', since=mark)
    t.ok(t.until(lambda: not t.children(s.pid)), 'no child is left')
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(t.ws.read_exactly(target.next(), 1), b'x', 'the server serves on')


@t.limit(150)
def test_bad_frames_at_the_client():
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port)
    cases = bad(None) + [
        ('a masked frame', f(BINARY, b'x', key=K), 1002),
        ('a masked ping', f(PING, b'x', key=K), 1002)]
    for name, data, want in cases:
        stream = t.ws.dial(c.port)
        w = server.next()
        w.raw(f(BINARY, b'good') + data)
        check('client: ' + name, w.take_close(), want)
        got, how = t.ws.read_all(stream)
        t.is_(how, 'reset', 'and the stream is reset')
        w.sock.close()
    t.ok(t.until(lambda: not t.children(c.pid)), 'no child is left')


def test_log_names_the_offence():
    s = t.server(t.Held().port)
    for data, word in ((f(BINARY, b'x'), 'unmasked frame from a client'),
                       (f(BINARY, b'x', rsv=4, key=K), 'reserved bit set'),
                       (f(3, b'x', key=K), 'reserved opcode'),
                       (f(CONT, b'x', key=K), 'continuation of nothing'),
                       (f(PING, b'x' * 126, key=K), 'control frame too long'),
                       (f(BINARY, b'', form=16, key=K),
                        'length not in its shortest form'),
                       (f(TEXT, b'\xff', key=K), 'text is not UTF-8'),
                       (close(1005), 'Close code not valid')):
        mark = s.mark()
        w = t.ws.connect(s.port)
        w.raw(data)
        w.take_close()
        w.sock.close()
        t.ok(s.has_line('event=closed .*end=peer-fault why="%s"' % word, 10,
                        since=mark), 'the log says: ' + word)


def test_close_codes_that_are_right():
    target = t.Held()
    s = t.server(target.port)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
                 1013, 1014, 3000, 3999, 4000, 4999):
        w = t.ws.connect(s.port)
        target.next()
        w.close(code, 'für'.encode())
        t.is_(w.take_close(answer=False), code, 'close %d is answered' % code)
    w = t.ws.connect(s.port)
    target.next()
    w.close()
    t.ok(w.take_close(answer=False) in (1005, 1000),
         'a close without a code is answered')
    t.is_(w.take_end(), 'eof', 'and then the transport ends')


def test_data_after_close():
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    w.raw(f(BINARY, b'before', key=K) + close(1000) +
          f(BINARY, b'behind', key=K) + f(3, b'nonsense', key=K))
    t.is_(t.ws.read_all(stream), (b'before', 'eof'),
          'what comes behind Close does not count')
    t.is_(w.take_close(answer=False), 1000, 'the close was clean')


def test_pings():
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    for payload in (b'', b'x' * 125):
        w.raw(f(PING, payload, key=K) + f(PONG, b'unasked', key=K))
        w.pongs.clear()
        while not w.pongs:
            w.take()
        t.is_(w.pongs, [payload], 'a ping of %d is answered with its '
              'payload' % len(payload))
    w.raw(f(BINARY, b'ab', fin=False, key=K) + f(PING, b'mid', key=K))
    while len(w.pongs) < 2:
        w.take()
    t.is_(w.pongs[-1], b'mid', 'a ping within a message is answered in it')
    w.raw(f(CONT, b'c', fin=False, key=K) + f(PONG, b'', key=K) +
          f(CONT, b'd', key=K))
    t.is_(w.take_data(4), b'abcd', 'and the message goes on')
    w.raw(b''.join(f(PING, b'%d' % i, key=K) for i in range(2000)))
    w.send(b'end')
    t.is_(w.take_data(3), b'end', 'a flood of pings holds nothing up')
    while w.pongs[-1] != b'1999':       # RFC 6455 5.5.3 lets it skip others
        w.take()
    t.is_(w.pongs[-1], b'1999', 'the last one is answered')


def test_ping_towards_a_stuck_stream():
    """RFC 6455 5.5.2: as soon as is practical, so also when data cannot be
    delivered - as far as it has been read."""
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    w.raw(f(BINARY, b'x' * 1000, key=K) + f(PING, b'now', key=K))
    while not w.pongs:
        w.take()
    t.is_(w.pongs, [b'now'], 'answered before the target reads a byte')
    t.is_(len(t.ws.read_exactly(stream, 1000)), 1000, 'which then does')


def test_empty_messages():
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    w.raw(f(BINARY, b'', key=K) + f(TEXT, b'', key=K) +
          f(BINARY, b'', fin=False, key=K) + f(CONT, b'', fin=False, key=K) +
          f(CONT, b'', key=K))
    t.ok(t.ws.quiet_for(stream, 0.3), 'empty messages end nothing')
    w.raw(f(BINARY, b'a', fin=False, key=K) + f(CONT, b'', key=K))
    t.is_(t.ws.read_exactly(stream, 1), b'a', 'and data goes on behind them')


def test_text_is_data():
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    text = 'κόσμε €\U0010ffff\0'.encode()
    w.text(text)
    t.is_(t.ws.read_exactly(stream, len(text)), text, 'text passes')
    for i, b in enumerate(text):
        w.raw(f(TEXT if i == 0 else CONT, bytes([b]),
                fin=i == len(text) - 1, key=K) + f(PING, b'', key=K))
    t.is_(t.ws.read_exactly(stream, len(text)), text,
          'text in frames of one byte, pings between them')
    w.send(b'\xff\xfe')
    t.is_(t.ws.read_exactly(stream, 2), b'\xff\xfe', 'binary is not checked')


def test_text_for_the_peer():
    """--text: for programs that take no binary messages."""
    held = t.Held()
    s = t.server(held.port, '--text')
    w = t.ws.connect(s.port)
    stream = held.next()
    stream.sendall('grün €'.encode()[:-1])
    frame = w.read_frame()
    t.is_((frame.opcode, frame.payload), (TEXT, 'grün '.encode()),
          'text, without the half of a character')
    stream.sendall('€'.encode()[-1:])
    frame = w.read_frame()
    t.is_((frame.opcode, frame.payload), (TEXT, '€'.encode()), 'and its rest')
    stream.sendall(b'\xff')
    t.is_(w.take_close(), 1007, 'no UTF-8: Close 1007')
    t.is_(t.ws.read_all(stream)[1], 'reset', 'and a reset')
    s.wait_line('event=closed .*end=stream-reset.*"the stream is no UTF-8"')
    data = ('€' * 100000).encode()
    s = t.server(t.source(data).port, '--text')
    w = t.ws.connect(s.port)
    w.take_close()
    t.ok(bytes(w.data) == data, '300,000 bytes of text')
    both = t.client('ws://127.0.0.1:%d/' % s.port, '--text')
    t.ok(t.ws.dial_and_read(both.port)[0] == data,
         'another inetws does not mind')


def test_text_to_python():
    """A server by others that takes text only."""
    try:
        import websockets
    except ImportError:
        raise t.Skip('python3-websockets is not installed')
    seen = []

    async def handle(w, path=None):
        async for message in w:
            seen.append(message)
            await w.send(message.upper())
    port = in_background(websockets, handle)
    r = t.run_inetws('connect', '--text', '--linger', '1s',
                     'ws://127.0.0.1:%d/' % port, input='grün'.encode())
    t.is_((r.returncode, r.stdout), (0, 'GRÜN'.encode()), 'text both ways')
    t.is_(seen, ['grün'], 'str, and not bytes')


def in_background(websockets, handle):
    import asyncio
    import threading
    ready = threading.Event()
    ports = []

    async def serve():
        async with websockets.serve(handle, '127.0.0.1', 0) as server:
            ports.append(server.sockets[0].getsockname()[1])
            ready.set()
            await asyncio.Future()
    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait(t.BOUND)
    return ports[0]


def test_sizes():
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    for n in (1, 2, 124, 125, 126, 127, 65534, 65535, 65536, 65537, 300000):
        data = os.urandom(n)
        w.send(data)
        t.ok(w.take_data(n) == data, '%d bytes in one frame' % n)
    t.ok(all(op == BINARY for op, _ in w.frames), 'answers are binary')
    t.ok(all(0 < n <= 65535 for _, n in w.frames),
         'none is empty or above 65535')


def test_a_frame_without_end():
    """A length of 2^62 is legal; its bytes pass as they come."""
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    data = os.urandom(1 << 20)
    w.raw(f(BINARY, data, form=64, length=1 << 62, key=K))
    t.ok(t.ws.read_exactly(stream, len(data)) == data,
         'a megabyte of 4 exabytes')
    w.drop()
    t.is_(t.ws.read_all(stream)[1], 'reset', 'cut within: a reset')


def test_byte_by_byte():
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    data = (f(BINARY, b'ab', fin=False, key=K) + f(PING, b'p', key=K) +
            f(CONT, b'c' * 126, key=b'zyxw') + f(TEXT, 'ü'.encode(), key=K) +
            f(BINARY, b'', key=K))
    for b in data:
        t.until(lambda: not t.unread(s.port), pause=.001)
        w.raw(bytes([b]))
    t.is_(w.take_data(130), b'ab' + b'c' * 126 + 'ü'.encode(),
          'frames byte by byte')
    t.is_(w.pongs, [b'p'], 'and the ping among them')


def test_masks_of_the_client():
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port)
    keys = set()
    for i in range(100):
        if i % 50 == 0:                 # another process
            stream = t.ws.dial(c.port)
            w = server.next()
        stream.sendall(b'abcdefgh')
        while len(w.data) < 8:
            if not w._fill(6):
                break
            t_key = bytes(w.buffer[2:6])
            frame = w.read_frame()
            if frame.opcode == BINARY:
                keys.add(t_key)
                if not frame.masked or frame.rsv:
                    t.ok(False, 'a client frame is masked and plain')
                w.data += frame.payload
        if bytes(w.data) != b'abcdefgh':
            t.is_(bytes(w.data), b'abcdefgh', 'unmasked data')
        w.data.clear()
    t.ok(len(keys) >= 99, 'a fresh key for every frame of two tunnels (%d)' %
         len(keys))
    t.ok(b'\0\0\0\0' not in keys, 'and none is zero')


t.main()
