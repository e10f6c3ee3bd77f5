// The state of the demos of a page, kept in the address and nowhere else:  #section?CurvatureDemo=p:3.2;labels:0.5,-0.3&FlowDemo=p:2
const parts = () => {
  const [anchor, query = ''] = decodeURIComponent(location.hash.slice(1)).split('?');
  return { anchor, entries: new Map(query.split('&').filter(Boolean).map(e => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)])) };
};

const inside = (v, c) => Math.min(Math.max(v, c.min), c.max);

/** Bring a setting into the ranges of its controls; what is missing or no number takes the value of `base`. */
export function clean(values, controls, base) {
  return Object.fromEntries(controls.map(c => {
    const v = values[c.name];
    if (c.kind === 'labels') {
      const good = Array.isArray(v) && v.length === c.x.length && v.every(Number.isFinite);
      return [c.name, (good ? v : base[c.name]).map(u => inside(u, c))];
    }
    return [c.name, Number.isFinite(v) ? inside(v, c) : base[c.name]];
  }));
}

export function read(key, controls, base) {
  const text = parts().entries.get(key);
  if (text === undefined) return null;
  const values = Object.fromEntries(text.split(';').map(pair => {
    const [name, v = ''] = pair.split(':');
    return [name, v.includes(',') ? v.split(',').map(Number) : Number(v)];
  }));
  return clean(values, controls, base);
}

export function write(key, params, isDefault) {
  const { anchor, entries } = parts();
  if (isDefault) entries.delete(key);
  else entries.set(key, Object.entries(params).map(([k, v]) => `${k}:${v}`).join(';'));
  const query = [...entries].map(([k, v]) => `${k}=${v}`).join('&');
  const hash = anchor || query ? `#${anchor}${query ? '?' + query : ''}` : '';
  // replaceState, so that the back button leaves the page instead of walking through slider positions
  try { history.replaceState(history.state, '', location.pathname + location.search + hash); } catch { /* a sandboxed page has no address to write to */ }
}

export const equal = (a, b, names) => names.every(k => (Array.isArray(a[k])
  ? a[k].every((v, i) => Math.abs(v - b[k]?.[i]) < 1e-12) : Math.abs(a[k] - b[k]) <= 1e-12 * Math.max(1, Math.abs(a[k]))));
