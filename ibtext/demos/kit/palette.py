"""Names that declarations may use: colours, dash patterns and markers, and the error for a declaration that cannot work."""

from __future__ import annotations

from collections.abc import Collection

#: Line styles by name: the dash pattern in pixels.  Colour is never the only difference between two curves.
DASHES: dict[str, tuple[float, ...]] = {"solid": (), "dashed": (7, 4), "dotted": (2, 3), "dashdot": (9, 3, 2, 3)}

#: Colours by name, as used on a light page; the style sheet holds the counterparts for a dark page.
#: They are colours of ``ibtext.plotting.COLORS``' family, each with a contrast of at least 4.5 against white.
COLORS: dict[str, str] = {
    "blue": "#0b63a5",
    "orange": "#b34700",
    "green": "#00755a",
    "purple": "#a03c7c",
    "grey": "#5b6470",
    "ink": "#1d2733",
}

#: Markers by name, with their Matplotlib counterparts for the still picture.
MARKERS: dict[str, str] = {"circle": "o", "square": "s", "triangle": "^", "cross": "X", "diamond": "D"}


class DeclarationError(ValueError):
    """A demo is declared in a way that cannot work."""


def listed(value: str, names: Collection[str], what: str, owner: str) -> None:
    """Refuse a name that is not in a list."""
    if value not in names:
        raise DeclarationError(
            f"A layer has a {what} from the list {', '.join(names)}, but {owner!r} asks for {value!r}; "
            "it is probably a Matplotlib name; choose one of the list."
        )
