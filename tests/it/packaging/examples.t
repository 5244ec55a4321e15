#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws-examples(7): every command for inetws is one, and ssh behind nginx and
the certificates for a colleague work as the page says.

If it fails: who pastes an example gets an error.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402

PASSWORD = 'ann:pw-7731'


def page():
    with open(os.path.join(t.ROOT, 'man', 'inetws-examples.7')) as f:
        return f.read().replace('\\e\n', '\\\n')


def block(begin):
    """The literal block that begins so."""
    found = [b for b in re.findall(r'(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed',
                                   page()) if b.startswith(begin)]
    if len(found) != 1:
        raise AssertionError('%d blocks begin with %r' % (len(found), begin))
    return found[0]


def commands():
    """The command lines for inetws, those of ProxyCommand too."""
    text = page().replace('\\\n', ' ')
    return re.findall(r'(?m)^(?:\.Dl )?\w*[$#] (inetws .*)$', text) + \
        re.findall(r'ProxyCommand (inetws .*)', text)


def test_commands():
    d = t.folder()
    for line in commands():
        words = [os.path.join(d, w[1:].replace('$HOME/', '')) if w[0] == '@'
                 else w for w in shlex.split(line)[1:]]
        for i, w in enumerate(words):
            if w.startswith(d):
                os.makedirs(os.path.dirname(w), exist_ok=True)
                with open(w, 'w') as f:
                    f.write('X-User: x\n')      # a field, and a user too
                words[i] = '@' + w
        r = t.run_inetws(*words, '--dump-config', cwd=d)
        t.is_((r.returncode, r.stderr), (0, b''), line[:70])
    t.ok(len(commands()) >= 10, 'there are commands')


def test_ssh():
    htpasswd, ssh, scp = t.need('htpasswd', 'ssh', 'scp')
    sshd, d = t.sshd(), t.folder()
    os.chmod(d, 0o755)          # for nginx's worker
    conf = d + '/ssh.conf'
    with open(conf, 'w') as f:
        f.write(block('mode           server').replace(
            '127.0.0.1:8080', '127.0.0.1:0').replace(
            '127.0.0.1:22', '127.0.0.1:%d' % sshd.port))
    s = t.inetws('-K', conf)
    s.port = t.port_of(t.listening(s)[0])
    t.run([htpasswd, '-B', '-b', '-c', d + '/users', *PASSWORD.split(':')])
    os.chmod(d + '/users', 0o644)
    cert, port = t.certificate(), t.free_port()
    t.nginx_site(port, 'server { listen 127.0.0.1:%d ssl; ssl_certificate %s; '
                 'ssl_certificate_key %s;\n%s}\n' % (
                     port, cert.cert, cert.key, block('location /ssh/').replace(
                         '127.0.0.1:8080', '127.0.0.1:%d' % s.port).replace(
                         '/etc/nginx/ssh.users', d + '/users')))
    os.mkdir(d + '/.ssh')
    with open(d + '/.ssh/tunnel-password', 'w') as f:
        f.write(PASSWORD + '\n')
    host = block('Host tunnel')
    for old, new in (('HostKeyAlias example.org', 'HostKeyAlias there'),
                     ('HostName example.org', 'HostName localhost'),
                     ('inetws connect', '%s connect --cacert %s' % (
                         shlex.quote(t.INETWS), cert.ca)),
                     ('@$HOME/', '@' + d + '/'),
                     ('wss://example.org/', 'wss://localhost:%d/' % port)):
        t.ok(old in host, 'the block has ' + old)
        host = host.replace(old, new)
    with open(sshd.config) as f:
        given = f.read()
    with open(d + '/config', 'w') as f:
        f.write(host + given.replace('Host there', 'Host *').replace(
            'HostName 127.0.0.1\n', '').replace('HostKeyAlias there\n', ''))
    r = t.run([ssh, '-F', d + '/config', 'tunnel', 'cat'], input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'ssh tunnel')
    if r.returncode:
        t.diag(r.stderr)
    with open(d + '/file', 'w') as f:
        f.write('x' * 100000)
    r = t.run([scp, '-q', '-F', d + '/config', d + '/file',
               'tunnel:%s/copy' % d])
    t.is_(r.returncode, 0, 'scp file tunnel:')
    t.is_(os.path.getsize(d + '/copy'), 100000, 'the whole file')


def test_certificates():
    sh = t.need('sh', 'openssl')[0]
    d = t.folder()
    script = re.sub(r'(?m)^\$ ', '', block('$ openssl req -x509'))
    r = t.run([sh, '-ec', script], cwd=d)
    t.is_(r.returncode, 0, 'the certificates are made')
    s = t.server(t.echo().port, '--tls-cert', d + '/server.pem', '--tls-key',
                 d + '/server.key', '--tls-client-ca', d + '/ca.pem')
    words = ['connect', '--cacert', d + '/ca.pem', '--connect-to',
             '::127.0.0.1:%d' % s.port]
    url = 'wss://example.org:8443/'
    r = t.run_inetws(*words, '--cert', d + '/alice.pem', '--key',
                     d + '/alice.key', url, input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'alice is accepted')
    if r.returncode:
        t.diag(r.stderr)
    s.wait_line('subject="CN=alice"')
    r = t.run_inetws(*words, url, input=b'x')
    t.ok(r.returncode != 0, 'a client without certificate is not')


t.main()
