# SPDX-License-Identifier: ISC
"""What benchmarks ask for at least: loose limits for a busy machine (--smoke),
and floors that were recorded on a quiet one (--floors, floors.json)."""

import datetime
import json
import os
import statistics

import machine
import report

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'floors.json')

# What --smoke asks of inetws --resume 0 as a multiple of socat ×2, more being
# better.  A relay gone wrong is off by far more, each time; a busy machine now and
# then.
SMOKE = {'up1': 0.4, 'down1': 0.5, 'rtt1': 0.33, 'rate1': 0.4}

TO = 'socat2'
OURS = ('inetws', 'inetws0')
MEASURES = ('up1', 'down1', 'rtt1', 'rate1', 'rate32')
ROUNDS = {'check': 2, 'record': 9}
TRIES, SMOKE_TRIES = 2, 8


def ratios(results, measure, who):
    """Of each round, as a multiple of TO's; more is better."""
    ours, theirs = (results.get(measure, {}).get(name, [])
                    for name in (who, TO))
    pairs = [(report.value(measure, [a]), report.value(measure, [b]))
             for a, b in zip(ours, theirs)]
    return [b / a if report.less_is_better(measure) else a / b
            for a, b in pairs]


def load():
    with open(FILE, encoding='utf-8') as f:
        return json.load(f)


def lowest(args):
    """{(measure, contender): (floor, noise)}; None: not recorded."""
    if args.smoke:
        return {(m, 'inetws0'): (limit, 0) for m, limit in SMOKE.items()}
    known = load()['floors']
    return {(m, who): (known[m + ' ' + who]['ratio'],
                       known[m + ' ' + who]['noise'])
            for m in MEASURES for who in OURS}


def measure(bench, people, wanted):
    """The ratios of [(measure, contender)]; None: a contender is missing, or
    bytes differed."""
    names = {who for _, who in wanted} | {TO}
    bench.results = {}
    bench.run_set('plain', list(dict.fromkeys(m for m, _ in wanted)),
                  [w for w in people if w.name in names])
    if bench.absent or bench.wrong:
        return None
    return {key: ratios(bench.results['plain'], *key) for key in wanted}


def passes(key, got, floor, noise):
    if floor is None:
        print('%s %s: %s × socat ×2, no floor is recorded' % (
            *key, '%.2f' % statistics.median(got) if got else 'no figure'))
        return True
    if not got:
        print('%s %s: no figure' % key)
        return False
    now = statistics.median(got)
    good = now >= floor - noise
    print('%s %s: %.2f × socat ×2, floor %.2f, noise %.2f: %s' % (
        *key, now, floor, noise, 'ok' if good else 'too slow'))
    return good


def check(args, bench, people):
    """0, or 1 where a ratio is below its floor in each try."""
    limits = lowest(args)
    left = list(limits)
    for _ in range(SMOKE_TRIES if args.smoke else TRIES):
        got = measure(bench, people, left)
        if bench.absent.get(TO, '').endswith('not installed'):
            print('skipped: socat is not installed')
            return 0
        if got is None:
            print('failed: %s' % (bench.absent or bench.wrong))
            return 1
        left = [key for key in left
                if not passes(key, got[key], *limits[key])]
        if not left:
            return 0
    return 1


def record(bench, people):
    got = measure(bench, people, [(m, who) for m in MEASURES for who in OURS])
    if got is None or not all(got.values()):
        print('failed: %s' % (bench.absent or bench.wrong or 'no figures'))
        return 1
    data = {'recorded': datetime.date.today().isoformat(),
            'machine': machine.describe(), 'floors': {
                '%s %s' % key: {
                    'ratio': round(statistics.median(each), 3),
                    'noise': round(max(abs(r - statistics.median(each))
                                       for r in each), 3)}
                for key, each in got.items()}}
    with open(FILE, 'w', encoding='utf-8') as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write('\n')
    print('recorded in ' + FILE)
    return 0


def run(args, bench, people):
    if args.smoke:
        return check(args, bench, people)
    args.rounds = ROUNDS[args.floors] if args.rounds == 1 else args.rounds
    if args.floors == 'record':
        return record(bench, people)
    return check(args, bench, people)
