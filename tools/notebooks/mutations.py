"""A bench for checks: change a constant, a sign, an exponent in a claim cell, and see that the cell fails.

A claim cell declares mutations in its metadata: ``"mutations": [{"label": ..., "replace": ..., "by": ...}, ...]``. The text to be
replaced stands in the cell exactly once. Every mutation runs in a fork of a process that has run the notebook as far as the first
statement that it changes. A mutated cell must end in an AssertionError: one that passes is a survivor, and shows that the check
is too weak.

``python -m tools.notebooks.mutations book/NN_name.ipynb`` tries those of a chapter; ``make test`` tries all, where
``tools.notebooks.execute`` runs the notebooks anyway.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import traceback
import warnings
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
        results = outcomes(cell.source, [mutated(cell, mutation) for mutation in declared(cell)], namespace)
        for mutation, result in zip(declared(cell), results, strict=True):
            yield Mutation(cell.id, **mutation, result=result)
        exec(compile(cell.source, f"{path.name}:{cell.id}", "exec"), namespace)


def in_kernel(file: str) -> None:
    """Run in a kernel: replace a cell and its mutated forms, in a file, by what became of these."""
    import IPython

    shell = IPython.get_ipython()  # type: ignore[attr-defined, no-untyped-call]
    source, *changed = json.loads(Path(file).read_text())
    publisher, shell.display_pub.publish = shell.display_pub.publish, lambda *_, **__: None  # no figure of a fork is shown
    results = outcomes(source, changed, shell.user_ns)
    shell.display_pub.publish = publisher
    Path(file).write_text(json.dumps(results))


def outcomes(source: str, changed: list[str], namespace: dict[str, Any]) -> list[int]:
    """What becomes of the mutated forms of a cell; the namespace of this process stays as it is."""
    if not changed:
        return []
    sys.stdout.flush()
    end, begin = os.pipe()
    if (child := os.fork()) == 0:
        sys.stdout = open(os.devnull, "w")
        sys.stderr = sys.__stderr__ or sys.stdout
        warnings.simplefilter("ignore")  # a wrong formula may well overflow
        os.write(begin, bytes(_branches(source, changed, namespace)))
        os._exit(0)
    os.close(begin)
    with os.fdopen(end, "rb") as pipe:
        results = list(pipe.read())
    os.waitpid(child, 0)
    return results or [BROKEN] * len(changed)


def _branches(source: str, changed: list[str], namespace: dict[str, Any]) -> list[int]:
    """Run a cell; where a mutated form leaves it, a fork goes that way."""
    body, forms = ast.parse(source).body, [ast.parse(text).body for text in changed]
    places = [_first_change(body, form) for form in forms]
    results = [BROKEN] * len(forms)
    for k in range(max(places) + 1):
        for number in (i for i, place in enumerate(places) if place == k):
            if (child := os.fork()) == 0:
                os._exit(_outcome(forms[number][k:], namespace))
            results[number] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF
        if k < max(places) and _outcome(body[k : k + 1], namespace) != SURVIVED:
            break
    return results


def _first_change(one: list[ast.stmt], other: list[ast.stmt]) -> int:
    """The number of the first statement in which two cells differ."""
    return next(
        (k for k, (a, b) in enumerate(zip(one, other, strict=False)) if ast.dump(a) != ast.dump(b)), min(len(one), len(other))
    )


def _outcome(body: list[ast.stmt], namespace: dict[str, Any]) -> int:
    """What becomes of some statements."""
    try:
        exec(compile(ast.Module(body, []), "mutated cell", "exec"), namespace)
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
