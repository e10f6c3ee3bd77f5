"""The committed bundle belongs to the committed sources, and nothing in it names another host."""

import importlib.util
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRONTEND, STATIC = ROOT / "frontend", ROOT / "ibtext" / "demos" / "static"

_spec = importlib.util.spec_from_file_location("check_bundle", FRONTEND / "check_bundle.py")
check_bundle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(check_bundle)


def copy(tmp_path):
    ignore = shutil.ignore_patterns("node_modules")
    here = shutil.copytree(FRONTEND, tmp_path / "frontend", ignore=ignore)
    return here, shutil.copytree(STATIC, tmp_path / "static")


def test_bundle_is_fresh():
    assert check_bundle.problem() is None


def test_an_edited_source_is_noticed(tmp_path):
    here, static = copy(tmp_path)
    source = here / "src" / "format.js"
    source.write_text(source.read_text(encoding="utf-8") + "\n// edited\n", encoding="utf-8")
    assert "edited without a build" in check_bundle.problem(here, static)


def test_an_edited_bundle_is_noticed(tmp_path):
    here, static = copy(tmp_path)
    (static / "demo.js").write_text((static / "demo.js").read_text(encoding="utf-8") + "alert(1)", encoding="utf-8")
    assert "never edited by hand" in check_bundle.problem(here, static)


@pytest.mark.skipif(
    shutil.which("node") is None or not (FRONTEND / "node_modules").is_dir(), reason="needs Node.js and npm ci in frontend/"
)
def test_a_rebuild_gives_the_same_bytes():
    out = subprocess.run(["node", "build.mjs", "--check"], cwd=FRONTEND, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout + out.stderr


def test_lock_file_names_no_registry():
    text = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    donations = r"https?://(?!github\.com/sponsors|opencollective|eslint\.org/donate)"
    assert not re.search(donations, text)


def test_bundle_names_no_other_host():
    """Addresses in the bundle are XML namespaces only."""
    text = (STATIC / "demo.js").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {"www.w3.org"}
    assert len(text.encode()) < 120_000  # every demo of a page carries it
