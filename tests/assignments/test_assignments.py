"""The assignments: in form, without leaks, made the same each time, with questions that do not depend on each other."""

from __future__ import annotations

import ast
import copy
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from tools.assignments import masters, release
from tools.assignments.checks import faults_of
from tools.assignments.imperfect import GRADED, Assignment, general
from tools.contents import ROOT
from tools.grading.repair import graded_id, read, repair

NAMES = masters.names()


def test_there_are_assignments() -> None:
    assert "1_mirror_descent" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_master_is_in_form(name: str) -> None:
    assert not faults_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_release_leaks_nothing(name: str, built: Path) -> None:
    master = nbformat.read(masters.master_path(name), as_version=4)
    secrets = masters.secrets(master)
    assert len(secrets) > 10  # else the search would have nothing to find
    with zipfile.ZipFile(built / "student" / f"{name}.zip") as archive:
        texts = {entry: archive.read(entry).decode() for entry in archive.namelist()}
    folder = built / "student" / name
    texts |= {str(path): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert len(texts) == 6
    for where, text in texts.items():
        assert not masters.leaks(master, text), where
    release = nbformat.read(next(folder.glob("*.ipynb")), as_version=4)
    assert not any(cell.get("outputs") or "attachments" in cell for cell in release.cells)
    # The search itself: it finds every one of them in the text of a notebook.
    release.cells[-1].source += "".join(f"\n    {secret}" for secret in secrets)
    assert set(secrets) <= set(masters.leaks(master, masters.text_of(release)))


def test_only_the_release_is_for_students(built: Path) -> None:
    kinds = {path.suffix for path in (built / "student").rglob("*") if path.is_file()}
    assert kinds == {".ipynb", ".md", ".yml", ".zip"}
    site = ROOT / "_toc.yml"
    assert "assignments/" not in site.read_text()  # masters hold the solutions: no page of the site is made of them


def test_the_same_sources_give_the_same_release(built: Path, tmp_path: Path) -> None:
    release.build(NAMES[:1], tmp_path, run=False)
    path = f"student/{NAMES[0]}.zip"
    assert (tmp_path / path).read_bytes() == (built / path).read_bytes()


def test_zip_opens_in_binder(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built / "student" / f"{NAMES[0]}.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / NAMES[0]
    recipe = yaml.safe_load((folder / "environment.yml").read_text())
    assert recipe["dependencies"][-1] == {"pip": [release.PACKAGE]}
    program = Path(sys.executable).with_name("jupyter-repo2docker")
    found = subprocess.run([program, "--no-build", "--debug", folder], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr[-2000:]
    assert "environment.yml" in found.stdout + found.stderr


@pytest.mark.parametrize("name", NAMES)
def test_guide_is_complete(name: str, built: Path) -> None:
    text = (built / "teacher" / f"{name}_guide.md").read_text()
    for heading in ("Timing", "Points", "Rubric", "Common errors", "Links", "Keeping this private"):
        assert f"\n## {heading}\n" in text
    for error in masters.common_errors(name):
        assert error["what"] in text


def add(text: str) -> Callable[[nbformat.NotebookNode], None]:
    return lambda cell: cell.update(source=cell.source + text)


def a_line_of_a_solution() -> str:
    cells = nbformat.read(masters.master_path(NAMES[0]), as_version=4).cells
    first = next(cell.source for cell in cells if masters.kind(cell) == "solution")
    return max(masters.regions(first)["SOLUTION"][0], key=len)


SOLVED = a_line_of_a_solution()


SPOILT: dict[str, tuple[str, Callable[[nbformat.NotebookNode], None]]] = {
    "has no points": ("test", lambda cell: cell.metadata.nbgrader.update(points=0)),
    "no message": ("test", lambda cell: cell.update(source="assert True")),
    "ends with an expression": ("test", add("\n1 + 1")),
    "the rubric adds up": ("answer", add("\n* 9 points: more.")),
    "has no end": ("solution", lambda cell: cell.update(source=cell.source.replace("### END SOLUTION", ""))),
    "must equal the cell's id": ("solution", lambda cell: cell.metadata.nbgrader.update(grade_id="other")),
    "MyST role": ("text", add("\n{doc}`notation`")),
    "visible to students": ("text", add("\n" + SOLVED)),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_check_finds_faults(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, path = NAMES[0], masters.master_path(NAMES[0])
    notebook = nbformat.read(path, as_version=4)
    where, spoil = SPOILT[fault]
    spoil(next(cell for cell in notebook.cells if masters.kind(cell) == where))
    folder = tmp_path / name
    folder.mkdir()
    (folder / "common_errors.yml").write_text((path.parent / "common_errors.yml").read_text())
    nbformat.write(notebook, folder / path.name)
    monkeypatch.setattr(masters, "MASTERS", tmp_path)
    assert any(fault in found for found in faults_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_questions_are_independent(name: str, course: Path) -> None:
    """A question needs the given cells and its own answer, nothing else: who misses one keeps the points of all others."""
    assignment = Assignment(name, course)
    cells = masters.solved(copy.deepcopy(assignment.master)).cells
    stubs = {graded_id(cell): cell.source for cell in assignment.release.cells}

    def run(cell: nbformat.NotebookNode, source: str, space: dict[str, Any]) -> None:
        plain = re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.MULTILINE)
        exec(compile(ast.parse(plain), cell.id, "exec"), space)

    for question in [cell.id for cell in cells if masters.kind(cell) == "solution"]:
        right: dict[str, Any] = {}
        blank: dict[str, Any] = {}
        for cell in cells:
            role = masters.kind(cell)
            if role == "given":
                run(cell, cell.source, right)
                run(cell, cell.source, blank)
            elif cell.id == question:
                run(cell, cell.source, right)
                with suppress(NotImplementedError):
                    run(cell, stubs[question], blank)
            elif role == "test" and cell.id.startswith(f"{question}-"):
                run(cell, cell.source, right)
                with pytest.raises((NotImplementedError, NameError)):
                    run(cell, cell.source, blank)


@pytest.mark.parametrize("name", NAMES)
def test_repair_gives_what_was_handed_out(name: str, course: Path) -> None:
    assignment = Assignment(name, course)

    def graded(notebook: nbformat.NotebookNode) -> list[tuple[str, str, str, Any]]:
        cells = [cell for cell in notebook.cells if graded_id(cell)]
        return [(graded_id(cell), cell.cell_type, cell.source, cell.metadata) for cell in cells]

    right, _ = repair(assignment.perfect(), assignment.release)
    blank, _ = repair(assignment.with_first(assignment.stub()), assignment.release)
    for submission in general(assignment):
        if submission.status == "unreadable" or submission.name in GRADED:
            continue
        path = course.parent / "handed_in.ipynb"
        path.write_text(submission.text)
        repaired, notes = repair(read(path), assignment.release)
        nbformat.validate(repaired)
        if submission.name in {"syntax-error", "leaves-with-exit", "million-prints"}:
            continue
        expected = right if submission.marks == assignment.full else blank
        assert graded(repaired) == graded(expected), submission.name
        assert all(words in " ".join(notes) for words in submission.says), submission.name
