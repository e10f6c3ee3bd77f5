"""Write the whole book as one PDF: ``python -m tools.site.pdf``, or ``make pdf``.

The built pages of the site, one after the other, become one document, which Chromium prints: mathematics, numbers and figures
are those of the site. On paper, hints and solutions stand at the end of their chapter, a demo is its picture with its question
and the address where it is live, and folded code is left out. Page numbers in the contents are written into the print, where the
links of the contents lead.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import sys
import time
import tomllib
from ctypes import c_float, c_int, c_ushort
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup
from bs4.element import Tag

from tools.contents import BUILD, ROOT, Page, pages

SITE = BUILD / "html"
TARGET = BUILD / "book.pdf"
LEFT_OUT = ("book/demos", "book/status")
"""Pages about the site: its demos once more, and how it was built."""
STYLE = Path(__file__).with_name("pdf.css")
ARTICLE = re.compile(r'<article class="bd-article">.*</article>', re.DOTALL)
STYLES = re.compile(r'<link(?=[^>]*rel="stylesheet")[^>]*href="[./]*_static/([^"?]*)')
INNER = re.compile(r'</?a\b[^>]*>|\sid="[^"]*"')
"""Links and names within a title, which its line in the contents may not have."""
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = re.compile(r'<script type="application/vnd\.jupyter\.widget-state\+json">(.*?)</script>', re.DOTALL)
NOT_ON_PAPER = "script, style, link, .headerlink, .ib-ledger-link, details.hide.above-input, button, .colab-only"
WIDTH, HEIGHT, MARGIN = 210, 297, 22
NUMBER_SIZE = 9.5
"""Points, of the page numbers in the contents."""
PIXEL = 25.4 / 96
"""Millimetres a CSS pixel; the sheet is A4."""


@dataclass(frozen=True)
class Sheet:
    """A page of the site on paper: its key among the names of the document, and what is printed."""

    page: Page
    key: str
    article: Tag


def site_address() -> str:
    """Where the site is published, unless the command says otherwise: the pages that GitHub serves for the repository."""
    owner, name = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"].rstrip("/").split("/")[-2:]
    return f"https://{owner}.github.io/{name}"


def tag(text: str) -> Tag:
    """The element that a piece of HTML describes."""
    return next(child for child in BeautifulSoup(text, "html.parser").children if isinstance(child, Tag))


def demos(page: str) -> dict[str, dict[str, Any]]:
    """What the demos of a built page declare, by the names of their widgets."""
    states = [json.loads(text)["state"] for text in STATE.findall(page)]
    return {key: model["state"]["_spec"] for state in states for key, model in state.items() if "_spec" in model["state"]}


def paper_demo(spec: dict[str, Any], picture: Tag, address: str) -> Tag:
    """A demo on paper: its name, what it asks, its first view, and where it is live."""
    question = spec["question"] or {}
    choices = "".join(f"<li>{escape(choice)}</li>" for choice in question.get("choices", []))
    asked = f'<p class="ib-asked">{escape(question["text"])}</p>' + (f"<ul>{choices}</ul>" if choices else "") if question else ""
    shown = escape(address.removeprefix("https://"))
    found = tag(
        f'<div class="ib-on-paper"><p class="ib-title">{escape(spec["title"])}</p>{asked}'
        f'<p class="ib-live">Live, with sliders: <a href="{escape(address)}">{shown}</a></p></div>'
    )
    found.find(class_="ib-live").insert_before(picture)
    return found


def lay_out(article: Tag, specs: dict[str, dict[str, Any]], address: str) -> list[dict[str, Any]]:
    """Turn the text of a page into what stands on paper; return what the demos declare that it shows."""
    shown = []
    for cell in article.select("div.cell"):
        view, still = cell.find("script", type=VIEW), cell.select_one("noscript.ib-still img")
        if view and still:
            shown.append(specs[json.loads(view.string)["model_id"]])
            section = cell.find_parent("section", id=True)
            cell.replace_with(paper_demo(shown[-1], still.extract(), f"{address}#{section['id']}"))
    for element in article.select(NOT_ON_PAPER):
        element.decompose()
    for element in article.select("[role=heading]"):  # bookmarks are for chapters and sections
        del element["role"], element["aria-level"]
    for cell in article.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg", "table"]):
            cell.decompose()
    return shown


def move_solutions(article: Tag, shown: list[dict[str, Any]]) -> None:
    """Put hints, solutions and the answers to the questions of the demos behind the text of a chapter."""
    hints = tag('<section id="hints"><h2>Hints</h2></section>')
    solutions = tag('<section id="solutions"><h2>Solutions</h2></section>')
    exercise = None
    for element in article.select("div.exercise, div.dropdown"):
        title = element.find(class_="admonition-title")
        if "exercise" in element["class"]:
            exercise = element
        elif "solution" in element["class"]:
            solutions.append(element.extract())
        elif exercise is not None and title.get_text(strip=True).startswith("Hint"):
            title.string = "Hint to "
            title.append(tag(f'<a href="#{exercise["id"]}">{exercise.find(class_="caption-number").get_text(strip=True)}</a>'))
            hints.append(element.extract())
    for question in (spec["question"] | {"title": spec["title"]} for spec in shown if spec["question"]):
        right = f"{question['choices'][question['answer']]}. " if "choices" in question else ""
        answer = f"<p><strong>{escape(question['title'])}</strong> <em>{escape(right)}</em>{escape(question['because'])}</p>"
        solutions.append(tag(answer))
    article.section.extend(part for part in (hints, solutions) if len(part) > 1)


def relink(sheet: Sheet, keys: dict[str, str], names: dict[str, set[str]], address: str, site: Path) -> None:
    """Give the names of a page its key, and let its links point into the document where they can, to the site elsewhere."""
    folder, here = posixpath.dirname(sheet.page.name), sheet.page.name
    for element in sheet.article.find_all(id=True):
        if not element.find_parent("svg"):  # a drawing refers to its own names
            element["id"] = f"{sheet.key}-{element['id']}"
    for image in sheet.article.select("img[src]"):
        if not image["src"].startswith("data:"):
            image["src"] = (site / folder / image["src"]).resolve().as_uri()
    for link in [*sheet.article.select("a[href]"), *sheet.article.select("svg a")]:
        target = link.get("href") or link.get("xlink:href") or ""
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        name = posixpath.normpath(posixpath.join(folder, path)).removesuffix(".html") if path else here
        if name in keys and (not anchor or anchor in names[name]):
            link["href"] = f"#{keys[name]}-{anchor}" if anchor else f"#{keys[name]}"
        elif path or anchor:
            link["href"] = f"{address}/{name}.html" + (f"#{anchor}" if anchor else "")


def sheets(address: str, site: Path = SITE) -> list[Sheet]:
    """The pages of the book as they are printed, in the order of the contents."""
    found, names = [], {}
    for page in pages():
        if page.name in LEFT_OUT:
            continue
        text = (site / f"{page.name}.html").read_text(encoding="utf-8")
        article = tag(ARTICLE.search(text)[0])  # type: ignore[index]
        shown = lay_out(article, demos(text), f"{address}/{page.name}.html")
        if page.is_chapter:
            move_solutions(article, shown)
        key = "p-" + re.sub(r"\W+", "-", page.name.removeprefix("book/"))  # CSS wants a letter first
        names[page.name] = {element["id"] for element in article.find_all(id=True)}
        found.append(Sheet(page, key, article))
    keys = {sheet.page.name: sheet.key for sheet in found}
    for sheet in found:
        relink(sheet, keys, names, address, site)
    return found


def running_title(sheet: Sheet) -> str:
    """What stands above the pages: the short title of a chapter, the title of another page."""
    return sheet.page.title if sheet.page.is_chapter else str(sheet.article.h1.get_text())


def headings(sheet: Sheet) -> list[Tag]:
    """The title of a page and those of its sections."""
    return list(sheet.article.find_all(["h1", "h2"]))


def document(found: list[Sheet], address: str, site: Path = SITE) -> str:
    """The whole book as one page."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    head = (site / f"{found[1].page.name}.html").read_text(encoding="utf-8").partition("</head>")[0]
    static = (site / "_static").resolve().as_uri()
    styles = [static + "/" + link for link in STYLES.findall(head)]
    names = "\n".join(
        f"#{sheet.key} {{ page: {sheet.key} }}\n"
        f"@page {sheet.key} {{ @top-right {{ content: {json.dumps(running_title(sheet))} }} }}"
        for sheet in found
    )
    for sheet in found:
        for k, heading in enumerate(headings(sheet)):  # a section may begin on the page before its title
            heading["id"] = heading.get("id") or f"{sheet.key}--{k}"
    rows = "\n".join(
        f'<li class="ib-{heading.name}"><a href="#{heading["id"]}">'
        f'{INNER.sub("", heading.decode_contents())}</a></li>'
        for sheet in found
        for heading in headings(sheet)
    )
    title, author = escape(config["title"]), escape(config["author"])
    body = "\n".join(f'<div class="ib-sheet" id="{sheet.key}">{sheet.article}</div>' for sheet in found)
    return f"""<!doctype html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{title}</title>
{chr(10).join(f'<link rel="stylesheet" href="{style}">' for style in styles)}
<style>@page {{ size: {WIDTH}mm {HEIGHT}mm; margin: {MARGIN}mm }}
{STYLE.read_text()}
{names}</style>
<script>window.MathJax = {{options: {{enableMenu: false, enableAssistiveMml: false, processHtmlClass: "math"}},
  startup: {{typeset: false}}}}</script>
<script defer src="{static}/mathjax/tex-chtml.js"></script></head>
<body><div class="bd-content"><div class="bd-article-container"><div class="bd-article">
<div id="ib-front"><div class="ib-title-page"><img src="{static}/book/logo.svg" alt=""><p class="ib-name">{title}</p>
<p class="ib-lead">Implicit bias, proved and measured</p><p>{author}</p>
<p class="ib-imprint">Version {version}. Text and figures: CC BY 4.0; code: MIT licence.<br>
The same pages with live demos, and the code behind figures and checks: <a href="{address}">{address.removeprefix("https://")}</a></p></div>
<div class="ib-contents"><h1>Contents</h1><ul>{rows}</ul></div></div>
<div id="ib-body">{body}</div>
</div></div></div></body></html>"""


FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TYPESET = """async () => {
  // A bookmark would lack the space at which its title is broken into lines, unless the space does not break.
  for (const title of document.querySelectorAll('#ib-body :is(h1, h2, h3)'))
    for (const text of [...title.childNodes].filter(node => node.nodeType === Node.TEXT_NODE))
      text.replaceWith(...text.data.split(/(?<= )/).flatMap(word => word.endsWith(' ')
        ? [word.slice(0, -1) + '\\u00a0', document.createElement('wbr')] : [word]));
  await MathJax.startup.promise;
  await MathJax.typesetPromise();
  await document.fonts.ready;
  await Promise.all([...document.images].map(image => image.decode()));
}"""
FIT = """() => {
  const within = box => {
    while (!/block|item|cell/.test(getComputedStyle(box).display)) box = box.parentElement;
    const s = getComputedStyle(box);
    return box.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight);
  };
  // A formula or a table that is a little too wide for its column is set smaller.
  for (const e of document.querySelectorAll('#ib-body :is(mjx-container, table)')) {
    const ratio = within(e.parentElement) / (e.querySelector('mjx-math') ?? e).getBoundingClientRect().width;
    if (ratio < .999) e.style.fontSize = Math.max(ratio, .7) * .99 * parseFloat(getComputedStyle(e).fontSize) + 'px';
  }
  const { left, right } = document.querySelector('#ib-body').getBoundingClientRect(), wide = [];
  const parts = 'mjx-math, pre, code, table, td, th, svg, img, p, li, dt, dd, h1, h2, h3';
  for (const e of document.querySelectorAll(`#ib-body :is(${parts})`)) {
    const box = e.getBoundingClientRect(), cut = getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1;
    if (box.right > right + 1 || box.left < left - 1 || cut)
      wide.push(`${e.closest('.ib-sheet').id}, ${e.localName}: ${e.textContent.trim().slice(0, 80)}`);
  }
  return wide;
}"""


