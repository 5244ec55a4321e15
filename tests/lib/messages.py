# SPDX-License-Identifier: ISC
"""Messages: which ones src/ can print, which ones inetws-troubleshooting(7)
explains, and which ones messages.txt lists as needing no explanation.

python3 messages.py prints the messages that are in neither, with their places.
"""

import collections
import functools
import glob
import os
import re

import proc

SRC = os.path.join(proc.ROOT, 'src')
PAGE = os.path.join(proc.ROOT, 'man', 'inetws-troubleshooting.7')
PLAIN = os.path.join(proc.ROOT, 'tests', 'lib', 'messages.txt')

# Functions whose string is, or ends up in, what a person or a peer reads: one
# word is enough to be a message.  Elsewhere it takes two, with a blank between.
PRINTERS = set('''
    accepted_refuse cannot_make error_set exchange_broken fail failed
    log_failed log_missing notice out_of_something pem_fail refuse refuse_url
    refuse_with say setting_fail step_say str_bad trace_step tunnel_fault
    tunnel_in_fault tunnel_lose tunnel_stop value_fail value_is_not
    websocket_refuse websocket_refuse_with
    '''.split())
# All that take a format, with what becomes of it.
FORMATS = {
    'error_set': 'a message', 'value_fail': 'a message',
    'step_say': 'a message', 'trace_step': 'a message', 'notice': 'a message',
    'refuse': 'a message', 'out_add': 'text, looked at as any other',
    'append': 'text, looked at as any other',
    'title_set': 'the title in ps(1)',
}
NAMES_EVENT = (('log_event', 1), ('log_begin', 2), ('log_failed', 2))
NAMES_KEY = {('log_str', 1), ('log_num', 1), ('log_seconds', 1),
             ('log_bytes', 1), ('log_why', 1), ('accept_at_limit', 1)} | {
                 ('log_event', 2 * i) for i in range(1, 12)}
# Their strings are compared, looked up or given to the system.
SILENT = set('''
    _Static_assert getenv secure_getenv unsetenv setenv open openat stat
    pledge unveil memfd_create memory_file memchr memcmp memmem strcasecmp
    strchr strcmp strcspn strftime strlen strncasecmp strncmp strpbrk strrchr
    strspn strstr sscanf slice_is slice_is_nocase span_to http_field
    http_has_token header_has is_given find section title_set
    BIO_meth_new counter family gauge histogram FLAG OPTION CHOICE NO_FIELD
    cgi_set
    '''.split())
# Here only what PRINTERS print is a message.
TEXTS = {
    'config/completions.c': 'scripts of shells',
    'config/help.c': 'what --help prints',
    'config/table.c': 'what --help prints',
    'stats/html.c': 'the page of --metrics',
    'stats/metrics.c': 'help of metrics',
}

TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'''
                   r"""'(?:\\.|[^'\\\n])*'|[A-Za-z_]\w*|\d[\w.]*|\S""", re.S)
CONVERSION = re.compile(r'%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?'
                        r'(?:hh|h|ll|l|z|j)?[diouxXcspm]|\{[A-Z]\w+\}')
PROSE = re.compile(r"[A-Za-z][\w'-]*,? [(\"']?-*[A-Za-z]{2,}")
WORD = re.compile('[A-Za-z]{3,}')

Literal = collections.namedtuple('Literal', 'text call argument place')


def unescape(text):
    """The value of a C string; control characters stay escaped."""
    return re.sub(r'\\(["\\\'])', r'\1', re.sub(r'(\\[nrt])+$', '', text))


def literals(path):
    """The strings of a C file, with the call that each is an argument of.  A
    macro between two strings (PRIu64) becomes a part of the text, as {PRIu64}.
    """
    with open(path) as f:
        text = re.sub(r'(?m)^\s*#\s*include.*$', '',
                      re.sub(r'\\\n', '  ', f.read()))
    calls, parts, place, before, is_open = [], [], None, '', False
    line, at = 1, 0
    for m in TOKEN.finditer(text):
        token = m[0]
        line, at = line + text.count('\n', at, m.start()), m.start()
        if token.startswith(('/*', '//')):
            continue
        if token[0] == '"':
            if not parts:
                place = '%s:%d' % (os.path.relpath(path, SRC), line)
            parts.append(token[1:-1])
            continue
        if parts and re.match(r'[A-Z][A-Z0-9_]+$|PRI\w+$', token):
            parts.append('{%s}' % token)
            continue
        if parts:
            call, argument = calls[-1] if calls else ('', 0)
            yield Literal(unescape(''.join(parts)), call, argument, place)
            parts = []
        if token in '([{':
            name = before if token == '(' and re.match(r'\w', before) else ''
            calls.append((name, 0))
        elif token in ')]}' and calls:
            calls.pop()
        elif token == ',' and calls:
            calls[-1] = (calls[-1][0], calls[-1][1] + 1)
        before = token


def is_pattern(s, column=3):
    """Is it a text that the advice of check searches in a step?  (Member 4 is
    the advice.)"""
    return s.place.startswith('modes/check/advice.c') and \
        s.argument == column and s.call == ''


def is_message(s):
    path = s.place.partition(':')[0]
    if is_pattern(s):
        return False
    if s.call in ('log_event', 'log_begin'):
        return ' ' in s.text
    if s.call in SILENT:
        return False
    fixed = CONVERSION.sub('%', s.text)
    if s.call in PRINTERS and WORD.search(fixed):
        return True
    return path not in TEXTS and bool(PROSE.search(fixed))


@functools.lru_cache(None)
def sources():
    """All strings of src/."""
    return [s for path in sorted(glob.glob(SRC + '/**/*.[ch]',
                                           recursive=True))
            for s in literals(path)]


def collect(strings):
    """({message: its places}, {events})."""
    found, events = collections.defaultdict(list), set()
    for s in strings:
        if (s.call, s.argument) in NAMES_EVENT:
            events.add(s.text)
        elif is_message(s):
            found[s.text].append(s.place)
    return found, events


def keys(strings):
    """The keys of lines of the log, but for those that only debugging builds
    have."""
    return {s.text for s in strings if (s.call, s.argument) in NAMES_KEY and
            not s.place.startswith('sandbox/linux_refused.c')}


def formats():
    """The functions of src/ that take a format as printf(3) does."""
    found = set()
    for path in glob.glob(SRC + '/**/*.[ch]', recursive=True):
        with open(path) as f:
            text = f.read()
        found.update(re.findall(
            r'(?m)^__attribute__\(\(format\(.*\n(?:static )?.*\n(\w+)\(',
            text))
        found.update(re.findall(
            r'(?m)^\w[\w *]*?(\w+)\([^;{}]*\)\s*__attribute__\(\(format\(',
            text))
    return found


def plain():
    """[(reason, text)] of messages.txt."""
    found, reason = [], None
    with open(PLAIN) as f:
        for line in f.read().splitlines():
            if line.startswith('\t'):
                found.append((reason, line[1:]))
            elif line and not line.startswith('#'):
                reason = line
    return found


Entry = collections.namedtuple('Entry', 'quotes statuses text')


def unroff(text):
    """Words of a page without the marks of roff."""
    text = re.sub(r'\\&|\\', '', text)
    return ' '.join(re.sub(r'^\.[A-Z][A-Za-z]( |$)', '', line)
                    for line in text.split('\n'))


def in_brackets(title):
    """The exit statuses in a title: (exit status 68), (64, 71)."""
    return [int(n) for part in re.findall(r'\([^)]*\)', title)
            for n in re.findall(r'\b(\d\d)\b', part)]


def page():
    """The items of inetws-troubleshooting(7): what each quotes in its title,
    the exit statuses of each quote (they may be behind the last quote), and
    the text."""
    found = []
    with open(PAGE) as f:
        items = re.split(r'(?m)^\.It ', f.read())[1:]
    for item in items:
        title, _, text = item.partition('\n')
        quotes, statuses = [], []
        for m in re.finditer(r'(?:So (.*?) Sc|Li (\S+))(.*?)(?= So | Li |$)',
                             title):
            quotes.append(m[1] or m[2])
            statuses.append(in_brackets(m[3]))
        statuses = [s or statuses[-1] for s in statuses]
        found.append(Entry(quotes, statuses, unroff(
            re.split(r'(?m)^\.(?:El|Sh)', text)[0])))
    return found


def is_in(quote, message):
    """Is the page's quote a part of what the message prints?"""
    fixed = CONVERSION.sub('\0', message).replace('%%', '%')
    return quote in fixed or re.sub(r'\d+', '\0', quote) in fixed


def unaccounted():
    quotes = [q for e in page() for q in e.quotes]
    known = {text for _, text in plain()}
    found, _ = collect(sources())
    return {text: places for text, places in found.items()
            if text not in known and not any(is_in(q, text) for q in quotes)}


if __name__ == '__main__':
    for text, places in unaccounted().items():
        print('%s\t%s' % (' '.join(places), text))
