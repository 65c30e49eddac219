"""The exercises: answers worked out by hand, readers who go wrong."""

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch

from helpers import seeded
from unrolled.course import tasks
from unrolled.course.exercises import verdict
from unrolled.course.tasks import EXERCISES, Exercise

NAMES = list(EXERCISES)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def walk(P, start, k):
    law = start
    for _ in range(k):
        law = law @ P
    return law


def letters_only(line, kept):
    words = "".join(c if c in kept else " " for c in line).split()
    return " ".join(words)


def clean(line):
    line = f"-{line.lower()}-"
    inside = [
        c == "'" and line[i - 1] in LETTERS and line[i + 1] in LETTERS
        for i, c in enumerate(line[1:-1], start=1)
    ]
    kept = zip(line[1:-1], inside, strict=True)
    return letters_only(
        "".join(" " if c == "'" and not ok else c for c, ok in kept),
        LETTERS + "'",
    )


def rejoined(tokens, pair):
    if tokens[:2] == pair:
        return [tokens[0] + tokens[1], *rejoined(tokens[2:], pair)]
    return tokens[:1] + rejoined(tokens[1:], pair) if tokens else []


def mixed(weights, log_probs, x, rate):
    """One step, its gradient by differentiation."""
    weights = weights.clone().requires_grad_()
    powers = (weights[:, None] * log_probs).sum(0).exp()
    loss = -(powers[x] / powers.sum()).log()
    (gradient,) = torch.autograd.grad(loss, weights)
    return (weights - rate * gradient).detach()


def ranked(tokens, key):
    counts = Counter(tokens)
    return sorted(counts, key=lambda token: key(token, counts))


def followers(tokens, x):
    return [b for a, b in pairwise(tokens) if a == x]


def predecessors(tokens, y):
    return [a for a, b in pairwise(tokens) if b == y]


def rnn_step(X, H, W_xh, W_hh, b_h, *, squash=math.tanh, after=0.0):
    out = torch.zeros(len(X), len(b_h))
    for i in range(len(X)):
        for j in range(len(b_h)):
            z = sum(X[i, d] * W_xh[d, j] for d in range(X.shape[1]))
            z = z + sum(H[i, d] * W_hh[d, j] for d in range(H.shape[1]))
            out[i, j] = squash(float(z + b_h[j])) + after * b_h[j]
    return out


def scaled(gradients, factor):
    return [gradient * factor for gradient in gradients]


def norm_of(gradients):
    return math.sqrt(sum(float((g * g).sum()) for g in gradients))


def exponentials(values):
    powers = [math.exp(float(value)) for value in values]
    return torch.tensor([power / sum(powers) for power in powers])


def disturbed(weights, num_steps):
    """The difference of two runs, one of which was off by 1 once."""

    def run(first):
        values = [*[0.0] * (len(weights) - 1), first]
        while len(values) < len(weights) + num_steps - 1:
            window = torch.tensor(values[-len(weights) :])
            values.append(float(weights @ window))
        return torch.tensor(values[len(weights) - 1 :])

    return run(1.0) - run(0.0)


def averaged(values, decay):
    """A mean that takes in value after value, with the weights so far."""
    mean, weight = torch.zeros(values.shape[1]), 0
    for value in values:
        weight = decay * weight + 1
        mean = mean + (value - mean) / weight
    return mean


def fallen(n, start, end):
    """From 1 at start to 0 at end, by the squared cosine of half the angle."""
    return math.cos(math.pi / 2 * (n - start) / (end - start)) ** 2


def back_by_differentiation(G, D, H, W):
    """The gradient for Z of G . tanh(Z) + D . (tanh(Z) W)."""
    Z = H.double().atanh().requires_grad_()
    own, handed = (G * Z.tanh()).sum(), (D * (Z.tanh() @ W.double())).sum()
    return torch.autograd.grad(own + handed, Z)[0]


