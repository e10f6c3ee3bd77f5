import assert from 'node:assert/strict';
import test from 'node:test';
import { fill, literal, powerOfTen, scientific, short } from '../src/format.js';
import { gridOf } from '../src/grid.js';
import { reference } from './helpers.js';

test('sentences read as Python writes them', () => {
  for (const { template, numbers, words, y, text } of reference.sentences) {
    assert.equal(fill(template, numbers, words, { y: Float64Array.from(y, v => v ?? NaN) }), text);
  }
});

test('a field that nobody knows stays', () => assert.equal(fill('{unknown:.1f} {y_mean}', {}, {}, { y: [1] }), '{unknown:.1f} {y_mean}'));

test('numbers for the eye', () => {
  assert.deepEqual([0, -0.001e-9, 0.5, -2, 12.34, 123.4, -12345, 1e4, -1.2e5, 0.0001].map(short), ['0.00', '−10⁻¹²', '0.50', '−2.00', '12.3', '123', '−12345', '10000', '−1.2·10⁵', '10⁻⁴']);
  assert.equal(powerOfTen(-12), '10⁻¹²');
  assert.equal(scientific(123456), '10⁵');
});

test('Python literals', () => assert.equal(literal([[1, 0.25], [-2, 1e-3]]), '[[1.0, 0.25], [-2.0, 0.001]]'));

test('grids are those of numpy.linspace to the last bit', () => {
  for (const { grid, values } of reference.grids) assert.deepEqual(gridOf(grid), values);
});
