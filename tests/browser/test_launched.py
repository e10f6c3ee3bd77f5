"""The chapters as a launch link opens them: JupyterLab shows theorems and exercises legibly, and a chapter runs to its end.

The second test takes a minute, and matters in an environment that is not the one of the other tests, so
``scripts/check_binder.sh`` runs it: with ``IBTEXT_LAB`` the ``jupyter-lab`` of that environment, ``IBTEXT_LAB_ROOT`` the
repository installed there, ``IBTEXT_LAB_CHAPTER`` the chapter, ``IBTEXT_LAB_PICTURES`` a folder for a picture of it.
"""

import os
import re
import shutil
import time
from pathlib import Path

import nbformat
import pytest
import yaml

from scripts.release_folder import links
from tests.browser.conftest import FLAGS, PATIENCE, ROOT, SITE, missing, pages
from tests.browser.server import jupyterlab, open_notebook
from tools.notebooks.claims import STATEMENT

pytestmark = pytest.mark.xdist_group("jupyterlab")

DIRECTIVE = re.compile(r"^[`:~]{3,}\{([\w:-]+)\}", re.MULTILINE)
#: What the source of a directive or role looks like where it is shown instead of what it means.
RAW = re.compile(r"[`~:]{3,}|\{[a-z]+:?[a-z-]+\}|^:(label|class):|Unknown Directive", re.MULTILINE)
# The text of each rendered Markdown cell; formulas are left out, because they contain anything.
TEXTS = """() => [...document.querySelectorAll('.jp-MarkdownCell')].map(cell => {
  const shown = cell.querySelector('.myst, .jp-RenderedMarkdown')?.cloneNode(true);
  if (!shown) return '``` not rendered';
  shown.querySelectorAll('.katex, mjx-container, code').forEach(node => node.remove());
  return shown.textContent;
})"""
RUN_TO_THE_END = """async () => {
  const notebook = jupyterapp.shell.currentWidget;
  await jupyterapp.commands.execute('notebook:run-all-cells');
  const cells = notebook.content.widgets.filter(c => c.model.type === 'code');
  const outputs = c => [...Array(c.model.outputs.length).keys()].map(i => c.model.outputs.get(i).toJSON());
  return {
    cells: cells.length,
    run: cells.filter(c => c.model.executionCount !== null).length,
    errors: cells.flatMap(outputs).filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`),
    pictures: cells.flatMap(outputs).filter(o => o.data?.['image/svg+xml']).length,
  };
}"""
# Move the first slider to its end, and resolve with the milliseconds until Python's own result is drawn.
MOVE = """async d => {
  const v = d.ibtext, control = v.spec.controls.find(c => c.kind === 'slider'), start = performance.now();
  const target = v.params[control.name] === control.max ? control.min : control.max;
  v.change({[control.name]: target});
  const answered = () => v.model.get('_frame').parameters?.[control.name] === target && !v.pending;
  while (performance.now() - start < 60000 && !(answered() && d.dataset.engine === 'kernel'))
    await new Promise(r => setTimeout(r, 20));
  const milliseconds = performance.now() - start;
  return {engine: d.dataset.engine, answered: answered(), problem: v.problem.textContent, milliseconds};
}"""


