import assert from 'node:assert/strict';
import test from 'node:test';
import { Requests } from '../src/requests.js';

/** A widget's model that keeps what it is told. */
function model() {
  const values = { _frame: {} }, sent = [];
  return { sent, values, set(k, v) { values[k] = v; }, get: k => values[k], save_changes() { sent.push(values.p); } };
}

const answer = (m, requests, p) => { m.values._frame = { parameters: { p } }; requests.answered(m.values._frame); };

test('one setting is in flight at a time, and the newest follows', () => {
  const m = model(), requests = new Requests(m, ['p'], true);
  [1, 2, 3, 4].forEach(p => requests.push({ p }));
  assert.deepEqual(m.sent, [1]);
  answer(m, requests, 7);                                               // somebody else's
  assert.ok(requests.waiting);
  answer(m, requests, 1);
  assert.deepEqual(m.sent, [1, 4]);
  answer(m, requests, 4);
  assert.ok(!requests.waiting);
});

test('what is known already is not waited for', () => {
  const m = model(), requests = new Requests(m, ['p'], true);
  m.values._frame = { parameters: { p: 2 } };
  requests.push({ p: 2 });
  assert.ok(!requests.waiting);
});

test('nobody listens on a static page', () => {
  const m = model(), requests = new Requests(m, ['p'], false);
  requests.push({ p: 1 });
  requests.push({ p: 2 });
  assert.deepEqual(m.sent, [1, 2]);
});

test('a kernel that has been silent for long is asked again', t => {
  const m = model(), requests = new Requests(m, ['p'], true);
  requests.push({ p: 1 });
  t.mock.method(performance, 'now', () => requests.since + 10_001);
  requests.push({ p: 2 });
  assert.deepEqual(m.sent, [1, 2]);
});
