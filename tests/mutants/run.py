#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Do the tests notice a change of the program?

    run.py --build FOLDER [OPTION...] -- COMPILER FLAG... -- LINKER FLAG...
           -- LIBRARY... -- LIBRARY OF TLS...

    --seed N        which changes are tried (1)
    --count K       how many of each file (8)
    --room ROOM     files of this folder of src/; may be repeated
    --files N       so many of each, which also follow from the seed (all)
    --file FILE     this file; may be repeated
    --function NAME only in this function
    --unit          unit tests only
    --test FILE     only this test; may be repeated
    --one NAME      this change, as it is named where it was not noticed
    --list          only prints the changes that there are
    --check         only looks whether each line of `equivalent` has its place

Without --room and --file: the pure folders.  A change that does not compile, or
compiles to the same code, does not count.  What is in `equivalent` is not tried.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import glob
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.append(os.path.join(HERE, '..', 'lib'))
import changes          # noqa: E402
import mentions         # noqa: E402
import reasons          # noqa: E402
import related          # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
PURE = ('base', 'proto', 'ws', 'tunnel')
WANTED = {True: 95, False: 85}      # percent that are noticed, pure or not
TRIES = 6                           # for each change that counts
SCALE = float(os.environ.get('INETWS_TEST_SCALE', '1'))
SHIELD = ['unshare', '--mount', '--pid', '--fork', '--mount-proc',
          '--kill-child']

NO_LINK = 'does not link: '

State = collections.namedtuple('State', 'change how by detail')


def read_equivalent():
    """Keys of "file | function | old => new | reason"."""
    return {(path, function, *change.split(' => ', 1))
            for path, function, change in
            reasons.read(os.path.join(HERE, 'equivalent'), 3)}


def stale(equivalent):
    """Its lines that match nothing in the source."""
    there = set()
    for path in {key[0] for key in equivalent}:
        if os.path.exists(path):
            there |= {c.key for c in changes.Source(path).changes()}
    return ['%s | %s | %s => %s' % key for key in equivalent
            if key not in there]


