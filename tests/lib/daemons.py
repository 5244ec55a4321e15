# SPDX-License-Identifier: ISC
"""Real programs around ours: certificates by openssl, nginx with the location
block that contrib/nginx documents, sshd with throw-away keys.
"""

import collections
import os
import pwd
import socket
import textwrap

import proc
import tap

Cert = collections.namedtuple('Cert', 'ca cert key')

LOCATION = os.path.join(proc.ROOT, 'contrib', 'nginx', 'inetws.conf')


def free_port():
    """A port that was free a moment ago, for programs that cannot say which
    one they took."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def _openssl(*args):
    r = proc.run(proc.need('openssl') + list(args), timeout=60)
    if r.returncode:
        raise AssertionError('openssl %s: %s' % (args[0], r.stderr))


def certificate(names=('DNS:localhost', 'IP:127.0.0.1', 'IP:::1'), days=1):
    """A CA and a leaf for these names, made for this case."""
    d = proc.folder()
    at = lambda name: os.path.join(d, name)
    ec = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
          '-nodes')
    _openssl('req', '-x509', *ec, '-keyout', at('ca.key'), '-out',
             at('ca.pem'), '-subj', '/CN=throw-away CA', '-days', '1')
    _openssl('req', *ec, '-keyout', at('key.pem'), '-out', at('csr.pem'),
             '-subj', '/CN=throw-away')
    with open(at('ext'), 'w') as f:
        f.write('subjectAltName=%s\n' % ','.join(names))
    _openssl('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'),
             '-CAkey', at('ca.key'), '-set_serial', '2', '-days', str(days),
             '-extfile', at('ext'), '-out', at('cert.pem'))
    return Cert(at('ca.pem'), at('cert.pem'), at('key.pem'))


def location(upstream, path='/ssh/'):
    """The documented block, its address and path replaced, nothing else."""
    with open(LOCATION) as f:
        text = f.read()
    for word in ('http://127.0.0.1:8080', 'location /ssh/ '):
        if text.count(word) != 1:
            raise AssertionError('%s is to say %s once' % (LOCATION, word))
    where = ('127.0.0.1:%d' % upstream if isinstance(upstream, int)
             else upstream)
    return (text.replace('http://127.0.0.1:8080', 'http://' + where)
            .replace('location /ssh/ ', 'location %s ' % path))


def nginx(upstream, cert=None, path='/ssh/', extra='', http=''):
    """nginx in front of a port; .port, .url, .reload().

    extra goes into the server block, http into the one around it.
    """
    program, = proc.need('nginx')
    d = proc.folder()
    port = free_port()
    tls = ''
    if cert:
        tls = ('ssl_certificate %s; ssl_certificate_key %s;' %
               (cert.cert, cert.key))
    user = 'user root;' if os.getuid() == 0 else ''
    conf = os.path.join(d, 'nginx.conf')
    with open(conf, 'w') as f:
        f.write(textwrap.dedent('''\
            daemon off; %s worker_processes 1;
            pid %s/nginx.pid; error_log %s/error.log notice;
            worker_shutdown_timeout 1s;
            events { worker_connections 2048; }
            http {
                access_log off;
                client_body_temp_path %s/body; proxy_temp_path %s/proxy;
                fastcgi_temp_path %s/f; uwsgi_temp_path %s/u;
                scgi_temp_path %s/s;
                %s
                server {
                    listen 127.0.0.1:%d %s;
                    %s
            ''') % (user, d, d, d, d, d, d, d, http, port,
                    'ssl' if cert else '', tls) +
            extra + location(upstream, path) + '}}\n')
    p = proc.Program([program, '-p', d, '-c', conf, '-e',
                      os.path.join(d, 'error.log')])
    p.port, p.conf, p.folder = port, conf, d
    p.error_log = os.path.join(d, 'error.log')
    p.url = '%s://localhost:%d%s' % ('wss' if cert else 'ws', port, path)
    if not proc.until(lambda: _answers(port) or not p.alive()) or \
            not p.alive():
        raise AssertionError('nginx does not start: ' + p.log)
    return p


def _answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


Sshd = collections.namedtuple('Sshd', 'port key config user program folder')


def sshd():
    """sshd with throw-away keys; .config is an ssh_config for `ssh -F`, in
    which the host is called "there"."""
    program, keygen = proc.need('sshd', 'ssh-keygen')
    d = proc.folder()
    at = lambda name: os.path.join(d, name)
    user = pwd.getpwuid(os.getuid())
    if os.path.basename(user.pw_shell) in ('nologin', 'false'):
        raise tap.Skip('%s may not log in' % user.pw_name)
    user = user.pw_name
    port = free_port()
    for name in ('host', 'id'):
        r = proc.run([keygen, '-q', '-t', 'ed25519', '-N', '', '-f',
                      at(name)])
        if r.returncode:
            raise AssertionError('ssh-keygen: %s' % r.stderr)
    with open(at('id.pub')) as f, open(at('authorized'), 'w') as g:
        g.write(f.read())
    with open(at('host.pub')) as f, open(at('known'), 'w') as g:
        g.write('there ' + f.read())
    with open(at('sshd_config'), 'w') as f:
        f.write(textwrap.dedent('''\
            ListenAddress 127.0.0.1:%d
            HostKey %s
            AuthorizedKeysFile %s
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            PermitRootLogin yes
            MaxStartups 100
            Subsystem sftp internal-sftp
            ''') % (port, at('host'), at('authorized')))
    with open(at('ssh_config'), 'w') as f:
        f.write(textwrap.dedent('''\
            Host there
                HostName 127.0.0.1
                HostKeyAlias there
                Port %d
                User %s
                IdentityFile %s
                IdentitiesOnly yes
                UserKnownHostsFile %s
                GlobalKnownHostsFile /dev/null
                StrictHostKeyChecking yes
                BatchMode yes
                LogLevel ERROR
            ''') % (port, user, at('id'), at('known')))
    if os.getuid() == 0 and not os.path.isdir('/run/sshd'):
        os.makedirs('/run/sshd', 0o755)     # its privilege separation
    p = proc.Program([program, '-D', '-e', '-f', at('sshd_config')])
    if not proc.until(lambda: _answers(port) or not p.alive()) or \
            not p.alive():
        raise tap.Skip('sshd does not start here: ' + p.log)
    return Sshd(port, at('id'), at('ssh_config'), user, p, d)


Chain = collections.namedtuple('Chain', 'server nginx cert url')


def chain(target, *options, path='/ssh/', extra='', **kw):
    """inetws server behind nginx with TLS, as a user has it."""
    cert = certificate()
    s = proc.server(target, *options, **kw)
    n = nginx(s.port, cert, path=path, extra=extra)
    return Chain(s, n, cert, n.url)


def at_port(c, *options):
    """inetws client to a chain; .port is where it listens."""
    return proc.client(c.url, '--cacert', c.cert.ca, *options)


def unprivileged(*folders):
    """For programs that do not run as root: a preexec_fn that becomes
    somebody else, to whom these folders are given.  None if not root."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam('nobody')
    for folder in folders:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def become():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    return become
