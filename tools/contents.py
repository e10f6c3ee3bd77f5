"""The contents of the book: its pages in the order of ``_toc.yml``, and the demos that a cell shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"


@dataclass(frozen=True)
class Page:
    """A page of the book: its source file, and its title: that in ``_toc.yml`` or its name, behind the number of a chapter."""

    path: Path
    title: str

    @property
    def name(self) -> str:
        """What the page is called in ``_toc.yml``, such as ``book/01_implicit_bias``."""
        return self.path.relative_to(ROOT).with_suffix("").as_posix()

    @property
    def is_chapter(self) -> bool:
        """Whether the page is a numbered notebook."""
        return self.path.suffix == ".ipynb" and self.path.name[0].isdigit()


def chapter_number(name: str) -> int | None:
    """The number of a chapter, by the name of its file, which keeps it whatever chapters stand before.

    >>> chapter_number("book/06_kernel_regime"), chapter_number("book/notation")
    (6, None)
    """
    found = re.search(r"(?:^|/)(\d+)_[^/]*$", name)
    return int(found[1]) if found else None


def source_of(name: str) -> Path:
    """The one source file of an entry of ``_toc.yml``."""
    existing = [path for path in (ROOT / f"{name}.ipynb", ROOT / f"{name}.md") if path.exists()]
    if len(existing) != 1:
        raise SystemExit(
            f"Every entry of _toc.yml must have one source file, but {name} has {len(existing)}; keep exactly one of "
            f"{name}.ipynb and {name}.md."
        )
    return existing[0]


def pages() -> list[Page]:
    """The pages in order, the home page first."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = [Page(source_of(toc["root"]), "Home")]

    def walk(node: dict[str, Any]) -> None:
        for child in [*node.get("parts", []), *node.get("chapters", []), *node.get("sections", [])]:
            if "file" in child:
                number, title = chapter_number(child["file"]), child.get("title", Path(child["file"]).name)
                found.append(Page(source_of(child["file"]), f"{number}. {title}" if number else title))
            walk(child)

    walk(toc)
    return found


def demos_in(cell: nbformat.NotebookNode) -> list[str]:
    """Names of the demos that a cell shows: the classes that it calls.

    >>> demos_in(nbformat.v4.new_code_cell("ib.demos.GeometryDemo()"))
    ['GeometryDemo']
    """
    return re.findall(r"\b(\w+Demo)\(", cell.source) if cell.cell_type == "code" else []
