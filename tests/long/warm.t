#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""client --warm and a server that does not let websockets park: it is asked
again after ten minutes, and not before.

If it fails: a client asks a server again and again, or never uses --warm
again.
"""

import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

WAIT = 600


@t.limit(2 * WAIT)
def test_asked_again():
    port = t.free_port()
    ws = t.WSServer(port=port)
    c = t.client('ws://127.0.0.1:%d/' % port, '--warm', '1')
    t.is_(ws.next().read_frame().opcode, 8, 'a websocket may not wait')
    c.wait_line('event=not-parked')
    begin = time.monotonic()
    ws.close()
    s = t.server(t.echo().port, listen='127.0.0.1:%d' % port)
    t.ok(c.wait_line('event=parked', WAIT + 5 * t.BOUND),
         'later another one is there')
    took = time.monotonic() - begin
    t.ok(WAIT - 5 <= took, 'it was asked after %d s' % took)
    t.ok(r.parked(s), 'and the websocket waits')


t.main()
