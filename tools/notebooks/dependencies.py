"""What a numbered statement rests on: the statements that its text and its proof refer to."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat

FENCE = re.compile(r"^(?P<fence>[`:~]{3,})\{(?P<kind>prf:\w+|admonition)\}[ \t]*(?P<title>.*)$")
LABEL = re.compile(r"^:label:[ \t]*(\S+)", re.MULTILINE)
REFERENCE = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([^`>]+)>?`")
STATED = ("theorem", "proposition", "lemma", "corollary", "assumption", "definition")


def blocks(text: str) -> list[tuple[str, str, str]]:
    """The directives of a text that are statements or proofs, as (kind, title, body), in their order."""
    found, lines, i = [], text.splitlines(), 0
    while i < len(lines):
        if start := FENCE.match(lines[i].strip()):
            fence, body = start["fence"], []
            i += 1
            while i < len(lines) and lines[i].strip() != fence:
                body.append(lines[i])
                i += 1
            kind = start["kind"].removeprefix("prf:")
            if kind == "admonition" and start["title"].startswith("Proof"):
                kind = "proof"
            if kind == "proof" or kind in STATED:
                found.append((kind, start["title"], "\n".join(body)))
        i += 1
    return found


@cache
def needs(path: Path) -> dict[str, list[str]]:
    """For every statement of a chapter, by its label, the labels that its text and its proof refer to, in their order."""
    found: dict[str, list[str]] = {}
    current = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        for kind, _, body in blocks(cell.source):
            if kind in STATED:
                label = LABEL.search(body)
                current = label[1] if label else ""
                found.setdefault(current, [])
            if current:
                used = [name for name in REFERENCE.findall(body) if name != current]
                found[current] = list(dict.fromkeys([*found[current], *used]))
    return found
