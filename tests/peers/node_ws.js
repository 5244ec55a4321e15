// SPDX-License-Identifier: ISC
//
// A client by node's ws, told by node_ws.t what to do, one JSON array a line:
//
//	["binary", "base64"]  ["text", "..."]  ["ping", "..."]  ["pong", "..."]
//	["pieces", ["base64", ...]]  one message of many fragments
//	["big", bytes]               one message of so many bytes
//	["take", bytes]              waits for so many; tells their SHA-256
//	["pause"]  ["resume"]        stops reading, goes on
//	["close", code, "reason"]  ["die"]
//
// and telling it what happens, likewise.

'use strict';

const WebSocket = require('ws');
const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');

const [url, ca, more] = process.argv.slice(2);
const { protocols, ...options } = JSON.parse(more || '{}');

function say(...words) {
	console.log(JSON.stringify(words));
}

let come = Buffer.alloc(0), wanted = 0, longest = 0;

function check() {
	if (wanted === 0 || come.length < wanted)
		return;
	const data = come.subarray(0, wanted);

	come = Buffer.from(come.subarray(wanted));
	say('taken', crypto.createHash('sha256').update(data).digest('hex'),
	    data.length, longest);
	wanted = longest = 0;
}

// Chunks are joined once there is enough of them.
let chunks = [], held = 0;

function take(data, isBinary) {
	if (!isBinary)
		say('text', data.toString());
	longest = Math.max(longest, data.length);
	chunks.push(data);
	held += data.length;
	if (come.length + held >= wanted) {
		come = Buffer.concat([come, ...chunks]);
		chunks = [];
		held = 0;
		check();
	}
}

const w = new WebSocket(url, protocols || [], {
	ca: fs.readFileSync(ca), ...options
});

w.on('open', () => say('open', w.protocol, w.extensions));
w.on('message', take);
w.on('ping', (data) => say('ping', data.toString()));
w.on('pong', (data) => say('pong', data.toString()));
w.on('close', (code, reason) => {
	say('close', code, reason.toString());
	process.exit(0);
});
w.on('error', (e) => say('error', e.message));

const verbs = {
	binary: (s) => w.send(Buffer.from(s, 'base64')),
	text: (s) => w.send(s),
	pieces: (list) => list.forEach((s, i) => w.send(
	    Buffer.from(s, 'base64'), { fin: i === list.length - 1 })),
	big: (n) => {
		const data = crypto.randomBytes(n);

		say('sending',
		    crypto.createHash('sha256').update(data).digest('hex'));
		w.send(data, () => say('sent'));
	},
	take: (n) => {
		wanted = n;
		check();
	},
	ping: (s) => w.ping(s),
	pong: (s) => w.pong(s),
	pause: () => w.pause(),
	resume: () => w.resume(),
	close: (code, reason) => w.close(code, reason),
	die: () => w.terminate()
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
	const [verb, ...words] = JSON.parse(line);

	verbs[verb](...words);
});
