"""The master notebooks of the assignments: what their cells are for, and which of their lines are secret."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import yaml

from tools.contents import ROOT
from tools.notebooks.normalize import normalize

MASTERS = Path(os.environ.get("IBTEXT_ASSIGNMENTS", ROOT / "book" / "assignments"))
REGION = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$")
#: Lines shorter than this say nothing about a solution: `return x`, `n = len(u)`.
TELLING = 16


def names(chosen: list[str] | None = None) -> list[str]:
    """Names of all assignments, or the chosen ones."""
    found = sorted(path.parent.name for path in MASTERS.glob("*/*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not found:
        raise SystemExit(f"There are no master notebooks in {MASTERS}; set IBTEXT_ASSIGNMENTS to the folder that holds them.")
    if unknown := set(chosen or []) - set(found):
        raise SystemExit(f"There is no assignment {', '.join(sorted(unknown))}; there are {', '.join(found)}.")
    return chosen or found


def master_path(name: str) -> Path:
    """The one master notebook of an assignment."""
    (path,) = (MASTERS / name).glob("*.ipynb")
    return path


def mark(cell: nbformat.NotebookNode) -> dict[str, Any]:
    """nbgrader's metadata of a cell, or an empty dictionary."""
    return dict(cell.metadata.get("nbgrader", {}))


def kind(cell: nbformat.NotebookNode) -> str:
    """What the cell is for: ``text``, ``solution``, ``test``, ``answer`` (read by a teacher) or ``given``."""
    found = mark(cell)
    if found.get("solution"):
        return "answer" if found.get("grade") else "solution"
    return "test" if found.get("grade") else "given" if found.get("locked") else "text"


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The master in committed form: no outputs, nbgrader's metadata complete (changed in place, and returned)."""
    normalize(notebook, colab=False)  # the set-up cell of an assignment fetches the package itself
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if short := mark(cell):
            full = {
                "grade": bool(short.get("grade", False)),
                "grade_id": short.get("grade_id", cell.id),
                "locked": kind(cell) in {"test", "given"},
                "schema_version": 3,
                "solution": bool(short.get("solution", False)),
                "task": False,
            }
            if full["grade"]:
                full["points"] = short.get("points", 0)
            cell.metadata["nbgrader"] = nbformat.from_dict(full)
    return notebook


def text_of(notebook: nbformat.NotebookNode) -> str:
    """A notebook as the text of its file."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def regions(source: str) -> dict[str, list[list[str]]]:
    """Lines inside the marked regions of a cell, by the kind of region; an unbalanced mark raises ``ValueError``."""
    inside: dict[str, list[list[str]]] = {"SOLUTION": [], "HIDDEN TESTS": []}
    now = ""
    for line in source.splitlines():
        if found := REGION.match(line):
            word, which = found.groups()
            if (word == "BEGIN") == bool(now) or (word == "END" and which != now):
                raise ValueError(f"the region marks do not pair at {line.strip()!r}")
            now = which if word == "BEGIN" else ""
            if now:
                inside[now].append([])
        elif "BEGIN SOLUTION" in line or "HIDDEN TESTS" in line:
            raise ValueError(f"a region mark is not alone on its line: {line.strip()!r}")
        elif now:
            inside[now][-1].append(line)
    if now:
        raise ValueError(f"the region {now} has no end")
    return inside


def flat(line: str) -> str:
    """A line with single spaces."""
    return " ".join(line.split())


def visible_text(notebook: nbformat.NotebookNode) -> str:
    """What nbgrader leaves of the cells when it makes the release."""
    kept: list[str] = []
    for cell in notebook.cells:
        hidden = False
        for line in cell.source.splitlines() if kind(cell) != "answer" else []:
            if found := REGION.match(line):
                hidden = found.group(1) == "BEGIN"
            elif not hidden:
                kept.append(line)
    return "\n".join(kept)


def secrets(notebook: nbformat.NotebookNode) -> list[str]:
    """Lines that students must not see: solutions, hidden tests, model answers, rubrics; trivial lines left out.

    A line of a hidden test that a visible test has as well is no secret.
    """
    lines: set[str] = set()
    seen = {flat(line) for line in visible_text(notebook).splitlines()}
    for cell in notebook.cells:
        found = regions(cell.source) if cell.cell_type == "code" else {}
        lines |= {flat(line) for block in found.get("SOLUTION", []) for line in block}
        lines |= {flat(line) for block in found.get("HIDDEN TESTS", []) for line in block} - seen
        if kind(cell) == "answer":
            lines |= {flat(line) for line in cell.source.splitlines()}
    return sorted(line for line in lines if len(line) >= TELLING and not line.startswith("#"))


def strings(value: Any) -> Iterator[str]:
    """All text in a value read from JSON; the lines of a cell come as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        yield "".join(item for item in value if isinstance(item, str))
        for item in value:
            if not isinstance(item, str):
                yield from strings(item)


def leaks(notebook: nbformat.NotebookNode, text: str) -> list[str]:
    """Secrets of a master that stand in the text of a file for students, a notebook or another."""
    with suppress(ValueError):
        text = "\n".join(strings(json.loads(text)))
    plain = flat(text)
    words = [word for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "**Rubric**") if word in plain]
    return words + [line for line in secrets(notebook) if line in plain]


def common_errors(name: str) -> list[dict[str, Any]]:
    """The imperfect submissions of an assignment: each with ``name, what, cells, marks, message``."""
    listed = yaml.safe_load((MASTERS / name / "common_errors.yml").read_text()) or []
    for entry in listed:
        if missing := {"name", "what", "cells", "marks", "message"} - set(entry):
            raise ValueError(f"{entry.get('name', 'an entry')} lacks {', '.join(sorted(missing))}")
    if len({entry["name"] for entry in listed}) < len(listed):
        raise ValueError("two entries have the same name")
    return listed


def solved(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The master without region marks: what a perfect student could hand in, hidden tests and rubrics included."""
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if not REGION.match(line))
    return notebook


def title_of(notebook: nbformat.NotebookNode) -> str:
    """The first heading."""
    return next(line[2:] for cell in notebook.cells for line in cell.source.splitlines() if line.startswith("# "))
