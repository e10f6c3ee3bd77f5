"""The table engine: accuracy, a planted fault, the limits of the method, and the flow demo's own table."""

import numpy as np
import pytest

from ibtext.demos import Control, Curve, Demo, FlowDemo, Panel, Table, store
from ibtext.demos import table as tables

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
    read = tables.evaluate(built.data, built.meta, CONTROLS, at)
    assert np.max(np.abs(read["y"] - oscillator([at])[0]["y"])) < 2e-3


def test_a_wrong_coefficient_is_detected(built):
    """Change one 16-bit number of the table: the measured error must leave the tolerance."""
    raw = np.frombuffer(built.data, "<i2").copy()
    rows = SPEC.nodes["zeta"] * SPEC.nodes["omega"]
    middle = (SPEC.nodes["zeta"] // 2) * SPEC.nodes["omega"] + SPEC.nodes["omega"] // 2
    raw[middle * built.meta["rank"]] += 12000
    assert rows > middle
    error, _ = tables.measure(raw.tobytes(), built.meta, oscillator, CONTROLS, SPEC)
    assert error > SPEC.tolerance


def test_a_moving_front_is_refused_with_a_remedy():
    """A jump that moves with the parameter cannot be tabulated, and the message names demo, setting and remedy."""

    def front(settings):
        return [{"y": (10 * s["zeta"] > X).astype(float), "area": 1.0} for s in settings]

    with pytest.raises(tables.TableError, match=r"that of Front errs by .* at zeta = .*, omega = .*; .* another engine"):
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
        nodes = tables.chebyshev(n, -1.0, 1.0)
        q = np.linspace(-0.99, 0.98, 101)
        errors.append(max(abs(tables.barycentric(nodes, v) @ f(nodes) - f(v)) for v in q))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


@pytest.mark.slow
def test_the_flow_demo_keeps_its_promise():
    """Build the demo's table and check it at settings drawn with another seed than the build's own."""
    built = FlowDemo._build()
    assert built.error <= FlowDemo.engine.tolerance and built.checks == 200
    from ibtext.demos.base import _Unbound

    other = Table(nodes=FlowDemo.engine.nodes, repeat={"p": 10}, checks=30, seed=1)
    error, _ = tables.measure(built.data, built.meta, _Unbound(FlowDemo).compute_many, FlowDemo.controls, other)
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
    monkeypatch.setattr(store, "PACKAGE", tmp_path)  # other sources, another name
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
