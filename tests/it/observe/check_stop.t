#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws check says each step when it is known, and keeps what it has found
when a signal stops it.

If it fails: a user who waits for a path that hangs is not told where it hangs,
and loses what was found when the user stops the check.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import fcntl            # noqa: E402
import json             # noqa: E402
import pty              # noqa: E402
import re               # noqa: E402
import select           # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import struct           # noqa: E402
import subprocess       # noqa: E402
import termios          # noqa: E402
import threading        # noqa: E402

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
PATH = ['name', 'connect', 'proxy', 'tls']      # before an answer


def url(port, scheme='ws', host='127.0.0.1'):
    return '%s://%s:%d/' % (scheme, host, port)


class Check:
    """One that runs; its standard output is a pipe, read as it comes."""

    def __init__(self, *words, before=(), **kw):
        self.p = t.Program([*before, t.INETWS, 'check', *words],
                           stdout=subprocess.PIPE, **kw)
        self.text = ''

    def read(self):
        """More of its output, '' at its end."""
        fd = self.p.stdout.fileno()
        if not select.select([fd], [], [], 2 * t.BOUND)[0]:
            raise AssertionError('nothing more behind %r' % self.text)
        more = os.read(fd, 65536).decode()
        self.text += more
        return more

    def come(self):
        """All that has come so far."""
        while select.select([self.p.stdout.fileno()], [], [], 0)[0]:
            self.read()
        return self.text

    def lines(self):
        """{step: (state, line)} of what has come."""
        found = {}
        for line in self.text.split('\n'):
            words = line.split()
            if len(words) > 1 and words[0] in ('ok', 'warning', 'failed',
                                               'stopped', '-', 'tls'):
                found[words[0] if words[0] == 'tls' else words[1]] = (
                    words[0], line)
        return found

    def steps(self):
        return list(self.lines())

    def reach(self, step):
        """Reads until this step has been told."""
        while step not in self.lines():
            if self.read() == '':
                raise AssertionError('ended before %s: %r' % (step, self.text))
        return self

    def stop(self, number=INT):
        """Its exit status, and all that it has printed."""
        begin = t.ws.now()
        self.p.send(number)
        while self.read():
            pass
        self.p.stdout.close()
        t.ok(t.ws.now() - begin < 5 * t.SCALE, 'a signal ends it at once')
        return self.p.wait(), self.text


def stopped(check, step, before, number=INT, what=''):
    """It hangs in this step, behind others that were told; a signal ends it."""
    what = what or step
    if before:
        check.reach(before[-1])
    t.is_(check.steps(), before, what + ': the steps before are told')
    t.ok(check.p.alive(), 'while it goes on')
    code, text = check.stop(number)
    t.is_(code, 128 + number, 'the exit status')
    t.is_(check.lines()[step][0], 'stopped', 'the step')
    name = {INT: 'INT', TERM: 'TERM', HUP: 'HUP'}[number]
    t.like(text, r'(?m)^stopped by %s in the step %s: .+\nnext:\n'
           '  let the check run to its end' % (name, step), 'and the verdict')
    t.is_([s for s, (state, _) in check.lines().items()
           if state == 'failed'], [], 'nothing is blamed')
    return text


def asked(mute, n):
    """Each of the next n of a target that does not answer has sent something,
    or has ended."""
    for _ in range(n):
        try:
            mute.next().recv(1)
        except ConnectionResetError:
            pass


def stopped_json(begin, words, step, **kw):
    """The same for machines, when begin() says that it has come there."""
    c = Check('--json', *words, **kw)
    begin()
    code, text = c.stop(TERM)
    o = json.loads(text)
    t.is_((code, o['status'], o['result']), (143, 143, 'unknown'),
          step + ' with --json')
    t.like(o['why'], 'stopped by TERM in the step ' + step, 'why')
    t.is_([s['step'] for s in o['steps'] if s['state'] == 'stopped'], [step],
          'the step')
    t.like(o['next'][0], 'run to its end', 'and what to do')
    return o


