"""Networks of infinite width: the function that training reaches, its path, its kernel and its penalty.

Read ``limit`` first, then ``columns`` (the equation, and what a network must offer so that it can be solved) and ``setting``
(what the theory covers). ``two_slopes`` is the network of relu or the absolute value, with ``hat_basis`` (its unknowns),
``elements`` (the line cut at the data), ``rule`` (what a quadrature must offer) and ``sign_rule``. ``path`` and ``kernel``
are read on their own. ``polar_rule`` integrates over laws of the weight with a density, ``relu_powers`` is for smoother
units, and ``graded_mesh`` serves both.
"""

from .kernel import limit_kernel
from .limit import WideLimit, wide_limit
from .path import WidePath, wide_flow

__all__ = ["WideLimit", "WidePath", "limit_kernel", "wide_flow", "wide_limit"]
