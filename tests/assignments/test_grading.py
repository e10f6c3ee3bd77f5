"""A class that hands in everything that can go wrong, graded by nbgrader; the grader is killed half-way and started again."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tools.assignments import masters
from tools.assignments.imperfect import GRADED, Assignment, Submission, general, solution, together, untouched
from tools.contents import ROOT
from tools.grading.trial import differences, hand_in

NAME = masters.names()[0]


@pytest.fixture(scope="module")
def class_folder(course: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Assignment, dict[str, Submission], Path, Path]:
    """The class that hands in every imperfect submission; its grader is killed half-way and started again."""
    assignment = Assignment(NAME, course)
    # Those that take longest come first, so that they run beside the others.
    kinds = [submission for submission in general(assignment) if submission.name in GRADED]
    kinds += [solution(assignment), untouched(assignment), *together(assignment)]
    assert GRADED <= {submission.name for submission in kinds}
    students = {f"student {number}": submission for number, submission in enumerate(kinds)}
    folder, out = tmp_path_factory.mktemp("submitted"), tmp_path_factory.mktemp("graded")
    hand_in(assignment, students, folder)
    return assignment, students, folder, out


@pytest.mark.slow
def test_class_is_graded_fairly_though_the_grader_is_killed(
    class_folder: tuple[Assignment, dict[str, Submission], Path, Path],
    grader: Callable[..., Any],
    results: Callable[..., Any],
) -> None:
    assignment, students, folder, out = class_folder
    start = time.monotonic()
    process = grader(assignment.name, folder, out)
    while len(results(assignment.name, out)) < 5:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        time.sleep(0.1)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = {student: result["seconds"] for student, result in results(assignment.name, out).items()}
    assert 5 <= len(before) < len(students)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, "processes of students outlive the grader"

    process = grader(assignment.name, folder, out)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    assert f"{len(before)} of {len(students)} have their result already" in said
    found = results(assignment.name, out)
    assert set(found) == set(students)
    assert {student: found[student]["seconds"] for student in before} == before
    faults = [
        line
        for student, result in found.items()
        for line in differences(student, students[student], result, assignment.written, out)
    ]
    assert not faults, "\n".join(faults)
    print(f"{len(students)} submissions, killed once: {time.monotonic() - start:.0f} s")

    with open(out / f"{assignment.name}.csv", newline="") as handle:
        rows = {row["student"]: row for row in csv.DictReader(handle)}
    assert set(rows) == set(students)
    for student, submission in students.items():
        assert float(rows[student]["score"]) == sum(submission.marks.values())
        assert float(rows[student]["awaiting"]) == (assignment.written if submission.awaiting else 0)
        for cell, points in submission.marks.items():
            assert float(rows[student][cell]) == points
        page = (out / "results" / assignment.name / student / "feedback.html").read_text()
        assert "<h2>Comments</h2>" in page
        assert (f"({student})" in page) == (submission.status == "graded")


@pytest.mark.slow
def test_what_a_teacher_enters_stays(
    class_folder: tuple[Assignment, dict[str, Submission], Path, Path],
    grader: Callable[..., Any],
    results: Callable[..., Any],
) -> None:
    from nbgrader.api import Gradebook

    assignment, students, folder, out = class_folder
    if len(results(assignment.name, out)) < len(students):
        pytest.skip("the class was not graded")
    answer = next(cell.id for cell in assignment.master.cells if masters.kind(cell) == "answer")
    first, again = (next(s for s, made in students.items() if made.name == name) for name in ("solution", "untouched"))
    stem = masters.master_path(assignment.name).stem
    with Gradebook(f"sqlite:///{out / 'course' / 'gradebook.db'}", "ibtext") as gradebook:
        grade = gradebook.find_grade(answer, stem, assignment.name, first)
        grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.db.commit()
    # Another student hands in again: only that notebook is graded.
    perfect = (folder / f"{first}.ipynb").read_text()
    (folder / f"{again}.ipynb").write_text(perfect.replace(f"({first})", f"({again})"))
    process = grader(assignment.name, folder, out)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert f"{len(students) - 1} of {len(students)} have their result already" in said
    command = [sys.executable, "-m", "tools.grading", "export", assignment.name, "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with open(out / f"{assignment.name}.csv", newline="") as handle:
        rows = {row["student"]: row for row in csv.DictReader(handle)}
    full = sum(assignment.full.values())
    assert float(rows[first]["score"]) == full + 1
    assert float(rows[again]["score"]) == full
