"""The notebooks are in committed form, their figures are described, and each statement has its check."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

from tools.contents import ROOT, pages
from tools.notebooks.claims import claimed_labels, collect, statements_in
from tools.notebooks.figures import figure_faults, lacking
from tools.notebooks.normalize import COLAB, normalize

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
WIDTH = 88  # characters that fit the column of the page; a longer line of code would scroll sideways


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook_path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_notebook_is_in_committed_form(notebook_path: Path) -> None:
    before = notebook_path.read_text()
    after = nbformat.writes(normalize(nbformat.reads(before, as_version=4)), version=4).rstrip("\n") + "\n"
    assert after == before, f"{notebook_path.name} is not in committed form; run `make normalize`"


def test_notebook_is_valid_and_in_the_toc(notebook_path: Path) -> None:
    nbformat.validate(nbformat.read(notebook_path, as_version=4))
    assert notebook_path in [page.path for page in pages()]


def asserting_functions(notebook: nbformat.NotebookNode) -> set[str]:
    """``report`` of the package, and the notebook's own functions that contain an assertion."""
    trees = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code" and cell.id != "colab"]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {"report"} | {f.name for f in functions if any(isinstance(node, ast.Assert) for node in ast.walk(f))}


def test_claim_cells_can_fail_and_store_what_they_print(notebook_path: Path) -> None:
    """nbval compares stored text only: a claim cell without it would not be compared with anything."""
    notebook = nbformat.read(notebook_path, as_version=4)
    asserting = asserting_functions(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "claim" in cell.metadata.get("tags", []):
            assert cell.outputs, f"cell {cell.id} stores no output; run tools.notebooks.normalize --execute"
            nodes = list(ast.walk(ast.parse(cell.source)))
            called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            assert any(isinstance(node, ast.Assert) for node in nodes) or called & asserting, f"{cell.id} can not fail"


def test_cells_that_name_a_claim_are_tagged(notebook_path: Path) -> None:
    for cell in nbformat.read(notebook_path, as_version=4).cells:
        if cell.cell_type == "code" and claimed_labels(cell.source):
            assert "claim" in cell.metadata.get("tags", []), cell.id


def test_figure_metadata_is_complete_where_it_is_begun(notebook_path: Path) -> None:
    """What executed cells draw is checked by the build (tools.notebooks.figures); here, what can be seen without running."""
    for cell in nbformat.read(notebook_path, as_version=4).cells:
        draws = cell.cell_type == "code" and ("plt.subplots" in cell.source or "plt.figure" in cell.source)
        if draws or "mystnb" in cell.metadata:
            assert not lacking(cell), f"cell {cell.id} lacks {lacking(cell)}"


def test_demo_cells_are_not_compared(notebook_path: Path) -> None:
    """Widget outputs differ from run to run, so nbval must not compare them."""
    for cell in nbformat.read(notebook_path, as_version=4).cells:
        if cell.cell_type == "code" and "Demo(" in cell.source:
            assert "nbval-ignore-output" in cell.metadata.get("tags", []), cell.id


def long_lines(notebook: nbformat.NotebookNode) -> list[str]:
    """Lines of code that do not fit the page, each with its cell and its number there."""
    return [
        f"cell {cell.id}, line {number}: {len(line)} characters, at most {WIDTH}: {line.strip()}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        for number, line in enumerate(cell.source.split("\n"), start=1)
        if len(line) > WIDTH
    ]


def test_lines_of_code_fit_the_page(notebook_path: Path) -> None:
    faults = long_lines(nbformat.read(notebook_path, as_version=4))
    assert not faults, "\n".join(faults)


def test_every_statement_has_its_check_and_every_check_its_statement() -> None:
    _, faults = collect(ROOT)
    assert not faults, "\n".join(faults)


# --- the checks themselves can fail -----------------------------------------------------------------------------


def chapter(folder: Path, *cells: nbformat.NotebookNode) -> None:
    (folder / "book").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), folder / "book" / "01_trial.ipynb")


THEOREM = nbformat.v4.new_markdown_cell("```{prf:theorem} A trial\n:label: thm-trial\nText.\n```")


def test_collect_finds_a_statement_without_a_check(tmp_path: Path) -> None:
    chapter(tmp_path, THEOREM)
    assert collect(tmp_path)[1] == ["01_trial: the theorem thm-trial has no check"]


