"""Sphinx extension for the reference pages: bars in docstrings mean absolute values, private fields stay private.

Docstrings are read in terminals too, where ``max |F - y|`` reads best. To reStructuredText a pair of bars is a
substitution, which the book never uses, so bars are escaped on the way to the page, except inside markup of their own:
roles, literals, displayed mathematics and examples.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

MARKUP = re.compile(r"(:[\w:]+:`[^`]*`|``.*?``|`[^`]*`)")
DIRECTIVE = re.compile(r"(\s*)\.\. [\w:-]+::")


def escape_bars(lines: list[str]) -> list[str]:
    r"""The lines with ``|`` written as ``\|`` wherever it stands in running text.

    >>> escape_bars(["At most |y|, :math:`|x|` long", ".. math:: |x|", "", "   |z|", "", "and |w|."])
    ['At most \\|y\\|, :math:`|x|` long', '.. math:: |x|', '', '   |z|', '', 'and \\|w\\|.']
    """
    out, directive, role = [], None, False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if directive is not None and line.strip() and indent <= directive:
            directive = None
        if match := DIRECTIVE.match(line):
            directive = len(match.group(1))
        if directive is not None or line.lstrip().startswith((">>>", "...")):
            out.append(line)
            continue
        # A role that runs over the end of a line: what follows up to its closing backquote is markup as well.
        before, text = "", line
        if role:
            before, tick, text = line.partition("`")
            before += tick
            role = not tick
        parts = MARKUP.split(text)
        if opened := re.search(r":[\w:]+:`[^`]*$", parts[-1]):
            parts[-1:] = [parts[-1][: opened.start()], parts[-1][opened.start() :]]
            role = True
        out.append(before + "".join(p if k % 2 else re.sub(r"(?<!\\)\|", r"\\|", p) for k, p in enumerate(parts)))
    return out


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = escape_bars(lines)


def _shorten(app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, result: str) -> Any:
    """Leave out the private fields of a result class: nobody passes them."""
    return signature and re.sub(r", _\w+(=[^,)]*)?(?=[,)])", "", signature), result


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after numpydoc, which turns sections into reStructuredText."""
    app.connect("autodoc-process-docstring", _process, priority=900)
    app.connect("autodoc-process-signature", _shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
