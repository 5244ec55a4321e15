#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws-examples(7): every block is run, here or where SAME, SCENARIO and
OTHERS say, or is marked as untested in the page.

If it fails: a user who pastes an example gets an error.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import hashlib          # noqa: E402
import manual           # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402
import socket           # noqa: E402

PASSWORD = 'ann:pw-7731'

# Those that are a file of the tree without its comments, which others run.
SAME = {
    'defaults\n\tmode http': ('contrib/haproxy/haproxy.cfg',
                              'contrib_proxies.t'),
    'ProxyPass ': ('contrib/apache/inetws.conf', 'contrib_proxies.t'),
    'example.org {': ('contrib/caddy/Caddyfile', 'contrib_proxies.t'),
    '127.0.0.1:8080\tstream': ('contrib/inetd/inetd.conf',
                               'contrib_launchers.t'),
    'exec 2>&1': ('contrib/tcpserver/run', 'contrib_launchers.t'),
    '<?xml': ('contrib/launchd/org.inetws.ssh.plist', 'contrib_other.t'),
    'server {\n\tlisten 443 ssl;\n\tserver_name desk':
        ('tests/scenarios/browser-desktop/nginx.conf', 'browser-desktop.t'),
    'server {\n\tlisten 443 ssl;\n\tserver_name gate':
        ('tests/scenarios/fleet/nginx.conf', 'fleet.t'),
    'server {\n\tlisten 443 ssl;\n\tserver_name hq':
        ('tests/scenarios/two-sites/nginx.conf', 'two-sites.t'),
}
# Those whose lines stand in the page of a scenario, whose test runs them.
SCENARIO = {
    'host42$ inetws agent': 'fleet',
    'gate# ssh -o ProxyCommand': 'fleet',
    'gate# install -d': 'fleet',
    '# inetws gate -l 127.0.0.1:39000 --visitors-dir': 'token',
    '$ inetws agent wss://gate': 'token',
    '$ curl https://gate': 'token',
    'hq$ openssl': 'two-sites',
    'hq# inetws server': 'two-sites',
    'branch# inetws client': 'two-sites',
    '# install -m 640': 'browser-desktop',
}
# Other tests that run blocks: they get them from lib/manual.py.
OTHERS = ('tests/it/client/proxy.t', 'tests/it/packaging/contrib_proxies.t',
          'tests/it/packaging/contrib_systemd.t', 'tests/peers/postgresql.t')


def items():
    return manual.items(since='.Sh SSH BEHIND NGINX')


def commands():
    """The command lines for inetws, those of ProxyCommand too."""
    return [line for i in items() for line in i.lines() + re.findall(
        r"ProxyCommand(?:=')? ?(inetws [^'\n]*)", i.text)
        if line.startswith('inetws ')]


def without_comments(path):
    with open(os.path.join(t.ROOT, path)) as f:
        text = re.sub(r'(?ms)^[ \t]*#[^\n]*\n|^<!--.*?-->\n', '', f.read())
    return re.sub('\n{3,}', '\n\n', text).strip('\n')


def test_all():
    """Nothing of the page is left out."""
    here = os.path.relpath(os.path.abspath(__file__), t.ROOT)
    users = {path: manual.used(path) for path in (here,) + OTHERS}
    run = set().union(*users.values())
    seen = set()
    for item in items():
        first = item.text.split('\n')[0]
        kinds = [b for k in (run, SAME, SCENARIO) for b in k
                 if item.text.startswith(b)]
        seen.update(kinds)
        t.ok(kinds or item.untested, 'run or marked: ' + first)
        t.ok(not item.untested or all(b in SAME for b in kinds),
             'and not both')
        for begin in kinds:
            if begin in SAME:
                same_as_file(item, *SAME[begin])
            elif begin in SCENARIO:
                same_in_scenario(item, SCENARIO[begin])
    t.is_(sorted((run | set(SAME) | set(SCENARIO)) - seen), [],
          'no list is stale')
    t.is_([p for p, of in users.items() if not of], [], 'nor a file')
    t.ok(len(items()) > 50, '%d blocks' % len(items()))


