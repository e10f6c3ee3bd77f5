"""Grade a class with nbgrader.

Each submission is graded in a process and a folder of its own, several at a time; a result appears whole or not at all. So
the command may be stopped at any moment. Started again, it grades what has no result yet, and whatever has been handed in
anew. In the folder ``_build/grading``: ``results/ASSIGNMENT/STUDENT`` with marks, comments, the graded notebook and
feedback; ``course``, a course folder of nbgrader with the gradebook of all, in which written answers are read (``nbgrader
formgrader``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil

from tools.contents import BUILD
from tools.grading import submission
from tools.grading.limits import Limits
from tools.grading.marks_export import table
from tools.grading.submission import Job, one_notebook

COURSE = BUILD / "assignments" / "teacher" / "course"
OUT = BUILD / "grading"
TRIES = 2


def digest(*parts: bytes) -> str:
    """A name for the contents."""
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def submissions(folder: Path, assignment: str, notebook: str) -> dict[str, Path]:
    """The file of each student, also where it is missing (then the path does not exist)."""
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_file() and entry.suffix == ".ipynb":
            student, file = entry.stem, entry
        elif entry.is_dir():
            inner = entry / assignment if (entry / assignment).is_dir() else entry
            others = sorted(inner.glob("*.ipynb"))
            exact = inner / notebook
            student, file = entry.name, others[0] if len(others) == 1 and not exact.exists() else exact
        else:
            continue
        if set(student) & set("*?[]+{}"):
            raise SystemExit(f"nbgrader reads * ? [ ] + {{ }} in a name as a pattern; rename {entry}.")
        if student in found:
            raise SystemExit(f"{student} handed in twice, as {found[student]} and as {file}; keep one of them.")
        found[student] = file
    return found


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """One grader at a time in a folder. The lock goes with the process, however that ends."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Another grader is at work in {out}; wait for it, or choose another folder with --out.") from None
        yield


def result_folder(out: Path, job: Job) -> Path:
    """Where the result of a job stands when it is complete."""
    return out / "results" / job.assignment / job.student


def known(out: Path, job: Job) -> dict[str, Any] | None:
    """The result of this very submission, if it is there."""
    path = result_folder(out, job) / "result.json"
    if not path.exists():
        return None
    result = json.loads(path.read_text())
    return result if result["key"] == job.key and result["status"] != "failed" else None


def publish(out: Path, job: Job) -> dict[str, Any]:
    """Move a finished result to its place, in one step."""
    result = json.loads((job.folder / "result.json").read_text())
    if (result["student"], result["assignment"], result["key"]) != (job.student, job.assignment, job.key):
        raise RuntimeError(f"the result in {job.folder} is not that of {job.student}")
    final = result_folder(out, job)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        old = job.folder.parent / f"{job.folder.name}.old"
        os.replace(final, old)
        shutil.rmtree(old)
    os.replace(job.folder, final)
    return result


def give_up(job: Job, reason: str) -> None:
    """A result that says that there is none: a teacher has to look."""
    outcome = {
        "student": job.student, "assignment": job.assignment, "status": "failed", "score": None, "max": None,
        "awaiting": None, "marks": {}, "seconds": None, "key": job.key, "digest": "",
        "comments": [f"This notebook could not be graded ({reason}); a teacher will look at it."],
    }  # fmt: skip
    (job.folder / "result.json").write_text(json.dumps(outcome, indent=1) + "\n")


