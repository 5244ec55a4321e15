# SPDX-License-Identifier: ISC
"""What an instance shows: status, metrics, its statistics page."""

import json
import os
import socket

import proc
import tap


def rundir():
    """Makes a runtime directory for the instances of this case; the folder
    above it."""
    path = os.path.join(proc.folder(), 'inetws')
    os.mkdir(path)
    os.environ['RUNTIME_DIRECTORY'] = path
    return os.path.dirname(path)


def page_of(pid):
    """The path of an instance's statistics page in that directory, or None."""
    path = '%s/%d.stats' % (os.environ['RUNTIME_DIRECTORY'], pid)
    return path if os.path.exists(path) else None


def status(*words):
    """What status --json prints."""
    r = proc.run_inetws('status', '--json', *words)
    if r.returncode != 0:
        raise AssertionError('status: %d %r' % (r.returncode, r.stderr))
    return json.loads(r.stdout)


def one(*words):
    """The only instance of status --json."""
    found = status(*words)['instances']
    if len(found) != 1:
        raise AssertionError('%d instances' % len(found))
    return found[0]


def http(where, path, method='GET', fields=(), raw=None):
    """(status, {field: value}, body) of a request to a port or a path."""
    if isinstance(where, int):
        s = socket.create_connection(('127.0.0.1', where), proc.BOUND)
    else:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(proc.BOUND)
        s.connect(where)
    with s:
        s.sendall(raw or ('%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n' % (
            method, path, ''.join(f + '\r\n' for f in fields))).encode())
        data = b''
        while True:
            more = s.recv(65536)
            if not more:
                break
            data += more
    head, _, body = data.partition(b'\r\n\r\n')
    lines = head.decode().split('\r\n')
    return (int(lines[0].split()[1]),
            {k.lower(): v.strip() for k, _, v in
             (line.partition(':') for line in lines[1:])}, body.decode())


def series(text):
    """{series: value} of a text of metrics."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith('#'):
            name, _, value = line.rpartition(' ')
            if name in found:
                raise AssertionError('twice: ' + name)
            found[name] = float(value)
    return found


tap.on_cleanup(lambda: os.environ.pop('RUNTIME_DIRECTORY', None))
