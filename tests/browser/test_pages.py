"""Every built page, opened once: no other host, no complaint, mathematics rendered, no rule of WCAG broken, fit for a phone."""

from tests.browser.conftest import DESK, demos_of, open_demos
from tests.browser.rules import CUT, RESTORE, THIN, WIDE, dark, faint, pale, violations


def test_page_loads_nothing_from_elsewhere_complains_of_nothing_and_shows_its_mathematics(sheet):
    watched, page = sheet, sheet.page
    page.wait_for_timeout(100)
    elsewhere = [u for u in watched.requests if not u.startswith(("file:", "data:", "blob:", "about:", "http://localhost"))]
    assert elsewhere == []
    assert watched.complaints == []
    left = page.evaluate(
        "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container') && !e.closest('mjx-container'))"
        ".map(e => e.textContent.slice(0, 80))"
    )
    assert left == []
    assert page.evaluate("[...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(e => e.textContent)") == []


def test_pages_fit_a_phone(sheet):
    """At 360 pixels, and so at 360 % zoom of a usual screen, the page never moves sideways; wide things scroll by themselves."""
    page = sheet.page
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.evaluate(WIDE)
    assert page.evaluate(WIDE) == []
    assert page.evaluate(CUT) == []
    page.set_viewport_size(DESK)


def test_no_rule_of_level_a_or_aa_is_broken(sheet):
    """The page as it opens, then with its demos unlocked and their answers shown, then in the dark theme."""
    page = sheet.page
    page.evaluate(THIN)
    assert violations(page) == []
    assert pale(page) == []
    if demos := demos_of(page):
        assert faint(demos) == []
        open_demos(page)
        assert violations(page, ".ib-demo") == []
        assert pale(page) == []
        assert faint(demos) == []
    dark(page)
    assert pale(page) == []
    assert faint(demos) == []
    page.emulate_media(color_scheme="light")
    page.evaluate(RESTORE)


def test_the_top_of_the_site_leads_to_the_home_page(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    assert page.title().startswith("What training chooses")
    context.close()
