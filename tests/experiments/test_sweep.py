"""Sweeps: exact, resumable after a kill at any moment, the same on one process, several, or a cluster."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibtext.sweep import SweepError, SweepTable, sweep
from scipy import stats

import ibtext as ib
from ibtext.experiments.fingerprint import describe, fingerprint

ROOT = pathlib.Path(__file__).resolve().parents[2]
FACTOR = 1.0


def draw(width, seed):
    rng = np.random.default_rng([width, seed])
    return {"value": FACTOR * rng.normal(), "large": rng.normal() * 1e300, "count": int(rng.integers(10**15))}


def quiet(function=draw, **options):
    return sweep(function, **{"widths": [10, 20], "seeds": range(3), "progress": False, **options})


def logged(folder):
    """A cell function that leaves one mark for every call."""

    def cell(width, seed):
        with open(pathlib.Path(folder) / f"{width}-{seed}", "ab") as stream:
            stream.write(b"x")
        return {"value": float(np.sqrt(width + seed))}

    return cell


def marks(folder):
    return {p.name: p.stat().st_size for p in pathlib.Path(folder).iterdir()}


# ---- values -----------------------------------------------------------------------------------------------------


def test_every_cell_once_in_order():
    phi, psi = ib.QuadraticPotential(), ib.CoshPotential()
    table = quiet(lambda width, seed, potential: {"v": width + seed + float(potential(0.5))}, potentials=[phi, psi])
    expected = [(repr(p), n, s, n + s + float(p(0.5))) for p in (phi, psi) for n in (10, 20) for s in range(3)]
    assert [tuple(row.values()) for row in table] == expected
    assert table.names == ("potential", "width", "seed", "v")
    named = quiet(lambda width, seed, potential: {"v": float(potential(1.0))}, potentials={"square": phi, "cosh": psi})
    assert list(named.column("potential")) == ["square"] * 6 + ["cosh"] * 6


def test_independent_of_the_number_of_processes(tmp_path):
    one = quiet()
    two = quiet(n_jobs=2, results=tmp_path / "two.jsonl")
    again = quiet(results=tmp_path / "two.jsonl")
    assert one == two == again
    for row in one:
        assert row["value"] == draw(row["width"], row["seed"])["value"]


@settings(max_examples=200, deadline=None)
@given(st.floats(), st.integers(-(2**70), 2**70), st.booleans())
def test_numbers_survive_the_file_bit_for_bit(tmp_path_factory, number, integer, flag):
    path = tmp_path_factory.mktemp("s") / "r.jsonl"
    cell = lambda width, seed: {"f": np.float64(number), "i": integer, "b": flag}  # noqa: E731
    for _ in range(2):
        (row,) = quiet(cell, widths=[1], seeds=[0], results=path)
        assert np.float64(row["f"]).tobytes() == np.float64(number).tobytes() or (np.isnan(number) and np.isnan(row["f"]))
        assert row["i"] == integer and row["b"] is flag


def test_table():
    table = quiet()
    array = table.to_array()
    assert array.dtype.names == ("width", "seed", "value", "large", "count")
    assert array["width"].dtype == np.int64 and array["value"].dtype == np.float64
    assert np.array_equal(array["value"], table.column("value"))
    part = table.select(width=20, seed=1)
    assert len(part) == 1 and part[0] == table[4]
    with pytest.raises(ValueError, match=r"name must be one of 'width', 'seed', .*; choose"):
        table.column("error")
    with pytest.raises(ValueError, match="no column"):
        SweepTable(()).column("width")
    assert SweepTable(()).to_array().size == 0


# ---- resuming ---------------------------------------------------------------------------------------------------


def test_finished_cells_are_not_computed_again(tmp_path):
    calls, path = tmp_path / "calls", tmp_path / "r.jsonl"
    calls.mkdir()
    cell = logged(calls)
    first = quiet(cell, results=path)
    second = quiet(cell, results=path, widths=[20, 30], seeds=[2, 5])
    assert quiet(cell, results=path) == first
    assert set(marks(calls).values()) == {1} and len(marks(calls)) == 9
    assert [(r["width"], r["seed"]) for r in second] == [(20, 2), (20, 5), (30, 2), (30, 5)]


def test_a_line_torn_at_any_byte(tmp_path):
    path = tmp_path / "r.jsonl"
    whole = quiet(results=path)
    data = path.read_bytes()
    last = data.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(data)):
        path.write_bytes(data[:end])
        assert quiet(results=path) == whole
        assert path.read_bytes() == data
    lines = data.splitlines(keepends=True)
    path.write_bytes(lines[0])  # the header alone
    assert quiet(results=path) == whole


SCRIPT = """
import os, sys, time
from ibtext.sweep import sweep
def cell(width, seed):
    fd = os.open(f"{sys.argv[2]}/{width}-{seed}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    time.sleep(0.02)
    os.write(fd, b"x")
    os.close(fd)
    return {"value": width / 7 + seed}
if __name__ == "__main__":
    table = sweep(cell, widths=[1, 2, 3], seeds=range(20), results=sys.argv[1], n_jobs=int(sys.argv[3]), progress=False)
    print(len(table), sum(table.column("value")))
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_killed_at_any_moment(tmp_path, n_jobs):
    """SIGKILL again and again: what stands in the file is never computed again, and nothing is missing at the end."""
    script, path, calls = tmp_path / "run.py", tmp_path / "r.jsonl", tmp_path / "calls"
    script.write_text(SCRIPT)
    calls.mkdir()
    command = [sys.executable, str(script), str(path), str(calls), str(n_jobs)]
    rng = np.random.default_rng(n_jobs)
    kept, kills = 0, 0
    while kills < 4:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
        deadline = time.monotonic() + 60
        while (not path.exists() or len(path.read_bytes().splitlines()) - 1 < kept + 3) and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.03))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        lines = path.read_bytes().split(b"\n")[1:-1]
        keys = [(json.loads(line)["width"], json.loads(line)["seed"]) for line in lines]
        assert len(set(keys)) == len(keys) >= kept
        kept = len(keys)
    assert 3 <= kept < 60
    before = marks(calls)
    done = {f"{w}-{s}" for w, s in keys}
    out = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120
    )
    assert out.returncode == 0, out.stderr
    count, total = out.stdout.split()
    assert int(count) == 60 and float(total) == pytest.approx(20 * 6 / 7 + 3 * 190, rel=1e-14)
    after = marks(calls)
    assert all(after[name] == before[name] for name in done)  # kept, so not computed again
    assert len(after) == 60 and len(path.read_bytes().splitlines()) == 61


