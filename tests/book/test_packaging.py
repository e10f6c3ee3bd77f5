"""What `pip install .` gives: a typed wheel that works beside NumPy, SciPy and array-api-compat, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.contents import ROOT
from tools.lock import direct_requirements

CORE = {"numpy", "scipy", "array-api-compat"}
EXTRAS = {"demos", "torch", "sweep", "book", "test", "course"}
BLOCKED = ["torch", "matplotlib", "ipywidgets", "anywidget", "traitlets", "joblib", "dask", "distributed", "pandas", "mpmath"]
SCIPY = "import scipy.integrate, scipy.optimize, scipy.stats, scipy.linalg, scipy.special, scipy.interpolate"

# An import hook that makes this interpreter one in which the optional libraries are not installed.
ISOLATED = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Missing())
sys.path.insert(0, {target!r})
import numpy as np
from scipy import stats
import ibtext as ib

assert ib.__file__.startswith({target!r}), ib.__file__
start = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
x, y = [-0.5, 0.0, 0.5], [0.3, -0.2, 0.4]
limit = ib.wide_limit(x, y, activation="abs", initialization=start, potential=ib.Scaled(ib.PowerPotential(p=3)))
assert np.abs(limit(x) - y).max() < 1e-11
net = ib.ShallowNetwork.sample(width=200, activation="abs", initialization=start, rng=0, antisymmetric=True)
run = ib.mirror_flow(net, x, y, potential=ib.Scaled(ib.CoshPotential()), tol=1e-8)
assert np.abs(run.network(x) - y).max() < 1e-8
try:
    import ibtext.torch
except ImportError as error:
    assert 'pip install "ibtext[torch]"' in str(error), error
else:
    raise AssertionError("torch was not blocked")
print("solved")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources so that nothing is left behind in them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "ibtext", source / "ibtext", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_the_package_its_types_and_its_front_end(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "ibtext").rglob("*.py")}
    assert modules | {"ibtext/py.typed", "ibtext/demos/static/demo.js", "ibtext/demos/static/demo.css"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"ibtext"}


def test_wheel_asks_for_three_libraries_and_offers_the_extras(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    metadata = Parser().parsestr(archive.read(name).decode())
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    assert {canonicalize_name(r.name) for r in needed if r.marker is None} == CORE
    assert set(metadata.get_all("Provides-Extra")) == EXTRAS


def test_installed_wheel_solves_a_problem_with_nothing_else_installed(wheel: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, str(wheel)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    code = ISOLATED.format(blocked=BLOCKED, target=target)
    result = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (result.returncode, result.stdout.strip()) == (0, "solved"), result.stderr[-3000:]


def loaded_by(statement: str) -> set[str]:
    """Modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_import_loads_nothing_beyond_the_parts_of_scipy_that_it_names() -> None:
    """What costs time in `import ibtext` beyond NumPy and SciPy is the package's own code, and that is small."""
    extra = loaded_by("import ibtext") - loaded_by(SCIPY)
    assert "ibtext.wide" in extra
    own = {"ibtext", "array_api_compat"}
    foreign = {name for name in extra if name.split(".")[0] not in own | set(sys.stdlib_module_names)}
    assert not foreign
    assert not {"ibtext.torch", "ibtext.plotting", "ibtext.demos"} & extra


def test_extras_agree_with_what_is_tested() -> None:
    """Every library of an extra that this environment can hold is locked, at a version that the extra accepts."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) == EXTRAS
    locked = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#")
    named = {canonicalize_name(requirement.name) for requirement in direct_requirements((ROOT / "requirements.in").read_text())}
    for requirement in {Requirement(line) for lines in extras.values() for line in lines}:
        name = canonicalize_name(requirement.name)
        if name == "ibtext":
            continue
        assert name in named, f"{name} is in an extra but not in requirements.in"
        assert requirement.specifier.contains(locked[name]), f"{name} {locked[name]} is outside {requirement}"
