"""Write ``requirements.lock``: every package that ``requirements.in`` needs, at the version installed here.

The lock is taken from the environment that passed the tests, not solved afresh, so a reader gets what was tested.
Versions are written without local labels (``2.13.0``, not ``2.13.0+cpu``): the label names a build that not every
index carries. ``python -m tools.lock --check`` fails when the committed file and the environment differ.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "requirements.in"
LOCK = ROOT / "requirements.lock"
HEADER = """\
# Exact versions of everything that the book was built and tested with (Python {python}, Linux).
# Written by `make lock` from requirements.in and the tested environment; do not edit by hand.
"""


def direct_requirements(text: str) -> list[Requirement]:
    """Requirements named in the text of ``requirements.in``."""
    lines = (re.sub(r"\s*#.*", "", line).strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def closure(requirements: list[Requirement]) -> dict[str, Version]:
    """Installed versions of the requirements and of all that they need on this platform.

    Raises
    ------
    SystemExit
        When a requirement is not installed or its installed version is outside the range asked for.
    """
    environment = dict(default_environment())
    found: dict[str, Version] = {}
    seen: set[tuple[str, str]] = set()
    queue = [(requirement, extra) for requirement in requirements for extra in {"", *requirement.extras}]
    while queue:
        requirement, extra = queue.pop()
        name = canonicalize_name(requirement.name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise SystemExit(
                f"Every requirement must be installed before it is locked, but {requirement} is not; "
                f"run `.venv/bin/pip install '{requirement}'`."
            ) from None
        version = Version(distribution.version)
        if not requirement.specifier.contains(version, prereleases=True):
            raise SystemExit(
                f"The environment must satisfy requirements.in, but {name} is {version} where {requirement} is asked "
                f"for; run `.venv/bin/pip install '{requirement}'`."
            )
        found[name] = version
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in distribution.requires or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate(environment | {"extra": extra}):
                queue += [(needed, inner) for inner in {"", *needed.extras}]
    return found


def render(versions: dict[str, Version]) -> str:
    """Text of the lock file."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = [f"{name}=={versions[name].public}" for name in sorted(versions)]
    return HEADER.format(python=python) + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the lock, or with ``--check`` compare it with the environment."""
    text = render(closure(direct_requirements(SOURCE.read_text())))
    if "--check" in arguments:
        if LOCK.read_text() != text:
            print("requirements.lock must match the environment, but it differs: run `make install` or `make lock`.")
            return 1
        return 0
    LOCK.write_text(text)
    print(f"{LOCK.name}: {text.count('==')} packages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
