# SPDX-License-Identifier: ISC
"""Searching the memory of a process, by /proc."""

import re

import ca
import tap


def _maps(pid):
    with open('/proc/%d/maps' % pid) as f:
        for line in f:
            m = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)',
                         line)
            if 'r' in m[3] and not m[4].startswith('[v'):
                yield int(m[1], 16), int(m[2], 16)


def search(pid, needles):
    """needles: {name: bytes}.  Returns the names of the bytes that are found in
    the memory of the process: one name for each place.  The case is skipped
    where the kernel does not let us read that memory."""
    found = []
    try:
        with open('/proc/%d/mem' % pid, 'rb', 0) as f:
            for start, end in _maps(pid):
                try:
                    f.seek(start)
                    data = f.read(end - start) or b''
                except (OSError, ValueError):
                    continue
                for name, needle in needles.items():
                    found += [name] * data.count(needle)
    except PermissionError:
        raise tap.Skip('memory of other processes is not to be read here')
    return sorted(found)


def key_parts(path):
    """The secret numbers of a private key: as a file has them, and, with
    "-live" in their names, as OpenSSL has them in memory on little-endian
    machines."""
    text = ca.openssl('pkey', '-in', path, '-noout', '-text').decode()
    parts = {}
    for name, digits in re.findall(
            r'(priv|privateExponent|prime1|prime2):\n((?:\s+[0-9a-f:]+\n)+)',
            text):
        raw = bytes.fromhex(re.sub(r'[\s:]', '', digits)).lstrip(b'\0')
        parts[name] = raw
        parts[name + '-live'] = raw[::-1]
    with open(path) as f:
        lines = f.read().split('\n')
    parts['PEM'] = ''.join(lines[1:-2])[40:70].encode()
    return parts
