"""Sphinx extension that keeps the site self-contained: no script of a third party, no MathJax files nobody uses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# Jupyter Book always adds Thebe, whose scripts come from a third-party host, and adds its constants twice, which
# logs an error on every page. The book does not use Thebe, so its scripts leave the pages.
UNWANTED = "thebe"
# The speech engine, and entry points for inputs and outputs other than TeX to CommonHTML: four fifths of MathJax.
MATHJAX_UNUSED = (
    "sre", "adaptors", "node-main.js", "mml-chtml.js", "mml-svg.js", "tex-mml-chtml.js", "tex-mml-svg.js",
    "tex-svg.js", "tex-svg-full.js", "tex-chtml-full.js", "tex-chtml-full-speech.js", "input/mml", "input/mml.js",
    "input/asciimath.js", "output/svg", "output/svg.js",
)  # fmt: skip


def _body(script: Any) -> str:
    """Name and inline text of a script, as Sphinx keeps them."""
    attributes = getattr(script, "attributes", {}) or {}
    return f"{getattr(script, 'filename', script)} {attributes.get('body', '')}".lower()


def drop_scripts(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Leave out unwanted scripts, and inline scripts that a page already has."""
    kept: list[Any] = []
    seen: set[str] = set()
    for script in context.get("script_files", []):
        body = _body(script)
        if UNWANTED not in body and body not in seen:
            kept.append(script)
            seen.add(body)
    context["script_files"] = kept


def thin_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Remove the parts of MathJax that the pages never load."""
    folder = Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX_UNUSED:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after the extensions that add the scripts and copy the files."""
    app.connect("html-page-context", drop_scripts, priority=900)
    app.connect("build-finished", thin_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
