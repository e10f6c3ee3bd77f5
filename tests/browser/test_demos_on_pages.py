"""Every demo of every built page, driven as a reader drives it, and compared with Python at the same parameters."""

import re

import numpy as np
import pytest

from tests.browser.conftest import DESK, SITE
from tests.browser.driven import UNVEILED, demos_on

#: Random places of every control, half of them by pointer and half by keyboard; and of all controls at once.
PLACES = 10


def test_controls_wait_for_a_prediction(desk, demo_path):
    page = desk.page
    if page.query_selector(".ib-waiting") is None:
        desk.open(demo_path)
    for demo in demos_on(page):
        if demo.spec["question"] is None:
            continue
        inputs, points = demo.root.locator(".ib-controls input"), demo.root.locator(".ib-point[data-control]")
        assert all(inputs.nth(k).is_disabled() for k in range(inputs.count()))
        before = demo.look()["parameters"]
        assert demo.root.evaluate(UNVEILED) == [], "what is asked about waits"
        if points.count():
            points.first.dispatch_event("keydown", {"key": "ArrowUp"})
            assert demo.look()["parameters"] == before
        if demo.spec["question"]["kind"] == "choice":
            choices = demo.root.locator(".ib-choice")
            wrong = (demo.spec["question"]["answer"] + 1) % choices.count()
            choices.nth(wrong).focus()
            page.keyboard.press("Enter")
            assert choices.nth(wrong).get_attribute("aria-pressed") == "true"
            demo.root.locator(".ib-after .ib-link").focus()
        else:
            demo.root.locator(".ib-guess").first.focus()
            page.keyboard.press("ArrowUp")
            demo.root.locator(".ib-check").focus()
        page.keyboard.press("Enter")
        assert demo.spec["question"]["because"] in demo.root.locator(".ib-because").inner_text()
        assert all(inputs.nth(k).is_enabled() for k in range(inputs.count()))


def step_through(demo, c):
    """Move one control to its ends by keyboard."""
    press = demo.page.keyboard.press
    if c["kind"] == "slider":
        slider = demo.slider(c["name"])
        slider.focus()
        for key, value in (("Home", c["min"]), ("End", c["max"])):
            press(key)
            demo.look(drawn=True, **{c["name"]: value})
        press("ArrowLeft")
        assert c["min"] < demo.look()["parameters"][c["name"]] < c["max"]
        assert slider.get_attribute("aria-valuetext").startswith(f"{c['symbol']} = ")
        return
    if c["kind"] == "choice":
        values = [o["value"] for o in c["options"]]
        at = values.index(c["default"])
        demo.root.locator(f'[data-choice="{c["name"]}"] input').nth(at).focus()
        for k in range(1, len(values) + 1):
            press("ArrowRight")
            demo.look(drawn=True, **{c["name"]: values[(at + k) % len(values)]})
        return
    points = demo.handles(c["name"])
    assert points.count() == len(c["default"])
    for k in range(points.count()):
        handle = points.nth(k)
        handle.focus()
        if c["kind"] == "labels":
            press("ArrowUp")
            low, high = c["min"], c["max"]
            start = min(c["default"][k] + c["step"], high)
            assert demo.look()["parameters"][c["name"]][k] == pytest.approx(start)
            press("Shift+ArrowDown")
            assert demo.look()["parameters"][c["name"]][k] == pytest.approx(max(start - 4 * c["step"], low))
            for key, value in (("Home", low), ("End", high)):
                press(key)
                assert demo.look(drawn=True)["parameters"][c["name"]][k] == value
            assert float(handle.get_attribute("aria-valuenow")) == high
            continue
        x, y = c["default"][k]
        (x0, x1), (y0, y1), (dx, dy) = c["xLimits"], c["yLimits"], c["steps"]
        moves = {
            "ArrowRight": (dx, 0), "ArrowUp": (0, dy), "Shift+ArrowLeft": (-4 * dx, 0), "PageDown": (0, -4 * dy),
            "Home": (x0 - x1, 0), "End": (x1 - x0, 0),
        }  # fmt: skip
        for key, (right, up) in moves.items():
            press(key)
            x, y = min(max(x + right, x0), x1), min(max(y + up, y0), y1)
            assert demo.look(drawn=True)["parameters"][c["name"]][k] == pytest.approx([x, y])


