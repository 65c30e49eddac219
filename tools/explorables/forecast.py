"""Weights of the forecasters that <unrolled-forecast> lets a reader try.

Section 8.1 trains a network and least squares on one noisy sine for each
length of window; so does this module, with the library. Beside the models
whose forecasts are fed back stand direct ones, as its function ``direct``
fits them, and the floor: the error of the best possible forecast.
"""

import json

import torch

from unrolled import forecasters, series
from unrolled.horizon import best_forecasts

TAUS = (4, 16, 64, 128)
# as in "Correcting the record"; the scored targets are one full period
LENGTH, KNOWN, TARGET, MAX_K = 1300, 604, 673, 64
# one step ahead nothing is fed back: both ways have the same model there
JUMPS = (4, 16, 64)
# of the ten series there, the one whose networks come nearest to the medians
SEED = 4
# a forecast that is fed back 64 times needs one more to stay within 0.001
DIGITS, DIRECT_DIGITS = 6, 5
OMEGA, SIGMA = 0.01, 0.2
FLOOR_SEEDS = range(20)


def weights(
    features: torch.Tensor,
    labels: torch.Tensor,
    generator: torch.Generator,
    digits: int,
) -> dict:
    """Fit both models on these pairs; their weights as plain numbers."""

    def plain(values: torch.Tensor) -> list | float:
        return values.to(torch.float64).round(decimals=digits).tolist()

    line = forecasters.fit_least_squares(features, labels)
    net = forecasters.fit_mlp(features, labels, generator=generator)
    hidden, _, output = net
    return {
        "least squares": {
            "weights": plain(line.weights),
            "bias": plain(line.bias),
        },
        "network": {
            "hidden": plain(hidden.weight),
            "hidden bias": plain(hidden.bias),
            "output": plain(output.weight[0]),
            "output bias": plain(output.bias[0]),
        },
    }


def noise(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Generator]:
    """The clean and the noisy series of a seed; the generator after them."""
    generator = torch.Generator().manual_seed(seed)
    _, clean, noisy = series.noisy_sine(
        LENGTH, omega=OMEGA, sigma=SIGMA, generator=generator
    )
    return clean, noisy, generator


def direct(tau: int, k: int) -> dict:
    """Weights of the models that jump from a window to k steps after it."""
    _, noisy, generator = noise(SEED)
    known = noisy[:KNOWN]  # the target too
    features = known.unfold(0, tau, 1)[: KNOWN - tau - k + 1]
    labels = known[tau - 1 + k :]
    return weights(features, labels, generator, DIRECT_DIGITS)


def floor(tau: int) -> list[float]:
    """RMSE of the best possible forecast for k = 1..MAX_K."""
    squares = torch.zeros(MAX_K, dtype=torch.float64)
    for seed in FLOOR_SEEDS:
        clean, noisy, _ = noise(seed)
        best = best_forecasts(
            noisy.unfold(0, tau, 1), MAX_K, omega=OMEGA, sigma=SIGMA
        )
        for k in range(1, MAX_K + 1):
            # row i ends at index i + tau - 1
            rows = slice(TARGET - tau - k, LENGTH - tau - k + 1)
            error = best[rows, k - 1] - clean[TARGET - 1 :]
            squares[k - 1] += error.square().mean()
    return (squares / len(FLOOR_SEEDS)).sqrt().round(decimals=4).tolist()


def export() -> dict[str, bytes]:
    """The file forecast.json: weights and floor for every window."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _, noisy, generator = noise(SEED)
        models = {
            tau: weights(
                *series.windows(noisy[:KNOWN], tau), generator, DIGITS
            )
            for tau in TAUS
        }
        content = {
            "known": KNOWN,
            "length": LENGTH,
            "target": TARGET,
            "models": models,
            "direct": {
                tau: {k: direct(tau, k) for k in JUMPS} for tau in TAUS
            },
            "floor": {tau: floor(tau) for tau in TAUS},
        }
    finally:
        torch.set_num_threads(threads)
    return {
        "forecast.json": json.dumps(content, separators=(",", ":")).encode()
    }
