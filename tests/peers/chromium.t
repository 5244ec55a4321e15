#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The script of a page in Chromium, using the WebSocket API, as the client of
inetws server, through nginx with TLS.

If it fails: pages in browsers cannot reach a target.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402
import hashlib          # noqa: E402
import socket           # noqa: E402

BIG = 8 << 20

# open(path, protocols): a websocket that has come up, with .data, .take(n)
# and .ended; kept in window for the next script.
SCRIPT = '''
window.ws = null;
window.join = (list) => {
	const all = new Uint8Array(list.reduce((n, a) => n + a.length, 0));
	let at = 0;

	for (const a of list) {
		all.set(a, at);
		at += a.length;
	}
	return all;
};
window.up = (url, protocols) => new Promise((resolve, reject) => {
	const w = new WebSocket(url, protocols || []);

	window.ws = w;
	w.binaryType = 'arraybuffer';
	w.data = [];
	w.longest = 0;
	w.ended = new Promise((end) => {
		w.onclose = (e) => {
			end([e.code, e.reason, e.wasClean]);
			reject('closed ' + e.code);
		};
	});
	w.onmessage = (e) => {
		if (typeof e.data === 'string')
			throw new Error('text');
		w.data.push(new Uint8Array(e.data));
		w.longest = Math.max(w.longest, e.data.byteLength);
		w.check && w.check();
	};
	w.take = (n) => new Promise((done) => {
		w.check = () => {
			let have = 0;

			for (const a of w.data)
				have += a.length;
			if (have < n)
				return;
			w.check = null;
			const all = join(w.data);
			w.data = [all.subarray(n)];
			done(all.subarray(0, n));
		};
		w.check();
	});
	w.onopen = () => resolve(w);
});
window.hex = async (data) => [...new Uint8Array(
    await crypto.subtle.digest('SHA-256', data))].map(
    (b) => b.toString(16).padStart(2, '0')).join('');
'''

PAGE = '<!doctype html><meta charset=utf-8><title>a page</title>'


def page(chain, name='localhost'):
    """A browser that shows a page from the same nginx."""
    b = browser.Browser(trust=[chain.cert])
    b.get('https://%s:%d/page.html' % (name, chain.nginx.port))
    b.script(SCRIPT)
    return b


def chain(target, *options):
    t.need('nginx', 'chromium', 'chromedriver')
    d = t.folder()
    with open(d + '/page.html', 'w') as f:
        f.write(PAGE)
    os.chmod(d, 0o755)
    return t.chain(target, *options, path='/ws/',
                   extra='location / { root %s; }' % d)


def up(b, c, protocols=()):
    return b.script('const w = await up(...args);'
                    'return [w.protocol, w.extensions];',
                    c.url, list(protocols))


@t.limit(90)
def test_messages():
    c = chain(t.echo().port, '--ping-interval=100ms', '--ping-timeout=4s')
    b = page(c)
    t.is_(up(b, c), ['', ''], 'a page opens a websocket')
    t.is_(up(b, c, ['binary']), ['binary', ''], 'and another, as old noVNC')
    text = 'gr\u00fc\u00dfe \u2713 \U0001f600'
    t.is_(b.script('''
        ws.send(args[0]);
        ws.send('');
        ws.send(new Uint8Array([0, 1, 255]));
        ws.send(new Blob(['blob']));
        return [...await ws.take(args[1])];''', text,
                   len(text.encode()) + 7),
          list(text.encode() + b'\0\1\xffblob'),
          'text, nothing, an array and a blob come back')
    sent, got, longest = b.script('''
        const data = new Uint8Array(args[0]);
        for (let i = 0; i < data.length; i += 65536)
            crypto.getRandomValues(data.subarray(i, i + 65536));
        ws.send(data);
        return [await hex(data), await hex(await ws.take(args[0])),
            ws.longest];''', BIG)
    t.is_(got, sent, 'one message of %d bytes comes back' % BIG)
    t.ok(longest <= 65535, 'in messages of 65535 bytes at most')
    n = b.script('''
        const before = performance.now();
        await new Promise((r) => setTimeout(r, 6000));
        ws.send('alive');
        await ws.take(5);
        return performance.now() - before;''')
    t.ok(n >= 5990, 'Chromium answers our pings, and lives')


