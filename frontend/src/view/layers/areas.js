// What is filled: bands between two curves, and bars.
import { fill, MINUS, short } from '../../format.js';

/** To about a thousandth of the axis: more digits would show a table's rounding. */
function rounded(v, span) {
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(span / 1000)), 0), Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2);
  return (Math.round(v * 10 ** digits) / 10 ** digits || 0).toFixed(digits).replace('-', MINUS);
}

export class AreaLayer {
  constructor(plot, panel) {
    this.plot = plot;
    this.bands = panel.bands.map(b => plot.below.append('path').attr('class', `ib-band ib-${b.color}`).attr('data-band', b.upper));
    this.tags = panel.bands.map(b => plot.texts.append('text').attr('class', `ib-tag ib-${b.color}`).attr('text-anchor', 'middle'));
    const names = panel.bars?.names ?? [];
    this.bars = plot.below.append('g').selectAll('rect').data(names).join('rect').attr('class', `ib-bar ib-${panel.bars?.color}`);
    this.values = plot.texts.append('g').selectAll('text').data(names).join('text').attr('class', 'ib-bar-value').attr('text-anchor', 'middle');
  }

  draw(state) {
    this.drawBands(state);
    if (this.plot.panel.bars) this.drawBars(state);
  }

  drawBands({ arrays, params, words, veil }) {
    const { plot } = this, { panel, grid, limits: [y0, y1] } = plot, cut = v => Math.min(Math.max(v, 2 * y0 - y1), 2 * y1 - y0);
    panel.bands.forEach((b, k) => {
      const shown = !(veil.has(b.lower) || veil.has(b.upper));
      this.bands[k].attr('display', shown ? null : 'none');
      this.tags[k].attr('display', 'none');
      if (!shown) return;
      const x = grid.map(v => plot.x(v)), low = Array.from(arrays[b.lower], v => plot.y(cut(v))), high = Array.from(arrays[b.upper], v => plot.y(cut(v)));
      let text = '', from = -1;
      for (let i = 0; i <= x.length; i++) {                             // NaN ends a piece
        const good = i < x.length && Number.isFinite(low[i] + high[i]);
        if (good && from < 0) from = i;
        if (!good && from >= 0) {
          for (let j = from; j < i; j++) text += `${j === from ? 'M' : 'L'}${x[j].toFixed(2)},${high[j].toFixed(2)}`;
          for (let j = i - 1; j >= from; j--) text += `L${x[j].toFixed(2)},${low[j].toFixed(2)}`;
          text += 'Z';
          from = -1;
        }
      }
      this.bands[k].node().setAttribute('d', text);
      plot.tags.band(this.tags[k], fill(b.label, params, words), x, low, high);
    });
  }

  drawBars({ arrays, veil }) {
    const { plot } = this, { bars, yLog } = plot.panel, [y0, y1] = plot.limits, values = arrays[bars.key], base = plot.y(Math.min(Math.max(0, y0), y1));
    const width = plot.x(0.32) - plot.x(-0.32), shown = !veil.has(bars.key), height = v => plot.y(Math.min(Math.max(v, y0), y1));
    this.bars.attr('display', shown ? null : 'none').attr('x', (_, i) => plot.x(i - 0.32)).attr('width', width)
      .attr('y', (_, i) => Math.min(base, height(values[i]))).attr('height', (_, i) => Math.abs(height(values[i]) - base));
    this.values.attr('display', shown ? null : 'none').attr('x', (_, i) => plot.x(i)).attr('y', (_, i) => Math.max(height(values[i]) - 5, plot.margin.top + 10))
      .each((_, i) => {                                                 // a label keeps off the bars and their numbers
        if (!shown) return;
        const top = Math.min(base, height(values[i])) - 12, end = Math.max(base, height(values[i]));
        for (let y = top; y < end; y += 14) plot.tags.taken.push([plot.x(i), y, Math.max(width, 34)]);
      })
      .text((_, i) => `${values[i] > y1 ? '▲ ' : ''}${yLog ? short(10 ** values[i]) : rounded(values[i], y1 - y0)}`);
  }
}
