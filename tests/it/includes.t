#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The source tree: includes follow the table of rooms, every file names its
licence.

If it fails: (developers) the rooms of src/ lose their order.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

SRC = os.path.join(t.ROOT, 'src')

# The rooms, bottom to top, and whose headers each may include besides its own.
# src/README.md says what a room is for.
ALL = ('base proto ws tunnel os tls net config sandbox stats handshake '
       'connection supervisor modes').split()
ROOMS = {
    'base': [],
    'proto': ['base'],
    'ws': ['base', 'proto'],
    'tunnel': ['base', 'ws'],
    'os': ['base'],
    'tls': ['base', 'proto', 'os'],
    'net': ['base', 'proto', 'os', 'tls'],
    'config': ['base', 'proto', 'os', 'tls', 'net'],
    'sandbox': ['base', 'os', 'config'],
    'stats': ['base', 'os', 'tunnel'],
    'handshake': ['base', 'proto', 'ws', 'os', 'tls', 'net', 'config',
                  'stats'],
    'connection': ALL[:ALL.index('connection')],
    'supervisor': ['base', 'proto', 'os', 'net', 'config', 'sandbox', 'stats',
                   'connection'],
    'modes': ALL[:-1],
}
# Bytes in, values out: no sockets, files, clock, processes, memory, globals.
PURE = ('base', 'proto', 'ws', 'tunnel')
# Headers that one file, or a few of one purpose, alone may include.
ALONE = {r'(?:http_parser|llhttp)\.h': r'proto/http_split\.c',
         r'openssl/.*': r'tls/openssl\.h',
         r'tls/openssl\.h': r'tls/\w+\.[ch]'}
# Headers that the build makes, each for one file.
MADE = {'help_topics.h': 'config/topics.c', 'page_style.h': 'stats/html.c',
        'page_script.h': 'stats/html.c'}
NOT_PURE = (r'sys/socket\.h|sys/un\.h|netinet/|netdb\.h|poll\.h|'
            r'sys/epoll\.h|unistd\.h|fcntl\.h|time\.h|sys/time\.h|'
            r'signal\.h|pthread\.h|syslog\.h|sys/stat\.h|sys/wait\.h|'
            r'sys/mman\.h|openssl/|err\.h')
# What a file that includes one of these calls or names at least once.
SYSTEM = {
    'errno.h': r'errno|E[A-Z]{3,}',
    'fcntl.h': r'fcntl|open|openat|[OF]_[A-Z]+|AT_\w+|splice|tee|SPLICE_\w+',
    'inttypes.h': r'PRI[diuxX]\w+|strtoimax|strtoumax',
    'limits.h': r'[A-Z_]+_MAX|CHAR_BIT|INT_MIN|IOV_MAX|PIPE_BUF',
    'poll.h': r'pollfd|poll|ppoll|POLL[A-Z]+|nfds_t',
    'signal.h': r'kill|sig\w+|SIG\w+',
    'stdarg.h': r'va_\w+',
    'stdio.h': r'v?s?n?f?d?printf|FILE|f?put[cs]|std(?:out|err|in)|f\w+|'
               r'EOF|sscanf|rename|remove|get(?:line|delim)|open_memstream|'
               r'perror|BUFSIZ',
    'stdlib.h': r'[mc]alloc|re\w*alloc\w*|free|_?exit|getenv|secure_getenv|'
                r'qsort|bsearch|strto\w+|arc4random\w*|abort|mkstemp\w*|'
                r'mkdtemp|realpath|(?:un)?setenv|atexit|abs|strtonum|'
                r'getprogname|setprogname|EXIT_\w+|clearenv|mkostemp|system',
    'string.h': r'mem\w+|str\w+|explicit_bzero',
    'time.h': r'time|time_t|clock_\w+|(?:local|gm)time\w*|strftime|mktime|'
              r'timespec|nanosleep|timegm|CLOCK_\w+|tm|tzset',
}


