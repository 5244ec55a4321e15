#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What an attacker of SECURITY in inetws(1) can do, where no other test shows
it: a process that writes rubbish to the statistics page and to memory, a network
that changes bits, a proxy that changes words, clients that flood, a server whose
answers hold control characters, other users, web pages.

If it fails: an attack that the manual calls impossible is possible.
"""

import itertools
import os
import random
import re
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import hostile          # noqa: E402
import inetws as t      # noqa: E402
import waiting          # noqa: E402

TOP_AT, PLACES_AT = 16, 16408   # in connection/waiting.c's table
# In struct stats_header: its size, behind the sizes, repeated failures.
SIZE_AT, BEHIND_AT, REPEAT_AT = 8, 16, 768


def says(w):
    w.send(b'still here')
    return w.take_data(10) == b'still here'


def rubbish(size, seed):
    rand = random.Random(seed)
    if seed < 2:
        return bytes([255 * seed]) * size
    few = bytes((0, 0, 0, 1, 0x7f, 0xff)[i % 6] for i in range(256))
    return rand.randbytes(size).translate(few if seed % 2 else None)


def test_page_of_rubbish():
    """A compromised process of a tunnel writes what it likes to the page."""
    t.rundir()
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0')
    metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    w = t.ws.connect(s.port)
    t.ok(says(w), 'a tunnel')
    path = t.page_of(s.pid)
    size = min(os.path.getsize(path), 1 << 20)
    with open(path, 'rb') as f:
        whole = f.read(size)
    slots_at, = struct.unpack_from('=I', whole, SIZE_AT)
    t.ok(REPEAT_AT < slots_at < size, 'a page of %d bytes' % size)
    for seed in range(12 if not t.LONG else 200):
        with open(path, 'r+b') as f:
            f.write(whole)
        with open(path, 'r+b') as f:
            # all of it, from behind its kind, in the table, in the slots
            f.seek((0, BEHIND_AT, REPEAT_AT, slots_at)[seed % 4])
            f.write(rubbish(size - f.tell(), seed))
        r = t.run_inetws('status')
        t.ok(r.returncode >= 0 and not (
            set(r.stdout) & (set(range(32)) - {10} | {0x7f})),
            'rubbish %d: status ends by itself (%d), without control '
            'characters' % (seed, r.returncode))
        for page in ('/', '/metrics', '/healthz'):
            try:
                t.http(metrics, page)
            except (IndexError, ValueError, OSError):
                pass            # no answer, or a page of rubbish
        s.send(signal.SIGUSR1)
        t.ok(says(w) and says(t.ws.connect(s.port)) and s.alive(),
             'and tunnels are served')
    t.unlike(s.log, 'child-killed', 'no process has died of it')


def shared_memory(pid):
    """Where the memory is that a process shares with others: [(from, to)]."""
    with open('/proc/%d/maps' % pid) as f:
        found = [line.split() for line in f]
    return [tuple(int(x, 16) for x in m[0].split('-')) for m in found
            if m[1].startswith('rw') and m[1][3] == 's' and
            m[5:6] == ['/dev/zero']]


def test_memory_of_rubbish():
    """The same with the memory in which processes of an instance tell each
    other who waits, and what the log has lost."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    t.rundir()
    s = t.server(t.echo().port, '--max-connections', '30')
    evil, good = t.ws.connect(s.port), t.ws.connect(s.port)
    t.ok(says(evil) and says(good), 'two tunnels')
    t.until(lambda: len(t.children(s.pid)) == 2)
    pid = t.children(s.pid)[0]
    areas = shared_memory(pid)
    t.ok(areas, 'its process shares memory')
    for seed in range(12 if not t.LONG else 200):
        try:
            with open('/proc/%d/mem' % pid, 'r+b', 0) as f:
                for a, b in areas:
                    f.seek(a)
                    f.write(rubbish(b - a, seed))
        except OSError as e:
            raise t.Skip('its memory: ' + e.strerror)
        gone = t.ws.connect(s.port)
        t.ok(says(gone), 'rubbish %d: connections are served' % seed)
        gone.close()
        s.send(signal.SIGUSR1)
        t.ok(says(good) and says(evil) and s.alive(),
             'and tunnels go on')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 2),
         'those that ended are gone')
    t.unlike(s.log, 'child-killed', 'no process has died')
    evil.close(), good.close()
    s.send(signal.SIGTERM)
    t.is_(s.wait(), 0, 'and TERM ends it')


