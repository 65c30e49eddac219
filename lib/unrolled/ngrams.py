"""Language models made of counts: smoothed n-grams and Kneser-Ney.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. Tokens are
indices here (``vocab`` makes them). How counts are stored, looked up and
mixed over the orders is in ``counting``; Zipf's law is in ``zipf_law`` and can
be imported from here too.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from unrolled.checks import as_ids, check_count
from unrolled.counting import InterpolatedLM, Rule, maximise, take
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


class NgramLM(InterpolatedLM):
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
        self.strengths = _per_order("strengths", strengths, self.order)

    def _set_rules(self) -> None:
        self._rules = []
        for length, strength in enumerate(self.strengths, start=1):
            counts = self._levels[length - 1].counts
            totals = self._sum_by_context(length, counts)
            if math.isinf(strength):
                own = torch.zeros_like(counts)
                lower = torch.ones_like(totals)
            else:
                own = counts / (totals[self._contexts(length)] + strength)
                lower = strength / (totals + strength)
                lower[totals + strength == 0] = 1.0  # it was 0 / 0
            self._rules.append(Rule(own, lower))

    def with_strengths(self, strengths: float | Sequence[float]) -> "NgramLM":
        """The same counts, not counted again, with other strengths."""
        self._check_fitted()
        other = NgramLM(self.order, self.vocab_size, strengths)
        other._levels = self._levels
        other._set_rules()
        return other

    def tuned(self, ids: Tensor) -> "NgramLM":
        """The same counts with the strengths that suit another text best.

        ids: (n,) int64, at least two; not those that were counted, or every
        strength would shrink towards 0. Minimises the mean -ln P of ids[1:]
        over the logarithms of the strengths, all orders at once, from
        strength 1; orders that do not help end with a large strength.
        """
        self._check_fitted()
        ids = as_ids("ids", ids, vocab_size=self.vocab_size, least=2)
        with torch.inference_mode(False):  # gradients are needed
            return self._tuned(ids)

    def _tuned(self, ids: Tensor) -> "NgramLM":
        looked_up = []  # n(c, x), n(c) for each order and position
        for length, (contexts, grams) in enumerate(self._find(ids), start=1):
            counts = self._levels[length - 1].counts
            totals = self._sum_by_context(length, counts)
            looked_up.append((take(counts, grams), take(totals, contexts)))

        def strengths(raw: Tensor) -> Tensor:
            # no count comes near e^30: the same as infinity
            return raw.clamp(max=30).exp()

        def probs(raw: Tensor) -> Tensor:
            mixed = torch.tensor(1 / self.vocab_size, dtype=torch.float64)
            for s, (n_cx, n_c) in zip(strengths(raw), looked_up, strict=True):
                mixed = (n_cx + s * mixed) / (n_c + s)
            return mixed[1:]

        start = torch.zeros(self.order, dtype=torch.float64)
        return self.with_strengths(strengths(maximise(probs, start)).tolist())


class KneserNeyLM(InterpolatedLM):
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
            self._fixed = _triples(discounts, self.order)
        #: after fit: the discounts for counts of 1, 2 and more, per order
        self.discounts: list[tuple[float, float, float]] = []

    def _set_rules(self) -> None:
        self._rules, self.discounts = [], []
        for length in range(1, self.order + 1):
            adjusted = self._adjusted_counts(length)
            triple = (
                estimate_discounts(adjusted)
                if self._fixed is None
                else self._fixed[length - 1]
            )
            self.discounts.append(triple)
            by_count = torch.tensor([0.0, *triple], dtype=torch.float64)
            taken = by_count[adjusted.clamp(max=3).long()]
            totals = self._sum_by_context(length, adjusted)
            left = self._sum_by_context(length, taken)
            of_gram = totals[self._contexts(length)]
            own = (adjusted - taken) / of_gram.clamp(min=1)
            lower = torch.where(totals > 0, left / totals.clamp(min=1), 1.0)
            self._rules.append(Rule(own, lower))

    def with_discounts(
        self, discounts: float | Sequence[float | Sequence[float]]
    ) -> "KneserNeyLM":
        """The same counts, not counted again, with other discounts."""
        self._check_fitted()
        other = KneserNeyLM(self.order, self.vocab_size, discounts)
        other._levels = self._levels
        other._set_rules()
        return other

    def tuned(self, ids: Tensor) -> "KneserNeyLM":
        """The same counts with the discounts that suit another text best.

        ids: (n,) int64, at least two; not those that were counted. Minimises
        the mean -ln P of ids[1:] over three discounts for each order.
        """
        self._check_fitted()
        ids = as_ids("ids", ids, vocab_size=self.vocab_size, least=2)
        with torch.inference_mode(False):  # gradients are needed
            return self._tuned(ids)

    def _tuned(self, ids: Tensor) -> "KneserNeyLM":
        looked_up = []
        for length, (contexts, grams) in enumerate(self._find(ids), start=1):
            adjusted = self._adjusted_counts(length)
            kinds = adjusted.clamp(max=3)
            followers = [  # of each context: how many were seen 1, 2, 3+ times
                self._sum_by_context(length, (kinds == r).double())
                for r in (1, 2, 3)
            ]
            looked_up.append(
                (
                    take(adjusted, grams),
                    take(kinds, grams).long(),
                    take(self._sum_by_context(length, adjusted), contexts),
                    torch.stack([take(f, contexts) for f in followers], 1),
                )
            )

        def discounts(raw: Tensor) -> Tensor:
            return raw.sigmoid() * torch.tensor([1.0, 2.0, 3.0])

        def probs(raw: Tensor) -> Tensor:
            mixed = torch.full_like(looked_up[0][0], 1 / self.vocab_size)
            for order, triple in enumerate(discounts(raw)):
                a_cx, kind, a_c, seen = looked_up[order]
                taken = torch.cat([triple.new_zeros(1), triple])[kind]
                kept = a_cx - taken + seen @ triple * mixed
                mixed = torch.where(a_c > 0, kept / a_c.clamp(min=1), mixed)
            return mixed[1:]

        start = torch.zeros(self.order, 3, dtype=torch.float64)
        return self.with_discounts(discounts(maximise(probs, start)).tolist())

    def _adjusted_counts(self, length: int) -> Tensor:
        """Counts at the highest order, continuation counts below it."""
        level = self._levels[length - 1]
        if length == self.order:
            return level.counts
        longer = self._levels[length].endings
        return torch.bincount(longer, minlength=len(level.keys)).double()


def estimate_discounts(counts: Tensor) -> tuple[float, float, float]:
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


def _per_order(
    name: str, values: float | Sequence[float], order: int
) -> tuple[float, ...]:
    """One number for each order, checked."""
    if isinstance(values, (int, float)):
        values = [values] * order
    _check_list(name, values, order)
    if len(values) != order:
        raise ValueError(
            f"{name} must be one number or {order}, one for each order; got "
            f"{len(values)}"
        )
    for value in values:
        _check_number(name, value, math.inf)
    return tuple(float(value) for value in values)


def _check_list(name: str, values: object, order: int) -> None:
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"{name} must be one number or a list of {order}, got {values!r}"
        )


def _check_number(name: str, value: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be numbers, got {value!r}")
    if not 0 <= value <= most:
        raise ValueError(f"{name} must be in 0..{most}, got {value}")


def _triples(
    discounts: float | Sequence[float | Sequence[float]], order: int
) -> list[tuple[float, float, float]]:
    """Three discounts for each order, checked."""
    if isinstance(discounts, (int, float)):
        discounts = [discounts] * order
    _check_list("discounts", discounts, order)
    if len(discounts) != order:
        raise ValueError(
            f"discounts must be one number or {order}, one for each order; "
            f"got {len(discounts)}"
        )
    triples = []
    for given in discounts:
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
        for place, value in enumerate(triple):
            _check_number("discounts", value, place + 1)
        triples.append(tuple(float(value) for value in triple))
    return triples
