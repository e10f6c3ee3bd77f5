// The front end of every demo of ibtext: an anywidget module, also mounted on static pages by book/assets/ib/ibstatic.js.
import { makeEngine, readFrame } from './engines/index.js';
import { fill, literal } from './format.js';
import { clean, equal, read, write } from './state.js';
import { copy, make, makeQuestion, makeSlider } from './view/parts.js';
import { Plot } from './view/plot.js';

const gridOf = x => x.values ?? Array.from({ length: x.n }, (_, k) => (k === x.n - 1 ? x.stop : x.start + (x.stop - x.start) * k / (x.n - 1)));

class View {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    const spec = this.spec = model.get('_spec');
    this.names = spec.controls.map(c => c.name);
    this.static = globalThis.IBTEXT_STATIC;                             // set only by the book's pages, where no kernel listens
    const count = this.static ? (this.static.count[spec.name] = (this.static.count[spec.name] ?? 0) + 1) : 1;
    this.key = count === 1 ? spec.name : `${spec.name}-${count}`;
    this.timings = [];
    this.params = this.modelParams();
    const grids = spec.panels.map(p => gridOf(p.x));
    this.engine = makeEngine(spec, grids, model.get('_table'));
    this.build(grids);
    const stored = this.static && read(this.key, spec.controls, spec.defaults);
    if (stored) { this.params = stored; this.question?.open(); }
    if (!spec.question || stored) this.lock(false); else this.lock(true);
    this.observe();
    this.show();
    if (stored && !this.engine) this.say('');
  }

  modelParams() {
    return clean(Object.fromEntries(this.names.map(k => [k, this.model.get(k)])), this.spec.controls, this.spec.defaults);
  }

  build(grids) {
    const { spec, root } = this;
    root.classList.add('ib-demo');
    // JupyterLab takes the arrow keys for its notebook commands unless they stay inside the demo.
    root.addEventListener('keydown', event => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); });
    root.dataset.demo = this.key;
    root.setAttribute('role', 'region');
    root.setAttribute('aria-label', `Demo: ${spec.title}`);
    make('div', { className: 'ib-title', textContent: spec.title }, root);
    if (spec.question) this.question = makeQuestion(root, spec.question, () => this.lock(false));
    this.controls = make('fieldset', { className: 'ib-controls' }, root);
    make('legend', { className: 'ib-hidden', textContent: 'Controls' }, this.controls);
    const sliders = make('div', { className: 'ib-sliders' }, this.controls);
    this.updates = spec.controls.filter(c => c.kind === 'slider').map(c => {
      const update = makeSlider(sliders, c, v => this.change({ [c.name]: v }));
      return () => update(this.params[c.name]);
    });
    const panels = make('div', { className: 'ib-panels' }, root);
    this.plots = spec.panels.map((panel, k) => {
      const labels = spec.controls.find(c => c.name === panel.points);
      return new Plot(panels, panel, grids[k], labels, (i, v) => this.change({ [labels.name]: this.params[labels.name].map((u, j) => (j === i ? v : u)) }));
    });
    if (spec.controls.some(c => c.kind === 'labels')) make('p', { className: 'ib-hint', textContent: 'Drag a data point up or down, or focus it and use the arrow keys.' }, root);
    this.summary = make('p', { className: 'ib-summary', 'aria-hidden': 'true' }, root);
    this.live = make('p', { className: 'ib-hidden ib-live', 'aria-live': 'polite' }, root);
    this.problem = make('p', { className: 'ib-problem', role: 'alert', hidden: true }, root);
    const buttons = make('fieldset', { className: 'ib-buttons' }, root);
    make('legend', { className: 'ib-hidden', textContent: 'Presets and tools' }, buttons);
    this.buttons = buttons;
    this.presets = Object.entries(spec.presets).map(([name, values]) => {
      const b = make('button', { type: 'button', className: 'ib-button ib-preset', textContent: name, 'data-preset': name }, buttons);
      b.onclick = () => this.change(values);
      return [b, values];
    });
    make('button', { type: 'button', className: 'ib-button ib-reset', textContent: 'Reset' }, buttons).onclick = () => this.change(spec.defaults);
    this.copier = make('button', { type: 'button', className: 'ib-button ib-copy', textContent: 'Copy as Python' }, buttons);
    this.copier.onclick = async () => {
      const done = await copy(this.python());
      this.copier.textContent = done ? 'Copied' : 'Copying was refused';
      setTimeout(() => { this.copier.textContent = 'Copy as Python'; }, 1600);
    };
    this.status = make('p', { className: 'ib-status' }, root);
    root.ibtext = this;                                                 // a handle for tests and for the curious
  }

  python() {
    const { module, name } = this.spec;
    return `from ${module} import ${name}\n\n${name}(${this.names.map(k => `${k}=${literal(this.params[k])}`).join(', ')})\n`;
  }

  lock(locked) {
    this.controls.disabled = this.buttons.disabled = locked;
    this.root.classList.toggle('ib-waiting', locked);
    this.plots.forEach(p => p.lock(locked));
  }

  observe() {
    const { model } = this;
    this.resizer = new ResizeObserver(() => { if (this.plots.map(p => p.resize()).some(Boolean)) this.paint(); });
    this.resizer.observe(this.root);
    this.onFrame = () => this.show();
    this.onTrait = () => {
      if (this.sending) return;
      const now = this.modelParams();
      if (!equal(now, this.params, this.names)) { this.params = now; this.show(); }
    };
    model.on('change:_frame', this.onFrame);
    this.names.forEach(k => model.on(`change:${k}`, this.onTrait));
    this.onHash = () => { const s = read(this.key, this.spec.controls, this.spec.defaults); if (s && !equal(s, this.params, this.names)) { this.question?.open(); this.change(s); } };
    if (this.static) addEventListener('hashchange', this.onHash);
  }

  /** A change by the reader: tell the kernel, if any, and draw in the next frame, once for all changes before it. */
  change(values) {
    this.params = { ...this.params, ...clean({ ...this.params, ...values }, this.spec.controls, this.params) };
    this.sending = true;
    this.names.forEach(k => this.model.set(k, this.params[k]));
    this.sending = false;
    this.model.save_changes();
    if (this.static) {
      clearTimeout(this.writing);
      this.writing = setTimeout(() => write(this.key, this.params, equal(this.params, this.spec.defaults, this.names)), 250);
    }
    this.pending ??= requestAnimationFrame(() => { this.pending = null; this.show(); });
  }

  /** Find the result of the present setting and draw it. */
  show() {
    const start = performance.now(), frame = this.model.get('_frame'), exact = frame.parameters && equal(frame.parameters, this.params, this.names);
    this.updates.forEach(f => f());
    this.presets.forEach(([b, v]) => b.setAttribute('aria-pressed', String(equal(v, this.params, this.names))));
    let result = null, problem = '';
    if (exact && frame.error) problem = frame.error;
    else if (exact && !(this.static && this.engine)) {
      result = { ...readFrame(frame), kind: 'kernel', note: this.static ? `Computed by Python when this page was built. ${this.spec.engine.reason ?? ''}` : 'Computed by Python.' };
    } else if (this.engine) {
      try { result = { ...this.engine.solve(this.params), kind: this.engine.kind }; } catch (error) { problem = error.message; }
    } else if (this.static) problem = this.spec.engine.reason;
    this.problem.hidden = !problem;
    this.problem.textContent = problem;
    this.root.classList.toggle('ib-stale', Boolean(problem));
    if (result) {
      this.result = result;
      this.root.dataset.engine = result.kind;
      this.status.textContent = result.note;
    }
    this.plots.forEach(p => p.width || p.resize());
    this.paint();
    this.timings.push(performance.now() - start);
    if (this.timings.length > 1000) this.timings.shift();
  }

  paint() {
    if (!this.result) return;
    this.plots.forEach(p => p.draw(this.result.arrays, this.params, this.result.extra));
    this.say(fill(this.spec.summary, Object.assign({}, this.params, this.result.numbers, ...this.plots.map(p => p.here))));
  }

  /** The summary moves with the plot; screen readers hear it when the movement pauses. */
  say(text) {
    this.summary.textContent = text;
    clearTimeout(this.speaking);
    const speak = () => { this.live.textContent = text; this.plots.forEach(p => p.describe(text)); };
    if (this.spoken) this.speaking = setTimeout(speak, 700); else { this.plots.forEach(p => p.describe(text)); this.spoken = true; }
  }

  destroy() {
    this.resizer.disconnect();
    clearTimeout(this.speaking);
    clearTimeout(this.writing);
    this.model.off('change:_frame', this.onFrame);
    this.names.forEach(k => this.model.off(`change:${k}`, this.onTrait));
    removeEventListener('hashchange', this.onHash);
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.destroy();
  },
};
