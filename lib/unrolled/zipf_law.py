"""Zipf's law: how often the r-th most frequent token occurs.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. It fits the
straight line of the log-log plot; it counts nothing itself (``ngrams`` does).
The line of the population, with an interval, is in ``course.populations``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from unrolled.checks import check_count


@dataclass(frozen=True)
class ZipfFit:
    """A power law, frequency = exp(log_scale) * rank ** -alpha."""

    alpha: float
    log_scale: float
    first: int  # the ranks that were used, both included
    last: int


def fit_zipf(
    counts: Iterable[int], *, first: int = 1, last: int | None = None
) -> ZipfFit:
    """Least squares of ln frequency on ln rank, over ranks first to last.

    counts: how often each kind of token occurs, in any order, or a Counter;
    all at least 1. last: by default the number of kinds.

    The ranks matter: rare kinds are most of the ranks and lie on steps, so
    the fit over all ranks describes the tail. This is the slope of these
    counts; for that of the population see ``course.populations``. Source:
    Zipf (1949).

    Raises ValueError unless there are at least two ranks, first >= 1 and
    last is at most the number of kinds; and for a count below 1.
    """
    if isinstance(counts, Mapping):
        counts = counts.values()  # of a Counter
    if not isinstance(counts, np.ndarray):
        counts = list(counts)
    ordered = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    if len(ordered) == 0 or not np.isfinite(ordered).all():
        raise ValueError("counts must be finite numbers, and at least one")
    first = check_count("first", first, 1)
    last = len(ordered) if last is None else last
    last = check_count("last", last, 1)
    if not first < last <= len(ordered):
        raise ValueError(
            f"ranks {first} to {last} must be at least two of the "
            f"{len(ordered)} ranks that the counts have"
        )
    if not ordered[-1] >= 1:
        raise ValueError(f"counts must be at least 1, got {ordered[-1]:g}")
    x = np.log(np.arange(first, last + 1))
    y = np.log(ordered[first - 1 : last])
    slope, intercept = np.polyfit(x, y, 1)
    return ZipfFit(-float(slope), float(intercept), first, last)
