#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws status: the table, JSON, and --watch.

If it fails: an operator does not see the instances and tunnels of a machine.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import reverse          # noqa: E402
import fcntl            # noqa: E402
import pty              # noqa: E402
import re               # noqa: E402
import shutil           # noqa: E402
import signal           # noqa: E402
import struct           # noqa: E402
import subprocess       # noqa: E402
import termios          # noqa: E402
import time             # noqa: E402


def test_nobody():
    d = t.rundir()
    r = t.run_inetws('status')
    t.is_(r.returncode, 69, 'no instance: 69')
    t.like(r.stderr, 'no instance found in ' + d, 'and where it looked')
    t.is_(t.status(), {'instances': []}, 'as JSON an empty list')
    r = t.run_inetws('status', d + '/none')
    t.is_(r.returncode, 64, 'a page that is not there: 64')
    t.like(r.stderr, d + '/none', 'which is named')
    r = t.run_inetws('status', '/etc/passwd')
    t.is_(r.returncode, 78, 'something else: 78')


def test_unreadable():
    """Others are shown, and that one is not is told, whatever the form."""
    d = t.rundir()
    s = t.server(t.free_port())
    t.until(lambda: t.page_of(s.pid))
    with open(d + '/inetws/other.stats', 'w') as f:
        f.write('rubbish')
    for words in ((), ('--json',), ('--openmetrics',),
                  ('--textfile', d + '/prom')):
        r = t.run_inetws('status', *words)
        t.is_(r.returncode, 0, 'an instance, and rubbish: %s' % (words,))
        t.like(r.stderr, r'\Ainetws: \S+/other\.stats: not a statistics page\n'
               r'\Z', 'which is told, once')
    p = t.inetws('status', '--watch', stdout=subprocess.PIPE)
    lines = [p.stdout.readline() for _ in range(8)]
    t.ok(any(b'/other.stats: not a statistics page\n' in x for x in lines),
         'with --watch below the others')
    t.is_(p.stop(), 0, '(the end of that)')
    ours, theirs = pty.openpty()
    p = t.inetws('status', '--watch', stdin=theirs, stdout=theirs)
    os.close(theirs)
    text = b''
    while b'q quit' not in text:
        text += os.read(ours, 65536)
    t.like(text, r'/other\.stats: not a statistics page', 'on a terminal too')
    os.write(ours, b'q')
    t.is_(p.wait(), 0, '(the end of that)')
    os.close(ours)


def test_table():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    p = t.ws.dial(c.port)
    p.sendall(b'hello')
    t.ws.read_exactly(p, 5)
    t.ok(t.until(lambda: [i['up'] for i in t.status()['instances']] ==
                 [5, 5]), 'two instances')
    r = t.run_inetws('status')
    t.is_(r.returncode, 0, 'the table: 0')
    t.is_(r.stderr, b'', 'nothing to complain of')
    t.like(r.stdout, r'inetws server \S+:%d -> \S+:%d, process %d' %
           (s.port, echo.port, s.pid), 'the server')
    t.like(r.stdout, r'inetws client \S+:%d -> ws://\S+' % c.port,
           'the client')
    t.like(r.stdout, r'%d\s+open\s+127\.0\.0\.1:%d\s.*5 B' %
           (t.child(c.pid), p.getsockname()[1]), 'its tunnel')
    rows = [x for i in t.status()['instances'] for x in i['tunnels']]
    t.is_((rows[0]['id'], rows[0]['peer_id']),
          (rows[1]['peer_id'], rows[1]['id']), 'ids join both sides')
    p.shutdown(1)
    p.close()
    t.ok(t.until(lambda: all(i['active'] == 0 for i in
                             t.status()['instances'])), 'and it is gone')


def holds_no_escapes(port, hidden=()):
    """Everything that shows a page on which one has written, but for what is
    hidden: its metrics are at the port."""
    for what, text in (
            ('status', t.run_inetws('status').stdout),
            ('status --json', t.run_inetws('status', '--json').stdout),
            ('metrics', t.http(port, '/metrics')[2].encode()),
            ('the page', t.http(port, '/')[2].encode())):
        t.ok(not set(text) & (set(range(10)) | set(range(11, 32)) |
                              set(range(127, 256))), what + ': no escapes')
        t.is_(b'?[2J?' in text, what not in hidden, 'but question marks')
        t.ok(b'<i>' not in text or what != 'the page', 'and no element')


