"""Language models made of counts: smoothed n-grams and Kneser-Ney.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. Tokens are
indices here (``vocab`` makes them). How counts are stored, looked up and
mixed over the orders is in ``counting``, how parameters are tuned in
``smoothing``; Zipf's law is in ``zipf_law`` and can be imported from here too.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torch import Tensor

from unrolled.checks import check_count, check_number
from unrolled.smoothing import SmoothedLM
from unrolled.zipf_law import fit_zipf

__all__ = ["KneserNeyLM", "NgramLM", "count_ngrams", "fit_zipf"]


def count_ngrams(tokens: Iterable, order: int) -> Counter:
    """How often each run of ``order`` tokens occurs, as a Counter of tuples.

    A text of n tokens has n - order + 1 of them, or none if it is shorter.
    Raises TypeError or ValueError unless order is an int of at least 1.

    >>> count_ngrams(["a", "b", "a", "b"], 2)
    Counter({('a', 'b'): 2, ('b', 'a'): 1})
    """
    order = check_count("order", order, 1)
    # a tensor's own elements are tensors, each of them a key of its own
    tokens = tokens.tolist() if isinstance(tokens, Tensor) else list(tokens)
    shifted = [tokens[start:] for start in range(order)]
    return Counter(zip(*shifted, strict=False))


class NgramLM(SmoothedLM):
    """Counts of each order, smoothed by the next lower order.

        P_k(x | c) = (n(c, x) + s_k P_{k-1}(x | shorter c)) / (n(c) + s_k)

    n(c) counts c where a token follows it. The lowest order, P_0, is uniform.
    A context that was not seen, or s_k = 0 with n(c) = 0, gives the lower
    order; so does a strength that grows without bound. Strength 0 on a seen
    context is the maximum likelihood estimate.

    order: the length of the longest n-gram; order - 1 tokens of context.
    strengths: s_k >= 0, one float for all orders or one per order, for
    n-grams of length 1 first.

    Source: section 8.3; Jelinek and Mercer (1980) for mixing orders, MacKay
    and Peto (1995) for this weight.

    Raises ValueError for order < 1, vocab_size < 1, a negative strength or a
    wrong number of strengths; TypeError for what is no number.

    >>> lm = NgramLM(2, 3, [0.0, 1.0]).fit(torch.tensor([1, 2, 1, 2, 1]))
    >>> round(lm.prob([1], 2), 4)  # (2 + 1 * 2/5) / (2 + 1)
    0.8
    """

    def __init__(
        self,
        order: int,
        vocab_size: int,
        strengths: float | Sequence[float],
    ) -> None:
        """A model without counts; see ``fit``."""
        super().__init__(order, vocab_size)
        self.strengths = _strengths(strengths, self.order)

    def with_strengths(self, strengths: float | Sequence[float]) -> Self:
        """The same counts, not counted again, with other strengths."""
        return self._with(strengths)

    def _parameters(self) -> Sequence[float]:
        return self.strengths

    def _bounded(self, raw: Tensor) -> Tensor:
        # no count comes near e^30: the same as infinity; and below e^-30 the
        # search would step to 0, which makes 0/0 of a context never seen
        return raw.clamp(min=-30, max=30).exp()

    def _counts(self, length: int) -> Tensor:
        return self._levels[length - 1].counts[:, None]

    def _own(self, gram: Tensor, context: Tensor, strength: Tensor) -> Tensor:
        return gram[:, 0] / (context[:, 0] + strength)

    def _lower(self, context: Tensor, strength: Tensor) -> Tensor:
        # 0 / 0 and infinity / infinity both mean: all from the lower order
        return (strength / (context[:, 0] + strength)).nan_to_num(1.0)


class KneserNeyLM(SmoothedLM):
    """Interpolated Kneser-Ney: discounted counts over continuation counts.

    From each count a discount D is taken, and what is taken goes to the
    lower order:

        P_k(x | c) = (max(a(c, x) - D, 0) + taken(c) P_{k-1}(x | shorter c))
                     / a(c)

    At the highest order a is the count. Below it, a(c, x) is the number of
    different tokens that precede (c, x) in the text, its continuation count:
    a word that occurs often but after one word only is a poor guess after
    any other. P_0 is uniform.

    order, vocab_size: as for ``NgramLM``.
    discounts: None estimates three for each order from the counts, for
    counts of 1, 2 and 3 or more ("modified"). A float sets one for all; a
    list has for each order a float or three of them. Each is in 0..1, in
    triples in 0..1, 0..2 and 0..3.

    Where the text has no n-gram of some order seen once or twice, nothing
    can be estimated, and 0.5 is used; where only 3 or 4 are missing, the
    single discount n1 / (n1 + 2 n2) of Ney, Essen and Kneser (1994).

    Sources: Kneser and Ney (1995); Chen and Goodman (1998), equations 20 to
    26. Raises as ``NgramLM`` does.

    >>> ids = torch.tensor([1, 2, 1, 3, 2, 1])
    >>> round(KneserNeyLM(2, 4, 0.5).fit(ids).prob([2], 1), 4)
    0.8047
    """

    def __init__(
        self,
        order: int,
        vocab_size: int,
        discounts: float | Sequence[float | Sequence[float]] | None = None,
    ) -> None:
        """A model without counts; see ``fit``."""
        super().__init__(order, vocab_size)
        self._fixed = None
        if discounts is not None:
            self._fixed = _discounts(discounts, self.order)
        #: after fit: the discounts for counts of 1, 2 and more, per order
        self.discounts: list[tuple[float, float, float]] = []

    _shape = (3,)

    def _parameters(self) -> list[tuple[float, float, float]]:
        self.discounts = self._fixed or [
            _estimated_discounts(self._adjusted_counts(length))
            for length in range(1, self.order + 1)
        ]
        return self.discounts

    def _bounded(self, raw: Tensor) -> Tensor:
        return raw.sigmoid() * torch.tensor([1.0, 2.0, 3.0])

    def _counts(self, length: int) -> Tensor:
        # a, and whether it is 1, 2 or more: which discount is taken from it
        a = self._adjusted_counts(length)
        return torch.stack([a, a == 1, a == 2, a >= 3], dim=1)

    def _own(self, gram: Tensor, context: Tensor, discounts: Tensor) -> Tensor:
        kept = gram[:, 0] - gram[:, 1:] @ discounts
        return kept / context[:, 0].clamp(min=1)

    def _lower(self, context: Tensor, discounts: Tensor) -> Tensor:
        taken, a = context[:, 1:] @ discounts, context[:, 0]
        return torch.where(a > 0, taken / a.clamp(min=1), 1.0)

    def _adjusted_counts(self, length: int) -> Tensor:
        """Counts at the highest order, continuation counts below it."""
        level = self._levels[length - 1]
        if length == self.order:
            return level.counts
        longer = self._levels[length].endings
        return torch.bincount(longer, minlength=len(level.keys)).double()


def _estimated_discounts(counts: Tensor) -> tuple[float, float, float]:
    """The discounts for counts of 1, 2 and more, from counts of counts.

    counts: (n,). Chen and Goodman (1998), equation 26, with n_r the number
    of n-grams that were counted r times.
    """
    n1, n2, n3, n4 = ((counts == r).sum().item() for r in (1, 2, 3, 4))
    if n1 == 0 or n2 == 0:
        return (0.5, 0.5, 0.5)
    y = n1 / (n1 + 2 * n2)
    if n3 == 0 or n4 == 0:
        return (y, y, y)
    three = (
        1 - 2 * y * n2 / n1,
        2 - 3 * y * n3 / n2,
        3 - 4 * y * n4 / n3,
    )
    # a small text may give less than nothing
    return tuple(max(discount, 0.0) for discount in three)


def _strengths(
    strengths: float | Sequence[float], order: int
) -> tuple[float, ...]:
    """One strength for each order, checked."""
    values = _per_order("strengths", strengths, order)
    return tuple(check_number("strengths", s, "[0, inf]") for s in values)


def _discounts(
    discounts: float | Sequence[float | Sequence[float]], order: int
) -> list[tuple[float, float, float]]:
    """Three discounts for each order, checked."""
    triples = []
    for given in _per_order("discounts", discounts, order):
        if not isinstance(given, (int, float, list, tuple)):
            raise TypeError(
                f"discounts of one order must be numbers, got {given!r}"
            )
        single = isinstance(given, (int, float))
        triple = (given,) * 3 if single else tuple(given)
        if len(triple) != 3:
            raise ValueError(
                "discounts of one order must be one number or three, got "
                f"{given!r}"
            )
        triples.append(
            tuple(
                check_number("discounts", value, f"[0, {most}]")
                for most, value in enumerate(triple, start=1)
            )
        )
    return triples


def _per_order(name: str, values: object, order: int) -> list | tuple:
    """One item for each order."""
    if isinstance(values, (int, float)):
        return [values] * order
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"{name} must be one number or a list of {order}, got {values!r}"
        )
    if len(values) != order:
        raise ValueError(
            f"{name} must be one number or {order}, one for each order; got "
            f"{len(values)}"
        )
    return values
