"""A page with demos and nothing else, as the book's pages mount them: for demos that are on no page of the book."""

import json
import pathlib

from ipywidgets.embed import dependency_state, embed_data

from ibtext.demos.kit import figure
from tools.sphinx.lean_demos import share

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _script(kind, value):
    text = share(json.dumps(value)) if kind == "state" else json.dumps(value)
    return f'<script type="application/vnd.jupyter.widget-{kind}+json">{text}</script>'


def write_page(path, demos):
    """Write a static page that shows demos, with their pictures for readers without scripts."""
    data = embed_data(views=demos, state=dependency_state(demos, drop_defaults=False), drop_defaults=False)
    shown = []
    for demo, view in zip(demos, data["view_specs"], strict=True):
        alt = f"{demo.title}. {demo.describe(demo.result, **demo.parameters)}"
        shown.append(f"<div>{figure.noscript(demo.figure(), alt)}{_script('view', view)}</div>")
    mount = (ROOT / "book" / "assets" / "ib" / "ibstatic.js").read_text(encoding="utf-8")
    pathlib.Path(path).write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Demos</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body style="margin:8px">'
        f"<main>{''.join(shown)}</main>{_script('state', data['manager_state'])}<script>{mount}</script></body></html>",
        encoding="utf-8",
    )
