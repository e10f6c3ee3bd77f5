"""Bring a submitted notebook back into the shape in which nbgrader can grade it, and note what had to be done.

Students delete, copy, move and edit cells, and programs save notebooks in other versions of the format. Nothing that a
student wrote is thrown away. Cells that are not the student's to change are put back as they were handed out.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode


class Unreadable(Exception):
    """The file is no notebook."""


def read(path: Path) -> NotebookNode:
    """The notebook in a file of any version of the format, as version 4.5."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
            for cell in notebook.cells:
                cell.source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
                cell.setdefault("metadata", nbformat.from_dict({}))
                if cell.cell_type not in {"code", "markdown", "raw"}:
                    raise Unreadable(f"a cell of the unknown kind {cell.cell_type!r}")
            notebook.setdefault("metadata", nbformat.from_dict({}))
    except (FileNotFoundError, Unreadable):
        raise
    except Exception as error:  # a file of a student can be wrong in any way
        raise Unreadable(f"{type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}") from None
    return notebook


def graded_id(cell: NotebookNode) -> str:
    """nbgrader's name of the cell, or the empty string."""
    mark = cell.metadata.get("nbgrader")
    return str(mark.get("grade_id", "")) if isinstance(mark, dict) else ""


def is_students(cell: NotebookNode) -> bool:
    """Whether the student writes the contents of this cell of the release."""
    return bool(cell.metadata.nbgrader.get("solution"))


def lost_id(cell: NotebookNode) -> str:
    """The id that the cell itself still has when nbgrader's metadata are gone; Colab keeps it among the metadata."""
    return str(cell.get("id") or cell.metadata.get("id") or "")


def matches(notebook: NotebookNode, release: dict[str, NotebookNode], notes: list[str]) -> dict[str, int]:
    """Where each graded cell of the release stands in the submission; of copies, the last that was worked on."""
    places: dict[str, list[int]] = {}
    named = {graded_id(cell) for cell in notebook.cells}
    for index, cell in enumerate(notebook.cells):
        name = graded_id(cell)
        if name not in release and (lost := lost_id(cell)) in release and lost not in named:
            name = lost
            notes.append(f"Cell {name} had lost its metadata; it was recognised by its id.")
        if name in release:
            places.setdefault(name, []).append(index)
    found = {}
    for name, indices in places.items():
        worked = [i for i in indices if notebook.cells[i].source.strip() != release[name].source.strip()]
        found[name] = worked[-1] if worked and is_students(release[name]) else indices[-1]
        if len(indices) > 1:
            notes.append(f"Cell {name} is there {len(indices)} times; the last one that was worked on counts.")
    return found


def restore(cell: NotebookNode, original: NotebookNode, name: str, notes: list[str]) -> NotebookNode:
    """The cell with the metadata of the release, and with its source unless the student was to write it."""
    # All metadata: a tag on a test cell could keep it from being run.
    kept: dict[str, Any] = dict(original)
    if is_students(original):
        if cell.cell_type != original.cell_type:
            notes.append(f"Cell {name} was made a {cell.cell_type} cell; it was read as a {original.cell_type} cell.")
        kept["source"] = cell.source
    elif cell.source.strip() != original.source.strip():
        notes.append(f"Cell {name} was changed; the cell that was handed out counts.")
    return nbformat.from_dict(kept)


def repair(notebook: NotebookNode, original: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The submission with every graded cell of the release in place, and sentences on what was changed."""
    notes: list[str] = []
    release = {graded_id(cell): cell for cell in original.cells if graded_id(cell)}
    places = matches(notebook, release, notes)
    cells: list[NotebookNode] = []
    for index, cell in enumerate(notebook.cells):
        name = next((n for n, place in places.items() if place == index), "")
        if name:
            cells.append(restore(cell, release[name], name, notes))
            continue
        cell.metadata.pop("nbgrader", None)
        cells.append(cell)

    def place(name: str) -> int:
        return next(i for i, cell in enumerate(cells) if graded_id(cell) == name)

    before = -1
    present = set(places)
    for name, cell in release.items():
        if name not in present:
            notes.append(f"Cell {name} was missing; it was put back.")
            cells.insert(before + 1, nbformat.from_dict(dict(cell)))
        elif place(name) <= before and not is_students(cell):
            # A test above the answer that it tests, or given data below their use.
            notes.append(f"Cell {name} was moved; it was put back.")
            moved = cells.pop(place(name))
            before -= 1
            cells.insert(before + 1, moved)
        before = max(before, place(name))

    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
        cell.id = graded_id(cell) or f"cell-{number}"
    fresh = nbformat.v4.new_notebook(cells=cells, metadata=dict(original.metadata))
    return fresh, notes
