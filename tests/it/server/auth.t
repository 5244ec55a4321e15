#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Authorization at a server: --auth-file and --auth-command.

If it fails: unauthorized clients get in, or authorized ones are refused.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

PASSWORD = 'correct horse'
TOKEN = 'tok-3f9a8b77'


def basic(user, password):
    return 'Basic ' + base64.b64encode(
        ('%s:%s' % (user, password)).encode()).decode()


def hashed(password, kind='-6'):
    openssl, = t.need('openssl')
    return t.run([openssl, 'passwd', kind, '-stdin'],
                 input=password.encode()).stdout.decode().strip()


def auth_file(*lines, encoding='utf-8-sig'):
    """With a byte order mark, as some editors write it."""
    path = os.path.join(t.folder(), 'users')
    with open(path, 'w', encoding=encoding) as f:
        f.write('# users\n\n' + '\n'.join(lines) + '\n')
    return path


def script(text):
    path = os.path.join(t.folder(), 'decide')
    with open(path, 'w') as f:
        f.write('#!/bin/sh\n' + text)
    os.chmod(path, stat.S_IRWXU)
    return path


def ask(s, authorization=None, path='/', headers=()):
    headers = list(headers)
    if authorization:
        headers.append(('Authorization', authorization))
    return t.ws.ask(s.port, t.ws.request(path=path, headers=headers))


def test_file():
    target = t.echo()
    path = auth_file('ann:' + hashed(PASSWORD), 'bob:' + hashed('x', '-5'),
                     'token:robot:' + hashlib.sha256(
                         TOKEN.encode()).hexdigest().upper())
    s = t.server(target.port, '--auth-file', path)
    a = ask(s)
    t.is_(a.status, 401, 'without credentials: 401')
    t.is_(a.headers.get('www-authenticate'), 'Basic realm="inetws", '
          'charset="UTF-8", Bearer realm="inetws"', 'with a challenge')
    for name, value, want in (
            ('the right password', basic('ann', PASSWORD), 101),
            ('another kind of hash', basic('bob', 'x'), 101),
            ('a wrong password', basic('ann', 'guess'), 401),
            ('an empty one', basic('ann', ''), 401),
            ('a password that begins alike', basic('ann', PASSWORD[:-1]),
             401),
            ("another's password", basic('ann', 'x'), 401),
            ('an unknown user', basic('eve', PASSWORD), 401),
            ('no user', basic('', PASSWORD), 401),
            ('the name "token"', basic('token', 'robot'), 401),
            ('the hash itself', basic('ann', hashed(PASSWORD)), 401),
            ('a token', 'Bearer ' + TOKEN, 101),
            ('a token, in lower case', 'bearer ' + TOKEN, 101),
            ('a wrong token', 'Bearer ' + TOKEN + 'x', 401),
            ('the hash of a token', 'Bearer ' + hashlib.sha256(
                TOKEN.encode()).hexdigest(), 401),
            ('no base64', 'Basic !!!!', 401),
            ('half a quantum', 'Basic YW', 401),
            ('another scheme', 'Digest x', 401)):
        t.is_(ask(s, value).status, want, '%s: %d' % (name, want))
    target.wait_accepted(4)
    t.is_(target.accepted, 4, 'no other request reached the target')
    a = t.ws.ask(s.port, t.ws.request(headers=[
        ('Authorization', basic('ann', 'guess')),
        ('Authorization', basic('ann', PASSWORD))]))
    t.is_(a.status, 400, 'two Authorizations: 400')
    s.stop()
    t.like(s.log, 'user=ann', 'the log names the user')
    t.like(s.log, 'user=robot', 'and the token\'s name')
    for secret in (PASSWORD, TOKEN, basic('ann', PASSWORD)[6:]):
        t.ok(secret not in s.log, 'no secret in the log')


