// SPDX-License-Identifier: ISC
//
// mqtt.js URL VERSION BYTES [pings]: MQTT.js subscribes to a topic, publishes a
// message there, and prints whether the same comes back; with pings it waits
// until the broker has answered one of its own.

'use strict';

const mqtt = require('mqtt');
const crypto = require('crypto');

const [url, version, bytes, pings] = process.argv.slice(2);
const sent = crypto.randomBytes(Number(bytes));
const client = mqtt.connect(url, {
	protocolVersion: Number(version),
	protocolId: version === '3' ? 'MQIsdp' : 'MQTT',
	reconnectPeriod: 0, keepalive: pings ? 3 : 60,
});

function fail(why) {
	console.log('failed: ' + why);
	process.exit(1);
}

client.on('error', (e) => fail(e.message));
client.on('close', () => fail('closed'));
client.on('connect', () => {
	client.subscribe('iws/' + version, { qos: 1 }, () => {
		client.publish('iws/' + version, sent, { qos: 1 });
	});
});
client.on('message', (topic, got) => {
	const same = Buffer.compare(sent, got) === 0;

	function end() {
		client.removeAllListeners('close');
		console.log((same ? 'same ' : 'other ') + got.length);
		client.end(false, {}, () => process.exit(0));
	}
	if (!pings)
		return end();
	client.on('packetreceive', (packet) => {
		if (packet.cmd === 'pingresp')
			end();
	});
});
