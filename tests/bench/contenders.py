# SPDX-License-Identifier: ISC
"""Who is compared, and how each is started.  A contender gets a Stage and
returns the port that the load generator connects to; what it starts ends with
its group.  One that cannot be had raises Missing and says why."""

import os
import re
import shlex
import subprocess

import machine


class Missing(Exception):
    pass


def need(*names):
    found = machine.find(*names)
    if found is None:
        raise Missing('%s is not installed' % names[0])
    return found


def built(path):
    if not os.access(path, os.X_OK):
        raise Missing('%s has not been built' % os.path.relpath(path))


class Stage:
    """What a contender has to stand on."""

    def __init__(self, group, ports, target, folder, top, tools, log):
        self.group = group      # its processes
        self.ports = ports
        self.target = target    # the target's port
        self.folder = folder    # for configuration files, its own
        self.top = top          # the source tree
        self.tools = tools      # folder of load and trivial
        self.log = log          # open file for what it says

    def run(self, *argv, **how):
        """Start a program and leave it running."""
        argv = [str(a) for a in argv]
        self.group.start(argv, stdout=self.log, stderr=self.log, **how)

    def listening(self, port):
        machine.wait_port(port, self.group.alive)
        return port

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        machine.write(path, text)
        return path


# ------------------------------------------------------- without websocket

def direct(s):
    return s.target


def socat_hop(s, to):
    port = s.ports.get()
    s.run(need('socat'), '-b131072',
          'TCP-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024'
          % port, 'TCP:127.0.0.1:%d,nodelay' % to)
    return s.listening(port)


def socat2(s):
    return socat_hop(s, socat_hop(s, s.target))


def forker_hop(s, to):
    path = os.path.join(s.tools, 'forker')
    built(path)
    port = s.ports.get()
    s.run(path, port, to)
    return s.listening(port)


def forker2(s):
    return forker_hop(s, forker_hop(s, s.target))


STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'


def nginx(s, name, blocks):
    """An nginx of its own with these blocks in the main context."""
    load = ''
    if blocks.startswith('stream') and os.path.exists(STREAM_MODULE):
        load = 'load_module %s;\n' % STREAM_MODULE
    user = 'user root;\n' if os.geteuid() == 0 else ''
    path = s.file(name + '.conf', load + user + '''
daemon off;
pid %s/%s.pid;
worker_processes auto;
worker_rlimit_nofile 16384;
error_log stderr error;
events { worker_connections 8192; }
%s
''' % (s.folder, name, blocks))
    s.run(need('nginx'), '-p', s.folder, '-e', 'stderr', '-c', path)


def nginx_hop(s, to):
    port = s.ports.get()
    nginx(s, 'stream-%d' % port, '''stream {
    server {
        listen 127.0.0.1:%d backlog=1024;
        proxy_pass 127.0.0.1:%d;
        tcp_nodelay on;
    }
}''' % (port, to))
    return s.listening(port)


def nginx1(s):
    return nginx_hop(s, s.target)


def nginx2(s):
    return nginx_hop(s, nginx_hop(s, s.target))


def haproxy_hop(s, to):
    port = s.ports.get()
    path = s.file('haproxy-%d.cfg' % port, '''
global
    maxconn 8192
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen bench
    bind 127.0.0.1:%d
    server target 127.0.0.1:%d
''' % (port, to))
    s.run(need('haproxy'), '-db', '-f', path)
    return s.listening(port)


def haproxy2(s):
    return haproxy_hop(s, haproxy_hop(s, s.target))


# ----------------------------------------------------- servers of websocket

def websockify(s):
    port = s.ports.get()
    s.run(need('websockify'), '127.0.0.1:%d' % port, '127.0.0.1:%d' % s.target)
    return s.listening(port)


def websocketd(s):
    port = s.ports.get()
    s.run(need('websocketd'), '--address=127.0.0.1', '--port=%d' % port,
          '--binary=true', '--loglevel=error', need('socat'), '-b131072', '-',
          'TCP:127.0.0.1:%d,nodelay' % s.target)
    return s.listening(port)


# ---------------------------------------------------------- websocket tunnels

def wstunnel(s):
    """Two programs have this name; the one for node takes -s and -t."""
    program = need('wstunnel')
    entry, middle = s.ports.get(), s.ports.get()
    words = subprocess.run([program, '--help'], capture_output=True,
                           text=True, timeout=10)
    url = 'ws://127.0.0.1:%d' % middle
    if 'erebe' in words.stdout or re.search(r'^\s+client\s', words.stdout,
                                            re.M):
        s.run(program, 'server', url)
        s.listening(middle)
        s.run(program, 'client', '-L', 'tcp://127.0.0.1:%d:127.0.0.1:%d' %
              (entry, s.target), url)
    else:
        s.run(program, '-s', '127.0.0.1:%d' % middle)
        s.listening(middle)
        s.run(program, '-t', '%d:127.0.0.1:%d' % (entry, s.target), url)
    return s.listening(entry)