def test_options():
    """Those that it only names, as in the tables, are options too."""
    with open(os.path.join(t.ROOT, 'man', 'inetws-examples.7')) as f:
        named = set(re.findall(r'Fl -([a-z-]+)', f.read()))
    shown = ''.join(t.run_inetws(mode, '--help').stdout.decode() for mode in (
        'server', 'client', 'connect', 'agent', 'gate', 'check'))
    t.ok(len(named) > 10, 'options are named')
    t.is_(sorted(n for n in named if not re.search(
        '--%s(?![a-z-])' % n, shown)), [], '%d options' % len(named))


def same_as_file(item, path, test):
    """That file without its comments; the test reads it."""
    t.is_(item.text.strip('\n'), without_comments(path), 'as in ' + path)
    tests = glob.glob(os.path.join(t.ROOT, 'tests', '**', test),
                      recursive=True)
    with open(tests[0]) as f:
        named = re.findall(r"'([\w./-]+)'", f.read())
    t.ok(any(path.endswith('/' + n) or path == n for n in named),
         'which %s reads' % test)


def same_in_scenario(item, where):
    """Each line is in its page, and one that its test takes from there."""
    folder = 'tests/scenarios/%s/' % where
    taken = manual.of_scenario(folder + where + '.t')
    with open(os.path.join(t.ROOT, folder, 'README.md')) as f:
        page = f.read().replace('\\\n', ' ')
    for line in item.lines():
        t.ok(re.search(r'(?m)^    [\w.@-]*[$#] ' + re.escape(line) + '$', page),
             'in its page too: ' + line[:60])
        t.ok(any(line.startswith(b) for b in taken), 'and run by its test')


def is_taken(line):
    """inetws takes this command line; files that it names are there."""
    d, words = t.folder(), shlex.split(line)[1:]
    for i, w in enumerate(words):
        if w[0] == '@':
            words[i] = '@' + os.path.join(
                d, w[1:].replace('$HOME', '').lstrip('/'))
            os.makedirs(os.path.dirname(words[i][1:]), exist_ok=True)
            with open(words[i][1:], 'w') as f:
                f.write('X-User: x\n')      # a field, and a user too
    at = words.index('--') if '--' in words else len(words)
    words[at:at] = ['--dump-config']
    r = t.run_inetws(*words, cwd=d)
    t.is_((r.returncode, r.stderr), (0, b''), line[:70])


def test_commands():
    for line in commands():
        is_taken(line)
    t.ok(len(commands()) >= 30, 'there are commands')


def test_other_manuals():
    """So are those of the other manuals."""
    for name, least in (('inetws.1', 40), ('inetws-troubleshooting.7', 2)):
        with open(os.path.join(t.ROOT, 'man', name)) as f:
            page = f.read().replace('\\e\n', ' ').replace('\\e', '\\')
        lines = [line for part in re.findall(
            r'(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed|^\.Dl ([^\n]*)', page)
            for line in re.findall(r'(?m)^[\w.]*[$#] (inetws .*)$',
                                   ''.join(part))
            if not line.startswith(('inetws status', 'inetws -K'))]
        for line in lines:
            is_taken(line)
        t.ok(len(lines) >= least, '%s has %d commands' % (name, len(lines)))


def test_folder():
    """/etc/inetws is made before a command puts a file there."""
    for name in ('inetws-examples.7', 'inetws.1'):
        with open(os.path.join(t.ROOT, 'man', name)) as f:
            sections = re.split(r'(?m)^\.Sh ', f.read())
        found = [re.search(r'(?m)^\w*[$#] (?!mkdir).*\s(?:/dev/null|-|>>?|-c)'
                           r' ?/etc/inetws/|^\t.*(?:>>?| -) ?/etc/inetws/', s)
                 for s in sections]
        t.ok(any(found), name + ' has such commands')
        t.is_([s.split('\n')[0] for s, m in zip(sections, found)
               if m and 'mkdir -p /etc/inetws' not in s[:m.start()]],
              [], 'the folder is made in each section')


def test_home():
    """A file of the home folder is found from any folder."""
    for path in glob.glob(os.path.join(t.ROOT, 'man', '*.[1-9]')):
        with open(path) as f:
            t.is_(re.findall(r'@\.ssh/\S*', f.read()), [],
                  os.path.basename(path))


