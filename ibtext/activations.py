r"""Activation functions that are homogeneous: linear on each side of zero, or a power of relu.

A two-slope :math:`\sigma` is fixed by its slopes: :math:`\sigma(u) = s_- u` for :math:`u < 0` and
:math:`s_+ u` for :math:`u > 0`. A unit :math:`x \mapsto \sigma(wx - b)` is then linear with one kink, its
*breakpoint* :math:`c = b/w`. At the kink the code uses the derivative 0 for the absolute value and the mean of
the two slopes in general, the element of the subdifferential that respects the symmetry of the problem.
A power :math:`\max(u, 0)^k` bends more smoothly, and its networks learn splines of degree 2k + 1.
"""

import re
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from .errors import check_choice, check_count

__all__ = ["ACTIVATIONS", "Activation", "AnyActivation", "ReLUPower"]


@dataclass(frozen=True)
class Activation:
    """A two-slope activation: ``left`` below zero, ``right`` above.

    Examples
    --------
    >>> import numpy as np
    >>> Activation("leaky", 0.2, 1.0).value(np.array([-1.0, 2.0])).tolist()
    [-0.2, 2.0]
    """

    name: str
    left: float
    right: float

    @property
    def degree(self) -> int:
        """Degree of homogeneity."""
        return 1

    @property
    def sides(self) -> tuple[float, float]:
        """The factors of ``max(u, 0)`` and of ``max(-u, 0)``."""
        return self.right, -self.left

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


@dataclass(frozen=True)
class ReLUPower:
    r"""The activation :math:`\max(u, 0)^k`; by name ``"relu^2"``, ``"relu^3"``, ...

    ``k = 1`` is relu. Source: Jin and Montúfar (2023), Corollary 4 (other activations).

    Examples
    --------
    >>> import numpy as np
    >>> ReLUPower(2).value(np.array([-1.0, 3.0])).tolist()
    [0.0, 9.0]
    """

    k: int

    def __post_init__(self) -> None:
        check_count("k", self.k)

    @property
    def name(self) -> str:
        """The name by which ``get_activation`` finds it."""
        return f"relu^{self.k}"

    @property
    def degree(self) -> int:
        """Degree of homogeneity, k."""
        return self.k

    @property
    def sides(self) -> tuple[float, float]:
        """The factors of ``max(u, 0)^k`` and of ``max(-u, 0)^k``."""
        return 1.0, 0.0

    def value(self, u: Any) -> Any:
        """The activation at ``u``, elementwise."""
        return array_namespace(u).clip(u, 0.0, None) ** self.k

    def slope(self, u: Any) -> Any:
        """The derivative at ``u``, elementwise; one half at the kink of relu itself."""
        xp = array_namespace(u)
        if self.k == 1:
            return (1 + xp.sign(u)) / 2
        return self.k * xp.clip(u, 0.0, None) ** (self.k - 1)


AnyActivation = Activation | ReLUPower
"""What ``activation=`` may be, besides a name."""

ACTIVATIONS = {
    "relu": Activation("relu", 0.0, 1.0),
    "abs": Activation("abs", -1.0, 1.0),
    "leaky_relu": Activation("leaky_relu", 0.1, 1.0),
}


def get_activation(name: str | AnyActivation) -> AnyActivation:
    """Look up an activation by name; an ``Activation`` (for instance another leak) is returned as it is.

    Examples
    --------
    >>> get_activation("relu^3")
    ReLUPower(k=3)
    """
    if isinstance(name, Activation):
        return name
    if isinstance(name, ReLUPower):
        return name if name.k > 1 else ACTIVATIONS["relu"]
    power = re.fullmatch(r"relu\^([1-9][0-9]?)", name) if isinstance(name, str) else None
    if power:
        return get_activation(ReLUPower(int(power[1])))
    if not isinstance(name, str) or name not in ACTIVATIONS:
        check_choice("activation", name, (*ACTIVATIONS, "relu^2", "relu^3"))
    return ACTIVATIONS[name]