def test_hostile_page():
    """A compromised process writes what it likes to its page."""
    t.rundir()
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0')
    port = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    t.ok(t.until(lambda: t.page_of(s.pid)), 'a page')
    with open(t.page_of(s.pid), 'r+b') as f:
        at = f.read().index(b'127.0.0.1:%d -> ' % s.port)
        f.seek(at)
        f.write(b'\x1b[2J\xc2\x9b\x07\x7f<i>"')
    holds_no_escapes(port, hidden=('metrics',))


def test_hostile_names():
    """The same with the names of a gate: everything that shows them."""
    t.rundir()
    g = reverse.gate('--visitors-dir', t.folder(), '--metrics',
                     '127.0.0.1:0', visitors=None, auth=(
                         '--agents-file', reverse.agents_file(annabella='a')))
    port = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    t.ok(t.until(lambda: t.one()['names']), 'a name')
    with open(t.page_of(g.pid), 'r+b') as f:
        at = f.read().index(b'annabella')
        f.seek(at)
        f.write(b'\x1b[2J\x9b<i>')
    holds_no_escapes(port)


def test_states():
    t.rundir()
    target = t.Held()
    s = t.server(target.port)
    raw = t.ws.dial(s.port)
    t.ok(t.until(lambda: t.one()['states']['handshaking'] == 1),
         'handshaking')
    raw.close()
    held = []

    def refused():
        held.append(t.ws.dial(s.port))
        held[-1].sendall(b'junk\r\n\r\n')
        answer = t.ws.read_exactly(held[-1], 12)
        i = t.one()
        return (answer == b'HTTP/1.1 400' and i['states']['refusing'] > 0 and
                not i['states']['handshaking'])
    t.ok(t.until(refused), 'refusing, while the answer is on its way')
    for raw in held:
        raw.close()
    t.ok(t.until(lambda: t.one()['ended']['protocol'] == len(held)),
         'and then it has failed')
    t.is_(t.one()['total'], len(held), 'each is counted once')
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--ping-interval', '100ms')
    p = t.ws.dial(c.port)
    stream = target.next()
    stream.shutdown(1)

    def states():
        return [x['state'] for i in t.status()['instances']
                for x in i['tunnels']]
    t.ok(t.until(lambda: states() == ['half-closed'] * 2), 'half-closed')
    t.ok(t.until(lambda: any(x['rtt_ms'] is not None for i in
                 t.status()['instances'] for x in i['tunnels'])),
         'with the round trip of a ping')
    p.close()


def members(page, before):
    """What a sentence of the manual lists in its lines of .Li."""
    words = page.partition(before)[2]
    return set(re.findall(r'\w+', ' '.join(re.findall(
        r'^\.Li (.*)$', words.partition(' .\n')[0] + ' .', re.M))))


def test_json_manual():
    """Every member of the object stands in the manual."""
    t.rundir()
    g = reverse.gate('--visitors-dir', t.folder(), visitors=None, auth=(
        '--agents-file', reverse.agents_file(ann='a')))
    s = t.server(t.echo().port)
    p = t.ws.dial(s.port)
    t.ok(t.until(lambda: sum(len(i['tunnels']) + len(i['names']) for i in
                 t.status()['instances']) == 2), 'a tunnel and a name')
    with open(os.path.join(t.ROOT, 'man', 'inetws.1')) as f:
        page = f.read().partition('\n.It Fl -json\n')[2]
    found = t.status()
    t.is_(set(found), {'instances'}, 'one member')
    for i in found['instances']:
        t.is_(set(i), members(page, 'each with\n'), 'an instance')
    t.is_({k for i in found['instances'] for n in i['names'] for k in n},
          members(page, 'of a gate has\n'), 'a name')
    t.is_({k for i in found['instances'] for n in i['tunnels'] for k in n},
          members(page, 'A tunnel has\n'), 'a tunnel')
    p.close()
    g.stop()


def test_lost():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    proxy = cutting.Cutter(s.port)
    c = t.client('ws://127.0.0.1:%d/' % proxy.port)
    p = t.ws.dial(c.port)
    p.sendall(b'x')
    t.ws.read_exactly(p, 1)
    proxy.cut('rst')
    t.ok(t.until(lambda: sum(i['resumes'] for i in
                 t.status()['instances']) >= 2), 'resumes are counted')

    def in_rows():
        row = [x for i in t.status()['instances'] for x in i['tunnels']]
        return all(x['resumes'] >= 1 for x in row) and len(row) == 2
    t.ok(t.until(in_rows), 'and stand in the rows')
    p.sendall(b'x')
    t.is_(t.ws.read_exactly(p, 1), b'x', 'it goes on')
    proxy.refuse = True
    proxy.cut('rst')
    t.ok(t.until(lambda: [x['state'] for i in t.status()['instances']
                          for x in i['tunnels']] == ['lost'] * 2),
         'where it cannot be replaced both sides are lost')
    t.is_(len(re.findall(r'^\d+ +lost ', t.run_inetws('status').stdout
                         .decode(), re.M)), 2, 'in the table too')
    lines = on_terminal(80, 'status').split('\r\n')
    t.ok(max(map(len, lines)) <= 80, 'whose lines all fit 80 columns')
    t.like(' '.join(x.strip() for x in lines), r'1 lost; 1 in all, 0 refused, '
           r'\d+ B up, \d+ B down; \d+ lost, \d+ resumed, longest gap \d',
           'and say everything')


