// The parts of a demo in the order of the page: title, question, controls, plots, summary, buttons, status.
import { makeChoice, makeSlider } from './controls.js';
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
  const ask = make('div', {}, root);
  view.controls = make('fieldset', { className: 'ib-controls' }, root);
  make('legend', { className: 'ib-hidden', textContent: 'Controls' }, view.controls);
  const boxes = make('div', { className: 'ib-sliders' }, view.controls);
  const makers = { slider: makeSlider, choice: makeChoice };
  view.updates = spec.controls.filter(c => c.kind in makers).map(c => {
    const update = makers[c.kind](boxes, c, v => view.change({ [c.name]: v }));
    return () => update(view.params[c.name]);
  });
  const panels = make('div', { className: 'ib-panels' }, root);
  view.plots = spec.panels.map((panel, k) => {
    const control = spec.controls.find(c => c.name === panel.points);
    return new Plot(panels, panel, grids[k], control, values => view.change({ [control.name]: values }));
  });
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
  make('button', { type: 'button', className: 'ib-button ib-reset', textContent: 'Reset' }, row).onclick = () => view.change(spec.defaults);
  const copier = make('button', { type: 'button', className: 'ib-button ib-copy', textContent: 'Copy as Python' }, row);
  copier.onclick = async () => {
    const done = await copy(view.python());
    copier.textContent = done ? 'Copied' : 'Copying was refused';
    setTimeout(() => { copier.textContent = 'Copy as Python'; }, 1600);
  };
}
