// The exact solver of the book's M-dimensional equation, for infinitely wide networks with the activation
// |.|, biases uniform on [-a, a] and the potential phi(v) = |v|^p + omega v^2 (p >= 2, omega > 0):
//
//     find lambda with   F_i(lambda) = 1/(2a) int_{-a}^{a} alpha(c) |x_i - c| dc = y_i ,
//     alpha(c) = (phi')^{-1}(g(c)) ,   g(c) = sum_j lambda_j |x_j - c| .
//
// g is linear between knots, so the variable of integration is alpha, not c: dc = (L / (g_r - g_l)) phi''(alpha) dalpha.
// The integrals are then sums of powers of alpha, known in closed form, and the inverse of phi' is needed at the ends
// of a piece only. Where alpha varies so little over a piece that the closed forms would cancel, Gauss-Legendre rules
// take their place; the thresholds keep either error near 1e-13.

const GAUSS_12 = [[0.1252334085114689, 0.2491470458134028], [0.3678314989981802, 0.2334925365383548],
  [0.5873179542866175, 0.2031674267230659], [0.7699026741943047, 0.1600783285433462],
  [0.9041172563704749, 0.1069393259953184], [0.98156063424671935, 0.0471753363865118]];
const GAUSS_2 = [[0.5773502691896258, 1]];
const GAUSS_4 = [[0.3399810435848563, 0.6521451548625461], [0.8611363115940526, 0.3478548451374538]];
const onUnit = rule => rule.flatMap(([x, w]) => [[(1 - x) / 2, w / 2], [(1 + x) / 2, w / 2]]);
const FINE = onUnit(GAUSS_12), SHORT = onUnit(GAUSS_4), TINY = onUnit(GAUSS_2);
const EXACT = [FINE, SHORT], DRAWN = [SHORT, TINY];

/** phi and what is derived from it, for arguments >= 0 (everything is odd or even). */
export function potential(p, omega) {
  const logP = Math.log(p), log2w = Math.log(2 * omega);
  return {
    gradient: v => p * v ** (p - 1) + 2 * omega * v,
    hessian: v => (p > 2 ? p * (p - 1) * v ** (p - 2) : 2) + 2 * omega,
    inverse(g) {
      if (g === 0) return 0;
      if (p === 2) return g / (2 + 2 * omega);
      // Newton in u = log v on log phi'(e^u) = log g: convex, with slopes between 1 and p - 1, so no step overshoots twice.
      const target = Math.log(g);
      let u = Math.min(target - log2w, (target - logP) / (p - 1));
      for (let k = 0; k < 60; k++) {
        const r = logP + (p - 2) * u - log2w, e = Math.exp(-Math.abs(r));
        const reached = log2w + u + Math.max(r, 0) + Math.log1p(e);
        const share = r > 0 ? 1 / (1 + e) : e / (1 + e);
        const step = (target - reached) / (1 + (p - 2) * share);
        u += step;
        if (Math.abs(step) < 1e-15 * Math.max(1, Math.abs(u))) break;
      }
      // one step in v itself removes what the logarithm lost
      let v = Math.exp(u);
      v += (g - (p * v ** (p - 1) + 2 * omega * v)) / (p * (p - 1) * v ** (p - 2) + 2 * omega);
      return v;
    },
    /** The inverse from a good guess: Newton in v itself, on a convex function; the error of a step is about its square. */
    refine(g, guess) {
      if (g === 0) return 0;
      if (p === 2) return g / (2 + 2 * omega);
      let v = guess;
      for (let k = 0; k < 6 && v > 0; k++) {
        const w = v ** (p - 2), step = (g - (p * w + 2 * omega) * v) / (p * (p - 1) * w + 2 * omega);
        v += step;
        if (Math.abs(step) < 1e-9 * v) return v;
      }
      return this.inverse(g);
    },
    // integrals from 0 to v of 1, phi', phi'^2, and phi'' against 1 .. : closed forms
    potential: v => v ** p + omega * v * v,
    gradientSquared: v => p * p * v ** (2 * p - 1) / (2 * p - 1) + 4 * omega * v ** (p + 1) * p / (p + 1) + 4 * omega * omega * v ** 3 / 3,
  };
}

/** Moments over a piece of length `length` on which g runs linearly from gl to gr without a change of sign.
 *  For drawing, where 1e-8 is plenty, `rules` are shorter ones.
 *  m0 = int alpha, m1 = int alpha tau ; q0, q1, q2 = int tau^k / phi''(alpha) ; tau = (c - left) / length. */
