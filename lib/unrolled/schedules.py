"""What changes in the course of training: rates, averages, when to score.

Section 8.5a teaches this module: :doc:`/book/8_5a_the_whole_book`. It hooks on
to an optimizer's steps, so that a training loop need not know of it; it
computes no gradient.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from unrolled.checks import check_count


def cosine(done: float) -> float:
    """A schedule: up over the first 3 %, then down to 0 along a cosine."""
    return min(1.0, done / 0.03) * (1 + math.cos(math.pi * done)) / 2


def log_spaced(num_epochs: int, number: int = 25) -> list[int]:
    """About ``number`` epochs from 1 to num_epochs, evenly in the logarithm.

    >>> log_spaced(500, 7)
    [1, 3, 8, 22, 63, 177, 500]
    """
    num_epochs = check_count("num_epochs", num_epochs, 1)
    number = check_count("number", number, 2)
    ratio = num_epochs ** (1 / (number - 1))
    return sorted({round(ratio**i) for i in range(number)})


@contextmanager
def scheduled(
    optimizer: torch.optim.Optimizer,
    schedule: Callable[[float], float] | None,
    num_updates: int,
) -> Iterator[None]:
    """Within it each update runs at its rate times schedule(fraction done).

    The fraction is that of num_updates, 0 at the first. However it ends, the
    learning rates are those of the start. None leaves them alone until then.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    done = itertools.count()

    def set_rates(factor: float) -> None:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor

    def before_update(*_) -> None:
        if schedule is not None:
            set_rates(schedule(next(done) / num_updates))

    hook = optimizer.register_step_pre_hook(before_update)
    try:
        yield
    finally:
        hook.remove()
        set_rates(1.0)


@contextmanager
def averaged(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    decay: float | None,
    *,
    done: int = 0,
) -> Iterator[nn.Module]:
    """Within it a second model holds a moving average of the parameters.

    After each update it moves towards them by 1 - decay, early on by more.
    done: updates before these, of an average that goes on. A decay of None
    gives the model itself.
    """
    if decay is None:
        yield model
        return
    mean = copy.deepcopy(model)
    parameters = dict(model.named_parameters())
    numbers = itertools.count(done + 1)

    def after_update(*_) -> None:
        # a long memory would keep the random start for too long
        n = next(numbers)
        share = 1 - min(decay, (1 + n) / (10 + n))
        with torch.no_grad():
            for name, value in mean.named_parameters():
                value.lerp_(parameters[name], share)

    hook = optimizer.register_step_post_hook(after_update)
    try:
        yield mean
    finally:
        hook.remove()
