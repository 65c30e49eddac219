"""The stored results are those of the scripts' settings, all of them."""

import json
import math
from pathlib import Path

import pytest
import torch

from scripts import load
from unrolled.corpus import CorpusError, load_corpus, split
from unrolled.ngrams import NgramLM
from unrolled.subwords import all_tokens, learn_merges
from unrolled.vocab import character_stream

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "lib" / "unrolled" / "data"


def book_or_skip():
    """The book's stream of characters, where it can be had."""
    try:
        return character_stream(load_corpus())
    except CorpusError:
        pytest.skip("The Time Machine is not here")


@pytest.fixture(scope="module")
def book():
    return json.loads((DATA / "whole_book.json").read_text())


def test_every_configuration_was_logged_as_it_is_set(book):
    whole_book = load("experiments/whole_book.py")
    log = {row["name"]: row for row in book["log"]}
    assert set(log) == set(whole_book.CHANGES)
    assert len(log) >= 8
    for name, row in log.items():
        chosen = whole_book.settings(name)
        assert {key: row[key] for key in chosen} == chosen
        assert 1 <= row["best_epoch"] <= row["epochs"]
        assert 1 < row["valid_bits"] < math.log2(28)


def test_the_validation_part_chose_and_three_seeds_ran(book):
    whole_book = load("experiments/whole_book.py")
    for layers in (1, 2):
        best = whole_book.best(book["log"], layers)
        rows = [row for row in book["chosen"] if row["layers"] == layers]
        assert [row["seed"] for row in rows] == [0, 1, 2]
        assert {row["name"] for row in rows} == {best}
        for row in book["log"]:
            if row["layers"] == layers:
                assert row["valid_bits"] >= rows[0]["valid_bits"]


def test_the_curve_has_every_size(book):
    sizes = [row["size"] for row in book["curve"]]
    assert sizes == list(load("experiments/whole_book.py").SIZES)
    for key in ("network", "kneser_ney"):
        bits = [row[key] for row in book["curve"]]
        assert bits == sorted(bits, reverse=True)


def test_checkpoints_are_small():
    for layers in (1, 2):
        size = (DATA / f"rnn_{layers}_layer.safetensors").stat().st_size
        assert size <= 1_000_000


def test_every_clipping_run_is_there():
    clipping = load("experiments/clipping.py")
    runs = json.loads((DATA / "clipping.json").read_text())
    found = {(r["setting"], r["clipped"], r["seed"]) for r in runs}
    assert found == {
        (setting, clipped, seed)
        for setting in clipping.SETTINGS
        for clipped in (True, False)
        for seed in clipping.SEEDS
    }
    assert len(runs) == len(found) >= 20
    for run in runs:
        if run["perplexity"] is None:
            assert run["diverged"]


@pytest.mark.slow
def test_two_of_the_series_of_8_1a_run_again():
    """Two of the twenty series of each kind, run again."""
    experiment = load("experiments/horizon.py")
    stored = json.loads((DATA / "horizon.json").read_text("utf-8"))["runs"]
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        usual = experiment.Setting(2)
        again = {
            "as on the page": usual.both("network", 4),
            "25 epochs": usual.both("network", 4, num_epochs=25),
            "as many pairs": usual.both("least squares", 4, extra=63),
        }
        through = {
            "10 epochs on 1 step": usual.through(4, 1, 10),
            "10 epochs, direct": usual.direct_longer(4, 10),
        }
    finally:
        torch.set_default_dtype(dtype)
    model = {"as many pairs": "least squares, 4"}
    for case, ways in again.items():
        there = stored[case][model.get(case, "network, 4")]
        for way, values in ways.items():
            assert values == pytest.approx(there[way][:2], rel=0.02)
    for way, values in through.items():
        there = stored["trained through"]["network, 4"][way]
        assert values == pytest.approx(there[:2], rel=0.02)
    for case, models in stored.items():
        for name, ways in models.items():
            for way, values in ways.items():
                assert len(values) == experiment.NUM_SERIES, (case, name, way)


def ways_to_cut(text, tokens):
    """Every list of tokens that joins to the text."""
    if not text:
        return [[]]
    return [
        [text[:end], *rest]
        for end in range(1, len(text) + 1)
        if text[:end] in tokens
        for rest in ways_to_cut(text[end:], tokens)
    ]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("passage", [" lower low", "stest", "l"])
