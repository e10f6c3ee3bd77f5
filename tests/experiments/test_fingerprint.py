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


LOOP = """
import importlib, pathlib, sys
from ibtext.experiments.fingerprint import fingerprint
for folder in sys.argv[1:]:
    sys.path[0] = folder
    importlib.invalidate_caches()
    sys.modules.pop("userexp", None)
    print(fingerprint(importlib.import_module("userexp").cell))
"""


def module_fingerprints(tmp_path, *sources: str) -> list[str]:
    """Those of ``cell`` in modules of one name, imported one after the other in a process of its own."""
    folders = []
    for number, source in enumerate(sources):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        (folders[-1] / "userexp.py").write_text(source)
    root = str(pathlib.Path(ib.__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    command = [sys.executable, "-c", LOOP, *map(str, folders)]
    out = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    return out.stdout.split()


def test_edits_that_matter_and_those_that_do_not(tmp_path):
    same = ["# a comment\n" + BASE, BASE.replace("A docstring.", "Another."), BASE.replace("v + LIMIT", "(v\n  + LIMIT)")]
    edits = (("LIMIT = 3", "LIMIT = 4"), ("v + LIMIT", "v - LIMIT"), ("power=2", "power=3"), ("np.sqrt", "np.cbrt"))
    first, *found = module_fingerprints(tmp_path, BASE, *same, *(BASE.replace(old, new) for old, new in edits))
    assert len(first) == 16
    assert found[: len(same)] == [first] * len(same)
    assert first not in found[len(same) :] and len(set(found[len(same) :])) == len(edits)


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
