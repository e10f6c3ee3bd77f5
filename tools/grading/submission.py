"""Grade one submission with nbgrader, in a folder and a process of its own, and say in words what the marks mean."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from tools.grading.execute import TRUNCATED, PatientExecute
from tools.grading.limits import Limits
from tools.grading.repair import Unreadable, graded_id, read, repair

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
GIB = 1 << 30


@dataclass(frozen=True)
class Job:
    """One submission, and where its result is made."""

    student: str
    submission: Path
    course: Path
    assignment: str
    folder: Path
    key: str
    limits: Limits = field(default_factory=Limits)


def configuration(root: Path, limits: Limits | None = None) -> Any:
    """The course's own configuration of nbgrader, for the course in the folder ``root``."""
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.NbGraderAPI.log_level = "WARN"
    if limits is not None:
        from nbgrader.preprocessors import (
            AssignLatePenalties,
            CheckCellMetadata,
            IgnorePattern,
            LimitOutput,
            SaveAutoGrades,
        )

        config.Autograde.autograde_preprocessors = [
            PatientExecute, IgnorePattern, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata,
        ]  # fmt: skip
        config.PatientExecute.timeout = limits.cell_seconds
        config.PatientExecute.budget = limits.notebook_seconds
    return config


def api(root: Path, limits: Limits | None = None) -> Any:
    """nbgrader's interface to the course in a folder."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    # nbgrader calls alembic by its name; without an activated environment it is not on the path.
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", "")
    config = configuration(root, limits)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def run(what: str, result: dict[str, Any]) -> None:
    """Fail when a step of nbgrader has failed."""
    if not result["success"]:
        raise RuntimeError(f"nbgrader could not {what}:\n{result.get('error', '')}\n{result.get('log', '')}")


def one_notebook(folder: Path) -> Path:
    """The only notebook in a folder of the course."""
    (path,) = folder.glob("*.ipynb")
    return path


def last_error(cell: nbformat.NotebookNode) -> str:
    """The error that ended a cell, in one line; the empty string if there was none."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    if not errors:
        return ""
    name, text = errors[-1].ename, ANSI.sub("", errors[-1].evalue).strip()
    if name == "NotImplementedError" and not text:
        return "not answered"
    text = text.splitlines()[0] if text and name != "AssertionError" else " ".join(text.split())
    return text[:500] if name == "AssertionError" and text else f"{name}: {text[:500]}" if text else name


def points(score: float, most: float) -> str:
    """``0 of 1 point``, ``2 of 3 points``."""
    return f"{score:g} of {most:g} point{'' if most == 1 else 's'}"


def comments(notebook: nbformat.NotebookNode, marks: dict[str, dict[str, Any]], notes: list[str]) -> list[str]:
    """What the student and the teacher should know, most important first."""
    said = list(notes)
    for position, cell in enumerate(notebook.cells, 1):
        name = graded_id(cell)
        mark = marks.get(name)
        error = last_error(cell) if cell.cell_type == "code" else ""
        if mark and mark["score"] is not None and mark["score"] < mark["max"]:
            reason = error or "not answered" if mark["score"] == 0 else error
            said.append(f"{name}: {points(mark['score'], mark['max'])}. {reason}".strip())
        elif mark and mark["score"] is None:
            said.append(f"{name}: a teacher reads this answer ({mark['max']:g} point{'' if mark['max'] == 1 else 's'}).")
        elif error:
            said.append(f"Cell {name or f'number {position}'} stopped: {error}.")
        if cell.cell_type == "code" and any(TRUNCATED in str(output.get("text", "")) for output in cell.outputs):
            said.append(f"Cell {name or f'number {position}'} printed more than is kept; only the beginning is shown.")
    return said


