#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md as a new user follows it, line by line, on a copy of this machine
with its own systemd, sshd and nginx: without nginx, through nginx with a
password, and as a service.

If it fails: a user who pastes from the first page does not get through.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import container        # noqa: E402
import re               # noqa: E402

UNITS = os.path.join(t.ROOT, 'contrib', 'systemd')
SITE = '/etc/nginx/sites-available/default'
# Nobody is there to be asked, or has a certificate for example.org.
CHANGED = (('ssh -o', 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o'),
           ('htpasswd ', 'echo PASSWORD | htpasswd -i '),
           ('wss://', 'ws://'))


class Page:
    """Lines of README.md for the shell, in their order: next() takes one."""

    def __init__(self):
        with open(os.path.join(t.ROOT, 'README.md')) as f:
            self.text = f.read()
        self.lines = re.findall(r'(?m)^(?: {4}| {7})[$#] (.*)$', self.text)

    def next(self, begin):
        """The next line that begins so; those before it are left out."""
        while not self.lines[0].startswith(begin):
            self.lines.pop(0)
        line = self.lines.pop(0)
        for old, new in CHANGED:
            line = line.replace(old, new)
        return line


class User:
    def __init__(self):
        t.need('nginx', 'htpasswd', 'sshd', 'ssh', 'ssh-keygen')
        if not os.path.exists(SITE):
            raise t.Skip('nginx has no ' + SITE)
        self.g = g = container.Container()
        g.copy(t.INETWS, '/usr/bin/inetws')
        for name in os.listdir(UNITS):
            if name.startswith('inetws'):
                g.copy(os.path.join(UNITS, name), '/etc/systemd/system/' + name)
        g.copy(UNITS + '/sysusers.conf', '/etc/sysusers.d/inetws.conf')
        g.boot()
        self.must('rm -rf ~/.ssh; mkdir -m 700 ~/.ssh; ssh-keygen -A; '
                  'ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; '
                  'cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys; '
                  'echo 127.0.0.1 localhost example.org >/etc/hosts; '
                  'systemctl start ssh nginx')

    def must(self, text):
        return self.g.must('bash', '-c', 'export HOME=/root; cd; ' + text)

    def meanwhile(self, server, line):
        """The line, while the server runs in another terminal."""
        return self.must('%s & trap "kill $!; wait" EXIT; until ss -ltn | '
                         'grep -q :8080; do sleep 0.05; done; %s' % (
                             server, line))


@t.limit(120)
def test_followed():
    page, user = Page(), User()
    hello = ' echo hello'
    server = page.next('inetws server -l 8080')
    t.is_(user.meanwhile(server, page.next('ssh ') + hello), 'hello\n',
          'without nginx')
    user.must(page.next('htpasswd '))
    location = re.search(r'(?m)^    location /ssh/ \{\n(?:    .*\n|\n)*?'
                         r'    \}\n', page.text)[0]
    user.g.put('/root/location', location)
    t.ok(SITE in page.text, 'it says where the block belongs')
    user.must("sed -i '/^\\tserver_name _;/r /root/location' " + SITE)
    old = user.must('pgrep -f "nginx: worker"').split()
    user.must(page.next('nginx -s reload'))
    t.ok(t.until(lambda: not set(old) & set(user.must(
        'pgrep -f "nginx: worker"').split())), 'nginx has read it')
    server = page.next('inetws server -l 127.0.0.1:8080')
    user.must(page.next('mkdir ') + '\n' + page.next('(umask'))
    check, ssh = page.next('inetws check'), page.next('ssh ')
    t.like(user.meanwhile(server, check), '(?m)^all is well$', 'through nginx')
    t.is_(user.meanwhile(server, ssh + hello), 'hello\n', 'ssh through it')
    t.is_(user.meanwhile(server, ssh.replace('-u @$HOME/.ssh/tunnel-password', '') +
                      hello + ' 2>&1 || echo refused').split('\n')[-2],
          'refused', 'but not without the password')
    user.must(page.next('htpasswd '))
    t.like(user.meanwhile(page.next('inetws server'), check.replace(
        'example.org/ssh/', '127.0.0.1:8080/')), '(?m)^all is well$',
        'with a password that inetws checks')
    user.must(page.next('systemd-sysusers'))
    lines = re.search(r'(?ms)^    # mkdir -p /etc/inetws\n.*?^    END\n',
                      page.text)[0]
    user.must(re.sub('(?m)^    (# )?', '', lines))
    user.must(page.next('systemctl enable'))
    t.is_(user.must(ssh + hello), 'hello\n', 'the service')
    t.ok(t.until(lambda: re.search('event=closed .*peer=127.0.0.1',
                                   user.g.journal('inetws@ssh'))),
         'and its log')


t.main()