class Builder:
    """Compiles, links and runs, in folders of its own."""

    def __init__(self, args, compiler, linker, libs, tls_libs):
        self.compiler, self.linker = compiler, linker
        self.libs, self.tls_libs = libs, tls_libs
        self.build, self.jobs = args.build, args.jobs
        self.unit_only, self.only = args.unit, args.test
        self.sanitized = any('-fsanitize' in f for f in compiler)
        self.folders = queue.Queue()
        for i in range(args.jobs):
            folder = os.path.abspath('%s/mutants/%d' % (args.build, i))
            os.makedirs(folder, exist_ok=True)
            self.folders.put(folder)
        self.lock = threading.Lock()
        self.seconds = {}       # of each test that passes unchanged
        self.symbols = {}       # of each unit test
        self.owned = {}         # of its own object
        self.mentions = mentions.Mentions()

    def object(self, path):
        return '%s/%s.o' % (self.build, path[:-2])

    def defined(self, path):
        out = subprocess.run(['nm', '-g', '--defined-only', path],
                             capture_output=True, text=True, check=True).stdout
        return {line.split()[-1] for line in out.splitlines() if line}

    def link(self, folder, test, objects):
        """The commands that make a unit test, or the program (None)."""
        path = os.path.join(folder, 'inetws' if test is None else 'unit.t')
        main = self.build + '/src/modes/main.o' if test is None else \
            self.object(test)
        first = []
        if test is None:
            # It may be the one that is changed.
            main = [] if any(o.endswith('/main.o') for o in objects) else [main]
        elif objects and self.own(test) & (self.defined(objects[0])):
            # It includes the file that is changed.
            main = [os.path.join(folder, 'test.o')]
            first = [[*self.compile_with(folder), '-w', '-c', '-o', main[0],
                      test]]
            objects = []
        else:
            main = [main]
        tls = test is not None and re.match('tests/unit/(tls/|.*/tls_)', test)
        return path, [*first, [*self.linker, '-o', path, *main, *objects,
                               self.build + '/lib.a', *self.libs,
                               *(self.tls_libs if tls else [])]]

    def own(self, test):
        """What a unit test itself defines."""
        if test not in self.owned:
            self.owned[test] = self.defined(self.object(test)) - {'main'}
        return self.owned[test]

    def compile_with(self, folder):
        """The compiler, for a test that includes the changed file."""
        return [self.compiler[0], '-I' + folder + '/src', '-Itests/unit',
                *self.compiler[1:]]

    def step(self, folder, test, objects):
        limit = self.seconds.get(test)
        step = {'name': test, 'early': is_integration(test),
                'sanitized': self.sanitized,
                'limit': SCALE * (300 if limit is None else
                                  20 + 10 * limit)}
        if step['early']:
            step['run'] = [sys.executable, test]
            step['env'] = {'INETWS': folder + '/inetws',
                           'PYTHONDONTWRITEBYTECODE': '1',
                           'INETWS_FAULTS_LIB': os.path.abspath(
                               self.build + '/tests/faults')}
        else:
            path, step['link'] = self.link(folder, test, objects)
            step['run'] = [path]
            step['env'] = related.ENVIRONMENT.get(test, {})
        return step

    def run(self, folder, tests, objects, everything):
        """What apart.py says of each test until one has noticed."""
        if any(map(is_integration, tests)):
            _, link = self.link(folder, None, objects)
            done = subprocess.run(link[0], capture_output=True, text=True)
            if done.returncode != 0:
                return [{'name': 'the program', 'how': NO_LINK +
                         done.stderr[-500:], 'seconds': 0}]
        job = os.path.join(folder, 'job.json')
        with open(job, 'w', encoding='utf-8') as f:
            json.dump({'folder': folder, 'all': everything, 'steps': [
                self.step(folder, t, objects) for t in tests]}, f)
        done = subprocess.run(
            [*SHIELD, sys.executable, os.path.join(HERE, 'apart.py'), job],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            preexec_fn=end_with_us)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        # It may have been ended by what it looked at.
        if done.returncode != 0 and (not said or said[-1]['how'] is None):
            if done.stderr.strip():
                raise RuntimeError(done.stderr)
            said.append({'name': tests[min(len(said), len(tests) - 1)],
                         'how': 'ended all processes', 'seconds': 0})
        return said

    def wanted(self, path):
        """Those that look at a file, by its name and by what they link."""
        # Each test has a main() of its own.
        mine = self.defined(self.object(path)) - {'main'}
        units = []
        for test in related.unit(path, sorted(glob.glob('tests/unit/*/*.c'))):
            if test not in self.symbols:
                with self.folder() as folder:
                    out, link = self.link(folder, test, [])
                    subprocess.run(link[0], check=True)
                    self.symbols[test] = self.defined(out)
            if mine & self.symbols[test]:
                units.append(test)
        more = [] if self.unit_only else related.integration(path)
        return units + more + (self.mentions.of(path, more) if more else [])

    def tests(self, path):
        """Those that look at a file.  Unit tests pass while it is unchanged."""
        wanted = self.only or self.wanted(path)
        with self.folder() as folder:
            self.try_unchanged([t for t in wanted if not is_integration(t)],
                               folder)
        able = [t for t in wanted if self.seconds.get(t, 0) is not None]
        # Its own test is first; what takes long is last.
        return able[:1] + sorted(able[1:], key=lambda t: (
            is_integration(t), 0 if is_integration(t) else self.seconds[t]))

    def try_unchanged(self, tests, folder):
        """Each of them once, with the program as it is."""
        missing = [t for t in tests if t not in self.seconds]
        for said in self.run(folder, missing, [], True) if missing else ():
            self.seconds[said['name']] = said['seconds']
            if said['how'] is not None:
                self.seconds[said['name']] = None
                print('# without a change, too: %s: %s' % (
                    said['name'], said['how']), flush=True)

    def notices(self, folder, tests, objects):
        """(test, how) of the first that notices, or None.  Most integration
        tests never fail: whether one passes unchanged is asked only then."""
        while tests:
            said = self.run(folder, tests, objects, False)[-1]
            if said['how'] is None:
                return None
            if said['name'] not in tests:
                return said['name'], said['how']
            self.try_unchanged([said['name']], folder)
            if self.seconds[said['name']] is not None:
                return said['name'], said['how']
            tests = tests[tests.index(said['name']) + 1:]
        return None

    def folder(self):
        return Folder(self.folders)

    def compile(self, folder, path, text):
        """An object, or None if this is no C."""
        source = os.path.join(folder, path)
        out = os.path.join(folder, os.path.basename(path)[:-2] + '.o')
        shutil.rmtree(os.path.join(folder, 'src'), ignore_errors=True)
        os.makedirs(os.path.dirname(source))
        with open(source, 'w', encoding='utf-8') as f:
            f.write(text)
        done = subprocess.run(
            [*self.compiler, '-w', '-Werror=int-conversion',
             '-Werror=incompatible-pointer-types',
             '-ffile-prefix-map=%s=.' % folder, '-I' + os.path.dirname(path),
             '-c', '-o', out, source], capture_output=True)
        return out if done.returncode == 0 else None

    def code(self, path):
        with open(path, 'rb') as f:
            return f.read()

    def original(self, path):
        with self.folder() as folder, open(path, encoding='utf-8') as f:
            return self.code(self.compile(folder, path, f.read()))

    def try_change(self, change, tests, original):
        with self.folder() as folder:
            out = self.compile(folder, change.source.path, change.apply())
            if out is None:
                return State(change, 'not C', None, None)
            if self.code(out) == original:
                return State(change, 'same code', None, None)
            said = self.notices(folder, tests, [out])
            if said is None:
                return State(change, 'not noticed', None, None)
            if said[1].startswith(NO_LINK):
                return State(change, 'not C', *said)
            return State(change, 'noticed', *said)


