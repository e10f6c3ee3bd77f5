"""Sphinx extension: the checks of a statement appear on the page as a certificate.

A cell tagged ``claim`` begins with ``# claim: label`` and prints lines by ``ibtext.report``. On the page these lines become
the rows of a table under the statement's name: what, predicted, measured, tolerance, and a mark. Other lines stay as they
are. The notebook keeps the text, which its test compares.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from tools.notebooks.certificate_lines import Line, read
from tools.notebooks.claims import claimed_labels

HEADS = ("what", "predicted", "measured", "tolerance", "holds")


class Certificates(SphinxTransform):
    """Put a certificate in the place of the printed lines of every claim cell."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Change the outputs of the claim cells of this page."""
        for cell in list(self.document.findall(nodes.container)):
            if "tag_claim" not in cell.get("classes", []):
                continue
            parts = {name: part for part in cell.findall(nodes.container) for name in part["classes"]}
            if not {"cell_input", "cell_output"} <= set(parts):
                continue
            lines: list[Line] = []
            for block in list(parts["cell_output"].findall(nodes.literal_block)):
                found, rest = read(block.astext())
                lines += found
                if found and rest:
                    block.parent.replace(block, nodes.literal_block(rest, rest, **block.attributes))
                elif found:
                    block.parent.remove(block)
            if lines:
                labels = claimed_labels(parts["cell_input"].astext())
                parts["cell_output"].insert(0, certificate(labels, lines, self.env.docname))


def certificate(labels: list[str], lines: list[Line], docname: str) -> nodes.Node:
    """The lines as a table, under the names of the statements that they check."""
    title = nodes.paragraph("", "Check of ", classes=["ib-certificate-title"])
    for i, label in enumerate(labels):
        title += nodes.Text(", " if i else "")
        link = addnodes.pending_xref("", nodes.inline("", label), refdomain="prf", reftype="ref", reftarget=label)
        title += link
        link["refdoc"], link["refexplicit"], link["refwarn"] = docname, False, True

    def row(*cells: str) -> nodes.Node:
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))

    body = nodes.tbody("", *(row(line.what, line.predicted, line.measured, line.tolerance or "bound", "✓") for line in lines))
    columns = [nodes.colspec(colwidth=1) for _ in HEADS]
    group = nodes.tgroup("", *columns, nodes.thead("", row(*HEADS)), body, cols=len(HEADS))
    return nodes.container("", title, nodes.table("", group), classes=["ib-certificate"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(Certificates)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
