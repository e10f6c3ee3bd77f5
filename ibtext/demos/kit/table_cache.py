"""Tables kept between sessions, so that a demo opens at once the second time.

A table takes some seconds to build.  It is kept in the user's cache folder under a name that contains a hash of everything it
depends on: the sources of ``ibtext``, the file of the demo, and the versions of NumPy and SciPy.  Change any of
them and the table is built, and its error measured, anew.  A file that cannot be read or written is as good as none.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import sys

import numpy as np

from .engines import Built

PACKAGE = pathlib.Path(__file__).resolve().parents[2]


def folder() -> pathlib.Path:
    """Return the cache folder; the environment variable IBTEXT_CACHE moves it."""
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ibtext"
    return pathlib.Path(os.environ.get("IBTEXT_CACHE") or default)


def key(cls: type) -> str | None:
    """Return the name of a demo's table, or None for a demo without a file (one written in a notebook)."""
    home = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if home is None:
        return None
    digest = hashlib.sha256()
    for package in ("numpy", "scipy"):
        digest.update(importlib.metadata.version(package).encode())
    for path in [*sorted(PACKAGE.rglob("*.py")), pathlib.Path(home)]:
        digest.update(path.read_bytes())
    return f"{cls.__name__}-{digest.hexdigest()[:24]}.npz"


def load(cls: type) -> Built | None:
    """Return the stored table of a demo, or None."""
    name = key(cls)
    if name is None:
        return None
    try:
        with np.load(folder() / name, allow_pickle=False) as stored:
            return Built(stored["data"].tobytes(), json.loads(str(stored["meta"])))
    except (OSError, ValueError, KeyError):
        return None


def save(cls: type, built: Built) -> None:
    """Store a table; a folder that cannot be written is no error, since the table can always be built again."""
    name = key(cls)
    if name is None:
        return
    try:
        folder().mkdir(parents=True, exist_ok=True)
        part = folder() / f"{name}.{os.getpid()}"
        with part.open("wb") as file:
            np.savez(file, data=np.frombuffer(built.data, np.uint8), meta=json.dumps(built.meta))
        part.replace(folder() / name)  # in one step, so that nobody reads half a table
    except OSError:
        return
