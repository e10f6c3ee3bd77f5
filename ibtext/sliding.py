r"""Breakpoints that meet data points: the differential inclusion behind a ReLU or |.| network.

The activation's derivative jumps at 0, so the training flow jumps when a breakpoint crosses a data point,
:math:`u_{ij} = w_j x_i - b_j = 0`. If the flow pushes towards the point from both sides the breakpoint *sticks*
there. Filippov's solution then uses the one derivative :math:`s \in [\sigma'(0^-), \sigma'(0^+)]` that keeps
:math:`u_{ij} = 0`:

.. math:: s = -\frac{\sum_{k \neq i} r_k \sigma'(u_{kj}) (D_w x_i x_k + D_b)}{r_i (D_w x_i^2 + D_b)},

with :math:`D = 1/\varphi''`. Put differently, data point i no longer acts on :math:`(w_j, b_j)`, and the others act
through the projection onto motions with :math:`x_i \dot w = \dot b`, orthogonal in the metric D. The breakpoint
leaves when s leaves the interval. A method that only looks at the sign of :math:`u_{ij}` chatters around the point
in tiny steps instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .networks import TangentMap

__all__ = ["Contacts"]


class Contacts:
    """The tangent map of a network some of whose breakpoints are stuck on data points.

    Parameters
    ----------
    tangent : TangentMap
    inverse_hessian : function (theta, indices) -> D at those entries of the flat parameter vector
    """

    def __init__(self, tangent: TangentMap, inverse_hessian: Callable[[Any, Any], Any]) -> None:
        self.tangent, self.xp, self.inverse_hessian = tangent, tangent.xp, inverse_hessian
        self.neurons = self.points = self.xp.astype(tangent.x[:0], self.xp.int64)

    def __len__(self) -> int:
        return int(self.neurons.shape[0])

    def _columns(self, neurons: Any) -> Any:
        return self.xp.arange(neurons.shape[0], device=getattr(neurons, "device", None))

    def _slopes(self, theta: Any, neurons: Any, points: Any) -> tuple[Any, Any, Any]:
        """Slopes (M, K) with 0 at the contact; the weights D_w x_i x_k + D_b (M, K); those at the contact (K,)."""
        x, n = self.tangent.x, self.tangent.n
        slope = self.tangent.activation.slope(x[:, None] * theta[neurons][None, :] - theta[n + neurons][None, :])
        columns = self._columns(neurons)
        slope[points, columns] = 0.0
        d_w, d_b = self.inverse_hessian(theta, neurons), self.inverse_hessian(theta, n + neurons)
        weight = d_w * x[points] * x[:, None] + d_b
        return slope, weight, weight[points, columns]

    def _rows(self, theta: Any) -> tuple[Any, Any]:
        """Projected derivatives of f(x) with respect to the stuck weights and biases, (M, K) each."""
        x, n = self.tangent.x, self.tangent.n
        slope, weight, own = self._slopes(theta, self.neurons, self.points)
        slope = slope * theta[2 * n + self.neurons]
        share = slope * weight / own
        return slope * x[:, None] - share * x[self.points], share - slope

    def pull(self, theta: Any, r: Any) -> Any:
        """J^T r with the stuck neurons' rows projected."""
        out = self.tangent.pull(theta, r)
        if len(self):
            rows_w, rows_b = self._rows(theta)
            out[self.neurons] = r @ rows_w
            out[self.tangent.n + self.neurons] = r @ rows_b
        return out

    def push(self, theta: Any, v: Any) -> Any:
        """J v, likewise."""
        if not len(self):
            return self.tangent.push(theta, v)
        n, rest = self.tangent.n, v + 0.0
        rest[self.neurons] = 0.0
        rest[n + self.neurons] = 0.0
        rows_w, rows_b = self._rows(theta)
        return self.tangent.push(theta, rest) + rows_w @ v[self.neurons] + rows_b @ v[n + self.neurons]

    def kernel(self, theta: Any, metric: Any) -> Any:
        """J diag(metric) J^T, likewise."""
        if not len(self):
            return self.tangent.kernel(theta, metric)
        n, rest = self.tangent.n, metric + 0.0
        rest[self.neurons] = 0.0
        rest[n + self.neurons] = 0.0
        rows_w, rows_b = self._rows(theta)
        out = self.tangent.kernel(theta, rest) + (rows_w * metric[self.neurons]) @ rows_w.T
        return out + (rows_b * metric[n + self.neurons]) @ rows_b.T

    def crossed(self, old: Any, new: Any) -> Any:
        """Mask (n,) of the neurons whose breakpoint crossed a data point between two states."""
        xp, tangent = self.xp, self.tangent
        out = xp.zeros(tangent.n, dtype=xp.bool, device=getattr(old, "device", None))
        for block in tangent.blocks:
            before = tangent.preactivation(old, block) > 0
            out[block] = xp.any(before != (tangent.preactivation(new, block) > 0), axis=0)
        if len(self):
            flipped = self._flipped(old, new, self.neurons)
            flipped[self.points, self._columns(self.neurons)] = False
            out[self.neurons] = xp.any(flipped, axis=0)
        return out

    def _flipped(self, old: Any, new: Any, neurons: Any) -> Any:
        x, n = self.tangent.x, self.tangent.n
        before = x[:, None] * old[neurons][None, :] - old[n + neurons][None, :] > 0
        return before != (x[:, None] * new[neurons][None, :] - new[n + neurons][None, :] > 0)

    def _sticks(self, theta: Any, r: Any, neurons: Any, points: Any) -> Any:
        """Whether a breakpoint on its data point stays there: the flow attracts from both sides."""
        act, n = self.tangent.activation, self.tangent.n
        slope, weight, own = self._slopes(theta, neurons, points)
        force = r[points] * own
        needed = -self.xp.sum(r[:, None] * slope * weight, axis=0)  # s times force
        low, high = min(act.left, act.right), max(act.left, act.right)
        between = (needed - low * force) * (needed - high * force) < 0
        return between & (force * theta[2 * n + neurons] * (act.right - act.left) < 0)

    def update(self, old: Any, theta: Any, r: Any, crossed: Any) -> Any:
        """After an accepted step: release and add contacts; return theta with the contacts put exactly on."""
        xp, n = self.xp, self.tangent.n
        neurons, points = self.neurons, self.points
        if len(self):
            crossed[neurons] = False
            stay = self._sticks(theta, r, neurons, points)
            neurons, points = neurons[stay], points[stay]
        candidates = xp.nonzero(crossed)[0]
        if candidates.shape[0]:
            first = xp.argmax(xp.astype(self._flipped(old, theta, candidates), xp.int64), axis=0)
            stick = self._sticks(theta, r, candidates, first)
            neurons = xp.concat([neurons, candidates[stick]])
            points = xp.concat([points, first[stick]])
        self.neurons, self.points = neurons, points
        if len(self):
            theta = theta + 0.0
            theta[n + neurons] = theta[neurons] * self.tangent.x[points]
        return theta
