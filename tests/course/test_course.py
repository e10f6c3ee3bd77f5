"""What stands around the book for those who teach with it: launch links, Binder's recipe, the page "Teaching", slides."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml

from scripts import binder_requirements, release_folder
from tools.contents import ROOT, pages
from tools.notebooks.claims import collect
from tools.notebooks.normalize import COLAB as COLAB_CELL
from tools.site import slides
from tools.sphinx import teaching

RECIPE = (ROOT / "environment.yml").read_text()
DOCS = (ROOT / "docs" / "running-the-course.md").read_text()
TEACHING = (ROOT / "book" / "teaching.md").read_text()
CHAPTERS = [page.path for page in pages() if page.is_chapter]


def dockerfile(folder: Path) -> list[str]:
    """The lines of the recipe that repo2docker makes of a folder, without building it."""
    program = str(Path(sys.executable).with_name("jupyter-repo2docker"))
    result = subprocess.run([program, "--no-build", "--debug", "."], cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    return (result.stdout + result.stderr).splitlines()


def first(lines: list[str], text: str) -> int:
    """Number of the first line with a text."""
    return next(number for number, line in enumerate(lines) if text in line)


def test_binder_copies_the_repository_before_it_installs_the_package() -> None:
    """The recipe installs ``-e .``; installed before the copy, there would be nothing to install."""
    lines = dockerfile(ROOT)
    copied, installed = (
        first(lines, "COPY --chown=0:0 src/"),
        first(lines, 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"'),
    )
    assert copied < installed < first(lines, "RUN ./postBuild")


def test_binder_installs_what_the_chapters_import() -> None:
    """Every library that a chapter imports, and those that show theorems and demos in JupyterLab."""
    named = {re.split(r"[<>=\s]", line)[0].lower() for line in binder_requirements.requirements(RECIPE)}
    code = "\n".join(c.source for p in CHAPTERS for c in nbformat.read(p, as_version=4).cells if c.cell_type == "code")
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)) - set(sys.stdlib_module_names) - {"ibtext"}
    assert {"numpy", "torch"} <= imported <= named
    assert {"jupyterlab", "jupyterlab-myst", "anywidget", "ipywidgets", "nbgrader", "-e"} <= named


def test_recipe_accepts_the_tested_versions() -> None:
    from packaging.requirements import Requirement

    for line in binder_requirements.requirements(RECIPE):
        if not line.startswith("-e"):
            requirement = Requirement(line)
            assert requirement.specifier.contains(binder_requirements.locked(requirement.name.lower())), line


def test_post_build_leaves_students_what_they_need(tmp_path: Path) -> None:
    """The panels that it switches off exist in nbgrader, and the list of assignments is not among them."""
    (tmp_path / "python").write_text(f"#!/bin/sh\necho {tmp_path}\n")
    (tmp_path / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", str(ROOT / "postBuild")], check=True, env=environment)
    config = json.loads((tmp_path / "etc" / "jupyter" / "labconfig" / "page_config.json").read_text())
    off = {name for name, is_off in config["disabledExtensions"].items() if is_off}
    static = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader" / "static"
    plugins = set(re.findall(r"@jupyter/nbgrader:[\w-]+", "".join(p.read_text() for p in static.glob("*.js"))))
    assert "@jupyter/nbgrader:create-assignment" in off < plugins
    assert not {"@jupyter/nbgrader:assignment-list", "@jupyter/nbgrader:validate-assignment"} & off


def test_lines_for_colab_bring_what_the_chapters_need() -> None:
    """The package with its demos, and the folder in which the chapters find their tables; Colab itself has the rest."""
    clone, install, change = (line.strip() for line in COLAB_CELL.splitlines() if line.startswith("    "))
    assert yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"] in clone.split()
    assert install.endswith('"./repository[demos]"') and change == "%cd -q repository/book"
    for path in CHAPTERS:
        first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
        assert first.source == COLAB_CELL and first.metadata.tags == ["remove-cell"]
    code = "\n".join(c.source for p in CHAPTERS for c in nbformat.read(p, as_version=4).cells if c.cell_type == "code")
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)) - set(sys.stdlib_module_names)
    assert imported == {"ibtext", "matplotlib", "numpy", "scipy", "torch"}
    tables = set(re.findall(r'Path\("([^"]+)"\)', code))
    assert tables and all((ROOT / "book" / table).exists() for table in tables)


COLAB = """
import sys, types
calls = []
output = types.ModuleType("google.colab.output")
output.enable_custom_widget_manager = lambda: calls.append(1)
sys.modules["google.colab.output"] = output
import ibtext as ib
ib.demos.GeometryDemo()
assert calls == [1], calls
"""


def test_demos_ask_colab_for_custom_widgets() -> None:
    """docs/running-the-course.md says that students need not."""
    result = subprocess.run([sys.executable, "-c", COLAB], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]


def master(folder: Path, name: str) -> None:
    """A made-up release, in the form of those that ``make assignments`` writes."""
    (folder / name).mkdir(parents=True)
    heading = nbformat.v4.new_markdown_cell(f"# Assignment {name}")
    nbformat.write(nbformat.v4.new_notebook(cells=[heading]), folder / name / "questions.ipynb")
    (folder / name / "environment.yml").write_text("dependencies: [python=3.11, pip, {pip: [anywidget]}]\n")
    (folder / name / "README.md").write_text("For one assignment alone.\n")


def test_release_folder_opens_in_binder_and_has_a_link_for_each_assignment(tmp_path: Path) -> None:
    for name in ("1_one", "2_two"):
        master(tmp_path / "student", name)
    names = release_folder.fill(tmp_path / "release", "someone/course", "main", tmp_path / "student")
    assert names == ["1_one", "2_two"]
    page = (tmp_path / "release" / "README.md").read_text()
    for name in names:
        assert (tmp_path / "release" / name / "questions.ipynb").exists()
        for link in release_folder.links("someone/course", "main", f"{name}/questions.ipynb"):
            assert f"({link})" in page
    assert first(dockerfile(tmp_path / "release"), '--file "environment.yml"')


def test_release_folder_refuses_what_would_not_open(tmp_path: Path) -> None:
    (tmp_path / "student").mkdir()
    with pytest.raises(SystemExit, match="make assignments"):
        release_folder.fill(tmp_path / "release", "someone/course", "main", tmp_path / "student")
    with pytest.raises(SystemExit, match="OWNER/NAME"):
        release_folder.fill(tmp_path / "release", "https://example.org/x", "main", tmp_path / "student")
    for name in ("1_one", "2_two"):
        master(tmp_path / "student", name)
    (tmp_path / "student" / "2_two" / "environment.yml").write_text("dependencies: [python=3.12]\n")
    with pytest.raises(SystemExit, match="differ"):
        release_folder.fill(tmp_path / "release", "someone/course", "main", tmp_path / "student")


def test_map_declares_exactly_the_references_between_chapters() -> None:
    owner = teaching.owners()
    assert {statement.label for statement in collect(ROOT)[0]} <= set(owner)
    assert set(teaching.declared()) == {path.stem for path in CHAPTERS}
    for chapter, what in teaching.declared().items():
        said: dict[str, set[str]] = {}
        for kind in teaching.KINDS:
            for other, use in what.get(kind, {}).items():
                said.setdefault(other, set()).update(use["statements"] if isinstance(use, dict) else use)
        assert said == teaching.links(chapter, owner), f"book/teaching.yml and the references of {chapter} disagree"


def test_no_chapter_needs_a_later_one() -> None:
    """What must be read first comes first; only single results are borrowed from later chapters."""
    for kind in ("needs", "helps"):
        assert all(used < chapter for used, chapter in teaching.edges(kind))
    assert all(used > chapter for used, chapter in teaching.edges("borrows"))


def test_map_draws_every_chapter_and_every_arrow_beside_the_other_boxes() -> None:
    drawing = ElementTree.fromstring(teaching.drawing())
    boxes = [[float(box.get(k, 0)) for k in ("x", "y", "width", "height")] for box in drawing.iter("rect")]
    arrows = [path.get("d", "") for path in drawing.iter("path")]
    assert len(boxes) == len(CHAPTERS)
    assert len(arrows) == len(teaching.edges("needs")) + len(teaching.edges("helps"))
    for arrow in arrows:
        x0, y0, x1, y1 = map(float, re.findall(r"[\d.]+", arrow))
        for x, y, width, height in boxes:
            for k in range(1, 200):
                at_x, at_y = x0 + (x1 - x0) * k / 200, y0 + (y1 - y0) * k / 200
                assert not (x < at_x < x + width and y < at_y < y + height), f"{arrow} runs through a box"


def test_syllabi_name_every_chapter_and_only_what_exists() -> None:
    """Sections and exercises are links, which the build checks; demos are checked here."""
    import ibtext.demos

    shown = set(re.findall(r"\{demo\}`(\w+)`", TEACHING))
    assert shown == {name for name in ibtext.demos.__all__ if name.endswith("Demo") and name != "Demo"}
    syllabi = re.split(r"^## ", TEACHING, flags=re.MULTILINE)
    course = next(part for part in syllabi if part.startswith("Ten weeks"))
    for path in CHAPTERS:
        keys = [label for _, label in teaching.EXERCISE.findall(teaching.prose(path.stem))]
        assert set(keys[:3]) <= set(re.findall(r"\{ref\}`(exr-[\w-]+)`", course)), path.stem


def test_docs_link_files_that_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", DOCS):
        assert (ROOT / "docs" / target).resolve().exists(), target


def test_values_of_the_hub_are_yaml_with_the_keys_of_the_chart() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    values = yaml.safe_load(next(block for block in blocks if block.startswith("singleuser:")))
    assert set(values) == {"singleuser", "cull", "scheduling", "prePuller", "hub"}
    single = values["singleuser"]
    known = {"image", "defaultUrl", "memory", "cpu", "extraEnv", "lifecycleHooks", "storage", "extraFiles"}
    assert set(single) == known
    # The home is a disk of the student's own, so the repository lies elsewhere, and the chapters are copied from there.
    where = re.search(r"--target-repo-dir (\S+)", DOCS)
    assert where is not None and not where[1].startswith("/home")
    assert f"{where[1]}/book" in single["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    volumes = {volume["name"] for volume in single["storage"]["extraVolumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in single["storage"]["extraVolumeMounts"]}
    assert volumes == set(mounts)
    compile(single["extraFiles"]["nbgrader"]["stringData"], "nbgrader_config.py", "exec")
    assert mounts["exchange"] in single["extraFiles"]["nbgrader"]["stringData"]


SVG = """<?xml version="1.0"?><!DOCTYPE svg><svg width="300pt" height="150pt" viewBox="0 0 300 150"
 xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<path id="p" d="M0 0"/><use xlink:href="#p"/></svg>"""


def figure(caption: str, svg: str = SVG) -> slides.Figure:
    return slides.Figure("book/x", "1. A & B", "fig-x", caption, "A line that rises.", svg)


@pytest.mark.parametrize("words", [1, 30, 90])
@pytest.mark.parametrize("size", ["300 150", "300 240", "150 600"])
def test_slide_holds_figure_and_caption_within_its_frame(words: int, size: str) -> None:
    caption = " ".join(["Größe ζ<1"] * words)
    root = ElementTree.fromstring(slides.slide(figure(caption, SVG.replace("300 150", size))))
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("viewBox") == "0 0 1600 900"
    inner = root.find(f"{name}svg")
    assert inner is not None
    x, y, width, height = (float(inner.get(key, "nan")) for key in ("x", "y", "width", "height"))
    assert width / height == pytest.approx(eval(size.replace(" ", "/")), rel=1e-2)
    lines = list(root.iter(f"{name}tspan"))
    assert " ".join(line.text or "" for line in lines) == caption
    assert x >= 0 and x + width <= 1600 and y >= 70
    left, top = (float(lines[0].get(key, "nan")) for key in ("x", "y"))
    assert y + height <= top - slides.SIZE or x + width <= left, "figure and caption overlap"
    assert top - slides.SIZE >= 70 and float(lines[-1].get("y", "nan")) < 900 - slides.SIZE / 2
    assert all(left + slides.width_of(line.text or "") <= 1600 - slides.MARGIN for line in lines)
    assert [e.text for e in root.iter(f"{name}desc")] == ["A line that rises."]


def test_slides_take_figures_and_no_demos() -> None:
    cell = nbformat.v4.new_code_cell("", metadata={"mystnb": {"figure": {"name": "a", "caption": "b"}, "image": {"alt": "c"}}})
    cell.outputs = [nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG})]
    demo = nbformat.v4.new_code_cell("")
    demo.outputs = [nbformat.v4.new_output("display_data", data={"image/png": "", slides.WIDGET: {}})]
    found = slides.figures_of(nbformat.v4.new_notebook(cells=[cell, demo]), "book/x", "X")
    assert [(f.name, f.caption, f.alt) for f in found] == [("a", "b", "c")]
    with pytest.raises(ValueError, match="viewBox"):
        slides.size_of("<svg></svg>")
