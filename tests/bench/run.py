#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Compare inetws with other forwarders on this machine; see README.md."""

import argparse
import datetime
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import contenders
import floors
import machine
import report

# A proxy of the user's environment is not used.
for _name in list(os.environ):
    if _name.lower().endswith('_proxy'):
        del os.environ[_name]

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))

# name: (subcommand of load, its options)
MEASURES = {
    'up1': ('bulk', ['--streams', '1']),
    'down1': ('bulk', ['--streams', '1', '--down']),
    'up16': ('bulk', ['--streams', '16']),
    'down16': ('bulk', ['--streams', '16', '--down']),
    'up64': ('bulk', ['--streams', '64']),
    'down64': ('bulk', ['--streams', '64', '--down']),
    'rtt1': ('rtt', ['--connections', '1']),
    'rtt64': ('rtt', ['--connections', '64']),
    'rate1': ('rate', ['--at-once', '1']),
    'rate32': ('rate', ['--at-once', '32']),
    'idle200': ('idle', ['--connections', '200']),
    'idle500': ('idle', ['--connections', '500']),
    'idle2000': ('idle', ['--connections', '2000']),
}

# set: (measures, measures with --quick)
SETS = {
    'plain': (['up1', 'down1', 'up16', 'down16', 'up64', 'down64', 'rtt1',
               'rtt64', 'rate1', 'rate32', 'idle500', 'idle2000'],
              ['up1', 'down1', 'down16', 'rtt1', 'rtt64', 'rate1', 'rate32',
               'idle200']),
    'nginx': (['up1', 'down1', 'rtt1', 'rate1'], ['up1', 'down1']),
    'tls': (['up1', 'down1', 'rtt1', 'rate1', 'rate32', 'idle500'],
            ['up1', 'down1', 'rate1']),
    'inetd': (['rate1', 'rate32'], ['rate1']),
}

QUICK = ['direct', 'socat2', 'nginx2', 'inetws', 'inetws0', 'nginx1',
         'inetws0-nginx', 'stunnel2', 'inetws-tls', 'trivial-inetd',
         'inetws-inetd']

LOAD_LIMIT = 40         # seconds that one run of load may take
EXIT_BYTES = 3          # load: bytes differ