def markdown_cells():
    """The Markdown cells of all chapters."""
    paths = sorted((ROOT / "book").glob("[0-9]*.ipynb"))
    return [cell for path in paths for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


def illegible(cells, texts):
    """What shows its source, or lacks the heading of a statement; one sentence each."""
    faults = []
    for cell, text in zip(cells, texts, strict=True):
        if found := RAW.search(text):
            faults.append(f"{cell.id} shows {found.group(0)!r}")
        for line in cell.source.splitlines():
            if (match := STATEMENT.match(line.strip())) and not re.search(rf"{match.group(1)}\s+\d+", text, re.IGNORECASE):
                faults.append(f"{cell.id} shows no heading of the {match.group(1)} {match.group(2)}")
    return faults


@pytest.fixture
def page(request):
    """A window of the browser of the other tests, or, where no site was built for them, of another one."""
    if pages():
        yield from window(request.getfixturevalue("browser"))
        return
    path = shutil.which("chromium")
    if path is None:
        missing("JupyterLab is opened in Chromium, but none was found; run 'apt-get install chromium'.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield from window(playwright.chromium.launch(executable_path=path, args=FLAGS))


def window(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_theorems_and_exercises_are_legible_in_jupyterlab(page, tmp_path):
    """The first cell of the chapters with each directive that they use, where jupyterlab-myst is installed."""
    chosen, seen = [], set()
    for cell in markdown_cells():
        new = set(DIRECTIVE.findall(cell.source)) - seen
        if new:
            chosen.append(cell)
            seen |= new
    assert {"prf:theorem", "prf:lemma", "prf:proposition", "exercise-start", "solution-start", "admonition"} <= seen
    for number, cell in enumerate(chosen):
        cell.id = f"cell-{number}"
    # Typed text must be found illegible, or this test could not fail.
    assert len(illegible(chosen, [cell.source for cell in chosen])) >= len(chosen)
    notebook = nbformat.v4.new_notebook(cells=[*chosen, nbformat.v4.new_code_cell("1")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    work = tmp_path / "work"
    work.mkdir()
    nbformat.write(notebook, work / "directives.ipynb")
    with jupyterlab(tmp_path, work) as address:
        open_notebook(page, address, "directives.ipynb")
        faults = legibility(page, chosen)
    assert faults == []


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_launch_links_of_a_chapter(path):
    """The rocket opens this notebook: in JupyterLab on Binder, and in Colab."""
    page = SITE / "book" / f"{path.stem}.html"
    if not page.exists():
        missing(f"The launch links stand on the built pages, but {page.name} was not found; build the book first.")
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    name, text = repository["url"].removeprefix("https://github.com/"), page.read_text(encoding="utf-8")
    for link in links(name, repository["branch"], f"book/{path.name}"):
        assert f'href="{link}"' in text


def legibility(page, cells):
    """The faults of a page that has just been opened, when its cells have been rendered."""
    end = time.monotonic() + PATIENCE / 1000
    while (faults := illegible(cells, page.evaluate(TEXTS))) and time.monotonic() < end:
        page.wait_for_timeout(500)
    return faults


@pytest.mark.skipif("IBTEXT_LAB" not in os.environ, reason="scripts/check_binder.sh runs this in an environment of its own")
def test_chapter_runs_to_its_end_and_a_demo_answers(page, tmp_path, capsys):
    root, chapter = Path(os.environ["IBTEXT_LAB_ROOT"]), os.environ["IBTEXT_LAB_CHAPTER"]
    cells = nbformat.read(root / "book" / f"{chapter}.ipynb", as_version=4).cells
    start = time.perf_counter()
    with jupyterlab(tmp_path, root, os.environ["IBTEXT_LAB"]) as address:
        open_notebook(page, address, f"book/{chapter}.ipynb")
        faults = legibility(page, [cell for cell in cells if cell.cell_type == "markdown"])
        opened = time.perf_counter()
        result = page.evaluate(RUN_TO_THE_END)
        ran = time.perf_counter()
        page.wait_for_function("() => [...document.querySelectorAll('.ib-demo')].some(d => d.ibtext)", timeout=PATIENCE)
        page.evaluate("() => document.querySelectorAll('.ib-demo .ib-skip').forEach(b => b.click())")
        moved = [demo.evaluate(MOVE) for demo in page.query_selector_all(".ib-demo")]
        if folder := os.environ.get("IBTEXT_LAB_PICTURES"):
            page.query_selector(".ib-demo").scroll_into_view_if_needed()
            page.screenshot(path=Path(folder) / f"{chapter}.png")
    with capsys.disabled():
        print(f"\n{chapter}: opened in {opened - start:.0f} s, {result['cells']} code cells run in {ran - opened:.0f} s,")
        print(f"{result['pictures']} figures; demos answered after", *(f"{m['milliseconds']:.0f} ms" for m in moved))
    assert faults == []
    assert result["errors"] == []
    assert result["run"] == result["cells"] == sum(cell.cell_type == "code" for cell in cells)
    assert moved and all(m["engine"] == "kernel" and m["answered"] and not m["problem"] for m in moved)
