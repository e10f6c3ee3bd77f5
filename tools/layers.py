"""The package in layers: what may import what. ``python -m tools.layers`` writes the table of CONTRIBUTING from the list."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tools.contents import ROOT
from tools.markdown import table

LAYERS = (
    ("errors", "palette", "demonstration"),
    ("activations", "numerics"),
    ("potentials",),
    ("dual",),
    ("laws",),
    ("linear",),
    ("factorized", "training"),
    ("wide",),
    ("splines",),
    ("experiments",),
    ("torch", "plotting"),
    ("demos.kit",),
    ("demos.chapters",),
)
"""From the ground up: a module imports from its own room and from the rows before its own, never from a later one.

The faces ``ibtext`` and ``ibtext.demos`` stand above what they show: the first above ``experiments``, the second above all.
"""
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
HEADER = ["from the ground up", "what is there"]


def module_name(path: Path) -> str:
    """Name of the module in a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((ROOT / "ibtext").rglob("*.py"))}


@cache
def imported_by(name: str) -> frozenset[str]:
    """The modules of the package that a module imports: at its head, inside functions, and for the type checker alone."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{origin}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= inner or {origin}
    return frozenset(found & set(MODULES))


def place_of(name: str) -> tuple[float, str]:
    """Row of a module in ``LAYERS``, and its room."""
    for row, rooms in enumerate(LAYERS):
        for room in rooms:
            if name == f"ibtext.{room}" or name.startswith(f"ibtext.{room}."):
                return row, room
    faces = {"ibtext": LAYERS.index(("experiments",)) + 0.5, "ibtext.demos": float(len(LAYERS))}
    if name not in faces:
        raise ValueError(f"Every module must stand in a layer, but {name} does not; add its room to LAYERS in tools/layers.py.")
    return faces[name], name


def layers_table() -> str:
    """Each room with the first line of what it says about itself."""
    rows = [HEADER]
    for rooms in LAYERS:
        for room in rooms:
            path = MODULES[f"ibtext.{room}"]
            doc = ast.get_docstring(ast.parse(path.read_text())) or ""
            place = f"ibtext/{room.replace('.', '/')}" + ("/" if path.name == "__init__.py" else ".py")
            rows.append([f"[`{place}`]({place})", re.sub(r" ?:math:`[^`]*`", "", doc.splitlines()[0])])
    return "\n".join(table(rows))


def main() -> None:
    """Put the present table in the place of the one that CONTRIBUTING shows."""
    text = CONTRIBUTING.read_text()
    old = re.compile(re.escape(table([HEADER])[0]) + r"\n(\|.*\n)*")
    CONTRIBUTING.write_text(old.sub(lambda _: layers_table() + "\n", text))


if __name__ == "__main__":
    main()
