"""NgramLM and KneserNeyLM: by hand, brute force, nltk, limits, errors."""

import itertools
import math
import sys
from collections import Counter

import pytest
import torch
from nltk.lm import KneserNeyInterpolated, Laplace

from helpers import seeded
from unrolled.ngrams import KneserNeyLM, NgramLM, count_ngrams, fit_zipf


def sizes_of(lm):
    """How many different n-grams of each length were counted."""
    return [len(level.keys) for level in lm._levels]


def some_text(n, size, seed=0):
    """Skewed, so that counts of 1, 2, 3 and 4 all occur."""
    weights = 1 / torch.arange(1, size + 1, dtype=torch.float64)
    return torch.multinomial(weights, n, True, generator=seeded(seed))


def linked_text(n, seed):
    """Twenty symbols; three in ten follow from the one before."""
    rare = some_text(n, 20, seed).tolist()
    linked = torch.rand(n, generator=seeded(seed)).lt(0.3).tolist()
    ids = [0]
    for symbol, follows in zip(rare, linked, strict=True):
        ids.append((ids[-1] * 7 + 3) % 20 if follows else symbol)
    return torch.tensor(ids)


def windows(ids, length):
    return [tuple(ids[i : i + length]) for i in range(len(ids) - length + 1)]


def brute_ngram(ids, size, strengths, context, token):
    """The formula, with everything counted again for every call."""
    p = 1 / size
    for k, s in enumerate(strengths):
        if k > len(context):
            break
        c = tuple(context[len(context) - k :])
        n_cx = windows(ids, k + 1).count((*c, token))
        n_c = windows(ids[:-1], k).count(c) if k else len(ids)
        if n_c + s > 0:
            p = (n_cx + s * p) / (n_c + s)
    return p


def brute_kneser_ney(ids, order, size, triples, context, token):
    """The definition in words: sets of predecessors, one token at a time."""
    p = 1 / size
    for k in range(1, order + 1):
        if k - 1 > len(context):
            break
        c = tuple(context[len(context) - k + 1 :])

        def count(gram, k=k):
            if k == order:
                return windows(ids, k).count(gram)
            longer = {g for g in windows(ids, k + 1) if g[1:] == gram}
            return len(longer)

        adjusted = {x: count((*c, x)) for x in range(size)}
        total = sum(adjusted.values())
        if total == 0:
            continue
        cut = {
            x: triples[k - 1][min(a, 3) - 1] if a else 0
            for x, a in adjusted.items()
        }
        p = (
            max(adjusted[token] - cut[token], 0) + sum(cut.values()) * p
        ) / total
    return p


def assert_laws(lm, brute):
    """What follows random contexts of six tokens, by brute force too."""
    generator = seeded(1)
    for length in (0, 1, 2, 3, 5, 6):
        for _ in range(5):
            context = torch.randint(6, (length,), generator=generator).tolist()
            expected = [brute(context, token) for token in range(6)]
            law = lm.distribution(context).tolist()
            assert law == pytest.approx(expected, abs=1e-12)


class TestCounting:
    def test_by_hand(self):
        assert count_ngrams("abab", 2) == Counter(
            {("a", "b"): 2, ("b", "a"): 1}
        )
        assert count_ngrams(["x"], 1) == Counter({("x",): 1})
        assert count_ngrams((t for t in "abc"), 3) == Counter(
            {tuple("abc"): 1}
        )

    def test_a_tensor_is_its_numbers(self):
        assert count_ngrams(torch.tensor([1, 1, 1]), 2) == {(1, 1): 2}

    def test_too_short_or_empty(self):
        assert count_ngrams("ab", 3) == Counter()
        assert count_ngrams([], 1) == Counter()

    def test_number_of_ngrams(self):
        for order in (1, 2, 5):
            assert count_ngrams(range(9), order).total() == 10 - order


