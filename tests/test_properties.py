"""What must hold for every input, tried on inputs that hypothesis draws.

The other tests have numbers worked out by hand; here are the invariants:
samplers, vocabularies, rows of probabilities, the coder's way there and back,
clipping, Markov chains. The draws are the same in every run.
"""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import seeded
from unrolled.batches import (
    SequenceLoader,
    random_batches,
    sequential_batches,
)
from unrolled.coding import counting_predictor, decode, encode, ideal_bits
from unrolled.markov import MarkovChain
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.training import clip_gradients
from unrolled.vocab import Vocab, character_stream, clean_lines, tokenize

settings.register_profile(
    "unrolled", deadline=None, derandomize=True, max_examples=60, database=None
)
settings.load_profile("unrolled")

SIZE = 5  # of the vocabularies of ids below
ids_of = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=60)
contexts = st.lists(st.integers(0, SIZE - 1), max_size=6)
tokens = st.lists(st.text(max_size=4), max_size=30)


@st.composite
def cuts(draw):
    """A text 0..n - 1, and sizes that it is long enough for."""
    batch_size, num_steps = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    offset = draw(st.integers(0, num_steps - 1))
    least = batch_size * num_steps + num_steps
    n = draw(st.integers(least, least + 80))
    seed = draw(st.integers(0, 2**32))
    return torch.arange(n), batch_size, num_steps, offset, seed


@given(cuts())
def test_random_minibatches(case):
    ids, batch_size, num_steps, offset, seed = case
    pairs = list(
        random_batches(ids, batch_size, num_steps, seeded(seed), offset)
    )
    starts = [int(row[0]) for X, _ in pairs for row in X]
    windows = (len(ids) - offset - 1) // num_steps
    assert len(pairs) == windows // batch_size
    assert len(starts) == len(set(starts))  # each window at most once
    assert all(start % num_steps == offset % num_steps for start in starts)
    for X, Y in pairs:
        assert X.shape == Y.shape == (batch_size, num_steps)
        assert torch.equal(Y, X + 1)  # the ids are their own places
        assert torch.equal(X, X[:, :1] + torch.arange(num_steps))


@given(cuts())
def test_sequential_minibatches(case):
    ids, batch_size, num_steps, offset, seed = case
    pairs = list(
        sequential_batches(ids, batch_size, num_steps, seeded(seed), offset)
    )
    strip = (len(ids) - offset - 1) // batch_size
    assert len(pairs) == strip // num_steps
    assert int(pairs[0][0][0, 0]) == offset
    rows = torch.cat([X for X, _ in pairs], dim=1)  # each row one piece
    assert torch.equal(rows, rows[:, :1] + torch.arange(rows.shape[1]))
    assert torch.equal(rows[:, 0], offset + strip * torch.arange(batch_size))
    for X, Y in pairs:
        assert torch.equal(Y, X + 1)


@given(cuts(), st.sampled_from(["sequential", "random"]))
def test_passes_have_one_length(case, sampling):
    ids, batch_size, num_steps, _, seed = case
    loader = SequenceLoader(
        ids, batch_size, num_steps, sampling=sampling, generator=seeded(seed)
    )
    assert {len(list(loader)) for _ in range(4)} == {len(loader)}


@given(tokens, st.integers(0, 4), st.lists(st.text(max_size=3), unique=True))
def test_vocabularies(tokens, min_freq, reserved):
    reserved = [token for token in reserved if token != "<unk>"]
    vocab = Vocab(tokens, min_freq, reserved)
    indices = list(range(len(vocab)))
    assert vocab[vocab.to_tokens(indices)] == indices
    assert vocab.to_tokens(indices)[: len(reserved) + 1] == [
        "<unk>",
        *reserved,
    ]
    back = vocab.to_tokens(vocab[tokens])
    for token, again in zip(tokens, back, strict=True):
        known = tokens.count(token) >= min_freq or token in reserved
        assert again == (token if known else "<unk>")
    counts = [count for _, count in vocab.token_freqs]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(tokens)


@given(st.text(alphabet="aB z'9é时\n\r\t", max_size=80))
def test_cleaned_text(text):
    lines = clean_lines(text)
    assert clean_lines("\n".join(lines)) == (
        lines if not lines or lines[-1] else lines[:-1]
    )
    stream = character_stream(text)
    assert set(stream) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert "  " not in stream
    assert stream == stream.strip()
    words = [word for line in tokenize(lines) for word in line]
    assert stream.split() == words
    characters = Vocab(list(stream))
    there = characters[list(stream)]
    assert "".join(characters.to_tokens(there)) == stream


