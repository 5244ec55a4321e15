#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md: its commands are ones, its links lead somewhere, and ssh through
nginx works as it says, with a password.

If it fails: who pastes from the first page gets an error.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402

PASSWORD = 'ann:pw-2291'


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def commands(page):
    """The words behind each "inetws MODE" of the page's indented lines."""
    lines = re.findall(r'(?m)^    [$#] (.*)$', page.replace('\\\n', ' '))
    for line in lines:
        for text in re.findall(r"ProxyCommand='([^']*)'", line) or [line]:
            words = shlex.split(text, comments=True)
            if words[:1] == ['inetws'] and len(words) > 2:
                yield words[1:]


def test_commands():
    d = t.folder()
    os.mkdir(d + '/.ssh')
    with open(d + '/.ssh/tunnel-password', 'w') as f:
        f.write(PASSWORD + '\n')
    shown = 0
    for words in commands(read(t.ROOT, 'README.md')):
        words = [w.replace('$HOME', d) for w in words]
        if words[-1] == '…':
            words[-1] = '127.0.0.1:22'
        r = t.run_inetws(*words, '--dump-config')
        t.is_((r.returncode, r.stderr), (0, b''), ' '.join(words)[:70])
        shown += 1
    t.ok(shown >= 6, 'README.md has commands (%d)' % shown)


def test_configuration():
    page = read(t.ROOT, 'README.md')
    text = re.search(r'(?m)^    # cat /etc/inetws/ssh.conf\n((?:    [^#].*\n)+)',
                     page)[1]
    path = t.folder() + '/ssh.conf'
    with open(path, 'w') as f:
        f.write(text)
    r = t.run_inetws('-K', path, '--dump-config')
    t.is_((r.returncode, r.stderr), (0, b''), 'the file of the service')


def test_links():
    lost = []
    pages = [p for p in glob.glob(t.ROOT + '/**/*.md', recursive=True)
             if '/build' not in p] + glob.glob(t.ROOT + '/.github/*.md')
    for path in pages:
        for link in re.findall(r'\]\(([^)#]+)[^)]*\)', read(path)):
            if '://' not in link and not os.path.exists(
                    os.path.join(os.path.dirname(path), link)):
                lost.append('%s: %s' % (os.path.relpath(path, t.ROOT), link))
    t.is_(lost, [], 'every link leads to a file (%d pages)' % len(pages))


def test_nginx():
    """The block as it stands, with other ports and places."""
    htpasswd, = t.need('htpasswd')
    d, s = t.folder(), t.server(
        t.echo().port, '--trusted-proxy', '127.0.0.1', '--real-ip-header',
        'X-Forwarded-For')
    # nginx's workers drop their privileges.
    os.chmod(d, 0o755)
    t.run([htpasswd, '-B', '-b', '-c', d + '/users', *PASSWORD.split(':')])
    os.chmod(d + '/users', 0o644)
    page = read(t.ROOT, 'README.md')
    block = re.search(r'(?m)^    location /ssh/ \{\n(?:    .*\n|\n)*?    \}\n',
                      page)[0]
    for old, new in (('127.0.0.1:8080', '127.0.0.1:%d' % s.port),
                     ('/etc/nginx/ssh.users', d + '/users')):
        t.ok(old in block, 'the block names ' + old)
        block = block.replace(old, new)
    port = t.free_port()
    t.nginx_site(port, 'server { listen 127.0.0.1:%d;\n%s}\n' % (port, block))
    url = 'ws://127.0.0.1:%d/ssh/' % port
    r = t.run_inetws('connect', url, input=b'x')
    t.is_(r.returncode, 77, 'refused without the password')
    with open(d + '/password', 'w') as f:
        f.write(PASSWORD + '\n')
    r = t.run_inetws('connect', '-u', '@' + d + '/password', url,
                     input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'accepted with it')
    s.wait_line('event=closed.*peer=127.0.0.1[: ].*')


t.main()
