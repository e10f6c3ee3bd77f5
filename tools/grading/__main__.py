"""Grade a class: ``python -m tools.grading run 1_mirror_descent FOLDER``, ``export``, ``trial``.

``FOLDER`` holds ``<student>.ipynb``, or a folder for each student. ``run`` may be stopped at any moment and started again; it
writes results and ``ASSIGNMENT.csv`` into ``_build/grading`` (``--out``). ``export`` writes marks and feedback again, after
written answers have been read. ``trial`` grades a made-up class and compares every result with what it should be.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

from tools.grading.classroom import COURSE, OUT, only_one, run
from tools.grading.limits import Limits
from tools.grading.marks_export import export
from tools.grading.trial import trial


def main() -> int:
    """Command line."""
    # nbgrader's database layer warns of its own autoflush at every submission.
    warnings.filterwarnings("ignore", message=".*not in session, add operation")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description=__doc__, formatter_class=raw)
    parser.add_argument("command", choices=["run", "export", "trial"], help="trial: grade a made-up class, and time it")
    parser.add_argument("assignment", help="name of the assignment, such as 1_mirror_descent")
    parser.add_argument("folder", nargs="?", type=Path, help="folder with the submissions")
    parser.add_argument("--course", type=Path, default=COURSE, help="course folder (default: what `make assignments` made)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for results (default: _build/grading)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="submissions graded at the same time")
    parser.add_argument("--cell-seconds", type=int, default=Limits.cell_seconds, help="limit for one cell")
    parser.add_argument("--notebook-seconds", type=float, default=Limits.notebook_seconds, help="limit for one notebook")
    parser.add_argument("--memory", type=float, default=Limits.memory, help="limit in GiB for one process")
    parser.add_argument("--count", type=int, default=60, help="size of the made-up class")
    options = parser.parse_args()
    limits = Limits(options.cell_seconds, options.notebook_seconds, options.memory)
    course, out = options.course.resolve(), options.out.resolve()
    if options.command == "export":
        with only_one(out):
            print(f"Table: {export(options.assignment, out)}")
        return 0
    if options.command == "trial":
        return trial(options.assignment, options.count, course, out, limits, options.workers)
    if options.folder is None:
        parser.error("run needs the folder with the submissions")
    results = run(options.assignment, options.folder.resolve(), course, out, limits, options.workers)
    return 1 if any(result["status"] == "failed" for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
