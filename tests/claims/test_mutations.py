"""Every claim cell fails when the statement that it checks is changed: the declared mutations are all caught."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import nbformat
import pytest

from tools.contents import ROOT
from tools.notebooks.claims import collect
from tools.notebooks.execute import execute
from tools.notebooks.mutations import declared, mutated

CHAPTERS = sorted((ROOT / "book").glob("[0-9]*.ipynb"))


def mutations(path):
    return [(cell, m) for cell in nbformat.read(path, as_version=4).cells for m in declared(cell)]


def benched():
    """Chapters that declare mutations."""
    return [path for path in CHAPTERS if mutations(path)]


@pytest.mark.parametrize("path", benched(), ids=lambda path: path.stem)
def test_every_statement_declares_two(path):
    stated = {s.label for s in collect(ROOT)[0] if s.chapter == path.stem}
    count = Counter(m["label"] for _, m in mutations(path))
    assert set(count) <= stated, f"no statement of this chapter: {set(count) - stated}"
    assert not (few := [label for label in stated if count[label] < 2]), f"fewer than two mutations: {few}"


@pytest.mark.parametrize("path", benched(), ids=lambda path: path.stem)
def test_mutations_fit_their_cells(path):
    for cell, mutation in mutations(path):
        assert mutated(cell, mutation) != cell.source


def test_the_bench_tells_the_caught_from_survivors(tmp_path):
    """On its own, and in the kernel that runs the notebook, which goes on as if nothing had been."""
    cells = [
        nbformat.v4.new_code_cell("value = 2.0", id="start"),
        nbformat.v4.new_code_cell(
            "value += 1\nassert (value - 1) * 3 == 6\nunused = 5", id="claim",
            metadata={"mutations": [
                {"label": "a", "replace": "* 3", "by": "* 4"},
                {"label": "a", "replace": "= 5", "by": "= 6"},
                {"label": "b", "replace": "(value - 1) * 3", "by": "nothing"},
            ]},
        ),
    ]  # fmt: skip
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "trial.ipynb")
    command = [sys.executable, "-m", "tools.notebooks.mutations", str(tmp_path / "trial.ipynb")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.rsplit(": ", 1)[1].split()[0] for line in done.stdout.splitlines()] == ["caught", "SURVIVED", "another"]
    notebook, _, faults, tried = execute(tmp_path / "trial.ipynb", 1, bench=True)
    assert tried == 3 and [fault.rsplit(": ", 1)[1].split()[0] for fault in faults] == ["SURVIVED", "another"]
    assert [cell.execution_count for cell in notebook.cells] == [1, 2] and not notebook.cells[1].outputs
