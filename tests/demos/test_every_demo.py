"""Every demo of the package computes what it declares, at its default, at the ends of every control, and for every preset."""

from __future__ import annotations

from typing import Any

import pytest
from ends import check, settings

import ibtext.demos
from ibtext.demos import Demo

DEMOS = [cls for name in ibtext.demos.__all__ if name.endswith("Demo") and (cls := getattr(ibtext.demos, name)) is not Demo]


@pytest.mark.parametrize(("cls", "setting"), [pytest.param(c, s, id=f"{c.__name__} {n}") for c in DEMOS for n, s in settings(c)])
def test_every_setting_computes_what_is_declared(cls: type[Demo], setting: dict[str, Any]) -> None:
    check(cls, setting, inside=False)
