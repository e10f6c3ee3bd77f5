"""The demos on the built pages, moved as the browser tests move them: a redraw, the answer of a kernel, the first answer."""

from __future__ import annotations

import functools
import http.server
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .timing import Table

ROOT = Path(__file__).resolve().parents[1]

MOVES = """async d => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647, v = d.ibtext;
  v.timings.length = 0;
  for (let k = 0; k < 200; k++) {
    const between = (low, high) => low + (high - low) * random(), place = {
      labels: c => c.default.map(() => between(c.min, c.max)), slider: c => between(c.min, c.max),
      points: c => c.default.map(() => [between(...c.xLimits), between(...c.yLimits)]),
      choice: c => c.options[Math.floor(c.options.length * random())].value,
    };
    v.change(Object.fromEntries(v.spec.controls.map(c => [c.name, place[c.kind](c)])));
    await new Promise(r => requestAnimationFrame(r));
  }
  return v.timings;
}"""
# When the demos are mounted, and when the first of them has drawn the answer to a change, in milliseconds after navigation.
WATCH = """new MutationObserver((_, watch) => {
  const first = document.querySelector('.ib-demo')?.ibtext;
  if (!first || window.mounted) return;
  watch.disconnect();
  window.mounted = performance.now();
  first.change(first.spec.defaults);
  requestAnimationFrame(() => requestAnimationFrame(() => { window.answered = performance.now(); }));
}).observe(document, {childList: true, subtree: true});"""


@contextmanager
def _page(**options: Any) -> Iterator[Any]:
    """A page of a fresh Chromium."""
    from tests.browser.conftest import chromium

    with chromium() as browser:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        yield context.new_page()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves before a file has arrived is no error."""


@contextmanager
def _server() -> Iterator[str]:
    """A local server of the site, as the build suggests it."""
    from tests.browser.conftest import SITE

    with _Server(("127.0.0.1", 0), functools.partial(_Quiet, directory=SITE)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def redraw() -> Table:
    """Two hundred random moves of every demo."""
    from tests.browser.conftest import SITE, pages_with_demos
    from tests.browser.driven import demos_on

    out = Table(
        "Demos: from a move to its drawing",
        "Milliseconds of 200 random moves of all controls at once, measured in the page (Chromium, drawing without a GPU).",
        ("page", "demo", "median", "95th percentile"),
    )
    for path in pages_with_demos():
        with _page() as page:
            page.goto((SITE / path).as_uri())
            page.wait_for_selector('html[data-ib-ready="1"]', timeout=90_000)
            page.wait_for_timeout(5000)  # formulas further down are still being set
            for demo in demos_on(page):
                demo.open()
                median, high = np.percentile(demo.root.evaluate(MOVES), [50, 95])
                out.add(path, demo.spec["name"], f"{median:.1f} ms", f"{high:.1f} ms")
    return out


def kernel() -> Table:
    """Twenty random changes of every demo in JupyterLab."""
    from tests.browser.driven import random_value
    from tests.browser.kernel import demos_of_the_book, run_demos, settle, write_demos
    from tests.browser.server import jupyterlab

    out = Table(
        "Demos in JupyterLab: from a move to the exact answer of Python, drawn",
        "Twenty random changes of all controls at once. The page's own answer is drawn in the next frame and does not wait.",
        ("demo", "median", "95th percentile"),
    )
    specs, rng = demos_of_the_book(), np.random.default_rng(23)
    with tempfile.TemporaryDirectory() as name, _page() as page:
        folder = Path(name)
        (folder / "work").mkdir()
        write_demos(folder / "work" / "demos.ipynb", specs)
        with jupyterlab(folder, folder / "work", PYTHONPATH=str(ROOT)) as address:
            run_demos(page, address, "demos.ipynb", len(specs))
            for spec, demo in zip(specs, page.query_selector_all(".ib-demo"), strict=True):
                settings = [{c["name"]: random_value(c, rng) for c in spec["controls"]} for _ in range(20)]
                median, high = np.percentile([settle(page, demo, values)[1] for values in settings], [50, 95])
                out.add(spec["name"], f"{median:.0f} ms", f"{high:.0f} ms")
    return out


def navigation() -> Table:
    """From navigation to the first demo that answers, over a local server."""
    from tests.browser.conftest import pages_with_demos

    out = Table(
        "Pages: from navigation to the first demo that answers",
        "Median of five visits over a local server, nothing cached, formulas included.",
        ("page", "first demo mounted", "first answer drawn"),
    )
    with _server() as server:
        for path in pages_with_demos():
            times = []
            for _ in range(5):
                with _page() as page:
                    page.add_init_script(WATCH)
                    page.goto(f"{server}/{path}", wait_until="commit")
                    page.wait_for_function("window.answered", timeout=90_000)
                    times.append(page.evaluate("[mounted, answered]"))
            mounted, answered = np.median(times, axis=0) / 1000
            out.add(path, f"{mounted:.2f} s", f"{answered:.2f} s")
    return out
