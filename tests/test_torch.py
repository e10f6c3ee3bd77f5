"""The torch optimiser: the same iteration as ``ib.mirror_descent``, the limit that theory names, and torch's own promises."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import ibtext as ib
from ibtext.potentials.custom import CustomPotential
from ibtext.torch import MirrorDescent

F64 = torch.float64
POTENTIALS = {
    "none": None,
    "quadratic": ib.QuadraticPotential(),
    "power 3": ib.PowerPotential(3, 1.0),
    "power 2.5": ib.PowerPotential(2.5, 0.7),
    "cosh": ib.CoshPotential(),
    "hypentropy": ib.HypentropyPotential(0.3),
    "scaled power 3": ib.Scaled(ib.PowerPotential(3, 1.0)),
    "scaled cosh": ib.Scaled(ib.CoshPotential()),
}
A = np.array([[1.0, 2.0, -0.5, 0.3], [0.2, -1.0, 1.5, 0.8]])
B = np.array([1.0, 0.5])


class Shallow(torch.nn.Module):
    """The network of ``ib.ShallowNetwork`` with the absolute value, as anybody would write it in torch."""

    def __init__(self, net: ib.ShallowNetwork) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(net.weight))
        self.bias = torch.nn.Parameter(torch.tensor(net.bias))
        self.output = torch.nn.Parameter(torch.tensor(net.output))
        self.output_bias = torch.nn.Parameter(torch.tensor(net.output_bias, dtype=F64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.abs(x[:, None] * self.weight - self.bias) @ self.output + self.output_bias

    def flat(self) -> np.ndarray:
        return np.concatenate([p.detach().cpu().numpy().ravel() for p in self.parameters()])


def half_squares(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 0.5 * ((model(x) - y) ** 2).sum()


def train(optimizer, loss, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


def linear_problem(start, **options):
    """Weights w with A w = B, their optimiser and their loss."""
    w = torch.tensor(start, dtype=F64, requires_grad=True)
    a, b = torch.tensor(A), torch.tensor(B)
    return w, MirrorDescent([w], **options), lambda: 0.5 * ((a @ w - b) ** 2).sum()


# --- the same iteration as ib.mirror_descent ---------------------------------------------------------------


@pytest.mark.parametrize("name", POTENTIALS)
def test_same_network_as_mirror_descent(name, x, y, init):
    net = ib.ShallowNetwork.sample(width=40, activation="abs", initialization=init, rng=1, antisymmetric=True)
    step_size, steps = 0.2, 150 if name != "hypentropy" else 600
    run = ib.mirror_descent(net, x, y, potential=POTENTIALS[name], step_size=step_size, n_steps=steps)
    assert np.abs(run.residuals[-1]).max() < 0.7 * np.abs(run.residuals[0]).max()  # something was learnt

    model, tx, ty = Shallow(net), torch.tensor(x), torch.tensor(y)
    optimizer = MirrorDescent(model.parameters(), lr=step_size / net.width, potential=POTENTIALS[name], width=net.width)
    train(optimizer, lambda: half_squares(model, tx, ty), steps)
    moved = np.abs(run.network.flat - net.flat).max()
    np.testing.assert_allclose(model.flat(), run.network.flat, rtol=1e-12, atol=1e-12 * moved)


def test_mean_squared_error_has_the_factor_of_the_documentation(x, y, init):
    net = ib.ShallowNetwork.sample(width=40, activation="abs", initialization=init, rng=1)
    run = ib.mirror_descent(net, x, y, potential=ib.CoshPotential(), step_size=0.2, n_steps=20)
    model, tx, ty = Shallow(net), torch.tensor(x), torch.tensor(y)
    lr = 0.2 * len(x) / (2 * net.width)
    optimizer = MirrorDescent(model.parameters(), lr=lr, potential=ib.CoshPotential())
    train(optimizer, lambda: torch.nn.functional.mse_loss(model(tx), ty), 20)
    np.testing.assert_allclose(model.flat(), run.network.flat, rtol=1e-12, atol=1e-13)


def test_without_a_potential_it_is_sgd():
    w, optimizer, loss = linear_problem([0.1, -0.2, 0.3, 0.4], lr=0.1)
    v = w.detach().clone().requires_grad_()
    sgd = torch.optim.SGD([v], lr=0.1)
    train(optimizer, loss, 30)
    train(sgd, lambda: 0.5 * ((torch.tensor(A) @ v - torch.tensor(B)) ** 2).sum(), 30)
    np.testing.assert_allclose(w.detach(), v.detach(), rtol=1e-13)


# --- the limit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("potential", "start", "center", "lr"),
    [
        (ib.QuadraticPotential(), [0.0, 0.0, 0.0, 0.0], 0.0, 0.1),
        (ib.PowerPotential(3, 0.5), [0.3, 0.0, -0.2, 0.1], 0.0, 0.1),
        (ib.CoshPotential(), [0.5, 0.5, 0.5, 0.5], "start", 0.1),
        (ib.HypentropyPotential(0.1), [0.0, 0.0, 0.0, 0.0], 0.0, 0.1),
        (ib.EntropyPotential(), [0.2, 0.1, 0.3, 0.4], 0.0, 0.1),
        (ib.PNormPotential(1.5), [0.0, 0.0, 0.0, 0.0], 0.0, 0.1),
        (ib.Scaled(ib.CoshPotential()), [0.0, 0.0, 0.0, 0.0], 0.0, 0.1),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_linear_model_ends_at_the_bregman_projection(potential, start, center, lr):
    width = 4 if isinstance(potential, ib.Scaled) else None
    w, optimizer, loss = linear_problem(start, lr=lr, potential=potential, center=center, width=width)
    steps = 0
    while float(loss().detach()) > 1e-27:
        train(optimizer, loss, 50)
        steps += 50
        assert steps < 20_000
    phi = potential.at_width(4) if isinstance(potential, ib.Scaled) else potential
    begin = np.array(start)
    c = begin if center == "start" else np.zeros(4)
    columns = ib.FiniteColumns(A, 1.0, phi, phi.gradient(begin - c))
    solution = ib.solve_dual(columns, B - A @ c, start=np.array([0.1, 0.1]))
    expected = c + columns.primal(solution.multiplier)
    np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-11, atol=1e-12)


def test_dual_variable_stays_in_the_row_space():
    """What the theorem lives on: after any number of steps, z is a combination of the rows of A."""
    potential = ib.PowerPotential(3, 0.5)
    w, optimizer, loss = linear_problem([1e3, -1e3, 1e3, 1e3], lr=1e-3, potential=potential)
    train(optimizer, lambda: loss() * 1e-3, 500)
    dual = optimizer.state[w]["dual"].numpy()
    coefficients = np.linalg.lstsq(A.T, dual, rcond=None)[0]
    assert np.abs(dual - A.T @ coefficients).max() < 1e-13 * np.abs(dual).max()


# --- groups -----------------------------------------------------------------------------------------------


def test_groups_have_their_own_options():
    start = torch.tensor([0.5, 1.0], dtype=F64)
    first, second, third = (start.clone().requires_grad_() for _ in range(3))
    optimizer = MirrorDescent(
        [
            {"params": [first], "potential": ib.EntropyPotential(), "center": 0.0},
            {"params": [second], "potential": ib.Scaled(ib.CoshPotential()), "width": 10, "lr": 0.2},
            {"params": [third], "maximize": True, "lr": 0.3},
        ],
        lr=0.1,
    )
    for p in (first, second, third):
        p.grad = torch.tensor([1.0, -2.0], dtype=F64)
    optimizer.step()
    gradient = np.array([1.0, -2.0])
    np.testing.assert_allclose(first.detach(), start.numpy() * np.exp(-0.1 * gradient), rtol=1e-15)
    np.testing.assert_allclose(second.detach(), start.numpy() + np.arcsinh(-10 * 0.2 * gradient) / 10, rtol=1e-15)
    np.testing.assert_allclose(third.detach(), start.numpy() + 0.3 * gradient, rtol=1e-15)


def test_scaled_needs_a_width_only_where_it_is_used():
    p, q = (torch.zeros(2, requires_grad=True) for _ in range(2))
    groups = [{"params": [p], "potential": ib.Scaled(ib.CoshPotential()), "width": 5}, {"params": [q]}]
    assert len(MirrorDescent(groups, lr=0.1).param_groups) == 2
    with pytest.raises(ValueError, match=r"needs the width n .* width=None was given"):
        MirrorDescent([p], lr=0.1, potential=ib.Scaled(ib.CoshPotential()))


def test_centres():
    p, q = torch.tensor([1.0, 2.0], dtype=F64), torch.tensor([[3.0]], dtype=F64)
    c, d = torch.tensor([0.5, 0.5]), torch.tensor([[2.0]])
    for tensor in (p, q):
        tensor.requires_grad_()
        tensor.grad = torch.ones_like(tensor)
    optimizer = MirrorDescent([p, q], lr=0.1, potential=ib.CoshPotential(), center=[c, d])
    c += 100  # a centre is taken, not referred to
    optimizer.step()
    np.testing.assert_allclose(p.detach(), 0.5 + np.arcsinh(np.sinh([0.5, 1.5]) - 0.1), rtol=1e-15)
    np.testing.assert_allclose(q.detach(), [[2.0 + np.arcsinh(np.sinh(1.0) - 0.1)]], rtol=1e-15)


# --- torch's promises -------------------------------------------------------------------------------------


def test_parameters_without_gradient_stay_and_zero_gradients_change_nothing():
    idle = torch.tensor([1.0, 2.0], dtype=F64, requires_grad=True)
    still = torch.tensor([0.1, 0.7], dtype=F64, requires_grad=True)
    optimizer = MirrorDescent([idle, still], lr=0.1, potential=ib.CoshPotential(), center=0.0)
    still.grad = torch.zeros_like(still)
    before = still.detach().clone()
    optimizer.step()
    assert idle.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(still.detach(), before, rtol=2e-16)


def test_empty_and_scalar_parameters():
    empty, scalar = torch.zeros(0, requires_grad=True), torch.tensor(0.5, dtype=F64, requires_grad=True)
    optimizer = MirrorDescent([empty, scalar], lr=0.1, potential=ib.PowerPotential(2.5, 1.0))
    empty.grad, scalar.grad = torch.zeros(0), torch.tensor(1.0, dtype=F64)
    optimizer.step()
    assert scalar.item() < 0.5


def test_closure_is_evaluated_with_gradients_and_its_loss_returned():
    _, optimizer, loss = linear_problem([0.0, 0.0, 0.0, 0.0], lr=0.1)

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    with torch.no_grad():
        first = optimizer.step(closure)
    assert first.item() == pytest.approx(0.5 * float(B @ B))
    assert loss().item() < first.item()
    assert optimizer.step() is None


def test_float32_parameters_keep_steps_below_their_rounding():
    """1000 steps of 1e-9 on a float32 parameter at 1 add up to 1e-6; each of them alone would round away."""
    p = torch.ones(3, dtype=torch.float32, requires_grad=True)
    optimizer = MirrorDescent([p], lr=1e-9)
    p.grad = torch.ones_like(p)
    for _ in range(1000):
        optimizer.step()
    assert p.dtype == torch.float32
    np.testing.assert_allclose(1 - p.detach().numpy().astype(float), 1e-6, rtol=0.06)  # float32 rounds 1 - 1e-6


def test_a_parameter_changed_from_outside_continues_from_its_new_value():
    for change in (lambda p: p.data.clamp_(max=0.2), lambda p: p.detach().clamp_(max=0.2)):
        p = torch.tensor([0.5, 0.1], dtype=F64, requires_grad=True)
        optimizer = MirrorDescent([p], lr=0.1, potential=ib.CoshPotential(), center=0.0)
        p.grad = torch.tensor([-1.0, -1.0], dtype=F64)
        optimizer.step()
        change(p)
        now = p.detach().clone().numpy()
        optimizer.step()
        np.testing.assert_allclose(p.detach(), np.arcsinh(np.sinh(now) + 0.1), rtol=1e-14)


def test_learning_rate_schedulers():
    w, optimizer, loss = linear_problem([0.0, 0.0, 0.0, 0.0], lr=0.2, potential=ib.CoshPotential())
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    for _ in range(10):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        cosine.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-15)
    before = w.detach().clone()
    loss().backward()
    optimizer.step()  # lr 0 is a step that stays
    np.testing.assert_allclose(w.detach(), before, rtol=1e-14)
    torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=5, cycle_momentum=False)


@dataclass(frozen=True)
class Quartic(ib.Potential):
    """A potential of the reader's own."""

    size: float = 1.0

    def __call__(self, x):
        return self.size * x**4 + x**2

    def gradient(self, x):
        return 4 * self.size * x**3 + 2 * x

    def hessian(self, x):
        return 12 * self.size * x**2 + 2


