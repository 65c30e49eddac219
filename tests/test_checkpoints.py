"""Checkpoints: what comes back, precision, size, foreign files."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from helpers import raises, seeded
from unrolled.attention import TransformerLM
from unrolled.checkpoints import load_model, save_model
from unrolled.evaluation import evaluate
from unrolled.gates import GRULM, LSTMLM
from unrolled.rnn import RNNLM
from unrolled.stacked import StackedRNNLM
from unrolled.vocab import Vocab

VOCAB = Vocab(list("the time machine"))
IDS = torch.tensor(VOCAB[list("machine time the time")])


def header_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["unrolled"])


def models():
    generator = seeded(0)
    size = len(VOCAB)
    yield RNNLM(
        size, 7, input_scale=1.0, output_scale=1.0, generator=generator
    )
    yield StackedRNNLM(size, 5, 3, dropout=0.4, generator=generator)
    gated = {"dropout": 0.1, "recurrent_dropout": 0.2, "generator": generator}
    yield GRULM(size, 5, 2, **gated)
    yield LSTMLM(size, 5, 2, **gated)
    yield TransformerLM(
        size, 6, 3, num_heads=2, window=9, dropout=0.3, generator=generator
    )


OPTIONS = ("dropout", "recurrent_dropout", "num_heads", "window")


@pytest.mark.parametrize("which", range(5))
def test_there_and_back(which, tmp_path):
    model = list(models())[which]
    path = tmp_path / "model.safetensors"
    save_model(path, model, VOCAB)
    again, vocab = load_model(path)
    assert type(again) is type(model)
    assert not again.training
    assert [vocab.to_tokens(i) for i in range(len(vocab))] == [
        VOCAB.to_tokens(i) for i in range(len(VOCAB))
    ]
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert evaluate(again, IDS) == evaluate(model, IDS)
    assert model.training
    for name in OPTIONS:
        assert getattr(again, name, 0) == getattr(model, name, 0)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (0, {"kind": "RNNLM", "num_hiddens": 7, "num_layers": 1}),
        (1, {"kind": "StackedRNNLM", "num_hiddens": 5, "num_layers": 3}),
    ],
)
def test_what_the_header_says(which, expected, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, list(models())[which], VOCAB)
    assert header_of(path) == {
        **expected,
        "dropout": 0.4 * which,
        "tokens": VOCAB.to_tokens(list(range(1, len(VOCAB)))),
    }


def test_a_file_from_before_dropout_was_kept(tmp_path):
    path = tmp_path / "model.safetensors"
    model = list(models())[1]
    save_model(path, model, VOCAB)
    header = header_of(path)
    del header["dropout"]
    metadata = {"unrolled": json.dumps(header)}
    save_file(dict(model.state_dict()), path, metadata=metadata)
    assert load_model(path)[0].dropout == 0.0


def test_a_file_that_does_not_say_how_many_layers_has_one(tmp_path):
    path = tmp_path / "model.safetensors"
    model = next(models())
    save_model(path, model, VOCAB)
    header = header_of(path)
    del header["num_layers"]
    metadata = {"unrolled": json.dumps(header)}
    save_file(dict(model.state_dict()), path, metadata=metadata)
    assert evaluate(load_model(path)[0], IDS) == evaluate(model, IDS)


@pytest.mark.parametrize(
    "tokens",
    [
        ["\ud83d\ude00"],  # two halves of one character, as two
        ["\ud83d\ude00", "\U0001f600"],  # beside the whole one
        ["\U0001f600", "a\ud83d\ude00b", "\ud83d", "\ude00"],
        ["\ud83d", "\ude00\ud83d", "\x00", "\u2028", '"', "\\ud83d"],
    ],
)
def test_tokens_come_back_to_the_letter(tokens, tmp_path):
    vocab, path = Vocab(tokens), tmp_path / "model"
    save_model(path, RNNLM(len(vocab), 2), vocab)
    _, again = load_model(path)
    indices = list(range(len(vocab)))
    assert again.to_tokens(indices) == vocab.to_tokens(indices)
    assert again[tokens] == vocab[tokens]


FOREIGN = {
    "a list": [],
    "a number": 1,
    "null": None,
    "another kind": {"kind": "GRU"},
    "no kind that can be looked up": {"kind": ["RNNLM"]},
    "a huge size": {"num_hiddens": 10**9},
    "a size in words": {"num_hiddens": "seven"},
    "no size": {"num_hiddens": None},
    "more layers": {"num_layers": 10**9},
    "tokens as one text": {"tokens": "abcdefghijkl"[: len(VOCAB) - 1]},
    "tokens that are numbers": {"tokens": list(range(len(VOCAB) - 1))},
    "no code points": {"tokens": [[-1]] * (len(VOCAB) - 1)},
    "tokens twice": {"tokens": ["a"] * (len(VOCAB) - 1)},
    "tokens missing": {"tokens": None},
}


# what the error behind says of some of them
CAUSES = {
    "a huge size": f"the header says (1000000000, {len(VOCAB)}, 1)",
    "more layers": f"the header says (7, {len(VOCAB)}, 1000000000)",
    "tokens as one text": "the header's tokens are no list",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_headers(name, tmp_path):
    good, path = tmp_path / "good", tmp_path / "foreign"
    model = next(models())
    save_model(good, model, VOCAB)
    header = header_of(good)
    change = FOREIGN[name]
    header = {**header, **change} if isinstance(change, dict) else change
    metadata = {"unrolled": json.dumps(header)}
    save_file(dict(model.state_dict()), path, metadata=metadata)
    with raises(
        ValueError, f"path must be a file that save_model wrote, got {path}"
    ) as caught:
        load_model(path)
    cause = str(caught.value.__cause__)
    assert cause == CAUSES.get(name, cause)


def test_headers_that_are_no_json_and_other_arrays(tmp_path):
    model, path = list(models())[1], tmp_path / "foreign"
    good = dict(model.state_dict())
    save_model(path, model, VOCAB)
    right = json.dumps(header_of(path))
    for header, tensors in (
        ("", good),
        ("{", good),
        ("[" * 100_000, good),
        (right, {}),
        (right, {**good, "extra": torch.zeros(1)}),
        (right, {**good, "b_q": torch.zeros(3)}),
        (right, {**good, "W_hq": torch.zeros(())}),
        (right, {name: good[name] for name in list(good)[1:]}),
    ):
        save_file(tensors, path, metadata={"unrolled": header})
        with raises(
            ValueError,
            f"path must be a file that save_model wrote, got {path}",
        ):
            load_model(path)
    path.write_bytes(b"")
    with pytest.raises(OSError, match=r"os error|directory"):
        load_model(tmp_path)


def test_half_precision_is_half_the_size(tmp_path):
    model = StackedRNNLM(len(VOCAB), 64, generator=seeded(0))
    full, half = tmp_path / "full", tmp_path / "half"
    save_model(full, model, VOCAB)
    save_model(half, model, VOCAB, dtype=torch.float16)
    assert 0.5 < half.stat().st_size / full.stat().st_size < 0.6
    again, _ = load_model(half)
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    assert evaluate(again, IDS) == pytest.approx(
        evaluate(model, IDS), rel=1e-2
    )


def test_bad_input(tmp_path):
    model = next(models())
    with torch.no_grad():
        model.b_q[0] = 1e6
    with raises(ValueError, "b_q has a value too large for torch.float16"):
        save_model(tmp_path / "x", model, VOCAB, dtype=torch.float16)
    assert not list(tmp_path.iterdir())


def test_foreign_files(tmp_path):
    text = tmp_path / "text"
    text.write_text("no model")
    foreign = tmp_path / "foreign"
    save_file({"a": torch.zeros(1)}, foreign)
    empty = tmp_path / "empty"
    save_file({"a": torch.zeros(1)}, empty, metadata={"unrolled": "{}"})
    for path in (text, foreign, empty):
        with raises(
            ValueError,
            f"path must be a file that save_model wrote, got {path}",
        ):
            load_model(path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing")
