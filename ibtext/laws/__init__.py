"""Laws of the parameters at the start.

Read ``initialization`` first (what a reader passes), then ``joint`` (weight and bias with densities) and ``penalty`` (the law
whose curvature penalty is given).
"""

from .initialization import Initialization
from .joint import JointLaw
from .penalty import PenaltyLaw

__all__ = ["Initialization", "JointLaw", "PenaltyLaw"]
