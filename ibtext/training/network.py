r"""Shallow networks of finite width: values, Jacobian and tangent kernels.

.. math:: f(x) = \sum_{j=1}^n a_j\, \sigma(w_j x - b_j) + d

The parameters in a flat vector of length 3n + 1 are ordered (weight w, bias b, output a, output bias d). All
sums over neurons run over blocks, so that memory stays O(n) and a block fits in cache. Arrays may be NumPy
arrays or torch tensors on any device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj
from numpy.typing import ArrayLike

from ..activations import AnyActivation, get_activation
from ..errors import LARGEST_ARGUMENT, check_arguments, check_count, check_flag, check_number, check_points
from ..laws import Initialization

__all__ = ["ShallowNetwork", "TangentMap"]

BLOCK = 1 << 15
"""Numbers in a block of features: about 256 kB, the size of a second-level cache."""


class TangentMap:
    r"""A network at data points x as a function of its flat parameter vector, with its Jacobian J.

    Offers ``value(theta) = f(x)``, ``pull(theta, r) = J^T r``, ``push(theta, v) = J v`` and
    ``kernel(theta, weights) = J diag(weights) J^T`` without ever storing J. Every call costs O(n M), the kernel
    O(n M^2), and O(n) memory. ``passes`` counts sweeps over the neurons.
    """

    def __init__(self, x: Any, activation: AnyActivation, n: int, layers: str = "all") -> None:
        self.x, self.activation, self.n, self.layers = x, activation, n, layers
        self.xp = array_namespace(x)
        size = max(1, BLOCK // max(1, x.shape[0]))
        self.blocks = [slice(k, min(k + size, n)) for k in range(0, n, size)]
        self.passes = 0

    def _parts(self, flat: Any, block: slice) -> tuple[Any, Any, Any]:
        """The entries of weight, bias and output of a block in a flat vector."""
        first, second, third = (flat[k * self.n + block.start : k * self.n + block.stop] for k in range(3))
        return first, second, third

    def _sweep(self, theta: Any) -> Iterator[tuple[slice, Any, Any]]:
        """Blocks of neurons with sigma(w x - b) and a sigma'(w x - b), (M, block) each; the latter where the layer moves."""
        self.passes += 1
        for block in self.blocks:
            w, b, a = self._parts(theta, block)
            u = self.x[:, None] * w[None, :] - b[None, :]
            yield block, self.activation.value(u), self.activation.slope(u) * a if self.layers == "all" else None

    def value(self, theta: Any) -> Any:
        """f(x), shape (M,)."""
        self.passes += 1
        out = theta[3 * self.n] + self.xp.zeros_like(self.x)
        for block in self.blocks:
            w, b, a = self._parts(theta, block)
            out = out + self.activation.value(self.x[:, None] * w[None, :] - b[None, :]) @ a
        return out

    def pull(self, theta: Any, r: Any) -> Any:
        """J(theta)^T r, a flat vector; entries of a frozen first layer are zero."""
        out = self.xp.zeros_like(theta)
        for block, value, slope in self._sweep(theta):
            weight, bias, output = self._parts(out, block)
            output[...] = r @ value
            if slope is not None:
                weight[...], bias[...] = (r * self.x) @ slope, -(r @ slope)
        if self.layers == "all":
            out[3 * self.n] = self.xp.sum(r)
        return out

    def push(self, theta: Any, v: Any) -> Any:
        """J(theta) v, shape (M,)."""
        out = self.xp.zeros_like(self.x)
        for block, value, slope in self._sweep(theta):
            weight, bias, output = self._parts(v, block)
            out = out + value @ output
            if slope is not None:
                out = out + self.x * (slope @ weight) - slope @ bias
        return out + v[3 * self.n] if self.layers == "all" else out

    def kernel(self, theta: Any, weights: Any) -> Any:
        """J diag(weights) J^T, shape (M, M), for a flat vector of 3n + 1 weights."""
        outer = self.x[:, None] * self.x[None, :]
        out = 0.0 * outer
        for block, value, slope in self._sweep(theta):
            weight, bias, output = self._parts(weights, block)
            out = out + (value * output) @ value.T
            if slope is not None:
                out = out + outer * ((slope * weight) @ slope.T) + (slope * bias) @ slope.T
        return out + weights[3 * self.n] if self.layers == "all" else out


