"""Every kind of control, layer and question, on pages with the demos of tests/browser/workshop.py."""


import numpy as np
import pytest

from tests.browser import workshop
from tests.browser.driven import demos_on
from tests.browser.mount import write_page


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """One page with every workshop demo; the tables are built once."""
    path = tmp_path_factory.mktemp("workshop") / "demos.html"
    write_page(path, [cls() for cls in workshop.DEMOS])
    return path


@pytest.fixture
def at(visit, bench):
    """Return a function that opens the page and gives its three demos."""

    def open_page(fragment="", **options):
        watched = visit(bench, fragment, **options)
        return watched, demos_on(watched.page)

    return open_page


def test_a_sketch_hides_the_curve_is_drawn_by_keyboard_and_stays(at):
    watched, (_, demo, _) = at()
    page = watched.page
    curve = demo.root.locator('[data-curve="mean"]')
    assert curve.get_attribute("display") == "none" and demo.root.locator('[data-band="high"]').get_attribute("display") == "none"
    waiting = demo.look()["summary"]
    assert "sketch" in waiting and waiting in demo.look()["labels"][0]
    handles = demo.root.locator(".ib-guess")
    assert handles.count() == 5 and "Sketch at x = " in handles.nth(1).get_attribute("aria-label")
    handles.nth(0).focus()
    page.keyboard.press("End")
    handles.nth(4).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    assert demo.look()["predict"] == "1.2,0,0,0,0.72"  # steps of a fortieth of the height 2.4, four at a time
    page.wait_for_timeout(400)
    assert "SmootherDemo=predict:1.2,0,0,0,0.72" in page.url and demo.root.locator(".ib-check").is_visible()
    demo.root.locator(".ib-check").focus()
    page.keyboard.press("Enter")
    assert curve.get_attribute("display") is None and handles.count() == 0
    verdict = demo.root.locator(".ib-because").inner_text()
    # the root mean square by hand: a monotone cubic through the five points, which is flat between the zeros
    x, result = demo.cls.panels[0].x, demo.check()["arrays"]["mean"]
    from scipy.interpolate import PchipInterpolator

    drawn = PchipInterpolator([-1.0, -0.5, 0.0, 0.5, 1.0], [1.2, 0, 0, 0, 0.72])(x)
    # scipy rounds the end slopes off differently; the answer is shown to two digits
    assert float(verdict.split("sketch is ")[1].split(" ")[0]) == pytest.approx(np.sqrt(np.mean((drawn - result) ** 2)), abs=0.03)
    assert demo.root.locator(".ib-sketch").get_attribute("display") is None
    assert demo.root.locator(".ib-guess-tag").text_content() == "your sketch"
    page.wait_for_timeout(400)
    assert page.url.endswith("predict:1.2,0,0,0,0.72!")
    assert watched.complaints == []


def test_a_prediction_and_the_state_come_back_from_the_address(at):
    fragment = "#?SmootherDemo=y:0.1,0.2,0.3;w:0.5;predict:0,0.5,0,0,0!&BasinDemo=start:1.1,-0.4;k:1.5;side:-1;predict:0.4,0.2!"
    watched, (basin, smoother, _) = at(fragment)
    state = smoother.check(y=[0.1, 0.2, 0.3], w=0.5)
    assert state["predict"] == "0,0.5,0,0,0!" and "ib-waiting" not in smoother.root.get_attribute("class")
    assert "sketch is" in smoother.root.locator(".ib-because").inner_text()
    basin.check(start=[[1.1, -0.4]], k=1.5, side=-1)
    # the question is about the default setting, whose rest is (1, 0)
    assert "0.60 too far left and 0.20 too high" in basin.root.locator(".ib-because").inner_text()
    unchecked, (_, again, _) = at("#?SmootherDemo=predict:0,0.5,0,0,0")
    assert "ib-waiting" in again.root.get_attribute("class") and again.look()["predict"] == "0,0.5,0,0,0"
    nonsense, (first, second, _) = at("#?SmootherDemo=y:a,b;w:x;predict:zzz&BasinDemo=start:1;side:9;predict:1")
    assert second.look()["parameters"] == second.spec["defaults"] and first.look()["parameters"] == first.spec["defaults"]
    assert [w.complaints for w in (watched, unchecked, nonsense)] == [[], [], []]


def test_a_mark_is_dragged_and_judged(at):
    watched, (demo, _, _) = at()
    page = watched.page
    hidden = demo.root.locator('[data-scatter="rest_y"], [data-path="path_y"]')
    assert [hidden.nth(k).get_attribute("display") for k in range(2)] == ["none", "none"]
    ring = demo.root.locator(".ib-guess .ib-hit")
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scale = demo.root.evaluate("d => d.ibtext.plots[0].x(1) - d.ibtext.plots[0].x(0)")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + scale, y, steps=5)
    page.mouse.up()
    demo.root.locator(".ib-check").click()
    assert demo.root.locator(".ib-because").inner_text().startswith("Right on the spot. ")
    assert [hidden.nth(k).get_attribute("display") for k in range(2)] == [None, None]


