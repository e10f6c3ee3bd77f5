r"""The equation in M unknowns behind every chapter, its root and its flow.

Read ``columns`` first (what a problem is), then ``solve`` (its root, by Newton's method) and ``flow`` (its path in time).
"""

from .columns import Columns, FiniteColumns
from .flow import dual_flow, linear_flow
from .solve import LARGEST_LOSS, DualSolution, solve_dual

__all__ = ["LARGEST_LOSS", "Columns", "DualSolution", "FiniteColumns", "dual_flow", "linear_flow", "solve_dual"]
