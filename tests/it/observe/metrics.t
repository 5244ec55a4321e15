#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""--metrics: what Prometheus scrapes, what health probes ask, the page for
people.

If it fails: monitoring goes blind, or an instance that works is taken out of
service.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse          # noqa: E402
import base64           # noqa: E402
import cutting          # noqa: E402
import email.utils      # noqa: E402
import hashlib          # noqa: E402
import html             # noqa: E402
import html.parser      # noqa: E402
import re               # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import stat             # noqa: E402
import time             # noqa: E402

OPEN = 'Accept: application/openmetrics-text;version=1.0.0;q=0.5,' \
       'text/plain;version=0.0.4;q=0.3,*/*;q=0.1'


def watched(target, *options, **kw):
    """A server with metrics; .metrics is their port."""
    s = t.server(target, '--metrics', '127.0.0.1:0', *options, **kw)
    s.metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    return s


def scrape(s):
    return t.series(t.http(s.metrics, '/metrics')[2])


def test_formats():
    t.rundir()
    s = watched(t.free_port())
    status, fields, text = t.http(s.metrics, '/metrics')
    t.is_((status, fields['content-type']),
          (200, 'text/plain; version=0.0.4; charset=utf-8'),
          'Prometheus text')
    t.is_(int(fields['content-length']), len(text), 'its length')
    t.ok(not text.endswith('# EOF\n'), 'without an end mark')
    date = email.utils.parsedate_to_datetime(fields['date'])
    t.ok(abs(time.time() - date.timestamp()) < t.BOUND,
         'Date (RFC 9110 6.6.1): %s' % fields['date'])
    status, fields, om = t.http(s.metrics, '/metrics', fields=[OPEN])
    t.is_(fields['content-type'],
          'application/openmetrics-text; version=1.0.0; charset=utf-8',
          'OpenMetrics by Accept')
    t.ok(om.endswith('# EOF\n'), 'with its end mark')
    t.is_(sorted(t.series(text)), sorted(t.series(om)),
          'the same series in both')
    t.ok(len(t.series(text)) > 60, 'all of them from the start (%d)' %
         len(t.series(text)))
    status, fields, body = t.http(s.metrics, '/metrics', 'HEAD')
    t.is_((status, body, int(fields['content-length']) > 1000),
          (200, '', True), 'HEAD: the head alone')
    for what, want in (('Host: ' + 'x' * 20000, 431), ('no field', 400),
                       ('Accept: */*', 400)):
        for before in '', '\r\n':
            status, fields, body = t.http(s.metrics, '', raw=(
                before + 'HEAD /metrics HTTP/1.1\r\n%s\r\n\r\n' %
                what).encode())
            t.is_((status, body, int(fields['content-length']) > 0),
                  (want, '', True), 'nor has a refusal more: %d' % want)


def test_promtool():
    promtool, = t.need('promtool')
    t.rundir()
    echo = t.echo()
    s = watched(echo.port)
    w = t.ws.connect(s.port)
    w.send(b'abc')
    w.take_data(3)
    text = t.http(s.metrics, '/metrics')[2]
    r = t.run([promtool, 'check', 'metrics'], input=text.encode())
    t.is_((r.returncode, r.stdout, r.stderr), (0, b'', b''),
          'promtool finds no fault')
    w.bye()


def test_parser():
    try:
        from prometheus_client.openmetrics import parser
    except ImportError:
        raise t.Skip('python3-prometheus-client is not installed')
    t.rundir()
    echo = t.echo()
    s = watched(echo.port, '--metrics-names', 'trazfr')
    for _ in range(3):
        w = t.ws.connect(s.port)
        w.send(b'abc')
        w.take_data(3)
        w.bye()
    om = t.http(s.metrics, '/metrics', fields=[OPEN])[2]
    found = {f.name: f for f in parser.text_string_to_metric_families(om)}
    t.is_(found['inetws_stream_bytes'].type, 'counter',
          'an OpenMetrics parser takes it')
    t.is_(found['inetws_ping_rtt_seconds'].unit, 'seconds', 'with units')


def cells(page):
    """{pid: {column: text}} of the page's rows."""
    rows = {}
    for one in columns(page):
        if 'Process' in one:
            rows[int(one['Process'])] = one
    return rows


def columns(page):
    """{column: text} of each row of the page's tables."""
    return [{k: html.unescape(v) for k, v in
             re.findall('<td data-n="([^"]*)"[^>]*>([^<]*)</td>', row)}
            for row in re.findall('<tr>(<td.*?)</tr>', page)]


