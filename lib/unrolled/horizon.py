"""Forecasts k steps ahead of many series, and the best that can be had.

Section 8.1a teaches this module: :doc:`/book/8_1a_errors_over_the_horizon`.
The models that it feeds back are those of ``several``.

Shapes: S series of T values, n windows of tau values, k steps ahead. A model
takes windows (S, n, tau), those of series s to its own s-th member, and
returns values (S, n). All in float64.
"""

import math

import torch
from torch import Tensor

from unrolled.checks import check_count, check_number


def pairs(series: Tensor, tau: int, k: int = 1) -> tuple[Tensor, Tensor]:
    """Windows (S, n, tau) and the values k steps after them (S, n).

    series: (S, T); n = T - tau - k + 1. The window's last value is k steps
    before its label, so that k = 1 gives the windows of 8.1.

    Raises ValueError if series is not (S, T), or too short.

    >>> features, labels = pairs(torch.arange(5.)[None], tau=2, k=2)
    >>> features.tolist(), labels.tolist()
    ([[[0.0, 1.0], [1.0, 2.0]]], [[3.0, 4.0]])
    """
    tau, k = check_count("tau", tau, 1), check_count("k", k, 1)
    if series.dim() != 2:
        raise ValueError(
            f"series must be (S, T), got {tuple(series.shape)}; one row for "
            "each series"
        )
    if series.shape[1] < tau + k:
        raise ValueError(
            f"series of {series.shape[1]} values are too short for tau = "
            f"{tau} and k = {k}; at least {tau + k} are needed"
        )
    labels = series[:, tau + k - 1 :]
    return series.unfold(1, tau, 1)[:, : labels.shape[1]], labels


def windows_before(
    series: Tensor, tau: int, k: int, targets: Tensor
) -> Tensor:
    """Windows (S, n, tau) that end k steps before each target.

    targets: (n,) places in the series (S, T). Raises ValueError if a window
    would begin before the series, or a target lies outside it.
    """
    first = targets - k - tau + 1
    if bool((first < 0).any()) or bool((targets >= series.shape[1]).any()):
        raise ValueError(
            f"targets must be in {k + tau - 1}..{series.shape[1] - 1}, got "
            f"{int(targets.min())} to {int(targets.max())}"
        )
    return series.unfold(1, tau, 1)[:, first]


def fed_back(model, window: Tensor, k: int) -> Tensor:
    """Forecasts 1..k steps after windows (S, n, tau): (k, S, n).

    Each forecast is put into the window of the next.
    """
    values = []
    for _ in range(check_count("k", k, 1)):
        values.append(model(window))
        window = torch.cat([window[..., 1:], values[-1][..., None]], dim=-1)
    return torch.stack(values)


def best_forecasts(
    window: Tensor,
    max_k: int,
    *,
    omega: float = 0.01,
    sigma: float = 0.2,
    num_phases: int = 1000,
) -> Tensor:
    """Means of the wave 1..max_k steps on, (..., max_k), of (..., tau).

    For one who knows that x is sin(phase + omega t) plus N(0, sigma^2) noise,
    and of the phase only that each is as likely as any other. No forecast
    from the window alone has a smaller expected squared error under these
    terms. The phase is summed over a grid of num_phases.

    Raises ValueError for max_k < 1, sigma <= 0 or num_phases < 1.
    """
    max_k = check_count("max_k", max_k, 1)
    sigma = check_number("sigma", sigma, "(0, inf)")
    num_phases = check_count("num_phases", num_phases, 1)
    tau = window.shape[-1]
    phase = torch.arange(num_phases).double() * (2 * math.pi / num_phases)
    steps = omega * torch.arange(1 - tau, max_k + 1).double()
    past, future = torch.sin(phase[:, None] + steps).split([tau, max_k], dim=1)
    # log of exp(-|window - past|^2 / 2 sigma^2), less what no phase changes
    match = window.double() @ past.T - past.square().sum(dim=1) / 2
    return (match / sigma**2).softmax(dim=-1) @ future
