# SPDX-License-Identifier: ISC
"""
A client and a server of the websocket extension "inetws", written from
inetws-protocol(7) and the Python standard library alone.  Slow and plain, with
hooks for everything that can go wrong (class Faults).

    dial(host, port, path, stream, settings, faults) -> Tunnel, once it ended
    Server(target, settings, faults)     -> .port, .tunnels, .stop()
    raw_dial(...), raw_accept(...)       -> Raw, to be led frame by frame
"""

import os
import random
import socket
import threading
import time

import proc
from peer_faults import *       # noqa: F401,F403
from peer_faults import Faults, Settings, Wire, reset
from peer_frames import *       # noqa: F401,F403
from peer_frames import (Lost, Refused, accept_of, answer, log_id,
                         read_answer, read_head, read_offer, request,
                         write_params)
from peer_raw import Raw, raw_accept, raw_dial      # noqa: F401
from peer_tunnel import Tunnel


def dial(host, port, path, stream, settings=None, faults=None,
         get_stream=None, live=None):
    """Runs a whole tunnel and returns when it has ended; may raise Refused or
    Lost.  live is called with the Tunnel when it begins."""
    settings, faults = settings or Settings(), faults or Faults()
    t = Tunnel(True, stream, settings, faults)
    t.my_id = log_id()
    offer = {"v": 2, "id": t.my_id, "win": settings.win}
    if settings.addr is not None:
        offer["park"] = None
    if settings.serve:
        offer["serve"] = None
        t.role, t.get_stream = "serving", get_stream
    if settings.session:
        offer["resume"] = None
    deadline = time.monotonic() + settings.handshake
    sock = socket.create_connection((host, port), settings.handshake)
    try:
        key = request(sock, host, path,
                      write_params(offer) if settings.extension else None,
                      settings.headers, deadline)
        fields, early = answer(sock, key, deadline)
        got = read_answer(fields.get("sec-websocket-extensions"), offer)
        if got is None:
            raise Refused(101, "plain")
    except BaseException:
        sock.close()
        if stream is not None:
            reset(stream)
        raise
    t.params, t.session, t.peer_win = got, got.get("resume"), got["win"]
    if "park" in got:
        t.role = "asking"
    wire = Wire(sock, True, early, faults.limits(0))
    if live is not None:
        live(t)
    while True:
        state = t.run(wire)
        if state == "done":
            break
        if t.session is None or not t.begun() or \
           not redial(t, host, port, path):
            t.lost()
            break
        wire = t.new_wire
    t.close()
    return t


def redial(t, host, port, path):
    """Dials again.  True: t.new_wire is the next wire."""
    s, gone, delay = t.settings, 0, t.settings.retry
    ends = t.complete() or t.over()
    limit = time.monotonic() + (s.linger if ends else s.resume)
    k = 0
    while time.monotonic() < limit:
        if k:
            if t.run(None, time.monotonic() +
                     delay * random.uniform(.5, 1.5)) == "done":
                return False
            delay = min(delay * 2, 1)
        k += 1
        t.last_k += 1
        status = attempt(t, host, port, path)
        if status == 101:
            t.resumes += 1
            return True
        if status == 410:
            gone += 1
            if ends or gone == 5:
                t.lost_why = "410"
                return False
        elif status is not None and status != 408 and status != 429 and \
                status < 500:
            t.lost_why = "refused: %d" % status
            return False
        else:
            gone = 0
    return False


def attempt(t, host, port, path):
    """One request.  Its status; None: no answer; 0: an answer that ends the
    session."""
    offer = t.faults.redial(t, {
        "v": 2, "id": t.my_id, "win": t.win, "resume": t.session,
        "n": t.last_k, "at": t.taken})
    no = t.wires
    t.wires += 1
    deadline = time.monotonic() + t.settings.handshake
    sock = None
    try:
        sock = socket.create_connection((host, port), t.settings.handshake)
        key = request(sock, host, path, write_params(offer),
                      t.settings.headers, deadline)
        if t.faults.drop_answer(no):
            raise Lost("answer dropped")
        fields, early = answer(sock, key, deadline)
        got = read_answer(fields.get("sec-websocket-extensions"), offer)
    except Refused as e:
        sock.close()
        return e.status
    except ValueError:
        sock.close()
        return 0
    except (OSError, Lost):
        if sock is not None:
            sock.close()
        return None
    if got is None:
        sock.close()
        return 410
    if not t.replay_from(got["at"]):
        sock.close()
        return 0
    t.new_wire = Wire(sock, True, early, t.faults.limits(no))
    return 101


