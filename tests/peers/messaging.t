#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""MQTT and STOMP over websockets, with programs of others at both ends:
mosquitto, MQTT.js, paho and mosquitto_pub; stompserver and stomp.py.  Their
clients offer a subprotocol and insist on the answer.

If it fails: brokers cannot be reached from web pages and programs that speak
MQTT or STOMP over websockets.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = '/usr/bin/python3'     # whose modules Debian packages
ENV = dict(os.environ, NODE_PATH='/usr/share/nodejs:/usr/lib/nodejs')
MQTT = ('--subprotocol', 'mqtt,mqttv3.1')
STOMP = 'v12.stomp, v11.stomp, v10.stomp'       # as STOMP.js offers them


def mosquitto():
    """A broker: .port, and .websockets of its own."""
    program, = t.need('mosquitto')
    d = t.folder()
    port, websockets = t.free_port(), t.free_port()
    with open(d + '/conf', 'w') as f:
        f.write('%slistener %d 127.0.0.1\nlistener %d 127.0.0.1\n'
                'protocol websockets\nallow_anonymous true\n'
                'persistence false\nset_tcp_nodelay true\n' % (
                    'user root\n' if os.getuid() == 0 else '', port,
                    websockets))
    p = t.answering(t.Program([program, '-c', d + '/conf']), port)
    t.answering(p, websockets)
    p.port, p.websockets = port, websockets
    return p


def test_mqtt_js():
    """Of all versions; each has its name."""
    node, = t.need('node')
    if t.run([node, '-e', 'require("mqtt")'], env=ENV).returncode:
        raise t.Skip('node-mqtt is not installed')
    broker = mosquitto()
    s = t.server(broker.port, *MQTT, '--require-subprotocol')

    def mqtt(server, version, size=100, *more):
        return t.run([node, HERE + '/mqtt.js', 'ws://127.0.0.1:%d/mqtt' %
                      server.port, version, size, *more], env=ENV,
                     timeout=2 * t.BOUND).stdout.decode().strip()
    for version in (3, 4, 5):
        t.is_(mqtt(s, version), 'same 100',
              'MQTT.js of protocol version %d' % version)
    t.is_(mqtt(s, 4, 300000, 'pings'), 'same 300000', '300,000 bytes, pings')
    small = t.server(broker.port, '--subprotocol', '*',
                     '--max-frame-size', '125')
    t.is_(mqtt(small, 4, 5000), 'same 5000',
          'in small frames, with --subprotocol "*"')
    t.like(mqtt(t.server(broker.port), 4), 'failed: closed',
           'without --subprotocol it refuses the answer')
    t.like(mqtt(t.server(broker.port, '--subprotocol', 'mqtt',
                         '--require-subprotocol'), 3),
           'failed: closed', 'and is refused where its own is not allowed')


PAHO = '''
import sys, paho.mqtt.client as m
def on_connect(c, data, flags, code):
    c.subscribe('iws', 1)
def on_subscribe(c, data, number, granted):
    c.publish('iws', b'x' * 70000, 1)
def on_message(c, data, message):
    print('got', len(message.payload), flush=True)
    c.disconnect()
c = m.Client(transport='websockets')
c.on_connect, c.on_subscribe, c.on_message = \\
    on_connect, on_subscribe, on_message
c.ws_set_options('/mqtt')
c.connect('127.0.0.1', int(sys.argv[1]))
c.loop_forever()
'''


def test_paho():
    if t.run([PYTHON, '-c', 'import paho.mqtt.client']).returncode:
        raise t.Skip('python3-paho-mqtt is not installed')
    s = t.server(mosquitto().port, *MQTT)
    r = t.run([PYTHON, '-c', PAHO, s.port], timeout=2 * t.BOUND)
    t.is_((r.returncode, r.stdout), (0, b'got 70000\n'), 'paho')
    t.like(s.wait_line('event=closed .*')[0], 'up=70... down=70', 'all of it')


def test_mosquitto_clients():
    """Plain MQTT: to a broker's own websockets, and between two inetws."""
    pub, sub = t.need('mosquitto_pub', 'mosquitto_sub')
    broker = mosquitto()
    far = t.server(broker.port, *MQTT)
    for port, name in ((broker.websockets, "mosquitto's own websockets"),
                       (far.port, 'inetws at both ends')):
        c = t.client('ws://127.0.0.1:%d/' % port, '--subprotocol', 'mqtt')
        r = t.run([pub, '-p', c.port, '-t', name, '-q', '1', '-r', '-s'],
                  input=b'y' * 100000)
        t.is_(r.returncode, 0, name + ': published')
        r = t.run([sub, '-p', c.port, '-t', name, '-q', '1', '-C', '1'])
        t.is_((r.returncode, r.stdout.strip()), (0, b'y' * 100000),
              'and received')
    t.ok(far.has_line('event=closed .*end=ended', count=2), 'two connections')


