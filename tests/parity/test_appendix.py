"""Appendix A: its tables name what there is; its speeds are stored whole."""

import importlib
import inspect
import json
import re
from importlib import resources
from pathlib import Path

import nbformat
import pytest
from torch import nn

from scripts import load
from unrolled.generation import generate
from unrolled.stacked import StackedRNNLM
from unrolled.vocab import Vocab

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book" / "a_1_coming_from_d2l.ipynb"


def rows():
    """The names of d2l and ours in each row of the page's tables."""
    cells = nbformat.read(PAGE, as_version=4).cells
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    table = re.findall(r"^\| (`d2l\..*?) \| (.*?) \|", text, flags=re.M)
    return [
        (name, re.findall(r"`([\w.]+)`", ours))
        for theirs, ours in table
        for name in re.findall(r"`d2l\.(\w+)`", theirs)
    ]


def named(name):
    """What the table means: a name of the library's, or of another's."""
    module, attribute = name.rsplit(".", maxsplit=1)
    if (ROOT / "lib" / "unrolled" / module.split(".")[0]).exists() or (
        ROOT / "lib" / "unrolled" / f"{module}.py"
    ).exists():
        module = f"unrolled.{module}"
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize(("theirs", "ours"), rows())
def test_every_name_of_the_tables_exists(d2l, theirs, ours):
    assert callable(getattr(d2l, theirs))
    assert ours
    for name in ours:
        assert callable(named(name))


def test_the_tables_have_every_name_of_the_chapter():
    found = [theirs for theirs, _ in rows()]
    assert len(found) == len(set(found))
    assert set(found) == {
        "read_time_machine",
        "tokenize",
        "count_corpus",
        "Vocab",
        "load_corpus_time_machine",
        "seq_data_iter_random",
        "seq_data_iter_sequential",
        "SeqDataLoader",
        "load_data_time_machine",
        "load_array",
        "RNNModelScratch",
        "RNNModel",
        "try_gpu",
        "sgd",
        "grad_clipping",
        "predict_ch8",
        "train_epoch_ch8",
        "train_ch8",
        "evaluate_loss",
        "plot",
        "Animator",
        "Timer",
    }


def test_what_the_tables_say_of_arguments(d2l):
    def arguments(function):
        return list(inspect.signature(function).parameters.values())

    theirs = [p.name for p in arguments(d2l.predict_ch8)]
    assert theirs == ["prefix", "num_preds", "net", "vocab", "device"]
    ours = [p.name for p in arguments(generate)]
    assert ours[:4] == ["model", "prefix", "num_tokens", "vocab"]
    last = arguments(d2l.load_data_time_machine)[-1]
    assert (last.name, last.default) == ("max_tokens", 10_000)
    assert arguments(d2l.load_array)[-1].default is True  # it shuffles


def test_what_the_tables_say_of_counting_and_indices(d2l):
    assert d2l.count_corpus([["a", "b"], ["a"]]) == {"a": 2, "b": 1}
    ours, theirs = Vocab(list("aab")), d2l.Vocab(list("aab"))
    assert ours.to_tokens([0, 1, 2]) == theirs.idx_to_token
    assert ours["a"] == theirs.token_to_idx["a"] == 1
    assert ours["x"] == theirs["x"] == 0
    assert "x" not in ours
    with pytest.raises(KeyError):
        theirs.token_to_idx["x"]


@pytest.mark.parametrize(
    "layer",
    [
        nn.RNN(5, 3),
        nn.GRU(5, 3, 2),
        nn.LSTM(5, 3),
        nn.RNN(5, 3, bidirectional=True),
    ],
)
def test_d2ls_concise_network_takes_any_layer(d2l, layer):
    net = d2l.RNNModel(layer, 5)
    seen = []
    layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    ids = d2l.tensor([[1, 2, 3, 4], [0, 1, 2, 3]])
    logits, _ = net(ids, net.begin_state("cpu", 2))
    assert logits.shape == (8, 5)
    assert seen[0].shape == (4, 2, 5)  # one-hot vectors
    assert (seen[0].sum(-1) == 1).all()


def test_ours_starts_from_other_weights(d2l):
    theirs = d2l.RNNModel(nn.RNN(28, 64), 28)
    ours = StackedRNNLM(28, 64)
    # uniform up to 1 / 8 there; rows of scale 3 and a rotation here
    assert theirs.rnn.weight_ih_l0.abs().max() <= 1 / 8
    assert ours.W_in[0].std() > 2
    assert theirs.rnn.weight_hh_l0.std() < 0.1 < ours.W_hh[0].std()


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
