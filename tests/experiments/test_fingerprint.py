"""Fingerprints change with what a function computes, and with nothing else."""

from __future__ import annotations

import functools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

import ibtext as ib
from ibtext.experiments.fingerprint import describe, fingerprint

BASE = """
import numpy as np
LIMIT = 3
def helper(v):
    return v + LIMIT
def cell(width, seed, *, power=2):
    "A docstring."
    return {"v": helper(np.sqrt(width)) ** power}
"""


def module_fingerprint(tmp_path, source: str) -> str:
    """That of ``cell`` in a process of its own."""
    (tmp_path / "userexp.py").write_text(source)
    code = "import userexp; from ibtext.experiments.fingerprint import fingerprint; print(fingerprint(userexp.cell))"
    root = str(pathlib.Path(ib.__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    return out.stdout.strip()


def test_edits_that_matter_and_those_that_do_not(tmp_path):
    first = module_fingerprint(tmp_path, BASE)
    assert len(first) == 16
    for same in ("# a comment\n" + BASE, BASE.replace("A docstring.", "Another."), BASE.replace("v + LIMIT", "(v\n  + LIMIT)")):
        assert module_fingerprint(tmp_path, same) == first
    for old, new in (("LIMIT = 3", "LIMIT = 4"), ("v + LIMIT", "v - LIMIT"), ("power=2", "power=3"), ("np.sqrt", "np.cbrt")):
        assert module_fingerprint(tmp_path, BASE.replace(old, new)) != first, new


def test_functions_without_source_are_told_apart_by_their_code():
    space: dict = {}
    exec("def one(w):\n    return w + 1\ndef two(w):\n    return w + 2", space)
    assert fingerprint(space["one"]) != fingerprint(space["two"])
    pair = (lambda w: w + 1, lambda w: w + 2)  # on one line
    assert fingerprint(pair[0]) != fingerprint(pair[1])


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (np.arange(3.0), np.arange(3.0), np.arange(3)),
        ({1, 2, 3}, {3, 2, 1}, {1, 2}),
        ({"a": [1, (2.0, None)]}, {"a": [1, (2.0, None)]}, {"a": [1, (2.0, 0)]}),
        (functools.partial(pow, 2), functools.partial(pow, 2), functools.partial(pow, 3)),
        (stats.norm(0, 1), stats.norm(0, 1), stats.norm(0, 2)),
        (ib.PowerPotential(3, 1.0), ib.PowerPotential(3, 1.0), ib.PowerPotential(3, 2.0)),
        (ib.Scaled(ib.CoshPotential()), ib.Scaled(ib.CoshPotential()), ib.CoshPotential()),
        (np.float64(1), np.float64(1), 1.0),
        (np, np, np.linalg),
    ],
    ids=lambda value: type(value).__name__,
)
def test_descriptions_are_equal_for_equal_values_only(one, same, other):
    assert describe(one) == describe(same) != describe(other)


def test_a_value_that_holds_itself():
    loop: list = [1]
    loop.append(loop)
    assert describe(loop) == "list(1, again)"
