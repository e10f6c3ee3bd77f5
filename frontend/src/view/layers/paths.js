// Lines through points (x_k, y_k): orbits, level lines, boundaries.
import { fill } from '../../format.js';

export class PathLayer {
  constructor(plot, panel) {
    this.plot = plot;
    this.paths = panel.paths.map(p => plot.lines.append('path').attr('class', `ib-curve ib-${p.color}`).attr('data-path', p.y)
      .attr('stroke-dasharray', p.dash.join(' ') || null).attr('stroke-width', p.width));
    this.tags = panel.paths.map(p => plot.texts.append('text').attr('class', `ib-tag ib-${p.color}`).attr('text-anchor', 'middle'));
  }

  draw({ arrays, params, words, veil }) {
    const { plot } = this;
    plot.panel.paths.forEach((p, k) => {
      const shown = !(veil.has(p.x) || veil.has(p.y));
      this.paths[k].attr('display', shown ? null : 'none');
      this.tags[k].attr('display', 'none');
      if (!shown) return;
      const x = Array.from(arrays[p.x], plot.x), y = Array.from(arrays[p.y], plot.y);
      let text = '', pen = 'M';
      x.length = y.length = plot.drawn(p, x.length);
      for (let i = 0; i < x.length; i++) {
        if (!Number.isFinite(x[i] + y[i])) { pen = 'M'; continue; }
        text += `${pen}${Math.round(x[i] * 100) / 100},${Math.round(y[i] * 100) / 100}`;
        pen = 'L';
      }
      this.paths[k].node().setAttribute('d', text);
      plot.tags.polyline(this.tags[k], fill(p.label, params, words), x, y);
    });
  }
}
