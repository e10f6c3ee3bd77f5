"""The commands that the documents name exist: programs of ``tools``, files, targets of ``make``."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tools.assignments.guide import PRIVATE
from tools.contents import ROOT

PLACES = [
    *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "book").glob("*.md"), *(ROOT / "benchmarks").glob("*.md"),
    *(ROOT / "ibtext").rglob("*.md"), *(ROOT / "scripts").rglob("*.*"), *(ROOT / "tools").rglob("*.py"),
    *(ROOT / "book" / "assignments").rglob("*.md"), ROOT / "Makefile", ROOT / "postBuild", ROOT / "environment.yml",
]  # fmt: skip
TEXTS = {place.relative_to(ROOT).as_posix(): place.read_text() for place in PLACES if place.suffix != ".pyc"}
TEXTS["the guide of an assignment"] = PRIVATE


@pytest.mark.parametrize("where", TEXTS)
def test_programs_of_tools_exist_and_know_the_word_that_follows(where: str) -> None:
    for module, word in set(re.findall(r"python\d? -m (tools[\w.]*\w)(?: (--[\w-]+|[a-z]+)(?=[ `\n]))?", TEXTS[where])):
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, f"there is no {module}"
        path = Path(spec.origin)
        source = (path.with_name("__main__.py") if path.name == "__init__.py" else path).read_text()
        assert 'if __name__ == "__main__":' in source, f"{module} is no program"
        assert not word or f'"{word}"' in source, f"{module} knows no {word}"


@pytest.mark.parametrize("where", TEXTS)
def test_scripts_and_targets_exist(where: str) -> None:
    for path in set(re.findall(r"(?<![\w./])((?:tools|scripts|tests|benchmarks)/[\w/]*\w\.(?:py|sh|md))\b", TEXTS[where])):
        assert (ROOT / path).exists(), path
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", TEXTS[where]))
    assert named <= targets
