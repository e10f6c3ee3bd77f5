// Time that passes: play, pause and step, for a slider of time or for what grows.  Who asks for reduced motion steps.
import { make } from './dom.js';

const WHOLE = 6000;                                                      // milliseconds from one end to the other
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Buttons before a range input, which they move as the reader's hand would; `steps` is how far one step goes. */
export function makePlayer(parent, range, { name, steps = 1 }) {
  const box = make('span', { className: 'ib-player', role: 'group', 'aria-label': `${name}: play and step` });
  parent.insertBefore(box, range);
  const button = (text, label, onclick) => make('button', { type: 'button', className: 'ib-tiny', textContent: text, 'aria-label': label, onclick }, box);
  const end = () => +range.max;
  let timer = null, last = 0, at = 0;
  const set = v => { range.value = v; range.dispatchEvent(new Event('input', { bubbles: true })); };
  const step = d => { stop(); set(Math.min(Math.max(+range.value + d * steps, 0), end())); };
  button('◂', `${name}, one step back`, () => step(-1));
  const play = button('▶', `Play ${name}`, () => (timer === null ? start() : stop()));
  button('▸', `${name}, one step on`, () => step(1));
  play.classList.add('ib-play');
  function start() {
    if (still.matches) return step(1);
    if (+range.value >= end()) set(0);
    at = +range.value;
    last = performance.now();
    show(true);
    timer = requestAnimationFrame(tick);
  }
  function tick(now) {
    timer = null;
    if (range.matches(':disabled') || !range.isConnected) return show(false);
    at = Math.min(at + Math.max(now - last, 0) / WHOLE * end(), end());
    last = now;
    const next = Math.round(at);
    if (next !== +range.value) set(next);
    if (at < end()) timer = requestAnimationFrame(tick); else show(false);
  }
  function stop() {
    if (timer !== null) cancelAnimationFrame(timer);
    timer = null;
    show(false);
  }
  function show(playing) {
    play.textContent = playing ? '❚❚' : '▶';
    play.setAttribute('aria-label', `${playing ? 'Pause' : 'Play'} ${name}`);
  }
  range.addEventListener('pointerdown', stop);
  range.addEventListener('keydown', stop);
  return { stop };
}
