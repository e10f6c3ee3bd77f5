import assert from 'node:assert/strict';
import test from 'node:test';
import { clean, equal, read, write } from '../src/state.js';

const CONTROLS = [
  { name: 'p', kind: 'slider', min: 2, max: 6 },
  { name: 'kind', kind: 'choice', options: [{ value: 1 }, { value: 'two' }] },
  { name: 'y', kind: 'labels', x: [0, 1], min: -1, max: 1 },
  { name: 'w', kind: 'points', default: [[0, 0]], xLimits: [-1, 1], yLimits: [0, 2] },
];
const BASE = { p: 3, kind: 1, y: [0, 0], w: [[0, 0]] };

/** An address for the module to read and write. */
function at(hash) {
  globalThis.location = { hash, pathname: '/page', search: '?q' };
  globalThis.history = { state: null, replaceState(_state, _title, url) { location.hash = url.includes('#') ? url.slice(url.indexOf('#')) : ''; location.url = url; } };
}

test('values are brought into the ranges of their controls', () => {
  const setting = clean({ p: 9, kind: 'two', y: [-3, 0.5], w: [[2, -1]] }, CONTROLS, BASE);
  assert.deepEqual(setting, { p: 6, kind: 'two', y: [-1, 0.5], w: [[1, 0]] });
});

test('what makes no sense takes the value of the base', () => {
  for (const wrong of [{}, { p: NaN, kind: 7, y: [1], w: [[1]] }, { p: '3', kind: null, y: [1, Infinity], w: [1, 2] }]) {
    assert.deepEqual(clean(wrong, CONTROLS, BASE), BASE);
  }
});

test('a setting comes back from the address, beside those of other demos and the anchor', () => {
  at('#section?Other=a:1');
  const setting = { p: 4.5, kind: 'two', y: [0.5, -0.25], w: [[0.5, 1.5]] };
  write('Demo', setting, false, '1!');
  assert.equal(location.hash, '#section?Other=a:1&Demo=p:4.5;kind:two;y:0.5,-0.25;w:0.5,1.5;predict:1!');
  assert.deepEqual(read('Demo', CONTROLS, BASE), { params: setting, predict: '1!' });
  write('Demo', BASE, true, '');
  assert.equal(location.hash, '#section?Other=a:1');
  assert.equal(read('Demo', CONTROLS, BASE), null);
  at('#?Demo=p:1');
  write('Demo', BASE, true, '');
  assert.equal(location.url, '/page?q');
});

test('an address written by hand or cut off does no harm', () => {
  for (const hash of ['#?Demo=p:', '#?Demo=', '#?Demo=nonsense', '#?Demo=p:x;kind:9;y:1,2,3;w:1']) {
    at(hash);
    assert.deepEqual(read('Demo', CONTROLS, BASE).params, BASE, hash);
  }
});

test('a sandboxed page, which has no address to write to', () => {
  at('');
  history.replaceState = () => { throw new Error('SecurityError'); };
  write('Demo', BASE, false, '');
  assert.equal(location.hash, '');
});

test('settings are equal up to rounding, by the names given', () => {
  assert.ok(equal({ p: 1, y: [1, 2] }, { p: 1 + 1e-14, y: [1, 2] }, ['p', 'y']));
  assert.ok(!equal({ p: 1 }, { p: 1 + 1e-9 }, ['p']));
  assert.ok(!equal({ y: [1, 2] }, { y: [1] }, ['y']));
  assert.ok(!equal({ k: 1 }, { k: '1' }, ['k']));
  assert.ok(equal({ p: 1, q: 1 }, { p: 1, q: 2 }, ['p']));
});
