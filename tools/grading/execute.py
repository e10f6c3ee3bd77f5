"""nbgrader's execution of a notebook, made patient: no cell can stop the grading of the others.

nbgrader interrupts a cell that takes too long and goes on. It gives up, however, on a notebook whose kernel cannot be
interrupted or has died. Here such a cell is left out with an error in its place, and the notebook runs once more.
"""

from __future__ import annotations

import copy
import os
import time
from typing import Any

import psutil
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, Integer

TRUNCATED = "... Output truncated ..."
#: How often a cell that was kept waiting by a busy machine gets its time again.
PATIENCE = 3


def question(cell: NotebookNode) -> str:
    """The question to which a graded cell belongs: ``q1`` for ``q1-values``."""
    mark = cell.metadata.get("nbgrader") or {}
    return str(mark.get("grade_id") or cell.get("id", "")).partition("-")[0]


class PatientExecute(Execute):
    """``Execute`` of nbgrader for one notebook of one student."""

    budget = Float(300.0, help="seconds for the whole notebook, second runs included").tag(config=True)
    most_output = Integer(200_000, help="characters of output that one cell may keep").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        """Run all cells; after a kernel is lost, run again without the cell that lost it."""
        before = copy.deepcopy(nb.cells)
        self.left_out: dict[int, tuple[str, str]] = {}
        self.slow: set[str] = set()
        self.deadline = time.monotonic() + self.budget
        while True:
            self.at = 0
            try:
                return super().preprocess(nb, resources, km)
            except DeadKernelError:
                self.left_out[self.at] = ("KernelDied", "this cell ended the Python process, so it was left out")
            except CellTimeoutError:
                self.left_out[self.at] = ("CellTimeoutError", "this cell could not even be interrupted, so it was left out")
                self.slow.add(question(nb.cells[self.at]))
            nb.cells = copy.deepcopy(before)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run one cell, unless it was left out or the time of the notebook is used up."""
        self.at, self.written, self.waited, self.cpu_before = index, 0, 0, self.cpu()
        if cell.cell_type == "code":
            name, text = self.left_out.get(index, ("", ""))
            if not name and time.monotonic() > self.deadline:
                name, text = "OutOfTime", f"not run: the notebook had used up its {self.budget:g} s"
            if name:
                cell.outputs = [new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])]
                return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        """The limit of a cell, at most what the notebook has left; shorter where the question has been stopped before."""
        limit = super()._get_timeout(cell) or int(self.budget)
        if cell is not None and question(cell) in self.slow:
            limit = max(2, limit // 5)
        return min(limit, max(1, int(self.deadline - time.monotonic()) + 1))

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> Any:
        """Interrupt the cell, unless it has hardly run because the machine was busy: then it gets its time once more.

        To return nothing makes nbclient wait as long again.
        """
        if self.waited < PATIENCE and os.getloadavg()[0] > (os.cpu_count() or 1) and self.cpu() - self.cpu_before < timeout / 2:
            self.waited += 1
            self.cpu_before = self.cpu()
            return None
        return await super()._async_handle_timeout(timeout, cell)

    def cpu(self) -> float:
        """Seconds of processor time that the kernel has used; none when there is no kernel."""
        try:
            used = psutil.Process(self.km.provisioner.pid).cpu_times()
        except (AttributeError, TypeError, psutil.Error):
            return 0.0
        return float(used.user + used.system)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Remember which question had to be interrupted: a loop without end in one answer should not use up all the time."""
        super().on_cell_executed(**kwargs)
        cell = kwargs["cell"]
        if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
            self.slow.add(question(cell))

    def process_message(self, msg: Any, cell: NotebookNode, cell_index: int) -> Any:
        """Keep output up to a limit, so that a flood fills neither memory nor the page with feedback."""
        kind = msg["msg_type"]
        if kind in {"stream", "display_data", "update_display_data"}:
            content = msg["content"]
            size = len(content["text"]) if kind == "stream" else len(str(content.get("data", "")))
            room = self.most_output - self.written
            self.written += size
            if room <= 0:
                return None
            if size > room:
                text = (content["text"][:room] if kind == "stream" else "") + f"\n{TRUNCATED}\n"
                msg = msg | {"msg_type": "stream", "content": {"name": "stdout", "text": text}}
        return super().process_message(msg, cell, cell_index)
