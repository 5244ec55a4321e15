# SPDX-License-Identifier: ISC
"""The Test Anything Protocol, and the loop that runs a test program's cases.

A test program defines functions named test_* (cases), and ends with t.main().
If a case raises an exception, it has failed, and the next case runs.  What a
case has started is ended after it.  An alarm limits its time to 60 s, or to
that of @t.limit.  Words on the command line choose the cases whose names have
one of them.
"""

import os
import re
import signal
import sys
import threading
import time
import traceback

_lock = threading.RLock()
_count = 0
_failed = 0
_told = 0           # failures that have been explained
_name = ''          # of the case
_cleaners = []      # called after every case
_tellers = []       # called after a case that has failed, before the cleaners

# Every time limit is multiplied by this, for sanitizers and busy machines.
SCALE = float(os.environ.get('INETWS_TEST_SCALE', '1'))

# `make check-long`: some cases do the same much more often.
LONG = 'INETWS_LONG' in os.environ


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why."""


def ok(good, name):
    """Prints a result; returns whether it is good."""
    global _count, _failed
    with _lock:
        _count += 1
        if not good:
            _failed += 1
        print('%sok %d - %s' % ('' if good else 'not ', _count,
                                name.replace('#', '\\#')), flush=True)
    if not good:
        diag('%s: failed %d: %s' % (sys.argv[0], _count, name))
    return bool(good)


def is_(got, want, name):
    """Are they equal?"""
    good = ok(got == want, name)
    if not good:
        diag('got  %s' % _short(got))
        diag('want %s' % _short(want))
    return good


def like(text, pattern, name):
    """Is the pattern found in the text?"""
    if isinstance(text, bytes):
        text = text.decode('latin-1')
    good = ok(re.search(pattern, text, re.M) is not None, name)
    if not good:
        diag('nothing like  %s' % pattern)
        diag('in            %s' % _short(text))
    return good


def unlike(text, pattern, name):
    """Is the pattern not found in the text?"""
    if isinstance(text, bytes):
        text = text.decode('latin-1')
    good = ok(re.search(pattern, text, re.M) is None, name)
    if not good:
        diag('unwanted      %s' % pattern)
        diag('in            %s' % _short(text))
    return good


def skip(why, count=1):
    """Prints results that are skipped.  To skip the whole case raise Skip."""
    global _count
    with _lock:
        for _ in range(count):
            _count += 1
            print('ok %d # SKIP %s' % (_count, why), flush=True)


def skip_all(why):
    print('1..0 # SKIP %s' % why, flush=True)
    sys.exit(0)


def diag(text):
    """Explains a failure, on standard error, which prove(1) shows."""
    with _lock:
        for line in str(text).splitlines() or ['']:
            print('# ' + line, file=sys.stderr, flush=True)


def limit(seconds):
    """Decorates a case that may take longer than a minute."""
    def set_limit(case):
        case.limit = seconds
        return case
    return set_limit


def on_cleanup(function):
    """Calls a function after every case."""
    _cleaners.append(function)


def on_failure(function):
    """Calls a function after every case that has failed, to explain it."""
    _tellers.append(function)


def done():
    """Cleans up, prints the plan, and ends the program."""
    _run(_cleaners)
    print('1..%d' % _count, flush=True)
    sys.stdout.flush()
    # Not sys.exit(): threads that block in a system call must not keep us.
    os._exit(1 if _failed or _count == 0 else 0)


def main():
    """Runs the caller's cases in the order in which they are defined."""
    caller = sys._getframe(1)
    cases = [(n, f) for n, f in caller.f_globals.items()
             if n.startswith('test_') and callable(f)]
    for name in twice(caller.f_code.co_filename):
        ok(False, '%s: two cases have this name, and one is not run' % name)
    words = sys.argv[1:]
    for name, case in cases:
        if words and not any(w in name for w in words):
            continue
        _case(name, case)
    done()


def twice(path):
    """The names that a file gives to more than one case."""
    with open(path, encoding='utf-8') as f:
        names = re.findall(r'(?m)^def (test_\w+)\(', f.read())
    return sorted({n for n in names if names.count(n) > 1})


def _case(name, case):
    global _name
    _name, begin = name, time.monotonic()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(int(getattr(case, 'limit', 60) * SCALE *
                     (20 if LONG else 1)) + 1)
    try:
        case()
    except Skip as e:
        skip('%s: %s' % (name, e))
    except Exception as e:
        first = traceback.format_exception_only(type(e), e)[0]
        ok(False, '%s ran to its end: %s' % (
            name, first.split('\n')[0][:300]))
        diag(traceback.format_exc())
    finally:
        signal.alarm(0)
        if 'INETWS_TEST_TIMES' in os.environ:
            print('# %.1f s in %s' % (time.monotonic() - begin, name))
        tell()
        _run(_cleaners)


def tell():
    """Explains the failures since the last call."""
    global _told
    if _failed > _told:
        _told = _failed
        diag('in case %s' % _name)
        _run(_tellers)


def _too_long(signum, frame):
    raise TimeoutError('the case took too long')


def _run(functions):
    for f in functions:
        try:
            f()
        except Exception:
            diag(traceback.format_exc())


def _short(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 1500 else text[:1500] + ' ... (%d)' % len(text)
