r"""Activation functions that are linear on each side of zero.

Such a :math:`\sigma` is fixed by its two slopes: :math:`\sigma(u) = s_- u` for :math:`u < 0` and
:math:`s_+ u` for :math:`u > 0`. A unit :math:`x \mapsto \sigma(wx - b)` is then linear with one kink, its
*breakpoint* :math:`c = b/w`. At the kink the code uses the derivative 0 for the absolute value and the mean of
the two slopes in general, the element of the subdifferential that respects the symmetry of the problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from .errors import check_choice

__all__ = ["ACTIVATIONS", "Activation", "get_activation"]


@dataclass(frozen=True)
class Activation:
    """A two-slope activation: ``left`` below zero, ``right`` above."""

    name: str
    left: float
    right: float

    def value(self, u: Any) -> Any:
        """The activation at ``u``, elementwise."""
        xp = array_namespace(u)
        if self.right == -self.left:
            return self.right * xp.abs(u) if self.right != 1 else xp.abs(u)
        if self.left == 0:
            return self.right * xp.clip(u, 0.0, None) if self.right != 1 else xp.clip(u, 0.0, None)
        return xp.where(u > 0, self.right * u, self.left * u)

    def slope(self, u: Any) -> Any:
        """The derivative at ``u``, elementwise, with the mean of both slopes at the kink."""
        xp = array_namespace(u)
        return (self.right + self.left) / 2 + (self.right - self.left) / 2 * xp.sign(u)


ACTIVATIONS = {
    "relu": Activation("relu", 0.0, 1.0),
    "abs": Activation("abs", -1.0, 1.0),
    "leaky_relu": Activation("leaky_relu", 0.1, 1.0),
}


def get_activation(name: str | Activation) -> Activation:
    """Look up an activation by name; an ``Activation`` (for instance another leak) is returned as it is."""
    if isinstance(name, Activation):
        return name
    return ACTIVATIONS[check_choice("activation", name, tuple(ACTIVATIONS))]
