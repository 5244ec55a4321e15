#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The command line: each error names the word that is wrong, and the status is
64.

If it fails: a typing error starts a service that does something else.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402
import shutil           # noqa: E402

MODES = ('server', 'client', 'connect', 'agent', 'gate', 'check', 'status')
URL = 'ws://127.0.0.1:1/'


def test_bad_words():
    for words, named in (
            ([], '(?i)usage|mode'),
            (['nonsense'], 'nonsense'),
            (['server', '--nonsense', 'a:1'], 'nonsense'),
            (['server', '-Z', 'a:1'], 'Z'),
            (['server', '-l'], '(?i)-l|listen'),
            (['server', '-l', '127.0.0.1:0'], '(?i)target'),
            (['server', '-l', '127.0.0.1:0', 'a:1', 'b:2'], 'b:2'),
            (['server', '-l', '127.0.0.1:0', 'noport'], 'noport'),
            (['server', '-l', '127.0.0.1:0', 'host:0'], 'host:0'),
            (['server', '-l', '127.0.0.1:0', 'host:65536'], '65536'),
            (['server', '-l', '127.0.0.1:0', 'host:12x'], '12x'),
            (['server', '-l', '127.0.0.1:0', '::1:22'], '::1:22'),
            (['server', '-l', '127.0.0.1:0', '[::1:22'], '::1:22'),
            (['server', '-l', '127.0.0.1:0', 'unix:relative'], 'relative'),
            (['server', '-l', '127.0.0.1:0', 'unix:/' + 'x' * 200],
             '(?i)long|xxx'),
            (['server', '-l', '127.0.0.1:99999', 'a:1'], '99999'),
            (['server', '-l', 'nothing', 'a:1'], 'nothing'),
            (['server', '-l', 'fd:x', 'a:1'], 'fd:x'),
            (['server', '-l', 'fd:-1', 'a:1'], 'fd:-1'),
            (['server', '-l', 'unix:/x,mode=9', 'a:1'], 'mode'),
            (['server', '-l', 'unix:/x,mode=07777', 'a:1'], 'mode'),
            (['server', '-l', '127.0.0.1:0', '--linger', '5x', 'a:1'],
             'linger|5x'),
            (['server', '-l', '127.0.0.1:0', '--linger', '-1', 'a:1'],
             'linger|-1'),
            (['server', '-l', '127.0.0.1:0', '--linger', '', 'a:1'],
             'linger'),
            (['server', '-l', '127.0.0.1:0', '--ping-interval',
              '99999999999999999999', 'a:1'], 'ping-interval|9999'),
            (['server', '-l', '127.0.0.1:0', '--eof=maybe', 'a:1'],
             'eof|maybe'),
            (['server', '-l', '127.0.0.1:0', '--drain', 'later', 'a:1'],
             'drain|later'),
            (['server', '-l', '127.0.0.1:0', '--max-connections', '0x10',
              'a:1'], 'max-connections|0x10'),
            (['server', '-l', '127.0.0.1:0', '--window', '1', 'a:1'],
             'window'),
            (['server', '-l', '127.0.0.1:0', '--window', '17m', 'a:1'],
             'window'),
            (['server', '-l', '127.0.0.1:0', '--path', 'noslash', 'a:1'],
             'path|noslash'),
            (['client', '-l', '127.0.0.1:0'], '(?i)url'),
            (['client', '-l', '127.0.0.1:0', 'ftp://x/'], 'ftp'),
            (['connect'], '(?i)url'),
            (['connect', 'ws://'], '(?i)url'),
            (['connect', 'ws://host:0x1/'], '0x1'),
            (['connect', 'ws://host/#frag'], '(?i)frag|#'),
            (['connect', 'ws://[::1/'], '::1'),
            (['connect', '-H', 'no colon', URL], '(?i)no colon|header'),
            (['connect', '-H', 'X: a\r\nY: b', URL], '(?i)header|X'),
            (['connect', '-H', 'Sec-WebSocket-Key: x', URL],
             '(?i)sec-websocket-key|header'),
            (['connect', '-4', '-6', '--nonsense', URL], 'nonsense')):
        r = t.run_inetws(*words)
        t.is_(r.returncode, 64, ' '.join(words)[:60].replace('\r\n', '~') +
              ': 64')
        t.like(r.stderr, named, 'and it is named')
        t.ok(1 <= r.stderr.count(b'\n') <= (3 if words else 12),
             'in few lines')
        t.is_(r.stdout, b'', 'nothing on stdout')


