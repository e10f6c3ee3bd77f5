"""What all declarations share: the names that they may use, their form as JSON, and the refusal of one that cannot work."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...palette import HUES

#: A list of numbers.
Numbers = Sequence[float] | np.ndarray

#: Line styles by name: the dash pattern in pixels.  Colour is never the only difference between two curves.
DASHES: dict[str, tuple[float, ...]] = {"solid": (), "dashed": (7, 4), "dotted": (2, 3), "dashdot": (9, 3, 2, 3)}

#: Colours by name, as used on a light page.
COLORS = HUES

#: Markers by name, with their Matplotlib counterparts for the still picture.
MARKERS: dict[str, str] = {"circle": "o", "square": "s", "triangle": "^", "cross": "X", "diamond": "D"}


class DeclarationError(ValueError):
    """A demo is declared in a way that cannot work."""


def demand(holds: bool, message: str) -> None:
    """Refuse a declaration unless a condition holds."""
    if not holds:
        raise DeclarationError(message)


def demand_known(names: Collection[str], known: Collection[str], rule: str) -> None:
    """Refuse names that are not among those known; the rule says who gives them."""
    unknown = sorted(set(names) - set(known))
    demand(not unknown, f"{rule} {', '.join(unknown)}; use {', '.join(known) or 'none'}.")


def plain(value: Any) -> Any:
    """Return JSON-ready data: arrays and tuples become lists, NumPy numbers become Python's."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def plain_grid(x: ArrayLike) -> dict[str, Any]:
    """Return a grid as JSON: by its ends and count where it is equally spaced."""
    grid = np.asarray(x, dtype=float)
    if np.array_equal(grid, np.linspace(grid[0], grid[-1], grid.size)):
        return {"start": float(grid[0]), "stop": float(grid[-1]), "n": int(grid.size)}
    return {"values": grid.tolist()}
