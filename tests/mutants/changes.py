# SPDX-License-Identifier: ISC
"""The places of a C file that can be changed, and what to.

Only bodies of functions are looked at, which style(9) makes easy to find: a
brace alone in the first column begins one, and ends it.  Comments, strings and
lines of the preprocessor are blank here, so that nothing in them is changed.
"""
import bisect
import collections
import re

BLANK = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                   r'|^[ \t]*\#(?:\\\n|[^\n])*', re.S | re.M)
TOKEN = re.compile(r"'(?:\\.[0-9a-fA-F]*|[^'\\])'|0[xX][0-9a-fA-F]+[uUlL]*"
                   r"|[0-9]+[uUlL]*|[A-Za-z_]\w*|<<=|>>=|->|\+\+|--|<<|>>|<=|>="
                   r"|==|!=|&&|\|\||[-+*/%&|^]=|\S")
OPERATORS = {
    '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==',
    '&&': '||', '||': '&&', '+=': '-=', '-=': '+=', '|=': '&=', '&=': '|=',
    '++': '--', '--': '++', '<<': '>>', '>>': '<<'}
# These have another meaning where nothing stands before them.
BINARY = {'+': '-', '-': '+', '&': '|', '|': '&'}
KEYWORDS = {'return', 'case', 'if', 'while', 'for', 'switch', 'else', 'do',
            'sizeof', 'goto', 'break', 'continue', 'default', 'static',
            'const', 'struct', 'enum', 'union', 'unsigned'}
ASSIGN = {'=', '+=', '-=', '*=', '/=', '%=', '|=', '&=', '^=', '<<=', '>>='}


class Change:
    """One change of a file: edits are (begin, end, text), in order."""

    def __init__(self, source, function, kind, edits):
        self.source, self.function, self.kind = source, function, kind
        self.edits = edits
        self.number = 0         # among those that begin at the same place
        begin, end = edits[0][0], edits[-1][1]
        self.line, self.column = source.place(begin)
        text = source.text
        first = text.rfind('\n', 0, begin) + 1
        last = text.find('\n', max(end - 1, begin))
        self.old = ' '.join(text[first:last].split())
        self.new = ' '.join(self.apply()[first:last + self._growth()].split())
        self.before = ' '.join(
            text[text.rfind('\n', 0, max(first - 1, 0)) + 1:first].split())
        self.is_repeated = False    # the same line is there more than once

    def _growth(self):
        return sum(len(new) - (e - b) for b, e, new in self.edits)

    def apply(self):
        """The whole file, changed.  The number of its lines stays the same."""
        out, at = [], 0
        for begin, end, new in self.edits:
            out += [self.source.text[at:begin], new]
            at = end
        return ''.join(out) + self.source.text[at:]

    @property
    def name(self):
        """What --one takes."""
        return '%s:%d:%d:%d' % (self.source.path, self.line, self.column,
                                self.number)

    @property
    def key(self):
        """What stays the same while lines move: a line of equivalent.  The
        line before it tells it from others that read the same."""
        old = self.before + ' / ' + self.old if self.is_repeated else self.old
        return (self.source.path, self.function, old, self.new)


class Source:
    def __init__(self, path):
        self.path = path
        with open(path, encoding='utf-8') as f:
            self.text = f.read()
        self.lines = [m.end() for m in re.finditer('\n', self.text)]
        self.plain = BLANK.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]),
                               self.text)

    def place(self, at):
        line = bisect.bisect_right(self.lines, at)
        return line + 1, at - (self.lines[line - 1] if line else 0) + 1

    def bodies(self):
        """(name, begin, end) of each function."""
        for m in re.finditer(r'^\{\n(.*?)^\}', self.plain, re.S | re.M):
            head = self.plain[:m.start()].rsplit('\n\n', 1)[-1]
            names = re.findall(r'^(\w+)\(', head, re.M)
            if names:
                yield names[-1], m.start(1), m.end(1)

    def changes(self):
        """All of them, in order; those of one place are numbered."""
        found, seen = [], {}
        for name, begin, end in self.bodies():
            tokens = [(m[0], m.start(), m.end())
                      for m in TOKEN.finditer(self.plain, begin, end)]
            count = collections.Counter(
                ' '.join(line.split())
                for line in self.text[begin:end].splitlines())
            for kind, edits in _edits(tokens, self.text):
                c = Change(self, name, kind, edits)
                c.is_repeated = count[c.old] > 1
                found.append(c)
        found.sort(key=lambda c: c.edits[0][0])
        for c in found:
            at = c.edits[0][0]
            c.number = seen[at] = seen.get(at, 0) + 1
        return found


