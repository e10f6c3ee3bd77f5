r"""Training in the limit of infinite width: the function reached and the penalty it minimises.

Setting: :math:`f(x) = \sum_j a_j \sigma(w_j x - b_j) + d` with n units, (w, b) drawn from a symmetric law, mirror
flow of :math:`L = \tfrac12 \sum_i (f(x_i) - y_i)^2` at rate 1/n. As n grows the trained network minus its start
tends to

.. math::

    \bar h(t) = E\big[\alpha(w, b)\, \sigma(wt - b)\big], \qquad
    \alpha(w, b) = (\varphi')^{-1}\Big(\sum_j \lambda_j \sigma(w x_j - b)\Big),

where :math:`\lambda \in R^M` solves the dual equation :math:`\bar h(x_i) = y_i`. Gradient flow and every unscaled
potential with :math:`0 < \varphi''(0) < \infty` give a linear equation; scaled potentials a nonlinear one with the
same M unknowns. The path of training is in ``path``.

In plain code it is this, with many neurons in place of all (``two_slopes`` integrates over all of them instead, and takes the
equation in a basis in which it is well conditioned):

>>> import numpy as np
>>> from ibtext import CoshPotential, FiniteColumns, solve_dual
>>> x, y, phi = np.array([-0.5, 0.0, 0.5]), np.array([0.3, -0.1, 0.2]), CoshPotential()
>>> breakpoints = (np.arange(4000) + 0.5) / 2000 - 1  # uniform on [-1, 1]; weights are signs
>>> sigma = lambda t: np.abs(t[:, None] - breakpoints)
>>> multiplier = solve_dual(FiniteColumns(sigma(x), 1 / 4000, phi), y).multiplier
>>> alpha = phi.inverse_gradient(multiplier @ sigma(x))
>>> h = lambda t: sigma(t) @ alpha / 4000
>>> bool(np.allclose(h(x), y))
True
>>> from scipy import stats
>>> from ibtext import Initialization, Scaled, wide_limit
>>> init = Initialization(weight="signs", bias=stats.uniform(-1, 2))
>>> limit, t = wide_limit(x, y, activation="abs", initialization=init, potential=Scaled(phi)), np.linspace(-1, 1, 9)
>>> bool(np.allclose(limit(t), h(t), rtol=0, atol=1e-5))
True

Sources: Jin and Montúfar (2023); Liang and Montúfar (2025). Proofs: the chapter on scaled potentials.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..activations import AnyActivation
from ..errors import check_arguments, check_data, check_flag, check_order, check_tolerance
from ..laws import Initialization
from ..numerics.arrays import Array
from ..potentials import Potential, Scaled
from .columns import WideColumns
from .setting import wide_columns

__all__ = ["WideLimit", "wide_limit"]


@dataclass(frozen=True)
class WideLimit:
    r"""The function that an infinitely wide network learns; call it on an array of points.

    ``wide_limit`` makes it; its fields with an underscore are the solver's own.

    Attributes
    ----------
    x, y : arrays (M,)
        The data.
    dual : array (M,)
        The multiplier :math:`\lambda`, rounded. Its entries cancel: sums such as :math:`\sum_j \lambda_j \sigma(w x_j - b)`
        are uncertain by 1e-16 of its largest entry. With a potential that grows exponentially and rough labels that entry
        may be 1e18; h is then evaluated from other unknowns, but nothing can be recomputed from ``dual``.
    residual : float
        Largest distance of :math:`F(\lambda)` from a label, measured from the chord through its neighbours, which is the
        error that the solver leaves in :math:`\bar h`. (The function called meets the labels to rounding.) F is integrated
        for it by a finer quadrature than the one with which the equations were solved.
    iterations : int
        Newton steps.
    affine : tuple (u, v)
        The free part :math:`ux + v`; (0, 0) unless ``free_affine`` was asked for.
    activation : str
        Name of the activation.
    potential : None, Potential or Scaled
        As given.
    """

    x: Array
    y: Array
    dual: Array
    residual: float
    iterations: int
    affine: tuple[float, float]
    activation: str
    potential: Potential | Scaled | None
    _columns: WideColumns = field(repr=False)
    _values: Array = field(repr=False)
    _labels: Array = field(repr=False)

    @cached_property
    def penalty(self) -> float:
        r"""The quantity that training minimises.

        :math:`E\,D_\varphi(\alpha, 0)` for a scaled potential, :math:`E\,\alpha^2 = y^T K^{-1} y` for gradient flow and
        unscaled ones. One more quadrature, when it is first asked for.

        Its scale: :math:`E\,\alpha^2` is twice :math:`E\,D_\varphi` for :math:`x^2/2`, once for :math:`x^2`. With the
        absolute value it is :math:`\tfrac14\int (h'')^2/\zeta`; with relu ``G1 + G2 + G3``, and ``G1`` has no factor.
        """
        return self._columns.penalty(self._values)

    @cached_property
    def condition(self) -> float:
        """Condition number of the kernel at the solution, O(M^3): digits lost in the multiplier, not in h."""
        return self._columns.condition(self._values)

    def __call__(self, t: ArrayLike) -> Array:
        """The learned function at points ``t``, of the shape of ``t``. Cost O((T + M) log(T + M)).

        Between two inputs it is the chord of the labels minus the Green integral of its curvature, so it meets the
        labels to rounding; ``residual`` says how well the multiplier does. Beyond the support of the breakpoints, where
        no unit bends, it is affine (a polynomial for powers of relu): an exact continuation.
        """
        t = check_arguments(t)
        return self._columns.function(self._values, self._labels, t, 0)

    def derivative(self, t: ArrayLike, *, order: int = 1) -> Array:
        r"""First derivative, or the curvature :math:`\bar h''` (``order=2``), at points ``t``."""
        order = check_order(order)
        t = check_arguments(t)
        return self._columns.function(self._values, self._labels, t, order)

    def output_weight(self, c: ArrayLike) -> Array:
        r"""The output weight :math:`\alpha(c)` (times n) of a neuron with breakpoint ``c``: |.| and sign weights only."""
        return self._columns.output_weight(self._values, check_arguments(c, name="c"))

    def curvature_statistics(self) -> dict[str, float]:
        r"""Largest ("max") and mean ("mean") :math:`|\bar h''|` over the support of the bias law.

        Exact; for the absolute value, sign weights and a uniform law only, where it raises no ``ValueError``.
        """
        return self._columns.curvature_statistics(self._values, self._labels)

    def penalty_terms(self) -> dict[str, float]:
        r"""The three terms of the penalty of a ReLU network under gradient flow or an unscaled potential.

        For any symmetric law of (w, b): ``G1`` :math:`= \int (h'')^2/\zeta`,
        ``G2`` :math:`= (h'(\infty) + h'(-\infty))^2 / E W^2`,
        ``G3`` :math:`= (\int h''|x| dx - 2h(0))^2 / E B^2`; their sum is ``penalty``. For leaky relu with slopes
        :math:`s_-, s_+` the same three, divided by :math:`(s_+ - s_-)^2` (G1) and :math:`(s_+ + s_-)^2` (G2, G3), so that
        their sum is again ``penalty``. See ``ibtext.wide.two_slopes`` for the proof and for laws with :math:`E[WB] \neq 0`.

        Raises
        ------
        ValueError
            For other activations (the absolute value has one term, ``penalty``), with ``free_affine`` (only
            :math:`\int (h'')^2/\zeta` remains), and for scaled potentials.

        Source: Liang and Montúfar (2025), theorem on unscaled potentials, part II.
        """
        return self._columns.penalty_terms(self._values, self._labels)


def wide_limit(
    x: ArrayLike,
    y: ArrayLike,
    *,
    activation: str | AnyActivation = "relu",
    initialization: Initialization,
    potential: Potential | Scaled | None = None,
    free_affine: bool = False,
    tol: float = 1e-13,
) -> WideLimit:
    r"""The function that mirror flow reaches as the width grows, exactly.

    Solves: minimise :math:`E\,D_\varphi(\alpha(w,b), 0)` over all :math:`\alpha` whose network
    :math:`h(t) = E[\alpha(w,b)\,\sigma(wt-b)]` satisfies :math:`h(x_i) = y_i`. The minimiser is unique, and the
    dual problem has M unknowns.

    Parameters
    ----------
    x, y : arrays (M,)
        Distinct inputs inside the support of the bias, and labels. For a network that starts at
        :math:`f_0 \neq 0` pass :math:`y - f_0(x)`.
    activation : "relu", "abs", "leaky_relu", "relu^2" to "relu^99", Activation or ReLUPower
    initialization : Initialization
        Any law of (w, b) that is symmetric under a change of both signs, with densities and finite moments of order
        2k (2 for units with two slopes): signs or a law with a density for the weight, a law of the bias, or one of
        the breakpoint (``for_penalty``).
    potential : None, Potential or Scaled
        None is gradient flow; every *unscaled* potential with :math:`0 < \varphi''(0) < \infty` has the same limit.
        Write ``Scaled(phi)`` to make the shape of phi count.
    free_affine : bool
        Leave an affine function :math:`ux + v` unpenalised. With the absolute value this removes the two
        constraints that the network imposes; for :math:`x^2` it gives the natural (adaptive) cubic spline.
    tol : float
        Aim of the solver, relative to max |y|. What is enforced is max(tol, 1e-12). Where inputs are close, and for powers
        of relu, whose condition number grows fast with k and M, rounding leaves more: there a residual at the rounding
        error of F is accepted, up to 1e-9, and ``residual`` states it. Where h swings farther between close inputs than
        the labels reach, the swing takes the place of max |y|.

    Returns
    -------
    WideLimit

    Raises
    ------
    ValueError
        For coinciding or non-finite data, inputs outside the support, an asymmetric law, a potential with
        :math:`\varphi''(0)` zero or infinite, an unknown activation, ``free_affine`` with a power of relu.
    TypeError
        For something that is no potential (a name, a plain function, a class without its brackets) or no
        initialization.
    ConvergenceError
        If the labels are not met to the tolerance enforced; the message names the ``tol`` that would pass.

    Notes
    -----
    About ten Newton steps on an M x M system; milliseconds for M = 5. Theorems: variational form and duality in
    the chapter on scaled potentials. Source: Liang and Montúfar (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> init = Initialization(weight="signs", bias=stats.uniform(-1, 2))
    >>> limit = wide_limit([-0.5, 0.5], [1.0, 1.0], activation="abs", initialization=init)
    >>> bool(np.allclose(limit([-0.5, 0.5]), 1.0))
    True
    >>> from ibtext import PowerPotential, Scaled
    >>> expensive = Scaled(PowerPotential(p=4))  # without Scaled, every potential has the limit of x^2
    >>> other = wide_limit([-0.5, 0.5], [1.0, 1.0], activation="abs", initialization=init, potential=expensive)
    >>> bool(limit(0.0) > other(0.0))
    True
    """
    x, y = check_data(x, y)
    tol, free_affine = check_tolerance("tol", tol), check_flag("free_affine", free_affine)
    order = np.argsort(x)
    columns = wide_columns(x[order], activation, initialization, potential, free_affine=free_affine)
    found = columns.solve(y[order], tol)
    dual = np.empty_like(y)
    dual[order] = columns.multiplier(found.values)
    name, values = columns.activation.name, found.values
    return WideLimit(x, y, dual, found.residual, found.iterations, found.affine, name, potential, columns, values, y[order])