def test_a_dead_worker_loses_nothing(tmp_path):
    """A worker process that is killed takes the pool with it; the missing cells run again."""
    flag = tmp_path / "flag"

    def cell(width, seed):
        if width == 2 and seed == 3 and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"value": width * 100 + seed}

    table = sweep(cell, widths=[1, 2], seeds=range(5), n_jobs=2, progress=False, results=tmp_path / "r.jsonl")
    assert flag.exists() and list(table.column("value")) == [100 + s for s in range(5)] + [200 + s for s in range(5)]
    assert len((tmp_path / "r.jsonl").read_bytes().splitlines()) == 11


def test_workers_run_the_code_of_today(tmp_path, monkeypatch):
    """A module is edited and reloaded between two sweeps, as in any notebook with autoreload."""
    monkeypatch.syspath_prepend(tmp_path)
    results = []
    for text in ("1.0", "2.00"):
        (tmp_path / "userexp.py").write_text(f"def cell(width, seed):\n    return {{'v': {text}}}\n")
        importlib.invalidate_caches()
        module = importlib.import_module("userexp") if text == "1.0" else importlib.reload(sys.modules["userexp"])
        results.append(quiet(module.cell, n_jobs=2).column("v").tolist())
    del sys.modules["userexp"]
    assert results == [[1.0] * 6, [2.0] * 6]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_code_other_than_the_fingerprint_is_never_kept_under_it(n_jobs, tmp_path, monkeypatch):
    """A module is edited and not reloaded: this process has the old code, new workers import the new one."""
    monkeypatch.syspath_prepend(tmp_path)
    source, results = tmp_path / "olduserexp.py", tmp_path / "r.jsonl"
    source.write_text("def cell(width, seed):\n    return {'v': 1.0}\n")
    importlib.invalidate_caches()
    module = importlib.import_module("olduserexp")
    before = fingerprint(module.cell)
    source.write_text("def cell(width, seed):\n    return {'v': 2.000}\n")
    if n_jobs == 1:  # runs the old code, and says so: the edited one does not take its cells for its own
        assert quiet(module.cell, results=results).column("v").tolist() == [1.0] * 6
        assert fingerprint(module.cell) != before
        importlib.reload(module)
        with pytest.raises(ValueError, match="began"):
            quiet(module.cell, results=results)
    else:
        with pytest.raises(SweepError, match="another version of cell; reload the module olduserexp"):
            quiet(module.cell, n_jobs=2, results=results)
    importlib.reload(module)
    assert quiet(module.cell, n_jobs=n_jobs, results=tmp_path / "new.jsonl").column("v").tolist() == [2.0] * 6
    del sys.modules["olduserexp"]


