#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The dashboard, alerts and log rules of contrib fit the metrics and log lines
of the program.

If it fails: shipped dashboards stay empty and shipped alerts never fire.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse          # noqa: E402
import json             # noqa: E402
import re               # noqa: E402
import urllib.parse     # noqa: E402

CONTRIB = os.path.join(t.ROOT, 'contrib')
RULES = os.path.join(CONTRIB, 'prometheus', 'inetws.rules.yml')
BOARD = os.path.join(CONTRIB, 'grafana', 'inetws.json')


def read(path):
    with open(path) as f:
        return f.read()


def board_exprs():
    """Every query of the dashboard, its variables filled in."""
    board = json.loads(read(BOARD))
    found = [x['expr'] for p in board['panels'] for x in p['targets']]
    found += [a['expr'] for a in board['annotations']['list']]
    return [e.replace('$job', '.*').replace('$instance', '.*')
            .replace('$__rate_interval', '1m') for e in found]


def rule_exprs():
    """What stands behind "expr:", folded lines too."""
    found, lines = [], read(RULES).splitlines()
    for i, line in enumerate(lines):
        m = re.match(r'( *)expr: *(.*)', line)
        if not m:
            continue
        text = m[2]
        if text == '>-':
            rest = []
            for more in lines[i + 1:]:
                if len(more) - len(more.lstrip()) <= len(m[1]):
                    break
                rest.append(more.strip())
            text = ' '.join(rest)
        found.append(text)
    return found


def exposed():
    """{name: {label: values}} of everything --metrics serves."""
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0')
    gate = reverse.gate('--visitors-dir', t.folder(), '--metrics',
                        '127.0.0.1:0', visitors=None, auth=(
                            '--agents-file', reverse.agents_file(ann='a')))
    names = {}
    for p in (gate, s):
        p.metrics = t.port_of(p.wait_line(r'metrics on (\S+)')[1])
        for series in t.series(t.http(p.metrics, '/metrics')[2]):
            name, _, labels = series.partition('{')
            known = names.setdefault(name, {})
            for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
                known.setdefault(label, set()).add(value)
    return s, names


def test_names():
    t.rundir()
    _, names = exposed()
    exprs = board_exprs() + rule_exprs()
    t.ok(len(exprs) > 30, 'there are queries (%d)' % len(exprs))
    used, wrong = set(), []
    for e in exprs:
        for name, labels in re.findall(
                r'\b((?:inetws|process)_[a-z_]+)(?:\{([^}]*)\})?', e):
            used.add(name)
            if name not in names:
                wrong.append(name)
                continue
            for label, op, value in re.findall(
                    r'(\w+)(=~|!~|!=|=)"([^"]*)"', labels):
                if label in ('job', 'instance'):
                    continue
                known = names[name].get(label, set())
                wrong += ['%s{%s="%s"}' % (name, label, v)
                          for v in value.split('|') if v not in known]
        for label in re.findall(r'by \(([^)]*)\)', e):
            for one in re.split(r', *', label):
                if one not in ('le', 'instance') and not any(
                        one in names.get(n, {}) for n in
                        re.findall(r'inetws_[a-z_]+', e)):
                    wrong.append('by (%s) in %s' % (one, e))
    t.is_(wrong, [], 'every name, label and value is exposed')
    ours = {n for n in names if n.startswith('inetws_') and
            not n.endswith(('_sum', '_count'))}
    t.is_(sorted(ours - used), ['inetws_start_time_seconds'] if
          'inetws_start_time_seconds' not in used else [],
          'and all that is exposed is shown')


def test_manual():
    t.rundir()
    _, names = exposed()
    page = read(os.path.join(t.ROOT, 'man', 'inetws.1'))
    told = set(re.findall(r'\b((?:inetws|process)_[a-z_]+)', page))
    base = {re.sub('_(bucket|sum|count)$', '', n) for n in names}
    t.is_(sorted(told), sorted(base), 'the manual tells of every metric')


def test_rules():
    promtool, = t.need('promtool')
    d = os.path.dirname(RULES)
    r = t.run([promtool, 'check', 'rules', RULES])
    t.is_(r.returncode, 0, 'promtool check rules')
    r = t.run([promtool, 'test', 'rules', 'inetws.test.yml'], cwd=d)
    t.is_(r.returncode, 0, 'promtool test rules')
    if r.returncode:
        t.diag(r.stdout + r.stderr)
    alerts = set(re.findall(r'alert: (\w+)', read(RULES)))
    tests = read(os.path.join(d, 'inetws.test.yml'))
    fires = set(re.findall(r'alertname: (\w+)\n *exp_alerts', tests))
    quiet = set(re.findall(r'alertname: (\w+) }', tests))
    t.is_((fires, quiet), (alerts, alerts),
          'each is seen to fire and to be quiet')