def number_contents(book: Any) -> None:
    """Write behind each line of the contents the page to which its link leads."""
    from pypdfium2 import raw

    font = raw.FPDFText_LoadStandardFont(book.raw, b"Times-Roman")
    link, box = raw.FPDF_LINK(), raw.FS_RECTF()
    left, bottom, right, top = (c_float() for _ in range(4))
    k, first = 1, len(book)  # the title page has no number; the text begins where the first link leads
    while k < first:
        page, position = book[k], c_int(0)
        while raw.FPDFLink_Enumerate(page.raw, position, link):
            to = raw.FPDFDest_GetDestPageIndex(book.raw, raw.FPDFLink_GetDest(book.raw, link))
            first = min(first, to)
            text = raw.FPDFPageObj_CreateTextObj(book.raw, font, NUMBER_SIZE)
            raw.FPDFText_SetText(text, (c_ushort * 8)(*f"{to + 1}".encode("utf-16-le")[::2]))
            raw.FPDFLink_GetAnnotRect(link, box)
            raw.FPDFPageObj_GetBounds(text, left, bottom, right, top)
            height = (box.bottom + box.top - top.value) / 2
            raw.FPDFPageObj_Transform(text, 1, 0, 0, 1, box.right - right.value, height)
            raw.FPDFPage_InsertObject(page.raw, text)
        page.gen_content()
        k += 1


