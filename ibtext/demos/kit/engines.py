"""What answers on a page without Python: a table, the dual solver, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .palette import DeclarationError


@dataclass(frozen=True, kw_only=True)
class Table:
    """Static pages answer from a table of Chebyshev nodes (see ``ibtext.demos.kit.table``).

    ``nodes`` gives the number of nodes for each slider and for each coordinate of :class:`Points` (one number, or a list with
    one for every coordinate x₁, y₁, x₂, ...); every combination of choices has rows of its own.  ``tolerance`` is the largest
    error accepted, as a share of each output's full scale, at ``checks`` random settings off the nodes.  A parameter in
    ``repeat`` keeps each of its random values for that many settings, where settings with equal values share expensive work.
    ``linear`` names a :class:`Labels` control in which *every* output is affine: the table then holds a matrix, which is
    exact in the labels.
    """

    nodes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)
    repeat: Mapping[str, int] = field(default_factory=dict)
    linear: str | None = None
    tolerance: float = 0.005
    checks: int = 200
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Dual:
    """Static pages solve the book's equation in the browser (see ``ibtext.demos.kit.dual``).

    ``solutions`` maps a prefix to a problem, a dictionary with the keys ``x``, ``y``, ``p``, ``omega`` and
    ``half_width``; each value is a constant or the name of a parameter.  A prefix ``limit`` makes the results
    ``limit_value`` and ``limit_curvature`` (on the grid of the panel that draws them), ``limit_max`` and
    ``limit_mean`` (of |h''| over the bias range).  ``magnitudes`` asks for |h''| instead of h''.
    """

    solutions: Mapping[str, Mapping[str, Any]]
    magnitudes: bool = False

    KEYS = ("x", "y", "p", "omega", "half_width")
    QUANTITIES = ("value", "curvature", "max", "mean")

    def __post_init__(self) -> None:
        for prefix, problem in self.solutions.items():
            if set(problem) != set(self.KEYS):
                raise DeclarationError(
                    f"A problem of the dual engine has the keys {', '.join(self.KEYS)}, but {prefix!r} has "
                    f"{', '.join(problem)}; a name was probably misspelt; give exactly the five."
                )


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """No engine on static pages: the demo shows its default state and says that it needs Python."""

    reason: str = field(default="This demo needs a running Python kernel.")
