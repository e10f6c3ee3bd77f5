// A table: Chebyshev coefficients x truncated SVD x integers (see ibtext/demos/kit/table.py and table_rows.py).
import { outer, polynomials } from './weights.js';

/** The integers of a table: all low bytes, then all high ones; an odd number stands for a negative one. */
export function unpack(bytes) {
  const n = bytes.byteLength / 2, out = new Int16Array(n);
  for (let k = 0; k < n; k++) {
    const v = bytes.getUint8(k) + 256 * bytes.getUint8(n + k);
    out[k] = (v >>> 1) ^ -(v & 1);
  }
  return out;
}

/** The weight of every row at a setting. */
function weights({ choices, dimensions, linear }, params) {
  let w = [1];
  for (const c of choices) w = outer(w, c.values.map(v => +(v === params[c.name])));
  for (const d of dimensions) {
    const value = d.at ? params[d.name][d.at[0]][d.at[1]] : params[d.name], [low, high] = d.ends;
    w = outer(w, polynomials(d.count, (2 * (d.log ? Math.log(value) : value) - low - high) / (high - low)));
  }
  if (linear) w = outer(w, [1, ...params[linear.name].map(y => (y - linear.middle) / linear.half)]);
  return w;
}

export function tableEngine(spec, bytes) {
  const { names, sizes, low, high, blocks, nan, error, checks } = spec.engine;
  const raw = unpack(bytes), size = sizes.reduce((s, v) => s + v, 0);
  const note = `Read from a table made with the page. Largest error at ${checks} random settings: ${(100 * error).toPrecision(2)} % of full scale.`;
  return {
    kind: 'table',
    solve(params) {
      const w = weights(spec.engine, params), flat = new Float64Array(size);
      let row = 0, at = 0;
      for (const { rows, scale } of blocks) {
        const rank = scale.length, sums = new Float64Array(rank);
        for (let i = 0; i < rows; i++) {
          const u = w[row + i];
          if (u) for (let j = 0, k = at + i * rank; j < rank; j++) sums[j] += u * raw[k + j];
        }
        for (let j = 0; j < rank; j++) {
          const s = sums[j] * scale[j];
          if (s) for (let k = 0, from = at + rows * rank + j * size; k < size; k++) flat[k] += s * raw[from + k];
        }
        row += rows;
        at += (rows + size) * rank;
      }
      const arrays = {}, numbers = {};
      for (let k = 0, from = 0; k < names.length; from += sizes[k++]) {
        for (let i = from; i < from + sizes[k]; i++) flat[i] = low[k] + (high[k] - low[k]) * flat[i];
      }
      for (const [start, length] of nan) flat.fill(NaN, start, start + length);
      for (let k = 0, from = 0; k < names.length; from += sizes[k++]) {
        if (sizes[k] === 1) numbers[names[k]] = flat[from]; else arrays[names[k]] = flat.slice(from, from + sizes[k]);
      }
      return { arrays, numbers, note };
    },
  };
}
