"""The demos of the book in a notebook of a real JupyterLab: for the tests and for the measurements."""

import nbformat

from tests.browser.conftest import PATIENCE, SITE, missing, pages_with_demos
from tests.browser.driven import embedded, shown
from tests.browser.server import open_notebook

# Resolves with the milliseconds from a change to the drawing of Python's own result for it.
CHANGE = """async (d, values) => {
  const v = d.ibtext, start = performance.now(), tick = () => new Promise(r => requestAnimationFrame(r));
  const near = (a, b) => Array.isArray(a) ? a.every((u, k) => near(u, b?.[k]))
    : typeof a === 'number' ? Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a)) : a === b;
  const answered = () => { const f = v.model.get('_frame'); return v.names.every(k => near(v.params[k], f.parameters?.[k])); };
  v.change(values);
  do { await tick(); } while (performance.now() - start < 60000 && (v.pending || !answered()
    || !(v.problem.textContent || d.dataset.engine === 'kernel')));
  return performance.now() - start;
}"""


def demos_of_the_book():
    """The specifications of the demos on the built pages, each once."""
    found = {}
    for path in pages_with_demos():
        for spec, _ in embedded((SITE / path).read_text(encoding="utf-8")):
            found[spec["module"], spec["name"]] = spec
    if not found:
        missing("JupyterLab is driven with the demos of the built pages, but none was found; build the book first.")
    return [found[key] for key in sorted(found)]


def write_demos(path, specs, *more):
    """Write a notebook with a cell for every demo, and cells with ``more`` code after them."""
    sources = [f"from {s['module']} import {s['name']}\n{s['name']}()" for s in specs]
    cells = [nbformat.v4.new_code_cell(s) for s in (*sources, *more)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def run_demos(page, address, path, count):
    """Open the notebook, run it, wait for all its demos, and skip their questions."""
    open_notebook(page, address, path)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        "n => [...document.querySelectorAll('.ib-demo')].filter(d => d.ibtext).length === n", arg=count, timeout=2 * PATIENCE
    )
    page.evaluate("() => document.querySelectorAll('.ib-demo .ib-skip').forEach(b => b.click())")


def settle(page, demo, values):
    """Change a demo; return what Python's answer made it show, and the milliseconds that it took."""
    milliseconds = demo.evaluate(CHANGE, values)
    return shown(demo), milliseconds