strengths = st.one_of(
    st.floats(0, 100), st.lists(st.floats(0, 100), min_size=3, max_size=3)
)


@given(ids_of, contexts, strengths)
def test_rows_of_n_grams_sum_to_1(ids, context, strengths):
    for lm in (NgramLM(3, SIZE, strengths), KneserNeyLM(3, SIZE, 0.5)):
        lm.fit(torch.tensor(ids))
        law = lm.distribution(context)
        assert law.min() >= 0
        assert law.sum().item() == pytest.approx(1, abs=1e-12)
        for token in range(SIZE):
            assert lm.prob(context, token) == law[token]
        # one token at a time, and all at once
        text = torch.tensor([*context, *ids])
        if len(text) > 1:
            each = [
                lm.prob(text[:i].tolist(), int(text[i]))
                for i in range(1, len(text))
            ]
            assert lm.log_probs(text).exp().tolist() == pytest.approx(
                each, abs=1e-12
            )


@settings(max_examples=30)
@given(ids_of, st.lists(st.integers(0, SIZE - 1), max_size=80))
def test_the_coder_gives_back_what_it_got(fitted, sent):
    lm = NgramLM(3, SIZE, 0.7).fit(torch.tensor(fitted))
    data = encode(counting_predictor(lm), sent)
    assert decode(counting_predictor(lm), data, len(sent)) == sent
    ideal = ideal_bits(counting_predictor(lm), sent)
    assert -0.01 * ideal <= 8 * len(data) - ideal <= 64 + 0.01 * ideal


numbers = st.floats(-1e6, 1e6, width=32)


@given(
    st.lists(
        st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=4
    ),
    st.floats(1e-3, 1e3),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_clipping(gradients, theta, dtype):
    params = []
    for gradient in gradients:
        param = torch.zeros(len(gradient), dtype=dtype, requires_grad=True)
        param.grad = torch.tensor(gradient, dtype=dtype)
        params.append(param)
    before = torch.cat([p.grad.clone() for p in params]).double()
    norm = clip_gradients(iter(params), theta)
    after = torch.cat([p.grad for p in params]).double()
    assert norm == pytest.approx(before.norm().item(), rel=1e-5, abs=1e-12)
    assert after.norm().item() <= theta * (1 + 1e-5)
    if norm <= theta:
        assert torch.equal(after, before)
    else:  # the same direction, and no shorter than it must be
        assert torch.allclose(
            after, before * theta / before.norm(), rtol=1e-4, atol=1e-30
        )


@st.composite
def chains(draw):
    """A chain of 1 to 5 states with every transition possible."""
    size = draw(st.integers(1, 5))
    rows = st.lists(st.floats(1e-6, 1.0), min_size=size, max_size=size)
    table = draw(st.lists(rows, min_size=size, max_size=size))
    matrix = torch.tensor(table, dtype=torch.float64)
    return MarkovChain(matrix / matrix.sum(dim=1, keepdim=True))


@given(chains(), st.integers(0, 6), st.integers(0, 6))
def test_chains(chain, j, k):
    ones = torch.ones(len(chain), dtype=torch.float64)
    steps = chain.k_step(j + k)
    assert torch.allclose(steps.sum(dim=1), ones, atol=1e-12)
    assert torch.allclose(steps, chain.k_step(j) @ chain.k_step(k))
    law = chain.stationary()
    assert law.min() > 0
    assert law.sum().item() == pytest.approx(1)
    assert torch.allclose(law @ chain.transition, law, atol=1e-12)
    assert -1e-12 <= chain.entropy_rate() <= math.log(len(chain)) + 1e-12
    backward = chain.reversed()
    assert torch.allclose(backward.stationary(), law, atol=1e-12)
    assert torch.allclose(
        backward.reversed().transition, chain.transition, atol=1e-9
    )


@given(chains(), st.integers(0, 2**32), st.integers(1, 30))
def test_paths_of_chains(chain, seed, num_steps):
    path = chain.sample(num_steps, generator=seeded(seed))
    assert path.shape == (num_steps,)
    assert torch.equal(path, chain.sample(num_steps, generator=seeded(seed)))
    expected = chain.initial[path[0]].log() + sum(
        chain.transition[a, b].log() for a, b in itertools.pairwise(path)
    )
    assert chain.log_prob(path).item() == pytest.approx(expected.item())
    assert math.isfinite(expected)
