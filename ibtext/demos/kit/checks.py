"""Refuse a declaration that cannot work, at the moment the class is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .controls import Choice, Control, Labels, Points
from .engines import Table
from .palette import DeclarationError
from .questions import Mark, Question, Sketch

if TYPE_CHECKING:
    from .base import Demo

#: The name under which a page's address keeps the reader's prediction.
RESERVED = "predict"


def check(cls: type[Demo]) -> None:
    """Check a demo class as a whole."""
    names = [c.name for c in cls.controls]
    if RESERVED in names:
        raise DeclarationError(
            f"The name {RESERVED!r} keeps the reader's prediction in the address, but {cls.__name__} has a control of that "
            "name; it was probably chosen by chance; choose another."
        )
    sliders = [c for c in cls.controls if isinstance(c, Control)]
    if len(sliders) > 3:
        raise DeclarationError(
            f"A demo has at most three sliders, but {cls.__name__} has {len(sliders)}; it probably tells two "
            f"stories; make it two demos."
        )
    if isinstance(cls.engine, Table):
        _check_table(cls, cls.engine)
    for preset, values in cls.presets.items():
        unknown = [k for k in values if k not in names]
        if unknown:
            raise DeclarationError(
                f"A preset sets parameters of its demo, but {preset!r} of {cls.__name__} sets "
                f"{', '.join(unknown)}; a name was probably misspelt; use {', '.join(names)}."
            )
    for p in cls.panels:
        for reference, kinds in ((p.points, (Labels, Points)), (p.cursor, (Control,))):
            if reference is not None and reference not in [c.name for c in cls.controls if isinstance(c, kinds)]:
                raise DeclarationError(
                    f"A panel refers to controls of its demo, but {p.title!r} of {cls.__name__} refers to "
                    f"{reference!r}; a name was probably misspelt; use {' or '.join(k.__name__ for k in kinds)} among "
                    f"{', '.join(names)}."
                )
    for c in cls.controls:
        if isinstance(c, Labels | Points) and [p.points for p in cls.panels].count(c.name) != 1:
            raise DeclarationError(
                f"Draggable points are drawn in one panel, but no panel, or more than one, of {cls.__name__} has points="
                f"{c.name!r}; it was probably forgotten; add it to the panel where the reader drags."
            )
    _check_question(cls)


def _check_table(cls: type[Demo], engine: Table) -> None:
    labels = [c.name for c in cls.controls if isinstance(c, Labels)]
    if [k for k in labels if k != engine.linear]:
        raise DeclarationError(
            f"A table answers for sliders only, but {cls.__name__} has draggable labels; they probably belong to a demo of the "
            "dual engine, since each label would be one more dimension; use that engine, leave the labels fixed, or give "
            "Table(linear=...) if every output is affine in them."
        )
    if engine.linear is not None and engine.linear not in labels:
        raise DeclarationError(
            f"A table is linear in a Labels control, but {cls.__name__} names {engine.linear!r}; a name was probably misspelt; "
            f"use {', '.join(labels) or 'a table without linear='}."
        )
    free = [c for c in cls.controls if isinstance(c, Control | Points)]
    count = sum(2 * len(c.default) if isinstance(c, Points) else 1 for c in free)
    if count > 3:
        raise DeclarationError(
            f"A table has at most three continuous dimensions, but {cls.__name__} has {count}; every coordinate of a point is "
            "one; probably a second point is dragged; fix a point or a slider, or make a slider a Choice."
        )
    unknown = sorted((set(engine.nodes) | set(engine.repeat)) - {c.name for c in cls.controls if not isinstance(c, Labels)})
    if unknown:
        raise DeclarationError(
            f"A table names the controls of its demo, but that of {cls.__name__} names {', '.join(unknown)}; a control was "
            "probably renamed; use "
            f"{', '.join(c.name for c in cls.controls if isinstance(c, Control | Points | Choice))}."
        )


def _check_question(cls: type[Demo]) -> None:
    q = cls.question
    if q is None or isinstance(q, Question):
        return
    if not 0 <= q.panel < len(cls.panels):
        raise DeclarationError(
            f"A prediction is drawn in a panel counted from 0, but {cls.__name__} has {len(cls.panels)} and the question names "
            f"{q.panel}; it was probably counted from 1; give at most {len(cls.panels) - 1}."
        )
    panel = cls.panels[q.panel]
    if isinstance(q, Sketch):
        if q.curve not in [c.key for c in panel.curves]:
            raise DeclarationError(
                f"A sketch is compared with a curve of its panel, but {cls.__name__} has no curve {q.curve!r} in "
                f"{panel.title!r}; a name was probably misspelt; use {', '.join(c.key for c in panel.curves) or 'a Curve'}."
            )
        if q.at[0] < np.min(panel.x) or q.at[-1] > np.max(panel.x):
            raise DeclarationError(
                f"The handles of a sketch stand on the panel, but {cls.__name__} has {list(q.at)} on [{np.min(panel.x)}, "
                f"{np.max(panel.x)}]; the grid was probably changed alone; move them inside."
            )
    assert isinstance(q, Sketch | Mark)
    drawn = {k for p in cls.panels for k in p.shapes()}
    unknown = [k for k in q.hide if k not in drawn]
    if unknown:
        raise DeclarationError(
            f"A question hides keys that a panel draws, but {cls.__name__} hides {', '.join(unknown)}; a name was probably "
            f"misspelt; use {', '.join(sorted(drawn))}."
        )