@dataclass(frozen=True, eq=False)
class ShallowNetwork:
    r"""A network with one hidden layer, :math:`f(x)=\sum_j a_j\sigma(w_j x-b_j)+d`, univariate input.

    Parameters
    ----------
    weight, bias, output : arrays (n,)
        w, b and a; NumPy arrays or torch tensors, float64.
    output_bias : float
        d.
    activation : "relu", "abs", "leaky_relu" or Activation

    Examples
    --------
    >>> net = ShallowNetwork([1.0, -1.0], [0.0, 0.0], [1.0, 1.0], 0.0, activation="relu")
    >>> float(net(-3.0))
    3.0
    """

    weight: Any
    bias: Any
    output: Any
    output_bias: Any = 0.0
    activation: str | AnyActivation = "relu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", get_activation(self.activation))
        for name in ("weight", "bias", "output"):
            value = getattr(self, name)
            if not is_array_api_obj(value) or isinstance(value, np.ndarray):
                value = check_points(name, value)
            object.__setattr__(self, name, value)
        shapes = [tuple(getattr(self, name).shape) for name in ("weight", "bias", "output")]
        if len(shapes[0]) != 1 or len(set(shapes)) != 1:
            raise ValueError(
                f"weight, bias and output must be arrays of one length n, but shapes {shapes} were given; pass one number of "
                f"each per unit."
            )
        xp = array_namespace(self.weight)
        theta = xp.concat([self.weight, self.bias, self.output])
        if theta.dtype != xp.float64 or not bool(xp.all(xp.abs(theta) <= LARGEST_ARGUMENT)):
            raise ValueError(
                f"parameters must be float64 numbers of size at most {LARGEST_ARGUMENT:g}, but {theta.dtype} with the largest "
                f"size {float(xp.max(xp.abs(theta))):g} was given; convert float32 tensors with tensor.double()."
            )
        object.__setattr__(self, "output_bias", check_number("output_bias", self.output_bias))

    @classmethod
    def sample(
        cls,
        *,
        width: int,
        activation: str | AnyActivation = "relu",
        initialization: Initialization,
        rng: Any = None,
        antisymmetric: bool = False,
    ) -> ShallowNetwork:
        r"""Draw a network from an initialisation.

        With ``antisymmetric=True`` two copies of ``width`` units are joined with output weights
        :math:`\pm a/\sqrt2`, so that f = 0 at the start while the tangent kernel is that of one copy; the network
        then has 2 ``width`` units.
        """
        width, antisymmetric = check_count("width", width), check_flag("antisymmetric", antisymmetric)
        if not isinstance(initialization, Initialization):
            raise TypeError(
                f"initialization must be an Initialization, but {initialization!r} was given; pass for instance "
                f"Initialization(bias=stats.uniform(-1, 2))."
            )
        draw = initialization.sample(width, rng=rng)
        if antisymmetric:
            a = draw["output"] / np.sqrt(2)
            return cls(np.tile(draw["weight"], 2), np.tile(draw["bias"], 2), np.concatenate([a, -a]), 0.0, activation)
        return cls(draw["weight"], draw["bias"], draw["output"], draw["output_bias"], activation)

    @property
    def width(self) -> int:
        """Number of hidden units n."""
        return int(self.weight.shape[0])

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name: "weight", "bias", "output", "output_bias"."""
        return {name: getattr(self, name) for name in ("weight", "bias", "output", "output_bias")}

    @cached_property
    def flat(self) -> Any:
        """All 3n + 1 parameters in one vector, in the order weight, bias, output, output bias."""
        xp = array_namespace(self.weight)
        last = xp.asarray([self.output_bias], dtype=xp.float64, device=device(self.weight))
        return xp.concat([self.weight, self.bias, self.output, last])

    def with_flat(self, theta: Any) -> ShallowNetwork:
        """A network of the same shape with parameters from a flat vector."""
        n = self.width
        return ShallowNetwork(theta[:n], theta[n : 2 * n], theta[2 * n : 3 * n], float(theta[3 * n]), self.activation)

    def inputs(self, t: ArrayLike) -> Any:
        """Points as a one-dimensional float64 array in the namespace and on the device of the parameters."""
        xp = array_namespace(self.weight)
        if is_array_api_obj(t) and not isinstance(t, (np.ndarray, np.generic)):
            return xp.reshape(t, (-1,))
        points = check_arguments(t).ravel()
        return xp.asarray(points, dtype=xp.float64, device=device(self.weight))

    def tangent(self, x: ArrayLike, layers: str = "all") -> TangentMap:
        """The network at points x as a function of its parameters."""
        return TangentMap(self.inputs(x), get_activation(self.activation), self.width, layers)

    def __call__(self, t: ArrayLike) -> Any:
        """Values at points ``t``, of the shape of ``t``. Cost O(n T), memory O(n)."""
        xp = array_namespace(self.weight)
        points = self.inputs(t)
        chunks = [self.tangent(points[k : k + 256]).value(self.flat) for k in range(0, points.shape[0], 256)]
        return xp.reshape(xp.concat(chunks) if chunks else points, tuple(np.shape(t)))

    def jacobian(self, x: ArrayLike) -> Any:
        """Derivatives of f(x) with respect to (weight, bias, output, output bias), shape (M, 3n + 1)."""
        xp, activation = array_namespace(self.weight), get_activation(self.activation)
        points = self.inputs(x)[:, None]
        u = points * self.weight[None, :] - self.bias[None, :]
        slope = activation.slope(u) * self.output
        return xp.concat([slope * points, -slope, activation.value(u), xp.ones_like(points)], axis=1)

    def kernel(self, x: ArrayLike, *, metric: ArrayLike | None = None, layers: str = "all") -> Any:
        r"""Tangent kernel :math:`n^{-1} J\,\mathrm{diag}(\text{metric})\,J^T`, shape (M, M).

        ``metric`` is a flat vector of length 3n + 1, ones by default; with
        :math:`1/\varphi''` of the displacements it is the mirror kernel H of the flow.
        """
        xp = array_namespace(self.weight)
        tangent = self.tangent(x, layers)
        return tangent.kernel(self.flat, xp.ones_like(self.flat) if metric is None else metric) / self.width
