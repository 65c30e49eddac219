"""Checks for the code exercises at the end of the chapters.

A chapter asks for a function; ``check`` calls it on cases that the statement
does not show, compares with the library, and answers as a tutor would: what
was called, what came, what was expected, and, where the answers are those of
a well-known slip, which one. Nothing is raised for a wrong answer, so that a
page with open exercises runs to its end. The exercises are in ``tasks``.
"""

import math
import re
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

from unrolled.course.tasks import EXERCISES
from unrolled.language import say

# for numbers; readers may compute in single precision
RTOL, ATOL = 1e-5, 1e-8
SHOWN = 6  # numbers of a tensor in a message


def check(name: str, function: Callable) -> None:
    """Try a reader's function and print the verdict.

    name: as in the chapter, for example "8.1-1". Arguments are copied before
    each call, so a function that edits them does no harm.

    Raises ValueError for an exercise that does not exist, TypeError if
    function cannot be called.
    """
    print("\n".join(verdict(name, function)))


def verdict(name: str, function: Callable) -> list[str]:
    """The lines that ``check`` prints; one only if all cases are right."""
    if not isinstance(name, str) or name not in EXERCISES:
        raise ValueError(
            f"name must be one of {list(EXERCISES)}, got {name!r}"
        )
    if not callable(function):
        raise TypeError(f"function must be a function, got {function!r}")
    exercise = EXERCISES[name]
    called = exercise.signature.split("(")[0]
    expected = [exercise.solve(*_copies(case)) for case in exercise.cases]
    came = []
    for case in exercise.cases:
        try:
            came.append(function(*_copies(case)))
        except (Exception, SystemExit) as error:
            call = f"{called}({_words(case)})"
            return [
                say(
                    "Exercise {name}: {call} stopped with",
                    name=name,
                    call=call,
                ),
                f"  {type(error).__name__}: {error}",
            ]
    same = list(map(_same, came, expected))
    wrong = [n for n, right in enumerate(same) if not right]
    if not wrong:
        right = say(
            "Exercise {name}: right, in all {number} cases.",
            name=name,
            number=len(expected),
        )
        return [right]
    first = wrong[0]
    if all(answer is None for answer in came):
        empty = "Exercise {name}: {called} gives nothing back yet."
        return [say(empty, name=name, called=called)]
    lines = [
        say(
            "Exercise {name}: wrong in {wrong} of {number} cases. "
            "The first of them:",
            name=name,
            wrong=len(wrong),
            number=len(expected),
        ),
        f"  {say('called  ')} {called}({_words(exercise.cases[first])})",
        f"  {say('came    ')} {_word(came[first])}",
        f"  {say('expected')} {_word(expected[first])}",
        *_or([], _difference, came[first], expected[first]),
    ]
    for slip, mistaken in exercise.slips.items():
        answers = [mistaken(*_copies(case)) for case in exercise.cases]
        if all(map(_same, came, answers)):
            usual = "  A usual slip gives exactly this: {slip}."
            return [*lines, say(usual, slip=say(slip))]
    return lines


def _copies(case: tuple) -> list:
    """The arguments, with nothing shared that could be edited."""

    def copied(value):
        if isinstance(value, Tensor):
            return value.clone()
        if isinstance(value, list):
            return [copied(item) for item in value]
        return value.copy() if isinstance(value, dict) else value

    return [copied(value) for value in case]


def _or(otherwise: object, function: Callable, *arguments) -> object:
    """What the function gives, or otherwise: an answer may be anything."""
    try:
        return function(*arguments)
    except Exception:
        return otherwise


def _difference(answer: object, right: object) -> list[str]:
    """A line on what the words for the two do not show."""
    alike = _word(answer) == _word(right)
    if isinstance(right, list) and alike:
        same = list(map(_same, answer, right))
        n = same.index(False)
        return [_first_at(n, _word(answer[n]), _word(right[n]))]
    if not isinstance(right, Tensor):
        return []
    if not isinstance(answer, Tensor):
        kind = type(answer).__name__
        return [say("  a tensor is expected, not a {kind}", kind=kind)]
    if answer.is_complex() or answer.dtype.itemsize < 4:
        words = "  {right} is expected, not {answer}"
        return [say(words, right=right.dtype, answer=answer.dtype)]
    if answer.shape != right.shape or (right.numel() <= SHOWN and not alike):
        return []
    answer = answer.detach().to(right)
    off = ~torch.isclose(answer, right, RTOL, ATOL)
    place = tuple(off.nonzero()[0].tolist())
    return [_first_at(place, f"{answer[place]:.7g}", f"{right[place]:.7g}")]


def _first_at(place: object, answer: str, right: str) -> str:
    words = "  first at {place}: {answer}, not {right}"
    return say(words, place=place, answer=answer, right=right)


def _same(answer: object, right: object) -> bool:
    """Equal in kind and, for numbers, to RTOL; False if not comparable."""
    return _or(False, _equal, answer, right)


def _equal(answer: object, right: object) -> bool:
    if isinstance(right, Tensor):
        if not isinstance(answer, Tensor) or answer.shape != right.shape:
            return False
        if answer.is_complex():
            return False
        answer = answer.detach().to(right)
        return torch.allclose(answer, right, rtol=RTOL, atol=ATOL)
    if isinstance(right, list):
        return (
            isinstance(answer, (list, tuple))
            and len(answer) == len(right)
            and all(map(_same, answer, right))
        )
    if isinstance(right, str):
        return isinstance(answer, str) and answer == right
    if hasattr(answer, "item"):
        answer = answer.item()  # of a tensor or an array with one number
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return False
    return math.isclose(answer, right, rel_tol=RTOL, abs_tol=ATOL)


def _words(case: tuple) -> str:
    return ", ".join(map(_word, case))


def _word(value: object) -> str:
    """A value in a few words, for a message."""
    kind = say("a {kind}", kind=type(value).__name__)
    return _or(kind, _shown, value)


def _shown(value: object) -> str:
    if isinstance(value, Tensor):
        first = value.detach().flatten()[:SHOWN].tolist()
        numbers = [f"{x:.4g}" for x in first]
        more = ", ..." if value.numel() > SHOWN else ""
        shown = f"tensor[{', '.join(numbers)}{more}]"
        if value.dim() == 1:
            return shown
        words = "{shown} of shape {shape}"
        return say(words, shown=shown, shape=tuple(value.shape))
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        more = ", ..." if len(value) > 8 else ""
        return f"[{', '.join(map(_shown, value[:8]))}{more}]"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
