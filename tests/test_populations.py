"""Alpha of the population: the density, the bias, intervals that cover."""

import numpy as np
import pytest
import torch

from unrolled.course import populations
from unrolled.course.populations import Alpha, World, population_alpha
from unrolled.zipf_law import fit_zipf

RANKS = np.arange(1, 3001)


def draws(seed, n=20_000, alpha=0.7, times=1):
    """A text from an exact law, each token ``times`` times in a row."""
    weights = RANKS**-alpha
    rng = np.random.default_rng(seed)
    ids = rng.choice(3000, n // times, p=weights / weights.sum())
    return torch.from_numpy(ids).repeat_interleave(times)


def plain(ids, **ranks):
    counts = ids.bincount()
    return fit_zipf(counts[counts > 0].tolist(), **ranks).alpha


def test_it_covers_where_the_slope_of_the_counts_is_far_off():
    hits, errors, plain_errors = 0, [], []
    for seed in range(12):
        ids = draws(seed)
        alpha, low, high = population_alpha(
            ids, first=50, last=900, block=500, resamples=25, seed=seed
        )
        assert low < alpha < high < low + 0.25
        hits += low <= 0.7 <= high
        errors.append(alpha - 0.7)
        plain_errors.append(plain(ids, first=50, last=900) - 0.7)
    assert hits >= 9  # 11.4 expected
    # the slope of the counts misses on one side by more than what is left
    assert abs(np.mean(errors)) < abs(np.mean(plain_errors)) / 2
    assert abs(np.mean(plain_errors)) > 0.02


def test_at_the_head_there_is_little_to_correct():
    ids = draws(3, 50_000)
    found = population_alpha(ids, last=30, resamples=25)
    assert found.alpha == pytest.approx(plain(ids, last=30), abs=0.02)


def test_it_shrinks_with_the_text_and_is_reproducible():
    few, many = (
        population_alpha(draws(0, n), last=30, resamples=40)
        for n in (8_000, 128_000)
    )
    # four times narrower in theory
    assert 2.5 < (few.high - few.low) / (many.high - many.low) < 6
    again = draws(0, 8_000)
    assert population_alpha(again, last=30, resamples=40) == few
    assert population_alpha(again, last=30, resamples=40, seed=1) != few
    numbered = again * 7 - 3  # other numbers for the same kinds
    assert population_alpha(numbered, last=30, resamples=40) == few


def test_clumps_widen_it():
    once, often = (
        population_alpha(
            draws(1, 40_000, times=times), last=30, block=400, resamples=40
        )
        for times in (1, 10)
    )
    assert often.high - often.low > 1.6 * (once.high - once.low)


def test_what_is_asked_for_if_nothing_is_said():
    ids = draws(0, 4_000)
    assert population_alpha(ids, last=9) == population_alpha(
        ids, last=9, first=1, block=1000, resamples=100, seed=0
    )
    assert population_alpha(ids, last=9) != population_alpha(
        ids, last=9, first=2
    )


def world(most=500, clumps=0.1):
    return World(most, clumps, RANKS[:100])


def test_the_law_of_a_count_has_the_stated_moments():
    grid = world(60)
    assert grid.counts[:40].tolist() == list(range(1, 41))
    mean = grid.counts @ grid.exactly
    second = grid.counts**2 @ grid.exactly
    rates = np.exp(grid.log_rates)
    small = rates < 20  # counts above 50 are in steps
    np.testing.assert_allclose(mean[small], rates[small], rtol=0.005)
    np.testing.assert_allclose(
        (second - mean**2)[small],
        (rates + 0.1 * rates**1.5)[small],
        rtol=0.02,
    )
    np.testing.assert_allclose(grid.exactly.sum(0), grid.at_least[0])


def test_the_fit_finds_the_density_that_the_counts_come_from():
    grid = world(clumps=0.001)
    rates = np.exp(grid.log_rates)
    density = 300 * rates**-0.8
    rng = np.random.default_rng(0)
    expected = (grid.exactly @ density).round().astype(int)
    found = grid.fit(rng.permutation(grid.counts.repeat(expected)))
    middle = (rates > 2) & (rates < 100)
    np.testing.assert_allclose(found[middle], density[middle], rtol=0.15)
    # kinds that were not seen, or once, change nothing
    counts = grid.counts.repeat(expected)
    np.testing.assert_array_equal(
        grid.fit(counts), grid.fit(np.append(counts[counts > 1], [0, 0, 1]))
    )


def test_the_bias_is_that_of_simulated_texts():
    grid = World(500, 0.001, RANKS[49:600])
    density = 300 * np.exp(grid.log_rates) ** -0.8
    rng = np.random.default_rng(0)
    errors = [grid.error(density, rng) for _ in range(60)]
    # what remains after the correction, against its own deviation
    assert abs(np.mean(errors)) < 0.5 * np.std(errors)
    assert abs(grid.bias(density)) > np.std(errors)


def test_the_least_text():
    found = population_alpha(draws(0, 2_000), last=5, resamples=2)
    assert isinstance(found, Alpha)
    assert populations._LEAST == 3
