"""``make test`` reports every fault, ``make test-changed`` chooses by what imports what."""

from __future__ import annotations

import sys

import pytest

from tools.changed import tests_for as chosen_for
from tools.check import PACKAGE, SITE, Report


def test_every_part_runs_and_the_first_failure_gives_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    codes = {"one": "print('here')", "two": "raise SystemExit(3)", "three": "raise SystemExit(4)", "four": "pass"}
    report.run(tuple((name, (sys.executable, "-S", "-c", code)) for name, code in codes.items()))
    assert report.status == 3
    assert [line.split()[0] + line.split()[-1] for line in report.lines] == ["oneok", "twoFAILED", "threeFAILED", "fourok"]
    assert "== one\nhere" in capsys.readouterr().out


def test_the_parts_are_those_of_the_project() -> None:
    commands = [" ".join(command) for _, command in (*SITE, *PACKAGE)]
    for words in ("ruff check", "mypy", "--ignore=tests/browser", "--nbval", "site.build", "tests/browser", "machines"):
        assert any(words in command for command in commands), words


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("ibtext/wide/limit.py", ["tests/wide", "tests/demos"]),
        ("ibtext/errors.py", ["tests/test_errors.py", "tests/potentials", "tests/wide"]),
        ("book/07_curvature_penalty.ipynb", ["tests/book/test_notebooks.py", "tests/claims/test_chapter07.py"]),
        ("tools/grading/limits.py", ["tests/assignments"]),
        ("tests/demos/ends.py", ["tests/demos"]),
    ],
)
def test_a_change_is_tested_by_its_room_and_by_those_that_import_it(path: str, tests: list[str]) -> None:
    chosen = chosen_for([path])
    assert chosen[0] == tests[0] and set(tests) <= set(chosen)
