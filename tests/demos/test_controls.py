"""What a control says about itself: its value at the start, its trait, its JSON, its words and places, its share of a table."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import traitlets

from ibtext.demos import Choice, Control, Curve, Demo, Labels, Panel, Points, Table
from ibtext.demos.kit.controls import AnyControl, Dimension

SLIDER = Control(name="w", symbol="w", label="width", minimum=0.5, maximum=8, default=1, log=True)
CHOICE = Choice(name="k", symbol="", label="kind", options={1: "one", 2.5: "more", "no": "none"}, default=1.0)
LABELS = Labels(name="y", symbol="y", label="label", x=np.array([0.0, 1.0]), default=(0, 1), minimum=-3.0, maximum=1.0)
POINTS = Points(
    name="c", symbol="c", label="centre", default=((0, 1), (0.5, 0.25)), x_limits=(-1, 1), y_limits=(0, 2), step=(0.1, 0.2)
)
ALL = (SLIDER, CHOICE, LABELS, POINTS)


@pytest.mark.parametrize("control", ALL, ids=lambda c: c.kind)
def test_the_trait_starts_where_the_control_does_and_the_front_end_hears_the_same(control):
    start = control.start()
    assert control.trait().default_value in (start, traitlets.Undefined) or control.trait().default() == start
    sent = json.loads(json.dumps(control.json()))
    assert sent["default"] == start and sent["kind"] == control.kind and sent["name"] == control.name


@pytest.mark.parametrize(("control", "good", "bad"), [
    (SLIDER, 8.0, 9.0), (CHOICE, "no", 3), (LABELS, [1.0, -3.0], [1.5, 0.0]), (POINTS, [[1, 2], [0, 0]], [[1, 2], [0, -1]]),
])  # fmt: skip
def test_values_outside_the_declaration_are_refused(control, good, bad):
    holder = type("Holder", (traitlets.HasTraits,), {control.name: control.trait()})()
    setattr(holder, control.name, good)
    assert getattr(holder, control.name) == good
    with pytest.raises(traitlets.TraitError):
        setattr(holder, control.name, bad)


def test_a_choice_keeps_the_type_that_was_declared_and_speaks_both_ways():
    assert repr(CHOICE.declared(1.0)) == repr(CHOICE.start()) == "1"
    assert "{k}/{k:.1f}".format(**CHOICE.words(2.5)) == "more/2.5"
    assert [o["python"] for o in CHOICE.json()["options"]] == ["1", "2.5", "'no'"]


def test_points_and_labels_know_their_places():
    x, y = POINTS.places([[0.1, 0.2], [0.3, 0.4]])
    assert (list(x), list(y)) == ([0.1, 0.3], [0.2, 0.4])
    x, y = LABELS.places([5.0, 6.0])
    assert (list(x), list(y)) == ([0.0, 1.0], [5.0, 6.0])


@pytest.mark.parametrize("control", [SLIDER, POINTS], ids=lambda c: c.kind)
def test_a_value_is_made_of_its_dimensions(control):
    value = control.start()
    at = [d.value(d.coordinate({control.name: value})) for d in control.dimensions()]
    assert np.asarray(control.assembled(at)) == pytest.approx(np.asarray(value), abs=1e-14)
    for d in control.dimensions():
        assert all(d.low <= d.value(end) <= d.high for end in d.ends), "not even a rounding outside"


def test_labels_are_a_box():
    box = LABELS.box()
    assert (box.middle, box.half, box.count) == (-1.0, 2.0, 2) and not LABELS.dimensions()


@dataclass(frozen=True, kw_only=True)
class Angle(AnyControl):
    """A new kind of control is one class: here an angle in degrees."""

    kind = "angle"

    def trait(self):
        return traitlets.Float(self.start(), min=0.0, max=360.0)

    def words(self, value):
        return {self.name: value}

    def dimensions(self):
        return [Dimension(self.name, 0.0, 360.0)]


class CompassDemo(Demo):
    title = "A compass"
    controls = (Angle(name="phi", symbol="φ", label="angle", default=90),)
    panels = (Panel(title="t", x=(0.0, 1.0), y_label="y", y_limits=(-1, 1), curves=(Curve(key="y", label="{phi:.0f}"),)),)
    summary = "The needle points to {phi:.0f} degrees."
    engine = Table(nodes={"phi": 17})

    def compute(self, *, phi):
        return {"y": np.cos(np.deg2rad(phi)) * np.array([0.0, 1.0])}


def test_a_new_kind_of_control_needs_nothing_else_in_python():
    demo = CompassDemo(phi=180.0)
    assert demo.table_error() < 0.005 and demo._spec["controls"][0]["kind"] == "angle"
    assert demo._frame["summary"] == "The needle points to 180 degrees."
    assert [t.get_text() for t in demo.figure().axes[0].texts] == ["180"]
