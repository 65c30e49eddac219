"""Many forecasters at once, and the best forecast that a window allows.

Section 8.1a teaches this module: :doc:`/book/8_1a_errors_over_the_horizon`.
A verdict needs many runs, so that the same model is trained here on many
series side by side. How one of them is trained stands in 8.1.

Shapes: S series of T values, n windows of tau values, k steps ahead. A model
takes windows (S, n, tau), those of series s to its own s-th member, and
returns values (S, n). All in float64.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binom
from torch import Tensor

from unrolled.checks import check_count, check_number
from unrolled.series import fit_least_squares, new_mlp


@dataclass
class Lines:
    """One linear forecaster for each series: weights (S, tau), bias (S,)."""

    weights: Tensor
    bias: Tensor

    def __call__(self, window: Tensor) -> Tensor:
        """Values (S, n) of windows (S, n, tau)."""
        return (window @ self.weights[..., None])[..., 0] + self.bias[:, None]


@dataclass
class Networks:
    """One network tau -> h -> 1 with ReLU for each series.

    W_1 (S, tau, h), b_1 (S, 1, h), W_2 (S, h, 1), b_2 (S, 1, 1).
    """

    W_1: Tensor
    b_1: Tensor
    W_2: Tensor
    b_2: Tensor

    def __call__(self, window: Tensor) -> Tensor:
        """Values (S, n) of windows (S, n, tau)."""
        hidden = torch.relu(torch.baddbmm(self.b_1, window, self.W_1))
        return torch.baddbmm(self.b_2, hidden, self.W_2)[..., 0]

    def parameters(self) -> list[Tensor]:
        """The four tensors, in the order above."""
        return [self.W_1, self.b_1, self.W_2, self.b_2]


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


def fit_lines(features: Tensor, labels: Tensor) -> Lines:
    """Least squares for each series: features (S, n, tau), labels (S, n).

    Raises ValueError as ``fit_least_squares`` does.
    """
    fits = [
        fit_least_squares(*pair) for pair in zip(features, labels, strict=True)
    ]
    return Lines(
        weights=torch.stack([fit.weights for fit in fits]),
        bias=torch.stack([fit.bias for fit in fits]),
    )


def fit_networks(
    features: Tensor,
    labels: Tensor,
    generators: Sequence[torch.Generator],
    *,
    num_hiddens: int = 10,
    learning_rate: float = 0.01,
    batch_size: int = 16,
    num_epochs: int = 5,
) -> Networks:
    """Train one network on each series: features (S, n, tau), labels (S, n).

    Each is the network that ``fit_mlp`` trains on that series with that
    generator: they share no weight, and Adam treats every weight by itself.

    Raises ValueError unless there is one generator for each series.
    """
    _check_generators(features, generators)
    tau = features.shape[2]
    nets = [new_mlp(tau, num_hiddens, generator) for generator in generators]
    networks = Networks(
        W_1=torch.stack([net[0].weight.T for net in nets]),
        b_1=torch.stack([net[0].bias[None] for net in nets]),
        W_2=torch.stack([net[2].weight.T for net in nets]),
        b_2=torch.stack([net[2].bias[None] for net in nets]),
    )
    return train_networks(
        networks,
        features,
        labels[None],
        generators,
        learning_rate=learning_rate,
        batch_size=batch_size,
        num_epochs=num_epochs,
    )


def train_networks(
    networks: Networks,
    features: Tensor,
    labels: Tensor,
    generators: Sequence[torch.Generator],
    *,
    learning_rate: float = 0.01,
    batch_size: int = 16,
    num_epochs: int = 5,
) -> Networks:
    """Train on the squared error of k forecasts, each fed back into the next.

    features: (S, n, tau); labels: (k, S, n), the k values after each window.
    With k = 1 this is the usual training; with more, the gradient runs
    through all k steps. Returns new networks.
    """
    _check_generators(features, generators)
    trained = Networks(
        *(p.detach().clone().requires_grad_() for p in networks.parameters())
    )
    # all operations are element by element: S Adams in one
    adam = torch.optim.Adam(trained.parameters(), lr=learning_rate, fused=True)
    num_series, num_pairs, _ = features.shape
    row = torch.arange(num_series)[:, None]
    for _ in range(num_epochs):
        shuffled = [torch.randperm(num_pairs, generator=g) for g in generators]
        for batch in torch.stack(shuffled).split(batch_size, dim=1):
            forecasts = fed_back(trained, features[row, batch], len(labels))
            error = forecasts - labels[:, row, batch]
            loss = error.square().mean(dim=(0, 2)).sum()  # a mean per series
            adam.zero_grad()
            loss.backward()
            adam.step()
    return Networks(*(p.detach() for p in trained.parameters()))


def best_forecasts(
    window: Tensor,
    k: int,
    *,
    omega: float = 0.01,
    sigma: float = 0.2,
    num_phases: int = 1000,
) -> Tensor:
    """The mean of the wave k steps on, (...), given windows (..., tau).

    For one who knows that x is sin(phase + omega t) plus N(0, sigma^2) noise,
    and of the phase only that each is as likely as any other. No forecast
    from the window alone has a smaller expected squared error under these
    terms. The phase is summed over a grid of num_phases.

    Raises ValueError for k < 0, sigma <= 0 or num_phases < 1.
    """
    k = check_count("k", k, 0)
    sigma = check_number("sigma", sigma, "(0, inf)")
    phase = torch.arange(check_count("num_phases", num_phases, 1)).double()
    phase = phase * (2 * math.pi / num_phases)
    tau = window.shape[-1]
    waves = torch.sin(phase[:, None] + omega * torch.arange(tau).double())
    # log of exp(-|window - wave|^2 / 2 sigma^2), less what no phase changes
    match = window.double() @ waves.T - waves.square().sum(dim=1) / 2
    posterior = (match / sigma**2).softmax(dim=-1)
    return posterior @ torch.sin(phase + omega * (tau - 1 + k))


def median_interval(
    values: Tensor, confidence: float = 0.95
) -> tuple[float, float]:
    """An interval for the median of what the values (n,) were drawn from.

    From the r-th smallest value to the r-th largest, with the largest r for
    which it covers the median with at least this confidence, whatever the
    distribution. Source: W. J. Conover, *Practical Nonparametric
    Statistics*, section 3.2.

    Raises ValueError if there are too few values for any r.

    >>> median_interval(torch.arange(1., 21.))  # 95.9 % by the binomial
    (6.0, 15.0)
    """
    confidence = check_number("confidence", confidence, "(0, 1)")
    n = len(values)
    # r - 1 or fewer of n values fall below the median with this probability
    r = int(binom.ppf((1 - confidence) / 2, n, 0.5))
    if binom.cdf(r - 1, n, 0.5) > (1 - confidence) / 2:
        r -= 1
    if r < 1:
        raise ValueError(
            f"values: {n} are too few for a confidence of {confidence}; at "
            f"least {math.ceil(1 - math.log2(1 - confidence))} are needed"
        )
    ordered = values.sort().values
    return ordered[r - 1].item(), ordered[n - r].item()


def _check_generators(
    features: Tensor, generators: Sequence[torch.Generator]
) -> None:
    if features.dim() != 3:
        raise ValueError(
            f"features must be (S, n, tau), got {tuple(features.shape)}"
        )
    if len(generators) != len(features):
        raise ValueError(
            f"generators: {len(generators)} for {len(features)} series; one "
            "for each is needed"
        )
