"""Tell, without Node.js, whether the committed bundle was built from the committed sources.

Run ``python frontend/check_bundle.py``; it prints one sentence and exits 1 if the bundle is stale or was edited by hand.
"""

from __future__ import annotations

import hashlib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
STATIC = HERE.parent / "ibtext" / "demos" / "static"
BANNER = re.compile(r"\A/\*!.*? sources:([0-9a-f]{64}) body:([0-9a-f]{64}) \*/\n")


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sources_hash(here: pathlib.Path = HERE) -> str:
    """Return the hash of the front end's sources, computed as build.mjs computes it."""
    files = [here / name for name in ("build.mjs", "package.json", "package-lock.json")]
    files += [p for p in (here / "src").rglob("*") if p.is_file()]
    names = sorted((p.relative_to(here).as_posix(), p) for p in files)
    return _sha("".join(f"{name}\n{_sha(p.read_bytes())}\n" for name, p in names).encode())


def problem(here: pathlib.Path = HERE, static: pathlib.Path = STATIC) -> str | None:
    """Return what is wrong with the bundle in one sentence, or None."""
    sources = sources_hash(here)
    for name in ("demo.js", "demo.css"):
        text = (static / name).read_text(encoding="utf-8")
        banner = BANNER.match(text)
        if banner is None:
            return f"A built file opens with a banner of hashes, but {name} has none; run 'npm run build' in frontend/."
        if banner[1] != sources:
            return (
                f"The bundle is built from the committed sources, but {name} was built from others; a source was "
                "probably edited without a build; run 'npm run build' in frontend/ and commit the result."
            )
        if banner[2] != _sha(text[banner.end() :].encode()):
            return (
                f"A built file is never edited by hand, but {name} differs from what its banner promises; run "
                "'npm run build' in frontend/."
            )
    return None


if __name__ == "__main__":
    found = problem()
    print(found or "The bundle is fresh.")
    sys.exit(found is not None)
