// A prediction drawn in a plot: a curve through handles, or one point.  After the check it stays, dotted, beside the answer.
import { short } from '../format.js';
import { makeHandles } from './handles.js';

const tidy = v => +v.toFixed(6);

/** A smooth curve through the handles that never overshoots them (monotone cubic, Fritsch and Carlson), at the points t. */
export function smooth(x, y, t) {
  const n = x.length, h = [], d = [], m = new Array(n);
  for (let k = 0; k + 1 < n; k++) { h.push(x[k + 1] - x[k]); d.push((y[k + 1] - y[k]) / h[k]); }
  m[0] = d[0]; m[n - 1] = d[n - 2];
  for (let k = 1; k + 1 < n; k++) {
    const w1 = 2 * h[k] + h[k - 1], w2 = h[k] + 2 * h[k - 1];
    m[k] = d[k - 1] * d[k] > 0 ? (w1 + w2) / (w1 / d[k - 1] + w2 / d[k]) : 0;
  }
  return t.map(v => {
    const k = Math.min(Math.max(x.findIndex(u => u > v) - 1, 0), n - 2), i = v >= x[n - 1] ? n - 2 : k, s = (v - x[i]) / h[i];
    return y[i] * (1 + 2 * s) * (1 - s) ** 2 + h[i] * m[i] * s * (1 - s) ** 2 + y[i + 1] * s * s * (3 - 2 * s) + h[i] * m[i + 1] * s * s * (s - 1);
  });
}

export const rms = (a, b) => {
  let sum = 0, n = 0;
  for (let k = 0; k < a.length; k++) if (Number.isFinite(a[k] - b[k])) { sum += (a[k] - b[k]) ** 2; n++; }
  return Math.sqrt(sum / Math.max(n, 1));
};

function sketch(plot, question, onMove, truth) {
  const { panel, grid, limits: [y0, y1] } = plot, x = question.at;
  const inside = grid.map((v, k) => k).filter(k => grid[k] >= x[0] && grid[k] <= x[x.length - 1]), t = [...new Set([...x, ...inside.map(k => grid[k])])].sort((a, b) => a - b);
  let values = x.map(() => (y0 + y1) / 2), begun = !question.start;
  const begin = result => {
    if (begun || !result) return;
    begun = true;
    const curve = result.arrays[question.start];
    values = x.map(v => { const k = Math.min(Math.max(grid.findIndex(u => u >= v), 0), grid.length - 1); return tidy(Math.min(Math.max(Number.isFinite(curve[k]) ? curve[k] : y1, y0), y1)); });
    draw();
  };
  const draw = () => { plot.setGuess({ kind: 'sketch', x: t, y: smooth(x, values, t), label: 'your sketch' }); handles?.update(x.map((v, k) => [v, values[k]])); };
  let handles = makeHandles(plot, {
    points: x.map((v, k) => [v, values[k]]), vertical: true, yLimits: [y0, y1], steps: [0, (y1 - y0) / 40], guess: true,
    name: k => `Sketch at ${plot.panel.xLabel || 'x'} = ${short(panel.xLog ? 10 ** x[k] : x[k])}`, value: (_, y) => short(panel.yLog ? 10 ** y : y),
    onMove: (k, _, y) => { values = values.map((v, j) => (j === k ? y : v)); draw(); onMove(); },
  });
  if (begun) draw(); else begin(truth());
  const stop = () => { handles?.remove(); handles = null; };
  return {
    begin,
    text: () => values.map(tidy).join(','),
    restore(text) {
      begun = true;
      const read = text.split(',').map(Number);
      if (read.length !== x.length || !read.every(Number.isFinite)) return false;
      values = read.map(v => Math.min(Math.max(v, y0), y1));
      draw();
      return true;
    },
    freeze: stop,
    remove() { stop(); plot.setGuess(null); },
    verdict(result) {
      const curve = result?.arrays[question.curve];
      if (!curve) return '';
      const distance = rms(smooth(x, values, inside.map(k => grid[k])), inside.map(k => curve[k])), share = 100 * distance / (y1 - y0);
      return `${share < 5 ? 'Close: ' : ''}${share < 5 ? 'on' : 'On'} root mean square, your sketch is ${short(distance)}${panel.yLog ? ' powers of ten' : ''} from the curve, ${share.toFixed(0)} % of the plot’s height. `;
    },
  };
}

