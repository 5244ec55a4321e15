#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""
The table in inetws-protocol(7), HALF-CLOSE: who ends first, with whom, through
which proxy.  Each cell is a test.
"""

import os
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
from talk import Talk, noise            # noqa: E402

BOUND = t.BOUND
UP, DOWN = noise(150000), noise(170000, 2)
WHO = ("dialler", "acceptor", "both")


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


def haproxy(port):
    listen = t.free_port()
    path = os.path.join(t.folder(), "haproxy.cfg")
    with open(path, "w") as f:
        f.write("""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend in
    bind 127.0.0.1:%d
    default_backend out
backend out
    server s 127.0.0.1:%d
""" % (listen, port))
    return started(["haproxy", "-db", "-f"], listen, path)


def apache(port):
    listen, folder = t.free_port(), t.folder()
    path = os.path.join(folder, "httpd.conf")
    with open(path, "w") as f:
        f.write("ServerRoot %s\nServerName localhost\nPidFile %s/pid\n"
                "ErrorLog %s/error.log\nDefaultRuntimeDir %s\n" %
                ((folder,) * 4))
        for name in ("mpm_event", "authz_core", "proxy", "proxy_http"):
            f.write("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so"
                    "\n" % (name, name))
        f.write("Listen 127.0.0.1:%d\nTimeout 60\n"
                "ProxyPass / http://127.0.0.1:%d/ upgrade=websocket\n" %
                (listen, port))
    return started(["apache2", "-DFOREGROUND", "-f"], listen, path)


class Foreign:
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


def ours(through):
    for who in WHO:
        target = t.Held()
        s = t.server(target.port)
        c = t.client("ws://127.0.0.1:%d/" % through(s.port))
        a = Talk(socket.create_connection(("127.0.0.1", c.port)), UP,
                 wait_eof=who == "acceptor")
        sock = target.next()
        sock.settimeout(None)
        b = Talk(sock, DOWN, wait_eof=who == "dialler")
        a.join(), b.join()
        t.ok(a.got == DOWN and a.how == "eof" and b.got == UP and
             b.how == "eof", "both inetws, first ends: " + who)
        for q in (s, c):
            t.ok(q.has_line("closed .*end=ended"), "said so")
        t.cleanup()


def foreign_acceptor(through):
    for who in WHO:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = through(listener.getsockname()[1])
            # the proxy was tried: that connection is not ours
            c = t.client("ws://127.0.0.1:%d/" % port)
            a = Talk(socket.create_connection(("127.0.0.1", c.port)), UP,
                     wait_eof=who == "acceptor")
            raw = accept(listener)
            f = Foreign(raw, DOWN, who != "dialler", len(UP))
            a.join(), f.join()
            t.ok(a.got == DOWN and a.how == "eof",
                 "foreign acceptor, first ends: %s: its bytes, end of file" %
                 who)
            if who == "dialler":
                t.ok(f.got == UP and f.code == 1000,
                     "our Close came after all of both")
        t.cleanup()


def accept(listener):
    """The first connection that says something."""
    while True:
        try:
            return p.raw_accept(listener, None, BOUND)
        except p.Lost:
            pass


def foreign_dialler(through):
    for who in WHO:
        target = t.Held()
        s = t.server(target.port)
        raw = p.raw_dial("127.0.0.1", through(s.port), "/", None,
                         timeout=BOUND)
        sock = target.next()
        sock.settimeout(None)
        b = Talk(sock, DOWN, wait_eof=who == "dialler")
        f = Foreign(raw, UP, who != "acceptor", len(DOWN))
        b.join(), f.join()
        t.ok(b.got == UP and b.how == "eof",
             "foreign dialler, first ends: %s: its bytes, end of file" % who)
        if who == "acceptor":
            t.ok(f.got == DOWN and f.code == 1000,
                 "our Close came after all of both")
        t.cleanup()


def direct(port):
    return port


def test_direct_ours():
    ours(direct)


def test_direct_foreign():
    foreign_acceptor(direct)
    foreign_dialler(direct)


@t.limit(90)
def test_nginx_ours():
    ours(nginx)


@t.limit(120)
def test_nginx_foreign():
    foreign_acceptor(nginx)
    foreign_dialler(nginx)


@t.limit(90)
def test_haproxy_ours():
    ours(haproxy)


@t.limit(120)
def test_haproxy_foreign():
    foreign_acceptor(haproxy)
    foreign_dialler(haproxy)


@t.limit(90)
def test_apache_ours():
    ours(apache)


@t.limit(120)
def test_apache_foreign():
    foreign_acceptor(apache)
    foreign_dialler(apache)


t.main()
