# SPDX-License-Identifier: ISC
"""Figures as Markdown, JSON and a chart."""

import json
import os
import statistics
import subprocess

import machine

KEYS = {'bulk': 'mib_s', 'rtt1': 'p50_us', 'rtt64': 'per_s', 'rate': 'per_s',
        'idle': 'kib'}
GIB = 2**30


def kind(measure):
    if measure.startswith(('up', 'down')):
        return 'bulk'
    return measure.rstrip('0123456789')


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def value(measure, rounds):
    """The measure's own figure: the median of its rounds."""
    return median(rounds, KEYS.get(measure) or KEYS[kind(measure)])


def less_is_better(measure):
    return kind(measure) == 'idle' or measure == 'rtt1'


def cpu_gib(rounds):
    return statistics.median(r['cpu'] / r['all_bytes'] * GIB for r in rounds)


def cpu_each(rounds):
    """Microseconds a connection or message."""
    return statistics.median(r['cpu'] / r['all'] * 1e6 for r in rounds
                             if r['all'])


# ------------------------------------------------------------------ tables

def cell(results, measure, who, of=None):
    rounds = results.get(measure, {}).get(who)
    if not rounds:
        return '–'
    figure = of(rounds) if of else value(measure, rounds)
    if figure < 10:
        return '%.2f' % figure
    return '%.0f' % figure


def pair(results, a, b, who, of=None):
    return '%s / %s' % (cell(results, a, who, of), cell(results, b, who, of))


def bulk_cpu(results, who):
    if who == 'direct':
        return '–'
    return pair(results, 'up1', 'down1', who, cpu_gib)


def p50_p99(results, who):
    return '%s / %s' % (cell(results, 'rtt1', who), cell(
        results, 'rtt1', who, lambda r: median(r, 'p99_us')))


# (title, measures of which one must be there, cell)
COLUMNS = [
    ('up / down MiB/s, 1 stream', ('up1', 'down1'),
     lambda r, w: pair(r, 'up1', 'down1', w)),
    ('CPU s per GiB up / down', ('up1', 'down1'), bulk_cpu),
    ('16 streams up / down', ('up16', 'down16'),
     lambda r, w: pair(r, 'up16', 'down16', w)),
    ('64 streams up / down', ('up64', 'down64'),
     lambda r, w: pair(r, 'up64', 'down64', w)),
    ('64 bytes round trip p50 / p99 µs', ('rtt1',), p50_p99),
    ('messages/s, 64 connections', ('rtt64',),
     lambda r, w: cell(r, 'rtt64', w)),
    ('connections/s, 1 / 32 at once', ('rate1', 'rate32'),
     lambda r, w: pair(r, 'rate1', 'rate32', w)),
    ('CPU µs per connection', ('rate1',),
     lambda r, w: '–' if w == 'direct' else cell(r, 'rate1', w, cpu_each)),
    ('idle KiB per tunnel, 200', ('idle200',),
     lambda r, w: cell(r, 'idle200', w)),
    ('idle KiB per tunnel, 500 / 2000', ('idle500', 'idle2000'),
     lambda r, w: pair(r, 'idle500', 'idle2000', w)),
]

TITLES = {
    'plain': 'Client and server, plain',
    'nginx': 'Through nginx, as documented',
    'tls': 'Over TLS',
    'inetd': 'A program a connection (inetd)',
}


def table(heads, rows):
    lines = ['| ' + ' | '.join(heads) + ' |',
             '|' + '---|' * len(heads)]
    lines += ['| ' + ' | '.join(row) + ' |' for row in rows]
    return '\n'.join(lines) + '\n'


def present(results, people):
    return [w for w in people
            if any(w.name in per for per in results.values())]


def set_table(results, people):
    columns = [c for c in COLUMNS if any(m in results for m in c[1])]
    rows = [[who.what] + [of(results, who.name) for _, _, of in columns]
            for who in present(results, people)]
    return table(['contender'] + [c[0] for c in columns], rows)


