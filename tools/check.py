"""Run everything that must hold (``make test``): every part runs, so that one report shows every fault.

Two lanes run side by side, because many tests wait, for a browser or for a limit of time, and leave a core idle: one tests the
package, the other makes and tests the site. The notebooks are executed once; nbval compares that run with what is committed,
and the site is made of it. What a part prints appears when it ends. The exit status is that of the first part that failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from tools.contents import BUILD, ROOT

PYTEST = (sys.executable, "-m", "pytest", "-q", "-n", "auto", "--durations=12")
NOTEBOOKS = [str(path) for path in sorted((ROOT / "book").glob("*.ipynb"))]
Part = tuple[str, tuple[str, ...]]

SITE: tuple[Part, ...] = (
    ("style (ruff)", (sys.executable, "-m", "ruff", "check", ".")),
    ("types (mypy, strict)", (sys.executable, "-m", "mypy")),
    ("notebooks, and their mutations", (sys.executable, "-m", "tools.notebooks.execute", "--mutations")),
    (
        "notebooks (nbval, strict)",
        (
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tools.notebooks.replay", "--nbval"),
            *("-W", "default", "-o", "filterwarnings=", *NOTEBOOKS),
        ),
    ),
    ("site (warnings are errors)", (sys.executable, "-m", "tools.site.build")),
    # One browser a worker, and one JupyterLab in all; pages are opened from their files, so there is no server to share.
    ("built pages in a browser", (*PYTEST, "--dist", "loadgroup", "tests/browser")),
)
# In the order of the folders: the assignments, which wait most, come first, and nothing long is left for one core alone.
PACKAGE: tuple[Part, ...] = (
    ("package, claims, demos, house", (*PYTEST, "--dist", "loadfile", "--no-loadscope-reorder", "--ignore=tests/browser")),
    ("rounding of two other processors", (sys.executable, "-m", "tools.machines", "--short")),
)
# Workers use all cores already; threads of the linear algebra on top of them only wait for each other.
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Report:
    """What the parts gave, in the order in which they ended."""

    def __init__(self) -> None:
        self.status, self.lines, self.lock = 0, list[str](), threading.Lock()

    def run(self, lane: tuple[Part, ...]) -> None:
        """Run the parts of a lane one after the other."""
        for name, command in lane:
            if name == "built pages in a browser" and not (BUILD / "html" / "index.html").exists():
                self.add(name, 0.0, "not run, because there is no site", "")
                continue
            start = time.perf_counter()
            result = subprocess.run(
                command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            with self.lock:
                self.status = self.status or result.returncode
            self.add(name, time.perf_counter() - start, "FAILED" if result.returncode else "ok", result.stdout)

    def add(self, name: str, seconds: float, verdict: str, output: str) -> None:
        """Print a part, and keep its line of the summary."""
        with self.lock:
            self.lines.append(f"{name:34} {seconds:4.0f} s  {verdict}")
            print(f"\n== {name}\n{output.rstrip()}", flush=True)


def main() -> int:
    """Run both lanes and print the summary."""
    start, report = time.perf_counter(), Report()
    lanes = [threading.Thread(target=report.run, args=(lane,)) for lane in (SITE, PACKAGE)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    together = f"{'together, two lanes side by side':34} {time.perf_counter() - start:4.0f} s"
    print("\n== summary", *report.lines, together, sep="\n")
    return report.status


if __name__ == "__main__":
    raise SystemExit(main())
