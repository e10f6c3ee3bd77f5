"""Tables in Markdown."""

from __future__ import annotations


def table(rows: list[list[str]]) -> list[str]:
    """The lines of a table; the first row is its header.

    >>> table([["cell", "points"], ["q1", "2"]])
    ['| cell | points |', '| --- | --- |', '| q1 | 2 |']
    """
    return ["| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]]
