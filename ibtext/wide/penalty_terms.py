r"""What training pays: the penalty of the function that it reaches, split into terms that can be checked.

For gradient flow and unscaled potentials, a symmetric law of (w, b) and :math:`\sigma(u) = a|u| + bu`, b not 0,

.. math::

    E\,\alpha^2 = \frac{1}{4a^2}\int \frac{(h'')^2}{\zeta}
    + \frac{1}{4b^2}\,\big(A, B\big) \begin{pmatrix} E W^2 & E WB \\ E WB & E B^2 \end{pmatrix}^{-1} \big(A, B\big)^T,

with :math:`A = h'(\infty) + h'(-\infty)` and :math:`B = \int h''|c|\,dc - 2h(0)`. For relu both factors are 1, and with
:math:`E WB = 0` the sum is G1 + G2 + G3. The proof splits :math:`\alpha` into its even and odd part under the change of
both signs: h'' fixes the even part, A and B are two moments of the odd part, and the least norm with two given
moments is a quadratic form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .relu_powers import PowerColumns
from .sign_rule import SignRule
from .two_slopes import WideColumns

if TYPE_CHECKING:
    from .limit import WideLimit

__all__ = ["curvature_statistics", "output_weight", "penalty_terms"]

Array = npt.NDArray[np.float64]


def output_weight(columns: WideColumns | PowerColumns, values: Array, c: Array) -> Array:
    """The output weight (times n) of a neuron with breakpoint c, where it depends on nothing else."""
    if not isinstance(columns, WideColumns) or columns.odds != (0.0,):
        raise ValueError(
            "output_weight is a function of the breakpoint alone for the absolute value only, but this limit has "
            "two branches, probably because activation='relu' was used; use derivative(t, order=2)."
        )
    if not isinstance(columns.rule, SignRule):
        raise ValueError(
            "output_weight is a function of the breakpoint alone for sign weights only, but the weights have a "
            "density, probably to match another library's defaults; use derivative(t, order=2)."
        )
    return np.asarray(columns.potential.inverse_gradient(columns.profile(values, c.ravel())).reshape(c.shape))


def curvature_statistics(limit: WideLimit) -> dict[str, float]:
    """Largest and mean |h''| over the support of a uniform bias law, exactly."""
    columns = limit._columns
    rule = columns.rule
    uniform = isinstance(rule, SignRule) and limit._initialization._uniform_density is not None
    if not isinstance(columns, WideColumns) or columns.odds != (0.0,) or not uniform:
        raise ValueError(
            "curvature_statistics is exact for the absolute value and a uniform bias law only, but another "
            "setting was given, probably a relu network; evaluate derivative(t, order=2) on a grid."
        )
    assert isinstance(rule, SignRule)
    nodes = rule.nodes(columns.hats.local_values(limit._values, columns.even, 0.0), columns.potential)
    # between knots h'' is monotone, so |h''| is largest at a knot: an input or an end of the support
    knots = np.concatenate([columns.hats.x, [rule.low, rule.high]])
    largest = float(np.max(np.abs(limit.derivative(knots, order=2))))
    total = 2 * abs(columns.even) * float(np.sum(nodes.mass * np.abs(nodes.alpha)))
    return {"max": largest, "mean": total / (rule.high - rule.low)}


def penalty_terms(limit: WideLimit) -> dict[str, float]:
    """G1, G2 and G3 of a network with two different slopes under gradient flow or an unscaled potential."""
    columns = limit._columns
    odd = max(columns.odds) if isinstance(columns, WideColumns) else 0.0
    if columns.free_affine:
        raise ValueError(
            f"the terms G1, G2, G3 belong to a relu network whose affine part is penalised, but free_affine=True was given "
            f"(with {limit.activation!r}), probably to leave only the curvature, whose integral of h''^2/zeta remains; read "
            f"limit.penalty instead."
        )
    if not isinstance(columns, WideColumns) or odd == 0:
        one = isinstance(columns, WideColumns)
        cause = "whose penalty has one term" if one else "whose terms have not been worked out"
        raise ValueError(
            f"the terms G1, G2, G3 belong to a relu network, but activation={limit.activation!r} was given, probably to "
            f"compare the two, {cause}; read limit.penalty instead."
        )
    if limit._is_scaled or not columns.linear:
        raise ValueError(
            "the terms G1, G2, G3 belong to gradient flow and unscaled potentials, but a scaled potential was "
            "given, probably to compare the two (no such form is known); read limit.penalty instead."
        )
    hats = columns.hats
    pieces, s, mass = columns.rule.moments(columns.rule.pieces(hats.locate(np.zeros(1))))
    local = columns.functions(pieces.element, s)
    # h'' = zeta times this: the branches' odd parts cancel in it
    values = hats.local_values(limit._values, columns.even, 0.0)[pieces.element]
    bend = 2 * columns.even * (values[:, :1] * local[0] + values[:, 1:] * local[1]) / columns.second
    c = hats.origin[pieces.element, None] + s / hats.rate[pieces.element, None]
    first = float(np.sum(mass * bend**2)) / (4 * columns.even**2)
    left, right = pieces.element == 0, pieces.element == hats.elements - 1
    ends = limit.derivative(hats.x[[0, -1]])
    slopes = float(ends.sum() - np.sum((mass * bend)[left]) + np.sum((mass * bend)[right]))
    height = float(np.sum(mass * bend * np.abs(c))) - 2 * float(limit(0.0))
    w2, wb, b2 = limit._initialization.second_moments
    second = slopes**2 / w2
    third = (height - wb / w2 * slopes) ** 2 / (b2 - wb**2 / w2)
    return {"G1": first, "G2": second / (4 * odd**2), "G3": third / (4 * odd**2)}
