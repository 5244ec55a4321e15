#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The files of contrib for launchd and Docker, which do not run here: they are
read, and checked without running them.  Each folder of contrib has a test and
is documented.

If it fails: the shipped files for launchd and Docker are wrong.
"""

import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import plistlib         # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402

CONTRIB = os.path.join(t.ROOT, 'contrib')
# Part of every Debian.
ESSENTIAL = {'libc6', 'libcrypt1'}


def check_words(words):
    """Does inetws take this command line?"""
    r = t.run_inetws(*words, '--dump-config')
    t.is_(r.returncode, 0, 'inetws takes: ' + ' '.join(words))
    if r.returncode:
        t.diag(r.stderr)
    return r.stdout.decode()


def test_launchd():
    name = 'launchd/org.inetws.ssh.plist'
    with open(os.path.join(CONTRIB, name), 'rb') as f:
        p = plistlib.load(f)
    t.is_(p['Label'] + '.plist', os.path.basename(name), 'its label')
    t.is_((p['inetdCompatibility'], list(p['Sockets'])),
          ({'Wait': False}, ['Listeners']), 'as inetd does')
    check_words(p['ProgramArguments'][1:])
    t.skip('launchd runs on macOS only')


def instructions(text):
    """[(instruction, words)] of a Dockerfile."""
    text = re.sub(r'(?m)^#.*\n', '', text)
    return [(line.split()[0], line.split(None, 1)[1]) for line in
            text.replace('\\\n', ' ').splitlines() if line.strip()]


def installs(words):
    """The packages of an apt-get install."""
    line = re.search(r'apt-get install([^&]*)', words)
    return {w for w in shlex.split(line[1]) if not w.startswith('-')}


def libraries(installed):
    """The program finds its libraries in these packages."""
    ldd, dpkg = t.need('ldd', 'dpkg-query')
    needs = t.run([ldd, t.INETWS]).stdout.decode()
    packages = set()
    for path in re.findall(r'=> (/\S+)', needs):
        # Merged /usr: either may be registered.
        for name in (path, os.path.realpath(path), '/usr' + path):
            r = t.run([dpkg, '-S', name])
            if r.returncode == 0:
                packages.add(r.stdout.decode().split(':')[0])
    # Built with HTTP_PARSER=llhttp, which the image is not.
    packages = {p for p in packages if not p.startswith('libllhttp')}
    t.is_(packages - ESSENTIAL - installed, set(),
          'and has the libraries to run with')
    t.ok('libssl3' in installed, 'and what TLS loads')


def test_dockerfile():
    lines = instructions(t.contrib('docker/Dockerfile'))
    runs = [words for what, words in lines if what == 'RUN']
    with open(os.path.join(CONTRIB, 'quickstart')) as f:
        needed = re.search(r"build_packages='([^']*)'", f.read())[1].split()
    t.is_(installs(runs[0]), set(needed), 'builds with what it takes')
    t.is_([what for what, _ in lines].count('FROM'), 2, 'two stages')
    t.is_([words for what, words in lines if what == 'ENTRYPOINT'],
          ['["/usr/bin/inetws"]'], 'runs inetws')
    if t.SANITIZED:
        t.skip('a sanitized program has other libraries')
    else:
        libraries(installs(runs[2]))
    t.skip('no Docker here')


def test_compose():
    try:
        import yaml
    except ImportError:
        raise t.Skip('python3-yaml is not installed')
    services = yaml.safe_load(t.contrib('docker/compose.yaml'))['services']
    t.is_(sorted(services), ['inetws', 'nginx'], 'two services')
    dump = check_words(services['inetws']['command'])
    t.like(t.contrib('nginx/inetws.conf'),
           'proxy_pass http://' + re.search(r'listen\s+(\S+)', dump)[1],
           'nginx looks where inetws listens')
    here = os.path.join(CONTRIB, 'docker')
    for volume in services['nginx']['volumes']:
        source = volume.split(':')[0]
        if source != './tls':       # whoever runs it has that
            t.ok(os.path.exists(os.path.join(here, source)),
                 '%s is there' % source)
    build = services['inetws']['build']
    t.ok(os.path.exists(os.path.join(here, build['context'],
                                     build['dockerfile'])),
         'and so is the Dockerfile')
    t.skip('no Docker here')


def test_whole():
    """Everything in contrib is documented and tested."""
    folders = sorted(n for n in os.listdir(CONTRIB)
                     if os.path.isdir(os.path.join(CONTRIB, n)))
    index = t.contrib('README.md')
    t.is_([n for n in folders if '(%s/)' % n not in index], [],
          'contrib/README.md knows all folders')
    tests = ''
    for path in glob.glob(os.path.join(t.ROOT, 'tests', 'it', '*', '*.t')):
        with open(path) as f:
            tests += f.read()
    t.is_([n for n in folders if not re.search(
        r"'/?%s[/']|contrib/%s" % (n, n), tests)], [], 'and each has a test')


t.main()
