"""The same results on every machine: tests and certificates under other BLAS kernels, threads, Pythons and versions.

NumPy's linear algebra chooses its inner loops by the processor; each choice adds in another order, and a test that passes
under one by luck fails under another. OpenBLAS lets the choice be made for it, so one machine can stand for many.

    python -m tools.machines            the whole matrix (an hour or more)
    python -m tools.machines --short    tests marked ``kernels``, under two kernels that this processor does not choose

Options narrow the matrix: ``--kernels Prescott,Haswell --threads 1 --pythons 3.11 --parts package tests/dual``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from tools.contents import BUILD, ROOT

WORK = BUILD / "machines"
AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
#: What a processor must have for a kernel of OpenBLAS, from the oldest to the newest.
KERNELS = {
    "Prescott": {"pni"},
    "Nehalem": {"sse4_2"},
    "Sandybridge": {"avx"},
    "Haswell": {"avx2", "fma"},
    "Zen": {"avx2", "fma"},
    "SkylakeX": AVX512,
}
PYTHONS = ("3.11", "3.12", "3.13")
ROOMS = ("numerics", "potentials", "dual", "laws", "linear", "factorized", "training", "wide", "splines")
CORE = [f"tests/{name}" for name in ROOMS]
TOOLS = ["pytest", "pytest-xdist", "mpmath", "hypothesis"]
NBVAL = ["-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300", "-W", "default"]
PARTS = {
    "package": [*CORE, "tests/experiments", "tests/claims", "-m", "not slow"],
    "notebooks": [*NBVAL, "-o", "filterwarnings=", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("book/*.ipynb"))],
}


def runnable() -> list[str]:
    """Kernels that this processor can run; one that it cannot would end in an illegal instruction."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^flags\s*:(.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    flags = set(found[1].split()) if found else set()
    return [name for name, needed in KERNELS.items() if needed <= flags]


def interpreter(version: str) -> str | None:
    """A Python of that version: this one, one on the path, or one of pyenv."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [shutil.which(f"python{version}"), *map(str, sorted(home.glob(f"versions/{version}.*/bin/python")))]
    for place in filter(None, places):
        told = subprocess.run([place, "-c", "import sys; print(*sys.version_info[:2], sep='.')"], capture_output=True, text=True)
        if told.stdout.strip() == version:
            return place
    return None


def minimum_versions() -> list[str]:
    """The dependencies of the package, each exactly at its declared minimum."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [entry.replace(">=", "==") for entry in project["dependencies"]]


def environment(name: str, python: str, packages: list[str]) -> str:
    """The Python of an environment with these packages, made where it is missing or other than asked for."""
    home = WORK / name
    stamp, wanted = home / "packages.txt", "\n".join([python, *packages])
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([python, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *packages], check=True)
        stamp.write_text(wanted)
    return str(home / "bin" / "python")


def run(label: str, python: str, arguments: list[str], kernel: str | None, threads: int) -> tuple[str, bool]:
    """One cell of the matrix: a line for the summary, and whether it held."""
    setting = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    if kernel is not None:
        setting["OPENBLAS_CORETYPE"] = kernel
    name = f"{label}, {kernel or 'own kernel'}, {threads} thread{'s' * (threads > 1)}"
    log, start = WORK / (re.sub(r"[^\w.]+", "-", name) + ".log"), time.monotonic()
    with log.open("w") as out:
        command = [python, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", *arguments]
        code = subprocess.run(command, cwd=ROOT, env=os.environ | setting, stdout=out, stderr=subprocess.STDOUT).returncode
    last = log.read_text().strip().splitlines()[-1:]
    line = f"{name:48} {time.monotonic() - start:5.0f} s  {'ok' if code == 0 else 'FAILED'}  {''.join(last).strip('= ')}"
    print(line if code == 0 else f"{line}\n    see {log.relative_to(ROOT)}", flush=True)
    return line, code == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.machines", description="Tests under other kernels and versions.")
    parser.add_argument("--short", action="store_true", help="tests marked 'kernels' under two kernels, nothing else")
    parser.add_argument("--kernels", default=",".join(KERNELS), help="of OpenBLAS, separated by commas")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--pythons", default=",".join((*PYTHONS, "minimum")))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("tests", nargs="*", help="instead of the package tests")
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    able, results = runnable(), []
    for kernel in KERNELS:
        if kernel not in able and not chosen.short:
            print(f"SKIPPED: kernel {kernel}, which this processor cannot run", flush=True)
    if chosen.short:
        others = [kernel for kernel in able if kernel != "Zen"][:-1]  # Zen has the kernels of Haswell; the last is its own
        for kernel in dict.fromkeys(others[:1] + others[-1:]):
            results.append(run("sensitive tests", sys.executable, ["-m", "kernels", *CORE], kernel, 1))
        return int(not all(held for _, held in results))
    package = [*chosen.tests, "-m", "not slow"] if chosen.tests else PARTS["package"]
    kernels: list[str | None] = [kernel for kernel in chosen.kernels.split(",") if kernel in able]
    for threads in map(int, chosen.threads.split(",")):
        for kernel in kernels or [None]:
            for part in filter(None, chosen.parts.split(",")):
                arguments = package if part == "package" else PARTS[part]
                results.append(run(part, sys.executable, arguments, kernel, threads))
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in chosen.pythons.split(","):
        if version == own:
            continue  # has run
        python = interpreter("3.11" if version == "minimum" else version)
        if python is None:
            print(f"SKIPPED: Python {version}, which is not installed", flush=True)
            continue
        packages = minimum_versions() if version == "minimum" else ["numpy", "scipy", "array-api-compat", "joblib"]
        python = environment(version, python, [*packages, *TOOLS])
        core = [*CORE, "-m", "not slow"] if not chosen.tests else package
        results.append(run("minimum versions" if version == "minimum" else f"Python {version}", python, core, None, 1))
    print(f"\n{sum(held for _, held in results)} of {len(results)} hold")
    return int(not all(held for _, held in results))


if __name__ == "__main__":
    sys.exit(main())
