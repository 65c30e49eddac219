"""Checkpoints: what comes back, precision, size, foreign files."""

import re

import pytest
import torch
from safetensors.torch import save_file

from unrolled.checkpoints import load_model, save_model
from unrolled.rnn import RNNLM, StackedRNNLM
from unrolled.training import evaluate
from unrolled.vocab import Vocab

VOCAB = Vocab(list("the time machine"))
IDS = torch.tensor(VOCAB[list("machine time the time")])


def raises(kind, message):
    return pytest.raises(kind, match="^" + re.escape(message) + "$")


def models():
    generator = torch.Generator().manual_seed(0)
    size = len(VOCAB)
    yield RNNLM(
        size, 7, input_scale=1.0, output_scale=1.0, generator=generator
    )
    yield StackedRNNLM(size, 5, 3, dropout=0.4, generator=generator)


@pytest.mark.parametrize("which", [0, 1])
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
    assert getattr(again, "dropout", 0) == getattr(model, "dropout", 0)


def test_half_precision_is_half_the_size(tmp_path):
    model = StackedRNNLM(
        len(VOCAB), 64, generator=torch.Generator().manual_seed(0)
    )
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
    with raises(
        TypeError,
        "model must be one of ('RNNLM', 'StackedRNNLM'), got Linear",
    ):
        save_model(tmp_path / "x", torch.nn.Linear(1, 1), VOCAB)
    with raises(ValueError, f"vocab has 2 indices, the model {len(VOCAB)}"):
        save_model(tmp_path / "x", model, Vocab(["a"]))
    assert not list(tmp_path.iterdir())


def test_foreign_files(tmp_path):
    text = tmp_path / "text"
    text.write_text("no model")
    foreign = tmp_path / "foreign"
    save_file({"a": torch.zeros(1)}, foreign)
    for path in (text, foreign):
        with raises(
            ValueError,
            f"path must be a file that save_model wrote, got {path}",
        ):
            load_model(path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing")