class Names:
    """A name server for programs that are started with .before.  It answers
    with an address when it is told to."""

    def __init__(self, options='timeout:30 attempts:1'):
        self.unshare, = t.need('unshare')
        if os.getuid() != 0:
            raise t.Skip('needs root: another resolv.conf')
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(2 * t.BOUND)
        self.host = '127.53.%d.%d' % (os.getpid() // 250 % 250 + 1,
                                      os.getpid() % 250 + 1)
        self.udp.bind((self.host, 53))
        t.on_close(self.udp.close)
        d = t.folder()
        with open(d + '/resolv.conf', 'w') as f:
            f.write('nameserver %s\noptions %s\n' % (self.host, options))
        with open(d + '/nsswitch.conf', 'w') as f:
            f.write('hosts: files dns\n')
        script = 'mount --bind %s/resolv.conf /etc/resolv.conf && ' % d
        if os.path.exists('/etc/nsswitch.conf'):
            script += 'mount --bind %s/nsswitch.conf /etc/nsswitch.conf && ' % d
        self.before = (self.unshare, '-m', 'sh', '-c', script +
                       'exec "$@"', 'sh')
        if t.run([*self.before, 'true']).returncode:
            raise t.Skip('no mount namespaces here')

    def question(self, name):
        """The next one for a name.example."""
        while True:
            packet, to = self.udp.recvfrom(512)
            if b'\7example\0' in packet and name.encode() in packet:
                return packet, to

    def answer(self, question, address='127.0.0.1'):
        """A for that address, and no AAAA."""
        packet, to = question
        end = packet.index(b'\0', 12) + 5
        is_a = packet[end - 3] == 1
        self.udp.sendto(packet[:2] + struct.pack(
            '>HHHHH', 0x8180, 1, is_a, 0, 0) + packet[12:end] + (struct.pack(
                '>HHHIH', 0xc00c, 1, 1, 60, 4) + socket.inet_aton(address)
                if is_a else b''), to)


def test_name():
    names = Names()
    c = Check('ws://slow.example/', before=names.before)
    while '\n' not in c.text:
        c.read()
    t.is_(c.text, 'ws://slow.example/\n', 'the URL comes first')
    names.question('slow')
    text = stopped(c, 'name', [])
    t.like(text, r'the host of ws://slow\.example/ was being looked up',
           'what it was about')
    stopped_json(lambda: names.question('slower'), ['ws://slower.example/'],
                 'name', before=names.before)
    c = Check('--nagios', 'ws://slowest.example/', before=names.before)
    names.question('slowest')
    code, text = c.stop()
    t.is_(code, 3, '--nagios: 3')
    t.like(text, r'^INETWS UNKNOWN - stopped by INT in the step name: .*\|\n$',
           'in a line')


def test_name_answered():
    """It is told before what comes behind it."""
    names, mute = Names(), t.Held()
    c = Check(url(mute.port, host='two.example'), before=names.before)
    for _ in range(2):
        q = names.question('two')
        t.unlike(c.come(), 'name', 'not known yet')
        names.answer(q)
    mute.next()
    text = stopped(c, 'answer', PATH)
    t.like(text, r'(?m)^ok +name .* two\.example:\d+ is 127\.0\.0\.1:\d+ '
           r'\(IPv4 only\)', 'its addresses')


def test_name_for_a_proxy():
    """The server's name, which these proxies do not look up."""
    names, proxy = Names(), t.Held()
    for scheme in ('socks4', 'socks5'):
        words = '-x', url(proxy.port, scheme).rstrip('/')
        c = Check(*words, 'ws://%s.example/' % scheme, before=names.before)
        names.question(scheme)
        text = stopped(c, 'proxy', ['name', 'connect'], what=scheme)
        t.like(text, r'the host of ws://%s\.example/ was being looked up' %
               scheme, 'what it was about')
    stopped_json(lambda: names.question('other'), [
        *words, 'ws://other.example/'], 'proxy', before=names.before)


def test_connect():
    port = t.full()
    text = stopped(Check(url(port)), 'connect', ['name'])
    t.like(text, r'(?m)^stopped +connect +\d+\.\d\d ms  ', 'after how long')


