"""Perplexity and bits: by hand, limits, and splitting."""

import math

import numpy as np
import pytest
import torch

from helpers import seeded
from unrolled.metrics import bits_per_token, perplexity


def test_by_hand():
    # p = 1/2, 1/4, 1/8: bits 1 + 2 + 3 = 6, mean 2; the mean of 1/p is
    # 14/3, its geometric mean 4
    total = math.log(2) + math.log(4) + math.log(8)
    assert bits_per_token(total, 3) == pytest.approx(2)
    assert perplexity(total, 3) == pytest.approx(4)


@pytest.mark.parametrize("size", [2, 28, 4580])
def test_uniform_gives_the_vocabulary_size(size):
    assert perplexity(100 * math.log(size), 100) == pytest.approx(size)
    assert bits_per_token(7 * math.log(size), 7) == pytest.approx(
        math.log2(size)
    )


def test_limits():
    assert perplexity(0.0, 5) == 1
    assert bits_per_token(0, 5) == 0
    assert perplexity(math.inf, 5) == math.inf
    assert bits_per_token(math.inf, 5) == math.inf
    assert perplexity(709.0, 1) == pytest.approx(math.exp(709))
    assert perplexity(800.0, 1) == math.inf  # finite, but no float


def test_splitting_the_text_changes_nothing():
    nll = -torch.rand(100, generator=seeded(0), dtype=torch.float64).log()
    whole = perplexity(nll.sum().item(), 100)
    for pieces in (2, 7, 100):
        total = sum(part.sum().item() for part in nll.chunk(pieces))
        assert perplexity(total, 100) == pytest.approx(whole, rel=1e-12)


def test_tensors_and_arrays():
    assert perplexity(torch.tensor(math.log(9)), 1) == pytest.approx(9)
    assert perplexity(np.float32(math.log(9)), 1) == pytest.approx(9)
    assert isinstance(perplexity(torch.tensor(1.0), 1), float)