function moments(phi, length, gl, gr, al, ar, wantHessian, out, [fine, short] = EXACT) {
  const big = Math.max(al, ar), spread = Math.abs(ar - al);
  if (spread > 0.25 * big) {
    const dg = gr - gl, s = length / dg;
    const dP = phi.potential(ar) - phi.potential(al), dA = ar - al, dS = phi.gradientSquared(ar) - phi.gradientSquared(al);
    const first = (ar * gr - al * gl) - dP;                                    // int alpha phi''
    out.m0 = s * first;
    out.m1 = s / dg * ((ar * gr * gr - al * gl * gl - dS) / 2 - gl * first);   // int alpha (phi' - gl) phi''
    if (wantHessian) { out.q0 = s * dA; out.q1 = s / dg * (dP - gl * dA); out.q2 = s / (dg * dg) * (dS - 2 * gl * dP + gl * gl * dA); }
    return;
  }
  let m0 = 0, m1 = 0, q0 = 0, q1 = 0, q2 = 0;
  if (spread > 0.01 * big) {
    const dg = gr - gl, da = ar - al;
    for (const [node, weight] of fine) {
      const v = al + da * node, tau = (phi.gradient(v) - gl) / dg, w = weight * da / dg, wc = w * phi.hessian(v) * v;
      m0 += wc; m1 += wc * tau; q0 += w; q1 += w * tau; q2 += w * tau * tau;
    }
  } else {
    for (const [tau, w] of short) {
      const v = big === 0 ? 0 : phi.refine(gl + (gr - gl) * tau, al + (ar - al) * tau), wq = wantHessian ? w / phi.hessian(v) : 0;
      m0 += w * v; m1 += w * v * tau; q0 += wq; q1 += wq * tau; q2 += wq * tau * tau;
    }
  }
  out.m0 = m0 * length; out.m1 = m1 * length; out.q0 = q0 * length; out.q1 = q1 * length; out.q2 = q2 * length;
}

/** Pieces [left, right] of [-a, a] cut at the data and at the zeros of g, with g and alpha at both ends. */
function pieces(problem, lambda, phi) {
  const { x, halfWidth: a } = problem;
  const g = c => { let s = 0; for (let j = 0; j < x.length; j++) s += lambda[j] * Math.abs(x[j] - c); return s; };
  const cuts = [-a, ...x.filter(v => Math.abs(v) < a), a].sort((u, v) => u - v);
  const list = [];
  for (let k = 0; k + 1 < cuts.length; k++) {
    const left = cuts[k], right = cuts[k + 1];
    if (!(right > left)) continue;
    const gl = g(left), gr = g(right);
    if (gl * gr < 0) {
      const zero = left + (right - left) * gl / (gl - gr);
      list.push({ left, right: zero, gl, gr: 0 }, { left: zero, right, gl: 0, gr });
    } else list.push({ left, right, gl, gr });
  }
  for (const q of list) {
    q.sign = q.gl + q.gr < 0 ? -1 : 1;
    q.gl = Math.abs(q.gl); q.gr = Math.abs(q.gr);
    q.al = phi.inverse(q.gl); q.ar = phi.inverse(q.gr);
  }
  return list;
}

function residual(problem, lambda, phi, hessian) {
  const { x, y, halfWidth: a } = problem, M = x.length, F = y.map(v => -v), m = {};
  const list = pieces(problem, lambda, phi), slope = new Array(M), start = new Array(M);
  hessian?.forEach(row => row.fill(0));
  for (const q of list) {
    const L = q.right - q.left, mid = (q.left + q.right) / 2;
    moments(phi, L, q.gl, q.gr, q.al, q.ar, Boolean(hessian), m);
    q.m0 = m.m0;
    for (let i = 0; i < M; i++) {
      const s = mid > x[i] ? 1 : -1;
      start[i] = Math.abs(x[i] - q.left); slope[i] = s * L;                    // |x_i - c| = start + slope * tau
      F[i] += q.sign * (start[i] * m.m0 + slope[i] * m.m1) / (2 * a);
    }
    if (hessian) for (let i = 0; i < M; i++) for (let k = 0; k <= i; k++) {
      hessian[i][k] += (start[i] * start[k] * m.q0 + (start[i] * slope[k] + slope[i] * start[k]) * m.q1 + slope[i] * slope[k] * m.q2) / (2 * a);
    }
  }
  return { F, list, norm: Math.sqrt(F.reduce((s, v) => s + v * v, 0)) };
}

/** Solve the symmetric positive definite system by Cholesky; null when it is not positive definite in floating point. */
function solvePositive(H, b) {
  const n = b.length, C = H.map(row => row.slice()), z = b.slice();
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) {
    let s = C[i][k];
    for (let j = 0; j < k; j++) s -= C[i][j] * C[k][j];
    if (i === k) { if (!(s > 0)) return null; C[i][i] = Math.sqrt(s); } else C[i][k] = s / C[k][k];
  }
  for (let i = 0; i < n; i++) { for (let j = 0; j < i; j++) z[i] -= C[i][j] * z[j]; z[i] /= C[i][i]; }
  for (let i = n - 1; i >= 0; i--) { for (let j = i + 1; j < n; j++) z[i] -= C[j][i] * z[j]; z[i] /= C[i][i]; }
  return z;
}

