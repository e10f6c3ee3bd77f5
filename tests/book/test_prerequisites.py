"""A missing prerequisite gives one sentence that says what to install."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.contents import ROOT

NEEDED = ("bash", "make", "sh", "grep", "sed", "cat")
OLD_PYTHON = "#!/bin/sh\nexit 0\n"  # prints nothing, as a Python before 3.11 does for the version question
BARE_PYTHON = '#!/bin/sh\ncase "$2" in *version_info*) echo True ;; *) exit 1 ;; esac\n'  # without the venv module
GOOD_PYTHON = "#!/bin/sh\necho True\n"


def make_with(
    folder: Path, *, git: bool, python: str | None, target: str = "prerequisites"
) -> subprocess.CompletedProcess[str]:
    """Run ``make`` in an empty clone with exactly the given programs on the path."""
    programs = folder / "bin"
    programs.mkdir()
    for name in NEEDED + (("git",) if git else ()):
        (programs / name).symlink_to(shutil.which(name))
    if python is not None:
        (programs / "python3").write_text(python)
        (programs / "python3").chmod(0o755)
    shutil.copy(ROOT / "Makefile", folder)
    return subprocess.run(
        [str(programs / "make"), "--no-print-directory", target],
        cwd=folder,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("git", "python", "sentence"),
    [
        (False, GOOD_PYTHON, "The checks need git, which was not found; install it: sudo apt-get install git"),
        (True, None, "The book needs Python 3.11 or newer, and none was found as python3; install it: "),
        (True, OLD_PYTHON, "The book needs Python 3.11 or newer, and none was found as python3; install it: "),
        (True, BARE_PYTHON, "Making .venv needs Python's venv module, which Debian and Ubuntu package apart; "),
    ],
    ids=["no git", "no python", "old python", "no venv module"],
)
def test_missing_prerequisite_is_named_in_one_sentence(tmp_path: Path, git: bool, python: str | None, sentence: str) -> None:
    result = make_with(tmp_path, git=git, python=python)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert result.returncode != 0
    assert len(lines) == 1 and lines[0].startswith(sentence) and "sudo apt-get install" in lines[0]


def test_the_pdf_asks_for_chromium_before_anything_is_installed(tmp_path: Path) -> None:
    result = make_with(tmp_path, git=True, python=GOOD_PYTHON, target="pdf")
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert result.returncode != 0 and not (tmp_path / ".venv").exists()
    assert lines == ["The PDF is printed with Chromium, which was not found; install it: sudo apt-get install chromium"]


def test_nothing_is_said_when_nothing_is_missing(tmp_path: Path) -> None:
    result = make_with(tmp_path, git=True, python=GOOD_PYTHON)
    assert (result.returncode, result.stderr) == (0, "")