def write(target: Path, found: list[Sheet], address: str, browser: Any, site: Path = SITE) -> int:
    """Print the book, in a running Chromium, beside the page from which it is printed; return how many pages it has.

    Raises
    ------
    SystemExit
        When something is wider than the paper.
    """
    from pypdfium2 import PdfDocument

    source = target.with_suffix(".html")
    source.write_text(document(found, address, site), encoding="utf-8")
    page = browser.new_page(viewport={"width": int((WIDTH - 2 * MARGIN) / PIXEL), "height": 1000})
    page.set_default_timeout(0)
    page.emulate_media(media="print", color_scheme="light")
    page.goto(source.as_uri())
    page.evaluate(TYPESET)
    if wide := page.evaluate(FIT):
        raise SystemExit("Everything must fit the paper, but this is wider; break it:\n" + "\n".join(wide))
    book = PdfDocument(page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True))
    page.close()
    number_contents(book)
    book.save(target)
    return len(book)


def main() -> int:
    """Command line."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        print("The PDF is printed with Chromium, which was not found; install it: sudo apt-get install chromium", file=sys.stderr)
        return 1
    if not (SITE / "index.html").exists():
        print("The PDF is printed from the site, which is not built; run 'make book'.", file=sys.stderr)
        return 1
    address = (sys.argv[1] if len(sys.argv) > 1 else site_address()).rstrip("/")
    start = time.perf_counter()
    with sync_playwright() as playwright:
        count = write(TARGET, sheets(address), address, playwright.chromium.launch(executable_path=program, args=FLAGS))
    print(f"_build/book.pdf: {count} pages, {TARGET.stat().st_size / 1e6:.1f} MB, in {time.perf_counter() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