def test_a_potential_of_ones_own_steps_to_the_root():
    p = torch.tensor([0.5, -2.0], dtype=F64, requires_grad=True)
    optimizer = MirrorDescent([p], lr=0.3, potential=Quartic(2.0), center=0.0)
    before, p.grad = p.detach().clone().numpy(), torch.tensor([1.0, -4.0], dtype=F64)
    optimizer.step()
    phi = Quartic(2.0)
    np.testing.assert_allclose(phi.gradient(p.detach().numpy()), phi.gradient(before) - [0.3, -1.2], rtol=1e-14)


# --- saving and loading -----------------------------------------------------------------------------------


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


TWO = (ib.HypentropyPotential(0.3), ib.Scaled(ib.PowerPotential(2.5, 0.7)))


def two_groups(dtype, potentials=TWO):
    generator = torch.Generator().manual_seed(0)
    p, q = (torch.randn(4, generator=generator, dtype=F64).to(dtype).requires_grad_() for _ in range(2))
    groups = [
        {"params": [p], "potential": potentials[0], "center": 0.0},
        {"params": [q], "potential": potentials[1], "width": 7, "lr": 0.03},
    ]
    a = torch.tensor(A).to(dtype)
    return [p, q], MirrorDescent(groups, lr=0.02), lambda: 0.5 * ((a @ (p + q * p) - 1) ** 2).sum()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_saved_state_continues_to_the_last_bit(dtype):
    params, optimizer, loss = two_groups(dtype)
    train(optimizer, loss, 25)
    saved = through_a_file({"optimizer": optimizer.state_dict(), "params": [p.detach().clone() for p in params]})

    others, other, other_loss = two_groups(dtype, potentials=(None, None))  # options come from the file
    with torch.no_grad():
        for p, value in zip(others, saved["params"], strict=True):
            p.copy_(value)
    other.load_state_dict(saved["optimizer"])
    assert [g["potential"] for g in other.param_groups] == [g["potential"] for g in optimizer.param_groups]
    assert [g["lr"] for g in other.param_groups] == [0.02, 0.03]
    assert all(v["dual"].dtype == F64 for v in other.state.values())
    train(optimizer, loss, 25)
    train(other, other_loss, 25)
    for p, q in zip(params, others, strict=True):
        assert torch.equal(p, q)
        for name in ("dual", "center", "written"):
            assert torch.equal(optimizer.state[p][name], other.state[q][name])


