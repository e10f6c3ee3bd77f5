"""``python -m tools.assignments build`` (``make assignments``), ``check`` and ``tidy``."""

from __future__ import annotations

import argparse

import nbformat

from tools.assignments.checks import faults_of
from tools.assignments.masters import master_path, names, text_of, tidy
from tools.assignments.release import build


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description="Make, check or tidy the assignments.")
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
    print("For teachers: _build/assignments/teacher (guides, solutions, and the course folder for python -m tools.grading).")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
