// The parts of a demo in the order of the page: title, question, controls, plots, summary, buttons, status.
import { link } from '../state.js';
import { makeChoice, makeReplay, makeSlider } from './controls.js';
import { copy, make } from './dom.js';
import { Plot } from './plot.js';
import { makeQuestion } from './question.js';

const HINTS = { labels: 'Drag a data point up or down, or focus it and use the arrow keys.', points: 'Drag a point, or focus it and use the arrow keys.' };

/** Fill the root of a view, and give the view its parts. */
export function build(view, grids) {
  const { spec, root } = view;
  root.classList.add('ib-demo');
  // JupyterLab takes the arrow keys for its notebook commands unless they stay inside the demo.
  root.addEventListener('keydown', event => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); });
  root.dataset.demo = view.key;
  root.setAttribute('role', 'region');
  root.setAttribute('aria-label', `Demo: ${spec.title}`);
  make('div', { className: 'ib-title', textContent: spec.title }, root);
  root.tabIndex = -1;                                                   // a link lands on the demo
  const ask = make('div', {}, root), panels = make('div', { className: 'ib-panels' }, root);
  view.controls = make('fieldset', { className: 'ib-controls' }, root);
  make('legend', { className: 'ib-hidden', textContent: 'Controls' }, view.controls);
  const boxes = make('div', { className: 'ib-sliders' }, view.controls);
  const makers = { slider: makeSlider, choice: makeChoice };
  view.updates = spec.controls.filter(c => c.kind in makers).map(c => {
    const update = makers[c.kind](boxes, c, v => view.change({ [c.name]: v }));
    return () => update(view.params[c.name]);
  });
  view.plots = spec.panels.map((panel, k) => {
    const control = spec.controls.find(c => c.name === panel.points);
    return new Plot(panels, panel, grids[k], control, values => view.change({ [control.name]: values }));
  });
  if (view.plots.some(p => p.grows)) {
    view.whole = makeReplay(boxes, share => { view.plots.forEach(p => { p.share = share; }); view.paint(); });
  }
  if (spec.question) {
    view.question = makeQuestion(ask, spec.question, { plots: view.plots, truth: () => view.truth(), onOpen: () => view.opened(), onAnswer: () => view.remember() });
  }
  const kinds = new Set(spec.controls.map(c => c.kind));
  for (const [kind, text] of Object.entries(HINTS)) if (kinds.has(kind)) make('p', { className: 'ib-hint', textContent: text }, root);
  view.summary = make('p', { className: 'ib-summary', 'aria-hidden': 'true' }, root);
  view.live = make('p', { className: 'ib-hidden ib-live', 'aria-live': 'polite' }, root);
  view.problem = make('p', { className: 'ib-problem', role: 'alert', hidden: true }, root);
  buttons(view);
  view.status = make('p', { className: 'ib-status' }, root);
  root.ibtext = view;                                                   // a handle for tests and for the curious
}

function buttons(view) {
  const { spec } = view, row = view.buttons = make('fieldset', { className: 'ib-buttons' }, view.root);
  make('legend', { className: 'ib-hidden', textContent: 'Presets and tools' }, row);
  view.presets = Object.entries(spec.presets).map(([name, values]) => {
    const b = make('button', { type: 'button', className: 'ib-button ib-preset', textContent: name, 'data-preset': name }, row);
    b.onclick = () => view.change(values);
    return [b, values];
  });
  const tools = make('span', { className: 'ib-tools' }, row);
  make('button', { type: 'button', className: 'ib-button ib-reset', textContent: 'Reset' }, tools).onclick = () => view.change(spec.defaults);
  const copier = (className, name, text) => {
    const b = make('button', { type: 'button', className: `ib-button ${className}`, textContent: name }, tools);
    b.onclick = async () => {
      b.textContent = await copy(text()) ? 'Copied' : 'Copying was refused';
      setTimeout(() => { b.textContent = name; }, 1600);
    };
  };
  if (view.static) copier('ib-link-to', 'Copy link', () => link(view.key, view.params, view.question?.text() ?? ''));
  copier('ib-copy', 'Copy as Python', () => view.python());
}
