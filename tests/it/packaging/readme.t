#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md: its commands are ones, in an order in which they can be pasted, its
links lead somewhere, and ssh through nginx works as it says, with a password.

If it fails: a user who pastes from the first page gets an error.
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
    lines = re.findall(r'(?m)^(?: {4}| {7})[$#] (.*)$',
                       page.replace('\\\n', ' '))
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


def test_order():
    """What a line needs stands before it."""
    page = read(t.ROOT, 'README.md')
    for first, then in (
            ('# make install', '$ inetws '),
            ('apt-get install nginx apache2-utils', '# htpasswd '),
            ('# htpasswd -B -c /etc/nginx/ssh.users', '# nginx -s reload'),
            (">~/.ssh/tunnel-password)", '@$HOME/.ssh/tunnel-password'),
            ('# systemd-sysusers && systemctl daemon-reload',
             '# mkdir -p /etc/inetws'),
            ('# mkdir -p /etc/inetws', '>/etc/inetws/ssh.conf'),
            ('>/etc/inetws/ssh.conf', '# systemctl enable --now inetws@ssh')):
        t.ok(-1 < page.find(first) < page.find(then),
             '%s: before %s' % (first, then))
    part = page.split('## Try it')[1].split('\n## ')[0]
    t.like(part, '(?s)terminal.*inetws server.*second.*inetws connect',
           'two terminals')


def test_pasted():
    """The lines that make files make them, and nobody else reads a password."""
    sh, = t.need('sh')
    for name in ('README.md', 'contrib/systemd/README.md'):
        page = read(t.ROOT, name)
        t.is_(re.findall(r'(?m)^ +# cat /.*', page), [],
              name + ': no file is printed where it is to be made')
        d = t.folder()
        lines = re.search(r'(?ms)^    # mkdir -p /etc/inetws\n.*?^    END\n',
                          page)[0]
        script = re.sub('(?m)^    (# )?', '', lines).replace('/etc/', d + '/')
        t.is_(t.run([sh, '-ec', script]).returncode, 0, 'pasted')
        r = t.run_inetws('-K', d + '/inetws/ssh.conf', '--dump-config')
        t.is_((r.returncode, r.stderr), (0, b''), 'the file of the service')
    lines = re.findall(r"(?m)^    \$ (mkdir .*|\(umask .*)$",
                       read(t.ROOT, 'README.md'))
    t.is_(len(lines), 2, 'the password of a client')
    r = t.run([sh, '-ec', '\n'.join(lines)], env=dict(os.environ, HOME=d))
    at = d + '/.ssh/tunnel-password'
    t.is_((r.returncode, read(at), os.stat(at).st_mode & 0o777),
          (0, 'ann:PASSWORD\n', 0o600), 'is made, for its owner only')


def test_pictures():
    """They say what the text says."""
    page = read(t.ROOT, 'README.md')
    way = re.search(r'(?m)^    ssh ── .*', page)[0]
    svg = read(t.ROOT, 'contrib', 'html', 'path.svg')
    boxes = re.findall(r'<text x[^>]*>([^<]*)<', svg)
    t.is_(boxes, [w for w in re.split(' [─═]+ ', way.strip())
                  if '://' not in w], 'the way of a connection')
    year, month, day = re.search(
        r'<!-- figures -->\n(\d+)-(\d+)-(\d+): `make bench ',
        read(t.ROOT, 'tests', 'bench', 'README.md')).groups()
    t.is_((month, re.search(r'chart\.svg(?s:.*?)(\d+) November (\d+)',
                            page).groups()), ('11', (day, year)),
          'the date of the chart')


def test_links():
    lost, links = [], 0
    pages = [p for p in glob.glob(t.ROOT + '/**/*.md', recursive=True)
             if '/build' not in p] + glob.glob(t.ROOT + '/.github/*.md')
    for path in pages:
        for link in re.findall(r'\]\(([^)#]+)[^)]*\)', read(path)):
            links += 1
            if '://' not in link and not os.path.exists(
                    os.path.join(os.path.dirname(path), link)):
                lost.append('%s: %s' % (os.path.relpath(path, t.ROOT), link))
    t.ok(len(pages) > 10 and links > 50, '%d links of %d pages' % (
        links, len(pages)))
    t.is_(lost, [], 'every link leads to a file')


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