def test_topics():
    """The page's own blocks, with the user's names."""
    with open(os.path.join(t.ROOT, 'man', 'inetws-examples.7')) as f:
        page = f.read()
    for topic, line in (('nginx', 'location /ssh/ {\n'),
                        ('ssh', 'Host tunnel\n'),
                        ('proxy', '$ inetws check -x http')):
        r = t.run_inetws('help', topic)
        t.is_((r.returncode, r.stderr), (0, b''), 'help ' + topic)
        t.like(r.stdout.decode(), '(?m)^' + re.escape(line), 'has its block')
        for text in r.stdout.decode().split('\n')[:-2]:
            t.ok(text.rstrip(':') in page, text[:60])
    said = t.run_inetws('help', 'nginx', 'wss://a.test/x/').stdout.decode()
    t.like(said, 'location /x/ [{]', 'the path of a URL')
    said = t.run_inetws('help', 'ssh', 'wss://a.test/x/').stdout.decode()
    t.like(said, '(?s)HostName a.test.*wss://a.test/x/$', 'its name, and all of it')
    t.unlike(said, 'example.org', 'nothing is left of the page')
    for topic, url, line in (
            ('caddy', 'wss://a.test:8443/x/', 'a.test:8443 {'),
            ('caddy', 'wss://[2001:db8::1]:8443/x/', '[2001:db8::1]:8443 {'),
            ('caddy', 'wss://a.test/x/', 'a.test {'),
            ('haproxy', 'wss://a.test:8443/x/', '\tbind :8443 ssl crt '
             '/etc/haproxy/a.test.pem'),
            ('haproxy', 'wss://a.test/x/', '\tbind :443 ssl crt '
             '/etc/haproxy/a.test.pem'),
            ('kubernetes', 'wss://a.test/x/', '  - host: a.test')):
        said = t.run_inetws('help', topic, url).stdout.decode()
        t.ok(line in said.split('\n'), 'help %s %s: %s' % (topic, url, line))
    for address in ('[2001:db8::1]', '192.0.2.1'):
        r = t.run_inetws('help', 'kubernetes', 'wss://%s/x/' % address)
        t.is_((r.returncode, r.stdout), (64, b''), 'no Ingress of an address')
        t.like(r.stderr.decode(), 'takes a name, not an address', 'which says so')
    r = t.run_inetws('help', 'server', 'JUNK')
    t.is_((r.returncode, r.stdout), (64, b''), 'nothing behind a mode')
    t.like(r.stderr.decode(), 'JUNK: help takes nothing', 'what is too much')
    for topic in ('nginx', 'haproxy', 'apache', 'caddy', 'traefik',
                  'kubernetes'):
        t.like(t.run_inetws('help', topic).stdout.decode(), '(?i)auth[_-]basic|'
               'http_auth|AuthUserFile|basic-?auth|auth-type: basic',
               topic + ': a way in with a password')
    with open(os.path.join(t.ROOT, 'man', 'inetws.1')) as f:
        text = re.search(r'(?s)topics are\n(.*?)\.It', f.read())[1]
    t.is_(re.findall(r'\.Li (\w+)', text), t.run_inetws(
        '--help').stdout.decode().split('TOPIC:  ')[1].split(
            '\n')[0].split(', '), 'the manual names all topics')
    r = t.run_inetws('help', 'nginz')
    t.is_(r.returncode, 64, 'no such topic')
    t.like(r.stderr.decode(), 'or a topic: nginx, ssh, proxy', 'which there are')
    for words in (['x://y'], ['wss://h/a%2Fb'], ['wss://h/a?b=$(id)&c'],
                  ['wss://h/a;}/'], ['ws+unix:/tmp/x:/p'],
                  ['wss://h/', 'more']):
        r = t.run_inetws('help', 'ssh', *words)
        t.is_((r.returncode, r.stdout), (64, b''), 'not ' + words[-1])
    if shutil.which('ssh'):
        with open(os.path.join(t.folder(), 'config'), 'w') as f:
            lines = t.run_inetws('help', 'ssh').stdout.decode()
            f.write(re.search(r'(?ms)^Host .*?\n\n', lines)[0])
        r = t.run(['ssh', '-T', '-F', f.name, '-G', 'tunnel'])
        t.is_((r.returncode, r.stderr), (0, b''), 'ssh reads it')
        t.unlike(re.search('proxycommand .*', r.stdout.decode())[0],
                 '%[^%]', 'ssh has nothing to expand there')


