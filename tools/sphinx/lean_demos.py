"""Sphinx extension that lets the demos of a page share one copy of their script and style sheet.

Every widget brings its front end along, a hundred kilobytes each time, and a chapter has several. Later copies become
references to the first, ``{"same": id of its model}``, which ``book/assets/ib/ibstatic.js`` follows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STATE = "application/vnd.jupyter.widget-state+json"
SHARED = ("_esm", "_css")


def share(text: str) -> str:
    """Return the state of a page's widgets with each script and style sheet in it once.

    >>> share('{"state": {"a": {"state": {"_esm": "export"}}, "b": {"state": {"_esm": "export"}}}}')
    '{"state":{"a":{"state":{"_esm":"export"}},"b":{"state":{"_esm":{"same":"a"}}}}}'
    """
    page = json.loads(text)
    first: dict[tuple[str, str], str] = {}
    for name, model in page["state"].items():
        for key in SHARED:
            value = model["state"].get(key)
            if not isinstance(value, str) or not value:
                continue
            owner = first.setdefault((key, value), name)
            if owner != name:
                model["state"][key] = {"same": owner}
    # as in the page before: no text may end the script element
    return json.dumps(page, separators=(",", ":")).replace("</", "<\\/")


def lean(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Thin the state of a page's widgets, if it has any."""
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", None)
        if attributes and attributes.get("type") == STATE and attributes.get("body"):
            attributes["body"] = share(attributes["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after MyST-NB, which adds the scripts."""
    app.connect("html-page-context", lean, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
