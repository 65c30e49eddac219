"""Zipf fits: exact laws, ranks, errors."""

import math
from collections import Counter

import pytest

from unrolled.zipf_law import fit_zipf


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
