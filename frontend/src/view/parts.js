// The parts around the plots: question, sliders, presets, buttons.
import { short } from '../format.js';

export const make = (tag, props = {}, parent = null) => {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) if (k in node) node[k] = v; else node.setAttribute(k, v);
  parent?.append(node);
  return node;
};

/** Predict, then check: the controls wait until the reader has chosen or skipped. */
export function makeQuestion(parent, question, onOpen) {
  const box = make('div', { className: 'ib-question' }, parent);
  make('p', { className: 'ib-question-text', textContent: question.text }, box);
  const row = make('div', { className: 'ib-choices', role: 'group', 'aria-label': 'Your prediction' }, box);
  const after = make('div', { className: 'ib-after', 'aria-live': 'polite' }, box);
  const buttons = question.choices.map((text, k) => {
    const b = make('button', { type: 'button', className: 'ib-choice', textContent: text, 'aria-pressed': 'false' }, row);
    b.onclick = () => { open(k); };
    return b;
  });
  const skip = make('button', { type: 'button', className: 'ib-skip', textContent: 'Skip' }, row);
  skip.onclick = () => open(null);
  function open(k) {
    buttons.forEach((b, i) => b.setAttribute('aria-pressed', String(i === k)));
    skip.hidden = true;
    box.classList.add('ib-open');
    after.replaceChildren();
    if (k !== null) make('span', { textContent: 'Now move the controls and look. ' }, after);
    const reveal = make('button', { type: 'button', className: 'ib-link', textContent: k === null ? 'Show the answer' : 'Check my prediction' }, after);
    reveal.onclick = () => {
      buttons[question.answer].classList.add('ib-right');
      const verdict = k === null ? `“${question.choices[question.answer]}.” ` : k === question.answer ? 'As you predicted. ' : `Not quite: “${question.choices[question.answer]}.” `;
      const text = make('p', { className: 'ib-because', tabIndex: -1 });
      make('strong', { textContent: verdict }, text);
      text.append(question.because);
      after.replaceChildren(text);
      text.focus({ preventScroll: true });
    };
    onOpen();
  }
  return { open: () => open(null) };
}

const toValue = (c, k) => {
  if (k <= 0) return c.min;
  if (k >= c.steps) return c.max;
  const s = k / c.steps;
  return +(c.log ? c.min * (c.max / c.min) ** s : c.min + (c.max - c.min) * s).toPrecision(12);
};
const toStep = (c, v) => Math.round(c.steps * (c.log ? Math.log(v / c.min) / Math.log(c.max / c.min) : (v - c.min) / (c.max - c.min)));

export function makeSlider(parent, c, onInput) {
  const box = make('label', { className: 'ib-slider' }, parent), head = make('span', { className: 'ib-slider-head' }, box);
  make('i', { className: 'ib-symbol', textContent: c.symbol }, head);
  make('span', { className: 'ib-slider-label', textContent: c.label }, head);
  const output = make('span', { className: 'ib-slider-value', 'aria-hidden': 'true' }, head);
  const range = make('input', { type: 'range', min: 0, max: c.steps, step: 1, 'data-parameter': c.name, 'aria-label': `${c.symbol}, ${c.label}` }, box);
  range.addEventListener('input', () => onInput(toValue(c, +range.value)));
  return v => {
    range.value = toStep(c, v);
    range.style.setProperty('--ib-fill', `${100 * range.value / c.steps}%`);
    output.textContent = short(v);
    range.setAttribute('aria-valuetext', `${c.symbol} = ${short(v)}`);
  };
}

/** Copy text; pages opened from a file have no clipboard interface, so the old way is kept. */
export async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch {
    const area = make('textarea', { value: text, readOnly: true, style: 'position:fixed;opacity:0' }, document.body);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
