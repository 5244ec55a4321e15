# SPDX-License-Identifier: ISC
"""Real programs at the sides of ours: nginx and others as contrib documents
them, stunnel, and sshd with temporary keys."""

import collections
import os
import pwd
import random
import socket
import textwrap

import ca
import proc
import tap

_reserved = []      # sockets whose names say which ports are ours


def free_port(ports=None):
    """A port, perhaps one of these, for programs that cannot say which one
    they took.

    It is none of those that the system gives out by itself, and no other test
    program gets it as long as this one runs, so it is free until a program
    listens there on purpose.
    """
    with open('/proc/sys/net/ipv4/ip_local_port_range') as f:
        low, high = map(int, f.read().split())
    ports = ports or (
        range(max(1024, low - 16000), low) if low > 4096 else
        range(high + 1, 65536) if high < 61000 else range(low, high))
    for port in random.sample(ports, len(ports)):
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind('\0inetws-test-port-%d' % port)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(('', port))
        except OSError:
            name.close()
            continue
        _reserved.append(name)
        return port
    raise AssertionError('no port is free')


def contrib(path, *pairs):
    """The text of a file of contrib, with words replaced: (old, new), each old
    one must be there."""
    with open(os.path.join(proc.ROOT, 'contrib', path)) as f:
        text = f.read()
    for old, new in pairs:
        if old not in text:
            raise AssertionError('%s is to say %s' % (path, old))
        text = text.replace(old, new)
    return text


def location(upstream, path='/ssh/'):
    """The documented block of nginx with another address and path, and nothing
    else changed."""
    where = ('127.0.0.1:%d' % upstream if isinstance(upstream, int)
             else upstream)
    return contrib('nginx/inetws.conf',
                   ('http://127.0.0.1:8080', 'http://' + where),
                   ('location /ssh/ ', 'location %s ' % path))


def nginx(upstream, cert=None, path='/ssh/', extra='', http=''):
    """nginx in front of a port; .port, .url, .reload().  extra goes into the
    server block, http into the block around it."""
    port = free_port()
    tls = ''
    if cert:
        tls = ('ssl_certificate %s; ssl_certificate_key %s;' %
               (cert.cert, cert.key))
    p = nginx_site(port, '%s\nserver { listen 127.0.0.1:%d %s; %s\n%s%s}' % (
        http, port, 'ssl' if cert else '', tls, extra,
        location(upstream, path)))
    p.url = '%s://localhost:%d%s' % ('wss' if cert else 'ws', port, path)
    return p


def nginx_site(port, text):
    """nginx with this text in its http block; returns when it answers at the
    port."""
    program, = proc.need('nginx')
    d = proc.folder()
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
            ''') % (user, d, d, d, d, d, d, d) + text + '}\n')
    p = proc.Program([program, '-p', d, '-c', conf, '-e',
                      os.path.join(d, 'error.log')])
    p.port, p.conf, p.folder = port, conf, d
    p.error_log = os.path.join(d, 'error.log')
    return answering(p, port)


def answering(p, port):
    """Waits until a program answers at a port; the program."""
    if not proc.until(lambda: _answers(port) or not p.alive()) or \
            not p.alive():
        raise AssertionError('%s does not start: %s' % (p.argv[0], p.log))
    return p


def _answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


Sshd = collections.namedtuple('Sshd', 'port key config user program folder')


def sshd():
    """sshd with temporary keys; .config is an ssh_config for `ssh -F`, in
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


def chain(target, *options, path='/ssh/', extra='', http='', **kw):
    """inetws server behind nginx with TLS, as users have it."""
    cert = ca.certificate()
    s = proc.server(target, *options, **kw)
    n = nginx(s.port, cert, path=path, extra=extra, http=http)
    return Chain(s, n, cert, n.url)


def at_port(c, *options):
    """inetws client to such a chain; .port is where it listens."""
    return proc.client(c.url, '--cacert', c.cert.ca, *options)


def unprivileged(*folders):
    """For programs that must not run as root: a preexec_fn that changes to
    another user, who owns these folders from now on.  None if the test is not
    root."""
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


def stunnel(side, to, cert, extra=''):
    """stunnel before a local port; side 'accept' does TLS with the program
    that connects, 'connect' with the port.  Its own port."""
    program, = proc.need('stunnel')
    d = proc.folder()
    port = free_port()
    with open(d + '/conf', 'w') as f:
        f.write(textwrap.dedent('''\
            foreground = yes
            pid =
            syslog = no
            debug = notice
            [one]
            client = %s
            accept = 127.0.0.1:%d
            connect = 127.0.0.1:%d
            cert = %s
            key = %s
            ''') % ('yes' if side == 'connect' else 'no', port, to,
                    cert.cert, cert.key) + extra + '\n')
    p = proc.Program([program, d + '/conf'])
    if not proc.until(lambda: _answers(port) or not p.alive()) or \
            not p.alive():
        raise AssertionError('stunnel does not start: ' + p.log)
    return port