class Bench:
    def __init__(self, args):
        self.args = args
        self.network = machine.isolate()
        self.ports = machine.Ports('of its own' in self.network)
        self.accounts = machine.Accounts()
        self.load = os.path.join(args.tools, 'load')
        self.folder = tempfile.TemporaryDirectory(prefix='inetws-bench-')
        self.log = open(os.path.join(self.folder.name, 'log'), 'w+')
        # Statistics pages are in memory, as in /run of an installed system,
        # and removed afterwards.
        self.pages = tempfile.TemporaryDirectory(
            prefix='inetws-bench-', dir='/dev/shm' if
            os.access('/dev/shm', os.W_OK) else None)
        os.environ['RUNTIME_DIRECTORY'] = self.pages.name
        self.target = None
        self.running = {}       # name: (Group, port)
        self.results = {}       # set: measure: contender: [round]
        self.absent = {}        # contender: why
        self.failed = {}        # contender and measure: why
        self.wrong = []         # of these, where bytes differed

    # -------------------------------------------------- processes

    def start_target(self):
        self.target = subprocess.Popen([self.load, 'target'],
                                       stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        words = self.target.stdout.readline().split()
        if len(words) != 2:
            sys.exit('bench: the target does not start')
        self.target_port = int(words[1])

    def start(self, who):
        """False, and why in absent, when it cannot be had."""
        group = self.accounts.group(who.name.replace('+', '-'))
        folder = os.path.join(self.folder.name, who.name)
        os.makedirs(folder, exist_ok=True)
        stage = contenders.Stage(group, self.ports, self.target_port, folder,
                                 TOP, self.args.tools, self.log)
        self.running[who.name] = (group, None)
        self.log.write('--- %s\n' % who.name)
        self.log.flush()
        begin = self.log.tell()
        try:
            self.running[who.name] = (group, who.start(stage))
            return True
        except (contenders.Missing, OSError, RuntimeError,
                subprocess.SubprocessError) as e:
            self.stop(who)
            complaint = self.log_since(begin)
            self.absent[who.name] = str(e) + (
                ': ' + complaint if complaint else '')
            say('%s: %s' % (who.name, self.absent[who.name]))
            return False

    def log_since(self, begin):
        """The first line of a contender's complaint."""
        self.log.seek(begin)
        line = self.log.readline().strip()
        self.log.seek(0, os.SEEK_END)
        return line

    def stop(self, who):
        group, _ = self.running.pop(who.name)
        group.stop()

    def end(self):
        for group, _ in list(self.running.values()):
            group.stop()
        if self.target is not None:
            self.target.stdin.close()
            self.target.wait(5)
        self.log.close()
        self.folder.cleanup()
        self.pages.cleanup()

    # -------------------------------------------------- one run

    def one(self, who, measure):
        """The result of load for one run, with cpu added; None if it failed."""
        group, port = self.running[who.name]
        kind, options = MEASURES[measure]
        argv = [self.load, kind, '--port', str(port), '--sync', '--limit',
                str(LOAD_LIMIT), '--seconds', str(self.args.seconds), *options]
        if who.ws:
            argv.append('--ws')
        base = group.steady_memory() if kind == 'idle' else 0
        load = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        try:
            return self.exchange(load, group, kind, base)
        except (BrokenPipeError, ValueError):
            load.wait(LOAD_LIMIT)
            if load.returncode == EXIT_BYTES:
                self.wrong.append('%s %s' % (who.name, measure))
            why = load.stderr.read().strip().removeprefix('load: ')
            self.failed['%s %s' % (who.name, measure)] = why
            say('%s %s failed: %s' % (who.name, measure, why))
            return None
        finally:
            if load.poll() is None:
                load.kill()
            load.wait()
            load.stdout.close()
            load.stderr.close()

    def exchange(self, load, group, kind, base):
        if load.stdout.readline() != 'ready\n':
            raise ValueError('not ready')
        memory = group.steady_memory() if kind == 'idle' else 0
        cpu = group.cpu()
        load.stdin.write('\n')
        load.stdin.flush()
        got = json.loads(load.stdout.readline() or 'null')
        if got is None:
            raise ValueError('no result')
        got['cpu'] = group.cpu() - cpu
        if kind == 'idle':
            got['kib'] = (memory - base) / got['connections'] / 1024
        load.stdin.close()
        load.wait(LOAD_LIMIT)
        return got

    # -------------------------------------------------- a whole set

    def run_set(self, name, measures, people):
        results = self.results.setdefault(name, {})
        for measure in measures:
            if MEASURES[measure][0] != 'idle':
                self.rounds(results, name, measure, people)
        for measure in measures:
            if MEASURES[measure][0] == 'idle' and \
                    self.accounts.roots is not None:
                self.idle(results, name, measure, people)

    def rounds(self, results, name, measure, people):
        """
        Each in turn, each round beginning with another.  All are
        started anew each time: where the system puts the pieces of a program
        is drawn at its start, and what a fork of it costs depends on that.
        """
        into = results.setdefault(measure, {})
        for k in range(self.args.rounds):
            at = k % len(people) if people else 0
            for who in people[at:] + people[:at]:
                if who.name in self.absent or not self.start(who):
                    continue
                try:
                    got = self.one(who, measure)
                finally:
                    self.stop(who)
                if got is not None:
                    into.setdefault(who.name, []).append(got)
        say('%s %s' % (name, measure))

    def idle(self, results, name, measure, people):
        """Once, each freshly started and by itself."""
        into = results.setdefault(measure, {})
        count = int(MEASURES[measure][1][1])
        for who in people:
            need = self.expected(results, who, count)
            if who.name == 'direct' or who.name in self.absent:
                continue
            if need > 0.6 * machine.available_memory():
                say('%s %s: left out, it would take %.0f GiB' %
                    (who.name, measure, need / 2**30))
                continue
            if not self.start(who):
                continue
            try:
                got = self.one(who, measure)
            finally:
                self.stop(who)
            if got is not None:
                into[who.name] = [got]
        say('%s %s' % (name, measure))

    def expected(self, results, who, count):
        """Bytes for so many tunnels, by what fewer of them took."""
        most = 0
        for measure, per in results.items():
            if measure.startswith('idle') and who.name in per:
                most = max(most, per[who.name][0]['kib'])
        return most * 1024 * count


def say(words):
    print('bench: ' + words, file=sys.stderr, flush=True)


# ------------------------------------------------------------ what to run

def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--quick', action='store_true',
                   help='one short round of the most telling measures')
    p.add_argument('--smoke', action='store_true',
                   help='a few seconds; fails if inetws is far too slow')
    p.add_argument('--floors', choices=('check', 'record'),
                   help='fail where a ratio is below its floor, or record '
                   'the floors (floors.json)')
    p.add_argument('--only', metavar='MEASURE,...',
                   help='these measures (up1, idle500 ...), sets (%s), or '
                   'both (tls.down1)' % ', '.join(SETS))
    p.add_argument('--contenders', metavar='NAME,...')
    p.add_argument('--rounds', type=int, metavar='N')
    p.add_argument('--seconds', type=float, metavar='S',
                   help='length of each run')
    p.add_argument('--variant', action='append', default=[],
                   metavar='NAME=BINARY [OPTION...]',
                   help='another inetws to compare; may be repeated')
    p.add_argument('--inetws', metavar='BINARY',
                   default=os.environ.get('INETWS',
                                          os.path.join(TOP, 'build/inetws')))
    p.add_argument('--tools', metavar='FOLDER',
                   default=os.path.join(TOP, 'build/tests/bench'),
                   help='where load and trivial have been built')
    p.add_argument('--out', metavar='FOLDER',
                   default=os.path.join(TOP, 'build/bench'),
                   help='for results.json, tables.md and chart.svg')
    p.add_argument('--readme', action='store_true',
                   help='put the figures into tests/bench/README.md')
    p.add_argument('--list', action='store_true',
                   help='name sets, measures and contenders')
    args = p.parse_args()
    short = args.quick or args.smoke or args.floors
    args.rounds = args.rounds or (1 if short else 3)
    args.seconds = args.seconds or (0.3 if short else 1.0)
    args.variants = [v.split('=', 1) for v in args.variant]
    if any(len(v) != 2 for v in args.variants):
        p.error('--variant NAME=BINARY [OPTION...]')
    return args


