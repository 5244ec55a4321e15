# SPDX-License-Identifier: ISC
"""What stands in a manual to be pasted, and which test runs it.

    manual.block('location /ssh/ {')     the text of the one that begins so
    manual.lines('$ kinit')              its commands, without prompts
    manual.words('$ psql', ('old', new)) the arguments of the first of them, with
                                         another text in one's place; number=1:
                                         of the next

A test that runs a block gets it here, by its first words as a literal: so
examples.t finds out, by used(), that each block is run.
"""

import ast
import os
import re
import shlex

import proc

EXAMPLES = 'inetws-examples.7'
USERS = ('block', 'lines', 'words')


class Item:
    """A block or a line of the page that readers paste."""

    def __init__(self, text, prose):
        self.text, self.untested = text, 'ntested' in prose
        self.prose = prose

    def lines(self):
        return re.findall(r'(?m)^\w*[$#] (.*)$',
                          self.text.replace('\\\n', ' '))


def items(page=EXAMPLES, since=None):
    """All items of a page; since: only those behind this line of its source.
    """
    with open(os.path.join(proc.ROOT, 'man', page)) as f:
        text = f.read()
    if since:
        text = text[text.index(since):]
    found, at = [], 0
    for m in re.finditer(r'(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed\n|'
                         r'^\.Dl ([^\n]*\n)', text):
        found.append(Item((m[1] or m[2]).replace('\\e', '\\'),
                          text[at:m.start()]))
        at = m.end()
    return found


def _item(begin, page):
    found = [i for i in items(page) if i.text.startswith(begin)]
    if len({i.text for i in found}) != 1:
        raise AssertionError('%d blocks begin with %r' % (len(found), begin))
    return found[0]


def block(begin, page=EXAMPLES):
    return _item(begin, page).text


def lines(begin, page=EXAMPLES):
    return _item(begin, page).lines()


def words(begin, *pairs, number=0, page=EXAMPLES):
    line = lines(begin, page)[number]
    for old, new in pairs:
        if old not in line:
            raise AssertionError('%r is to say %r' % (line, old))
        line = line.replace(old, str(new))
    return shlex.split(line)[1:]


def _calls(path, names):
    """(name, first argument, names of keywords) of calls in a test of
    functions or methods of these names whose first argument is a literal."""
    with open(os.path.join(proc.ROOT, path)) as f:
        tree = ast.parse(f.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, 'attr', getattr(node.func, 'id', None))
            if name in names and node.args and isinstance(
                    node.args[0], ast.Constant):
                yield name, node.args[0].value, [k.arg for k in node.keywords]


def used(path, other=False):
    """The beginnings of the blocks of EXAMPLES that a test gets from this
    module; other: of another page."""
    return {begin for _, begin, keywords in _calls(path, USERS)
            if ('page' in keywords) == other}


def of_scenario(path):
    """The beginnings of the lines that the test of a scenario takes from its
    page (lib/scenario.py)."""
    return {('inetws ' if name == 'inetws' else '') + begin
            for name, begin, _ in _calls(path, ('commands', 'inetws', 'folders'))}
