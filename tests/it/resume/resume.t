#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""200 MB in both directions at once through nginx, whose connection is cut 50
times.

If it fails: bytes are lost or repeated when a websocket is lost.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402



@t.limit(120)
def test_200_mb_cut_50_times():
    # a reload takes a second, each
    cuts = [cutting.WAYS[i % 5] if i % 5 or i < 30 else cutting.WAYS[1]
            for i in range(50)]
    cutting.storm(200 << 20, cuts)


@t.limit(120)
def test_through_tls():
    """Each redial is a handshake too, and verifies."""
    cutting.storm(30 << 20, 2 * cutting.WAYS, t.certificate())


t.main()
