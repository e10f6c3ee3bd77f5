"""The demos of the first chapter: every control at its ends, what the questions claim, and the tables' errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ibtext.demos import Demo, DoubleDescentDemo, InterpolantDemo, OptimiserDemo
from ibtext.demos.chapters.implicit_bias import (
    DATA,
    LABEL,
    ROW,
    TOTAL,
    TRUTH,
    X,
    Y,
    expected_error,
    features,
    one_sample,
    train,
)

DEMOS: tuple[type[Demo], ...] = (InterpolantDemo, OptimiserDemo, DoubleDescentDemo)


@pytest.mark.parametrize("cls", DEMOS)
def test_the_table_is_accurate_and_small(cls: type[Demo]) -> None:
    built = cls.engine.build(cls, cls.unshown().compute_many, cls.controls)  # kept for the pages that show it
    assert built.error < 0.005  # the share of full scale that every demo of the book keeps
    assert len(built.data) < 200_000  # a page stays light


def test_gradient_descent_ends_at_the_nearest_solution_and_adagrad_does_not() -> None:
    """What the mark of the first demo asks; the end of gradient descent by another formula."""
    for start in ([-1.0, -1.0], [0.6, 0.4], [0.1, -0.3]):
        for eta in (0.1, 0.3):
            for rule in ("gd", "momentum", "adagrad"):
                result = InterpolantDemo.unshown().compute(optimiser=rule, eta=eta, start=[start])
                end = np.array([result["end_x"], result["end_y"]])
                lack = LABEL[0] - ROW[0] @ start
                nearest = np.array(start) + lack * ROW[0] / 5
                assert [result["nearest_x"], result["nearest_y"]] == pytest.approx(nearest)
                if rule == "adagrad":
                    # torch adds 1e-10 to the divisor, which is about 1
                    apart = np.full_like(result["path_x"], start[1] - start[0])
                    assert result["path_y"] - result["path_x"] == pytest.approx(apart, abs=1e-9)
                    assert ROW[0] @ end == pytest.approx(LABEL[0], abs=1e-3)  # what 1280 of the smallest steps leave
                    assert result["drift"] > 0.05
                else:
                    assert end == pytest.approx(nearest, abs=1e-9)
                    assert result["drift"] == 0.0


def test_rows_of_one_variable_are_the_runs_of_torch() -> None:
    """Training all step sizes at once gives what training one at a time gives."""
    A = features(X)
    for name, rule in (("adagrad", torch.optim.Adagrad), ("adam", torch.optim.Adam)):
        etas = np.array([0.15, 1.2])
        together = train(A, Y, np.zeros((2, 60)), etas, name, 50)[-1]
        for eta, w in zip(etas, together, strict=True):
            alone = torch.zeros(60, dtype=torch.float64, requires_grad=True)
            optimiser = rule([alone], lr=float(eta))
            for _ in range(50):
                optimiser.zero_grad()
                (0.5 * torch.sum((torch.tensor(A) @ alone - torch.tensor(Y)) ** 2)).backward()
                optimiser.step()
            assert w == pytest.approx(alone.detach().numpy(), abs=1e-10)


def test_only_the_adaptive_optimisers_depend_on_the_step() -> None:
    ends = {
        rule: [OptimiserDemo.unshown().compute(optimiser=rule, eta=eta)["value"] for eta in (0.1, 1.6)]
        for rule in ("gd", "adagrad", "adam")
    }
    # residuals of 1e-5 divided by the smallest singular value 0.16 are 6e-5
    assert np.max(np.abs(ends["gd"][0] - ends["gd"][1])) < 1e-4
    for rule in ("adagrad", "adam"):
        assert np.max(np.abs(ends[rule][0] - ends[rule][1])) > 0.1


def test_training_that_does_not_finish_says_so() -> None:
    with pytest.raises(RuntimeError, match="did not in 10 steps"):
        train(features(X), Y, np.zeros((1, 60)), np.array([0.1]), "gd", 10, tol=1e-6)


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_error_curve_peaks_where_the_question_says(noise: float) -> None:
    mean = expected_error(noise)
    assert np.flatnonzero(np.isnan(mean)).tolist() == [DATA - 2, DATA - 1, DATA]  # N = 19, 20, 21
    result = DoubleDescentDemo.unshown().compute(count=20, noise=noise)
    assert int(np.argmax(result["one"])) == DATA - 1
    assert mean[4] < mean[DATA - 3] and mean[TOTAL - 1] < mean[DATA + 1]


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6, 1.0])
def test_few_and_many_features_are_nearly_equal_at_every_noise(noise: float) -> None:
    mean = expected_error(noise)
    assert mean[TOTAL - 1] == pytest.approx(mean[4], rel=0.03)


def test_the_sample_is_least_squares_and_fits_beyond_the_peak() -> None:
    clean, noisy = one_sample()
    rng = np.random.default_rng(3)
    A, noise = rng.normal(size=(DATA, TOTAL)), rng.normal(size=DATA)
    y = A @ TRUTH + 0.3 * noise
    for count in (5, 20, 40):
        w = clean[count - 1] + 0.3 * noisy[count - 1]
        assert w[:count] == pytest.approx(np.linalg.lstsq(A[:, :count], y, rcond=None)[0], abs=1e-9)
        if count >= DATA:
            assert A @ w == pytest.approx(y, abs=1e-9)