def test_agree():
    """Metrics, JSON, table and page say the same."""
    t.rundir()
    target = t.Held()
    s = watched(target.port)
    ws, streams = zip(*[(t.ws.connect(s.port), target.next())
                        for _ in range(3)])
    ws[0].send(b'x' * 500)
    t.ws.read_exactly(streams[0], 500)
    streams[1].sendall(b'y' * 70)
    ws[1].take_data(70)
    streams[2].shutdown(1)
    ws[2].sock.settimeout(t.BOUND)
    raw = t.ws.dial(s.port)

    def all_():
        m, i = scrape(s), t.one()
        return m, i
    t.ok(t.until(lambda: t.one()['states']['handshaking'] == 1 and
                 t.one()['up'] == 500 and t.one()['down'] == 70 and
                 t.one()['states']['half-closed'] == 1), 'all has come')
    m, i = scrape(s), t.one()
    t.is_(m['inetws_connections_active'], i['active'], 'active')
    for state in i['states']:
        t.is_(m['inetws_connections{state="%s"}' % state],
              i['states'][state], state)
    for result in i['ended']:
        t.is_(m['inetws_connections_ended_total{result="%s"}' % result],
              i['ended'][result], result)
    t.is_((m['inetws_stream_bytes_total{direction="up"}'],
           m['inetws_stream_bytes_total{direction="down"}']),
          (i['up'], i['down']), 'bytes')
    t.is_((m['inetws_connections_begun_total'] + 1, len(ws) + 1),
          (i['total'], i['total']), 'all there were, one in handshake')
    page = cells(t.http(s.metrics, '/')[2])
    table = {int(line.split()[0]): line for line in
             t.run_inetws('status').stdout.decode().splitlines()
             if re.match(r'\d+ ', line)}
    t.is_((sorted(page), sorted(table)),
          ((sorted(r['pid'] for r in i['tunnels']),) * 2),
          'the same tunnels on the page and in the table')
    for row in i['tunnels']:
        sizes = ['%d B' % row['up'], '%d B' % row['down']]
        want = [row['peer'], row['target'] or '-', row['state']] + sizes
        seen = page[row['pid']]
        t.is_([seen[k] for k in ('Peer', 'Target', 'State', 'Up', 'Down')],
              want, '%s on the page' % row['peer'])
        t.like(table[row['pid']], r'^%d +%s +%s +%s .* %s +%s ' % tuple(
            [row['pid']] + [re.escape(x) for x in
                            [row['state'], row['peer'],
                             row['target'] or '-'] + sizes]),
               'and in the table')
    raw.close()
    for w in ws:
        w.sock.close()
    for x in streams:
        x.close()
    t.ok(t.until(lambda: scrape(s)['inetws_connections_active'] == 0),
         'all gone')
    m = scrape(s)
    t.is_(m['inetws_tunnel_duration_seconds_count'], 3,
          'durations of tunnels alone')
    t.is_(m['inetws_tunnel_duration_seconds_bucket{le="+Inf"}'], 3,
          'in buckets')
    t.is_(m['inetws_handshake_duration_seconds_count'], 3, 'handshakes')


def names_everywhere(g):
    """A gate's names, {name: (parked, open, waiting)} each:
    by JSON, the page, the table, and metrics, which know listed ones only."""
    i = t.one()
    told = {n['name']: (n['parked'], n['open'], n['waiting'])
            for n in i['names']}
    page = {c['Name']: (int(c['Parked']), int(c['Open']), int(c['Waiting']))
            for c in columns(t.http(g.metrics, '/')[2]) if 'Name' in c}
    table = {m[0]: tuple(map(int, m[1:])) for m in re.findall(
        r'^(\S+) +(\d+) +(\d+) +(\d+)$',
        t.run_inetws('status').stdout.decode(), re.M)}
    m = scrape(g)
    seen = {n['name']: tuple(
        m.pop('inetws_agent_%s}' % (x % n['name']), None) for x in
        ('websockets{name="%s",state="parked"',
         'websockets{name="%s",state="open"',
         'visitors_waiting{name="%s"')) for n in i['names'] if n['listed']}
    if any(k.startswith('inetws_agent_') for k in m):
        raise AssertionError('metrics of others')
    return told, page, table, seen


def test_names():
    """A gate: each name, with agents and visitors, the same everywhere."""
    t.rundir()
    d = t.folder()
    g = reverse.gate('--visitors-dir', d, '--metrics', '127.0.0.1:0',
                     visitors=None, auth=('--agents-file',
                     reverse.agents_file(ann='a', bob='b', eve='e')))
    g.metrics = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    agents = [reverse.raw_agent(g, '/agents/ann', secret='a')
             for _ in range(2)]
    agents.append(reverse.raw_agent(g, '/agents/bob', secret='b'))
    v = reverse.visit(d + '/bob.sock')
    t.like(reverse.line(agents[2]), '^open ', 'bob has a visitor')
    agents[2].text('ok')
    waiting = [reverse.visit(d + '/eve.sock') for _ in range(3)]
    want = {'ann': (2, 0, 0), 'bob': (0, 1, 0), 'eve': (0, 0, 3)}
    t.ok(t.until(lambda: {n['name']: (n['parked'], n['open'], n['waiting'])
                          for n in t.one()['names']} == want),
         'parked, open, and queued visitors')
    for where, found in zip(('JSON', 'page', 'table', 'metrics'),
                            names_everywhere(g)):
        t.is_(found, want, where)
    t.is_((scrape(g)['inetws_visitors_waiting'], t.one()['waiting']), (3, 3),
          'and all that wait')
    e = reverse.raw_agent(g, '/agents/eve', secret='e')
    t.like(reverse.line(e), '^open ', 'one of them is served')
    e.text('ok')
    want['eve'] = (0, 1, 2)
    t.ok(t.until(lambda: names_everywhere(g) == (want,) * 4),
         'and all say so')
    for x in waiting + [v]:
        x.close()


