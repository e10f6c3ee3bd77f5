"""Repeated experiments, and what one reads off them.

Read ``sweep`` first, then ``rates`` (fitted power laws) and ``certificate`` (predicted beside measured). ``table`` is
what a sweep returns, ``results_file`` and ``fingerprint`` keep finished cells, ``progress`` shows how far it is.
"""

from .certificate import report
from .rates import Rate, fit_rate
from .sweep import SweepError, sweep
from .table import SweepTable

__all__ = ["Rate", "SweepError", "SweepTable", "fit_rate", "report", "sweep"]
