"""Every demo of every built page, driven as a reader drives it, and compared with Python at the same parameters."""

import importlib
import re

import numpy as np
import pytest

from ibtext.demos.base import Demo, _Unbound

STATE = """d => ({parameters: d.ibtext.params, summary: d.ibtext.summary.textContent, engine: d.dataset.engine,
  problem: d.ibtext.problem.textContent, status: d.ibtext.status.textContent,
  arrays: Object.fromEntries(Object.entries(d.ibtext.result.arrays).map(([k, v]) => [k, [...v]])),
  plots: d.ibtext.plots.map(p => ({x: p.grid.map(p.x), y: p.panel.curves.map(c => [...d.ibtext.result.arrays[c.key]].map(p.y)),
    d: p.paths.map(q => q.attr('d')), domain: p.y.domain(), label: p.svg.attr('aria-label')}))})"""


class Driven:
    """A demo on a page, and the Python class that declares it."""

    def __init__(self, page, index):
        self.page = page
        self.root = page.locator(".ib-demo").nth(index)
        self.spec = self.root.evaluate("d => d.ibtext.spec")
        assert self.spec["module"] != "__main__", "a demo on a page lives in ibtext.demos, where tests reach its compute"
        self.cls = getattr(importlib.import_module(self.spec["module"]), self.spec["name"])

    def settle(self):
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return self.root.evaluate(STATE)

    def open(self):
        skip = self.root.locator(".ib-skip")
        if skip.count() and skip.is_visible():
            skip.focus()
            self.page.keyboard.press("Enter")

    def reset(self):
        self.root.locator(".ib-reset").focus()
        self.page.keyboard.press("Enter")
        assert self.settle()["parameters"] == pytest.approx_nested(self.spec["defaults"])

    def check(self, **expected):
        """Compare what is drawn with ``compute`` at the parameters shown."""
        state = self.settle()
        parameters = state["parameters"]
        for name, value in expected.items():
            assert parameters[name] == pytest.approx(value, rel=1e-11), name
        assert state["problem"] == ""
        truth = _Unbound(self.cls).compute(**parameters)
        engine = self.spec["engine"]
        for panel, plot in zip(self.cls.panels, state["plots"], strict=True):
            assert plot["domain"] == list(panel.y_limits)
            for curve, y, d in zip(panel.curves, plot["y"], plot["d"], strict=True):
                shown, right = np.array(state["arrays"][curve.key]), np.asarray(truth[curve.key])
                assert np.max(np.abs(shown - right)) <= self.allowed(engine, curve.key, right), (curve.key, parameters)
                drawn_on_screen(d, plot["x"], y)
        if engine["kind"] == "dual":  # a table may change the last digit shown
            assert state["summary"] == Demo.describe(_Unbound(self.cls), truth, **parameters)
        else:
            assert state["summary"].endswith(".") and "{" not in state["summary"]
        return state

    @staticmethod
    def allowed(engine, key, right):
        if engine["kind"] == "table":
            k = engine["names"].index(key)
            # the error printed under the plot is the largest of a sample; at other settings it may be exceeded a little
            return max(2 * engine["error"], 1e-3) * (engine["high"][k] - engine["low"][k])
        return 1e-6 * max(np.max(np.abs(right)), 1e-3)


def drawn_on_screen(d, x, y):
    """The path's points contain those of the data, in order (it may have more), to the two digits that it is written with."""
    points = np.array([[float(v) for v in pair] for pair in re.findall(r"(-?[\d.]+(?:e-?\d+)?),(-?[\d.]+(?:e-?\d+)?)", d)])
    extra = len(points) - len(x)
    assert 0 <= extra <= 20
    k = 0
    for px, py in zip(x, y, strict=True):
        while k < len(points) and abs(points[k][0] - px) > 0.0051:
            k += 1
        assert k < len(points), "a data point is missing from the path"
        # far outside the frame the path is cut off, so only what can be seen is compared
        if -400 < py < 700:
            # an extra point may share the rounded abscissa of a data point
            near = points[max(k - 1, 0) : k + 3]
            assert np.min(np.abs(near - [px, py]).max(axis=1)) <= 0.0051
    assert k <= len(points)


class _Nested:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return other.keys() == self.value.keys() and all(other[k] == pytest.approx(v) for k, v in self.value.items())


pytest.approx_nested = _Nested


def demos_on(page):
    count = page.locator(".ib-demo").count()
    assert count == page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count() > 0
    return [Driven(page, k) for k in range(count)]


