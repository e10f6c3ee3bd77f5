"""Test what a change touches, in under three minutes: ``make test-changed``.

The changed files are those since the branch left ``main``, and those not committed yet. A module is tested by the folder of
its room, then by the folders of the rooms that import it; other files by what is said in ``ELSEWHERE``. Slow tests, and what has
not begun when the time is up, are left to ``make test``.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import PurePosixPath

from tools.contents import ROOT
from tools.layers import MODULES, imported_by, module_name, place_of

SECONDS = 165
ELSEWHERE = (
    (r"book/assignments/|tools/(assignments|grading)/", ("tests/assignments",)),
    (r"book/(\d\d)_", ("tests/book/test_notebooks.py", "tests/book/test_pictures.py", r"tests/claims/test_chapter\1.py")),
    (r"scripts/training/|book/data/", ("tests/claims",)),
    (r"frontend/|ibtext/demos/", ("tests/demos",)),
    (r"(book|docs|scripts|tools/site|tools/sphinx)/", ("tests/course", "tests/book")),
    (r"", ("tests/book", "tests/test_layers.py")),
)
"""Patterns of paths, and the tests that concern them; the first that fits counts."""


def git(*arguments: str) -> list[str]:
    """Lines that git prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def changed() -> list[str]:
    """Paths that differ from where the branch left ``main``."""
    base = git("merge-base", "HEAD", "main")[0]
    return git("diff", "--name-only", "--diff-filter=d", base) + git("ls-files", "--others", "--exclude-standard")


def tests_of_room(room: str) -> str:
    """The folder or file that tests a room."""
    place = f"tests/{room.split('.')[0]}"
    return place if (ROOT / place).is_dir() else f"tests/test_{room}.py"


def tests_for(paths: list[str]) -> list[str]:
    """The tests that concern the paths, nearest first."""
    near: list[str] = []
    above: list[tuple[float, str]] = []
    for path in paths:
        if path.startswith("tests/"):
            name = PurePosixPath(path)
            near.append(path if name.name.startswith("test_") else str(name.parent))
        elif path.startswith("ibtext/") and path.endswith(".py"):
            module = module_name(ROOT / path)
            row, room = place_of(module)
            near.append(tests_of_room(room))
            names = {module, module.rpartition(".")[0]} - {"ibtext"}  # others import from the module, or from its face
            users = {name for name in MODULES if names & imported_by(name)}
            above += [place_of(name) for name in users if place_of(name)[0] > row]
        else:
            found = next((match, tests) for pattern, tests in ELSEWHERE if (match := re.match(pattern, path)))
            near += [found[0].expand(test) for test in found[1]]
    near += [tests_of_room(room) for _, room in sorted(above) if not room.startswith("ibtext")]
    existing = [place for place in dict.fromkeys(near) if (ROOT / place).exists() and not place.startswith("tests/browser")]
    return [place for place in existing if not any(place.startswith(f"{other}/") for other in existing)]


def main() -> int:
    """Choose, say what was chosen, test."""
    paths = changed()
    chosen = tests_for(paths)
    if not chosen:
        print("Nothing has changed since the branch left main." if not paths else "No quick test concerns what has changed.")
        return 0
    print(f"{len(paths)} changed files concern, nearest first: {', '.join(chosen)}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    process = subprocess.Popen([*command, "-x", "-m", "not slow", *chosen], cwd=ROOT)
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.wait()
        print(f"Stopped after {SECONDS} s: what had not begun is left to `make test`.")
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
