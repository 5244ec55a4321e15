#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The request of a client: credentials, headers from files and programs, and
what must not be smuggled into a request.

If it fails: clients cannot authenticate, or a header value injects another
header.
"""

import base64
import json
import os
import signal
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402


def url(port, host='127.0.0.1', path='/', user=''):
    return 'ws://%s%s:%d%s' % (user, host, port, path)


def basic(pair):
    return 'Basic ' + base64.b64encode(pair.encode()).decode()


def named(text, mode=0o600):
    path = os.path.join(t.folder(), 'f')
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def script(text):
    return named('#!/bin/sh\n' + text, stat.S_IRWXU)


def request_of(server, p):
    """The fields of what a connect asks it, which then ends."""
    w = server.next()
    w.bye()
    p.stdin.close()
    t.is_(p.wait(), 0, 'taken: ' + ' '.join(p.argv[2:])[:50])
    return w.request


def asked(*options, where=url):
    """The fields of one request."""
    server = t.WSServer()
    return request_of(server, t.connect(where(server.port), *options))


def test_user():
    t.is_(asked('-u', 'ann:pass:word')['authorization'],
          basic('ann:pass:word'), '-u')
    t.is_(asked('--user', '@' + named('bob:from a file\r\nmore\n'))
          ['authorization'], basic('bob:from a file'), 'of a file')
    t.is_(asked('--user', '@' + named('\ufeffbob:x\n'))['authorization'],
          basic('bob:x'), 'without the byte order mark of an editor')
    t.is_(asked('-u', 'ann:x', where=lambda p: url(p, user='eve:y@'))
          ['authorization'], basic('ann:x'), 'before that of the URL')
    t.is_(asked('-u', 'ann:x', '-H', 'authorization: Bearer tok')
          ['authorization'], 'Bearer tok', 'a header before both')
    long = 'u:' + 'x' * 1021
    t.is_(asked('-u', long)['authorization'], basic(long), 'a long one')
    for word in ('ann', 'a:\n', '@/nonexistent', '@' + named(''),
                 '@' + named('no colon'), 'u:' + 'x' * 1022):
        r = t.run_inetws('connect', '-u', word, url(1))
        t.is_(r.returncode, 64, 'no good: 64')
        t.like(r.stderr, '--user', 'and the error says so')


def test_fields():
    r = asked('-H', '@' + named('\ufeffX-A: 1\n\n# comment\n'
                                'Authorization: Bearer t\r\n'),
              '-H', 'X-B:2', '--origin', 'https://me.example')
    t.is_((r['x-a'], r['x-b'], r['authorization'], r['origin']),
          ('1', '2', 'Bearer t', 'https://me.example'), 'all of them')
    t.is_(asked('--origin', 'https://a', '-H', 'Origin: https://b')
          ['origin'], 'https://b', 'one Origin only')


def test_reload():
    """HUP has the files read anew; a bad one changes nothing."""
    server = t.WSServer()
    user, fields = named('ann:one\n'), named('X-Token: one\n')
    c = t.client(url(server.port), '-u', '@' + user, '-H', '@' + fields)

    def told():
        t.ws.dial(c.port)
        r = server.next().request
        return r['authorization'], r['x-token']

    t.is_(told(), (basic('ann:one'), 'one'), 'what the files say')
    for path, text in ((user, 'ann:two'), (fields, 'X-Token: two')):
        with open(path, 'w') as f:
            f.write(text)
    c.send(signal.SIGHUP)
    c.wait_line('event=reloaded')
    t.is_(told(), (basic('ann:two'), 'two'), 'what they say now')
    with open(user, 'w') as f:
        f.write('no colon')
    c.send(signal.SIGHUP)
    t.like(c.wait_line('event=reload .*')[0], 'colon', 'a mistake is told')
    t.is_(told(), (basic('ann:two'), 'two'), 'and all stays as it was')


def test_origin_at_a_server():
    s = t.server(t.echo().port, '--allow-origin', 'https://me.example')
    for word, want in (('https://me.example', 0), ('https://no.example', 77)):
        r = t.run_inetws('connect', '--origin', word, url(s.port), input=b'')
        t.is_(r.returncode, want, '%s: %d' % (word, want))


def counter(*more):
    """A program that says a new number each time, and its file."""
    path = os.path.join(t.folder(), 'n')
    with open(path, 'w') as f:
        f.write('0')
    return script('n=$(($(cat %s) + 1)); echo $n >%s\n'
                  'echo "X-Once: $n"; echo; echo "X-Url: $INETWS_URL"\n'
                  'cat >/dev/null\n%s' % (path, path, ''.join(more))), path


def test_command():
    server = t.WSServer()
    program, _ = counter()
    c = t.client(url(server.port, path='/p?secret', user='u:p@'),
                 '--header-command', program + ' "an argument"', '--resume',
                 '0')
    for n in '123':
        v = t.ws.dial(c.port)
        w = server.next()
        t.is_(w.request['x-once'], n, 'request %s is told so' % n)
        t.is_(w.request['x-url'], url(server.port, path='/p'),
              'the program is told where, and no secret')
        t.is_(w.request['authorization'], basic('u:p'), 'besides the rest')
        w.send(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', 'a tunnel')
        t.ok(t.until(lambda: not [p for p in t.family(c.pid) if 'when asked'
                                  in t.command_of(p)]),
             'nothing waits to be asked again, with no session')


def test_command_and_redials():
    """The program runs for each redial, though the tunnel's process has
    given up the right to start one."""
    s = t.server(t.echo().port, '--resume', '30s')
    cable = t.Proxy(s.port)
    program, path = counter()
    c = t.client(url(cable.port), '--header-command', program, '--resume',
                 '30s')
    v = t.ws.dial(c.port)
    for n in (1, 2, 3):
        v.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', 'a tunnel')
        with open(path) as f:
            runs = int(f.read())
        # A path that comes too late costs another one.
        t.ok(n <= runs <= cable.accepted, 'a program, run %d times' % runs)
        if n < 3:
            cable.cut()
    helper = [p for p in t.family(c.pid) if 'when asked' in t.command_of(p)]
    t.is_(len(helper), 1, 'one process waits to be asked')
    held = {os.readlink('/proc/%d/fd/%s' % (helper[0], n)) for n in
            os.listdir('/proc/%d/fd' % helper[0])}
    t.is_(len([h for h in held if h.startswith('socket:')]), 1,
          'and holds one socket, not the tunnel: %s' % sorted(held))
    v.close()
    c.wait_line('event=closed .*end=ended')
    t.ok(t.until(lambda: len(t.family(c.pid)) == 0), 'it goes with it')


def test_standard_error_of_command():
    """Where the log is JSON, so is each line that the program writes there,
    also when a tunnel is lost."""
    s = t.server(t.echo().port, '--resume', '30s')
    cable = t.Proxy(s.port)
    p = t.connect(url(cable.port), '--log-format', 'json', '--resume', '30s',
                  '--header-command', script('echo some words >&2'))
    for n in (1, 2, 3):
        p.stdin.write(b'hello')
        p.stdin.flush()
        t.is_(p.stdout.read(5), b'hello', 'a tunnel')
        p.wait_line('"event":"program-stderr".*"text":"some words"', count=n)
        cable.cut()
    p.stdin.close()
    t.is_((p.wait(), p.stdout.read()), (0, b''), 'it ends well')
    for line in p.wait_log().splitlines():
        json.loads(line)
    t.ok(t.until(lambda: not t.family(p.pid)), 'and no process is left')


def test_command_and_redirects():
    last = t.WSServer()
    program, path = counter()

    def where(host):
        return t.WSServer(answer=lambda line, f: (
            'HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n'
            % (url(last.port) if host else '/next')).encode()
            if 'next' not in line else None)
    first = where('')
    p = t.connect(url(first.port), '--header-command', program)
    t.is_(request_of(first, p)['x-once'], '2', 'each request has its own')
    p = t.connect(url(where('other').port), '--header-command', program)
    t.ok('x-once' not in request_of(last, p), 'another host has none')
    with open(path) as f:
        t.is_(f.read().strip(), '3', 'and it is not run for that')


def test_slow_redirects():
    """Each answer is in time, and all together are not."""
    asked = []

    def slow(line, fields):
        asked.append(line)
        time.sleep(1.6 * t.SCALE)
        return (b'HTTP/1.1 302 Found\r\nLocation: /%d\r\n'
                b'Content-Length: 0\r\n\r\n' % len(asked))
    server = t.WSServer(answer=slow)
    limits = ['--connect-timeout', '%dms' % (500 * t.SCALE),
              '--handshake-timeout', '%dms' % (4000 * t.SCALE)]
    r = t.run_inetws('connect', *limits, url(server.port))
    t.is_(r.returncode, 75, 'redirects share one time: 75')
    t.like(r.stderr, r'no answer: .*timed out \(redirected from', 'which is said')
    t.ok(len(asked) in (2, 3), 'in the third request, or the second one of a '
         'busy machine')
    del asked[:]
    r = t.run_inetws('connect', *limits, '--header-command', script(
        '[ ! -e "$0.run" ] || sleep 60; touch "$0.run"'), url(server.port))
    t.is_(r.returncode, 75, 'so does a command for the next request')
    t.is_(len(asked), 1, 'which is not sent')


def test_slow_answers():
    """No byte that comes gives a server more time."""
    for name, begin, again, scheme, status in (
            ('a head that does not end', b'HTTP/1.1 101 Yes\r\nX: ', b'y', 'ws',
             75),
            ('the words of a refusal', b'HTTP/1.1 403 No\r\nContent-Type: '
             b'text/plain\r\nContent-Length: 999\r\n\r\n', b'y', 'ws', 77),
            ('TLS', b'\x16\x03\x03\x40\0\x02', b'\0', 'wss', 75)):
        # A head that says no has to come in time; others may not come at all.
        ms = '%dms' % ((3000 if status == 77 else 500) * t.SCALE)
        server = t.Listener(t.drip(begin, again))
        begun = t.ws.now()
        r = t.run_inetws('connect', '-k', '--connect-timeout', ms,
                         '--handshake-timeout', ms, '%s://127.0.0.1:%d/' % (
                             scheme, server.port))
        t.is_(r.returncode, status, '%s, byte by byte: %d' % (name, status))
        t.ok(t.ws.now() - begun < t.BOUND, 'in time')


def test_bad_commands():
    held = t.Held()
    for text, status, word in (
            ('exit 3', 71, 'exit status 3'), ('kill -9 $$', 71, 'signal 9'),
            ('sleep 60', 75, 'too long'),
            ('echo "Host: x"', 71, 'Host must not'),
            ('echo "Sec-WebSocket-Key: x"', 71, 'Sec-WebSocket-Key must not'),
            ('echo nonsense', 71, 'no colon'),
            ('printf "X: a\\001b\\n"', 71, 'control character'),
            ('yes "X: y" | head -c 9000', 71, 'longer than 8191 bytes'),
            ('yes "X: y" | head -c 7000', 71,
             'the fields have more than 8191 bytes')):
        limit = ['--handshake-timeout', '1s'] if 'sleep' in text else []
        r = t.run_inetws('connect', '--header-command', script(text), *limit,
                         url(held.port))
        t.is_(r.returncode, status, '%s: %d' % (text, status))
        t.like(r.stderr, '--header-command .*' + word, 'and the error says so')
    r = t.run_inetws('connect', '--header-command', script(
        "printf 'X-A: b\\000\\nX-C: d\\n'"), url(held.port))
    t.is_(r.returncode, 71, 'a NUL in what it says: 71')
    t.like(r.stderr, '--header-command .*: NUL in its output',
           'and nothing is cut off silently')
    r = t.run_inetws('connect', '--header-command', '/nonexistent/x',
                     url(held.port))
    t.is_(r.returncode, 64, 'no such program: 64')
    t.like(r.stderr, 'No such file', 'and the error says so')
    t.is_(held.accepted, 0, 'nothing was asked of the server')
    t.ok(not [p for p in t.family() if 'sleep' in t.command_of(p)],
         'what was too slow is gone')


def test_by_hup():
    """A program that is not there is refused as at the start; what is said of
    TLS is told though the URL has none."""
    path = t.folder() + '/conf'

    def reload(line):
        with open(path, 'w') as f:
            f.write('mode client\nlisten 127.0.0.1:0\nurl %s\n%s\n' % (
                url(t.free_port()), line))

    reload('')
    c = t.inetws('-K', path)
    c.wait_line('listening on')
    for line, says in (
            ('header-command /nonexistent/x', 'header-command .*No such file'),
            ('proxy-header-command /nonexistent/x',
             'proxy-header-command .*No such file'),
            ('ciphers FOO', 'ciphers .*FOO'),
            ('proxy-cacert ' + path, 'proxy-cacert .*no certificate')):
        mark = c.mark()
        reload(line)
        c.send(signal.SIGHUP)
        t.ok(c.has_line('level=error event=reload .*' + says, since=mark),
             line.split()[0] + ': the log says why')


def test_another_host():
    """A redirect takes no secrets along, wherever they are from."""
    last = t.WSServer()
    for scheme, host in (('ws', 'localhost'), ('http', '127.0.0.1')):
        first = t.WSServer(answer=lambda line, f: (
            'HTTP/1.1 307 No\r\nLocation: %s://%s:%d/\r\n'
            'Content-Length: 0\r\n\r\n' % (scheme, host, last.port)).encode())
        for options in (['-u', 'ann:x'], ['-u', 'ann:x', '-H', 'Cookie: c',
                        '-H', 'X-Other: 1', '-H', 'aUTHORIZATION: Bearer t']):
            seen = request_of(last, t.connect(url(first.port, user='u:p@'),
                                              *options))
            t.is_((seen.get('authorization'), seen.get('cookie')),
                  (None, None), 'to %s, another port: no secrets' % host)
        t.is_(seen.get('x-other'), '1', 'but what is none')
        c = t.client(url(first.port), '--forward-peer')
        with t.ws.dial(c.port):
            t.is_(last.next().request.get('forwarded'), None,
                  'nor who the visitor is')


def test_there_and_back():
    """Each host is told what is for it, wherever one has been before."""
    seen, to = [], {}

    def answer(line, f):
        path = line.split(' ')[1]
        seen.append((path, f.get('authorization'), f.get('cookie')))
        return ('HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0'
                '\r\n\r\n' % to[path]).encode() if path in to else None
    here, there = t.WSServer(answer=answer), t.WSServer(answer=answer)
    to.update({'/': '/near', '/near': url(there.port, path='/far',
                                          user='bob:b@'),
               '/far': '/farther', '/farther': url(here.port, path='/back')})
    for options, mine, cookie in (
            ([], 'u:p', None), (['-u', 'ann:x'], 'ann:x', None),
            (['-u', 'ann:x', '-H', 'Cookie: c'], 'ann:x', 'c')):
        del seen[:]
        request_of(here, t.connect(url(here.port, user='u:p@'), *options))
        mine = basic(mine)
        t.is_(seen, [('/', mine, cookie), ('/near', mine, cookie),
                     ('/far', basic('bob:b'), None), ('/farther', None, None),
                     ('/back', mine, cookie)], 'by %s' % (options or 'URL'))


def test_injection():
    """Nothing begins a line of its own, in whatever it comes."""
    evil = 'x\r\nX-Evil: 1'
    for words in (['-H', 'X: ' + evil], ['-H', 'X\r\nX-Evil: 1'],
                  ['-A', evil], ['--origin', evil], ['--subprotocol', evil],
                  ['-u', 'a:' + evil], ['--proxy-user', 'a:' + evil],
                  ['--proxy-header', 'X: ' + evil], ['-x', 'http://' + evil],
                  ['-x', 'http://a:x%0d%0aX-Evil:%201@h:1'],
                  ['--connect-to', '::%s:1' % evil],
                  ['-H', '@' + named('X: a\x0bb')],
                  ['-H', '@' + named('X: a\rX-Evil: 1\n')]):
        r = t.run_inetws('connect', *words, 'ws://h/')
        t.is_(r.returncode, 64, '%s: 64' % words[0])
        t.unlike(r.stderr, '^X-Evil', 'and none in the error')
    for where in ('ws://h/' + evil, 'ws://h/a b', 'ws://h\r\nX-Evil: 1/',
                  'ws://h:1\r\n/', 'ws://u:p%0d%0aX@h/', 'ws://h/\x7f',
                  'ws://h/?' + evil, 'ws+unix:/x:/' + evil):
        r = t.run_inetws('connect', where)
        t.is_(r.returncode, 64, 'in a URL: 64')
    server = t.WSServer(answer=lambda line, f: (
        b'HTTP/1.1 302 Found\r\nLocation: /a b\r\nContent-Length: 0\r\n\r\n'))
    r = t.run_inetws('connect', url(server.port))
    t.is_(r.returncode, 76, 'nor in a Location: 76')


def test_hop_by_hop():
    for name in ('Host', 'Connection', 'Upgrade', 'Keep-Alive', 'TE',
                 'Trailer', 'Transfer-Encoding', 'Content-Length',
                 'Proxy-Connection', 'Proxy-Authorization',
                 'Sec-WebSocket-Key', 'sec-websocket-accept',
                 'Sec-WebSocket-Extensions', 'Sec-WebSocket-Version',
                 'Sec-WebSocket-Protocol', 'User-Agent'):
        r = t.run_inetws('connect', '-H', name + ': x', 'ws://h/')
        t.is_(r.returncode, 64, '%s: 64' % name)
        t.like(r.stderr, name + ' must not be set: ', 'with a reason')


t.main()
