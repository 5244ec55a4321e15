#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A gate with a listener for each name of an agent.

If it fails: a visitor reaches the machine of another name.
"""

import os
import pwd
import shutil
import signal
import socket
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
import reverse as r                     # noqa: E402
from exchange import Exchange           # noqa: E402

SECRET = 'my_b!g_$secret!!'


def start_gate(*options, auth=('--allow-any-agent',), folder=None, **kw):
    d = folder or t.folder()
    g = r.gate('--visitors-dir', d, *options, auth=auth, visitors=None, **kw)
    g.folder = d
    g.at = lambda name: os.path.join(d, name + '.sock')
    return g


def refused(g, path, **kw):
    try:
        r.raw_agent(g, path, **kw).drop()
        return None
    except p.Refused as e:
        return e.status


def test_listener():
    g = start_gate('--queue', '700ms')
    t.is_(os.listdir(g.folder), [], 'no agent: no listener')
    a = r.raw_agent(g, '/agents/' + SECRET)
    t.ok(t.until(lambda: os.path.exists(g.at(SECRET))), 'its listener appears')
    mode = os.stat(g.at(SECRET)).st_mode
    t.ok(stat.S_ISSOCK(mode) and mode & 0o777 == 0o660, 'with mode 0660')
    v = r.visit(g.at(SECRET))
    t.is_(r.line(a), 'open -', 'a visitor meets the agent')
    a.text('ok')
    v.sendall(b'hello')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'hello'),
          'and exchanges bytes with it')
    t.ok(os.path.exists(g.at(SECRET)), 'the listener stays with the tunnel')
    waiting = r.visit(g.at(SECRET))
    a.text('rst')
    a.drop()
    g.wait_line('event=closed')
    t.ok(t.until(lambda: not os.path.exists(g.at(SECRET))),
         'and goes when no agent is there any more')
    t.is_(waiting.recv(1), b'', 'who waited has been told')
    log = g.log
    t.like(log, r'target=my_b!g\.\.\.', 'the log has six characters of it')
    t.ok(SECRET not in log, 'and nowhere more')
    t.is_(g.stop(), 0, 'the end')


def test_socket_is_removed():
    """What a cleaner of files removes comes back with the next websocket of the
    name, and at HUP.  Another's socket there stays."""
    g = start_gate('--queue', '0')
    r.raw_agent(g, '/' + SECRET).drop()
    t.ok(t.until(lambda: not t.children(g.pid)), 'an agent was there')
    os.unlink(g.at(SECRET))
    a = r.raw_agent(g, '/' + SECRET)
    t.ok(t.until(lambda: os.path.exists(g.at(SECRET))),
         'removed: it is made anew for the next websocket')
    os.unlink(g.at(SECRET))
    os.kill(g.pid, signal.SIGHUP)
    t.ok(t.until(lambda: os.path.exists(g.at(SECRET))), 'and at HUP')
    v = r.visit(g.at(SECRET))
    t.is_(r.line(a), 'open -', 'it leads to the agent')
    v.close()
    os.unlink(g.at(SECRET))
    other = socket.socket(socket.AF_UNIX)
    other.bind(g.at(SECRET))
    other.listen()
    os.kill(g.pid, signal.SIGHUP)
    g.wait_line('event=no-listener.*Address already in use')
    t.is_(g.stop(signal.SIGQUIT), 0, 'the end')
    t.ok(os.path.exists(g.at(SECRET)), "leaves another's socket")
    other.close()
    a.drop()


def test_queue_time():
    """The listener is there for the queue time after the agent."""
    g = start_gate('--queue', '20s')
    r.raw_agent(g, '/' + SECRET).drop()
    t.ok(t.until(lambda: not t.children(g.pid)), 'the agent has left')
    v = r.visit(g.at(SECRET))
    v.sendall(b'x')
    a = r.raw_agent(g, '/' + SECRET)
    r.line(a)
    a.text('ok')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'x'),
          'a visitor who came meanwhile is served')
    t.is_(g.stop(signal.SIGQUIT), 0, 'the end')
    t.is_(os.listdir(g.folder), [], 'takes the listeners away')


