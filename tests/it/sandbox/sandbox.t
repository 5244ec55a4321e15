#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The sandbox of live children: they are in it, they go on in it when a
websocket is lost, and a child that cannot enter it does not serve.

If it fails: a child that was taken over can do more than the manual says.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import errno            # noqa: E402
import platform         # noqa: E402
import re               # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402
from filters import filtering, refused  # noqa: E402

# the number of seccomp(2)
ARCH = {'x86_64': 317, 'i386': 354, 'i686': 354, 'aarch64': 277,
        'riscv64': 277, 'armv7l': 383, 'ppc64le': 358, 's390x': 348}
LANDLOCK = 444          # landlock_create_ruleset(2), the same everywhere

if sys.platform != 'linux' or platform.machine() not in ARCH:
    t.skip_all('the table of system calls is for Linux on %s' %
               ' and '.join(ARCH))
if t.SANITIZED:
    t.skip_all('sanitizers do what the sandbox refuses')
SECCOMP = ARCH[platform.machine()]


def status(pid):
    """(Seccomp, NoNewPrivs) of /proc/PID/status."""
    with open('/proc/%d/status' % pid) as f:
        text = f.read()
    return tuple(int(re.search(r'^%s:\s+(\d+)' % word, text, re.M)[1])
                 for word in ('Seccomp', 'NoNewPrivs'))


def refusing(errors):
    """For preexec_fn: these system calls fail with these errors."""
    return filtering(b''.join(refused(*pair) for pair in errors.items()))


def say(sock, text):
    sock.sendall(text)
    return t.ws.read_exactly(sock, len(text)) == text


def pair(*options, **kw):
    """server, client and a visitor whose bytes come back."""
    s = t.server(t.echo().port, *options, **kw)
    c = t.client('ws://localhost:%d/' % s.port, *options)
    v = t.ws.dial(c.port)
    t.ok(say(v, b'hello'), 'a tunnel is up')
    return s, c, v


def test_children():
    s, c, v = pair()
    for name, p in (('server', s), ('client', c)):
        child = t.child(p.pid)
        t.is_(status(child), (2, 1), "%s: a child's Seccomp, NoNewPrivs" %
              name)
        t.is_(status(p.pid), (0, 0), 'not its supervisor')
        with open('/proc/%d/limits' % child) as f:
            limits = f.read()
        t.like(limits, r'^Max core file size\s+0 ', 'no core dumps')
        t.like(limits, r'^Max open files\s+64 +64 ', 'few descriptors')
    p = t.connect('ws://localhost:%d/' % s.port)
    p.stdin.write(b'hello')
    p.stdin.flush()
    t.is_(p.stdout.read(5), b'hello', 'connect works')
    t.is_(status(p.pid), (2, 1), 'and is in it too')
    p.stdin.close()
    t.is_(p.wait(), 0, 'to its end')


def test_without():
    s, c, v = pair('--no-sandbox')
    for p in (s, c):
        t.is_(status(t.child(p.pid)), (0, 0), '--no-sandbox')


def test_descriptors():
    """Nothing of the preparation stays open."""
    s, c, v = pair()
    plain, other, w = pair('--no-sandbox')

    def counts(*programs):
        return [t.descriptors(t.child(x.pid)) for x in programs]
    for name, a, b in (('server', s, plain), ('client', c, other)):
        t.until(lambda: len(set(counts(a, b))) == 1)    # it may be preparing
        t.is_(*counts(a, b), '%s: as many descriptors as without' % name)


def cuts(v, proxy, programs):
    """The websocket is lost again and again, and nothing with it."""
    data = os.urandom(2 << 20)
    got = []
    reader = threading.Thread(
        target=lambda: got.append(t.ws.read_exactly(v, len(data))))
    reader.start()
    for i in range(4):
        v.sendall(data[i << 19:(i + 1) << 19])
        t.ok(t.until(lambda: proxy.cut('rst' if i % 2 else 'fin')), 'cut')
    reader.join(t.BOUND)
    t.ok(got == [data], 'all came back')
    v.shutdown(1)
    t.is_(t.ws.read_all(v), (b'', 'eof'), 'a clean end')
    for p in programs:
        t.ok(p.has_line(r'event=closed.*resumes=[1-9]'), 'resumed inside')


