"""Training a recurrent language model.

Section 8.5 teaches this module: :doc:`/book/8_5_rnn_from_scratch`. The loop
works with any model of ``rnn`` and any optimizer of torch whose step needs
no closure; minibatches come from ``batches``, held-out scores from
``evaluation``, what happens around an update from ``schedules``.
"""

import copy
import math
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from unrolled import metrics
from unrolled.batches import SequenceLoader
from unrolled.checks import as_ids, check_count, check_number
from unrolled.evaluation import WHAT_TO_TRY, DivergenceError, evaluate
from unrolled.schedules import averaged, scheduled


def clip_gradients(params: Iterable[Tensor], theta: float) -> float:
    """Shrink all gradients together so that their norm is at most theta.

        g <- min(1, theta / norm(g)) g

    in place, where g is all gradients as one vector. Its direction stays.
    Parameters without a gradient are left out. Returns the norm before.

    params: a list, or what ``model.parameters()`` gives. Source: Pascanu,
    Mikolov and Bengio (2013); section 8.5. Raises ValueError for theta <= 0
    and where no parameter has a gradient, as after a generator was used up;
    TypeError for one tensor, a module or a dict in place of a list.
    """
    check_number("theta", theta, "(0, inf]")
    if isinstance(params, (Tensor, nn.Module, Mapping)):
        raise TypeError(
            "params must be a list of tensors, got one "
            f"{type(params).__name__}; try model.parameters()"
        )
    gradients = [p.grad for p in params if p.grad is not None]
    if not gradients:
        raise ValueError(
            "params hold no parameter with a gradient; call backward() "
            "first, and pass parameters, not their gradients"
        )
    norm = _norm(gradients)
    if not norm.isfinite():  # squares too large for single precision
        norm = _norm([g.double() for g in gradients])
    if norm > theta:
        for gradient in gradients:
            gradient.mul_(theta / norm)
    return norm.item()


def _norm(gradients: list[Tensor]) -> Tensor:
    # squares of half precision would be 0 below 2e-4
    sizes = [
        (g.float() if g.dtype.itemsize < 4 else g).pow(2).sum()
        for g in gradients
    ]
    return torch.stack(sizes).sum().sqrt()


@dataclass
class History:
    """What happened in training; lists have one entry for each epoch."""

    train: list[float] = field(default_factory=list)  # perplexity
    held_out: dict[int, float] = field(default_factory=dict)  # by epoch
    norms: list[float] = field(default_factory=list)  # for each update
    tokens_per_second: float = 0.0
    best_epoch: int | None = None  # of the held-out perplexity


def train(
    model: nn.Module,
    loader: SequenceLoader,
    num_epochs: int,
    optimizer: torch.optim.Optimizer,
    *,
    theta: float = 1.0,
    schedule: Callable[[float], float] | None = None,
    held_out: Tensor | None = None,
    evaluate_at: Collection[int] | None = None,
    keep_best: bool = False,
    averaging: float | None = None,
    progress: bool | None = None,
) -> History:
    """Train the model in place and return the history.

    Each minibatch: forward, mean cross-entropy, backward, clip, update. With
    a sequential loader the state goes on from minibatch to minibatch,
    detached, so that gradients stop at the border; with a random one every
    minibatch starts from zeros.

    theta: gradients are clipped to this norm; ``math.inf`` never clips.
    schedule: factor for the learning rate at a fraction (0 to 1) of all
    updates.
    held_out: ids whose perplexity is taken after the epochs in
    ``evaluate_at`` (all, if None). keep_best: leave the model with the
    parameters that were best on it.
    averaging: decay of a moving average of the parameters, which is what is
    evaluated and kept; early on it forgets faster.
    progress: a bar on stderr; by default unless UNROLLED_PROGRESS is 0.

    Training perplexity is that of the epoch's minibatches as they came, with
    dropout if there is any. However it ends, by an error or by hand too, the
    learning rates are those of the start, and the model has the parameters
    that were to be kept.

    Raises DivergenceError if a loss or a gradient is not finite, before it
    changes the model; ValueError for arguments out of range, and for a label
    outside the vocabulary (Y) when its minibatch comes; TypeError for a
    loader without ``sequential``, which says whether the state goes on.
    """
    num_epochs = check_count("num_epochs", num_epochs, 1)
    check_number("theta", theta, "(0, inf]")
    evaluate_at = _check_evaluation(
        model, num_epochs, held_out, evaluate_at, keep_best
    )
    if not hasattr(loader, "sequential"):
        raise TypeError(
            f"loader must be a SequenceLoader, got {type(loader).__name__}"
        )
    if averaging is not None:
        check_number("averaging", averaging, "[0, 1)")
    if progress is None:
        progress = os.environ.get("UNROLLED_PROGRESS") != "0"

    history, best, best_parameters = History(), math.inf, None
    num_tokens, seconds = 0, 0.0
    model.train()
    bar = tqdm(range(1, num_epochs + 1), unit="epoch", disable=not progress)
    num_updates = num_epochs * len(loader) if schedule else 0
    with (
        scheduled(optimizer, schedule, num_updates),
        averaged(model, optimizer, averaging) as scored,
    ):
        try:
            for epoch in bar:
                start = time.perf_counter()
                num_tokens += _train_epoch(
                    model, loader, optimizer, theta, history
                )
                seconds += time.perf_counter() - start
                if epoch in evaluate_at:
                    score = evaluate(scored, held_out)
                    history.held_out[epoch] = score
                    bar.set_postfix(held_out=f"{score:.3g}")
                    if score < best:
                        best, history.best_epoch = score, epoch
                        if keep_best:
                            best_parameters = copy.deepcopy(
                                scored.state_dict()
                            )
        finally:
            if best_parameters is not None:
                model.load_state_dict(best_parameters)
            elif averaging is not None:
                model.load_state_dict(scored.state_dict())
    history.tokens_per_second = num_tokens / seconds
    return history


