"""What the tests of the assignments share: the built assignments, and the grader as a teacher starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.assignments import masters, release
from tools.contents import ROOT

# A fork that keeps its masters private has nothing to test here, unless IBTEXT_ASSIGNMENTS names them.
collect_ignore_glob = [] if masters.MASTERS.is_dir() else ["test_*.py"]
# A loop without end costs this much, and as much again in the other tests of its question. No other cell needs more than two
# seconds of a processor, and on a busy machine the grader waits longer.
LIMITS = ["--cell-seconds", "6", "--workers", "2"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("assignments")
    release.build(masters.names(), target, run=False)
    return target


@pytest.fixture(scope="session")
def course(built: Path) -> Path:
    return built / "teacher" / "course"


@pytest.fixture(scope="session")
def grader(course: Path) -> Callable[[str, Path, Path], subprocess.Popen[str]]:
    """``grader(name, folder, out)`` starts grading what was handed in in a folder."""

    def start(name: str, folder: Path, out: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tools.grading", "run", name, str(folder), "--course", str(course), "--out", str(out)]
        return subprocess.Popen(
            [*command, *LIMITS], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    return start


@pytest.fixture(scope="session")
def results() -> Callable[[str, Path], dict[str, dict[str, Any]]]:
    """``results(name, out)``: what stands in the folder of results, by student."""

    def read(name: str, out: Path) -> dict[str, dict[str, Any]]:
        found = [json.loads(path.read_text()) for path in (out / "results" / name).glob("*/result.json")]
        return {result["student"]: result for result in found}

    return read