def test_ssh():
    t.need('htpasswd', 'ssh', 'scp', 'sftp', 'rsync', 'git')
    sshd, d = t.sshd(), t.folder()
    t.rundir()
    os.chmod(d, 0o755)          # for nginx's worker
    conf = d + '/ssh.conf'
    with open(conf, 'w') as f:
        f.write(manual.block('mode           server').replace(
            '127.0.0.1:8080', '127.0.0.1:0').replace(
            '127.0.0.1:22', '127.0.0.1:%d' % sshd.port))
    s = t.inetws('-K', conf)
    s.port = t.port_of(t.listening(s)[0])
    cert, port = t.certificate(), t.free_port()
    location = manual.block('location /ssh/')
    t.nginx_site(port, 'server { listen 127.0.0.1:%d ssl; ssl_certificate %s; '
                 'ssl_certificate_key %s;\n%s}\n' % (
                     port, cert.cert, cert.key, location.replace(
                         '127.0.0.1:8080', '127.0.0.1:%d' % s.port).replace(
                         '/etc/nginx/ssh.users', users(d))))
    os.mkdir(d + '/.ssh')
    with open(d + '/.ssh/tunnel-password', 'w') as f:
        f.write(PASSWORD + '\n')
    url = 'wss://localhost:%d/' % port
    r = t.run_inetws(*manual.words(
        '$ inetws check -u @$HOME/.ssh/tunnel-password \\\n    wss://e',
        ('$HOME', d), ('wss://example.org/', url)), '--cacert', cert.ca, cwd=d)
    t.is_(r.returncode, 0, 'check')
    w = t.ws.connect(s.port)
    r = t.run_inetws(*manual.words('# inetws status'))
    t.like(r.stdout.decode(), '127.0.0.1:%d' % w.sock.getsockname()[1],
           'status shows the tunnels')
    w.bye()
    host = manual.block('Host tunnel\n\tHostName')
    for old, new in (('HostKeyAlias example.org', 'HostKeyAlias there'),
                     ('HostName example.org', 'HostName localhost'),
                     ('wss://example.org/', url)):
        t.ok(old in host, 'the block has ' + old)
        host = host.replace(old, new)
    use(Client(d, sshd, cert, host))


class Client:
    """~/.ssh/config with a block of the page, and the keys of an sshd."""

    def __init__(self, d, sshd, cert, block, alias=True):
        self.folder, self.config = d, d + '/config'
        with open(sshd.config) as f:
            given = f.read().replace('Host there', 'Host *').replace(
                'HostName 127.0.0.1\n', '')
        if alias:
            given = given.replace('HostKeyAlias there\n', '')
        if cert:
            block = block.replace('inetws connect', '%s connect --cacert %s' % (
                shlex.quote(t.INETWS), cert.ca)).replace(
                    '@$HOME/', '@' + d + '/')
        with open(self.config, 'w') as f:
            f.write(block + given)

    def run(self, name, *words, **kw):
        """A line of the page, with this configuration."""
        program, = t.need(name)
        option = {'rsync': ['-e', 'ssh -F ' + self.config],
                  'git': []}.get(name, ['-F', self.config])
        env = dict(os.environ, GIT_SSH_COMMAND='ssh -F ' + self.config,
                   GIT_CONFIG_GLOBAL='/dev/null')
        r = t.run([program, *option, *words], cwd=self.folder, env=env, **kw)
        t.is_(r.returncode, 0, ' '.join((name,) + words))
        if r.returncode:
            t.diag(r.stderr)
        return r.stdout


def use(client):
    """What the page says that works: each line of it."""
    d = client.folder
    with open(d + '/file', 'w') as f:
        f.write('x' * 100000)
    os.mkdir(d + '/folder')
    with open(d + '/folder/file', 'w') as f:
        f.write('y')
    there = d + '/there'
    os.mkdir(there)
    git, = t.need('git')
    t.run([git, 'init', '-q', '--bare', there + '/repository.git'])
    seen = []
    for line in manual.lines('$ ssh tunnel'):
        name, *words = line.replace('tunnel:', 'tunnel:%s/' % there).split()
        seen.append(name)
        if name == 'ssh':
            t.is_(client.run(name, *words, 'cat', input=b'hello'), b'hello',
                  'bytes there and back')
        elif name == 'sftp':
            t.like(client.run(name, '-b', '-', *words,
                              input=b'ls %s\n' % there.encode()), 'file',
                   'its listing')
        else:
            client.run(name, *words)
    t.is_(seen, ['ssh', 'scp', 'sftp', 'rsync', 'git'], 'all of them')
    t.is_((os.path.getsize(there + '/file'),
           os.path.exists(there + '/folder/file'),
           os.path.isdir(d + '/repository')), (100000, True, True),
          'files have come')


