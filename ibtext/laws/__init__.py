"""Laws of the parameters at the start.

Read ``initialization`` first: what a reader passes, and all that a quadrature rule asks of it. Then ``joint`` (weight and bias
with densities), ``penalty`` (the law whose curvature penalty is given) and ``frozen`` (what is asked of a frozen law of SciPy).
"""

from .initialization import Initialization
from .joint import JointLaw
from .penalty import PenaltyLaw

__all__ = ["Initialization", "JointLaw", "PenaltyLaw"]
