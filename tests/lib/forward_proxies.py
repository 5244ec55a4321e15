# SPDX-License-Identifier: ISC
"""Forward proxies: tinyproxy, squid, ncat, microsocks and ssh -D, and scripted
ones that misbehave.

The functions return a program with .port; user is a pair, or None for a proxy
that asks for no password.
"""

import os
import socket
import threading

import daemons
import peers
import proc
import tap
import ws as _ws


def _ready(p, port):
    p.port = port
    if not proc.until(lambda: daemons._answers(port) or not p.alive()) or \
            not p.alive():
        raise AssertionError('%s does not start: %s' % (p.argv[0], p.log))
    return p


def _conf(text):
    path = os.path.join(proc.folder(), 'conf')
    with open(path, 'w') as f:
        f.write(text)
    return path


def tinyproxy(user=None):
    program, = proc.need('tinyproxy')
    port = daemons.free_port()
    return _ready(proc.Program([program, '-d', '-c', _conf(
        'Port %d\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n'
        'LogLevel Error\nMaxClients 50\n%s' % (
            port, 'BasicAuth %s %s\n' % user if user else ''))]), port)


class Kerberos:
    """A Kerberos realm with a KDC of its own: .env for programs that use it,
    .keytab of HTTP/localhost; the user "ann" has a ticket."""

    def __init__(self):
        kdc, util, admin, kinit = proc.need('krb5kdc', 'kdb5_util',
                                            'kadmin.local', 'kinit')
        if proc.run(['/usr/bin/python3', '-c', 'import gssapi']).returncode:
            raise tap.Skip('python3-gssapi is not installed')
        d = proc.folder()
        port = daemons.free_port()
        with open(d + '/krb5.conf', 'w') as f:
            f.write('[libdefaults]\ndefault_realm = TEST\nrdns = false\n'
                    'dns_lookup_kdc = false\ndns_canonicalize_hostname = '
                    'false\n[realms]\nTEST = {\nkdc = 127.0.0.1:%d\n}\n'
                    '[domain_realm]\nlocalhost = TEST\n'
                    '[logging]\ndefault = FILE:%s/log\n' % (port, d))
        with open(d + '/kdc.conf', 'w') as f:
            f.write('[kdcdefaults]\nkdc_listen = 127.0.0.1:%d\n'
                    'kdc_tcp_listen = 127.0.0.1:%d\n[realms]\nTEST = {\n'
                    'database_name = %s/db\nkey_stash_file = %s/stash\n'
                    'supported_enctypes = aes256-cts:normal\n}\n' % (
                        port, port, d, d))
        self.env = {'KRB5_CONFIG': d + '/krb5.conf',
                    'KRB5_KDC_PROFILE': d + '/kdc.conf',
                    'KRB5CCNAME': 'FILE:%s/tickets' % d,
                    'KRB5RCACHETYPE': 'none'}
        self.keytab = d + '/keytab'
        env = dict(os.environ, **self.env)
        for words, text in (
                ([util, 'create', '-s', '-r', 'TEST', '-P', 'master'], ''),
                ([admin, '-r', 'TEST'], 'addprinc -pw secret ann\n'
                 'addprinc -randkey HTTP/localhost\nktadd -k %s '
                 'HTTP/localhost\n' % self.keytab)):
            r = proc.run(words, input=text.encode(), env=env)
            if r.returncode:
                raise AssertionError('%s: %s' % (words[0], r.stderr))
        _ready(proc.Program([kdc, '-n', '-r', 'TEST'], env=self.env), port)
        r = proc.run([kinit, 'ann'], input=b'secret\n', env=env)
        if r.returncode:
            raise AssertionError('kinit: %s' % r.stderr)
        for name in ('krb5.conf', 'keytab'):
            os.chmod(os.path.join(d, name), 0o644)
        os.chmod(d, 0o755)


