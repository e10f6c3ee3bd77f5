"""The PDF of the whole book says what the pages say, and nothing in it is cut off."""

import re
import shutil

import pytest
from pypdfium2 import PdfDocument

from tests.browser.conftest import SITE, missing, pages
from tools.site import pdf

# One worker prints the book, once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("the book on paper")]
ADDRESS = "https://book.example"
POINT = 25.4 / 72
NUMBERED = re.compile(r"(?:Theorem|Proposition|Lemma|Corollary|Definition|Assumption|Exercise)\d+\.\d+(?=\()")
NUMBER = re.compile(r'<span class="caption-number">\s*([A-Z][a-z]+ \d+\.\d+)\s*</span>')


def packed(text):
    """A text without its spaces, which lines of a page do not keep."""
    return "".join(text.split())


@pytest.fixture(scope="module")
def sheets():
    """What is printed, page by page of the site."""
    if shutil.which("chromium") is None:
        missing("The PDF is printed with Chromium, but none was found; run 'apt-get install chromium'.")
    if not pages():
        missing(f"The PDF is printed from the built site, but {SITE.name} holds no page; run 'make book'.")
    return pdf.sheets(ADDRESS, SITE)


@pytest.fixture(scope="module")
def path(sheets, browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    pdf.write(path, sheets, ADDRESS, browser, SITE)
    return path


@pytest.fixture(scope="module")
def book(path):
    with PdfDocument(path) as book:
        yield book


@pytest.fixture(scope="module")
def texts(book):
    """The text of each page."""
    return [page.get_textpage().get_text_range() for page in book]


@pytest.fixture(scope="module")
def bookmarks(book):
    """Level, title and page of every bookmark, counted from 0."""
    return [(mark.level, mark.get_title(), mark.get_dest().get_index()) for mark in book.get_toc()]


@pytest.fixture(scope="module")
def printed(sheets, texts, bookmarks):
    """The text of each page of the site on paper, without spaces."""
    starts = [at for level, _, at in bookmarks if level == 0][1:]  # the first are the contents
    assert len(starts) == len(sheets)
    ends = [*starts[1:], len(texts)]
    return {s.key: packed(" ".join(texts[a:b])) for s, a, b in zip(sheets, starts, ends, strict=True)}


def outside(boxes):
    """Those of the boxes that leave the column, or the sheet above or below. A box is in points: left, bottom, right, top."""
    left, right = (pdf.MARGIN - 0.5) / POINT, (pdf.WIDTH - pdf.MARGIN + 0.5) / POINT
    low, high = 5 / POINT, (pdf.HEIGHT - 5) / POINT
    # A bar that MathJax stretches is drawn tall and cut to its length; its box is that of the whole.
    return [i for i, (a, b, c, d) in enumerate(boxes) if a < left or c > right or ((b < low or d > high) and d - b < 0.5 * high)]


def test_every_line_lies_within_the_margins(book):
    """Formulas, code and tables keep to the column; only the title and the number of the page stand above and below it."""
    faults = []
    for k, page in enumerate(book):
        text = page.get_textpage()
        if outside(text.get_rect(i) for i in range(text.count_rects())):  # runs of text; then letter by letter
            letters = outside(text.get_charbox(i) for i in range(text.count_chars()))
            faults += [(k + 1, letter) for i in letters if (letter := text.get_text_range(i, 1).strip())]
    assert not faults


def test_pages_and_sections_have_bookmarks_and_the_contents_their_true_pages(sheets, texts, bookmarks):
    titles = [(int(h.name[1]) - 1, packed(h.get_text())) for sheet in sheets for h in pdf.headings(sheet)]
    marks = [(level, packed(title), at) for level, title, at in bookmarks[1:] if level < 2]
    assert [level for level, *_ in marks] == [level for level, _ in titles]
    # a formula in a title reads otherwise in print
    assert sum(mark[1] == name for mark, (_, name) in zip(marks, titles, strict=True)) > 0.9 * len(titles)
    first = marks[0][2]
    numbers = "".join(str(at + 1) for *_, at in marks)
    for text in texts[1:first]:  # numbers come last on their page, some without a space between them
        shown = "".join(line.strip() for line in text.splitlines() if line.strip().isdigit())
        numbers = numbers[next(len(shown) - k for k in range(len(shown) + 1) if numbers.startswith(shown[k:])) :]
    assert not numbers
    for _, title, at in marks:
        assert title in packed(texts[at])


def test_statements_exercises_and_figures_keep_their_numbers(sheets, printed):
    for sheet in sheets:
        found = NUMBERED.findall(printed[sheet.key])
        page = (SITE / f"{sheet.page.name}.html").read_text(encoding="utf-8")
        numbers = [packed(number) for number in NUMBER.findall(page) if not number.startswith("Fig")]
        assert [n for n in dict.fromkeys(found) if n in numbers] == numbers
        for figure in re.findall(r"Fig\. \d+\.\d+", page):
            assert packed(figure) in printed[sheet.key]


def test_solutions_stand_once_at_the_end_of_their_chapter(sheets, printed):
    for sheet in sheets:
        exercises = [e.find(class_="caption-number").get_text() for e in sheet.article.select("div.exercise")]
        if not exercises:
            continue
        text, _, end = printed[sheet.key].rpartition("Solutions")
        assert packed(exercises[-1]) in text and "Furtherreading" in text
        for number in exercises:
            assert text.count(packed(f"Solution to {number}")) == 0 and end.count(packed(f"Solution to {number}")) == 1
            assert printed[sheet.key].count(packed(f"Hint to {number}")) == 1


def test_demos_are_there_with_their_question_and_address(sheets, printed):
    asked = 0
    for sheet in sheets:
        page = (SITE / f"{sheet.page.name}.html").read_text(encoding="utf-8")
        for spec in pdf.demos(page).values():
            assert packed(spec["title"]) in printed[sheet.key]
            asked += 1
            if spec["question"]:
                assert packed(spec["question"]["text"]) in printed[sheet.key]
        assert printed[sheet.key].count(f"book.example/{sheet.page.name}.html#") == page.count(pdf.VIEW)
    assert asked > 10


def test_figures_are_drawings(path, sheets):
    """No picture of pixels, as there is none on the pages that are printed."""
    assert not [i for s in sheets for i in s.article.select("img") if re.search(r"(png|jpe?g|webp|gif)(;|$)", i["src"][:200])]
    assert not re.search(rb"/Subtype\s*/Image", path.read_bytes())
