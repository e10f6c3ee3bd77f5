"""The reference pages list every public name, once; their examples and markup hold."""

from __future__ import annotations

import doctest
import importlib
import re
import types
from typing import Any

import ibtext
import ibtext.demos
from tools.contents import ROOT
from tools.sphinx import docstrings

PAGES = sorted((ROOT / "book" / "reference").glob("*.md"))
#: Modules whose own ``__all__`` is public, beside the modules that ``ibtext`` exports.
MODULES = (
    "ibtext.demos",
    "ibtext.factorized",
    "ibtext.linear",
    "ibtext.plotting",
    "ibtext.splines",
    "ibtext.sweep",
    "ibtext.torch",
)


def resolve(name: str) -> Any:
    """The object behind a dotted name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def documented() -> list[Any]:
    """Objects with an entry of their own on the reference pages."""
    found = []
    for page in PAGES:
        text = page.read_text()
        found += [resolve(name) for name in re.findall(r"auto(?:class|function|exception):: ([\w.]+)", text)]
        for name in re.findall(r"automodule:: ([\w.]+)\n   :members:", text):
            found += [resolve(f"{name}.{member}") for member in importlib.import_module(name).__all__]
    return found


def public() -> dict[str, Any]:
    """Public names and their objects; constants are described where they are used."""
    names = {f"ibtext.{name}": getattr(ibtext, name) for name in ibtext.__all__}
    modules = [value.__name__ for value in names.values() if isinstance(value, types.ModuleType)]
    for module in {*modules, *MODULES}:
        names |= {f"{module}.{name}": resolve(f"{module}.{name}") for name in importlib.import_module(module).__all__}
    return {name: value for name, value in names.items() if callable(value)}


def test_every_public_name_has_one_entry() -> None:
    entries = [id(value) for value in documented() if callable(value)]
    missing = [name for name, value in public().items() if id(value) not in entries]
    assert not missing, f"add {', '.join(missing)} to a page of book/reference"
    assert len(entries) == len(set(entries)), "a name has two entries"


def test_every_public_name_says_what_it_does() -> None:
    silent = [name for name, value in public().items() if not (value.__doc__ or "").strip()]
    assert not silent


def test_bars_in_docstrings() -> None:
    assert doctest.testmod(docstrings).failed == 0
    lines = ["a |y|", "", "A role :math:`|x| +", "|z|` and |w|", "", ">>> abs(1) | 2", "``a | b`` or |c|"]
    assert docstrings.escape_bars(lines) == [
        r"a \|y\|", "", "A role :math:`|x| +", r"|z|` and \|w\|", "", ">>> abs(1) | 2", r"``a | b`` or \|c\|",
    ]  # fmt: skip
