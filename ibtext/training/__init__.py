"""Finite networks, really trained: all parameters, to any residual.

Read ``network`` first, then ``setting`` (what is trained, in dual coordinates), ``linearized`` (the model that a wide
network resembles, and its limit), ``descent`` (explicit steps) and ``flow`` (the flow itself). ``implicit`` is the method
behind the flow, with ``assembly`` (its sums over the neurons), ``activation_pattern`` (who is active where) and
``contacts`` (breakpoints that meet a data point).
"""

from .descent import mirror_descent
from .flow import TrainingRun, mirror_flow
from .linearized import LinearizedLimit, training_limit
from .network import ShallowNetwork

__all__ = ["LinearizedLimit", "ShallowNetwork", "TrainingRun", "mirror_descent", "mirror_flow", "training_limit"]