function mark(plot, question, onMove, truth) {
  const { panel, grid, limits: [y0, y1] } = plot, x0 = grid[0], x1 = grid[grid.length - 1];
  let at = [(x0 + x1) / 2, (y0 + y1) / 2];
  // an answer lies on a curve: the mark goes to the nearest place of it
  const onto = (x, y) => {
    const curve = question.on && truth()?.arrays[question.on];
    if (!curve) return [x, y];
    const sx = 1 / (x1 - x0), sy = 1 / (y1 - y0);
    let best = null, least = Infinity;
    for (let k = 0; k + 1 < grid.length; k++) {
      const dx = (grid[k + 1] - grid[k]) * sx, dy = (curve[k + 1] - curve[k]) * sy;
      const s = Math.min(Math.max(((x - grid[k]) * sx * dx + (y - curve[k]) * sy * dy) / (dx * dx + dy * dy), 0), 1);
      const px = grid[k] + s * (grid[k + 1] - grid[k]), py = curve[k] + s * (curve[k + 1] - curve[k]), far = ((px - x) * sx) ** 2 + ((py - y) * sy) ** 2;
      if (far < least && py >= y0 && py <= y1) { least = far; best = [tidy(px), tidy(py)]; }
    }
    return best ?? [x, y];
  };
  const shown = (v, log) => short(log ? 10 ** v : v);
  const draw = () => { plot.setGuess({ kind: 'mark', x: [at[0]], y: [at[1]], label: 'your mark' }); handles?.update([at]); };
  let handles = makeHandles(plot, {
    points: [at], vertical: false, xLimits: [x0, x1], yLimits: [y0, y1], steps: [(x1 - x0) / 40, (y1 - y0) / 40], guess: true,
    name: () => 'Your mark', value: (x, y) => `${shown(x, panel.xLog)}, ${shown(y, panel.yLog)}`,
    onMove: (_, x, y) => { at = onto(x, y); draw(); onMove(); },
  });
  draw();
  const begin = () => { if (question.on) { at = onto(...at); draw(); } };
  const stop = () => { handles?.remove(); handles = null; };
  const off = (d, span, log, [less, more]) => (Math.abs(d) < 0.015 * span ? '' : `${log ? `a factor of ${short(10 ** Math.abs(d))}` : short(Math.abs(d))} too ${d > 0 ? more : less}`);
  return {
    begin,
    text: () => at.map(tidy).join(','),
    restore(text) {
      const read = text.split(',').map(Number);
      if (read.length !== 2 || !read.every(Number.isFinite)) return false;
      at = [Math.min(Math.max(read[0], x0), x1), Math.min(Math.max(read[1], y0), y1)];
      draw();
      return true;
    },
    freeze: stop,
    remove() { stop(); plot.setGuess(null); },
    verdict(result) {
      const x = result?.numbers[question.x], y = result?.numbers[question.y];
      if (x === undefined || y === undefined) return '';
      const words = [off(at[0] - x, x1 - x0, panel.xLog, ['far left', 'far right']), off(at[1] - y, y1 - y0, panel.yLog, ['low', 'high'])].filter(Boolean);
      return words.length ? `Your mark is ${words.join(' and ')}. ` : 'Right on the spot. ';
    },
  };
}

export const makeDrawn = (plot, question, onMove, truth) => (question.kind === 'sketch' ? sketch : mark)(plot, question, onMove, truth);
