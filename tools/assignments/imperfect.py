"""Submissions as students hand them in: perfect, untouched, and wrong in every way that has been thought of.

Each comes with the marks that a fair teacher would give and with words that the student must be told. ``tests/assignments``
grades them, and ``python -m tools.grading trial`` makes a class of them.
"""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tools.assignments.masters import REGION, common_errors, kind, mark, master_path, solved, title_of
from tools.grading.repair import graded_id
from tools.grading.submission import one_notebook

LAST_VERSION = 99
#: Kinds that the tests have graded for real. After the repair, the others are the same as one of these.
GRADED = {
    "infinite-loop", "stubborn-loop", "memory-hog", "ends-the-process", "prints-without-end", "million-lines",
    "raises-at-import", "warns", "deleted-test", "edited-test", "skips-tests", "version-3", "cut-off",
}  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """A file that a student hands in, and what should come of it."""

    name: str
    text: str
    marks: dict[str, float]
    """Expected points of every cell that tests mark."""
    says: tuple[str, ...] = ()
    """Words that must stand among the comments."""
    awaiting: bool = True
    """Whether written answers wait for a teacher."""
    status: str = "graded"


class Assignment:
    """Master and release of one assignment, and submissions made from them."""

    def __init__(self, name: str, course: Path) -> None:
        self.name = name
        self.master = nbformat.read(master_path(name), as_version=4)
        self.release = nbformat.read(one_notebook(course / "release" / name), as_version=4)
        self.full = {cell.id: float(mark(cell)["points"]) for cell in self.master.cells if kind(cell) == "test"}
        self.title = title_of(self.release)
        self.written = sum(mark(cell)["points"] for cell in self.master.cells if kind(cell) == "answer")
        self.first = next(cell.id for cell in self.master.cells if kind(cell) == "solution")

    def without(self, question: str) -> dict[str, float]:
        """Marks of a student who misses one question."""
        return {name: 0.0 if re.match(rf"{question}(-|$)", name) else points for name, points in self.full.items()}

    def perfect(self, **sources: str) -> NotebookNode:
        """The release with every answer filled in; ``sources`` replaces those of some cells."""
        notebook, answers = copy.deepcopy(self.release), {cell.id: cell for cell in solved(copy.deepcopy(self.master)).cells}
        for cell in notebook.cells:
            if (name := graded_id(cell)) and kind(cell) in {"solution", "answer"}:
                cell.source = sources.get(name.replace("-", "_"), answers[name].source.partition("\n**Rubric**\n")[0])
        return notebook

    def region(self, lines: str, keep: bool = False) -> str:
        """The first solution cell with other lines in the place of its solution, or before it."""
        source = next(cell.source for cell in self.master.cells if cell.id == self.first)
        made, inside = [], False
        for line in source.splitlines():
            if found := REGION.match(line):
                inside = found.group(1) == "BEGIN"
                indent = line[: len(line) - len(line.lstrip())]
                made += [indent + new for new in lines.splitlines()] if inside else []
            elif not inside or keep:
                made.append(line)
        return "\n".join(made)

    def first_source(self) -> str:
        """The solved first solution cell."""
        return next(cell.source for cell in self.perfect().cells if graded_id(cell) == self.first)

    def stub(self) -> str:
        """The first solution cell as it was handed out."""
        return next(cell.source for cell in self.release.cells if graded_id(cell) == self.first)

    def tests(self) -> list[str]:
        """Test cells of the first question."""
        return [name for name, points in self.without(self.first).items() if not points]

    def with_first(self, source: str) -> NotebookNode:
        """A perfect submission but for the first solution cell."""
        return self.perfect(**{self.first: source})


