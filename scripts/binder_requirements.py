"""Print what environment.yml names as requirements for pip: where there is no conda, the same bounds can still be tried."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
#: Packages whose name at conda-forge is not that of pip.
NAMES = {"pytorch-cpu": "torch"}
#: Not packages of pip.
LEFT_OUT = {"python", "pip", "git"}


def locked(name: str) -> str:
    """The version of a package in the lock file."""
    found = re.search(rf"^{re.escape(name)}==(\S+)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"The lock file names every tested package, but {name} is not in it; run `make lock`.")
    return found[1]


def requirements(recipe: str) -> list[str]:
    """Requirements for pip from the text of an environment.yml.

    torch is taken at the tested version: newer wheels for Linux carry gigabytes of CUDA, which conda's pytorch-cpu does not.

    >>> requirements("dependencies: [python=3.11, 'numpy>=2.0', {pip: [nbval, '-e .']}]")
    ['numpy>=2.0', 'nbval', '-e .']
    """
    lines: list[str] = []
    for item in yaml.safe_load(recipe)["dependencies"]:
        if isinstance(item, dict):
            lines += item["pip"]
            continue
        name, bound = re.fullmatch(r"([A-Za-z0-9_-]+)(.*)", item.replace(" ", "")).groups()
        if name in NAMES:
            lines.append(f"{NAMES[name]}=={locked(NAMES[name])}")
        elif name not in LEFT_OUT:
            lines.append(name + re.sub(r"^=(?!=)", "==", bound))
    return lines


if __name__ == "__main__":
    print("\n".join(requirements((ROOT / "environment.yml").read_text())))
