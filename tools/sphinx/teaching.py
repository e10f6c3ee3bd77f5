"""Sphinx extension of the page "Teaching": the map of the chapters, what each needs, the list of figures.

The map and the tables are made from ``book/teaching.yml`` and from the chapters themselves; times are those of this build.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import yaml
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from tools.contents import ROOT, demos_in, pages
from tools.markdown import table
from tools.notebooks.claims import collect
from tools.notebooks.execute import CACHE
from tools.site import slides
from tools.sphinx.directive import Markdown

KINDS = ("needs", "helps", "borrows", "onward")
LINK = re.compile(r"\{(prf:ref|doc)\}`(?:[^`<]*<)?([^`>]+)>?`")
EXERCISE = re.compile(r"^[`:]{3,}\{exercise-start\}[ \t]*(.*)\n:label:[ \t]*(\S+)", re.MULTILINE)
MINUTES = re.compile(r"Reading time: (\d+) minutes")
#: Size of a box of the map and of the grid on which the boxes stand, in units of the drawing.
BOX, GRID = (190, 92), (240, 150)


@cache
def declared() -> dict[str, dict[str, Any]]:
    """What ``book/teaching.yml`` says, by chapter."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "book" / "teaching.yml").read_text())
    return found


def cells(chapter: str) -> list[nbformat.NotebookNode]:
    """The cells of a chapter."""
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    return list(notebook.cells)


def prose(chapter: str) -> str:
    """The text of a chapter."""
    return "\n\n".join(cell.source for cell in cells(chapter) if cell.cell_type == "markdown")


def links(chapter: str, owner: dict[str, str]) -> dict[str, set[str]]:
    """The other chapters to which a chapter refers, each with the statements; ``owner`` says where a label belongs."""
    found: dict[str, set[str]] = {}
    for role, target in LINK.findall(prose(chapter)):
        other = target if role == "doc" else owner.get(target, chapter)
        if other != chapter and other in declared():
            found.setdefault(other, set()).update({target} if role == "prf:ref" else ())
    return found


def owners() -> dict[str, str]:
    """The chapter of every label of a statement, assumption or definition."""
    label = re.compile(r"^[`:~]{3,}\{prf:\w+\}.*\n:label:[ \t]*(\S+)", re.MULTILINE)
    return {name: chapter for chapter in declared() for name in label.findall(prose(chapter))}


def edges(kind: str) -> list[tuple[str, str]]:
    """Pairs (chapter that is used, chapter that uses it) of a kind."""
    return [(used, chapter) for chapter, what in declared().items() for used in what.get(kind, {})]


def level(chapter: str) -> int:
    """Row of a chapter in the map: below everything that it needs or that helps."""
    before = [used for kind in ("needs", "helps") for used in declared()[chapter].get(kind, {})]
    return 1 + max(map(level, before), default=-1)


def title(chapter: str) -> str:
    """Title of a chapter in the table of contents, with its number."""
    return next(page.title for page in pages() if page.name == f"book/{chapter}")


def drawing() -> str:
    """The map as SVG: a box for each chapter, a solid arrow to what needs it, a dashed one to what it helps with."""
    (width, height), (across, down) = BOX, GRID
    place = {c: (GRID[0] * (0.5 + what["column"]), 6 + height / 2 + down * level(c)) for c, what in declared().items()}
    bottom = max(y for _, y in place.values()) + height / 2 + 6
    parts, bold = [], ' font-weight="bold"'
    for kind, dash in (("helps", "6 5"), ("needs", "")):
        for used, chapter in edges(kind):
            (x0, y0), (x1, y1) = place[used], place[chapter]
            # From the lower edge of one box to the upper edge of the other, beside the boxes between.
            aside = max(-0.4 * width, min(0.4 * width, 0.3 * (x1 - x0)))
            start, end = (x0 + aside, y0 + height / 2), (x1 - aside, y1 - height / 2 - 3)
            style = f' stroke-dasharray="{dash}"' if dash else ""
            line = f"M{start[0]:.0f} {start[1]:.0f} L{end[0]:.0f} {end[1]:.0f}"
            parts.append(f'<path class="{kind}" d="{line}" fill="none" stroke="currentColor" stroke-width="2"{style}/>')
            angle = math.atan2(end[1] - start[1], end[0] - start[0])
            head = [(end[0] + 9 * math.cos(angle + turn), end[1] + 9 * math.sin(angle + turn)) for turn in (2.7, -2.7)]
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, *head))
            parts.append(f'<polygon points="{points}" fill="currentColor"/>')
    for chapter, (x, y) in place.items():
        number, name = title(chapter).split(". ", 1)
        lines = [number, *textwrap.wrap(name, 16)]
        text = "".join(
            f'<tspan x="{x:.0f}" y="{y + 8 + 25 * (i - (len(lines) - 1) / 2):.0f}"{"" if i else bold}>{html.escape(line)}</tspan>'
            for i, line in enumerate(lines)
        )
        parts.append(
            f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width}" height="{height}" rx="6" '
            f'fill="var(--pst-color-surface)" stroke="currentColor" stroke-width="1.5"/>'
            f'<text text-anchor="middle" fill="currentColor">{text}</text>'
        )
    said = "; ".join(f"{title(b).split('.')[0]} needs {title(a).split('.')[0]}" for a, b in edges("needs"))
    helps = "; ".join(f"{title(b).split('.')[0]} by {title(a).split('.')[0]}" for a, b in edges("helps"))
    label = html.escape(f"Map of the chapters. Chapter {said}. Helped, not needed: {helps}. The table below says the same.")
    return (
        f'<svg class="ib-prerequisites" role="img" aria-label="{label}" viewBox="0 0 {3 * across} {bottom:.0f}" '
        'style="display: block; width: 100%; max-width: 34rem; margin: 1rem auto; font: 21px var(--ib-sans)">'
        f"{''.join(parts)}</svg>"
    )


