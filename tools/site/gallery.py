"""Write book/demos.md, the page of all demos: run ``python -m tools.site.gallery`` after adding one to a notebook."""

from __future__ import annotations

import nbformat

import ibtext.demos
from tools.contents import ROOT, Page, demos_in, pages

PAGE = ROOT / "book" / "demos.md"
HEAD = """# Demos

Every demo of the book, with the question that it asks. Answer it before you move anything; then look. All of them work on
these pages without Python, and with a running kernel they are exact.
"""


def offered() -> set[str]:
    """The demos of ``ibtext.demos``."""
    return {name for name in ibtext.demos.__all__ if name.endswith("Demo") and name != "Demo"}


def shown(page: Page) -> list[str]:
    """The demos that a notebook shows, in order."""
    cells = nbformat.read(page.path, as_version=4).cells
    return list(dict.fromkeys(name for cell in cells for name in demos_in(cell) if name in offered()))


def notebooks() -> list[Page]:
    """The notebooks of the book, the home page last: chapters come first."""
    home, *others = (page for page in pages() if page.path.suffix == ".ipynb")
    return [*others, home]


def gallery() -> str:
    """The page: every demo, where it stands first."""
    seen: set[str] = set()
    parts = [HEAD]
    for page in notebooks():
        new = [name for name in shown(page) if name not in seen]
        seen |= set(new)
        if new:
            parts.append(f"\n## {page.title}\n")
        for demo in (getattr(ibtext.demos, name) for name in new):
            moved = ", ".join(f"{c.symbol} ({c.label})" if c.symbol else c.label for c in demo.controls)
            question = "" if demo.question is None else f"**{demo.question.text}**\n\n"
            # a link that lands on the demo, which no reference knows
            there = f'<a href="{page.path.stem}.html#?{demo.__name__}">open it there</a>'
            where = f"It stands in [{page.title}]({page.path.name}): {there}."
            parts.append(f"### {demo.title}\n\n{question}You move: {moved}. {where}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(gallery(), encoding="utf-8")
    missing = offered() - {name for page in notebooks() for name in shown(page)}
    print(f"{PAGE.relative_to(ROOT)}: written; shown on no page: {', '.join(sorted(missing)) or 'none'}.")
