"""The ladder: the stored table, and its sources."""

import itertools
import json
import math
import re
from importlib import resources

import numpy as np
import pytest
import torch

from scripts import load
from unrolled.coding import COMPRESSORS, compressed_bits
from unrolled.course.colours import FAMILIES
from unrolled.course.ladder import KINDS, PAQ, SHANNON, Rung, read_ladder

tool = load("tools/ladder.py")
BEFORE = KINDS[0]
DATA = resources.files("unrolled") / "data"


def stored(name):
    return json.loads((DATA / f"{name}.json").read_bytes())


def test_the_stored_table():
    rungs = read_ladder()
    bits = [rung.bits for rung in rungs]
    assert bits == sorted(bits, reverse=True)
    assert len({rung.name for rung in rungs}) == len(rungs) >= 24
    by_name = {rung.name: rung for rung in rungs}
    uniform = by_name["uniform over 28 symbols"]
    assert uniform.bits == pytest.approx(math.log2(28), abs=1e-4)
    assert all(re.fullmatch(r"8\.[2-5]a?|C", rung.section) for rung in rungs)
    assert {rung.family for rung in rungs} <= set(FAMILIES)
    assert (SHANNON, PAQ) == ((0.6, 1.3), 1.727)


def test_what_learns_while_it_reads_has_read_the_validation_part_too():
    rungs = read_ladder()
    assert {r.kind for r in rungs} == set(KINDS)
    for rung in rungs:
        learns = rung.kind == "learns while it reads"
        read = "train and validation" if learns else "train"
        assert rung.read_before == read
        if rung.family == "compressor":
            assert learns
    compressors = {r.name for r in rungs if r.family == "compressor"}
    assert compressors == {*COMPRESSORS, "zpaq"}


def test_some_neighbours_are_told_apart_and_some_are_not():
    rungs = read_ladder()
    assert not rungs[0].level_with
    assert 2 < sum(bool(rung.level_with) for rung in rungs) < len(rungs) - 2
    for before, rung in itertools.pairwise(rungs):
        # a file grows by whole bytes, and by leaps
        files = "compressor" in (before.family, rung.family)
        if before.bits - rung.bits > (0.1 if files else 0.05):
            assert before.name not in rung.level_with, rung.name
        assert rung.name not in rung.level_with
        assert set(rung.level_with) <= {other.name for other in rungs}


def test_rows_of_the_pages_below_are_those_of_their_stored_results():
    by_name = {rung.name: rung for rung in read_ladder()}
    mixing = stored("context_mixing")["runs"]["all of it"]
    for name, bits in (
        ("context mixing", mixing["frozen"][1]),
        ("context mixing, learning", mixing["learning"][1]),
        ("Kneser-Ney, subwords", stored("subwords")["chosen"]["test"]),
    ):
        assert by_name[name].bits == pytest.approx(bits, abs=2e-4)


def test_rows_of_appendix_c_add_up_to_what_is_stored():
    content = stored("finished_mixture")
    found = {row.name: row for row in tool.after_rnns_rungs()}
    expected = {
        name: content["reading"][name]["frozen"][1]
        for name in ("GRU", "LSTM", "transformer")
    }
    readers = {n: r for n, r in content["reading"].items() if "rate" in r}
    best = min(readers, key=lambda name: readers[name]["learning"][0])
    expected[f"{best}, learning"] = readers[best]["learning"][1]
    recalls = stored("recall")
    for way, end in (("frozen", "memory"), ("steps", "memory, learning")):
        able = {n: r for n, r in recalls["networks"].items() if way in r}
        best = min(able, key=lambda name: able[name][way]["bits"][0])
        expected[f"{best}, {end}"] = able[best][way]["bits"][1]
    for name, way in (
        ("finished mixture", "frozen"),
        ("finished mixture, learning", "learning"),
    ):
        expected[name] = content["mixture"][way]["all of it"]["bits"][1]
    assert set(found) == set(expected)
    length = 17_343  # characters of the test part
    for name, bits in expected.items():
        row = found[name]
        assert len(row.blocks) == len(tool.ends(length))
        assert row.bits(length) == pytest.approx(bits, abs=2e-4)
        assert row.section == "C"
        assert (row.kind == KINDS[1]) == name.endswith("learning")
        assert len(row.seeds) in (0, 3)
    bits = found["GRU"].seeds
    assert min(bits) - 1e-4 <= expected["GRU"] <= max(bits) + 1e-4