def test_alone():
    """Who types nothing but the name gets what most want."""
    r = t.run_inetws()
    t.is_((r.returncode, r.stdout), (64, b''), 'it is a usage error')
    lines = r.stderr.decode().splitlines()
    t.ok(len(lines) <= 12, 'a few lines (%d)' % len(lines))
    made = [shlex.split(re.sub(r".*ProxyCommand='(.*)'.*", r'\1', line))
            for line in lines if re.match(r'  \S*inetws |  ssh ', line)]
    t.is_([words[1] for words in made], ['server', 'client', 'connect'],
          'one command for each of the first three modes')
    for words in made:
        r = t.run_inetws(*words[1:], '--dump-config')
        t.is_((r.returncode, r.stderr), (0, b''), ' '.join(words))


def test_help():
    r = t.run_inetws('--help')
    t.is_(r.returncode, 0, '--help: 0')
    t.is_(t.run_inetws('help').stdout, r.stdout, 'the word help does it too')
    t.is_(t.run_inetws('help', 'gate').stdout,
          t.run_inetws('gate', '--help').stdout, 'or help and a mode')
    for mode in MODES:
        t.like(r.stdout, mode, 'names ' + mode)
    for mode in MODES:
        for words in ([mode, '--help'], [mode, '-h']):
            r = t.run_inetws(*words)
            if words[1] == '-h' and r.returncode:
                continue        # -h is not part of the contract
            t.is_(r.returncode, 0, ' '.join(words) + ': 0')
            t.is_(r.stderr, b'', 'on stdout')
            lines = r.stdout.decode().splitlines()
            t.ok(5 < len(lines) <= 120, 'on a few screens (%d lines)' %
                 len(lines))
            t.ok(max(map(len, lines)) <= 80, 'of 80 columns (%d)' %
                 max(map(len, lines)))
            t.like(r.stdout, 'inetws ' + mode, 'with its synopsis')


def test_version():
    for word in ('--version', '-V'):
        r = t.run_inetws(word)
        if word == '-V' and r.returncode:
            continue
        t.is_(r.returncode, 0, word + ': 0')
        t.like(r.stdout, r'\Ainetws \d+\.\d+', 'our version')
        t.like(r.stdout, '(?i)openssl', "OpenSSL's")
        t.like(r.stdout, r'(?m)^(http-parser|llhttp) \d', "the HTTP parser's")
        t.like(r.stdout, r'(?i)libbsd', 'libbsd')


def test_spellings():
    """--name value, --name=value, -xvalue: all mean the same."""
    echo = t.echo()
    target = '127.0.0.1:%d' % echo.port
    for words in (['--listen', '127.0.0.1:0'], ['--listen=127.0.0.1:0'],
                  ['-l127.0.0.1:0'], ['-l', '127.0.0.1:0']):
        p = t.inetws('server', *words, target)
        t.ok(t.listening(p), ' '.join(words))
        p.stop()
    p = t.inetws('server', target, '-l', '127.0.0.1:0')
    t.ok(p.has_line('listening on 127.0.0.1:'), 'options behind words')
    p.stop()
    for value in ('500ms', '25s', '5m', '1h', '10', '0'):
        p = t.inetws('server', '-l', '127.0.0.1:0', '--linger', value,
                     target)
        t.ok(t.listening(p), '--linger ' + value)
        p.stop()


def test_config_file():
    echo = t.echo()
    d = t.folder()

    def config(text):
        with open(d + '/c', 'w') as f:
            f.write(text)
        return d + '/c'

    path = config('# a comment\nmode server\n  \nlisten = 127.0.0.1:0\n'
                  'target "127.0.0.1:%d"\nlinger 3s\nmax-connections \\\n'
                  '  7\n' % echo.port)
    p = t.inetws('-K', path)
    w = t.ws.connect(t.port_of(t.listening(p)[0]))
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'a file is a whole instance')
    p = t.inetws('server', '--config', path, '-l', '127.0.0.1:0')
    t.ok(t.listening(p, 2), 'lists append')
    for text, named in (('nonsense 1\n', 'nonsense'), ('linger soon\n',
                        'linger|soon'), ('mode client\n', 'mode: .*twice'),
                        ('linger "3s\n', '(?i)quot|linger')):
        r = t.run_inetws('-K', config('mode server\nlisten 127.0.0.1:0\n'
                                      'target a:1\n' + text))
        t.is_(r.returncode, 78, '%r in the file: 78' % text)
        t.like(r.stderr, named, 'and it is named')
        t.like(r.stderr, ':4|line 4', 'with its line')
    r = t.run_inetws('-K', d + '/none')
    t.is_(r.returncode, 78, 'no such file: 78')
    t.like(r.stderr, d + '/none', 'which is named')


