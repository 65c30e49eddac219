"""Checks of arguments, so that functions can show their formula.

Errors name the argument, what came and what would do. Each check gives the
value back in one form: a plain int, a float, an int64 tensor. What is wrong
in kind is a TypeError, what is out of range a ValueError.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real

import torch
from torch import Tensor

_TOLERANCE = 1e-9  # how far a row of float64 may sum from 1


def check_count(name: str, value: int, least: int) -> int:
    """The value as an int of at least ``least``; True and 1.0 are none.

    >>> check_count("batch_size", 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: batch_size must be at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def check_number(name: str, value: float, within: str) -> float:
    """The value as a float in an interval such as "[0, 1)" or "(0, inf]".

    nan lies in no interval.

    >>> check_number("dropout", 1, "[0, 1)")
    Traceback (most recent call last):
        ...
    ValueError: dropout must be in [0, 1), got 1
    >>> check_number("theta", -1, "(0, inf]")
    Traceback (most recent call last):
        ...
    ValueError: theta must be above 0, got -1
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()  # a 0-dimensional tensor or array
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r:.60}")
    low, high = map(float, within[1:-1].split(","))
    above = value >= low if within[0] == "[" else value > low
    below = value <= high if within[-1] == "]" else value < high
    if not (above and below):
        words = f"in {within}"
        if math.isinf(low):
            words = "finite"
        elif math.isinf(high):
            words = f"{'at least' if within[0] == '[' else 'above'} {low:g}"
            words = words if within[-1] == "]" else f"finite and {words}"
        raise ValueError(f"{name} must be {words}, got {value}")
    return float(value)


def check_generator(generator: torch.Generator | None) -> None:
    """Raise TypeError for what draws no numbers, such as a seed."""
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(
            "generator must be a torch.Generator or None, got "
            f"{generator!r:.60}; try torch.Generator().manual_seed(0)"
        )


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
    if ids.numel() < least:  # first: an empty tensor is float32 by default
        raise ValueError(
            f"{name} must hold at least {least} ids, got {ids.numel()}"
        )
    whole = not (ids.is_floating_point() or ids.is_complex())
    if ids.numel() and (ids.dtype == torch.bool or not whole):
        raise TypeError(
            f"{name} must hold integers, got {ids.dtype}; indices of a "
            "vocabulary are int64"
        )
    if ids.dim() != dims:
        raise ValueError(
            f"{name} must have {dims} dimension(s), got shape "
            f"{tuple(ids.shape)}"
        )
    ids = ids.long()  # before any comparison: uint8 wraps at 256
    # of the device "meta" there are only shapes
    if vocab_size is not None and ids.numel() and not ids.is_meta:
        low, high = map(int, ids.aminmax())
        if low < 0 or high >= vocab_size:
            raise ValueError(
                f"{name} must be in 0..{vocab_size - 1}, got "
                f"{low if low < 0 else high}"
            )
    return ids


def as_distributions(
    name: str,
    given: Tensor | Sequence,
    num_states: int | None = None,
) -> Tensor:
    """A float64 copy: a square matrix of distributions, or one of them.

    num_states: if given, one distribution over so many states. What comes in
    less than float64 is divided by its sums, which are 1 up to that precision
    only. Raises ValueError for another shape and for what is no distribution.
    """
    exact = not hasattr(given, "dtype")  # lists hold Python's float64
    given = torch.as_tensor(given, dtype=torch.float64 if exact else None)
    given = given.detach()
    values = given.to(torch.float64, copy=True)
    if num_states is None:
        if values.dim() != 2 or values.shape[0] != values.shape[1]:
            raise ValueError(
                f"{name} must be square, got shape {tuple(values.shape)}"
            )
        if len(values) == 0:
            raise ValueError(f"{name} must have at least one state, got 0")
    elif values.shape != (num_states,):
        raise ValueError(
            f"{name} must have shape ({num_states},), got "
            f"{tuple(values.shape)}"
        )
    rough = given.is_floating_point() and given.dtype != torch.float64
    slack = torch.finfo(given.dtype).eps * len(given) if rough else 0
    for i, row in enumerate(values if num_states is None else values[None]):
        where = f"{name} row {i}" if num_states is None else name
        if not bool((row >= 0).all()):
            raise ValueError(
                f"{where} is {row.tolist()!s:.200}; probabilities must be at "
                "least 0"
            )
        if not abs(row.sum().item() - 1) <= _TOLERANCE + slack:
            raise ValueError(
                f"{where} sums to {row.sum():.12g}, not to 1; divide it by "
                "its sum"
            )
    return values / values.sum(-1, keepdim=True) if rough else values


def _from_list(name: str, ids: list | tuple) -> Tensor:
    for number, value in enumerate(ids):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}[{number}] must be an int, got {value!r}")
    return torch.tensor(ids, dtype=torch.int64)