class Server:
    """A server.  target() returns a connected socket, or raises OSError
    (502).  Each tunnel runs in a thread of its own."""

    def __init__(self, target, settings=None, faults=None, port=0):
        self.target = target
        self.settings = settings or Settings()
        self.faults = faults or Faults()
        self.sessions = {}
        self.tunnels = []
        self.statuses = []          # of everything but a 101
        self.offers = []            # fields as they came
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.serving = 0            # so many connections
        self.change = threading.Condition()
        self.stopped = False
        self.accepts = threading.Thread(target=self.accept, daemon=True)
        self.accepts.start()

    def accept(self):
        while not self.stopped:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.count(1)
            threading.Thread(target=self.run, args=(sock,),
                             daemon=True).start()

    def count(self, n):
        with self.change:
            self.serving += n
            self.change.notify_all()

    def run(self, sock):
        try:
            self.serve(sock)
        finally:
            self.count(-1)

    def stop(self):
        self.stopped = True
        proc.end_reader(self.listener, self.accepts)

    def join(self, seconds):
        """Do all end in time, also those that come meanwhile, as a program
        may try another path?"""
        with self.change:
            return self.change.wait_for(lambda: self.serving == 0, seconds)

    def refuse(self, sock, status, text):
        self.statuses.append(status)
        body = text + "\r\n"
        try:
            sock.settimeout(2)
            sock.sendall(("HTTP/1.1 %d %s\r\nConnection: close\r\n"
                          "Content-Length: %d\r\n\r\n%s" %
                          (status, text, len(body), body)).encode())
        except OSError:
            pass
        sock.close()

    def write_101(self, sock, key, params):
        text = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" %
                accept_of(key))
        if params is not None:
            text += "Sec-WebSocket-Extensions: %s\r\n" % write_params(params)
        sock.settimeout(5)
        sock.sendall((text + "\r\n").encode())

    def serve(self, sock):
        s = self.settings
        try:
            first, fields, early = read_head(
                sock, time.monotonic() + s.handshake)
        except Lost:
            sock.close()
            return
        key = fields.get("sec-websocket-key")
        if not first.startswith("GET ") or key is None:
            return self.refuse(sock, 426, "Upgrade Required")
        field = fields.get("sec-websocket-extensions")
        self.offers.append(field)
        offer = read_offer(field) if s.extension else None
        if offer is not None and offer.get("resume") is not None:
            with self.lock:
                t = self.sessions.get(offer["resume"])
                if t is not None:
                    t.redials.put((sock, key, offer, early))
                    t.bell_in.send(b"!")
            if t is None:
                self.refuse(sock, 410, "no session")
            return
        if offer is None:
            return self.refuse(sock, 400, "inetws only")
        if ("serve" in offer) != (s.visitor is not None):
            return self.refuse(sock, 400, "serve")
        self.tunnel(sock, key, offer, early)

    def tunnel(self, sock, key, offer, early):
        s = self.settings
        t = Tunnel(False, None, s, self.faults)
        try:
            if "serve" in offer:
                t.role, t.stream = "asking", s.visitor()
            elif "park" in offer:
                t.role, t.get_stream = "serving", lambda addr: self.target()
            else:
                t.stream = self.target()
        except OSError:
            return self.refuse(sock, 502, "target")
        if t.stream is not None:
            t.stream.setblocking(False)
        t.params, t.peer_win, t.my_id = offer, offer["win"], log_id()
        t.reply = {"v": 2, "id": t.my_id, "win": s.win}
        if "park" in offer:
            t.reply["park"] = None
        if "resume" in offer and s.session:
            t.session = os.urandom(16).hex()
            t.reply["resume"] = t.session
            with self.lock:
                self.sessions[t.session] = t
        self.tunnels.append(t)
        try:
            self.write_101(sock, key, t.reply)
        except OSError:
            t.session = None
        self.keep(t, Wire(sock, False, early, self.faults.limits(0)))
        with self.lock:
            self.sessions.pop(t.session, None)
            while not t.redials.empty():
                self.refuse(t.redials.get()[0], 410, "no session")
        t.close()

    def keep(self, t, wire):
        limit = None
        while True:
            state = t.run(wire, limit)
            if state == "done":
                return
            if state == "lost":
                if t.session is None or not t.begun():
                    return t.lost()
                wire = None
                limit = time.monotonic() + \
                    (self.settings.linger if t.over()
                     else self.settings.resume)
            elif state == "time":
                t.lost_why = "no redial came"
                return t.lost()
            else:
                state, new = self.take_redial(t, wire)
                if state == "end":
                    return
                if state == "taken":
                    wire = new
                    limit = None if new is not None else \
                        time.monotonic() + self.settings.resume

    def take_redial(self, t, wire):
        """
        ("same", None): the old wire goes on.  ("taken", the new one, or None
        if it was lost at once).  ("end", None).
        """
        sock, key, offer, early = t.redials.get()
        if offer["n"] <= t.last_k or not t.begun():
            self.refuse(sock, 410, "no session")
            return "same", None
        if not t.over() and not t.peer_ack <= offer["at"] <= t.top:
            self.refuse(sock, 410, "no session")
            t.end("fault", "at %d" % offer["at"])
            if wire is not None:
                wire.sock.close()
            return "end", None
        t.last_k = offer["n"]
        if wire is not None:
            wire.sock.close()
        no = t.wires
        t.wires += 1
        t.replay_from(offer["at"])
        reply = {"v": 2, "id": t.my_id, "win": t.win, "resume": t.session,
                 "at": t.taken}
        try:
            if self.faults.drop_answer(no):
                raise OSError("dropped")
            self.write_101(sock, key, reply)
        except OSError:
            sock.close()
            return "taken", None
        t.resumes += 1
        return "taken", Wire(sock, False, early, self.faults.limits(no))
