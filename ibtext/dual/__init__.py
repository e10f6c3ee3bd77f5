r"""The equation in M unknowns behind every chapter, its root and its flow.

Read ``columns`` first (what a problem is), then ``solve`` (its root, by Newton's method), ``robust`` (what stands beside
that method) and ``flow`` (its path in time).
"""

from .columns import Columns, FiniteColumns
from .flow import dual_flow, linear_flow
from .robust import LARGEST_LOSS, DualSolution, newton_step, refine
from .solve import newton, solve_dual

__all__ = ["LARGEST_LOSS", "Columns", "DualSolution", "FiniteColumns", "dual_flow", "linear_flow", "newton", "newton_step"]
__all__ += ["refine", "solve_dual"]
