"""Noisy sine waves, their windows, and forecasts one to many steps ahead.

Section 8.1 teaches this module: :doc:`/book/8_1_sequence_models`. It holds
forecasters of real-valued series only; discrete sequences are in ``markov``.

Shapes: T values in a series, tau values in a window, k steps ahead.
A *forecaster* is any function from windows (n, tau), oldest value first, to
the next value of each, (n,) or (n, 1). All tensors here are float64, so that
the digits on the page are the same on every processor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.checks import check_count, check_generator

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
    if not math.isfinite(omega):
        raise ValueError(
            f"omega must be finite, got {omega}; the book uses 0.01"
        )
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma must be finite and at least 0, got {sigma}")
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


def held_forecasts(
    rule: Forecaster, series: Tensor, tau: int, max_k: int
) -> Tensor:
    """Forecast all k = 1..max_k by the same value, rule(window), (T, max_k).

    The plain baselines: the last value of the window (persistence), its
    mean, zero. Laid out and checked as ``k_step_forecasts``.
    """
    tau, max_k = _check_horizon(series, tau, max_k)
    value = _next_values(rule, series.unfold(0, tau, 1))
    forecasts = series.new_full((len(series), max_k), math.nan)
    for k in range(1, max_k + 1):
        forecasts[tau - 1 + k :, k - 1] = value[: len(value) - k]
    return forecasts


def persistence(window: Tensor) -> Tensor:
    """The last value of each window: tomorrow will be as today."""
    return window[:, -1]


def window_mean(window: Tensor) -> Tensor:
    """The mean of each window."""
    return window.mean(dim=1)


def zero(window: Tensor) -> Tensor:
    """Zero, the long-run mean of a sine."""
    return window.new_zeros(len(window))


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


def rmse(forecasts: Tensor, target: Tensor) -> Tensor:
    """Root mean squared error over rows: (n, ...) and (n,) -> (...).

    Raises ValueError on unequal lengths, no rows at all, a target that is
    not (n,), or a NaN, which marks a forecast that could not be made.
    """
    if target.dim() != 1:
        raise ValueError(
            f"target must be (n,), got shape {tuple(target.shape)}; rows "
            "are what is averaged over"
        )
    if len(forecasts) != len(target) or len(target) == 0:
        raise ValueError(
            f"forecasts and target need the same length, at least 1; got "
            f"{len(forecasts)} and {len(target)}"
        )
    if bool(forecasts.isnan().any()):
        raise ValueError(
            "forecasts hold NaN: some targets have no full window before "
            "them; score later rows only"
        )
    error = forecasts - target.reshape(-1, *[1] * (forecasts.dim() - 1))
    return error.square().mean(dim=0).sqrt()


@dataclass
class LinearForecaster:
    """x_t = weights . (x_{t - tau}, ..., x_{t - 1}) + bias.

    weights: (tau,), for the oldest value first. Called as a forecaster.
    """

    weights: Tensor
    bias: Tensor

    def __call__(self, window: Tensor) -> Tensor:
        """Next values (n,) of windows (n, tau)."""
        return window @ self.weights + self.bias

    def companion(self) -> Tensor:
        """The matrix (tau + 1, tau + 1) that moves (window, 1) one step on.

        Its k-th power forecasts k steps ahead; the absolute values of its
        eigenvalues, apart from the 1 of the constant, say whether errors
        die out (< 1) or grow (> 1).
        """
        tau = len(self.weights)
        matrix = self.weights.new_zeros(tau + 1, tau + 1)
        matrix[: tau - 1, 1:tau] = torch.eye(tau - 1)  # every value moves up
        matrix[tau - 1, :tau] = self.weights  # the forecast comes in
        matrix[tau - 1, tau] = self.bias
        matrix[tau, tau] = 1  # the constant stays
        return matrix

    def k_step(self, max_k: int) -> tuple[Tensor, Tensor]:
        """Weights (max_k, tau) and biases (max_k,) of the direct forecasts.

        Row k - 1 forecasts k steps ahead from the known window alone: it is
        the last but one row of the companion matrix to the power k.

        Raises ValueError if max_k < 1.
        """
        max_k = check_count("max_k", max_k, 1)
        matrix = self.companion()
        rows = [matrix[-2]]  # forecasts the newest value of the next window
        while len(rows) < max_k:
            rows.append(rows[-1] @ matrix)
        table = torch.stack(rows)
        return table[:, :-1], table[:, -1]


def fit_least_squares(features: Tensor, labels: Tensor) -> LinearForecaster:
    """The weights and bias that minimise the summed squared error.

    features: (n, tau), labels: (n,), n > tau. Where many weights do equally
    well, the shortest vector of them.

    Raises ValueError on unequal lengths, too few rows or a value that is
    not finite.
    """
    features, labels = _check_pairs(features, labels)
    tau = features.shape[1]
    if len(features) <= tau:
        raise ValueError(
            f"features: {len(features)} rows cannot fix {tau} weights and a "
            f"bias; at least {tau + 1} are needed"
        )
    design = torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
    # gelsd goes by singular values: right also when columns depend on one
    # another, as those of a noiseless sine do
    fit = torch.linalg.lstsq(design, labels[:, None], driver="gelsd")
    solution = fit.solution[:, 0]
    return LinearForecaster(weights=solution[:-1], bias=solution[-1])


def fit_mlp(
    features: Tensor,
    labels: Tensor,
    *,
    num_hiddens: int = 10,
    learning_rate: float = 0.01,
    batch_size: int = 16,
    num_epochs: int = 5,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """Train tau -> num_hiddens -> 1 with ReLU, by Adam on squared error.

    features: (n, tau), labels: (n,), taken as float64. Weights start from
    Xavier's uniform law, biases from torch's own; the generator draws
    them and shuffles the pairs in every epoch. The defaults are those of
    Dive into Deep Learning, section 8.1.

    Raises ValueError on unequal lengths, no rows, a value that is not
    finite, or a setting below its least value.
    """
    features, labels = _check_pairs(features, labels)
    check_generator(generator)
    num_hiddens = check_count("num_hiddens", num_hiddens, 1)
    batch_size = check_count("batch_size", batch_size, 1)
    num_epochs = check_count("num_epochs", num_epochs, 1)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate must be above 0, got {learning_rate}")
    net = new_mlp(features.shape[1], num_hiddens, generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=learning_rate)
    for _ in range(num_epochs):
        order = torch.randperm(len(features), generator=generator)
        for rows in order.split(batch_size):
            loss = (net(features[rows])[:, 0] - labels[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net.requires_grad_(False)


def new_mlp(
    tau: int, num_hiddens: int, generator: torch.Generator | None = None
) -> nn.Sequential:
    """An untrained network tau -> num_hiddens -> 1 with ReLU.

    Weights from Xavier's uniform distribution, biases from PyTorch's.
    """
    return nn.Sequential(
        _linear(tau, num_hiddens, generator),
        nn.ReLU(),
        _linear(num_hiddens, 1, generator),
    )


def _linear(
    num_inputs: int, num_outputs: int, generator: torch.Generator | None
) -> nn.Linear:
    # skip_init leaves the global random state alone; all draws are ours
    layer = nn.utils.skip_init(
        nn.Linear, num_inputs, num_outputs, dtype=torch.float64
    )
    bound = 1 / math.sqrt(num_inputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


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


def _check_pairs(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Both in float64."""
    for name, values in (("features", features), ("labels", labels)):
        if not isinstance(values, Tensor):
            raise TypeError(
                f"{name} must be a tensor, got {type(values).__name__}; try "
                "torch.tensor(values, dtype=torch.float64)"
            )
    if features.dim() != 2 or labels.shape != features.shape[:1]:
        raise ValueError(
            "features must be (n, tau) and labels (n,); got "
            f"{tuple(features.shape)} and {tuple(labels.shape)}"
        )
    if features.numel() == 0:
        raise ValueError(
            "features: nothing to learn from, got shape "
            f"{tuple(features.shape)}"
        )
    for name, values in (("features", features), ("labels", labels)):
        if not bool(values.isfinite().all()):
            raise ValueError(
                f"{name} must be finite, got "
                f"{values[~values.isfinite()][0].item()}; drop those rows "
                "first"
            )
    return features.double(), labels.double()
