r"""The path of training in the limit of infinite width.

In the setting of ``wide`` the function at flow time t is :math:`h_t(x) = E[\alpha_t(w, b)\,\sigma(wx - b)]` with
:math:`\alpha_t = (\varphi')^{-1}(\sum_j \lambda_j(t)\,\sigma(w x_j - b))`, and the multiplier follows
:math:`\lambda' = y - F(\lambda)` from zero.

Source: Liang and Montúfar (2025). Proof: the chapter on scaled potentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..activations import AnyActivation
from ..dual import Columns, dual_flow, linear_flow
from ..errors import check_arguments, check_data, check_points
from ..laws import Initialization
from ..numerics.arrays import Array
from ..potentials import Potential, Scaled
from .columns import WideColumns
from .setting import wide_columns

__all__ = ["WidePath", "wide_flow"]


@dataclass(frozen=True)
class WidePath:
    """The path of training at infinite width; call it on points to get the functions at all times.

    Attributes
    ----------
    times : array (T,)
        Flow times.
    dual : array (T, M)
        Multipliers.
    residuals : array (T, M)
        y - h_t(x).
    kernels : array (T, M, M)
        The mirror kernel H(t), whose eigenvalues are the rates at which residuals decay.
    """

    times: Array
    dual: Array
    residuals: Array
    kernels: Array
    _columns: WideColumns = field(repr=False)
    _values: Array = field(repr=False)
    _labels: Array = field(repr=False)

    def _functions(self, t: ArrayLike, order: int) -> Array:
        t = check_arguments(t)
        pairs = zip(self._values, self._labels, strict=True)
        return np.stack([self._columns.function(v, labels, t, order) for v, labels in pairs])

    def __call__(self, t: ArrayLike) -> Array:
        """The functions at points ``t``, shape (len(times), len(t))."""
        return self._functions(t, 0)

    def curvature(self, t: ArrayLike) -> Array:
        """Second derivatives at points ``t``, shape (len(times), len(t))."""
        return self._functions(t, 2)

    def __getitem__(self, rows: Any) -> WidePath:
        """The path at some of its times: an index array or a slice. Functions are computed for these times only."""
        times, dual, residuals, kernels = (v[rows] for v in (self.times, self.dual, self.residuals, self.kernels))
        return WidePath(times, dual, residuals, kernels, self._columns, self._values[rows], self._labels[rows])


class _InData(Columns):
    """Columns in the basis of the data, in which the flow is lambda' = y - F(lambda)."""

    def __init__(self, columns: WideColumns) -> None:
        self.columns = columns

    def evaluate(self, multiplier: Array) -> tuple[Array, Array]:
        """F and H in the data basis."""
        change = self.columns.to_data
        value, kernel = self.columns.system(self.columns.from_multiplier(multiplier))
        return change(value), change(change(kernel).T)


def wide_flow(
    x: ArrayLike,
    y: ArrayLike,
    times: ArrayLike,
    *,
    activation: str | AnyActivation = "relu",
    initialization: Initialization,
    potential: Potential | Scaled | None = None,
    rate: float = 1.0,
    rtol: float = 1e-9,
) -> WidePath:
    r"""The exact training path of an infinitely wide network: :math:`\lambda' = \text{rate}\,(y - F(\lambda))`.

    Parameters
    ----------
    x, y, activation, initialization, potential : as in ``wide_limit``
    times : array (T,)
        Flow times, increasing, in units of the flow :math:`\frac{d}{dt}\nabla\Phi(\theta) = -\frac1n\nabla L` with
        :math:`L = \frac12\sum_i (f(x_i)-y_i)^2`.
    rate : float
        1 for this loss, 2 for :math:`\sum_i`, 1/M for :math:`\frac1{2M}\sum_i`.
    rtol : float
        Tolerance of the integrator (SciPy's Radau with the exact Jacobian).

    Returns
    -------
    WidePath

    Notes
    -----
    Cost: milliseconds for gradient flow and unscaled potentials (a closed form); seconds for 20 times over many decades
    with a scaled potential at ``rtol=1e-9``, less with a larger one.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> init = Initialization(bias=stats.uniform(-1, 2))
    >>> path = wide_flow([-0.5, 0.5], [1.0, 0.5], [0.1, 1.0, 10.0], initialization=init)
    >>> path([0.0, 0.2]).shape
    (3, 2)
    >>> bool(np.all(np.diff(np.linalg.norm(path.residuals, axis=1)) < 0))
    True

    Raises
    ------
    ValueError, ConvergenceError
        As ``wide_limit``.
    """
    x, y = check_data(x, y)
    times = check_points("times", times)
    order = np.argsort(x)
    back = np.argsort(order)
    columns = wide_columns(x[order], activation, initialization, potential)
    problem = _InData(columns)
    if columns.linear:
        dual = linear_flow(columns.root(), y[order], times, rate=rate)
    else:
        dual = dual_flow(problem, y[order], times, rate=rate, rtol=rtol)
    values, kernels = zip(*(problem.evaluate(u) for u in dual), strict=True)
    labels = np.array(values)
    return WidePath(
        times,
        dual[:, back],
        y - labels[:, back],
        np.array(kernels)[:, back[:, None], back],
        columns,
        np.array([columns.from_multiplier(u) for u in dual]),
        labels,
    )