def test_collect_finds_a_check_without_a_statement(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("# claim: thm-other\nassert True")
    cell.id = "check-other"
    chapter(tmp_path, cell)
    assert collect(tmp_path)[1] == ["01_trial: cell check-other checks thm-other, which the chapter does not state"]


def test_collect_finds_a_statement_without_a_label(tmp_path: Path) -> None:
    chapter(tmp_path, nbformat.v4.new_markdown_cell(":::{prf:lemma} No name\nText.\n:::"))
    assert collect(tmp_path)[1] == ["01_trial.ipynb: a lemma (No name) has no :label:"]


def test_collect_accepts_a_check_in_a_cell_or_in_a_claim_test(tmp_path: Path) -> None:
    lemma = nbformat.v4.new_markdown_cell("```{prf:lemma}\n:nonumber:\n:label: lem-trial\nText.\n```")
    chapter(tmp_path, THEOREM, lemma)
    (tmp_path / "tests" / "claims").mkdir(parents=True)
    (tmp_path / "tests" / "claims" / "test_trial.py").write_text("# claim: thm-trial, lem-trial\n")
    statements, faults = collect(tmp_path)
    assert not faults
    assert [statement.tests for statement in statements] == [["tests/claims/test_trial.py"]] * 2


def test_statements_and_labels_are_read() -> None:
    text = "Words.\n\n````{prf:proposition} With a $x^2$ title\n:label: prp-1\n:class: dropdown\n\nText\n````\n"
    assert statements_in(text) == [("proposition", "With a $x^2$ title", "prp-1")]
    assert claimed_labels("x = 1\n# claim: a-1, b-2\n# a claim: not one") == ["a-1", "b-2"]


def test_a_figure_without_description_is_found() -> None:
    picture = nbformat.v4.new_output("display_data", data={"image/png": "AAAA", "text/plain": "<Figure>"})
    cell = nbformat.v4.new_code_cell("draw()", outputs=[picture])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert "mystnb.image.alt, mystnb.figure.caption, mystnb.figure.name" in figure_faults(notebook, "trial.ipynb")[0]
    text = "A long enough description."
    cell.metadata = nbformat.from_dict({"mystnb": {"image": {"alt": text}, "figure": {"caption": text, "name": "fig"}}})
    assert not figure_faults(notebook, "trial.ipynb")
    cell.outputs.append(nbformat.v4.new_output("execute_result", data={"text/plain": "<Axes>"}))
    assert "semicolon" in figure_faults(notebook, "trial.ipynb")[0]


def test_a_line_of_code_that_does_not_fit_is_found() -> None:
    words = nbformat.v4.new_markdown_cell("w" * (WIDTH + 1))
    cell = nbformat.v4.new_code_cell("x = 1\n" + "y" * WIDTH)
    cell.id = "long-cell"
    notebook = nbformat.v4.new_notebook(cells=[words, cell])
    assert not long_lines(notebook)
    cell.source += "y"
    assert long_lines(notebook) == [f"cell long-cell, line 2: 89 characters, at most 88: {'y' * 89}"]


def test_normalize_strips_names_and_keeps_claims() -> None:
    text = nbformat.v4.new_output("stream", name="stdout", text="predicted 1\n")
    image = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})
    source = "# claim: thm-1\nprint('predicted 1')  "
    claim = nbformat.v4.new_code_cell(source, outputs=[text, image], execution_count=3)
    claim.metadata = nbformat.from_dict({"tags": ["claim"], "execution": {"iopub.execute_input": "now"}})
    claim.id = "0a1b2c3d"
    plain = nbformat.v4.new_code_cell("print(1)", outputs=[text])
    notebook = nbformat.v4.new_notebook(cells=[claim, plain], metadata={"widgets": {"state": {}}})
    normal = normalize(notebook)
    assert "widgets" not in normal.metadata
    assert normal.metadata.kernelspec.name == "python3"
    colab, kept, dropped = normal.cells
    assert colab.id == "colab" and colab.source == COLAB
    assert kept.outputs == [text] and not dropped.outputs
    assert [cell.execution_count for cell in normal.cells] == [None, 2, None]
    assert "execution" not in kept.metadata
    assert kept.id == "claim-thm-1-print"
    assert not kept.source.endswith(" ")
    assert normalize(nbformat.from_dict(normal)) == normal
