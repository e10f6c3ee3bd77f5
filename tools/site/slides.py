"""Put every figure of the book on a slide: ``python -m tools.site.slides``, or ``make slides``.

The figures are those of the executed notebooks from which the site is built, so nothing is trained or drawn again; a
notebook that has changed since is executed first. ``_build/slides`` gets for each figure a slide in the format 16:9 with
its caption as SVG, PDF and PNG (1920 x 1080 pixels), one ``slides.pdf`` with all of them, and ``index.html``, which
lists them with the texts for those who do not see them. PDF and PNG are made with Chromium; without it there is SVG alone.
"""

from __future__ import annotations

import html
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from matplotlib import font_manager, ft2font

from tools.contents import BUILD, pages
from tools.notebooks.execute import CACHE, fill_cache
from tools.notebooks.figures import WIDGET

TARGET = BUILD / "slides"
WIDTH, HEIGHT = 1600, 900
MARGIN, HEAD, FOOT = 60, 84, 40
SIZE, LEADING = 25, 35
FONT = "'DejaVu Sans', Verdana, sans-serif"
SVG_KIND = "image/svg+xml"
SVG = re.compile(r"<svg\b.*</svg>", re.DOTALL)
OPENING = re.compile(r"<svg\b[^>]*>")


@dataclass(frozen=True)
class Figure:
    """A figure of the book: its chapter, its name for cross-references, its texts, and its drawing."""

    page: str
    chapter: str
    name: str
    caption: str
    alt: str
    svg: str


def figures_of(notebook: nbformat.NotebookNode, page: str, chapter: str) -> list[Figure]:
    """The figures of an executed notebook, in order; demos are no figures."""
    found = []
    for cell in notebook.cells:
        settings = cell.metadata.get("mystnb", {})
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if SVG_KIND in data and WIDGET not in data:
                figure, image = settings["figure"], settings["image"]
                found.append(Figure(page, chapter, figure["name"], figure["caption"], image["alt"], data[SVG_KIND]))
    return found


def figures() -> list[Figure]:
    """Every figure of the chapters, from the cache of executed notebooks."""
    store = get_cache(str(CACHE))
    found = []
    for page in pages():
        if not page.is_chapter:
            continue
        notebook = nbformat.read(page.path, as_version=4)
        record = store.match_cache_notebook(notebook)
        # The cache holds outputs; captions are taken from the notebook as it is now.
        executed = store.get_cache_bundle(record.pk).nb
        now = {cell.id: cell.metadata for cell in notebook.cells}
        for cell in executed.cells:
            cell.metadata = now.get(cell.id, cell.metadata)
        found += figures_of(executed, page.name, page.title)
    return found


@cache
def _font() -> Any:
    """DejaVu Sans, which comes with matplotlib, at the size of the captions."""
    name = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans"))
    font = ft2font.FT2Font(name)
    font.set_size(SIZE, 72)
    return font


def width_of(text: str) -> float:
    """Width of a line of a caption, in pixels of the slide."""
    font = _font()
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0] / 64)


def lines_of(text: str, width: float = WIDTH - 2 * MARGIN) -> list[str]:
    """Break a caption into lines that fit.

    >>> lines_of("one two three", width=width_of("one two"))
    ['one two', 'three']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing, from its view box."""
    opening = OPENING.search(svg)
    box = re.search(r'viewBox="([^"]+)"', opening[0]) if opening else None
    if box is None:
        raise ValueError("A drawing must say its size in a viewBox, and this one does not; draw it with matplotlib.")
    _, _, width, height = map(float, box[1].split())
    return width, height


def layout(width: float, height: float, caption: str) -> tuple[float, float, float, float, float, list[str]]:
    """Scale and place of a drawing, and place and lines of its caption: below or beside, whichever shows the drawing larger."""
    below, beside = lines_of(caption), lines_of(caption, 0.36 * (WIDTH - 2 * MARGIN))
    bottom = HEIGHT - FOOT - LEADING * len(below)
    scale = min((WIDTH - 2 * MARGIN) / width, (bottom - HEAD - 20) / height)
    room = 0.61 * (WIDTH - 2 * MARGIN), HEIGHT - HEAD - FOOT
    other = min(room[0] / width, room[1] / height)
    if other > scale and LEADING * len(beside) <= room[1]:
        y = HEAD + (room[1] - other * height) / 2
        top = HEAD + (room[1] - LEADING * len(beside)) / 2 + 25
        return other, MARGIN + (room[0] - other * width) / 2, y, MARGIN + 0.64 * (WIDTH - 2 * MARGIN), top, beside
    y = HEAD + (bottom - HEAD - 20 - scale * height) / 2
    return scale, (WIDTH - scale * width) / 2, y, MARGIN, bottom + 25, below