# {the option: an instance that has it but for its value}
SERVER = 'mode server\nlisten 127.0.0.1:0\ntarget a:1\n'
CLIENT = 'mode client\nlisten 127.0.0.1:0\nurl wss://a/\n'
GATE = 'mode gate\nlisten 127.0.0.1:0\n'
IN_FILE = {
    'auth-file': SERVER,
    'auth-command': SERVER,
    'header-command': CLIENT,
    'proxy-header-command': CLIENT + 'proxy http://127.0.0.1:1\n',
    'cacert': CLIENT,
    'capath': CLIENT,
    'peer-certs': CLIENT,
    'cert': CLIENT,
    'key': CLIENT + 'cert CERT\n',
    'key-password-file': CLIENT + 'cert ENCRYPTED\n',
    'crlfile': CLIENT,
    'proxy-cacert': CLIENT + 'proxy https://127.0.0.1:1\n',
    'tls-cert': SERVER,
    'tls-key': SERVER + 'tls-cert CERT\n',
    'tls-client-ca': SERVER + 'tls-cert BOTH\n',
    'tls-peer-certs': SERVER + 'tls-cert BOTH\n',
    'agents-file': GATE + 'visitors 127.0.0.1:0\n',
    'visitors-dir': GATE + 'path /\n',
    'chroot': SERVER + 'run-as nobody\n',
    'pidfile': SERVER,
    'stats-file': SERVER,
    'textfile': 'mode status\n',
    'page': 'mode status\n',
    'user': CLIENT,
    'proxy-user': CLIENT + 'proxy http://127.0.0.1:1\n',
    'header': CLIENT,
    'proxy-header': CLIENT + 'proxy http://127.0.0.1:1\n',
}
AT_FILE = ('user', 'proxy-user', 'header', 'proxy-header')
FAILED_CALL = ('visitors-dir', 'chroot', 'pidfile', 'textfile')


def test_names_of_files():
    """A file that does not exist is told with the line that names it."""
    t.rundir()
    t.server(t.free_port())     # for status --textfile
    d = t.folder()
    cert = t.self_signed()
    words = {'CERT': cert.cert, 'BOTH': t.bundle(cert.cert, cert.key),
             'ENCRYPTED': t.bundle(cert.cert,
                                      t.encrypted(cert.key, 'x'))}
    named = set(re.findall(r'--([a-z-]+)[= ](?:FILE|DIR|PROGRAM)\b', ''.join(
        t.run_inetws(mode, '--help').stdout.decode() for mode in MODES)))
    t.is_(named - set(IN_FILE) - {'config'}, set(), 'all of them are here')
    for name, text in IN_FILE.items():
        if name == 'chroot' and os.geteuid() != 0:
            continue
        text = re.sub('[A-Z]{4,}$', lambda m: words[m[0]], text, flags=re.M)
        at = name in AT_FILE
        line = '%s %s/nonexistent/x' % (name, '@' if at else '')
        with open(d + '/c', 'w') as f:
            f.write(text + line + '\n')
        r = t.run_inetws('-K', d + '/c')
        t.like(r.stderr, r'%s/c:%d: %s(: | )/nonexistent/x: [^:]*No such '
               'file' % (d, text.count('\n') + 1, name), '%s: its line' % name)
        t.is_(r.returncode, 71 if name in FAILED_CALL else 78, 'its status')
        if name == 'page':
            r = t.run_inetws('status', '--watch', '-K', d + '/c')
            t.like(r.stderr, '/c:2: page /nonexistent/x: ', '--watch: too')
        elif not at:
            r = t.run_inetws('-K', d + '/c', '--%s=/nonexistent/y' % name)
            t.like(r.stderr, r'(?<!:)[^:]*--%s /nonexistent/y' % name,
                   'that of the command line is not in the file')


def test_names_of_files_check():
    """At its end: it has tried nothing."""
    d = t.folder()
    for text in ('url wss://127.0.0.1:1/\ncacert',
                 'url ws://127.0.0.1:1/\nproxy https://127.0.0.1:1\n'
                 'proxy-cacert'):
        with open(d + '/c', 'w') as f:
            f.write('%s /nonexistent/x\nmode check\n' % text)
        r = t.run_inetws('check', '-K', d + '/c')
        why = ' *%s/c:%d: %s /nonexistent/x: ' % (
            d, text.count('\n') + 1, text.rpartition('\n')[2])
        t.like(r.stdout, '(?m)^failed:' + why, why)
        t.unlike(r.stdout, '(?m)^failed +', 'no step is blamed')
        t.is_(r.returncode, 78, 'its status')