def users(d, name='users'):
    """As htpasswd of the page makes it, for nginx's worker to read."""
    htpasswd, = t.need('htpasswd')
    line, = [x for x in manual.lines('# htpasswd -B -c')
             if x.startswith('htpasswd')]
    words = line.replace('/etc/nginx/ssh.users', d + '/' + name).split()
    t.run([htpasswd, '-b', *words[1:], PASSWORD.split(':')[1]])
    os.chmod(d + '/' + name, 0o644)
    return d + '/' + name


def test_by_path():
    sshd, d, cert = t.sshd(), t.folder(), t.certificate()
    os.chmod(d, 0o755)
    servers = {}
    lines = manual.lines('# inetws server -l 127.0.0.1:8081')
    for line, target in zip(lines, (sshd.port, t.echo().port)):
        words = shlex.split(line)[1:]
        words[-1] = '127.0.0.1:%d' % target
        at = words[words.index('-l') + 1]
        words[words.index('-l') + 1] = '127.0.0.1:0'
        s = t.inetws(*words)
        servers[at] = t.listening(s)[0]
    with open(d + '/proxy.conf', 'w') as f:
        f.write(manual.block('proxy_http_version 1.1;').replace(
            '/etc/nginx/ssh.users', users(d)))
    text = manual.block('location /hosts/mail/').replace(
        '/etc/nginx/inetws-proxy.conf', d + '/proxy.conf')
    for at, real in servers.items():
        t.ok(at in text, 'nginx names ' + at)
        text = text.replace(at, real)
    with open(d + '/index.html', 'w') as f:
        f.write('the pages\n')
    port = t.free_port()
    t.nginx_site(port, 'server { listen 127.0.0.1:%d ssl; ssl_certificate %s; '
                 'ssl_certificate_key %s;\nlocation / { root %s; }\n%s}\n' % (
                     port, cert.cert, cert.key, d, text))
    os.mkdir(d + '/.ssh')
    with open(d + '/.ssh/tunnel-password', 'w') as f:
        f.write(PASSWORD + '\n')
    site = 'wss://localhost:%d/' % port
    last = t.run_inetws('connect', '--cacert', cert.ca, '-u', '@' + d +
                        '/.ssh/tunnel-password', site + 'hosts/db/',
                        input=b'hello')
    t.is_((last.returncode, last.stdout), (0, b'hello'), 'the second path')
    r = t.run_inetws(*manual.words(
        '$ inetws check -u @$HOME/.ssh/tunnel-password \\\n    wss://www',
        ('$HOME', d), ('wss://www.example.org/', site)), '--cacert', cert.ca,
        cwd=d)
    t.is_(r.returncode, 0, 'check')
    r = t.run_inetws('connect', '--cacert', cert.ca, site + 'hosts/mail/',
                     input=b'')
    t.is_(r.returncode, 77, 'refused without the password')
    curl, = t.need('curl')
    r = t.run([curl, '-s', '--cacert', cert.ca, site.replace('wss', 'https')])
    t.is_(r.stdout, b'the pages\n', 'the pages are there as before')
    host = manual.block('Host mail db').replace('wss://www.example.org/', site)
    client = Client(d, sshd, cert, host, alias=False)
    t.is_(client.run('ssh', 'mail', 'cat', input=b'hello'), b'hello',
          'ssh mail')


