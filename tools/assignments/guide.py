"""The teacher's guide of an assignment: its hand-written part, and what the master notebook knows already."""

from __future__ import annotations

import re
from typing import Any

import nbformat

from tools.markdown import table

POINTS = re.compile(r"^\* (\d+(?:\.\d+)?) points?: ", re.MULTILINE)
HEADINGS = ("## What it practises", "## Timing", "## Running it in class", "## Links")
PRIVATE = """\
## Keeping this private

The solutions are in the public repository of the book, so a course that counts should change what it asks.

1. Fork the repository, and make `book/assignments` a private repository of its own: copy the folder there, delete it from
   the fork, and edit it (other numbers, other potentials; `python -m tools.assignments check` says whether it still holds).
2. Build from it: `IBTEXT_ASSIGNMENTS=/path/to/private/assignments make assignments`. Git ignores `_build`, so nothing
   that is made reaches the fork.
3. Hand out `_build/assignments/student` only. It is searched for every line of a solution, of a hidden test and of a
   rubric before it is written. `_build/assignments/teacher` and the gradebook stay with you.
4. Feedback shows the hidden tests. Return it when the last submission is in.

## Grading

```
.venv/bin/python -m tools.grading run {name} FOLDER     # FOLDER/<student>.ipynb or FOLDER/<student>/{notebook}
.venv/bin/python -m tools.grading export {name}         # marks as CSV, after written answers have been read
```

Students' code runs with your rights, under limits of time, memory and output, each notebook in a folder and a process of
its own. That keeps accidents apart, not attacks: grade the work of people whom you do not trust in a container. Grading
may be stopped and started again at any moment. Written answers are read in nbgrader's own page: `cd _build/grading/course`,
then `jupyter lab` and the menu *nbgrader, formgrader*.
"""


def rubric(source: str) -> str:
    """The part of a written answer that says how it is marked."""
    return source.partition("\n**Rubric**\n")[2].strip()


def rubric_points(source: str) -> float:
    """The sum of the points in a rubric."""
    return sum(float(points) for points in POINTS.findall(rubric(source)))


def points_table(notebook: nbformat.NotebookNode) -> str:
    """The points of every graded cell."""
    rows = [["cell", "points", "marked"]]
    total = 0.0
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade"):
            hidden = "by tests, hidden ones too" if "BEGIN HIDDEN TESTS" in cell.source else "by tests that students see"
            rows.append([cell.id, f"{mark['points']:g}", "by you" if mark["solution"] else hidden])
            total += mark["points"]
    return "\n".join(table([*rows, ["together", f"{total:g}", ""]]))


def rubrics(notebook: nbformat.NotebookNode) -> str:
    """Model answer and rubric of every written answer."""
    parts = []
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade") and mark.get("solution"):
            answer = cell.source.partition("\n**Rubric**\n")[0].strip()
            parts.append(f"### {cell.id} ({mark['points']:g} points)\n\n*Model answer.* {answer}\n\n{rubric(cell.source)}")
    return "\n\n".join(parts) or "All questions are marked by tests."


def errors_list(errors: list[dict[str, Any]]) -> str:
    """The common errors, with what the tests give and say."""
    parts = []
    for error in errors:
        lost = ", ".join(f"{cell}: {points:g}" for cell, points in error["marks"].items())
        advice = f" {error['advice']}" if error.get("advice") else ""
        parts.append(
            f'* **{error["what"]}**{advice} The tests give less in {lost}. They say, among other things: "{error["message"]}".'
        )
    return "\n".join(parts)


def guide(name: str, notebook: nbformat.NotebookNode, errors: list[dict[str, Any]], written: str, file: str) -> str:
    """The whole guide as Markdown."""
    if missing := [heading for heading in HEADINGS if heading not in written]:
        raise SystemExit(f"{name}: guide.md lacks the heading {missing[0]}")
    parts = [
        written.strip(),
        "## Points\n\n" + points_table(notebook),
        "## Rubric\n\n" + rubrics(notebook),
        "## Common errors\n\nEach of these has been graded by the tests of the book.\n\n" + errors_list(errors),
        PRIVATE.format(name=name, notebook=file).strip(),
    ]
    return "\n\n".join(parts) + "\n"
