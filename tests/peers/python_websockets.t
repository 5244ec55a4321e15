#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Python's websockets as a client of inetws server, through nginx with TLS,
and as the server of inetws client.

If it fails: programs with Python's websockets cannot use inetws.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import asyncio          # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import threading        # noqa: E402

try:
    import websockets
except ImportError:
    t.skip_all('python3-websockets is not installed')

BIG = 8 << 20


def using(chain, exchange, **kw):
    """Runs exchange(websocket), a coroutine, with a connection to the chain."""
    async def run():
        trust = ssl.create_default_context(cafile=chain.cert.ca)
        async with websockets.connect(chain.url, ssl=trust,
                                      close_timeout=t.BOUND, **kw) as w:
            return await asyncio.wait_for(exchange(w), 2 * t.BOUND)
    return asyncio.run(run())


async def take(w, n):
    """The next n bytes, or fewer if it ends before; lengths of messages."""
    data, lengths = bytearray(), []
    try:
        while len(data) < n:
            message = await w.recv()
            if not isinstance(message, bytes):
                raise AssertionError('a text message: %r' % message)
            lengths.append(len(message))
            data += message
    except websockets.ConnectionClosed:
        pass
    return bytes(data), lengths


async def ended(w):
    """The code that it ends with."""
    try:
        while True:
            await w.recv()
    except websockets.ConnectionClosed as e:
        return 'bare' if e.rcvd is None else e.rcvd.code


def test_handshake():
    t.need('nginx')
    chain = t.chain(t.echo().port)

    async def facts(w):
        # Version 14 and later have it in another place.
        return w.subprotocol, getattr(w, 'protocol', w).extensions

    t.is_(using(chain, facts), (None, []),
          'permessage-deflate is offered and not taken up')
    for offered, want in ((['binary'], 'binary'),
                          (['base64', 'binary'], 'binary'),
                          (['chat'], None)):
        t.is_(using(chain, facts, subprotocols=offered)[0], want,
              'subprotocols %s' % offered)


def test_messages():
    t.need('nginx')
    chain = t.chain(t.echo().port)

    async def fragments(pieces):
        for piece in pieces:
            yield piece
            await asyncio.sleep(0)

    async def exchange(w):
        text = 'gr\u00fc\u00dfe \u2713 \U0001f600'
        for name, message, want in (
                ('binary', b'\0\1\xff', b'\0\1\xff'),
                ('text', text, text.encode()),
                ('binary fragments', fragments([b'a', b'', b'bc' * 5000]),
                 b'a' + b'bc' * 5000),
                ('text fragments', fragments(list(text)), text.encode())):
            await w.send(message)
            t.is_((await take(w, len(want)))[0], want, name)
        await w.send(b'')
        await w.send('')
        await w.send(b'behind')
        t.is_(await w.recv(), b'behind', 'empty messages are nothing')

    using(chain, exchange)


def test_big():
    t.need('nginx')
    chain = t.chain(t.echo().port)
    data = os.urandom(BIG)

    async def exchange(w):
        sent = asyncio.ensure_future(w.send(data))
        got, lengths = await take(w, len(data))
        await sent
        t.ok(got == data, 'one message of %d bytes, there and back' % BIG)
        t.ok(max(lengths) <= 65535 and min(lengths) > 0,
             'in messages of 1 to 65535 bytes')

    using(chain, exchange)


def test_pings():
    t.need('nginx')
    chain = t.chain(t.echo().port, '--ping-interval=100ms',
                    '--ping-timeout=4s')

    async def exchange(w):
        await asyncio.wait_for(await w.ping(b'from the client'), t.BOUND)
        t.ok(True, 'a ping is answered')
        sent = asyncio.ensure_future(w.send(os.urandom(BIG)))
        pongs = [await w.ping() for _ in range(20)]
        await take(w, BIG)
        await sent
        await asyncio.wait_for(asyncio.gather(*pongs), t.BOUND)
        t.ok(True, 'and twenty among megabytes of data')
        await asyncio.sleep(6)      # longer than the server's timeout
        await w.send(b'alive')
        t.is_(await w.recv(), b'alive', "the server's own keep it alive")

    using(chain, exchange, ping_interval=None)


def test_client_closes():
    t.need('nginx')
    target = t.Held()
    chain = t.chain(target.port, '--linger=1s')
    for code, want in ((1000, 'eof'), (1001, 'eof'), (1011, 'reset'),
                       (4000, 'reset')):
        async def exchange(w):
            await w.send(b'all')
            stream = target.next()
            if want == 'eof':       # a reset overtakes
                await w.close(code)
            got = await asyncio.to_thread(t.ws.read_exactly, stream, 3)
            await w.close(code)
            end = await asyncio.to_thread(t.ws.read_all, stream)
            t.is_((got, end), (b'all', (b'', want)),
                  'Close %d: all bytes and %s for the target' % (code, want))
            t.is_(w.close_code, code, 'which is answered in kind')
            stream.close()
        using(chain, exchange)
    t.ok(t.until(lambda: not t.children(chain.server.pid)),
         'no tunnel is left')


def test_client_dies():
    t.need('nginx')
    target = t.Held()
    chain = t.chain(target.port)

    async def exchange(w):
        await w.send(b'half of it')
        stream = target.next()
        w.transport.abort()
        got = await asyncio.to_thread(t.ws.read_all, stream)
        t.is_(got[1], 'reset', 'one that dies is no end of file')

    using(chain, exchange)