@t.limit(90)
def test_token():
    """A script cannot set Authorization: its token is offered with a real
    subprotocol."""
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('token:alice:%s\n' %
                hashlib.sha256(b's3cret').hexdigest())
    c = chain(t.echo().port, '-v', '--auth-file', users, '--subprotocol',
              'v12.stomp,chat', '--bearer-subprotocol', 'bearer.')
    b = page(c)
    fails = lambda *offer: b.script(
        'try { await up(...args); return "up"; } catch (e) { return e; }',
        c.url, list(offer))
    for offer in (['chat', 'bearer.s3cret'], ['bearer.s3cret', 'x', 'chat']):
        t.is_(up(b, c, offer), ['chat', ''], 'in, by %s' % offer)
        t.is_(b.script('ws.send("hi"); return (await ws.take(2)).length;'), 2,
              'and bytes pass')
    t.is_(fails('chat', 'bearer.gue55'), 'closed 1006', 'a wrong token')
    t.is_(fails('chat'), 'closed 1006', 'none')
    t.is_(fails('bearer.s3cret'), 'closed 1006', 'a token alone: nothing is '
          'answered, which a browser does not take')
    b.get('about:blank')
    t.ok(c.server.has_line('event=closed .*user=alice', count=3),
         'the log has the user')
    t.ok(c.server.has_line('event=failed .* with 401', count=2), 'and refusals')
    t.ok('s3cret' not in c.server.log and 'gue55' not in c.server.log,
         'and no token')


@t.limit(90)
def test_endings():
    target = t.Held()
    c = chain(target.port, '--linger=4s')
    b = page(c)
    for code, want in ((1000, 'eof'), (4000, 'reset')):
        up(b, c)
        stream = target.next()
        b.script('ws.send("all");')
        t.is_(t.ws.read_exactly(stream, 3), b'all', 'a page says something')
        b.script('ws.close(args[0], "good bye");', code)
        t.is_(t.ws.read_all(stream), (b'', want), 'and closes with %d: %s' %
              (code, want))
        stream.close()
        t.is_(b.script('return ws.ended;'), [code, '', True], 'cleanly')
        t.ok(c.server.has_line('code=%d reason="good bye"' % code), 'logged')
    up(b, c)
    stream = target.next()
    b.get('about:blank')
    t.is_(t.ws.read_all(stream), (b'', 'eof'),
          'a page that is left is a clean end')
    stream.close()
    b.get('https://localhost:%d/page.html' % c.nginx.port)
    b.script(SCRIPT)
    up(b, c)
    stream = target.next()
    stream.sendall(b'answer')
    stream.shutdown(socket.SHUT_WR)
    t.is_(b.script('return (await ws.take(6)).length;'), 6,
          'a target answers and ends')
    b.script('ws.send("more");')
    t.is_(t.ws.read_exactly(stream, 4), b'more', 'the page goes on')
    t.is_(b.script('return ws.ended;'), [1000, '', True], 'till it is quiet')
    t.is_(t.ws.read_all(stream), (b'', 'eof'), 'which the target sees')
    up(b, c)
    t.ws.reset(target.next())
    code, _, clean = b.script('return ws.ended;')
    t.ok(code not in (1000, 1001, 1005) and clean,
         'a target that resets: code %d' % code)
    up(b, c)
    stream = target.next()
    b.quit()
    t.is_(t.ws.read_all(stream)[0], b'', 'a browser that ends')
    stream.close()
    t.ok(t.until(lambda: not t.children(c.server.pid)), 'no tunnel is left')


@t.limit(90)
def test_slow_target():
    """What a target does not read stays in the page."""
    target = t.Held()
    c = chain(target.port)
    b = page(c)
    up(b, c)
    stream = target.next()
    size = 16 * BIG         # more than all sockets on the way take up
    waiting = b.script('''
        ws.send(new Uint8Array(args[0]).fill(65));
        let last = -1;
        while (last !== ws.bufferedAmount) {
            last = ws.bufferedAmount;
            await new Promise((r) => setTimeout(r, 500));
        }
        return last;''', size)
    t.ok(waiting > 0, '%d of %d bytes wait in the page' % (waiting, size))
    got = t.ws.read_exactly(stream, size)
    t.ok(got == b'A' * size, 'then all of them come')
    t.is_(b.script('return ws.bufferedAmount;'), 0, 'and none waits')


@t.limit(90)
def test_refusals():
    c = chain(t.echo().port)
    b = page(c, name='127.0.0.1')
    origin = 'https://127.0.0.1:%d' % c.nginx.port
    fails = lambda: b.script('try { await up(...args); return "up"; }'
                             'catch (e) { return e; }', c.url, [])
    t.is_(fails(), 'closed 1006', 'a page from elsewhere gets nowhere')
    t.ok(c.server.has_line('event=failed .*' + origin),
         'the log says where it is from')
    other = t.server(t.echo().port, '--allow-origin', origin)
    n = t.nginx(other.port, c.cert, path='/ws/')
    t.is_(up(b, c._replace(url=n.url)), ['', ''],
          'unless it is told to let it in')
    dead = t.server(t.free_port(), '--allow-origin=*')
    n = t.nginx(dead.port, c.cert, path='/ws/')
    c = c._replace(url=n.url)
    t.is_(fails(), 'closed 1006', 'a dead target')


t.main()
