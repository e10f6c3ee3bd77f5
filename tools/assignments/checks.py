"""What an author of an assignment must keep to, each rule with its remedy; ``python -m tools.assignments check``."""

from __future__ import annotations

import ast
import re

import nbformat
import yaml

from tools.assignments.guide import rubric_points
from tools.assignments.masters import common_errors, kind, leaks, mark, master_path, regions, text_of, tidy, visible_text
from tools.contents import demos_in

PACKAGE = "ibtext[demos] @ git+https://github.com/ibtext/ibtext"
SETUP_HEAD = f"""\
try:
    import ibtext as ib
except ModuleNotFoundError:      # for example in Colab
    %pip install -q "{PACKAGE}"
    import ibtext as ib
"""


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
    if demos_in(cell) and "nbval-ignore-output" not in cell.metadata.get("tags", []):
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
        found.append(f"{path.name} is not in committed form; run `python -m tools.assignments tidy {name}`")
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
