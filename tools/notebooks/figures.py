"""Every figure of the book has alternative text, a caption and a name; a picture without them is a fault.

They stand in the metadata of the cell that draws the figure, the only place from which they reach the built page:
``mystnb: {image: {alt: ...}, figure: {caption: ..., name: ...}}``.
"""

from __future__ import annotations

import nbformat

PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
WIDGET = "application/vnd.jupyter.widget-view+json"
SHORTEST_TEXT = 20


def draws(cell: nbformat.NotebookNode) -> bool:
    """Whether an executed cell shows a picture. Demos describe themselves and do not count."""
    if cell.cell_type != "code":
        return False
    bundles = [output.data for output in cell.outputs if output.output_type in {"display_data", "execute_result"}]
    return any(kind in data for data in bundles for kind in PICTURES) and not any(WIDGET in data for data in bundles)


def lacking(cell: nbformat.NotebookNode) -> list[str]:
    """Which of alternative text, caption and name a figure cell lacks (texts under 20 characters say too little)."""
    settings = cell.metadata.get("mystnb", {})
    figure = settings.get("figure", {})
    missing = []
    if len(settings.get("image", {}).get("alt", "")) < SHORTEST_TEXT:
        missing.append("mystnb.image.alt")
    if len(figure.get("caption", "")) < SHORTEST_TEXT:
        missing.append("mystnb.figure.caption")
    if not figure.get("name"):
        missing.append("mystnb.figure.name")
    return missing


def figure_faults(notebook: nbformat.NotebookNode, name: str) -> list[str]:
    """One sentence for every figure of an executed notebook that lacks something."""
    faults = []
    for cell in notebook.cells:
        if draws(cell) and len([output for output in cell.outputs if "data" in output]) > 1:
            faults.append(
                f"A figure cell must show its picture and nothing else, because each output gets the caption, but cell "
                f"{cell.id} of {name} shows more; end its last line with a semicolon if that has a value."
            )
        if draws(cell) and (missing := lacking(cell)):
            faults.append(
                f"Every figure needs alternative text, caption and name, but cell {cell.id} of {name} lacks "
                f"{', '.join(missing)}; add it to the metadata of the cell."
            )
    return faults
