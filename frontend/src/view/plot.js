// One panel: axes and the layers drawn over them.  Sizes are CSS pixels; a resize redraws instead of scaling the text.
import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLinear } from 'd3-scale';
import { select } from 'd3-selection';
import { powerOfTen } from '../format.js';
import { makeControlHandles } from './points.js';
import { AreaLayer } from './layers/areas.js';
import { CurveLayer } from './layers/curves.js';
import { ImageLayer } from './layers/image.js';
import { PathLayer } from './layers/paths.js';
import { ScatterLayer } from './layers/scatter.js';
import { Tags } from './tags.js';

const MARGIN = { top: 24, right: 14, bottom: 40, left: 40 };
let serial = 0;

/** Ticks of a logarithmic axis: powers of ten; over less than two of them also 2 and 5 times those. */
function logTicks(axis, [low, high]) {
  if (high - low >= 2) return axis.tickFormat(d => (Number.isInteger(d) ? powerOfTen(d) : ''));
  const values = [];
  for (let k = Math.floor(low); k <= high; k++) for (const m of [1, 2, 5]) { const v = k + Math.log10(m); if (v >= low && v <= high) values.push(v); }
  return axis.tickValues(values).tickFormat(d => String(+(10 ** d).toPrecision(2)));
}

export class Plot {
  /** `control` is what the reader drags here, if anything: `onDrag(i, x, y)` is told. */
  constructor(parent, panel, grid, control, onDrag) {
    Object.assign(this, { panel, grid, control, here: {}, limits: panel.yLimits, share: 1, ghost: null, handles: new Set(), locked: false, margin: { ...MARGIN, right: panel.image ? 62 : MARGIN.right } });
    this.root = select(parent).append('div').attr('class', `ib-panel${panel.image ? ' ib-has-image' : ''}`);
    this.root.append('div').attr('class', 'ib-panel-title').text(panel.title);
    this.frame = this.root.append('div').attr('class', 'ib-frame');
    const image = panel.image && new ImageLayer(this, panel.image);
    this.svg = this.frame.append('svg').attr('role', control ? 'group' : 'img').attr('class', 'ib-svg');
    const clip = `ib-clip-${++serial}`, hidden = name => this.svg.append('g').attr('class', name).attr('aria-hidden', 'true');
    this.clip = this.svg.append('clipPath').attr('id', clip).append('rect');
    this.marks = hidden('ib-marks');
    this.xAxis = hidden('ib-axis');
    this.yAxis = hidden('ib-axis ib-axis-y');
    this.below = hidden('ib-below').attr('clip-path', `url(#${clip})`);
    this.xLabel = this.svg.append('text').attr('class', 'ib-axis-label').attr('text-anchor', 'end').attr('aria-hidden', 'true').text(panel.xLabel);
    this.yLabel = this.svg.append('text').attr('class', 'ib-axis-label').attr('x', 2).attr('y', 13).attr('aria-hidden', 'true').text(panel.yLabel);
    this.lines = hidden('ib-lines').attr('clip-path', `url(#${clip})`);
    this.above = hidden('ib-above');
    this.texts = hidden('ib-texts');
    this.dots = hidden('ib-data').selectAll('circle').data(panel.data ? panel.data[0] : []).join('circle').attr('class', 'ib-dot').attr('r', 5);
    this.handleLayer = this.svg.append('g');
    this.tags = new Tags(this);
    this.curves = new CurveLayer(this, panel);
    this.layers = [image, new AreaLayer(this, panel), this.curves, new PathLayer(this, panel), new ScatterLayer(this, panel)].filter(Boolean);
    if (control) this.points = makeControlHandles(this, control, onDrag);
  }

  /** The paths of the curves, in the order of their declaration. */
  get paths() { return this.curves.paths; }

  lock(locked) { this.points?.lock(locked); }

  resize() {
    const width = Math.max(this.root.node().clientWidth, 200);
    if (width === this.width) return false;
    this.fit(width);
    return true;
  }

  /** The first of the panel's windows that holds all that is drawn; the axis runs over it. */
  follow({ arrays, numbers }) {
    const { panel } = this;
    if (!panel.ySteps.length || this.handleLayer.select('.ib-dragging').size()) return;   // an axis stays while something is dragged along it
    let low = Infinity, high = -Infinity;
    for (const key of panel.heights) for (const v of arrays[key] ?? [numbers[key]]) { if (v < low) low = v; if (v > high) high = v; }
    const windows = [panel.yLimits, ...panel.ySteps], next = windows.find(([a, b]) => !(low < a || high > b)) ?? windows.at(-1);
    if (next[0] === this.limits[0] && next[1] === this.limits[1]) return;
    this.limits = next;
    if (this.width) this.fit(this.width);
  }