def sources(root, *ends):
    for folder, dirs, files in os.walk(root):
        dirs[:] = sorted(d for d in dirs if not d.startswith('build')
                         and d not in ('.git', '__pycache__', 'corpus'))
        for name in sorted(files):
            if name.endswith(ends):
                yield os.path.join(folder, name)


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def code(text):
    """Without comments and the contents of strings; lines stay where they
    are."""
    text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m[0].count('\n'), text,
                  flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def includes(text):
    for number, line in enumerate(text.split('\n'), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if m:
            yield number, m[1], m[2]


FILES = {os.path.relpath(p, SRC): read(p) for p in sources(SRC, '.c', '.h')}


def room(name):
    return name.split('/')[0]


def test_directions():
    wrong, odd, alone, n = [], [], {k: set() for k in ALONE}, 0
    for name, text in FILES.items():
        if room(name) not in ROOMS:
            wrong.append('%s: an unknown folder' % name)
            continue
        for number, mark, what in includes(text):
            n += 1
            where = '%s:%d includes %s' % (name, number, what)
            if mark == '"' and MADE.get(what) != name:
                if '..' in what or room(what) not in [
                        room(name)] + ROOMS[room(name)]:
                    wrong.append(where)
            elif room(name) in PURE and re.fullmatch(
                    '(?:%s).*' % NOT_PURE, what):
                odd.append(where)
            for pattern in ALONE:
                if re.fullmatch(pattern, what):
                    alone[pattern].add(name)
    t.ok(n > 50, 'there are includes to read (%d)' % n)
    t.is_(wrong, [], 'every include is one that its room may have')
    t.is_(odd, [], 'pure rooms know nothing of the system')
    for pattern, files in alone.items():
        t.ok(all(re.fullmatch(ALONE[pattern], f) for f in files),
             '%s is included by %s alone: %s' % (pattern, ALONE[pattern],
                                                 sorted(files)))


# Folders whose files may ask for which system or library they are compiled.
ASKING = ('os/', 'net/', 'tls/', 'sandbox/')
ALLOWED = {
    # vectors that the C library knows of
    'ws/frame.c': r'__x86_64__|__has_include|sys|platform|x86|h|'
                  r'CPU_FEATURE_ACTIVE',
    # which of two parsers
    'proto/http_split.c': r'HTTP_PARSER_\w+',
    'tunnel/states.c': r'TUNNEL_CHECK',
}


def test_conditions():
    """Only few folders depend on the system; for the others os/compat makes
    all systems alike."""
    wrong = []
    for name, text in FILES.items():
        if name.startswith(ASKING):
            continue
        guard = re.sub(r'\W', '_', name).upper()
        text = code(text).replace('\\\n', ' ')
        for line in re.findall(r'^\s*#\s*(?:if|elif)\w*\s.*', text, re.M):
            asked = re.findall(r'\b(?!if|elif|defined|ifdef|ifndef)[A-Za-z_]\w*',
                               line)
            wrong += ['%s: %s' % (name, line.strip()) for a in asked
                      if a != guard and not re.fullmatch(
                          ALLOWED.get(name, '-'), a)]
    t.is_(wrong, [], 'only %s ask which system it is' % ' '.join(ASKING))


def reaches(graph, start):
    seen, todo = set(), [start]
    while todo:
        for other in graph.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def test_circles():
    """No room leads back to itself, as the table has it and as the files do;
    nor does a header."""
    t.is_([r for r in ROOMS if r in reaches(ROOMS, r)], [],
          'the table has no circle')
    rooms, headers = {}, {}
    for name, text in FILES.items():
        for _, mark, what in includes(text):
            if mark != '"' or what not in FILES:
                continue
            if room(what) != room(name):
                rooms.setdefault(room(name), set()).add(room(what))
            if name.endswith('.h'):
                headers.setdefault(name, set()).add(what)
    t.is_([r for r in rooms if r in reaches(rooms, r)], [],
          'no circle between rooms')
    t.is_([h for h in headers if h in reaches(headers, h)], [],
          'no circle of headers')


def names(header):
    """What a header declares: macros, tags, members of enums, functions and
    variables."""
    text = code(FILES[header])
    found = set(re.findall(r'^\s*#\s*define\s+(\w+)', text, re.M))
    found -= {m for m in found if re.fullmatch(r'[A-Z_]+_H', m)}
    found |= set(re.findall(r'\b(?:struct|enum|union)\s+(\w+)\s*\{', text))
    for body in re.findall(r'\benum\s*\w*\s*\{([^}]*)\}', text):
        found |= set(re.findall(r'\b([A-Z]\w+)\b', body))
    found |= set(re.findall(r'\b(\w+)\(', text))
    found |= set(re.findall(r'^extern\s[^;]*?\b(\w+)(?:\[[^]]*\])*;', text,
                            re.M))
    found |= set(re.findall(r'^struct (\w+);', text, re.M))
    found |= set(re.findall(r'^typedef\s[^;]*?\b(\w+);', text, re.M))
    found |= set(re.findall(r'^X\((\w+)\)$', text, re.M))
    return found


def test_used():
    """Whoever includes a header uses a name of it."""
    declared = {h: names(h) for h in FILES if h.endswith('.h')}
    unused = []
    for name, text in FILES.items():
        words = set(re.findall(r'\w+', re.sub(
            r'^\s*#\s*include.*$', '', code(text), flags=re.M)))
        for number, mark, what in includes(text):
            where = '%s:%d includes %s' % (name, number, what)
            if mark == '<':
                if what in SYSTEM and not any(
                        re.fullmatch(SYSTEM[what], w) for w in words):
                    unused.append(where)
            elif what in declared and what != name[:-1] + 'h' and \
                    what != 'tls/openssl.h' and \
                    not os.path.basename(what).endswith('internal.h') and \
                    not declared[what] & words:
                unused.append(where)
    t.is_('\n'.join(unused), '', 'every include is used')


def test_stdio():
    """glibc's headers bring it by chance, those of macOS do not."""
    bad = [name for name, text in FILES.items() if name.endswith('.c')
           and re.search(r'\b(v?snprintf|fopen|getline)\(', code(text))
           and '<stdio.h>' not in text]
    t.is_(bad, [], 'what formats text includes <stdio.h>')


def test_map():
    """src/README.md has a word for each file, and for none that is gone."""
    text = read(os.path.join(SRC, 'README.md'))
    for folder in ROOMS:
        m = re.search(r'^## %s/?\n(.*?)(?=^## |\Z)' % folder, text,
                      re.M | re.S)
        t.ok(m is not None, '%s/ has a section' % folder)
        told = set()
        for row in re.findall(r'^\| (`.*?) \|', m[1] if m else '', re.M):
            told |= set(re.findall(r'`([\w/]+)`', row))
        there = {os.path.splitext(os.path.relpath(f, folder))[0]
                 for f in FILES if room(f) == folder}
        t.is_(sorted(there - told), [], '%s/: all files are told of' % folder)
        t.is_(sorted(told - there), [], '%s/: and no others' % folder)


def test_pure():
    """No allocation, no mutable globals, no output in pure rooms."""
    calls = re.compile(r'(?<![\w.>])(malloc|calloc|realloc|strdup|free|'
                       r'printf|fprintf|perror|warnx?|errx?|exit|_exit|'
                       r'getenv|time|clock_gettime|read|write|socket)\s*\(')
    bad = []
    for name, text in FILES.items():
        if room(name) not in PURE or not name.endswith('.c'):
            continue
        for number, line in enumerate(code(text).split('\n'), 1):
            m = calls.search(line)
            if m:
                bad.append('%s:%d calls %s' % (name, number, m[1]))
            if re.match(r'static (?!const\b)[^()]*[=;]\s*$', line) and \
                    '(' not in line and ' const ' not in line:
                bad.append('%s:%d is a mutable global: %s' % (name, number,
                                                              line))
    t.is_(bad, [], 'pure rooms call nothing that they must not')


def contrib():
    """Files there, but for what has a form that knows no comments."""
    return sorted(os.path.relpath(os.path.join(folder, name), t.ROOT)
                  for folder, _, names in os.walk(os.path.join(t.ROOT,
                                                               'contrib'))
                  for name in names
                  if name not in ('changelog', 'format') and
                  not name.endswith('.json'))


def test_licences():
    missing = []
    for path in sources(t.ROOT, '.c', '.h', '.py', '.t', '.sh', '.1', '.7',
                        '.conf'):
        with open(path, encoding='utf-8', errors='replace') as f:
            head = f.read(300)
        if 'SPDX-License-Identifier: ISC' not in head:
            missing.append(os.path.relpath(path, t.ROOT))
    for name in ['Makefile', '.ci/run'] + contrib():
        with open(os.path.join(t.ROOT, name)) as f:
            if 'SPDX-License-Identifier: ISC' not in f.read(300):
                missing.append(name)
    t.is_(missing, [], 'every source file says its licence')


def functions(text):
    """Lengths of the functions of a file, in lines, by name."""
    for m in re.finditer(r'^(\w+)\([^;{}]*\)\n\{\n(.*?)^\}', code(text),
                         re.M | re.S):
        yield m[1], m[2].count('\n') + 2


def test_sizes():
    """Rooms, files and functions that a reader takes in."""
    t.is_(['%s: %d lines' % (name, text.count('\n'))
           for name, text in FILES.items() if text.count('\n') > 450], [],
          'no file is longer than 450 lines')
    lengths = sorted((n, name + ': ' + f) for name, text in FILES.items()
                     for f, n in functions(text))
    t.is_([x for x in lengths if x[0] > 80], [],
          'no function is longer than 80 lines')
    t.ok(lengths[len(lengths) // 2][0] < 12, 'half of the %d functions are '
         'shorter than 12' % len(lengths))
    t.is_([r for r in ROOMS if sum(
        1 for f in FILES if os.path.dirname(f) == r and f.endswith('.c'))
        > 20], [], 'no room has more than 20 sources')


def test_manuals():
    mandoc, = t.need('mandoc')
    for path in sources(os.path.join(t.ROOT, 'man'), '.1', '.7'):
        r = t.run([mandoc, '-Tlint', '-Wwarning', path])
        t.is_(r.stdout, b'', os.path.basename(path) +
              ' is clean')


def test_shell():
    """Scripts are POSIX sh."""
    scripts = []
    for name in contrib():
        with open(os.path.join(t.ROOT, name)) as f:
            if re.match(r'#!(/bin/sh|/sbin/openrc-run)\n', f.readline()):
                scripts.append(os.path.join(t.ROOT, name))
    t.ok(len(scripts) > 4, 'there are scripts in contrib (%d)' % len(scripts))
    for name in scripts:
        r = t.run(['sh', '-n', name])
        t.is_(r.returncode, 0, os.path.relpath(name, t.ROOT) + ' parses')
    shellcheck, = t.need('shellcheck')
    r = t.run([shellcheck, '-s', 'sh'] + scripts)
    t.is_(r.stdout.decode(), '', 'and shellcheck has nothing to say')


t.main()
