// A demo on the page: the state of the reader, what is asked for it, and what is drawn.
import { makeEngine, readFrame } from './engines/index.js';
import { fill, literal } from './format.js';
import { gridOf } from './grid.js';
import { Requests } from './requests.js';
import { clean, equal, read, write } from './state.js';
import { build } from './view/page.js';

export class View {
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
    this.requests = new Requests(model, this.names, !this.static);
    const grids = spec.panels.map(p => gridOf(p.x));
    this.engine = makeEngine(spec, grids, model.get('_table'));
    build(this, grids);
    this.lock(Boolean(this.question));
    this.observe();
    const stored = this.static && read(this.key, spec.controls, spec.defaults);
    if (stored) this.restore(stored);
    this.show();
    if (this.result) this.question?.begin?.(this.truth());
    if (stored && !this.engine) this.say('');
  }

  modelParams() {
    return clean(Object.fromEntries(this.names.map(k => [k, this.model.get(k)])), this.spec.controls, this.spec.defaults);
  }

  /** Take over a state from the address; a prediction that was not yet checked keeps waiting. */
  restore({ params, predict }) {
    this.params = params;
    if (predict) this.question?.restore(predict); else this.question?.open();
  }

  python() {
    const { module, name, controls } = this.spec;
    const text = c => (c.kind === 'choice' ? c.options.find(o => o.value === this.params[c.name]).python : literal(this.params[c.name]));
    return `from ${module} import ${name}\n\n${name}(${controls.map(c => `${c.name}=${text(c)}`).join(', ')})\n`;
  }

  /** The texts of the chosen options, for sentences and labels. */
  words() {
    return Object.fromEntries(this.spec.controls.filter(c => c.kind === 'choice').map(c => [c.name, c.options.find(o => o.value === this.params[c.name]).text]));
  }

  /** The result at the default setting, to which a drawn prediction refers. */
  truth() {
    if (this.result && equal(this.params, this.spec.defaults, this.names)) return this.result;
    return this.engine?.solve(this.spec.defaults) ?? null;
  }

  lock(locked) {
    this.controls.disabled = this.buttons.disabled = locked;
    this.root.classList.toggle('ib-waiting', locked);
    this.plots.forEach(p => p.lock(locked));
  }

  /** The reader has checked or skipped. */
  opened() {
    this.lock(false);
    this.plots.forEach(p => p.keep(false));
    this.spoken = false;                                                // the plots are described anew at once
    if (this.result) this.paint();
  }

  observe() {
    const { model } = this;
    this.resizer = new ResizeObserver(() => { if (this.plots.map(p => p.resize()).some(Boolean)) this.paint(); });
    this.resizer.observe(this.root);
    this.onFrame = () => { this.requests.answered(model.get('_frame')); this.show(); };
    this.onTrait = () => {                                              // Python, or another view, has moved the demo
      if (this.requests.sending || this.requests.waiting) return;
      const now = this.modelParams();
      if (!equal(now, this.params, this.names)) { this.params = now; this.show(); }
    };
    model.on('change:_frame', this.onFrame);
    this.names.forEach(k => model.on(`change:${k}`, this.onTrait));
    this.onHash = () => {
      const s = read(this.key, this.spec.controls, this.spec.defaults);
      if (s && !(equal(s.params, this.params, this.names) && s.predict === (this.question?.text() ?? ''))) { this.restore(s); this.change(s.params); }
    };
    if (this.static) addEventListener('hashchange', this.onHash);
  }

  /** A change by the reader: tell the kernel, if any, and draw in the next frame, once for all changes before it. */
  change(values) {
    const now = performance.now();
    if (!(now - this.moved < 700)) this.plots.forEach(p => p.keep(!this.question?.veil.size));   // a movement begins: what was there stays as a ghost
    this.moved = now;
    this.whole?.();
    this.plots.forEach(p => { p.share = 1; });
    this.params = { ...this.params, ...clean({ ...this.params, ...values }, this.spec.controls, this.params) };
    this.requests.push(this.params);
    this.remember();
    this.pending ??= requestAnimationFrame(() => { this.pending = null; this.show(); });
  }

  /** Write the state into the address when the reader pauses. */
  remember() {
    if (!this.static) return;
    clearTimeout(this.writing);
    this.writing = setTimeout(() => write(this.key, this.params, equal(this.params, this.spec.defaults, this.names), this.question?.text() ?? ''), 250);
  }

  /** Find the result of the present setting and draw it: Python's if it is there, otherwise at once that of the page's own engine. */
  show() {
    const start = performance.now(), frame = this.model.get('_frame'), exact = frame.parameters && equal(frame.parameters, this.params, this.names);
    this.updates.forEach(f => f());
    this.presets.forEach(([b, v]) => b.setAttribute('aria-pressed', String(equal(v, this.params, this.names))));
    let result = null, problem = '', note = this.status.textContent;
    if (exact && frame.error) problem = frame.error;
    else if (exact && !(this.static && this.engine)) {
      result = { ...readFrame(frame), kind: 'kernel' };
      note = this.static ? `Computed by Python when this page was built. ${this.spec.engine.reason ?? ''}` : 'Computed by Python.';
    } else if (this.engine) {
      try { result = { ...this.engine.solve(this.params), kind: this.engine.kind }; note = result.note; } catch (error) { problem = error.message; }
      if (this.requests.waiting) note += ' Python is computing the exact result.';
    } else if (this.static) problem = this.spec.engine.reason;
    else if (this.requests.waiting) note = 'Python is computing.';
    this.problem.hidden = !problem;
    this.problem.textContent = problem;
    this.root.classList.toggle('ib-stale', Boolean(problem));
    if (result) {
      this.result = result;
      this.root.dataset.engine = result.kind;
    }
    if (this.status.textContent !== note) this.status.textContent = note;
    this.plots.forEach(p => p.width || p.resize());
    this.paint();
    this.timings.push(performance.now() - start);
    if (this.timings.length > 1000) this.timings.shift();
  }

  paint() {
    if (!this.result) return;
    const words = this.words(), veil = this.question?.veil;
    this.plots.forEach(p => p.draw(this.result, this.params, words, veil));
    if (veil?.size) this.say(this.question.waiting);
    else this.say(fill(this.spec.summary, Object.assign({}, this.params, this.result.numbers, ...this.plots.map(p => p.here)), words, this.result.arrays));
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