def test_every_control_by_keyboard(desk):
    """Every control to both ends and back, presets, reset; Python agrees with what is drawn each time."""
    for demo in demos_on(desk.page):
        demo.open()
        demo.reset()
        for c in demo.spec["controls"]:
            step_through(demo, c)
            demo.reset()
        for name, values in demo.spec["presets"].items():
            button = demo.root.locator(f'[data-preset="{name}"]')
            button.focus()
            desk.page.keyboard.press("Enter")
            demo.look(drawn=True, **values)
            assert button.get_attribute("aria-pressed") == "true"
        demo.reset()
        looked = len(demo.seen)
        demo.judge()
        # a full panel may leave no other place; what a reader meets at the ends and presets hardly ever is one
        assert len(demo.standing) <= looked / 10, demo.standing[:5]
    assert desk.complaints == []


def keyboard_place(demo, c, rng):
    """Press some keys on a control."""
    press = demo.page.keyboard.press
    if c["kind"] == "slider":
        demo.slider(c["name"]).focus()
        press("Home" if rng.uniform() < 0.5 else "End")
        keys = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown"]
    elif c["kind"] == "choice":
        demo.root.locator(f'[data-choice="{c["name"]}"] input:checked').focus()
        keys = ["ArrowRight", "ArrowLeft"]
    else:
        handles = demo.handles(c["name"])
        handles.nth(rng.integers(handles.count())).focus()
        keys = ["ArrowUp", "ArrowDown", "PageUp", "PageDown"]
    for _ in range(rng.integers(1, 5)):
        press(keys[rng.integers(len(keys))])


def pointer_place(demo, c, rng, share=None):
    """Click on a slider's track or on an option, or drag a handle, which alone moves."""
    mouse = demo.page.mouse
    if c["kind"] == "slider":
        box = demo.slider(c["name"]).bounding_box()
        share = rng.uniform() if share is None else share
        # beyond half a thumb from its ends a slider is at its ends
        mouse.click(box["x"] + 2 + share * (box["width"] - 4), box["y"] + box["height"] / 2)
    elif c["kind"] == "choice":
        demo.root.locator(f'[data-choice="{c["name"]}"] .ib-option').nth(rng.integers(len(c["options"]))).click()
    else:
        before = demo.look()["parameters"][c["name"]]
        k = int(rng.integers(len(before)))
        handle = demo.handles(c["name"]).nth(k)
        handle.evaluate("e => e.scrollIntoView({block: 'center'})")  # not below the page's header
        box = handle.locator(".ib-hit").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        dx, dy = rng.choice([-1, 1], 2) * rng.integers(10, 41, 2)
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + dx, y + dy, steps=2)
        mouse.up()
        after = demo.look()["parameters"][c["name"]]
        assert [v for i, v in enumerate(after) if i != k] == [v for i, v in enumerate(before) if i != k]
        if c["kind"] == "labels":
            assert (after[k] < before[k]) == (dy > 0) or after[k] in (c["min"], c["max"])
        else:
            assert (after[k][0] > before[k][0]) == (dx > 0) or after[k][0] in c["xLimits"]
            assert (after[k][1] < before[k][1]) == (dy > 0) or after[k][1] in c["yLimits"]


@pytest.mark.parametrize("means", ["pointer", "keyboard"])
def test_ten_random_places_of_every_control(desk, means):
    rng = np.random.default_rng(4)
    for demo in demos_on(desk.page):
        demo.open()
        demo.root.evaluate("d => d.scrollIntoView({block: 'start'})")
        for c in demo.spec["controls"]:
            demo.reset()
            # what is out of sight cannot be clicked; a demo is not much taller than the window
            if means == "pointer":
                first = demo.slider(c["name"]) if c["kind"] == "slider" else demo.root.locator(f'[data-choice="{c["name"]}"]')
                (demo.handles(c["name"]).first if c["kind"] in {"labels", "points"} else first).scroll_into_view_if_needed()
            values = set()
            for _ in range(PLACES // 2):
                (pointer_place if means == "pointer" else keyboard_place)(demo, c, rng)
                values.add(str(demo.look()["parameters"][c["name"]]))
            # five draws among three options can miss one; test_every_control_by_keyboard goes through them all
            assert len(values) >= (2 if c["kind"] == "choice" else 3), (
                f"by {means}, {c['name']} of {demo.spec['name']} hardly moves"
            )
            if means == "pointer" and c["kind"] == "slider":
                for share, end in ((0, "min"), (1, "max")):
                    pointer_place(demo, c, rng, share)
                    demo.look(**{c["name"]: c[end]})
        demo.root.locator(".ib-reset").click()
        demo.look(**demo.spec["defaults"])
        demo.judge()


def test_ten_random_places_of_all_controls_at_once(desk):
    rng = np.random.default_rng(4)
    for demo in demos_on(desk.page):
        demo.open()
        for _ in range(PLACES):
            demo.look(drawn=True, **demo.random_place(rng))
        demo.judge()


def test_keys_stay_inside_the_demo(desk):
    """JupyterLab listens for arrow keys on the document and would swallow those meant for a slider."""
    page = desk.page
    demo = demos_on(page)[0]
    demo.open()
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => window.heard++)")
    demo.root.locator(".ib-controls input:checked, .ib-controls input[type=range], .ib-point[data-control]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.heard") == 0
    page.keyboard.press("Control+q")  # shortcuts of the page still work
    assert page.evaluate("window.heard") > 0