def test_all_ways_to_cut_a_text(order, passage):
    experiment = load("experiments/subwords.py")
    text = " low lower newest widest slow lowest" * 3
    cut = experiment.CutText(text, learn_merges(text, 9))
    lm = NgramLM(order, len(cut.vocab), 1.0).fit(cut.parts[0])
    before = cut.parts[0].tolist()
    ways = ways_to_cut(passage, all_tokens(text, cut.merges))
    assert len(ways) == len({tuple(way) for way in ways})
    assert len(ways) > 2 or passage == "l"
    expected = 0.0
    for way in ways:
        ids = before + cut.vocab[way]
        logs = lm.log_probs(torch.tensor(ids))[len(before) - 1 :]
        expected += math.exp(logs.sum())
    found = experiment.all_cuts(lm, cut.vocab, before, passage)
    assert math.exp(found) == pytest.approx(expected, rel=1e-9)
    assert experiment.encode(passage, cut.merges) in ways


def test_subwords_run_again_with_fifty_merges():
    """Order 2 of one number of merges, words and all cuts."""
    experiment = load("experiments/subwords.py")
    stored = json.loads((DATA / "subwords.json").read_text("utf-8"))
    stream = book_or_skip()
    cut = experiment.CutText(stream, learn_merges(split(stream)[0], 50))
    assert [list(pair) for pair in cut.merges[:10]] == stored["first merges"]
    for kind, bits in experiment.scores(cut, (2,)).items():
        there = stored["validation bits"]["50"][kind][1:2]
        assert bits == pytest.approx(there, abs=2e-4)
    row = stored["rows"]["50"]
    train, _, test = split(stream.split())
    assert experiment.words(cut, test) == pytest.approx(row["words"])
    unknown = experiment.unknown_words(train, test)
    assert unknown == stored["unknown words"]
    again = experiment.left_out(cut, experiment.KINDS[2], 2, 2000)
    there = row["left out"][1]
    assert again.pop("kind") == there.pop("kind")
    assert again == pytest.approx(there, abs=2e-4)


def test_the_validation_part_chose_among_all_subword_models():
    experiment = load("experiments/subwords.py")
    stored = json.loads((DATA / "subwords.json").read_text("utf-8"))
    grid, chosen = stored["validation bits"], stored["chosen"]
    assert set(grid) == set(stored["rows"]) == set(map(str, experiment.MERGES))
    for kinds in grid.values():
        assert list(kinds) == list(experiment.KINDS)
        assert {len(row) for row in kinds.values()} == {5}
    assert experiment.best(grid) == tuple(
        chosen[key] for key in ("merges", "kind", "order")
    )
    rows = [row for kinds in grid.values() for row in kinds.values()]
    assert chosen["validation"] == min(map(min, rows))
    assert chosen["left out"]["one cut"] == chosen["validation"]
    # the first seam lies between words, where encoding cuts anyway
    assert chosen["seams"][0]["bits"] == 0
    for row in stored["rows"].values():
        assert row["words"]["unknown tokens"] == 0
        for there in row["left out"]:
            assert there["all cuts"] <= there["one cut"]


def test_the_first_texts_of_three_populations_give_the_same_alphas():
    """Three of the 400 texts of some cases of zipf.py, run again."""
    experiment = load("experiments/zipf.py")
    stored = json.loads((DATA / "zipf.json").read_text("utf-8"))
    assert stored["replications"] == experiment.REPLICATIONS >= 400
    assert stored["resamples"] == experiment.RESAMPLES
    rows = {
        (r["kind"], r["shape"], r["draws"], r["first"], r["last"]): r
        for r in stored["runs"]
    }
    assert set(rows) == {
        (kind, *case, *ranks)
        for kind, ranges in experiment.RANGES.items()
        for case in experiment.cases(kind)
        for ranks in ranges
    }
    assert len(rows) == len(stored["runs"])
    for kind, shape, draws in (
        ("words", "broken", "clumps"),
        ("pairs", "the book", "blocks"),
        ("triples", "discounted", "independent"),
    ):
        found = experiment.measure(kind, shape, draws, 3)
        for ranks, (true, alphas) in found.items():
            row = rows[kind, shape, draws, *ranks]
            assert row["true"] == pytest.approx(true, abs=1e-4)
            for again, before in zip(alphas, row["examples"], strict=True):
                assert again == pytest.approx(before, abs=2e-3)
