"""The colours of the book, shared by figures and demos, each with a contrast of at least 4.5 against white."""

__all__ = ["HUES"]

HUES: dict[str, str] = {
    "blue": "#0b63a5",
    "orange": "#b34700",
    "green": "#00755a",
    "purple": "#a03c7c",
    "grey": "#5b6470",
    "ink": "#1d2733",
}
"""By name, as on a light page; the demos' style sheet, frontend/src/demo.css, writes them for light, dark and print."""
