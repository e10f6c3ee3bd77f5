"""Numbers as the reader sees them, in sentences and labels: one rule for Python and for the browser.

``frontend/src/format.js`` writes the same, and its test compares the two.  A minus is a minus sign, a zero has no sign, and
nobody reads ``1e+04``: very large and very small numbers are multiples of powers of ten.  Halves are rounded away from zero, as
JavaScript does; Python's own format rounds them to even.
"""

import math
import re
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """Return 10 to a power, written with superscripts."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def number(value: float, spec: str) -> str:
    """Return a number as ``.Nf`` (decimals), ``.N%`` or ``.Ng`` (significant digits) asks for it.

    >>> number(-0.04, ".1f"), number(-2.5, ".0f"), number(1e-5, ".2g"), number(123456.0, ".3g")
    ('0.0', '−3', '10⁻⁵', '1.23·10⁵')
    """
    kind = re.fullmatch(r"\.(\d+)([fg%])", spec)
    if kind is None or not math.isfinite(value):
        return format(value, spec)
    digits = int(kind[1])
    text = _significant(value, digits) if kind[2] == "g" else _fixed(100.0 * value if kind[2] == "%" else value, digits)
    if not re.search("[1-9]", text.partition("·")[0]):
        text = text.lstrip("-")
    return text.replace("-", MINUS) + ("%" if kind[2] == "%" else "")


def _fixed(value: float, decimals: int) -> str:
    return format(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), "f")


def _significant(value: float, digits: int) -> str:
    exact = Decimal(value)
    if exact == 0:
        return "0"
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), ROUND_HALF_UP)
    exponent = rounded.adjusted()
    if -4 < exponent < 5:
        return format(rounded.normalize(), "f")
    mantissa, sign = abs(rounded.scaleb(-exponent).normalize()), "-" if value < 0 else ""
    return sign + (power_of_ten(exponent) if mantissa == 1 else f"{mantissa:f}·{power_of_ten(exponent)}")


class Number(float):
    """A number that fills a field of a sentence by the rule above."""

    def __format__(self, spec: str) -> str:
        return number(float(self), spec)