def test_names_made_up():
    """Names that are not listed are shown, but are no labels."""
    t.rundir()
    d = t.folder()
    g = reverse.gate('--visitors-dir', d, '--queue', '1s', '--metrics',
                     '127.0.0.1:0', visitors=None)
    g.metrics = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    name = 'secret-' + 'x' * 20
    a = reverse.raw_agent(g, '/agents/' + name)
    want = {'secret...': (1, 0, 0)}
    t.ok(t.until(lambda: names_everywhere(g) == (want, want, want, {})),
         'as the log shows them')
    a.sock.close()
    t.ok(t.until(lambda: names_everywhere(g) == ({},) * 4),
         'gone with its agent')
    g.stop()
    g = reverse.gate('--metrics', '127.0.0.1:0', auth=('--agents-file',
                     reverse.agents_file(ann='a')))
    g.metrics = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    v = reverse.visit(g.visitors)
    want = {'-': (0, 0, 1)}
    t.ok(t.until(lambda: names_everywhere(g) == (want, want, want, {})),
         'one listener for all: its visitors wait for any agent')
    a = reverse.raw_agent(g, '/agents/ann', secret='a')
    t.like(reverse.line(a), '^open ', 'an agent that comes')
    a.text('ok')
    want = {'-': (0, 0, 0), 'ann': (0, 1, 0)}
    t.ok(t.until(lambda: names_everywhere(g) == (want, want, want, {})),
         'and has a name')
    v.close()


def test_refused_at_limit():
    t.rundir()
    target = t.Held()
    s = watched(target.port, '--max-connections', '1')
    w = t.ws.connect(s.port)
    t.ws.ask(s.port, t.ws.request())
    t.is_(scrape(s)['inetws_connections_refused_total'], 1,
          'refused at the limit, while metrics are still served')
    t.is_(scrape(s)['inetws_connections_limit'], 1, 'the limit')
    w.sock.close()


def test_values():
    """What is not a count of connections: the process, codes, pings."""
    t.rundir()
    begun = time.time()
    s = watched(t.echo().port, '--ping-interval', '100ms')
    m = scrape(s)
    version = t.run_inetws('--version').stdout.decode().split()[1]
    t.is_(m['inetws_build_info{version="%s",mode="server"}' % version], 1,
          'what is running')
    for name in ('process_start_time_seconds', 'inetws_start_time_seconds'):
        t.ok(abs(m[name] - begun) < 5 * t.SCALE, name)
    # It may not have closed that of the scrape itself yet.
    t.ok(t.until(lambda: scrape(s)['process_open_fds'] ==
                 t.descriptors(s.pid)), 'its descriptors')
    with open('/proc/%d/status' % s.pid) as f:
        rss = 1024 * int(re.search(r'VmRSS:\s+(\d+)', f.read())[1])
    t.ok(.5 < m['process_resident_memory_bytes'] / rss < 2, 'its memory')
    w = t.ws.connect(s.port)
    while scrape(s)['inetws_ping_rtt_seconds_count'] < 2:
        w.take()
    m = scrape(s)
    t.is_(m['inetws_ping_rtt_seconds_bucket{le="+Inf"}'],
          m['inetws_ping_rtt_seconds_count'], 'pings in buckets')
    w.bye()
    for code in (1001, 4000):
        t.ws.connect(s.port).bye(code)
    x = t.ws.connect(s.port)
    x.sock.close()
    codes = {'1000': 1, '1001': 1, 'other': 1, 'none': 1}
    t.ok(t.until(lambda: {c: scrape(s)['inetws_close_codes_total{code="%s"}' %
                                       c] for c in codes} == codes),
         'close codes in classes')