def table_of_waiting(pid):
    """Where it begins: nobody has waited, one of a user may, and the options
    have not changed."""
    (a, b), = shared_memory(pid)
    with open('/proc/%d/mem' % pid, 'rb', 0) as f:
        f.seek(a)
        text = f.read(b - a)
    return next(a + m.start() for m in re.finditer(re.escape(
        struct.pack('QII', 0, 1, 0)), text) if m.start() % 64 == 0)


def test_forged_waiting():
    """One writes there that others wait, and that they give way: a tunnel that
    has its websocket stays."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    t.rundir()
    s = t.server(t.echo().port, '--max-connections', '2')
    evil, good = t.ws.connect(s.port), t.ws.connect(s.port)
    t.ok(says(evil) and says(good), 'two tunnels, and no place for a third')
    t.until(lambda: len(t.children(s.pid)) == 2)
    pids = t.children(s.pid)
    begin = table_of_waiting(pids[0])

    def forge(since):
        try:
            with open('/proc/%d/mem' % pids[0], 'r+b', 0) as f:
                f.seek(begin + TOP_AT)
                f.write(struct.pack('I', 8))        # places in use
                f.seek(begin + PLACES_AT)
                f.write(struct.pack('qQQ', since, 0, 0) * 8)
        except OSError as e:
            raise t.Skip('its memory: ' + e.strerror)

    forge(1)
    asleep = {pid: t.at_rest(pid) for pid in pids}
    answers = []
    asker = threading.Thread(daemon=True, target=lambda: answers.append(
        waiting.status_of(s.port)))
    asker.start()
    t.ok(t.until(lambda: all(t.switches(pid) > n
                             for pid, n in asleep.items())),
         'both are asked to give way')
    forge(-1)
    asker.join(t.BOUND)
    t.is_(answers, [503], 'who wants a place gets none')
    t.ok(says(good) and says(evil), 'and both tunnels go on')
    t.unlike(s.log, 'child-killed', 'no process was killed')


class Way(t.Listener):
    """A way to a port, on which bytes change: change(up, at, data) gets those
    that pass upwards or downwards, and how many came before them.  With tls it
    ends TLS, as a reverse proxy."""

    def __init__(self, port, change, tls=None):
        self.to, self.change_of = port, change
        super().__init__(self._pass, tls=tls)

    def _pass(self, a):
        b = t.ws.dial(self.to)
        change = self.change_of(self.accepted)

        def copy(src, dst, up):
            try:
                n = 0
                while True:
                    data = src.recv(65536)
                    if not data:
                        break
                    dst.sendall(change(up, n, data))
                    n += len(data)
            except OSError:
                pass
            for x in (src, dst):
                try:
                    x.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        back = threading.Thread(target=copy, args=(b, a, False), daemon=True)
        back.start()
        copy(a, b, True)
        back.join()
        a.close(), b.close()


def flipper(where, upwards):
    """Changes one bit of one direction, in the first connection."""
    def change_of(nth):
        def change(up, at, data):
            if up != upwards or nth > 1 or not at <= where < at + len(data):
                return data
            return (data[:where - at] + bytes([data[where - at] ^ 0x10]) +
                    data[where - at + 1:])
        return change
    return change_of


def sent_up(port, target, data):
    """What the target gets of a visitor's data, and how it ends."""
    def say():
        try:
            with t.ws.dial(port) as v:
                v.sendall(data)
                v.shutdown(socket.SHUT_WR)
                t.ws.read_all(v)
        except OSError:
            pass
    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    with target.next() as stream:
        found = t.ws.read_all(stream)
    thread.join(t.BOUND)
    return found