class TestNgramLM:
    def test_by_hand(self):
        # 1 2 1 2 1 3: as contexts 1 three times, 2 twice, 3 never
        lm = NgramLM(2, 4, [1.0, 2.0]).fit(torch.tensor([1, 2, 1, 2, 1, 3]))
        unigram = [(n + 0.25) / 7 for n in (0, 3, 2, 1)]
        assert lm.distribution([]).tolist() == pytest.approx(unigram)
        after_1 = [
            (n + 2 * p) / 5 for n, p in zip((0, 0, 2, 1), unigram, strict=True)
        ]
        assert lm.distribution([1]).tolist() == pytest.approx(after_1)
        # 3 is no context: n(3) = 0, and the lower order is all there is
        assert lm.distribution([3]).tolist() == pytest.approx(unigram)
        assert lm.prob([2, 1], 3) == pytest.approx(after_1[3])

    @pytest.mark.parametrize("strengths", [[0.5, 3, 0, 2], [0.0, 0, 1, 0]])
    def test_against_brute_force(self, strengths):
        ids = some_text(60, 5).tolist()
        lm = NgramLM(4, 6, strengths).fit(torch.tensor(ids))
        assert_laws(lm, lambda *asked: brute_ngram(ids, 6, strengths, *asked))

    def test_every_distribution_sums_to_1(self):
        ids = some_text(300, 7)
        for strengths in (0.0, 0.1, 5.0, math.inf, [1, 0, 3]):
            lm = NgramLM(3, 9, strengths).fit(ids)
            for context in itertools.product(range(9), repeat=2):
                law = lm.distribution(context)
                assert law.sum().item() == pytest.approx(1, abs=1e-9)
                assert bool((law >= 0).all())

    def test_maximum_likelihood_at_strength_0(self):
        lm = NgramLM(3, 5, 0.0).fit(torch.tensor([1, 2, 3, 1, 2, 4]))
        assert lm.distribution([1, 2]).tolist() == [0, 0, 0, 0.5, 0.5]
        assert lm.prob([1, 2], 1) == 0
        assert lm.perplexity(torch.tensor([1, 2, 1])) == math.inf
        # seen to the end of the text only: falls back, no 0 / 0
        assert lm.distribution([2, 4]).tolist() == pytest.approx(
            [0, 2 / 6, 2 / 6, 1 / 6, 1 / 6]
        )

    def test_a_growing_strength_gives_the_lower_order(self):
        ids = some_text(200, 6)
        lower = NgramLM(2, 6, [1.0, 2.0]).fit(ids)
        for strength, tolerance in ((1e9, 1e-7), (math.inf, 1e-15)):
            lm = NgramLM(3, 6, [1.0, 2.0, strength]).fit(ids)
            for context in ([1, 2], [3, 3], [5, 0]):
                gap = lm.distribution(context) - lower.distribution(context)
                assert gap.abs().max() <= tolerance
        nothing = NgramLM(2, 6, math.inf).fit(ids)
        assert nothing.distribution([1]).tolist() == pytest.approx([1 / 6] * 6)

    def test_add_one_is_nltk_laplace(self):
        ids = some_text(200, 6)
        lm = NgramLM(1, 8, 8.0).fit(ids)
        theirs = Laplace(1)
        grams = [[(str(t),) for t in ids.tolist()]]
        theirs.fit(grams, vocabulary_text=list("0123456"))
        assert len(theirs.vocab) == 8  # nltk adds its own <UNK>
        for token in range(7):
            assert lm.prob([], token) == pytest.approx(
                theirs.score(str(token))
            )

    def test_log_probs_are_those_of_prob(self):
        lm = NgramLM(3, 6, [1.0, 0.5, 2.0]).fit(some_text(100, 5))
        ids = some_text(40, 6, seed=3)
        log_probs = lm.log_probs(ids)
        assert log_probs.dtype == torch.float64
        assert log_probs.shape == (39,)
        for t in range(1, 40):
            p = lm.prob(ids[:t], int(ids[t]))
            assert log_probs[t - 1].item() == pytest.approx(
                math.log(p), abs=1e-12
            )
        mean = log_probs.mean().item()
        assert lm.perplexity(ids) == pytest.approx(math.exp(-mean))

    def test_two_ids_are_enough(self):
        lm = NgramLM(3, 4, 1.0).fit(torch.tensor([1, 2, 3]))
        assert lm.log_probs(torch.tensor([1, 2])).exp().item() == (
            pytest.approx(lm.prob([1], 2))
        )

    def test_text_shorter_than_the_order(self):
        lm = NgramLM(5, 4, 1.0).fit(torch.tensor([1, 2]))
        assert sizes_of(lm) == [2, 1, 0, 0, 0]
        law = lm.distribution([3, 1, 2, 1])
        assert law.sum().item() == pytest.approx(1)
        assert law.tolist() == pytest.approx(
            NgramLM(2, 4, 1.0).fit(torch.tensor([1, 2])).distribution([1])
        )
        ids = torch.tensor([1, 2, 0, 1, 2, 3, 3])
        expected = [lm.prob(ids[:t], int(ids[t])) for t in range(1, 7)]
        assert lm.log_probs(ids).exp().tolist() == pytest.approx(expected)

    def test_empty_levels_are_in_double_precision_too(self):
        for lm in (NgramLM(4, 4, 1e300), KneserNeyLM(4, 4)):
            lm.fit(torch.tensor([1, 2]))
            law = lm.distribution([1, 2, 1])
            assert law.sum().item() == pytest.approx(1)
            assert {rule.lower.dtype for rule in lm._rules} == {torch.float64}
            tuned = lm.tuned(torch.tensor([1, 2, 1]))
            assert tuned.distribution([1]).sum().item() == pytest.approx(1)

    def test_one_token(self):
        lm = NgramLM(2, 3, 1.0).fit(torch.tensor([2]))
        assert lm.prob([2], 2) == pytest.approx((1 + 1 / 3) / 2)

    def test_long_ids_do_not_overflow(self):
        # 28^14 and 5000^6 are above 2^63
        assert 28**14 > 2**63 < 5000**6
        for order, size in ((14, 28), (6, 5000)):
            ids = some_text(400, size)
            ids[200:300] = ids[:100]
            lm = NgramLM(order, size, 0.0).fit(ids)
            expected = [
                len(count_ngrams(ids.tolist(), k)) for k in range(1, order + 1)
            ]
            assert sizes_of(lm) == expected
            end = 60
            context = ids[end - order + 1 : end].tolist()
            following = Counter(
                gram[-1]
                for gram in windows(ids.tolist(), order)
                if gram[:-1] == tuple(context)
            )
            law = lm.distribution(context)
            assert law.nonzero().flatten().tolist() == sorted(following)

    def test_new_strengths_do_not_count_again(self, monkeypatch):
        ids = some_text(200, 6)
        lm = NgramLM(3, 6, 1.0).fit(ids)
        monkeypatch.setattr(
            "unrolled.counting.count_levels", lambda *_: pytest.fail("again")
        )
        other = lm.with_strengths([0.5, 2.0, 7.0])
        assert other.strengths == (0.5, 2.0, 7.0)
        assert lm.strengths == (1.0, 1.0, 1.0)
        monkeypatch.undo()
        fresh = NgramLM(3, 6, [0.5, 2.0, 7.0]).fit(ids)
        assert torch.equal(other.log_probs(ids), fresh.log_probs(ids))

    def test_tuned_strengths_are_the_best(self):
        # so few that both orders need the lower one
        ids, held_out = linked_text(100, 0), linked_text(400, 5)
        lm = NgramLM(2, 20, 1.0).fit(ids)
        tuned = lm.tuned(held_out)
        best = tuned.perplexity(held_out)
        assert best < lm.perplexity(held_out)
        for factors in ((0.9, 1), (1.1, 1), (1, 0.9), (1, 1.1)):
            near = [
                f * s for f, s in zip(factors, tuned.strengths, strict=True)
            ]
            assert lm.with_strengths(near).perplexity(held_out) > best

    def test_two_ids_are_enough_to_tune(self):
        for model in (NgramLM(2, 5, 1.0), KneserNeyLM(2, 5)):
            tuned = model.fit(some_text(50, 5)).tuned(torch.tensor([1, 2]))
            assert tuned.prob([1], 2) > model.prob([1], 2)

    def test_order_1_is_tuned_too(self):
        held_out = some_text(40, 9, seed=4)
        for model in (NgramLM(1, 9, 1.0), KneserNeyLM(1, 9)):
            tuned = model.fit(some_text(50, 9)).tuned(held_out)
            before = model.perplexity(held_out)
            assert tuned.perplexity(held_out) <= before + 1e-9

    def test_tuning_ignores_an_order_that_does_not_help(self):
        # independent draws: the bigram has nothing to tell
        weights = torch.ones(4)
        draw = [
            torch.multinomial(weights, 3000, True, generator=seeded(s))
            for s in (0, 1)
        ]
        tuned = NgramLM(2, 4, 1.0).fit(draw[0]).tuned(draw[1])
        assert tuned.strengths[1] > 1000

    def test_sure_of_every_token(self):
        for model in (NgramLM(1, 1, 1.1), KneserNeyLM(2, 1)):
            model.fit(torch.tensor([0, 0, 0]))
            assert model.perplexity(torch.tensor([0, 0])) == 1

    def test_the_largest_vocabulary(self):
        fitting = NgramLM(1, 2**58, 0.0).fit(torch.arange(31))
        assert sizes_of(fitting) == [31]

    def test_tuning_where_gradients_are_off(self):
        ids = some_text(60, 5)
        for model in (NgramLM(2, 5, 1.0), KneserNeyLM(2, 5)):
            expected = model.fit(ids).tuned(ids).log_probs(ids)
            for off in (torch.no_grad, torch.inference_mode):
                with off():
                    tuned = model.fit(ids).tuned(ids)
                assert torch.equal(tuned.log_probs(ids), expected)

    def test_memory_grows_with_the_text_not_the_vocabulary(self):
        ids = some_text(1000, 20)
        small, large = (NgramLM(4, v, 1.0).fit(ids) for v in (20, 10**6))
        assert small.num_bytes() == large.num_bytes() < 400_000
        # per level: keys, counts, endings, own; per context: lower
        sizes = sizes_of(small)
        assert small.num_bytes() == 8 * (4 * sum(sizes) + 1 + sum(sizes[:-1]))

    def test_fit_gives_the_model_back(self):
        lm = NgramLM(2, 5, 1.0)
        assert lm.fit(torch.tensor([1, 2])) is lm


