"""A made-up class: perfect, blank, wrong and broken submissions under names that say nothing, graded and compared."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import time
from pathlib import Path
from typing import Any

from tools.assignments.imperfect import Assignment, Submission, common, general, solution, untouched
from tools.grading.classroom import run
from tools.grading.limits import Limits


def made_up(assignment: Assignment, count: int) -> dict[str, Submission]:
    """A class of ``count`` students: every kind of submission once, then mostly ordinary ones; the order is mixed."""
    ordinary = [solution(assignment), *common(assignment), untouched(assignment)]
    kinds = [*ordinary, *general(assignment)]
    chosen = [kinds[n] if n < len(kinds) else ordinary[n % len(ordinary)] for n in range(count)]
    random.Random(0).shuffle(chosen)
    names = [hashlib.sha256(f"{assignment.name} {n}".encode()).hexdigest()[:8] for n in range(count)]
    return dict(zip(names, chosen, strict=True))


def hand_in(assignment: Assignment, students: dict[str, Submission], folder: Path) -> None:
    """Write the files of the class. Each carries the student's name in its title, so that a mix-up would show."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for student, submission in students.items():
        text = submission.text.replace(assignment.title, f"{assignment.title} ({student})", 1)
        (folder / f"{student}.ipynb").write_text(text)


def differences(student: str, expected: Submission, result: dict[str, Any], written: float, out: Path) -> list[str]:
    """What is not as a fair teacher would have it."""
    found = []
    graded = (out / "results" / result["assignment"] / student / "autograded.ipynb").read_text()
    if expected.status == "graded" and f"({student})" not in graded:
        found.append(f"the graded notebook of {student} is not the one that was handed in")
    marks = {cell: mark["score"] for cell, mark in result["marks"].items() if cell in expected.marks}
    if result["student"] != student or result["status"] != expected.status:
        found.append(f"{student} became {result['student']}, {result['status']} instead of {expected.status}")
    if marks != expected.marks:
        wrong = {cell: (marks.get(cell), points) for cell, points in expected.marks.items() if marks.get(cell) != points}
        found.append(f"(points, expected) {wrong}")
    if result["awaiting"] != (written if expected.awaiting else 0.0):
        found.append(f"{result['awaiting']} points wait for a teacher")
    said = " ".join(result["comments"])
    found += [f"the comments do not say {words!r}: {result['comments']}" for words in expected.says if words not in said]
    return [f"{expected.name}: {line}" for line in found]


def trial(name: str, count: int, course: Path, out: Path, limits: Limits, workers: int) -> int:
    """Grade a made-up class into ``out/trial``, compare every result with what it should be, say how long it took."""
    assignment = Assignment(name, course)
    students = made_up(assignment, count)
    hand_in(assignment, students, out / "trial" / "submitted")
    start = time.perf_counter()
    results = run(name, out / "trial" / "submitted", course, out / "trial", limits, workers)
    seconds = time.perf_counter() - start
    found = []
    for result in results:
        student = result["student"]
        found += differences(student, students[student], result, assignment.written, out / "trial")
    lost = set(students) - {result["student"] for result in results}
    print("\n".join([*found, *(f"{student} was lost" for student in sorted(lost))]) or "Every result is as expected.")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    kinds = len({submission.name for submission in students.values()})
    print(f"{count} submissions of {kinds} kinds, {workers} processes: {seconds:.0f} s.")
    print(f"Processor time: {used.ru_utime + used.ru_stime:.0f} s; load of the machine: {os.getloadavg()[1]:.1f}.")
    return 1 if found or lost else 0