def ratio_table(results, people, to, names):
    """Each measure as a multiple of what a contender reached."""
    measures = [m for m in results if to in results[m]]
    rows = []
    for who in present(results, people):
        if who.name == to:
            continue
        row = [who.what]
        for m in measures:
            theirs = results[m].get(who.name)
            row.append('%.2f' % (value(m, theirs) / value(m, results[m][to]))
                       if theirs and value(m, results[m][to]) else '–')
        rows.append(row)
    heads = ['× %s' % names[to]] + [m + (' ↓' if less_is_better(m) else '')
                                    for m in measures]
    return table(heads, rows)


# ----------------------------------------------------------------- targets

class Figures:
    """Look-ups that answer None when something was not measured."""

    def __init__(self, results):
        self.results = results

    def get(self, name, measure, who, of=None):
        rounds = self.results.get(name, {}).get(measure, {}).get(who)
        if not rounds:
            return None
        return of(rounds) if of else value(measure, rounds)

    def ratio(self, name, measure, who, to, of=None):
        a = self.get(name, measure, who, of)
        b = self.get(name, measure, to, of)
        return a / b if a is not None and b else None

    def best(self, name, measure, without):
        """The lowest of everybody else's."""
        per = self.results.get(name, {}).get(measure, {})
        found = [value(measure, r) for w, r in per.items()
                 if w not in without]
        return min(found) if found else None


def targets(f):
    """(words, figure or None, whether more is better, limit)"""
    ours, socat, none, nginx = 'inetws0', 'socat2', 'direct', 'nginx2'

    def plain(m, to, of=None, who=ours):
        return f.ratio('plain', m, who, to, of)

    best = f.best('plain', 'rtt1', ('direct', 'inetws', 'inetws0',
                                    'inetws+websockify', 'websockify',
                                    'websocketd'))
    rtt = f.get('plain', 'rtt1', ours)
    return [
        ('download, 1 stream, × no proxy', plain('down1', none), True, .8),
        ('its CPU per GiB, × socat ×2', plain('down1', socat, cpu_gib),
         False, .45),
        ('upload, 1 stream, × no proxy', plain('up1', none), True, .5),
        ('upload, 1 stream, × socat ×2', plain('up1', socat), True, 1.2),
        ('its CPU per GiB, × socat ×2', plain('up1', socat, cpu_gib), False,
         .85),
        ('16 streams up, × socat ×2', plain('up16', socat), True, 1),
        ('16 streams down, × socat ×2', plain('down16', socat), True, 1.3),
        ('64 streams up, × socat ×2', plain('up64', socat), True, 1),
        ('64 streams down, × socat ×2', plain('down64', socat), True, 1.3),
        ('round trip p50, × socat ×2', plain('rtt1', socat), False, 1),
        ('round trip p50, × the best contender of two hops',
         rtt / best if rtt and best else None, False, 1.1),
        ('messages/s of 64 connections, × socat ×2',
         plain('rtt64', socat), True, 1.2),
        ('connections/s, 1 at a time, × nginx stream ×2',
         plain('rate1', nginx), True, .5),
        ('connections/s, 32 at once, × nginx stream ×2',
         plain('rate32', nginx), True, .6),
        ('idle tunnel, both sides, KiB', f.get('plain', 'idle500', ours) or
         f.get('plain', 'idle200', ours), False, 170),
        ('under inetd, connections/s, × a trivial program under socat',
         f.ratio('inetd', 'rate1', 'inetws-socat', 'trivial-socat'), True,
         .8),
        ('under inetd, connections/s, × a trivial program under inetd',
         f.ratio('inetd', 'rate1', 'inetws-inetd', 'trivial-inetd'), True,
         .8),
        ('through nginx, upload, × raw TCP through it',
         f.ratio('nginx', 'up1', 'inetws0-nginx', 'nginx1'), True, .9),
        ('through nginx, download, × raw TCP through it',
         f.ratio('nginx', 'down1', 'inetws0-nginx', 'nginx1'), True, .9),
        ('over TLS, upload, × stunnel ×2',
         f.ratio('tls', 'up1', 'inetws-tls', 'stunnel2'), True, 1.1),
        ('over TLS, download, × stunnel ×2',
         f.ratio('tls', 'down1', 'inetws-tls', 'stunnel2'), True, 1.1),
        ('resume on, upload, 1 stream, × socat ×2',
         plain('up1', socat, who='inetws'), True, 1),
        ('its CPU per GiB, × socat ×2',
         plain('up1', socat, cpu_gib, 'inetws'), False, 1),
        ('resume on, download, 1 stream, × socat ×2',
         plain('down1', socat, who='inetws'), True, 1.4),
        ('its CPU per GiB, × socat ×2',
         plain('down1', socat, cpu_gib, 'inetws'), False, .42),
        ('resume on, 16 streams up, × socat ×2',
         plain('up16', socat, who='inetws'), True, .95),
        ('resume on, 16 streams down, × socat ×2',
         plain('down16', socat, who='inetws'), True, 1.2),
    ]


