"""The front end's own tests and its linter, and that what they compare with is what Python says."""

import importlib.util
import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

FRONTEND = pathlib.Path(__file__).resolve().parents[2] / "frontend"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (FRONTEND / "node_modules" / "eslint").is_dir(),
    reason="needs Node.js and npm ci in frontend/",
)


@needs_node
@pytest.mark.parametrize("script", ["lint", "test"])
def test_the_scripts_of_the_front_end_pass(script):
    out = subprocess.run(["npm", "run", "--silent", script], cwd=FRONTEND, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout + out.stderr


def assert_close(found, stored):
    """Equal in everything but the last digits of numbers; null stands for NaN."""
    if isinstance(stored, dict):
        assert found.keys() == stored.keys()
        for key, value in stored.items():
            assert_close(found[key], value)
    elif isinstance(stored, list) and isinstance(stored[:1] and stored[0], dict | list | str):
        for a, b in zip(found, stored, strict=True):
            assert_close(a, b)
    elif isinstance(stored, str):
        assert found == stored
    else:
        np.testing.assert_allclose(np.array(found, dtype=float), np.array(stored, dtype=float), rtol=1e-9, atol=1e-10)


def test_the_reference_is_what_python_says():
    spec = importlib.util.spec_from_file_location("reference", FRONTEND / "test" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found, stored = module.reference(), json.loads(module.FILE.read_text(encoding="utf-8"))
    # the bytes of a table and their scales may differ in a last digit between machines; what is read from them may not
    for table in (found["table"], stored["table"]):
        assert table.pop("data") and table.pop("read") and table["engine"].pop("blocks") and table["engine"].pop("error")
    assert_close(found, stored)