class TestKneserNey:
    def test_by_hand(self):
        # 1 2 1 3 2 1: bigrams 12 21 13 32 21; predecessors of 1: {2},
        # of 2: {1, 3}, of 3: {1}; D = 1/2 everywhere, V = 4
        lm = KneserNeyLM(2, 4, 0.5).fit(torch.tensor([1, 2, 1, 3, 2, 1]))
        p1 = [(max(a - 0.5, 0) + 1.5 / 4) / 4 for a in (0, 1, 2, 1)]
        assert lm.distribution([]).tolist() == pytest.approx(p1)
        # after 2: only 1, twice
        p = [
            (n + 0.5 * q) / 2 for n, q in zip((0, 1.5, 0, 0), p1, strict=True)
        ]
        assert lm.distribution([2]).tolist() == pytest.approx(p)
        assert lm.discounts == [(0.5, 0.5, 0.5)] * 2

    def test_discounts_by_hand(self):
        # order 1 uses plain counts; n1, n2, n3, n4 = 5, 3, 2, 1
        counts = [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5]
        ids = [x for x, n in enumerate(counts) for _ in range(n)]
        lm = KneserNeyLM(1, 12).fit(torch.tensor(ids))
        y = 5 / (5 + 2 * 3)
        expected = (1 - 2 * y * 3 / 5, 2 - 3 * y * 2 / 3, 3 - 4 * y * 1 / 2)
        assert lm.discounts == [pytest.approx(expected)]

    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ([2, 2, 3], (0.5, 0.5, 0.5)),  # none seen once
            ([1, 1, 3], (0.5, 0.5, 0.5)),  # none seen twice
            ([1, 1, 2, 4], (0.5, 0.5, 0.5)),  # y = 2 / (2 + 2), no 3
            ([1, 1, 1, 2, 3], (0.6, 0.6, 0.6)),  # y = 3 / 5, no 4
            # y = 1/3: 3 - 4 * 9 / 3 < 0 is cut
            ([1, 2, 3] + [4] * 9, (1 - 2 / 3, 2 - 1, 0.0)),
        ],
    )
    def test_small_texts(self, counts, expected):
        ids = [x for x, n in enumerate(counts) for _ in range(n)]
        lm = KneserNeyLM(1, 20).fit(torch.tensor(ids))
        assert lm.discounts == [pytest.approx(expected)]

    @pytest.mark.parametrize("order", [1, 2, 3, 4])
    def test_against_brute_force(self, order):
        # begins with a token that never recurs: nothing precedes it, so its
        # continuation counts are 0
        ids = [4, *some_text(90, 4).tolist()]
        lm = KneserNeyLM(order, 6).fit(torch.tensor(ids))
        sizes = order, 6, lm.discounts
        assert_laws(lm, lambda *asked: brute_kneser_ney(ids, *sizes, *asked))

    @pytest.mark.parametrize("order", [2, 3])
    def test_against_nltk(self, order):
        # nltk takes no discount off its unigram and knows no uniform
        size = 5
        ids = some_text(120, size).tolist()
        ours = KneserNeyLM(order, size, [0.0] + [0.7] * (order - 1))
        ours.fit(torch.tensor(ids))
        theirs = KneserNeyInterpolated(order, discount=0.7)
        strings = [str(token) for token in ids]  # nltk wants words
        grams = [windows(strings, k) for k in range(1, order + 1)]
        theirs.fit(grams, vocabulary_text=map(str, range(size)))
        compared = 0
        for context in itertools.product(range(size), repeat=order - 1):
            words = tuple(map(str, context))
            if theirs.context_counts(words).N() == 0:
                continue
            law = ours.distribution(context)
            for token in range(size):
                compared += 1
                assert law[token].item() == pytest.approx(
                    theirs.score(str(token), words), abs=1e-12
                )
        assert compared >= 20

    def test_every_distribution_sums_to_1(self):
        ids = some_text(300, 7)
        for discounts in (None, 0.0, 1.0, [0.2, (0.1, 1.5, 2.5), 0.9]):
            lm = KneserNeyLM(3, 9, discounts).fit(ids)
            for context in itertools.product(range(9), repeat=2):
                law = lm.distribution(context)
                assert law.sum().item() == pytest.approx(1, abs=1e-9)
                assert bool((law >= 0).all())

    def test_log_probs_and_perplexity(self):
        lm = KneserNeyLM(3, 6).fit(some_text(100, 5))
        ids = some_text(40, 6, seed=3)
        for t, log_p in enumerate(lm.log_probs(ids).tolist(), start=1):
            p = lm.prob(ids[:t], int(ids[t]))
            assert log_p == pytest.approx(math.log(p), abs=1e-12)
        mean = lm.log_probs(ids).mean().item()
        assert lm.perplexity(ids) == pytest.approx(math.exp(-mean))

    def test_discount_0_is_maximum_likelihood_at_the_top(self):
        ids = torch.tensor([1, 2, 3, 1, 2, 4])
        lm = KneserNeyLM(3, 5, 0.0).fit(ids)
        assert lm.distribution([1, 2]).tolist() == [0, 0, 0, 0.5, 0.5]

    def test_new_discounts_do_not_count_again(self, monkeypatch):
        ids = some_text(200, 6)
        lm = KneserNeyLM(2, 6).fit(ids)
        monkeypatch.setattr(
            "unrolled.counting.count_levels", lambda *_: pytest.fail("again")
        )
        other = lm._with([0.5, (0.5, 1.0, 1.5)])
        assert other.discounts == [(0.5, 0.5, 0.5), (0.5, 1.0, 1.5)]
        monkeypatch.undo()
        fresh = KneserNeyLM(2, 6, other.discounts).fit(ids)
        assert torch.equal(other.log_probs(ids), fresh.log_probs(ids))

    def test_tuned_discounts_are_the_best(self):
        # few draws of many kinds: counts of 1, 2 and more, most contexts thin
        ids, held_out = some_text(900, 60), some_text(900, 60, seed=5)
        lm = KneserNeyLM(2, 60).fit(ids)
        tuned = lm.tuned(held_out)
        best = tuned.perplexity(held_out)
        assert best < lm.perplexity(held_out)
        for order in (0, 1):
            for place in (0, 1, 2):
                for step in (-0.003, 0.003):
                    near = [list(triple) for triple in tuned.discounts]
                    moved = near[order][place] + step
                    near[order][place] = min(max(moved, 0), place + 1)
                    worse = lm._with(near).perplexity(held_out)
                    assert worse >= best * (1 - 1e-10)


