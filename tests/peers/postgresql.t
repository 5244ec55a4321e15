#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""PostgreSQL and psql, through inetws client, nginx with TLS, and inetws
server.  The cluster is made for this test.

If it fails: databases cannot be used through a tunnel.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import hashlib          # noqa: E402
import manual           # noqa: E402
import signal           # noqa: E402
import subprocess       # noqa: E402

ROWS = 60000


def tools(*names):
    """Debian keeps most of them out of PATH, in a folder a version."""
    for d in sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True):
        found = [os.path.join(d, name) for name in names]
        if all(os.access(f, os.X_OK) for f in found):
            return found
    return t.need(*names)


class Cluster:
    """A running postgres; .port, .socket, and psql() by a port of ours."""

    def __init__(self):
        initdb, postgres, self.psql = tools('initdb', 'postgres', 'psql')
        self.folder = t.folder()
        become = t.unprivileged(self.folder)
        env = dict(os.environ, HOME=self.folder, LC_ALL='C', TZ='UTC')
        r = t.run([initdb, '-D', self.folder + '/data', '-U', 'tester',
                   '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
                  env=env, preexec_fn=become, cwd='/', timeout=4 * t.BOUND)
        if r.returncode:
            raise AssertionError('initdb: %s' % r.stderr)
        self.port = t.free_port()
        self.socket = '%s/.s.PGSQL.%d' % (self.folder, self.port)
        self.program = t.Program(
            [postgres, '-D', self.folder + '/data', '-k', self.folder, '-p',
             self.port, '-h', '127.0.0.1', '-F', '-c',
             'dynamic_shared_memory_type=mmap'],
            env=env, preexec_fn=become, cwd='/')
        self.program.wait_line('ready to accept connections')

    def argv(self, port, *words):
        return [self.psql, '-X', '-q', '-A', '-t', '-h', '127.0.0.1', '-p',
                port, '-U', 'tester', '-d', 'postgres', '-v',
                'ON_ERROR_STOP=1'] + list(words)

    def run(self, port, text, fails=False):
        r = t.run(self.argv(port), input=text.encode(),
                  timeout=4 * t.BOUND)
        if r.returncode and not fails:
            t.diag(r.stderr)
        return r


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def several_megabytes():
    """A file in the form of \\copy, and how long it is."""
    path = t.folder() + '/rows'
    with open(path, 'w') as f:
        for i in range(ROWS):
            f.write('%d\t%s\n' % (i, hashlib.sha512(b'%d' % i).hexdigest()))
    return path, os.path.getsize(path)


def copy(db, port, name):
    data, size = several_megabytes()
    back = t.folder() + '/back'
    r = db.run(port, 'create table %s (n int, s text);\n'
               '\\copy %s from %s\n' % (name, name, data))
    t.is_(r.returncode, 0, '%s: \\copy in, %d bytes' % (name, size))
    r = db.run(port, 'select count(*), min(n), max(n) from %s;' % name)
    t.is_(r.stdout, b'%d|0|%d\n' % (ROWS, ROWS - 1), 'all of them arrived')
    r = db.run(port, '\\copy (select * from %s order by n) to %s\n' %
               (name, back))
    t.is_(r.returncode, 0, '%s: \\copy out' % name)
    t.is_(digest(back), digest(data), 'equal')


@t.limit(120)
def test_port():
    t.need('nginx')
    db = Cluster()
    chain = t.chain(db.port)
    c = t.at_port(chain)
    r = db.run(c.port, 'select 6 * 7;')
    t.is_((r.returncode, r.stdout), (0, b'42\n'), 'psql asks, and is answered')
    r = t.run([db.psql, *manual.words('$ psql -h localhost'), *db.argv(c.port)[
        1:], '-h', 'localhost', '-c', 'select 6 * 7'])
    t.is_(r.stdout, b'42\n', 'also as in the manual')
    r = db.run(c.port, 'select 1 / 0;', fails=True)
    t.is_(r.returncode, 3, 'an error of a statement is one here too')
    t.like(r.stderr, 'division by zero', 'with its words')
    copy(db, c.port, 'by_port')
    t.ok(t.until(lambda: not t.children(c.pid) and
                 not t.children(chain.server.pid)), 'no tunnel is left')
    t.is_(len([x for x in c.log.splitlines() if 'event=failed' in x or
               'end=ended' not in x and 'event=closed' in x]), 0,
          'all of them ended well')


@t.limit(120)
def test_unix_socket():
    t.need('nginx')
    db = Cluster()
    chain = t.chain('unix:' + db.socket)
    c = t.at_port(chain)
    copy(db, c.port, 'by_socket')


@t.limit(120)
def test_cancel():
    """psql cancels by a second connection to the same place."""
    t.need('nginx')
    db = Cluster()
    chain = t.chain(db.port)
    c = t.at_port(chain)
    p = t.Program(db.argv(c.port), stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    p.stdin.write(b"select 'up';\nselect pg_sleep(600);\n")
    p.stdin.flush()
    t.is_(p.stdout.readline(), b'up\n', 'a session is up')
    asleep = lambda: db.run(
        db.port, "select count(*) from pg_stat_activity "
        "where query like 'select pg_sleep%' and state = 'active';"
    ).stdout == b'1\n'
    t.ok(t.until(asleep), 'it sleeps')
    p.send(signal.SIGINT)
    t.ok(p.has_line('canceling statement due to user request'),
         'is cancelled')
    p.stdin.close()
    t.is_(p.wait(), 3, 'and psql ends')


@t.limit(120)
def test_restart():
    """A database that goes away is seen at once, and so is its return."""
    t.need('nginx')
    db = Cluster()
    chain = t.chain(db.port)
    c = t.at_port(chain)
    p = t.Program(db.argv(c.port), stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    p.stdin.write(b"select 'up';\n")
    p.stdin.flush()
    t.is_(p.stdout.readline(), b'up\n', 'a session is up')
    db.program.stop(signal.SIGINT)      # fast shutdown
    p.stdin.write(b"select 'still up';\n")
    p.stdin.close()
    t.is_(p.wait(), 2, 'psql gives up, its connection lost')
    t.like(p.wait_log(), 'terminating connection due to administrator command',
           'having been told why')
    r = db.run(c.port, 'select 1;', fails=True)
    t.is_(r.returncode, 2, 'no new session')
    t.like(r.stderr, 'psql: error: connection to server',
           'which psql takes for a connection that failed')
    t.ok(chain.server.has_line('event=failed .*refused'),
         'the log says what was wrong')


t.main()
