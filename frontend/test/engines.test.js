// Engines against what Python computed for the same settings (reference.json, written by reference.py).
import assert from 'node:assert/strict';
import test from 'node:test';
import { solve, zeros } from '../src/engines/dual.js';
import { makeEngine, readFrame } from '../src/engines/index.js';
import { unpack } from '../src/engines/table.js';
import { outer, polynomials } from '../src/engines/weights.js';
import { close, reference } from './helpers.js';

const bytesOf = text => { const b = Buffer.from(text, 'base64'); return new DataView(b.buffer, b.byteOffset, b.byteLength); };

test('the dual engine solves the equation as ibtext.wide_limit does', () => {
  const panels = [{ curves: [{ key: 'limit_value' }, { key: 'limit_curvature' }] }];
  for (const { engine, parameters, result } of reference.limits) {
    const found = makeEngine({ engine, panels }, [reference.grid]).solve(parameters), what = JSON.stringify(parameters);
    close(found.arrays.limit_value, result.limit_value, 1e-8, what);
    close(found.arrays.limit_curvature, result.limit_curvature, 1e-7, what);
    close([found.numbers.limit_max, found.numbers.limit_mean], [result.limit_max, result.limit_mean], 1e-8, what);
    assert.match(found.note, /^Solved in your browser, residual /);
  }
});

test('a warm start and a cold one end at the same solution, and asking twice costs nothing', () => {
  const { engine, parameters } = reference.limits[1], spec = { engine, panels: [{ curves: [{ key: 'limit_value' }] }] };
  const warm = makeEngine(spec, [reference.grid]);
  warm.solve({ ...parameters, p: 5 });
  const again = warm.solve(parameters).arrays.limit_value;
  close(again, makeEngine(spec, [reference.grid]).solve(parameters).arrays.limit_value, 1e-10, 'warm');
  assert.equal(warm.solve(parameters).arrays.limit_value, again);
});

test('magnitudes are those of the curvature', () => {
  const { engine, parameters, result } = reference.limits[1], panels = [{ curves: [{ key: 'limit_curvature' }] }];
  const found = makeEngine({ engine: { ...engine, magnitudes: true }, panels }, [reference.grid]).solve(parameters);
  close(found.arrays.limit_curvature, result.limit_curvature.map(Math.abs), 1e-7, 'magnitudes');
});

test('zeros of the curvature are where the sign of g changes', () => {
  const { parameters: { y, p, omega, a }, engine } = reference.limits[1], x = engine.solutions.limit.x;
  const solution = solve({ x, y, p, omega, halfWidth: a }), g = c => x.reduce((s, v, j) => s + solution.lambda[j] * Math.abs(v - c), 0);
  assert.ok(zeros(solution).length > 0);
  for (const c of zeros(solution)) assert.ok(g(c - 1e-6) * g(c + 1e-6) < 0, `no change of sign at ${c}`);
});

test('a table answers as Python reads it', () => {
  const { data, engine, settings, read } = reference.table, table = makeEngine({ engine }, [], bytesOf(data));
  settings.forEach((setting, k) => {
    const { arrays, numbers, note } = table.solve(setting);
    close(arrays.v, read[k].v.map(v => v ?? NaN), 1e-12, JSON.stringify(setting));
    close([numbers.n], read[k].n, 1e-12, JSON.stringify(setting));
    assert.match(note, /^Read from a table made with the page\. Largest error at 200 random settings: /);
  });
});

test('no engine, no answer', () => assert.equal(makeEngine({ engine: { kind: 'kernel' } }, [], null), null));

test('integers of a table: low bytes first, odd for negative', () => {
  // 0, -1, 1, -128, 32767 are packed as 0, 1, 2, 255, 65534
  assert.deepEqual([...unpack(new DataView(Uint8Array.of(0, 1, 2, 255, 254, 0, 0, 0, 0, 255).buffer))], [0, -1, 1, -128, 32767]);
});

test('weights: Chebyshev polynomials, cut to [-1, 1], and products with the second list running faster', () => {
  close(polynomials(4, 0.3), [1, 0.3, 2 * 0.09 - 1, 4 * 0.027 - 0.9], 1e-15, 'T');
  assert.deepEqual(polynomials(3, 1.5), [1, 1, 1]);
  assert.deepEqual([...outer([1, 2], [3, 4])], [3, 4, 6, 8]);
});

test('a frame of the kernel: arrays in single precision, from any kind of buffer', () => {
  const floats = Float32Array.of(1.5, -2, NaN), padded = new Uint8Array(floats.byteLength + 3);
  padded.set(new Uint8Array(floats.buffer), 3);
  for (const buffer of [floats.buffer, new DataView(padded.buffer, 3)]) {
    const { arrays, numbers } = readFrame({ arrays: { y: buffer }, numbers: { n: 2 } });
    assert.deepEqual([...arrays.y], [1.5, -2, NaN]);
    assert.deepEqual(numbers, { n: 2 });
  }
  assert.deepEqual(readFrame({}), { arrays: {}, numbers: {}, note: '' });
});
