"""Alpha of the population: the density, the bias, intervals that cover."""

import re
import statistics

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


@pytest.mark.parametrize("most", range(2, 60))
def test_how_far_the_grid_goes(most):
    grid = world(most)
    rates = np.exp(grid.log_rates)
    assert rates[0] == pytest.approx(0.2)
    assert np.diff(grid.log_rates) == pytest.approx(0.1)
    assert 1 <= (1.3 * most + 5) / rates[-1] <= np.exp(0.1)
    assert grid.counts.dtype.kind == "i"
    assert 1 <= (2 * most + 20 + 0.5) / grid.counts[-1] < 1.02 + 0.05
    # Legendre's polynomials at both ends
    assert grid.basis[0].tolist() == [1, -1, 1, -1, 1, -1, 1]
    assert grid.basis[-1].tolist() == [1] * 7


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


def test_the_recipe_step_by_step():
    ids, first, last = draws(5, 6_200, times=4), 3, 40
    found = population_alpha(
        ids, first=first, last=last, block=500, resamples=9, seed=2
    )
    counts = ids.bincount().numpy()
    counts = counts[counts > 0]
    _, numbers = np.unique(ids.numpy(), return_inverse=True)
    blocks = [numbers[i : i + 500] for i in range(0, 6_000, 500)]
    excess, scale = 0, 0
    for token in np.argsort(-counts)[first - 1 : last]:
        row = [float((block == token).sum()) for block in blocks]
        excess += statistics.variance(row) - statistics.mean(row)
        scale += counts[token] ** 1.5
    clumps = len(blocks) * excess / scale
    assert clumps > 0.1
    grid = World(counts.max(), clumps, np.arange(first, last + 1))
    density = grid.fit(counts)
    rng = np.random.default_rng(2)
    errors = [grid.error(density, rng) for _ in range(9)]
    middle = plain(ids, first=first, last=last) - grid.bias(density)
    middle -= statistics.mean(errors)
    margin = 1.96 * statistics.stdev(errors)
    expected = middle, middle - margin, middle + margin
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_last_rank_occurs_three_times():
    ids = draws(0, 4_000)
    last = int((ids.bincount() >= 3).sum())
    assert ids.bincount().sort(descending=True).values[last - 1] == 3
    found = population_alpha(ids, last=last, resamples=2)
    assert found.low < found.high
    with pytest.raises(ValueError, match="occurs 2 times only"):
        population_alpha(ids, last=last + 1, resamples=2)


def test_the_fit_is_the_likeliest():
    grid = world()
    expected = grid.exactly @ (9 * np.exp(grid.log_rates) ** -0.8)
    counts = grid.counts.repeat(expected.round().astype(int))
    seen = np.histogram(counts, [*grid.counts, np.inf])[0][1:]
    theta = np.linalg.lstsq(grid.basis, np.log(grid.fit(counts)))[0]

    def merit(theta):
        mean = grid.exactly[1:] @ np.exp(grid.basis @ theta)
        return seen @ np.log(mean) - mean.sum() - 5e-5 * theta @ theta

    for change in 0.03 * np.eye(7):
        assert merit(theta) > merit(theta + change)
        assert merit(theta) > merit(theta - change)


class Watched(np.random.Generator):
    """Keeps what was drawn."""

    def uniform(self, *asked):
        self.spread = asked
        return super().uniform(*asked)

    def negative_binomial(self, n, p):
        self.sizes, self.counts = n, super().negative_binomial(n, p)
        return self.counts


def some(rate, kinds, last):
    """A world with so many kinds of about this rate, ranks to last."""
    grid = World(500, 0.1, RANKS[:last])
    density = np.zeros(len(grid.log_rates))
    density[np.abs(grid.log_rates - np.log(rate)).argmin()] = kinds
    return grid, density


def test_the_error_of_one_text():
    grid = World(500, 0.1, RANKS[2:30])
    density = 1.5 * np.exp(grid.log_rates) ** -0.2
    assert density.sum() < 2 * 30 + 50  # every kind is drawn by itself
    rng = Watched(np.random.PCG64(0))
    error = grid.error(density, rng)
    # a cell is as wide as the step of the grid
    half = np.diff(grid.log_rates)[0] / 2
    assert rng.spread == pytest.approx((-half, half, len(rng.counts)))
    rates = (0.1 * rng.sizes) ** 2
    slopes = [
        np.polyfit(np.log(RANKS[2:30]), np.log(np.sort(top)[::-1][2:30]), 1)[0]
        for top in (rates, rng.counts)
    ]
    bias = grid.bias(grid.fit(rng.counts))
    assert error == pytest.approx(slopes[0] - slopes[1] - bias)


def test_kinds_that_do_not_come_up_are_none():
    rng = np.random.default_rng(0)
    grid, density = some(1.0, 200, last=100)  # 125 come up, 55 twice
    assert np.isfinite(grid.error(density, rng))
    grid, density = some(0.3, 240, last=100)
    with pytest.raises(ValueError, match=r"has [3-5]\d kinds only"):
        grid.error(density, rng)


def test_as_many_kinds_as_ranks_will_do():
    grid, density = some(300.0, 40, last=200)
    with pytest.raises(ValueError, match="kinds only") as refused:
        grid.error(density, np.random.default_rng(0))
    kinds = int(re.search(r"has (\d+) kinds", str(refused.value))[1])
    grid, density = some(300.0, 40, last=kinds)
    assert np.isfinite(grid.error(density, np.random.default_rng(0)))


def test_the_least_text():
    found = population_alpha(draws(0, 2_000), last=5, resamples=2)
    assert isinstance(found, Alpha)
    assert populations._LEAST == 3