def end(process: Any) -> None:
    """Stop a process with everything that it started."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.join()


def fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def grade_all(jobs: list[Job], out: Path, workers: int) -> Iterator[dict[str, Any]]:
    """Grade the jobs in ``workers`` processes; yields each result when it stands in its place."""
    # Imported once, here, and inherited: that is most of the time that a short notebook would take.
    import bleach  # noqa: F401
    import nbclient  # noqa: F401
    import nbconvert.exporters.html  # noqa: F401
    import nbgrader.apps.api  # noqa: F401
    import pygments.lexers.python  # noqa: F401

    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    waiting = [(job, 1) for job in reversed(jobs)]
    running: dict[int, tuple[Any, Job, int, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job, attempt = waiting.pop()
                fresh(job.folder)
                process = context.Process(target=submission.work, args=(job, os.getpid()))
                process.start()
                running[process.sentinel] = (process, job, attempt, time.monotonic() + job.limits.patience)
            wait(list(running), timeout=1.0)
            for sentinel, (process, job, attempt, deadline) in list(running.items()):
                late = time.monotonic() > deadline
                if process.is_alive() and not late:
                    continue
                end(process)
                del running[sentinel]
                if not (job.folder / "result.json").exists():
                    if attempt < TRIES:
                        waiting.append((job, attempt + 1))
                        continue
                    give_up(job, "it took too long" if late else f"the grader ended with code {process.exitcode}; see log.txt")
                yield publish(out, job)
    finally:
        for process, *_ in running.values():
            end(process)


def make_jobs(folder: Path, assignment: str, course: Path, out: Path, limits: Limits) -> list[Job]:
    """One job for each submission."""
    if not (course / "release" / assignment).is_dir():
        raise SystemExit(f"There is no assignment {assignment} in {course}; run `make assignments`, or name another --course.")
    if not folder.is_dir():
        raise SystemExit(f"The submissions should be in a folder, but {folder} is none.")
    notebook = one_notebook(course / "release" / assignment)
    master = one_notebook(course / "source" / assignment)
    rules = [master.read_bytes(), (course / "nbgrader_config.py").read_bytes(), json.dumps(asdict(limits)).encode()]
    rules += [(Path(__file__).parent / f"{part}.py").read_bytes() for part in ("submission", "repair", "execute")]
    jobs = []
    for number, (student, file) in enumerate(submissions(folder, assignment, notebook.name).items()):
        contents = file.read_bytes() if file.exists() else b""
        key = digest(student.encode(), contents, *rules)
        place = out / ".work" / assignment / f"{number}-{student}"
        jobs.append(Job(student, file, course, assignment, place, key, limits))
    return jobs


def class_course(course: Path, assignment: str, out: Path) -> Path:
    """The course folder with the gradebook of all, brought up to date with the assignment's master."""
    mine = out / "course"
    mine.mkdir(parents=True, exist_ok=True)
    shutil.copy(course / "nbgrader_config.py", mine / "nbgrader_config.py")
    master = one_notebook(course / "source" / assignment)
    copy = mine / "source" / assignment / master.name
    done = mine / "release" / assignment / master.name
    if not (done.exists() and copy.exists() and copy.read_bytes() == master.read_bytes()):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(master, copy)
        done.unlink(missing_ok=True)
        submission.run("make the release", submission.api(mine).generate_assignment(assignment))
    return mine


def merge(results: list[dict[str, Any]], assignment: str, course: Path, out: Path) -> None:
    """Enter the results into the gradebook of the class. Points that a teacher gave stay; doing it twice changes nothing."""
    from nbgrader.api import Gradebook

    mine = class_course(course, assignment, out)
    notebook = one_notebook(mine / "release" / assignment)
    book = mine / "merged.json"
    entered: dict[str, str] = json.loads(book.read_text()) if book.exists() else {}
    with Gradebook(f"sqlite:///{mine / 'gradebook.db'}", "ibtext") as gradebook:
        for result in results:
            student = result["student"]
            name = f"{assignment}/{student}"
            if result["status"] == "failed" or entered.get(name) == result["key"]:
                continue
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(assignment, student)
            for cell, mark in result["marks"].items():
                grade = gradebook.find_grade(cell, notebook.stem, assignment, student)
                grade.auto_score = mark["score"]
                grade.needs_manual_grade = mark["score"] is None
            gradebook.db.commit()
            target = mine / "autograded" / student / assignment
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(out / "results" / assignment / student / "autograded.ipynb", target / notebook.name)
            entered[name] = result["key"]
    temporary = book.with_suffix(".tmp")
    temporary.write_text(json.dumps(entered, indent=1))
    os.replace(temporary, book)


def run(assignment: str, folder: Path, course: Path, out: Path, limits: Limits, workers: int) -> list[dict[str, Any]]:
    """Grade what has no result yet, enter all results, write the table."""
    with only_one(out):
        jobs = make_jobs(folder, assignment, course, out, limits)
        shutil.rmtree(out / ".work", ignore_errors=True)
        results = {job.student: known(out, job) for job in jobs}
        todo = [job for job in jobs if results[job.student] is None]
        if len(todo) < len(jobs):
            print(f"{len(jobs) - len(todo)} of {len(jobs)} have their result already.", flush=True)
        start = time.perf_counter()
        for count, result in enumerate(grade_all(todo, out, workers), 1):
            results[result["student"]] = result
            mark = "no result" if result["score"] is None else f"{result['score']:g} of {result['max']:g}"
            more = f", {result['awaiting']:g} to be read" if result["awaiting"] else ""
            print(f"[{count}/{len(todo)}] {result['student']}: {mark}{more} ({result['status']})", flush=True)
        final = [results[job.student] for job in jobs]
        merge(final, assignment, course, out)
        path = table(final, assignment, out)
        shutil.rmtree(out / ".work", ignore_errors=True)
        print(f"{len(todo)} graded in {time.perf_counter() - start:.0f} s with {workers} processes. Table: {path}")
        for result in final:
            if result["status"] != "graded":
                print(f"Look at {result['student']}: {result['status']}.")
    return final
