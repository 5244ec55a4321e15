#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The table in inetws-protocol(7), HALF-CLOSE: which side ends first, towards
which peer, through which proxy.  Each cell is a test.

If it fails: replies are cut off behind a request that was half-closed.
"""

import os
import select
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "lib"))

import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
from exchange import Exchange, noise            # noqa: E402

BOUND = t.BOUND
UP, DOWN = noise(150000), noise(170000, 2)


def started(program, port, config):
    """A proxy that listens; Skip if it is not there or does not start."""
    argv = [t.need(program[0])[0]] + program[1:] + [config]
    q = t.Program(argv)

    def up():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return not q.alive()
    t.until(up)
    if not q.alive():
        raise t.Skip("%s does not start: %s" % (program[0], q.wait_log()))
    return port


def nginx(port):
    return t.nginx(port, path="/").port


def haproxy(port, patience="1h"):
    listen = t.free_port()
    path = os.path.join(t.folder(), "haproxy.cfg")
    with open(path, "w") as f:
        f.write("""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel %s
frontend in
    bind 127.0.0.1:%d
    default_backend out
backend out
    server s 127.0.0.1:%d
""" % (patience, listen, port))
    return started(["haproxy", "-db", "-f"], listen, path)


def apache(port, patience=60):
    listen, folder = t.free_port(), t.folder()
    path = os.path.join(folder, "httpd.conf")
    with open(path, "w") as f:
        f.write("ServerRoot %s\nServerName localhost\nPidFile %s/pid\n"
                "ErrorLog %s/error.log\nDefaultRuntimeDir %s\n" %
                ((folder,) * 4))
        for name in ("mpm_event", "authz_core", "proxy", "proxy_http"):
            f.write("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so"
                    "\n" % (name, name))
        f.write("Listen 127.0.0.1:%d\nTimeout %d\n"
                "ProxyPass / http://127.0.0.1:%d/ upgrade=websocket\n" %
                (listen, patience, port))
    return started(["apache2", "-DFOREGROUND", "-f"], listen, path)


class PlainPeer:
    """
    Behind a Raw that knows no extension: sends data and Close, and takes what
    comes.  first: does not wait for what it is to get.
    """

    def __init__(self, raw, data, first, wanted):
        self.raw, self.data, self.wanted = raw, data, wanted
        self.first, self.got, self.code = first, b"", None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        if not self.first:
            while len(self.got) < self.wanted:
                self.got += self.raw.frame(BOUND)[1]
        for i in range(0, len(self.data), 30000):
            self.raw.data(self.data[i:i + 30000])
        self.raw.closing(1000)
        try:
            while True:
                op, body = self.raw.frame(BOUND)
                if op == p.CLOSE:
                    self.code = body
                else:
                    self.got += body
        except OSError:
            pass
        except EOFError:
            pass
        self.raw.sock.close()

    def join(self):
        self.thread.join(BOUND)


LATE = noise(100000, 3)


def ours(through, who, word, name, *options):
    t.is_(word, "whole", name + "two inetws")
    target = t.Held()
    s = t.server(target.port, *options)
    c = t.client("ws://127.0.0.1:%d/" % through(s.port), *options)
    a = Exchange(socket.create_connection(("127.0.0.1", c.port)), UP,
                 wait_eof=who == "acceptor", late=LATE)
    sock = target.next()
    sock.settimeout(None)
    b = Exchange(sock, DOWN, wait_eof=who == "dialler", late=LATE)
    a.join(), b.join()
    t.ok(a.how == "eof" and b.how == "eof", name + "end of file at both")
    t.ok(a.got == DOWN + (LATE if who == "dialler" else b"") and
         b.got == UP + (LATE if who == "acceptor" else b""),
         name + "after all bytes, also those sent after the first end")
    for q in (s, c):
        t.ok(q.has_line("closed .*end=ended"), "the log says so")


def without_session(through, who, word, name):
    ours(through, who, word, name, "--resume", "0")


def plain_acceptor(through, who, word, name):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = through(listener.getsockname()[1])
        # the proxy was tried: that connection is not ours
        c = t.client("ws://127.0.0.1:%d/" % port)
        a = Exchange(socket.create_connection(("127.0.0.1", c.port)), UP,
                     wait_eof=who == "acceptor")
        raw = accept(listener)
        f = PlainPeer(raw, DOWN, who != "dialler", len(UP))
        plain(a, f, DOWN, UP, word, name)


def plain_dialler(through, who, word, name):
    target = t.Held()
    s = t.server(target.port)
    raw = p.raw_dial("127.0.0.1", through(s.port), "/", None, timeout=BOUND)
    sock = target.next()
    sock.settimeout(None)
    b = Exchange(sock, DOWN, wait_eof=who == "dialler")
    f = PlainPeer(raw, UP, who != "acceptor", len(DOWN))
    plain(b, f, UP, DOWN, word, name)


def plain(own, other, to_own, to_other, word, name):
    own.join(), other.join()
    t.ok(own.got == to_own and own.how == "eof",
         name + "what the plain peer sent, then end of file")
    if word == "held":
        t.ok(other.got == to_other and other.code == 1000,
             name + "our Close came after all of both")
    else:
        t.is_(word, "closed", "a word of the table")


def accept(listener):
    """The first connection that says something."""
    while True:
        try:
            return p.raw_accept(listener, None, BOUND)
        except p.Lost:
            pass


def direct(port):
    return port


TUNNELS = {"ours to ours": (ours, without_session),
           "ours to plain": (plain_acceptor,),
           "plain to ours": (plain_dialler,)}
COLUMNS = {"directly": direct, "nginx": nginx, "HAProxy": haproxy,
           "Apache": apache}


def table():
    """[(tunnel, who ends first, {column: word})]: from the manual."""
    path = os.path.join(t.ROOT, "man", "inetws-protocol.7")
    with open(path) as f:
        text = f.read().partition("\n.Sh HALF-CLOSE\n")[2]
    rows = [line[4:].split(" Ta ") for line in
            text.partition("\n.El\n")[0].splitlines()
            if line.startswith(".It ")]
    columns = [word.replace("Em ", "") for word in rows[0]][2:]
    return [(row[0], row[1], dict(zip(columns, row[2:]))) for row in rows[1:]]


def test_table():
    rows = table()
    t.is_(sorted((row[0], row[1]) for row in rows),
          sorted((tunnel, who) for tunnel in TUNNELS
                 for who in ("dialler", "acceptor", "both")),
          "the manual's table has all rows")
    t.ok(all(sorted(row[2]) == sorted(COLUMNS) for row in rows),
         "and all columns")


def cells(tunnel, column):
    def run():
        for kind, who, words in table():
            if kind != tunnel:
                continue
            for function in TUNNELS[tunnel]:
                function(COLUMNS[column], who, words[column], "%s, %s, "
                         "first ends: %s: " % (function.__name__, column, who))
                t.cleanup()
    run.limit = 120
    return run


def half_closed(proxy, first):
    """A tunnel one of whose ends has said all: (processes, that end, the other
    one)."""
    target = t.Held()
    pings = ("--ping-interval", "500ms")
    s = t.server(target.port, *pings)
    c = t.client("ws://127.0.0.1:%d/" % proxy(s.port), *pings)
    a = t.ws.dial(c.port)
    b = target.next()
    one, other = (a, b) if first == "dialler" else (b, a)
    one.sendall(b"question")
    one.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_all(other), (b"question", "eof"), "half-closed")
    return (s, c), one, other


def test_half_closed_for_long():
    """Longer than a proxy's timeout: pings go on while no data is sent."""
    all_of = [(name, first) + half_closed(proxy, first)
              for name, proxy in (
                  ("HAProxy", lambda port: haproxy(port, "4s")),
                  ("Apache", lambda port: apache(port, 4)))
              for first in ("dialler", "acceptor")]
    t.ok(select.select([x[3] for x in all_of], [], [], 7)[0] == [],
         "nothing for seven seconds")
    for name, first, processes, one, other in all_of:
        other.sendall(b"answer")
        other.shutdown(socket.SHUT_WR)
        t.is_(t.ws.read_all(one), (b"answer", "eof"),
              "%s, first ends: %s: then the answer" % (name, first))
        for q in processes:
            m = q.wait_line("closed .*end=ended.*")
            t.unlike(m[0], "resumes", "on the one websocket")


for _tunnel in TUNNELS:
    for _column in COLUMNS:
        globals()["test_%s_%s" % (_tunnel.replace(" ", "_"), _column)] = \
            cells(_tunnel, _column)

t.main()
