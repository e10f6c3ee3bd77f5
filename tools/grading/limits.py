"""What one submission may use: seconds for a cell and for the notebook, memory, size of files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    cell_seconds: int = 30
    notebook_seconds: float = 300.0
    memory: float = 2.0
    """GiB of address space for each process."""
    file_size: float = 0.25
    """GiB for each file that the notebook writes."""

    @property
    def patience(self) -> float:
        """Seconds after which the process itself is stopped: time for the notebook, for nbgrader and for the feedback."""
        return self.notebook_seconds + 3 * self.cell_seconds + 60.0
