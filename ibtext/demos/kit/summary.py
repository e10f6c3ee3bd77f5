"""The sentence under a demo: fields such as ``{peak:.2f}`` filled from the result and the parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .controls import AnyControl
from .layers import Panel
from .number_text import Number


def fields(controls: Sequence[AnyControl], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the parameters give to a sentence or to the label of a curve."""
    words = {field: word for c in controls for field, word in c.words(parameters[c.name]).items()}
    return {field: Number(word) if isinstance(word, float) else word for field, word in words.items()}


class _Derived(dict[str, Any]):
    """Fields that need not be returned: ``{key_max}``, ``{key_min}`` and ``{key_rms}`` of an array of the result."""

    def __init__(self, known: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._result = result

    def __missing__(self, name: str) -> float:
        key, _, what = name.rpartition("_")
        if what not in ("max", "min", "rms") or key not in self._result:
            raise KeyError(name)
        values = np.asarray(self._result[key], dtype=float)
        if what == "rms":
            return Number(np.sqrt(np.nanmean(values**2)))
        return Number(np.nanmax(values) if what == "max" else np.nanmin(values))


def sentence(
    template: str,
    *,
    controls: Sequence[AnyControl],
    panels: Sequence[Panel],
    result: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> str:
    """Fill a summary."""
    known = fields(controls, parameters) | {k: Number(v) for k, v in result.items() if np.ndim(v) == 0}
    for panel in panels:
        if panel.cursor is not None:
            at = np.log10(parameters[panel.cursor]) if panel.x_log else parameters[panel.cursor]
            for curve in panel.curves:
                here = float(np.interp(at, panel.x, result[curve.key]))
                known[f"{curve.key}_here"] = Number(10.0**here if panel.y_log else here)
    return template.format_map(_Derived(known, result))