def _train_epoch(
    model: nn.Module,
    loader: SequenceLoader,
    optimizer: torch.optim.Optimizer,
    theta: float,
    history: History,
) -> int:
    """One pass over the text, noted in the history; the number of tokens."""
    epoch = len(history.train) + 1
    state, sum_nll, count = None, 0.0, 0
    for X, Y in loader:
        if state is None or not loader.sequential:
            state = model.begin_state(len(X))
        X, Y = X.to(state.device), Y.to(state.device)
        logits, state = model(X, state.detach())
        Y = _labels(Y, X, logits.shape[-1])
        loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
        _check_finite("loss", loss.item(), epoch)
        optimizer.zero_grad()
        loss.backward()
        norm = clip_gradients(model.parameters(), theta)
        _check_finite("gradient's norm", norm, epoch)
        history.norms.append(norm)
        optimizer.step()
        sum_nll += loss.item() * Y.numel()
        count += Y.numel()
    history.train.append(metrics.perplexity(sum_nll, count))
    return count


def _check_evaluation(
    model: nn.Module,
    num_epochs: int,
    held_out: Tensor | None,
    evaluate_at: Collection[int] | None,
    needed: object,
) -> Collection[int]:
    """The epochs after which to evaluate; none without held-out text."""
    if held_out is None:
        if needed:
            raise ValueError("held_out is needed to keep the best parameters")
        if evaluate_at is not None:
            raise ValueError("held_out is needed for evaluate_at")
        return ()
    as_ids("held_out", held_out, vocab_size=model.vocab_size, least=2)
    epochs = range(1, num_epochs + 1)
    if evaluate_at is None:
        return epochs
    if isinstance(evaluate_at, int):
        raise TypeError(
            f"evaluate_at must be a list of epochs, got {evaluate_at}"
        )
    evaluate_at = set(evaluate_at)
    if not evaluate_at or not evaluate_at.issubset(epochs):
        raise ValueError(
            f"evaluate_at must be epochs in 1..{num_epochs}, at least one, "
            f"got {sorted(evaluate_at)}"
        )
    return evaluate_at


def _labels(Y: Tensor, X: Tensor, vocab_size: int) -> Tensor:
    """The labels of a minibatch, checked: one for each input."""
    Y = as_ids("Y", Y, vocab_size=vocab_size, dims=2)
    if Y.shape != X.shape:
        raise ValueError(
            f"Y must have the shape of X, {tuple(X.shape)}, got "
            f"{tuple(Y.shape)}"
        )
    return Y


def _check_finite(what: str, value: float, epoch: int) -> None:
    if not math.isfinite(value):
        raise DivergenceError(
            f"the {what} is {value} in epoch {epoch}; {WHAT_TO_TRY}"
        )