def test_answer():
    mute = t.Held()
    for number in (INT, TERM, HUP):
        stopped(Check(url(mute.port)), 'answer', PATH, number)
    o = stopped_json(lambda: asked(mute, 4), [url(mute.port)], 'answer')
    t.is_((o['peer'], o['http_status']), ('127.0.0.1:%d' % mute.port, 0),
          'what was found')
    t.is_([s['step'] for s in o['steps'] if s['state'] == 'ok'],
          ['name', 'connect', 'proxy'], 'the steps before')


def test_tls():
    mute = t.Held()
    stopped(Check(url(mute.port, 'wss')), 'tls',
            ['name', 'connect', 'proxy'])
    stopped_json(lambda: asked(mute, 2), [url(mute.port, 'wss')], 'tls')


def test_proxy():
    for scheme in ('http', 'https', 'socks5h', 'socks4a'):
        mute = t.Held()
        text = stopped(Check('-x', url(mute.port, scheme).rstrip('/'),
                             'ws://h.example/'), 'proxy', ['name', 'connect'],
                       what=scheme)
        t.like(text, r'(?m)^stopped +proxy .*interrupted', 'where it hangs')


def test_command():
    """Before the first step."""
    c = Check('--header-command', 'sleep 60', '-v', 'ws://127.0.0.1:1/')
    while '\n' not in c.text:
        c.read()
    t.ok(t.until(lambda: any('sleep' in t.command_of(p)
                             for p in t.family(c.p.pid))), 'it runs')
    code, text = c.stop()
    t.is_(code, 130, 'a command of ours: the exit status')
    t.like(text, r'(?m)^stopped by INT: --header-command sleep: interrupted$',
           'and the verdict')
    t.ok(t.until(lambda: not t.family()), 'and it is gone')


def test_file():
    """A FIFO that something may still write to, and then one that is read."""
    path = t.folder() + '/fifo'
    os.mkfifo(path)
    writer = []

    def is_opened():
        try:
            writer.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    words = ('--cacert', path, 'wss://127.0.0.1:1/')
    c = Check(*words)
    while '\n' not in c.text:
        c.read()
    t.ok(t.until(is_opened), 'it waits for what is written')
    code, text = c.stop(TERM)
    os.close(writer[0])
    t.is_(code, 143, 'TERM: the exit status')
    t.like(text, r'(?m)^stopped by TERM: the files of the options were being '
           'read$', 'and the verdict')
    c = Check(*words)
    with open(path, 'w') as f, open(t.Authority().issue().ca) as ca:
        f.write(ca.read())
    while c.read():
        pass
    t.is_(c.p.wait(), 69, 'its certificates are used: the next step')
    t.is_(c.lines()['connect'][0], 'failed', 'fails, as nothing is there')


OPEN = PATH + ['answer', 'upgrade']


def test_ping():
    mute = t.WSServer()
    stopped(Check(url(mute.port)), 'ping', OPEN + ['extension',
                                                   'subprotocol'])


def test_extension():
    """The second request, by which it is asked whether it is inetws."""
    asked, over = [], threading.Event()
    t.on_close(over.set)

    def answer(first, fields):
        asked.append(fields)
        if 'upgrade' not in fields:
            over.wait()
    mute = t.WSServer(answer=answer)
    c = Check(url(mute.port)).reach('upgrade')
    t.ok(t.until(lambda: len(asked) == 2), 'asked')
    stopped(c, 'extension', OPEN)
    o = stopped_json(lambda: t.until(lambda: len(asked) == 4),
                     [url(mute.port)], 'extension')
    t.is_(o['extension'], None, 'it is not known')


def test_resume():
    """The redial finds nobody; meanwhile the others are told."""
    s = t.server(t.echo().port)

    class Once(t.Proxy):
        def _serve(self, a):
            self.swallow = self.accepted > 1
            super()._serve(a)
    p = Once(s.port)
    c = Check('--test-resume', url(p.port)).reach('ping')
    t.ok(t.until(lambda: p.accepted == 2), 'it dials again')
    stopped(c, 'resume', OPEN + ['extension', 'subprotocol', 'ping'])


