"""The sentence under a demo."""

import numpy as np
import pytest

from ibtext.demos import Choice, Control, Curve, Panel
from ibtext.demos.kit.summary import fields, sentence

P = Control(name="p", symbol="p", label="p", minimum=1.0, maximum=100.0, default=10.0, log=True)
KIND = Choice(name="kind", symbol="", label="kind", options={2: "two", 3: "three"}, default=2)


def test_sentences_find_what_an_array_says():
    say = {"controls": (), "panels": (), "result": {"y": np.array([3.0, -4.0, np.nan])}, "parameters": {}}
    assert sentence("{y_max:.1f} {y_min:.1f} {y_rms:.2f}", **say) == "3.0 −4.0 3.54"
    with pytest.raises(KeyError, match="z_max"):
        sentence("{z_max}", **say)


def test_the_value_at_the_cursor_is_read_on_logarithmic_axes():
    curve = Curve(key="y", label="y")
    panel = Panel(title="t", x=[0.0, 1.0, 2.0], y_label="y", y_limits=(0, 4), curves=[curve], cursor="p", x_log=True, y_log=True)
    say = {"controls": (P,), "panels": (panel,), "result": {"y": np.array([0.0, 1.0, 3.0])}}
    assert sentence("{y_here:.0f} at {p:.1f}", parameters={"p": 10.0}, **say) == "10 at 10.0"
    assert sentence("{y_here:.0f}", parameters={"p": 10**1.5}, **say) == "100"  # halfway between 1 and 3, in logarithms


def test_labels_of_curves_have_the_fields_of_the_parameters():
    assert "{p:.1f} {kind} {kind:.1f}".format(**fields((P, KIND), {"p": 2, "kind": 3})) == "2.0 three 3.0"
