"""The marks of a class as CSV for the learning platform, and the feedback, written again when a teacher has read answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from tools.grading import submission
from tools.grading.submission import one_notebook


def table(results: list[dict[str, Any]], assignment: str, out: Path) -> Path:
    """The marks of the class as CSV, points of teachers included; an empty field waits for a teacher."""
    from nbgrader.api import Gradebook

    path = out / f"{assignment}.csv"
    notebook = one_notebook(out / "course" / "release" / assignment).stem
    with (
        Gradebook(f"sqlite:///{out / 'course' / 'gradebook.db'}", "ibtext") as gradebook,
        open(path, "w", newline="", encoding="utf-8") as handle,
    ):
        cells = gradebook.find_notebook(notebook, assignment).grade_cells
        order = {cell.name: number for number, cell in enumerate(gradebook.find_notebook(notebook, assignment).source_cells)}
        columns = sorted((cell.name for cell in cells), key=lambda name: order[name])
        writer = csv.writer(handle)
        writer.writerow(["student", "score", "max_score", "awaiting", "status", *columns, "comments"])
        for result in sorted(results, key=lambda result: result["student"]):
            row: list[str] = [""] * (3 + len(columns))
            if result["status"] != "failed":
                found = gradebook.find_submission_notebook(notebook, assignment, result["student"])
                grades = {grade.name: grade for grade in found.grades}
                waiting = sum(grade.max_score for grade in grades.values() if grade.needs_manual_grade)
                each = ["" if grades[name].needs_manual_grade else f"{grades[name].score:g}" for name in columns]
                row = [f"{found.score:g}", f"{found.max_score:g}", f"{waiting:g}", *each]
            writer.writerow([result["student"], *row[:3], result["status"], *row[3:], " | ".join(result["comments"])])
    return path


def all_results(assignment: str, out: Path) -> list[dict[str, Any]]:
    """The results that stand in the folder."""
    paths = sorted((out / "results" / assignment).glob("*/result.json"))
    return [json.loads(path.read_text()) for path in paths]


def export(assignment: str, out: Path) -> Path:
    """Write table and feedback again, after written answers have been read in the formgrader."""
    course = out / "course"
    results = all_results(assignment, out)
    nbgrader = submission.api(course)
    stem = one_notebook(course / "release" / assignment).stem
    for result in results:
        if result["status"] == "failed":
            continue
        student = result["student"]
        submission.run("write feedback", nbgrader.generate_feedback(assignment, student))
        page = course / "feedback" / student / assignment / f"{stem}.html"
        comments = [line for line in result["comments"] if "a teacher reads this answer" not in line]
        text = submission.with_comments(page.read_text(), comments)
        (out / "results" / assignment / student / "feedback.html").write_text(text)
    return table(results, assignment, out)
