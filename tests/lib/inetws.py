# SPDX-License-Identifier: ISC
"""The test library: `import inetws as t`, then t.ok, t.server and so on.

    tap      results, cases, skips                  t.ok(...), t.main()
    proc     starting and ending programs           t.server(port, '--text')
    ws       a websocket peer, frame by frame       t.ws.connect(port)
    peers    targets, a websocket server, a proxy
             that fails on command                  t.echo(), t.Proxy(port)
    observe  status and metrics                     t.one(), t.http(port, '/')
    daemons  nginx, sshd                            t.nginx(port, cert)
    forward_proxies  tinyproxy, squid and others    t.tinyproxy(user)
    ca       certificates                           t.certificate()
    memory   searching the memory of a process      t.search(pid, {...})

Other modules of this folder are imported by the tests that need them; the
table in tests/README.md has all of them.  The program under test is $INETWS,
or build/inetws.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from tap import *           # noqa: E402,F401,F403
from tap import LONG, SCALE, Skip  # noqa: E402,F401
from proc import *          # noqa: E402,F401,F403
from peers import *         # noqa: E402,F401,F403
from ca import *             # noqa: E402,F401,F403
from memory import *         # noqa: E402,F401,F403
from daemons import *       # noqa: E402,F401,F403
from observe import *       # noqa: E402,F401,F403
from forward_proxies import * # noqa: E402,F401,F403
import ws                   # noqa: E402,F401

if not os.access(INETWS, os.X_OK) and not os.environ.get('INETWS_NO_BINARY'):
    skip_all('%s is not built' % INETWS)
