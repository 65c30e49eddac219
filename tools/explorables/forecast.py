"""Weights of the forecasters that <unrolled-forecast> lets a reader try.

Section 8.1 trains a network and least squares on one noisy sine for each
length of window; so does this module, with the library.
"""

import json

import torch

from unrolled import forecasters, series

TAUS = (4, 16, 64, 128)
# as in "Correcting the record"; the scored targets are one full period
LENGTH, KNOWN, TARGET = 1300, 604, 673
# of the ten series there, the one whose networks come nearest to the medians
SEED = 4
DIGITS = 6


def train(tau: int, noisy: torch.Tensor, generator: torch.Generator) -> dict:
    """Fit both models of one window on the known values; their weights."""
    pairs = series.windows(noisy[:KNOWN], tau)
    line = forecasters.fit_least_squares(*pairs)
    hidden, _, output = forecasters.fit_mlp(*pairs, generator=generator)
    return {
        "least squares": {
            "weights": rounded(line.weights),
            "bias": rounded(line.bias),
        },
        "network": {
            "hidden": rounded(hidden.weight),
            "hidden bias": rounded(hidden.bias),
            "output": rounded(output.weight[0]),
            "output bias": rounded(output.bias[0]),
        },
    }


def rounded(values: torch.Tensor) -> list | float:
    """The values as plain numbers with few digits."""
    return values.to(torch.float64).round(decimals=DIGITS).tolist()


def export() -> dict[str, bytes]:
    """The file forecast.json: the weights for every window."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        generator = torch.Generator().manual_seed(SEED)
        _, _, noisy = series.noisy_sine(LENGTH, generator=generator)
        models = {tau: train(tau, noisy, generator) for tau in TAUS}
    finally:
        torch.set_num_threads(threads)
    content = {
        "known": KNOWN,
        "length": LENGTH,
        "target": TARGET,
        "models": models,
    }
    return {
        "forecast.json": json.dumps(content, separators=(",", ":")).encode()
    }
