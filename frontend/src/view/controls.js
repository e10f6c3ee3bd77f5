// Sliders and choices.
import { short } from '../format.js';
import { make } from './dom.js';
import { makePlayer } from './play.js';

const toValue = (c, k) => {
  if (k <= 0) return c.min;
  if (k >= c.steps) return c.max;
  const s = k / c.steps;
  return +(c.log ? c.min * (c.max / c.min) ** s : c.min + (c.max - c.min) * s).toPrecision(12);
};
const toStep = (c, v) => Math.round(c.steps * (c.log ? Math.log(v / c.min) / Math.log(c.max / c.min) : (v - c.min) / (c.max - c.min)));

export function makeSlider(parent, c, onInput) {
  const outer = make('div', { className: c.plays ? 'ib-played' : '' }, parent), box = make('label', { className: 'ib-slider' }, outer), head = make('span', { className: 'ib-slider-head' }, box);
  make('i', { className: 'ib-symbol', textContent: c.symbol }, head);
  make('span', { className: 'ib-slider-label', textContent: c.label }, head);
  const output = make('span', { className: 'ib-slider-value', 'aria-hidden': 'true' }, head);
  const range = make('input', { type: 'range', min: 0, max: c.steps, step: 1, 'data-parameter': c.name, 'aria-label': `${c.symbol}, ${c.label}` }, box);
  range.addEventListener('input', () => onInput(toValue(c, +range.value)));
  if (c.plays) makePlayer(outer, outer.appendChild(range), { name: c.label, steps: Math.max(Math.round(c.steps / 25), 1) });
  let shown = null;
  return v => {
    if (v === shown) return;
    shown = v;
    range.value = toStep(c, v);
    range.style.setProperty('--ib-fill', `${100 * range.value / c.steps}%`);
    output.textContent = short(v);
    range.setAttribute('aria-valuetext', `${c.symbol} = ${short(v)}`);
  };
}

/** Scrub through what grows: from the first step to the whole picture, which is what the reader finds. */
export function makeReplay(parent, onShare) {
  const outer = make('div', { className: 'ib-played ib-replay' }, parent), steps = 60;
  make('span', { className: 'ib-slider-label', textContent: 'training, step by step', 'aria-hidden': 'true' }, outer);
  const range = make('input', { type: 'range', min: 0, max: steps, step: 1, value: steps, 'aria-label': 'training, step by step', style: '--ib-fill: 100%' }, outer);
  const show = () => {
    range.style.setProperty('--ib-fill', `${100 * range.value / steps}%`);
    range.setAttribute('aria-valuetext', `${Math.round(100 * range.value / steps)} % of the way`);
  };
  range.addEventListener('input', () => { show(); onShare(range.value / steps); });
  const player = makePlayer(outer, range, { name: 'training', steps: 3 });
  show();
  return () => { player.stop(); range.value = steps; show(); };
}

let serial = 0;

/** Radio buttons: the browser's own, so the arrow keys work as everywhere. */
export function makeChoice(parent, c, onInput) {
  const box = make('div', { className: 'ib-choice-control', role: 'radiogroup', 'aria-label': c.symbol ? `${c.symbol}, ${c.label}` : c.label, 'data-choice': c.name }, parent);
  const head = make('span', { className: 'ib-slider-head', 'aria-hidden': 'true' }, box);
  if (c.symbol) make('i', { className: 'ib-symbol', textContent: c.symbol }, head);
  make('span', { className: 'ib-slider-label', textContent: c.label }, head);
  const row = make('div', { className: 'ib-options' }, box), group = `ib-choice-${++serial}`;
  const radios = c.options.map(({ value, text }) => {
    const label = make('label', { className: 'ib-option' }, row);
    const radio = make('input', { type: 'radio', name: group, value: String(value) }, label);
    make('span', { textContent: text }, label);
    radio.addEventListener('change', () => onInput(value));
    return radio;
  });
  return v => radios.forEach((radio, k) => { radio.checked = c.options[k].value === v; });
}