@pytest.mark.parametrize("potential", [p for p in POTENTIALS.values() if p] + [ib.PNormPotential(1.7)], ids=repr)
def test_every_potential_travels_in_a_state(potential):
    p = torch.ones(2, requires_grad=True)
    state = through_a_file(MirrorDescent([p], lr=0.1, potential=potential, width=3).state_dict())
    other = MirrorDescent([p], lr=0.5)
    other.load_state_dict(state)
    assert other.param_groups[0]["potential"] == potential


def test_a_potential_of_ones_own_must_be_given_again():
    p = torch.ones(2, requires_grad=True)
    state = through_a_file(MirrorDescent([p], lr=0.1, potential=Quartic(2.0)).state_dict())
    same = MirrorDescent([p], lr=0.3, potential=Quartic(2.0))
    same.load_state_dict(state)
    assert same.param_groups[0]["potential"] == Quartic(2.0)
    assert same.param_groups[0]["lr"] == 0.1
    for other in (None, Quartic(3.0), ib.CoshPotential(), ib.Scaled(Quartic(2.0))):
        with pytest.raises(ValueError, match=r"saved with .*Quartic"):
            MirrorDescent([p], lr=0.1, potential=other, width=2).load_state_dict(state)


def test_potentials_made_of_functions_are_told_apart_by_their_values():
    def made(c, domain=(-np.inf, np.inf)):
        return CustomPotential(lambda x: c * x**4 + x**2, lambda x: 4 * c * x**3 + 2 * x, domain=domain)

    p = torch.ones(2, requires_grad=True)
    state = through_a_file(MirrorDescent([p], lr=0.1, potential=made(1.0)).state_dict())
    again = made(1.0)
    same = MirrorDescent([p], lr=0.3, potential=again)
    same.load_state_dict(state)
    assert same.param_groups[0]["potential"] is again
    with pytest.raises(ValueError, match="must be given again"):
        MirrorDescent([p], lr=0.3, potential=made(1.1)).load_state_dict(state)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_deepcopy_and_pickle_continue(copied):
    w, optimizer, _ = linear_problem([0.1, 0.2, 0.3, 0.4], lr=0.1, potential=ib.CoshPotential())
    a, b = torch.tensor(A), torch.tensor(B)
    train(optimizer, lambda: 0.5 * ((a @ w - b) ** 2).sum(), 10)
    v, twin = copied((w, optimizer))
    assert v is not w
    train(optimizer, lambda: 0.5 * ((a @ w - b) ** 2).sum(), 10)
    train(twin, lambda: 0.5 * ((a @ v - b) ** 2).sum(), 10)
    assert torch.equal(w, v)