def test_proxy():
    p, s, cert = t.tinyproxy(tuple(PASSWORD.split(':'))), t.server(
        t.echo().port), t.certificate()
    n, d = t.nginx(s.port, cert), t.folder()
    with open(d + '/proxy-password', 'w') as f:
        f.write(PASSWORD + '\n')
    pairs = (('http://proxy.example.com:3128', 'http://127.0.0.1:%d' % p.port),
             ('wss://example.org/ssh/', n.url))
    words = manual.words('$ inetws check -x http', *pairs)
    r = t.run_inetws(*words, '--cacert', cert.ca, cwd=d)
    t.is_(r.returncode, 0, 'check through a proxy with a password')
    t.like(r.stdout.decode(), '127.0.0.1:%d' % p.port, 'which it names')
    words = manual.words('$ inetws check --cacert company', pairs[1],
                     ('company-ca.pem', cert.ca))
    t.is_(t.run_inetws(*words).returncode, 0, 'with an authority')
    short = ('--proxy-idle', '--proxy-idle=500ms')
    words = manual.words('$ inetws check --proxy-idle -x', short, *pairs)
    r = t.run_inetws(*words, '--cacert', cert.ca, cwd=d)
    t.like(r.stdout.decode(), r'(?m)^ok +idle +lives for', 'how long it lets a '
           'tunnel be silent')
    words = manual.words('$ inetws check --proxy-idle wss', short, pairs[1])
    r = t.run_inetws(*words, '--cacert', cert.ca)
    t.like(r.stdout.decode(), r'(?m)^ok +idle +lives for', 'without a proxy')
    host = manual.block('Host tunnel\n\tHostKeyAlias')
    os.mkdir(d + '/.ssh')
    os.rename(d + '/proxy-password', d + '/.ssh/proxy-password')
    for old, new in pairs:
        t.ok(old in host, 'the block has ' + old)
        host = host.replace(old, new)
    sshd = t.sshd()
    s = t.server(sshd.port)
    host = host.replace(n.url, t.nginx(s.port, cert).url).replace(
        'HostKeyAlias example.org', 'HostKeyAlias there')
    client = Client(d, sshd, cert, host)
    t.is_(client.run('ssh', 'tunnel', 'cat', input=b'hello'), b'hello',
          'ssh through it')


def test_nat():
    sh, d, sshd = t.need('sh')[0], t.folder(), t.sshd()
    t.rundir()
    script = manual.lines('gate# secret=$(openssl rand -hex 16)\ngate# '
                        'echo "office')
    t.run([sh, '-ec', '\n'.join(script[:2]) + '\nprintf "Authorization: '
           'Bearer $secret\n" >secret'], cwd=d)
    words = shlex.split(script[2])[1:]
    for at in ('127.0.0.1:39000', '127.0.0.1:2222'):
        words[words.index(at)] = '127.0.0.1:0'
    gate = t.inetws(*words, cwd=d)
    agents, = t.listening(gate)
    visitors = gate.wait_line(r'visitors on (\S+)')[1]
    t.inetws(*manual.words(
        'office$ inetws agent', ('wss://example.org/', 'ws://%s/' % agents),
        ('127.0.0.1:22', '127.0.0.1:%d' % sshd.port)), cwd=d)
    status = manual.words('gate$ inetws status')
    t.ok(t.until(lambda: b'office' in t.run_inetws(*status).stdout),
         'status shows the agent')
    words = manual.words('gate$ inetws status', (
        '2222', t.port_of(visitors)), number=1)
    client = Client(d, sshd, None, '', alias=False)
    t.is_(client.run('ssh', *words, 'cat', input=b'hello'), b'hello',
          'a visitor is at the target')


def test_fleet_secret():
    """The gate's line for a machine has the hash of the secret."""
    sh, d = t.need('sh')[0], t.folder()
    script = manual.lines('gate# secret=$(openssl rand -hex 16)\ngate# echo '
                          '"host42')
    r = t.run([sh, '-ec', '\n'.join(script).replace('/etc/inetws', d) +
               '\nprintf %s $secret'], cwd=d)
    with open(d + '/fleet') as f:
        line = f.read()
    t.is_((r.returncode, line), (0, 'host42 %s\n' % hashlib.sha256(
        r.stdout).hexdigest()), 'the line')


def test_mqtt():
    sh, d = t.need('sh')[0], t.folder()
    echo, server = manual.lines('# echo "token:page')
    t.run([sh, '-c', echo.replace('/etc/inetws', d)])
    words = shlex.split(server.replace('/etc/inetws', d))[1:]
    words[-1] = '127.0.0.1:%d' % t.echo().port
    words[words.index('-l') + 1] = '127.0.0.1:0'
    s = t.inetws(*words)
    url = 'ws://%s/mqtt/' % t.listening(s)[0]
    with open(d + '/page-token', 'w') as f:
        f.write('Authorization: Bearer TOKEN\n')
    words = manual.words('$ inetws check --subprotocol mqtt',
                     ('wss://example.org/mqtt/', url))
    r = t.run_inetws(*words, cwd=d)
    t.is_(r.returncode, 0, 'check as a page')
    if r.returncode:
        t.diag(r.stdout + r.stderr)
    w = t.ws.dial(t.port_of(t.listening(s)[0]))
    w.sendall(t.ws.request('/mqtt/', headers=[
        ('Sec-WebSocket-Protocol', 'mqtt, bearer.TOKEN'),
        ('Origin', 'https://www.example.org')]))
    head, _ = t.ws.read_head(w)
    t.like(head, r'\AHTTP/1.1 101 (?s:.)*Protocol: mqtt\r', 'a page')
    words = [x.replace('www.example.org', 'evil.test') for x in words]
    t.is_(t.run_inetws(*words, cwd=d).returncode, 77, 'not one from elsewhere')


