"""The demos of the chapter on mirror descent: every control at its ends, what the pictures claim, and the tables."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ibtext.demos import Choice, Control, Demo, GeometryDemo, StepSizeDemo
from ibtext.demos.chapters.mirror_descent import LABEL, OTHERS, POTENTIALS, ROW, START

DEMOS = [GeometryDemo, StepSizeDemo]


def combinations(cls):
    """Yield every combination of the controls' ends and options, the default, and every preset."""
    values = []
    for c in cls.controls:
        if isinstance(c, Choice):
            values.append([(c.name, v) for v in c.options])
        elif isinstance(c, Control):
            values.append([(c.name, v) for v in (c.minimum, c.default, c.maximum)])
        else:
            corners = itertools.product(c.x_limits, c.y_limits)
            values.append([(c.name, [list(p)]) for p in (*corners, *c.default)])
    yield from (dict(combination) for combination in itertools.product(*values))
    yield from (cls.defaults() | dict(preset) for preset in cls.presets.values())


def test_the_path_ends_on_the_line_and_is_straight_in_the_dual_plane():
    for setting in combinations(GeometryDemo):
        r = GeometryDemo.unshown().compute(**setting)
        phi, start = POTENTIALS[setting["potential"]], np.array(setting["start"][0])
        end = np.array([r["end_x"], r["end_y"]])
        assert end @ ROW == pytest.approx(LABEL, abs=1e-10)
        steps = np.stack([np.diff(r["dual_x"]), np.diff(r["dual_y"])])
        assert steps[1] == pytest.approx(2 * steps[0], abs=1e-12)  # along (1, 2)
        # the last level set goes through the end and touches the line there: no point of it lies beyond
        ball = np.stack([r["ball_x"], r["ball_y"]], axis=1)
        assert np.nanmax(ball @ ROW) <= LABEL + 1e-8
        ball = ball[1 + int(np.flatnonzero(np.isnan(ball[:, 0]))[-1]) :]
        assert np.sum(phi.divergence(ball, start), axis=1) == pytest.approx(r["level"], rel=1e-6)
        assert np.max(ball @ ROW) <= LABEL + 1e-8
        assert np.max(ball @ ROW) >= LABEL - 0.02  # 91 directions


def test_mirror_descent_keeps_the_end_and_the_other_method_does_not():
    for setting in combinations(StepSizeDemo):
        r = StepSizeDemo.unshown().compute(**setting)
        assert np.max(np.abs(r["mirror_miss"])) < 1e-8
        assert np.all(np.diff(r["natural_miss"]) > 0)
        assert r["natural_end_x"] + 2 * r["natural_end_y"] == pytest.approx(LABEL, abs=1e-8)
        falls = np.array([np.diff(r[f"fall_{i}"]) for i in range(3)])
        assert np.max(falls) <= 1e-14
        assert falls == pytest.approx(np.tile(falls[0], (3, 1)), abs=1e-13)
        assert r["mirror_x"][0] == START[0] and np.shape(r["mirror_x"]) == (41,)
    assert OTHERS @ ROW == pytest.approx([LABEL, LABEL])


def test_what_is_drawn_stays_within_the_axes():
    for cls in DEMOS:
        for setting in combinations(cls):
            result = cls.unshown().compute(**setting)
            for panel in cls.panels:
                drawn = [(layer.x, layer.y) for layer in (*panel.paths, *panel.scatter) if not layer.x.startswith("line")]
                for x, y in drawn:
                    assert np.min(panel.x) <= np.nanmin(result[x]) and np.nanmax(result[x]) <= np.max(panel.x), (x, setting)
                    assert panel.y_limits[0] <= np.nanmin(result[y]) and np.nanmax(result[y]) <= panel.y_limits[1], (y, setting)
                for curve in panel.curves:
                    if curve.key != "solutions":
                        assert panel.y_limits[0] <= np.min(result[curve.key]), (curve.key, setting)
                        assert np.max(result[curve.key]) <= panel.y_limits[1], (curve.key, setting)


def test_no_sentence_calls_a_distance_zero_that_is_not():
    for setting in combinations(StepSizeDemo):
        sentence = Demo.describe(StepSizeDemo.unshown(), StepSizeDemo.unshown().compute(**setting), **setting)
        assert sentence.split("ends at a distance of ")[1].split()[0].strip("0.") != ""


@pytest.mark.slow
@pytest.mark.parametrize("cls", DEMOS)
def test_tables_are_within_half_a_per_cent(cls):
    built = cls.engine.build(cls, cls.unshown().compute_many, cls.controls)  # kept for the pages that show it
    assert built.error < 0.005