def test_dask_cluster_with_a_killed_worker(tmp_path):
    distributed = pytest.importorskip("distributed")
    calls = tmp_path / "calls"
    calls.mkdir()

    def cell(width, seed, potential):
        victim = pathlib.Path(calls).parent / "victim"
        if width == 2 and seed == 4 and not victim.exists():
            victim.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return {"value": float(potential(width + seed / 10)), "pid": os.getpid()}

    settings_ = {"distributed.admin.log-length": 0, "logging.distributed": "critical"}
    import dask

    with (
        dask.config.set(settings_),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        path = tmp_path / "r.jsonl"
        options = {"widths": [1, 2, 3], "seeds": range(10), "potentials": [ib.QuadraticPotential()], "progress": False}
        table = sweep(cell, results=path, client=client, **options)
        victim = int((tmp_path / "victim").read_text())
    assert [(r["width"], r["seed"]) for r in table] == [(n, s) for n in (1, 2, 3) for s in range(10)]
    assert np.array_equal(table.column("value"), [(n + s / 10) ** 2 for n in (1, 2, 3) for s in range(10)])
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[1:]]
    assert len(lines) == len({(e["width"], e["seed"]) for e in lines}) == 30
    assert table.select(width=2, seed=4)[0]["pid"] != victim
    assert sweep(cell, results=path, **options) == table  # the same file without the cluster


def test_two_runs_at_once_are_refused(tmp_path):
    path = tmp_path / "r.jsonl"

    def cell(width, seed):
        with pytest.raises(RuntimeError, match=r"one run at a time.*; wait for it"):
            quiet(cell, results=path)
        return {"value": 1}

    quiet(cell, results=path, widths=[1], seeds=[0])


# ---- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_failing_cell_does_not_stop_the_others(tmp_path, n_jobs):
    path = tmp_path / "r.jsonl"
    broken = tmp_path / "broken"
    broken.touch()

    def cell(width, seed):
        if width == 20 and seed == 1 and broken.exists():
            raise ArithmeticError("no luck")
        return {"value": seed}

    with pytest.raises(SweepError, match=r"1 of 6 failed \(width=20, seed=1\).*ArithmeticError: no luck; .*r\.jsonl") as caught:
        quiet(cell, results=path, n_jobs=n_jobs)
    assert len(caught.value.table) == 5
    assert "no luck" in caught.value.failures[None, 20, 1]
    broken.unlink()
    assert len(quiet(cell, results=path)) == 6


@pytest.mark.parametrize(
    "answer",
    [None, {}, 1.0, {"v": "text"}, {"v": 1j}, {"v": np.zeros(2)}, {"v": None}, {"width": 1}, {3: 1.0}],
    ids=repr,
)
def test_answers_that_are_not_numbers(answer):
    with pytest.raises(SweepError, match="6 of 6 failed"):
        quiet(lambda width, seed: answer)


def test_names_must_agree():
    with pytest.raises(SweepError, match=r"3 of 6 failed .* same names"):
        quiet(lambda width, seed: {"a" if width == 10 else "b": 1.0})


# ---- settings cannot be mixed -----------------------------------------------------------------------------------


def test_another_function_or_constant_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "r.jsonl"
    quiet(results=path)
    with pytest.raises(ValueError, match="only with the settings that began it"):
        quiet(lambda width, seed: {"value": 1.0}, results=path)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 2.0)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"its fingerprint is .* constant"):
        quiet(results=path)
    with pytest.raises(ValueError, match=r"parameters|fingerprint"):
        quiet(results=path, potentials=[ib.QuadraticPotential()])
    assert path.read_bytes() == before
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 1.0)
    assert len(quiet(results=path)) == 6


def test_a_name_stands_for_one_potential(tmp_path):
    path = tmp_path / "r.jsonl"
    cell = lambda width, seed, potential: {"v": float(potential(1.0))}  # noqa: E731
    quiet(cell, results=path, potentials={"a": ib.PowerPotential(3, 1.0)})
    quiet(cell, results=path, potentials={"a": ib.PowerPotential(3, 1.0), "b": ib.CoshPotential()})
    with pytest.raises(ValueError, match=r"the potential 'a' was .*; use another name"):
        quiet(cell, results=path, potentials={"a": ib.PowerPotential(3, 2.0)})