def test_target_ends():
    """Half-close: the Close waits while the client still has something."""
    t.need('nginx')
    target = t.Held()
    chain = t.chain(target.port, '--linger=3s')

    async def exchange(w):
        await w.send(b'question')
        stream = target.next()
        t.is_(t.ws.read_exactly(stream, 8), b'question', 'asked')
        stream.sendall(b'answer')
        stream.shutdown(socket.SHUT_WR)
        t.is_(await w.recv(), b'answer', 'answered')
        for i in range(10):         # longer than the lingering
            await asyncio.sleep(0.5)
            await w.send(b'%d' % i)
        got = await asyncio.to_thread(t.ws.read_exactly, stream, 10)
        t.is_(got, b'0123456789', 'the other direction goes on')
        t.is_(await ended(w), 1000, 'until nothing more comes: Close 1000')
        got = await asyncio.to_thread(t.ws.read_all, stream)
        t.is_(got, (b'', 'eof'), 'a clean end for the target')
        stream.close()

    using(chain, exchange)


def test_target_ends_eof_close():
    t.need('nginx')
    target = t.Held()
    chain = t.chain(target.port, '--linger=30s', '--eof=close')

    async def exchange(w):
        stream = target.next()
        stream.sendall(b'all')
        stream.shutdown(socket.SHUT_WR)
        t.is_(await take(w, 4), (b'all', [3]), 'all bytes')
        t.is_(w.close_code, 1000, 'and Close 1000 at once')
        stream.close()

    using(chain, exchange)


def test_target_resets():
    t.need('nginx')
    target = t.Held()
    chain = t.chain(target.port)

    async def exchange(w):
        stream = target.next()
        stream.sendall(b'half')
        t.is_(await w.recv(), b'half', 'some bytes')
        t.ws.reset(stream)
        code = await ended(w)
        t.ok(code not in (1000, 1001, 1005, 'bare'),
             'a reset is told by a code: %s' % code)

    using(chain, exchange)


def test_refusals():
    t.need('nginx')

    async def nothing(w):
        pass

    def status(chain, **kw):
        try:
            using(chain, nothing, **kw)
        except websockets.InvalidHandshake as e:
            return getattr(e, 'response', e).status_code

    t.is_(status(t.chain(t.free_port())), 502, 'a dead target is a 502')
    chain = t.chain(t.echo().port, '--max-connections=1')

    async def second(w):
        return await asyncio.to_thread(status, chain)
    t.is_(using(chain, second), 503, 'one too many is a 503')
    chain = t.chain(t.echo().port)
    t.is_(status(chain, origin='https://elsewhere.example'), 403,
          'a page from elsewhere is a 403')


class Serving:
    """Its server in a thread, with TLS: .url, .cert."""

    def __init__(self, handler, **kw):
        self.cert = t.certificate()
        self.handler, self.kw = handler, kw
        up = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(up)),
                         daemon=True).start()
        if not up.wait(t.BOUND):
            raise AssertionError('no server')
        t.on_close(lambda: self.loop.call_soon_threadsafe(self.end.set))

    async def _run(self, up):
        self.loop, self.end = asyncio.get_running_loop(), asyncio.Event()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.cert.cert, self.cert.key)
        async with websockets.serve(self.handler, '127.0.0.1', 0, ssl=tls,
                                    **self.kw) as s:
            self.url = 'wss://localhost:%d/' % \
                s.sockets[0].getsockname()[1]
            up.set()
            await self.end.wait()

    def client(self, *options):
        return t.client(self.url, '--cacert', self.cert.ca, *options)


def test_server_echoes():
    async def echo(w):
        async for message in w:
            await w.send(message)
    s = Serving(echo, ping_interval=0.2, ping_timeout=4)
    c = s.client('--ping-interval=200ms', '--ping-timeout=4s', '--linger=1s')
    v = t.ws.dial(c.port)
    data = os.urandom(BIG)
    threading.Thread(target=v.sendall, args=(data,), daemon=True).start()
    t.ok(t.ws.read_exactly(v, BIG) == data, '%d bytes there and back' % BIG)
    t.ok(t.ws.quiet_for(v, 6), 'silence but for pings, both ways')
    v.sendall(b'alive')
    t.is_(t.ws.read_exactly(v, 5), b'alive', 'it lives')
    v.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_all(v), (b'', 'eof'), 'a clean end')


def test_server_sends():
    """Fragments, text, and an end by each kind of code."""
    async def sends(w):
        await w.send([b'frag', b'', b'ments '])
        await w.send('text \u2713')
        code = int(await w.recv())
        await w.close(code, 'that is why')
    s = Serving(sends)
    c = s.client()
    want = 'fragments text \u2713'.encode()
    for code, how in ((1000, 'eof'), (1001, 'reset'), (1011, 'reset'),
                      (4000, 'reset')):
        v = t.ws.dial(c.port)
        t.is_(t.ws.read_exactly(v, len(want)), want, 'all bytes')
        v.sendall(b'%d' % code)
        t.is_(t.ws.read_all(v), (b'', how), 'Close %d: %s' % (code, how))
        v.close()
        t.ok(c.has_line('code=%d reason="that is why"' % code), 'logged')


t.main()