class Inetws:
    """inetws with some options at both ends."""

    def __init__(self, program, *options):
        self.program = program
        self.options = options

    def run(self, s, mode, port, *more):
        built(self.program)
        s.run(self.program, mode, '-l', '127.0.0.1:%d' % port,
              '--max-connections', 8192, *self.options, *more)
        return s.listening(port)

    def plain(self, s):
        server = self.run(s, 'server', s.ports.get(),
                          '127.0.0.1:%d' % s.target)
        return self.run(s, 'client', s.ports.get(),
                        'ws://127.0.0.1:%d/' % server)

    def websockify(self, s):
        """Our client, their server."""
        return self.run(s, 'client', s.ports.get(),
                        'ws://127.0.0.1:%d/' % websockify(s))

    def nginx(self, s):
        server = self.run(s, 'server', s.ports.get(),
                          '127.0.0.1:%d' % s.target)
        port, path = documented_nginx(s, server)
        return self.run(s, 'client', s.ports.get(),
                        'ws://127.0.0.1:%d%s' % (port, path))

    def nginx_tls(self, s):
        cert, key = certificate(s)
        server = self.run(s, 'server', s.ports.get(),
                          '127.0.0.1:%d' % s.target)
        port, path = documented_nginx(s, server, '''
        ssl_certificate %s;
        ssl_certificate_key %s;''' % (cert, key))
        return self.run(s, 'client', s.ports.get(), '--cacert', cert,
                        'wss://127.0.0.1:%d%s' % (port, path))

    def tls(self, s):
        cert, key = certificate(s)
        server = self.run(s, 'server', s.ports.get(), '--tls-cert', cert,
                          '--tls-key', key, '127.0.0.1:%d' % s.target)
        return self.run(s, 'client', s.ports.get(), '--cacert', cert,
                        'wss://127.0.0.1:%d/' % server)

    def argv(self, s):
        """What a launcher executes for each connection."""
        built(self.program)
        return [os.path.abspath(self.program), 'server', '-l', 'inetd',
                *self.options, '127.0.0.1:%d' % s.target]

    def by_socat(self, s):
        return by_socat(s, self.argv(s))

    def by_inetd(self, s):
        return by_inetd(s, self.argv(s))