def test_dashboard():
    board = json.loads(read(BOARD))
    ids = [p['id'] for p in board['panels']]
    t.is_(len(ids), len(set(ids)), 'panels have ids of their own')
    places = set()
    for p in board['panels']:
        g = p['gridPos']
        here = {(x, y) for x in range(g['x'], g['x'] + g['w'])
                for y in range(g['y'], g['y'] + g['h'])}
        if here & places or g['x'] + g['w'] > 24:
            t.ok(False, '%s is in the way' % p['title'])
        places |= here
    t.ok(all(p['datasource']['uid'] == '${datasource}'
             for p in board['panels']), 'any data source will do')


def test_prometheus():
    """The real one scrapes, and answers every query."""
    prometheus, = t.need('prometheus')
    t.rundir()
    s, _ = exposed()
    d, port = t.folder(), t.free_port()
    scrape = read(os.path.join(CONTRIB, 'prometheus', 'scrape.yml'))
    if scrape.count('127.0.0.1:9117') < 1:
        raise AssertionError('scrape.yml names no address')
    with open(d + '/prometheus.yml', 'w') as f:
        f.write('global: { scrape_interval: 1s, evaluation_interval: 1s }\n'
                'rule_files: [ %s ]\n' % RULES +
                scrape.replace('127.0.0.1:9117', '127.0.0.1:%d' % s.metrics))
    t.Program([prometheus, '--config.file=%s/prometheus.yml' % d,
               '--storage.tsdb.path=%s/data' % d,
               '--web.listen-address=127.0.0.1:%d' % port])

    def ask(query):
        raw = 'GET /api/v1/query?query=%s HTTP/1.0\r\n\r\n' % \
            urllib.parse.quote(query)
        try:
            return json.loads(t.http(port, '', raw=raw.encode())[2])
        except (OSError, ValueError, IndexError):
            return {'data': {'result': []}}
    w = t.ws.connect(s.port)
    t.ok(t.until(lambda: [x['value'][1] for x in
                          ask('inetws_connections_active')['data']['result']]
                 == ['1'], 2 * t.BOUND), 'it scrapes')
    bad = []
    for e in board_exprs() + rule_exprs():
        a = ask(e)
        if a.get('status') != 'success':
            bad.append((e, a.get('error')))
    t.is_(bad, [], 'and answers every query')
    # 0 behind a scrape that took more than the second that it may take
    t.ok(t.until(lambda: [x['value'][1] for x in ask(
        'up{job="inetws"}')['data']['result']] == ['1']),
        'as the job that the alerts know')
    w.bye()


def test_nagios():
    """Its command works as it stands there."""
    text = read(os.path.join(CONTRIB, 'nagios', 'inetws.cfg'))
    line = re.search(r'command_line\s+(.*)', text)[1]
    s = t.server(t.echo().port)
    for n, word in enumerate(('ws://127.0.0.1:%d/' % s.port, '14', '5s'), 1):
        line = line.replace('$ARG%d$' % n, word)
    words = line.split()
    t.is_(words[0], '/usr/bin/inetws', 'the program of the package')
    r = t.run([t.INETWS] + words[1:])
    t.is_(r.returncode, 0, line)
    t.like(r.stdout, '^INETWS OK - ', 'OK')


def test_join():
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    for n in (10, 20):
        v = t.ws.dial(c.port)
        v.sendall(b'x' * n)
        t.ws.read_exactly(v, n)
        v.close()
    c.wait_line('event=closed', count=2)
    s.wait_line('event=closed', count=2)
    d = t.folder()
    for name, p in (('client', c), ('server', s)):
        with open('%s/%s' % (d, name), 'w') as f:
            f.write(p.log + '\n')
    r = t.run(['awk', '-f', CONTRIB + '/logs/join.awk', d + '/client',
               d + '/server'])
    text = r.stdout.decode()
    t.is_((r.returncode, r.stderr), (0, b''), 'awk')
    for n in (10, 20):
        t.like(text, r'id=\S+ a: peer=\S+ target=ws://\S+ up=%d down=%d .*\n'
               r'id=\S+ b: peer=\S+ target=127\S+ up=%d down=%d ' %
               (n, n, n, n), 'a tunnel of both logs')
    t.unlike(text, 'single', 'none is in one log only')


t.main()
