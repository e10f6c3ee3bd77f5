"""The gallery lists every demo of the book."""

import ibtext.demos
from tools.contents import ROOT
from tools.site import gallery


def test_the_page_is_that_of_the_notebooks():
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.gallery(), "run: .venv/bin/python -m tools.site.gallery"


def test_every_demo_of_every_notebook_is_listed():
    """Found in another way than the page is made: by the text of the notebooks."""
    page = gallery.PAGE.read_text(encoding="utf-8")
    for name in gallery.offered():
        demo = getattr(ibtext.demos, name)
        shown = [p.path for p in gallery.notebooks() if f"{name}(" in p.path.read_text(encoding="utf-8")]
        if shown:
            assert f"### {demo.title}\n" in page, name
            assert demo.question is None or demo.question.text in page, name
            assert any(f"({path.name})" in page for path in shown), name


def test_the_page_is_in_the_table_of_contents():
    assert "book/demos" in (ROOT / "_toc.yml").read_text(encoding="utf-8")
