"""Sorted counts: every key, count and ending against Counter; the base."""

import math

import pytest
import torch

from helpers import seeded
from unrolled.counting import (
    InterpolatedLM,
    Rule,
    _take,
    count_levels,
)
from unrolled.ngrams import KneserNeyLM, NgramLM, count_ngrams


def decode(levels, length, size):
    """The n-grams of one level as tuples, from their keys."""
    if length == 0:
        return [()]
    shorter = decode(levels, length - 1, size)
    return [
        (*shorter[key // size], key % size)
        for key in levels[length - 1].keys.tolist()
    ]


@pytest.mark.parametrize(("n", "size"), [(50, 3), (80, 12), (1, 4), (3, 2)])
def test_levels_against_counter(n, size):
    ids = torch.randint(size, (n,), generator=seeded(n))
    levels = count_levels(ids, 5, size)
    assert len(levels) == 5
    for length in range(1, 6):
        level = levels[length - 1]
        grams = decode(levels, length, size)
        expected = count_ngrams(ids.tolist(), length)
        assert grams == sorted(expected)
        assert level.counts.tolist() == [expected[gram] for gram in grams]
        endings = decode(levels, length - 1, size)
        assert [endings[e] for e in level.endings] == [g[1:] for g in grams]
        assert level.keys.dtype == level.endings.dtype == torch.int64
        assert level.counts.dtype == torch.float64


def test_take_gives_another_value_for_what_is_not_there():
    values = torch.tensor([5.0, 7.0])
    numbers = torch.tensor([1, -1, 0])
    assert _take(values, numbers).tolist() == [7, 0, 5]
    assert _take(values, torch.tensor([2, 0]), 0.5).tolist() == [0.5, 5]
    assert _take(values[:0], torch.tensor([-1])).tolist() == [0]


class Half(InterpolatedLM):
    """Half of the relative frequency, half of the lower order."""

    def _set_rules(self):
        self._rules = []
        for length, level in enumerate(self._levels, start=1):
            totals = self._sum_by_context(length, level.counts)
            own = level.counts / totals[self._contexts(length)] / 2
            lower = torch.where(totals > 0, 0.5, 1.0).double()
            self._rules.append(Rule(own, lower))


def test_mixing_by_hand():
    # 0 1 0 2: unigram 2/4, 1/4, 1/4 mixed with 1/4 (four symbols)
    lm = Half(2, 4).fit(torch.tensor([0, 1, 0, 2]))
    unigram = [3 / 8, 2 / 8, 2 / 8, 1 / 8]
    assert lm.distribution([]).tolist() == unigram
    after_0 = [3 / 16, 2 / 16 + 0.25, 2 / 16 + 0.25, 1 / 16]
    after_1 = [3 / 16 + 0.5, 2 / 16, 2 / 16, 1 / 16]  # followed by 0, once
    assert lm.distribution([0]).tolist() == after_0
    assert lm.distribution([3, 0]).tolist() == after_0
    assert lm.distribution([2]).tolist() == unigram  # never a context
    assert lm.distribution([3]).tolist() == unigram  # never seen
    assert lm.prob([0], 1) == after_0[1]
    log_probs = lm.log_probs(torch.tensor([0, 1, 3, 0, 2]))
    assert log_probs.exp().tolist() == pytest.approx(
        [after_0[1], after_1[3], unigram[0], after_0[2]]
    )
    assert [len(level.keys) for level in lm._levels] == [3, 3]
    # 6 n-grams with key, count, ending and own; lower of () and of 3 tokens
    assert lm.num_bytes() == 8 * (4 * 6 + 1 + 3)


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("kind", [NgramLM, KneserNeyLM])
def test_a_text_at_once_as_token_by_token(kind, n):
    generator = seeded(n)
    lm = kind(4, 3, 0.75).fit(torch.randint(3, (n,), generator=generator))
    for ids in torch.randint(3, (40, 6), generator=generator):
        one_by_one = [
            lm.distribution(ids[:t])[ids[t]].log().item() for t in range(1, 6)
        ]
        scores = lm.log_probs(ids)
        assert scores.tolist() == pytest.approx(one_by_one, abs=1e-14)
        mean = -sum(one_by_one) / 5
        assert lm.perplexity(ids) == pytest.approx(math.exp(mean))


def test_an_empty_level_has_no_n_gram():
    lm = NgramLM(5, 4, 1.0).fit(torch.tensor([1, 2]))
    assert [len(level.keys) for level in lm._levels] == [2, 1, 0, 0, 0]
    for _contexts, grams in lm._find(torch.tensor([1, 2, 0, 1, 2, 3, 3]))[2:]:
        assert grams.tolist() == [-1] * 7


def test_no_probability_exceeds_1():
    lm = NgramLM(1, 1, 1.1).fit(torch.tensor([0, 0, 0]))
    assert lm.log_probs(torch.tensor([0, 0])).tolist() == [0]


def test_the_base_has_no_rule_of_its_own():
    with pytest.raises(NotImplementedError):
        InterpolatedLM(1, 3).fit(torch.tensor([1]))


def test_a_rule_for_each_level_is_needed():
    class Short(Half):
        def _set_rules(self):
            super()._set_rules()
            self._rules.pop()

    lm = Short(2, 4).fit(torch.tensor([0, 1, 0, 2]))
    with pytest.raises(ValueError, match="argument 2 is"):
        lm.distribution([0])
    with pytest.raises(ValueError, match="argument 2 is"):
        lm.log_probs(torch.tensor([0, 1]))


def by_torch(lm, context):
    """``distribution`` in torch's own operations."""
    size = lm.vocab_size
    law = torch.full((size,), 1 / size, dtype=torch.float64)
    for length in range(min(lm.order, len(context) + 1)):
        number = lm._number(context[len(context) - length :])
        if number is None:
            break
        level, rule = lm._levels[length], lm._rules[length]
        block = torch.tensor([number, number + 1]) * size
        start, stop = torch.searchsorted(level.keys, block).tolist()
        law = law * rule.lower[number]
        law[level.keys[start:stop] - number * size] += rule.own[start:stop]
    return law


def test_a_distribution_has_the_bits_of_torch():
    ids = torch.randint(5, (300,), generator=seeded(0))
    for lm in (
        KneserNeyLM(4, 6).fit(ids),
        NgramLM(3, 6, [0.5, 2.0, 0.3]).fit(ids),
    ):
        for start in range(60):
            context = ids[start : start + start % 6].tolist()
            law = lm.distribution(context)
            assert torch.equal(law, by_torch(lm, context))
            assert torch.equal(law, lm.distribution(torch.tensor(context)))
            assert torch.equal(law, lm.distribution(tuple(context)))
            law.zero_()  # the caller's own: the counts stay
            assert lm.distribution(context).sum().item() == pytest.approx(1)
