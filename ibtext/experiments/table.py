"""The table that a sweep returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["SweepTable"]


@dataclass(frozen=True)
class SweepTable:
    """Rows of a sweep: dictionaries with width, seed, potential (if any) and the numbers of the cell function.

    Ordered by potential and width as they were passed, then seed. ``len``, iteration and indexing give rows.

    Examples
    --------
    >>> table = SweepTable(({"width": 10, "seed": 0, "error": 0.5}, {"width": 20, "seed": 0, "error": 0.25}))
    >>> table.column("error")
    array([0.5 , 0.25])
    >>> table.select(width=20).rows
    ({'width': 20, 'seed': 0, 'error': 0.25},)
    """

    rows: tuple[dict[str, Any], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.rows[0]) if self.rows else ()

    def column(self, name: str) -> np.ndarray:
        """One column as an array (R,)."""
        if name not in self.names:
            raise ValueError(
                f"name must be one of {', '.join(map(repr, self.names)) or 'no column'}, but {name!r} was given; choose a name "
                f"from the list."
            )
        return np.array([row[name] for row in self.rows])

    def select(self, **values: Any) -> SweepTable:
        """The rows where each named column has the given value."""
        for name in values:
            self.column(name)
        return SweepTable(tuple(row for row in self.rows if all(row[k] == v for k, v in values.items())))

    def to_array(self) -> np.ndarray:
        """A structured array (R,) with one field a column; ``pandas.DataFrame`` takes it as it is."""
        columns = [self.column(name) for name in self.names]
        result = np.empty(len(self.rows), dtype=[(n, c.dtype) for n, c in zip(self.names, columns, strict=True)])
        for name, column in zip(self.names, columns, strict=True):
            result[name] = column
        return result

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]
