r"""Breakpoints that meet data points: the differential inclusion behind a ReLU or |.| network.

The activation's derivative jumps at 0, so the training flow jumps when a breakpoint crosses a data point,
:math:`u_{ij} = w_j x_i - b_j = 0`. If the flow pushes towards the point from both sides the breakpoint *sticks*
there. Filippov's solution then uses the one derivative :math:`s \in [\sigma'(0^-), \sigma'(0^+)]` that keeps
:math:`u_{ij} = 0`:

.. math:: s = -\frac{\sum_{k \neq i} r_k \sigma'(u_{kj}) (D_w x_i x_k + D_b)}{r_i (D_w x_i^2 + D_b)},

with the inverse Hessian :math:`D = 1/\varphi''`. Put differently, data point i no longer acts on :math:`(w_j, b_j)`,
and the others act through the projection onto motions with :math:`x_i \dot w = \dot b`, orthogonal in the metric of
the potential. The breakpoint leaves when s leaves the interval. A method that only looks at the sign of :math:`u_{ij}`
chatters around the point in tiny steps instead.
"""

from typing import Any

from .activation_pattern import ActivationPattern

__all__ = ["Contacts"]


class Contacts:
    """The neurons of a network whose breakpoints are stuck on data points, K of them.

    Parameters
    ----------
    pattern : ActivationPattern
        Kept in step: a neuron that passes or leaves a data point gets the pattern of the side it goes to.
    """

    def __init__(self, pattern: ActivationPattern) -> None:
        self.pattern, self.xp = pattern, pattern.xp
        self.neurons = self.points = pattern.number[:0]

    def __len__(self) -> int:
        return int(self.neurons.shape[0])

    def within(self, block: slice) -> tuple[Any, Any]:
        """Which contacts lie in a block of neurons, and where in it."""
        inside = (self.neurons >= block.start) & (self.neurons < block.stop)
        return inside, self.neurons[inside] - block.start

    def _weights(self, inverse_hessian: Any, points: Any) -> tuple[Any, Any]:
        """The weights D_w x_i x_k + D_b, shape (M, K), and those at the contact, shape (K,)."""
        x = self.pattern.x
        weight = inverse_hessian[0] * x[points] * x[:, None] + inverse_hessian[1]
        return weight, weight[points, self._columns(points)]

    def _columns(self, points: Any) -> Any:
        return self.xp.arange(points.shape[0], device=self.pattern.device)

    def _slopes(self, neurons: Any, points: Any) -> Any:
        """Slopes (M, K) of neurons, 0 at the data point of the contact."""
        slope = self.pattern.slopes[self.pattern.number[neurons]].T + 0.0
        slope[points, self._columns(points)] = 0.0
        return slope

    def rows(self, output: Any, inverse_hessian: Any) -> tuple[Any, Any]:
        """Projected derivatives of f(x) with respect to the stuck weights and biases, (M, K) each.

        ``output`` (K,) are output weights and ``inverse_hessian`` (2, K) the D of weight and bias of the stuck neurons.
        """
        weight, own = self._weights(inverse_hessian, self.points)
        slope = self._slopes(self.neurons, self.points) * output
        share = slope * weight / own
        x = self.pattern.x
        return slope * x[:, None] - share * x[self.points], share - slope

    def _push(self, neurons: Any, points: Any, output: Any, inverse_hessian: Any, r: Any) -> tuple[Any, Any]:
        """Velocity of u at the contact, up to a positive factor, if the slope there is s_- and if it is s_+."""
        weight, own = self._weights(inverse_hessian, points)
        others = self.xp.sum(r[:, None] * self._slopes(neurons, points) * weight, axis=0)
        force = r[points] * own
        return output * (others + self.pattern.left * force), output * (others + self.pattern.right * force)

    def update(self, theta: Any, inverse_hessian: Any, r: Any, crossed: Any) -> bool:
        """After a step: release and add contacts, follow crossings; returns whether ``theta`` was moved.

        ``theta``, shape (3, n), is the new state, ``inverse_hessian``, shape (>= 2, n), its D, ``r`` its residuals
        and ``crossed`` the mask of neurons that left their pattern. Stuck breakpoints are put exactly on their point.
        """
        xp, pattern = self.xp, self.pattern
        neurons, points = self.neurons, self.points
        if len(self):
            crossed[neurons] = False
            left, right = self._push(neurons, points, theta[2, neurons], inverse_hessian[:2, neurons], r)
            stay = (left > 0) & (right < 0)
            gone = ~stay
            if bool(xp.any(gone)):
                self._set_side(neurons[gone], points[gone], right[gone] > 0, theta)
                neurons, points = neurons[stay], points[stay]
        candidates = xp.nonzero(crossed)[0]
        if candidates.shape[0]:
            old = pattern.number[candidates]
            new = pattern.of(theta[0, candidates], theta[1, candidates])
            jumps = xp.astype(pattern.slopes[old] != pattern.slopes[new], xp.int64)
            first = xp.argmax(jumps, axis=1)
            left, right = self._push(candidates, first, theta[2, candidates], inverse_hessian[:2, candidates], r)
            stick = (left > 0) & (right < 0)
            if bool(xp.any(~stick)):
                pattern.update(candidates[~stick], new[~stick])
            neurons = xp.concat([neurons, candidates[stick]])
            points = xp.concat([points, first[stick]])
        self.neurons, self.points = neurons, points
        if len(self):
            theta[1, neurons] = theta[0, neurons] * pattern.x[points]
        return len(self) > 0

    def _set_side(self, neurons: Any, points: Any, active: Any, theta: Any) -> None:
        """Give released neurons the pattern with or without activity at the data point that they leave."""
        xp, pattern = self.xp, self.pattern
        w, b = theta[0, neurons], theta[1, neurons]
        # the pattern just beside the contact: move the breakpoint by a hair to the side it goes to
        distance = xp.abs(pattern.ordered[None, :] - pattern.x[points][:, None])
        scale = xp.max(xp.abs(pattern.ordered)) + xp.max(distance)
        gap = xp.min(xp.where(distance > 0, distance, scale), axis=1)
        shift = 0.5 * gap * xp.abs(w)
        pattern.update(neurons, pattern.of(w, b + xp.where(active, -shift, shift)))
