"""Lines of certificates: what they print, and that they fail."""

from __future__ import annotations

import pytest

import ibtext as ib


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((1, 1 + 3e-12, 1e-10), "predicted 1, measured 1, tolerance 1e-10"),
        ((0.5, 0.50301, 0.01), "predicted 0.5, measured 0.5, tolerance 0.01"),
        ((-0.5, -0.5236, 0.03), "predicted -0.5, measured -0.52, tolerance 0.03"),
        ((12345.678, 12345.6789, 0.01), "predicted 12345.7, measured 12345.7, tolerance 0.01"),
        ((0, -2e-16, 1e-13), "predicted 0, measured below 1e-13, tolerance 1e-13"),
        ((1e-20, 1.0004e-20, 1e-22), "predicted 1e-20, measured 1e-20, tolerance 1e-22"),
        (((0, 1), 0.99951), "predicted between 0 and 1, measured 1"),
        (((2.0, float("inf")), 7.25), "predicted at least 2, measured 7.25"),
        (((float("-inf"), 2.0), -1.5, 0.1), "predicted at most 2, measured -1.5, tolerance 0.1"),
    ],
)
def test_a_line(arguments: tuple, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    ib.report("what", *arguments)
    assert capsys.readouterr().out == f"what: {line}\n"


@pytest.mark.parametrize(
    "arguments",
    [(1, 1.2, 0.1), (1, float("nan"), 0.1), (0, float("inf"), 1.0), ((0, 1), 1.1), ((0, 1), float("nan")), ((0, 1), -0.2, 0.1)],
)
def test_a_failure(arguments: tuple) -> None:
    with pytest.raises(AssertionError, match="predicted"):
        ib.report("what", *arguments)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_value_needs_a_tolerance(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        ib.report("what", 1.0, 1.0, tolerance)
