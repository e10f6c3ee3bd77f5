"""Linear models: mirror flow and descent, Bregman projections, largest margins, steepest descent.

Read ``flow`` and ``descent`` first (training a linear model), then ``projection`` (where both end). ``margins`` and
``steepest`` are about classification (the largest margins, and the descent that finds them), ``problem`` says what all of
them accept.
"""

from .descent import LinearDescent, mirror_descent
from .flow import LinearPath, mirror_flow
from .margins import MaxMargin, max_margin
from .projection import Projection, bregman_projection
from .steepest import SteepestDescent, steepest_descent

__all__ = [
    "LinearDescent",
    "LinearPath",
    "MaxMargin",
    "Projection",
    "SteepestDescent",
    "bregman_projection",
    "max_margin",
    "mirror_descent",
    "mirror_flow",
    "steepest_descent",
]
