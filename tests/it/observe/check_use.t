#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The command that inetws check ends with.

If it fails: what a user pastes does not work, or shows a password.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import json             # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402
import subprocess       # noqa: E402


def look(*words):
    """(exit status, object) of check --json."""
    r = t.run_inetws('check', '--json', *words, timeout=3 * t.BOUND)
    return r.returncode, json.loads(r.stdout)


def used(c):
    """What stands behind "use it"."""
    return re.match('use it: (.*)', c['next'][0]).group(1)


def test_use():
    """The last line works when it is pasted, and shows no secret."""
    users = t.folder() + "/it's users"
    with open(users, 'w') as f:
        f.write('ann:right\n')
    s = t.server(t.source(b'SSH-2.0-x\r\n').port)
    cert = t.certificate()
    n = t.nginx(s.port, cert)
    port = n.url.split(':')[2].split('/')[0]
    name = "wss://localhost:%s/ssh/it's%%20a" % port
    code, c = look('--cacert', cert.ca, '-u', '@' + users,
                   '--resolve', 'localhost:%s:127.0.0.1' % port,
                   '-H', 'X-A: b c', name)
    line = used(c)
    t.is_(code, 0, 'all is well')
    t.like(line, '^ssh -o ProxyCommand=', 'for ssh')
    words = shlex.split(line)
    command = words[2].split('=', 1)[1].replace('%%', '%')
    t.is_((words[0], words[3]), ('ssh', 'USER@HOST'), 'one word for it')
    t.is_(shlex.split(command), [
        'inetws', 'connect', '--cacert', cert.ca, '-u', '@' + users,
        '--resolve', 'localhost:%s:127.0.0.1' % port, '-H', 'X-A: b c',
        name], 'which has all that was given')
    r = subprocess.run(['sh', '-c', command.replace('inetws', t.INETWS, 1)],
                       input=b'', stdout=subprocess.PIPE, timeout=t.BOUND)
    t.is_((r.returncode, r.stdout), (0, b'SSH-2.0-x\r\n'), 'and it works')
    s = t.server(t.echo().port)
    code, c = look('-u', 'ann:hunter2', '-H', 'Cookie: a=hunter2',
                   'ws://bob:hunter2@127.0.0.1:%d/?t=hunter2' % s.port)
    t.like(c['next'][0], 'inetws client -l 127.0.0.1:PORT ws://127.0.0.1:',
           'other targets')
    t.like(c['next'][0], '--user, --header, the user and password of the URL, '
           'the query of the URL', 'it names what it leaves out')
    t.unlike(json.dumps(c), 'hunter2', 'and shows none of it')


def test_name_for_socks():
    """A name that only the proxy can look up."""
    p = t.Held()
    code, c = look('-x', 'socks5://127.0.0.1:%d' % p.port,
                   'wss://nobody.invalid/')
    t.like(c['next'][0], 'socks5h:// instead of socks5://', 'the cure')


t.main()