def test_whose_visitor():
    """A visitor of one name is never given to another, even when the listener
    of that name is closed."""
    g, other = start_gate('--queue', '6s'), 'another-name-of-18'
    r.raw_agent(g, '/' + SECRET).drop()
    t.ok(t.until(lambda: not t.children(g.pid)), 'an agent has left')
    time.sleep(3)       # the listener has three seconds left, a visitor six
    v = r.visit(g.at(SECRET))
    v.sendall(b'x')
    t.ok(t.until(lambda: not os.path.exists(g.at(SECRET))),
         'its listener goes, a visitor waits')
    b = r.raw_agent(g, '/' + other)
    r.parked(g)
    t.ok(os.path.exists(g.at(other)), 'another agent comes')
    a = r.raw_agent(g, '/' + SECRET)
    t.is_(r.line(a), 'open -', 'the first one comes back: it gets him')
    t.ok(os.path.exists(g.at(SECRET)), 'and its listener is there again')
    a.text('ok')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'x'), 'with what he said')
    v2 = r.visit(g.at(other))
    t.is_(r.line(b), 'open -', 'the other gets its own')
    v.close()
    v2.close()


def test_no_limit():
    g = start_gate('--queue', '0')
    r.raw_agent(g, '/' + SECRET).drop()
    t.ok(t.until(lambda: not t.children(g.pid)), 'an agent has left')
    v = r.visit(g.at(SECRET))
    v.sendall(b'x')
    a = r.raw_agent(g, '/' + SECRET)
    t.is_(r.line(a), 'open -', '--queue 0: visitors wait however long')
    v.close()


def test_waits_for_its_name():
    """Who waits for one agent is never brought to another one."""
    g = start_gate('--queue', '0')
    one, other = SECRET, SECRET[::-1].replace('!', 'x')
    a = r.raw_agent(g, '/' + one)
    v = [r.visit(g.at(one)) for _ in range(2)]
    for x in v:
        x.sendall(b'for one')
    r.line(a)
    a.drop()
    t.ok(t.until(lambda: not t.children(g.pid)), 'the agent has left')
    b = r.raw_agent(g, '/' + other)
    try:
        t.ok(False, 'another one gets %r' % (b.frame(.5),))
    except socket.timeout:
        t.ok(True, 'another one gets none of its visitors')
    t.ok(os.path.exists(g.at(one)), 'whose listener stays: there is no limit')
    a = r.raw_agent(g, '/' + one)
    t.is_(r.line(a), 'open -', 'they wait until it comes back')
    a.text('ok')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'for one'), 'and are served')


def test_left_alive():
    """The next gate knows whose the tunnels are that the former has left."""
    t.rundir()
    d = t.folder()
    g = start_gate('--drain', 'leave', folder=d,
                   listen='127.0.0.1:%d' % t.free_port())
    a = r.raw_agent(g, '/' + SECRET)
    v = r.visit(g.at(SECRET))
    r.line(a)
    a.text('ok')
    v.sendall(b'x')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'x'), 'a tunnel')
    t.is_(g.stop(), 0, '--drain leave')
    start_gate(folder=d, listen=g.name)
    want = [(SECRET[:6] + '...', 0, 1, 0)]
    t.ok(t.until(lambda: [(n['name'], n['parked'], n['open'], n['waiting'])
                          for n in t.one()['names']] == want),
         'still has its name')
    v.close()
    a.drop()
    t.ok(t.until(lambda: t.one()['names'] == []), 'until its end')


def test_names():
    g = start_gate()
    for path, status in (('/agents/', 400), ('/..', 400), ('/a/..', 400),
                         ('/.hidden_and_long_enough', 400),
                         ('/%2e%2e%2fetc%2fpasswd', 400),
                         ('/nul%00nul%00nul%00nul', 400),
                         ('/nul\0nul_and_long_enough', 400),
                         ('/slash%2fand_long_enough', 400),
                         ('/' + 'x' * 129, 400), ('/short', 403),
                         ('/quo"te_and_long_enough', 400),
                         ('/' + 'x' * 120, 400)):
        t.is_(refused(g, path), status, '%s: %d' % (path[:40], status))
    t.is_(os.listdir(g.folder), [], 'and no listener for them')


