"""Who forecasts a series: plain rules, least squares, a small network.

Section 8.1 teaches this module: :doc:`/book/8_1_sequence_models`. Each is a
forecaster in the sense of ``series``, which lets it run many steps ahead;
this module only fits and scores.

Shapes: n windows of tau values, oldest value first. All in float64.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.checks import check_count, check_generator, check_number


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
    check_number("learning_rate", learning_rate, "(0, inf]")
    net = new_mlp(features.shape[1], num_hiddens, generator)
    optimizer = torch.optim.Adam(
        net.parameters(), lr=learning_rate, fused=True
    )
    for _ in range(num_epochs):
        order = torch.randperm(len(features), generator=generator)
        for rows in order.split(batch_size):
            loss = (net(features[rows])[:, 0] - labels[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
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
