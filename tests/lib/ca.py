# SPDX-License-Identifier: ISC
"""Throw-away certificate authorities, by openssl(1)."""

import base64
import collections
import datetime
import hashlib
import os

import proc

Cert = collections.namedtuple('Cert', 'ca cert key')

LOCAL = ('DNS:localhost', 'IP:127.0.0.1', 'IP:::1')

CONFIG = '''[ca]
default_ca = a
[a]
database = %s/index.txt
certificate = %s
private_key = %s
default_md = sha256
default_crl_days = 1
new_certs_dir = %s
rand_serial = yes
unique_subject = no
policy = any
[any]
commonName = optional
organizationName = optional
'''

# What strict verifiers want (RFC 5280 4.2.1).
IS_AUTHORITY = 'keyUsage=critical,keyCertSign,cRLSign'
BY_AUTHORITY = 'authorityKeyIdentifier=keyid\n'


def openssl(*args, **kw):
    r = proc.run(proc.need('openssl') + list(args), timeout=60, **kw)
    if r.returncode:
        raise AssertionError('openssl %s: %s' % (args[0], r.stderr))
    return r.stdout


def bundle(*paths):
    """These files one behind the other, as cat(1) makes them."""
    path = os.path.join(proc.folder(), 'bundle.pem')
    with open(path, 'w') as f:
        for name in paths:
            with open(name) as g:
                f.write(g.read())
    return path


class Authority:
    """.cert and .key; issues certificates for this case."""

    def __init__(self, cn='throw-away CA', issuer=None):
        self.folder = proc.folder()
        self.serial = 1
        self.revoked = []
        if issuer is None:
            self.cert, self.key = self.at('ca.pem'), self.at('ca.key')
            openssl('req', '-x509', *self.ec(), '-keyout', self.key, '-out',
                    self.cert, '-subj', '/CN=' + cn, '-days', '1',
                    '-addext', IS_AUTHORITY)
        else:
            _, self.cert, self.key = issuer.issue(
                cn, (), ext='basicConstraints=critical,CA:TRUE\n'
                'subjectKeyIdentifier=hash\n%s\n' % IS_AUTHORITY)

    def at(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def ec():
        return ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                '-nodes')

    def issue(self, cn='throw-away', names=LOCAL, days=1, ext='',
              newkey=None, seconds=None, begins=-9):
        """A Cert; names may be empty, then it has a common name alone, and
        without one no subject.  It is valid for some days, or seconds, or
        with negative ones was so until then; or from begins, in days, on."""
        self.serial += 1
        stem = self.at('%d' % self.serial)
        openssl('req', *(newkey or self.ec()), '-keyout', stem + '.key',
                '-out', stem + '.csr', '-subj', '/CN=' + cn if cn else '/')
        with open(stem + '.ext', 'w') as f:
            f.write(ext + BY_AUTHORITY)
            if names:
                f.write('subjectAltName=%s\n' % ','.join(names))
        if seconds is None and days < 0:
            seconds = days * 86400
        if begins > 0:
            seconds = (begins + days) * 86400
        if seconds is not None:
            self.configure()
            openssl('ca', '-batch', '-notext', '-config', self.at('ca.conf'),
                    '-in', stem + '.csr', '-extfile', stem + '.ext', '-out',
                    stem + '.pem', '-startdate', time_of(begins), '-enddate',
                    time_of(seconds / 86400))
        else:
            openssl('x509', '-req', '-in', stem + '.csr', '-CA', self.cert,
                    '-CAkey', self.key, '-set_serial', str(self.serial),
                    '-days', str(days), '-extfile', stem + '.ext', '-out',
                    stem + '.pem')
        return Cert(self.cert, stem + '.pem', stem + '.key')

    def configure(self, index=''):
        """The files of openssl-ca(1)."""
        with open(self.at('index.txt'), 'w') as f:
            f.write(index)
        with open(self.at('ca.conf'), 'w') as f:
            f.write(CONFIG % (self.folder, self.cert, self.key,
                              self.folder))

    def crl(self, *revoked, days=1):
        """A revocation list with these Certs; a path."""
        index = ''
        for cert in revoked:
            serial = int(os.path.basename(cert.cert)[:-4])
            index += 'R\t%s\t%s\t%02X\tunknown\t/CN=x\n' % (
                time_of(1), time_of(0), serial)
        self.configure(index)
        path = os.path.join(proc.folder(), 'crl.pem')
        openssl('ca', '-config', self.at('ca.conf'), '-gencrl', '-out', path,
                *(('-crlsec', '1') if days < 0 else ()))
        return path


def time_of(days):
    when = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(days=days)
    return when.strftime('%y%m%d%H%M%SZ')


def self_signed(cn='throw-away', names=LOCAL):
    d = proc.folder()
    cert, key = d + '/cert.pem', d + '/key.pem'
    openssl('req', '-x509', *Authority.ec(), '-keyout', key, '-out', cert,
            '-subj', '/CN=' + cn, '-days', '1', '-addext',
            'subjectAltName=' + ','.join(names), '-addext',
            'keyUsage=critical,digitalSignature,keyCertSign')
    return Cert(cert, cert, key)


def certificate(names=LOCAL, days=1):
    """A CA and a leaf for these names, made for this case."""
    return Authority().issue(names=names, days=days)


def encrypted(key, password):
    """The same private key, encrypted."""
    path = os.path.join(proc.folder(), 'key.pem')
    openssl('pkey', '-in', key, '-aes256', '-passout', 'pass:' + password,
            '-out', path)
    return path


def pin(cert):
    """A certificate's public key as --pinnedpubkey has it."""
    public = openssl('x509', '-in', cert, '-pubkey', '-noout')
    der = openssl('pkey', '-pubin', '-outform', 'DER', input=public)
    return 'sha256//' + base64.b64encode(
        hashlib.sha256(der).digest()).decode()