# Its own main program does not know the Ruby of Debian 12.
STOMPSERVER = '''
require "optparse"
require "yaml"
require "stomp_server"
protocol = StompServer::Protocols::Stomp
EventMachine.run do
  server = StompServer::Run.new(StompServer::Configurator.new.opts)
  server.start
  %w[auth_required queue_manager topic_manager stompauth].each do |name|
    protocol.class_variable_set("@@" + name, server.send(name))
  end
  EventMachine.start_server(server.instance_variable_get(:@opts)[:host],
                            server.instance_variable_get(:@opts)[:port],
                            protocol)
end
'''


def stompserver():
    ruby, _ = t.need('ruby', 'stompserver')
    d, port = t.folder(), t.free_port()
    p = t.Program([ruby, '-e', STOMPSERVER, '--', '-p', str(port), '-b',
                   '127.0.0.1', '-w', d], cwd=d)
    try:
        t.answering(p, port)
    except AssertionError:
        raise t.Skip('stompserver does not run with the Ruby here')
    p.port = port
    return p


def stomp_frame(command, body=b'', **fields):
    head = ''.join('%s:%s\n' % (k.replace('_', '-'), v)
                   for k, v in fields.items())
    return ('%s\n%s\n' % (command, head)).encode() + body + b'\0'


def take_frame(w, rest):
    """(command, body) of the next frame; rest keeps what is behind it."""
    while b'\0' not in rest:
        rest += w.take_data(1) + bytes(w.data)
        w.data.clear()
    frame, _, behind = bytes(rest).lstrip(b'\n').partition(b'\0')
    rest[:] = behind
    head, _, body = frame.partition(b'\n\n')
    return head.split(b'\n')[0], body


def test_stomp():
    """The frames of STOMP.js, with text and with binary messages."""
    broker = stompserver()
    for options, opcode in (((), 2), (('--text',), 1)):
        s = t.server(broker.port, '--subprotocol',
                     'v10.stomp,v11.stomp,v12.stomp', '--require-subprotocol',
                     '--eof=close', *options)
        w = t.ws.connect(s.port, headers=[('Sec-WebSocket-Protocol', STOMP)])
        t.is_(w.answer['sec-websocket-protocol'], 'v12.stomp',
              "the first of the client's")
        rest = bytearray()
        w.send(stomp_frame('CONNECT', accept_version='1.0,1.1,1.2',
                           host='localhost'), opcode=1)
        t.is_(take_frame(w, rest)[0], b'CONNECTED', 'the broker answers')
        w.send(stomp_frame('SUBSCRIBE', id='0', destination='/topic/iws'),
               opcode=1)
        body = 'gr\u00fc\u00dfe \u2713'.encode() * 1000
        w.send(stomp_frame('SEND', body, destination='/topic/iws'), opcode=1)
        t.is_(take_frame(w, rest), (b'MESSAGE', body), 'and sends a message')
        t.ok({o for o, _ in w.frames} == {opcode}, 'in frames of one kind')
        w.send(stomp_frame('DISCONNECT'), opcode=1)
        t.is_(w.take_close(), 1000, 'and ends')


STOMP_PY = '''
import queue, stomp, sys
come = queue.Queue()
class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        come.put(frame.body)
c = stomp.Connection10([('127.0.0.1', int(sys.argv[1]))])
c.set_listener('', Listener())
c.connect(wait=True)
c.subscribe('/topic/iws')
c.send('/topic/iws', 'hello')
print(come.get(timeout=float(sys.argv[2])))
c.disconnect()
'''


def test_stomp_py():
    if t.run([PYTHON, '-c', 'import stomp']).returncode:
        raise t.Skip('python3-stomp is not installed')
    s = t.server(stompserver().port, '--subprotocol', 'v12.stomp')
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--subprotocol', 'v12.stomp')
    r = t.run([PYTHON, '-c', STOMP_PY, c.port, t.BOUND])
    t.is_((r.returncode, r.stdout), (0, b'hello\n'), 'stomp.py')


t.main()
