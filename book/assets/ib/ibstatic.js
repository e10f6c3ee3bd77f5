// Mounts the demos of a page from the widget state that the page carries: no require.js, no html-manager, no other host.
// A demo that cannot start shows its still picture, which is in the page for readers without scripts.
// Demos come first: they start when the page is parsed, before the theme's icons and MathJax, one by one from what is in sight.
(() => {
  globalThis.IBTEXT_STATIC = { count: {} };
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]', STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';

  const bytes = text => {
    const raw = atob(text), out = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) out[k] = raw.charCodeAt(k);
    return new DataView(out.buffer);
  };

  function makeModel({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const owner = path.slice(0, -1).reduce((o, k) => o[k], state);
      owner[path.at(-1)] = bytes(data);
    }
    const listeners = {};
    return {
      get: k => state[k],
      set: (k, v) => { state[k] = v; (listeners['change:' + k] ?? []).forEach(f => f()); },
      save_changes() {}, send() {},
      on: (name, f) => { (listeners[name] ??= []).push(f); },
      off: (name, f) => { listeners[name] = (listeners[name] ?? []).filter(g => f && g !== f); },
    };
  }

  const modules = new Map();
  const shared = (states, found) => ['_esm', '_css'].map(k => states[found.state[k]?.same]?.state[k] ?? found.state[k]);   // demos share one copy
  function load(states, found) {
    const [_esm, _css] = shared(states, found);
    if (!modules.has(_esm)) {
      modules.set(_esm, import(URL.createObjectURL(new Blob([_esm], { type: 'text/javascript' }))));
      if (_css) document.head.append(Object.assign(document.createElement('style'), { textContent: _css }));
    }
    return modules.get(_esm);
  }
  function read() {
    const states = JSON.parse(document.querySelector(STATE).textContent).state;
    Object.values(states).filter(s => s.model_module === 'anywidget').forEach(s => load(states, s));
    return states;
  }
  // The state stands before the text of the page: the demos' script is compiled while the rest of the page arrives.
  let early = null;
  try { early = read(); } catch { /* not all of it is there yet */ }

  async function start() {
    const root = document.documentElement;
    try {
      if (document.querySelector(STATE)) await mountAll(early ?? read());
      land();
      addEventListener('hashchange', land);
    } finally { root.dataset.ibReady = '1'; }
  }

  // A link with a state lands on its anchor, or on the demo that was moved last, which gets the focus.  The browser itself does not
  // look before the "?".  Formulas above are typeset later and push everything down: then it lands again, unless the reader has moved.
  function land() {
    const [anchor, query] = decodeURIComponent(location.hash.slice(1)).split('?');
    if (query === undefined || performance.getEntriesByType('navigation')[0]?.type !== 'navigate') return;
    const name = query.split('&').at(-1).split('=')[0];
    const target = anchor ? document.getElementById(anchor) : name && document.querySelector(`[data-demo="${CSS.escape(name)}"]`);
    if (!target) return;
    let moved = false;
    const go = () => { if (!moved) target.scrollIntoView({ block: 'start', behavior: 'instant' }); };
    ['wheel', 'touchstart', 'pointerdown', 'keydown'].forEach(kind => addEventListener(kind, () => { moved = true; }, { once: true, passive: true }));
    go();
    if (!anchor) target.focus({ preventScroll: true });
    addEventListener('load', () => globalThis.MathJax?.startup?.promise?.then(go), { once: true });
    if (document.readyState === 'complete') globalThis.MathJax?.startup?.promise?.then(go);
  }

  async function mountAll(states) {
    const models = new Map();

    async function mount(id, host) {
      const found = states[id];
      if (!found) return;
      if (found.model_module === '@jupyter-widgets/controls' && Array.isArray(found.state.children)) {   // VBox, HBox
        const row = found.model_name === 'HBoxModel';
        Object.assign(host.style, { display: 'flex', flexDirection: row ? 'row' : 'column', flexWrap: 'wrap' });
        for (const child of found.state.children) await mount(child.replace('IPY_MODEL_', ''), host.appendChild(document.createElement('div')));
        return;
      }
      if (found.model_module !== 'anywidget') return;
      const module = (await load(states, found)).default;
      if (!models.has(id)) { models.set(id, makeModel(found)); await module.initialize?.({ model: models.get(id) }); }
      await module.render({ model: models.get(id), el: host });
    }

    const hosts = [...document.querySelectorAll(VIEW)].map(script => {
      const host = document.createElement('div');
      script.after(host);
      const { top } = host.getBoundingClientRect();
      return { script, host, away: Math.max(top - innerHeight, -top, 0) };
    });
    hosts.sort((a, b) => a.away - b.away);
    for (const { script, host } of hosts) {
      try { await mount(JSON.parse(script.textContent).model_id, host); } catch (error) {
        console.error(error);
        const stills = [...document.querySelectorAll('noscript.ib-still')].filter(n => n.compareDocumentPosition(host) & Node.DOCUMENT_POSITION_FOLLOWING);
        host.replaceChildren();
        host.innerHTML = stills.at(-1)?.textContent ?? '';
        host.append(Object.assign(document.createElement('p'), { textContent: `The live demo could not start here (${error.message}); the picture shows its first view.` }));
      }
      await new Promise(resolve => { setTimeout(resolve); });                         // the reader's hand comes before the next demo
    }
  }

  if (document.readyState === 'loading') document.addEventListener('readystatechange', start, { once: true }); else start();
})();
