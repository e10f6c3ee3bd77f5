// One panel: axes, curves, direct labels, draggable points.  Sizes are CSS pixels; a resize redraws instead of scaling the text.
import { axisBottom, axisLeft } from 'd3-axis';
import { drag } from 'd3-drag';
import { scaleLinear } from 'd3-scale';
import { pointer, select } from 'd3-selection';
import { line } from 'd3-shape';
import { fill, powerOfTen, short } from '../format.js';

const MARGIN = { top: 24, right: 14, bottom: 40, left: 40 };
let serial = 0;

export class Plot {
  constructor(parent, panel, grid, labels, onDrag) {
    Object.assign(this, { panel, grid, labels, onDrag });
    this.root = select(parent).append('div').attr('class', 'ib-panel');
    this.root.append('div').attr('class', 'ib-panel-title').text(panel.title);
    this.svg = this.root.append('svg').attr('role', labels ? 'group' : 'img').attr('class', 'ib-svg');
    const clip = `ib-clip-${++serial}`;
    this.clip = this.svg.append('clipPath').attr('id', clip).append('rect');
    this.marks = this.svg.append('g').attr('class', 'ib-marks').attr('aria-hidden', 'true');
    this.xAxis = this.svg.append('g').attr('class', 'ib-axis').attr('aria-hidden', 'true');
    this.yAxis = this.svg.append('g').attr('class', 'ib-axis ib-axis-y').attr('aria-hidden', 'true');
    this.xLabel = this.svg.append('text').attr('class', 'ib-axis-label').attr('text-anchor', 'end').attr('aria-hidden', 'true').text(panel.xLabel);
    this.yLabel = this.svg.append('text').attr('class', 'ib-axis-label').attr('x', 2).attr('y', 13).attr('aria-hidden', 'true').text(panel.yLabel);
    const lines = this.svg.append('g').attr('clip-path', `url(#${clip})`).attr('aria-hidden', 'true');
    this.here = {};
    this.cursor = lines.append('line').attr('class', 'ib-cursor').attr('display', panel.cursor ? null : 'none');
    this.paths = panel.curves.map(c => lines.append('path').attr('class', `ib-curve ib-${c.color}`).attr('data-curve', c.key)
      .attr('stroke-dasharray', c.dash.join(' ') || null).attr('stroke-width', c.width));
    this.cursorDots = this.svg.append('g').attr('aria-hidden', 'true').selectAll('circle').data(panel.cursor ? panel.curves : []).join('circle')
      .attr('class', c => `ib-here ib-${c.color}`).attr('r', 4.5);
    const texts = this.svg.append('g').attr('aria-hidden', 'true');
    this.tags = panel.curves.map(c => texts.append('text').attr('class', `ib-tag ib-${c.color}`).attr('text-anchor', 'middle').text(c.label));
    this.over = panel.curves.map(c => texts.append('text').attr('class', `ib-over ib-${c.color}`).attr('text-anchor', 'middle'));
    this.dots = this.svg.append('g').attr('aria-hidden', 'true').selectAll('circle').data(panel.data ? panel.data[0] : []).join('circle').attr('class', 'ib-dot').attr('r', 5);
    this.places = panel.curves.map(() => null);
    this.locked = false;
    if (labels) this.makePoints();
  }

  makePoints() {
    const c = this.labels, name = i => `${c.label} ${c.symbol}${'₀₁₂₃₄₅₆₇₈₉'[i + 1] ?? i + 1} at x = ${short(c.x[i])}`;
    const clamp = v => Math.min(Math.max(v, c.min), c.max);
    const tidy = v => +clamp(v).toFixed(6);
    this.points = this.svg.append('g').selectAll('g').data(c.x).join('g').attr('class', 'ib-point').attr('tabindex', 0).attr('role', 'slider')
      .attr('aria-orientation', 'vertical').attr('aria-valuemin', c.min).attr('aria-valuemax', c.max).attr('aria-label', (_, i) => name(i));
    this.points.append('circle').attr('class', 'ib-hit').attr('r', 20);
    this.points.append('circle').attr('class', 'ib-ring').attr('r', 11);
    this.points.append('circle').attr('class', 'ib-dot').attr('r', 5.5);
    this.points.append('path').attr('class', 'ib-grip').attr('d', 'M-4 -11L0 -15L4 -11M-4 11L0 15L4 11');
    this.points.append('text').attr('class', 'ib-value').attr('dy', '0.32em');
    const plot = this;
    this.points.on('keydown', function (event, x) {
      if (plot.locked) return;
      const i = c.x.indexOf(x), now = plot.values[i];
      const to = { ArrowUp: now + c.step, ArrowRight: now + c.step, ArrowDown: now - c.step, ArrowLeft: now - c.step,
        PageUp: now + 4 * c.step, PageDown: now - 4 * c.step, Home: c.min, End: c.max }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      plot.onDrag(i, tidy(to));
    });
    this.points.call(drag().filter(event => !plot.locked && !event.button).container(() => this.svg.node())
      .on('start', function () { select(this).classed('ib-dragging', true); this.focus({ preventScroll: true }); })
      .on('end', function () { select(this).classed('ib-dragging', false); })
      .on('drag', function (event, x) {
        const y = pointer(event, plot.svg.node())[1];
        plot.onDrag(c.x.indexOf(x), tidy(Math.round(plot.y.invert(y) * 100) / 100));
      }));
  }

