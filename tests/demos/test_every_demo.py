"""Every demo of the package at its default, at the ends of every control and at every preset: what must hold of each of them.

Each kind of fault is looked for in what is drawn: curves that are cut off, axes that are not made for the data, controls that
move nothing, answers that stand under their questions, numbers that nobody writes, letters that are not those of the text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from ends import GAPS, settings

import ibtext.demos
from ibtext.demos import Choice, Control, Demo, Labels, Panel, Path, Points, Sketch
from ibtext.demos.kit.layers import check_shapes
from ibtext.demos.kit.summary import fields

DEMOS = [cls for name in ibtext.demos.__all__ if name.endswith("Demo") and (cls := getattr(ibtext.demos, name)) is not Demo]


every_demo = pytest.mark.parametrize("cls", DEMOS, ids=lambda cls: cls.__name__)


@cache
def driven(cls: type[Demo]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Names, settings and results; settings share work as far as the demo knows how."""
    named = list(settings(cls))
    return [(name, s, r) for (name, s), r in zip(named, cls.unshown().compute_many([s for _, s in named]), strict=True)]


def drawn(panel: Panel, result: dict[str, Any]) -> np.ndarray:
    """All heights that a panel draws."""
    keys = [key for layer in panel.layers for key in layer.heights()]
    values = np.concatenate([np.ravel(np.asarray(result[key], dtype=float)) for key in keys])
    return values[np.isfinite(values)]


def held(cls: type[Demo], panel: Panel) -> tuple[float, ...]:
    """The heights that the reader can drag a point of a panel to."""
    control = next((c for c in cls.controls if c.name == panel.points), None)
    if isinstance(control, Labels):
        return control.minimum, control.maximum
    return control.y_limits if isinstance(control, Points) else ()


@every_demo
def test_every_setting_computes_what_is_declared(cls: type[Demo]) -> None:
    for name, _, result in driven(cls):
        check_shapes(cls.panels, result, cls.__name__)
        for panel in cls.panels:
            for key in panel.shapes():
                assert key in GAPS or np.all(np.isfinite(np.asarray(result[key]))), (name, key)


@every_demo
def test_nothing_is_cut_off(cls: type[Demo]) -> None:
    for name, _, result in driven(cls):
        for panel in cls.panels:
            (low, high), heights = panel.limits(result), [*drawn(panel, result), *held(cls, panel)]
            assert low <= min(heights) and max(heights) <= high, (name, panel.title, min(heights), max(heights))
            left, right = np.min(panel.x), np.max(panel.x)
            for layer in (*panel.paths, *panel.scatter):
                if not (isinstance(layer, Path) and layer.goes_on):
                    x = np.asarray(result[layer.x], dtype=float)
                    assert left <= np.nanmin(x) and np.nanmax(x) <= right, (name, panel.title, layer.x)


@every_demo
def test_axes_are_made_for_the_data(cls: type[Demo]) -> None:
    """At the start what is drawn and what can be dragged take a third of the height of their panel at the least."""
    _, _, result = driven(cls)[0]
    for panel in cls.panels:
        low, high = panel.limits(result)
        heights = [*drawn(panel, result), *held(cls, panel), *((0.0,) if panel.bars else ())]
        assert max(heights) - min(heights) >= (high - low) / 3, (panel.title, min(heights), max(heights))
        assert len(panel.y_steps) <= 3


@every_demo
def test_every_control_moves_something(cls: type[Demo]) -> None:
    """From end to end each control moves something by 2 % of its panel, the cursor apart."""
    results = driven(cls)
    for control in cls.controls:
        mine = [r for name, _, r in results if name == "default" or name.startswith(f"{control.name} = ")]
        moved = 0.0
        for panel in cls.panels:
            low, high = panel.limits(mine[0])
            for key in panel.shapes():
                span = max(np.ptp(panel.x), 1e-300) if any(key == q.x for q in (*panel.paths, *panel.scatter)) else high - low
                values = [np.asarray(r[key], dtype=float) for r in mine]
                moved = max(moved, *(float(np.nanmax(np.abs(v - values[0]), initial=0.0)) / span for v in values))
        assert moved >= 0.02, (control.name, moved)


@every_demo
def test_what_is_asked_about_waits_for_the_answer(cls: type[Demo]) -> None:
    """Before the answer nothing is drawn that equals what is hidden, and something is hidden."""
    question = cls.question
    assert question is not None and question.veil, "a question hides what it asks about"
    _, _, result = driven(cls)[0]
    for panel in cls.panels:
        low, high = panel.limits(result)
        layers = [(set(layer.shapes(np.size(panel.x))), layer.heights()) for layer in panel.layers]
        hidden = [k for keys, heights in layers if keys & question.veil for k in heights]
        shown = [k for keys, heights in layers if not keys & question.veil for k in heights]
        for a in hidden:
            for b in shown:
                u, v = (np.atleast_1d(np.asarray(result[k], dtype=float)) for k in (a, b))
                # a flat line tells nothing
                if u.shape == v.shape and u.size > 1 and np.ptp(v[np.isfinite(v)]) > 0.02 * (high - low):
                    assert np.nanmax(np.abs(u - v)) > 0.005 * (high - low), f"{b} shows what {a} hides"
        if isinstance(question, Sketch) and panel is cls.panels[question.panel]:
            assert panel.limits(result) == panel.y_limits, "the handles of a sketch move over the smallest axis"


@every_demo
def test_numbers_read_as_people_write_them(cls: type[Demo]) -> None:
    for name, setting, result in driven(cls):
        words = fields(cls.controls, setting)
        texts = [cls.describe(cls.unshown(), result, **setting)]
        texts += [layer.label.format(**words) for p in cls.panels for layer in p.layers if getattr(layer, "label", "")]
        for text in texts:
            assert "{" not in text and "nan" not in text.lower(), (name, text)
            assert not re.search(r"(?<!\w)-\d|\de[+-]\d|−0(\.0*)?(?![\d.])", text), (name, text)
        assert texts[0].endswith("."), texts[0]


@every_demo
def test_letters_are_those_of_the_text(cls: type[Demo]) -> None:
    """The half-width of a law is R and an exponent q; minus signs are minus signs."""
    for control in cls.controls:
        assert control.symbol not in {"a", "p"}, control.name
        texts = [control.label, *(control.options.values() if isinstance(control, Choice) else ())]
        assert not [t for t in texts if re.search(r"\[.a, a\]|(?<!\w)-\d", t)], texts
        assert not isinstance(control, Control) or not control.symbol == "t" or control.plays, "time can be played"
    said = [cls.summary, cls.title, *(p.title for p in cls.panels), cls.question.text, cls.question.because]  # type: ignore[union-attr]
    assert not [t for t in said if re.search(r"(?<!\w)-\d|\bp = ", t)], said
