'use strict';
// The page of skep cloud --web. It is told of messages and events as they pass, one stream
// for both, and asks for what is registered when that may have changed.

const $ = id => document.getElementById(id);

// el makes an element: el('td', {class: 'x'}, 'text', child).
function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) if (v !== undefined && v !== false) e.setAttribute(k, v);
  e.append(...children.filter(c => c !== undefined && c !== null));
  return e;
}

const state = {
  overview: null,
  ended: new Map(),     // client id: the event of its last end
  chosen: null,         // thing whose shadow is shown
  picked: false,        // a person chose it, so it does not change by itself
  shadows: new Map(),   // thing: Map of name to {document, before}
  name: '',             // shadow shown
  paused: false, waiting: [],
  kinds: '',
};
const keepRows = 500;

const short = id => id ? id.slice(0, 10) : '';
const clock = t => new Date(t).toLocaleTimeString([], {hour12: false}) + '.' + String(new Date(t).getMilliseconds()).padStart(3, '0');

// ---- what is registered

async function refresh() {
  const r = await fetch('api/overview');
  if (!r.ok) return;
  state.overview = await r.json();
  if (!state.chosen && state.overview.things.length) choose(state.overview.things[0].thingName, false);
  drawOverview();
}

let asked = 0;
function refreshSoon() {
  clearTimeout(asked);
  asked = setTimeout(refresh, 80);
}

function drawOverview() {
  const o = state.overview;
  const on = o.connections.filter(c => c.connected).length;
  $('state').textContent = o.state;
  $('counts').replaceChildren(...[[on, 'connected', 'connected'], [o.things.length, 'thing', 'things'], [o.certificates.length, 'certificate', 'certificates'], [o.policies.length, 'policy', 'policies']]
    .map(([n, one, more]) => el('li', {}, el('b', {}, String(n)), ' ' + (n === 1 ? one : more))));
  drawClients(o);
  drawThings(o);
  drawCerts(o);
}

function fill(list, items, nothing) {
  list.replaceChildren(...(items.length ? items : [el('li', {class: 'empty'}, nothing)]));
}

function drawClients(o) {
  const rows = [];
  const here = new Set();
  for (const c of o.connections) {
    here.add(c.clientId);
    const ended = state.ended.get(c.clientId);
    rows.push(el('li', {'data-client': c.clientId, 'data-connected': String(c.connected)},
      el('div', {class: 'row'}, el('span', {class: 'name'}, c.clientId), el('span', {class: 'chip ' + (c.connected ? 'good' : 'warn')}, c.connected ? 'connected' : 'away')),
      el('small', {}, `${c.protocol} · ${short(c.certificateId)} · ${c.subscriptions} subscriptions · keep-alive ${c.keepAlive} s` + (c.queued ? ` · ${c.queued} queued` : '')),
      !c.connected && ended ? el('small', {class: 'reason'}, ended.text) : null));
  }
  for (const [id, e] of [...state.ended].reverse()) {
    if (here.has(id)) continue;
    rows.push(el('li', {'data-client': id, 'data-connected': 'false'},
      el('div', {class: 'row'}, el('span', {class: 'name'}, id), el('span', {class: 'chip'}, 'gone ' + clock(e.time))),
      el('small', {class: 'reason'}, e.text)));
  }
  fill($('clients'), rows, 'Nobody has connected yet.');
}

function drawThings(o) {
  fill($('things'), o.things.map(t => {
    const b = el('button', {type: 'button', class: t.thingName === state.chosen ? 'chosen' : undefined},
      el('div', {class: 'row'}, el('span', {class: 'name'}, t.thingName), t.thingTypeName ? el('span', {class: 'chip blue'}, t.thingTypeName) : null),
      el('small', {}, Object.entries(t.attributes).map(([k, v]) => k + '=' + v).join(' ') || `${t.certificates.length} certificates`));
    b.addEventListener('click', () => choose(t.thingName, true));
    return el('li', {'data-thing': t.thingName}, b);
  }), 'No things: skep cloud init DIR makes one.');
}

function drawCerts(o) {
  const colour = {ACTIVE: 'good', PENDING_ACTIVATION: 'warn', REVOKED: 'bad'};
  fill($('certs'), o.certificates.map(c => el('li', {'data-cert': c.certificateId},
    el('div', {class: 'row'}, el('span', {class: 'name mono', title: c.certificateId}, short(c.certificateId)),
      el('span', {class: 'chip ' + (c.validity !== 'valid' ? 'bad' : colour[c.status] || '')}, c.validity !== 'valid' ? c.validity : c.status)),
    el('small', {}, `${c.key} · ${c.origin}`),
    el('small', {}, `things: ${c.things.join(', ') || 'none'} · policies: ${c.policies.join(', ') || 'none'}`))), 'No certificates.');
}

