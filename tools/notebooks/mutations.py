"""A bench for checks: change a constant, a sign, an exponent in a claim cell, and see that the cell fails.

A claim cell declares mutations in its metadata: ``"mutations": [{"label": ..., "replace": ..., "by": ...}, ...]``. The text to be
replaced stands in the cell exactly once. Every mutation runs in a fork of the process that runs the notebook, at the place of its
cell. A mutated cell must end in an AssertionError: one that passes is a survivor, and shows that the check is too weak.

``python -m tools.notebooks.mutations book/NN_name.ipynb`` tries those of a chapter; ``make test`` tries all, where
``tools.notebooks.execute`` runs the notebooks anyway.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

CAUGHT, SURVIVED, BROKEN = 0, 1, 2
WORDS = {CAUGHT: "caught", SURVIVED: "SURVIVED", BROKEN: "broken: another exception than a failed check"}


@dataclass(frozen=True)
class Mutation:
    """A declared change of a claim cell, and what became of it."""

    cell: str
    label: str
    replace: str
    by: str
    result: int


def declared(cell: nbformat.NotebookNode) -> list[dict[str, str]]:
    """The mutations that a cell declares."""
    found: list[dict[str, str]] = cell.metadata.get("mutations", [])
    return found


def mutated(cell: nbformat.NotebookNode, mutation: dict[str, str]) -> str:
    """The source of a cell with a mutation."""
    count = cell.source.count(mutation["replace"])
    if count != 1:
        raise ValueError(
            f"the text that a mutation replaces must stand in its cell once, but {mutation['replace']!r} stands {count} times in "
            f"{cell.id}; give more of its surroundings."
        )
    return str(cell.source.replace(mutation["replace"], mutation["by"]))


def sentence(cell: str, mutation: dict[str, Any], result: int) -> str:
    """A mutation and what became of it."""
    return f"{cell} {mutation['label']}: {mutation['replace']!r} -> {mutation['by']!r}: {WORDS.get(result, 'broken')}"


def run(path: Path) -> Iterator[Mutation]:
    """Run a notebook up to its last claim cell, with every mutation in a fork at its place."""
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code" and "colab" not in c.id]
    last = max((i for i, cell in enumerate(cells) if declared(cell)), default=-1)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells[: last + 1]:
        for mutation in declared(cell):
            yield Mutation(cell.id, **mutation, result=in_fork(mutated(cell, mutation), namespace))
        exec(compile(cell.source, f"{path.name}:{cell.id}", "exec"), namespace)


def in_fork(source: str, namespace: dict[str, Any]) -> int:
    """What becomes of a mutated cell in a fork of this process."""
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        os._exit(_outcome(source, namespace))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_kernel(file: str) -> None:
    """Run in a kernel: replace the mutated cells in a file by what became of them."""
    import IPython

    shell = IPython.get_ipython()  # type: ignore[attr-defined, no-untyped-call]
    sources = json.loads(Path(file).read_text())
    publisher, shell.display_pub.publish = shell.display_pub.publish, lambda *_, **__: None  # no figure of a fork is shown
    outcomes = [in_fork(source, shell.user_ns) for source in sources]
    shell.display_pub.publish = publisher
    Path(file).write_text(json.dumps(outcomes))


def _outcome(source: str, namespace: dict[str, Any]) -> int:
    """What a mutated cell does, in a process of its own."""
    sys.stdout = open(os.devnull, "w")
    sys.stderr = sys.__stderr__ or sys.stdout
    try:
        exec(compile(source, "mutated cell", "exec"), namespace)
    except AssertionError:
        return CAUGHT
    except BaseException:
        traceback.print_exc()
        return BROKEN
    return SURVIVED


def main(paths: list[str]) -> int:
    """Print what became of every mutation; the exit status says whether all were caught."""
    import matplotlib

    matplotlib.use("Agg")
    status = 0
    for name in paths:
        path = Path(name).resolve()
        os.chdir(path.parent)
        for m in run(path):
            print(path.name, sentence(m.cell, vars(m), m.result), flush=True)
            status |= m.result != CAUGHT
    return int(status)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
