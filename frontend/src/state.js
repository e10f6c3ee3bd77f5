// The state of the demos of a page, kept in the address and nowhere else:  #section?CurvatureDemo=p:3.2;labels:0.5,-0.3&FlowDemo=p:2;predict:1!
const parts = () => {
  const [anchor, query = ''] = decodeURIComponent(location.hash.slice(1)).split('?');
  return { anchor, entries: new Map(query.split('&').filter(e => e.includes('=')).map(e => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)])) };
};

const inside = (v, low, high) => Math.min(Math.max(v, low), high);

const CLEAN = {
  slider: (v, c) => (Number.isFinite(v) ? inside(v, c.min, c.max) : null),
  choice: (v, c) => c.options.find(o => o.value === v)?.value ?? null,
  labels: (v, c) => (Array.isArray(v) && v.length === c.x.length && v.every(Number.isFinite) ? v.map(u => inside(u, c.min, c.max)) : null),
  points: (v, c) => (Array.isArray(v) && v.length === c.default.length && v.every(p => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite))
    ? v.map(([x, y]) => [inside(x, ...c.xLimits), inside(y, ...c.yLimits)]) : null),
};

/** Bring a setting into the ranges of its controls; what is missing or makes no sense takes the value of `base`. */
export const clean = (values, controls, base) => Object.fromEntries(controls.map(c => [c.name, CLEAN[c.kind](values[c.name], c) ?? base[c.name]]));

const numbers = text => text.split(',').map(v => (v === '' ? NaN : Number(v)));
const PARSE = {
  slider: text => numbers(text)[0],
  choice: (text, c) => c.options.find(o => String(o.value) === text)?.value,
  labels: numbers,
  points: text => { const v = numbers(text); return Array.from({ length: v.length / 2 }, (_, i) => [v[2 * i], v[2 * i + 1]]); },
};

/** The stored state of a demo: { params, predict }, or null. */
export function read(key, controls, base) {
  const text = parts().entries.get(key);
  if (text === undefined) return null;
  const found = new Map(text.split(';').map(pair => [pair.split(':')[0], pair.split(':')[1] ?? '']));
  const values = Object.fromEntries(controls.filter(c => found.has(c.name)).map(c => [c.name, PARSE[c.kind](found.get(c.name), c)]));
  return { params: clean(values, controls, base), predict: found.get('predict') ?? '' };
}

export function write(key, params, isDefault, predict) {
  const { anchor, entries } = parts();
  const pairs = isDefault ? [] : Object.entries(params).map(([k, v]) => `${k}:${v}`);
  if (predict) pairs.push(`predict:${predict}`);
  entries.delete(key);                                                  // the demo that was moved last comes last: a link lands on it
  if (pairs.length) entries.set(key, pairs.join(';'));
  const query = [...entries].map(([k, v]) => `${k}=${v}`).join('&');
  const hash = anchor || query ? `#${anchor}${query ? '?' + query : ''}` : '';
  // replaceState, so that the back button leaves the page instead of walking through slider positions
  try { history.replaceState(history.state, '', location.pathname + location.search + hash); } catch { /* a sandboxed page has no address to write to */ }
}

/** The address of one demo in a state, without those of others. */
export function link(key, params, predict) {
  const pairs = Object.entries(params).map(([k, v]) => `${k}:${v}`);
  if (predict) pairs.push(`predict:${predict}`);
  return `${location.href.split('#')[0]}#?${key}=${pairs.join(';')}`;
}

const same = (a, b) => (Array.isArray(a) ? Array.isArray(b) && a.length === b.length && a.every((v, i) => same(v, b[i]))
  : typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a)) : a === b);

export const equal = (a, b, names) => names.every(k => same(a[k], b[k]));
