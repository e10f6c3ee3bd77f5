"""Sphinx extension: a reference to a statement, an equation, a term or a paper shows what it refers to, on hover and on focus.

When the pages are written, each gets the texts of what it refers to, wherever that stands, as data; ``previews.js`` shows them.
A page needs no other page for it, and works from a file.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx

TARGET = re.compile(
    r'<(?P<tag>div|dt)\b(?=[^>]*\bclass="(?:proof (?!admonition)[a-z]+ admonition|math notranslate nohighlight|citation)"|'
    r'[^>]*\bid="term-)[^>]*\bid="(?P<id>[^"]+)"[^>]*>'
)
LINK = re.compile(r'<a class="reference internal" href="(?P<page>[^"#]*)#(?P<id>[^"]+)"')
ANCHOR = re.compile(r"<a\b[^>]*>|</a>")
IDENTITY = re.compile(r'\s(?:id|role|aria-level)="[^"]*"')
PERMALINK = re.compile(r'<a class="headerlink".*?</a>', re.DOTALL)
MARKS = re.compile(r"<(/?)div\b")


def element(page: str, start: int) -> str:
    """The div that begins at ``start``, to the end tag that is its own.

    >>> element('a<div id="x"><div>b</div></div><div>', 1)
    '<div id="x"><div>b</div></div>'
    """
    depth = 0
    for mark in MARKS.finditer(page, start):
        depth += -1 if mark[1] else 1
        if depth == 0:
            return page[start : page.index(">", mark.start()) + 1]
    return ""


def plain(text: str) -> str:
    """A piece of a page without links and without names, which another page may not repeat.

    >>> plain('<p id="x">see <a class="r" href="#y">there</a></p>')
    '<p>see there</p>'
    """
    return IDENTITY.sub("", ANCHOR.sub("", PERMALINK.sub("", text))).strip()


def targets(page: str) -> dict[str, str]:
    """What a page holds that others may show: statements, equations, terms, papers, by their names."""
    found = {}
    for match in TARGET.finditer(page):
        if match["tag"] == "div":
            found[match["id"]] = plain(element(page, match.start()))
        else:
            end = page.find("</dd>", match.end())
            meaning = page[page.find("<dd>", match.end()) + 4 : end]
            name = plain(page[match.end() : page.find("</dt>", match.end())])
            found[match["id"]] = f"<p><strong>{name}</strong></p>{plain(meaning)}"
    return found


def write(app: Sphinx, exception: Exception | None) -> None:
    """Give every page the texts of what it refers to."""
    if exception or app.builder.format != "html":
        return
    root = Path(app.outdir)
    pages = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in sorted(root.glob("book/**/*.html"))}
    known = {name: targets(text) for name, text in pages.items()}
    for name, text in pages.items():
        shown: dict[str, str] = {}

        def mark(link: re.Match[str], name: str = name, shown: dict[str, str] = shown) -> str:
            page = posixpath.normpath(posixpath.join(posixpath.dirname(name), link["page"])) if link["page"] else name
            preview = known.get(page, {}).get(link["id"])
            if not preview:
                return link[0]
            shown[link["id"]] = preview
            return f'{link[0]} data-ib-preview="{link["id"]}"'

        marked = LINK.sub(mark, text)
        if shown:
            data = json.dumps(shown, ensure_ascii=False).replace("</", "<\\/")
            script = f'<script type="application/json" id="ib-previews">{data}</script>'
            (root / name).write_text(marked.replace("</body>", f"{script}\n</body>", 1), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when all pages are written."""
    app.connect("build-finished", write, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
