"""Make the assignments from their master notebooks: ``build`` (``make assignments``), ``check``, ``tidy``.

Each folder of ``book/assignments`` holds one master notebook in nbgrader's format, the hand-written part of the teacher's
guide and a list of common errors. ``build`` lets nbgrader make the release and writes, into ``_build/assignments``,

* ``student``: for each assignment the release, as a folder and as a zip that opens in Binder. Hand out these, nothing else.
* ``teacher``: solutions, guides, and the course folder with which ``tools/grade.py`` grades.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools.assignment_guide import guide, rubric_points
from tools.normalize import normalize

ROOT = Path(__file__).resolve().parent.parent
MASTERS = Path(os.environ.get("IBTEXT_ASSIGNMENTS", ROOT / "book" / "assignments"))
TARGET = ROOT / "_build" / "assignments"
CONFIG = MASTERS / "nbgrader_config.py"
REGION = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$")
#: A time stamp for all files in a zip, so that the same sources give the same bytes.
EPOCH = (2026, 1, 1, 0, 0, 0)
#: Lines shorter than this say nothing about a solution: `return x`, `n = len(u)`.
TELLING = 16
PACKAGE = "ibtext[demos] @ git+https://github.com/ibtext/ibtext"
SETUP_HEAD = f"""\
try:
    import ibtext as ib
except ModuleNotFoundError:      # for example in Colab
    %pip install -q "{PACKAGE}"
    import ibtext as ib
"""
ENVIRONMENT = f"""\
# For Binder: mybinder.org makes from this file a place in which the notebook runs.
name: assignment
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy>=2.0
  - scipy>=1.14
  - matplotlib>=3.9
  - ipywidgets>=8.1
  - jupyterlab>=4
  - git
  - pip
  - pip:
      - "{PACKAGE}"
"""
READ_ME = """\
# {title}

Open `{notebook}`, answer, save, and hand in the file under this name.

* **On your computer:** Python 3.11 or newer; `pip install jupyterlab "{package}"`, then
  `jupyter lab {notebook}`.
* **In Colab:** upload the notebook; its first cell installs what it needs.
* **On Binder:** put the files of this folder into a public Git repository, or upload the zip to Zenodo, and enter the
  address at mybinder.org. Binder forgets: download the notebook before you close it.