def test_changed_bits():
    """On a network that changes what passes, under TLS."""
    data = os.urandom(2 << 20)
    cert = t.certificate()
    for session, at, up in itertools.product(
            (True, False), (10000, 1 << 20), (False, True)):
        target = t.Held() if up else t.source(data)
        s = t.server(target.port, '--tls-cert', cert.cert, '--tls-key',
                     cert.key)
        way = Way(s.port, flipper(at, up))
        c = t.client('wss://localhost:%d/' % way.port, '--cacert', cert.ca,
                     *(() if session else ('--resume', '0')))
        got, how = sent_up(c.port, target, data) if up else \
            t.ws.dial_and_read(c.port)
        name = 'byte %d changed on the way %s' % (at, 'up' if up else 'down')
        if session:
            t.ok((got, how) == (data, 'eof'), name + ': a session brings all')
            t.ok(way.accepted >= 2, 'over a second connection')
        else:
            t.ok(how == 'reset' and data.startswith(got),
                 name + ': a reset, no wrong byte')


def test_reverse_proxy():
    """One that ends TLS sees what passes, and can change it unnoticed."""
    s, cert, seen = t.server(t.echo().port), t.certificate(), bytearray()

    def change_of(nth):
        def change(up, at, data):
            if not up:
                seen.extend(data)
            return data.replace(b'the word', b'THE WORD') if not up else data
        return change
    way = Way(s.port, change_of, tls=t.tls_context(cert))
    r = t.run_inetws('connect', '--cacert', cert.ca, 'wss://localhost:%d/' %
                     way.port, input=b'say the word')
    t.is_((r.returncode, r.stdout), (0, b'say THE WORD'),
          'what it changes arrives, and the end is clean')
    t.ok(b'say the word' in seen, 'it has seen it')


def offered(offer):
    return [('Sec-WebSocket-Extensions', offer)] if offer else []


def descriptors_of(pids):
    """How many each of these has; a process that has ended has none."""
    found = []
    for pid in pids:
        try:
            found.append(t.descriptors(pid))
        except FileNotFoundError:
            found.append(0)
    return found


def test_floods():
    """Whatever clients send, each has one process, which has no more
    descriptors than that of a client that sends nothing, but a pipe for bulk."""
    s = t.server(t.echo().port, '--handshake-timeout', '1h', '--resume', '1s')
    own = t.descriptors(s.pid)
    good = [t.ws.connect(s.port, headers=offered(offer))
            for offer in (None, hostile.OFFER)]
    t.ok(says(good[0]) and t.until(lambda: len(t.children(s.pid)) == 2),
         'two good clients')
    mine = t.children(s.pid)
    bound = max(descriptors_of(mine)) + 2
    evil = {}
    for name, (_, offer, bytes_of) in hostile.KINDS.items():
        sock = evil[name] = t.ws.dial(s.port) if bytes_of is None else \
            t.ws.connect(s.port, headers=offered(offer)).sock
        if 'fragments' in name:
            sock.sendall(t.ws.frame(2, b'', fin=False, key=b'abcd'))
        sock.setblocking(False)
    t.ok(t.until(lambda: len(t.children(s.pid)) == 2 + len(evil)),
         '%d hostile ones' % len(evil))
    most = dict.fromkeys(('descriptors', 'processes'), 0)
    for tick in range(30):
        for name, sock in evil.items():
            bytes_of = hostile.KINDS[name][2]
            try:
                sock.send(bytes_of(tick, b'abcd') if bytes_of else
                          b'GET / HTTP/1.1\r\nA: b%r\r\n'[tick:tick + 1])
            except OSError:
                pass                    # it takes no more, or has ended
        t.until(lambda: not t.unread(s.port), 0.05, pause=.001)
        there = t.children(s.pid)
        most['processes'] = max(most['processes'], len(there))
        most['descriptors'] = max([most['descriptors']] +
                                  descriptors_of(there))
    t.ok(most['processes'] <= 2 + len(evil), 'one process each')
    t.ok(most['descriptors'] <= bound, 'with at most %d descriptors (%d)' % (
        most['descriptors'], bound))
    t.ok(says(good[0]), 'a good one is served')
    for sock in evil.values():
        sock.close()
    t.ok(t.until(lambda: t.children(s.pid) == mine), 'they end')
    for w in good:
        w.drop()
    t.ok(t.until(lambda: not t.children(s.pid) and
                 t.descriptors(s.pid) == own),
         'and the supervisor has no more than before')


