"""Networks of infinite width: the function that training reaches, its path, its kernel and its penalty.

Read ``limit`` first, then ``setting`` (what the theory covers), ``two_slopes`` (the equation of a wide network) with
``hat_basis`` and ``sign_rule`` (its unknowns, its integrals), and ``path``. ``penalty_terms`` and ``kernel`` are read on
their own. ``polar_rule`` integrates over laws of the weight with a density, ``relu_powers`` is for smoother units, and
``graded_mesh`` serves both.
"""

from .kernel import limit_kernel
from .limit import WideLimit, wide_limit
from .path import WidePath, wide_flow

__all__ = ["WideLimit", "WidePath", "limit_kernel", "wide_flow", "wide_limit"]