def test_a_model_converted_to_another_precision_goes_on():
    model = torch.nn.Linear(3, 1)
    optimizer = MirrorDescent(model.parameters(), lr=0.1, potential=ib.CoshPotential())
    x = torch.ones(2, 3)
    train(optimizer, lambda: model(x).square().sum(), 3)
    model.double()
    train(optimizer, lambda: model(x.double()).square().sum(), 3)
    assert model.weight.dtype == F64


# --- refusals ---------------------------------------------------------------------------------------------

P = torch.tensor([0.5, 1.0], requires_grad=True)
REFUSALS = {
    "lr zero": ({"lr": 0.0}, ValueError, "lr must be a finite positive number"),
    "lr negative": ({"lr": -0.1}, ValueError, "lr must be"),
    "lr nan": ({"lr": float("nan")}, ValueError, "lr must be"),
    "lr text": ({"lr": "fast"}, ValueError, "lr must be"),
    "lr missing": ({"lr": None}, ValueError, "lr must be"),
    "potential by name": ({"potential": "cosh"}, TypeError, "must be a potential or Scaled"),
    "potential class": ({"potential": ib.CoshPotential}, TypeError, "must be a potential or Scaled"),
    "potential function": ({"potential": np.cosh}, TypeError, "must be a potential or Scaled"),
    "width text": ({"potential": ib.Scaled(ib.CoshPotential()), "width": "7"}, ValueError, "positive integer"),
    "width zero": ({"potential": ib.Scaled(ib.CoshPotential()), "width": 0}, ValueError, "positive integer"),
    "entropy at its own start": ({"potential": ib.EntropyPotential()}, ValueError, "pass center=0.0"),
    "entropy off domain": ({"potential": ib.EntropyPotential(), "center": 0.7}, ValueError, "inside the domain"),
    "centre name": ({"center": "origin"}, TypeError, "center must be 'start'"),
    "centre array": ({"center": np.zeros(2)}, TypeError, "center must be 'start'"),
    "centre flag": ({"center": True}, TypeError, "center must be 'start'"),
    "centre shape": ({"center": torch.zeros(3)}, ValueError, r"\[\(2,\)\], but shapes \[\(3,\)\]"),
    "centre count": ({"center": [torch.zeros(2)] * 2}, ValueError, "one tensor for each parameter"),
    "centre nan": ({"center": float("nan")}, ValueError, "center must be a finite number"),
    "far from centre": ({"potential": ib.CoshPotential(), "center": 1e4}, ValueError, "dual variable must be finite"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_options_are_refused(case):
    options, kind, message = REFUSALS[case]
    with pytest.raises(kind, match=message) as caught:
        MirrorDescent([P], **{"lr": 0.1, **options})
    text = str(caught.value)
    assert " must " in text or " needs " in text
    assert " given" in text or "does not" in text or "it is not" in text
    assert "; " in text and text.endswith(".")


def test_a_refused_group_leaves_no_trace():
    optimizer = MirrorDescent([P], lr=0.1)
    with pytest.raises(TypeError, match="must be a potential"):
        optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)], "potential": "cosh"})
    assert len(optimizer.param_groups) == len(optimizer.state) == 1


