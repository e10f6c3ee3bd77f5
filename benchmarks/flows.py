"""Training: ``mirror_flow`` in units of one pass, and beside the full-batch loop in torch."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np

import ibtext as ib
from ibtext.demonstration import X, Y

from .problem import POTENTIALS, network
from .timing import Table, median, seconds

TOL = 1e-8


def one_pass(net: ib.ShallowNetwork) -> None:
    """One Jacobian and one M x M kernel, in plain NumPy."""
    u = np.multiply.outer(X, net.weight) - net.bias
    slope = np.sign(u) * net.output
    jacobian = np.concatenate([slope * X[:, None], -slope, np.abs(u), np.ones((X.size, 1))], axis=1)
    _ = jacobian @ jacobian.T / net.width


def wide() -> Table:
    """Width 100 000, both layers, residual 1e-8."""
    net = network(100_000)
    unit = median(lambda: one_pass(net), repeats=9)
    table = Table(
        "Training to residual 1e-8: both layers, M = 5, width 100 000",
        f"One pass is one Jacobian and one M x M kernel at this width in plain NumPy: {seconds(unit)}.",
        ("potential (scaled)", "`mirror_flow`", "steps", "sweeps", "cost in passes", "flow time"),
    )
    for name, phi in POTENTIALS.items():
        run = ib.mirror_flow(net, X, Y, potential=ib.Scaled(phi), tol=TOL)
        took = median(lambda phi=phi: ib.mirror_flow(net, X, Y, potential=ib.Scaled(phi), tol=TOL), repeats=3, warm_up=False)
        table.add(name, seconds(took), f"{run.steps}", f"{run.passes}", f"{took / unit:.0f}", f"{run.times[-1]:.1e}")
    return table


def _train_once(width: int, name: str) -> str:
    """Train one network and report seconds and peak memory: run in a process of its own."""
    net = network(width)
    begin = time.perf_counter()
    run = ib.mirror_flow(net, X, Y, potential=ib.Scaled(POTENTIALS[name]), tol=TOL)
    took = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{took} {peak} {run.passes}"


def widths() -> Table:
    """Cost and memory against width."""
    table = Table(
        "Cost and memory against width (both layers, residual 1e-8)",
        "Every run in a process of its own; memory is the peak of that process, the interpreter and its libraries included.",
        ("width", "potential", "time", "time per neuron", "sweeps", "peak memory"),
    )
    for width in (10_000, 100_000, 1_000_000):
        for name in ("x^4 + x^2", "cosh"):
            code = f"from benchmarks.flows import _train_once; print(_train_once({width}, {name!r}))"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            took, peak, sweeps = (float(v) for v in done.stdout.split())
            table.add(f"{width:,}", name, seconds(took), seconds(took / width), f"{sweeps:.0f}", f"{peak:.2f} GiB")
    return table


def torch_loop(width: int, name: str, budget: float) -> tuple[int, float, float]:
    """The plain full-batch mirror-descent loop in torch, at its largest stable step, for ``budget`` seconds.

    Returns the steps made, the residual then and the step size in units of flow time. The potential acts on the
    displacement from the start; its inverse gradient is the closed one.
    """
    import torch

    phi, net = POTENTIALS[name], network(width)
    x, y = torch.tensor(X), torch.tensor(Y)
    start = [torch.tensor(v) for v in (net.weight, net.bias, net.output, np.array([net.output_bias]))]

    def run(step_size: float, limit: int, seconds_left: float) -> list[float]:
        theta = [v.clone().requires_grad_() for v in start]
        dual = [torch.zeros_like(v) for v in start]
        history = []
        begin = time.perf_counter()
        for k in range(limit):
            w, b, a, d = theta
            residual = torch.abs(x[:, None] * w - b) @ a + d - y
            history.append(float(residual.detach().abs().max()))
            if not TOL < history[-1] < 10 or (k % 256 == 0 and time.perf_counter() - begin > seconds_left):
                break
            gradients = torch.autograd.grad(0.5 * (residual**2).sum(), theta)
            with torch.no_grad():
                for v, z, v0, g in zip(theta, dual, start, gradients, strict=True):
                    z -= step_size * g
                    v.copy_(v0 + phi.inverse_gradient(z) / width)
        return history

    # 2 / lambda_max(H) at the start bounds the stable steps; go down by 5 % until 400 steps do not blow up
    step_size = 1.9 * float(phi.hessian(0.0)) / float(np.linalg.eigvalsh(net.kernel(X))[-1])
    while True:
        trial = run(step_size, 400, float("inf"))
        if len(trial) == 400 and trial[-1] <= max(trial[:50]):
            break
        step_size *= 0.95
    history = run(step_size, 10**9, budget)
    return len(history), history[-1], step_size


def residual_at(run: ib.TrainingRun, t: float) -> float:
    """Largest residual of a flow at time t, interpolated in the logarithms of both."""
    largest = np.max(np.abs(run.residuals), axis=1)[1:]
    return float(np.exp(np.interp(np.log(t), np.log(run.times[1:]), np.log(largest))))


def time_of(run: ib.TrainingRun, residual: float) -> float:
    """Flow time at which the largest residual has fallen to ``residual`` for good."""
    largest = np.max(np.abs(run.residuals), axis=1)
    last = int(np.flatnonzero(largest > residual)[-1])
    t, r = np.log(run.times[last : last + 2]), np.log(largest[last : last + 2])
    return float(np.exp(np.interp(np.log(residual), r[::-1], t[::-1])))


def loop(width: int = 4860, budget: float = 15.0) -> Table:
    """mirror_flow beside the torch loop, in passes."""
    net = network(width)
    unit = median(lambda: one_pass(net), repeats=25)
    table = Table(
        f"Passes to residual 1e-8: `mirror_flow` beside the full-batch loop in torch (width {width}, both layers)",
        f"The loop runs for {budget:.0f} s at its largest stable step, or until it arrives. It follows the flow, as its "
        "residual beside that of the flow at the same flow time shows, so the steps that it needs are the time at which "
        "the flow (followed to 1e-5) reaches 1e-8, divided by the step size. One step of the loop counts as one pass; "
        "`mirror_flow` counts by its time.",
        ("potential (scaled)", "`mirror_flow`", "loop: steps made", "residual then", "flow then", "steps to 1e-8", "ratio"),
    )
    for name, phi in POTENTIALS.items():
        potential = ib.Scaled(phi)
        took = median(lambda potential=potential: ib.mirror_flow(net, X, Y, potential=potential, tol=TOL), repeats=5)
        passes = took / unit
        exact = ib.mirror_flow(net, X, Y, potential=potential, tol=TOL / 10, rtol=1e-5)
        steps, residual, step_size = torch_loop(width, name, budget)
        total = time_of(exact, TOL) / step_size
        beside = residual_at(exact, steps * step_size)
        table.add(
            name, f"{passes:.0f} passes", f"{steps:,}", f"{residual:.2e}", f"{beside:.2e}", f"{total:.1e}",
            f"{total / passes:,.0f}",
        )  # fmt: skip
    return table
