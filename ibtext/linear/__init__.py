"""Linear models: mirror flow and descent, Bregman projections, largest margins, steepest descent.

Read ``flow`` first (training a linear model), then ``projection`` (where it ends). ``margins`` and ``steepest`` are about
classification, ``problem`` about what all of them accept.
"""

from .flow import LinearDescent, LinearPath, Projection, bregman_projection, mirror_descent, mirror_flow
from .margins import MaxMargin, max_margin
from .projection import project
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
    "project",
    "steepest_descent",
]