def test_complex_and_nan_parameters_are_refused():
    with pytest.raises(TypeError, match="needs real parameters"):
        MirrorDescent([torch.ones(2, dtype=torch.complex64, requires_grad=True)], lr=0.1)
    with pytest.raises(ValueError, match="dual variable must be finite"):
        MirrorDescent([torch.tensor([1.0, float("nan")], requires_grad=True)], lr=0.1, center=0.0)


def test_sparse_gradients_are_refused():
    table = torch.nn.Embedding(5, 2, sparse=True)
    optimizer = MirrorDescent(table.parameters(), lr=0.1)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match=r"needs dense gradients.*sparse=False"):
        optimizer.step()


@pytest.mark.parametrize(("gradient", "cause"), [(-1e4, "too large"), (float("nan"), "NaN or infinite")])
def test_a_diverging_step_changes_nothing(gradient, cause):
    calm = torch.zeros(2, dtype=F64, requires_grad=True)
    wild = torch.zeros(2, dtype=F64, requires_grad=True)
    optimizer = MirrorDescent([calm, wild], lr=1.0, potential=ib.HypentropyPotential(1.0))
    calm.grad, wild.grad = torch.ones_like(calm), torch.tensor([1.0, gradient], dtype=F64)
    with pytest.raises(ib.ConvergenceError, match=f"finite parameters.*{cause}.*; .*[.]$"):
        optimizer.step()
    assert calm.tolist() == wild.tolist() == [0.0, 0.0]
    wild.grad = torch.zeros_like(wild)
    optimizer.step()
    np.testing.assert_allclose(calm.detach(), -np.sinh(1.0), rtol=1e-15)


