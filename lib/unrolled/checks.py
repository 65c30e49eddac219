"""Checks of arguments that more than one module needs.

Errors name the argument, what came and what would do. Checks that only one
module needs stay in that module.
"""

from numbers import Integral

import torch
from torch import Tensor


def check_count(name: str, value: int, least: int) -> None:
    """Raise unless value is an int of at least ``least``.

    Raises TypeError for what is no int (True and 1.0 are none), ValueError
    for too small a number.

    >>> check_count("batch_size", 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: batch_size must be at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def as_ids(
    name: str,
    ids: Tensor,
    *,
    vocab_size: int | None = None,
    least: int = 1,
    dims: int = 1,
) -> Tensor:
    """The ids as an int64 tensor with ``dims`` dimensions.

    An int64 tensor comes back itself, not copied.

    ids: a tensor of any integer type, or a list of int.
    vocab_size: if given, every id must be in 0..vocab_size - 1.
    least: the least number of ids that will do.

    Raises TypeError for ids that are no integers; ValueError for another
    number of dimensions, for too few ids and for an id that is outside the
    vocabulary.
    """
    if isinstance(ids, (list, tuple)) and dims == 1:
        ids = _from_list(name, ids)
    if not isinstance(ids, Tensor):
        raise TypeError(
            f"{name} must be an int64 tensor, got {type(ids).__name__}; try "
            "torch.tensor(vocab[tokens])"
        )
    if ids.dtype == torch.bool or ids.is_floating_point() or ids.is_complex():
        raise TypeError(
            f"{name} must hold integers, got {ids.dtype}; indices of a "
            "vocabulary are int64"
        )
    if ids.dim() != dims:
        raise ValueError(
            f"{name} must have {dims} dimension(s), got shape "
            f"{tuple(ids.shape)}"
        )
    if ids.numel() < least:
        raise ValueError(
            f"{name} must hold at least {least} ids, got {ids.numel()}"
        )
    ids = ids.long()
    if vocab_size is not None and ids.numel():
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= vocab_size:
            raise ValueError(
                f"{name} must be in 0..{vocab_size - 1}, got "
                f"{low if low < 0 else high}"
            )
    return ids


def _from_list(name: str, ids: list | tuple) -> Tensor:
    for number, value in enumerate(ids):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}[{number}] must be an int, got {value!r}")
    return torch.tensor(ids, dtype=torch.int64)