def test_file():
    f = r.agents_file(office__ssh='s3cret', web='w3b')
    g = start_gate('--queue', '300ms', auth=('--agents-file', f))
    t.is_(sorted(os.listdir(g.folder)), ['office-ssh.sock', 'web.sock'],
          'listed names have listeners from the start')
    v = r.visit(g.at('office-ssh'))
    t.is_(v.recv(1), b'', 'no agent comes: the end')
    a = r.raw_agent(g, '/x/office-ssh', secret='s3cret')
    v = r.visit(g.at('office-ssh'))
    r.line(a)
    t.ok(True, 'its agent serves')
    t.is_(refused(g, '/x/unlisted', secret='s3cret'), 403,
          'a name that is not listed: 403')
    t.is_(refused(g, '/x/web', secret='s3cret'), 403,
          'but not under another\'s name')
    v2 = r.visit(g.at('web'))
    t.is_(v2.recv(1), b'', 'nor another\'s visitors')
    with open(f, 'a') as out:
        out.write('late %s\n' % ('0' * 64))
    g.send(signal.SIGHUP)
    t.ok(t.until(lambda: os.path.exists(g.at('late'))),
         'HUP: a new name has its listener')
    with open(f) as src:
        lines = [x for x in src if not x.startswith('web')]
    with open(f, 'w') as out:
        out.writelines(lines)
    g.send(signal.SIGHUP)
    t.ok(t.until(lambda: not os.path.exists(g.at('web'))),
         'one that is not listed any more loses it')
    t.ok(os.path.exists(g.at('office-ssh')), 'the others stay')
    v.close()


def test_stale():
    d = t.folder()
    for name in ('left.sock', 'right.sock'):
        s = socket.socket(socket.AF_UNIX)
        s.bind(os.path.join(d, name))
        s.close()
    alive = socket.socket(socket.AF_UNIX)
    alive.bind(os.path.join(d, 'alive.sock'))
    alive.listen(1)
    with open(os.path.join(d, 'file.sock'), 'w'):
        pass
    g = start_gate(auth=('--agents-file', r.agents_file(right='x')), folder=d)
    t.is_(sorted(os.listdir(d)), ['alive.sock', 'file.sock', 'right.sock'],
          'what a killed gate left is removed, and nothing else')
    g.send(signal.SIGKILL)
    g.wait()
    g = start_gate(auth=('--agents-file', r.agents_file(right='x', other='x')),
                   folder=d)
    t.ok({'right.sock', 'other.sock'} <= set(os.listdir(d)),
         'started again: listed names have listeners, there is no agent yet')
    a = r.raw_agent(g, '/right', secret='x')
    v = r.visit(g.at('right'))
    r.line(a)
    t.ok(True, 'killed and started again: the listener works')
    v.close()
    alive.close()


def test_group():
    """A listener has the group of a folder that gives it."""
    if os.getuid() != 0:
        raise t.Skip('needs root')
    d, group = t.folder(), pwd.getpwnam('nobody').pw_gid
    os.chown(d, -1, group)
    os.chmod(d, 0o2750)
    g = start_gate(folder=d, auth=('--agents-file', r.agents_file(right='x')))
    st = os.stat(g.at('right'))
    t.is_((st.st_gid, st.st_mode & 0o777), (group, 0o660), 'the folder\'s')


def test_limits():
    """--max-parked and --max-waiting are about one name."""
    g = start_gate('--max-parked', '1', '--max-waiting', '1', auth=(
        '--agents-file', r.agents_file(one='1', two='2')))
    vs = [r.visit(g.at(name)) for name in ('one', 'two')]
    for v in vs:
        v.sendall(b'x')
    t.is_([r.visit(g.at(name)).recv(1) for name in ('one', 'two')],
          [b'', b''], 'one visitor of each name waits, and no more')
    agents = []
    for secret, name in (('1', 'one'), ('2', 'two')):
        a = r.raw_agent(g, '/' + name, secret=secret)
        t.is_(r.line(a), 'open -', name + ': who waits is served')
        a.text('ok')
        t.is_(a.frame(t.BOUND), (p.BINARY, b'x'), 'with what he said')
        agents += [a, r.raw_agent(g, '/' + name, secret=secret)]
        t.is_(refused(g, '/' + name, secret=secret), 503,
              'one websocket waits besides, and no more')
    for a in agents:
        a.drop()


