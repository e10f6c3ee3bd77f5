"""Arrays as the potentials take them: float64, of NumPy or torch, of one shape."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from ..errors import real_array

__all__ = ["as_array", "as_arrays", "namespace"]


def namespace(x: Any) -> Any:
    """The library that an array belongs to: NumPy itself, without a layer between, or the compatible torch."""
    return np if isinstance(x, (np.ndarray, np.generic)) else array_namespace(x)


def as_array(x: Any) -> tuple[Any, Any]:
    """Return ``(x as float64 array, its namespace)``; plain numbers and lists become NumPy arrays, text is refused."""
    if type(x) is np.ndarray and x.dtype == np.float64:  # the common case
        return x, np
    if not is_array_api_obj(x) or isinstance(x, np.ma.MaskedArray) or (namespace(x) is np and x.dtype != np.float64):
        return real_array("x", x), np
    xp = namespace(x)
    return (x if x.dtype == xp.float64 else xp.astype(x, xp.float64)), xp


def as_arrays(*points: Any) -> list[Any]:
    """The points as float64 arrays of one shape."""
    arrays = [as_array(x)[0] for x in points]
    if len(arrays) < 2:
        return arrays
    try:
        return list(namespace(arrays[0]).broadcast_arrays(*arrays))
    except (ValueError, RuntimeError):
        raise ValueError(
            f"x and y must have shapes that broadcast, but {' and '.join(str(tuple(x.shape)) for x in arrays)} were given; pass "
            f"arrays of one shape."
        ) from None