def target_table(results):
    rows = []
    for words, figure, more, limit in targets(Figures(results)):
        if figure is None:
            continue
        met = figure >= limit if more else figure <= limit
        rows.append([words, '%s %g' % ('≥' if more else '≤', limit),
                     '%.2f' % figure, 'met' if met else '**missed**'])
    if not any('inetws0' in per for per in results.get('plain', {}).values()):
        return ''
    return table(['inetws `--resume 0` unless said', 'target', 'here', ''],
                 rows)


# ---------------------------------------------------------------- the page

def page(facts, results, sets):
    names = {w.name: w.what for s in sets.values() for w in s}
    parts = ['%s: `%s` on %s. %s. %d rounds of %g s, medians; %d s in all. '
             'Accounted by %s.\n' % (
                 facts['date'], facts['command'], facts['machine'],
                 facts['network'].capitalize(), facts['rounds'],
                 facts['seconds'], facts['took'], facts['accounting'])]
    if facts['wrong']:
        parts.append('**Bytes differed: %s.**\n' % ', '.join(facts['wrong']))
    for name, per in results.items():
        if not any(per.values()):
            continue
        parts.append('### %s\n' % TITLES[name])
        parts.append(set_table(per, sets[name]))
        to = [w for w in ('direct', 'socat2', 'nginx1', 'stunnel2',
                          'trivial-socat')
              if any(w in rounds for rounds in per.values())]
        for other in to:
            if len(present(per, sets[name])) > 1:
                parts.append(ratio_table(per, sets[name], other, names))
    if 'plain' in results:
        parts.append('¹ Only a server: the load generator itself is their '
                     'client, so theirs is one hop where others have two.  '
                     '↓ Less is better.\n')
    found = target_table(results)
    if found:
        parts.append('### What we ask of ourselves\n')
        parts.append(found)
    if facts['failed']:
        parts.append('Failed: ' + '; '.join(
            '%s (%s)' % pair for pair in facts['failed'].items()) + '.\n')
    if facts['absent']:
        parts.append('Not there: ' + '; '.join(
            '%s (%s)' % (names[w], why)
            for w, why in facts['absent'].items()) + '.\n')
    return '\n'.join(parts)


# ------------------------------------------------------------------- chart

# (title, measure, figure)
PANELS = [
    ('upload, 1 stream, MiB/s', 'up1', None),
    ('download, 1 stream, MiB/s', 'down1', None),
    ('download, CPU s per GiB (less is better)', 'down1', cpu_gib),
    ('64-byte round trip, µs (less is better)', 'rtt1', None),
    ('connections/s, 32 at once', 'rate32', None),
    ('idle tunnel, KiB (less is better)', 'idle', None),
]