def block_end(text, start):
    """Behind the brace that closes the first one from start on."""
    depth = 0
    for i in range(text.index('{', start), len(text)):
        depth += {'{': 1, '}': -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    raise Missing('contrib/nginx/inetws.conf: braces do not match')


def documented_nginx(s, to, tls=''):
    """nginx with the location block that the documentation gives, taken from
    there.  Returns its port and the path of that location."""
    text = machine.read(os.path.join(s.top, 'contrib/nginx/inetws.conf'))
    text = re.sub(r'(?m)#.*$', '', text)
    found = re.search(r'location\s+(?:[=~^*]+\s+)?(/\S*)\s*\{', text)
    if found is None:
        raise Missing('no location block in contrib/nginx/inetws.conf')
    block = text[found.start():block_end(text, found.start())]
    block = re.sub(r'proxy_pass\s+[^;]+;',
                   'proxy_pass http://127.0.0.1:%d;' % to, block)
    other = ''.join(text[m.start():block_end(text, m.start())] + '\n'
                    for m in re.finditer(r'\bmap\s+\S+\s+\S+\s*\{', text))
    port = s.ports.get()
    nginx(s, 'http-%d' % port, '''http {
    access_log off;
    %s
    server {
        listen 127.0.0.1:%d%s backlog=1024;
        %s
        %s
    }
}''' % (other, port, ' ssl' if tls else '', tls, block))
    return s.listening(port), found.group(1)


# --------------------------------------------------------------------- TLS

def certificate(s):
    """A throw-away certificate for 127.0.0.1 and its key."""
    cert = os.path.join(s.folder, 'cert.pem')
    key = os.path.join(s.folder, 'key.pem')
    subprocess.run([need('openssl'), 'req', '-x509', '-nodes', '-days', '2',
                    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                    '-subj', '/CN=127.0.0.1', '-addext',
                    'subjectAltName=IP:127.0.0.1', '-keyout', key,
                    '-out', cert], check=True, capture_output=True)
    return cert, key


def stunnel_hop(s, name, to, extra):
    port = s.ports.get()
    path = s.file(name + '.conf', '''
foreground = yes
pid =
debug = err
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[bench]
accept = 127.0.0.1:%d
connect = 127.0.0.1:%d
%s
''' % (port, to, extra))
    s.run(need('stunnel4', 'stunnel'), path)
    return s.listening(port)


def stunnel2(s):
    cert, key = certificate(s)
    server = stunnel_hop(s, 'server', s.target,
                         'cert = %s\nkey = %s' % (cert, key))
    return stunnel_hop(s, 'client', server, 'client = yes\n'
                       'verifyChain = yes\nCAfile = %s\n'
                       'checkIP = 127.0.0.1' % cert)


# ------------------------------------------------- a program a connection

def by_socat(s, argv):
    """fork and exec, the socket as stdin and stdout, nobody in between."""
    port = s.ports.get()
    s.run(need('socat'),
          'TCP-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024'
          % port, 'EXEC:%s,nofork' % ' '.join(
              a.replace(':', r'\:') for a in argv))
    return s.listening(port)


# openbsd-inetd stops a service that is asked for more often in a minute.
INETD_RATE = 1000000


def by_inetd(s, argv):
    port = s.ports.get()
    user = subprocess.run(['id', '-un'], capture_output=True,
                          text=True).stdout.strip()
    path = s.file('inetd.conf', '127.0.0.1:%d stream tcp nowait %s %s %s\n' %
                  (port, user, argv[0],
                   ' '.join([os.path.basename(argv[0])] + argv[1:])))
    s.run(need('openbsd-inetd', 'inetd'), '-i', '-q', 1024, '-R', INETD_RATE,
          path)
    return s.listening(port)


def trivial_argv(s):
    path = os.path.join(s.tools, 'trivial')
    built(path)
    return [os.path.abspath(path)]


def trivial_by_socat(s):
    return by_socat(s, trivial_argv(s))


def trivial_by_inetd(s):
    return by_inetd(s, trivial_argv(s))


def socat_by_inetd(s):
    """Forwards too, without a websocket."""
    return by_inetd(s, [need('socat'), '-',
                        'TCP:127.0.0.1:%d,nodelay' % s.target])


def nc_by_inetd(s):
    return by_inetd(s, [need('nc.openbsd'), '-N', '127.0.0.1',
                        str(s.target)])


# ---------------------------------------------------------------- all of them

class Contender:
    def __init__(self, name, what, start, ws=False, ours=False):
        self.name = name
        self.what = what        # a row's title
        self.start = start
        self.ws = ws            # the load generator speaks websocket
        self.ours = ours


def all_sets(program, variants):
    """{set: contenders}.  variants are (name, "BINARY OPTION...") pairs."""
    fast = Inetws(program, '--resume', '0')
    safe = Inetws(program)

    def ours(name, what, start, ws=False):
        return Contender(name, what, start, ws, True)

    sets = {
        'plain': [
            Contender('direct', 'no proxy at all', direct),
            Contender('socat2', 'socat ×2, 128 KiB', socat2),
            Contender('forker2', 'fork and copy ×2, nothing else', forker2),
            Contender('nginx2', 'nginx stream ×2', nginx2),
            Contender('haproxy2', 'HAProxy ×2, mode tcp', haproxy2),
            Contender('websockify', 'websockify ¹', websockify, True),
            Contender('websocketd', 'websocketd and socat ¹', websocketd,
                      True),
            Contender('wstunnel', 'wstunnel', wstunnel),
            ours('inetws', '**inetws**, resume on', safe.plain),
            ours('inetws0', '**inetws** `--resume 0`', fast.plain),
            ours('inetws+websockify', 'inetws client, websockify',
                 safe.websockify),
        ],
        'nginx': [
            Contender('nginx1', 'raw TCP through nginx stream', nginx1),
            ours('inetws-nginx', '**inetws**, resume on', safe.nginx),
            ours('inetws0-nginx', '**inetws** `--resume 0`', fast.nginx),
        ],
        'tls': [
            Contender('stunnel2', 'stunnel ×2 (no websocket)', stunnel2),
            ours('inetws-tls', '**inetws**, TLS of its own', fast.tls),
            ours('inetws-nginx-tls', '**inetws**, TLS by nginx, resume on',
                 safe.nginx_tls),
        ],
        'inetd': [
            Contender('trivial-socat', 'trivial static program by socat',
                      trivial_by_socat),
            ours('inetws-socat', '**inetws** by socat', safe.by_socat, True),
            Contender('trivial-inetd',
                      'trivial static program by openbsd-inetd',
                      trivial_by_inetd),
            Contender('socat-inetd', 'socat by openbsd-inetd',
                      socat_by_inetd),
            Contender('nc-inetd', 'nc by openbsd-inetd', nc_by_inetd),
            ours('inetws-inetd', '**inetws** by openbsd-inetd',
                 safe.by_inetd, True),
        ],
    }
    for name, words in variants:
        other = Inetws(*shlex.split(words))
        sets['plain'].append(ours(name, name, other.plain))
        sets['tls'].append(ours(name + '-tls', name, other.tls))
        sets['inetd'].append(ours(name + '-socat', name + ' by socat',
                                  other.by_socat, True))
        sets['inetd'].append(ours(name + '-inetd', name + ' by openbsd-inetd',
                                  other.by_inetd, True))
    return sets
