"""A file that keeps the finished cells of a sweep, whole after a kill at any moment.

A header comes first, put in place whole; then each finished cell is one line of JSON, appended and forced to the disk.
A kill can tear only the last line, which the next run cuts off, so its cell is computed again. Rewriting the whole
file for every cell would be as safe, but costs quadratic time. A lock, which the system releases when the process
dies, keeps two runs from writing to one file.

An SQLite data base would not be shorter by much, and it would refuse the files that readers have: JSON lines are the
documented format, which any editor shows and any language reads.
"""

import importlib
import json
import os
import pathlib
from typing import Any

__all__ = ["Key", "ResultsFile"]

FORMAT = "ibtext sweep 1"
Key = tuple[str | None, int, int]
"""Name of the potential, width, seed."""


class ResultsFile:
    """The results file: header, finished cells, lock."""

    def __init__(self, path: Any, header: dict[str, Any]) -> None:
        header = {"format": FORMAT, **header}
        try:
            self.path = pathlib.Path(path)
        except TypeError:
            raise ValueError(
                f"results must be None or the path of a file, but {path!r} was given; pass for instance results='sweep.jsonl'."
            ) from None
        if self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise ValueError(
                f"results must name a file in an existing folder, but {str(path)!r} was given; create the folder, and name a "
                f"file in it."
            )
        if not self.path.exists():
            self._create(header)
        self.stream = open(self.path, "r+b", buffering=0)
        try:
            self._lock()
            self.finished = self._read(header)
        except BaseException:
            self.stream.close()
            raise

    def _create(self, header: dict[str, Any]) -> None:
        """A file with a whole header, or none; a file that another run has just made is left alone."""
        whole = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        with open(whole, "wb") as stream:
            stream.write(_line(header))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(whole, self.path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            os.replace(whole, self.path)
        whole.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl = importlib.import_module("fcntl")
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self.stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(
                f"a results file must belong to one run at a time, but another one is writing to {str(self.path)!r}; wait for "
                f"it, or name another file."
            ) from None

    def _read(self, header: dict[str, Any]) -> dict[Key, tuple[str, dict[str, Any]]]:
        data = self.stream.read()
        end = data.rfind(b"\n") + 1  # what follows was torn by a kill
        finished: dict[Key, tuple[str, dict[str, Any]]] = {}
        lines = data[:end].splitlines()
        for number, line in enumerate(lines):
            try:
                entry = json.loads(line)
                if number == 0:
                    self._compare(entry, header)
                    continue
                key = (entry["potential"], int(entry["width"]), int(entry["seed"]))
                if key in finished:
                    raise KeyError("twice")
                finished[key] = (entry["potential_is"], dict(entry["values"]))
            except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
                raise ValueError(
                    f"a results file must hold a header and each cell once, but line {number + 1} of {str(self.path)!r} "
                    f"is {line[:60]!r}; restore the file, or name another one."
                ) from None
        if not lines:
            raise ValueError(
                f"a results file must begin with a header, but {str(self.path)!r} has none; remove it, or name another file."
            )
        if end < len(data):
            self.stream.truncate(end)
        self.stream.seek(end)
        return finished

    def _compare(self, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        for name in ("format", "parameters", "function", "fingerprint"):
            if found[name] != wanted[name]:
                raise ValueError(
                    f"a results file may be resumed only with the settings that began it, but its {name} is "
                    f"{found[name]!r} and that of this call {wanted[name]!r}; name another file, or undo the edit of the "
                    f"function or of a constant that it reads."
                )

    def append(self, key: Key, description: str, values: dict[str, Any]) -> None:
        entry = {"potential": key[0], "width": key[1], "seed": key[2], "potential_is": description, "values": values}
        data = memoryview(_line(entry))
        while data:
            data = data[self.stream.write(data) :]
        os.fsync(self.stream.fileno())

    def close(self) -> None:
        self.stream.close()


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"