def test_controls_wait_for_a_prediction(visit, demo_path):
    page = visit(demo_path).page
    for demo in demos_on(page):
        if demo.spec["question"] is None:
            continue
        sliders, points = demo.root.locator("input[type=range]"), demo.root.locator(".ib-point")
        assert all(sliders.nth(k).is_disabled() for k in range(sliders.count()))
        before = demo.settle()["parameters"]
        if points.count():
            points.first.dispatch_event("keydown", {"key": "ArrowUp"})
            assert demo.settle()["parameters"] == before
        choices = demo.root.locator(".ib-choice")
        wrong = (demo.spec["question"]["answer"] + 1) % choices.count()
        choices.nth(wrong).focus()
        page.keyboard.press("Enter")
        assert choices.nth(wrong).get_attribute("aria-pressed") == "true"
        assert all(sliders.nth(k).is_enabled() for k in range(sliders.count()))
        demo.root.locator(".ib-after .ib-link").focus()
        page.keyboard.press("Enter")
        assert demo.spec["question"]["because"] in demo.root.locator(".ib-because").inner_text()


def test_every_control_by_keyboard(visit, demo_path):
    """Sliders and data points to both ends and back, presets, reset; Python agrees with what is drawn each time."""
    watched = visit(demo_path)
    page = watched.page
    for demo in demos_on(page):
        demo.open()
        demo.check(**demo.spec["defaults"])
        for c in demo.spec["controls"]:
            if c["kind"] == "slider":
                slider = demo.root.locator(f'input[data-parameter="{c["name"]}"]')
                for key, value in (("Home", c["min"]), ("End", c["max"])):
                    slider.focus()
                    page.keyboard.press(key)
                    demo.check(**{c["name"]: value})
                page.keyboard.press("ArrowLeft")
                state = demo.check()
                assert c["min"] < state["parameters"][c["name"]] < c["max"]
                assert slider.get_attribute("aria-valuetext").startswith(f"{c['symbol']} = ")
                demo.reset()
                continue
            points = demo.root.locator(".ib-point")
            assert points.count() == len(c["x"])
            for k in range(points.count()):
                points.nth(k).focus()
                page.keyboard.press("ArrowUp")
                state = demo.check()
                assert state["parameters"][c["name"]][k] == pytest.approx(c["default"][k] + c["step"])
                for key, value in (("Home", c["min"]), ("End", c["max"])):
                    page.keyboard.press(key)
                    state = demo.check()
                    assert state["parameters"][c["name"]][k] == value
                assert points.nth(k).get_attribute("aria-valuenow") == str(round(c["max"]))
            demo.reset()
        for name, values in demo.spec["presets"].items():
            button = demo.root.locator(f'[data-preset="{name}"]')
            button.focus()
            page.keyboard.press("Enter")
            demo.check(**values)
            assert button.get_attribute("aria-pressed") == "true"
        demo.reset()
        demo.check(**demo.spec["defaults"])
    assert watched.complaints == []


def test_keys_stay_inside_the_demo(visit, demo_path):
    """JupyterLab listens for arrow keys on the document and would swallow those meant for a slider."""
    page = visit(demo_path).page
    demo = demos_on(page)[0]
    demo.open()
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => window.heard++)")
    demo.root.locator("input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.heard") == 0
    page.keyboard.press("Control+q")  # shortcuts of the page still work
    assert page.evaluate("window.heard") > 0


def test_dragging_a_point(visit, demo_path):
    page = visit(demo_path).page
    for demo in demos_on(page):
        demo.open()
        points = demo.root.locator(".ib-point .ib-hit")
        if not points.count():
            continue
        points.first.scroll_into_view_if_needed()
        box = points.first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 20, steps=4)
        page.mouse.up()
        labels = next(c for c in demo.spec["controls"] if c["kind"] == "labels")
        moved = demo.check()["parameters"][labels["name"]]
        assert moved[0] < labels["default"][0] - 0.05 and moved[1:] == labels["default"][1:]


def test_the_address_keeps_the_state(visit, demo_path):
    """Move every demo of the page, open the address elsewhere, find the same state; at the defaults the address is clean."""
    page = visit(demo_path).page
    before = page.url
    want = []
    for demo in demos_on(page):
        demo.open()
        demo.root.evaluate(
            """d => d.ibtext.change(Object.fromEntries(d.ibtext.spec.controls.map(c => [c.name, c.kind === 'labels'
               ? c.default.map((v, k) => Math.min(c.max, v + 0.05 * (k + 1))) : c.min + 0.37 * (c.max - c.min)])))"""
        )
        want.append(demo.check()["parameters"])
    page.wait_for_timeout(500)
    assert "?" in page.url.split("#")[1]
    other = visit(demo_path, "#" + page.url.split("#")[1]).page
    for demo, parameters in zip(demos_on(other), want, strict=True):
        assert demo.check()["parameters"] == parameters
        assert demo.root.locator("input[type=range]").first.is_enabled()
        demo.reset()
    other.wait_for_timeout(500)
    assert other.url.split("#")[0] == before.split("#")[0] and "?" not in other.url