def test_blocks_hold_all_characters_once(monkeypatch):
    monkeypatch.setattr(tool, "BLOCK", 250)
    assert tool.ends(600) == [250, 600]
    assert tool.ends(250) == [250]
    assert tool.ends(100) == [100]
    costs = np.arange(1.0, 601.0)
    blocks = tool.blocks_of(costs, range(1, 601))
    assert blocks.tolist() == [costs[:250].sum(), costs[250:].sum()]
    # tokens that end at 3, 250, 251 and 600
    assert tool.blocks_of([1, 2, 3, 4], [3, 250, 251, 600]).tolist() == [3, 7]
    halves = torch.full((600,), 0.5).log()
    assert tool.by_character(halves).tolist() == pytest.approx([250, 350])


def test_the_blocks_of_a_compressor_add_up_to_its_growth(monkeypatch):
    monkeypatch.setattr(tool, "BLOCK", 250)
    given, text = "the time machine by h g wells " * 20, "a time to come " * 50
    for name, compress in COMPRESSORS.items():
        blocks = tool.compressed(text, given, compress)
        assert len(blocks) == 3
        assert blocks.sum() == compressed_bits(text, given, name)


def scored(name, blocks, kind=KINDS[0]):
    return tool.Scored(name, kind, "8.3", "counting", np.array(blocks))


def test_a_difference_is_decided_by_its_blocks():
    same = scored("a", [10.0, 12.0, 11.0, 9.0] * 10)
    better = scored("b", same.blocks - 1 - np.arange(40) / 100)
    now_and_then = scored("c", same.blocks - [5.0, -4.9, 5.0, -4.9] * 10)
    assert not tool.undecided(same, better)
    assert tool.undecided(same, now_and_then)
    rungs = tool.as_rungs([better, now_and_then, same], 400)
    assert [rung.name for rung in rungs] == ["a", "c", "b"]
    assert [rung.level_with for rung in rungs] == [(), ("a",), ("c",)]
    assert rungs[0].bits == pytest.approx(same.blocks.sum() / 400)
    decided = tool.as_rungs([better, same], 400)
    assert [rung.level_with for rung in decided] == [(), ()]
    learning = tool.as_rungs([scored("d", [1.0], KINDS[1])], 1)
    assert learning[0].read_before == "train and validation"


def test_write_and_read_again(tmp_path, monkeypatch):
    before, learns = KINDS
    first = ("train", before, "8.3", "counting", ("c", "d"), 1.2, 1.25)
    second = Rung("c", 4.0, "train", learns, "8.5", "network")
    path = tmp_path / "data" / "ladder.csv"
    path.parent.mkdir()
    tool.write_ladder([Rung("a, b", 1.23456, *first), second], path)
    assert path.read_bytes() == (
        b"name,bits,read_before,kind,section,family,level_with,fewest,most\n"
        b'"a, b",1.2346,train,fitted before,8.3,counting,c; d,1.2000,1.2500\n'
        b"c,4.0000,train,learns while it reads,8.5,network,,,\n"
    )
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert read_ladder() == [second, Rung("a, b", 1.2346, *first)]


def test_seeds_give_the_fewest_and_the_most_bits():
    blocks = np.array([5.0, 3.0, 2.0])
    network = (BEFORE, "8.5a", "network")
    several = tool.Scored("a", *network, blocks, (1.5, 1.2, 1.3))
    alone = tool.Scored("b", *network, blocks - [2.0, 1.0, 0.5])
    first, second = tool.as_rungs([several, alone], 10)
    assert (first.bits, first.fewest, first.most) == (1.0, 1.2, 1.5)
    assert (second.fewest, second.most) == (None, None)


def test_stored_networks_are_one_of_their_seeds():
    for rung in read_ladder():
        if rung.fewest is not None:
            assert rung.fewest - 0.002 < rung.bits < rung.most + 0.002
            assert rung.family == "network"
            assert rung.section in ("8.5a", "C")