def test_resume():
    s = t.server(t.echo().port)
    proxy = t.Proxy(s.port)
    c = t.client('ws://localhost:%d/' % proxy.port)
    v = t.ws.dial(c.port)
    t.ok(say(v, b'hello'), 'a tunnel is up')
    cuts(v, proxy, (s, c))


def test_redial_by_tls():
    """Certificates are verified anew, out of a hashed folder."""
    cert = t.certificate()
    d = t.folder()
    os.symlink(cert.ca, d + '/ca.pem')
    openssl, = t.need('openssl')
    t.run([openssl, 'rehash', d])
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    proxy = t.Proxy(n.port)
    url = n.url.replace(':%d/' % n.port, ':%d/' % proxy.port)
    for option in (('--capath', d), ('--cacert', cert.ca)):
        c = t.client(url, *option)
        v = t.ws.dial(c.port)
        t.ok(say(v, b'hello'), option[0])
        cuts(v, proxy, (c,))


def test_links_out_of_a_folder():
    """An authority lies elsewhere, and is needed for the first time when a tunnel
    redials: before, TLS was resumed by a ticket."""
    cert = t.certificate()
    d = t.folder()
    os.mkdir(d + '/certs')
    os.symlink(cert.ca, d + '/certs/ca.pem')
    openssl, unshare, _ = t.need('openssl', 'unshare', 'mount')
    t.run([openssl, 'rehash', d + '/certs'])
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key', cert.key)
    proxy = t.Proxy(s.port)
    words = ['client', '-v', '-l', '127.0.0.1:0', 'wss://localhost:%d/' %
             proxy.port]
    of_system = [unshare, '-m', 'sh', '-ec', 'mount --bind %s /etc/ssl; '
                 'exec "$@"' % d, 'sh', t.INETWS] + words
    ways = {'--capath': [t.INETWS, *words, '--capath', d + '/certs']}
    if os.geteuid() == 0 and not t.run([unshare, '-m', 'true']).returncode and \
            os.path.realpath('/usr/lib/ssl/certs') == '/etc/ssl/certs':
        ways["the system's"] = of_system
    for name, argv in ways.items():
        c = t.Program(argv)
        port = t.port_of(t.listening(c)[0])
        for n in range(2):
            v = t.ws.dial(port)
            t.ok(say(v, b'hello'), name + ': a tunnel')
        t.ok(c.has_line(', resumed, '), 'the second by a ticket')
        t.ok(t.until(lambda: proxy.cut('rst')), 'cut')
        t.ok(say(v, b'again'), 'it goes on') or t.diag(c.log)


def test_links_out_of_etc():
    """What looks names up may lie elsewhere, as on NixOS and in WSL."""
    unshare, _ = t.need('unshare', 'mount')
    if os.geteuid() != 0 or t.run([unshare, '-m', 'true']).returncode:
        raise t.Skip('no mounts of our own')
    d = t.folder()
    os.mkdir(d + '/etc')
    for name, text in (('hosts', '127.0.0.1 elsewhere.test\n'),
                       ('nsswitch.conf', 'hosts: files\n'),
                       ('resolv.conf', 'nameserver 127.0.0.1\n')):
        with open('%s/%s' % (d, name), 'w') as f:
            f.write(text)
        os.symlink('%s/%s' % (d, name), '%s/etc/%s' % (d, name))
    proxy = t.Proxy(t.server(t.echo().port).port)
    p = t.Program([unshare, '-m', 'sh', '-ec', 'mount --bind %s/etc /etc; '
                   'exec "$@"' % d, 'sh', t.INETWS, 'connect', '-v',
                   'ws://elsewhere.test:%d/' % proxy.port],
                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for word in (b'hello', b'again'):
        p.stdin.write(word)
        p.stdin.flush()
        t.is_(p.stdout.read(5), word, 'a tunnel')
        t.ok(t.until(lambda: proxy.cut('rst')), 'cut')
    p.wait_line('event=resumed')
    t.unlike(p.log, 'cannot resolve', 'its name is found again')


def test_program():
    """It is outside, and its process can still send it HUP."""
    d = t.folder()
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'sh', '-c',
                 'trap "echo >%s/hup; exit" HUP; cat /proc/self/status; '
                 'echo END; while :; do sleep .02; done' % d)
    port = t.port_of(t.listening(s)[0])
    for how in ('Close 1002', 'SIGKILL'):
        w = t.ws.connect(port)
        got = b''
        while b'END' not in got:
            got += w.take_data(1)
        t.like(got, r'^Seccomp:\s+0$', 'a program is not in it')
        child = t.child(s.pid)
        t.is_(status(child), (2, 1), 'its process is')
        if how == 'SIGKILL':
            os.kill(child, 9)
        else:
            w.close(1002)
        t.ok(t.until(lambda: os.path.exists(d + '/hup')),
             '%s: the program is sent HUP' % how)
        os.remove(d + '/hup')
        t.ok(t.until(lambda: not t.children(s.pid)), 'and all is over')