def panel_rows(per, people, measure, of):
    if measure == 'idle':
        found = [m for m in per if m.startswith('idle')]
        measure = found[0] if found else measure
    rows = []
    for who in reversed(people):
        rounds = per.get(measure, {}).get(who.name)
        if rounds and not (of and who.name == 'direct'):
            what = who.what.replace('*', '').replace('`', '').replace(
                ' ¹', '')
            rows.append((what, of(rounds) if of else value(measure, rounds),
                         0x2a6fb0 if who.ours else 0xb8bec6))
    return rows


def panel_script(number, title, rows):
    """Bars from left to right, one a contender, its figure behind it."""
    most = max(figure for _, figure, _ in rows)
    data = '$rows%d << EOD\n' % number + ''.join(
        '"%s"\t%g\t%d\t%d\n' % (what, figure, colour, at)
        for at, (what, figure, colour) in enumerate(rows)) + 'EOD\n'
    return data + '''set title "%s"
set xrange [0:%g]
set yrange [-0.6:%g]
plot $rows%d using (0):4:(0):2:($4-0.35):($4+0.35):3:ytic(1) \\
    with boxxyerror fillcolor rgb variable notitle, \\
    $rows%d using 2:4:(sprintf($2<10?"  %%.2f":"  %%.0f",$2)) \\
    with labels left font ",10" notitle
''' % (title, most * 1.25, len(rows) - 0.4, number, number)


def chart_script(out, per, people):
    panels = []
    for title, measure, of in PANELS:
        rows = panel_rows(per, people, measure, of)
        if rows:
            panels.append(panel_script(len(panels), title, rows))
    if not panels:
        return None
    return '''set terminal svg size 1200,%d font "sans-serif,12" \\
    background "#ffffff"
set output "%s"
set datafile separator "\\t"
set style fill solid
set border 0
set tics nomirror scale 0
unset xtics
set multiplot layout %d,2
%s
unset multiplot
''' % (280 * ((len(panels) + 1) // 2), out, (len(panels) + 1) // 2,
       '\n'.join(panels))


def chart(out, results, sets, say):
    if not machine.find('gnuplot'):
        say('no chart: gnuplot is not installed')
        return False
    script = chart_script(out, results.get('plain', {}), sets['plain'])
    if script is None:
        return False
    done = subprocess.run([machine.find('gnuplot')], input=script, text=True,
                          capture_output=True)
    if done.returncode != 0:
        say('no chart: gnuplot: %s' % done.stderr.strip())
    return done.returncode == 0


def install_gnuplot(say):
    apt = machine.find('apt-get')
    if os.geteuid() != 0 or apt is None:
        return
    argv = [apt, 'install', '-y', '--no-install-recommends', 'gnuplot-nox']
    say(' '.join(argv))
    subprocess.run(argv, env=dict(os.environ,
                                  DEBIAN_FRONTEND='noninteractive'),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ------------------------------------------------------------------ output

BEGIN, END = '<!-- figures -->', '<!-- end of figures -->'


def say(words):
    print('bench: ' + words, flush=True)


def into_readme(path, text):
    page = machine.read(path)
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    machine.write(path, before + BEGIN + '\n' + text + END + after)


def write_all(args, facts, results, sets, readme):
    os.makedirs(args.out, exist_ok=True)
    text = page(facts, results, sets)
    print(text)
    machine.write(os.path.join(args.out, 'tables.md'), text)
    with open(os.path.join(args.out, 'results.json'), 'w') as f:
        json.dump({'facts': facts, 'results': results}, f, indent=1)
    chart(os.path.join(args.out, 'chart.svg'), results, sets, say)
    if readme:
        into_readme(readme, text)
        chart(os.path.join(os.path.dirname(readme), 'chart.svg'), results,
              sets, say)
    say('results.json, tables.md and chart.svg are in %s' %
        os.path.relpath(args.out))
