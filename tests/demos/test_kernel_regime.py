"""The demos of the chapter on the kernel regime: every control at its ends, the stored runs, the closed kernel."""

from __future__ import annotations

from itertools import product

import kernel_laziness
import numpy as np
import pytest
from ends import check
from scipy import stats

import ibtext as ib
from ibtext.demos import LazyRichDemo, ModesDemo
from ibtext.demos.chapters.kernel_regime import LOG_TIMES, SCALES, WIDTHS, X, kernel, training_runs
from tools.commit import commit_seed


@pytest.mark.parametrize(("n", "alpha"), list(product(WIDTHS, SCALES)))
def test_every_run_is_shown_and_fits_the_data(n: int, alpha: float) -> None:
    result = check(LazyRichDemo, {"n": n, "alpha": alpha})
    x = np.asarray(LazyRichDemo.panels[0].x)
    at = [int(np.argmin(np.abs(x - v))) for v in X]
    # residual 1e-6 of the runs, five digits in the file
    assert np.max(np.abs(result["trained"][at] - LazyRichDemo.panels[0].data[1])) < 1e-4


def test_presets_and_the_answer_of_the_question() -> None:
    for values in LazyRichDemo.presets.values():
        check(LazyRichDemo, LazyRichDemo.defaults() | dict(values))
    lazy, rich = (LazyRichDemo.unshown().compute(n=256, alpha=a) for a in (16.0, 1 / 64))
    assert rich["median"] > 10 * lazy["median"] and rich["gap"] > 3 * lazy["gap"] and rich["percent"] > 100 > lazy["percent"]


def test_the_kernel_moves_less_with_scale_and_width() -> None:
    runs = training_runs()
    change = np.array([[runs[n, a, "kernel_change"][0] for a in SCALES] for n in WIDTHS])
    assert np.all(np.diff(change[:, 1:], axis=1) < 0)
    # at the largest scale so few breakpoints cross a data point that one draw says little about the width
    assert np.all(np.diff(change[:, 2:5], axis=0) < 0)


def test_a_random_stored_run_is_reproduced_by_training_again() -> None:
    rng = np.random.default_rng(commit_seed())
    n, alpha = int(rng.choice(WIDTHS)), float(rng.choice(list(SCALES)))
    new = kernel_laziness.view(n, alpha)
    runs = training_runs()
    # the integrator's local error of 1e-5, accumulated
    assert new["kernel_change"] == pytest.approx(runs[n, alpha, "kernel_change"][0], rel=0.01, abs=1e-4)
    assert new["median_move"] == pytest.approx(runs[n, alpha, "median_move"][0], rel=0.01, abs=1e-4)
    assert np.max(np.abs(new["trained"] - runs[n, alpha, "trained"])) < 0.01
    assert np.max(np.abs(new["lazy"] - runs[n, alpha, "lazy"])) < 1e-4


def settings_of_modes():
    yield ModesDemo.defaults()
    for t, a, layers in product((0.1, 1e4), (1.0, 2.0), ("output", "both")):
        yield ModesDemo.defaults() | {"t": t, "a": a, "layers": layers}
    for i, value in product(range(5), (-0.6, 0.6)):
        labels = list(ModesDemo.defaults()["labels"])
        labels[i] = value
        yield ModesDemo.defaults() | {"labels": labels}
    for a, layers in product((1.0, 2.0), ("output", "both")):  # the labels that need the most room
        yield ModesDemo.defaults() | {"a": a, "layers": layers, "t": 1e4, "labels": [0.6, -0.6, 0.6, -0.6, 0.6]}
    for values in ModesDemo.presets.values():
        yield ModesDemo.defaults() | dict(values)


@pytest.mark.parametrize("setting", list(settings_of_modes()), ids=str)
def test_modes_at_the_ends(setting: dict) -> None:
    result = check(ModesDemo, setting)
    at = [int(np.argmin(np.abs(np.asarray(ModesDemo.panels[0].x) - v))) for v in X]
    assert np.max(np.abs(result["limit"][at] - setting["labels"])) < 1e-9
    assert 0 <= result["slow"] <= result["fast"] <= 1


@pytest.mark.parametrize("a", [1.0, 1.37, 2.0])
def test_the_closed_kernel_is_the_limit_kernel(a: float) -> None:
    law = ib.Initialization(weight="signs", bias=stats.uniform(-a, 2 * a))
    s = np.linspace(-1, 1, 11)
    assert np.max(np.abs(kernel(s, a, "output") - ib.limit_kernel(s, X, initialization=law))) < 1e-13
    # the first layer's part: share of units that are active at both points, on evenly spread breakpoints
    b = (np.arange(100_000) + 0.5) / 50_000 * a - a
    both = sum(((w * s[:, None] > b) * 1.0) @ ((w * np.array(X)[:, None] > b) * 1.0).T for w in (-1, 1)) / (2 * b.size)
    part = kernel(s, a, "both") - kernel(s, a, "output")
    assert np.max(np.abs(part - (1 + np.multiply.outer(s, X)) * both)) < 5e-5  # the grid of breakpoints


def test_the_flow_of_the_demo_is_the_flow_of_an_infinitely_wide_network() -> None:
    law = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
    setting = ModesDemo.defaults() | {"t": 50.0}
    flow = ib.wide_flow(X, setting["labels"], [50.0], initialization=law)
    value = ModesDemo.unshown().compute(**setting)["value"]
    assert np.max(np.abs(flow(np.asarray(ModesDemo.panels[0].x))[0] - value)) < 1e-8


def test_the_decay_of_the_modes_is_monotone_and_ordered() -> None:
    result = ModesDemo.unshown().compute(**ModesDemo.defaults())
    modes = np.array([result[f"mode{k}"] for k in range(1, 6)])
    assert modes.shape == (5, LOG_TIMES.size)
    assert np.all(np.diff(modes, axis=1) <= 0) and np.all(np.diff(modes, axis=0) >= 0)


def test_the_answer_about_the_labels() -> None:
    def missing(labels: list[float]) -> float:
        result = ModesDemo.unshown().compute(**ModesDemo.defaults() | {"labels": labels, "t": 100.0})
        at = [int(np.argmin(np.abs(np.asarray(ModesDemo.panels[0].x) - v))) for v in X]
        return float(np.max(np.abs(result["value"][at] - labels)))

    assert missing([0.5] * 5) < 0.2 * missing([0.5, -0.5, 0.5, -0.5, 0.5])


def test_tables_keep_their_promise() -> None:
    for cls in (LazyRichDemo, ModesDemo):
        assert cls().table_error() < 0.005
