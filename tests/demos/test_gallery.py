"""The gallery lists every demo of the book."""

import pathlib

import gallery

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_page_is_that_of_the_notebooks():
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.gallery(), "run: .venv/bin/python tools/gallery.py"


def test_every_demo_of_every_notebook_is_listed():
    """Found in another way than the page is made: by the text of the notebooks."""
    page = gallery.PAGE.read_text(encoding="utf-8")
    for name, demo in gallery.demo_classes().items():
        shown = [p for p, _ in gallery.pages() if f"{name}(" in (ROOT / p).read_text(encoding="utf-8")]
        if shown:
            assert f"### {demo.title}\n" in page, name
            assert demo.question is None or demo.question.text in page, name
            assert any(f"({pathlib.Path(p).name})" in page for p in shown), name


def test_the_page_is_in_the_table_of_contents():
    assert "book/demos" in (ROOT / "_toc.yml").read_text(encoding="utf-8")
