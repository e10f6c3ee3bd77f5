"""What a layer says about itself: the keys that it draws, its JSON, its picture."""

import json

import numpy as np
import pytest

from ibtext.demos import Band, Bars, Curve, Image, Panel, Path, Scatter
from ibtext.demos.kit.declaration import DeclarationError, plain_grid
from ibtext.demos.kit.figure import sheet

X = np.linspace(0.0, 1.0, 5)
RESULT = {
    "y": X**2,
    "low": X - 1,
    "high": X,
    "u": [0.2, 0.8],
    "v": [0.1, 0.6],
    "n": 0.5,
    "field": np.outer([1, 2, 3], X),
    "b": [1, 2],
}
LAYERS = {
    "curves": (Curve(key="y", label="p = {p:.1f}", dash="dashed"),),
    "paths": (Path(x="u", y="v", label="path"),),
    "scatter": (Scatter(x="n", y="n", label="spot", marker="diamond"),),
    "bands": (Band(lower="low", upper="high", label="band"),),
    "image": Image(key="field", y=[0.0, 0.5, 1.0], limits=(0, 3), label="field"),
}


def panel(**layers):
    return Panel(title="t", x=X, y_label="y", y_limits=(-1.5, 1.5), **layers)


def test_a_panel_collects_the_shapes_of_its_layers():
    shapes = panel(**LAYERS).shapes()
    assert shapes == {"y": (5,), "low": (5,), "high": (5,), "u": None, "v": None, "n": None, "field": (3, 5)}
    assert Panel(title="t", y_label="y", y_limits=(0, 1), bars=Bars(key="b", names=("one", "two"))).shapes() == {"b": (2,)}


def test_what_the_front_end_reads_is_json_of_the_declaration():
    sent = json.loads(json.dumps(panel(**LAYERS).json()))
    line = {"color": "blue", "dash": [7, 4], "width": 2.0, "grows": False, "goes_on": False}
    assert sent["curves"] == [{"key": "y", "label": "p = {p:.1f}"} | line]
    assert sent["scatter"][0] == {"x": "n", "y": "n", "label": "spot", "color": "ink", "marker": "diamond", "grows": False}
    assert sent["heights"] == ["low", "high", "y", "v", "n"]
    assert sent["image"]["y"] == {"start": 0.0, "stop": 1.0, "n": 3} and sent["bars"] is None
    assert plain_grid([0.0, 0.1, 1.0]) == {"values": [0.0, 0.1, 1.0]}


@pytest.mark.parametrize("kind", LAYERS)
def test_each_layer_draws_itself_and_writes_its_label(kind):
    axes = sheet(1).axes[0]
    panel(**{kind: LAYERS[kind]}).draw(axes, {}, RESULT, {}, {"p": 2.0})
    drawn = [*axes.lines, *axes.collections, *axes.images, *axes.patches]
    assert len(drawn) == 1
    written = {"curves": "p = 2.0", "paths": "path", "scatter": "spot", "bands": "band"}
    assert [t.get_text() for t in axes.texts] == ([written[kind]] if kind in written else [])


def test_the_axis_runs_over_the_first_step_that_holds_what_is_drawn():
    steps = panel(y_steps=((-2.0, 2.0), (-2.0, 9.0)), curves=LAYERS["curves"])
    for high, limits in ((1.5, (-1.5, 1.5)), (1.6, (-2.0, 2.0)), (5.0, (-2.0, 9.0)), (99.0, (-2.0, 9.0))):
        assert steps.limits({"y": X * high}) == limits
    assert steps.limits({"y": [np.nan] * 5}) == (-1.5, 1.5)
    endless = panel(y_steps=((-2.0, 2.0),), curves=(Curve(key="y", label="", goes_on=True),))
    assert endless.limits({"y": X * 9}) == (-1.5, 1.5)
    with pytest.raises(DeclarationError, match="holds the one before"):
        panel(y_steps=((-1.0, 9.0),))


def test_labels_keep_away_from_each_other():
    axes = sheet(1).axes[0]
    panel(paths=LAYERS["paths"] * 2).draw(axes, {}, RESULT, {}, {})
    assert [t.xy for t in axes.texts] == [(0.8, 0.6), (0.2, 0.1)], "the higher place, then the other one"