// ---- shadows

async function choose(thing, person) {
  state.picked = state.picked || person;
  if (state.chosen !== thing) state.name = '';
  state.chosen = thing;
  if (state.overview) drawThings(state.overview);
  await load(thing);
  drawShadow();
}

async function load(thing) {
  const r = await fetch('api/shadows?thing=' + encodeURIComponent(thing));
  if (!r.ok) return;
  const known = state.shadows.get(thing) || new Map();
  const now = new Map();
  for (const [name, doc] of Object.entries(await r.json())) {
    const old = known.get(name);
    now.set(name, old && old.document.version >= doc.version ? old : {document: doc, before: null});
  }
  state.shadows.set(thing, now);
}

// flatten gives the leaves of a document by path; a list is one leaf.
function flatten(v, path, into) {
  for (const [k, x] of Object.entries(v || {})) {
    const p = path ? path + '.' + k : k;
    if (x && typeof x === 'object' && !Array.isArray(x) && Object.keys(x).length) flatten(x, p, into);
    else into.set(p, JSON.stringify(x));
  }
  return into;
}

const sides = doc => ({
  desired: flatten(doc && doc.state && doc.state.desired, '', new Map()),
  reported: flatten(doc && doc.state && doc.state.reported, '', new Map()),
});

function drawShadow() {
  const all = state.shadows.get(state.chosen) || new Map();
  $('h-shadow').replaceChildren('Shadow', ...(state.chosen ? [' of ', el('span', {class: 'name'}, state.chosen)] : []));
  const names = [...all.keys()].sort();
  if (!all.has(state.name) && names.length) state.name = names[0];
  $('names').replaceChildren(...(names.length > 1 || names[0] ? names : []).map(n => {
    const b = el('button', {type: 'button', 'aria-pressed': String(n === state.name)}, n || 'classic');
    b.addEventListener('click', () => { state.name = n; drawShadow(); });
    return b;
  }));
  const s = all.get(state.name);
  $('version').textContent = s ? `version ${s.document.version} · ${new Date(s.document.timestamp * 1000).toLocaleString()}` : '';
  if (!s) {
    $('shadow').replaceChildren(el('p', {class: 'empty'}, state.chosen ? 'This thing has no shadow yet.' : 'No thing is chosen.'));
    return;
  }
  const now = sides(s.document), then = s.before ? sides(s.before) : now;
  const paths = [...new Set([...now.desired.keys(), ...now.reported.keys(), ...then.desired.keys(), ...then.reported.keys()])].sort();
  const cell = (side, p) => {
    const v = now[side].get(p), old = then[side].get(p);
    return el('td', {class: 'mono ' + side + (v !== old ? ' changed' : '')},
      v !== old && old !== undefined ? el('del', {}, old) : null, v === undefined ? (old === undefined ? '' : 'removed') : v);
  };
  const rows = paths.map(p => {
    const d = now.desired.get(p), r = now.reported.get(p);
    const delta = d !== undefined && d !== r;
    const what = delta ? ['warn', 'delta'] : d === undefined ? ['', r === undefined ? 'gone' : 'reported only'] : ['good', 'in step'];
    return el('tr', {'data-path': p, class: delta ? 'delta' : undefined}, el('td', {class: 'mono path'}, p), cell('desired', p), cell('reported', p),
      el('td', {class: 'fit'}, el('span', {class: 'chip ' + what[0]}, what[1])));
  });
  $('shadow').replaceChildren(rows.length
    ? el('table', {}, el('thead', {}, el('tr', {}, ...['key', 'desired', 'reported', ''].map(h => el('th', {}, h)))), el('tbody', {}, ...rows))
    : el('p', {class: 'empty'}, 'The shadow is empty.'));
}

const shadowTopic = /^\$aws\/things\/([^/]+)\/shadow(?:\/name\/([^/]+))?\/(update\/documents|delete\/accepted)$/;

function shadowMessage(m) {
  const parts = shadowTopic.exec(m.topic);
  if (!parts) return;
  const [, thing, name = '', what] = parts;
  if (!state.shadows.has(thing)) state.shadows.set(thing, new Map());
  const all = state.shadows.get(thing);
  if (what === 'delete/accepted') all.delete(name);
  else if (m.json) all.set(name, {document: {...m.json.current, timestamp: m.json.timestamp}, before: m.json.previous});
  if (!state.picked && thing !== state.chosen) { choose(thing, false); return; }
  if (thing === state.chosen) {
    if (!state.picked) state.name = name;
    drawShadow();
  }
}

// ---- messages

