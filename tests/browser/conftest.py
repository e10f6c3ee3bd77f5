"""One Chromium for all browser tests, and the built site that they drive."""

import os
import pathlib
import shutil
from contextlib import contextmanager

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = pathlib.Path(os.environ.get("IBTEXT_SITE") or ROOT / "_build" / "html").resolve()
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Milliseconds before a page counts as hung: a busy machine with a browser on every core takes 20 s for a long chapter.
PATIENCE = 90_000
DESK = {"width": 1280, "height": 900}
# index.html at the top is a redirect to the home page: it leaves while a test looks at it.
NO_PAGES = {"genindex.html", "search.html", "prf-prf.html", "py-modindex.html"}


def pages():
    """Return the built pages, as paths relative to the site."""
    found = (p.relative_to(SITE) for p in sorted(SITE.rglob("*.html")))
    found = (p for p in found if str(p) != "index.html" and p.name not in NO_PAGES)
    return [str(p) for p in found if not p.parts[0].startswith("_") and p.parts[0] != "reports"]


def pages_and_lists():
    """The pages, and those that Sphinx adds: the search, the index of names and the list of statements."""
    return pages() + sorted(name for name in NO_PAGES if (SITE / name).exists())


def pages_with_demos():
    return [p for p in pages() if "ib-still" in (SITE / p).read_text(encoding="utf-8")]


def demos_of(page):
    """The demos of a page, as handles of their root elements."""
    return page.query_selector_all(".ib-demo")


def open_demos(page):
    """Skip the questions of all demos, so that their controls are unlocked, and show the answers."""
    page.evaluate(
        """() => ['.ib-skip', '.ib-after .ib-link'].forEach(s =>
             document.querySelectorAll(`.ib-demo ${s}`).forEach(b => b.getClientRects().length && b.click()))"""
    )


def missing(sentence):
    """Fail where the browser is required, and skip loudly elsewhere."""
    if os.environ.get("IBTEXT_REQUIRE_BROWSER") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def pytest_generate_tests(metafunc):
    """One worker takes all tests of a file that share a page, so that the page is opened once."""
    for name, found in (("page_path", pages), ("demo_path", pages_with_demos), ("any_path", pages_and_lists)):
        if name in metafunc.fixturenames:
            group = f"{metafunc.module.__name__} {{}}"
            values = [pytest.param(path, marks=pytest.mark.xdist_group(group.format(path))) for path in found() or [None]]
            metafunc.parametrize(name, values, scope="module")


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in str(item.path.as_posix()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site():
    """Folder of the built site."""
    return SITE


@contextmanager
def chromium():
    """A running Chromium."""
    path = shutil.which("chromium")
    if path is None:
        missing("The browser tests drive Chromium, but none was found; run 'apt-get install chromium'.")
    if not pages():
        missing(f"The browser tests drive the built site, but {SITE.name} holds no page; run 'make book'.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


class Watched:
    """A browser page that remembers what it asked for and complained about."""

    #: Jupyter Book writes these constants twice on every page (an upstream slip without effect).
    HARMLESS = "Identifier 'THEBE_JS_URL' has already been declared"

    def __init__(self, context, mathematics):
        self.requests, self.complaints = [], []
        self.page = context.new_page()
        if not mathematics:
            self.page.route("**/mathjax/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self._complain(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self._complain(str(e)))

    def _complain(self, text):
        if self.HARMLESS not in text:
            self.complaints.append(text)

    def open(self, path, fragment=""):
        self.page.goto((SITE / path).as_uri() + fragment)
        self.page.wait_for_load_state("load")
        if self.page.query_selector('script[type="application/vnd.jupyter.widget-view+json"]'):
            self.page.wait_for_selector('html[data-ib-ready="1"]', timeout=PATIENCE)
        return self.page


def _visitor(browser):
    """Yield a function that opens a page of the site in a fresh context; close the contexts afterwards."""
    contexts = []

    def open_page(path, fragment="", *, mathematics=False, **options):
        if path is None:
            missing("The browser tests found no page with a demo; the home page should have one; build the book first.")
        context = browser.new_context(**{"viewport": DESK} | options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watched = Watched(context, mathematics)
        watched.open(path, fragment)
        if mathematics:
            watched.page.evaluate("window.MathJax?.startup?.promise")
        return watched

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page of the site in a fresh context.

    Formulas are typeset only where a test asks for ``mathematics``: a thousand of them take longer than most tests.
    """
    yield from _visitor(browser)


@pytest.fixture(scope="module")
def desk(browser, demo_path):
    """A page with demos, opened once for all tests of a file; each test leaves its window and theme as they were."""
    for open_page in _visitor(browser):
        yield open_page(demo_path, color_scheme="light", has_touch=True)


@pytest.fixture(scope="module")
def sheet(browser, any_path):
    """A page with its formulas typeset, opened once for all tests of a file."""
    for open_page in _visitor(browser):
        yield open_page(any_path, mathematics=True, color_scheme="light")
