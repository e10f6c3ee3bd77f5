"""Promises about the repository itself: nothing private, nothing third-party, documents that are true."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tools.contents import ROOT, pages
from tools.lock import closure, direct_requirements, render

PYTHON = sorted((ROOT / "ibtext").rglob("*.py"))
# Hosts that pages may *link* to. No page loads anything from them; tests/browser watches the requests.
LINKED = {
    "github.com", "mybinder.org", "colab.research.google.com", "creativecommons.org", "semver.org", "doi.org",
    "www.w3.org",  # the name of the SVG name space, never fetched
}  # fmt: skip


def tracked() -> list[Path]:
    """Text files in git, or, in a copy without git, all files that are not built."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0:
        paths = [ROOT / line for line in listing.stdout.splitlines()]
    else:
        built = {".venv", "_build", "node_modules", ".git", "__pycache__"}
        paths = [path for path in ROOT.rglob("*") if not built & set(path.parts)]
    return [path for path in paths if path.is_file() and path.suffix not in {".png", ".woff2", ".npz", ".ico"}]


def occurrences(pattern: str, paths: list[Path]) -> list[str]:
    """``file:line: text`` of every match."""
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group(0)}")
    return found


def test_no_machine_paths() -> None:
    # Built from parts, so that this file does not find itself.
    folders = ("home", "root", "work", "Users", "tmp/bash" + "_jobs")
    pattern = "|".join(f"(?<![\\w.~])/{folder}/" for folder in folders)
    assert not occurrences(pattern, tracked())


def test_pages_and_package_name_no_third_party_host() -> None:
    paths = [p for p in tracked() if p.is_relative_to(ROOT / "book") or p.is_relative_to(ROOT / "ibtext")]
    hosts = occurrences(r"https?://[\w.-]+|(?<=[\"'(])//[\w-]+\.[\w.-]+", [*paths, ROOT / "_config.yml"])
    foreign = [hit for hit in hosts if hit.split("//")[-1] not in LINKED and "LICENSE" not in hit and "OFL" not in hit]
    assert not foreign


def test_no_registry_host_in_lock_files() -> None:
    locks = [path for path in tracked() if path.name in {"requirements.lock", "requirements.in", "package-lock.json"}]
    assert not [hit for hit in occurrences(r"https?://[^\"]+", locks) if "registry" in hit or "index" in hit]


def test_toc_is_complete() -> None:
    written = {path for path in (ROOT / "book").rglob("*") if path.suffix in {".md", ".ipynb"}}
    # The masters of the assignments hold the solutions: no page is made of them.
    written = {path for path in written if not {".ipynb_checkpoints", "assets", "data", "assignments"} & set(path.parts)}
    assert written == {page.path for page in pages()}


def top_imports(path: Path) -> set[str]:
    """Packages that a module imports when it is imported: statements outside functions."""
    names: set[str] = set()
    body = list(ast.parse(path.read_text()).body)
    while body:
        node = body.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
                body += node.body
    return names


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_drawing_modules_import_drawing_libraries(path: Path) -> None:
    drawing = {"matplotlib", "ipywidgets", "anywidget"}
    allowed = path.name == "plotting.py" or "demos" in path.parts
    assert allowed or not top_imports(path) & drawing
    assert path.name == "torch.py" or "torch" not in top_imports(path)


def test_readme_code_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    assert len([line for line in blocks[0].splitlines() if line.strip() and "import" not in line]) <= 10
    result = subprocess.run([sys.executable, "-W", "error", "-c", blocks[0]], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    distance = float(result.stdout.split()[-1])
    # At width 4860 the distance is of order 1/sqrt(4860) = 0.014, times the spread of the interpolant.
    assert 1e-4 < distance < 0.1


def test_readme_pictures_and_links_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r'src="([^"]+)"', text):
            assert target.startswith("http") or (ROOT / target).exists(), f"{name}: {target}"


def test_citation_is_valid() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version", "license", "date-released", "repository-code"} <= set(citation)
    assert citation["type"] in {"software", "dataset"}
    assert citation["authors"] and all("name" in a or "family-names" in a for a in citation["authors"])
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(citation["date-released"]))
    import ibtext

    assert citation["version"] == ibtext.__version__


def test_changelog_names_the_version() -> None:
    import ibtext

    assert f"## {ibtext.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_binder_recipe_is_accepted_and_installs_the_package() -> None:
    recipe = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = {re.split(r"[<>=]", item)[0] for item in recipe["dependencies"] if isinstance(item, str)}
    pip = next(item["pip"] for item in recipe["dependencies"] if isinstance(item, dict))
    named = {re.split(r"[<>=]", item)[0] for item in pip}
    assert {"numpy", "scipy", "pytorch-cpu", "ipywidgets", "matplotlib", "jupyterlab"} <= conda
    assert {"jupyter-book", "nbval", "anywidget", "-e ."} <= named
    program = Path(sys.executable).with_name("jupyter-repo2docker")
    command = [str(program), "--no-build", "--debug", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    assert "environment.yml" in result.stdout + result.stderr


def test_lock_is_what_is_installed() -> None:
    expected = render(closure(direct_requirements((ROOT / "requirements.in").read_text())))
    assert (ROOT / "requirements.lock").read_text() == expected, "run `make install`, or `make lock` after an upgrade"


def test_committed_bundle_is_fresh() -> None:
    check = ROOT / "frontend" / "check_bundle.py"
    result = subprocess.run([sys.executable, str(check)], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_bibliography_is_complete_and_each_citation_has_its_entry() -> None:
    entries = set(re.findall(r"@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text()))
    text = "\n".join(page.path.read_text() for page in pages())
    cited = {key for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in re.split(r"\s*,\s*", keys)}
    assert cited and cited <= entries


def test_scripts_are_executable_shell() -> None:
    for script in (ROOT / ".ci" / "run", ROOT / "postBuild"):
        assert script.stat().st_mode & 0o100
        subprocess.run([shutil.which("bash") or "bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("target", "help install book test lab assignments clean bench lock normalize".split())
def test_make_targets_exist_and_are_explained(target: str) -> None:
    assert re.search(rf"^{target}:.*## \w+", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_no_two_test_files_share_a_name() -> None:
    """pytest imports a test file by its name alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []
