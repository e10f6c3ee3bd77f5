// Elements and the clipboard.
export const make = (tag, props = {}, parent = null) => {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) if (k in node) node[k] = v; else node.setAttribute(k, v);
  parent?.append(node);
  return node;
};

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
