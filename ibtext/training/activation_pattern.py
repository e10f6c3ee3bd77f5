r"""The activation pattern of a network on the data, and sums over neurons that share one.

On a two-slope activation a unit :math:`x \mapsto \sigma(wx - b)` sees the data through its pattern: the slopes
:math:`s_i \in \{s_-, s_+\}` with :math:`\sigma(wx_i - b) = s_i (wx_i - b)`. In one dimension M data points allow
2(M + 1) patterns, one for each gap that holds the breakpoint b/w and each sign of w. All sums over neurons that
training needs are therefore sums of :math:`aw`, :math:`ab`, ... over the neurons of each pattern, followed by
arithmetic in M dimensions: a sweep over n neurons costs O(n), whatever M is.

A pattern stays fixed until a breakpoint crosses a data point.
"""

import itertools
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, to_device

__all__ = ["ActivationPattern"]

BLOCK = 1 << 13
"""Neurons in a block: the dozen arrays of this length that a sweep touches fit in the second-level cache."""
DEVICE_BLOCK = 1 << 22
"""The same for tensors, where a call costs more than its arithmetic."""


class ActivationPattern:
    """Patterns of n neurons on M data points.

    Parameters
    ----------
    x : array (M,)
        Distinct data points.
    left, right : float
        Slopes of the activation below and above zero.
    weight, bias : arrays (n,)

    Attributes
    ----------
    slopes : array (2M + 2, M)
        Slope of every pattern at every data point.
    number : array (n,) of int
        Pattern of each neuron.
    blocks : list of (slice, pattern or None)
        Blocks of neurons; the second entry is their pattern where they all have the same.
    longest : int
        Neurons in the longest block.
    """

    def __init__(self, x: Any, left: float, right: float, weight: Any, bias: Any) -> None:
        self.x, self.left, self.right = x, left, right
        self.xp, self.device, m = array_namespace(x), device(x), x.shape[0]
        xp = self.xp
        self.block = BLOCK if is_numpy_array(x) else DEVICE_BLOCK
        order = xp.argsort(x)
        self.ordered = x[order]
        k = xp.arange(m + 1, device=self.device)
        below = xp.argsort(order)[None, :] < k[:, None]  # data points left of the breakpoint
        flat = xp.astype(xp.concat([below, ~below]), xp.float64)  # u < 0, for w >= 0 and then for w < 0
        self.slopes = left * flat + right * (1 - flat)
        # u = wx - b is monotone in x, so two data points tell whether a neuron still has its pattern: the
        # neighbours of the breakpoint, or both ends where the breakpoint lies outside the data
        inside = (k > 0) & (k < m)
        low, high = xp.where(inside, k - 1, 0 * k), xp.where(inside, k, 0 * k + m - 1)
        self.guards = (xp.concat([self.ordered[low]] * 2), xp.concat([self.ordered[high]] * 2))
        self.signs = (xp.concat([low >= k, low < k]), xp.concat([high >= k, high < k]))
        self.number = self.of(weight, bias)
        self._lay_out()

    def of(self, weight: Any, bias: Any) -> Any:
        """Patterns of neurons, shape (n,). Cost O(nM)."""
        xp, m, parts = self.xp, self.x.shape[0], []
        for start in range(0, weight.shape[0], self.block):
            w, b = weight[start : start + self.block], bias[start : start + self.block]
            active = xp.sum(xp.astype(self.ordered[:, None] * w[None, :] - b[None, :] > 0, xp.int64), axis=0)
            parts.append(xp.where(w < 0, active + (m + 1), m - active))
        return xp.concat(parts) if parts else xp.asarray([], dtype=xp.int64, device=self.device)

    def crossed(self, weight: Any, bias: Any) -> Any:
        """Mask (n,) of the neurons that have left their pattern. Cost O(n)."""
        xp = self.xp
        out = xp.zeros(weight.shape[0], dtype=xp.bool, device=self.device)
        for block, single in self.blocks:
            number = self.number[block] if single is None else single
            w, b = weight[block], bias[block]
            wrong = (self.guards[0][number] * w - b > 0) != self.signs[0][number]
            out[block] = wrong | ((self.guards[1][number] * w - b > 0) != self.signs[1][number])
        return out

    def update(self, indices: Any, numbers: Any) -> None:
        """Give some neurons other patterns."""
        self.number[indices] = numbers
        self._lay_out()

    def _lay_out(self) -> None:
        """Blocks, and the runs of equal pattern in each of them; a long run has blocks of its own."""
        xp = self.xp
        number = np.asarray(to_device(self.number, "cpu"))
        runs = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [number.size]])
        long = np.diff(runs) > self.block // 4
        ends = {0, number.size, *runs[:-1][long].tolist(), *runs[1:][long].tolist()}
        cuts = sorted(ends)
        edges = [
            edge
            for start, stop in itertools.pairwise(cuts)
            for edge in np.linspace(start, stop, -(-(stop - start) // self.block), endpoint=False, dtype=int).tolist()
        ]
        starts = np.array(sorted({*runs[:-1].tolist(), *edges}))
        self.blocks, self._starts = [], []
        for start, stop in itertools.pairwise([*edges, number.size]):
            inner = starts[np.searchsorted(starts, start) : np.searchsorted(starts, stop)] - start
            self.blocks.append((slice(start, stop), int(number[start]) if inner.size == 1 else None))
            self._starts.append(inner)
        self.longest = max((block.stop - block.start for block, _ in self.blocks), default=0)
        chosen = np.zeros((starts.size, self.slopes.shape[0]))
        chosen[np.arange(starts.size), number[starts]] = 1.0
        self._runs_to_patterns = xp.asarray(chosen, dtype=xp.float64, device=self.device)

    def spread(self, table: Any, block: int) -> Any:
        """Columns of a table (K, 2M + 2) for the neurons of a block, shape (K, block) or (K, 1)."""
        where, single = self.blocks[block]
        return table[:, self.number[where]] if single is None else table[:, single, None]

    def partial_sums(self, pairs: list[list[tuple[Any, Any]]], block: int) -> Any:
        """Sums over the runs of equal pattern in a block: entry q is the sum of products u v over ``pairs[q]``."""
        xp, starts = self.xp, self._starts[block]
        if starts.size == 1:
            return xp.stack([sum(u @ v for u, v in terms) for terms in pairs])[:, None]
        terms = xp.stack([sum(u * v for u, v in terms) for terms in pairs])
        if is_numpy_array(terms):
            return np.add.reduceat(terms, starts, axis=1)
        ends = [*starts[1:], terms.shape[1]]
        return xp.stack([xp.sum(terms[:, int(s) : int(e)], axis=1) for s, e in zip(starts, ends, strict=True)], axis=1)

    def collect(self, parts: list[Any]) -> Any:
        """Join the partial sums of all blocks into sums over patterns, shape (K, 2M + 2)."""
        return self.xp.concat(parts, axis=1) @ self._runs_to_patterns

    def pull_table(self, r: Any) -> Any:
        r"""Table (2, 2M + 2) of :math:`\sum_i r_i s_i x_i` and :math:`-\sum_i r_i s_i`."""
        return self.xp.stack([self.slopes @ (r * self.x), -(self.slopes @ r)])

    def linear(self, sums: Any) -> Any:
        r"""Values at the data :math:`\sum_p s_{pi} (x_i S_{0p} - S_{1p})`, shape (M,)."""
        return self.x * (sums[0] @ self.slopes) - sums[1] @ self.slopes

    def quadratic(self, sums: Any) -> Any:
        r"""Matrix :math:`\sum_p s_{pi} s_{pk} (x_i x_k S_{0p} - (x_i + x_k) S_{1p} + S_{2p})`, shape (M, M)."""
        s, x = self.slopes, self.x
        grams = [(s * row[:, None]).T @ s for row in (sums[0], sums[1], sums[2])]
        return x[:, None] * x[None, :] * grams[0] - (x[:, None] + x[None, :]) * grams[1] + grams[2]
