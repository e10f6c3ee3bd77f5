// The draggable points of a control: data points whose labels move, or free points.
import { short } from '../format.js';
import { makeHandles } from './handles.js';

const SUBSCRIPT = '₀₁₂₃₄₅₆₇₈₉';
const index = i => String(i + 1).replace(/./g, c => SUBSCRIPT[+c]);

export function makeControlHandles(plot, c, onDrag) {
  const { xLog, yLog } = plot.panel, read = (v, log) => short(log ? 10 ** v : v);
  if (c.kind === 'labels') {
    const at = values => c.x.map((x, i) => [x, values[i]]);
    const handles = makeHandles(plot, {
      points: at(c.default), vertical: true, yLimits: [c.min, c.max], steps: [0, c.step], control: c.name,
      name: i => `${c.label} ${c.symbol}${index(i)} at x = ${read(c.x[i], xLog)}`,
      value: (_, y) => `${c.symbol} = ${read(y, yLog)}`, shown: (_, y) => read(y, yLog),
      onMove: (i, x, y) => onDrag(handles.at.map((p, j) => (j === i ? y : p[1]))),
    });
    return { lock: handles.lock, show: params => handles.update(at(params[c.name])), at: () => handles.at };
  }
  const many = c.default.length > 1;
  const handles = makeHandles(plot, {
    points: c.default, vertical: false, xLimits: c.xLimits, yLimits: c.yLimits, steps: c.steps, control: c.name,
    name: i => `${c.label} ${c.symbol}${many ? index(i) : ''}`.trim(),
    value: (x, y) => `${plot.panel.xLabel || 'x'} = ${read(x, xLog)}, ${plot.panel.yLabel || 'y'} = ${read(y, yLog)}`, shown: (x, y) => `(${read(x, xLog)}, ${read(y, yLog)})`,
    onMove: (i, x, y) => onDrag(handles.at.map((p, j) => (j === i ? [x, y] : p))),
  });
  return { lock: handles.lock, show: params => handles.update(params[c.name]), at: () => handles.at };
}
