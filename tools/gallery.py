"""Write book/demos.md, the page that lists every demo of the book: run ``python tools/gallery.py`` after adding one.

Demos are found in the notebooks of ``_toc.yml``: every call of a class of ``ibtext.demos`` in a code cell.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "book" / "demos.md"
HEAD = """# Demos

Every demo of the book, with the question that it asks. Answer it before you move anything; then look. All of them work on
these pages without Python, and with a running kernel they are exact.
"""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the notebooks of the table of contents with their titles, the home page last: chapters come first."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "file" in node:
                entries.append(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(toc["parts"])
    for entry in [*entries, {"file": toc["root"], "title": "Home"}]:
        path = ROOT / f"{entry['file']}.ipynb"
        if path.is_file():
            yield str(path.relative_to(ROOT)), entry.get("title", Path(entry["file"]).stem)


def demo_classes() -> dict[str, Any]:
    """Return the demos that ``ibtext.demos`` offers."""
    import ibtext.demos
    from ibtext.demos import Demo

    found = {name: getattr(ibtext.demos, name) for name in ibtext.demos.__all__}
    return {n: c for n, c in found.items() if isinstance(c, type) and issubclass(c, Demo) and c is not Demo}


def shown(path: str, names: set[str]) -> list[str]:
    """Return the demos that a notebook shows, in order."""
    notebook = nbformat.read(ROOT / path, as_version=4)
    out: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id == "colab":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names and name not in out:
                    out.append(name)
    return out


def gallery() -> str:
    """Return the page."""
    classes, seen, parts = demo_classes(), set(), [HEAD]
    for path, title in pages():
        new = [n for n in shown(path, set(classes)) if n not in seen]
        seen |= set(new)
        if not new:
            continue
        where = Path(path).relative_to("book").as_posix()
        parts.append(f"\n## {title}\n")
        for name in new:
            demo = classes[name]
            moved = ", ".join(f"{c.label} {c.symbol}".strip() for c in demo.controls)
            question = "" if demo.question is None else f"**{demo.question.text}**\n\n"
            parts.append(f"### {demo.title}\n\n{question}You move: {moved}. It stands in [{title}]({where}).\n")
    return "\n".join(parts)


def missing() -> list[str]:
    """Return the demos that no page shows."""
    names = set(demo_classes())
    return sorted(names - {n for path, _ in pages() for n in shown(path, names)})


if __name__ == "__main__":
    PAGE.write_text(gallery(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: written; shown on no page: {', '.join(missing()) or 'none'}.")
