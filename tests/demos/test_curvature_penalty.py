"""The demos of the chapter on the curvature penalty: every control at its ends, the presets, what the text says about them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ends import check, compute, settings, values_of

import ibtext as ib
from ibtext.demos import BiasLawDemo, Labels, LabelShiftDemo, PenaltyDialDemo, WidthDemo
from ibtext.demos.chapters.curvature_penalty import FAMILIES, X, Y, start
from ibtext.demos.chapters.finite_width import LINES, WIDTHS, deviation

DEMOS = (BiasLawDemo, LabelShiftDemo, PenaltyDialDemo, WidthDemo)
AT = [0, 50, 100, 150, 200]  # where the data lie on the grid


@pytest.mark.parametrize(("cls", "setting"), [pytest.param(c, s, id=f"{c.__name__} {n}") for c in DEMOS for n, s in settings(c)])
def test_what_is_drawn_meets_the_labels_inside_the_panels(cls, setting):
    result = check(cls, setting)
    labels = setting.get("labels", list(Y))
    for key in ("network", "limit", "spline", "adaptive", "natural", "left"):
        if key in result:
            # solvers meet the labels to 1e-12; the narrowest network has a condition number of 1e6
            assert np.max(np.abs(np.asarray(result[key])[AT] - labels)) < 1e-6, key


@pytest.mark.parametrize("cls", DEMOS)
def test_nothing_leaves_its_panel_when_all_controls_are_at_their_ends(cls):
    """Every combination of ends; the functions of dragged labels are linear in them, so corners are the extremes."""
    ends = []
    for control in cls.controls:
        if isinstance(control, Labels):
            ends.append([list(corner) for corner in product((control.minimum, control.maximum), repeat=len(control.x))])
        else:
            ends.append(list(values_of(control)))
    for combination in product(*ends):
        result = check(cls, dict(zip((c.name for c in cls.controls), combination, strict=True)))
        for panel in cls.panels:
            if panel.bars is not None:
                low, high = panel.limits(result)
                # G2 of labels without a tilt is a square of rounding
                assert np.all((low <= result[panel.bars.key]) & (result[panel.bars.key] <= high))


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "uniform"])
@pytest.mark.parametrize("a", [2.1, 2.5, 6.0])
def test_crowded_biases_bend_more_at_zero_and_less_outside(family, a):
    """The answer to the first question, for every law and width against the even law at the start and at the same width."""
    crowded = np.abs(compute(BiasLawDemo, family=family, a=a)["bend"])
    for width in (a, 2.5):
        even = np.abs(compute(BiasLawDemo, family="uniform", a=width)["bend"])
        assert crowded[100] > 1.02 * even[100]
        assert np.all(crowded[[25, 175]] < 0.96 * even[[25, 175]])  # x = -1.5 and 1.5


def test_the_most_crowded_law():
    even, crowded = compute(BiasLawDemo, family="uniform"), compute(BiasLawDemo, family="Laplace", a=2.1)
    assert -crowded["bend"][100] > 2 * -even["bend"][100]
    assert crowded["share"] < 1 / 40 and even["share"] == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_of_the_first_demo_is_drawn_from_the_law_it_names(family):
    from scipy import stats

    from ibtext.demos.chapters.curvature_penalty import units

    weight, bias = units(family, 500)
    assert stats.kstest(3.0 * bias, start(family, 3.0).bias.cdf).pvalue > 0.01
    assert abs(np.mean(weight)) < 0.15
    result = compute(BiasLawDemo, family=family, a=3.0)
    # 500 units: the error of the chapter's rate, 3 n^-1/2
    assert np.max(np.abs(result["network"] - result["limit"])) < 0.15


def test_a_peaked_weight_straightens_the_outside():
    """The answer to the question of the dial: between 1 and 2 the curve bends less, at 0 more."""
    flat, middle, peaked = (compute(PenaltyDialDemo, s=s) for s in (20.0, 5.0, 0.1))
    outer = np.abs(np.asarray(PenaltyDialDemo.panels[0].x)) > 1
    for other in (flat, middle):
        assert np.max(np.abs(peaked["bend"][outer])) < 0.4 * np.max(np.abs(other["bend"][outer]))
        assert -peaked["bend"][100] > 6 * -other["bend"][100]
    assert np.max(np.abs(flat["adaptive"] - flat["natural"])) < 0.03


def test_ten_more_is_charged_as_height():
    """The question of the bill, its answer, and the numbers in its explanation."""
    plain, raised, tilted = (compute(LabelShiftDemo, c=c, u=u)["terms"] for c, u in ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0)))
    grown = raised - plain
    named = "G₁ G₂ G₃".split()
    said = f"{named[np.argmax(grown)]}, then {named[np.argmax(tilted - plain)]}"
    assert LabelShiftDemo.question.choices[LabelShiftDemo.question.answer] == said
    assert compute(LabelShiftDemo)["before"] == pytest.approx(plain, abs=1e-12)
    assert np.round(grown).tolist() == [39, 0, 90] and abs(raised[1]) < 1e-9
    assert "by 90" in LabelShiftDemo.question.because and "by 39" in LabelShiftDemo.question.because


def test_what_the_page_says_beside_the_bill():
    """A slope of ten is charged as tilt; adding 1 or 2 makes the bill smaller; with more room the height costs little."""
    plain = compute(LabelShiftDemo, c=0.0)["terms"]
    for slope in (-10.0, 10.0):
        assert np.argmax(compute(LabelShiftDemo, c=0.0, u=slope)["terms"] - plain) == 1
    for c in (1.0, 2.0):
        less = compute(LabelShiftDemo, c=c)["terms"] - plain
        assert less[0] < -1 and less[2] < -1
    assert compute(LabelShiftDemo, c=10.0, a=6.0)["terms"][2] < 0.06 * compute(LabelShiftDemo, c=10.0)["terms"][2]


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
    assert 7 < mean[100] / mean[10_000] < 14  # eight draws with a scatter of 50 %
    assert abs(ib.rates.fit_rate(np.array(WIDTHS[1:]), np.array([mean[n] for n in WIDTHS[1:]])).slope + 0.5) < 0.1
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
    built = cls.engine.build(cls, cls.unshown().compute_many, cls.controls)  # kept for the pages that show it
    assert built.error < 0.005
    assert len(built.data) < 250_000
    assert isinstance(cls.controls[-1], Labels) == (cls.engine.linear == "labels")