def test_words_of_a_server():
    """Nothing that a server says reaches a log or a terminal as control
    characters."""
    evil = b'\x1b[31m\x9b2J\x07\x7f\r\x00'

    def says(head, body=b''):
        return t.WSServer(answer=lambda first, f: head + b'\r\n\r\n' + body)
    for name, server in (
            ('a reason', says(b'HTTP/1.1 403 \x9b2J\xff')),
            ('a reason with ESC', says(b'HTTP/1.1 403 \x1b[31m')),
            ('a text', says(b'HTTP/1.1 503 No\r\nContent-Type: text/plain\r\n'
                            b'Content-Length: %d' % len(evil), evil)),
            ('the title of a page', says(
                b'HTTP/1.1 404 No\r\nContent-Type: text/html\r\n'
                b'Content-Length: %d' % (len(evil) + 15),
                b'<title>' + evil + b'</title>')),
            ('a Location', says(b'HTTP/1.1 302 No\r\n'
                                b'Location: ws://\x9b2J\xff/')),
            ('a challenge', says(b'HTTP/1.1 401 No\r\n'
                                 b'WWW-Authenticate: \x9b2J\xff')),
            ('a subprotocol', says(b'HTTP/1.1 101 Yes\r\n'
                                   b'Sec-WebSocket-Protocol: \x9b\xff')),
            ('no HTTP', says(evil)),
            ('a Close', t.WSServer(early=t.ws.frame(
                t.ws.CLOSE, t.ws.close_payload(
                    1011, '\x1b[31m\x9b2J\x07\x7f\r\0'.encode()))))):
        url = 'ws://127.0.0.1:%d/' % server.port
        for v in ((), ('-v', '-v', '-v')):
            r = t.run_inetws('connect', *v, url)
            t.ok(r.returncode > 0 and r.stdout == b'' and
                 is_plain(r.stderr), '%s %s: status %d, in printable ASCII' % (
                     name, ' '.join(v), r.returncode))
            text, status = t.on_terminal('connect', *v, url)
            t.ok(status > 0 and is_plain(
                re.sub(rb'\A\r|\r+\n\r?', b'\n', text)),
                 'on a terminal: status %d' % status)
        r = t.run_inetws('check', '-v', url)
        t.ok(r.returncode > 0 and is_plain(r.stdout + r.stderr),
             'by check: status %d' % r.returncode)


def is_plain(text):
    """Lines of printable ASCII, at least one?"""
    return text != b'' and all(c == 10 or 32 <= c < 127 for c in text)


def reaches(where):
    """What another user gets through a listener: its answer, or the error."""
    def visit():
        try:
            with t.ws.dial(where) as x:
                x.sendall(b'hello')
                return t.ws.read_exactly(x, 5).decode()
        except OSError as e:
            return e.strerror
    return t.as_nobody(visit).strip("'")


