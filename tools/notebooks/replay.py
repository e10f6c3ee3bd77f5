"""A plugin of pytest: nbval compares the notebooks with the run from which the site is made, instead of running each again.

``pytest -p tools.notebooks.replay --nbval`` reads the cache that ``tools.notebooks.execute`` has filled from fresh kernels; a
notebook without a current run fails. Without the plugin nbval runs the notebooks itself.
"""

from __future__ import annotations

from typing import Any

import nbformat
from jupyter_cache import get_cache
from nbval.plugin import IPyNbFile

from tools.notebooks.execute import CACHE


class RecordedKernel:
    """What nbval asks of a kernel, answered with the outputs that each cell had in the recorded run."""

    def __init__(self, cells: list[nbformat.NotebookNode]) -> None:
        self.cells = iter(cells)
        self.messages: list[dict[str, Any]] = []

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        """Take the next cell."""
        cell = next(self.cells)
        if cell.source != source:
            raise RuntimeError(f"The cell {cell.id} must be that of the recorded run, but its source is another one.")
        about: dict[str, Any] = {"parent_header": {"msg_id": cell.id}}
        self.messages = [about | {"msg_type": output.output_type, "content": output} for output in cell.outputs]
        self.messages.append(about | {"msg_type": "status", "content": {"execution_state": "idle"}})
        return str(cell.id)

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next output."""
        return self.messages.pop(0)

    def is_alive(self) -> bool:
        """A recorded run does not die."""
        return True

    def await_reply(self, *_: Any, **__: Any) -> None:
        """The cell has run already."""

    await_idle = stop = await_reply


def setup(file: IPyNbFile) -> None:
    """Give a notebook its recorded run."""
    store = get_cache(str(CACHE))
    notebook = nbformat.read(str(file.path), as_version=4)
    try:
        recorded = store.get_cache_bundle(store.match_cache_notebook(notebook).pk).nb
    except KeyError:
        raise RuntimeError(f"{file.path.name} has no current run; run `python -m tools.notebooks.execute` first.") from None
    file.kernel = RecordedKernel([cell for cell in recorded.cells if cell.cell_type == "code"])
    file.setup_sanitize_files()


IPyNbFile.setup = setup
