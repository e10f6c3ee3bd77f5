// A table of Chebyshev nodes x truncated SVD x int16, read by barycentric interpolation (see ibtext/demos/table.py).
function weights(nodes, q) {
  const hit = nodes.indexOf(q), n = nodes.length;
  if (hit >= 0) return nodes.map((_, k) => +(k === hit));
  const w = nodes.map((node, k) => (k % 2 ? -1 : 1) * (k === 0 || k === n - 1 ? 0.5 : 1) / (q - node));
  const total = w.reduce((s, v) => s + v, 0);
  return w.map(v => v / total);
}

export function tableEngine(spec, bytes) {
  const { names, sizes, low, high, rank, scale, nodes, error, checks } = spec.engine;
  const raw = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const sliders = spec.controls.filter(c => c.kind === 'slider');
  const size = sizes.reduce((s, v) => s + v, 0), rows = nodes.reduce((s, v) => s * v.length, 1);
  const note = `Read from a table made with the page. Largest error at ${checks} random settings: ${(100 * error).toPrecision(2)} % of full scale.`;
  return {
    kind: 'table',
    solve(params) {
      let w = [1];
      sliders.forEach((c, d) => {
        const q = weights(nodes[d], c.log ? Math.log(params[c.name]) : params[c.name]);
        w = w.flatMap(u => q.map(v => u * v));
      });
      const flat = new Float64Array(size);
      for (let j = 0; j < rank; j++) {
        let s = 0;
        for (let i = 0; i < rows; i++) s += w[i] * raw[i * rank + j];
        s *= scale[j];
        for (let k = 0, at = rows * rank + j * size; k < size; k++) flat[k] += s * raw[at + k];
      }
      const arrays = {}, numbers = {};
      let at = 0;
      names.forEach((name, k) => {
        const part = flat.slice(at, at += sizes[k]).map(v => low[k] + (high[k] - low[k]) * v);
        if (sizes[k] === 1) numbers[name] = part[0]; else arrays[name] = part;
      });
      return { arrays, numbers, note };
    },
  };
}
