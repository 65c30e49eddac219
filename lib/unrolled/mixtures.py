"""Several models as one: a weighted mean of their probabilities.

Sections 8.3a and 8.5a use it: :doc:`/book/8_3a_counting_in_earnest`. Models
come in as the log probabilities that each gave to the same tokens, in nats;
how they were computed does not matter.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

ROUNDS = 2000  # of EM, at most
ROUNDING = 1e-5  # ln 1 in single precision may come out this high


def mix(log_probs: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """ln of the weighted mean of probabilities, token by token: (n,).

    log_probs: one (n,) tensor for each model. weights: at least 0, sum 1.

    The mean of distributions is a distribution, so the result is an honest
    model. Raises TypeError for what is no tensor; ValueError for unequal
    shapes or numbers of models, for log probabilities that are not numbers
    or above 0, and for weights that are negative or do not sum to 1.

    >>> a, b = torch.tensor([0.5]).log(), torch.tensor([0.1]).log()
    >>> round(mix([a, b], [0.75, 0.25]).exp().item(), 4)
    0.4
    """
    stacked = _stack(log_probs)
    weights = torch.as_tensor(weights, dtype=torch.float64)
    if weights.shape != stacked.shape[:1]:
        raise ValueError(
            f"weights must be one for each of {len(stacked)} models, got "
            f"shape {tuple(weights.shape)}"
        )
    if not bool((weights >= 0).all()) or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(
            f"weights must be at least 0 and sum to 1, got {weights.tolist()}"
        )
    shares = (weights / weights.sum()).log()
    return torch.logsumexp(stacked + shares[:, None], dim=0)


def fit_weights(log_probs: Sequence[Tensor]) -> list[float]:
    """The weights under which the mixture is most likely, by EM.

    log_probs: as for ``mix``, on a text that no model was fitted on. Each
    round gives a model the share of the tokens that it explains under the
    present weights; no round can lower the likelihood (Dempster, Laird and
    Rubin 1977). Starts from equal weights; ends when a round moves no weight
    by more than 1e-6.

    Raises as ``mix``; ValueError where all models give a token probability
    0.
    """
    stacked = _stack(log_probs)
    if bool(stacked.isneginf().all(dim=0).any()):
        raise ValueError(
            "log_probs: all models give some token probability 0; no weights "
            "can mend that"
        )
    log_weights = torch.zeros(len(stacked), dtype=torch.float64)
    for _ in range(ROUNDS):
        share = torch.softmax(stacked + log_weights[:, None], dim=0)
        before, log_weights = log_weights, share.mean(dim=1).log()
        moved = torch.softmax(log_weights, 0) - torch.softmax(before, 0)
        if moved.abs().max() <= 1e-6:
            break
    return torch.softmax(log_weights, dim=0).tolist()


def _stack(log_probs: Sequence[Tensor]) -> Tensor:
    """(number of models, n), float64."""
    log_probs = list(log_probs)  # of a generator too
    for one in log_probs:
        if not isinstance(one, Tensor):
            raise TypeError(
                "log_probs must be one tensor for each model, got "
                f"{type(one).__name__}"
            )
    shapes = {tuple(one.shape) for one in log_probs}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(
            "log_probs must be one (n,) tensor for each model, all for the "
            f"same tokens; got shapes {sorted(shapes)}"
        )
    stacked = torch.stack([one.double() for one in log_probs])
    if stacked.shape[1] == 0:
        raise ValueError("log_probs must hold at least 1 token, got 0")
    if bool(stacked.isnan().any()):
        raise ValueError("log_probs must be numbers, got nan")
    if stacked.max() > ROUNDING:
        raise ValueError(
            "log_probs must be at most 0, logarithms of probabilities, got "
            f"{stacked.max():g}"
        )
    return stacked
