"""Demos for readers with a phone, with a keyboard, with reduced motion; and that the rules of ``test_pages.py`` can fail."""

import pytest

from tests.browser.conftest import DESK, demos_of, open_demos, pages_with_demos
from tests.browser.rules import faint, pale, violations

# Parts of a demo that are shown and whose rectangle r fulfils a condition, which the caller appends.
SHOWN = """(d, parts) => [...d.querySelectorAll(parts)].filter(e => e.getClientRects().length)
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()]).filter(([, r]) => """


def test_the_rules_can_fail(visit):
    """A picture without a description, a button without a name, pale text, and pale text in a plot are found."""
    watched = visit(pages_with_demos()[0])
    page = watched.page
    page.evaluate(
        """document.querySelector('.bd-article').insertAdjacentHTML('afterbegin', '<div id="planted"><img src="data:,">'
           + '<button></button><p style="color:#888;background:#fff">pale</p></div>')"""
    )
    page.evaluate("document.querySelector('.ib-demo svg text').style.fill = '#999'")
    found = {v.split(":")[0] for v in violations(page, "#planted") + pale(page)}
    assert found == {"image-alt", "button-name", "color-contrast"}
    assert len(faint(demos_of(page))) == 1


@pytest.mark.parametrize(("width", "height", "touch"), [(360, 740, True), (640, 450, False)], ids=["phone", "zoom 200 %"])
def test_demos_are_usable_on_small_screens(desk, width, height, touch):
    """A demo is inside the page, nothing that can be pressed is tiny, and a slider can be moved by touch or mouse."""
    page = desk.page
    page.set_viewport_size({"width": width, "height": height})  # at 200 % a window of 1280 pixels has room for 640
    open_demos(page)
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for demo in demos_of(page):
        parts = "button, input, legend:not(.ib-hidden), p:not(.ib-hidden), svg"
        assert demo.evaluate(SHOWN + "r.right > innerWidth + 0.5 || r.left < -0.5)", parts) == []
        # WCAG 2.2, target size: 24 pixels both ways
        targets = "button, input[type=range], label:has(input[type=radio]), .ib-hit"
        assert demo.evaluate(SHOWN + "Math.min(r.width, r.height) < 24)", targets) == []
        sliders = demo.query_selector_all("input[data-parameter]")
        if not sliders:
            continue
        name = sliders[0].get_attribute("data-parameter")
        sliders[0].scroll_into_view_if_needed()
        box = sliders[0].bounding_box()
        press = page.touchscreen.tap if touch else page.mouse.click
        # what the controls show is one of two different values at these two places
        values = []
        for share in (0.2, 0.8):
            press(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            values.append(demo.evaluate("(d, k) => d.ibtext.params[k]", name))
        assert values[0] < values[1]
    page.set_viewport_size(DESK)


def test_nothing_moves_for_readers_who_ask_for_rest(desk):
    """With reduced motion no element of a demo has a transition or an animation; without, some do (so the test can fail)."""
    moving = """() => [...document.querySelectorAll('.ib-demo, .ib-demo *')].filter(e => {
      const s = getComputedStyle(e);
      return s.transitionDuration.split(',').some(t => parseFloat(t) > 0) || s.animationName !== 'none';
    }).length"""
    page = desk.page
    page.emulate_media(reduced_motion="reduce")
    open_demos(page)
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) > 0


def test_focus_can_be_seen(desk):
    """Tab through each demo: whatever takes the focus has a name and shows that it has the focus."""
    page = desk.page
    open_demos(page)
    for demo in demos_of(page):
        stops = demo.evaluate(
            """d => { [...d.querySelectorAll('button')].find(b => b.getClientRects().length).focus();
                return d.querySelectorAll('button:enabled, input:enabled, [tabindex="0"]').length; }"""
        )
        seen = []
        for _ in range(stops + 2):
            page.keyboard.press("Tab")
            here = page.evaluate(
                """d => {
                  const e = document.activeElement;
                  if (!d.contains(e)) return null;
                  const drawn = s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
                  const near = [e, e.closest('label'), ...e.querySelectorAll('*'), e.nextElementSibling].filter(Boolean);
                  const name = e.getAttribute('aria-label') || e.closest('label')?.textContent || e.textContent;
                  return {name,
                          shown: near.some(n => { const s = getComputedStyle(n); return drawn(s) || s.boxShadow !== 'none' ||
                            (n.classList?.contains('ib-ring') && s.stroke !== 'none'); })};
                }""",
                demo,
            )
            if here is None:
                break
            assert here["name"].strip() and here["shown"], here
            seen.append(here["name"])
        assert len(seen) >= 2
