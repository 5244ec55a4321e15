#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Between two inetws exit status 0 means that the other end has got all, with
and without a session; a side that is stopped says so.

If it fails: a transfer that was cut off is reported as a success.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402

BIG = b'x' * 800000
SOME = b'x' * 400000      # more than a socket takes, less than a credit


def unix_target():
    path = os.path.join(t.folder(), 's')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    return listener, 'unix:' + path


def test_target_reads_a_part():
    """It ends its own direction, reads a little, and is closed: the rest was
    never read, and on a Unix socket that is a reset."""
    for options in ((), ('--resume', '0')):
        listener, target = unix_target()
        s = t.server(target, *options)

        def serve():
            conn, _ = listener.accept()
            conn.shutdown(socket.SHUT_WR)
            left = 1000
            while left > 0:
                left -= len(conn.recv(left))
            conn.close()
        threading.Thread(target=serve, daemon=True).start()
        c = t.run_inetws('connect', *options, 'ws://127.0.0.1:%d/' % s.port,
                         input=BIG)
        t.is_(c.returncode, 74, '%s: not delivered, not a success'
              % (' '.join(options) or 'with a session'))
        t.ok(s.has_line('event=closed .*end=stream-reset'),
             'the server says why')


def test_slow_target():
    """A live peer may take as long as it likes to take the last bytes."""
    for options in ((), ('--resume', '0')):
        listener, target = unix_target()
        s = t.server(target, *options, '--linger', '300ms')
        got, go = [], threading.Event()

        def serve():
            conn, _ = listener.accept()
            conn.shutdown(socket.SHUT_WR)
            go.wait(t.BOUND)
            got.append(t.ws.read_all(conn))
        th = threading.Thread(target=serve, daemon=True)
        th.start()
        c = t.connect('ws://127.0.0.1:%d/' % s.port, *options, '--linger',
                      '300ms')
        c.stdin.write(SOME)
        c.stdin.close()
        t.is_(c.stdout.read(), b'', 'the target has ended')
        try:
            c.popen.wait(1)
        except Exception:
            pass
        t.ok(c.alive(), '%s: it waits, longer than --linger'
             % (' '.join(options) or 'with a session'))
        go.set()
        t.is_(c.wait(), 0, 'a success')
        th.join(t.BOUND)
        t.ok(got == [(SOME, 'eof')], 'with all bytes')


def refused(port):
    try:
        t.ws.dial(port, 2).close()
        return False
    except OSError:
        return True


def term(p):
    p.send(signal.SIGTERM)


def term_twice(p):
    term(p)
    t.ok(t.until(lambda: refused(p.port)), 'it drains')
    term(p)


def term_one(p):
    os.kill(t.child(p.pid), signal.SIGTERM)


def nothing(p):
    pass


# how one side stops, its options, and what the other one is told
STOPS = (('--drain 0', ('--drain', '0'), term, 1001, '%s stopped'),
         ('the end of --drain', ('--drain', '300ms'), term, 1001,
          '%s stopped'),
         ('a second signal', ('--drain', '10m'), term_twice, 1001,
          '%s stopped'),
         ('TERM to one tunnel', (), term_one, 1001, '%s stopped'),
         ('--idle-timeout', ('--idle-timeout', '3s'), nothing, 1008,
          'idle timeout'))


@t.limit(120)
def test_stopped():
    """The other end of what is stopped neither resumes nor reports success."""
    for name, own, stop, code, reason in STOPS:
        for who in ('server', 'client'):
            for options in ((), ('--resume', '0')):
                target = t.Held()
                s = t.server(target.port, *options,
                             *(own if who == 'server' else ()))
                c = t.client('ws://127.0.0.1:%d/' % s.port, *options,
                             *(own if who == 'client' else ()))
                stream = t.ws.dial(c.port)
                stream.sendall(b'some')
                far = target.next()
                t.is_(t.ws.read_exactly(far, 4), b'some', 'a tunnel')
                one, other = (s, c) if who == 'server' else (c, s)
                stop(one)
                t.is_((t.ws.read_all(stream)[1], t.ws.read_all(far)[1]),
                      ('reset', 'reset'), '%s of a %s: both are reset'
                      % (name, who))
                t.ok(other.has_line('event=closed .*end=peer-reset code=%d '
                                    'reason="%s"' % (code, reason.replace(
                                        '%s', who))),
                     'the other side says so')
                t.unlike(other.log, 'event=resumed', 'and does not resume')
                t.cleanup()


def test_stopped_status():
    """connect: 74 at once, long before --resume has run out."""
    for name, own, stop, code, _ in STOPS:
        target = t.Held()
        s = t.server(target.port, *own)
        c = t.connect('ws://127.0.0.1:%d/' % s.port)
        c.stdin.write(b'some')
        c.stdin.flush()
        far = target.next()
        t.is_(t.ws.read_exactly(far, 4), b'some', 'a tunnel')
        stop(s)
        t.is_(c.wait(), 74, '%s: connect ends with 74' % name)
        t.cleanup()


def test_stopping_plain():
    """A plain peer gets the Close alone."""
    for name, own, stop, code, _ in STOPS:
        target = t.Held()
        s = t.server(target.port, *own)
        w = t.ws.connect(s.port)
        w.send(b'some')
        t.is_(t.ws.read_exactly(target.next(), 4), b'some', 'a tunnel')
        stop(s)
        t.is_(w.take_close(), code, '%s: Close %d and no line' % (name, code))
        t.cleanup()


def test_stopped_plain():
    """A plain peer is told by Close 1001 alone, and has a client by it."""
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port)
    stream = t.ws.dial(c.port)
    w = server.next()
    w.send(b'part')
    w.close(1001)
    t.is_(t.ws.read_all(stream), (b'part', 'reset'),
          '1001 of a plain server is a reset')
    t.ok(c.has_line('end=peer-closed code=1001'), 'and said so')


t.main()