def factor_by_sums(W, H, power=2):
    squares = sum(float(x) ** 2 for x in W.flatten())
    slopes = [(1 - float(x) ** 2) ** power for x in H.flatten()]
    typical = (sum(slopes) / len(slopes)) ** (1 / power)
    return math.sqrt(squares / len(W)) * typical


def left_by_writing(F, first=1):
    """Write 1 at one step, and let the gates after it take their share."""
    found = []
    for t in range(len(F)):
        cell = torch.ones(F.shape[1])
        for gate in F[t + first :]:
            cell = gate * cell
        found.append(cell)
    return torch.stack(found)


def looked_back(scores):
    rows = []
    for t, row in enumerate(scores):
        powers = row[: t + 1].exp()
        nothing = torch.zeros(len(row) - t - 1)
        rows.append(torch.cat([powers / powers.sum(), nothing]))
    return torch.stack(rows)


# solved in other words than the library's
SOLVED = {
    "8.1-1": walk,
    "8.1-2": lambda series, period, k: torch.stack(
        [
            series[max(p for p in range(t % period, t, period) if p <= t - k)]
            for t in range(-(-k // period) * period, len(series))
        ]
    ),
    "8.1a-1": lambda series, tau, k: (
        torch.stack(
            [series[i : i + tau] for i in range(len(series) - tau - k + 1)]
        ),
        series[tau + k - 1 :],
    ),
    "8.1a-2": disturbed,
    "8.1b-1": lambda P, start, today: torch.tensor(
        [
            float(start[i] * P[i, today] / (start @ P)[today])
            for i in range(len(P))
        ]
    ),
    "8.1b-2": lambda counts, lower, strength: torch.stack(
        [(row + strength * lower) / (row.sum() + strength) for row in counts]
    ),
    "8.2-1": lambda tokens: [
        "<unk>",
        *ranked(tokens, lambda token, n: (-n[token], tokens.index(token))),
    ],
    "8.2-2": clean,
    "8.2a-1": rejoined,
    "8.2a-2": lambda words: max(
        (pair for word in words for pair in map(list, pairwise(word))),
        key=lambda pair: sum(
            times * list(map(list, pairwise(word))).count(pair)
            for word, times in words.items()
        ),
    ),
    "8.3-1": lambda tokens, x, y: (
        followers(tokens, x).count(y) / len(followers(tokens, x))
    ),
    "8.3-2": lambda ids, token, strength, size: (
        (ids.count(token) + strength / size) / (len(ids) + strength)
    ),
    "8.3a-1": lambda counts, lower, discount: torch.stack(
        [
            (max(n - discount, 0) + discount * (counts > 0).sum() * p)
            / counts.sum()
            if counts.sum() > 0
            else p
            for n, p in zip(counts, lower, strict=True)
        ]
    ),
    "8.3a-2": lambda weights, log_probs, x, rate: mixed(
        weights, log_probs, x, rate
    ),
    "8.4-1": rnn_step,
    "8.4-2": lambda probs: math.prod(probs) ** (-1 / len(probs)),
    "8.5-1": lambda gradients, theta: scaled(
        gradients, min(1.0, theta / norm_of(gradients))
    ),
    "8.5-2": lambda logits, temperature: exponentials(logits / temperature),
    "8.5a-1": averaged,
    "8.5a-2": lambda n, total, warm_up, largest: (
        largest * min(1, n / warm_up) * fallen(max(n, warm_up), warm_up, total)
    ),
    "B-1": lambda G, D, H, W: back_by_differentiation(G, D, H, W),
    "B-2": lambda W, H: factor_by_sums(W, H),
    "C-1": lambda F: left_by_writing(F),
    "C-2": lambda scores: looked_back(scores),
}
# what readers hand in -> words of the slip that should be recognised
WRONG = [
    ("8.1-1", lambda P, s, k: walk(P.T, s, k), "from the wrong side"),
    ("8.1-1", lambda P, s, k: walk(P, s, k + 1), "one step too many"),
    ("8.1-1", lambda P, s, k: s @ P.pow(k), "each entry of P"),
    ("8.1-2", lambda series, period, k: series[:-k], "whatever the season"),
    (
        "8.1-2",
        lambda series, period, k: series[:-period],
        "longer than a period",
    ),
    (
        "8.1a-1",
        lambda series, tau, k: (
            series.unfold(0, tau, 1)[: len(series) - tau],
            series[tau:],
        ),
        "whatever k is",
    ),
    (
        "8.1a-1",
        lambda series, tau, k: (
            series.unfold(0, tau, 1)[: len(series) - max(k, tau - 1)],
            series[k : len(series) + min(0, k - tau + 1)],
        ),
        "not after its last",
    ),
    (
        "8.1a-2",
        lambda weights, num_steps: disturbed(weights.flip(0), num_steps),
        "from the wrong end",
    ),
    (
        "8.1a-2",
        lambda weights, num_steps: torch.stack(
            [weights[-1] ** n for n in range(num_steps)]
        ),
        "by one number",
    ),
    ("8.1b-1", lambda P, s, n: P[:, n] / P[:, n].sum(), "not weighted"),
    ("8.1b-1", lambda P, s, n: s * P[:, n], "joint distribution"),
    (
        "8.1b-1",
        lambda P, s, n: s * P[n] / (s @ P[n]),
        "a column into it",
    ),
    (
        "8.1b-2",
        lambda counts, lower, a: (
            (counts + a) / (counts.sum(1) + 3 * a)[:, None]
        ),
        "as adding one does",
    ),
    (
        "8.1b-2",
        lambda counts, lower, a: (
            (counts + a * lower) / torch.tensor([[4.0], [1.0], [2.0]])
        ),
        "do not sum to 1",
    ),
    (
        "8.2-1",
        lambda tokens: ranked(tokens, lambda token, n: -n[token]),
        "index 0 is kept",
    ),
    (
        "8.2-1",
        lambda tokens: [
            "<unk>",
            *ranked(tokens, lambda token, n: (-n[token], token)),
        ],
        "ties keep the order",
    ),
    (
        "8.2-2",
        lambda line: letters_only(line, LETTERS + "'"),
        "capitals are thrown away",
    ),
    (
        "8.2-2",
        lambda line: letters_only(line.lower(), LETTERS),
        "apostrophes inside words are gone",
    ),
    (
        "8.2-2",
        lambda line: letters_only(line.lower(), LETTERS + "'"),
        "quotation marks are kept",
    ),
    (
        "8.2a-1",
        lambda tokens, pair: (
            ["a", "aa", "b", "a"]
            if tokens[:3] == ["a"] * 3
            else rejoined(tokens, pair)
        ),
        "go from left to right",
    ),
    (
        "8.2a-1",
        lambda tokens, pair: (
            ["aa", "aa", "b", "a"]
            if tokens[:3] == ["a"] * 3
            else rejoined(tokens, pair)
        ),
        "in one pair only",
    ),
    (
        "8.2a-2",
        lambda words: max(
            (pair for word in words for pair in map(list, pairwise(word))),
            key=lambda pair: sum("".join(pair) in word for word in words),
        ),
        "for each time that its word occurs",
    ),
    (
        "8.3-1",
        lambda tokens, x, y: (
            followers(tokens, x).count(y) / Counter(tokens)[x]
        ),
        "the last token of the text is counted",
    ),
    (
        "8.3-1",
        lambda tokens, x, y: followers(tokens, x).count(y) / (len(tokens) - 1),
        "the share of the pair among all pairs",
    ),
    (
        "8.3-1",
        lambda tokens, x, y: (
            predecessors(tokens, y).count(x) / len(predecessors(tokens, y))
        ),
        "how often y comes second",
    ),
    (
        "8.3-2",
        lambda ids, token, a, size: (
            sum([i == token for i in ids], a) / sum([a] * size, len(ids))
        ),
        "added to each of the tokens",
    ),
    (
        "8.3-2",
        lambda ids, token, a, size: (
            ids.count(token) / len(ids) + a / size / len(ids)
        ),
        "the denominator has to grow",
    ),
    (
        "8.3a-1",
        lambda counts, lower, d: (
            ((counts - d).relu() + d * lower) / counts.sum()
        ),
        "the discount times their number",
    ),
    (
        "8.3a-1",
        lambda counts, lower, d: (
            (counts - d).relu() / (counts - d).relu().sum()
            if counts.any()
            else lower
        ),
        "must go to the lower order",
    ),
    (
        "8.3a-2",
        lambda weights, log_probs, x, rate: mixed(
            weights, log_probs, x, -rate
        ),
        "this goes uphill",
    ),
    (
        "8.3a-2",
        lambda weights, log_probs, x, rate: weights + rate * log_probs.T[x],
        "expected under P",
    ),
    (
        "8.4-1",
        lambda *given: rnn_step(*given, squash=float),
        "tanh is missing",
    ),
    (
        "8.4-1",
        lambda X, H, W_xh, W_hh, b: rnn_step(X, H, W_xh, W_hh.T, b),
        "W_hh is transposed",
    ),
    (
        "8.4-1",
        lambda X, H, *weights: rnn_step(X, 0 * H, *weights),
        "the state of the step before",
    ),
    (
        "8.4-1",
        lambda X, H, W_xh, W_hh, b: rnn_step(X, H, W_xh, W_hh, 0 * b).add(b),
        "the bias is added after tanh",
    ),
    (
        "8.4-2",
        lambda probs: sum(p**-1 for p in probs) / len(probs),
        "the mean of 1/p",
    ),
    (
        "8.4-2",
        lambda probs: 1 / (sum(probs) / len(probs)),
        "1 over the mean probability",
    ),
    (
        "8.4-2",
        lambda probs: math.log(math.prod(probs)) / -len(probs),
        "in nats",
    ),
    ("8.4-2", lambda probs: 1 / math.prod(probs), "is not divided"),
    (
        "8.5-1",
        lambda gradients, theta: [
            g * min(1.0, theta / norm_of([g]) if g.any() else 1.0)
            for g in gradients
        ],
        "each tensor is clipped by itself",
    ),
    (
        "8.5-1",
        lambda gradients, theta: scaled(gradients, theta / norm_of(gradients)),
        "short gradients are made longer",
    ),
    (
        "8.5-1",
        lambda gradients, theta: [
            g.minimum(torch.tensor(theta)).maximum(torch.tensor(-theta))
            for g in gradients
        ],
        "each entry is cut",
    ),
    (
        "8.5-2",
        lambda logits, temperature: exponentials(logits * temperature),
        "the logits are multiplied",
    ),
    (
        "8.5-2",
        lambda logits, temperature: exponentials(logits),
        "the temperature is ignored",
    ),
    (
        "8.5-2",
        lambda logits, temperature: exponentials(logits) / temperature,
        "the probabilities are divided",
    ),
    (
        "8.5a-1",
        lambda values, decay: (
            averaged(values, decay) * (1 - decay ** len(values))
        ),
        "it starts from zero",
    ),
    (
        "8.5a-1",
        lambda values, decay: averaged(values, 1 / decay),
        "the oldest value has",
    ),
    ("8.5a-1", lambda values, decay: averaged(values, 1), "weigh the same"),
    (
        "8.5a-2",
        lambda n, total, w, most: (
            most * (n / w if n < w else fallen(n, 0, total))
        ),
        "jumps down",
    ),
    (
        "8.5a-2",
        lambda n, total, w, most: most * fallen(n, 0, total),
        "no warm-up",
    ),
    (
        "8.5a-2",
        lambda n, total, w, most: (
            most * n / w if n < w else 2 * most * fallen(n, w, total)
        ),
        "halve it",
    ),
    (
        "8.5a-2",
        lambda n, total, w, most: (
            most * (n / w if n < w else 1 - (n - w) / (total - w))
        ),
        "a straight line",
    ),
    (
        "B-1",
        lambda G, D, H, W: back_by_differentiation(G, D, H, W.T),
        "is not transposed",
    ),
    (
        "B-1",
        lambda G, D, H, W: back_by_differentiation(G, 0 * D, H, W) + D @ W.mT,
        "the next step hands back",
    ),
    (
        "B-1",
        lambda G, D, H, W: back_by_differentiation(0 * G, D, H, W) + G,
        "the step's own output",
    ),
    ("B-2", lambda W, H: factor_by_sums(W, H, power=1), "of the slopes"),
    (
        "B-2",
        lambda W, H: factor_by_sums(W * math.sqrt(len(W)), H),
        "is not divided by the root",
    ),
    (
        "B-2",
        lambda W, H: (
            factor_by_sums(torch.eye(2), H) * torch.linalg.svdvals(W)[0]
        ),
        "the largest singular value",
    ),
    ("C-1", lambda F: left_by_writing(F, 0), "acts before that step writes"),
    (
        "C-1",
        lambda F: torch.stack(
            [F[: t + 1].log().sum(0).exp() for t in range(len(F))]
        ),
        "run from the first step",
    ),
    (
        "C-1",
        lambda F: torch.stack([1 + F[t + 1 :].sum(0) for t in range(len(F))]),
        "multiply, they do not add",
    ),
    (
        "C-2",
        lambda scores: torch.stack([*map(exponentials, scores)]).tril(),
        "after the softmax",
    ),
    (
        "C-2",
        lambda scores: torch.stack([*map(exponentials, scores.tril())]),
        "a score of 0 is no mask",
    ),
    (
        "C-2",
        lambda scores: torch.stack([*map(exponentials, scores)]),
        "is not masked",
    ),
    (
        "C-2",
        lambda scores: (
            scores.exp().tril() / scores.exp().tril().sum(0, keepdim=True)
        ),
        "over the wrong dimension",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_in_other_words(name):
    (said,) = verdict(name, SOLVED[name])
    assert said.startswith(f"Exercise {name}: right, in all ")


@pytest.mark.parametrize(("name", "function", "words"), WRONG)
def test_a_reader_who_goes_wrong(name, function, words):
    last = verdict(name, function)[-1]
    assert last.startswith("  A usual slip gives exactly this: ")
    assert words in last


def test_a_reader_for_each_slip():
    for name, exercise in EXERCISES.items():
        words = [found for of, _, found in WRONG if of == name]
        assert len(words) == len(exercise.slips)
        for slip in exercise.slips:
            assert sum(found in slip for found in words) == 1


def test_the_same_cases_every_day():
    generator = seeded(23)
    drawn = torch.randn(2, 3, generator=generator)
    assert torch.equal(tasks._drawn(23, 2, 3), drawn)
    assert torch.equal(EXERCISES["8.4-1"].cases[0][0], drawn)


def test_two_for_each_chapter():
    pages = ["8.1", "8.1a", "8.1b", "8.2", "8.2a", "8.3", "8.3a", "8.4", "8.5"]
    pages += ["8.5a", "B", "C"]
    assert [f"{page}-{n}" for page in pages for n in (1, 2)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_at_least_one_slip_and_three_cases(name):
    assert len(EXERCISES[name].slips) >= 1
    assert len(EXERCISES[name].cases) >= 3


def test_answers_by_hand():
    def solve(name, *arguments):
        return EXERCISES[name].solve(*arguments)

    P = torch.tensor([[0.9, 0.1], [0.6, 0.4]])
    sure = torch.tensor([1.0, 0.0])
    # 0.9 * 0.9 + 0.1 * 0.6, 0.9 * 0.1 + 0.1 * 0.4
    assert solve("8.1-1", P, sure, 2).tolist() == pytest.approx([0.87, 0.13])
    # three steps ahead with a period of 2: four back
    assert solve("8.1-2", torch.arange(6), 2, 3).tolist() == [0, 1]
    features, labels = solve("8.1a-1", torch.arange(4), 2, 2)
    assert (features.tolist(), labels.tolist()) == ([[0, 1]], [3])
    # 1, 2 * 1, 2 * 2 + 3 * 1
    carried = solve("8.1a-2", torch.tensor([3.0, 2.0]), 3)
    assert carried.tolist() == [1, 2, 7]
    # 0.5 * 0.1 against 0.5 * 0.4
    half = torch.tensor([0.5, 0.5])
    before = solve("8.1b-1", P, half, 1)
    assert before.tolist() == pytest.approx([0.2, 0.8])
    rows = solve("8.1b-2", torch.tensor([[1.0, 0.0], [0, 0]]), half, 2.0)
    assert rows.flatten().tolist() == pytest.approx([2 / 3, 1 / 3, 0.5, 0.5])
    assert solve("8.2-1", ["b", "a", "a"]) == ["<unk>", "a", "b"]
    assert solve("8.2-2", "Don't 'go'!") == "don't go"
    joined = solve("8.2a-1", list("aaa"), ["a", "a"])
    assert joined == ["aa", "a"]
    assert solve("8.2a-2", {"ab": 2, "ba": 3}) == ["b", "a"]
    assert solve("8.3-1", list("aba"), "a", "b") == 1.0
    assert solve("8.3-2", [1, 1], 2, 3.0, 3) == pytest.approx(1 / 5)
    half_each = solve("8.3a-1", torch.tensor([1.0, 0.0]), half, 0.5)
    assert half_each.tolist() == pytest.approx([0.75, 0.25])
    alike = torch.tensor([[0.5, 0.5]]).log()
    assert solve("8.3a-2", torch.ones(1), alike, 0, 0.1).tolist() == [1.0]
    zero = torch.zeros(1, 1)
    one = torch.ones(1, 1)
    stepped = solve("8.4-1", one, zero, one, one, torch.zeros(1))
    assert stepped.item() == pytest.approx(math.tanh(1))
    assert solve("8.4-2", [0.5, 0.125]) == pytest.approx(4)
    assert solve("8.4-2", [0.5, 0.0]) == math.inf
    clipped = solve("8.5-1", [torch.tensor([3.0]), torch.tensor([4.0])], 1.0)
    assert [g.item() for g in clipped] == pytest.approx([0.6, 0.8])
    # (1 + 2 * 3) * (1 - 0.25)
    back = solve("B-1", one, 2 * one, 0.5 * one, 3 * one)
    assert back.item() == pytest.approx(5.25)
    # norm 5 over the root of 2; slopes 1 and 0, root mean square 1 / root 2
    W = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    factor = solve("B-2", W, torch.tensor([[[0.0, 1.0]]]))
    assert factor == pytest.approx(2.5)
    # the first write passes one gate, the last none
    share = solve("C-1", torch.tensor([[0.5], [0.9]]))
    assert share.flatten().tolist() == pytest.approx([0.9, 1.0])
    looked = solve("C-2", torch.tensor([[9.0, 9.0], [math.log(3.0), 0.0]]))
    assert looked.flatten().tolist() == pytest.approx([1, 0, 0.75, 0.25])
    # half of 1 and the whole of 3, over one and a half
    mean = solve("8.5a-1", torch.tensor([[1.0], [3.0]]), 0.5)
    assert mean.item() == pytest.approx(7 / 3)
    found = [solve("8.5a-2", n, 5, 2, 6.0) for n in range(6)]
    assert found == pytest.approx([0, 3, 6, 4.5, 1.5, 0])
    law = solve("8.5-2", torch.tensor([math.log(4.0), 0.0]), 0.5)
    assert law.tolist() == pytest.approx([16 / 17, 1 / 17])


def test_an_exercise_needs_no_slip():
    assert Exercise("f(x)", len, (("a",),)).slips == {}
