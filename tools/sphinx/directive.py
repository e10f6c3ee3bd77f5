"""The base class of the book's own directives that write Markdown: tables, lists."""

from __future__ import annotations

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class Markdown(SphinxDirective):
    """A directive that writes Markdown and has it parsed where it stands."""

    def lines(self) -> list[str]:
        """The Markdown."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the lines."""
        parent = nodes.Element()
        self.state.nested_parse(StringList(self.lines(), source=self.env.docname), self.content_offset, parent)
        return parent.children
