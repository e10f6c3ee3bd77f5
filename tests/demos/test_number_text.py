"""Numbers in sentences; what the browser writes is compared in frontend/test."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibtext.demos.kit.number_text import Number, number


@pytest.mark.parametrize(("value", "spec", "text"), [
    (-0.04, ".1f", "0.0"), (-0.06, ".1f", "−0.1"), (2.5, ".0f", "3"), (-0.0, ".2g", "0"), (0.125, ".1%", "12.5%"),
    (-1e-9, ".0%", "0%"), (1e4, ".3g", "10000"), (12345.0, ".3g", "12300"), (1e5, ".1g", "10⁵"), (-1.23e-5, ".2g", "−1.2·10⁻⁵"),
    (9.99e-4, ".2g", "0.001"), (99999.9, ".3g", "10⁵"), (math.nan, ".2f", "nan"), (3.0, "", "3.0"),
])  # fmt: skip
def test_numbers(value: float, spec: str, text: str) -> None:
    assert number(value, spec) == text == f"{Number(value):{spec}}"


@given(st.floats(-1e12, 1e12), st.integers(1, 6))
def test_significant_digits_are_those_of_the_number(value: float, digits: int) -> None:
    text = number(value, f".{digits}g").replace("−", "-")
    mantissa, _, power = text.partition("·")
    if mantissa.lstrip("-").startswith("10") and any(c in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻" for c in mantissa):
        mantissa, power = ("-1" if mantissa.startswith("-") else "1"), mantissa.lstrip("-")
    exponent = int(power[2:].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if power else 0
    assert abs(float(Decimal(mantissa).scaleb(exponent)) - value) <= 0.5000001 * 10.0 ** (1 - digits) * abs(value)
