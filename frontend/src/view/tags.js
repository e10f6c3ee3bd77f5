// Direct labels: each stands where it is clear of curves, points and other labels, and keeps its place while that is about as good.
const HALF_LETTER = 3.8, PEAK_WIDTH = 44, CROWDED = 2.5;

export class Tags {
  constructor(plot) { this.plot = plot; this.places = new Map(); }

  forget() { this.places.clear(); }

  begin({ params }) {
    const { plot } = this;
    Object.assign(this, { drawing: true, items: [], curves: [], dots: [], taken: [] });
    const c = plot.control, at = !c ? [] : c.kind === 'labels' ? c.x.map((x, i) => [x, params[c.name][i]]) : params[c.name], [dx, dy] = plot.panel.data ?? [[], []];
    this.points = [...at, ...dx.map((x, i) => [x, dy[i]])].map(([x, y]) => [plot.x(x), plot.y(y)]);
  }

  /** A curve, as the interval of heights that it takes near each pixel column. */
  curve({ tag, over, text, values, heights, layer, peak }) {
    const { columns } = layer, n = columns.length, low = new Float64Array(n), high = new Float64Array(n);
    const at = Float64Array.from(columns, v => { const i = Math.min(Math.floor(v), heights.length - 2); return heights[i] + (v - i) * (heights[i + 1] - heights[i]); });
    for (let k = 0; k < n; k++) {
      low[k] = Infinity; high[k] = -Infinity;
      for (let j = k; j <= Math.min(k + 4, n - 1); j++) { if (at[j] < low[k]) low[k] = at[j]; if (at[j] > high[k]) high[k] = at[j]; }
    }
    const own = { low, high };
    this.curves.push(own);
    this.items.push({ tag, over, text, values, heights, own, peak, pixels: layer.pixels });
  }

  polyline(tag, text, px, py) {
    const seen = px.map((_, k) => k).filter(k => this.inside(px[k], py[k])), item = { tag, text, at: [] };
    let last = null;
    for (const k of seen) {
      const far = last === null ? 5 : Math.hypot(px[k] - px[last], py[k] - py[last]), pieces = last === k - 1 && far < 400 ? Math.floor(far / 5) : 1;
      if (far < 5) continue;
      for (let s = 1; s <= pieces; s++) {                               // a long segment is as much in the way as a bent one
        const share = last === null ? 1 : s / pieces, from = last ?? k;
        this.dots.push([px[from] + share * (px[k] - px[from]), py[from] + share * (py[k] - py[from]), item]);
      }
      last = k;
    }
    for (let s = 0; s < 24 && seen.length; s++) {
      const k = seen[Math.round(s / 23 * (seen.length - 1))];
      for (const [dx, dy] of [[0, -13], [0, 13], [1, 0], [-1, 0], [1, -10], [-1, -10], [1, 10], [-1, 10]]) item.at.push([px[k], py[k] + dy, dx]);
    }
    this.items.push(item);
  }

  spots(tag, text, px, py) {
    const item = { tag, text, at: [] };
    px.forEach((x, k) => {
      this.dots.push([x, py[k], item]);
      if (k < 16) for (const [dx, dy, far = 0] of [[0, -15], [0, 17], [1.4, 0], [-1.4, 0], [1, -12], [-1, -12], [1, 14], [-1, 14], [0, -30, 1], [0, 32, 1]]) item.at.push([x, py[k] + dy, dx, far]);
    });
    this.items.push(item);
  }

  band(tag, text, px, low, high) {
    const item = { tag, text, at: [], wide: true };
    for (let s = 2; s < 22; s++) {
      const k = Math.round(s / 23 * (px.length - 1));
      if (!Number.isFinite(low[k] + high[k])) continue;
      const thick = Math.abs(low[k] - high[k]);
      if (thick > 26) item.at.push([px[k], (low[k] + high[k]) / 2, 0, 1]);
      item.at.push([px[k], Math.min(low[k], high[k]) - 11, 0, 0.5], [px[k], Math.max(low[k], high[k]) + 11, 0, 0.5]);
    }
    this.items.push(item);
  }

  inside(x, y) {
    const { plot } = this;
    return x >= plot.margin.left && x <= plot.width - plot.right && y >= plot.margin.top && y <= plot.floor;
  }

  place() {
    this.drawing = false;
    for (const item of this.items) if (item.over) this.placePeak(item);
    const choice = item => item.at?.length ?? Infinity;                  // who has the fewest places chooses first
    for (const item of [...this.items].sort((a, b) => choice(a) - choice(b))) this.placeTag(item);
  }

  /** A single label, while nothing else is redrawn. */
  alone(tag, { kind, label, x, y }) {
    const { plot } = this, px = x.map(v => plot.x(v)), py = y.map(v => plot.y(v)), keep = this.items ?? [];
    if (!this.curves) return;
    this.items = [];
    this.dots = this.dots.filter(d => d[2].tag !== tag);
    this.taken = this.taken.filter(t => t[3] !== tag);
    if (kind === 'sketch') this.polyline(tag, label, px, py); else this.spots(tag, label, px, py);
    this.placeTag(this.items[0]);
    this.items = keep;
  }