def test_fingerprints_see_what_matters():
    def one(width, seed):
        """About."""
        return width  # a comment

    source = textwrap.dedent("def one(width, seed):\n    return width\n")
    assert source and fingerprint(one) == fingerprint(one)
    law = stats.norm(0, 1)
    assert describe(law) == describe(stats.norm(0, 1)) != describe(stats.norm(0, 2))
    init = ib.Initialization(bias=law)
    assert describe(init) == describe(ib.Initialization(bias=stats.norm(0, 1)))
    assert describe(init) != describe(ib.Initialization(bias=stats.norm(0, 2)))
    assert describe(np.zeros(3)) != describe(np.zeros(4)) and describe(np.zeros(3)) != describe(np.ones(3))
    assert " at 0x" not in describe({"a": object(), "b": [one, law, init]})

    def make(constant):
        return lambda width, seed: {"v": constant}

    assert fingerprint(make(1)) == fingerprint(make(1)) != fingerprint(make(2))


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"a": 1}\n', b"[1]\n", b"\xff\xfe\n", b"no newline"])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a results file must .*; "):
        quiet(results=path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("change", ["damage", "double"])
def test_a_damaged_middle_is_refused(tmp_path, change):
    path = tmp_path / "r.jsonl"
    quiet(results=path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:20] + b"\n" if change == "damage" else lines[1]
    path.write_bytes(b"".join(lines))
    with pytest.raises(ValueError, match="each cell once, but line 3"):
        quiet(results=path)


# ---- the rest ---------------------------------------------------------------------------------------------------


def test_progress_line(capsys):
    quiet(progress=True)
    error = capsys.readouterr().err
    assert "6/6 cells" in error and error.endswith("\n")
    quiet()
    assert capsys.readouterr().err == ""


def test_import_is_light():
    code = "import sys, ibtext, ibtext.sweep; print(sorted({'joblib', 'dask', 'distributed'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


class Nameless:
    __repr__ = object.__repr__


REFUSED = {
    "function": (lambda: quiet(3), "function must be callable"),
    "width zero": (lambda: quiet(widths=[0]), "widths must be a positive integer"),
    "width float": (lambda: quiet(widths=[1.5]), "widths must be a positive integer"),
    "width text": (lambda: quiet(widths="10"), "widths must be a sequence"),
    "one width": (lambda: quiet(widths=10), "widths must be a sequence"),
    "no width": (lambda: quiet(widths=[]), "none was given"),
    "widths twice": (lambda: quiet(widths=[10, 10]), "one appears twice"),
    "width nan": (lambda: quiet(widths=[np.nan]), "widths must be a positive integer"),
    "seed negative": (lambda: quiet(seeds=[-1]), "seeds must be integers that are at least 0"),
    "seed float": (lambda: quiet(seeds=[0.5]), "seeds must be integers that are at least 0"),
    "seed bool": (lambda: quiet(seeds=[True]), "seeds must be integers that are at least 0"),
    "seeds count": (lambda: quiet(seeds=5), "seeds must be a sequence"),
    "seeds twice": (lambda: quiet(seeds=[1, 1]), "one appears twice"),
    "one potential": (lambda: quiet(potentials=ib.QuadraticPotential()), "potentials must be None, a list"),
    "potential text": (lambda: quiet(potentials="x^2"), "potentials must be None, a list"),
    "no potential": (lambda: quiet(potentials=[]), "potentials must be None, a list"),
    "potential names": (lambda: quiet(potentials={1: ib.QuadraticPotential()}), "potentials must be None, a list"),
    "potential twice": (lambda: quiet(potentials=[ib.QuadraticPotential()] * 2), "same repr"),
    "potential without repr": (lambda: quiet(potentials=[Nameless()]), "is an address"),
    "n_jobs zero": (lambda: quiet(n_jobs=0), "n_jobs must be None or an integer"),
    "n_jobs text": (lambda: quiet(n_jobs="all"), "n_jobs must be None or an integer"),
    "client": (lambda: quiet(client="tcp://somewhere"), "client must be a dask"),
    "results number": (lambda: quiet(results=3), "results must be None or the path"),
    "results folder": (lambda: quiet(results="."), "a file in an existing folder"),
    "results nowhere": (lambda: quiet(results="no/such/folder/r.jsonl"), "a file in an existing folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_by_a_sentence(name):
    call, pattern = REFUSED[name]
    with pytest.raises(ValueError, match=pattern) as caught:
        call()
    text = str(caught.value)
    assert text.endswith(".") and "; " in text and re.search(r"\bbut\b", text), text
