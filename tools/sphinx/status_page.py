"""Sphinx extension of the status page: execution times and versions."""

from __future__ import annotations

import platform
from importlib import metadata

from jupyter_cache import get_cache
from sphinx.application import Sphinx

from tools.contents import pages
from tools.markdown import table
from tools.notebooks.execute import CACHE
from tools.sphinx.directive import Markdown

SHOWN = (
    "ibtext", "numpy", "scipy", "torch", "matplotlib", "ipywidgets", "anywidget",
    "jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "nbval", "pytest",
)  # fmt: skip


class Versions(Markdown):
    """``{book-versions}``: Python, the platform, and the packages that matter most."""

    def lines(self) -> list[str]:
        """One row a package."""
        packages = [[name, metadata.version(name)] for name in SHOWN]
        system = f"{platform.system()} {platform.machine()}"
        return table([["component", "version"], ["Python", platform.python_version()], ["system", system], *packages])


class Times(Markdown):
    """``{execution-times}``: how long each notebook ran, from the cache that ``tools.notebooks.execute`` fills."""

    def lines(self) -> list[str]:
        """One row a notebook, and the sum."""
        if not CACHE.exists():
            return ["There is nothing to list in this build."]
        records = {r.uri: r.data["execution_seconds"] for r in get_cache(str(CACHE)).list_cache_records()}
        times = {page.name: records[str(page.path)] for page in pages() if str(page.path) in records}
        rows = [[f"{{doc}}`/{name}`", f"{seconds:.1f}"] for name, seconds in times.items()]
        return table([["notebook", "seconds"], *rows, ["together", f"{sum(times.values()):.1f}"]])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("book-versions", Versions)
    app.add_directive("execution-times", Times)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
