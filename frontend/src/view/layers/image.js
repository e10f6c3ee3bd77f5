// A field as an image with its colour bar.  The colours are those of viridis: even steps of the value are even steps to the eye.
import { axisRight } from 'd3-axis';
import { rgb } from 'd3-color';
import { scaleLinear } from 'd3-scale';
import { interpolateViridis } from 'd3-scale-chromatic';
import { gridOf } from '../../grid.js';

const LEVELS = Array.from({ length: 256 }, (_, k) => { const c = rgb(interpolateViridis(k / 255)); return [c.r, c.g, c.b]; });
let serial = 0;

export class ImageLayer {
  constructor(plot, image) {
    Object.assign(this, { plot, image, rows: gridOf(image.y), columns: plot.grid });
    const ny = this.rows.length, nx = this.columns.length;
    this.window = plot.frame.append('div').attr('class', 'ib-image').attr('aria-hidden', 'true');
    this.canvas = this.window.append('canvas').attr('width', nx).attr('height', ny).attr('data-image', image.key);
    this.context = this.canvas.node().getContext('2d');
    this.pixels = this.context.createImageData(nx, ny);
  }

  resize() {
    const { plot, image, rows, columns } = this, { top, left } = plot.margin, [low, high] = image.limits;
    const half = g => (g[1] - g[0]) / 2, x = v => plot.x(v) - left, y = v => plot.y(v) - top;
    this.window.style('left', `${left}px`).style('top', `${top}px`).style('width', `${plot.width - left - plot.right}px`).style('height', `${plot.floor - top}px`);
    // the centres of the outer cells lie on the ends of the grids
    const x0 = x(columns[0] - half(columns)), x1 = x(columns.at(-1) + half(columns)), y0 = y(rows.at(-1) + half(rows)), y1 = y(rows[0] - half(rows));
    this.canvas.style('left', `${x0}px`).style('top', `${y0}px`).style('width', `${x1 - x0}px`).style('height', `${y1 - y0}px`);
    if (!this.bar) this.makeBar();
    const at = plot.width - plot.right + 12, scale = scaleLinear([low, high], [plot.floor, top]);
    this.bar.attr('transform', `translate(${at} 0)`);
    this.strip.attr('y', top).attr('height', plot.floor - top);
    this.ticks.attr('transform', 'translate(10 0)').call(axisRight(scale).ticks(5).tickSize(4).tickPadding(3));
    this.label.attr('x', 46).attr('y', 13);
  }

  makeBar() {
    const { plot } = this, id = `ib-viridis-${++serial}`;
    this.bar = plot.svg.append('g').attr('class', 'ib-colourbar ib-axis').attr('aria-hidden', 'true');
    const gradient = this.bar.append('linearGradient').attr('id', id).attr('x1', 0).attr('x2', 0).attr('y1', 1).attr('y2', 0);
    gradient.selectAll('stop').data(LEVELS.filter((_, k) => k % 15 === 0)).join('stop').attr('offset', (_, k) => k / 17).attr('stop-color', c => `rgb(${c.join(',')})`);
    this.strip = this.bar.append('rect').attr('width', 10).attr('fill', `url(#${id})`);
    this.ticks = this.bar.append('g');
    this.label = this.bar.append('text').attr('class', 'ib-axis-label').attr('text-anchor', 'end').text(this.image.label);
  }

  draw({ arrays, veil }) {
    const { image, rows, columns, pixels } = this, values = arrays[image.key], [low, high] = image.limits, nx = columns.length, ny = rows.length;
    const shown = !veil.has(image.key);
    this.window.style('display', shown ? null : 'none');
    if (!shown) return;
    for (let r = 0; r < ny; r++) for (let c = 0; c < nx; c++) {
      const v = values[(ny - 1 - r) * nx + c], at = 4 * (r * nx + c);
      const level = LEVELS[Math.min(Math.max(Math.round(255 * (v - low) / (high - low)), 0), 255)];
      pixels.data[at + 3] = level ? 255 : 0;
      if (level) [pixels.data[at], pixels.data[at + 1], pixels.data[at + 2]] = level;
    }
    this.context.putImageData(pixels, 0, 0);
  }
}
