"""The package keeps to the layers that ``tools/layers.py`` declares."""

from __future__ import annotations

import graphlib

import pytest

import ibtext
from tools.layers import CONTRIBUTING, MODULES, imported_by, layers_table, place_of


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_below(name: str) -> None:
    row, room = place_of(name)
    others = {other: place_of(other) for other in imported_by(name)}
    above = sorted(other for other, (place, where) in others.items() if where != room and place >= row)
    assert not above, f"{name} imports {above}, which do not stand below it"


def test_no_module_needs_itself() -> None:
    """Also not by way of others, of functions that import when they are called, or of the type checker."""
    list(graphlib.TopologicalSorter({name: imported_by(name) - {name} for name in MODULES}).static_order())


def test_contributing_shows_the_layers() -> None:
    assert layers_table() in CONTRIBUTING.read_text(), "run: .venv/bin/python -m tools.layers"


def test_dir_shows_public_names_only() -> None:
    assert set(dir(ibtext)) == {*ibtext.__all__, "demos", "plotting", "torch", "__version__"}