def missing(s):
    """What the log, status and metrics call missing; all must agree."""
    s.wait_line('event=privileges' if os.geteuid() == 0 else 'listening on')
    log = s.has_line(r'event=sandbox missing=(\S+|".*?") why=', 0.1)
    page = t.one()['sandbox_missing']
    text = t.run_inetws('status', '--openmetrics').stdout.decode()
    label = re.search(r'^inetws_sandbox_info{missing="(.*)"} 1$', text, re.M)
    table = t.run_inetws('status').stdout.decode()
    told = log[1].strip('"') if log else ''
    t.is_((page or '', label[1]), (told, told), 'status and metrics: %r' %
          told)
    t.ok(('sandbox without ' + told in table) == (told != ''), 'the table')
    return told


def test_parts_missing():
    """A system without one of the parts: start, and say which."""
    entry = {LANDLOCK: 'landlock', SECCOMP: 'seccomp'}
    t.rundir()
    s = t.server(t.echo().port)
    t.is_(missing(s), '', 'nothing is missing')
    s.stop()
    for call, name in entry.items():
        for error in (errno.ENOSYS, errno.EPERM, errno.EACCES):
            t.rundir()
            refuse = refusing({call: error})
            s = t.server(t.echo().port, preexec_fn=refuse)
            t.is_(missing(s), name, '%s without %s' %
                  (errno.errorcode[error], name))
            url = 'ws://127.0.0.1:%d/' % s.port
            r = t.run_inetws('connect', url, input=b'hello',
                             preexec_fn=refuse)
            t.is_((r.returncode, r.stdout, r.stderr), (0, b'hello', b''),
                  'and it works, with a connect without it too')
            s.stop()
    p = t.inetws('server', '-l', '127.0.0.1:0', '--sandbox', 'require',
                 '127.0.0.1:9', preexec_fn=refusing({SECCOMP: errno.EPERM}))
    t.is_(p.wait(), 71, '--sandbox require: 71')
    t.like(p.log, 'missing=seccomp .*--sandbox require', 'and why')
    target = t.echo()
    s = t.server(target.port, '--sandbox', 'require')
    url = 'ws://127.0.0.1:%d/' % s.port
    r = t.run_inetws('connect', '--sandbox', 'require', url, input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'it works if all is there')
    r = t.run_inetws('connect', '--sandbox', 'require', url, input=b'hello',
                     preexec_fn=refusing({LANDLOCK: errno.EPERM}))
    t.is_((r.returncode, r.stdout), (71, b''), 'connect: 71')
    t.like(r.stderr, 'landlock', 'and why')


def test_off():
    t.rundir()
    s = t.server(t.echo().port, '--sandbox', 'off',
                 preexec_fn=refusing({SECCOMP: errno.EPERM}))
    t.is_(t.one()['sandbox_missing'], 'off', '--sandbox off: status')
    s.stop()
    t.unlike(s.wait_log(), 'event=sandbox', 'no line')


def test_root():
    """Run as root: told once."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    s = t.server(9)
    t.ok(s.has_line('event=privileges .*as root.*--run-as'), 'root')
    s = t.server(9, '--run-as', 'nobody')
    s.stop()
    t.unlike(s.log, 'event=privileges', '--run-as')


t.main()