def test_two_gates():
    """A second gate in a directory leaves what the first one has there."""
    one, e = start_gate(), t.echo()
    two = start_gate(folder=one.folder)
    r.agent(one.url(SECRET), e.port)
    r.parked(one, 2)
    t.is_(refused(two, '/' + SECRET), 503, 'its listener is taken: 503')
    with r.visit(one.at(SECRET)) as v:
        v.sendall(b'x')
        t.is_(v.recv(1), b'x', 'the first one\'s serves')
    t.ok(e.accepted <= 2, 'and had few visitors to see that it lives')
    t.is_(two.stop(), 0, 'the second one goes')
    t.ok(os.path.exists(one.at(SECRET)), 'and takes nothing away')


def test_path():
    g = start_gate('--path', '/agents/')
    t.is_(refused(g, '/agents/' + SECRET), None, '--path: what stands before')
    t.is_(refused(g, '/other/' + SECRET), 404, 'another: 404')
    t.is_(refused(g, '/agents/x/' + SECRET), 404, 'more: 404')
    t.is_(refused(g, '/agents'), 404, 'less: 404')


def test_masked():
    """A name that is a secret is nowhere to be read, not with -v either."""
    g, name = start_gate('-v'), 'secret-of-agents-SECRET'
    a = r.agent(g.url('agents/' + name), t.echo().port, '-v')
    r.parked(g, 2)
    with r.visit(g.at(name)) as v:
        v.sendall(b'x')
        t.is_(v.recv(1), b'x', 'a visitor')
    t.ok(a.wait_line('event=closed') and g.wait_line('event=closed'), 'ends')
    t.like(a.log, '> GET /agents/secret\\.\\.\\. HTTP/1.1', 'the request')
    b = r.agent(g.url('agents/' + name) + '?SECRET', 1, '-v')
    t.like(b.wait_line('> GET.*')[0], r'GET /agents/secret\.\.\.$',
           'and with a query')
    t.ok('SECRET' not in a.log + b.log, 'the agent tells six characters')
    t.ok('SECRET' not in g.log, 'and so does the gate')


def test_share():
    """Several agents of one name take turns."""
    g, d = start_gate(), 'a-name-long-enough'
    websockets = []
    for i in range(3):
        websockets.append(r.raw_agent(g, '/' + d))
        r.parked(g, i + 1)
    vs = [r.visit(g.at(d)) for _ in range(3)]
    t.is_([r.line(w) for w in websockets], ['open -'] * 3, 'each gets one')
    for v in vs:
        v.close()


def test_newest():
    """Of one agent the websocket that came last: others may be dead."""
    g = start_gate()
    websockets = []
    for agent_id in 'moved', 'moved', 'other', 'moved', 'other':
        websockets.append(agent_of(g, agent_id))
        t.ok(r.parked(g, len(websockets)), 'parked: ' + agent_id)
    for n in 3, 4, 1, 2, 0:
        with r.visit(g.at(SECRET)):
            t.is_(r.line(websockets[n]), 'open -', 'number %d has it' % n)


def test_replace():
    g = start_gate('--replace')
    url = g.url('agents/' + SECRET)
    one, two = t.echo(), t.echo()
    a = r.agent(url, one.port, '--spare', '3')
    t.ok(r.parked(g, 3),
         'the websockets of one agent do not replace each other')
    exchange = Exchange(r.visit(g.at(SECRET)), b'one', keep=True)
    t.ok(t.until(lambda: exchange.got == b'one'), 'a tunnel of its')
    raw = r.raw_agent(g, '/agents/' + SECRET)
    v = r.visit(g.at(SECRET))
    t.is_(r.line(raw), 'open -', 'another agent comes: it has the visitors')
    a.stop(signal.SIGKILL)
    exchange.sock.sendall(b'+')
    t.ok(t.until(lambda: exchange.got == b'one+'), 'a tunnel goes on')
    v.close()
    exchange.close()


def test_no_turns():
    """Two agents of a name do not replace each other by turns."""
    g = start_gate('--replace')
    one, two = t.echo(), t.echo()
    a = r.agent(g.url(SECRET), one.port, '--spare', '1')
    a.wait_line('parked')
    b = r.agent(g.url(SECRET), two.port)
    b.wait_line('parked')
    a.wait_line('has taken its place')
    for i in range(5):
        with r.visit(g.at(SECRET)) as v:
            v.sendall(b'x')
            v.recv(1)
    t.is_((one.accepted, two.accepted), (0, 5),
          'all visitors go to the second one')
    b.stop(signal.SIGKILL)
    t.is_((one.accepted, len([x for x in a.lines if 'its place' in x])), (0, 1),
          'when it has gone, the first one has to wait, as Retry-After says')