  fit(width) {
    const { panel, grid, margin: { top, bottom, left } } = this, [y0, y1] = this.limits, x0 = grid[0], x1 = grid[grid.length - 1];
    let { right } = this.margin, height = Math.round(Math.min(Math.max(0.75 * width, 210), 340));
    if (panel.equal) {                                                   // the same unit on both axes: a taller panel, or a narrower frame
      const shape = (y1 - y0) / (x1 - x0), inner = Math.min((width - left - right) * shape, 400);
      height = Math.round(inner + top + bottom);
      right = width - left - inner / shape;
    }
    Object.assign(this, { width, height, right, floor: height - bottom });
    this.svg.attr('width', width).attr('height', height).attr('viewBox', `0 0 ${width} ${height}`);
    this.x = scaleLinear([x0, x1], [left, width - right]);
    this.y = scaleLinear([y0, y1], [this.floor, top]);
    this.clip.attr('x', left).attr('y', top).attr('width', width - left - right).attr('height', this.floor - top);
    this.drawAxes();
    this.marks.selectAll('line').data(panel.marks).join('line').attr('x1', d => this.x(d)).attr('x2', d => this.x(d)).attr('y1', top).attr('y2', this.floor);
    this.dots.attr('cx', d => this.x(d)).attr('cy', (_, i) => this.y(panel.data[1][i]));
    this.layers.forEach(layer => layer.resize?.());
    this.tags.forget();
    this.handles.forEach(h => h.place());
  }

  drawAxes() {
    const { panel, width, height, right, floor, margin: { left } } = this;
    const bottom = axisBottom(this.x).tickSizeOuter(0);
    if (panel.bars) bottom.tickValues(panel.bars.names.map((_, k) => k)).tickFormat(k => panel.bars.names[k]);
    else bottom.ticks((width - left - right + 54) / 70);
    if (panel.xLog) logTicks(bottom, this.x.domain());
    const side = axisLeft(this.y).ticks(height / 50).tickSize(panel.image ? 4 : -(width - left - right)).tickPadding(6);
    if (panel.yLog) logTicks(side, this.y.domain());
    this.xAxis.attr('transform', `translate(0 ${floor})`).call(bottom);
    this.yAxis.attr('transform', `translate(${left} 0)`).call(side);
    this.xLabel.attr('x', width - right).attr('y', height - 6);
  }

  /** Draw a result.  `veil` holds keys that wait for a prediction; `extra`, points of a curve between those of the grid, by key. */
  draw(result, params, words, veil = new Set()) {
    const state = { arrays: result.arrays, numbers: result.numbers, extra: result.extra ?? {}, params, words, veil };
    this.follow(result);
    this.last = result.arrays;
    this.tags.begin(state);
    this.layers.forEach(layer => layer.draw(state));
    this.points?.show(params);
    this.drawGuess();
    this.tags.place();
  }

  /** Keep what is drawn as a faint ghost beside what comes next, or forget it. */
  keep(on = true) { this.ghost = on ? this.last : null; }

  /** Whether anything grows when the demo is played. */
  get grows() { const { curves, paths, scatter } = this.panel; return [...curves, ...paths, ...scatter].some(l => l.grows); }

  /** How many of n steps of a growing layer are drawn. */
  drawn(layer, n) { return layer.grows ? Math.max(Math.round(this.share * n), 1) : n; }

  /** The reader's prediction: { kind: 'sketch' | 'mark', x, y, label }, or null. */
  setGuess(guess) {
    this.guess = guess;
    this.guessPath ??= this.lines.append('path').attr('class', 'ib-curve ib-sketch').attr('stroke-dasharray', '2 4').attr('stroke-width', 2.25);
    this.guessMark ??= this.above.append('path').attr('class', 'ib-guess-mark').attr('d', 'M-8 0H8M0 -8V8').attr('stroke-width', 2.25);
    this.guessTag ??= this.texts.append('text').attr('class', 'ib-tag ib-guess-tag').attr('text-anchor', 'middle');
    if (!this.width) return;
    this.drawGuess();
    if (this.guess && !this.tags.drawing) { this.guessTag.attr('display', null); this.tags.alone(this.guessTag, this.guess); }
  }

  drawGuess() {
    const { guess } = this;
    if (!this.guessPath) return;
    this.guessPath.attr('display', guess?.kind === 'sketch' ? null : 'none');
    this.guessMark.attr('display', guess?.kind === 'mark' ? null : 'none');
    if (!guess) { this.guessTag.attr('display', 'none'); return; }
    const px = guess.x.map(v => this.x(v)), py = guess.y.map(v => this.y(v));
    if (guess.kind === 'sketch') this.guessPath.attr('d', px.map((v, k) => `${k ? 'L' : 'M'}${v.toFixed(2)},${py[k].toFixed(2)}`).join(''));
    else this.guessMark.attr('transform', `translate(${px[0]} ${py[0]})`);
    if (this.tags.drawing) {
      const key = guess.kind;
      if (key === 'sketch') this.tags.polyline(this.guessTag, guess.label, px, py); else this.tags.spots(this.guessTag, guess.label, px, py);
    }
  }

  describe(text) { this.svg.attr('aria-label', `${this.panel.title}. ${text}`); }
}