def test_the_address_keeps_the_state(desk, visit, demo_path):
    """Move every demo of the page, open the address elsewhere, find the same state; at the defaults the address is clean."""
    page = desk.page
    before, rng = page.url.split("#")[0], np.random.default_rng(5)
    want = []
    for demo in demos_on(page):
        demo.open()
        demo.random_place(rng)
        want.append(demo.look()["parameters"])
    page.wait_for_timeout(500)
    assert "?" in page.url.split("#")[1]
    other = visit(demo_path, "#" + page.url.split("#")[1]).page
    for demo, parameters in zip(demos_on(other), want, strict=True):
        assert demo.check()["parameters"] == parameters
        assert not demo.root.evaluate("d => d.classList.contains('ib-waiting')")
        demo.reset()
    for demo in demos_on(page):
        demo.reset()
    page.wait_for_timeout(500)
    address, _, fragment = page.url.partition("#")
    assert address == before and set(re.findall(r"(\w+):", fragment)) <= {"predict"}, "only the reader's prediction stays"


def test_copy_as_python_recreates_the_view(desk):
    for demo in demos_on(desk.page):
        demo.open()
        demo.reset()
        code = demo.root.evaluate("d => d.ibtext.python()")
        name, call = code.splitlines()[0], code.splitlines()[2]
        assert name == f"from {demo.spec['module']} import {demo.spec['name']}"
        keywords = eval(call, {demo.spec["name"]: dict})
        assert keywords == demo.cls.defaults()


def test_phone_and_dark_page(desk):
    page = desk.page
    page.set_viewport_size({"width": 360, "height": 800})
    for demo in demos_on(page):
        demo.open()
        demo.look()
        assert demo.root.evaluate("d => d.scrollWidth <= d.clientWidth && d.getBoundingClientRect().right <= innerWidth")
        sizes = demo.root.evaluate("d => [...d.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize))")
        assert min(sizes) >= 12
        for theme, paper in (("dark", "rgb(20, 24, 29)"), ("light", "rgb(255, 255, 255)")):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            page.wait_for_timeout(150)
            assert demo.root.evaluate("d => getComputedStyle(d).backgroundColor") == paper
    page.set_viewport_size(DESK)


def test_summary_is_spoken_and_describes_the_plots(desk):
    page = desk.page
    demos = demos_on(page)
    first = []
    for demo in demos:
        demo.open()
        first.append(demo.reset()["summary"])
    page.wait_for_timeout(1000)
    for demo, summary in zip(demos, first, strict=True):
        assert all(summary in label for label in demo.look()["labels"])
        demo.random_place(np.random.default_rng(6))
    page.wait_for_timeout(1000)
    for demo, summary in zip(demos, first, strict=True):
        now = demo.look()
        assert demo.root.locator(".ib-live").inner_text() == now["summary"] != summary
        assert all(now["summary"] in label for label in now["labels"])


def test_readers_without_scripts_and_printers_get_a_picture(desk, browser, demo_path):
    still = browser.new_context(java_script_enabled=False)
    quiet = still.new_page()
    quiet.goto((SITE / demo_path).as_uri())
    pictures, live = "figure img[src^='data:image/svg']", desk.page
    demos = demos_on(live)
    assert quiet.locator(pictures).count() == len(demos)
    for k, demo in enumerate(demos):
        picture = quiet.locator(pictures).nth(k)
        box = picture.bounding_box()
        assert picture.is_visible() and demo.spec["title"] in picture.get_attribute("alt")
        assert box["width"] > 300 and box["height"] > 150, "a broken picture is as small as its text"
    still.close()
    assert live.locator(pictures).count() == 0
    live.emulate_media(media="print")
    for demo in demos:
        assert demo.root.locator("svg").first.is_visible() and not demo.root.locator(".ib-controls").is_visible()
    live.emulate_media(media="screen")
