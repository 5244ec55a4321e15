# SPDX-License-Identifier: ISC
"""The applications at the two ends of a tunnel."""

import random
import socket
import struct
import threading
import time

import tap
import ws

BOUND = 30 * tap.SCALE


def pair():
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        a = socket.create_connection(s.getsockname())
        b, _ = s.accept()
    return a, b


class Exchange:
    """
    The application at the end of a stream: sends data, ends its direction, and
    reads to the end.  .got, .how ("eof" or "reset") after join().  wait_eof:
    waits for the peer's end before it sends late and ends its own direction.
    """

    def __init__(self, sock, data=b"", wait_eof=False, slow=0, keep=False,
                 late=b""):
        self.sock, self.data, self.slow = sock, data, slow
        self.late = late
        self.wait_eof, self.keep = wait_eof, keep
        self.got, self.how, self.broken = bytearray(), None, False
        self.eof = threading.Event()
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self.write, self.read)]
        for th in self.threads:
            th.start()

    def write(self):
        try:
            self.sock.sendall(self.data)
            if self.wait_eof:
                self.eof.wait(BOUND)
                self.sock.sendall(self.late)
            if not self.keep:
                self.sock.shutdown(socket.SHUT_WR)
        except ConnectionResetError:
            self.broken = True          # reported once, to the first call
        except OSError:
            pass

    def read(self):
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    self.how = "eof"
                    break
                self.got += data
                if self.slow:
                    time.sleep(self.slow)
        except ConnectionResetError:
            self.how = "reset"
        except OSError as e:
            self.how = str(e)
        self.eof.set()

    def join(self):
        for th in self.threads:
            th.join(BOUND)
        if self.broken and self.how == "eof":
            self.how = "reset"
        return self.how

    def close(self):
        self.sock.close()

    def reset(self):
        """
        Ends so that the other end sees a reset.  A thread that waits in
        recv would keep the socket open.
        """
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.shutdown(socket.SHUT_RD)
        self.threads[1].join(BOUND)
        self.sock.close()


def comes_back(sock, data):
    """Does an echo at the other end send it all back?  It is read while it is
    sent, as what is on the way may be more than the buffers there take."""
    sender = threading.Thread(target=sock.sendall, args=(data,), daemon=True)
    sender.start()
    back = ws.read_exactly(sock, len(data))
    sender.join(BOUND)
    return back == data


def noise(n, seed=1):
    return random.Random(seed).randbytes(n)
