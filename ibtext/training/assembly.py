r"""One sweep over the neurons of a network in training: everything that an implicit step needs.

From a point :math:`\theta`, multipliers :math:`\rho` and a dual base b a sweep follows the rows of the tangent map
to the new point

.. math:: z = b + c\, J(\theta)^T \rho, \qquad \theta' = \theta_0 + u\, (\varphi')^{-1}(z),

with the unit u = 1/n for scaled potentials and 1 else, and returns there f(x), the kernel :math:`J D J^T` and
:math:`J u D (z - b)`, D = 1/phi'', all from seven sums over the neurons of each
activation pattern. Arrays of neurons have the rows (weight, bias, output) and one column a neuron; sweeps run over
blocks of columns, so that temporaries stay in cache and memory stays O(n).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from ..activations import Activation
from ..potentials import Potential
from .activation_pattern import ActivationPattern
from .contacts import Contacts

__all__ = ["Assembly", "Point"]


@dataclass
class Point:
    """A network in training, and what a sweep has found there.

    Attributes
    ----------
    theta : array (3, n)
        Weight, bias and output of every neuron.
    shift : float
        The output bias.
    dual, tangent, metric : arrays (L, n)
        z, the step :math:`c J^T \\rho` that led here, and D = 1/phi'', for the L moving rows (3, or 1: output only).
    dual_shift : float
        z of the output bias.
    value, pushed : arrays (M,)
        f(x) and J D (z - b).
    kernel : array (M, M)
        J D J^T.
    """

    theta: Any
    shift: float
    dual: Any
    dual_shift: float
    tangent: Any
    metric: Any
    value: Any
    pushed: Any
    kernel: Any


class Assembly:
    """Sweeps over the neurons of one network.

    Parameters
    ----------
    x : array (M,)
    activation : Activation
    phi : Potential
        Acts on one coordinate of (theta - center) / unit.
    unit : float
    flat, center : arrays (3n + 1,)
        The start, and the centre of the potential.
    all_layers : bool
        Whether the first layer and the output bias move too.
    """

    def __init__(
        self, x: Any, activation: Activation, phi: Potential, unit: float, flat: Any, center: Any, *, all_layers: bool
    ) -> None:
        self.xp = xp = array_namespace(flat)
        n = self.n = (flat.shape[0] - 1) // 3
        self.phi, self.unit, self.all_layers, self.sweeps = phi, unit, all_layers, 0
        self.rate = 1 / (n * unit)  # z' = rate J^T r
        self.moving = slice(0, 3) if all_layers else slice(2, 3)
        theta, rows = xp.reshape(flat[: 3 * n], (3, n)), xp.reshape(center[: 3 * n], (3, n))
        # neurons of one pattern next to each other, so that a block has one pattern and its sums are plain sums
        self.order = xp.argsort(ActivationPattern(x, activation, theta[0], theta[1]).number, stable=True)
        self.first, self.center = theta[:, self.order], rows[:, self.order]
        self.first_shift, self.center_shift = float(flat[3 * n]), float(center[3 * n])
        self.pattern = ActivationPattern(x, activation, self.first[0], self.first[1])
        self.contacts = Contacts(self.pattern, activation)
        self._spare: list[Point] = []
        # how fast Newton's method converged last: twice the second change over the square of the first
        self.curvature = float("inf")
        # workspace of an implicit step: J^T rho of its stages, and the base of the stage in work
        moving = self.first[self.moving]
        self.stages, self.base = [xp.empty_like(moving) for _ in range(4)], xp.empty_like(moving)

    def release(self, *points: Point) -> None:
        """Give points back whose arrays may be overwritten: fresh memory costs as much as the arithmetic."""
        self._spare.extend(points)

    def combine(self, start: Any, weights: list[float], rows: list[Any], out: Any) -> Any:
        """start + sum of weights * rows, into ``out``; arrays (L, n)."""
        for block, _ in self.pattern.blocks:
            total = start[:, block] + weights[0] * rows[0][:, block]
            for w, row in zip(weights[1:], rows[1:], strict=True):
                total += w * row[:, block]
            out[:, block] = total
        return out

    def flat(self, point: Point) -> Any:
        """The flat parameter vector of a point, neurons in their first order."""
        xp = self.xp
        rows = xp.zeros_like(point.theta)
        rows[:, self.order] = point.theta
        shift = xp.zeros_like(rows[0, :1]) + point.shift
        return xp.concat([xp.reshape(rows, (-1,)), shift])

    def start(self) -> Point:
        """The start, as a point."""
        dual = self.phi.gradient((self.first[self.moving] - self.center[self.moving]) / self.unit)
        shift = float(self.phi.gradient((self.first_shift - self.center_shift) / self.unit))
        zero = 0.0 * self.pattern.x
        point = Point(self.first, self.first_shift, dual, shift, dual, dual, zero, zero, zero)
        return self.advance(point, zero, dual, shift, 0.0)

    def _metric(self, theta: Any, center: Any) -> Any:
        return 1 / self.phi.hessian((theta - center) / self.unit)

    def _contact_rows(self, theta: Any) -> tuple[Any, Any, Any]:
        """Projected rows of the stuck neurons and their D, at theta."""
        where = self.contacts.neurons
        metric = self._metric(theta[:2, where], self.center[:2, where])
        return (*self.contacts.rows(theta[2, where], metric), metric)

    def _pull(self, theta: Any, table: Any, number: int, stuck: tuple[Any, Any] | None, out: Any) -> None:
        """J^T rho of one block into ``out``; ``stuck`` has the rows of stuck neurons, all blocks."""
        block = self.pattern.blocks[number][0]
        first, second = self.pattern.spread(table, number)  # sums of rho s x, and of -rho s
        w, b, a = theta[0, block], theta[1, block], theta[2, block]
        out[-1] = w * first
        out[-1] += b * second
        if self.all_layers:
            out[0] = a * first
            out[1] = a * second
            if stuck is not None:
                inside, local = self._stuck_in(block)
                out[0, local], out[1, local] = stuck[0][inside], stuck[1][inside]

    def _stuck_in(self, block: slice) -> tuple[Any, Any]:
        """Which contacts lie in a block, and where in it."""
        inside = (self.contacts.neurons >= block.start) & (self.contacts.neurons < block.stop)
        return inside, self.contacts.neurons[inside] - block.start

    def _stuck_pull(self, theta: Any, rho: Any) -> tuple[Any, Any] | None:
        if not (self.all_layers and len(self.contacts)):
            return None
        rows_w, rows_b, _ = self._contact_rows(theta)
        return rho @ rows_w, rho @ rows_b

    def pull(self, theta: Any, rho: Any, out: Any) -> tuple[Any, float]:
        """J^T rho: array (L, n), written to ``out``, and its entry for the output bias."""
        self.sweeps += 1
        table, stuck = self.pattern.pull_table(rho), self._stuck_pull(theta, rho)
        for i, (block, _) in enumerate(self.pattern.blocks):
            self._pull(theta, table, i, stuck, out[:, block])
        return out, float(self.xp.sum(rho)) if self.all_layers else 0.0

    def advance(self, point: Point, rho: Any, base: Any, base_shift: float, c: float, *, keep: bool = True) -> Point:
        """Go to z = base + c J^T rho, with J at ``point``, and assemble there.

        Without ``keep`` the point's arrays dual, tangent and metric are left as they were: a point that only Newton's
        method visits does not need them, and to write them costs as much as the arithmetic.
        """
        self.sweeps += 1
        xp, pattern, phi = self.xp, self.pattern, self.phi
        theta_in = point.theta
        table, stuck = pattern.pull_table(c * rho), self._stuck_pull(theta_in, c * rho)
        if self._spare:
            spare = self._spare.pop()
            theta, tangent, dual, metric = spare.theta, spare.tangent, spare.dual, spare.metric
        else:
            theta = theta_in + 0.0
            tangent, dual, metric = (xp.empty_like(base) for _ in range(3))
        parts = []
        scratch = xp.empty((base.shape[0], pattern.longest), dtype=base.dtype, device=pattern.device)
        for i, (block, _) in enumerate(pattern.blocks):
            step = tangent[:, block] if keep or stuck is not None else scratch[:, : block.stop - block.start]
            self._pull(theta_in, table, i, stuck, step)
            z = base[:, block] + step
            delta, d = phi.mirror(z)
            if keep:
                dual[:, block], metric[:, block] = z, d
            if self.unit != 1:
                delta *= self.unit
            delta += self.center[self.moving, block]
            theta[self.moving, block] = delta
            parts.append(self._sums(theta[:, block], d, step * d, i))
        sums = pattern.collect(parts)
        value, pushed, kernel = pattern.linear(sums[:2]), pattern.linear(sums[2:4]) * self.unit, pattern.quadratic(sums[4:])
        shift, dual_shift = self.first_shift, base_shift
        if self.all_layers:
            total = c * float(xp.sum(rho))
            dual_shift = base_shift + total
            shift = self.center_shift + self.unit * float(phi.inverse_gradient(dual_shift))
            d_shift = float(self._metric(shift, self.center_shift))
            pushed, kernel = pushed + d_shift * self.unit * total, kernel + d_shift
            if stuck is not None:
                rows_w, rows_b, d = self._contact_rows(theta)
                where = self.contacts.neurons
                both = rows_w @ (d[0] * tangent[0, where]) + rows_b @ (d[1] * tangent[1, where])
                pushed = pushed + self.unit * both
                kernel = kernel + (rows_w * d[0]) @ rows_w.T + (rows_b * d[1]) @ rows_b.T
        return Point(theta, shift, dual, dual_shift, tangent, metric, value + shift, pushed, kernel)

    def _sums(self, theta: Any, d: Any, v: Any, number: int) -> Any:
        """Sums of one block over patterns, shape (7, runs): two for f, two for J v, three for J D J^T."""
        w, b, a = theta[0], theta[1], theta[2]
        if self.all_layers and len(self.contacts):
            _, local = self._stuck_in(self.pattern.blocks[number][0])
            d, v = d + 0.0, v + 0.0
            d[:2, local], v[:2, local] = 0.0, 0.0
        dw, db, square = d[-1] * w, d[-1] * b, a * a
        # each sum is one of products of two rows, which needs no array of products where all have one pattern
        pairs = [[(a, w)], [(a, b)], [(v[-1], w)], [(v[-1], b)], [(dw, w)], [(dw, b)], [(db, b)]]
        if self.all_layers:
            pairs[2].append((a, v[0]))
            pairs[3].append((a, v[1]))
            pairs[4].append((square, d[0]))
            pairs[6].append((square, d[1]))
        return self.pattern.partial_sums(pairs, number)

    def settle(self, point: Point, y: Any, crossed: Any) -> Point:
        """After an accepted step: new patterns and contacts, and the point assembled with them."""
        if crossed is None or not (len(self.contacts) or bool(self.xp.any(crossed))):
            return point
        moved = self.contacts.update(point.theta, point.metric, y - point.value, crossed)
        dual = point.dual
        if moved:
            where = self.contacts.neurons
            dual[1, where] = self.phi.gradient((point.theta[1, where] - self.center[1, where]) / self.unit)
        settled = self.advance(point, 0.0 * y, dual, point.dual_shift, 0.0)
        self.release(point)
        return settled