def test_file_changes():
    path = auth_file('ann:' + hashed(PASSWORD))
    s = t.server(t.echo().port, '--auth-file', path)
    t.is_(ask(s, basic('ann', PASSWORD)).status, 101, 'in the file: 101')
    os.rename(auth_file('ann:' + hashed('new')), path)
    t.is_(ask(s, basic('ann', PASSWORD)).status, 401, 'changed: 401')
    t.is_(ask(s, basic('ann', 'new')).status, 101, 'the new one: 101')
    os.unlink(path)
    t.is_(ask(s, basic('ann', 'new')).status, 500,
          'file gone: every request 500')
    s.wait_line('auth-file.*No such file')
    t.ok(True, 'which the log says')


def test_bad_files():
    for text, say in ((None, 'No such file'), ('', 'has no users'),
                      ('ann', ':3: expected'),
                      ('ann:' + hashed('x') + '\ntoken:a:12', ':4: expected'),
                      ('ann:plain', ':3: a hash of a kind')):
        path = '/nonexistent' if text is None else auth_file(text)
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '--auth-file', path,
                         '127.0.0.1:1')
        t.is_(r.returncode, 64, 'refused at the start')
        t.like(r.stderr, say, 'because of: ' + say)


@t.limit(60)
def test_reload_hashes_nothing():
    """A file of expensive hashes is checked at HUP without hashing: the
    listener waits for nothing."""
    dear = '$2b$12$abcdefghijklmnopqrstuuKrqR7.WQmBrUYVBiPkbZ9GYdUYyqzkm'
    path = auth_file('ann:' + hashed(PASSWORD),
                     *('u%d:%s' % (i, dear) for i in range(300)))
    s = t.server(t.echo().port, '--auth-file', path)
    before = t.cpu_ticks(s.pid)
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded')
    t.is_(ask(s, basic('ann', PASSWORD)).status, 101, 'served after HUP')
    used = t.cpu_ticks(s.pid) - before
    t.ok(used < 20, '300 hashes of bcrypt are checked at once (%d)' % used)


def test_htpasswd():
    htpasswd, = t.need('htpasswd')
    path = auth_file(encoding='utf-8')
    t.run([htpasswd, '-B', '-b', path, 'ann', PASSWORD])
    s = t.server(t.echo().port, '--auth-file', path)
    t.is_(ask(s, basic('ann', PASSWORD)).status, 101, 'htpasswd -B')
    t.is_(ask(s, basic('ann', 'guess')).status, 401, 'and not anything')


def test_command():
    out = os.path.join(t.folder(), 'seen')
    decide = script('''
case $QUERY_STRING in
yes) echo "al ice"; echo more; env >%s; exit 0;;
no) exit 1;;
bad) exit 3;;
kill) kill -9 $$;;
slow) sleep 60;;
behind) sleep 60 & ;;
esac
exit 0
''' % out)
    target = t.echo()
    s = t.server(target.port, '--auth-command', decide)
    brief = t.server(target.port, '--auth-command', decide,
                     '--handshake-timeout', '2s')
    a = ask(s, 'Basic x', '/p%20q?yes', [
        ('Proxy', 'evil'), ('X_Y', 'forged'), ('Cookie', 'a=1'),
        ('Origin', 'http://localhost')])
    t.is_(a.status, 101, 'exit 0: 101')
    with open(out) as f:
        env = dict(line.rstrip('\n').split('=', 1) for line in f
                   if '=' in line)
    for name, value in (('REQUEST_METHOD', 'GET'), ('QUERY_STRING', 'yes'),
                        ('PATH_INFO', '/p%20q'), ('REMOTE_ADDR', '127.0.0.1'),
                        ('HTTP_AUTHORIZATION', 'Basic x'),
                        ('REQUEST_URI', '/p%20q?yes'),
                        ('HTTP_ORIGIN', 'http://localhost'),
                        ('HTTP_COOKIE', 'a=1'), ('HTTP_PROXY', None),
                        ('HTTP_X_Y', None), ('HOME', None)):
        t.is_(env.get(name), value, '%s is %s' % (name, value))
    t.is_(ask(s, path='/?no').status, 403, 'exit 1: 403')
    t.is_(ask(s, path='/?bad').status, 500, 'exit 3: 500')
    t.is_(ask(s, path='/?kill').status, 500, 'killed: 500')
    t.is_(ask(brief, path='/?slow').status, 504, 'too slow: 504')
    t.is_(ask(brief, path='/?behind').status, 504,
          'never ends its output: 504')
    target.wait_accepted(1)
    t.is_(target.accepted, 1, 'no other request reached the target')
    t.ok(t.until(lambda: not [p for p in t.family()
                              if 'sleep' in t.command_of(p)]),
         'what was too slow is gone')
    s.stop()
    brief.stop()
    t.like(s.log, 'user="al ice"', 'its first line names the user')
    t.like(s.log, 'auth-command.*exit status 3', 'failures are told')
    t.like(brief.log, 'auth-command.*too long', 'and slowness')
    t.like(brief.log, 'auth-command.*left a process',
           'and what is left behind')


