"""Sphinx extension of the ledger: every numbered statement, what it rests on, how it was checked in this very build.

Where a statement corresponds to one of a paper, ``book/ledger.yml`` says to which, and whether it is weaker, equal or stronger;
the demo that plays it is named there too. Everything else is read from the chapters and their outputs.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

import nbformat
import yaml
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.contents import ROOT, chapter_number
from tools.notebooks.certificate_lines import Line, read
from tools.notebooks.claims import Statement, claimed_labels, collect
from tools.notebooks.dependencies import needs
from tools.notebooks.execute import CACHE
from tools.sphinx.directive import Markdown

TITLE = re.compile(
    r'(<div class="proof (?!admonition)\w+ admonition" id="(?P<label>[^"]+)">\s*<p class="admonition-title">'
    r'<span class="caption-number">(?P<name>[^<]*?)\s*</span>.*?)(</p>)',
    re.DOTALL,
)


@cache
def declared() -> dict[str, dict[str, str]]:
    """What ``book/ledger.yml`` says about statements, by label."""
    found: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "book" / "ledger.yml").read_text(encoding="utf-8")) or {}
    return found


@cache
def certificates(chapter: str) -> dict[str, list[Line]]:
    """The lines of the certificates of a chapter, by label, as this build has printed them."""
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    if CACHE.exists():
        try:
            _, notebook = get_cache(str(CACHE)).merge_match_into_notebook(notebook)
        except KeyError:
            pass  # not executed: the text that is stored stands for it
    found: dict[str, list[Line]] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            text = "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")
            for label in claimed_labels(cell.source):
                found.setdefault(label, []).extend(read(text)[0])
    return found


def rests_on(statement: Statement) -> list[str]:
    """Labels of what the text and the proof of a statement refer to."""
    return needs(ROOT / "book" / f"{statement.chapter}.ipynb")[statement.label]


def worst(statement: Statement) -> str:
    """The line of a statement's certificate that uses most of its tolerance."""
    lines = certificates(statement.chapter).get(statement.label, [])
    if not lines:
        return "no line on the page"
    line = max(lines, key=lambda line: line.used)
    margin = f", tolerance {line.tolerance}" if line.tolerance else ""
    what = line.what.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_").replace("<", r"\<").replace("$", r"\$")
    return f"{what}: predicted {line.predicted}, measured {line.measured}{margin} ({len(lines)} lines)"


class Ledger(Markdown):
    """``{ledger}``: an entry for each statement, chapter by chapter."""

    def lines(self) -> list[str]:
        """A heading a chapter, an entry a statement."""
        found, chapter = [], ""
        for statement in collect(ROOT)[0]:
            if statement.chapter != chapter:
                chapter = statement.chapter
                found += [f"## {{doc}}`{chapter}`", ""]
            found += [f"(ledger-{statement.label})=", "::::{container} ib-ledger-entry", *self.entry(statement), "::::", ""]
        return found

    def entry(self, statement: Statement) -> list[str]:
        """What is known of one statement."""
        title = statement.title.replace("|", r"\|")
        rests = ", ".join(f"{{prf:ref}}`{label}`" for label in rests_on(statement))
        facts = [f"Rests on {rests}." if rests else "Rests on no other statement.", f"Worst line: {worst(statement)}."]
        if statement.tests:
            facts.append("Further tests: " + ", ".join(f"`{test}`" for test in dict.fromkeys(statement.tests)) + ".")
        said = declared().get(statement.label, {})
        if "source" in said:
            facts.append(f"Source: {said['source']}; ours is {said['relation']}.")
        if "demo" in said:
            where = f"{statement.chapter}.html#?{said['demo']}"  # a link that opens the demo, which no reference knows
            facts.append(f'Play it: <a class="reference internal" href="{where}">{said["demo"]}</a>.')
        return [f"**{{prf:ref}}`{statement.label}`** {title}", "", "{.ib-ledger-facts}", " ".join(facts)]


class Picture(SphinxDirective):
    """``{ledger-picture}``: a column a chapter, a dot a statement, a line from each statement to what it rests on."""

    def run(self) -> list[nodes.Node]:
        """Draw it as SVG."""
        return [nodes.raw("", drawing(collect(ROOT)[0]), format="html")]


def drawing(statements: list[Statement]) -> str:
    """The picture of what rests on what."""
    chapters = list(dict.fromkeys(s.chapter for s in statements))
    across, down, row = 120, 24, dict.fromkeys(chapters, 0)
    place = {}
    for s in statements:
        place[s.label] = (across * (chapters.index(s.chapter) + 0.5), 50.0 + down * row[s.chapter])
        row[s.chapter] += 1
    parts = []
    for i, chapter in enumerate(chapters):
        where = f'x="{across * (i + 0.5):.0f}" y="24" text-anchor="middle"'
        parts.append(f'<text {where} fill="currentColor">{chapter_number(chapter)}</text>')
    for s in statements:
        x, y = place[s.label]
        for u, v in (place[label] for label in rests_on(s) if label in place):
            # a bow to the right within a chapter, an S between two
            near, far = (u + 36, x + 36) if u == x else ((u + x) / 2, (u + x) / 2)
            path = f"M{u:.0f} {v:.0f} C{near:.0f} {v:.0f} {far:.0f} {y:.0f} {x:.0f} {y:.0f}"
            parts.append(f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity=".35"/>')
    for s in statements:
        x, y = place[s.label]
        dot = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="7" fill="var(--pst-color-primary)"/>'
        name = html.escape(f"{s.kind} of chapter {chapter_number(s.chapter)}: {s.title}", quote=True)
        parts.append(f'<a href="#ledger-{s.label}" aria-label="{name}"><title>{name}</title>{dot}</a>')
    size = f"0 0 {across * len(chapters)} {50 + down * max(row.values(), default=0)}"
    style = "display: block; width: 100%; max-width: 44rem; font: 16px var(--ib-sans)"
    return f'<svg class="ib-ledger-picture" viewBox="{size}" style="{style}">{"".join(parts)}</svg>'


def link_back(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Behind the name of every checked statement, a link to its entry in the ledger."""
    if not re.search(r"book/\d+_", pagename) or "body" not in context:
        return
    known = {s.label for s in collect(ROOT)[0]}
    address = context["pathto"]("book/ledger")

    def linked(match: re.Match[str]) -> str:
        if match["label"] not in known:
            return match[0]
        target, name = f"{address}#ledger-{match['label']}", f"{match['name']}, in the ledger"
        return f'{match[1]} <a class="ib-ledger-link" href="{target}" aria-label="checked: {name}">checked</a>{match[4]}'

    context["body"] = TITLE.sub(linked, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the links."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-picture", Picture)
    app.connect("html-page-context", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
