"""The rows of a table: their order, their weights, and random settings off the nodes."""

import numpy as np
import pytest

from ibtext.demos import Choice, Control, Labels, Points
from ibtext.demos.kit import DeclarationError
from ibtext.demos.kit.table_rows import Rows, coefficients, weights

KIND = Choice(name="k", symbol="", label="kind", options={"a": "a", "b": "b"}, default="a")
WIDTH = Control(name="w", symbol="w", label="width", minimum=0.5, maximum=2.0, default=1.0, log=True)
PLACE = Points(name="c", symbol="c", label="centre", default=((0.0, 0.0),), x_limits=(-1, 1), y_limits=(0, 2))
LABELS = Labels(name="y", symbol="y", label="label", x=[0.0, 1.0], default=[0.0, 0.0], minimum=-2.0, maximum=1.0)


def rows():
    return Rows((LABELS, KIND, PLACE, WIDTH), {"w": 4, "c": (3, 2)}, "y", demo="Rows")


def test_every_setting_is_a_row_and_its_own_answer():
    """At a node, the weights pick that node's row: samples of any function come back, choices, nodes and labels alike."""
    tensor = rows()
    settings = tensor.settings()
    assert len(settings) == 2 * (3 * 2 * 4) * 3
    # affine in the labels, anything else in the rest
    f = [
        (s["k"] == "a") + np.sin(s["w"]) * s["c"][0][0] + s["c"][0][1] ** 2 + s["y"][0] * s["w"] - 2 * s["y"][1] for s in settings
    ]
    samples = np.array(f).reshape(-1, 3)
    samples[:, 1:] -= samples[:, :1]
    table = tensor.transform(samples.reshape(-1, 1))[:, 0]
    assert np.array([weights(tensor.meta(), s) @ table for s in settings]) == pytest.approx(np.array(f), abs=1e-12)


def test_random_settings_lie_in_the_box_and_repeat_what_is_asked():
    tensor = rows()
    settings = tensor.random(40, 3, {"w": 5})
    assert len(settings) == 40 and {s["k"] for s in settings} == {"a", "b"}
    for s in settings:
        assert 0.5 <= s["w"] <= 2 and PLACE.holds(s["c"][0]) and all(-2 <= v <= 1 for v in s["y"])
    assert len({s["w"] for s in settings}) == 8 and len({s["c"][0][0] for s in settings}) == 40
    assert settings == tensor.random(40, 3, {"w": 5})


@pytest.mark.parametrize("n", [2, 3, 8, 33])
def test_coefficients_are_those_of_numpy(n):
    from numpy.polynomial import Chebyshev

    nodes = np.cos(np.pi * np.arange(n)[::-1] / (n - 1))
    series = Chebyshev(np.random.default_rng(0).normal(size=n))
    assert coefficients(n) @ series(nodes) == pytest.approx(series.coef, abs=1e-12)


def test_a_control_without_nodes_is_named():
    with pytest.raises(DeclarationError, match="gives none for w"):
        Rows((WIDTH, KIND), {}, None, demo="Rows")