def test_command_that_cannot_be_killed():
    """One that has become root, as sudo does."""
    if os.getuid() != 0:
        raise t.Skip('needs root')
    d = t.folder()
    os.chmod(d, 0o755)
    python = shutil.copy(os.path.realpath(sys.executable), d + '/python')
    os.chmod(python, 0o4755)
    if os.statvfs(d).f_flag & os.ST_NOSUID:
        raise t.Skip('no setuid programs in %s' % d)
    decide = script('echo $$ >%s/pid\nexec %s -c "import os, time; '
                    'os.setresuid(0, 0, 0); open(\'%s/root\', \'w\'); '
                    'time.sleep(60)"' % (d, python, d))
    os.chmod(os.path.dirname(decide), 0o755)
    os.chmod(decide, 0o755)
    with open(d + '/pid', 'w'):
        os.chmod(d + '/pid', 0o666)
    s = t.server(t.echo().port, '--auth-command', decide, '--run-as',
                 'nobody', '--handshake-timeout', '4s',
                 program=t.world_executable())
    begin = time.monotonic()
    answer = ask(s).status
    took = time.monotonic() - begin
    with open(d + '/pid') as f:
        pid = int(f.read())
    t.ok(os.path.exists(d + '/root') and t.command_of(pid) != '',
         'a command that is root runs on')
    os.kill(pid, signal.SIGKILL)
    t.is_(answer, 504, 'its request has an answer')
    t.ok(took < t.BOUND, 'in time (%.1f s)' % took)
    t.ok(s.has_line('event=auth-command .*cannot be killed: it goes on'),
         'and the log says why')


def test_standard_error():
    """Everything on standard error is JSON, or none of it is ours."""
    decide = script('echo some words >&2; test "$QUERY_STRING" = yes')
    s = t.inetws('server', '-l', '127.0.0.1:0', '--log-format', 'json',
                 '--auth-command', decide, '127.0.0.1:%d' % t.echo().port)
    s.port = t.port_of(s.wait_line('"address":"([^"]+)"')[1])
    t.is_(ask(s, path='/?yes').status, 101, 'let in')
    t.is_(ask(s, path='/?no').status, 403, 'and refused')
    for i in (1, 2):
        s.wait_line('"event":"program-stderr","peer":"127.0.0.1:[0-9]+",'
                    '"program":"%s","text":"some words"' % decide, count=i)
    s.stop()
    for line in s.log.splitlines():
        json.loads(line)
    t.ok(t.until(lambda: not t.family()), 'and no process is left')
    s = t.server(t.echo().port, '--auth-command', decide)
    t.is_(ask(s, path='/?no').status, 403, 'in another format')
    s.stop()
    t.like(s.log, '(?m)^some words$', 'it is as it was written')


def test_long_user():
    """A user is never taken for another whose name begins alike."""
    s = t.server(t.echo().port, '--auth-command', script(
        'printf "%${QUERY_STRING}d" 7'))
    t.is_(ask(s, path='/?127').status, 101, 'the longest name')
    t.is_(ask(s, path='/?128').status, 500, 'none is cut')
    t.is_(ask(s, path='/?5000').status, 500, 'whatever its length')
    s.wait_line('auth-command.*the user name in its output is longer than '
                '127 bytes')


