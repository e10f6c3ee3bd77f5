"""Sphinx extension of the status page: execution times, versions, and which statement is checked where."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools.claims import collect
from tools.execute import CACHE, toc_files

SHOWN = (
    "ibtext", "numpy", "scipy", "torch", "matplotlib", "ipywidgets", "anywidget",
    "jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "nbval", "pytest",
)  # fmt: skip


class _Table(SphinxDirective):
    """A directive that writes a Markdown table and has it parsed."""

    def rows(self) -> list[list[str]]:
        """Header and rows of the table."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the table where the directive stands."""
        header, *body = self.rows()
        if not body:
            return [nodes.paragraph("", "There is nothing to list in this build.")]
        lines = ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *body]]
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source=self.env.docname), self.content_offset, parent)
        return parent.children


class Versions(_Table):
    """``{book-versions}``: Python, the platform, and the packages that matter most."""

    def rows(self) -> list[list[str]]:
        """One row a package."""
        packages = [[name, metadata.version(name)] for name in SHOWN]
        system = f"{platform.system()} {platform.machine()}"
        return [["component", "version"], ["Python", platform.python_version()], ["system", system], *packages]


class Times(_Table):
    """``{execution-times}``: how long each notebook ran, from the cache that ``tools/execute.py`` fills."""

    def rows(self) -> list[list[str]]:
        """One row a notebook, and the sum."""
        header = ["notebook", "seconds"]
        if not CACHE.exists():
            return [header]
        pages = {str(path): path for path in toc_files()}
        records = get_cache(str(CACHE)).list_cache_records()
        times = {pages[r.uri]: r.data["execution_seconds"] for r in records if r.uri in pages}
        rows = [[f"{{doc}}`/book/{path.stem}`", f"{times[path]:.1f}"] for path in pages.values() if path in times]
        return [header, *rows, ["together", f"{sum(times.values()):.1f}"]]


class Claims(_Table):
    """``{claim-table}``: every numbered statement with the cells and tests that check it."""

    def rows(self) -> list[list[str]]:
        """One row a statement."""
        statements, _ = collect(Path(self.env.srcdir))
        rows = [["statement", "checked by"]]
        for statement in statements:
            checks = [f"cell `{cell}`" for cell in statement.cells] + [f"`{test}`" for test in statement.tests]
            title = f"{{prf:ref}}`{statement.label}` {statement.title}".replace("|", r"\|")
            rows.append([title, ", ".join(dict.fromkeys(checks)) or "nothing yet"])
        return rows


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("book-versions", Versions)
    app.add_directive("execution-times", Times)
    app.add_directive("claim-table", Claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
