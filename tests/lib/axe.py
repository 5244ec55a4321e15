#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""axe-core, which finds what makes a page hard to use for people with
disabilities.

It is not a part of the tree: npm fetches it once into build/axe.  Run as a
program, this file fetches it; contrib/quickstart does that before the tests.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
VERSION = '4.10.3'
SHA256 = '880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb'
_failed = []             # why it could not be had: asked once
PLACE = os.path.join(ROOT, 'build', 'axe', 'axe-%s.js' % VERSION)


class Missing(Exception):
    """axe-core is not there; the text says why."""


def fetch():
    """The path of axe-core's source.  It is fetched unless it is there
    already."""
    if os.path.exists(PLACE):
        return PLACE
    npm = shutil.which('npm')
    if npm is None:
        raise Missing('axe-core needs npm')
    folder = PLACE + '.%d' % os.getpid()
    os.makedirs(folder)
    try:
        r = subprocess.run(
            [npm, 'pack', 'axe-core@' + VERSION, '--silent',
             '--fetch-retries=0', '--fetch-timeout=20000'], cwd=folder,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        if r.returncode:
            raise Missing('npm cannot fetch axe-core')
        with open('%s/axe-core-%s.tgz' % (folder, VERSION), 'rb') as f:
            data = f.read()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            source = tar.extractfile('package/axe.min.js').read()
        if hashlib.sha256(source).hexdigest() != SHA256:
            raise Missing('another axe-core than expected')
        with open(folder + '/axe', 'wb') as f:
            f.write(source)
        os.rename(folder + '/axe', PLACE)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Missing('axe-core: %s' % e)
    finally:
        shutil.rmtree(folder)
    return PLACE


# Contrast takes long, and is the same for texts that look the same: of each
# look three are examined.
RUN = '''
const looks = new Map(), shown = [];
for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        continue;
    let look = '';
    const s = getComputedStyle(e);
    for (let p = e; p; p = p.parentElement) {
        const q = getComputedStyle(p);
        look += q.backgroundColor + q.backgroundImage + q.opacity + ';';
    }
    look = s.color + s.fontSize + s.fontWeight + look;
    looks.set(look, (looks.get(look) || 0) + 1);
    if (looks.get(look) <= 3)
        shown.push(e);
}
const found = [];
for (const [context, options] of [
    [{ include: shown }, { runOnly: ['color-contrast'] }],
    [document, { rules: { 'color-contrast': { enabled: false } } }],
    ].slice(0, args[0] ? 1 : 2)) {
    const r = await axe.run(context, Object.assign(options,
        { resultTypes: ['violations'] }));
    found.push(...r.violations.map(v => v.id + ': ' + v.nodes.length + ', ' +
        v.nodes[0].html.slice(0, 150) + ' ' +
        v.nodes[0].failureSummary.slice(0, 300)));
}
return found;
'''


def check(browser, name, colours=False):
    """Checks that axe-core finds nothing in the page that a browser shows, by
    its default rules and all of the levels A and AA.  colours: only the rules
    about colours, for a second colour scheme of the same page.  Skips without
    axe-core."""
    import tap
    try:
        if _failed:
            raise _failed[0]
        path = fetch()
    except Missing as e:
        _failed[:] = [e]
        tap.skip(str(e))
        return
    with open(path) as f:
        browser.now(f.read())
    tap.is_(browser.script(RUN, colours), [], name + ': axe-core')


if __name__ == '__main__':
    try:
        print(fetch())
    except Missing as e:
        sys.exit(str(e))
