// Points that the reader drags with mouse, touch or keys: data points, free points, and the handles of a prediction.
import { drag } from 'd3-drag';
import { select } from 'd3-selection';

const inside = (v, [low, high]) => Math.min(Math.max(v, low), high), tidy = v => +v.toFixed(6);
const GRIP = { vertical: 'M-4 -11L0 -15L4 -11M-4 11L0 15L4 11', free: 'M-4 -11L0 -15L4 -11M-4 11L0 15L4 11M-11 -4L-15 0L-11 4M11 -4L15 0L11 4' };

/** A handle moves vertically only, or freely; `name(i)` and `value(x, y)` are what a screen reader says, `shown(x, y)` what stands beside it. */
export function makeHandles(plot, { points, vertical, xLimits, yLimits, steps, name, value, shown = value, guess, control, onMove }) {
  let now = points, locked = false;
  const group = plot.handleLayer.append('g');
  const nodes = group.selectAll('g').data(points.map((_, i) => i)).join('g').attr('class', `ib-point${guess ? ' ib-guess' : ''}${vertical ? '' : ' ib-free'}`)
    .attr('data-control', control ?? null).attr('tabindex', 0).attr('role', 'slider').attr('aria-label', name)
    .attr('aria-valuemin', yLimits[0]).attr('aria-valuemax', yLimits[1]);
  if (vertical) nodes.attr('aria-orientation', 'vertical'); else nodes.attr('aria-roledescription', 'point that moves both ways');
  nodes.append('circle').attr('class', 'ib-hit').attr('r', 20);
  nodes.append('circle').attr('class', 'ib-ring').attr('r', 11);
  nodes.append('circle').attr('class', 'ib-dot').attr('r', guess ? 6.5 : 5.5);
  nodes.append('path').attr('class', 'ib-grip').attr('d', vertical ? GRIP.vertical : GRIP.free);
  nodes.append('text').attr('class', 'ib-value').attr('dy', '0.32em');
  const move = (i, x, y) => onMove(i, vertical ? now[i][0] : tidy(inside(x, xLimits)), tidy(inside(y, yLimits)));
  const snap = (v, step) => Math.round(v * 5 / step) * step / 5;           // a drag moves by fifths of a step

  nodes.on('keydown', (event, i) => {
    if (locked || event.altKey || event.ctrlKey || event.metaKey) return;
    const [x, y] = now[i], [dx, dy] = steps.map(s => (event.shiftKey ? 4 * s : s));
    const to = {
      ArrowUp: [x, y + dy], ArrowDown: [x, y - dy], ArrowRight: vertical ? [x, y + dy] : [x + dx, y], ArrowLeft: vertical ? [x, y - dy] : [x - dx, y],
      PageUp: [x, y + 4 * steps[1]], PageDown: [x, y - 4 * steps[1]],
      Home: vertical ? [x, yLimits[0]] : [xLimits?.[0], y], End: vertical ? [x, yLimits[1]] : [xLimits?.[1], y],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    move(i, ...to);
  });
  // the subject is the handle itself, so that event.x and event.y are its place, for a mouse and for a finger
  nodes.call(drag().filter(event => !locked && !event.button).container(() => plot.svg.node()).subject((_, i) => ({ x: plot.x(now[i][0]), y: plot.y(now[i][1]) }))
    .on('start', function () { select(this).classed('ib-dragging', true); this.focus({ preventScroll: true }); })
    .on('end', function (_, i) { select(this).classed('ib-dragging', false); if (control) move(i, ...now[i]); })   // now the axis may follow
    .on('drag', (event, i) => {
      move(i, vertical ? 0 : snap(plot.x.invert(event.x), steps[0]), snap(plot.y.invert(event.y), steps[1]));
    }));

  function place() {
    if (!plot.width) return;
    const middle = plot.width / 2;
    nodes.each(function (i) {
      const [x, y] = now[i], node = this, left = plot.x(x) > middle;
      node.setAttribute('transform', `translate(${plot.x(x)} ${plot.y(y)})`);
      node.setAttribute('aria-valuenow', y);
      node.setAttribute('aria-valuetext', value(x, y));
      const label = node.lastChild;
      label.textContent = shown(x, y);
      label.setAttribute('x', left ? -16 : 16);
      label.setAttribute('text-anchor', left ? 'end' : 'start');
    });
  }
  const handles = {
    update(next) { now = next; place(); },
    place,
    get at() { return now; },
    lock(on) {
      locked = on;
      nodes.attr('tabindex', on ? -1 : 0).attr('aria-disabled', on ? 'true' : null).classed('ib-locked', on);
    },
    remove() {
      group.remove();
      plot.handles.delete(handles);
      if (!plot.handles.size) plot.svg.attr('role', 'img');
    },
  };
  plot.handles.add(handles);
  plot.svg.attr('role', 'group');                                       // a picture holds nothing that can be focused
  return handles;
}