def test_parked():
    t.rundir()
    g = reverse.gate()
    reverse.agent(g.url(), t.echo().port, '--spare', '1')
    t.ok(t.until(lambda: [(i['mode'], i['states']['parked']) for i in
                          t.status()['instances']] in (
                              [('gate', 1), ('agent', 1)],
                              [('agent', 1), ('gate', 1)])),
         'a websocket is parked at both sides')
    t.like(on_terminal(80, 'status'), 'inetws agent ' + re.escape(g.url()),
           "an agent is shown by its gate's URL")


def test_refused():
    if os.getuid() != 0:
        raise t.Skip('needs root to be another user')
    t.rundir()
    page = t.folder() + '/page'
    os.chmod(os.path.dirname(page), 0o755)
    s = t.server(t.free_port(), '--stats-file', page)
    r = t.run_inetws('status', page, program=t.world_executable(),
                     preexec_fn=lambda: os.setuid(65534))
    t.is_(r.returncode, 77, "another user's page: 77")
    t.like(r.stderr, 'belongs to another user', 'and why')
    t.ok(s.alive(), 'its owner goes on')


def on_terminal(columns, *words):
    """What inetws writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack('HHHH', 24, columns, 0, 0))
    p = subprocess.Popen([t.INETWS, *words], stdin=theirs, stdout=theirs,
                         stderr=theirs)
    os.close(theirs)
    text = b''
    try:
        while data := os.read(ours, 4096):
            text += data
    except OSError:
        pass
    os.close(ours)
    p.wait(t.BOUND)
    return text.decode()


def test_narrow():
    """On 80 columns: every line fits, and says the most important things."""
    t.rundir()
    s = t.server(t.echo().port)
    ws = []
    for n in range(1, 4):
        ws.append(t.ws.connect(s.port))
        t.until(lambda: [i['active'] for i in t.status()['instances']] == [n])
    text = on_terminal(80, 'status')
    lines = text.split('\r\n')
    t.ok(max(map(len, lines)) <= 80, 'no line is longer')
    t.like(text, r'PID +STATE +PEER +TARGET +AGE +UP +DOWN +RTT\r\n',
           'the columns')
    rows = [x.split() for x in lines if ' open ' in x and '127.0.0.1' in x and
            'inetws' not in x and ';' not in x]
    t.is_([r[2] for r in rows], ['127.0.0.1:%d' % w.sock.getsockname()[1]
                                 for w in reversed(ws)],
          'the newest comes first, and the peer is whole')
    t.like(on_terminal(200, 'status'), 'UP/s +DOWN/s', 'more where there is '
           'room')
    for w in ws:
        w.bye()


def test_plain_watch():
    t.rundir()
    s = t.server(t.free_port())
    p = t.inetws('status', '--watch', stdout=subprocess.PIPE)
    lines = [p.stdout.readline() for _ in range(6)]
    t.ok(not any(b'\x1b' in line for line in lines),
         '--watch into a pipe: no terminal codes')
    t.is_(sum(b'process %d' % s.pid in line for line in lines), 2,
          'and it repeats')
    t.is_(p.stop(), 0, 'TERM: 0')


def test_watch_that_is_not_read():
    t.rundir()
    t.server(t.free_port())
    for signo in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        ours, its = t.full_pipe()
        p = t.Program([t.INETWS, 'status', '--watch'], stdout=its)
        os.close(its)
        t.until(lambda: t.sleeps_catching(p.pid, signo))
        p.send(signo)
        t.is_(p.wait(), 0, 'signal %d ends it' % signo)
        os.close(ours)
    ours, theirs = pty.openpty()
    p = t.inetws('status', '--watch', stdin=theirs, stdout=theirs)
    os.read(ours, 1)                    # it draws
    termios.tcflow(theirs, termios.TCOOFF)
    p.send(signal.SIGTERM)
    t.is_(p.wait(), 0, 'and on a terminal that was stopped')
    os.close(theirs)
    os.close(ours)


def test_watch_on_a_stopped_terminal():
    t.rundir()
    for signo in signal.SIGTERM, signal.SIGINT:
        ours, theirs = pty.openpty()
        before = termios.tcgetattr(theirs)
        termios.tcflow(theirs, termios.TCOOFF)
        p = t.inetws('status', '--watch', stdin=theirs, stdout=theirs)
        t.until(lambda: t.sleeps_catching(p.pid, signo))
        p.send(signo)
        t.is_(p.wait(), 0, 'signal %d ends it' % signo)
        t.is_(termios.tcgetattr(theirs), before, 'the terminal is as it was')
        os.close(theirs)
        os.close(ours)


def test_gone():
    """A page that is removed between the two looks of status."""
    t.rundir()
    page, gone = (t.folder() + '/' + name for name in ('page', 'gone'))
    t.server(t.free_port(), '--stats-file', page)
    t.until(lambda: t.run_inetws('status', page).returncode == 0)
    for n in range(24):
        shutil.copy(page, gone)
        p = subprocess.Popen([t.INETWS, 'status',
                              *(['--json'] if n % 2 else []), gone],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(.004 * n)
        os.unlink(gone)
        out, err = p.communicate()
        if p.returncode == 0:
            t.is_(err, b'', 'it was there')
            continue
        t.is_((p.returncode, out), (64, b''), 'it was not: 64')
        t.like(err, 'gone: No such file', 'and why')


def test_no_flicker():
    """What is on the screen is written over, never cleared."""
    t.rundir()
    s = t.server(t.free_port())
    ours, theirs = pty.openpty()
    p = t.inetws('status', '--watch', stdin=theirs, stdout=theirs)
    os.close(theirs)
    text = b''
    while text.count(b'sort:') < 3:
        text += os.read(ours, 65536)
    os.write(ours, b'q')
    t.is_(p.wait(), 0, 'q: 0')
    os.close(ours)
    text = text[:text.rindex(b'sort:')]         # the end may be half of one
    t.unlike(text, r'\x1b\[([23]J|J(?!$|\x1b\[H)|2K)|\x1bc',
             'nothing is cleared but what is below')
    t.is_(text.count(b'\x1b[H'), text.count(b'process %d' % s.pid),
          'each picture begins at the top')


def test_terminal():
    tmux, = t.need('tmux')
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    w = t.ws.connect(s.port)
    w.send(b'abc')
    w.take_data(3)
    sock = t.folder() + '/tmux'
    env = dict(os.environ, TERM='screen', LC_ALL='C')

    def tm(*words):
        return t.run([tmux, '-f', '/dev/null', '-S', sock] + list(words),
                     env=env)
    tm('new-session', '-d', '-x', '100', '-y', '12',
       t.INETWS + ' status --watch; echo over; cat')
    t.on_close(lambda: tm('kill-server'))

    def screen():
        return tm('capture-pane', '-p').stdout.decode()
    t.ok(t.until(lambda: re.search('(?s)open.*q quit', screen())),
         'the table comes up')
    text = screen()
    t.like(text, r'^inetws server ', 'the instance on the first line')
    t.like(text, r'^PID +STATE +PEER', 'the columns')
    t.like(text, r'^sort:.*q quit', 'the keys')
    t.ok(max(map(len, text.splitlines())) <= 100, 'within the width')
    more = t.ws.connect(s.port)
    t.ok(t.until(lambda: screen().count(' open ') >= 2),
         'a new tunnel appears')
    peers = sorted('127.0.0.1:%d' % x.sock.getsockname()[1]
                   for x in (w, more))

    def order():
        return [c for line in screen().splitlines()
                for c in line.split()[2:3] if c in peers]
    tm('send-keys', 'p')
    t.ok(t.until(lambda: order() == peers), 'p: by peer')
    tm('send-keys', 'r')
    t.ok(t.until(lambda: order() == peers[::-1]), 'r: the other way round')
    tm('resize-window', '-x', '60', '-y', '6')
    t.ok(t.until(lambda: max(map(len, screen().splitlines() or ['x' * 99]))
                 <= 60 and 'sort:' in screen()), 'a smaller window')
    tm('resize-window', '-x', '60', '-y', '4')
    t.ok(t.until(lambda: len(screen().splitlines()) == 4 and
                 'sort:' in screen()), 'smaller still')
    head = 'inetws server'
    t.ok(t.until(lambda: screen().startswith(head)), 'the first lines')
    tm('send-keys', 'Down')
    t.ok(t.until(lambda: not screen().startswith(head)), 'down: scrolls')
    tm('send-keys', 'Up')
    t.ok(t.until(lambda: screen().startswith(head)), 'up: back')
    tm('send-keys', 'q')
    t.ok(t.until(lambda: 'over' in screen()), 'q: it ends')
    t.unlike(screen(), 'sort:', 'and the screen is as it was')
    w.bye()


def test_keys():
    """Every word of the key line is a key, which sorts by its column; an agent
    is shown by its gate's URL; all on 80 columns."""
    tmux, = t.need('tmux')
    t.rundir()
    d = t.folder()
    names = ('bob', 'cat', 'ann', 'dan')
    g = reverse.gate('--visitors-dir', d, '--ping-interval', '0',
                     visitors=None, auth=(
        '--agents-file', reverse.agents_file(**{n: n for n in names})))
    down = {'bob': 30, 'cat': 20, 'ann': 10}    # towards the agent
    up = {'bob': 2, 'cat': 1, 'ann': 3}
    raw, held = {}, []
    for n in names:
        raw[n] = reverse.raw_agent(g, '/' + n, secret=n)
        t.until(lambda: t.one()['states']['parked'] == 1)
        if n == 'dan':
            continue
        v = reverse.visit('%s/%s.sock' % (d, n))
        reverse.line(raw[n])
        raw[n].text('ok')
        v.sendall(b'x' * down[n])
        raw[n].frame(t.BOUND)
        held.append(v)
    for n in ('ann', 'cat', 'bob'):     # the last one is the least idle
        raw[n].data(b'y' * up[n])
        t.ws.read_exactly(held[('bob', 'cat', 'ann').index(n)], up[n])
    at = t.ws.dial(g.port)              # its handshake goes on
    sock = t.folder() + '/tmux'

    def tm(*words):
        return t.run([tmux, '-f', '/dev/null', '-S', sock] + list(words),
                     env=dict(os.environ, TERM='screen', LC_ALL='C'))
    tm('new-session', '-d', '-x', '80', '-y', '20',
       t.INETWS + ' status --watch; cat')
    t.on_close(lambda: tm('kill-server'))

    def screen():
        return tm('capture-pane', '-p').stdout.decode()

    def order():
        return [w for line in screen().split('\n') for w in line.split()[3:4]
                if w in names and line.split()[0].isdigit()]
    t.ok(t.until(lambda: len(order()) == 4), 'four websockets')
    keys = t.until(lambda: re.search(
        r'(?m)^sort: ([a-z ]+), r reverse; .*q quit$', screen()))
    t.ok(keys, 'the line of keys fits 80 columns')
    pid = {r['target']: r['pid'] for r in t.one()['tunnels']}
    want = {'peer': None, 'target': ['ann', 'bob', 'cat', 'dan'],
            'state': ['dan'] + sorted(('bob', 'cat', 'ann'), key=pid.get),
            'age': ['dan', 'ann', 'cat', 'bob'], 'idle': ['bob', 'cat', 'ann', 'dan'],
            'up': ['ann', 'bob', 'cat', 'dan'],
            'down': ['bob', 'cat', 'ann', 'dan']}
    t.is_(keys[1].split(), list(want), 'with all columns')
    for word, rows in want.items():
        tm('send-keys', word[0])
        if rows:
            t.ok(t.until(lambda: order() == rows), word)
            if order() != rows:
                t.diag(screen())
    tm('send-keys', 'r')
    t.ok(t.until(lambda: order() == want['down'][::-1]), 'reversed')
    reverse.agent(g.url('bob'), t.echo().port, '-H',
                  'Authorization: Bearer bob')
    t.ok(t.until(lambda: 'inetws agent ' + g.url('bob') in screen()),
         'an agent by the URL of its gate')
    t.ok(max(map(len, screen().split('\n'))) <= 80, 'nothing is wider')
    tm('resize-window', '-x', '80', '-y', '5')
    first = lambda: screen().split(', up ')[0].split('\n')[0]
    t.ok(t.until(lambda: len(screen().rstrip('\n').split('\n')) == 5 and
                 first().startswith('inetws')), 'a low window')
    top = first()
    for there, back in (('j', 'k'), ('Space', 'b'), ('PageDown', 'PageUp')):
        tm('send-keys', there)
        t.ok(t.until(lambda: first() != top), there + ': scrolls')
        tm('send-keys', back)
        t.ok(t.until(lambda: first() == top), back + ': back')
    at.close()


t.main()
