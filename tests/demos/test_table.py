"""The table engine: accuracy, a planted fault, the limits of the method, and the flow demo's own table."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import chebpts2, chebval

from ibtext.demos import Choice, Control, Curve, Demo, FlowDemo, Labels, Panel, Points, Table
from ibtext.demos.kit import DeclarationError, table_cache, table_rows
from ibtext.demos.kit import table as tables

X = np.linspace(0.0, 20.0, 201)
CONTROLS = (
    Control(name="zeta", symbol="ζ", label="damping", minimum=0.05, maximum=1.2, default=0.2),
    Control(name="omega", symbol="ω", label="frequency", minimum=0.5, maximum=3.0, default=1.5, log=True),
)
SPEC = Table(nodes={"zeta": 21, "omega": 45})


def oscillator(settings):
    """Return the response of a damped oscillator, without a branch at critical damping."""
    out = []
    for s in settings:
        root = np.sqrt(complex(s["zeta"] ** 2 - 1) + 1e-14) * s["omega"]
        envelope = np.exp(-s["zeta"] * s["omega"] * X)
        y = envelope * (np.cosh(root * X) + s["zeta"] * s["omega"] / root * np.sinh(root * X)).real
        out.append({"y": y, "area": float(y.mean())})
    return out


@pytest.fixture(scope="module")
def built():
    return tables.build(oscillator, CONTROLS, SPEC, demo="Oscillator")


def test_error_is_measured_and_small(built):
    assert built.checks == 200
    assert 0 < built.error < 0.005
    assert len(built.data) < 200_000


def test_nodes_are_reproduced_to_the_quantisation(built):
    """At a node no interpolation happens, so what is left is 16-bit rounding and the truncated singular values."""
    at = {"zeta": 1.2, "omega": 3.0}
    read = tables.evaluate(built.data, built.meta, at)
    assert np.max(np.abs(read["y"] - oscillator([at])[0]["y"])) < 2e-3


def test_a_wrong_coefficient_is_detected(built):
    """Change one number of the table, the constant coefficient of the leading vector: the error must leave the tolerance."""
    numbers = tables.unpack(built.data)
    numbers[0] = numbers[0] // 2
    error, _, _ = tables.measure(tables.pack(numbers), built.meta, oscillator, CONTROLS, SPEC)
    assert error > SPEC.tolerance


@given(st.lists(st.integers(-32767, 32767), max_size=40))
def test_packing_loses_nothing(numbers):
    assert tables.unpack(tables.pack(np.array(numbers, dtype=int))).tolist() == numbers


def test_a_moving_front_is_refused_with_a_remedy():
    """A jump that moves with the parameter cannot be tabulated, and the message names demo, setting and remedy."""

    def front(settings):
        return [{"y": (10 * s["zeta"] > X).astype(float), "area": 1.0} for s in settings]

    with pytest.raises(tables.TableError, match=r"that of Front errs by .* in 'y' at zeta = .*, omega = .*; .* another engine"):
        tables.build(front, CONTROLS, SPEC, demo="Front")


def test_outputs_that_are_not_finite_are_refused():
    def infinite(settings):
        return [{"y": X, "bad": np.inf} for _ in settings]

    with pytest.raises(tables.TableError, match="'bad' of Infinite"):
        tables.build(infinite, CONTROLS, SPEC, demo="Infinite")


def test_interpolation_converges_geometrically():
    """Chebyshev interpolation of an analytic function: each six more nodes gain a factor of ten or more."""
    f, errors = (lambda q: 1 / (1 + q * q)), []
    for n in (7, 13, 19):
        series = table_rows.coefficients(n) @ f(chebpts2(n))
        q = np.linspace(-0.99, 0.98, 101)
        errors.append(np.max(np.abs(chebval(q, series) - f(q))))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


@pytest.mark.slow
def test_the_flow_demo_keeps_its_promise():
    """Build the demo's table and check it at settings drawn with another seed than the build's own."""
    built = FlowDemo._build()
    assert built.error <= FlowDemo.engine.tolerance and built.checks == 200
    other = Table(nodes=FlowDemo.engine.nodes, repeat={"p": 10}, checks=30, seed=1)
    error, _, _ = tables.measure(built.data, built.meta, FlowDemo.unshown().compute_many, FlowDemo.controls, other)
    # a fresh sample may exceed the largest error of the first one, but not by much
    assert error < 1.5 * FlowDemo.engine.tolerance


class Stored(Demo):
    """A demo with a file, so that its table is stored."""

    title = "Stored"
    controls = CONTROLS
    panels = (Panel(title="t", x=X, x_label="t", y_label="y", y_limits=(-1, 1), curves=(Curve(key="y", label="y"),)),)
    summary = "The area is {area:.2f}."
    engine = SPEC
    calls = 0

    def compute(self, *, zeta, omega):
        Stored.calls += 1
        return oscillator([{"zeta": zeta, "omega": omega}])[0]


def test_a_table_is_built_once_and_anew_when_what_it_depends_on_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("IBTEXT_CACHE", str(tmp_path))
    first = Stored._build()
    calls = Stored.calls
    Stored._built = None
    again = Stored._build()
    assert Stored.calls == calls and again.data == first.data and again.meta == first.meta
    monkeypatch.setattr(table_cache, "PACKAGE", tmp_path)  # other sources, another name
    Stored._built = None
    Stored._build()
    assert Stored.calls == 2 * calls and len(list(tmp_path.iterdir())) == 2
    for file in tmp_path.iterdir():
        file.write_bytes(b"half a table")
    Stored._built = None
    Stored._build()
    assert Stored.calls == 3 * calls


def test_the_widget_answers_from_the_table(built):
    """What the front end receives is the table whose error was measured."""
    demo = Stored()
    assert demo._table == Stored._build().data
    assert demo._spec["engine"]["error"] == Stored._build().error == demo.table_error()


WIDTH = Control(name="w", symbol="w", label="width", minimum=0.5, maximum=2.0, default=1.0)
KIND = Choice(name="kind", symbol="", label="kind", options={"even": "even", "odd": "odd"}, default="even")
PLACE = Points(name="c", symbol="c", label="centre", default=((0.1, 0.2),), x_limits=(-1, 1), y_limits=(-1, 1))
LABELS = Labels(name="y", symbol="y", label="label", x=[0.0, 1.0, 2.0], default=[0.1, -0.2, 0.3], minimum=-2.0, maximum=1.0)
GRID = np.linspace(-1.0, 1.0, 41)


def test_each_choice_has_rows_of_its_own():
    """A jump between the options costs nothing: each is as exact as a table of that option alone."""

    def compute(settings):
        return [{"y": np.cos(GRID * s["w"]) if s["kind"] == "even" else 3 + np.sin(GRID * s["w"])} for s in settings]

    built = tables.build(compute, (WIDTH, KIND), Table(nodes={"w": 9}), demo="Kinds")
    assert built.error < 1e-3
    for kind in KIND.options:
        at = {"w": 0.7, "kind": kind}
        read = tables.evaluate(built.data, built.meta, at)["y"]
        assert np.max(np.abs(read - compute([at])[0]["y"])) < 1e-3 * 5


def test_every_coordinate_of_a_point_is_a_dimension():
    def compute(settings):
        return [{"y": np.exp(-((GRID - s["c"][0][0]) ** 2)) * s["c"][0][1] * s["w"]} for s in settings]

    built = tables.build(compute, (PLACE, WIDTH), Table(nodes={"c": (13, 3), "w": 3}), demo="Point")
    assert [d["count"] for d in built.meta["dimensions"]] == [13, 3, 3]
    at = {"c": [[0.3, -0.6]], "w": 1.3}
    assert np.max(np.abs(tables.evaluate(built.data, built.meta, at)["y"] - compute([at])[0]["y"])) < 0.005 * 4


def test_affine_labels_are_a_matrix():
    """Nodes in the width alone; the labels are exact at any place, corners and beyond the sample included."""

    def compute(settings):
        return [{"y": GRID**2 + sum(v * np.cos(k * GRID * s["w"]) for k, v in enumerate(s["y"]))} for s in settings]

    built = tables.build(compute, (WIDTH, LABELS), Table(nodes={"w": 9}, linear="y"), demo="Affine")
    assert built.error < 1e-3
    span = built.meta["high"][0] - built.meta["low"][0]
    for y in ([-2.0, -2.0, -2.0], [1.0, -2.0, 1.0], [0.123, 0.456, -0.789]):
        at = {"w": 1.234, "y": y}
        assert np.max(np.abs(tables.evaluate(built.data, built.meta, at)["y"] - compute([at])[0]["y"])) < 1e-3 * span


def test_labels_that_enter_otherwise_are_refused():
    def compute(settings):
        return [{"y": GRID * s["y"][0] ** 2} for s in settings]

    with pytest.raises(tables.TableError, match=r"that of Square errs by .* 'y' at .*y = \[.*not affine in the labels"):
        tables.build(compute, (LABELS,), Table(linear="y"), demo="Square")


def test_entries_that_are_nan_everywhere_stay_nan_and_others_are_refused():
    hole = np.where(np.arange(41) == 20, np.nan, 0.0)

    def always(settings):
        return [{"y": GRID * s["w"] + hole, "z": GRID * s["w"]} for s in settings]

    built = tables.build(always, (WIDTH,), Table(nodes={"w": 5}), demo="Hole")
    read = tables.evaluate(built.data, built.meta, {"w": 1.1})
    assert np.isnan(read["y"]).tolist() == np.isnan(hole).tolist() and np.all(np.isfinite(read["z"]))

    def sometimes(settings):
        return [{"y": GRID * s["w"] + (hole if s["w"] > 1 else 0.0)} for s in settings]

    with pytest.raises(tables.TableError, match="'y' of Hole"):
        tables.build(sometimes, (WIDTH,), Table(nodes={"w": 5}), demo="Hole")

    def between(settings):  # finite at every node, NaN at some settings between them
        return [{"y": GRID * s["w"] + (hole if 0.6 < s["w"] < 0.7 else 0.0)} for s in settings]

    with pytest.raises(tables.TableError, match="that of Hole errs by inf"):
        tables.build(between, (WIDTH,), Table(nodes={"w": 3}), demo="Hole")


def test_a_table_too_large_for_a_page_is_refused_with_a_remedy():
    noise = np.random.default_rng(0).normal(size=(60, 6000))

    def compute(settings):
        return [{"y": np.cos(np.arange(60) * np.arccos((s["w"] - 1.25) / 0.75)) @ noise} for s in settings]

    with pytest.raises(tables.TableError, match=r"at most 150 kB .* that of Noise adds \d+ kB .* fewer nodes"):
        tables.build(compute, (WIDTH,), Table(nodes={"w": 60}, tolerance=0.05), demo="Noise")


def test_sizes_that_depend_on_a_parameter_are_refused():
    def compute(settings):
        return [{"y": np.zeros(3 + int(s["w"]))} for s in settings]

    with pytest.raises(tables.TableError, match="'y' of Sizes"):
        tables.build(compute, (WIDTH,), Table(nodes={"w": 5}), demo="Sizes")


def test_one_node_is_refused():
    with pytest.raises(DeclarationError, match=re.escape("at least two nodes")):
        tables.build(oscillator, CONTROLS, Table(nodes={"zeta": 1, "omega": 5}), demo="One")