  /** A peak above the frame says how high it is. */
  placePeak({ over, values, peak }) {
    const { plot, taken } = this, { grid } = plot, { top, left } = plot.margin, y1 = plot.limits[1];
    let best = -1;
    for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]) && (best < 0 || values[i] > values[best])) best = i;
    if (best < 0 || !(values[best] > y1)) return;
    const w = PEAK_WIDTH, x = Math.min(Math.max(plot.x(grid[best]), left + w / 2), plot.width - plot.right - w / 2);
    let y = top + 11;
    while (taken.some(t => Math.abs(t[0] - x) < w && Math.abs(t[1] - y) < 13)) y += 13;
    over.attr('display', null).attr('x', x).attr('y', y).text(peak(values[best]));
    taken.push([x, y - 4, w]);
  }

  /** Places to try: the centre of the label, a name for the place, and what it costs from the start. */
  * candidates(item, half) {
    const { plot } = this, left = plot.margin.left + half, right = plot.width - plot.right - half, clamp = x => Math.min(Math.max(x, left), right);
    if (item.at) {
      for (let k = 0; k < item.at.length; k++) {
        const [x, y, side, cost = 0] = item.at[k], cx = clamp(x + side * (half + 6));
        yield [cx, y, k, cost + (side ? 0.5 + Math.abs(cx - x - side * (half + 6)) / 4 : 0)];
      }
      return;
    }
    const { heights, pixels, own } = item, n = heights.length;
    for (let s = 0; s < 30; s++) {
      const i = Math.round((0.03 + 0.94 * s / 29) * (n - 1)), y = heights[i];
      if (!(y < plot.floor && y > plot.margin.top)) continue;
      let shared = 0;                                                    // which of the two?
      for (const other of this.items) if (other !== item && other.heights && Math.abs(other.heights[i] - y) < 9) shared += 1.5;
      let k = 0;
      for (const side of [-1, 1, -1.8, 1.8]) yield [clamp(pixels[i]), y + side * 13, 4 * s + k++, shared + (Math.abs(side) > 1 ? 1 : 0), own];
    }
  }

  placeTag(item) {
    const { tag, text } = item;
    if (!text) { tag.attr('display', 'none'); return; }
    if (tag.node().textContent !== text) tag.text(text);
    const half = text.length * HALF_LETTER + 3, before = this.places.get(item.tag);
    let best = null, bestCost = Infinity;
    const offer = (cx, cy, place, start) => {
      const cost = this.cost(item, half, cx, cy, start + (before === place ? -1.5 : 0), bestCost);
      if (cost < bestCost) { bestCost = cost; best = [cx, cy, place]; }
    };
    for (const [cx, cy, place, start] of this.candidates(item, half)) offer(cx, cy, place, start);
    if (bestCost > CROWDED) for (const [cx, cy, place, start] of this.elsewhere(item, half)) offer(cx, cy, place, start);
    tag.attr('display', best ? null : 'none');
    if (!best) return;
    tag.attr('x', best[0]).attr('y', best[1] + 4);
    this.places.set(item.tag, best[2]);
    this.taken.push([best[0], best[1], 2 * half, tag]);
  }

  /** Where everything beside the line is taken: free places of the panel, the nearest first; the colour says whose label it is. */
  * elsewhere(item, half) {
    const { plot } = this, left = plot.margin.left + half, right = plot.width - plot.right - half;
    const own = item.at ? item.at.map(([x, y]) => [x, y]) : Array.from({ length: 40 }, (_, s) => { const i = Math.round(s / 39 * (item.heights.length - 1)); return [item.pixels[i], item.heights[i]]; });
    for (let cy = plot.margin.top + 9, row = 0; cy < plot.floor - 8; cy += 9, row++) for (let cx = left; cx <= right; cx += 14) {
      let far = Infinity;
      for (const [x, y] of own) far = Math.min(far, Math.hypot(Math.max(Math.abs(x - cx) - half, 0), y - cy));
      if (far < 70) yield [cx, cy, `${row} ${Math.round((cx - left) / 14)}`, 1.5 + far / 20];
    }
  }

  /** What a place costs: curves, points and other labels under the text, and being far from where it belongs. */
  cost(item, half, cx, cy, start, limit) {
    const { plot, taken, points, dots, curves } = this, { top, left } = plot.margin;
    let cost = start + (cy < top + 7 || cy > plot.floor - 7 ? 20 : 0);
    for (const [px, py] of points) if (Math.abs(px - cx) < half + 12 && Math.abs(py - cy) < 20) cost += 6;
    for (const [tx, ty, tw] of taken) if (Math.abs(tx - cx) < half + tw / 2 && Math.abs(ty - cy) < 15) cost += 20;
    for (const [px, py, owner] of dots) {
      const gap = Math.abs(py - cy);
      if (Math.abs(px - cx) < half + 3 && gap < 10) cost += gap < 5 ? 3 : owner === item ? 0.7 : 1.5;
    }
    const from = Math.round(cx - half - left);
    for (const curve of curves) {
      if (cost >= limit) break;
      const own = curve === item.own, { low, high } = curve;
      for (let j = from; j <= from + 2 * half; j += 4) {
        if (j < 0 || j >= low.length) continue;
        const gap = Math.max(low[j] - cy, cy - high[j], 0);             // 0 where the curve passes
        if (gap < 4) cost += 3; else if (gap < 8) cost += own ? 0.7 : 1.5; else if (!own && gap < 15) cost += 0.25;
      }
    }
    return cost;
  }
}
