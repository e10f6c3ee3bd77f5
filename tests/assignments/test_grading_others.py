"""The other assignments, graded by nbgrader: the solution, the untouched release, and the errors that their authors expect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.assignments import masters
from tools.assignments.imperfect import Assignment, solution, together, untouched
from tools.grading.trial import differences, hand_in

NAMES = masters.names()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[1:])
def test_assignment_is_graded_fairly(
    name: str, course: Path, tmp_path: Path, grader: Callable[..., Any], results: Callable[..., Any]
) -> None:
    assignment = Assignment(name, course)
    kinds = [solution(assignment), untouched(assignment), *together(assignment)]
    students = {f"student {number}": submission for number, submission in enumerate(kinds)}
    hand_in(assignment, students, tmp_path / "submitted")
    out = tmp_path / "graded"
    process = grader(name, tmp_path / "submitted", out)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    found = results(name, out)
    faults = [
        line for student in students for line in differences(student, students[student], found[student], assignment.written, out)
    ]
    assert not faults, "\n".join(faults)
