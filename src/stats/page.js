/* SPDX-License-Identifier: ISC */
/*
 * What the page of --metrics does by itself: it loads its text again, computes
 * rates, sorts and filters.  Without it there is still a table.
 */
'use strict';

// Milliseconds between two loads; the first comes sooner.
const EVERY = 5000;
const get = (id, from = document) => from.getElementById(id);
const table = get('tunnels'), body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];
const column = name => heads.findIndex(h => h.dataset.n === name);
const [UP, DOWN, UP_RATE, DOWN_RATE, PID] =
    ['Up', 'Down', 'Up/s', 'Down/s', 'Process'].map(column);
const wish = new URLSearchParams(location.hash.slice(1));
let filter, refresh, shown, fault, before = null;

function bytes(n) {
	let unit = 0;
	for (; n >= 1000 && unit < 4; unit++)
		n /= 1000;
	return (unit ? n.toFixed(1) : Math.round(n)) + ' ' +
	    ['B', 'kB', 'MB', 'GB', 'TB'][unit] + '/s';
}

/* Bytes a second, by process: from this reading and the one before. */
function rates() {
	const now = { at: performance.now(), of: new Map() };
	const rate = (new_, old) => old !== undefined && new_ >= old ?
	    (new_ - old) * 1000 / (now.at - before.at) : null;
	const value = cell => Number(cell.dataset.v);
	for (const row of body.rows) {
		const c = row.cells, is = [value(c[UP]), value(c[DOWN])];
		const was = before?.of.get(c[PID].dataset.v) ?? [];
		now.of.set(c[PID].dataset.v, is);
		[UP_RATE, DOWN_RATE].forEach((at, i) => {
			const n = rate(is[i], was[i]);
			c[at].dataset.v = n ?? -1;
			c[at].textContent = n === null ? '-' : bytes(n);
		});
	}
	const sum = get('summary').dataset;
	const all = now.all = [Number(sum.up), Number(sum.down)];
	const n = all.map((is, i) => rate(is, before?.all[i]));
	get('rates').textContent = n.includes(null) ? '' :
	    ' (now ' + bytes(n[0]) + ' up, ' + bytes(n[1]) + ' down)';
	before = now;
}

function sort() {
	const at = column(wish.get('sort')), way = wish.has('down') ? -1 : 1;
	const value = row => row.cells[at].dataset.v ?? row.cells[at].textContent;
	const order = new Intl.Collator('en', { numeric: true }).compare;
	const number = at >= 0 && heads[at].className === 'n';
	heads.forEach((h, i) => i === at ? h.setAttribute('aria-sort',
	    way < 0 ? 'descending' : 'ascending') : h.removeAttribute('aria-sort'));
	if (at >= 0)
		body.replaceChildren(...[...body.rows].map(row => [value(row), row])
		    .sort(([a], [b]) => way * (number ? a - b : order(a, b)))
		    .map(([, row]) => row));
}

function sift() {
	const text = filter.value.trim().toLowerCase();
	let n = 0;
	for (const row of body.rows)
		n += !(row.hidden = text !== '' &&
		    !row.textContent.toLowerCase().includes(text));
	const told = text === '' ? '' : n + ' of ' + body.rows.length + ' shown';
	if (shown.textContent !== told)
		shown.textContent = told;
}

function remember() {
	history.replaceState(null, '', '#' + wish);
}

/* A page that is long rests longer: at most a tenth of the time is work. */
async function load() {
	let begin = Infinity;
	if (refresh.checked && !document.hidden)
		try {
			const answer = await fetch(location.pathname);
			if (!answer.ok)
				throw new Error('it answers ' + answer.status);
			const text = await answer.text();
			begin = performance.now();
			const page = new DOMParser().parseFromString(text,
			    'text/html');
			for (const id of ['summary', 'names', 'more'])
				get(id).replaceWith(get(id, page));
			body.replaceChildren(...get('tunnels', page).tBodies[0].rows);
			rates();
			sort();
			sift();
			fault.textContent = '';
		} catch (e) {
			fault.textContent ||= 'No answer since ' +
			    new Date().toLocaleTimeString() + ': ' + e.message;
		}
	setTimeout(load, Math.max(EVERY, 10 * (performance.now() - begin)));
}

function make(tag, more, ...children) {
	const e = Object.assign(document.createElement(tag), more);
	e.append(...children);
	return e;
}

filter = make('input', { type: 'search', value: wish.get('filter') ?? '',
    oninput() {
	wish.set('filter', filter.value);
	remember();
	sift();
    } });
refresh = make('input', { type: 'checkbox', checked: true });
shown = make('output');
fault = make('strong', { role: 'alert' });
get('controls').append(make('label', {}, 'Filter ', filter),
    make('label', {}, refresh, ' Refresh every five seconds'), shown, fault);
for (const h of heads) {
	const button = make('button', { type: 'button', onclick() {
		const again = wish.get('sort') === h.dataset.n;
		/* The largest number first. */
		const down = again ? !wish.has('down') : h.className === 'n';
		wish.set('sort', h.dataset.n);
		down ? wish.set('down', 1) : wish.delete('down');
		remember();
		sort();
	} }, h.textContent);
	h.replaceChildren(button);
}
rates();
sort();
sift();
setTimeout(load, 1000);
