// Markers at points (x_k, y_k).
import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { fill } from '../../format.js';

const SHAPES = { circle: symbolCircle, square: symbolSquare, triangle: symbolTriangle, cross: symbolCross, diamond: symbolDiamond };
const list = v => (typeof v === 'number' ? [v] : v);

export class ScatterLayer {
  constructor(plot, panel) {
    this.plot = plot;
    this.groups = panel.scatter.map(s => plot.above.append('g').attr('class', 'ib-scatter').attr('data-scatter', s.y));
    this.tags = panel.scatter.map(s => plot.texts.append('text').attr('class', `ib-tag ib-${s.color}`).attr('text-anchor', 'middle'));
    this.shapes = panel.scatter.map(s => symbol(SHAPES[s.marker], s.marker === 'circle' ? 64 : 76)());
  }

  draw({ arrays, numbers, params, words, veil }) {
    const { plot } = this, inside = (px, py) => px >= plot.margin.left - 1 && px <= plot.width - plot.right + 1 && py >= plot.margin.top - 1 && py <= plot.floor + 1;
    plot.panel.scatter.forEach((s, k) => {
      const shown = !(veil.has(s.x) || veil.has(s.y));
      this.groups[k].attr('display', shown ? null : 'none');
      this.tags[k].attr('display', 'none');
      if (!shown) return;
      const x = Array.from(list(arrays[s.x] ?? numbers[s.x]), plot.x), y = Array.from(list(arrays[s.y] ?? numbers[s.y]), plot.y);
      if (s.grows) x.length = Math.floor(plot.share * x.length);
      const seen = x.map((_, i) => i).filter(i => inside(x[i], y[i]));
      this.groups[k].selectAll('path').data(seen).join('path').attr('class', `ib-mark ib-${s.color}`).attr('d', this.shapes[k]).attr('transform', i => `translate(${x[i]} ${y[i]})`);
      plot.tags.spots(this.tags[k], fill(s.label, params, words), seen.map(i => x[i]), seen.map(i => y[i]));
    });
  }
}