// fits is MQTT's filters, or a part of the topic.
function fits(filter, topic) {
  if (!filter) return true;
  if (!/[+#]/.test(filter)) return topic.includes(filter);
  if (topic.startsWith('$') && !filter.startsWith('$')) return false;
  const f = filter.split('/'), t = topic.split('/');
  for (let i = 0; i < f.length; i++) {
    if (f[i] === '#') return t.length > i;
    if (i >= t.length || f[i] !== '+' && f[i] !== t[i]) return false;
  }
  return f.length === t.length;
}

const shown = topic => fits($('filter').value.trim(), topic) && ($('own').checked || !topic.startsWith('$aws/'));

function payloadText(m, pretty) {
  if (m.json !== undefined) return JSON.stringify(m.json, null, pretty ? 2 : 0);
  if (m.text !== undefined) return m.text;
  if (m.data) return [...atob(m.data)].map(c => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
  return '';
}

function messageRow(item) {
  const m = item.message;
  const pre = el('pre', {title: 'click for more'}, payloadText(m, false));
  const td = el('td', {class: 'payload'}, pre);
  pre.addEventListener('click', () => { pre.textContent = payloadText(m, td.classList.toggle('open')); });
  const row = el('tr', {'data-topic': m.topic}, el('td', {class: 'time'}, clock(item.time)), el('td', {class: 'topic'}, m.topic),
    el('td', {class: 'flags'}, el('span', {class: 'chip'}, 'qos ' + m.qos), m.retain ? ' ' : null, m.retain ? el('span', {class: 'chip blue'}, 'retained') : null),
    el('td', {class: 'from quiet', title: m.from}, m.from && m.from.length === 64 ? short(m.from) : m.from || 'AWS IoT'), td);
  row.hidden = !shown(m.topic);
  return row;
}

function addRow(body, row) {
  body.prepend(row);
  while (body.childElementCount > keepRows) body.lastElementChild.remove();
}

function showMessage(item) {
  if (state.paused) {
    state.waiting.push(item);
    if (state.waiting.length > keepRows) state.waiting.shift();
    $('pause').textContent = `go on (${state.waiting.length} waiting)`;
    return;
  }
  addRow($('messages').tBodies[0], messageRow(item));
}

function refilter() {
  for (const row of $('messages').tBodies[0].rows) row.hidden = !shown(row.dataset.topic);
}
$('filter').addEventListener('input', refilter);
$('own').addEventListener('change', refilter);
$('clear').addEventListener('click', () => { $('messages').tBodies[0].replaceChildren(); });
$('pause').addEventListener('click', () => {
  state.paused = !state.paused;
  $('pause').setAttribute('aria-pressed', String(state.paused));
  $('pause').textContent = state.paused ? 'go on' : 'pause';
  if (!state.paused) state.waiting.splice(0).forEach(showMessage);
});

// ---- events

const colours = {refused: 'bad', trouble: 'bad', connected: 'good', disconnected: 'warn', note: ''};
const wanted = kind => !state.kinds || state.kinds.split(' ').includes(kind);

function showEvent(item) {
  const e = item.event;
  const row = el('tr', {'data-kind': e.kind, 'data-client': e.client}, el('td', {class: 'time'}, clock(item.time)),
    el('td', {class: 'fit'}, el('span', {class: 'chip ' + colours[e.kind]}, e.kind)),
    el('td', {class: 'fit'}, e.client || '', e.certificate ? el('small', {class: 'quiet mono', title: e.certificate}, ' ' + short(e.certificate)) : null),
    el('td', {class: 'text'}, e.text));
  row.hidden = !wanted(e.kind);
  addRow($('events').tBodies[0], row);
  if (e.kind === 'disconnected') { state.ended.delete(e.client); state.ended.set(e.client, {time: item.time, text: e.text}); }
  if (e.kind === 'connected') state.ended.delete(e.client);
  while (state.ended.size > 20) state.ended.delete(state.ended.keys().next().value);
  if (e.kind !== 'refused') refreshSoon();
}

for (const b of $('kinds').children) {
  b.addEventListener('click', () => {
    state.kinds = b.dataset.kinds;
    for (const other of $('kinds').children) other.setAttribute('aria-pressed', String(other === b));
    for (const row of $('events').tBodies[0].rows) row.hidden = !wanted(row.dataset.kind);
  });
}

// ---- the stream

function live(text, colour) {
  $('live').textContent = text;
  $('live').className = 'chip ' + colour;
}

const stream = new EventSource('api/traffic');
stream.addEventListener('begun', () => { live('live', 'good'); refresh(); });
stream.onmessage = e => {
  const item = JSON.parse(e.data);
  if (item.message) {
    showMessage(item);
    shadowMessage(item.message);
  } else {
    showEvent(item);
  }
};
stream.onerror = () => live('the cloud has ended', 'bad');
// A person may register something with a command, which is no event.
setInterval(refresh, 3000);
