#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Gigabytes both ways through hundreds of cuts.  INETWS_SEED replays one.

If it fails: rare orders of events lose bytes.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import random           # noqa: E402


@t.limit(1800)
def test_2_gb_cut_400_times():
    seed = int(os.environ.get('INETWS_SEED') or random.randrange(1 << 30))
    t.diag('INETWS_SEED=%d' % seed)
    r = random.Random(seed)
    cutting.storm(2 << 30, r.choices(cutting.WAYS, (1, 6, 6, 6, 2), k=400))


t.main()