"""


def names(chosen: list[str] | None = None) -> list[str]:
    """Names of all assignments, or the chosen ones."""
    found = sorted(path.parent.name for path in MASTERS.glob("*/*.ipynb") if ".ipynb_checkpoints" not in path.parts)
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
    normalize(notebook)
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


def secrets(notebook: nbformat.NotebookNode) -> list[str]:
    """Lines that students must not see: solutions, hidden tests, model answers, rubrics; trivial lines left out."""
    lines: list[str] = []
    for cell in notebook.cells:
        found = regions(cell.source) if cell.cell_type == "code" else {}
        lines += [line for blocks in found.values() for block in blocks for line in block]
        if kind(cell) == "answer":
            lines += cell.source.splitlines()
    stripped = (" ".join(line.split()) for line in lines)
    return sorted({line for line in stripped if len(line) >= TELLING and not line.startswith("#")})


def leaks(notebook: nbformat.NotebookNode, text: str) -> list[str]:
    """Secrets of a master that stand in a text for students."""
    flat = " ".join(text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", " ").split())
    words = [word for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "**Rubric**") if word in flat]
    return words + [line for line in secrets(notebook) if line in flat]


def visible_text(notebook: nbformat.NotebookNode) -> str:
    """What nbgrader leaves of the cells when it makes the release."""
    kept = []
    for cell in notebook.cells:
        inside = {line for blocks in regions(cell.source).values() for block in blocks for line in block}
        if kind(cell) != "answer":
            kept += [line for line in cell.source.splitlines() if line not in inside and not REGION.match(line)]
    return "\n".join(kept)


def cell_faults(cell: nbformat.NotebookNode, questions: set[str]) -> list[str]:
    """What is wrong with one cell of a master."""
    faults = []
    role, found = kind(cell), mark(cell)
    try:
        inside = regions(cell.source)
    except ValueError as error:
        return [str(error)]
    if found and found.get("grade_id") != cell.id:
        faults.append(f"grade_id is {found.get('grade_id')!r} but must equal the cell's id")
    if role in {"test", "answer"} and not found.get("points", 0) > 0:
        faults.append("has no points; give it some")
    if (role == "solution") != bool(inside["SOLUTION"]):
        faults.append("a solution region belongs into every solution cell and into no other")
    if inside["HIDDEN TESTS"] and role != "test":
        faults.append("hidden tests stand in a cell that is no test")
    if role in {"solution", "test"} and cell.cell_type != "code":
        faults.append("must be a code cell")
    if role == "answer":
        if cell.cell_type != "markdown" or "\n**Rubric**\n" not in cell.source:
            faults.append("a written answer is a markdown cell with the model answer and then a line **Rubric**")
        elif rubric_points(cell.source) != found.get("points"):
            faults.append(f"the rubric adds up to {rubric_points(cell.source)} points, the cell has {found.get('points')}")
    if role in {"solution", "test", "answer"}:
        question = re.match(r"q\d+[a-z]?", cell.id)
        if question is None:
            faults.append("begins with no question such as q1")
        elif role == "test" and question.group() not in questions:
            faults.append(f"tests {question.group()}, which is no solution cell")
    if role == "test":
        import ast

        code = re.sub(r"^\s*%.*$", "pass", cell.source, flags=re.MULTILINE)
        tree = ast.parse(code)
        if any(isinstance(node, ast.Assert) and node.msg is None for node in ast.walk(tree)):
            faults.append("an assert has no message for the student")
        if tree.body and isinstance(tree.body[-1], ast.Expr) and "partial credit" not in cell.source:
            faults.append("ends with an expression, which nbgrader reads as points; end with a statement")
    if cell.cell_type == "markdown" and re.search(r"\{(doc|prf:ref|ref|eq|cite\S*)\}`", cell.source):
        faults.append("uses a MyST role, which plain JupyterLab does not show")
    if cell.cell_type == "code" and re.search(r"^\s*(import|from) torch", cell.source, re.MULTILINE):
        faults.append("imports torch, which the students' environment does not have")
    if (
        cell.cell_type == "code"
        and re.search(r"\w+Demo\(", cell.source)
        and "nbval-ignore-output" not in cell.metadata.get("tags", [])
    ):
        faults.append("shows a demo without the tag nbval-ignore-output")
    return faults


def error_faults(name: str, notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with the list of common errors."""
    try:
        listed = common_errors(name)
    except (OSError, yaml.YAMLError, ValueError) as error:
        return [f"common_errors.yml: {error}"]
    solutions = {cell.id for cell in notebook.cells if kind(cell) == "solution"}
    points = {cell.id: mark(cell)["points"] for cell in notebook.cells if kind(cell) == "test"}
    faults = [f"common_errors.yml lacks {needed}" for needed in {"hard-coded", "wrong-shape"} - {e["name"] for e in listed}]
    if len(listed) < 4:
        faults.append("common_errors.yml has fewer than four entries")
    for entry in listed:
        faults += [f"{entry['name']}: {cell} is no solution cell" for cell in set(entry["cells"]) - solutions]
        for cell, score in entry["marks"].items():
            if cell not in points or not 0 <= score < points[cell]:
                faults.append(f"{entry['name']}: marks of {cell} must be below the points of a test cell")
    return faults


