"""Demos are small and ready at once: sizes of what a page carries, and the time from navigation to the first answer."""

import functools
import gzip
import http.server
import json
import threading

import numpy as np
import pytest
from conftest import PATIENCE, ROOT, SITE, pages_with_demos
from driven import embedded

STATIC = ROOT / "ibtext" / "demos" / "static"
KILOBYTE = 1000
# When the demos are mounted, and when the first of them has drawn the answer to a change, in milliseconds after navigation.
WATCH = """new MutationObserver((_, watch) => {
  if (document.documentElement?.dataset.ibReady !== '1') return;
  watch.disconnect();
  window.mounted = performance.now();
  const v = document.querySelector('.ib-demo').ibtext;
  v.change(v.spec.defaults);
  requestAnimationFrame(() => requestAnimationFrame(() => { window.answered = performance.now(); }));
}).observe(document, {attributes: true, subtree: true, attributeFilter: ['data-ib-ready']});"""


def compressed(*parts):
    """Bytes that a server sends for these parts, in kB."""
    return len(gzip.compress(b"".join(parts))) / KILOBYTE


def bundle():
    return (STATIC / "demo.js").read_bytes(), (STATIC / "demo.css").read_bytes()


def test_demos_of_a_page_are_small(demo_path, capsys):
    """Each demo adds at most 150 kB compressed; those of a chapter stay, with their script, under 600 kB."""
    page = (SITE / demo_path).read_text(encoding="utf-8")
    demos = embedded(page)
    assert demos
    sizes = {spec["name"]: compressed(json.dumps(spec).encode(), table) for spec, table in demos}
    total = compressed(*bundle()) + sum(sizes.values())
    with capsys.disabled():
        print(f"\n{demo_path}: " + ", ".join(f"{k} {v:.0f} kB" for k, v in sizes.items()) + f"; {total:.0f} kB with the script")
    assert max(sizes.values()) <= 150
    assert total <= 600


def test_the_page_carries_the_script_once_a_demo_at_most(demo_path):
    """What really travels: the whole state of the page's demos, as text, compressed as a server would."""
    from driven import WIDGET_STATE

    states = WIDGET_STATE.findall((SITE / demo_path).read_text(encoding="utf-8"))
    assert compressed(*(s.encode() for s in states)) <= 600


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    """A local server of the site, as CONTRIBUTING.md and the build suggest it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.mark.timing
@pytest.mark.parametrize("path", pages_with_demos() or [None])
def test_demos_answer_soon_after_navigation(browser, server, path, capsys):
    """The aim is 1.5 s on two quiet cores, formulas and all; the bound is loose because test machines are noisy."""
    times = []
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{server}/{path}", wait_until="commit")
        page.wait_for_function("window.answered", timeout=PATIENCE)
        times.append(page.evaluate("[mounted, answered]"))
        context.close()
    mounted, answered = np.median(times, axis=0) / 1000
    with capsys.disabled():
        print(f"\n{path}: demos mounted after {mounted:.2f} s, first answer drawn after {answered:.2f} s (median of 3)")
    assert answered < 6
