#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""server and client under every launcher that Debian packages: megabytes both
ways, the peer's address in the log, no other byte in the stream.

If it fails: inetws cannot be run from inetd, systemd sockets and the like.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import launchers        # noqa: E402
import launcher_table   # noqa: E402
import shlex            # noqa: E402
import socket           # noqa: E402
import exchange         # noqa: E402

DATA = exchange.noise(10 << 20)


def as_server(name):
    echo = t.echo()
    s = launcher_table.Launched(name, 'server', '127.0.0.1:%d' % echo.port)
    r = t.run([t.INETWS, 'connect', s.url()], input=DATA,
              timeout=60 * t.SCALE)
    t.is_((r.returncode, r.stdout == DATA), (0, True),
          '%s: server, 10 MB both ways' % name)
    w = t.ws.connect(s.where)
    address = w.sock.getsockname()
    w.send(b'hello')
    t.is_(w.take_data(5), b'hello', '%s: a plain peer' % name)
    w.close(1000)
    t.is_((w.take_close(answer=False), w.take_end(), bytes(w.data),
           bytes(w.buffer)), (1000, 'eof', b'', b''),
          '%s: no stray byte behind it' % name)
    w.sock.close()
    s.logged(address, name)


def refused(name):
    """The one answer, which must not be followed by other bytes."""
    s = launcher_table.Launched(name, 'server', '127.0.0.1:%d' % t.free_port())
    sock = t.ws.dial(s.where)
    sock.sendall(t.ws.request())
    data, how = t.ws.read_all(sock)
    head, _, body = data.partition(b'\r\n\r\n')
    first, fields = t.ws.parse_head(head)
    t.is_((first[:12], len(body), how),
          ('HTTP/1.1 502', int(fields['content-length']), 'eof'),
          '%s: a refusal, and no stray byte' % name)


def as_client(name, url):
    c = launcher_table.Launched(name, 'client', url)
    sock = t.ws.dial(c.where)
    address = sock.getsockname()
    k = exchange.Exchange(sock, DATA,
                          keep=name in launcher_table.NO_HALF_CLOSE)
    if k.keep:
        t.until(lambda: len(k.got) >= len(DATA))
        sock.shutdown(socket.SHUT_WR)
    t.is_((k.join(), len(k.got), bytes(k.got) == DATA),
          ('eof', len(DATA), True),
          '%s: client, 10 MB both ways and no stray byte' % name)
    c.logged(address, name)
    c = launcher_table.Launched(name, 'client',
                                'ws://127.0.0.1:%d/' % t.free_port())
    t.is_(t.ws.dial_and_read(c.where)[0], b'',
          '%s: client without a server says nothing into it' % name)


def case(name):
    def run():
        as_server(name)
        refused(name)
        as_client(name, 'ws://127.0.0.1:%d/' % t.server(t.echo().port).port)
    return run


for _name in launcher_table.TABLE:
    globals()['test_' + _name] = case(_name)


def test_bad_words_under_inetd():
    """Also what is wrong before anything is open must not go to the socket."""
    if os.getuid() != 0:
        raise t.Skip('needs root')
    for words in (['server', '--nonsense', '127.0.0.1:1'],
                  ['server', '-K', '/nonexistent'], ['client', 'ftp://x/']):
        log = launchers.Syslog()
        p, where = launchers.openbsd_inetd('nowait')(
            t.free_port(), [t.INETWS] + words, prefix=log.prefix())
        t.is_(t.ws.dial_and_read(where)[0], b'',
              'nothing of "%s" is on the socket' % ' '.join(words))
        t.ok(log.has(words[1] if words[1] != '-K' else words[2]),
             'but in syslog')


def test_ssh_proxy_command():
    """Two pipes; a server at the end of a command is one too."""
    t.need('ssh', 'sshd')
    d = t.sshd()
    s = t.server(d.port)
    for words in (['connect'], ['client', '-l', '-'],
                  ['client', '-l', 'inetd']):
        proxy = ' '.join(shlex.quote(w) for w in [t.INETWS] + words +
                         ['ws://127.0.0.1:%d/' % s.port])
        r = t.run(['ssh', '-F', d.config, '-o', 'ProxyCommand=' + proxy,
                   'there', 'cat'], input=DATA, timeout=60 * t.SCALE)
        t.is_((r.returncode, r.stdout == DATA), (0, True),
              'ssh ProxyCommand: %s, 10 MB both ways' % ' '.join(words))


t.main()