def read_marks(database: Path, assignment: str, notebook: str, student: str) -> dict[str, dict[str, Any]]:
    """The points of every graded cell, from nbgrader's gradebook; ``None`` where a teacher has to read."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{database}", "ibtext") as gradebook:
        found = gradebook.find_submission_notebook(notebook, assignment, student)
        order = [cell.name for cell in found.notebook.source_cells]
        marks = {
            grade.name: {
                "score": grade.manual_score if grade.manual_score is not None else grade.auto_score,
                "max": grade.max_score,
            }
            for grade in found.grades
        }
    return {name: marks[name] for name in order if name in marks}


def with_comments(page: str, said: list[str]) -> str:
    """nbgrader's feedback with the comments above it."""
    from html import escape

    items = "".join(f"<li>{escape(line)}</li>" for line in said) or "<li>Full marks.</li>"
    box = f'<div class="container"><h2>Comments</h2><ul>{items}</ul></div>'
    return re.sub(r"(<body[^>]*>)", lambda m: m.group(1) + box, page, count=1)


def grade(job: Job) -> dict[str, Any]:
    """Grade one submission: repair it, let nbgrader run and mark it, write the result into the folder of the job."""
    started = time.perf_counter()
    folder, assignment, student = job.folder, job.assignment, job.student
    shutil.copy(job.course / "gradebook.db", folder / "gradebook.db")
    shutil.copy(job.course / "nbgrader_config.py", folder / "nbgrader_config.py")
    released = one_notebook(job.course / "release" / assignment)
    original = nbformat.read(released, as_version=4)
    status, notes = "graded", []
    # Where there is nothing to grade, the untouched release stands in: no points, and a page that says why.
    submitted = nbformat.read(released, as_version=4)
    try:
        submitted = read(job.submission)
    except FileNotFoundError:
        status, notes = "missing", ["No notebook was handed in."]
    except Unreadable as problem:
        status = "unreadable"
        notes = [f"The file cannot be read as a notebook ({problem}); please hand in again, or ask your teacher."]
    repaired, more = repair(submitted, original)
    target = folder / "submitted" / student / assignment / released.name
    target.parent.mkdir(parents=True)
    nbformat.write(repaired, target)

    nbgrader = api(folder, job.limits)
    run("grade", nbgrader.autograde(assignment, student))
    graded = folder / "autograded" / student / assignment / released.name
    marks = read_marks(folder / "gradebook.db", assignment, released.stem, student)
    said = notes or comments(nbformat.read(graded, as_version=4), marks, more)
    run("write feedback", nbgrader.generate_feedback(assignment, student))
    page = folder / "feedback" / student / assignment / f"{released.stem}.html"
    page.chmod(0o644)
    page.write_text(with_comments(page.read_text(), said))

    shutil.copy(graded, folder / "autograded.ipynb")
    shutil.copy(page, folder / "feedback.html")
    for name in ("submitted", "autograded", "feedback"):
        shutil.rmtree(folder / name)
    for name in ("gradebook.db", "nbgrader_config.py"):
        (folder / name).unlink()
    outcome = {
        "student": student,
        "assignment": assignment,
        "status": status,
        "score": sum(mark["score"] or 0.0 for mark in marks.values()),
        "max": sum(mark["max"] for mark in marks.values()),
        "awaiting": sum(mark["max"] for mark in marks.values() if mark["score"] is None),
        "marks": marks,
        "comments": said,
        "seconds": round(time.perf_counter() - started, 1),
        "key": job.key,
    }
    (folder / "result.json").write_text(json.dumps(outcome, indent=1, ensure_ascii=False) + "\n")
    return outcome


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that happens (on Linux; elsewhere the kernel's own watch remains)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)


def work(job: Job, parent: int) -> None:
    """Body of a process that grades one submission under its limits; whatever it prints goes into the job's log."""
    die_with(parent)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}
    log = os.open(job.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if sys.platform == "linux":  # elsewhere the limit is not kept, or refused
        resource.setrlimit(resource.RLIMIT_AS, (int(job.limits.memory * GIB),) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(job.limits.file_size * GIB),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    os.chdir(job.folder)
    grade(job)