def test_message():
    """Nothing is left at the server: its websocket is ended in a good way."""
    s = t.server(t.echo().port)

    class Mute(t.Proxy):
        """Passes on what comes back until a message is asked for."""

        def _copy(self, src, dst):
            n = 0
            try:
                while True:
                    data = src.recv(65536)
                    if not data:
                        break
                    n += 1
                    if src.getpeername()[1] == s.port and self.is_over:
                        continue
                    if dst.getpeername()[1] == s.port and n > 1 and \
                            data[0] == 0x81:
                        self.is_over = True
                    dst.sendall(data)
            except OSError:
                pass
            try:
                dst.shutdown(socket.SHUT_WR)
            except OSError:
                pass
    Mute.is_over = False
    p = Mute(s.port)
    c = Check(url(p.port)).reach('ping')
    t.ok(t.until(lambda: p.is_over), 'a message is sent')
    stopped(c, 'message', OPEN + ['extension', 'subprotocol', 'ping'])
    line = s.wait_line('event=closed .*')[0]
    t.like(line, 'end=(peer-reset|ended) ', 'the server knows')
    t.ok(t.until(lambda: not t.children(s.pid)), 'and keeps no session')


def test_end():
    """Behind the last step, while the peer's end of it all is waited for."""
    for words in (), ('--json',):
        stays = t.WSServer()
        c = Check(*words, url(stays.port))
        w = stays.next()
        while w.take() is not None and w.close_frame is None:
            pass
        code, text = c.stop()
        t.is_(code, 130, 'the exit status')
        t.like(text, 'stopped by INT: interrupted', 'why')
        t.unlike(text, 'all is well|"failed"', 'no other verdict')


def test_idle_name():
    """Nothing is known of idle websockets before one is there."""
    names, s = Names(), t.server(t.echo().port)
    c = Check('--json', '--proxy-idle=9s', url(s.port, host='idle.example'),
              before=names.before)
    for _ in range(2):
        names.answer(names.question('idle'))
    names.question('idle')
    code, text = c.stop()
    o = json.loads(text)
    t.is_((code, o['idle']), (130, None), 'nothing is said')
    t.like(o['why'], 'in the step idle: the host of', 'but where it was')


def test_redirect():
    """Both ways are told, in order."""
    mute = t.Held()
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 302 Found\r\nServer: first\r\nLocation: %s\r\n'
        b'Content-Length: 0\r\n\r\n' % url(mute.port).encode()))
    c = Check(url(up.port))
    mute.next()
    while c.text.count(' tls ') < 2:
        c.read()
    code, text = c.stop()
    t.is_(code, 130, 'a redirect to where nothing answers')
    shown = text[:text.index('stopped by')].split('\n')[1:-1]
    t.is_([line.split()[line[0] != ' '] for line in shown],
          PATH + ['answer', 'server', 'redirected'] + PATH + ['answer'],
          'the first way, and the second')
    t.like(text, r'(?s)302 from first\n.*redirected to %s\n.*stopped by INT '
           'in the step answer' % url(mute.port), 'and where it hangs')


def test_addresses():
    """The others are tried last."""
    s = t.server(t.echo().port)
    c = Check('--resolve', 'h.example:%d:127.0.0.1' % s.port,
              'ws://h.example:%d/' % s.port).reach('target')
    t.is_(c.p.wait(), 0, 'one address: nothing to try')
    other = socket.create_server(('127.0.0.2', s.port))
    t.on_close(other.close)
    c = Check('--resolve', 'h.example:%d:127.0.0.1,127.0.0.2,127.0.0.3' %
              s.port, 'ws://h.example:%d/' % s.port)
    while c.read():
        pass
    t.is_(c.p.wait(), 0, 'three addresses')
    t.like(c.text, r'(?m)^ok +connect +\S+ ms  127\.0\.0\.1:%d$' % s.port,
           'the one that is used')
    t.like(c.text, r'(?m)^ {8}connect {18}127\.0\.0\.2:%d: connects too, in .*$'
           % s.port, 'one that could be')
    t.like(c.text, r'(?m)^ {8}connect {18}127\.0\.0\.3:%d: Connection refused$'
           % s.port, 'and one that could not')


def test_ignored():
    """As under nohup(1), or in the background of a script."""
    mute = t.Held()
    c = Check(url(mute.port), preexec_fn=lambda: [
        signal.signal(n, signal.SIG_IGN) for n in (INT, HUP)])
    c.reach('tls')
    c.p.send(INT)
    c.p.send(HUP)
    t.is_(c.stop(TERM)[0], 143, 'INT and HUP stay ignored, TERM does not')
    t.like(c.text, 'stopped by TERM in the step answer', 'as it says')


