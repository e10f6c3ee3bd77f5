// What answers on a page without Python.
import { scientific } from '../format.js';
import { curvature, solve, value, zeros } from './dual.js';
import { tableEngine } from './table.js';

function dualEngine(spec, grids) {
  const { solutions, magnitudes } = spec.engine, last = {};
  return {
    kind: 'dual',
    solve(params) {
      const arrays = {}, numbers = {}, extra = {};
      let residual = 0;
      for (const [prefix, declared] of Object.entries(solutions)) {
        const at = Object.fromEntries(Object.entries(declared).map(([k, v]) => [k, typeof v === 'string' ? params[v] : v]));
        const problem = { x: at.x, y: at.y, p: at.p, omega: at.omega, halfWidth: at.half_width }, key = JSON.stringify(problem);
        if (last[prefix]?.key !== key) {
          const solution = solve(problem, last[prefix]?.solution.lambda), found = {};
          if (!(solution.residual < 1e-8)) {
            delete last[prefix];
            throw new Error(`The equation was solved to a residual of ${scientific(solution.residual)} only; this setting is probably extreme; move back a little or press Reset.`);
          }
          spec.panels.forEach((panel, k) => panel.curves.forEach(c => {
            if (!c.key.startsWith(prefix + '_')) return;
            const bend = c.key.slice(prefix.length + 1) === 'curvature', drawn = (bend ? curvature : value)(solution, grids[k]);
            found[c.key] = bend && magnitudes ? drawn.map(Math.abs) : drawn;
          }));
          last[prefix] = { key, solution, found };
        }
        const { solution, found } = last[prefix];
        extra[`${prefix}_curvature`] = zeros(solution).map(c => [c, 0]);
        Object.assign(arrays, found);
        numbers[`${prefix}_max`] = solution.max; numbers[`${prefix}_mean`] = solution.mean;
        residual = Math.max(residual, solution.residual);
      }
      return { arrays, numbers, extra, note: `Solved in your browser, residual ${scientific(Math.max(residual, 1e-16))}.` };
    },
  };
}

/** Numbers of a binary trait as a typed array: hosts hand it over as DataView, ArrayBuffer or view. */
const view = b => (b instanceof ArrayBuffer ? new DataView(b) : b);

export function makeEngine(spec, grids, bytes) {
  if (spec.engine.kind === 'dual') return dualEngine(spec, grids);
  if (spec.engine.kind === 'table') return tableEngine(spec, view(bytes));
  return null;
}

export function readFrame(frame) {
  const arrays = Object.fromEntries(Object.entries(frame.arrays ?? {}).map(([k, b]) => {
    const v = view(b);
    return [k, Float64Array.from(new Float32Array(v.buffer.slice(v.byteOffset, v.byteOffset + v.byteLength)))];
  }));
  return { arrays, numbers: frame.numbers ?? {}, note: '' };
}