function newton(problem, start, tolerance) {
  const phi = potential(problem.p, problem.omega), M = problem.x.length;
  const H = problem.x.map(() => new Array(M).fill(0));
  let lambda = start.slice(), now = residual(problem, lambda, phi, H), steps = 0;
  for (; steps < 120 && now.norm > tolerance; steps++) {
    const move = solvePositive(H, now.F.map(v => -v));
    if (!move) break;
    let size = 1, next = null, trial = null;
    for (let k = 0; k < 40; k++, size /= 2) {
      trial = lambda.map((v, i) => v + size * move[i]);
      next = residual(problem, trial, phi, H);
      if (next.norm < (1 - 1e-4 * size) * now.norm) break;
      next = null;
    }
    if (!next) { now = residual(problem, lambda, phi, null); break; }          // nothing left to gain in floating point
    lambda = trial; now = next;
  }
  return { lambda, phi, steps, ...now };
}

/** Solve the equation. `warm` is an earlier lambda; without one, or if it leads nowhere, start from 0. */
export function solve(problem, warm) {
  const size = Math.max(...problem.y.map(Math.abs), 1e-300), tolerance = 1e-13 * size;
  const zero = problem.x.map(() => 0);
  let best = newton(problem, warm ?? zero, tolerance);
  if (!(best.norm < 1e-10 * size) && warm) {
    const cold = newton(problem, zero, tolerance);
    if (!(best.norm <= cold.norm)) best = cold;
  }
  if (!(best.norm < 1e-10 * size) && problem.p > 2) {                          // walk from the quadratic case
    let lambda = zero;
    for (let k = 0; k <= 16; k++) lambda = newton({ ...problem, p: 2 + (problem.p - 2) * k / 16 }, lambda, tolerance).lambda;
    const walked = newton(problem, lambda, tolerance);
    if (!(best.norm <= walked.norm)) best = walked;
  }
  const a = problem.halfWidth;
  let peak = 0, total = 0;
  for (const q of best.list) { peak = Math.max(peak, q.al, q.ar); total += q.m0; }
  return { problem, lambda: best.lambda, list: best.list, phi: best.phi, steps: best.steps, residual: Math.max(...best.F.map(Math.abs)),
    max: peak / a, mean: total / (2 * a * a) };
}

/** The zeros of h'' inside (-a, a): the fronts rise from them so steeply that a grid would cut their tips. */
export const zeros = solution => solution.list.slice(1).filter(q => q.gl === 0).map(q => q.left);

/** h'' at the increasing points t. */
export function curvature(solution, t) {
  const { phi, list, problem: { halfWidth: a } } = solution, out = new Float64Array(t.length);
  let n = t.findIndex(v => v >= -a);
  for (const q of n < 0 ? [] : list) {
    let last = q.al, before = q.gl;
    for (; n < t.length && t[n] <= q.right; n++) {
      const g = Math.max(q.gl + (q.gr - q.gl) * (t[n] - q.left) / (q.right - q.left), 0);
      last += (g - before) / phi.hessian(last);
      last = phi.refine(g, last);
      before = g;
      out[n] = q.sign * last / a;
    }
  }
  return out;
}

/** h at the increasing points t, by running moments from left to right. */
export function value(solution, t) {
  const { phi, list, problem: { halfWidth: a } } = solution, m = {}, out = new Float64Array(t.length);
  let h = 0, slope = 0;
  for (const q of list) {
    moments(phi, q.right - q.left, q.gl, q.gr, q.al, q.ar, false, m);
    h += q.sign * (m.m0 * (q.left + a) + m.m1 * (q.right - q.left)) / (2 * a);
    slope -= q.sign * m.m0 / (2 * a);
  }
  let n = 0;
  for (; n < t.length && t[n] < -a; n++) out[n] = h + slope * (t[n] + a);
  for (const q of list) {
    const L = q.right - q.left;
    let at = q.left, gAt = q.gl, aAt = q.al;
    const advance = (to, gTo, aTo) => {
      const d = to - at;
      if (d > 0) {
        moments(phi, d, gAt, gTo, aAt, aTo, false, m, DRAWN);
        h += slope * d + q.sign * d * (m.m0 - m.m1) / a;
        slope += q.sign * m.m0 / a;
      }
      at = to; gAt = gTo; aAt = aTo;
    };
    for (; n < t.length && t[n] <= q.right; n++) {
      const g = Math.max(q.gl + (q.gr - q.gl) * (t[n] - q.left) / L, 0);
      advance(t[n], g, phi.refine(g, aAt + (g - gAt) / phi.hessian(aAt)));
      out[n] = h;
    }
    advance(q.right, q.gr, q.ar);
  }
  for (; n < t.length; n++) out[n] = h + slope * (t[n] - a);
  return out;
}
