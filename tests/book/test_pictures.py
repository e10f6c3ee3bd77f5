"""Where a notebook is read without being run, as on GitHub, each demo is a small picture with its caption, and up to date."""

import ast
import base64
import re
from pathlib import Path

import nbformat
import pytest

from ibtext import demos
from ibtext.demos import Demo
from tools.contents import ROOT, demos_in
from tools.notebooks.normalize import demo_picture

LARGEST = 40_000
CELLS = [
    pytest.param(cell, id=f"{path.stem}-{cell.id}")
    for path in sorted((ROOT / "book").glob("*.ipynb"))
    for cell in nbformat.read(path, as_version=4).cells
    if demos_in(cell)
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_demo_cell_stores_its_picture_and_its_present_caption(cell: nbformat.NotebookNode) -> None:
    remedy = "run tools.notebooks.normalize --pictures"
    assert [set(o.data) for o in cell.outputs] == [{"image/png", "text/plain"}, {"text/plain"}], remedy
    picture, caption = cell.outputs[0].data["image/png"], cell.outputs[1].data["text/plain"]
    assert base64.b64decode(picture)[:4] == b"\x89PNG" and len(base64.b64decode(picture)) <= LARGEST
    call = ast.parse(cell.source).body[-1].value
    assert isinstance(call, ast.Call)
    cls = getattr(demos, ast.unparse(call.func).split(".")[-1])
    parameters = cls.defaults() | {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    half = cls.unshown()
    now = f"{cls.title}. {Demo.describe(half, half.compute(**parameters), **parameters)}".replace("?.", "?")
    # the last digit of a number may differ between machines, a word may not
    numbers = r"[\d.]*\d(?:e[-+]\d+)?"
    assert re.sub(numbers, "N", caption) == re.sub(numbers, "N", now), remedy
    stored, present = ([float(v) for v in re.findall(numbers, text)] for text in (caption, now))
    assert stored == pytest.approx(present, rel=0.02, abs=2e-3), remedy


def test_the_picture_of_a_run_is_kept_small_and_kept_again() -> None:
    from matplotlib.figure import Figure

    from ibtext.demos.kit import figure

    png = figure.png(Figure(figsize=(7, 3)))
    shown = [
        {"text/html": "<noscript></noscript>", "text/plain": "A title? A summary."},
        {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "XDemo()", "image/png": png},
    ]
    cell = nbformat.v4.new_code_cell("XDemo()", outputs=[nbformat.v4.new_output("display_data", data=d) for d in shown])
    cell.outputs = kept = demo_picture(cell)
    assert kept[1].data == {"text/plain": "A title? A summary."}
    assert len(kept[0].data["image/png"]) < len(png)
    assert demo_picture(cell) == kept
    cell.outputs = []
    assert demo_picture(cell) == []


def test_pictures_are_far_below_the_size_of_a_notebook() -> None:
    assert sum(path.stat().st_size for path in Path(ROOT / "book").glob("*.ipynb")) < 5_000_000
