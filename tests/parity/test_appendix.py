"""Appendix A: its table names what there is; its speeds are stored whole."""

import importlib
import json
import re
from importlib import resources
from pathlib import Path

import nbformat
import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book" / "a_1_coming_from_d2l.ipynb"


def rows():
    """The names of d2l and ours in each row of the page's table."""
    cells = nbformat.read(PAGE, as_version=4).cells
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    table = re.findall(r"^\| `d2l\.(\w+)` \| (.*?) \|", text, flags=re.M)
    return [(name, re.findall(r"`([\w.]+)`", ours)) for name, ours in table]


@pytest.mark.parametrize(("theirs", "ours"), rows())
def test_every_name_of_the_table_exists(d2l, theirs, ours):
    assert callable(getattr(d2l, theirs))
    assert ours
    for name in ours:
        module, attribute = name.split(".")
        assert callable(
            getattr(importlib.import_module(f"unrolled.{module}"), attribute)
        )


def test_the_table_has_every_name_of_the_chapter():
    found = {theirs for theirs, _ in rows()}
    assert found >= {
        "read_time_machine",
        "tokenize",
        "Vocab",
        "load_corpus_time_machine",
        "seq_data_iter_random",
        "seq_data_iter_sequential",
        "SeqDataLoader",
        "RNNModelScratch",
        "RNNModel",
        "grad_clipping",
        "predict_ch8",
        "train_epoch_ch8",
        "train_ch8",
    }


def test_the_stored_speeds_are_complete():
    file = resources.files("unrolled") / "data" / "benchmarks.json"
    table = json.loads(file.read_text("utf-8"))
    assert table["rounds"] >= 15
    assert table["machine"]
    measured = {(row["threads"], row["what"]) for row in table["rows"]}
    kinds = {what for _, what in measured}
    assert measured == {(t, what) for t in (1, 2) for what in kinds}
    for hidden in (128, 256, 512):
        assert f"training step, {hidden} hidden units" in kinds
    assert len(kinds) == len(table["rows"]) / 2 >= 9
    for row in table["rows"]:
        assert row["milliseconds"] > 0
        assert all(ratio > 0 for ratio in row["ratios"].values())


def test_the_sides_take_turns(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    speed = load("tests/benchmarks/speed.py")
    calls = []
    sides = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    took = speed.seconds(sides, rounds=3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert set(took) == {"a", "b"}
    row = speed.ratio("x", lambda: None, "other", lambda: sum(range(20_000)))
    assert row["ratios"]["other"] > 2