def test_results_do_not_depend_on_the_default_dtype():
    ids = some_text(200, 7)
    for model in (NgramLM(3, 9, 2.0), KneserNeyLM(3, 9)):
        model.fit(ids)
        law, along = model.distribution([1, 2]), model.log_probs(ids)
        tuned = model.tuned(ids).log_probs(ids)
        torch.set_default_dtype(torch.float64)
        try:
            assert torch.equal(model.fit(ids).distribution([1, 2]), law)
            assert torch.equal(model.log_probs(ids), along)
            assert torch.equal(model.tuned(ids).log_probs(ids), tuned)
        finally:
            torch.set_default_dtype(torch.float32)
        assert law.dtype == along.dtype == torch.float64


def calls(num_tokens):
    """How many functions are called to fit and to score a text."""
    ids, events = some_text(num_tokens, 27), []
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        lm = NgramLM(7, 28, 1.0).fit(ids[: num_tokens // 2])
        lm.perplexity(ids[num_tokens // 2 :])
    finally:
        sys.setprofile(None)
    return len(events)


def test_a_longer_text_takes_no_more_calls():
    """No loop over tokens: else the whole book would take minutes."""
    assert calls(4_000) >= calls(16_000) > 100


def test_zipf_can_be_imported_from_here():
    assert fit_zipf([4, 2, 1]).alpha > 0


def test_tuning_ends_at_a_finite_loss_where_a_token_is_new():
    # here the search steps far below strength 1: to 0, it would be 0/0
    generator = seeded(18)
    ids = torch.randint(1, 3, (60,), generator=generator)
    held_out = torch.randint(3, (20,), generator=generator)  # 0 is new
    lm = NgramLM(3, 3, 1.0).fit(ids)
    assert lm.tuned(held_out).perplexity(held_out) < lm.perplexity(held_out)
