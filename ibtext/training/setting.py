r"""What is trained: a network, its data, the layers that move and the potential of the displacements, all of it checked.

With the potential :math:`\varphi` of one coordinate of :math:`(\theta - c)/u`, c its centre and u its unit, mirror flow reads

.. math:: z' = \tfrac{1}{nu} J(\theta)^T r, \qquad r = y - f(x, \theta), \qquad \theta = c + u\,(\varphi')^{-1}(z).

The unit is 1/n for a scaled potential, whose z is the dual variable n z of the book, and 1 for any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace
from numpy.typing import ArrayLike

from ..errors import check_choice, check_data
from ..potentials import Potential, QuadraticPotential, Scaled
from .network import ShallowNetwork

__all__ = ["LAYERS", "TrainingSetting", "check_displaceable", "check_network", "coordinate_potential"]

LAYERS = ("all", "output")


def check_network(net: Any) -> None:
    """Refuse anything but a ``ShallowNetwork``."""
    if not isinstance(net, ShallowNetwork):
        raise TypeError(
            f"net must be a ShallowNetwork, but {type(net).__name__} was given; use ShallowNetwork.sample, or build one from "
            f"its parameter arrays."
        )


def coordinate_potential(potential: Potential | Scaled | None, n: int) -> tuple[Potential, float]:
    """The potential of one coordinate, and the unit in which it measures displacements at width n."""
    if isinstance(potential, Scaled):
        return potential.phi, 1 / n
    if potential is not None and not isinstance(potential, Potential):
        raise TypeError(
            f"potential must be a potential or Scaled(potential), but {type(potential).__name__} was given; pass for instance "
            f"potential=PowerPotential(p=3)."
        )
    return (QuadraticPotential(0.5) if potential is None else potential), 1.0


def check_displaceable(phi: Potential, lowest: float, highest: float) -> None:
    """Refuse a potential whose domain does not hold the displacements at the start."""
    low, high = phi.domain
    if not low < lowest <= highest < high:
        raise ValueError(
            f"a potential acts on displacements from its centre, but {phi} lives on ({low:g}, {high:g}) and a displacement at "
            f"the start is {lowest if lowest <= low else highest:g}; use HypentropyPotential, or pass center= to mirror_flow."
        )


@dataclass(frozen=True, eq=False)
class TrainingSetting:
    """A start, its data and its potential, in the namespace and on the device of the network.

    Attributes
    ----------
    net : ShallowNetwork
    x, y : arrays (M,)
    phi, unit : Potential, float
        The potential acts on each coordinate of (theta - center) / unit.
    center : array (3n + 1,)
    layers : "all" or "output"
    """

    net: ShallowNetwork
    x: Any
    y: Any
    phi: Potential
    unit: float
    center: Any
    layers: str

    @classmethod
    def checked(
        cls,
        net: ShallowNetwork,
        x: ArrayLike,
        y: ArrayLike,
        potential: Potential | Scaled | None = None,
        layers: str = "all",
        center: dict[str, Any] | None = None,
    ) -> TrainingSetting:
        """The setting, or a refusal of what cannot be trained."""
        x, y = check_data(x, y)
        check_network(net)
        check_choice("layers", layers, LAYERS)
        phi, unit = coordinate_potential(potential, net.width)
        middle = net.flat
        if center is not None:
            if not isinstance(center, dict) or set(center) != set(net.parameters):
                names = sorted(center) if isinstance(center, dict) else type(center).__name__
                raise ValueError(
                    f"center must hold the parameters {', '.join(net.parameters)}, but {names} was given; pass for instance "
                    f"center=other.parameters."
                )
            middle = ShallowNetwork(**center, activation=net.activation).flat
        setting = cls(net, net.inputs(x), net.inputs(y), phi, unit, middle, layers)
        xp, start = array_namespace(middle), (net.flat - middle) / unit
        check_displaceable(phi, float(xp.min(start)), float(xp.max(start)))
        hessian = phi.hessian(start)
        if not bool(xp.all(xp.isfinite(hessian) & (hessian > 0))):
            raise ValueError(
                f"mirror flow needs a potential whose second derivative at the start is positive and finite, but that of "
                f"{phi} is not; add a quadratic term, as in PowerPotential(p, omega)."
            )
        return setting

    @property
    def rate(self) -> float:
        """1/(n u), the factor in front of the gradient."""
        return 1 / (self.net.width * self.unit)

    def dual(self, theta: Any) -> Any:
        """The dual variable z of flat parameters."""
        return self.phi.gradient((theta - self.center) / self.unit)

    def primal(self, z: Any) -> Any:
        """The flat parameters of a dual variable."""
        return self.center + self.unit * self.phi.inverse_gradient(z)

    def inverse_hessian(self, theta: Any) -> Any:
        """1/phi'' of every parameter, 0 for the frozen ones."""
        result, n = 1 / self.phi.hessian((theta - self.center) / self.unit), self.net.width
        if self.layers == "output":
            result[: 2 * n] = result[3 * n :] = 0.0
        return result
