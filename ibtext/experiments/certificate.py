"""A line of a certificate: what a statement predicts, what was measured, and how far apart the two may be.

The line is plain text, which a notebook stores and its test compares. The built page draws it as a row of the
statement's certificate. A measured number is therefore shown with the digits that the tolerance vouches for and no others:
those beyond it are rounding, and differ from one processor to the next.
"""

import math

from ..errors import check_number, check_positive

__all__ = ["report"]


def report(what: str, predicted: float | tuple[float, float], measured: float, tolerance: float = 0.0) -> None:
    r"""Print a line of a certificate, and fail if the measured number is not the predicted one.

    Parameters
    ----------
    what : str
        The quantity, in a few words.
    predicted : float, or a pair of floats
        Its value by the statement; a pair (low, high) for a statement that gives bounds, one of which may be infinite.
    measured : float
        Its value in the experiment.
    tolerance : float
        Largest distance from the prediction that passes, in the units of the quantity. It may be left out for bounds.

    Raises
    ------
    AssertionError
        If ``measured`` is further from ``predicted`` than ``tolerance``, or is no number.
    ValueError
        For a tolerance that is negative, or zero where one value is predicted.

    Examples
    --------
    >>> report("area of the unit circle", 3.14159, 3.1415926, 1e-4)
    area of the unit circle: predicted 3.14159, measured 3.1416, tolerance 0.0001
    >>> report("residual", 0, 3e-17, 1e-12)
    residual: predicted 0, measured below 1e-12, tolerance 1e-12
    >>> report("error over its bound", (0, 1), 0.8312)
    error over its bound: predicted between 0 and 1, measured 0.831
    """
    tolerance = check_positive("tolerance", tolerance, allow_zero=isinstance(predicted, tuple))
    measured = float(measured)
    if isinstance(predicted, tuple):
        low, high = (float(end) for end in predicted)
        close = low - tolerance <= measured <= high + tolerance
        between = f"at most {high:.6g}" if low == -math.inf else f"between {low:.6g} and {high:.6g}"
        expected = f"at least {low:.6g}" if high == math.inf else between
        shown = f"{measured:.3g}"
    else:
        value = check_number("predicted", predicted)
        close = abs(measured - value) <= tolerance
        expected = f"{value:.6g}"
        shown = _shown(measured, value, tolerance)
    margin = f", tolerance {tolerance:.2g}" if tolerance else ""
    print(f"{what}: predicted {expected}, measured {shown}{margin}")
    assert close, f"{what}: {measured!r} was measured, but {expected} is predicted{margin}"


def _shown(measured: float, predicted: float, tolerance: float) -> str:
    """A measured number to the last digit that the tolerance vouches for."""
    if predicted == 0 and abs(measured) <= tolerance:
        return f"below {tolerance:g}"
    if not math.isfinite(measured):
        return str(measured)
    place = math.floor(math.log10(tolerance))  # the power of ten of the last digit
    rounded = round(measured / 10.0**place) * 10.0**place
    digits = max(1, min(6, math.floor(math.log10(abs(rounded))) - place + 1)) if rounded else 1
    return f"{rounded:.{digits}g}"
