// Weights of the rows of a table.

/** The Chebyshev polynomials T_0 ... T_{n-1} at z, cut to [-1, 1]. */
export function polynomials(n, z) {
  const angle = Math.acos(Math.min(Math.max(z, -1), 1));
  return Array.from({ length: n }, (_, k) => Math.cos(k * angle));
}

/** The products of two lists, the second running faster. */
export function outer(a, b) {
  const out = new Float64Array(a.length * b.length);
  let k = 0;
  for (const u of a) for (const v of b) out[k++] = u * v;
  return out;
}