def is_integration(test):
    return test.startswith('tests/it/')


def end_with_us():
    """PR_SET_PDEATHSIG, SIGKILL: unshare(1) ends with us, and all with it."""
    ctypes.CDLL(None).prctl(1, 9)


class Folder:
    def __init__(self, folders):
        self.folders = folders

    def __enter__(self):
        self.path = self.folders.get()
        return self.path

    def __exit__(self, *_):
        self.folders.put(self.path)


def sampled(path, args):
    """The changes of a file in the order in which they are tried."""
    found = [c for c in changes.Source(path).changes()
             if args.function in (None, c.function)]
    if args.one:
        return [c for c in found if c.name == args.one]
    random.Random('%d %s' % (args.seed, path)).shuffle(found)
    return found


def try_file(path, args, builder, equivalent, pool):
    """The states of its changes; those not noticed are printed."""
    found = sampled(path, args)
    tests = builder.tests(path)
    original = builder.original(path)
    states, counted = [], 0
    found = found[:TRIES * args.count]
    while found and counted < args.count:
        some, found = (found[:args.count - counted],
                       found[args.count - counted:])
        known = [c for c in some if c.key in equivalent and not args.one]
        states += [State(c, 'equivalent', None, None) for c in known]
        for state in pool.map(
                lambda c: builder.try_change(c, tests, original),
                [c for c in some if c not in known]):
            states.append(state)
            counted += state.how in ('noticed', 'not noticed')
            if state.how == 'not noticed':
                tell(state.change)
            elif args.verbose or args.one:
                print('%s: %s %s %s' % (state.change.name, state.how,
                                        state.by or '', state.detail or ''),
                      flush=True)
    count = collections.Counter(s.how for s in states)
    print('%-34s %3d changes: %3d noticed, %d not; %d equivalent, %d the '
          'same code, %d not C; %d tests' % (
              path, counted, count['noticed'], count['not noticed'],
              count['equivalent'], count['same code'], count['not C'],
              len(tests)), flush=True)
    return count


