"""What many test files say: an error to the letter, a seeded generator."""

import re

import pytest
import torch


def raises(kind: type[Exception], message: str):
    """Within it an error of this kind is raised, with exactly these words."""
    return pytest.raises(kind, match="^" + re.escape(message) + "$")


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, at its start."""
    return torch.Generator().manual_seed(seed)


def held_forecasts(rule, series, tau, max_k):
    """All k = 1..max_k forecast by the same value, rule(window): (T, max_k).

    Laid out as ``k_step_forecasts``: row t belongs to the value at t.
    """
    with torch.no_grad():
        value = rule(series.unfold(0, tau, 1)).reshape(-1)
    forecasts = series.new_full((len(series), max_k), float("nan"))
    for k in range(1, max_k + 1):
        forecasts[tau - 1 + k :, k - 1] = value[: len(value) - k]
    return forecasts
