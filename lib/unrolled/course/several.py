"""The same forecaster on several series at once, and what they show together.

Section 8.1a uses this module: :doc:`/book/8_1a_errors_over_the_horizon`. A
verdict needs many runs; here they are trained side by side. How one of them is
trained stands in 8.1.

Shapes: S series, n windows of tau values. A model takes windows (S, n, tau),
those of series s to its own s-th member, and returns values (S, n). All in
float64.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binom
from torch import Tensor

from unrolled.checks import check_number
from unrolled.forecasters import fit_least_squares, new_mlp
from unrolled.horizon import fed_back


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
    missed = binom.cdf(range(n), n, 0.5)
    r = int((missed <= (1 - confidence) / 2).sum())
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