def text(notebook: NotebookNode) -> str:
    """The file of a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.writes(notebook)


def index(notebook: NotebookNode, name: str) -> int:
    """Where a graded cell stands."""
    return next(i for i, cell in enumerate(notebook.cells) if graded_id(cell) == name)


def solution(a: Assignment) -> Submission:
    return Submission("solution", text(a.perfect()), a.full)


def untouched(a: Assignment) -> Submission:
    return Submission("untouched", text(a.release), dict.fromkeys(a.full, 0.0), ("not answered",), awaiting=False)


def common(a: Assignment) -> list[Submission]:
    """The errors that the authors of the assignment expect."""
    found = []
    for error in common_errors(a.name):
        sources = {cell.replace("-", "_"): source for cell, source in error["cells"].items()}
        marks = a.full | {cell: float(points) for cell, points in error["marks"].items()}
        found.append(Submission(error["name"], text(a.perfect(**sources)), marks, (error["message"],)))
    return found


def together(a: Assignment) -> list[Submission]:
    """The same errors in as few submissions as can be: each student makes several, in different questions."""
    students: list[list[dict[str, Any]]] = []
    for error in common_errors(a.name):
        free = (made for made in students if not any(set(error["cells"]) & set(other["cells"]) for other in made))
        made = next(free, None)
        if made is None:
            students.append(made := [])
        made.append(error)
    found = []
    for errors in students:
        sources = {cell.replace("-", "_"): source for error in errors for cell, source in error["cells"].items()}
        lost = {cell: float(points) for error in errors for cell, points in error["marks"].items()}
        said = tuple(error["message"] for error in errors)
        name = " and ".join(error["name"] for error in errors)
        found.append(Submission(name, text(a.perfect(**sources)), a.full | lost, said))
    return found


def broken_code(a: Assignment) -> list[Submission]:
    """Code that does not end, takes everything, or ends the process."""
    lost = a.without(a.first)
    stubborn = "while True:\n    try:\n        while True:\n            pass\n    except KeyboardInterrupt:\n        pass"
    cases = {
        "infinite-loop": ("while True:\n    pass", "took too long"),
        "stubborn-loop": (stubborn, "could not even be interrupted"),
        "memory-hog": ("hog = [bytearray(1 << 28) for _ in range(10**6)]", "MemoryError"),
        "ends-the-process": ("import os\nos._exit(1)", "ended the Python process"),
        "prints-without-end": ("while True:\n    print('x' * 1000)", "took too long"),
        "leaves-with-exit": ("raise SystemExit", "SystemExit"),
    }
    found = [Submission(name, text(a.with_first(a.region(lines))), lost, (says,)) for name, (lines, says) in cases.items()]
    whole = a.first_source()
    for name, source, says in (
        ("raises-at-import", "import no_such_module\n" + whole, "ModuleNotFoundError"),
        ("syntax-error", whole + "\nthis is no Python", "SyntaxError"),
    ):
        found.append(Submission(name, text(a.with_first(source)), lost, (says,)))
    floods = {
        "million-lines": "for _ in range(1000):\n    print('one line\\n' * 1000)\n",
        "million-prints": "for number in range(10**6):\n    print(number)\n",  # ten seconds: only the trial has time for it
    }
    for name, flood in floods.items():
        found.append(Submission(name, text(a.with_first(flood + whole)), a.full, ("printed more than is kept",)))
    noisy = a.region("import sys\nprint('a warning', file=sys.stderr)", keep=True)
    found.append(Submission("warns", text(a.with_first(noisy)), a.full))
    return found


def moved_cells(a: Assignment) -> list[Submission]:
    """Cells deleted, edited, copied, moved, tagged."""
    lost, test = a.without(a.first), a.tests()[0]

    def changed(name: str, source: str, change: Callable[[NotebookNode], None], marks: dict[str, float], says: str) -> Submission:
        notebook = a.with_first(source)
        change(notebook)
        return Submission(name, text(notebook), marks, (says,))

    def delete(name: str) -> Callable[[NotebookNode], None]:
        return lambda notebook: notebook.cells.pop(index(notebook, name)) and None

    def edit(notebook: NotebookNode) -> None:
        for name in a.tests():
            notebook.cells[index(notebook, name)].source = "assert True"

    def skip(notebook: NotebookNode) -> None:
        for name in a.tests():
            cell = notebook.cells[index(notebook, name)]
            cell.metadata["tags"] = ["nbval-ignore-output", "raises-exception"]
            cell.metadata.nbgrader["points"] = 0
            cell.cell_type = "raw"
            del cell["outputs"], cell["execution_count"]

    def double(notebook: NotebookNode) -> None:
        again = copy.deepcopy(notebook.cells[index(notebook, a.first)])
        again.source, again.id = a.stub(), "copy"
        notebook.cells.insert(index(notebook, a.first), again)
        third = copy.deepcopy(again)
        third.id = "another"
        notebook.cells.append(third)

    def up(notebook: NotebookNode) -> None:
        notebook.cells.insert(0, notebook.cells.pop(index(notebook, test)))

    def bare(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.metadata.pop("nbgrader", None)

    def all_tests(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if kind(cell) != "test"]

    right = a.first_source()
    return [
        changed("deleted-test", right, delete(test), a.full, f"Cell {test} was missing; it was put back"),
        changed("deleted-tests", a.stub(), all_tests, lost, f"Cell {test} was missing; it was put back"),
        changed("deleted-answer", right, delete(a.first), lost, f"Cell {a.first} was missing; it was put back"),
        changed("deleted-setup", right, delete("setup"), a.full, "Cell setup was missing; it was put back"),
        changed("edited-test", a.stub(), edit, lost, f"Cell {test} was changed; the cell that was handed out counts"),
        changed("skips-tests", a.stub(), skip, lost, "not answered"),
        changed("copied-cells", right, double, a.full, f"Cell {a.first} is there 3 times"),
        changed("moved-test", right, up, a.full, f"Cell {test} was moved; it was put back"),
        changed("lost-metadata", right, bare, a.full, f"Cell {a.first} had lost its metadata"),
    ]


def other_versions(a: Assignment) -> list[Submission]:
    """The perfect answer as other programs save it, and files that are no notebooks."""
    old = copy.deepcopy(a.perfect())
    for cell in old.cells:
        del cell["id"]
    old.nbformat_minor = 0
    colab = copy.deepcopy(old)
    for cell, named in zip(colab.cells, a.perfect().cells, strict=True):
        cell.metadata = nbformat.from_dict({"id": named.id, "colab": {"base_uri": "address"}})
    later = copy.deepcopy(a.perfect())
    later.nbformat_minor = LAST_VERSION
    later.metadata["a_later_program"] = {"version": "9"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        third = nbformat.convert(copy.deepcopy(old), 3)
    texts = {
        "version-4.0": json.dumps(old),
        "version-3": text(third),
        "colab": json.dumps(colab),
        "later-version": json.dumps(later),
    }
    found = [Submission(name, made, a.full) for name, made in texts.items()]
    none = dict.fromkeys(a.full, 0.0)
    whole = text(a.perfect())
    for name, made in (("cut-off", whole[: len(whole) // 2]), ("empty-file", ""), ("no-notebook", '["something", "else"]')):
        found.append(Submission(name, made, none, ("cannot be read as a notebook",), awaiting=False, status="unreadable"))
    return found


def general(a: Assignment) -> list[Submission]:
    """Everything that can be wrong in any assignment."""
    return [*broken_code(a), *moved_cells(a), *other_versions(a)]