def test_other_users():
    """A listener on an address is for all users of the machine, one on a
    socket for those that its mode lets in; a statistics page is for its own."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    d = t.folder()
    os.chmod(d, 0o755)
    s = t.server(t.echo().port)
    c = t.inetws('client', '-l', '127.0.0.1:0', '-l', 'unix:%s/all,mode=0666' %
                 d, '-l', 'unix:%s/own,mode=0600' % d,
                 'ws://127.0.0.1:%d/' % s.port)
    port = t.port_of(t.listening(c, 3)[0])
    t.is_(reaches(port), 'hello', 'an address: yes')
    t.is_(reaches(d + '/all'), 'hello', 'a socket of mode 0666: yes')
    t.is_(reaches(d + '/own'), 'Permission denied', 'of mode 0600: no')
    os.environ['RUNTIME_DIRECTORY'] = d
    try:
        s = t.server(t.free_port())
        page = t.page_of(s.pid)
        t.ok(page, 'a statistics page')

        def read():
            try:
                with open(page, 'rb') as f:
                    return len(f.read())
            except OSError as e:
                return e.strerror
        t.is_(t.as_nobody(read), "'Permission denied'", 'is not readable')
    finally:
        del os.environ['RUNTIME_DIRECTORY']


def test_planted_files():
    """Another user was there first, in a folder where anybody may make files."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    d = t.folder()
    os.chmod(d, 0o777)
    precious = t.folder() + '/precious'
    empty = t.folder() + '/empty'
    absent = t.folder() + '/absent'
    with open(precious, 'w') as f:
        f.write('words')
    open(empty, 'w').close()

    def plant():
        open(d + '/file', 'w').close()
        for name, to in (('precious', precious), ('empty', empty),
                         ('absent', absent)):
            os.symlink(to, d + '/' + name)
    t.as_nobody(plant)
    for option, status in (('--pidfile', 71), ('--stats-file', 64)):
        for name in ('file', 'precious', 'empty', 'absent'):
            r = t.run_inetws('server', '-l', '127.0.0.1:0', option,
                             d + '/' + name, '127.0.0.1:1')
            t.ok(r.returncode == status and
                 ('%s/%s' % (d, name)).encode() in r.stderr,
                 '%s, %s of another user: %d, and it is named' % (
                     option, 'a file' if name == 'file' else
                     'a link (%s)' % name, status))
    for name in ('file', 'precious', 'empty', 'absent'):
        r = t.run_inetws('server', '-l', 'unix:%s/%s' % (d, name),
                         '127.0.0.1:1')
        t.is_(r.returncode, 71, 'a socket there (%s): 71' % name)
    t.is_((open(precious).read(), os.path.getsize(empty),
           os.path.getsize(d + '/file'), os.path.exists(absent)),
          ('words', 0, 0, False), 'and nothing is written')
    # What an earlier instance has left for its user is no other user's.
    page = t.folder() + '/page'
    os.chmod(os.path.dirname(page), 0o755)
    for _ in range(2):
        s = t.server(t.free_port(), '--run-as', 'nobody', '--stats-file', page)
        t.is_(os.stat(page).st_uid, 65534, 'a page of --run-as: taken')
        s.stop()


def test_requests_of_pages():
    """What a page can send without a websocket opens nothing, and it may read
    no answer."""
    target = t.echo()
    s = t.server(target.port, '--metrics', '127.0.0.1:0', '--metrics-path',
                 '/m')
    metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    evil = ('Origin: https://evil.example', 'Sec-Fetch-Mode: no-cors')
    for port, path in ((s.port, '/'), (s.port, '/m'), (metrics, '/')):
        for method in ('GET', 'POST', 'OPTIONS'):
            status, fields, _ = t.http(port, path, method, evil + (
                'Access-Control-Request-Method: GET',
                'Content-Length: 0'))
            t.ok(status != 101 and not any(
                f.startswith('access-control-') for f in fields),
                '%s: %d, and nothing that lets a page read it' % (
                    method, status))
    t.is_(target.accepted, 0, 'the target was not dialled')
    # A name of that page is another matter: its requests have no Origin.
    status, _, body = t.http(metrics, None, raw=b'GET /metrics HTTP/1.1\r\n'
                             b'Host: evil.example:%d\r\n\r\n' % metrics)
    t.is_((status, 'inetws_build_info' in str(body)), (200, True),
          'by DNS rebinding it reads the metrics, as the manual says')


t.main()
