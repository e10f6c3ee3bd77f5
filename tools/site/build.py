"""Build the site: execute what is out of date, run Jupyter Book with every warning an error, say how to open it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tools.contents import BUILD, ROOT
from tools.notebooks.execute import CACHE, digest, files_under, fill_cache

SITE = BUILD / "html"
INPUTS = ("_config.yml", "_toc.yml", "book", "ibtext", "tools", "tests/claims", "requirements.lock", "pyproject.toml")


def derived_config() -> Path:
    """The configuration of the book, reading outputs from the cache that ``fill_cache`` has just brought up to date.

    ``_config.yml`` itself says ``force``, so that a plain ``jupyter-book build .`` can never show old outputs.
    """
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"] |= {"execute_notebooks": "cache", "cache": str(CACHE)}
    extensions = config["sphinx"]["local_extensions"]
    config["sphinx"]["local_extensions"] = {name: str(ROOT / path) for name, path in extensions.items()}
    path = BUILD / "_config.yml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def announce() -> None:
    """Print how to open the site."""
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) / 1e6
    print(f"\nThe book is in _build/html ({size:.1f} MB, no network needed). Open _build/html/index.html in a browser,")
    print("or serve it: .venv/bin/python -m http.server --directory _build/html 8000, then http://localhost:8000")


def main() -> int:
    """Bring the site up to date."""
    key_file = BUILD / "site.key"
    key = digest(files_under(*INPUTS))
    if (SITE / "index.html").exists() and key_file.exists() and key_file.read_text() == key:
        print("The site is up to date: nothing that it is made from has changed.")
        announce()
        return 0
    start = time.perf_counter()
    fill_cache()
    shutil.rmtree(SITE, ignore_errors=True)
    key_file.unlink(missing_ok=True)
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", str(ROOT), "--config", str(derived_config())]
    # --all: Sphinx looks at the pages only, and would keep a page whose numbers changed with the package.
    result = subprocess.run([*command, "--all", "-W", "-n", "--keep-going", "-q"], check=False)
    if result.returncode:
        print("The site was not built: see the warnings above; each one counts as an error.")
        return result.returncode
    (SITE / ".nojekyll").touch()
    key_file.write_text(key)
    print(f"Built in {time.perf_counter() - start:.0f} s.")
    announce()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