def plan(args, sets):
    """[(set, measures, contenders)]"""
    for name, (full, quick) in SETS.items():
        measures = quick if args.quick else full
        if args.only:
            wanted = args.only.split(',')
            known = full + [m for m in MEASURES if name == 'plain' and
                            m not in full]
            measures = [m for m in known if m in wanted or
                        '%s.%s' % (name, m) in wanted or
                        (name in wanted and m in measures)]
        people = sets[name]
        if args.contenders:
            people = [w for w in people
                      if w.name in args.contenders.split(',')]
        elif args.quick:
            variants = [v[0] for v in args.variants]
            people = [w for w in people if w.name in QUICK + variants]
        if measures and people:
            yield name, measures, people


def check_names(args, sets):
    known = set(MEASURES) | set(SETS) | {
        '%s.%s' % (s, m) for s in SETS for m in MEASURES}
    people = {w.name for s in sets.values() for w in s}
    for given, names in ((args.only, known), (args.contenders, people)):
        for word in given.split(',') if given else []:
            if word not in names:
                sys.exit('bench: %s: no such thing; --list names them' % word)


def list_all(sets):
    for name, (full, quick) in SETS.items():
        print('%s: %s' % (name, ' '.join(full)))
        for who in sets[name]:
            print('    %-20s %s' % (who.name, who.what))


# ------------------------------------------------------------------- main

def command():
    """What to type for the same again."""
    words = sys.argv[1:]
    for option in '--tools', '--out':
        while option in words:
            at = words.index(option)
            del words[at:at + 2]
    words = ' '.join(shlex.quote(w) for w in words if w != '--readme')
    return 'make bench BENCH=' + shlex.quote(words) if words else 'make bench'


def facts(args, bench, took):
    return {
        'date': datetime.date.today().isoformat(),
        'command': command(),
        'machine': machine.describe(),
        'network': bench.network,
        'accounting': bench.accounts.how,
        'rounds': args.rounds,
        'seconds': args.seconds,
        'took': round(took),
        'absent': bench.absent,
        'failed': bench.failed,
        'wrong': bench.wrong,
    }


def main():
    args = parse()
    sets = contenders.all_sets(args.inetws, args.variants)
    check_names(args, sets)
    if args.list:
        list_all(sets)
        return 0
    if not os.access(os.path.join(args.tools, 'load'), os.X_OK):
        sys.exit('bench: %s/load has not been built; "make bench" does' %
                 args.tools)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine.more_files()
    if args.smoke or args.floors:
        bench = Bench(args)
        try:
            bench.start_target()
            return floors.run(args, bench, sets['plain'])
        finally:
            bench.end()
    if not machine.find('gnuplot'):
        report.install_gnuplot(say)
    begun = time.monotonic()
    bench = Bench(args)
    try:
        bench.start_target()
        for name, measures, people in plan(args, sets):
            bench.run_set(name, measures, people)
        known = facts(args, bench, time.monotonic() - begun)
    finally:
        bench.end()
    report.write_all(args, known, bench.results, sets,
                     os.path.join(HERE, 'README.md') if args.readme else None)
    return 1 if bench.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
