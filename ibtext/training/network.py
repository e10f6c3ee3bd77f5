r"""Shallow networks of finite width: values, Jacobian and tangent kernels.

.. math:: f(x) = \sum_{j=1}^n a_j\, \sigma(w_j x - b_j) + d

The parameters in a flat vector of length 3n + 1 are ordered (weight w, bias b, output a, output bias d). All
sums over neurons run over blocks, so that memory stays O(n) and a block fits in cache. Arrays may be NumPy
arrays or torch tensors on any device.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from ..activations import AnyActivation, get_activation
from ..errors import LARGEST_ARGUMENT, check_arguments, check_count, check_flag, check_number, check_points
from ..laws import Initialization

__all__ = ["ShallowNetwork", "TangentMap"]

BLOCK = 1 << 15
"""Numbers in a block of features: about 256 kB, the size of a second-level cache."""


class TangentMap:
    r"""A network at data points x as a function of its flat parameter vector, with its Jacobian J.

    Offers ``value(theta) = f(x)``, ``pull(theta, r) = J^T r``, ``push(theta, v) = J v`` and
    ``kernel(theta, metric) = J diag(metric) J^T`` without ever storing J. Every call costs O(n M), the kernel
    O(n M^2), and O(n) memory. ``passes`` counts sweeps over the neurons.
    """

    def __init__(self, x: Any, activation: AnyActivation, n: int, layers: str = "all") -> None:
        self.x, self.activation, self.n, self.layers = x, activation, n, layers
        self.xp = array_namespace(x)
        size = max(1, BLOCK // max(1, x.shape[0]))
        self.blocks = [slice(k, min(k + size, n)) for k in range(0, n, size)]
        self.passes = 0

    def _part(self, theta: Any, number: int, block: slice) -> Any:
        return theta[number * self.n + block.start : number * self.n + block.stop]

    def preactivation(self, theta: Any, block: slice) -> Any:
        """w x - b for a block of neurons, shape (M, block)."""
        w, b = self._part(theta, 0, block), self._part(theta, 1, block)
        return self.x[:, None] * w[None, :] - b[None, :]

    def value(self, theta: Any) -> Any:
        """f(x), shape (M,)."""
        self.passes += 1
        out = theta[3 * self.n] + self.xp.zeros_like(self.x)
        for block in self.blocks:
            act = self.activation.value(self.preactivation(theta, block))
            out = out + act @ self._part(theta, 2, block)
        return out

    def pull(self, theta: Any, r: Any) -> Any:
        """J(theta)^T r, a flat vector; entries of a frozen first layer are zero."""
        self.passes += 1
        xp, n = self.xp, self.n
        out = xp.zeros_like(theta)
        for block in self.blocks:
            u = self.preactivation(theta, block)
            out[2 * n + block.start : 2 * n + block.stop] = r @ self.activation.value(u)
            if self.layers == "all":
                slope, a = self.activation.slope(u), self._part(theta, 2, block)
                out[block.start : block.stop] = a * ((r * self.x) @ slope)
                out[n + block.start : n + block.stop] = -a * (r @ slope)
        if self.layers == "all":
            out[3 * n] = xp.sum(r)
        return out

    def push(self, theta: Any, v: Any) -> Any:
        """J(theta) v, shape (M,)."""
        self.passes += 1
        out = self.xp.zeros_like(self.x)
        if self.layers == "all":
            out = out + v[3 * self.n]
        for block in self.blocks:
            u = self.preactivation(theta, block)
            out = out + self.activation.value(u) @ self._part(v, 2, block)
            if self.layers == "all":
                slope, a = self.activation.slope(u), self._part(theta, 2, block)
                out = out + self.x * (slope @ (a * self._part(v, 0, block)))
                out = out - slope @ (a * self._part(v, 1, block))
        return out

    def kernel(self, theta: Any, metric: Any) -> Any:
        """J diag(metric) J^T, shape (M, M), for a flat metric of length 3n + 1."""
        self.passes += 1
        xp = self.xp
        out = xp.zeros_like(self.x)[:, None] * self.x[None, :]
        if self.layers == "all":
            out = out + metric[3 * self.n]
        outer = self.x[:, None] * self.x[None, :]
        for block in self.blocks:
            u = self.preactivation(theta, block)
            act = self.activation.value(u)
            out = out + (act * self._part(metric, 2, block)) @ act.T
            if self.layers == "all":
                slope, square = self.activation.slope(u), self._part(theta, 2, block) ** 2
                out = out + outer * ((slope * (square * self._part(metric, 0, block))) @ slope.T)
                out = out + (slope * (square * self._part(metric, 1, block))) @ slope.T
        return out


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
                f"weight, bias and output must be arrays of one length n, but shapes {shapes} were given, probably a "
                f"matrix of weights or a missing unit; pass one number of each per unit."
            )
        xp = array_namespace(self.weight)
        theta = xp.concat([self.weight, self.bias, self.output])
        if theta.dtype != xp.float64 or not bool(xp.all(xp.abs(theta) <= LARGEST_ARGUMENT)):
            raise ValueError(
                f"parameters must be finite float64 numbers, at most {LARGEST_ARGUMENT:g}, but dtype {theta.dtype} with finite "
                f"entries {bool(xp.all(xp.isfinite(theta)))} was given, probably float32 tensors or a diverged run; convert with "
                f"tensor.double()."
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
                f"initialization must be an Initialization, but {initialization!r} was given, probably a name, a bare "
                f"law or a forgotten argument; pass Initialization(bias=stats.uniform(-1, 2))."
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
        return {
            "weight": self.weight,
            "bias": self.bias,
            "output": self.output,
            "output_bias": self.output_bias,
        }

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

    def inputs(self, t: Any) -> Any:
        """Points as a one-dimensional float64 array in the namespace and on the device of the parameters."""
        xp = array_namespace(self.weight)
        if is_array_api_obj(t) and not isinstance(t, (np.ndarray, np.generic)):
            return xp.reshape(t, (-1,))
        points = check_arguments(t).ravel()
        return xp.asarray(points, dtype=xp.float64, device=device(self.weight))

    def tangent(self, x: Any, layers: str = "all") -> TangentMap:
        """The network at points x as a function of its parameters."""
        return TangentMap(self.inputs(x), get_activation(self.activation), self.width, layers)

    def __call__(self, t: Any) -> Any:
        """Values at points ``t``, of the shape of ``t``. Cost O(n T), memory O(n)."""
        xp = array_namespace(self.weight)
        points = self.inputs(t)
        shape = tuple(t.shape) if is_array_api_obj(t) else np.shape(t)
        chunks = [
            TangentMap(points[k : k + 256], get_activation(self.activation), self.width).value(self.flat)
            for k in range(0, points.shape[0], 256)
        ]
        return xp.reshape(xp.concat(chunks) if chunks else points, shape)

    def jacobian(self, x: Any) -> Any:
        """Derivatives of f(x) with respect to (weight, bias, output, output bias), shape (M, 3n + 1)."""
        xp = array_namespace(self.weight)
        x = self.inputs(x)
        u = x[:, None] * self.weight[None, :] - self.bias[None, :]
        activation = get_activation(self.activation)
        slope = activation.slope(u) * self.output
        ones = xp.ones_like(x)[:, None]
        return xp.concat([slope * x[:, None], -slope, activation.value(u), ones], axis=1)

    def kernel(self, x: Any, *, metric: Any = None, layers: str = "all") -> Any:
        r"""Tangent kernel :math:`n^{-1} J\,\mathrm{diag}(\text{metric})\,J^T`, shape (M, M).

        ``metric`` is a flat vector of length 3n + 1, ones by default; with
        :math:`1/\varphi''` of the displacements it is the mirror kernel H of the flow.
        """
        xp = array_namespace(self.weight)
        tangent = self.tangent(x, layers)
        return tangent.kernel(self.flat, xp.ones_like(self.flat) if metric is None else metric) / self.width
