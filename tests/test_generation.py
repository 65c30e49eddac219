"""Generation: greedy by hand, temperatures, reproducible, errors."""

import math
from collections import Counter

import pytest
import torch

from helpers import seeded
from unrolled.generation import generate
from unrolled.rnn import RNNLM
from unrolled.stacked import StackedRNNLM
from unrolled.vocab import Vocab

VOCAB = Vocab(list("the time machine"))


def model_of(seed=0, kind=RNNLM, **options):
    if kind is RNNLM:
        options = {"recurrent_scale": 0.5, "output_scale": 1.0, **options}
    return kind(
        len(VOCAB), 12, input_scale=1.0, generator=seeded(seed), **options
    )


@torch.no_grad()
def greedy(model, prefix, num_tokens):
    """The whole text is read anew for every token."""
    ids = VOCAB[list(prefix)]
    for _ in range(num_tokens):
        logits, _ = model(torch.tensor([ids]))
        ids.append(int(logits[-1, 0].argmax()))
    return "".join(VOCAB.to_tokens(ids))


@pytest.mark.parametrize("prefix", ["t", "the time "])
@pytest.mark.parametrize("num_tokens", [0, 1, 25])
def test_greedy(prefix, num_tokens):
    model = model_of()
    written = generate(model, prefix, num_tokens, VOCAB)
    assert written == greedy(model, prefix, num_tokens)
    assert written.startswith(prefix)


@torch.no_grad()
def drawn(model, prefix, num_tokens, temperature, generator):
    """The whole text is read anew for every token, torch draws."""
    ids = VOCAB[list(prefix)]
    for _ in range(num_tokens):
        logits = model(torch.tensor([ids]))[0][-1, 0].double()
        law = ((logits - logits.max()) / temperature).softmax(-1)
        ids.append(int(torch.multinomial(law, 1, generator=generator)))
    return "".join(VOCAB.to_tokens(ids))


@pytest.mark.parametrize("temperature", [1e-3, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("kind", [RNNLM, StackedRNNLM])
def test_draws_are_those_of_multinomial(kind, temperature):
    model = model_of(kind=kind).eval()
    written = generate(
        model,
        "the ",
        60,
        VOCAB,
        temperature=temperature,
        generator=seeded(3),
    )
    assert written == drawn(model, "the ", 60, temperature, seeded(3))


def test_a_model_without_a_step():
    inner = model_of()

    class Plain(torch.nn.Module):
        vocab_size = inner.vocab_size

        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, X, state):  # no default: the start is a state
            return self.inner(X, state)

    expected = generate(inner, "the ", 30, VOCAB)
    assert generate(Plain(), "the ", 30, VOCAB) == expected


def test_a_model_with_a_step_writes_by_it():
    taken = []

    class Stepping(RNNLM):
        def step(self, ids, state):
            taken.append(len(ids))
            return super().step(ids, state)

    model = Stepping(len(VOCAB), 3)
    generate(model, "the ", 30, VOCAB)
    assert taken == [1] * 29  # the last token needs none after it


class TestWords:
    words = Vocab(["the", "time", "machine", "a", "of"], 0, ["<pad>"])

    def model(self, size=None):
        return RNNLM(
            size or len(self.words),
            8,
            input_scale=1.0,
            output_scale=1.0,
            generator=seeded(0),
        )

    @pytest.mark.parametrize("prefix", ["the", "the time ", "the  time\n"])
    def test_words_are_joined_by_spaces(self, prefix):
        written = generate(self.model(), prefix, 6, self.words)
        assert written.startswith(prefix)
        tokens = written.split()
        assert len(tokens) == len(prefix.split()) + 6
        assert all(t in self.words for t in tokens)
        assert generate(self.model(), prefix, 0, self.words) == prefix

    @pytest.mark.parametrize("prefix", ["the time", "a time", "the a"])
    def test_by_hand(self, prefix):
        model, ids = self.model(), self.words[prefix.split()]
        for _ in range(5):
            with torch.no_grad():
                logits, _ = model(torch.tensor([ids]))
            ids.append(int(logits[-1, 0].argmax()))
        expected = " ".join(self.words.to_tokens(ids))
        assert generate(model, prefix, 5, self.words) == expected

    @pytest.mark.parametrize("tokens", [["to", "a"], ["a", "b", "<-", "->"]])
    def test_two_characters_make_a_word(self, tokens):
        vocab = Vocab(tokens)
        written = generate(self.model(len(vocab)), "a", 6, vocab)
        assert len(written.split()) == 7

    @pytest.mark.parametrize(
        "tokens", [list("the time"), list("时间机器"), ["th", "e", " t"]]
    )
    def test_everything_else_is_joined_by_nothing(self, tokens):
        vocab = Vocab(tokens, 0, ["<pad>"])
        first = tokens[-1][-1] if len(tokens[0]) == 1 else "e"
        written = generate(self.model(len(vocab)), first, 5, vocab)
        by_token = generate(self.model(len(vocab)), first, 0, vocab)
        assert by_token == first
        rest = written[len(first) :].replace("<unk>", "").replace("<pad>", "")
        assert set(rest) <= set("".join(tokens))


def test_a_network_stays_in_its_mode_even_after_an_error():
    model = model_of(kind=StackedRNNLM, dropout=0.5)
    with torch.no_grad():
        model.b_q[1] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        generate(model, "t", 3, VOCAB, temperature=1.0)
    assert model.training


def test_a_low_temperature_is_greedy():
    model = model_of()
    expected = generate(model, "the ", 30, VOCAB)
    for temperature in (1e-3, 1e-30, 1e-308):
        written = generate(
            model,
            "the ",
            30,
            VOCAB,
            temperature=temperature,
            generator=seeded(0),
        )
        assert written == expected


def test_reproducible_from_the_generator():
    model = model_of()
    one, same, other = (
        generate(
            model, "the ", 40, VOCAB, temperature=1.0, generator=seeded(s)
        )
        for s in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
def test_next_tokens_follow_the_tempered_law(temperature):
    model = model_of()
    with torch.no_grad():
        logits = model(torch.tensor([VOCAB[list("the")]]))[0][-1, 0]
    law = (logits.double() / temperature).softmax(-1)
    generator = seeded(0)
    draws = Counter()
    for _ in range(2000):
        written = generate(
            model,
            "the",
            1,
            VOCAB,
            temperature=temperature,
            generator=generator,
        )
        draws[VOCAB[written[3:]]] += 1
    for index, p in enumerate(law.tolist()):
        deviation = math.sqrt(2000 * p * (1 - p)) + 1
        assert abs(draws[index] - 2000 * p) < 5 * deviation


def test_the_model_is_left_as_it_was():
    model = model_of(kind=StackedRNNLM, dropout=0.5)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.train()
    one = generate(model, "the", 20, VOCAB)
    assert model.training
    assert one == generate(model, "the", 20, VOCAB)  # no dropout
    model.eval()
    generate(model, "the", 2, VOCAB)
    assert not model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_ids_go_where_the_model_is():
    model = model_of()
    expected = generate(model, "the", 5, VOCAB)
    with torch.device("meta"):  # where tensors without a device would go
        assert generate(model, "the", 5, VOCAB) == expected