def test_copy_as_python_recreates_the_view(visit, demo_path):
    page = visit(demo_path).page
    for demo in demos_on(page):
        code = demo.root.evaluate("d => d.ibtext.python()")
        name, call = code.splitlines()[0], code.splitlines()[2]
        assert name == f"from {demo.spec['module']} import {demo.spec['name']}"
        keywords = eval(call, {demo.spec["name"]: dict})
        assert keywords == demo.cls.defaults()


@pytest.mark.timing
def test_redraw_time(visit, demo_path, capsys):
    """Two hundred random moves; the median is what a reader feels, the bound is loose because test machines are noisy."""
    page = visit(demo_path).page
    for demo in demos_on(page):
        demo.open()
        timings = demo.root.evaluate(
            """async d => {
              let seed = 7;
              const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647, v = d.ibtext;
              v.timings.length = 0;
              for (let k = 0; k < 200; k++) {
                v.change(Object.fromEntries(v.spec.controls.map(c => [c.name, c.kind === 'labels'
                  ? c.default.map(() => c.min + (c.max - c.min) * random()) : c.min * (c.max / c.min) ** random()])));
                await new Promise(r => requestAnimationFrame(r));
              }
              return v.timings;
            }"""
        )
        assert len(timings) >= 190
        median, high = np.percentile(timings, [50, 95])
        with capsys.disabled():
            print(f"\n{demo_path} {demo.spec['name']}: {median:.1f} ms median, {high:.1f} ms 95th percentile of 200 redraws")
        assert high < 100
        demo.check()


def test_phone_and_dark_page(visit, demo_path):
    page = visit(demo_path, viewport={"width": 360, "height": 800}, color_scheme="dark").page
    for demo in demos_on(page):
        assert demo.root.evaluate("d => d.scrollWidth <= d.clientWidth && d.getBoundingClientRect().right <= innerWidth")
        sizes = demo.root.evaluate("d => [...d.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize))")
        assert min(sizes) >= 12
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        assert demo.root.evaluate("d => getComputedStyle(d).backgroundColor") == "rgb(20, 24, 29)"
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        page.wait_for_timeout(150)
        assert demo.root.evaluate("d => getComputedStyle(d).backgroundColor") == "rgb(255, 255, 255)"


def test_summary_is_spoken_and_describes_the_plots(visit, demo_path):
    page = visit(demo_path).page
    for demo in demos_on(page):
        demo.open()
        first = demo.settle()
        assert all(first["summary"] in p["label"] for p in first["plots"])
        slider = demo.root.locator("input[type=range]").first
        slider.focus()
        page.keyboard.press("End")
        page.wait_for_timeout(1000)
        now = demo.settle()
        assert demo.root.locator(".ib-live").inner_text() == now["summary"] != first["summary"]
        assert all(now["summary"] in p["label"] for p in now["plots"])


def test_readers_without_scripts_and_printers_get_a_picture(visit, demo_path):
    still = visit_without_scripts(visit, demo_path)
    pictures = still.locator("figure img[src^='data:image/svg']")
    live = visit(demo_path).page
    demos = demos_on(live)
    assert pictures.count() == len(demos)
    for k, demo in enumerate(demos):
        assert pictures.nth(k).is_visible() and demo.spec["title"] in pictures.nth(k).get_attribute("alt")
        assert live.locator("figure img[src^='data:image/svg']").count() == 0
        live.emulate_media(media="print")
        assert demo.root.locator("svg").first.is_visible() and not demo.root.locator(".ib-controls").is_visible()
        live.emulate_media(media="screen")


def visit_without_scripts(visit, path):
    from conftest import SITE

    context = visit(path).page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((SITE / path).as_uri())
    return page


def test_a_planted_wrong_value_is_noticed(visit, demo_path):
    """The comparison itself must be able to fail: shift one curve by a thousandth of the frame."""
    page = visit(demo_path).page
    demo = demos_on(page)[0]
    key = demo.spec["panels"][0]["curves"][-1]["key"]
    demo.root.evaluate(f"d => {{ const a = d.ibtext.result.arrays['{key}']; a.forEach((v, k) => {{ a[k] = v + 0.02; }}); }}")
    with pytest.raises(AssertionError):
        demo.check()
