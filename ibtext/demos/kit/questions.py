"""What the reader predicts before moving anything: a choice, a curve or a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .palette import DeclarationError


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with two to four choices; ``answer`` counts them from 0."""

    text: str
    choices: Sequence[str]
    answer: int
    because: str

    def __post_init__(self) -> None:
        if not 2 <= len(self.choices) <= 4 or not 0 <= self.answer < len(self.choices):
            raise DeclarationError(
                f"A question has two to four choices and one of them is right, but {len(self.choices)} choices and "
                f"answer {self.answer} were given; the answer probably counts from 1; count it from 0."
            )


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A question answered by drawing: the reader sets the height of a curve at the places ``at``.

    Until the reader checks or skips, the curve ``curve`` of panel number ``panel`` (counted from 0) is not shown, nor is any
    layer that draws a key in ``hide``, nor the summary.  Afterwards the sketch stays, dotted, beside the answer.
    """

    text: str
    panel: int = 0
    curve: str
    at: Sequence[float]
    because: str
    hide: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 2 <= len(self.at) <= 9 or not np.all(np.diff(self.at) > 0):
            raise DeclarationError(
                f"A sketch has two to nine handles from left to right, but {list(self.at)} was given; the places were "
                "probably not sorted; give increasing numbers."
            )


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A question answered by placing one point; ``x`` and ``y`` name the numbers of the result that are right.

    Until the reader checks or skips, layers that draw these keys, or a key in ``hide``, are not shown, nor is the summary.
    """

    text: str
    panel: int = 0
    x: str
    y: str
    because: str
    hide: Sequence[str] = ()


AnyQuestion = Question | Sketch | Mark