def _is_value(token):
    """May it stand before a binary operator?"""
    return token in (')', ']') or token[0] == "'" or (
        re.match(r'\w', token) is not None and token not in KEYWORDS)


def _edits(tokens, text):
    for i, (token, begin, end) in enumerate(tokens):
        before = tokens[i - 1][0] if i > 0 else '{'
        if token in OPERATORS:
            yield 'operator', [(begin, end, OPERATORS[token])]
        elif token in BINARY and _is_value(before):
            yield 'operator', [(begin, end, BINARY[token])]
        elif token == '!':
            yield 'condition', [(begin, end, '')]
        elif token[0].isdigit():
            if before != '.' and text[end:end + 1] != '.':
                for new in _numbers(token):
                    yield 'constant', [(begin, end, new)]
        elif token[0] == "'":
            yield 'constant', [(begin, end, '(%s + 1)' % token)]
        elif token in ('if', 'while') and i + 1 < len(tokens):
            close = _closing(tokens, i + 1)
            if close is not None:
                yield 'condition', [
                    (tokens[i + 1][1], tokens[i + 1][2], '(!('),
                    (tokens[close][1], tokens[close][2], '))')]
        elif token == 'return':
            yield from _returned(tokens, i, text)
    yield from _deleted(tokens, text)


def _numbers(token):
    digits, suffix = re.fullmatch(r'(\w+?)([uUlL]*)', token).groups()
    octal = re.fullmatch('0[0-7]+', digits)
    value = int(digits, 8 if octal else 0)
    write = (lambda n: '0%o' % n) if octal else \
        hex if digits[:2] in ('0x', '0X') else str
    yield write(value + 1) + suffix
    if value > 0:
        yield write(value - 1) + suffix


def _closing(tokens, i):
    """The token that closes the bracket i."""
    depth = 0
    for j in range(i, len(tokens)):
        depth += (tokens[j][0] in '([{') - (tokens[j][0] in ')]}')
        if depth == 0:
            return j
    return None


def _semicolon(tokens, i):
    """The end of the statement that begins at i."""
    depth = 0
    for j in range(i, len(tokens)):
        depth += (tokens[j][0] in '([{') - (tokens[j][0] in ')]}')
        if depth < 0:
            return None
        if depth == 0 and tokens[j][0] == ';':
            return j
    return None


def _lines(text):
    return '\n' * text.count('\n')


def _returned(tokens, i, text):
    """Another value; that of a constant is changed as a constant."""
    end = _semicolon(tokens, i)
    if end is None or end == i + 1 or tokens[i + 1][0] == 'NULL':
        return
    begin, stop = tokens[i + 1][1], tokens[end][1]
    old = text[begin:stop]
    if re.fullmatch(r'\d+', old):
        return
    yield 'return', [(begin, stop, '0' + _lines(old))]
    if end == i + 2:
        yield 'return', [(begin, stop, '!' + old)]


def _begins(tokens, i):
    """Does a statement begin at i?"""
    if i == 0:
        return True
    before = tokens[i - 1][0]
    if before in ('{', '}', ';', 'else', 'do'):
        return True
    if before == ':':
        j = i - 1
        while j > 0 and tokens[j - 1][0] not in (';', '{', '}', ':'):
            j -= 1
        return tokens[j][0] in ('case', 'default') or j == i - 2
    if before == ')':
        depth, j = 0, i - 1
        while j >= 0:
            depth += (tokens[j][0] == ')') - (tokens[j][0] == '(')
            if depth == 0:
                return j > 0 and tokens[j - 1][0] in ('if', 'while', 'for',
                                                      'switch')
            j -= 1
    return False


def _deleted(tokens, text):
    """Calls and assignments that stand by themselves."""
    depth = 0
    for i, (token, begin, _) in enumerate(tokens):
        inside = depth
        depth += (token in '([') - (token in ')]')
        if inside > 0 or token in KEYWORDS or not _begins(tokens, i):
            continue
        end = _semicolon(tokens, i)
        if end is None or end == i:
            continue
        after = tokens[i + 1][0]
        if re.match(r'[A-Za-z_]', token):
            if not (after in ASSIGN or after in ('(', '->', '.', '[', '++',
                                                 '--')):
                continue
        elif token not in ('*', '(', '++', '--'):
            continue
        yield 'statement', [(begin, tokens[end][2], ';' + _lines(
            text[begin:tokens[end][2]]))]