def test_a_step_size_that_a_scheduler_spoils_is_refused():
    optimizer = MirrorDescent([P], lr=0.1)
    for wrong in (-1.0, float("nan"), "0"):
        optimizer.param_groups[0]["lr"] = wrong if wrong != "0" else None
        with pytest.raises(ValueError, match="lr must be"):
            optimizer.step()


def test_a_state_of_another_optimiser_or_model_is_refused():
    optimizer = MirrorDescent([P], lr=0.1)
    with pytest.raises(ValueError, match="must come from a MirrorDescent"):
        optimizer.load_state_dict(torch.optim.SGD([P], lr=0.1).state_dict())
    wider = MirrorDescent([torch.ones(3, requires_grad=True)], lr=0.1)
    with pytest.raises(ValueError, match=r"it has \(3,\) where the optimiser has \(2,\)"):
        optimizer.load_state_dict(wider.state_dict())


# --- another device ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", POTENTIALS)
def test_cuda_takes_the_same_steps(name, x, y, init):
    net = ib.ShallowNetwork.sample(width=40, activation="abs", initialization=init, rng=1)
    flats = []
    for device in ("cpu", "cuda"):
        model = Shallow(net).to(device)
        tx, ty = torch.tensor(x, device=device), torch.tensor(y, device=device)
        optimizer = MirrorDescent(model.parameters(), lr=0.05 / net.width, potential=POTENTIALS[name], width=net.width)
        train(optimizer, lambda model=model, tx=tx, ty=ty: half_squares(model, tx, ty), 50)
        if device == "cuda":  # a state saved here and loaded there goes on
            state = through_a_file(optimizer.state_dict())
            optimizer.load_state_dict(state)
            assert all(v["dual"].is_cuda for v in optimizer.state.values())
        train(optimizer, lambda model=model, tx=tx, ty=ty: half_squares(model, tx, ty), 50)
        flats.append(model.flat())
    np.testing.assert_allclose(flats[1], flats[0], rtol=1e-11, atol=1e-12)
