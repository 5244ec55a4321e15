# SPDX-License-Identifier: ISC
"""Which integration tests mention what a file of src/ says, reads or is named.

A table of files and tests is never whole.  What a test looks for it has in its
text: a message or an event, an option, or the subject in its own name.  The
fewer tests mention a thing, the more it tells.
"""
import collections
import glob
import os
import re

AT_MOST = 4         # tests besides those of the table
COMMON = 12         # what more tests mention tells nothing
SHORTEST = 6        # part of a message
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
ROW = re.compile(r'\{ \w+\("([a-z0-9-]+)",(?:[^()]*,)?\s*([\w.]+)\)')
FIELD = re.compile(r'\bo(?:pt(?:ions)?)?(?:->|\.)(\w+\.\w+|\w+)')


def _read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


class Mentions:
    def __init__(self, root='.'):
        self.tests = {
            os.path.relpath(p, root): _read(p)
            for p in sorted(glob.glob(root + '/tests/it/*/*.t'))
            if '/packaging/' not in p and '/fuzz/' not in p}
        self.options = {field: '--' + name for name, field in ROW.findall(
            _read(root + '/src/config/table.c'))}
        self.root = root

    def words(self, text):
        """What it says and reads."""
        found = {self.options[f] for f in FIELD.findall(text)
                 if f in self.options}
        plain = re.sub(r'^\s*#.*', '', re.sub(r'/\*.*?\*/', '', text,
                                              flags=re.S), flags=re.M)
        for s in STRING.findall(re.sub(r'"\s*"', '', plain)):
            found.update(w for w in map(str.strip, re.split(
                r'%[-+ #0-9.*]*[a-z]+|\\.', s)) if len(w) >= SHORTEST)
        return found

    def names(self, path, text):
        """Its own, and of the headers that it includes."""
        own = os.path.basename(path)[:-2]
        others = {os.path.basename(h)[:-2] for h in re.findall(
            r'^#include "(.*)"', text, re.M)} - {own}
        return [(own, 2)] + [(n, .3) for n in sorted(others)]

    def of(self, path, known=()):
        """The most promising tests of a file that are not known."""
        text = _read(os.path.join(self.root, path))
        score = collections.Counter()
        for word in self.words(text):
            has = [t for t, body in self.tests.items() if re.search(
                re.escape(word) + r'(?![\w-])', body)]
            if 0 < len(has) <= COMMON:
                score.update({t: 1 / len(has) for t in has})
        for name, weight in self.names(path, text):
            has = [t for t in self.tests if name in re.split(
                r'\W|_', os.path.basename(t)[:-2]) or
                os.path.basename(t)[:-2] == name]
            score.update({t: weight / len(has) for t in has})
        best = sorted((t for t in score if t not in known),
                      key=lambda t: (-score[t], t))
        return best[:AT_MOST]
