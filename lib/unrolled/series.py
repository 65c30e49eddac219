"""Noisy sine waves, their windows, and forecasts one to many steps ahead.

Section 8.1 teaches this module: :doc:`/book/8_1_sequence_models`. It holds
real-valued series only (discrete sequences are in ``markov``) and fits
nothing (``forecasters`` does).

Shapes: T values in a series, tau values in a window, k steps ahead.
A *forecaster* is any function from windows (n, tau), oldest value first, to
the next value of each, (n,) or (n, 1). All tensors here are float64, so that
the digits on the page are the same on every processor.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.checks import check_count, check_generator, check_number

Forecaster = Callable[[Tensor], Tensor]


def noisy_sine(
    num_steps: int,
    *,
    omega: float = 0.01,
    sigma: float = 0.2,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return time, clean sine and noisy observation, each (num_steps,).

    Time runs 1, 2, ..., num_steps; clean is sin(omega * time), omega in
    radians a step; the observation adds independent N(0, sigma^2) noise.
    The experiment is that of Dive into Deep Learning, section 8.1.

    Raises ValueError for num_steps < 1, sigma < 0 or a non-finite omega.

    >>> time, clean, noisy = noisy_sine(3, sigma=0.0)
    >>> time.tolist()
    [1.0, 2.0, 3.0]
    >>> bool((clean == noisy).all())
    True
    """
    num_steps = check_count("num_steps", num_steps, 1)
    check_number("omega", omega, "(-inf, inf)")
    check_number("sigma", sigma, "[0, inf)")
    check_generator(generator)
    time = torch.arange(1, num_steps + 1, dtype=torch.float64)
    clean = torch.sin(omega * time)
    noise = torch.randn(num_steps, generator=generator, dtype=torch.float64)
    return time, clean, clean + sigma * noise


def windows(series: Tensor, tau: int) -> tuple[Tensor, Tensor]:
    """Cut a series into features (T - tau, tau) and labels (T - tau,).

    Row i holds series[i], ..., series[i + tau - 1] and its label is
    series[i + tau], the value that comes next.

    Raises TypeError if series is not a floating tensor; ValueError if it is
    not one-dimensional and finite, or tau is not in 1, ..., T - 1.

    >>> features, labels = windows(torch.tensor([1., 2., 3., 4.]), tau=2)
    >>> features.tolist(), labels.tolist()
    ([[1.0, 2.0], [2.0, 3.0]], [3.0, 4.0])
    """
    _check_series(series)
    tau = _check_tau(tau, len(series))
    return series.unfold(0, tau, 1)[:-1], series[tau:]


def k_step_forecasts(
    forecaster: Forecaster, series: Tensor, tau: int, max_k: int
) -> Tensor:
    """Forecast every value from 1 to max_k steps before it, (T, max_k).

    Entry [t, k - 1] forecasts series[t] and uses true values up to
    series[t - k] only: the forecaster's own outputs fill the k - 1 places
    between. It is NaN where no full window ends at t - k. Since a row
    belongs to its target, row t is drawn at time t whatever k is.

    Raises ValueError as ``windows`` does, and if max_k is not in
    1, ..., T - tau.

    >>> series = torch.tensor([1., 2., 3., 4.])
    >>> k_step_forecasts(lambda w: w[:, -1] + 1, series, tau=1, max_k=2)
    tensor([[nan, nan],
            [2., nan],
            [3., 3.],
            [4., 4.]])
    """
    tau, max_k = _check_horizon(series, tau, max_k)
    known = series.unfold(0, tau, 1)  # known[i] ends at index i + tau - 1
    forecasts = series.new_full((len(series), max_k), math.nan)
    window = known
    for k in range(1, max_k + 1):
        window = window[: len(known) - k]  # later ones have no target left
        value = _next_values(forecaster, window)
        forecasts[tau - 1 + k :, k - 1] = value
        window = torch.cat([window[:, 1:], value[:, None]], dim=1)
    return forecasts


def free_run(forecaster: Forecaster, start: Tensor, num_steps: int) -> Tensor:
    """Continue one window (tau,) by num_steps values, each fed back.

    After tau steps no true value is left in the window.

    Raises ValueError if start is not a finite series or num_steps < 1.

    >>> free_run(lambda w: w[:, -1] / 2, torch.tensor([8.]), 3).tolist()
    [4.0, 2.0, 1.0]
    """
    _check_series(start, name="start")
    num_steps = check_count("num_steps", num_steps, 1)
    window, values = start[None], []
    for _ in range(num_steps):
        value = _next_values(forecaster, window)
        values.append(value)
        window = torch.cat([window[:, 1:], value[:, None]], dim=1)
    return torch.cat(values)


def _next_values(forecaster: Forecaster, window: Tensor) -> Tensor:
    with torch.no_grad():
        value = forecaster(window)
    if not isinstance(value, Tensor):
        raise TypeError(
            f"forecaster must return a tensor, got {type(value).__name__}; "
            "try torch.as_tensor(values)"
        )
    if value.numel() != len(window):
        raise ValueError(
            f"forecaster returned shape {tuple(value.shape)} for windows "
            f"{tuple(window.shape)}; one value for each window is needed"
        )
    return value.reshape(-1)


def _check_series(series: Tensor, name: str = "series") -> None:
    if not isinstance(series, Tensor) or not series.is_floating_point():
        raise TypeError(
            f"{name} must be a floating tensor, got "
            f"{getattr(series, 'dtype', type(series).__name__)}; "
            "try torch.tensor(list(values), dtype=torch.float64)"
        )
    if series.dim() != 1 or len(series) == 0:
        raise ValueError(
            f"{name} must have one dimension and at least one value, got "
            f"shape {tuple(series.shape)}"
        )
    if not bool(series.isfinite().all()):
        first = int((~series.isfinite()).nonzero()[0])
        raise ValueError(
            f"{name}[{first}] is {series[first].item()}; every value must be "
            "finite: drop or fill the gaps first"
        )


def _check_tau(tau: int, length: int) -> int:
    tau = check_count("tau", tau, 1)
    if tau >= length:
        raise ValueError(
            f"tau is {tau} but the series has {length} values; a window and "
            f"its label need tau at most {length - 1}"
        )
    return tau


def _check_horizon(series: Tensor, tau: int, max_k: int) -> tuple[int, int]:
    _check_series(series)
    tau = _check_tau(tau, len(series))
    max_k = check_count("max_k", max_k, 1)
    if max_k > len(series) - tau:
        raise ValueError(
            f"max_k is {max_k}, but {len(series)} values with tau = {tau} "
            f"reach at most {len(series) - tau} steps ahead"
        )
    return tau, max_k