def tell(change):
    print('NOT NOTICED in %s:%d, %s()\n  - %s\n  + %s\n'
          "  again: make mutants MUTANTS='--one %s'" % (
              change.source.path, change.line, change.function, change.old,
              change.new, change.name), flush=True)


def total(name, counts, pure):
    noticed = sum(c['noticed'] for c in counts)
    tried = noticed + sum(c['not noticed'] for c in counts)
    if tried == 0:
        return True
    percent = 100 * noticed / tried
    print('%s: %d files, %d changes, %d noticed (%.1f %%), %d equivalent and '
          '%d the same code besides' % (
              name, len(counts), tried, noticed, percent,
              sum(c['equivalent'] for c in counts),
              sum(c['same code'] for c in counts)), flush=True)
    return percent >= WANTED[pure]


def split(words):
    parts = [[]]
    for word in words:
        if word == '--':
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def arguments(words):
    p = argparse.ArgumentParser()
    p.add_argument('--build')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--count', type=int, default=8)
    p.add_argument('--room', action='append', default=[])
    p.add_argument('--files', type=int)
    p.add_argument('--file', action='append', default=[])
    p.add_argument('--function')
    p.add_argument('--one')
    p.add_argument('--unit', action='store_true')
    p.add_argument('--test', action='append', default=[])
    p.add_argument('--list', action='store_true')
    p.add_argument('--check', action='store_true')
    p.add_argument('--verbose', '-v', action='store_true')
    args = p.parse_args(words)
    if args.one:
        args.file, args.count = [args.one.split(':')[0]], 1
    rooms = args.room or ([] if args.file else PURE)
    args.files = args.file + [f for r in rooms for f in files_of(r, args)]
    return args


def files_of(room, args):
    found = sorted(glob.glob('src/%s/**/*.c' % room, recursive=True))
    if args.files is None or args.files >= len(found):
        return found
    return sorted(random.Random('%d %s' % (args.seed, room)).sample(
        found, args.files))


def main():
    os.chdir(ROOT)
    own, *parts = split(sys.argv[1:])
    args = arguments(own)
    equivalent = read_equivalent()
    old = stale(equivalent)
    for line in old:
        print('equivalent, but not in the source: ' + line)
    if args.check:
        return bool(old)
    if args.list:
        for path in args.files:
            for c in changes.Source(path).changes():
                print('%s %s(): %s => %s%s' % (
                    c.name, c.function, c.old, c.new,
                    ' (equivalent)' if c.key in equivalent else ''))
        return False
    if subprocess.run([*SHIELD, 'true']).returncode != 0:
        sys.exit('changed programs run in namespaces of their own '
                 '(unshare(1)), which needs root')
    builder = Builder(args, *parts)
    print('# seed %d, %d changes of each file' % (args.seed, args.count))
    counts = collections.defaultdict(list)
    # Those of other systems are not built here.
    paths = [p for p in args.files if os.path.exists(builder.object(p))]
    # Files wait for changes: each has its own threads.
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as files, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path, count in zip(paths, files.map(
                lambda p: try_file(p, args, builder, equivalent, pool),
                paths)):
            counts[related.room(path)].append(count)
    good = not old
    for room in counts:
        good &= total(room, counts[room], room in PURE)
    for pure in (True, False):
        rooms = [r for r in counts if (r in PURE) == pure]
        if len(rooms) > 1:
            total('pure folders' if pure else 'others',
                  [c for r in rooms for c in counts[r]], pure)
    return not good


if __name__ == '__main__':
    sys.exit(main())
