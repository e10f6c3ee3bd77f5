r"""One sweep over the neurons of a network in training: everything that an implicit step needs.

From a point :math:`\theta`, multipliers :math:`\rho` and a dual base b a sweep follows the rows of the tangent map
to the new point (c, u: centre and unit of ``ibtext.training.setting``)

.. math:: z = b + \kappa\, J(\theta)^T \rho, \qquad \theta' = c + u\, (\varphi')^{-1}(z),

and returns there f(x), the kernel :math:`J D J^T` and :math:`J u D (z - b)`, with the inverse Hessian
:math:`D = 1/\varphi''`, all from seven sums over the neurons of each activation pattern. Arrays of neurons have the
rows (weight, bias, output) and one column a neuron; sweeps run over blocks of columns, so that temporaries stay in
cache and memory stays O(n).
"""

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from .activation_pattern import ActivationPattern
from .contacts import Contacts
from .setting import TrainingSetting

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
    dual, step, inverse_hessian : arrays (L, n)
        z, the step z - b that led here, and D, for the L moving rows (3, or 1: output only).
    dual_shift : float
        z of the output bias.
    value, pushed : arrays (M,)
        f(x) and J u D (z - b).
    kernel : array (M, M)
        J D J^T.
    """

    theta: Any
    shift: float
    dual: Any
    dual_shift: float
    step: Any
    inverse_hessian: Any
    value: Any
    pushed: Any
    kernel: Any


class Assembly:
    """Sweeps over the neurons of one network, whose activation has two slopes; ``sweeps`` counts them."""

    def __init__(self, setting: TrainingSetting) -> None:
        flat, n = setting.net.flat, setting.net.width
        self.xp = xp = array_namespace(flat)
        self.n, self.phi, self.unit, self.rate, self.sweeps = n, setting.phi, setting.unit, setting.rate, 0
        self.all_layers = setting.layers == "all"
        self.moving = slice(0, 3) if self.all_layers else slice(2, 3)
        right, left = setting.net.tangent(setting.x).activation.sides
        theta, center = (xp.reshape(v[: 3 * n], (3, n)) for v in (flat, setting.center))
        # neurons of one pattern next to each other, so that a block has one pattern and its sums are plain sums
        self.order = xp.argsort(ActivationPattern(setting.x, -left, right, theta[0], theta[1]).number, stable=True)
        self.first, self.center = theta[:, self.order], center[:, self.order]
        self.first_shift, self.center_shift = float(flat[3 * n]), float(setting.center[3 * n])
        self.pattern = ActivationPattern(setting.x, -left, right, self.first[0], self.first[1])
        self.contacts = Contacts(self.pattern)
        self.held: Point | None = None
        self._rooms: list[tuple[Any, ...]] = []

    def start(self) -> Point:
        """The start, as a point."""
        dual = self.phi.gradient((self.first[self.moving] - self.center[self.moving]) / self.unit)
        shift = float(self.phi.gradient((self.first_shift - self.center_shift) / self.unit))
        zero = 0.0 * self.pattern.x
        point = Point(self.first, self.first_shift, dual, shift, dual, dual, zero, zero, zero)
        return self.advance(point, zero, dual, shift, 0.0)

    def flat(self, point: Point) -> Any:
        """The flat parameter vector of a point, neurons in their first order."""
        rows = self.xp.zeros_like(point.theta)
        rows[:, self.order] = point.theta
        return self.xp.concat([self.xp.reshape(rows, (-1,)), self.xp.zeros_like(rows[0, :1]) + point.shift])

    def combine(self, start: Any, weights: list[float], rows: list[Any], out: Any) -> Any:
        """start + sum of weights * rows, into ``out``; arrays (L, n)."""
        for block, _ in self.pattern.blocks:
            total = start[:, block] + weights[0] * rows[0][:, block]
            for w, row in zip(weights[1:], rows[1:], strict=True):
                total += w * row[:, block]
            out[:, block] = total
        return out

    def pull(self, theta: Any, rho: Any, out: Any) -> tuple[Any, float]:
        """J^T rho: array (L, n), written to ``out``, and its entry for the output bias."""
        self.sweeps += 1
        table, stuck = self.pattern.pull_table(rho), self._stuck_pull(theta, rho)
        for i, (block, _) in enumerate(self.pattern.blocks):
            self._pull(theta, table, i, stuck, out[:, block])
        return out, float(self.xp.sum(rho)) if self.all_layers else 0.0

    def advance(self, point: Point, rho: Any, base: Any, base_shift: float, factor: float, *, keep: bool = True) -> Point:
        """Go to z = base + factor J^T rho, with J at ``point``, and assemble there.

        Without ``keep`` the point's arrays dual, step and inverse_hessian are left as they were: a point that only
        Newton's method visits does not need them, and to write them costs as much as the arithmetic. A point's arrays
        are overwritten by later sweeps, unless they start from it or it is ``held``.
        """
        self.sweeps += 1
        xp, pattern, phi = self.xp, self.pattern, self.phi
        table, stuck = pattern.pull_table(factor * rho), self._stuck_pull(point.theta, factor * rho)
        theta, step, dual, inverse_hessian = self._room(point)
        scratch = xp.empty((base.shape[0], pattern.longest), dtype=base.dtype, device=pattern.device)
        parts = []
        for i, (block, _) in enumerate(pattern.blocks):
            part = step[:, block] if keep or stuck is not None else scratch[:, : block.stop - block.start]
            self._pull(point.theta, table, i, stuck, part)
            z = base[:, block] + part
            delta, d = phi.mirror(z)
            if keep:
                dual[:, block], inverse_hessian[:, block] = z, d
            if self.unit != 1:
                delta *= self.unit
            delta += self.center[self.moving, block]
            theta[self.moving, block] = delta
            parts.append(self._sums(theta[:, block], d, part * d, block, i))
        sums = pattern.collect(parts)
        value, pushed, kernel = pattern.linear(sums[:2]), pattern.linear(sums[2:4]) * self.unit, pattern.quadratic(sums[4:])
        shift, dual_shift = self.first_shift, base_shift
        if self.all_layers:
            total = factor * float(xp.sum(rho))
            dual_shift = base_shift + total
            shift = self.center_shift + self.unit * float(phi.inverse_gradient(dual_shift))
            d = float(1 / phi.hessian((shift - self.center_shift) / self.unit))
            pushed, kernel = pushed + d * self.unit * total, kernel + d
        if stuck is not None:
            rows_w, rows_b, d = self._stuck_rows(theta)
            where = self.contacts.neurons
            pushed = pushed + self.unit * (rows_w @ (d[0] * step[0, where]) + rows_b @ (d[1] * step[1, where]))
            kernel = kernel + (rows_w * d[0]) @ rows_w.T + (rows_b * d[1]) @ rows_b.T
        return Point(theta, shift, dual, dual_shift, step, inverse_hessian, value + shift, pushed, kernel)

    def _room(self, point: Point) -> tuple[Any, ...]:
        """Arrays for a new point, of which three sets are enough: fresh memory costs as much as the arithmetic."""
        busy = [point.theta] if self.held is None else [point.theta, self.held.theta]
        for room in self._rooms:
            if all(room[0] is not theta for theta in busy):
                return room
        self._rooms.append((self.first + 0.0, *(self.xp.empty_like(self.first[self.moving]) for _ in range(3))))
        return self._rooms[-1]

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
            inside, local = self.contacts.within(block)
            out[0, local], out[1, local] = stuck[0][inside], stuck[1][inside]

    def _stuck_rows(self, theta: Any) -> tuple[Any, Any, Any]:
        """Projected rows of the stuck neurons and their D, at theta."""
        where = self.contacts.neurons
        d = 1 / self.phi.hessian((theta[:2, where] - self.center[:2, where]) / self.unit)
        return (*self.contacts.rows(theta[2, where], d), d)

    def _stuck_pull(self, theta: Any, rho: Any) -> tuple[Any, Any] | None:
        if not len(self.contacts):
            return None
        rows_w, rows_b, _ = self._stuck_rows(theta)
        return rho @ rows_w, rho @ rows_b

    def _sums(self, theta: Any, d: Any, v: Any, block: slice, number: int) -> Any:
        """Sums of one block over patterns, shape (7, runs): two for f, two for J v, three for J D J^T."""
        w, b, a = theta[0], theta[1], theta[2]
        if len(self.contacts):  # their weights and biases are added by themselves
            _, local = self.contacts.within(block)
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
        moved = self.contacts.update(point.theta, point.inverse_hessian, y - point.value, crossed)
        if moved:
            where = self.contacts.neurons
            point.dual[1, where] = self.phi.gradient((point.theta[1, where] - self.center[1, where]) / self.unit)
        return self.advance(point, 0.0 * y, point.dual, point.dual_shift, 0.0)