def faults_of(name: str) -> list[str]:
    """Everything that is wrong with an assignment, each with its remedy."""
    path = master_path(name)
    notebook = nbformat.read(path, as_version=4)
    found = []
    if text_of(tidy(nbformat.read(path, as_version=4))) != path.read_text():
        found.append(f"{path.name} is not in committed form; run `tools/assignments.py tidy {name}`")
    setup = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if setup is None or setup.id != "setup" or kind(setup) != "given" or not setup.source.startswith(SETUP_HEAD):
        found.append("the first code cell must be the locked cell `setup` and begin with the lines that install ibtext")
    questions = {cell.id for cell in notebook.cells if kind(cell) == "solution"}
    for cell in notebook.cells:
        found += [f"cell {cell.id}: {fault}" for fault in cell_faults(cell, questions)]
    if found:
        return found
    found += [f"visible to students: {line}" for line in leaks(notebook, visible_text(notebook))]
    tested = {re.match(r"q\d+[a-z]?", cell.id).group() for cell in notebook.cells if kind(cell) == "test"}
    found += [f"question {question} has no test" for question in sorted(questions - tested)]
    points = {role: sum(mark(c)["points"] for c in notebook.cells if kind(c) == role) for role in ("test", "answer")}
    if 2 * points["answer"] > points["test"]:
        found.append(f"more than a third of the points is marked by hand: {points['answer']} of {sum(points.values())}")
    return found + error_faults(name, notebook)


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


def write_zip(path: Path, folder: Path, inside: str) -> None:
    """A zip of all files of a folder, below a folder of the given name; the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(f"{inside}/{file.relative_to(folder)}", EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.read_bytes())


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run a solved notebook, without its demos; an error ends the build."""
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        skip_cells_with_tag="nbval-ignore-output",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def build(chosen: list[str], target: Path = TARGET, run: bool = True) -> Path:
    """Make release, solutions, guides and the course folder below ``target``; returns the course folder."""
    from tools.grading import api
    from tools.grading import run as must

    student, teacher = target / "student", target / "teacher"
    course = teacher / "course"
    for folder in (student, teacher):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (student, teacher / "solutions", course / "source"):
        folder.mkdir(parents=True)
    shutil.copy(CONFIG, course / "nbgrader_config.py")
    for name in chosen:
        if faults := faults_of(name):
            raise SystemExit("\n".join(f"{name}: {fault}" for fault in faults))
        path = master_path(name)
        (course / "source" / name).mkdir()
        shutil.copy(path, course / "source" / name / path.name)
    # nbgrader makes the release, and writes the tests into the gradebook.
    nbgrader = api(course)
    for name in chosen:
        must("make the release", nbgrader.generate_assignment(name))
        path = master_path(name)
        notebook = nbformat.read(path, as_version=4)
        title = title_of(notebook)
        folder = student / name
        folder.mkdir()
        release = nbformat.read(course / "release" / name / path.name, as_version=4)
        (folder / path.name).write_text(text_of(release))
        (folder / "environment.yml").write_text(ENVIRONMENT)
        (folder / "README.md").write_text(READ_ME.format(title=title, notebook=path.name, package=PACKAGE))
        for file in sorted(folder.iterdir()):
            if found := leaks(notebook, file.read_text()):
                raise SystemExit(f"{name}: {file.name} would show students: {found[0]}")
        write_zip(student / f"{name}.zip", folder, name)
        solution = solved(nbformat.read(path, as_version=4))
        (teacher / "solutions" / path.name).write_text(text_of(execute(solution) if run else solution))
        text = guide(name, notebook, common_errors(name), (MASTERS / name / "guide.md").read_text(), path.name)
        (teacher / f"{name}_guide.md").write_text(text)
    return course


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["build", "check", "tidy"])
    parser.add_argument("names", nargs="*", help="folders of book/assignments; all if none is given")
    options = parser.parse_args()
    chosen = names(options.names)
    if options.command == "tidy":
        for path in map(master_path, chosen):
            path.write_text(text_of(tidy(nbformat.read(path, as_version=4))))
        return 0
    if options.command == "check":
        found = [f"{name}: {fault}" for name in chosen for fault in faults_of(name)]
        print("\n".join(found) or f"{len(chosen)} assignments in form.")
        return 1 if found else 0
    build(chosen)
    print("For students: _build/assignments/student (a folder and a zip for each assignment).")
    print("For teachers: _build/assignments/teacher (guides, solutions, and the course folder for tools/grade.py).")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
