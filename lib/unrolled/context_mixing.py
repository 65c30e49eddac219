"""Context mixing: counts after many contexts, and weights that learn.

Section 8.3a teaches this module: :doc:`/book/8_3a_counting_in_earnest`. Good
compressors do so a bit at a time; here it is all of a distribution at once.
"""

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor

from unrolled import metrics
from unrolled.checks import as_ids, check_count, check_number

# taken from counts of 1, 2, and 3 or more, along straight lines in between
DISCOUNTS = (0.8, 1.2, 1.5)
FADING = 0.8  # what is left of "recent" counts when their context comes again
PLACES = 9  # sets of weights, for 0, 1, ... 8 or more letters of the word
LONGEST = 20  # letters of a word that a context holds
KINDS = ("characters", "words", "skipping", "recent")
# the last tokens; the word before the previous one, that, and the present one
BEGINNING = ((), (), (), ())


class ContextMixingLM:
    """P(next character), mixed from the counts after many contexts.

    The contexts stand in a row. Each leans on the one before it, the first
    on the uniform distribution, as in Kneser-Ney (``ngrams``):

        p_k(x) = kept_k(x) / n_k + (1 - sum of kept_k / n_k) p_{k-1}(x)

    Then what each of them changed is weighed:

        P(x) ~ exp(sum over k of w_k c_k(x)),  c_k = ln(p_k / p_{k-1})

    With all w_k = 1, where they begin, P is the last p_k. After a token x a
    step along the gradient of -ln P(x) moves them; E is the mean under P:

        w_k -= learning_rate (E[c_k] - c_k(x))

    Each place in a word has its own weights: the more letters of it are
    known, the more they tell. The families of contexts, in order of the row:

    - "characters": the last 1 to ``order`` tokens;
    - "words": the start of the present word; with it one or two before;
    - "skipping": the word before the previous one, and the start;
    - "recent": the start, and the previous word and it, by counts that fade.

    A context counts a token only if the next longer one of its family had
    never met it (update exclusion): Kneser-Ney's continuation counts.

    vocab_size V; space: the id that ends a word; num_extra: how many other
    models' predictions are mixed in, with weights that begin at 0.

    Sources: Cleary and Witten (1984), Moffat (1990) for prediction by partial
    matching; Mahoney (2005) for weights chosen by a small context and learned
    by gradient steps (PAQ); Mattern (2012, 2013) for products of powers
    beyond two symbols. Raises TypeError or ValueError for what is out of
    range, ValueError for other kinds.
    """

    def __init__(
        self,
        vocab_size: int,
        space: int,
        *,
        order: int = 10,
        kinds: Sequence[str] = KINDS,
        learning_rate: float = 0.005,
        num_extra: int = 0,
    ) -> None:
        """A model that has read nothing yet."""
        check_number("learning_rate", learning_rate, "[0, inf)")
        if not kinds or not set(kinds) <= set(KINDS):
            raise ValueError(f"kinds must be some of {KINDS}, got {kinds!r}")
        self.vocab_size = check_count("vocab_size", vocab_size, 1)
        self.space = as_ids("space", [space], vocab_size=vocab_size).item()
        self.order = check_count("order", order, 1)
        self.kinds, self.learning_rate = tuple(kinds), learning_rate
        self.num_extra = check_count("num_extra", num_extra, 0)
        self.history = BEGINNING
        self._counts: dict[tuple, np.ndarray] = {}  # of (kind, context): (V,)
        self._law: np.ndarray | None = None  # of the next token
        rows = sum(map(len, self.families().values()))
        self.weights = np.ones((PLACES, rows + num_extra))
        self.weights[:, rows:] = 0.0

    def __deepcopy__(self, memo: dict) -> Self:
        """A model that goes on by itself; faster than a look at each key."""
        twin = copy.copy(self)
        twin._counts = {key: row.copy() for key, row in self._counts.items()}
        twin.weights = self.weights.copy()
        return twin

    def families(self) -> dict[str, list[tuple]]:
        """The contexts of the next token, of each kind, shortest first."""
        last, older, previous, start = self.history
        words = [start, (previous, start), (older, previous, start)]
        found = {
            "characters": [last[-k:] for k in range(1, self.order + 1)],
            "words": words,
            "skipping": [(older, start)],
            "recent": words[:2],
        }
        return {kind: found[kind] for kind in self.kinds}

    def predict(self, extra: Tensor | None = None) -> Tensor:
        """P(x) of the next token, for every x: (V,), float64.

        extra: (num_extra, V), ln P by other models, all finite.
        """
        probs = self._leaning()
        changes = np.log(probs[1:] / probs[:-1])
        if self.num_extra or extra is not None:
            changes = np.concatenate([changes, self._check_extra(extra)])
        self._changes = changes  # (K, V)
        scores = self._weights() @ changes
        powers = np.exp(scores - scores.max())
        self._law = powers / powers.sum()
        return torch.from_numpy(self._law)

    def update(
        self, token: int, *, counts: bool = True, weights: bool = True
    ) -> None:
        """Learn from the token that came after ``predict``; go on behind it.

        Raises ValueError where nothing was predicted since the last token.
        """
        last = self.vocab_size - 1
        if not 0 <= token <= last:
            raise ValueError(f"token must be in 0..{last}, got {token}")
        if self._law is None:
            raise ValueError("update needs a prediction; call predict first")
        if weights:
            gradient = self._changes @ self._law - self._changes[:, token]
            self._weights()[:] -= self.learning_rate * gradient
        if counts:
            self._count(token)
        self.history, self._law = self._after(token), None

    def read(
        self,
        ids: Tensor,
        *,
        counts: bool = True,
        weights: bool = True,
        extra: Tensor | None = None,
    ) -> Tensor:
        """ln P of each token, given all that was read before: (n,), nats.

        Each is predicted, then learned from. A text may come in parts.

        ids: (n,) int64. counts, weights: whether either learns; with neither
        the model is frozen. extra: (n, num_extra, V), as for ``predict``.
        """
        ids = as_ids("ids", ids, vocab_size=self.vocab_size)
        rows = [None] * len(ids) if extra is None else extra
        if len(rows) != len(ids):
            raise ValueError(f"extra must be {len(ids)} rows, got {len(rows)}")
        found = []
        for token, row in zip(ids.tolist(), rows, strict=True):
            self.predict(row)
            found.append(self._law[token])
            self.update(token, counts=counts, weights=weights)
        return torch.tensor(np.array(found)).log()

    def fit(self, ids: Tensor) -> Self:
        """Read a text, learning all from it, and return the model itself."""
        self.read(ids)
        return self

    def log_probs(self, ids: Tensor) -> Tensor:
        """ln P of ids[1:] given what precedes in ids; nothing is learned."""
        ids = as_ids("ids", ids, vocab_size=self.vocab_size, least=2)
        here, self.history = self.history, BEGINNING
        found = self.read(ids, counts=False, weights=False)
        self.history = here
        return found[1:]

    def perplexity(self, ids: Tensor) -> float:
        """Of ids[1:], as for ``log_probs``; at least 1."""
        log_probs = self.log_probs(ids)
        return metrics.perplexity(-log_probs.sum().item(), len(log_probs))

    def distribution(self, context: Sequence[int]) -> Tensor:
        """P(x | context) for every x: (V,); context: ids, oldest first."""
        size = self.vocab_size
        context = as_ids("context", context, vocab_size=size, least=0)
        here, self.history = self.history, BEGINNING
        for token in context.tolist():
            self.history = self._after(token)
        law = self.predict()
        self.history, self._law = here, None
        return law

    def _leaning(self) -> np.ndarray:
        """The uniform distribution, then p_k of each context: (K + 1, V)."""
        probs = [np.full(self.vocab_size, 1 / self.vocab_size)]
        none = np.zeros(self.vocab_size)
        rows = [
            self._counts.get((kind, context), none)
            for kind, family in self.families().items()
            for context in family
        ]
        counts = np.array(rows, dtype=np.float64)
        taken = np.minimum(counts, np.interp(counts, (1, 2, 3), DISCOUNTS))
        # counts sum to 0, where a context is new, or to 1 and more
        shares = (counts - taken) / counts.sum(1, keepdims=True).clip(1)
        for share, lower in zip(shares, 1 - shares.sum(1), strict=True):
            probs.append(share + lower * probs[-1])
        return np.array(probs)

    def _weights(self) -> np.ndarray:
        """Those of the present place in a word: (K,)."""
        return self.weights[min(len(self.history[-1]), PLACES - 1)]

    def _count(self, token: int) -> None:
        new = np.zeros(self.vocab_size, np.float32)
        for kind, family in self.families().items():
            for context in reversed(family):
                row = self._counts.setdefault((kind, context), new.copy())
                known = row[token] > 0
                if kind == "recent":
                    row *= FADING
                row[token] += 1
                if known:
                    break  # shorter contexts count it no more

    def _after(self, token: int) -> tuple:
        last, older, previous, start = self.history
        last = (*last, token)[-self.order :]
        if token == self.space:
            return last, previous, start, ()
        return last, older, previous, (*start, token)[-LONGEST:]

    def _check_extra(self, extra: Tensor | None) -> np.ndarray:
        shape = (self.num_extra, self.vocab_size)
        came = None if extra is None else tuple(extra.shape)
        if came != shape:
            raise ValueError(
                f"extra must have shape {shape} for each token, got {came}"
            )
        values = extra.detach().cpu().double().numpy()
        if not np.isfinite(values).all():
            raise ValueError("extra must be finite logarithms")
        return values
