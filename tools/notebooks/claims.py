"""Which numbered statement of a chapter is checked where.

A statement is a MyST directive ``{prf:theorem}``, ``{prf:proposition}``, ``{prf:lemma}`` or ``{prf:corollary}`` with a
``:label:``. A check is a comment ``# claim: label`` (several labels are separated by commas): in a code cell of the
same notebook, or in a file under ``tests/claims``. The status page prints the pairs; a test fails when one is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tools.contents import ROOT

STATEMENT = re.compile(r"^[`:~]{3,}\{prf:(theorem|proposition|lemma|corollary)\}[ \t]*(.*)$")
LABEL = re.compile(r"^:label:[ \t]*(\S+)[ \t]*$")
CLAIM = re.compile(r"^[ \t]*# claim:[ \t]*(.+?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    """A numbered statement: its kind, title, label, and the places where it is checked."""

    chapter: str
    kind: str
    title: str
    label: str
    cells: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)


def statements_in(text: str) -> list[tuple[str, str, str]]:
    """``(kind, title, label)`` of every statement in a Markdown cell; the label is empty where none is given."""
    lines = text.splitlines()
    found = []
    for i, line in enumerate(lines):
        if match := STATEMENT.match(line.strip()):
            label = ""
            for option in lines[i + 1 :]:
                if not option.strip().startswith(":"):
                    break
                if labelled := LABEL.match(option.strip()):
                    label = labelled.group(1)
            found.append((match.group(1), match.group(2).strip(), label))
    return found


def claimed_labels(source: str) -> list[str]:
    """Labels named in ``# claim:`` comments."""
    return [label.strip() for match in CLAIM.findall(source) for label in match.split(",") if label.strip()]


def collect(root: Path = ROOT) -> tuple[list[Statement], list[str]]:
    """All statements of the chapters, and the faults: missing labels, unchecked statements, checks of nothing."""
    statements: dict[str, Statement] = {}
    faults: list[str] = []
    cell_claims: list[tuple[str, str, str]] = []
    for path in sorted((root / "book").glob("[0-9]*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for kind, title, label in statements_in(cell.source):
                    if not label:
                        faults.append(f"{path.name}: a {kind} ({title or 'untitled'}) has no :label:")
                    elif label in statements:
                        faults.append(f"{path.name}: the label {label} is used twice")
                    else:
                        statements[label] = Statement(path.stem, kind, title, label)
            elif cell.cell_type == "code":
                cell_claims += [(path.stem, cell.id, label) for label in claimed_labels(cell.source)]
    for chapter, cell_id, label in cell_claims:
        if label in statements and statements[label].chapter == chapter:
            statements[label].cells.append(cell_id)
        else:
            faults.append(f"{chapter}: cell {cell_id} checks {label}, which the chapter does not state")
    for path in sorted((root / "tests" / "claims").glob("test_*.py")):
        for label in claimed_labels(path.read_text()):
            if label in statements:
                statements[label].tests.append(path.relative_to(root).as_posix())
            else:
                faults.append(f"{path.name}: checks {label}, which no chapter states")
    for statement in statements.values():
        if not statement.cells and not statement.tests:
            faults.append(f"{statement.chapter}: the {statement.kind} {statement.label} has no check")
    return list(statements.values()), faults