def test_no_command():
    """A program that cannot be executed is refused at the start, and one that
    is removed later refuses each request."""
    plain = os.path.join(t.folder(), 'plain')
    open(plain, 'w').close()
    for name, why in (('/nonexistent/x', 'No such file'),
                      ('no-such-program', 'No such file'),
                      (plain, 'Permission denied'),
                      (t.folder(), 'Is a directory')):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '--auth-command',
                         name, '127.0.0.1:1')
        t.is_(r.returncode, 64, '%s: 64' % name)
        t.like(r.stderr, '^inetws: --auth-command %s: %s' % (name, why),
               'and why')
    gone = script('exit 0')
    s = t.server(t.echo().port, '--auth-command', gone)
    os.unlink(gone)
    t.is_(ask(s).status, 500, 'removed: 500')
    s.wait_line('cannot be run')


def test_both():
    """A user of the file may still be refused by the program."""
    path = auth_file('ann:' + hashed('a'), 'bob:' + hashed('b'))
    s = t.server(t.echo().port, '--auth-file', path, '--auth-command',
                 script('test "$REMOTE_USER" = ann'))
    t.is_(ask(s, basic('ann', 'a')).status, 101, 'ann: 101')
    t.is_(ask(s, basic('bob', 'b')).status, 403, 'bob: 403')
    t.is_(ask(s, basic('bob', 'a')).status, 401, 'no such user: 401')


def test_client():
    path = auth_file('ann:' + hashed(PASSWORD))
    s = t.server(t.echo().port, '--auth-file', path)
    r = t.run_inetws('connect', 'ws://ann:correct%%20horse@127.0.0.1:%d/' %
                     s.port, input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'userinfo of a URL')
    r = t.run_inetws('connect', 'ws://ann:x@127.0.0.1:%d/' % s.port)
    t.is_(r.returncode, 77, 'a wrong one: 77')
    t.like(r.stderr, '401 Unauthorized: wrong credentials', 'in words')


def test_no_libcrypt():
    """It is loaded only when it is needed; without it the start fails."""
    with open(t.INETWS, 'rb') as f:
        name = re.search(rb'"(libcrypt\.so\.\d+)"', f.read())
    if not name:
        raise t.Skip('the program is linked to libcrypt')
    d = t.folder()
    with open(os.path.join(d, name[1].decode()), 'w'):
        pass
    path = auth_file('ann:' + hashed('a'))
    env = dict(os.environ, LD_LIBRARY_PATH=d)
    p = t.inetws('server', '-l', '127.0.0.1:0', '--auth-file', path,
                 '127.0.0.1:9', env=env)
    t.is_(p.wait(), 71, 'no libcrypt: 71')
    t.like(p.log, r'--auth-file needs crypt\(3\): .*libcrypt', 'and why')
    s = t.server(t.echo().port, env=env)
    r = t.run_inetws('connect', 'ws://127.0.0.1:%d/' % s.port, input=b'a')
    t.is_(r.stdout, b'a', 'without --auth-file it is not needed')


def test_session_is_its_users():
    """A session is resumed only for the user who began it."""
    path = auth_file('ann:' + hashed('a'), 'bob:' + hashed('b'))
    s = t.server(t.echo().port, '--auth-file', path, '--resume', '30s')
    offer = 'inetws; v=2; id=me; win=262144; resume'

    def redial(user, session, n):
        return t.ws.ask(s.port, t.ws.request(headers=[
            ('Authorization', basic(*user)), ('Sec-WebSocket-Extensions',
             'inetws; v=2; id=me; win=262144; resume="%s"; n=%d; at=0' % (
                 session, n))]))

    sock = t.ws.dial(s.port)
    sock.sendall(t.ws.request(headers=[
        ('Authorization', basic('ann', 'a')),
        ('Sec-WebSocket-Extensions', offer)]))
    head = t.ws.read_head(sock)[0]
    text = head if isinstance(head, str) else bytes(head).decode()
    session = text.split('resume="')[1].split('"')[0] \
        if 'resume="' in text else text.split('resume=')[1][:32]
    t.is_(redial(('bob', 'b'), session, 1).status, 410,
          'bob: 410, as if there were none')
    t.is_(redial(('ann', 'b'), session, 1).status, 401, 'no such user: 401')
    t.is_(redial(('ann', 'a'), session, 1).status, 101, 'ann: 101')


t.main()
