#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Gigabytes both ways through hundreds of cuts (INETWS_SEED replays one), and
an idle tunnel behind a proxy that ends idle websockets.

If it fails: rare orders of events lose bytes; an idle tunnel is resumed for
ever.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import random           # noqa: E402
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


t.main()