  lock(locked) {
    this.locked = locked;
    this.points?.attr('tabindex', locked ? -1 : 0).attr('aria-disabled', locked ? 'true' : null).classed('ib-locked', locked);
  }

  resize() {
    const width = Math.max(this.root.node().clientWidth, 200), height = Math.round(Math.min(Math.max(0.7 * width, 210), 300));
    if (width === this.width) return false;
    const { panel, grid } = this, { top, right, bottom, left } = MARGIN, [y0, y1] = panel.yLimits;
    Object.assign(this, { width, height });
    this.svg.attr('width', width).attr('height', height);
    this.x = scaleLinear([grid[0], grid[grid.length - 1]], [left, width - right]);
    this.y = scaleLinear([y0, y1], [height - bottom, top]);
    this.clip.attr('x', left).attr('y', top).attr('width', width - left - right).attr('height', height - top - bottom);
    const tick = log => (log ? d => (Number.isInteger(d) ? powerOfTen(d) : '') : null);
    this.xAxis.attr('transform', `translate(0 ${height - bottom})`).call(axisBottom(this.x).ticks(width / 70).tickSizeOuter(0).tickFormat(tick(panel.xLog)));
    this.yAxis.attr('transform', `translate(${left} 0)`).call(axisLeft(this.y).ticks(height / 50).tickSize(-(width - left - right)).tickPadding(6).tickFormat(tick(panel.yLog)));
    this.xLabel.attr('x', width - right).attr('y', height - 6);
    this.marks.selectAll('line').data(panel.marks).join('line').attr('x1', d => this.x(d)).attr('x2', d => this.x(d)).attr('y1', top).attr('y2', height - bottom);
    this.dots.attr('cx', d => this.x(d)).attr('cy', (_, i) => this.y(panel.data[1][i]));
    this.pathOf = line().x(q => this.x(q[0])).y(q => this.y(q[1])).digits(2);
    this.places.fill(null);
    return true;
  }

  /** `extra` may hold points of a curve between those of the grid, by key. */
  draw(arrays, params, extra = {}) {
    const { panel, grid, height } = this, [y0, y1] = panel.yLimits, far = 2 * (y1 - y0);
    const curves = panel.curves.map(c => arrays[c.key]);
    const clipped = curves.map(v => Array.from(v, u => Math.min(Math.max(u, y0 - far), y1 + far)));
    this.paths.forEach((path, k) => {
      const points = clipped[k].map((v, i) => [grid[i], v]), more = extra[panel.curves[k].key] ?? [];
      path.attr('d', this.pathOf(more.length ? points.concat(more).sort((u, v) => u[0] - v[0]) : points));
    });
    if (this.labels) {
      this.values = params[this.labels.name];
      const p = this.values;
      this.points.attr('transform', (_, i) => `translate(${this.x(this.labels.x[i])} ${this.y(p[i])})`)
        .attr('aria-valuenow', (_, i) => p[i]).attr('aria-valuetext', (_, i) => `${this.labels.symbol} = ${short(p[i])}`);
      const middle = (grid[0] + grid[grid.length - 1]) / 2;
      this.points.select('.ib-value').text((_, i) => short(p[i])).attr('x', d => (d > middle ? -16 : 16)).attr('text-anchor', d => (d > middle ? 'end' : 'start'));
    }
    if (panel.cursor) {
      const value = panel.xLog ? Math.log10(params[panel.cursor]) : params[panel.cursor], at = this.x(value);
      const found = grid.findIndex(v => v >= value), right = found < 0 ? grid.length - 1 : Math.max(found, 1);
      const share = Math.min(Math.max((value - grid[right - 1]) / (grid[right] - grid[right - 1]), 0), 1);
      const read = curves.map(v => v[right - 1] + share * (v[right] - v[right - 1]));
      panel.curves.forEach((c, k) => { this.here[`${c.key}_here`] = panel.yLog ? 10 ** read[k] : read[k]; });
      this.cursorDots.attr('cx', at).attr('cy', (_, k) => this.y(read[k])).attr('display', (_, k) => (read[k] >= y0 && read[k] <= y1 ? null : 'none'));
      this.cursor.attr('x1', at).attr('x2', at).attr('y1', MARGIN.top).attr('y2', height - MARGIN.bottom);
    }
    this.placeTags(curves, clipped, params);
  }