def agent_of(g, agent_id):
    """A websocket of this agent, or what it is refused with."""
    try:
        return p.raw_dial('127.0.0.1', g.port, '/' + SECRET, r.OFFER,
                          'Inetws-Agent: %s\r\n' % agent_id,
                          timeout=t.BOUND)
    except p.Refused as e:
        return e.status, e.fields.get('retry-after')


def test_replaced():
    """What one that was replaced is told; the half minute is that of
    unit/supervisor/takeover.c."""
    g = start_gate('--replace')
    first = agent_of(g, 'first')
    r.parked(g, 1)
    second = agent_of(g, 'second')
    t.is_(agent_of(g, 'first'), (503, '30'),
          'while the second one has a websocket: 503, in half a minute again')
    others = t.children(g.pid)
    third = agent_of(g, 'third')
    its = set(t.children(g.pid)) - set(others)
    t.is_([agent_of(g, 'first'), agent_of(g, 'second')], 2 * [(503, '30')],
          'so are both that were replaced')
    third.drop()
    t.ok(its and t.until(lambda: not its & set(t.children(g.pid))),
         'it leaves')
    t.is_([agent_of(g, 'first'), agent_of(g, 'second')], 2 * [(503, '30')],
          'and when it has none any more, they still wait')
    again = agent_of(g, 'third')
    t.ok(not isinstance(again, tuple), 'but it comes back at once')
    for x in (first, second, again):
        x.drop()


def test_no_listener():
    """A listener that cannot be made is logged without the name or a path."""
    g = start_gate()
    os.rmdir(g.folder)
    t.is_(refused(g, '/' + SECRET), 503, 'no directory: 503')
    log = g.wait_line('event=failed .*')[0]
    t.like(log, 'target=my_b!g... .*cannot be made: No such file',
           'and the log says why')
    t.ok(g.folder not in log and SECRET not in g.log, 'and shows no secret')
    os.mkdir(g.folder)
    t.is_(refused(g, '/' + SECRET), None, 'it works when it is there')


def test_nginx():
    """nginx chooses by name."""
    d = t.folder()
    os.chmod(d, 0o755)
    g = start_gate(auth=('--agents-file', r.agents_file(web='w', git='g')),
                   folder=d)
    n = t.nginx(g.port, extra='''
        location ~ "^/_token/([A-Za-z0-9._~!$&'()*+,;=@-]+)(/.*)$" {
            proxy_pass http://unix:%s/$1.sock:$2;
        }
    ''' % d, path='/agents/')
    web = t.source(b'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nweb')
    git = t.source(b'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\ngit')
    for name, target, secret in (('web', web, 'w'), ('git', git, 'g')):
        r.agent('ws://127.0.0.1:%d/agents/%s' % (n.port, name), target.port,
                '-H', 'Authorization: Bearer ' + secret)
    r.parked(g, 4)
    for name in ('web', 'git', 'web'):
        out = t.http(n.port, '/_token/%s/index' % name,
                     fields=('Connection: close',))
        t.is_((out[0], out[2]), (200, name),
              'a request for %s goes to its agent' % name)


class Jail:
    """A folder with all that a gate needs inside a chroot, owned by root."""

    def __init__(self):
        if os.getuid() != 0:
            raise t.Skip('needs root')
        self.d = t.folder()
        self.user = pwd.getpwnam('nobody')
        os.chmod(self.d, 0o755)
        os.mkdir(self.d + '/sockets', 0o750)
        os.chown(self.d + '/sockets', self.user.pw_uid, self.user.pw_gid)
        self.options = ('--chroot', self.d, '--run-as', 'nobody')
        # In there leaks cannot be looked for, which spoils the exit.
        self.env = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') +
                    ':detect_leaks=0'}

    def put(self, name, source):
        shutil.copy(source, self.d + '/' + name)
        os.chown(self.d + '/' + name, self.user.pw_uid, self.user.pw_gid)

    def sockets(self):
        return sorted(os.listdir(self.d + '/sockets'))

    def fails(self, what, status, *words):
        out = t.run_inetws(*words, *self.options,
                           env=dict(os.environ, **self.env))
        t.is_(out.returncode, status, what + ': does not start')
        t.like(out.stderr.decode(), r'(?m)(^inetws: |event=start why=")--%s'
               r'.* \(in --chroot %s' % (
            what.split()[0], self.d), 'which names it, and where')


