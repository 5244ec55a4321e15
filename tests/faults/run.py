#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Thousands of tunnels under faults (make check-faults).

    run.py                      seeds 1 to 100
    run.py --seeds 500-1000
    run.py --seed 17 -v         one again, with logs and the faults it met
    run.py --rate lack=0.01 --rate read.gone=0
"""

import argparse
import collections
import os
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
import inetws as t      # noqa: E402
import plan             # noqa: E402
import proc             # noqa: E402
import rounds           # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--seeds', default='1-100')
    p.add_argument('--seed', type=int)
    p.add_argument('--seconds', type=float, help='begin no round later')
    p.add_argument('--tunnels', type=int, default=12, help='in a round')
    p.add_argument('--rate', action='append', default=[])
    p.add_argument('--way', choices=sorted(set(rounds.WAYS)))
    p.add_argument('--profile', choices=sorted(rounds.PROFILES))
    p.add_argument('-v', action='store_true')
    return p.parse_args()


def command(seed, a):
    words = ['python3 tests/faults/run.py --seed %d' % seed]
    words += ['--tunnels %d' % a.tunnels] if a.tunnels != 12 else []
    words += ['--way %s' % a.way] if a.way else []
    words += ['--profile %s' % a.profile] if a.profile else []
    return ' '.join(words + ['--rate %s' % r for r in a.rate] + ['-v'])


def show(r, everything):
    for line in r.plan.tell():
        print('    ' + line)
    print('    ' + ', '.join('%s %d' % i for i in
                             sorted(r.plan.done().items())))
    for p in proc._programs:
        print('--- %s (pid %d, %s)' % (' '.join(p.argv[1:])[:150], p.pid,
                                       p.popen.poll()))
        for line in p.lines[-400 if everything else -30:]:
            print('    ' + line[:300])


def main():
    a = arguments()
    why = plan.lacking()
    if why:
        sys.exit(why)
    first, _, last = a.seeds.partition('-')
    seeds = [a.seed] if a.seed is not None else \
        range(int(first), int(last or first) + 1)
    rates = [(k, float(v)) for k, _, v in (x.partition('=') for x in a.rate)]
    total = collections.Counter()
    begin = time.monotonic()
    for seed in seeds:
        if a.seconds and time.monotonic() > begin + a.seconds:
            break
        r = rounds.Round(seed, a.tunnels, rates, way=a.way,
                         profile=a.profile)
        wrong = None
        try:
            r.run_all()
        except rounds.Wrong as e:
            wrong = str(e)
        except Exception as e:
            wrong = '%s: %s' % (type(e).__name__, e)
            if a.v:
                import traceback
                traceback.print_exc()
        total['rounds'] += 1
        total['refused to start'] += not r.tunnels and not wrong
        total['tunnels'] += len(r.tunnels)
        total['whole'] += sum(x.whole() for x in r.tunnels.values())
        total['faults'] += sum(r.plan.done().values())
        total['signals'] += r.sent_signals
        total['wrong'] += wrong is not None
        if wrong or a.v:
            print('seed %d: %s' % (seed, r.name()))
            print(wrong or 'nothing wrong')
            print(command(seed, a))
            show(r, a.v)
        sys.stdout.flush()
        t.cleanup()
    print(', '.join('%d %s' % (n, what) for what, n in total.items()) +
          ', %d s' % (time.monotonic() - begin))
    os._exit(1 if total['wrong'] else 0)


main()