  /** Put each label where it stands clear of curves, points and other labels; keep its place while that is about as good. */
  placeTags(curves, clipped, params) {
    const { grid, panel } = this, [y0, y1] = panel.yLimits, { top, bottom, left, right } = MARGIN;
    const floor = this.height - bottom, n = grid.length, taken = [], stride = Math.ceil(4 * n / (this.width - left - right));
    const [px, py] = this.labels ? [this.labels.x, params[this.labels.name]] : panel.data ?? [[], []];
    const points = px.map((x, i) => [this.x(x), this.y(py[i])]);
    curves.forEach((v, k) => {                                          // a peak above the frame says how high it is
      let best = 0;
      for (let i = 1; i < n; i++) if (v[i] > v[best]) best = i;
      const outside = v[best] > y1;
      this.over[k].attr('display', outside ? null : 'none');
      if (outside) {
        const w = 44, x = Math.min(Math.max(this.x(grid[best]), left + w / 2), this.width - right - w / 2);
        let y = top + 11;
        while (taken.some(t => Math.abs(t[0] - x) < w && Math.abs(t[1] - y) < 13)) y += 13;
        this.over[k].attr('x', x).attr('y', y).text(`▲ ${short(v[best])}`);
        taken.push([x, y - 4, w]);
      }
    });
    panel.curves.forEach((c, k) => {
      const text = fill(c.label, params), half = (text.length * 6.8) / 2 + 3;
      this.tags[k].text(text);
      let best = null, bestCost = Infinity;
      for (let s = 0; s < 30; s++) for (const side of [-1, 1, -1.8, 1.8]) {
        const i = Math.round((0.03 + 0.94 * s / 29) * (n - 1)), v = curves[k][i];
        if (!(v > y0 && v < y1)) continue;
        const cx = Math.min(Math.max(this.x(grid[i]), left + half), this.width - right - half), cy = this.y(v) + side * 13;
        let cost = (this.places[k] === `${s}/${side}` ? -1.5 : 0) + (Math.abs(side) > 1 ? 1 : 0);
        for (let m = 0; m < clipped.length; m++) if (m !== k && Math.abs(this.y(clipped[m][i]) - this.y(v)) < 9) cost += 1.5;   // which of the two?
        if (cy < top + 7 || cy > floor - 7) cost += 20;
        for (let m = 0; m < clipped.length; m++) for (let u = -half; u <= half; u += 4) {
          const j = Math.round((cx + u - left) / (this.width - left - right) * (n - 1));
          if (j < 0 || j >= n) continue;
          const here = this.y(clipped[m][j]), next = this.y(clipped[m][Math.min(j + stride, n - 1)]);
          const gap = Math.max(Math.min(here, next) - cy, cy - Math.max(here, next), 0);       // 0 where the curve passes
          if (gap < 8) cost += m === k ? 1 : 2; else if (m !== k && gap < 15) cost += 0.25;
        }
        for (const [px, py] of points) if (Math.abs(px - cx) < half + 12 && Math.abs(py - cy) < 20) cost += 6;
        for (const [tx, ty, tw] of taken) if (Math.abs(tx - cx) < half + tw / 2 && Math.abs(ty - cy) < 15) cost += 8;
        if (cost < bestCost) { bestCost = cost; best = { cx, cy, place: `${s}/${side}` }; }
      }
      this.tags[k].attr('display', best ? null : 'none');
      if (best) { this.tags[k].attr('x', best.cx).attr('y', best.cy + 4); this.places[k] = best.place; taken.push([best.cx, best.cy, 2 * half]); }
    });
  }

  describe(text) { this.svg.attr('aria-label', `${this.panel.title}. ${text}`); }
}
