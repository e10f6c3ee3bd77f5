"""The demos of the chapter on unscaled potentials: every control at its ends, the answers, the tables."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ends import check
from scipy import stats

import ibtext as ib
from ibtext.demos import Demo, DialDemo, OpeningDemo, UnscaledWidthDemo
from ibtext.demos import table as tables
from ibtext.demos.base import _Unbound
from ibtext.demos.unscaled_potentials import GRID, ORDERS, WIDTHS, X_THREE, X, Y


def test_every_network_of_the_width_demo_is_drawn_and_fits_the_data() -> None:
    at = [int(np.argmin(np.abs(GRID - v))) for v in X]
    for potential, width in product(ORDERS, WIDTHS):
        result = check(UnscaledWidthDemo, {"potential": potential, "width": width}, inside=False)
        # trained to a residual of 1e-9; the data are nodes of the grid up to rounding, where slopes are of order 10
        assert max(np.max(np.abs(result[key][at] - Y)) for key in ("flow", "mirror")) < 1e-8
    for values in UnscaledWidthDemo.presets.values():
        check(UnscaledWidthDemo, UnscaledWidthDemo.defaults() | dict(values), inside=False)


@pytest.mark.parametrize(("potential", "factor"), [("cube", 9), ("fourth", 81), ("cosh", 81)])
def test_the_answer_about_nine_times_as_many_neurons(potential: str, factor: float) -> None:
    compute = _Unbound(UnscaledWidthDemo).compute
    few, many = (10 ** compute(potential=potential, width=n)["log_distance"] for n in (540, 4860))
    # nearest of 3, 9, 81 on a logarithmic scale, with a factor 1.6 to spare
    assert factor / 1.6 < few / many < factor * 1.6
    wide = compute(potential=potential, width=4860)
    # one draw of width 4860 differs from the limit by a few times 4860^-1/2
    assert np.max(np.abs(wide["difference"] - wide["predicted"])) < 0.25


def settings_of_opening():
    yield OpeningDemo.defaults()
    for shift, a in product((-2.0, 2.0), OpeningDemo.controls[1].options):
        yield OpeningDemo.defaults() | {"shift": shift, "a": a}
    for i, value in product(range(3), (-1.0, 1.0)):
        labels = list(OpeningDemo.defaults()["labels"])
        labels[i] = value
        yield OpeningDemo.defaults() | {"labels": labels}
    for values in OpeningDemo.presets.values():
        yield OpeningDemo.defaults() | dict(values)


@pytest.mark.parametrize("setting", list(settings_of_opening()), ids=str)
def test_opening_at_the_ends(setting: dict) -> None:
    result = check(OpeningDemo, setting, inside=False)
    x = np.asarray(OpeningDemo.panels[0].x)
    at = [int(np.argmin(np.abs(x - v))) for v in X_THREE]
    assert np.max(np.abs(x[at] - X_THREE)) < 1e-12
    for key in ("limit", "spline"):
        assert np.max(np.abs(result[key][at] - setting["labels"])) < 1e-9
    # the spline moves up and keeps its shape
    still = _Unbound(OpeningDemo).compute(**setting | {"shift": 0.0})
    assert np.max(np.abs(result["spline"] - still["spline"])) < 1e-9


def test_the_answer_about_the_shift() -> None:
    compute, default = _Unbound(OpeningDemo).compute, OpeningDemo.defaults()
    opening = [compute(**default | {"shift": c})["opening"] for c in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert opening[0] < 0 < opening[-1]
    # affine in the shift
    assert np.max(np.abs(np.diff(opening, 2))) < 1e-9


@pytest.mark.parametrize(("n", "q"), [*product((1.0, 1e4), (3, 4, 6)), (10.0, 4), (30.0, 4), (5000.0, 3)])
def test_dial_at_the_ends(n: float, q: int) -> None:
    result = check(DialDemo, {"n": n, "q": q}, inside=False)
    if n == 1.0:  # the scaled potential itself
        init = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
        scaled = ib.wide_limit(X, Y, initialization=init, potential=ib.Scaled(ib.PowerPotential(p=q)))
        plain = ib.wide_limit(X, Y, initialization=init)
        assert np.max(np.abs(result["difference"] - scaled(GRID) + plain(GRID))) < 1e-12
        assert np.max(np.abs(result["difference"])) > 0.03
    # 0.05: the largest difference on the curve's own grid of widths, logarithm
    nearest = np.interp(np.log10(n), np.asarray(DialDemo.panels[1].x), result["sizes"])
    assert abs(nearest - np.log10(max(np.max(np.abs(result["difference"])), 1e-8))) < 0.05


def test_the_answer_about_the_exponent() -> None:
    """The width beyond which the difference stays below a thousandth is largest for q = 3."""
    logs = np.asarray(DialDemo.panels[1].x)
    late = [logs[np.flatnonzero(_Unbound(DialDemo).compute(n=10.0, q=q)["sizes"] > -3)[-1]] for q in (3, 4, 6)]
    assert late[0] > late[1] > late[2]


@pytest.mark.parametrize("cls", [UnscaledWidthDemo, OpeningDemo, DialDemo])
def test_tables_keep_their_promise(cls: type[Demo]) -> None:
    built = tables.build(_Unbound(cls).compute_many, cls.controls, cls.engine, demo=cls.__name__)
    assert built.error < 0.005  # the share of full scale that every demo of the book keeps
    assert built.compressed < 150_000
