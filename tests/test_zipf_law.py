"""Zipf fits: exact laws, ranks, intervals that cover, errors."""

import math
from collections import Counter

import numpy as np
import pytest
import scipy.stats
import torch

from helpers import raises
from unrolled import zipf_law
from unrolled.zipf_law import fit_zipf, zipf_interval


def test_an_exact_law_is_found():
    for alpha in (0.5, 1.0, 1.7):
        counts = [1e6 * rank**-alpha for rank in range(1, 200)]
        fit = fit_zipf(counts)
        assert fit.alpha == pytest.approx(alpha, abs=1e-9)
        assert fit.log_scale == pytest.approx(math.log(1e6), abs=1e-9)
        assert (fit.first, fit.last) == (1, 199)


def test_order_of_the_counts_does_not_matter():
    assert fit_zipf([3, 9, 1]) == fit_zipf([9, 3, 1]) == fit_zipf((1, 3, 9))


def test_counts_beyond_the_integers_of_a_machine():
    huge = fit_zipf([10**30, 10**29, 10**28])
    assert huge.alpha == pytest.approx(fit_zipf([100, 10, 1]).alpha)


def test_a_counter_is_its_counts():
    assert fit_zipf(Counter("aaaabbc")) == fit_zipf([4, 2, 1])


def test_ranks_matter():
    # slope -1 up to rank 50, -2 after it
    head = [1e6 / rank for rank in range(1, 51)]
    counts = head + [head[-1] * (50 / rank) ** 2 for rank in range(51, 500)]
    assert fit_zipf(counts, last=50).alpha == pytest.approx(1)
    assert fit_zipf(counts, first=51).alpha == pytest.approx(2)
    assert 1.3 < fit_zipf(counts).alpha < 2
    assert fit_zipf(counts, first=2, last=3) == fit_zipf(counts[:3], first=2)


def draws(seed, n=20_000, alpha=1.0):
    weights = np.arange(1, 301) ** -alpha
    ids = np.random.default_rng(seed).choice(300, n, p=weights / weights.sum())
    return torch.from_numpy(ids)


def alpha_of(ids, **ranks):
    counts = torch.bincount(ids)
    return fit_zipf(counts[counts > 0].tolist(), **ranks).alpha


def test_what_is_asked_for_if_nothing_is_said(monkeypatch):
    asked = {}

    def recording(data, statistic, **options):
        asked.update(options)
        return scipy.stats.bootstrap(data, statistic, **options)

    monkeypatch.setattr(zipf_law, "bootstrap", recording)
    found = zipf_interval(draws(0, 2_000), last=9, resamples=10)
    assert asked["n_resamples"] == 10
    assert asked["method"] == "basic"
    assert found == zipf_interval(
        draws(0, 2_000), last=9, resamples=10, first=1, block=200, seed=0
    )
    assert found != zipf_interval(
        draws(0, 2_000), last=9, resamples=10, first=3
    )
    zipf_interval(draws(0, 400), last=5)
    assert asked["n_resamples"] == 200


def test_kinds_that_occur_once_count_too():
    # 400 draws have some 100 kinds; a resample of two blocks may have fewer
    low, high = zipf_interval(draws(0, 400), last=75, resamples=9)
    assert 0 < low < high < 2
    # each block has the same five kinds, and last is all of them
    five = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 3, 4]).repeat(20)
    low, high = zipf_interval(five, last=5, block=10, resamples=9)
    assert low == high == pytest.approx(alpha_of(five))


def test_the_interval_covers_the_truth_most_of_the_time():
    hits = 0
    for seed in range(20):
        low, high = zipf_interval(
            draws(seed), first=1, last=30, resamples=100, seed=seed
        )
        assert low < high < low + 0.2
        hits += low <= 1.0 <= high
    assert hits >= 16  # 19 expected


def test_it_shrinks_with_the_text_and_is_reproducible():
    few, many = (
        zipf_interval(draws(0, n), last=20, resamples=99)
        for n in (4_000, 64_000)
    )
    # four times narrower in theory
    assert 2.5 < (few[1] - few[0]) / (many[1] - many[0]) < 6
    assert zipf_interval(draws(0, 4_000), last=20, resamples=99) == few
    assert zipf_interval(draws(0, 4_000), last=20, resamples=99, seed=1) != few


def test_blocks_see_the_dependence():
    # every word 50 times in a row: 50 times fewer independent draws
    ids = draws(0, 2_000).repeat_interleave(50)
    widths = [
        high - low
        for low, high in (
            zipf_interval(ids, last=20, block=block, resamples=99)
            for block in (1, 500)
        )
    ]
    assert widths[1] > 4 * widths[0]


def test_the_basic_interval_reflects_the_quantiles():
    ids = draws(3, 4_000)
    blocks = ids.reshape(-1, 200)
    rng = np.random.default_rng(0)
    again = [
        alpha_of(blocks[rng.integers(20, size=20)].flatten(), last=20)
        for _ in range(800)
    ]
    middle = alpha_of(ids, last=20)
    low, high = zipf_interval(ids, last=20, resamples=800, seed=5)
    assert low == pytest.approx(
        2 * middle - np.quantile(again, 0.975), abs=0.03
    )
    assert high == pytest.approx(
        2 * middle - np.quantile(again, 0.025), abs=0.03
    )


def test_bad_input_of_the_interval():
    with raises(ValueError, "ids must fill two blocks of 200, got 399 ids"):
        zipf_interval(draws(0, 399), last=5)
    assert len(zipf_interval(draws(0, 400), last=5, resamples=9)) == 2
    with raises(ValueError, "block must be at least 1, got 0"):
        zipf_interval(draws(0, 400), last=5, block=0)
    with raises(ValueError, "resamples must be at least 2, got 1"):
        zipf_interval(draws(0, 400), last=5, resamples=1)
    with pytest.raises(TypeError, match=r"^ids must hold integers"):
        zipf_interval(draws(0, 400).double(), last=5)
    with pytest.raises(
        ValueError,
        match=r"^last is 115, but a resample has \d+ kinds only; try",
    ):
        zipf_interval(draws(0, 400), last=115, resamples=9)
