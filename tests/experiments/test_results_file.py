"""The results file by itself: what it keeps, what it cuts off, and whom it lets in."""

from __future__ import annotations

import json

import pytest

from ibtext.experiments.results_file import ResultsFile

HEADER = {"parameters": ["width", "seed"], "function": "cell", "fingerprint": "0123456789abcdef"}


def kept(path):
    file = ResultsFile(path, HEADER)
    file.close()
    return file.finished


def filled(path):
    file = ResultsFile(path, HEADER)
    for seed in range(3):
        file.append((None, 10, seed), "None", {"v": 0.1 * seed, "large": 2**70, "flag": True})
    file.close()
    return {(None, 10, seed): ("None", {"v": 0.1 * seed, "large": 2**70, "flag": True}) for seed in range(3)}


@pytest.mark.parametrize("name", ["r.jsonl", "Lauf größe ∞ 1.jsonl"])
def test_what_was_appended_is_read(tmp_path, name):
    path = tmp_path / name
    assert kept(path) == {}  # a header alone
    assert kept(path) == {} != filled(path) == kept(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"format": "ibtext sweep 1", **HEADER}
    assert lines[2] == {"potential": None, "width": 10, "seed": 1, "potential_is": "None", "values": lines[2]["values"]}
    assert list(tmp_path.iterdir()) == [path]  # nothing of the making is left


def test_a_file_of_an_earlier_version_or_editor_is_read(tmp_path):
    """JSON lines are the documented format: keys in any order, line ends of Windows."""
    path = tmp_path / "r.jsonl"
    header = {**HEADER, "format": "ibtext sweep 1"}
    cell = {"values": {"v": 1.5}, "potential_is": "x", "seed": 3, "width": 7, "potential": "a"}
    path.write_bytes(json.dumps(header).encode() + b"\r\n" + json.dumps(cell).encode() + b"\r\n")
    assert kept(path) == {("a", 7, 3): ("x", {"v": 1.5})}


@pytest.mark.parametrize("torn", [b"{", b'{"potential": null, "wid', b'{"potential": null}'])
def test_a_torn_line_is_cut_off(tmp_path, torn):
    path = tmp_path / "r.jsonl"
    expected, whole = filled(path), path.read_bytes()
    path.write_bytes(whole + torn)
    assert kept(path) == expected and path.read_bytes() == whole


@pytest.mark.parametrize("name", ["parameters", "function", "fingerprint"])
def test_another_header_is_refused(tmp_path, name):
    path = tmp_path / "r.jsonl"
    filled(path)
    with pytest.raises(ValueError, match=f"its {name} is .* and that of this call 'other'; name another file"):
        ResultsFile(path, {**HEADER, name: "other"})
    assert len(kept(path)) == 3  # the file is free again


def test_one_run_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    first = ResultsFile(tmp_path / "r.jsonl", HEADER)
    with pytest.raises(RuntimeError, match="another one is writing to"):
        ResultsFile(tmp_path / "r.jsonl", HEADER)
    first.close()
    assert kept(tmp_path / "r.jsonl") == {}