def test_a_free_point_is_dragged_by_touch(at):
    watched, (demo, _, _) = at(has_touch=True, viewport={"width": 360, "height": 800})
    page = watched.page
    demo.open()
    hit = demo.handles("start").first.locator(".ib-hit")
    hit.scroll_into_view_if_needed()
    box = hit.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in (1, 2, 3):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 8 * k, "y": y + 10 * k}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    (a, b) = demo.check()["parameters"]["start"][0]
    assert a > 0.7 and b < 0.7


def test_image_bars_band_and_hole_are_drawn_where_the_numbers_say(at):
    _, (basin, smoother, ring) = at()
    for demo in (basin, smoother, ring):
        demo.open()
    state = basin.check()
    from matplotlib import colormaps

    pixels = basin.root.evaluate(
        """d => { const c = d.querySelector('[data-image]');
                  return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"""
    )
    n = workshop.GRID.size
    shown = np.array(pixels).reshape(n, n, 4)[::-1, :, :3]
    height = np.array(state["arrays"]["height"]).reshape(n, n)
    right = colormaps["viridis"](np.clip(height / 5, 0, 1), bytes=True)[..., :3].astype(int)
    assert np.max(np.abs(shown - right)) <= 6  # one level of 256 apart, where a value lies between two
    smoother.check()
    bars = smoother.root.evaluate(
        "d => [...d.querySelectorAll('.ib-bar')].map(b => d.ibtext.plots[1].y.invert(+b.getAttribute('y')))"
    )
    truth = smoother.cls.compute(smoother.cls.__new__(smoother.cls), y=[0, 0, 0], w=0.4)["weights"]
    assert bars == pytest.approx(truth, abs=0.005)  # the table's half a percent
    assert smoother.root.locator(".ib-panel").nth(1).locator(".ib-axis").first.locator("text").all_text_contents() == [
        "x₁",
        "x₂",
        "x₃",
    ]
    path = ring.root.locator('[data-path="y"]').get_attribute("d")
    assert path.count("M") == 2 and path.count("L") == workshop.TURN.size - 4 - 2
    assert ring.root.locator(".ib-mark").count() == 4


def test_both_axes_of_an_equal_panel_have_one_unit(at):
    for width in (1280, 360):
        _, (basin, _, ring) = at(viewport={"width": width, "height": 900})
        for demo in (basin, ring):
            x, y = demo.root.evaluate("d => { const p = d.ibtext.plots[0]; return [p.x(1) - p.x(0), p.y(0) - p.y(1)]; }")
            assert x == pytest.approx(y, rel=1e-3)


FAKE_KERNEL = """async () => {
  const old = document.querySelector('.ib-demo').ibtext, listeners = {}, asked = [];
  const state = Object.fromEntries(['_spec', '_frame', '_table', ...old.names].map(k => [k, old.model.get(k)]));
  const model = {
    get: k => state[k], set: (k, v) => { state[k] = v; }, off() {}, on: (n, f) => { (listeners[n] ??= []).push(f); },
    save_changes() { asked.push(Object.fromEntries(old.names.map(k => [k, state[k]]))); },
  };
  const answer = parameters => { state._frame = { ...state._frame, parameters }; listeners['change:_frame'].forEach(f => f()); };
  const keep = globalThis.IBTEXT_STATIC;
  globalThis.IBTEXT_STATIC = undefined;                        // as in a notebook
  const root = document.body.appendChild(document.createElement('div')), view = new old.constructor(model, root);
  globalThis.IBTEXT_STATIC = keep;
  view.question?.open();
  const slider = view.spec.controls.find(c => c.kind === 'slider').name, seen = [];
  const look = async () => {
    await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
    seen.push({ asked: asked.map(p => p[slider]), engine: root.dataset.engine, status: view.status.textContent });
  };
  for (let k = 1; k <= 40; k++) view.change({ [slider]: 0.5 + k / 40 });
  await look();
  answer({ ...asked[0] });                                     // late: the reader is elsewhere by now
  await look();
  answer({ ...asked[1] });
  await look();
  return seen;
}"""


def test_one_request_at_a_time_and_the_newest_wins(at):
    """Forty moves before the kernel answers: the page draws its own answer, and asks for the first and then for the last."""
    watched, _ = at()
    moving, late, done = watched.page.evaluate(FAKE_KERNEL)
    assert moving["asked"] == [0.525] and moving["engine"] == "table"
    assert moving["status"].endswith("of full scale. Python is computing the exact result.")
    assert late["asked"] == [0.525, 1.5] and late["engine"] == "table"
    assert done["asked"] == [0.525, 1.5] and done["engine"] == "kernel" and done["status"] == "Computed by Python."
    assert watched.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_workshop_demos_fit_a_phone(at, theme):
    watched, demos = at(viewport={"width": 360, "height": 800})
    watched.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    for demo in demos:
        demo.open()
        assert demo.root.evaluate("d => d.scrollWidth <= d.clientWidth && d.getBoundingClientRect().right <= innerWidth")
        sizes = demo.root.evaluate("d => [...d.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize))")
        assert min(sizes) >= 12
