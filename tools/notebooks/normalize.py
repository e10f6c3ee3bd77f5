"""Bring notebooks into the one form in which they are committed, or with ``--check`` say which are not in it.

The form: readable cell ids that do not change, kernel ``python3``, no times, widget state or images; before the first code a
cell, hidden on the page, that fetches the book where Colab opens the notebook alone. Outputs are dropped, with two
exceptions. Cells tagged ``claim`` keep the text that they print: nbval compares it on every run. Cells that show a demo keep
one small picture of it and its caption: where a notebook is read without being run, as on GitHub, nothing else would stand
there. Both come from a run of the notebook, so run it before normalising it: ``python -m
tools.notebooks.normalize --execute book/11_scaled_potentials.ipynb``; ``--pictures`` runs the demo cells alone.
"""

from __future__ import annotations

import argparse
import ast
import base64
import io
import re
from pathlib import Path

import nbformat

from tools.contents import demos_in
from tools.notebooks.execute import execute

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}
COLAB = """# In Colab this fetches the book and installs the package; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 https://github.com/ibtext/ibtext repository
    %pip install --quiet "./repository[demos]"
    %cd -q repository/book"""
# Ids that editors invent: eight hexadecimal digits, or a UUID. A committed cell has a name instead.
INVENTED = re.compile(r"^[0-9a-f]{8}$|^[0-9a-f]{8}-[0-9a-f-]{27}$")


def slug(source: str) -> str:
    """A readable id from the first words of a cell."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"[`:~{}#]|prf:|import|from", " ", source.lower()))
    return "-".join(words[:4])[:40] or "cell"


def name_cells(notebook: nbformat.NotebookNode) -> None:
    """Give every cell with an invented or repeated id a readable one; leave the others alone."""
    taken: set[str] = set()
    for cell in notebook.cells:
        if not INVENTED.match(cell.id) and cell.id not in taken:
            taken.add(cell.id)
            continue
        base = name = slug(cell.source)
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        cell.id = name
        taken.add(name)


def small(png: str) -> str:
    """A picture in 48 colours, which is enough for lines on white and a third of the size; base64 in and out."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        if image.mode == "P":
            return png
        buffer = io.BytesIO()
        image.convert("RGB").quantize(48, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def picture(png: str, caption: str) -> list[nbformat.NotebookNode]:
    """The outputs that stand for a demo where it does not run: its picture, and below it the caption as text."""
    caption = caption.replace("?.", "?")  # a title may be a question
    data = [{"image/png": small(png), "text/plain": caption}, {"text/plain": caption}]
    return [nbformat.v4.new_output("display_data", data=d) for d in data]


def demo_picture(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The picture of a demo from the outputs of its cell: those of a run, or those kept before."""
    shown = [output.data for output in cell.outputs if output.output_type in {"display_data", "execute_result"}]
    pictures = [data["image/png"] for data in shown if "image/png" in data]
    captions = [data["text/plain"] for data in shown if "image/png" not in data]
    return picture(pictures[0], captions[0]) if pictures and captions else []


def draw_demos(notebook: nbformat.NotebookNode) -> None:
    """Run the cells that show a demo, and nothing else, for fresh pictures."""
    import ibtext as ib
    from ibtext.demos.kit import figure

    for cell in notebook.cells:
        if demos_in(cell):
            *before, last = ast.parse(cell.source).body
            names = {"ib": ib}
            exec(compile(ast.Module(before, []), cell.id, "exec"), names)
            demo = eval(ast.unparse(last), names)
            caption = f"{demo.title}. {demo.describe(demo.result, **demo.parameters)}"
            cell.outputs = picture(figure.png(demo.figure()), caption)


def kept_outputs(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Text outputs of a claim cell, the picture of a demo; nothing of any other."""
    if demos_in(cell):
        return demo_picture(cell)
    if "claim" not in cell.metadata.get("tags", []):
        return []
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            if kept and kept[-1].output_type == "stream":  # one text, however many pieces a busy kernel sent it in
                kept[-1].text += output.text
                continue
            kept.append(nbformat.v4.new_output("stream", name="stdout", text=output.text))
        elif output.output_type in {"execute_result", "display_data"} and set(output.data) == {"text/plain"}:
            kept.append(nbformat.v4.new_output("display_data", data={"text/plain": output.data["text/plain"]}))
    return kept


def launch_cell(notebook: nbformat.NotebookNode) -> None:
    """Put the cell for Colab before the first other code."""
    cells = [cell for cell in notebook.cells if cell.id != "colab"]
    first = next((k for k, cell in enumerate(cells) if cell.cell_type == "code"), None)
    if first is not None:
        cells.insert(first, nbformat.v4.new_code_cell(COLAB, id="colab", metadata={"tags": ["remove-cell"]}))
    notebook.cells = cells


def normalize(notebook: nbformat.NotebookNode, *, colab: bool = True) -> nbformat.NotebookNode:
    """The notebook in committed form (changed in place, and returned), with the cell for ``colab`` unless it has its own."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    name_cells(notebook)
    if colab:
        launch_cell(notebook)
    number = 0
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        for key in ("execution", "collapsed", "jupyter", "ExecuteTime", "scrolled", "trusted"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            number += 1
            cell.outputs = kept_outputs(cell)
            # nbval takes a cell with outputs and no count for one whose outputs were typed in by hand.
            cell.execution_count = number if cell.outputs else None
        else:
            cell.pop("attachments", None)
    return notebook


def main() -> int:
    """Normalise the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a notebook would change")
    parser.add_argument("--execute", action="store_true", help="run each notebook first, for fresh claim outputs")
    parser.add_argument("--pictures", action="store_true", help="run the cells that show a demo first, for fresh pictures")
    options = parser.parse_args()
    faults = 0
    for path in options.notebooks:
        before = path.read_text()
        if options.execute:
            notebook, seconds, *_ = execute(path.resolve(), threads=2)
            print(f"{path}: executed in {seconds:.1f} s")
        else:
            notebook = nbformat.read(path, as_version=4)
        if options.pictures:
            draw_demos(notebook)
        after = nbformat.writes(normalize(notebook), version=4).rstrip("\n") + "\n"
        if after == before:
            continue
        if options.check:
            print(f"{path}: not in committed form; run `make normalize`")
            faults += 1
        else:
            path.write_text(after)
            print(f"{path}: normalised")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