def squid(user=None, realm=None):
    """squid; users are in a password file, or have tickets of a Kerberos
    realm."""
    program, = proc.need('squid')
    d = proc.folder()
    port = daemons.free_port()
    auth = 'http_access allow all\n'
    if realm:
        helper = '/usr/lib/squid/negotiate_kerberos_auth'
        if not os.access(helper, os.X_OK):
            raise tap.Skip('squid has no negotiate_kerberos_auth here')
        auth = ('auth_param negotiate program %s -k %s -s HTTP/localhost\n'
                'auth_param negotiate children 1\n'
                'acl known proxy_auth REQUIRED\n'
                'http_access allow known\nhttp_access deny all\n' % (
                    helper, realm.keytab))
    if user:
        helper = '/usr/lib/squid/basic_ncsa_auth'
        if not os.access(helper, os.X_OK):
            raise tap.Skip('squid has no basic_ncsa_auth here')
        openssl, = proc.need('openssl')
        hashed = proc.run([openssl, 'passwd', '-apr1', '-stdin'],
                          input=user[1].encode()).stdout.decode().strip()
        with open(d + '/users', 'w') as f:
            f.write('%s:%s\n' % (user[0], hashed))
        auth = ('auth_param basic program %s %s/users\n'
                'auth_param basic children 1\n'
                'acl known proxy_auth REQUIRED\n'
                'http_access allow known\nhttp_access deny all\n' % (
                    helper, d))
    os.chmod(d, 0o777)
    conf = _conf('http_port 127.0.0.1:%d\npid_filename %s/pid\n'
                 'coredump_dir %s\ncache deny all\naccess_log none\n'
                 'cache_log %s/log\ncache_store_log none\n'
                 'pinger_enable off\nnetdb_filename none\n'
                 'icon_directory /usr/share/squid/icons\n'
                 'shutdown_lifetime 0 seconds\nworkers 1\n'
                 'cache_effective_user proxy\n%s' % (port, d, d, d, auth))
    return _ready(proc.Program([program, '-N', '-f', conf, '-n',
                                'iws%d' % port],
                               env=realm.env if realm else None), port)


def ncat(user=None):
    program, = proc.need('ncat')
    port = daemons.free_port()
    return _ready(proc.Program(
        [program, '-lk', '127.0.0.1', str(port), '--proxy-type', 'http'] +
        (['--proxy-auth', '%s:%s' % user] if user else [])), port)


def microsocks(user=None):
    program, = proc.need('microsocks')
    port = daemons.free_port()
    return _ready(proc.Program(
        [program, '-i', '127.0.0.1', '-p', str(port)] +
        (['-u', user[0], '-P', user[1]] if user else [])), port)


def ssh_dynamic():
    """ssh -D: OpenSSH as a SOCKS proxy."""
    ssh, = proc.need('ssh')
    there = daemons.sshd()
    port = daemons.free_port()
    return _ready(proc.Program(
        [ssh, '-F', there.config, '-N', '-D', '127.0.0.1:%d' % port,
         'there']), port)


class Scripted(peers.Listener):
    """A CONNECT proxy: .seen are the heads it got.

    answer: bytes to send instead of the right answer; piece by piece if it is
    a list, with a callable to go on with.  Behind a 2xx the connection is
    joined to where was asked for, or to port.
    """

    def __init__(self, answer=b'HTTP/1.1 200 OK\r\n\r\n', port=None, **kw):
        self.answer, self.to, self.seen = answer, port, []
        super().__init__(self._talk, **kw)

    def _talk(self, sock):
        head, rest = _ws.read_head(sock)
        text = head.decode('latin-1') if isinstance(head, bytes) else head
        self.seen.append(text)
        for piece in (self.answer if isinstance(self.answer, list)
                      else [self.answer]):
            if callable(piece):
                piece(sock)
            else:
                sock.sendall(piece)
        first = self.answer[0] if isinstance(self.answer, list) \
            else self.answer
        if not first.startswith(b'HTTP/1.1 2'):
            sock.shutdown(socket.SHUT_WR)
            return _ws.read_all(sock)
        host, _, port = text.split()[1].rpartition(':')
        far = socket.create_connection(
            ('127.0.0.1', self.to or int(port)), proc.BOUND)
        far.settimeout(None)
        sock.settimeout(None)
        back = threading.Thread(target=_copy, args=(far, sock), daemon=True)
        back.start()
        far.sendall(rest)
        _copy(sock, far)
        back.join()


def _copy(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
