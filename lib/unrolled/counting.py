"""What counting models share: n-grams in sorted arrays, and their mixing.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. It fixes no
smoothing (``smoothing`` and ``ngrams`` do). Every model here has one form,

    P_k(x | c) = own_k(x | c) + lower_k(c) P_{k-1}(x | shorter c),

with P_0 uniform; the numbers ``own`` and ``lower`` make the difference.
Probabilities are float64, logarithms natural (nats).
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from unrolled import metrics
from unrolled.checks import as_ids, check_count


class Level(NamedTuple):
    """The distinct n-grams of one length, sorted.

    An n-gram is numbered by its place here. Its key is the number of its
    first n - 1 tokens (one level below) times vocab_size, plus its last
    token. So a key never exceeds (length of the text) * vocab_size, however
    long the n-gram is, and those that share a context lie side by side.
    """

    keys: Tensor  # (size,) int64, ascending
    counts: Tensor  # (size,) float64
    endings: Tensor  # (size,) int64: the number of the last n - 1 tokens


def count_levels(ids: Tensor, order: int, vocab_size: int) -> list[Level]:
    """The counts of all n-grams of length 1 to ``order``.

    Time and memory grow with the length of the text times ``order``, not
    with vocab_size ** order. Levels longer than the text are empty.
    """
    levels = []
    below = torch.zeros(len(ids) + 1, dtype=torch.int64)  # the empty n-gram
    for length in range(1, order + 1):
        # below[i] is the number of the n-gram that starts at i; the last
        # one has no token after it
        keys = below[:-1] * vocab_size + ids[length - 1 :]
        keys, numbers, counts = torch.unique(
            keys, return_inverse=True, return_counts=True
        )
        endings = torch.zeros(len(keys), dtype=torch.int64)
        endings[numbers] = below[1:]
        levels.append(Level(keys, counts.double(), endings))
        below = numbers
    return levels


class Rule(NamedTuple):
    """The numbers of one order: see the formula at the top."""

    own: Tensor  # (size of the level,)
    lower: Tensor  # (number of contexts,): 1 where a context has no counts


class InterpolatedLM:
    """What the counting models share: looking up and mixing.

    A subclass sets ``_rules`` from ``_levels`` when it is fitted.
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        """Check the sizes; nothing is counted yet."""
        self.order = check_count("order", order, 1)
        self.vocab_size = check_count("vocab_size", vocab_size, 1)
        self._levels: list[Level] = []
        self._rules: list[Rule] = []

    def fit(self, ids: Tensor) -> Self:
        """Count a text, ids (n,) int64, and return the model itself."""
        ids = as_ids("ids", ids, vocab_size=self.vocab_size)
        if len(ids) * self.vocab_size >= 2**63:
            raise ValueError(
                f"vocab_size {self.vocab_size} is too large for {len(ids)} "
                "ids: their product must stay below 2**63"
            )
        self._levels = count_levels(ids, self.order, self.vocab_size)
        self._set_rules()
        return self

    def _set_rules(self) -> None:
        raise NotImplementedError

    def num_bytes(self) -> int:
        """The memory that keys, counts and probabilities take."""
        self._check_fitted()
        tables = [*self._levels, *self._rules]
        return sum(t.numel() * t.element_size() for x in tables for t in x)

    def distribution(self, context: Sequence[int]) -> Tensor:
        """P(x | context) for every x: (vocab_size,), sums to 1.

        context: ids, oldest first, any number of them, none included; the
        last order - 1 are used.

        Raises ValueError for an id outside the vocabulary and before fit.
        """
        self._check_fitted()
        context = self._checked_context(context)
        # numpy's views of the same memory: its calls on single numbers cost
        # a fraction of torch's
        size = self.vocab_size
        law = np.full(size, 1 / size)
        for length, (level, rule) in enumerate(
            zip(self._levels, self._rules, strict=True)
        ):
            if length > len(context):
                break
            number = self._number(context[len(context) - length :])
            if number is None:
                break  # unseen, and so is every longer context
            keys, own = level.keys.numpy(), rule.own.numpy()
            first = number * size
            start, stop = keys.searchsorted((first, first + size))
            law *= rule.lower.numpy()[number]
            law[keys[start:stop] - first] += own[start:stop]
        return torch.from_numpy(law)

    def _checked_context(self, context: Sequence[int]) -> list[int]:
        """The context as a list of int; errors as for ``as_ids``."""
        size = self.vocab_size
        if type(context) is list and all(
            type(token) is int and 0 <= token < size for token in context
        ):
            return context  # the quick way, for texts token by token
        return as_ids("context", context, vocab_size=size, least=0).tolist()

    def prob(self, context: Sequence[int], token: int) -> float:
        """P(token | context), a number in 0..1; errors as above."""
        token = as_ids("token", [token], vocab_size=self.vocab_size)
        return float(self.distribution(context)[token])

    def log_probs(self, ids: Tensor) -> Tensor:
        """ln P of ids[1:], each given what precedes it in ids: (n - 1,).

        Minus infinity where a probability is 0. Raises ValueError for fewer
        than two ids, for ids outside the vocabulary and before fit.
        """
        self._check_fitted()
        ids = as_ids("ids", ids, vocab_size=self.vocab_size, least=2)
        probs = torch.full(
            (len(ids),), 1 / self.vocab_size, dtype=torch.float64
        )
        for rule, (contexts, grams) in zip(
            self._rules, self._find(ids), strict=True
        ):
            probs *= _take(rule.lower, contexts, 1.0)
            probs += _take(rule.own, grams)
        # a sum of rounded parts may exceed 1 by a last bit
        return probs[1:].log().clamp(max=0.0)

    def perplexity(self, ids: Tensor) -> float:
        """Of ids[1:], each given what precedes it in ids; at least 1."""
        log_probs = self.log_probs(ids)
        return metrics.perplexity(-log_probs.sum().item(), len(log_probs))

    def _find(self, ids: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each order, the numbers of the context and of the n-gram.

        Two (n,) tensors each: the context of ids[i] and the n-gram that ends
        there; -1 where it was never seen or would start before the text.
        """
        found = []
        grams = torch.zeros(len(ids), dtype=torch.int64)
        for length, level in enumerate(self._levels):
            # the context of ids[i] is the shorter n-gram that ends at i - 1
            contexts = grams.roll(1)
            contexts[:1] = 0 if length == 0 else -1
            # an unseen context (-1) gives a key of -vocab_size to -1, which
            # neither an n-gram has nor what stands in for a missing one
            keys = contexts * self.vocab_size + ids
            grams = torch.searchsorted(level.keys, keys)
            same = _take(level.keys, grams, -self.vocab_size - 1) == keys
            grams = torch.where(same, grams, -1)
            found.append((contexts, grams))
        return found

    def _number(self, gram: list[int]) -> int | None:
        """The number of one n-gram, or None if it was not seen."""
        number = 0
        for token, level in zip(gram, self._levels, strict=False):
            key, keys = number * self.vocab_size + token, level.keys.numpy()
            number = int(keys.searchsorted(key))
            if number == len(keys) or keys[number] != key:
                return None
        return number

    def _contexts(self, length: int) -> Tensor:
        """For each n-gram of one length, the number of its context."""
        return self._levels[length - 1].keys // self.vocab_size

    def _sum_by_context(self, length: int, values: Tensor) -> Tensor:
        """The sum of the values of the n-grams of each context."""
        size = len(self._levels[length - 2].keys) if length > 1 else 1
        sums = torch.bincount(
            self._contexts(length), weights=values, minlength=size
        )
        return sums.double()  # of an empty level they are integers

    def _check_fitted(self) -> None:
        if not self._rules:
            raise ValueError("the model has no counts yet; call fit(ids)")


def _take(values: Tensor, numbers: Tensor, other: float = 0) -> Tensor:
    """values[numbers], and ``other`` for the number -1 or len(values)."""
    padded = torch.cat([values, values.new_full((1,), other)])
    return padded[numbers]
