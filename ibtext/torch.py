r"""Mirror descent as a torch optimiser, for any torch model and any of the potentials.

One step moves the dual variable of every parameter and comes back through the inverse gradient:

.. math::

    z \leftarrow z - \text{lr}\, \nabla L(\theta), \qquad
    \theta \leftarrow c + (\varphi')^{-1}(z),

coordinatewise, with :math:`z = \varphi'(\theta - c)` at the start. The centre :math:`c` is the start itself, unless
another one is given. This module alone imports torch.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

try:
    import torch
    from torch.optim.optimizer import Optimizer, ParamsT
except ModuleNotFoundError as error:
    raise ImportError(f'ibtext.torch needs torch, but there is {str(error).lower()}; run pip install "ibtext[torch]".') from error

from .errors import ConvergenceError, check_count, check_flag, check_number, check_positive
from .potentials import Potential, QuadraticPotential, Scaled
from .potentials import catalogue as catalogue

__all__ = ["MirrorDescent"]


class MirrorDescent(Optimizer):
    r"""Mirror descent: :math:`\nabla\varphi(\theta_{k+1}-c) = \nabla\varphi(\theta_k-c) - \text{lr}\,\nabla L(\theta_k)`.

    Started at the centre of the potential, a linear model trained by it to zero loss ends at the interpolating
    solution of least :math:`\sum_k \varphi(\theta_k - c_k)` (chapter on mirror descent;
    ``ibtext.linear.bregman_projection`` computes that limit without training).

    Parameters
    ----------
    params : iterable of tensors, or of groups
        As for every torch optimiser. Each group may bring its own ``lr``, ``potential``, ``width``, ``center`` and
        ``maximize``.
    lr : float
        Step size :math:`\text{lr} > 0` in the dual variable. ``ibtext.mirror_descent`` steps by
        ``step_size / n`` on the loss :math:`\frac12\sum_i(f(x_i)-y_i)^2`, with n the width, so the same run has
        ``lr = step_size / n``; on torch's ``MSELoss`` (a mean over M points, without the half) it has
        ``lr = step_size * M / (2 * n)``. A scheduler may set it to zero later.
    potential : Potential or Scaled, optional
        None is gradient descent, :math:`\varphi(x) = x^2/2`.
    width : int, optional
        The n of ``Scaled(phi)``, :math:`n^{-2}\sum_k\varphi(n(\theta_k-c_k))`; needed for it, ignored elsewhere.
    center : "start", number, tensor or list of tensors
        The point c: the parameters as they are now (the default), one number for all coordinates, or one tensor for
        each parameter of the group. ``EntropyPotential`` needs ``center=0.0`` and positive parameters.
    maximize : bool
        Ascend instead of descend.

    Raises
    ------
    ValueError
        For ``lr`` that is not positive, a ``Scaled`` potential without ``width``, a centre of another shape,
        parameters outside the domain of the potential, sparse gradients, or a saved state that belongs to another
        potential of your own.
    TypeError
        For something that is no potential, or parameters that are complex.
    ConvergenceError
        If a step would make a parameter infinite or NaN. No parameter has been changed then.

    Notes
    -----
    Cost: one inverse gradient a parameter and step, O(number of parameters), on the device of the parameter.
    Arithmetic is in float64 for parameters of any precision. State per parameter: centre, dual variable (float64) and the
    value last written; the dual variable is carried along, so that rounding does not accumulate and small steps of
    float32 parameters are not lost. A parameter that something else has changed since the last step (clipping, another
    optimiser, loaded weights) starts from its new value.

    ``state_dict`` holds plain numbers, strings and tensors only, and can be loaded with
    ``torch.load(..., weights_only=True)``. The potentials of this package travel in it by name; an optimiser with
    a potential of your own must be constructed with that potential before its state is loaded.

    References
    ----------
    Nemirovski and Yudin (1983); Gunasekar, Lee, Soudry and Srebro (2018) for the limit.

    Examples
    --------
    One equation, :math:`w_1 + 2 w_2 = 1`. Gradient descent from zero ends at (0.2, 0.4); hypentropy with a small
    :math:`\beta` prefers a sparse solution.

    >>> import torch
    >>> from ibtext import HypentropyPotential
    >>> from ibtext.torch import MirrorDescent
    >>> w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    >>> optimizer = MirrorDescent([w], lr=1.0, potential=HypentropyPotential(beta=0.01))
    >>> for _ in range(200):
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w[0] + 2 * w[1] - 1) ** 2
    ...     loss.backward()
    ...     _ = optimizer.step()
    >>> print([round(v, 4) for v in w.tolist()])
    [0.0483, 0.4759]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        *,
        potential: Potential | Scaled | None = None,
        width: int | None = None,
        center: str | float | torch.Tensor | Sequence[torch.Tensor] = "start",
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "potential": potential, "width": width, "center": center, "maximize": maximize}
        super().__init__(params, defaults)
        self.defaults |= {"center": _describe_center(center)}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; its centre is taken now."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            group["lr"], group["maximize"] = check_positive("lr", group["lr"]), check_flag("maximize", group["maximize"])
            phi = _coordinate_potential(group)
            fresh = dict(zip(group["params"], _first_states(group, phi), strict=True))
        except Exception:
            self.param_groups.pop()  # a group that was refused leaves no trace
            raise
        group["center"] = _describe_center(group["center"])
        self.state.update(fresh)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step from the gradients that the parameters hold; return the loss of ``closure``, if any.

        Parameters without a gradient stay where they are. Either all parameters move or, if one of them cannot, none.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moves = []
        for group in self.param_groups:
            phi = _coordinate_potential(group)
            lr = check_positive("lr", group["lr"], allow_zero=True) * (-1.0 if group["maximize"] else 1.0)
            moves += [(p, *self._move(p, phi, lr)) for p in group["params"] if p.grad is not None and p.numel()]
        for p, dual, value in moves:
            p.copy_(value)
            self.state[p] |= {"dual": dual, "written": value}
        return loss

    def _move(self, p: torch.Tensor, phi: Potential, lr: float) -> tuple[torch.Tensor, torch.Tensor]:
        """The dual variable and the value of a parameter after one step."""
        gradient = p.grad
        assert gradient is not None
        if gradient.layout != torch.strided:
            raise ValueError(
                f"mirror descent needs dense gradients, but a parameter of shape {tuple(p.shape)} has one of layout "
                f"{gradient.layout}; build an Embedding with sparse=False."
            )
        state = self.state[p]
        center = state["center"].to(p.device)
        if torch.equal(p, state["written"].to(p)):
            dual = state["dual"].to(p.device)
        else:  # something else has moved the parameter
            dual = _dual(p, center, phi)
        dual = dual - lr * gradient.to(torch.float64)
        value = (center + phi.inverse_gradient(dual)).to(p.dtype)
        if not bool(torch.isfinite(value).all()):
            cause, remedy = "a step size that is too large", "use a smaller lr"
            if not bool(torch.isfinite(gradient).all()):
                cause, remedy = "a gradient that is NaN or infinite", "look for an overflow in the loss"
            raise ConvergenceError(
                f"a step must lead to finite parameters, but with lr={abs(lr):g} a parameter of shape {tuple(p.shape)} "
                f"would become {float(value[~torch.isfinite(value)][0])}, because of {cause}; {remedy}."
            )
        return dual, value

    def state_dict(self) -> dict[str, Any]:
        """The state as plain numbers, strings and tensors, as torch describes it."""
        saved = super().state_dict()
        for group in saved["param_groups"]:
            group["potential"] = _encode(group["potential"])
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state: potentials, centres, step sizes and dual variables.

        The next step is then, to the last bit, the one that the saved optimiser would have taken.
        """
        groups = [dict(group) for group in state_dict["param_groups"]]
        for saved, own in zip(groups, self.param_groups, strict=False):  # torch compares the numbers of groups
            if "potential" not in saved:
                raise ValueError(
                    f"the state must come from a MirrorDescent, but a group with the options {sorted(saved)} was given; load "
                    f"the file that belongs to this optimiser."
                )
            saved["potential"] = _decode(saved["potential"], own["potential"])
            for key, p in zip(saved["params"], own["params"], strict=False):
                shape = tuple(state_dict["state"][key]["written"].shape)
                if shape != tuple(p.shape):
                    raise ValueError(
                        f"the state must belong to parameters of the same shapes, but it has {shape} where the optimiser "
                        f"has {tuple(p.shape)}; build the model that was saved."
                    )
        super().load_state_dict({**state_dict, "param_groups": groups})
        # torch has cast the state to the parameter's precision: put the float64 values back
        for saved, own in zip(groups, self.param_groups, strict=True):
            own["potential"] = saved["potential"]  # torch has copied it
            for key, p in zip(saved["params"], own["params"], strict=True):
                self.state[p] = {name: v.to(p.device) for name, v in state_dict["state"][key].items()}


def _coordinate_potential(group: dict[str, Any]) -> Potential:
    """The potential that acts on one coordinate of a group."""
    potential = group["potential"]
    if group["width"] is not None:
        check_count("width", group["width"])
    if potential is None:
        return QuadraticPotential(0.5)
    if isinstance(potential, Scaled):
        if group["width"] is None:
            raise ValueError(
                f"a scaled potential needs the width n of the network, but width=None was given with {potential}; pass for "
                f"instance width=1000."
            )
        return potential.at_width(check_count("width", group["width"]))
    if isinstance(potential, Potential):
        return potential
    raise TypeError(
        f"potential must be a potential or Scaled(potential), but {potential!r} was given; pass for instance "
        f"potential=PowerPotential(p=3)."
    )


def _describe_center(center: Any) -> str | float:
    """What a group remembers of its centre: the tensors themselves are in the state."""
    if isinstance(center, str):
        return center
    return check_number("center", center) if isinstance(center, int | float) and not isinstance(center, bool) else "given"


def _first_states(group: dict[str, Any], phi: Potential) -> list[dict[str, torch.Tensor]]:
    """Centre, dual variable and value of the parameters of a new group."""
    params: list[torch.Tensor] = group["params"]
    for p in params:
        if p.is_complex():
            raise TypeError(
                f"mirror descent needs real parameters, but one has dtype {p.dtype}; store its real and imaginary parts as "
                f"two parameters."
            )
    states = []
    for p, center in zip(params, _centers(params, group["center"]), strict=True):
        value = p.detach().clone()
        states.append({"center": center, "dual": _dual(value, center, phi), "written": value})
    return states


def _centers(params: list[torch.Tensor], center: Any) -> list[torch.Tensor]:
    """One float64 centre for each parameter: of its shape, or a single number."""
    if isinstance(center, str) and center == "start":
        return [p.detach().to(torch.float64).clone() for p in params]
    if isinstance(center, int | float) and not isinstance(center, bool):
        number = check_number("center", center)
        given = [torch.tensor(number, dtype=torch.float64, device=p.device) for p in params]
    else:
        listed = [center] if isinstance(center, torch.Tensor) else center
        if not isinstance(listed, list | tuple) or not all(isinstance(c, torch.Tensor) for c in listed):
            raise TypeError(
                f"center must be 'start', a number, or one tensor for each parameter, but {center!r} was given; pass for "
                f"instance center=0.0."
            )
        shapes, wanted = [tuple(c.shape) for c in listed], [tuple(p.shape) for p in params]
        if shapes != wanted:
            raise ValueError(
                f"center must have the shapes of the parameters {wanted}, but shapes {shapes} were given; pass one tensor for "
                f"each parameter, in their order."
            )
        given = [c.detach().to(device=p.device, dtype=torch.float64).clone() for c, p in zip(listed, params, strict=True)]
    if not all(bool(torch.isfinite(c).all()) for c in given):
        raise ValueError(
            "center must be finite, but a NaN or infinite value was given; pass the parameters of a run that did not diverge."
        )
    return given


def _dual(p: torch.Tensor, center: torch.Tensor, phi: Potential) -> torch.Tensor:
    """The dual variable of a parameter, or a refusal if it lies outside the domain of the potential."""
    try:
        dual: torch.Tensor = phi.gradient(p.detach().to(torch.float64) - center)
    except ValueError as error:
        raise ValueError(
            f"every parameter minus its center must lie inside the domain of {phi}, but one of shape {tuple(p.shape)} does "
            f"not; pass center=0.0 and start from parameters inside the domain."
        ) from error
    if not bool(torch.isfinite(dual).all()):
        raise ValueError(
            f"the dual variable must be finite, but for a parameter of shape {tuple(p.shape)} it is not under {phi}; "
            f"start from finite parameters nearer to the centre."
        )
    return dual


def _encode(potential: Potential | Scaled | None) -> dict[str, Any] | None:
    """A potential as plain values: its numbers if this package has it, otherwise its name and what tells it from others."""
    if potential is None:
        return None
    phi = potential.phi if isinstance(potential, Scaled) else potential
    kind = type(phi)
    saved: dict[str, Any] = {"name": kind.__name__, "scaled": isinstance(potential, Scaled)}
    if getattr(catalogue, kind.__name__, None) is kind:
        names: list[str] = [field.name for field in dataclasses.fields(phi)] if dataclasses.is_dataclass(phi) else []
        return saved | {"values": {name: float(getattr(phi, name)) for name in names}}
    low, high = (float(end) for end in phi.domain)
    width = high - low if math.isfinite(high - low) else 4.0
    first = low if math.isfinite(low) else high - width if math.isfinite(high) else -width / 2
    slopes = phi.gradient(first + width * np.array([0.15, 0.4, 0.55, 0.9]))
    return saved | {"name": f"{kind.__module__}.{kind.__qualname__}", "slopes": [float(slope) for slope in slopes]}


def _decode(saved: dict[str, Any] | None, own: Potential | Scaled | None) -> Potential | Scaled | None:
    """The potential of a saved group: rebuilt if this package has it, otherwise the optimiser's own if it is the same."""
    if saved is None:
        return None
    if "values" in saved:
        phi: Potential = getattr(catalogue, saved["name"])(**saved["values"])
        return Scaled(phi) if saved["scaled"] else phi
    mine = _encode(own) or {}
    same = all(saved[key] == mine.get(key) for key in ("name", "scaled"))
    if not same or not np.allclose(saved["slopes"], mine["slopes"], rtol=1e-9, atol=0.0):
        raise ValueError(
            f"a saved potential that is not part of ibtext must be given again, but the state was saved with "
            f"{saved['name']} and this optimiser has {own!r}, or one of other options; construct it with that potential, "
            f"then load."
        )
    return own