def test_names_of_several_files():
    """Of an option that is given several times, the line is the right one."""
    d = t.folder()
    cert = t.self_signed()
    both = t.bundle(cert.cert, cert.key)
    with open(d + '/c', 'w') as f:
        f.write(SERVER + 'tls-cert %s\ntls-cert %s/x\ntls-cert %s\n' %
                (both, d, both))
    r = t.run_inetws('-K', d + '/c')
    t.like(r.stderr, r'/c:5: tls-cert %s/x: ' % d, 'the second of three')
    t.is_(r.returncode, 78, 'its status')


def test_examples():
    """Every command line of the manual is one, and so is every option that
    is shown by itself."""
    with open(t.ROOT + '/man/inetws.1') as f:
        page = f.read().replace('\\e\n', ' ')
    lines = re.findall(r'^(?:\.Dl )?((?:[$#] |ExecStart=\S*/)inetws .*|-.*)',
                       page, re.M)
    d = t.folder()
    shown = 0
    for line in lines:
        words = shlex.split(re.sub(r'^([$#] |ExecStart=\S*/)', '', line))
        if words[:2] == ['inetws', '-K']:
            continue            # a sentence about a file
        if words[0] == 'inetws':
            r = dumped(d, words[1:])
        else:
            r = next(filter(lambda r: r.returncode == 0, (
                dumped(d, command + words + [operand])
                for command, operand in (
                    (['connect'], URL), (['server'], 'h:1'),
                    (['client'], URL),
                    (['server', '--tls-cert', 'x'], 'h:1')))), None)
        t.ok(r and (r.returncode, r.stderr) == (0, b''), line.strip()[:70])
        shown += 1
    t.ok(shown > 40, 'there are examples (%d)' % shown)


def dumped(d, words):
    """What a command line means, the files it names being there."""
    words = list(words)
    at = words.index('--') if '--' in words else len(words)
    words.insert(at, '--dump-config')
    for i, word in enumerate(words):
        m = re.fullmatch('@(?:%d/)?([a-z.-]+)', word)
        if m:
            words[i] = '@' + os.path.join(d, m[1])
            with open(words[i][1:], 'w') as f:
                f.write('X-User: x\n')     # a field, and a user too
    return t.run_inetws(*words, cwd=d)


def test_manual():
    """Every option of --help stands in the manual, and the other way."""
    with open(t.ROOT + '/man/inetws.1') as f:
        page = f.read()
    shown = set()
    for mode in MODES:
        r = t.run_inetws(mode, '--help')
        shown |= set(re.findall(r'(?<![\w-])--([a-z][a-z0-9-]+)',
                                r.stdout.decode()))
    shown |= set(re.findall(r'(?<![\w-])--([a-z][a-z0-9-]+)',
                            t.run_inetws('--help').stdout.decode()))
    t.ok(len(shown) > 20, '--help shows options (%d)' % len(shown))
    in_page = set(re.findall(r'Fl -([a-z][a-z0-9-]+)', page))
    t.is_(sorted(shown - in_page), [], 'all of them are in the manual')
    t.is_(sorted(in_page - shown), [], 'and the manual has no others')


def test_manual_modes():
    """The modes that the manual names at an option are those whose --help
    has it; where it names none it is for all that make tunnels."""
    have = {}
    for mode in MODES:
        for name in re.findall(r'^ +(?:-\w, *)?--([a-z0-9-]+)',
                               t.run_inetws(mode, '--help').stdout.decode(),
                               re.M):
            have.setdefault(name, set()).add(mode)
    with open(t.ROOT + '/man/inetws.1') as f:
        items = re.split(r'^\.It ', f.read(), flags=re.M)[1:]
    waiting, bad = [], []
    for item in items:
        head, _, text = item.partition('\n')
        if not head.startswith('Fl '):
            waiting = []
            continue
        waiting += [n for n in re.findall(r'Fl -([a-z][a-z0-9-]+)', head)
                    if n in have]
        if not text.strip():
            continue            # what follows is about both
        m = re.match(r'\.Pq ([a-z, ]+)\n', text)
        for name in waiting:
            if m and set(m[1].split(', ')) != have[name] or \
                    not m and not have[name] >= {'server', 'client',
                                                 'connect'}:
                bad.append('%s: %s, but in the help of %s' % (
                    name, m and m[1], ', '.join(sorted(have[name]))))
        waiting = []
    t.is_(bad, [], 'the manual and --help agree whose an option is')


t.main()