def slide(figure: Figure) -> str:
    """The slide of a figure: chapter above, the drawing, its caption."""
    width, height = size_of(figure.svg)
    scale, x, y, left, top, caption = layout(width, height, figure.caption)
    place = f'x="{x:.1f}" y="{y:.1f}" width="{scale * width:.1f}" height="{scale * height:.1f}"'
    drawing = SVG.search(figure.svg)[0]  # type: ignore[index]  # size_of has found it
    head = re.sub(r'\b(width|height)="[^"]*"', "", OPENING.search(drawing)[0])  # type: ignore[index]
    drawing = head.replace("<svg", f"<svg {place}", 1) + drawing[drawing.index(">") + 1 :]
    text = "".join(
        f'<tspan x="{left:.0f}" y="{top + LEADING * i:.0f}">{html.escape(line)}</tspan>' for i, line in enumerate(caption)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title desc">
<title id="title">{html.escape(figure.chapter)}: {html.escape(figure.name)}</title>
<desc id="desc">{html.escape(figure.alt)}</desc>
<rect width="100%" height="100%" fill="white"/>
<g font-family="{FONT}" fill="#262626">
<text x="{MARGIN}" y="56" font-size="28" font-weight="bold">{html.escape(figure.chapter)}</text>
<text x="{WIDTH - MARGIN}" y="56" font-size="18" text-anchor="end">What training chooses, CC BY 4.0</text>
<text font-size="{SIZE}">{text}</text>
</g>
{drawing}
</svg>
"""


def write_svg(target: Path, found: list[Figure]) -> None:
    """Write the slides as SVG, and nothing else, into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for figure in found:
        (target / f"{figure.name}.svg").write_text(slide(figure), encoding="utf-8")


def index(found: list[Figure]) -> str:
    """A page that shows all slides, one below the other; printed, each is a page of its own."""
    body = []
    for figure in found:
        source, alt = f"{figure.name}.svg", html.escape(figure.alt, quote=True)
        body.append(f'<figure id="{figure.name}"><img src="{source}" alt="{alt}"></figure>')
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What training chooses: the figures as slides</title>
<style>
@page {{ size: {WIDTH}px {HEIGHT}px; margin: 0; }}
body {{ margin: 0; }}
figure {{ margin: 0; break-after: page; }}
img {{ display: block; width: 100%; aspect-ratio: 16 / 9; }}
</style></head>
<body><h1 hidden>The figures as slides</h1>
{chr(10).join(body)}
</body></html>
"""


def write_pictures(target: Path, found: list[Figure], program: str) -> None:
    """Write PDF and PNG beside the slides, with Chromium."""
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    paper = {"width": f"{WIDTH}px", "height": f"{HEIGHT}px", "print_background": True, "page_ranges": "1"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        # 1920 x 1080 pixels: what projectors and video calls show.
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1920 / WIDTH)
        page = context.new_page()
        for figure in found:
            page.goto((target / f"{figure.name}.svg").as_uri())
            page.screenshot(path=target / f"{figure.name}.png")
            page.pdf(path=target / f"{figure.name}.pdf", **paper)
        page.goto((target / "index.html").as_uri())
        page.pdf(path=target / "slides.pdf", prefer_css_page_size=True, print_background=True)
        browser.close()


def main() -> int:
    """Command line."""
    fill_cache()
    found = figures()
    write_svg(TARGET, found)
    (TARGET / "index.html").write_text(index(found), encoding="utf-8")
    print(f"{len(found)} figures as slides: _build/slides (SVG, and index.html to look at them)")
    program = shutil.which("chromium")
    if program is None:
        print("PDF and PNG are made with Chromium, which was not found; install it: sudo apt-get install chromium")
        return 0
    write_pictures(TARGET, found, program)
    print("PDF and PNG beside them; slides.pdf holds all.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
