"""The code exercises of the chapters: right answers, cases and usual slips.

``exercises`` tries a reader's function on them. A slip is a wrong solution
that students often hand in, with the words that help.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from unrolled.metrics import perplexity
from unrolled.ngrams import NgramLM
from unrolled.rnn import step
from unrolled.training import clip_gradients
from unrolled.vocab import Vocab


@dataclass(frozen=True)
class Exercise:
    """What is asked for, on which cases, and the usual slips."""

    signature: str  # as the statement gives it
    solve: Callable  # the right answer
    cases: tuple[tuple, ...]  # arguments
    # what the slip is -> a function that makes it
    slips: dict[str, Callable] = field(default_factory=dict)


# --- 8.1: chains and forecasts -------------------------------------------


def _law(P: Tensor, start: Tensor, k: int) -> Tensor:
    return start @ torch.linalg.matrix_power(P, k)


def _seasonal(series: Tensor, period: int, k: int) -> Tensor:
    back = period * math.ceil(k / period)
    return series[: len(series) - back]


def _direct_pairs(series: Tensor, tau: int, k: int) -> list[Tensor]:
    labels = series[tau - 1 + k :]
    return [series.unfold(0, tau, 1)[: len(labels)], labels]


def _carried_on(weights: Tensor, num_steps: int) -> Tensor:
    tau = len(weights)
    errors = torch.zeros(tau + num_steps)
    errors[tau] = 1.0
    for t in range(tau + 1, tau + num_steps):
        errors[t] = weights @ errors[t - tau : t]
    return errors[tau:]


def _yesterday(P: Tensor, start: Tensor, today: int) -> Tensor:
    joint = start * P[:, today]
    return joint / joint.sum()


def _backed_off(counts: Tensor, lower: Tensor, strength: float) -> Tensor:
    total = counts.sum(dim=1, keepdim=True) + strength
    return (counts + strength * lower) / total


_WEATHER = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.4, 0.4]])
_TWO = torch.tensor([[0.9, 0.1], [0.6, 0.4]])
_SERIES = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5, 3.0, -2.0, 1.0, 0.25])
_COUNTS = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])

# --- 8.2: text ------------------------------------------------------------


def _indices(tokens: list[str]) -> list[str]:
    vocab = Vocab(tokens)
    return vocab.to_tokens(list(range(len(vocab))))


def _clean(line: str) -> str:
    kept = re.sub(r"[^a-z']|(?<![a-z])'|'(?![a-z])", " ", line.lower())
    return " ".join(kept.split())


def _most_frequent(tokens: list[str]) -> list[str]:
    return [token for token, _ in Counter(tokens).most_common()]


def _alphabetical(tokens: list[str]) -> list[str]:
    pairs = sorted(Counter(tokens).items(), key=lambda p: (-p[1], p[0]))
    return ["<unk>", *(token for token, _ in pairs)]


def _capitals_lost(line: str) -> str:
    return " ".join(re.sub(r"[^a-z']+", " ", line).split()).lower()


def _plain_clean(line: str) -> str:
    return " ".join(re.sub("[^a-z]+", " ", line.lower()).split())


def _all_marks_kept(line: str) -> str:
    return " ".join(re.sub("[^a-z']+", " ", line.lower()).split())


# --- 8.2a: merges ----------------------------------------------------------


def _join(tokens: list, pair: list) -> list:
    joined = []
    for token in tokens:
        if joined and [joined[-1], token] == pair:
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def _join_from_the_right(tokens: list, pair: list) -> list:
    back = [token[::-1] for token in tokens[::-1]]
    turned = [token[::-1] for token in pair[::-1]]
    return [token[::-1] for token in _join(back, turned)[::-1]]


def _join_overlapping(tokens: list, pair: list) -> list:
    joined, skip = [], False
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if [token, after] == pair:
            joined.append(token + after)
            skip = True
        elif not skip:
            joined.append(token)
        else:
            skip = False
    return joined


def _next_pair(words: dict, running: bool = True) -> list:
    pairs = Counter()
    for word, times in words.items():
        for pair in pairwise(word):
            pairs[pair] += times if running else 1
    return list(max(pairs, key=pairs.get))


# --- 8.3: counting --------------------------------------------------------


def _bigram(tokens: list[str], x: str, y: str) -> float:
    pairs = list(pairwise(tokens))
    return pairs.count((x, y)) / sum(first == x for first, _ in pairs)


def _bigram_all_counted(tokens: list[str], x: str, y: str) -> float:
    pairs = list(pairwise(tokens))
    return pairs.count((x, y)) / tokens.count(x)


def _bigram_joint(tokens: list[str], x: str, y: str) -> float:
    pairs = list(pairwise(tokens))
    return pairs.count((x, y)) / len(pairs)


def _bigram_backwards(tokens: list[str], x: str, y: str) -> float:
    pairs = list(pairwise(tokens))
    return pairs.count((x, y)) / sum(second == y for _, second in pairs)


def _smoothed(ids: list[int], token: int, strength: float, size: int) -> float:
    model = NgramLM(1, size, strength).fit(torch.tensor(ids))
    return float(model.prob([], token))


def _added_to_each(
    ids: list[int], token: int, strength: float, size: int
) -> float:
    return (ids.count(token) + strength) / (len(ids) + strength * size)


def _not_normalised(
    ids: list[int], token: int, strength: float, size: int
) -> float:
    return (ids.count(token) + strength / size) / len(ids)


_TEXT = ["the", "time", "the", "time", "traveller", "came", "the", "time"]
_SEA = ["a", "sea", "a", "sea", "a", "bee"]

# --- 8.3a: discounts and the mixer ---------------------------------------


def _discounted(counts: Tensor, lower: Tensor, discount: float) -> Tensor:
    if counts.sum() == 0:
        return lower
    kept = (counts - discount).clamp(min=0)
    given = discount * (counts > 0).sum()
    return (kept + given * lower) / counts.sum()


def _discounted_once(counts: Tensor, lower: Tensor, discount: float) -> Tensor:
    kept = (counts - discount).clamp(min=0)
    return (kept + discount * lower) / counts.sum()


def _not_given(counts: Tensor, lower: Tensor, discount: float) -> Tensor:
    if counts.sum() == 0:
        return lower
    kept = (counts - discount).clamp(min=0)
    return kept / kept.sum()


def _mixer_step(
    weights: Tensor, log_probs: Tensor, x: int, rate: float
) -> Tensor:
    law = torch.softmax(weights @ log_probs, dim=0)
    return weights - rate * (log_probs @ law - log_probs[:, x])


def _mixer_uphill(
    weights: Tensor, log_probs: Tensor, x: int, rate: float
) -> Tensor:
    return 2 * weights - _mixer_step(weights, log_probs, x, rate)


def _mixer_blind(
    weights: Tensor, log_probs: Tensor, x: int, rate: float
) -> Tensor:
    return weights + rate * log_probs[:, x]


# --- 8.4: the network -----------------------------------------------------


def _drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# n, d, h; different numbers, and a square W_xh, so that a transposition that
# happens to fit is seen
_STEPS = tuple(
    tuple(
        _drawn(10 * n + d + i, *shape)
        for i, shape in enumerate([(n, d), (n, h), (d, h), (h, h), (h,)])
    )
    for n, d, h in ((2, 3, 4), (1, 5, 2), (3, 3, 3))
)


def _perplexity(probs: list[float]) -> float:
    if min(probs) == 0:
        return math.inf
    return perplexity(-sum(map(math.log, probs)), len(probs))


# --- 8.5: training and writing --------------------------------------------


def _clipped(gradients: list[Tensor], theta: float) -> list[Tensor]:
    params = []
    for gradient in gradients:
        params.append(torch.zeros_like(gradient))
        params[-1].grad = gradient
    clip_gradients(params, theta)
    return [param.grad for param in params]


def _clipped_alone(gradients: list[Tensor], theta: float) -> list[Tensor]:
    return [_clipped([g], theta)[0] for g in gradients]


def _always_scaled(gradients: list[Tensor], theta: float) -> list[Tensor]:
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    return [g * theta / norm for g in gradients]


_GRADIENTS = (
    ([torch.tensor([3.0, 4.0]), torch.tensor([[12.0]])], 2.0),
    ([torch.tensor([0.3, 0.4]), torch.tensor([0.0])], 1.0),
    ([torch.tensor([0.9]), torch.tensor([-0.9, 0.9])], 1.0),
)
_LOGITS = (
    (torch.tensor([2.0, 1.0, 0.0]), 0.5),
    (torch.tensor([1.0, -1.0, 0.5, 3.0]), 2.0),
    (torch.tensor([0.0, 4.0]), 1.0),
)

# --- 8.5a: what changes while a network is trained ------------------------


def _moving_average(values: Tensor, decay: float) -> Tensor:
    weights = decay ** torch.arange(len(values) - 1, -1, -1.0)
    return weights @ values / weights.sum()


def _from_zero(values: Tensor, decay: float) -> Tensor:
    mean = torch.zeros_like(values[0])
    for value in values:
        mean = decay * mean + (1 - decay) * value
    return mean


def _warmed_cosine(n: int, total: int, warm_up: int, largest: float) -> float:
    if n < warm_up:
        return largest * n / warm_up
    done = (n - warm_up) / (total - warm_up)
    return largest * (1 + math.cos(math.pi * done)) / 2


def _cosine_throughout(n: int, total: int, warm_up: int, largest: float):
    fall = (1 + math.cos(math.pi * n / total)) / 2
    return largest * (n / warm_up if n < warm_up else fall)


_PATHS = (
    (torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 4.0]]), 0.5),
    (torch.tensor([[5.0], [4.0], [4.5], [4.0]]), 0.9),
    (torch.tensor([[2.0, -1.0]]), 0.99),
)

# --- B: backwards ----------------------------------------------------------


def _step_back(G: Tensor, D_next: Tensor, H: Tensor, W_hh: Tensor) -> Tensor:
    return (G + D_next @ W_hh.T) * (1 - H**2)


def _expected_factor(W_hh: Tensor, H: Tensor) -> float:
    weight = W_hh.norm() / math.sqrt(len(W_hh))
    return (weight * (1 - H**2).square().mean().sqrt()).item()


# n, h; states lie between -1 and 1
_BACK = tuple(
    tuple(
        _drawn(40 * n + h + i, *shape).tanh()
        for i, shape in enumerate([(n, h), (n, h), (n, h), (h, h)])
    )
    for n, h in ((2, 3), (1, 4), (3, 3))
)
_RUNS = tuple(
    (_drawn(h, h, h), _drawn(7 * h, T, 2, h).tanh())
    for T, h in ((5, 3), (2, 4), (1, 2))
)


# --- C: gates and attention ------------------------------------------------


def _left(F: Tensor) -> Tensor:
    later = torch.cat([F[1:], torch.ones(1, F.shape[1])])
    return later.flip(0).cumprod(0).flip(0)


def _look_back(scores: Tensor) -> Tensor:
    future = torch.ones_like(scores).triu(1).bool()
    return scores.masked_fill(future, -math.inf).softmax(-1)


# T, h
_GATES = tuple((_drawn(T + h, T, h).sigmoid(),) for T, h in ((4, 2), (3, 3)))
_GATES += ((torch.tensor([[0.5], [0.9]]),),)
_SCORES = tuple((_drawn(T, T, T),) for T in (4, 3, 2))


EXERCISES: dict[str, Exercise] = {
    "8.1-1": Exercise(
        "law_after(P, start, k)",
        _law,
        (
            (_WEATHER, torch.tensor([1.0, 0.0, 0.0]), 2),
            (_TWO, torch.tensor([0.5, 0.5]), 5),
            (_WEATHER, torch.tensor([0.2, 0.3, 0.5]), 0),
        ),
        {
            "P is multiplied from the wrong side; rows of P are 'from', so "
            "the law is a row vector, start @ P": lambda P, start, k: (
                torch.linalg.matrix_power(P, k) @ start
            ),
            "one step too many": lambda P, s, k: _law(P, s, k + 1),
            "each entry of P is raised to the power k; a power of a matrix "
            "is a product of matrices": lambda P, start, k: start @ P**k,
        },
    ),
    "8.1-2": Exercise(
        "seasonal_naive(series, period, k)",
        _seasonal,
        ((_SERIES, 2, 1), (_SERIES, 2, 3), (_SERIES, 3, 3), (_SERIES, 2, 5)),
        {
            "the value of k steps ago is repeated, whatever the season": (
                lambda series, period, k: series[: len(series) - k]
            ),
            "one period back is after the forecast was made, where k is "
            "longer than a period": (
                lambda series, period, k: series[: len(series) - period]
            ),
        },
    ),
    "8.1a-1": Exercise(
        "direct_pairs(series, tau, k)",
        _direct_pairs,
        ((_SERIES, 2, 3), (_SERIES, 3, 1), (_SERIES, 1, 2), (_SERIES, 4, 5)),
        {
            "the label is k steps after the first value of the window, not "
            "after its last": lambda series, tau, k: [
                series.unfold(0, tau, 1)[: len(series) - max(k, tau - 1)],
                series[k:][: len(series) - tau + 1],
            ],
            "the label is the next value, whatever k is": (
                lambda series, tau, k: _direct_pairs(series, tau, 1)
            ),
        },
    ),
    "8.1a-2": Exercise(
        "carried_on(weights, num_steps)",
        _carried_on,
        (
            (torch.tensor([0.5, 0.5]), 5),
            (torch.tensor([-1.0, 1.9]), 6),
            (torch.tensor([0.2, -0.3, 0.9]), 1),
            (torch.tensor([0.7]), 4),
        ),
        {
            "the weights are read from the wrong end; the last one belongs "
            "to the newest value": lambda weights, num_steps: _carried_on(
                weights.flip(0), num_steps
            ),
            "only the last weight is used, so that the error is multiplied "
            "by one number": lambda weights, num_steps: (
                weights[-1] ** torch.arange(num_steps)
            ),
        },
    ),
    "8.1b-1": Exercise(
        "yesterday(P, start, today)",
        _yesterday,
        (
            (_WEATHER, torch.full((3,), 1 / 3), 2),
            (_WEATHER, torch.tensor([0.6, 0.3, 0.1]), 0),
            (_TWO, torch.tensor([0.5, 0.5]), 1),
        ),
        {
            "the column is not weighted by how probable each state was "
            "yesterday": lambda P, start, today: (
                P[:, today] / P[:, today].sum()
            ),
            "this is the joint distribution; divide by the probability of "
            "today's state": lambda P, start, today: start * P[:, today],
            "a row of P leads from a state, a column into it": (
                lambda P, start, today: _yesterday(P.T, start, today)
            ),
        },
    ),
    "8.1b-2": Exercise(
        "backed_off(counts, lower, strength)",
        _backed_off,
        (
            (_COUNTS, torch.tensor([0.5, 0.3, 0.2]), 2.0),
            (_COUNTS, torch.full((3,), 1 / 3), 0.5),
            (_COUNTS, torch.tensor([0.1, 0.9, 0.0]), 5.0),
        ),
        {
            "the strength is added to every count, as adding one does": (
                lambda counts, lower, strength: (
                    (counts + strength)
                    / (counts + strength).sum(dim=1, keepdim=True)
                )
            ),
            "the rows do not sum to 1: what was added is missing below": (
                lambda counts, lower, strength: (
                    (counts + strength * lower)
                    / counts.sum(dim=1, keepdim=True).clamp(min=1)
                )
            ),
        },
    ),
    "8.2-1": Exercise(
        "indices(tokens)",
        _indices,
        (
            (["the", "time", "the", "traveller", "the", "time"],),
            (list("banana"),),
            (["b", "a", "c", "a", "b", "c"],),
            (list("thequickbrownfxjmpsv"),),
        ),
        {
            "index 0 is kept for the unknown token": _most_frequent,
            "ties keep the order in which tokens were first seen, not that "
            "of the alphabet": _alphabetical,
        },
    ),
    "8.2-2": Exercise(
        "clean(line)",
        _clean,
        (
            ("I don't know, he said.",),
            ("'Tis the Traveller's 4th 'machine'!",),
            ("  Rock 'n' roll--isn't it?",),
            ("Zwölf cafés, he said ' no",),
            ("a''b and rock'n'roll",),
        ),
        {
            "capitals are thrown away before they are made small": (
                _capitals_lost
            ),
            "the apostrophes inside words are gone, too": _plain_clean,
            "quotation marks are kept; an apostrophe counts only between "
            "two letters": _all_marks_kept,
        },
    ),
    "8.2a-1": Exercise(
        "merge_pair(tokens, pair)",
        _join,
        (
            (["l", "o", "w", "l", "o"], ["l", "o"]),
            (["a", "a", "a", "b", "a"], ["a", "a"]),
            (["es", "t", "e", "s", "t", "est"], ["es", "t"]),
            (["x"], ["x", "y"]),
        ),
        {
            "go from left to right: of three in a row the first two are "
            "joined": _join_from_the_right,
            "a token can be in one pair only": _join_overlapping,
        },
    ),
    "8.2a-2": Exercise(
        "next_pair(words)",
        _next_pair,
        (
            ({"hen": 3, "he": 2, "then": 1},),
            ({"ab": 5, "ac": 1, "cac": 1},),
            ({"xyx": 1, "zy": 2, "yzy": 2},),
        ),
        {
            "a pair counts once for each time that its word occurs, not "
            "once for each word": lambda words: _next_pair(words, False),
        },
    ),
    "8.3-1": Exercise(
        "bigram(tokens, x, y)",
        _bigram,
        ((_TEXT, "the", "time"), (_TEXT, "time", "the"), (_SEA, "a", "sea")),
        {
            "the last token of the text is counted, though nothing follows "
            "it; n(x) counts x as a context": _bigram_all_counted,
            "this is the share of the pair among all pairs; divide by the "
            "number of times that x comes first": _bigram_joint,
            "this divides by how often y comes second: the probability of x "
            "before y": _bigram_backwards,
        },
    ),
    "8.3-2": Exercise(
        "smoothed(ids, token, strength, vocab_size)",
        _smoothed,
        (
            ([1, 2, 1, 1], 1, 2.0, 4),
            ([1, 2, 1, 1], 3, 2.0, 4),
            ([0, 1, 1, 2, 2, 2], 2, 0.5, 3),
        ),
        {
            "the strength is added to each of the tokens; it is the sum of "
            "what all of them get": _added_to_each,
            "the denominator has to grow as well, or the law sums to more "
            "than 1": _not_normalised,
        },
    ),
    "8.3a-1": Exercise(
        "discounted(counts, lower, discount)",
        _discounted,
        (
            (torch.tensor([2.0, 1, 0]), torch.tensor([0.5, 0.25, 0.25]), 0.5),
            (torch.zeros(2), torch.tensor([0.75, 0.25]), 0.75),
            (torch.tensor([0.0, 5, 1, 2]), torch.full((4,), 0.25), 0.75),
        ),
        {
            "each kind of follower gives the discount: what is given away is "
            "the discount times their number": _discounted_once,
            "what is taken must go to the lower order, not back to what was "
            "seen": _not_given,
        },
    ),
    "8.3a-2": Exercise(
        "step(weights, log_probs, x, rate)",
        _mixer_step,
        (
            (
                torch.tensor([1.0, 1.0]),
                torch.tensor([[0.9, 0.1], [0.4, 0.6]]).log(),
                0,
                0.1,
            ),
            (
                torch.tensor([0.5, 0.0, 2.0]),
                torch.tensor([[0.2, 0.8], [0.5, 0.5], [0.7, 0.3]]).log(),
                1,
                0.02,
            ),
            (
                torch.tensor([0.3]),
                torch.tensor([[0.1, 0.2, 0.7]]).log(),
                2,
                1.0,
            ),
        ),
        {
            "this goes uphill: subtract the gradient": _mixer_uphill,
            "the gradient has a second part, what was expected under P": (
                _mixer_blind
            ),
        },
    ),
    "8.4-1": Exercise(
        "rnn_step(X, H, W_xh, W_hh, b_h)",
        step,
        _STEPS,
        {
            "tanh is missing": lambda X, H, W_xh, W_hh, b: (
                X @ W_xh + H @ W_hh + b
            ),
            "W_hh is transposed": lambda X, H, W_xh, W_hh, b: torch.tanh(
                X @ W_xh + H @ W_hh.T + b
            ),
            "the state of the step before is left out": (
                lambda X, H, W_xh, W_hh, b: torch.tanh(X @ W_xh + b)
            ),
            "the bias is added after tanh": lambda X, H, W_xh, W_hh, b: (
                torch.tanh(X @ W_xh + H @ W_hh) + b
            ),
        },
    ),
    "8.4-2": Exercise(
        "perplexity_of(probs)",
        _perplexity,
        (([0.5, 0.25, 0.125],), ([1.0, 0.1],), ([0.2],)),
        {
            "this is the mean of 1/p, the arithmetic one; perplexity is the "
            "geometric one": lambda p: sum(1 / x for x in p) / len(p),
            "this is 1 over the mean probability, the harmonic mean of 1/p": (
                lambda p: len(p) / sum(p)
            ),
            "this is the mean of -ln p, in nats; take its exponential": (
                lambda p: -sum(map(math.log, p)) / len(p)
            ),
            "the sum of -ln p is not divided by the number of tokens": (
                lambda p: math.exp(-sum(map(math.log, p)))
            ),
        },
    ),
    "8.5-1": Exercise(
        "clip(gradients, theta)",
        _clipped,
        _GRADIENTS,
        {
            "each tensor is clipped by itself, which turns the gradient; "
            "the norm is that of all of them together": _clipped_alone,
            "short gradients are made longer; those within the ball stay": (
                _always_scaled
            ),
            "each entry is cut to -theta..theta, which turns the gradient": (
                lambda gradients, theta: [
                    g.clamp(-theta, theta) for g in gradients
                ]
            ),
        },
    ),
    "8.5-2": Exercise(
        "next_distribution(logits, temperature)",
        lambda logits, temperature: (logits / temperature).softmax(-1),
        _LOGITS,
        {
            "the logits are multiplied by the temperature": (
                lambda logits, temperature: (logits * temperature).softmax(-1)
            ),
            "the temperature is ignored": (
                lambda logits, temperature: logits.softmax(-1)
            ),
            "the probabilities are divided, not the logits; they no longer "
            "sum to 1": lambda logits, temperature: (
                logits.softmax(-1) / temperature
            ),
        },
    ),
    "8.5a-1": Exercise(
        "moving_average(values, decay)",
        _moving_average,
        _PATHS,
        {
            "it starts from zero and still remembers that; divide by the sum "
            "of the weights": _from_zero,
            "the oldest value has the largest weight; the last one should": (
                lambda values, decay: _moving_average(values.flip(0), decay)
            ),
            "all values weigh the same": lambda values, decay: values.mean(0),
        },
    ),
    "8.5a-2": Exercise(
        "rate(n, total, warm_up, largest)",
        _warmed_cosine,
        (
            (50, 1000, 100, 0.2),
            (100, 1000, 100, 0.2),
            (400, 1000, 100, 0.2),
            (1000, 1000, 100, 0.2),
        ),
        {
            "the cosine starts at 0, so that the rate jumps down where the "
            "warm-up ends": _cosine_throughout,
            "there is no warm-up": lambda n, total, warm_up, largest: (
                _warmed_cosine(n, total, 0, largest)
            ),
            "1 + cos runs from 2 to 0; halve it": (
                lambda n, total, warm_up, largest: (
                    _warmed_cosine(n, total, warm_up, largest)
                    * (1 if n < warm_up else 2)
                )
            ),
            "the fall is a straight line": (
                lambda n, total, warm_up, largest: (
                    largest * min(n / warm_up, (total - n) / (total - warm_up))
                )
            ),
        },
    ),
    "B-1": Exercise(
        "step_back(G, D_next, H, W_hh)",
        _step_back,
        _BACK,
        {
            "W_hh is not transposed on the way back": (
                lambda G, D_next, H, W_hh: _step_back(G, D_next, H, W_hh.T)
            ),
            "what the next step hands back has to pass through tanh, too": (
                lambda G, D_next, H, W_hh: G * (1 - H**2) + D_next @ W_hh.T
            ),
            "what comes from the step's own output has to pass through tanh, "
            "too": lambda G, D_next, H, W_hh: G + D_next @ W_hh.T * (1 - H**2),
        },
    ),
    "B-2": Exercise(
        "expected_factor(W_hh, H)",
        _expected_factor,
        _RUNS,
        {
            "the mean of the slopes is not the root of their mean square": (
                lambda W_hh, H: (
                    W_hh.norm() / len(W_hh) ** 0.5 * (1 - H**2).mean()
                ).item()
            ),
            "the norm of the whole matrix is not divided by the root of h": (
                lambda W_hh, H: len(W_hh) ** 0.5 * _expected_factor(W_hh, H)
            ),
            "the largest singular value is what a vector grows by at most": (
                lambda W_hh, H: (
                    torch.linalg.matrix_norm(W_hh, 2)
                    * (1 - H**2).square().mean().sqrt()
                ).item()
            ),
        },
    ),
    "C-1": Exercise(
        "left(F)",
        _left,
        _GATES,
        {
            "the forget gate of a step acts before that step writes; only "
            "later ones take from it": lambda F: F.flip(0).cumprod(0).flip(0),
            "the products run from the first step; what is asked for is what "
            "comes after each": lambda F: F.cumprod(0),
            "shares multiply, they do not add": lambda F: (
                torch.cat([F[1:], torch.ones(1, F.shape[1])])
                .flip(0)
                .cumsum(0)
                .flip(0)
            ),
        },
    ),
    "C-2": Exercise(
        "look_back(scores)",
        _look_back,
        _SCORES,
        {
            "the future is set to 0 after the softmax, so that rows no longer "
            "sum to 1": lambda scores: scores.softmax(-1).tril(),
            "a score of 0 is no mask: e^0 is 1": lambda scores: (
                scores.tril().softmax(-1)
            ),
            "the future is not masked": lambda scores: scores.softmax(-1),
            "the softmax runs over the wrong dimension": lambda scores: (
                scores.masked_fill(
                    torch.ones_like(scores).triu(1).bool(), -math.inf
                ).softmax(0)
            ),
        },
    ),
}