def test_chroot():
    """Names, files and listeners are those inside the chroot."""
    j = Jail()
    gate = ('gate', '-l', '127.0.0.1:0', '--visitors-dir', '/sockets',
            '--agents-file', '/agents')
    j.fails('agents-file that is outside', 64, *gate)
    j.put('agents', r.agents_file(office='s3cret'))
    j.fails('visitors-dir that is outside', 71, *gate[:4], '/nowhere',
            *gate[5:])
    os.chown(j.d + '/sockets', 0, 0)
    j.fails('visitors-dir of another user', 71, *gate)
    os.chown(j.d + '/sockets', j.user.pw_uid, j.user.pw_gid)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(j.d + '/sockets/stale.sock')
    stale.close()
    os.chown(j.d + '/sockets/stale.sock', j.user.pw_uid, j.user.pw_gid)
    g = start_gate(*j.options, auth=('--agents-file', '/agents'),
                   folder='/sockets', env=j.env)
    t.is_(j.sockets(), ['office.sock'], 'the listed name has a listener, the '
          'stale one has none')
    st = os.stat(j.d + '/sockets/office.sock')
    t.is_((st.st_uid, st.st_mode & 0o777), (j.user.pw_uid, 0o660),
          'which is the user\'s')
    t.is_(refused(g, '/office', secret='wrong'), 403, 'a wrong secret: 403')
    a = r.raw_agent(g, '/office', secret='s3cret')
    v = r.visit(j.d + '/sockets/office.sock')
    t.is_(r.line(a), 'open -', 'the right one: a visitor meets the agent')
    v.close()
    a.drop()
    j.put('agents', r.agents_file(office='s3cret', home='other'))
    g.send(signal.SIGHUP)
    t.ok(t.until(lambda: j.sockets() == ['home.sock', 'office.sock']),
         'HUP: one more')
    j.put('agents', r.agents_file(home='other'))
    g.send(signal.SIGHUP)
    t.ok(t.until(lambda: j.sockets() == ['home.sock']), 'and one less')
    os.unlink(j.d + '/agents')
    mark = g.mark()
    g.send(signal.SIGHUP)
    t.ok(g.has_line('event=agents-file .*No such file', since=mark),
         'no file: an error')
    t.is_(j.sockets(), ['home.sock'], 'and all stays as it was')
    t.is_(refused(g, '/home', secret='other'), 500, 'but no agent is accepted')
    t.is_(g.stop(), 0, 'the end')
    t.is_(j.sockets(), [], 'takes the listeners away')


def test_chroot_of_any():
    """Listeners of unlisted names; the file of users is inside the chroot."""
    j = Jail()
    htpasswd, = t.need('htpasswd')
    users = t.folder() + '/users'
    t.run([htpasswd, '-B', '-b', '-c', users, 'ann', 'pw'])
    words = ('gate', '-l', '127.0.0.1:0', '--visitors-dir', '/sockets',
             '--auth-file', '/users')
    j.fails('auth-file that is outside', 64, *words)
    j.put('users', users)
    os.chmod(j.d + '/users', 0)
    os.chown(j.d + '/users', 0, 0)
    j.fails('auth-file of another user', 64, *words)
    j.put('users', users)
    g = start_gate(*j.options, '--queue', '100ms', folder='/sockets',
                   auth=('--auth-file', '/users'), env=j.env)
    t.is_(j.sockets(), [], 'no agent: no listener')
    t.is_(refused(g, '/office'), 401, 'no password: refused')
    a = r.agent('ws://ann:pw@127.0.0.1:%d/office' % g.port, t.echo().port)
    t.ok(r.parked(g, 2) and j.sockets() == ['office.sock'], 'a listener')
    exchange = Exchange(r.visit(j.d + '/sockets/office.sock'), b'hello')
    t.is_((exchange.join(), bytes(exchange.got)), ('eof', b'hello'),
          'that leads to the agent')
    a.stop()
    t.ok(t.until(lambda: not j.sockets()), 'and goes with it')


if __name__ == '__main__':
    t.main()
