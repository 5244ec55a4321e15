# SPDX-License-Identifier: ISC
"""The other programs, as threads: TCP targets, a websocket server, and a TCP
proxy that fails on command.  All on 127.0.0.1."""

import os
import re
import select
import signal
import socket
import ssl
import threading
import time

import proc
import tap
import ws as _ws


def unknown_name():
    """(exit status, message) for a name that does not exist; they are others
    if no name server answers."""
    try:
        socket.getaddrinfo('no-such-host.invalid', 1)
    except socket.gaierror as e:
        return 75 if e.errno == socket.EAI_AGAIN else 68, e.strerror
    raise tap.Skip('the name server knows names under .invalid')


class Listener:
    """Runs handler(sock) in a thread for each connection.

    .port, or .path for a Unix socket; .accepted counts.  What a handler
    returns goes to .results; take() waits for the next one.
    """

    def __init__(self, handler, path=None, host='127.0.0.1', tls=None,
                 port=0):
        self.handler = handler
        self.tls = tls
        self.accepted = 0
        self.results = []
        self.socks = []
        self.change = threading.Condition()
        self.open = True
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(path)
            self.path = path
        else:
            self.sock = socket.socket(socket.AF_INET6 if ':' in host
                                      else socket.AF_INET)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, port))
            self.port = self.sock.getsockname()[1]
        self.sock.listen(1024)
        proc.on_close(self.close, end=True)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while self.open:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with self.change:
                self.accepted += 1
                self.socks.append(sock)
                self.change.notify_all()
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        result = None
        try:
            sock.settimeout(4 * proc.BOUND)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            result = self.handler(sock)
        except Exception as e:
            result = e
        with self.change:
            self.results.append(result)
            self.change.notify_all()

    def take(self, timeout=None):
        """The next result; AssertionError if none comes."""
        end = time.monotonic() + (timeout or proc.BOUND)
        with self.change:
            while not self.results:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError('no handler has returned')
                self.change.wait(left)
            return self.results.pop(0)

    def wait_accepted(self, n, timeout=None):
        return proc.until(lambda: self.accepted >= n, timeout)

    def close(self):
        self.open = False
        proc.end_reader(self.sock, self.thread)
        for s in self.socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _shut(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def echo(**kw):
    """A target that sends back what it gets, and the end of file too."""
    def handler(sock):
        total = 0
        try:
            while True:
                data = sock.recv(1 << 16)
                if not data:
                    _shut(sock)
                    return total, 'eof'
                total += len(data)
                sock.sendall(data)
        except ConnectionResetError:
            return total, 'reset'
        finally:
            sock.close()
    return Listener(handler, **kw)


def echo_process():
    """The port of an echo that is one process for all connections."""
    listener = socket.create_server(('127.0.0.1', 0), backlog=4096)
    port = listener.getsockname()[1]
    pid = os.fork()
    if pid:
        listener.close()
        proc.on_close(lambda: os.kill(pid, signal.SIGKILL), end=True)
        return port
    ep, socks = select.epoll(), {}
    ep.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in ep.poll():
            if fd == listener.fileno():
                s = listener.accept()[0]
                socks[s.fileno()] = s
                ep.register(s, select.EPOLLIN)
                continue
            try:
                data = socks[fd].recv(65536)
                socks[fd].sendall(data)
            except OSError:
                data = b''
            if not data:
                ep.unregister(fd)
                socks.pop(fd).close()


def discard(**kw):
    """Results are (bytes, 'eof' or 'reset')."""
    def handler(sock):
        try:
            return _ws.read_all(sock)
        finally:
            sock.close()
    return Listener(handler, **kw)


def source(data, **kw):
    """A target that sends data and ends; results are those of discard()."""
    def handler(sock):
        try:
            sock.sendall(data)
            _shut(sock)
            return _ws.read_all(sock)
        finally:
            sock.close()
    return Listener(handler, **kw)


class Held(Listener):
    """Hands each accepted socket to the test: next() is the target's end."""

    def __init__(self, **kw):
        self.waiting = []
        super().__init__(self._hold, **kw)

    def _hold(self, sock):
        with self.change:
            sock.settimeout(proc.BOUND)
            self.waiting.append(sock)
            self.change.notify_all()

    def next(self, timeout=None):
        end = time.monotonic() + (timeout or proc.BOUND)
        with self.change:
            while not self.waiting:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError('no connection came')
                self.change.wait(left)
            return self.waiting.pop(0)


def full(host='127.0.0.1', port=0):
    """A port whose connections are never made: its backlog is full, so that no
    SYN is answered."""
    sock = socket.create_server((host, port), backlog=0)
    proc.on_close(sock.close, end=True)
    for _ in range(3):
        waits = socket.socket()
        waits.setblocking(False)
        waits.connect_ex(sock.getsockname())
        proc.on_close(waits.close, end=True)
    return sock.getsockname()[1]


def drip(begin, again):
    """A handler that says begin when it is asked, and then again and again a
    little, as long as that is taken."""
    def say(sock):
        try:
            sock.recv(4096)
            sock.sendall(begin)
            for _ in range(1000):
                sock.sendall(again)
                time.sleep(.05)
        except OSError:
            pass
    return say


class WSServer(Held):
    """Accepts websockets; next() is a WebSocket with .request fields.

    answer: a function of (first line, fields) that returns the whole head to
    send instead of the right one, or None.
    """

    def __init__(self, headers=(), answer=None, early=b'', **kw):
        self.headers = headers
        self.answer = answer
        self.early = early      # bytes in one segment with the head
        super().__init__(**kw)

    def _hold(self, sock):
        head, rest = _ws.read_head(sock)
        if not head:
            sock.close()
            return
        first, fields = _ws.parse_head(head)
        special = self.answer and self.answer(first, fields)
        if special is None and 'upgrade' not in fields:
            special = (b'HTTP/1.1 426 Upgrade Required\r\n'
                       b'Content-Length: 0\r\n\r\n')
        if special is not None:
            sock.sendall(special)
            if not re.search(rb'(?m)^HTTP/\S+ 101 ', special):
                _shut(sock)
                _ws.read_all(sock)
                sock.close()
                return
        else:
            sock.sendall(switch(fields, self.headers) + self.early)
        w = _ws.WebSocket(sock, False, rest)
        w.request_line, w.request, w.request_head = first, fields, head
        with self.change:
            self.waiting.append(w)
            self.change.notify_all()


def switch(fields, headers=(), **override):
    """A 101 head for a request's fields."""
    lines = {'Upgrade': 'websocket', 'Connection': 'Upgrade',
             'Sec-WebSocket-Accept':
             _ws.accept_of(fields.get('sec-websocket-key', ''))}
    lines.update({k.replace('_', '-'): v for k, v in override.items()})
    return ('HTTP/1.1 101 Switching Protocols\r\n' +
            ''.join('%s: %s\r\n' % i for i in lines.items()
                    if i[1] is not None) +
            ''.join('%s: %s\r\n' % h for h in headers) +
            '\r\n').encode('latin-1')


def tls_context(cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert.cert, cert.key)
    return context


class Proxy:
    """A TCP proxy to a port.  .pairs are the connections that live.

    cut('fin'), cut('rst') end all of them; blackhole() swallows everything
    both ways from then on, new connections too; stall() stops reading and
    resume() goes on, so that nothing is lost.
    """

    def __init__(self, port, host='127.0.0.1'):
        self.to = (host, port)
        self.flow = threading.Event()
        self.flow.set()
        self.swallow = False
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = Listener(self._serve)
        self.port = self.listener.port
        proc.on_close(self.flow.set)

    @property
    def accepted(self):
        return self.listener.accepted

    def _serve(self, a):
        if self.swallow:
            with self.lock:
                self.pairs.append((a, None))
            while a.recv(1 << 16):
                pass
            return
        b = socket.create_connection(self.to, proc.BOUND)
        for s in (a, b):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.settimeout(None)
        with self.lock:
            self.pairs.append((a, b))
        back = threading.Thread(target=self._copy, args=(b, a), daemon=True)
        back.start()
        self._copy(a, b)
        back.join()
        with self.lock:
            if (a, b) in self.pairs:
                self.pairs.remove((a, b))
        for s in (a, b):
            try:
                s.close()
            except OSError:
                pass

    def _copy(self, src, dst):
        try:
            while True:
                self.flow.wait()
                if not select.select([src], [], [], 0.2)[0]:
                    continue
                if not self.flow.is_set():
                    continue
                data = src.recv(1 << 16)
                if not data:
                    break
                if not self.swallow:
                    dst.sendall(data)
            if not self.swallow:
                _shut(dst)
        except ConnectionResetError:
            if not self.swallow:
                try:
                    _ws.reset(dst)
                except OSError:
                    pass
        except (OSError, ValueError):
            _shut(dst)

    def cut(self, how='fin'):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                if s is None:
                    continue
                try:
                    if how == 'rst':
                        _ws.reset(s)
                    else:
                        s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        return len(pairs)

    def blackhole(self, on=True):
        self.swallow = on

    def stall(self):
        self.flow.clear()

    def resume(self):
        self.flow.set()

    def close(self):
        self.listener.close()
