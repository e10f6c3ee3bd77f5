"""The judges of the demos must be able to fail: planted errors, each of which has to be reported."""

import base64
import json

import numpy as np
import pytest

from tests.browser.conftest import PATIENCE, SITE, demos_of, missing, open_demos, pages_with_demos
from tests.browser.driven import WIDGET_STATE, embedded, faults, random_value, shown


def page_with_a_table():
    """A page that has a demo with a table, and the name of that demo; its number is in use at every setting."""
    for path in pages_with_demos():
        for spec, table in embedded((SITE / path).read_text(encoding="utf-8")):
            if table and all(c["kind"] != "choice" for c in spec["controls"]):
                return path, spec["name"]
    missing("A wrong coefficient is planted in a table, but no page has a demo with one; build the book first.")


def with_a_wrong_coefficient(html, name):
    """The page with one number of a demo's table changed: the first, by 4096 of 32767 (its high byte stands half way)."""
    text = WIDGET_STATE.search(html)
    state = json.loads(text[1])
    for model in state["state"].values():
        if model["state"].get("_spec", {}).get("name") == name:
            buffer = next(b for b in model["buffers"] if b["path"] == ["_table"])
            table = bytearray(base64.b64decode(buffer["data"]))
            table[len(table) // 2] ^= 0x20
            buffer["data"] = base64.b64encode(table).decode()
    return html[: text.start(1)] + json.dumps(state).replace("</", "<\\/") + html[text.end(1) :]


@pytest.mark.parametrize("planted", [False, True], ids=["as built", "planted"])
def test_a_wrong_coefficient_in_a_table_is_reported(visit, planted):
    """The judge is silent on the page as built and speaks on its copy with one wrong number."""
    path, name = page_with_a_table()
    page = visit(path).page
    html = (SITE / path).read_text(encoding="utf-8")
    body = with_a_wrong_coefficient(html, name) if planted else html
    page.route((SITE / path).as_uri(), lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
    page.goto((SITE / path).as_uri())
    page.wait_for_selector('html[data-ib-ready="1"]', timeout=PATIENCE)
    open_demos(page)
    demo = next(d for d in demos_of(page) if d.evaluate("d => d.ibtext.spec.name") == name)
    spec = demo.evaluate("d => d.ibtext.spec")
    rng = np.random.default_rng(6)
    found = []
    for _ in range(3):
        demo.evaluate("(d, values) => d.ibtext.change(values)", {c["name"]: random_value(c, rng) for c in spec["controls"]})
        found += faults(spec, shown(demo))
    assert bool(found) == planted, found


def test_each_way_of_being_wrong_is_reported(visit):
    """A problem shown, a missing curve, a gap, another length, a value a little off, a line, an axis or a summary that is not."""
    path = next(p for p in pages_with_demos() for s, _ in embedded((SITE / p).read_text()) if s["engine"]["kind"] == "dual")
    page = visit(path).page
    open_demos(page)
    demo = next(d for d in demos_of(page) if d.evaluate("d => d.ibtext.spec.engine.kind") == "dual")
    spec, right = demo.evaluate("d => d.ibtext.spec"), shown(demo, True)
    assert faults(spec, right) == []
    key = spec["panels"][0]["curves"][0]["key"]
    plot = right["plots"][0]
    line = plot["curves"][0]
    pen = line["text"].rindex(",") + 1
    moved = line | {"text": f"{line['text'][:pen]}{float(line['text'][pen:]) + 1}"}
    curve = right["arrays"][key]
    low, high = spec["panels"][0]["yLimits"]
    wrong = [
        right | {"problem": "Python could not compute this setting: a planted error"},
        right | {"arrays": {k: v for k, v in right["arrays"].items() if k != key}},
        *(right | {"arrays": right["arrays"] | {key: v}} for v in (
            [float("nan"), *curve[1:]], curve[:-1], [*curve[:-1], curve[-1] + 1e-4 * (high - low)],
        )),
        right | {"plots": [plot | {"curves": [moved]}]},
        right | {"plots": [plot | {"domain": [0, 1]}]},
        right | {"summary": right["summary"] + "."},
    ]  # fmt: skip
    assert [len(faults(spec, state)) for state in wrong] == [1] * len(wrong)
