#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Secrets of a request are in no log, title, statistics page, metric or dumped
configuration, and no process leaves a core.

If it fails: passwords and tokens show up where other users can read them.
"""

import base64
import hashlib
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402


class Secrets:
    """Unique words, by what they are for."""

    def __init__(self, *names):
        self.words = {n: 'sEcReT-%s-%s' % (n, os.urandom(4).hex())
                      for n in names}

    def __getattr__(self, name):
        return self.words[name]

    def found_in(self, data):
        """What is in there, also as Basic credentials would have it."""
        if isinstance(data, str):
            data = data.encode('utf-8', 'replace')
        found = []
        for name, word in self.words.items():
            # base64 of the word at each of the three places it may begin
            forms = {word.encode()} | {
                base64.b64encode(b'x' * i + word.encode())[4 * (i > 0):-4]
                for i in range(3)}
            if any(f in data for f in forms):
                found.append(name)
        return found


def file_of(text, mode=0o600):
    path = os.path.join(t.folder(), 'f')
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def clean(secrets, data, name):
    t.is_(secrets.found_in(data), [], name)


def titles(secrets, pids, name):
    """What ps(1) shows of each."""
    for pid in pids:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            line = f.read()
        clean(secrets, line, '%s: the title of %s' % (
            name, line.rstrip(b'\0').decode('latin-1')[:60]))


def no_core(pids, name):
    for pid in pids:
        with open('/proc/%d/limits' % pid) as f:
            soft = [line.split()[4] for line in f
                    if line.startswith('Max core file size')]
        t.is_(soft, ['0'], '%s: process %d leaves no core' % (name, pid))


def test_finder():
    """This test can see a secret, in any dress."""
    s = Secrets('x')
    for pair in ('ann:', 'a:', 'ab:'):
        data = base64.b64encode((pair + s.x + ':more').encode())
        t.is_(s.found_in(b'Basic ' + data), ['x'], 'in Basic ' + pair)
    t.is_(s.found_in('a ' + s.x), ['x'], 'as it is')
    t.is_(s.found_in('sEcReT-x-'), [], 'and no other')


def options(s, proxy):
    """All that a client may be told in secret."""
    program = file_of('#!/bin/sh\necho "X-Once: %s"\n' % s.once,
                      stat.S_IRWXU)
    return ['-x', 'http://proxy:%s@127.0.0.1:%d' % (s.word, proxy),
            '--proxy-user', 'ann:' + s.proxy_user,
            '--proxy-header', 'X-Proxy-Token: ' + s.proxy_header,
            '-u', 'ann:' + s.user, '-H', 'X-Token: ' + s.header, '-H',
            'Cookie: ' + s.cookie, '-H', '@' + file_of(
                'X-File-Token: %s\n' % s.file),
            '--header-command', program]


NAMES = ('word', 'proxy_user', 'proxy_header', 'user', 'header', 'cookie',
         'file', 'once', 'url', 'query')


def where(s, port):
    return 'ws://eve:%s@127.0.0.1:%s/p?token=%s' % (s.url, port, s.query)


def users(s):
    openssl, = t.need('openssl')
    hashed = t.run([openssl, 'passwd', '-6', '-stdin'],
                   input=s.user.encode()).stdout.decode().strip()
    return file_of('ann:%s\ntoken:robot:%s\n' % (hashed, hashlib.sha256(
        s.header.encode()).hexdigest())), hashed


def test_tunnels():
    s = Secrets(*NAMES)
    path, hashed = users(s)
    s.words['hash'] = hashed[-40:]
    server = t.server(t.echo().port, '--auth-file', path, '-vvv',
                      '--metrics', '127.0.0.1:0')
    p = t.Scripted()
    stats = os.path.join(t.folder(), 'stats')
    c = t.client(where(s, server.port), *options(s, p.port), '-vvv',
                 '--metrics', '127.0.0.1:0', '--stats-file', stats)
    v = t.ws.dial(c.port)
    v.sendall(b'hello')
    t.is_(t.ws.read_exactly(v, 5), b'hello', 'a tunnel')
    head = p.seen[0]
    t.ok(s.found_in(head) == ['proxy_user', 'proxy_header'],
         'the proxy has been told its secrets')
    pids = [c.pid] + t.family(c.pid)
    t.ok(len(pids) >= 3, 'the client, its child, and who asks its program')
    titles(s, pids, 'client')
    titles(s, [server.pid] + t.family(server.pid), 'server')
    if not t.SANITIZED:     # there is no sandbox then
        no_core([c.pid] + t.children(c.pid), 'client')
        no_core([server.pid] + t.children(server.pid), 'server')
    for one in (server, c):
        port = t.port_of(one.wait_line(r'metrics on (\S+)')[1])
        for page in ('/', '/metrics', '/readyz', '/nothing'):
            clean(s, str(t.http(port, page)), 'metrics: ' + page)
    with open(stats, 'rb') as f:
        clean(s, f.read(), 'the statistics page')
    r = t.run_inetws('status', '--json', stats)
    t.is_(r.returncode, 0, 'status')
    clean(s, r.stdout + r.stderr, 'has none')
    for sock in list(p.socks):
        try:
            sock.shutdown(2)        # a redial, with all of them
        except OSError:
            pass
    v.sendall(b'again')
    t.is_(t.ws.read_exactly(v, 5), b'again', 'the tunnel goes on')
    titles(s, [c.pid] + t.family(c.pid), 'behind a redial')
    v.close()
    c.wait_line('event=closed')
    c.stop()
    server.stop()
    t.like(c.log, 'Proxy-Authorization:', 'the log has the fields\' names')
    t.like(c.log, 'X-Token:', 'all of them')
    clean(s, c.log, "but no secret: client's log")
    clean(s, server.log, "server's log")


def test_failures():
    s = Secrets(*NAMES)
    held, unused = t.Held(), t.free_port()
    refusing = t.Scripted(b'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n')
    for port, name in ((unused, 'no proxy there'), (refusing.port, '407')):
        for more in ([], ['-vvv'], ['-q'], ['--resume', '0']):
            r = t.run_inetws('connect', *options(s, port), *more,
                             where(s, 1))
            t.ok(r.returncode in (69, 77), name)
            clean(s, r.stdout + r.stderr, 'nothing is said with %s' % more)
    p = t.connect(where(s, 1), *options(s, held.port))
    held.next()
    titles(s, [p.pid] + t.family(p.pid), 'while it dials')
    p = t.inetws('check', *options(s, held.port), where(s, 1))
    held.next()
    titles(s, [p.pid] + t.family(p.pid), 'while it checks')


def test_words():
    """Neither complaints nor --dump-config show one."""
    s = Secrets(*NAMES)
    r = t.run_inetws('connect', '--dump-config', *options(s, 1), where(s, 1))
    t.is_(r.returncode, 0, '--dump-config')
    t.is_(s.found_in(r.stdout), ['header'],
          'shows a field whose name says nothing, and no other secret')
    for words in (['-u', s.user], ['--proxy-user', s.proxy_user],
                  ['-H', s.header], ['-H', 'X: %s\n' % s.header],
                  ['-x', 'http://a:%s@h:x' % s.word],
                  ['-x', 'ftp://a:%s@h' % s.word],
                  ['-x', 'a:%s://h' % s.word],
                  ['--proxy-header', 'Host: ' + s.header]):
        r = t.run_inetws('connect', *words, 'ws://h/')
        t.is_(r.returncode, 64, words[0] + ': 64')
        clean(s, r.stderr, 'which does not show it')
    for url in (where(s, 'x'), where(s, 1) + '#', where(s, 1)[3:],
                where(s, 1).replace('ws:', 'wx:'), where(s, 0)):
        url = str(url)
        r = t.run_inetws('connect', url)
        t.is_(r.returncode, 64, 'a bad URL: 64')
        t.ok('url' not in s.found_in(r.stderr), 'without its password')


t.main()
