"""What several test files use: exact errors, small models and texts."""

import re
import threading
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from unrolled.rnn import RNNLM
from unrolled.series import noisy_sine


def raises(kind: type[Exception], message: str):
    """Within it an error of this kind is raised, with exactly these words."""
    return pytest.raises(kind, match="^" + re.escape(message) + "$")


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, at its start."""
    return torch.Generator().manual_seed(seed)


def held_forecasts(rule, series, tau, max_k):
    """All k = 1..max_k forecast by the same value, rule(window): (T, max_k).

    Laid out as ``k_step_forecasts``: row t belongs to the value at t.
    """
    with torch.no_grad():
        value = rule(series.unfold(0, tau, 1)).reshape(-1)
    forecasts = series.new_full((len(series), max_k), float("nan"))
    for k in range(1, max_k + 1):
        forecasts[tau - 1 + k :, k - 1] = value[: len(value) - k]
    return forecasts


def small(seed=0, **options):
    """A network of 6 tokens and 8 hidden units, with weights to see."""
    return RNNLM(
        6,
        8,
        input_scale=1.0,
        recurrent_scale=0.2,
        output_scale=0.3,
        generator=seeded(seed),
        **options,
    )


def text(n, seed=0):
    """Each symbol follows from the one before, four times in five."""
    ids = [0]
    for u in torch.rand(n - 1, generator=seeded(seed)).tolist():
        ids.append((ids[-1] + 2) % 6 if u < 0.8 else int(u * 1000) % 6)
    return torch.tensor(ids)


def three_series():
    """Three noisy waves of 120 values: (3, 120)."""
    return torch.stack(
        [noisy_sine(120, generator=seeded(s))[2] for s in range(3)]
    )


def legend_names(axes):
    """The words of a drawing's legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def together(work, size=2, seconds=20.0):
    """What work(rank, group) gives or raises in each of several processes.

    They are threads here, but the group is real: what they send goes through
    sockets of this machine.
    """
    store, found = dist.HashStore(), [None] * size

    def one(rank):
        try:
            patience = timedelta(seconds=seconds)
            group = dist.ProcessGroupGloo(store, rank, size, patience)
            found[rank] = work(rank, group)
        except BaseException as error:
            found[rank] = error

    threads = [
        threading.Thread(target=one, args=(rank,)) for rank in range(size)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