def test_lost_websocket():
    """Lost, found and lost for good, at both sides, in all that shows it."""
    t.rundir()
    s = watched(t.echo().port)
    proxy = cutting.Cutter(s.port)
    c = t.client('ws://127.0.0.1:%d/' % proxy.port, '--metrics', '127.0.0.1:0')
    c.metrics = t.port_of(c.wait_line(r'metrics on (\S+)')[1])
    v = t.ws.dial(c.port)

    def speak():
        v.sendall(b'x')
        return t.ws.read_exactly(v, 1)
    speak()
    proxy.refuse = True
    proxy.cut('rst')

    def lost_now():
        return all(scrape(x)['inetws_connections{state="lost"}'] == 1
                   for x in (s, c))
    t.ok(t.until(lost_now), 'metrics: one is lost now')
    for i in t.status()['instances']:
        t.is_((i['lost_now'], i['lost'], i['resumes']), (1, 1, 0),
              '%s, status: one is lost now' % i['mode'])
        t.ok(i['tunnels'][0]['lost_ms'] is not None, 'and for how long')
    for x in s, c:
        t.like(t.http(x.metrics, '/')[2], '>lost<', 'the page has it')
    time.sleep(.2)
    proxy.refuse = False
    t.is_(speak(), b'x', 'it is resumed')
    t.until(lambda: all(
        i['resumes'] == 1 and i['lost_now'] == 0 and i['window'] == max(
            i['tunnels'][0]['window_' + d] for d in ('up', 'down'))
        for i in t.status()['instances']))
    for x, i in zip((s, c), sorted(t.status()['instances'],
                                   key=lambda i: i['mode'] == 'client')):
        m = scrape(x)
        t.is_((i['total'], i['lost_now'], i['lost'], i['resumes'],
               m['inetws_connections_begun_total'],
               m['inetws_connections{state="lost"}'],
               m['inetws_websockets_lost_total'],
               m['inetws_websockets_resumed_total']),
              (1, 0, 1, 1, 1, 0, 1, 1),
              '%s: resumed, and no new connection' % i['mode'])
        gap = i['longest_gap_ms']
        t.ok(200 <= gap == i['tunnels'][0]['longest_gap_ms'] ==
             round(1000 * m['inetws_websocket_gap_longest_seconds']),
             'how long it was without')
        t.ok(i['window'] == m['inetws_window_largest_bytes'] == max(
            i['tunnels'][0]['window_' + d] for d in ('up', 'down')) > 0,
             'its window')
        t.like(t.http(x.metrics, '/')[2], '1 lost, 1 resumed, longest gap',
               'the page tells it, too')
    t.is_(len(re.findall('1 lost, 1 resumed, longest gap [0-9.]+ ?m?s',
                         t.run_inetws('status').stdout.decode())), 2,
          'and so does the table')


def test_trazfr():
    t.rundir()
    echo = t.echo()
    s = watched(echo.port, '--metrics-names=trazfr')
    w = t.ws.connect(s.port)
    t.ok(t.until(lambda: scrape(s)
                 ['http_to_tcp_connections{type="tcp"}'] == 1), 'tcp')
    m = scrape(s)
    t.is_((m['http_to_tcp_active_connections'],
           m['http_to_tcp_connections{type="http"}'],
           m['http_to_tcp_error{type="upgrade"}'],
           m['http_to_tcp_error{type="dial_tcp"}']), (1, 1, 0, 0),
          "another tool's names")
    w.bye()
    t.ok('http_to_tcp' not in t.http(watched(echo.port).metrics,
                                     '/metrics')[2], 'only if asked for')


def test_requests():
    t.rundir()
    s = watched(t.free_port())
    for request, want in (
            (('/', 'POST'), 405), (('/metrics', 'DELETE'), 405),
            (('/nothing', 'GET'), 404), (('/metricsx', 'GET'), 404),
            (('/metrics?a=b', 'GET'), 200),
            (('http://x/metrics', 'GET'), 200), (('/healthz', 'HEAD'), 200)):
        status, fields, body = t.http(s.metrics, *request)
        t.is_(status, want, '%s %s' % request[::-1])
        if want == 405:
            t.is_(fields.get('allow'), 'GET, HEAD, OPTIONS',
                  'with what is allowed')
    for raw in ('GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\nHost: x\r\n\r\n',
                'nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n folded'
                '\r\n\r\n', 'GET / HTTP/1.1\r\nHost: x:99999\r\n\r\n'):
        t.is_(t.http(s.metrics, '', raw=raw.encode())[0], 400, repr(raw))
    t.is_(t.http(s.metrics, '', raw=b'\r\nGET /healthz HTTP/1.1\r\n'
                 b'Host: x\r\n\r\n')[0], 200, 'behind an empty line')
    t.is_(t.http(s.metrics, '', raw=b'GET / HTTP/1.1\r\n'
                 b'Host: ' + b'x' * 20000 +
                 b'\r\n\r\n')[0], 431, 'too much')
    status, fields, body = t.http(s.port, '/metrics')
    t.is_(status, 426, 'never on the public port')


