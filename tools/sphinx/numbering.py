"""Sphinx extension: a chapter keeps the number in the name of its file, whatever chapters stand before it.

``numbered`` in ``_toc.yml`` counts the pages that exist, so that the chapter in ``06_kernel_regime.ipynb`` would be the third
as long as chapters 3 to 5 are unwritten, and would take a new number with each that is. Statements, figures,
equations and exercises take their first number from the chapter.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

from tools.contents import chapter_number


def renumber(env: BuildEnvironment) -> None:
    """Replace the first number of every section of a chapter."""
    for docname, sections in env.toc_secnumbers.items():
        number = chapter_number(docname)
        if number is None:
            continue
        for anchor, counted in sections.items():
            if counted:
                sections[anchor] = type(counted)((number, *counted[1:]))
        for place in (env.titles[docname], *env.tocs[docname].findall(nodes.reference)):
            if counted := place.get("secnumber"):
                place["secnumber"] = type(counted)((number, *counted[1:]))


def install(app: Sphinx) -> None:
    """Let every collector of section numbers renumber at its end; others have put theirs in its place by now."""
    for collector in {TocTreeCollector, *TocTreeCollector.__subclasses__()}:
        if "assign_section_numbers" not in vars(collector):
            continue
        assign = collector.assign_section_numbers

        def assigned(self: Any, env: BuildEnvironment, assign: Any = assign) -> list[str]:
            changed: list[str] = assign(self, env)
            renumber(env)
            return changed

        collector.assign_section_numbers = assigned  # type: ignore[method-assign]


def setup(app: Sphinx) -> dict[str, bool]:
    """Wrap the collectors once all extensions are loaded."""
    app.connect("builder-inited", install, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