def test_terminal():
    """Which step is under way, in place; Control-C at the keyboard."""
    mute = t.Held()
    ours, theirs = pty.openpty()

    def session():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # The end of a session's leader takes from the terminal what is unread.
    leader = 'trap : INT; "$@"; status=$?; read -r line; exit $status'
    p = subprocess.Popen(['sh', '-c', leader, 'sh', t.INETWS, 'check',
                          url(mute.port)], stdin=theirs, stdout=theirs,
                         stderr=theirs, start_new_session=True,
                         preexec_fn=session, env=dict(os.environ,
                                                      TERM='xterm'))
    t.on_close(p.kill)
    os.close(theirs)
    text = b''
    while b'answer ...' not in text:
        text += os.read(ours, 4096)
    os.write(ours, b'\3')
    while b'in the step answer: ' not in text:
        text += os.read(ours, 4096)
    os.write(ours, b'\n')
    t.is_(p.wait(t.BOUND), 130, 'Control-C: the exit status')
    os.close(ours)
    shown = text.decode()
    t.like(shown, r'answer \.\.\.(\^C)?\r\x1b\[K\x1b\[33mstopped\x1b\[0m +'
           'answer', 'what is told in place is gone')
    t.like(shown, r'\x1b\[33mstopped\x1b\[0m by INT in the step answer: ',
           'and the verdict, in yellow')


def test_whole():
    """What is not stopped is told in the same way: each step once."""
    s = t.server(t.source(b'SSH-2.0-there\r\n').port)
    c = Check('--test-resume', url(s.port))
    while c.read():
        pass
    t.is_(c.p.wait(), 0, 'all is well')
    t.is_(c.steps(), OPEN + ['extension', 'subprotocol', 'ping', 'resume',
                             'message', 'target', 'idle'], 'each step')
    t.is_(len([x for x in c.text.split('\n') if x.startswith(('ok ', '- '))]),
          13, 'once')


def test_reader_stopped():
    """Whoever reads its output has stopped, and the pipe is full."""
    s = t.server(t.source(b'SSH-2.0-there\r\n').port)
    for words, code in (((), 130), (('--json',), 130), (('--nagios',), 3)):
        ours, its = t.full_pipe()
        mark = s.mark()
        p = t.Program([t.INETWS, 'check', *words, url(s.port)], stdout=its)
        os.close(its)
        t.until(lambda: t.sleeps_catching(p.pid, INT))
        if words:
            s.wait_line('event=closed', since=mark)     # it has its result
        t.ok(p.alive(), 'it waits for the reader')
        p.send(INT)
        t.is_(p.wait(), code, 'INT ends it, %s' % ' '.join(words))
        os.close(ours)


def test_reader_of_steps_stopped():
    """The same of standard error, with -v and an answer of many fields."""
    def answer(sock):
        sock.recv(4096)
        sock.sendall(b'HTTP/1.1 404 x\r\n' + b''.join(
            b'%d%s: x\r\n' % (i, b'y' * 160) for i in range(60)) + b'\r\n')

    ours, its = os.pipe()
    fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, 8192)
    p = t.Program([t.INETWS, 'check', '-v',
                   url(t.Listener(answer).port)], stderr=its)
    os.close(its)
    t.ok(t.until(lambda: struct.unpack('i', fcntl.ioctl(
        ours, termios.FIONREAD, b'0000'))[0] > 4096 and
        t.sleeps_catching(p.pid, INT)), 'it waits for the reader')
    p.send(INT)
    t.is_(p.wait(), 130, 'INT ends it')
    os.close(ours)


def test_reader_stopped_name():
    """The same while a name is looked up, when the pipe became full later."""
    names = Names()
    ours, its = os.pipe()
    p = t.Program([*names.before, t.INETWS, 'check', 'ws://full.example/'],
                  stdout=its)
    names.question('full')
    t.fill(its)
    os.close(its)
    p.send(INT)
    t.is_(p.wait(), 130, 'INT ends it')
    os.close(ours)


t.main()
