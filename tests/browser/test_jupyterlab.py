"""Every demo of the book in JupyterLab with a real kernel: both engines agree with ``compute``, the latest value wins."""

import json

import numpy as np
import pytest

from tests.browser.conftest import PATIENCE, ROOT
from tests.browser.driven import allowed, end_values, faults, random_value, shown
from tests.browser.kernel import demos_of_the_book, run_demos, settle, write_demos
from tests.browser.server import jupyterlab

# One worker runs all of them: a server and a kernel take longer to start than most tests.
pytestmark = pytest.mark.xdist_group("jupyterlab")

CHANGES = 50
BROKEN = """
from {module} import {name}
class Broken{name}({name}):
    def compute(self, **parameters):
        if parameters != self.defaults():
            raise ValueError("a planted error")
        return super().compute(**parameters)
Broken{name}()
"""
# Many changes faster than any kernel answers; resolves with the number of results that Python sent meanwhile.
BURST = """async (d, settings) => {
  const v = d.ibtext;
  let frames = 0;
  v.model.on('change:_frame', () => { frames++; });
  for (const s of settings) { v.change(s); await new Promise(r => setTimeout(r, 2)); }
  return frames;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab that serves one notebook with every demo, and one with an error in its ``compute``."""
    specs = demos_of_the_book()
    folder = tmp_path_factory.mktemp("lab")
    (folder / "work").mkdir()
    write_demos(folder / "work" / "demos.ipynb", specs, BROKEN.format(**specs[0]))
    with jupyterlab(folder, folder / "work", PYTHONPATH=str(ROOT)) as address:
        yield address, specs


@pytest.fixture(scope="module")
def notebook(browser, lab):
    """The notebook in JupyterLab, executed; the roots of its demos in the order of the specifications."""
    address, specs = lab
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    run_demos(page, address, "demos.ipynb", len(specs) + 1)
    yield page, specs, page.query_selector_all(".ib-demo")
    context.close()


def test_every_demo_agrees_with_python_and_with_its_static_engine(notebook, capsys):
    """Each control at its ends and at random places, presets, reset: kernel and static engine against ``compute``."""
    page, specs, demos = notebook
    rng = np.random.default_rng(20)
    report = []
    for spec, demo in zip(specs, demos, strict=False):
        assert demo.evaluate("d => d.ibtext.spec.name") == spec["name"]
        controls = spec["controls"]
        settings = [spec["defaults"] | {c["name"]: v} for c in controls for v in end_values(c) or []]
        settings += [{c["name"]: random_value(c, rng) for c in controls} for _ in range(4)]
        settings += list(spec["presets"].values())
        times = []
        for values in settings:
            state, milliseconds = settle(page, demo, values)
            times.append(milliseconds)
            assert state["engine"] == "kernel"
            assert faults(spec, state) == []
            if spec["engine"]["kind"] == "kernel":
                continue
            static = demo.evaluate(
                """d => { const r = d.ibtext.engine.solve(d.ibtext.params);
                          return JSON.stringify(Object.fromEntries(Object.entries(r.arrays).map(([k, v]) => [k, [...v]]))); }"""
            )
            for key, drawn in json.loads(static).items():
                right = np.array(state["arrays"][key], dtype=float)
                error = np.max(np.abs(np.array(drawn, dtype=float) - right), initial=0.0, where=~np.isnan(right))
                assert error <= 1.01 * allowed(spec, spec["engine"]["kind"], key, right), (spec["name"], key, values)
        demo.query_selector(".ib-reset").click()
        state, _ = settle(page, demo, {})
        assert state["parameters"] == spec["defaults"]
        report.append(f"{spec['name']}: {np.median(times):.0f} ms median, {max(times):.0f} ms at most of {len(times)} changes")
    with capsys.disabled():
        print("\nFrom a change to the kernel's redraw in JupyterLab:", *report, sep="\n  ")


def test_sliders_move_by_keyboard(notebook):
    """The keys reach the slider, not JupyterLab's commands."""
    page, specs, demos = notebook
    for spec, demo in zip(specs, demos, strict=False):
        for control in (c for c in spec["controls"] if c["kind"] == "slider"):
            slider = demo.query_selector(f'input[data-parameter="{control["name"]}"]')
            for key, value in (("Home", control["min"]), ("End", control["max"])):
                slider.focus()
                page.keyboard.press(key)
                state, _ = settle(page, demo, {})
                assert state["parameters"][control["name"]] == pytest.approx(value)
                assert faults(spec, state) == []
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == len(specs) + 1


def test_the_latest_value_wins(notebook):
    """After fifty changes in a hundred milliseconds the last one is shown, and Python has not computed all the others."""
    page, specs, demos = notebook
    rng = np.random.default_rng(21)
    for spec, demo in zip(specs, demos, strict=False):
        settings = [{c["name"]: random_value(c, rng) for c in spec["controls"]} for _ in range(CHANGES)]
        computed = demo.evaluate(BURST, settings)
        state, _ = settle(page, demo, {})
        for control in spec["controls"]:
            got, want = state["parameters"][control["name"]], settings[-1][control["name"]]
            assert got == want if control["kind"] == "choice" else np.ravel(got) == pytest.approx(np.ravel(want), rel=1e-9)
        assert faults(spec, state) == []
        assert computed < CHANGES


def test_an_exception_in_compute_is_shown_and_fails_the_check(notebook):
    """A test of the tests: the reader gets a sentence, and the judge that passes every demo above reports it."""
    page, specs, demos = notebook
    spec, demo = specs[0], demos[len(specs)]
    state = shown(demo)
    assert faults(spec, state) == []
    rng = np.random.default_rng(22)
    state, _ = settle(page, demo, {c["name"]: random_value(c, rng) for c in spec["controls"]})
    assert state["problem"] == "Python could not compute this setting: a planted error"
    assert demo.query_selector(".ib-problem").is_visible()
    assert len(faults(spec, state)) == 1
    state, _ = settle(page, demo, spec["defaults"])
    assert faults(spec, state) == []