def test_old_http():
    """HTTP/1.0, as simple health checks speak it."""
    t.rundir()
    s = watched(t.free_port())
    for request, want in (
            ('GET /healthz HTTP/1.0\r\n\r\n', (200, 'alive\n')),
            ('GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
             (200, 'alive\n')),
            ('HEAD /healthz HTTP/1.0\r\n\r\n', (200, '')),
            ('OPTIONS /healthz HTTP/1.0\r\n\r\n', (200, '')),
            ('OPTIONS /readyz HTTP/1.1\r\nHost: x\r\n\r\n', (503, '')),
            ('OPTIONS /nothing HTTP/1.0\r\n\r\n', (404, ''))):
        status, fields, body = t.http(s.metrics, '', raw=request.encode())
        t.is_((status, body), want, request.partition('\r')[0])
        t.is_(fields['connection'], 'close', 'and that is all')
        if 'OPTIONS' in request:
            t.is_(fields['allow'], 'GET, HEAD, OPTIONS', 'what is allowed')
    status, fields, body = t.http(s.metrics, '', raw=b'GET /metrics HTTP/1.0'
                                  b'\r\n\r\n')
    t.is_((status, int(fields['content-length'])), (200, len(body)),
          'metrics too')
    x = t.ws.dial(s.metrics)
    x.sendall(b'GET /healthz HTTP/1.0\r\n\r\n')
    x.shutdown(1)
    t.ok(t.ws.read_all(x)[0].endswith(b'\r\n\r\nalive\n'),
         'one that ends its side is answered too')
    for old in ('0.9', '2.0'):
        t.is_(t.http(s.metrics, '', raw=b'GET / HTTP/%s\r\n\r\n' %
                     old.encode())[0], 505, 'but not HTTP/' + old)
    ncat, = t.need('ncat')
    r = t.run([ncat, '127.0.0.1', str(s.metrics)],
              input=b'GET /healthz HTTP/1.0\r\n\r\n')
    t.like(r.stdout, r'^HTTP/1\.1 200 [^\0]*\r\n\r\nalive\n$', 'ncat')


HAPROXY = """
global
	stats socket %s
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
	timeout check 5s
"""


def test_haproxy():
    """What it asks by default, OPTIONS / HTTP/1.0, and what may be set."""
    haproxy, = t.need('haproxy')
    t.rundir()
    s = watched(t.echo().port)
    dead = watched(t.free_port())
    checks = (('default', 'option httpchk', s, 'UP'),
              ('healthz', 'option httpchk GET /healthz', dead, 'UP'),
              ('readyz', 'option httpchk GET /readyz', s, 'UP'),
              ('dead', 'option httpchk /readyz', dead, 'DOWN'))
    d = t.folder()
    with open(d + '/conf', 'w') as f:
        f.write(HAPROXY % (d + '/ask') + ''.join(
            'backend %s\n\t%s\n\tserver s 127.0.0.1:%d check port %d '
            'inter 200ms\n' % (name, option, p.port, p.metrics)
            for name, option, p, _ in checks))
    t.Program([haproxy, '-db', '-f', d + '/conf'])

    def seen():
        try:
            with reverse.visit(d + '/ask') as x:
                x.sendall(b'show stat\n')
                text = t.ws.read_all(x)[0].decode()
        except OSError:
            return {}
        rows = [line.split(',') for line in text.splitlines()]
        if not rows:
            return {}
        at = rows[0]
        return {r[0]: (r[at.index('status')], r[at.index('check_status')])
                for r in rows[1:] if r[1:2] == ['s']}
    want = {name: (word, 'L7OK' if word == 'UP' else 'L7STS')
            for name, _, _, word in checks}
    t.ok(t.until(lambda: seen() == want), 'HAProxy sees which are well')
    if seen() != want:
        t.diag(str(seen()))


