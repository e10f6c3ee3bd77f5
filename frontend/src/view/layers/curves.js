// Curves over the panel's grid, with the cursor that reads them.
import { fill, short } from '../../format.js';

const round = v => Math.round(v * 100) / 100;

export class CurveLayer {
  constructor(plot, panel) {
    this.plot = plot;
    this.cursor = plot.lines.append('line').attr('class', 'ib-cursor').attr('display', panel.cursor ? null : 'none');
    this.ghosts = panel.curves.map(c => plot.lines.append('path').attr('class', `ib-curve ib-ghost ib-${c.color}`).attr('stroke-width', 1.5).attr('display', 'none'));
    this.paths = panel.curves.map(c => plot.lines.append('path').attr('class', `ib-curve ib-${c.color}`).attr('data-curve', c.key)
      .attr('stroke-dasharray', c.dash.join(' ') || null).attr('stroke-width', c.width));
    this.dots = plot.above.append('g').selectAll('circle').data(panel.cursor ? panel.curves : []).join('circle')
      .attr('class', c => `ib-here ib-${c.color}`).attr('r', 4.5);
    this.tags = panel.curves.map(c => plot.texts.append('text').attr('class', `ib-tag ib-${c.color}`).attr('text-anchor', 'middle').text(c.label));
    this.over = panel.curves.map(c => plot.texts.append('text').attr('class', `ib-over ib-${c.color}`).attr('data-over', c.key).attr('text-anchor', 'middle'));
  }

  resize() {
    const { plot } = this, left = plot.margin.left;
    this.pixels = plot.grid.map(v => plot.x(v));
    this.starts = this.pixels.map(v => `${round(v)},`);
    // the place on the grid at each pixel column, for the labels
    const columns = Math.max(Math.round(plot.width - left - plot.right), 1), n = plot.grid.length;
    let i = 0;
    this.columns = Float64Array.from({ length: columns + 1 }, (_, k) => {
      while (i < n - 2 && this.pixels[i + 1] <= left + k) i++;
      return i + Math.min(Math.max((left + k - this.pixels[i]) / (this.pixels[i + 1] - this.pixels[i]), 0), 1);
    });
  }

  draw({ arrays, extra, params, words, veil }) {
    const { plot } = this, { panel, limits: [y0, y1] } = plot, far = 2 * (y1 - y0);
    const slope = (plot.margin.top - plot.floor) / (y1 - y0), base = plot.floor - slope * y0;
    const shown = panel.curves.map(c => !veil.has(c.key)), low = base + slope * (y0 - far), high = base + slope * (y1 + far);
    const pixels = values => Float64Array.from(values, v => Math.min(Math.max(base + slope * v, high), low));
    const heights = panel.curves.map(c => { const all = pixels(arrays[c.key]); return all.fill(NaN, plot.drawn(c, all.length)); });
    panel.curves.forEach((c, k) => {
      this.paths[k].attr('display', shown[k] ? null : 'none');
      if (shown[k]) this.paths[k].node().setAttribute('d', this.outline(heights[k], extra[c.key]));
      const before = shown[k] && plot.ghost?.[c.key], seen = before && before.some((v, i) => Math.abs(v - arrays[c.key][i]) > 0.003 * (y1 - y0));
      this.ghosts[k].attr('display', seen ? null : 'none');
      if (seen) this.ghosts[k].node().setAttribute('d', this.outline(pixels(before)));
    });
    if (panel.cursor) this.read(arrays, params, shown);
    // labels: the curve as intervals of pixels, column by column
    panel.curves.forEach((c, k) => {
      this.over[k].attr('display', 'none');
      if (!shown[k]) { this.tags[k].attr('display', 'none'); return; }
      plot.tags.curve({ tag: this.tags[k], over: this.over[k], text: fill(c.label, params, words), values: arrays[c.key], heights: heights[k], layer: this,
        peak: v => `▲ ${short(panel.yLog ? 10 ** v : v)}` });
    });
  }

  /** The path's text; NaN breaks the line. */
  outline(heights, more = []) {
    const { starts } = this;
    if (more.length) return this.merged(heights, more);
    let text = '', pen = 'M';
    for (let k = 0; k < heights.length; k++) {
      const y = heights[k];
      if (y !== y) { pen = 'M'; continue; }
      text += pen + starts[k] + Math.round(y * 100) / 100;
      pen = 'L';
    }
    return text;
  }

  merged(heights, more) {
    const { plot, pixels } = this, at = more.map(([x, y]) => [plot.x(x), plot.y(y)]).sort((a, b) => a[0] - b[0]);
    let text = '', next = 0;
    const add = (x, y) => { text += `${text ? 'L' : 'M'}${round(x)},${round(y)}`; };
    heights.forEach((y, k) => {
      while (next < at.length && at[next][0] < pixels[k]) add(...at[next++]);
      add(pixels[k], y);
    });
    while (next < at.length) add(...at[next++]);
    return text;
  }

  read(arrays, params, shown) {
    const { plot } = this, { panel, grid, limits: [y0, y1] } = plot;
    const value = panel.xLog ? Math.log10(params[panel.cursor]) : params[panel.cursor], at = plot.x(value);
    const found = grid.findIndex(v => v >= value), right = found < 0 ? grid.length - 1 : Math.max(found, 1);
    const share = Math.min(Math.max((value - grid[right - 1]) / (grid[right] - grid[right - 1]), 0), 1);
    const read = panel.curves.map(c => arrays[c.key][right - 1] + share * (arrays[c.key][right] - arrays[c.key][right - 1]));
    panel.curves.forEach((c, k) => { plot.here[`${c.key}_here`] = panel.yLog ? 10 ** read[k] : read[k]; });
    this.dots.attr('cx', at).attr('cy', (_, k) => (Number.isFinite(read[k]) ? plot.y(read[k]) : 0)).attr('display', (_, k) => (shown[k] && read[k] >= y0 && read[k] <= y1 ? null : 'none'));
    this.cursor.attr('x1', at).attr('x2', at).attr('y1', plot.margin.top).attr('y2', plot.floor);
  }
}
