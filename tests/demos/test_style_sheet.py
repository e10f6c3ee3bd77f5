"""Contrast of every colour of the demos on its paper, light and dark (WCAG 2.1, level AA)."""

import pathlib
import re

import pytest

from ibtext.demos.kit.declaration import COLORS

CSS = (pathlib.Path(__file__).resolve().parents[2] / "frontend" / "src" / "demo.css").read_text(encoding="utf-8")


def luminance(color):
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def themes():
    blocks = re.findall(r"\{([^{}]*--ib-paper: #[^{}]*)\}", CSS)
    names = ("light", "dark", "print")
    return {n: dict(re.findall(r"--ib-([a-z-]+): (#[0-9a-f]{6})", b)) for n, b in zip(names, blocks, strict=True)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_curves_are_readable(theme):
    colors = themes()[theme]
    for name in ("ink", "soft", "accent", "right", "wrong", *(c for c in COLORS if c != "ink")):
        assert contrast(colors[name], colors["paper"]) >= 4.5, name
    for name in ("ink", "soft", "accent", "right"):
        assert contrast(colors[name], colors["faint"]) >= 4.5, f"{name} in the question"
    assert contrast(colors["on-accent"], colors["accent"]) >= 4.5


def test_still_pictures_use_the_colours_of_the_light_page():
    light = themes()["light"]
    assert {k: light[k] for k in COLORS} == COLORS


def test_printed_demos_have_the_colours_of_the_light_page():
    printed = themes()["print"]
    assert {k: printed[k] for k in COLORS if k != "ink"} == {k: v for k, v in COLORS.items() if k != "ink"}


def test_reduced_motion_is_respected():
    assert "transition" not in re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{[^}]*\}[^}]*\}", "", CSS)
    assert "animation" not in CSS
