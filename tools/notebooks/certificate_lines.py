"""The lines that ``ibtext.report`` prints, read back: by the page that shows them, by the ledger, by the tests."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"^(?P<what>.+): predicted (?P<predicted>.+?), measured (?P<measured>.+?)(?:, tolerance (?P<tolerance>\S+))?$")


@dataclass(frozen=True)
class Line:
    """A line of a certificate, as printed."""

    what: str
    predicted: str
    measured: str
    tolerance: str

    @property
    def used(self) -> float:
        """How much of the tolerance is used: distance over tolerance, or how near a bound the number lies (1 is at the bound)."""
        if self.measured.startswith("below"):
            return 0.0
        measured, words = float(self.measured), self.predicted.split()
        if words[0] == "between":
            low, high = float(words[1]), float(words[3])
            return abs(2 * measured - low - high) / (high - low)
        if words[0] == "at":
            bound = float(words[2])
            return measured / bound if words[1] == "most" and bound > 0 else bound / measured if measured else 0.0
        distance, tolerance = abs(measured - float(self.predicted)), float(self.tolerance)
        return distance / tolerance if tolerance else 0.0  # a count that must be exact


def read(text: str) -> tuple[list[Line], str]:
    """The lines of a certificate in a printed text, and what else was printed.

    >>> read("area: predicted 3.14, measured 3.1, tolerance 0.1\\nslow")
    ([Line(what='area', predicted='3.14', measured='3.1', tolerance='0.1')], 'slow')
    """
    lines, rest = [], []
    for line in text.splitlines():
        if found := LINE.match(line.rstrip()):
            lines.append(Line(**{name: (value or "").strip() for name, value in found.groupdict().items()}))
        else:
            rest.append(line)
    return lines, "\n".join(rest).strip("\n")
