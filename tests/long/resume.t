#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Gigabytes both ways through hundreds of cuts (INETWS_SEED replays one), an
idle tunnel behind a proxy that ends idle websockets, and 800 tunnels whose
proxy is killed.

If it fails: rare orders of events lose bytes; an idle tunnel is resumed for
ever; the redials of many keep each other away.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import random           # noqa: E402
import signal           # noqa: E402
import subprocess       # noqa: E402
import time             # noqa: E402


@t.limit(1800)
def test_2_gb_cut_400_times():
    seed = int(os.environ.get('INETWS_SEED') or random.randrange(1 << 30))
    t.diag('INETWS_SEED=%d' % seed)
    r = random.Random(seed)
    cutting.storm(2 << 30, r.choices(cutting.WAYS, (1, 6, 6, 6, 2), k=400))


SITE = """
    server {
        listen 127.0.0.1:%d;
        location / {
            proxy_pass http://127.0.0.1:%d;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_read_timeout 3s;
            proxy_send_timeout 3s;
        }
    }
"""


@t.limit(120)
def test_idle_behind_nginx():
    """The websocket ends twice, then it is pinged in time."""
    s = t.server(t.echo().port)
    port = t.free_port()
    t.nginx_site(port, SITE % (port, s.port))
    url = 'ws://localhost:%d/' % port
    c, fixed = t.client(url), t.client(url, '--ping-interval', '25s')
    socks = [t.ws.dial(x.port) for x in (c, fixed)]

    def speak():
        for sock in socks:
            sock.sendall(b'x')
        return [t.ws.read_exactly(sock, 1) for sock in socks]
    t.is_(speak(), [b'x', b'x'], 'two tunnels')
    m = c.has_line(r'level=info event=ping-interval .*interval=2\.[0-9]+ '
                   r'idle=[23]\.[0-9]+', 30)
    t.ok(m, 'an idle websocket ends twice: it is pinged more often')
    mark = len(fixed.lines)
    lost = len([x for x in c.lines if 'websocket-lost' in x])
    time.sleep(10)
    t.is_(speak(), [b'x', b'x'], 'both go on')
    t.is_((lost, len([x for x in c.lines if 'websocket-lost' in x])), (2, 2),
          'and the websocket ends no more')
    t.is_(len([x for x in c.lines if 'ping-interval' in x]), 1, 'told once')
    t.like('\n'.join(fixed.lines[mark:]), 'websocket-lost',
           'but where the interval was given')
    t.unlike(fixed.log, 'event=ping-interval', 'which stays')


def answers(port):
    try:
        t.ws.dial(port).close()
        return True
    except OSError:
        return False


@t.limit(180)
def test_800_behind_nginx_killed():
    """It is away for five seconds, and all send meanwhile."""
    n = 800
    t.rundir()
    s = t.server(t.echo().port)
    proxy = t.nginx(s.port)
    c = t.client(proxy.url)
    socks = [t.ws.dial(c.port) for _ in range(n)]
    for v in socks:
        v.settimeout(4 * t.BOUND)

    def received(text):
        return sum(t.ws.read_exactly(v, len(text)) == text for v in socks)
    for v in socks:
        v.sendall(b'before')
    t.is_(received(b'before'), n, '%d tunnels' % n)
    for pid in t.children(proxy.pid) + [proxy.pid]:
        os.kill(pid, signal.SIGKILL)
    proxy.wait()
    for v in socks:
        v.sendall(b'after it')
    time.sleep(5)
    again = subprocess.Popen(proxy.argv)
    t.on_close(again.kill)
    while not answers(proxy.port):
        time.sleep(.005)
    began = time.monotonic()
    t.is_(received(b'after it'), n, 'killed and started again: no byte is lost')
    took = time.monotonic() - began
    t.ok(took < 4 * t.SCALE, 'all are back within 4 s') or \
        t.diag('after %.1f s' % took)
    i, = [i for i in t.status()['instances'] if i['pid'] == s.pid]
    t.is_((i['total'], i['resumes'], i['lost_now'], i['refused']),
          (n, n, 0, 0), 'one redial each reaches the server, and none is a '
          'new connection in its statistics')
    for v in socks:
        v.shutdown(1)
    t.ok(t.until(lambda: not t.family(s.pid), 4 * t.BOUND), 'all end well')


t.main()