def test_on_the_listener():
    """--metrics-path and --health-path: for those who know one port only."""
    t.rundir()
    cert = t.certificate()
    d = t.folder()
    with open(d + '/users', 'w') as f:
        f.write('token:robot:%064x\n' % 0)
    s = t.server(t.echo().port, '--metrics-path', '/m', '--health-path',
                 '/h', '--auth-file', d + '/users', '--path', '/tunnel',
                 '--log-level', 'debug')
    status, fields, body = t.http(s.port, '/m?x')
    t.is_(status, 200, 'metrics, whatever else a request needs')
    t.like(body, 'inetws_connections_limit 1024', 'those of the instance')
    for text, want in (
            ('GET /h HTTP/1.1\r\nHost: x\r\n\r\n', (200, 'alive\n')),
            ('HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n', (200, '')),
            ('GET /h HTTP/1.0\r\n\r\n', (200, 'alive\n')),
            ('OPTIONS /h HTTP/1.0\r\n\r\n', (200, '')),
            ('GET http://x/h?a HTTP/1.1\r\nHost: x\r\n\r\n',
             (200, 'alive\n')),
            ('GET /h HTTP/1.1\r\n\r\n', (400, 'a request needs one Host\n')),
            ('GET /h HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n',
             (400, 'a request needs one Host\n')),
            ('GET /h HTTP/1.1\r\nHost: a b\r\n\r\n',
             (400, 'malformed Host\n'))):
        r = t.http(s.port, None, raw=text.encode())
        t.is_((r[0], r[2]), want, text.split('\r')[0])
    r = t.http(s.port, None, raw=b'HEAD /tunnel HTTP/1.1\r\nHost: x\r\n\r\n')
    t.is_((r[0], r[1]['allow']), (405, 'GET'), 'nothing else is answered')
    for path in ('/h', '/m?x', 'http://x/h'):
        r = t.http(s.port, path, 'POST')
        t.is_((r[0], r[1]['allow']), (405, 'GET, HEAD, OPTIONS'),
              'POST %s: what is allowed' % path)
    t.is_(t.http(s.port, '/metrics')[0], 426, 'and nothing by default')
    t.is_(t.ws.ask(s.port, t.ws.request(path='/tunnel')).status, 401,
          'a websocket is as it was')
    t.is_(t.ws.ask(s.port, t.ws.request(path='/h')).status, 404,
          'a page is no answer for it')
    t.until(lambda: not t.children(s.pid))      # all have been counted
    body = t.http(s.port, '/m')[2]
    t.like(body, 'ended_total{result="probe"} 10', 'they are counted as probes')
    t.ok(s.has_line('event=failed', count=6), 'the other six are failures')
    t.is_(len(re.findall('event=failed', s.log)), 6, 'and no page is one')
    s = t.server(t.echo().port, '--health-path', '/')
    t.is_(t.http(s.port, '/')[0::2], (200, 'alive\n'), 'one path for both:')
    with t.ws.dial(s.port) as x:
        x.sendall(t.ws.request(path='/'))
        t.is_(t.ws.read_head(x)[0][:12], b'HTTP/1.1 101', 'the tunnel too')
    s = t.server(t.echo().port, '--health-path', '/h', '--tls-cert',
                 cert.cert, '--tls-key', cert.key)
    with ssl.create_default_context(cafile=cert.ca).wrap_socket(
            t.ws.dial(s.port), server_hostname='localhost') as x:
        x.sendall(b'GET /h HTTP/1.1\r\nHost: x\r\n\r\n')
        t.like(t.ws.read_all(x)[0], 'alive', 'by TLS, too')
    p = t.inetws('-listen_ws', '127.0.0.1:0', '-remote_tcp',
                 '127.0.0.1:%d' % t.echo().port)
    port = t.port_of(t.listening(p)[0])
    t.like(t.http(port, '/metrics')[2], 'http_to_tcp_active_connections',
           'as tcp-over-websocket has them')


# Milliseconds between two, and what a connection with its TLS may take: else
# it ends in a reset, which is a failure.
PROBES, TLS_PROBES = 300 * t.SCALE, 3000 * t.SCALE


def test_probes():
    """HAProxy's checks of the websocket's port leave nothing in the log."""
    haproxy, = t.need('haproxy')
    t.rundir()
    cert = t.certificate()
    plain = t.server(t.echo().port, '--health-path', '/h')
    tls = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                   cert.key)
    proxied = t.server(t.echo().port, '--accept-proxy')
    d = t.folder()
    with open(d + '/conf', 'w') as f:
        f.write(HAPROXY % (d + '/ask') + ''.join(
            'backend b%d\n\t%s\n\tserver s 127.0.0.1:%d check inter %dms %s\n'
            % (i, option, port, ms, more)
            for i, (option, port, ms, more) in enumerate((
                ('', plain.port, PROBES, ''),
                ('option httpchk', plain.port, PROBES, ''),
                ('option httpchk GET /h', plain.port, PROBES, ''),
                ('', tls.port, TLS_PROBES, 'check-ssl verify none'),
                ('', proxied.port, PROBES,
                 'send-proxy check-send-proxy')))))
    t.Program([haproxy, '-db', '-f', d + '/conf'])

    def probes(p):
        return next(i['ended'].get('probe', 0)
                    for i in t.status()['instances'] if i['pid'] == p.pid)
    for p, least, name in ((plain, 5, 'plain'), (tls, 2, 'TLS'),
                           (proxied, 5, 'with a PROXY header')):
        t.ok(t.until(lambda: probes(p) >= least),
             name + ': probes are counted')
        t.unlike(p.log, 'event=(failed|probe)', 'and no line of the log')


