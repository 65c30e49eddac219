"""The ladder: the stored table, and its sources."""

import math
import re

import pytest

from scripts import load
from unrolled.course.colours import FAMILIES
from unrolled.course.ladder import SHANNON, Rung, read_ladder


def test_the_stored_table():
    rungs = read_ladder()
    bits = [rung.bits for rung in rungs]
    assert bits == sorted(bits, reverse=True)
    assert len({rung.name for rung in rungs}) == len(rungs) >= 15
    by_name = {rung.name: rung for rung in rungs}
    uniform = by_name["uniform over 28 symbols"]
    assert uniform.bits == pytest.approx(math.log2(28), abs=1e-4)
    assert by_name["xz"].fitted_on == "train and validation"
    assert {rung.fitted_on for rung in rungs} <= {
        "train",
        "train and validation",
    }
    assert all(re.fullmatch(r"8\.[35]", rung.section) for rung in rungs)
    assert {rung.family for rung in rungs} <= set(FAMILIES)
    assert by_name["xz"].family == "compressor"
    assert SHANNON == (0.6, 1.3)


def test_write_and_read_again(tmp_path, monkeypatch):
    rungs = [
        Rung("a, b", 1.23456, "train", "8.3", "counting"),
        Rung("c", 4.0, "train", "8.5", "network"),
    ]
    path = tmp_path / "data" / "ladder.csv"
    path.parent.mkdir()
    load("tools/ladder.py").write_ladder(rungs, path)
    assert path.read_bytes() == (
        b"name,bits,fitted_on,section,family\n"
        b'"a, b",1.2346,train,8.3,counting\n'
        b"c,4.0000,train,8.5,network\n"
    )
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert read_ladder() == [
        Rung("c", 4.0, "train", "8.5", "network"),
        Rung("a, b", 1.2346, "train", "8.3", "counting"),
    ]
