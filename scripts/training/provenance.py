"""Tables of trained networks: comma-separated values under comments that say where they come from."""

from __future__ import annotations

import csv
import io
import pathlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy

import ibtext as ib


def header(script: str, notes: Sequence[str]) -> str:
    """Command, versions and settings, a line each."""
    versions = f"python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, ibtext {ib.__version__}"
    lines = (f"command: python scripts/training/{pathlib.Path(script).name}", versions, *notes)
    return "".join(f"# {line}\n" for line in lines)


def read(path: pathlib.Path) -> list[dict[str, str]]:
    """The rows of a committed table."""
    return list(csv.DictReader(line for line in path.read_text().splitlines() if not line.startswith("#")))


def write(
    path: pathlib.Path, script: str, notes: Sequence[str], fields: Sequence[str], rows: Iterable[Mapping[str, Any]], digits: int
) -> None:
    """Write the columns ``fields`` of the rows, numbers to ``digits`` digits, below the header."""
    out = io.StringIO()
    out.write(header(script, notes))
    writer = csv.DictWriter(out, fields, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.{digits}g}" if isinstance(v, float) else v for k, v in row.items()})
    path.write_text(out.getvalue())