def test_health():
    t.rundir()
    target = t.Listener(lambda c: t.ws.read_all(c)[1])
    s = watched(target.port, '--drain', '30s')
    t.is_(t.http(s.metrics, '/healthz')[0::2], (200, 'alive\n'), 'alive')
    begin = t.ws.now()
    t.is_(t.http(s.metrics, '/readyz')[0::2], (200, 'ready\n'), 'ready')
    t.is_(target.take(), 'eof', 'which its target sees as an end')
    t.http(s.metrics, '/readyz')
    t.is_(target.accepted, 1, 'held for a while: not dialled again')
    dead = watched(t.free_port())
    status, _, body = t.http(dead.metrics, '/readyz')
    t.is_(status, 503, 'a dead target: 503')
    t.like(body, '(?i)refused', 'and why')
    t.is_(t.http(dead.metrics, '/healthz')[0], 200, 'it is alive all the same')
    held = t.Held()
    d = watched(held.port, '--drain', '30s')
    w = t.ws.connect(d.port)
    d.send(15)
    d.wait_line('event=stopping')
    t.is_(t.http(d.metrics, '/readyz')[0::2], (503, 'draining\n'),
          'draining: not ready')
    w.sock.close()
    t.ok(t.until(lambda: t.http(s.metrics, '/readyz')[0] == 200 and
                 target.accepted == 2, pause=.2) and t.ws.now() - begin > 4.5,
         'after five seconds the target is dialled again')


def test_client_ready():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--metrics', '127.0.0.1:0')
    port = t.port_of(c.wait_line(r'metrics on (\S+)')[1])
    t.is_(t.http(port, '/readyz')[0], 200, 'a client asks its server')
    c = t.client('ws://127.0.0.1:%d/' % t.free_port(), '--metrics',
                 '127.0.0.1:0')
    port = t.port_of(c.wait_line(r'metrics on (\S+)')[1])
    t.is_(t.http(port, '/readyz')[0], 503, 'which may be dead')


def test_unix():
    t.rundir()
    path = t.folder() + '/m'
    s = t.server(t.free_port(), '--metrics', 'unix:%s,mode=0600' % path)
    t.is_(t.http(path, '/healthz')[0], 200, 'a Unix socket')
    t.is_(os.stat(path).st_mode & 0o777, 0o600, 'with its mode')
    s.stop()
    t.ok(not os.path.exists(path), 'removed at the end')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--metrics', 'inetd',
                     'a:1')
    t.is_(r.returncode, 64, 'no address: 64')
    t.like(r.stderr, 'metrics.*inetd', 'which is named')
    busy = t.echo()
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--metrics',
                     '127.0.0.1:%d' % busy.port, 'a:1')
    t.is_(r.returncode, 71, 'one in use: 71')


@t.limit(40)
def test_slow():
    """A client that does not ask or read ties up little, and not for long."""
    t.rundir()
    echo = t.echo()
    s = watched(echo.port)
    slow = [t.ws.dial(s.metrics) for _ in range(20)]
    w = t.ws.connect(s.port)
    w.send(b'abc')
    t.is_(w.take_data(3), b'abc', 'tunnels are not held up')
    t.ok(len(t.children(s.pid)) <= 17,
         'at most sixteen are served at a time')
    for x in slow:
        x.close()
    t.is_(t.http(s.metrics, '/healthz')[0], 200, 'and then it is free again')
    x = t.ws.dial(s.metrics)
    x.sendall(b'GET / HT')
    begin = t.ws.now()
    t.like(t.ws.read_all(x)[0], r'(?s)\AHTTP/1.1 408 .*not complete\n?\Z',
           'half a request: 408')
    t.ok(t.ws.now() - begin < 8 * t.SCALE, 'after five seconds')
    w.bye()


class Strict(html.parser.HTMLParser):
    VOID = {'meta', 'br', 'link'}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_page():
    t.rundir()
    echo = t.echo()
    s = watched(echo.port)
    w = t.ws.connect(s.port)
    status, fields, text = t.http(s.metrics, '/')
    p = Strict()
    p.feed(text)
    t.is_((p.open, p.wrong), ([], []), 'well formed')
    t.ok(not p.tags & {'img', 'link', 'iframe'}, 'nothing but itself')
    t.unlike(text, r'(src|href)=|url\(|@import', 'nothing from elsewhere')
    t.like(text, '<noscript><meta http-equiv="refresh"',
           'refreshes itself, also without scripts')
    t.like(text, 'name="viewport"', 'fits a phone')
    t.like(fields['content-security-policy'], "default-src 'none'",
           'and may do nothing')
    script = re.search('(?s)<script>(.*)</script>', text)[1].encode()
    t.ok("script-src 'sha256-%s';" % base64.b64encode(
        hashlib.sha256(script).digest()).decode() in
        fields['content-security-policy'], 'but run this one script')
    w.bye()