def seconds(text):
    return int(text[:-1]) * {'s': 1, 'm': 60}[text[-1]]


def test_kubernetes():
    """Its words agree with each other and with the program."""
    try:
        import yaml
    except ImportError:
        raise t.Skip('no python3-yaml')
    deploy, service, ingress = yaml.safe_load_all(
        manual.block('apiVersion: apps/v1'))
    pod = deploy['spec']['template']['spec']
    container, = pod['containers']
    args = container['args']
    t.is_((deploy['spec']['selector']['matchLabels'],
           service['spec']['selector']),
          ((deploy['spec']['template']['metadata']['labels'],) * 2), 'labels')
    port, = service['spec']['ports']
    t.is_(port['targetPort'], container['ports'][0]['name'], 'the port')
    t.ok('--listen=:%d' % container['ports'][0]['containerPort'] in args,
         'is listened at')
    to = ingress['spec']['rules'][0]['http']['paths'][0]['backend']['service']
    t.is_((to['name'], to['port']['name']),
          (service['metadata']['name'], port['name']), 'the way in')
    t.ok(all(isinstance(v, str) for v in
             ingress['metadata']['annotations'].values()), 'are strings')
    drain, = [a.split('=')[1] for a in args if a.startswith('--drain=')]
    t.ok(pod['terminationGracePeriodSeconds'] > seconds(drain),
         'the grace period is longer than --drain')
    t.rundir()
    echo = t.echo(port=t.free_port())   # which no other program gets
    s = t.inetws(*[a.replace('=:8080', '=127.0.0.1:0').replace(
        '=:9117', '=127.0.0.1:0') for a in args[:-1]],
        '127.0.0.1:%d' % echo.port)
    metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    probes = [container[p]['httpGet'] for p in
              ('livenessProbe', 'readinessProbe')]
    for probe in probes:
        t.ok('--metrics=:%d' % probe['port'] in args, 'asked at --metrics')
        t.is_(t.http(metrics, probe['path'])[0], 200, probe['path'])
    echo.close()
    t.ok(t.until(lambda: t.http(metrics, probes[1]['path'])[0] == 503, 6 *
                 t.BOUND, pause=0.2), 'without the target it is not ready')
    t.is_(t.http(metrics, probes[0]['path'])[0], 200, 'but alive')


def test_certificates():
    sh = t.need('sh', 'openssl')[0]
    d = t.folder()
    script = re.sub(r'(?m)^\$ ', '', manual.block('$ openssl req -x509'))
    r = t.run([sh, '-ec', script], cwd=d)
    t.is_(r.returncode, 0, 'the certificates are made')
    echo = t.echo()
    s = t.inetws(*manual.words(
        '# inetws server -l :8443', (':8443', '127.0.0.1:0'),
        ('--run-as inetws ', ''), ('127.0.0.1:5432', '127.0.0.1:%d' %
                                   echo.port)), cwd=d)
    words = ['--connect-to', '::' + t.listening(s)[0]]
    c = t.inetws(*manual.words('$ inetws client -l 5432', ('-l 5432',
                                                       '-l 127.0.0.1:0')),
                 *words, cwd=d)
    x = socket.create_connection(('127.0.0.1', t.port_of(
        t.listening(c)[0])), t.BOUND)
    t.on_close(x.close)
    x.sendall(b'hello')
    t.is_(t.ws.read_exactly(x, 5), b'hello', 'alice is accepted')
    x.close()
    s.wait_line('subject="CN=alice"')
    r = t.run_inetws(*manual.words('$ inetws check --cacert ca.pem'), *words,
                     cwd=d)
    t.is_(r.returncode, 0, 'check')
    r = t.run_inetws('connect', '--cacert', 'ca.pem', *words,
                     'wss://example.org:8443/', cwd=d, input=b'x')
    t.ok(r.returncode != 0, 'a client without certificate is not')


t.main()
