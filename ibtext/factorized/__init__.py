"""Models that are linear in the input and not in the parameters.

Read ``diagonal`` first (diagonal networks, their flow and its limit) with ``diagonal_potential`` (the potential that such a
network is equivalent to), then ``deep_linear`` (products of matrices) and ``matrix`` (factorised matrices, completion), which
``integrate`` follows in time.
"""

from .deep_linear import DeepLinearPath, balanced_start, deep_linear_flow, end_to_end_flow
from .diagonal import DiagonalDescent, DiagonalPath, descent, equivalent_potential, flow, limit
from .diagonal_potential import DiagonalPotential
from .matrix import FactorizationPath, completion_measurements, effective_rank, matrix_descent, matrix_flow

__all__ = [
    "DeepLinearPath",
    "DiagonalDescent",
    "DiagonalPath",
    "DiagonalPotential",
    "FactorizationPath",
    "balanced_start",
    "completion_measurements",
    "deep_linear_flow",
    "descent",
    "effective_rank",
    "end_to_end_flow",
    "equivalent_potential",
    "flow",
    "limit",
    "matrix_descent",
    "matrix_flow",
]
