"""Minibatches of windows from one long text: the two samplers.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. It knows
indices only (``vocab`` makes them) and trains nothing (``training`` does).

A window is a run of num_steps ids; its labels are the same run one place
later. With offset o, windows start at o, o + num_steps, o + 2 num_steps, ...
Names and windows are those of Dive into Deep Learning, section 8.3; where
its code draws the offset otherwise, section 8.3 of the course says so.
"""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from unrolled.checks import as_ids, check_count, check_generator

SAMPLINGS = ("sequential", "random")


def random_batches(
    ids: Tensor,
    batch_size: int,
    num_steps: int,
    generator: torch.Generator | None = None,
    offset: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (X, Y), the windows in random order, each at most once.

    ids: (n,) int64. X, Y: (batch_size, num_steps) int64; Y is X one place
    later. offset: drawn uniformly from 0..num_steps - 1 if it is not given.
    There are (n - offset - 1) // num_steps windows; those left over after
    the last full minibatch are dropped, other ones in each pass.

    Offset and order come from the generator (torch's own if None) when the
    first minibatch is asked for. No more than the current minibatch is
    copied, of int64 ids (other integers are converted first).

    Raises TypeError for ids that are no integers; ValueError for batch_size
    or num_steps < 1, an offset outside 0..num_steps - 1, and a text too
    short for one minibatch at the given offset, or at any if none is given.
    """
    check_generator(generator)
    checked = _check(ids, batch_size, num_steps, offset)
    return _random(*checked, generator)


def sequential_batches(
    ids: Tensor,
    batch_size: int,
    num_steps: int,
    generator: torch.Generator | None = None,
    offset: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (X, Y); row i of a minibatch continues row i of the one before.

    The text after the offset is cut into batch_size strips of equal length,
    (n - offset - 1) // batch_size; each minibatch takes the next num_steps
    of every strip. So a state may be carried from one minibatch to the next.
    What is left over at the ends of the strips is dropped.

    Arguments, shapes and errors as for ``random_batches``; the offset is all
    that is random.

    >>> for X, Y in sequential_batches(torch.arange(8), 2, 3, offset=0):
    ...     print(X.tolist(), Y.tolist())
    [[0, 1, 2], [3, 4, 5]] [[1, 2, 3], [4, 5, 6]]
    """
    check_generator(generator)
    checked = _check(ids, batch_size, num_steps, offset)
    return _sequential(*checked, generator)


class SequenceLoader:
    """Minibatches of a text, pass after pass: the data of a training loop.

    Each ``for X, Y in loader`` is a new pass with a new offset (and order,
    if random) from the generator. Every pass has the same length,
    ``len(loader)``: the number of minibatches that fit at the largest
    offset. A pass whose offset leaves room for one more does not yield it.

    sampling: "sequential" or "random"; ``loader.sequential`` tells a
    training loop whether a state may be carried on.
    Other arguments, shapes and errors as for the two samplers.

    >>> loader = SequenceLoader(torch.arange(35), 2, 5)
    >>> len(loader), len(list(loader)), len(list(loader))
    (3, 3, 3)
    """

    def __init__(
        self,
        ids: Tensor,
        batch_size: int,
        num_steps: int,
        *,
        sampling: str = "sequential",
        generator: torch.Generator | None = None,
    ) -> None:
        """Check the arguments; nothing is drawn yet."""
        if sampling not in SAMPLINGS:
            raise ValueError(
                f"sampling must be one of {SAMPLINGS}, got {sampling!r}"
            )
        # every pass draws its offset: it cannot be told one
        self.ids, self.batch_size, self.num_steps, _ = _check(
            ids, batch_size, num_steps, None, way_out=""
        )
        check_generator(generator)
        self.sequential = sampling == "sequential"
        self.generator = generator

    def __len__(self) -> int:
        """The number of minibatches of every pass."""
        shortest = len(self.ids) - self.num_steps  # labels at the last offset
        if self.sequential:
            return shortest // self.batch_size // self.num_steps
        return shortest // self.num_steps // self.batch_size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass: pairs (X, Y), each (batch_size, num_steps)."""
        sampler = _sequential if self.sequential else _random
        batches = sampler(
            self.ids, self.batch_size, self.num_steps, None, self.generator
        )
        yield from itertools.islice(batches, len(self))


def _random(ids, batch_size, num_steps, offset, generator):
    offset = _draw_offset(num_steps, generator, offset)
    num_windows = (len(ids) - offset - 1) // num_steps
    order = torch.randperm(num_windows, generator=generator)
    inside = torch.arange(num_steps)
    for first in range(0, num_windows - batch_size + 1, batch_size):
        windows = order[first : first + batch_size]
        places = offset + windows[:, None] * num_steps + inside
        yield ids[places], ids[places + 1]


def _sequential(ids, batch_size, num_steps, offset, generator):
    offset = _draw_offset(num_steps, generator, offset)
    length = (len(ids) - offset - 1) // batch_size
    end = offset + batch_size * length
    # views of the text: nothing is copied
    inputs = ids[offset:end].reshape(batch_size, length)
    labels = ids[offset + 1 : end + 1].reshape(batch_size, length)
    for first in range(0, length - num_steps + 1, num_steps):
        steps = slice(first, first + num_steps)
        # copies, so that a caller who edits them leaves the text alone
        yield inputs[:, steps].clone(), labels[:, steps].clone()


def _draw_offset(num_steps, generator, offset):
    if offset is not None:
        return offset
    return int(torch.randint(num_steps, (1,), generator=generator))


def _check(ids, batch_size, num_steps, offset, way_out=" or offset=0"):
    """The arguments, in plain ints and int64."""
    ids = as_ids("ids", ids)
    batch_size = check_count("batch_size", batch_size, 1)
    num_steps = check_count("num_steps", num_steps, 1)
    if offset is not None:
        offset = check_count("offset", offset, 0)
        if offset >= num_steps:
            raise ValueError(
                f"offset must be in 0..{num_steps - 1}, got {offset}; larger "
                "ones only skip text"
            )
    largest = num_steps - 1 if offset is None else offset
    needed = batch_size * num_steps + 1 + largest
    if len(ids) < needed:
        raise ValueError(
            f"ids must hold at least {needed} for one minibatch of batch_size "
            f"{batch_size} and num_steps {num_steps} at offset {largest}, got "
            f"{len(ids)}; try a smaller batch_size or num_steps"
            f"{way_out if largest else ''}"
        )
    return ids, batch_size, num_steps, offset
