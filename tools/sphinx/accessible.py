"""Sphinx extension that repairs what the theme and Sphinx leave unsaid to a screen reader.

Each repair answers a rule of WCAG that the plain output breaks, found by axe-core (``tests/browser/test_accessibility.py``):
the switches that unfold the navigation have no name; a signature over several lines is a definition list without terms;
the entries of a bibliography are no items of their list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

PARAMETERS = re.compile(r"<dl>\s*((?:<dd>(?:(?!</?dl).)*?</dd>\s*)+)</dl>", re.DOTALL)
SWITCH = re.compile(r"(<a\b[^>]*>((?:(?!</a>).)*)</a>\s*<details[^>]*>\s*)<summary>", re.DOTALL)


def name_switches(tree: str) -> str:
    """Give each switch of the navigation a name: the page whose subpages it shows.

    >>> name_switches('<a href="x">The <code>ib</code> "book"</a><details><summary>')
    '<a href="x">The <code>ib</code> "book"</a><details><summary aria-label="Pages under The ib &quot;book&quot;">'
    """

    def named(match: re.Match[str]) -> str:
        title = re.sub(r"<[^>]*>|\s+", lambda m: " " if m[0].isspace() else "", match[2]).replace('"', "&quot;")
        return f'{match[1]}<summary aria-label="Pages under {title.strip()}">'

    return SWITCH.sub(named, tree)


def signature_lists(body: str) -> str:
    """Write the parameters of a long signature as lines, which they are, instead of definitions without terms.

    >>> signature_lists('<dt>f(<dl><dd><em>x</em>,</dd><dd>y,</dd></dl>)</dt>')
    '<dt>f(<span class="ib-parameters"><span><em>x</em>,</span><span>y,</span></span>)</dt>'
    """

    def lines(match: re.Match[str]) -> str:
        return f'<span class="ib-parameters">{match[1].replace("<dd>", "<span>").replace("</dd>", "</span>")}</span>'

    return PARAMETERS.sub(lines, body)


def repair(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Repair the body of a page and the function that draws its navigation."""
    if "body" in context:
        body = signature_lists(context["body"])
        # ARIA has retired this role; a list wants items.
        context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')
    draw: Callable[..., Any] | None = context.get("generate_toctree_html")
    if draw is not None:
        context["generate_toctree_html"] = lambda *a, **k: name_switches(str(draw(*a, **k)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after the theme, whose functions are wrapped."""
    app.connect("html-page-context", repair, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
