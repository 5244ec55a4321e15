# SPDX-License-Identifier: ISC
"""Runs the tests of one changed program where it can do no harm.

    unshare --mount --pid --fork --mount-proc --kill-child apart.py JOB.json

A changed program may send signals to every process, remove any file, or fork
without end.  Here it sees only processes of this namespace, which end with this
one; all files are read-only but those of the job's folder, and /tmp and /run
are empty and its own.

Prints a line of JSON for each step: its name, the seconds that it took, and how
the change was noticed, or null.  Ends at the first that noticed, unless the job
says "all".
"""
import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
PROCESSES = 2000            # more are as good as without end
MEMORY = 8 << 30
FILE = 1 << 30


def mount(source, target, kind, flags, data=None):
    if ctypes.CDLL(None, use_errno=True).mount(
            source.encode(), target.encode(), kind and kind.encode(), flags,
            data and data.encode()) != 0:
        raise OSError(ctypes.get_errno(), 'mount ' + target)


def shield(folder):
    """Nothing outside the folder can be changed any more."""
    mount(folder, folder, None, MS_BIND)
    for path in ('/tmp', '/run', '/var/tmp'):
        # Not where the tree itself lives, and not behind a symbolic link.
        if not (folder + '/').startswith(path + '/') and \
                os.path.isdir(path) and not os.path.islink(path):
            mount('none', path, 'tmpfs', 0, 'mode=1777')
    mount('none', '/', None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Run:
    """A test program: its output in files, its end within a time."""

    def __init__(self, step, words, folder):
        self.out = os.path.join(folder, 'stdout')
        self.err = os.path.join(folder, 'stderr')
        with open(self.out, 'wb') as out, open(self.err, 'wb') as err:
            self.popen = subprocess.Popen(
                step['run'] + words, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, env=dict(os.environ, **step.get('env', {})),
                start_new_session=True,
                preexec_fn=None if step.get('sanitized') else limit_memory)
        self.end = time.monotonic() + step['limit']

    def read(self, path):
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def case(self):
        """The first case that failed, or None."""
        found = re.search(r'^# in case (\w+)', self.read(self.err), re.M)
        return found and found[1]

    def finish(self, early):
        """What was wrong, or None.  early: a case that failed is enough."""
        while True:
            try:
                self.popen.wait(0.2)
                return self.verdict()
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() > self.end:
                self.stop(0)
                return 'time-out'
            if len([n for n in os.listdir('/proc') if n.isdigit()]) > PROCESSES:
                return 'processes without end'
            if early and self.case():
                self.stop(10)
                return self.failure() or 'failed'

    def stop(self, patience):
        """By TERM a test ends what it has started."""
        try:
            if patience:
                os.kill(self.popen.pid, signal.SIGTERM)
                self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except OSError:
            pass
        self.popen.wait()

    def failure(self):
        found = re.search(r'^not ok.*', self.read(self.out), re.M)
        return found and found[0]

    def verdict(self):
        status, out = self.popen.returncode, self.read(self.out)
        if status < 0:
            return 'signal %d' % -status
        if self.failure():
            return self.failure()
        plan = re.findall(r'^1\.\.(\d+)', out, re.M)
        count = len(re.findall(r'^ok ', out, re.M))
        if status != 0 or len(plan) != 1 or int(plan[0]) != count:
            return 'exit status %d, %d of %s results' % (
                status, count, plan[0] if plan else '?')
        return None


def noticed(step, folder):
    """How, or None.  What failed must fail again: the change is not to blame
    for a test that is not steady."""
    for words in step.get('link', ()):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            return 'does not link: ' + done.stderr[-500:]
    for _ in range(2):
        run = Run(step, [], folder)
        why = run.finish(step['early'])
        if why is None or why in ('time-out', 'processes without end'):
            return why
        case = run.case() if step['early'] else None
        if Run(step, [case] if case else [], folder).finish(False):
            return why
    return None


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        job = json.load(f)
    shield(job['folder'])
    for step in job['steps']:
        begin = time.monotonic()
        how = noticed(step, job['folder'])
        print(json.dumps({'name': step['name'], 'how': how,
                          'seconds': time.monotonic() - begin}), flush=True)
        if how is not None and not job['all']:
            break
        if step.get('link'):
            os.unlink(step['run'][0])
    # What is left ends with us.
    sys.stdout.flush()
    os._exit(0)


if __name__ == '__main__':
    main()
