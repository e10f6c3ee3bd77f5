"""Make what is handed out from the master notebooks.

Each folder of ``book/assignments`` holds one master notebook in nbgrader's format, the hand-written part of the teacher's
guide and a list of common errors. ``build`` lets nbgrader make the release and writes, into ``_build/assignments``,

* ``student``: for each assignment the release, as a folder and as a zip that opens in Binder. Hand out these, nothing else.
* ``teacher``: solutions, guides, and the course folder with which ``python -m tools.grading`` grades.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tools.assignments import masters
from tools.assignments.checks import PACKAGE, faults_of
from tools.assignments.guide import guide
from tools.assignments.masters import common_errors, leaks, master_path, solved, text_of, title_of
from tools.contents import BUILD
from tools.grading.submission import api
from tools.grading.submission import run as must

TARGET = BUILD / "assignments"
#: A time stamp for all files in a zip, so that the same sources give the same bytes.
EPOCH = (2026, 1, 1, 0, 0, 0)
ENVIRONMENT = f"""\
# For Binder: mybinder.org makes from this file a place in which the notebook runs.
name: assignment
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy>=2.0
  - scipy>=1.14
  - matplotlib>=3.9
  - ipywidgets>=8.1
  - jupyterlab>=4
  - git
  - pip
  - pip:
      - "{PACKAGE}"
"""
READ_ME = """\
# {title}

Open `{notebook}`, answer, save, and hand in the file under this name.

* **On your computer:** Python 3.11 or newer; `pip install jupyterlab "{package}"`, then
  `jupyter lab {notebook}`.
* **In Colab:** upload the notebook; its first cell installs what it needs.
* **On Binder:** put the files of this folder into a public Git repository, or upload the zip to Zenodo, and enter the
  address at mybinder.org. Binder forgets: download the notebook before you close it.
"""


def write_zip(path: Path, folder: Path, inside: str) -> None:
    """A zip of all files of a folder, below a folder of the given name; the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(f"{inside}/{file.relative_to(folder)}", EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.read_bytes())


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run a solved notebook, without its demos; an error ends the build."""
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        skip_cells_with_tag="nbval-ignore-output",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def build(chosen: list[str], target: Path = TARGET, run: bool = True) -> Path:
    """Make release, solutions, guides and the course folder below ``target``; returns the course folder."""
    student, teacher = target / "student", target / "teacher"
    course = teacher / "course"
    for folder in (student, teacher):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (student, teacher / "solutions", course / "source"):
        folder.mkdir(parents=True)
    shutil.copy(masters.MASTERS / "nbgrader_config.py", course / "nbgrader_config.py")
    for name in chosen:
        if faults := faults_of(name):
            raise SystemExit("\n".join(f"{name}: {fault}" for fault in faults))
        path = master_path(name)
        (course / "source" / name).mkdir()
        shutil.copy(path, course / "source" / name / path.name)
    # nbgrader makes the release, and writes the tests into the gradebook.
    nbgrader = api(course)
    for name in chosen:
        must("make the release", nbgrader.generate_assignment(name))
        path = master_path(name)
        notebook = nbformat.read(path, as_version=4)
        title = title_of(notebook)
        folder = student / name
        folder.mkdir()
        release = nbformat.read(course / "release" / name / path.name, as_version=4)
        (folder / path.name).write_text(text_of(release))
        (folder / "environment.yml").write_text(ENVIRONMENT)
        (folder / "README.md").write_text(READ_ME.format(title=title, notebook=path.name, package=PACKAGE))
        for file in sorted(folder.iterdir()):
            if found := leaks(notebook, file.read_text()):
                raise SystemExit(f"{name}: {file.name} would show students: {found[0]}")
        write_zip(student / f"{name}.zip", folder, name)
        solution = solved(nbformat.read(path, as_version=4))
        (teacher / "solutions" / path.name).write_text(text_of(execute(solution) if run else solution))
        text = guide(name, notebook, common_errors(name), (masters.MASTERS / name / "guide.md").read_text(), path.name)
        (teacher / f"{name}_guide.md").write_text(text)
    return course
