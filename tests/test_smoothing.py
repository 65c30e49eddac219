"""Smoothing: one formula for tables and for tuning, on a model by hand."""

import pytest
import torch

from helpers import seeded
from unrolled.smoothing import SmoothedLM, _maximise


def test_maximise_finds_the_most_likely_parameter():
    # 3 heads in 10 throws; p = sigmoid(x), so x = ln(3 / 7)
    heads = torch.tensor([1.0] * 3 + [0.0] * 7, dtype=torch.float64)

    def probs(x):
        p = x.sigmoid()
        return heads * p + (1 - heads) * (1 - p)

    start = torch.zeros(1, dtype=torch.float64)
    best = _maximise(probs, start)
    assert best.sigmoid().item() == pytest.approx(0.3, abs=1e-6)
    assert not best.requires_grad
    assert start.item() == 0


def test_maximise_where_scales_differ_by_hundreds():
    # five coins, each thrown ten times; p = sigmoid(scale x)
    scales = torch.tensor([0.05, 0.3, 1.0, 5.0, 20.0], dtype=torch.float64)
    heads = (9, 4, 3, 8, 6)

    def probs(x):
        thrown = (scales * x).sigmoid()
        return torch.stack(
            [
                p if throw < n else 1 - p
                for p, n in zip(thrown, heads, strict=True)
                for throw in range(10)
            ]
        )

    best = _maximise(probs, torch.zeros(5, dtype=torch.float64))
    share = torch.tensor(heads, dtype=torch.float64) / 10
    assert torch.allclose((scales * best).sigmoid(), share, atol=1e-5)


class Shares(SmoothedLM):
    """A share of the relative frequency, the rest of the lower order."""

    def __init__(self, order, vocab_size, shares):
        super().__init__(order, vocab_size)
        self.shares = shares

    def _parameters(self):
        return self.shares

    def _bounded(self, raw):
        return raw.sigmoid()

    def _counts(self, length):
        return self._levels[length - 1].counts[:, None]

    def _own(self, gram, context, share):
        return share * gram[:, 0] / context[:, 0].clamp(min=1)

    def _lower(self, context, share):
        return torch.where(context[:, 0] > 0, 1 - share, 1.0)


def test_tables_by_hand():
    # 0 1 0 2: unigram 2/4, 1/4, 1/4 mixed with 1/4 (four symbols)
    lm = Shares(2, 4, [0.5, 0.25]).fit(torch.tensor([0, 1, 0, 2]))
    unigram = [3 / 8, 2 / 8, 2 / 8, 1 / 8]
    assert lm.distribution([]).tolist() == unigram
    after_0 = [
        0.75 * p + 0.25 * q
        for p, q in zip(unigram, (0, 0.5, 0.5, 0), strict=True)
    ]
    assert lm.distribution([0]).tolist() == after_0
    assert lm.distribution([3]).tolist() == unigram


def test_tuning_by_hand():
    # 0 0 1 are scored: two of three are 0
    lm = Shares(1, 2, [0.5]).fit(torch.tensor([0, 0, 0, 1]))
    (share,) = lm.tuned(torch.tensor([1, 0, 0, 1])).shares
    # P(0) = 1/2 + share / 4 is best at 2/3
    assert share == pytest.approx(2 / 3, abs=1e-5)
    # not rounded to single precision on the way
    assert share != torch.tensor(share).float().item()
    assert lm.shares == [0.5]


def test_tables_are_as_fine_as_their_counts():
    lm = Shares(1, 2, [1 / 3]).fit(torch.tensor([0, 0, 1]))
    expected = 1 / 3 * 2 / 3 + 2 / 3 * 1 / 2
    assert lm.distribution([])[0].item() == pytest.approx(expected, abs=1e-15)


class Products(Shares):
    """A share that is the product of two numbers."""

    _shape = (2,)

    def _own(self, gram, context, pair):
        return super()._own(gram, context, pair.prod())

    def _lower(self, context, pair):
        return super()._lower(context, pair.prod())


def test_an_order_may_have_several_parameters():
    lm = Products(1, 2, [[0.5, 0.5]]).fit(torch.tensor([0, 0, 0, 1]))
    (pair,) = lm.tuned(torch.tensor([1, 0, 0, 1])).shares
    assert len(pair) == 2
    assert pair[0] * pair[1] == pytest.approx(2 / 3, abs=1e-6)


def test_tuned_tables_follow_the_formula_that_was_tuned():
    generator = seeded(0)
    noise = torch.randint(3, (300,), generator=generator)
    ids = torch.where(noise == 0, noise.roll(1), torch.arange(300) % 3)
    known, held_out = ids[:200], ids[200:]
    lm = Shares(3, 3, [0.5] * 3).fit(known)
    best = lm.tuned(held_out)
    # the two upper orders help; the lowest one is flat enough to vanish
    assert min(best.shares[1:]) > 0.1
    for place in (1, 2):
        for step in (-0.02, 0.02):
            near = list(best.shares)
            near[place] += step
            worse = lm._with(near).perplexity(held_out)
            assert worse > best.perplexity(held_out)
