r"""The scaled potential :math:`n^{-2}\varphi(n x)`, which sees the small displacements of a wide network."""

from dataclasses import dataclass
from typing import Any

from ..errors import check_count
from .base import Potential

__all__ = ["Scaled"]


@dataclass(frozen=True)
class Scaled:
    r"""The scaled potential :math:`\Phi(\theta) = n^{-2} \sum_k \varphi(n(\theta_k - \theta_{0,k}))` of width n.

    The displacement of each parameter of a network of width n is of order 1/n; the factor n inside makes
    :math:`\varphi` see displacements of order one, so that its shape matters at any width.

    Parameters
    ----------
    phi : Potential

    Source: Liang and Montúfar (2025), definition of scaled potentials.
    """

    phi: Potential

    def __post_init__(self) -> None:
        if not isinstance(self.phi, Potential):
            raise TypeError(
                f"Scaled needs a potential of this package, but {self.phi!r} was given; pass for instance "
                f"Scaled(PowerPotential(p=3))."
            )

    def at_width(self, n: int) -> Potential:
        """The potential that acts on one coordinate's displacement at width ``n``."""
        return _AtWidth(self.phi, check_count("n", n))


@dataclass(frozen=True)
class _AtWidth(Potential):
    r"""The scaled potential of one coordinate at width n: :math:`n^{-2} \varphi(n x)`."""

    phi: Potential
    n: int

    def __post_init__(self) -> None:
        low, high = self.phi.domain
        object.__setattr__(self, "domain", (low / self.n, high / self.n))

    def __call__(self, x: Any) -> Any:
        return self.phi(self.n * x) / self.n**2

    def gradient(self, x: Any) -> Any:
        return self.phi.gradient(self.n * x) / self.n

    def hessian(self, x: Any) -> Any:
        return self.phi.hessian(self.n * x)

    def inverse_gradient(self, z: Any) -> Any:
        return self.phi.inverse_gradient(self.n * z) / self.n

    def conjugate(self, z: Any) -> Any:
        return self.phi.conjugate(self.n * z) / self.n**2

    def divergence(self, x: Any, y: Any) -> Any:
        return self.phi.divergence(self.n * x, self.n * y) / self.n**2
