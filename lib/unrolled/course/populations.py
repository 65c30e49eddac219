"""Zipf's alpha of the population that a text was drawn from.

Section 8.3 uses this module: :doc:`/book/8_3_language_models`. The slope of
the counts is in ``zipf_law``; here are its bias and a margin, both from
simulated worlds like that of the text.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import nbinom
from torch import Tensor

from unrolled.checks import as_ids, check_count
from unrolled.zipf_law import fit_zipf

_LEAST = 3  # occurrences of the last rank: with fewer, steps hide the slope


class Alpha(NamedTuple):
    """An estimate of alpha and the ends of its 95 % interval."""

    alpha: float
    low: float
    high: float


def population_alpha(
    ids: Tensor,
    *,
    last: int,
    first: int = 1,
    block: int = 1000,
    resamples: int = 100,
    seed: int = 0,
) -> Alpha:
    """Zipf's alpha of the population, with a 95 % interval.

    ids: (n,) int64, one for each token of the text, in its order. Each kind
    of token has a rate: how often a text of n tokens has it on average. What
    is estimated is the slope of ln rate on ln rank, over ranks first to last
    of the true rates. Counts are the rates with noise, and sorting sorts the
    noise too, so the slope of the counts has a bias. The recipe:

    1. From the counts, how many kinds have which rate (``World.fit``).
    2. The bias in a world like that, taken off the slope of the counts.
    3. Draw many worlds like that, one text of each, and do 1 and 2 again: by
       how much it misses there gives the error left and the margin.

    Counts vary more than independent draws would, since words come in
    clumps; how much more is measured between blocks of ``block`` tokens.
    ``experiments/zipf.py`` measures how often the interval covers.

    Sources: Pilgrim and Hills (2021) for the bias; Efron (2016) for step 1.

    Raises as ``fit_zipf``; ValueError for fewer than two blocks, where the
    token of rank ``last`` occurs less than 3 times, and where a simulated
    text has fewer than ``last`` kinds.
    """
    ids = as_ids("ids", ids)
    block = check_count("block", block, 1)
    resamples = check_count("resamples", resamples, 2)
    if len(ids) < 2 * block:
        raise ValueError(
            f"ids must fill two blocks of {block}, got {len(ids)} ids"
        )
    # numbered without gaps, whatever the ids are, so that counting is quick
    _, numbers = np.unique(ids.numpy(), return_inverse=True)
    counts = np.bincount(numbers)
    alpha = fit_zipf(counts, first=first, last=last).alpha
    top = np.argsort(-counts)[first - 1 : last]
    if counts[top[-1]] < _LEAST:
        raise ValueError(
            f"last is {last}, but the token of that rank occurs "
            f"{counts[top[-1]]} times only, not {_LEAST}; try a smaller last"
        )
    blocks = numbers[: len(ids) // block * block].reshape(-1, block)
    rows = [np.bincount(row, minlength=len(counts))[top] for row in blocks]
    excess = np.var(rows, axis=0, ddof=1) - np.mean(rows, axis=0)
    clumps = len(rows) * excess.sum() / (counts[top] ** 1.5).sum()
    world = World(counts.max(), max(clumps, 1e-3), np.arange(first, last + 1))
    density = world.fit(counts)
    rng = np.random.default_rng(seed)
    errors = [world.error(density, rng) for _ in range(resamples)]
    middle = alpha - world.bias(density) - np.mean(errors)
    margin = 1.96 * np.std(errors, ddof=1)
    return Alpha(*map(float, (middle, middle - margin, middle + margin)))


class World:
    """Kinds of tokens by their rates: a grid of cells, and of counts.

    A count has the mean ``rate`` and the variance rate + clumps rate^1.5.
    The density, (cells,), is the expected number of kinds in each cell.
    """

    def __init__(self, most: int, clumps: float, ranks: np.ndarray) -> None:
        """A grid for counts up to ``most``, and slopes over these ranks."""
        self.clumps, self.ranks = clumps, ranks
        self.log_rates = np.arange(np.log(0.2), np.log(1.3 * most + 5), 0.1)
        # every count up to 50, then steps of 2 %
        steps = 1.02 ** np.arange(np.log(2 * most + 20) / np.log(1.02))
        self.counts = np.unique(steps.round()).astype(int)
        # (counts, cells): the probability of at least so many, of so many
        self.at_least = nbinom.sf(
            self.counts[:, None] - 1, *self._law(np.exp(self.log_rates))
        )
        self.exactly = -np.diff(self.at_least, axis=0, append=0)
        unit = np.linspace(-1, 1, len(self.log_rates))
        self.basis = np.polynomial.legendre.legvander(unit, 6)

    def _law(self, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two numbers of the negative binomial distribution."""
        excess = self.clumps * rates**0.5
        return rates / excess, 1 / (1 + excess)

    def fit(self, counts: np.ndarray) -> np.ndarray:
        """The likeliest density whose log is a polynomial of degree six.

        Newton's method from Zipf's law, with a small penalty on the
        coefficients. Kinds seen once are left out: they tell of rates that
        are too low to matter here.
        """
        bins = np.searchsorted(self.counts, counts[counts > 1], "right") - 1
        seen = np.bincount(bins, minlength=len(self.counts))[1:]
        exactly, penalty = self.exactly[1:], 1e-4 * np.eye(7)
        zipf = np.exp(-self.log_rates)
        zipf *= seen.sum() / (exactly @ zipf).sum()
        theta = np.linalg.lstsq(self.basis, np.log(zipf), rcond=None)[0]
        for _ in range(40):
            density = np.exp(self.basis @ theta)
            mean = np.maximum(exactly @ density, 1e-300)
            slopes = exactly @ (density[:, None] * self.basis)
            gradient = slopes.T @ (seen / mean - 1) - penalty @ theta
            curvature = slopes.T @ (slopes / mean[:, None]) + penalty
            step = np.linalg.solve(curvature, gradient)
            theta += step / max(1, np.abs(step).max())
            if np.abs(step).max() < 1e-3:
                break
        return np.exp(self.basis @ theta)

    def bias(self, density: np.ndarray) -> float:
        """Alpha of the counts to be expected, less alpha of the rates."""
        above = np.cumsum(density[::-1])
        rates = np.interp(self.ranks - 0.5, above, self.log_rates[::-1] - 0.05)
        places = np.searchsorted(-self.at_least @ density, 0.5 - self.ranks)
        logs = rates - np.log(self.counts[places - 1])
        return np.polyfit(np.log(self.ranks), logs, 1)[0]

    def error(self, density: np.ndarray, rng: np.random.Generator) -> float:
        """By how much the estimate from a text of a new world misses."""
        last = self.ranks[-1]
        # only kinds that may come up to rank last are drawn one by one
        rare = np.cumsum(density[::-1])[::-1] > 2 * last + 50
        cells = np.repeat(self.log_rates, rng.poisson(density * ~rare))
        rates = np.exp(cells + rng.uniform(-0.05, 0.05, len(cells)))
        counts = np.append(
            rng.negative_binomial(*self._law(rates)),
            self.counts.repeat(rng.poisson(self.exactly @ (density * rare))),
        )
        kinds = min(len(rates), (counts > 0).sum())
        if kinds < last:
            raise ValueError(
                f"last is {last}, but a simulated text has {kinds} kinds "
                "only; try a smaller last"
            )
        slopes = [
            np.polyfit(np.log(self.ranks), np.log(top[self.ranks - 1]), 1)[0]
            for top in (-np.sort(-rates), -np.sort(-counts))
        ]
        return slopes[0] - slopes[1] - self.bias(self.fit(counts))
