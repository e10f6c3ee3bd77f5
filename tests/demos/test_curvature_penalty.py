"""The demos of the chapter on the curvature penalty: every control at its ends, the presets, what the text says about them."""

from __future__ import annotations

import numpy as np
import pytest
from ends import compute, settings

import ibtext as ib
from ibtext.demos import BiasLawDemo, Labels, LabelShiftDemo, PenaltyDialDemo, WidthDemo
from ibtext.demos import table as tables
from ibtext.demos.base import _Unbound
from ibtext.demos.curvature_penalty import FAMILIES, X, Y, start
from ibtext.demos.finite_width import LINES, WIDTHS, deviation

DEMOS = (BiasLawDemo, LabelShiftDemo, PenaltyDialDemo, WidthDemo)
AT = [0, 50, 100, 150, 200]  # where the data lie on the grid


@pytest.mark.parametrize(("cls", "setting"), [pytest.param(c, s, id=f"{c.__name__} {n}") for c in DEMOS for n, s in settings(c)])
def test_what_is_drawn_meets_the_labels(cls, setting):
    result = compute(cls, **setting)
    labels = setting.get("labels", list(Y))
    for key in ("network", "limit", "spline", "adaptive", "natural", "left"):
        if key in result:
            # solvers meet the labels to 1e-12; the narrowest network has a condition number of 1e6
            assert np.max(np.abs(np.asarray(result[key])[AT] - labels)) < 1e-6, key


def test_curvature_gathers_where_breakpoints_are():
    """The answer to the first question."""
    even = compute(BiasLawDemo)
    crowded = compute(BiasLawDemo, family="Laplace", a=2.1)
    assert -crowded["bend"][100] > 2 * -even["bend"][100]
    assert crowded["share"] < 1 / 40 and even["share"] == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_of_the_first_demo_is_drawn_from_the_law_it_names(family):
    from scipy import stats

    from ibtext.demos.curvature_penalty import units

    weight, bias = units(family, 500)
    assert stats.kstest(3.0 * bias, start(family, 3.0).bias.cdf).pvalue > 0.01
    assert abs(np.mean(weight)) < 0.15
    result = compute(BiasLawDemo, family=family, a=3.0)
    # 500 units: the error of the chapter's rate, 3 n^-1/2
    assert np.max(np.abs(result["network"] - result["limit"])) < 0.15


def test_a_peaked_weight_straightens_the_outside():
    """The answer to the question of the dial; the outer quarter of the interval holds little of the bending."""
    flat, peaked = compute(PenaltyDialDemo, s=20.0), compute(PenaltyDialDemo, s=0.05)
    outer = np.abs(np.asarray(PenaltyDialDemo.panels[0].x)) > 1
    assert np.max(np.abs(peaked["bend"][outer])) < 0.5 * np.max(np.abs(flat["bend"][outer]))
    assert np.max(np.abs(flat["adaptive"] - flat["natural"])) < 0.03


def test_a_constant_is_charged_as_height_and_a_line_as_tilt():
    """The answer to the question of the bill, for both signs and at both ends of a."""
    for a in (2.0, 6.0):
        plain = compute(LabelShiftDemo, a=a)["terms"]
        for sign in (-10.0, 10.0):
            raised, tilted = (
                compute(LabelShiftDemo, c=sign, a=a)["terms"] - plain,
                compute(LabelShiftDemo, u=sign, a=a)["terms"] - plain,
            )
            assert np.argmax(tilted) == 1
            assert np.argmax(raised) == 2


def test_the_bill_is_the_penalty():
    y = np.array(Y) + 3.0 - 2.0 * np.array(X)
    result = compute(LabelShiftDemo, c=3.0, u=-2.0, a=2.7)
    assert result["terms"].sum() == pytest.approx(ib.wide_limit(X, y, initialization=start("uniform", 2.7)).penalty, rel=1e-9)


def test_a_hundred_times_wider_is_ten_times_closer():
    """The answer to the question of widths: geometric means over draws and labels."""
    mean = {
        n: np.exp(np.mean([np.log(compute(WidthDemo, n=n, seed=s, kind=k)["sup"]) for s in range(4) for k in LINES]))
        for n in WIDTHS
    }
    assert 6 < mean[40] / mean[2500] < 11  # sqrt(62.5) = 7.9
    assert 7 < mean[160] / mean[10_000] < 12  # 7.9, eight draws of 30 % scatter
    for n in WIDTHS[2:]:
        inside = [compute(WidthDemo, n=n, seed=s, kind=k)["inside"] for s in range(4) for k in LINES]
        assert np.mean(inside) > 0.85  # two deviations: 95 %


def test_the_band_is_zero_at_the_data_only():
    for kind in LINES:
        band = deviation(kind)
        assert np.max(band[AT]) < 1e-6 and np.all(np.delete(band, AT) > 0)


@pytest.mark.slow
@pytest.mark.parametrize("cls", DEMOS)
def test_table_errors(cls):
    built = tables.build(_Unbound(cls).compute_many, cls.controls, cls.engine, demo=cls.__name__)
    assert built.error < 0.005
    assert len(built.data) < 250_000
    assert isinstance(cls.controls[-1], Labels) == (cls.engine.linear == "labels")
