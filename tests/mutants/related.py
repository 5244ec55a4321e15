# SPDX-License-Identifier: ISC
"""Which tests look at a file of src/.

Unit tests of these rooms that link the file, its own first; then integration
tests, in this order, of the first row whose pattern its name begins with, and
those of mentions.py.
"""
import re

UNIT = {
    'base': ('base', 'proto', 'ws', 'config'),
    'proto': ('proto', 'ws', 'handshake', 'config', 'net', 'modes'),
    'ws': ('ws', 'tunnel', 'handshake'),
    'tunnel': ('tunnel',),
    'connection': ('connection', 'supervisor'),
    'handshake': ('handshake', 'modes'),
    'net': ('net', 'handshake'),
    'stats': ('stats', 'supervisor'),
    'tls': ('tls', 'handshake'),
}

# The pure folders have unit tests alone: they can be tried byte by byte.
INTEGRATION = (
    (r'src/connection/(resume|handoff|waiting)',
     'resume/session.t resume/session_rules.t resume/owners.t '
     'resume/descriptors.t resume/places.t'),
    (r'src/connection/notice', 'resume/answers.t resume/early.t'),
    (r'src/connection/(redial|answers|path)',
     'resume/early.t resume/answers.t resume/session.t resume/paths.t '
     'resume/moves.t'),
    (r'src/connection/tls_end', 'resume/tls.t resume/owners.t'),
    (r'src/connection/(parked|worker_channel)',
     'reverse/warm.t reverse/gate.t reverse/agent.t reverse/reverse.t'),
    (r'src/connection/failure_lines', 'observe/log.t server/refusals.t'),
    (r'src/connection/target', 'server/program.t server/handshake.t '
     'config/endpoints.t'),
    (r'src/connection/record', 'observe/stats.t observe/status.t'),
    (r'src/connection/', 'tunnel/relay.t tunnel/endings.t tunnel/sizes.t '
     'tunnel/confirmed.t tunnel/frames.t resume/session.t server/program.t'),
    (r'src/handshake/(auth|auth_command)', 'server/auth.t'),
    (r'src/handshake/(accept|peer|tls_accept)', 'server/handshake.t '
     'server/address.t server/refusals.t server/origin.t '
     'server/subprotocol.t tls/server.t'),
    (r'src/handshake/tls_reload', 'tls/server.t tls/tickets.t'),
    (r'src/handshake/trace', 'observe/check.t observe/log.t '
     'client/connect.t client/secrets_request.t'),
    (r'src/handshake/attempt_proxy', 'client/proxy.t '
     'client/proxy_refusals.t'),
    (r'src/handshake/dial', 'client/request.t client/connect.t '
     'client/hints.t client/proxy.t reverse/names.t tls/client.t '
     'observe/check_stop.t'),
    (r'src/handshake/', 'client/request.t client/proxy.t client/hints.t '
     'client/connect.t client/secrets_request.t tls/client.t'),
    (r'src/supervisor/(pool|admit|spare|queue|visitor|respawn|children)',
     'reverse/gate.t reverse/queue.t reverse/warm.t reverse/names.t '
     'reverse/agent.t'),
    (r'src/supervisor/(names|takeover)', 'reverse/names.t supervisor/taken.t'),
    (r'src/supervisor/metrics', 'observe/metrics.t'),
    (r'src/supervisor/(reload|tables)', 'supervisor/service.t '
     'supervisor/tables.t'),
    (r'src/supervisor/extra', 'resume/places.t supervisor/limits.t'),
    (r'src/supervisor/startup', 'supervisor/service.t observe/log.t '
     'supervisor/descriptors.t'),
    (r'src/supervisor/', 'supervisor/limits.t supervisor/supervisor.t '
     'supervisor/service.t supervisor/share.t supervisor/descriptors.t '
     'server/refusals.t'),
    (r'src/net/(dial|race|resolve|source)', 'client/connect.t '
     'client/proxy.t'),
    (r'src/net/listen', 'config/endpoints.t sandbox/odd.t '
     'supervisor/launchers.t supervisor/service.t'),
    (r'src/net/inherit', 'supervisor/launchers.t '
     'config/endpoints.t supervisor/service.t'),
    (r'src/net/(changes)', 'resume/net.t resume/moves.t'),
    (r'src/net/refusals', 'server/refusals.t'),
    (r'src/net/splice', 'tunnel/sizes.t tunnel/relay.t tls/ktls.t'),
    (r'src/net/(fdpass|private_socket)', 'resume/session.t '
     'reverse/gate.t'),
    (r'src/net/', 'tunnel/relay.t tunnel/sizes.t server/handshake.t '
     'config/endpoints.t'),
    (r'src/os/(log|stderr_log)', 'observe/log.t server/program.t'),
    (r'src/os/(program|command)', 'server/program.t server/auth.t '
     'client/request.t'),
    (r'src/os/clock', 'resume/moves.t tunnel/ping.t supervisor/limits.t'),
    (r'src/os/(pidfile|notify|title)', 'supervisor/service.t '
     'supervisor/supervisor.t'),
    (r'src/os/compat/password', 'server/auth.t'),
    (r'src/os/term', 'observe/status.t client/connect.t'),
    (r'src/os/', 'supervisor/supervisor.t supervisor/service.t '
     'tunnel/relay.t server/program.t'),
    (r'src/tls/rehearsal', 'tls/tickets.t supervisor/child_cost.t '
     'tls/tls.t tls/secrets.t'),
    (r'src/tls/openssl', 'tls/openssl.t tls/speed.t'),
    (r'src/tls/(cert|trust|pins|allowed|errors)', 'tls/client.t tls/tls.t '
     'tls/server.t observe/check_blame.t observe/check.t'),
    (r'src/tls/(ticket|server_ticket)', 'tls/tickets.t'),
    (r'src/tls/(ktls)', 'tls/ktls.t'),
    (r'src/tls/(sni|own_cert|pem)', 'tls/server.t tls/keys.t'),
    (r'src/tls/(secure_heap)', 'tls/memory.t tls/secrets.t'),
    (r'src/tls/(bio|handshake)', 'client/proxy.t tls/client.t tls/server.t '
     'tls/tls.t tls/hostile.t observe/check_blame.t'),
    (r'src/tls/', 'tls/client.t tls/server.t tls/tls.t tls/hostile.t'),
    (r'src/config/(completions)', 'config/completions.t'),
    (r'src/config/repeat', 'observe/check_use.t'),
    (r'src/config/line_file', 'supervisor/tables.t server/auth.t'),
    (r'src/config/types', 'config/options.t config/endpoints.t '
     'server/origin.t server/address.t client/request.t'),
    (r'src/config/', 'config/options.t config/endpoints.t '
     'client/secrets_request.t supervisor/service.t'),
    (r'src/sandbox/', 'sandbox/sandbox.t sandbox/inside.t '
     'supervisor/service.t'),
    (r'src/stats/(html|metrics|report)', 'observe/metrics.t observe/status.t'),
    (r'src/stats/(page|map|fault|takeover|slot|rundir)', 'observe/stats.t '
     'observe/status.t supervisor/service.t supervisor/limits.t'),
    (r'src/stats/source_limit', 'supervisor/limits.t supervisor/share.t'),
    (r'src/stats/', 'observe/stats.t observe/status.t observe/metrics.t'),
    (r'src/modes/check/', 'observe/check_steps.t observe/check.t '
     'observe/check_use.t observe/check_blame.t observe/check_stop.t'),
    (r'src/modes/status/', 'observe/status.t'),
    (r'src/modes/(gate|agent)', 'reverse/gate.t reverse/agent.t '
     'reverse/names.t reverse/gate_options.t'),
    (r'src/modes/(accepted|server)', 'server/handshake.t resume/session.t '
     'server/refusals.t supervisor/service.t observe/metrics.t'),
    (r'src/modes/', 'client/connect.t reverse/warm.t config/options.t'),
)

# Less of the same is enough here.
ENVIRONMENT = {'tests/unit/tunnel/pair.c': {'SEEDS': '2000'}}


def room(path):
    return path.split('/')[1]


def unit(path, tests):
    """Those of tests that may look at it, the nearest first."""
    rooms = UNIT.get(room(path), (room(path),))
    name = path.rsplit('/', 1)[1]
    found = [t for t in tests if room(t[len('tests/'):]) in rooms]
    return sorted(found, key=lambda t: (
        t.rsplit('/', 1)[1] != name, rooms.index(room(t[len('tests/'):]))))


def integration(path):
    for pattern, names in INTEGRATION:
        if re.match(pattern, path):
            return ['tests/it/' + n for n in names.split()]
    return []