def page(chapter: str) -> str:
    """A link to a chapter, by its title."""
    return f"{{doc}}`{title(chapter)} </book/{chapter}>`"


class Map(SphinxDirective):
    """``{prerequisite-map}``: the drawing."""

    def run(self) -> list[nodes.Node]:
        """For HTML alone; the table says the same."""
        self.env.note_dependency(str(ROOT / "book" / "teaching.yml"))
        return [nodes.raw("", drawing(), format="html")]


class Uses(Markdown):
    """``{prerequisite-table}``: what each chapter takes from which other, in words."""

    def lines(self) -> list[str]:
        """One row for each pair of chapters."""
        words = {"needs": "read it first", "helps": "helps", "borrows": "one result on trust"}
        rows = [["chapter", "uses", "for", "how much"]]
        for chapter, what in declared().items():
            uses = [(kind, used, use["why"]) for kind in words for used, use in what.get(kind, {}).items()]
            rows += [[page(chapter), page(used), why, words[kind]] for kind, used, why in uses]
            if not uses:
                rows.append([page(chapter), "no other chapter", "", ""])
        return table(rows)


class Needs(Markdown):
    """``{chapter-needs}``: what a reader must know, and what a chapter costs and holds."""

    def lines(self) -> list[str]:
        """One row a chapter; seconds are those of this build, rounded up to ten."""
        seconds = {Path(r.uri).stem: r.data["execution_seconds"] for r in get_cache(str(CACHE)).list_cache_records()}
        statements, _ = collect(ROOT)
        rows = [["chapter", "you know", "minutes to read", "seconds to run", "statements", "demos", "exercises"]]
        for chapter, what in declared().items():
            minutes = MINUTES.search(prose(chapter))
            run = f"below {10 * math.ceil(seconds[chapter] / 10)}" if chapter in seconds else "not run"
            demos = sum(map(bool, map(demos_in, cells(chapter))))
            counts = [sum(s.chapter == chapter for s in statements), demos, len(EXERCISE.findall(prose(chapter)))]
            rows.append([page(chapter), what["you"], minutes[1] if minutes else "?", run, *map(str, counts)])
        return table(rows)


class Figures(Markdown):
    """``{figure-list}``: every figure of the chapters with a link to its place and to its slide."""

    def lines(self) -> list[str]:
        """A list for each chapter."""
        found = slides.figures()
        out: list[str] = []
        for chapter in dict.fromkeys(figure.chapter for figure in found):
            out += ["", f"**{chapter}**", ""]
            for figure in (f for f in found if f.chapter == chapter):
                first = re.split(r"(?<=[.?!]) (?=[A-Z])", figure.caption)[0]
                slide = f'<a href="slides/{figure.name}.svg" aria-label="{figure.name} as a slide">slide</a>'
                out.append(f"* {{numref}}`{figure.name}`: {first} {slide}")
        return out


class Demo(SphinxRole):
    """``{demo}`OptimiserDemo```: the title of a demo, from its class."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The title in italics; an unknown class is an error of the build."""
        import ibtext.demos

        found = getattr(ibtext.demos, self.text, None)
        if found is None:
            return [], [self.inliner.reporter.error(f"There is no demo {self.text} in ibtext.demos.", line=self.lineno)]
        return [nodes.emphasis("", found.title)], []


def add_slides(app: Sphinx, exception: Exception | None) -> None:
    """Put the slides beside the page that links to them."""
    if exception is None and app.builder.format == "html" and "book/teaching" in app.env.found_docs:
        slides.write_svg(Path(app.outdir) / "book" / "slides", slides.figures())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the role."""
    app.add_directive("prerequisite-map", Map)
    app.add_directive("prerequisite-table", Uses)
    app.add_directive("chapter-needs", Needs)
    app.add_directive("figure-list", Figures)
    app.add_role("demo", Demo())
    app.connect("build-finished", add_slides)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
