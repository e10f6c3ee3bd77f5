"""Fill a folder with the assignments for students, and with links that open them in Binder and Colab.

``python scripts/release_folder.py FOLDER --repository YOU/NAME``

The folder gets what ``make assignments`` wrote for students, one ``environment.yml`` for Binder, and a README with a link to
Binder and to Colab for each assignment. Make it a public Git repository of that name and push it; nothing in it is secret.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
STUDENT = ROOT / "_build" / "assignments" / "student"
PAGE = """\
# Assignments

A link opens the notebook: in JupyterLab on Binder, which takes a minute or two to start, or in Colab. Both forget what you did:
download the notebook before you close it (*File, Download*), and hand in this file under its own name.

| assignment | open in | |
|---|---|---|
"""


def title_of(path: Path) -> str:
    """The first heading of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return next(line[2:] for cell in cells for line in cell.source.splitlines() if line.startswith("# "))


def links(repository: str, branch: str, path: str) -> tuple[str, str]:
    """Addresses that open a notebook of a public repository: in JupyterLab on Binder, and in Colab.

    >>> links("me/course", "main", "1_x/x.ipynb")[0]
    'https://mybinder.org/v2/gh/me/course/main?urlpath=lab/tree/1_x/x.ipynb'
    """
    binder = f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{path}"
    return binder, f"https://colab.research.google.com/github/{repository}/blob/{branch}/{path}"


def fill(folder: Path, repository: str, branch: str, student: Path = STUDENT) -> list[str]:
    """Copy the releases and write the page of links; returns the names of the assignments."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise SystemExit(f"The repository must be given as OWNER/NAME, but {repository!r} came; write it as in its address.")
    notebooks = sorted(student.glob("*/*.ipynb"))
    if not notebooks:
        raise SystemExit(f"There is no release in {student.name}, probably because none was made; run: make assignments")
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for notebook in notebooks:
        name = notebook.parent.name
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        shutil.copy(notebook, folder / name)
        binder, colab = links(repository, branch, f"{name}/{notebook.name}")
        rows.append(f"| {title_of(notebook)} | [Binder]({binder}) | [Colab]({colab}) |")
    # Binder reads the recipe at the top of a repository, and one serves all: they are the same.
    recipes = {(notebook.parent / "environment.yml").read_text() for notebook in notebooks}
    if len(recipes) != 1:
        raise SystemExit("All releases need the same environment.yml, and these differ; run `make assignments` for all at once.")
    (folder / "environment.yml").write_text(recipes.pop())
    (folder / "README.md").write_text(PAGE + "\n".join(rows) + "\n")
    return [notebook.parent.name for notebook in notebooks]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repository", required=True, help="OWNER/NAME of the public repository at GitHub")
    parser.add_argument("--branch", default="main")
    options = parser.parse_args()
    names = fill(options.folder, options.repository, options.branch)
    print(f"{options.folder}: {', '.join(names)}, environment.yml, and README.md with the links.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