def test_textfile():
    """status --openmetrics: where nothing can be scraped."""
    t.rundir()
    s = watched(t.free_port())
    t.http(s.metrics, '/metrics')
    r = t.run_inetws('status', '--openmetrics')
    t.is_(r.returncode, 0, 'status --openmetrics')
    here, there = t.series(r.stdout.decode()), scrape(s)
    t.is_(sorted(k for k in there if k not in here and
                 not k.startswith('process_')), [], 'the same series')
    t.ok(r.stdout.endswith(b'# EOF\n'), 'to its end')
    watched(t.free_port())
    r = t.run_inetws('status', '--openmetrics')
    t.is_(r.returncode, 64, 'of several: 64')


def inetd_server(page, target):
    """One connection's process, as a super-server would start it."""
    ours, theirs = socket.socketpair()
    t.on_close(theirs.close)
    with ours:
        t.inetws('server', '-l', 'inetd', '--stats-file', page,
                 '127.0.0.1:%d' % target, stdin=ours.fileno())
    return theirs


def test_node_exporter():
    """Where nothing listens: by a file, through the real collector."""
    exporter, = t.need('prometheus-node-exporter')
    promtool, = t.need('promtool')
    echo = t.echo()
    d = t.folder()
    page, out = d + '/page', d + '/inetws.prom'
    w = inetd_server(page, echo.port)
    w.settimeout(t.BOUND)
    w.sendall(t.ws.request())
    head, early = t.ws.read_head(w)
    w = t.ws.WebSocket(w, True, early)
    w.send(b'x' * 77)
    w.take_data(77)
    t.ok(t.until(lambda: t.one(page)['down'] == 77), 'it is counted')
    r = t.run_inetws('status', '--textfile', out, '--metrics-names=trazfr',
                     page)
    t.is_((r.returncode, r.stdout, r.stderr), (0, b'', b''), '--textfile')
    t.is_(os.listdir(d).count('inetws.prom'), 1, 'the file')
    t.is_([n for n in os.listdir(d) if n.startswith('.')], [],
          'and nothing else')
    t.is_(os.stat(out).st_mode & 0o777, 0o644, 'that others may read')
    with open(out) as f:
        text = f.read()
    r = t.run([promtool, 'check', 'metrics'], input=text.encode())
    t.is_((r.returncode, r.stdout + r.stderr), (0, b''),
          'promtool finds no fault')
    t.is_(t.series(text)['http_to_tcp_active_connections'], 1,
          "that tool's names too")
    port = t.free_port()
    t.Program([exporter, '--web.listen-address=127.0.0.1:%d' % port,
               '--collector.disable-defaults', '--collector.textfile',
               '--collector.textfile.directory=' + d])

    def scraped():
        try:
            return t.series(t.http(port, '', raw=b'GET /metrics HTTP/1.0'
                                   b'\r\n\r\n')[2])
        except OSError:
            return {}
    t.ok(t.until(lambda: 'inetws_connections_active' in scraped()),
         'node-exporter takes it')
    m = scraped()
    t.is_((m['inetws_connections_active'], m['node_textfile_scrape_error'],
           m['inetws_stream_bytes_total{direction="down"}']), (1, 0, 77),
          'without an error')
    p = t.inetws('status', '--textfile', out, '--watch', page)
    os.unlink(out)
    t.ok(t.until(lambda: os.path.exists(out)), '--watch writes it again')
    t.is_(p.stop(), 0, 'TERM: 0')
    os.mkfifo(d + '/fifo')
    r = t.run_inetws('status', '--textfile', d + '/fifo', page)
    t.is_(r.returncode, 71, 'one that is no regular file')
    t.like(r.stderr, '/fifo: not a regular file', 'is told')
    t.ok(stat.S_ISFIFO(os.stat(d + '/fifo').st_mode), 'and stays')
    r = t.run_inetws('status', '--textfile', d + '/none/x', page)
    t.is_(r.returncode, 71, 'where it cannot be written: 71')
    t.like(r.stderr, d + '/none/x', 'which is named')


def test_grow_only():
    t.rundir()
    echo = t.echo()
    s = watched(echo.port)
    last = scrape(s)
    for i in range(20):
        before = set(t.children(s.pid))
        w = t.ws.connect(s.port)
        w.send(b'x' * i)
        if i % 3 == 0:          # not one before, which may just end
            child, = t.until(lambda: len(c := set(t.children(
                s.pid, zombies=False)) - before) == 1 and c)
            os.kill(child, 9)
        w.sock.close()
        now = scrape(s)
        back = [k for k in now if re.search('_total|_count|_bucket|_sum', k)
                and now[k] < last[k]]
        if back:
            t.is_(back, [], 'nothing goes back')
        last = now
    t.ok(t.until(lambda: scrape(s)['inetws_connections_active'] == 0),
         'scraped through all of it')
    m = scrape(s)
    t.is_(sum(v for k, v in m.items() if 'connections_ended' in k),
          m['inetws_connections_begun_total'], 'all that began has ended')


t.main()
