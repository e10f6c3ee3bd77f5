"""Demos are small: what a page carries for them. How fast they are is measured in benchmarks/."""

import gzip
import json

from tests.browser.conftest import ROOT, SITE
from tests.browser.driven import embedded

STATIC = ROOT / "ibtext" / "demos" / "static"
KILOBYTE = 1000


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
    from tests.browser.driven import WIDGET_STATE

    states = WIDGET_STATE.findall((SITE / demo_path).read_text(encoding="utf-8"))
    assert compressed(*(s.encode() for s in states)) <= 600
