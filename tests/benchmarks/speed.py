"""What the library's speed is, beside d2l, torch.nn.RNN, Counter and nltk.

    python tests/benchmarks/speed.py           (make bench; stores the table)

Every figure is a ratio of two sides that were timed in turns in one process;
medians over the rounds, on one thread and on two. The texts are drawn from a
fixed law, so no corpus is needed. The table lies in
lib/unrolled/data/benchmarks.json; appendix A shows it.
"""

import json
import platform
import random
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from nltk.lm import KneserNeyInterpolated, WittenBellInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline
from torch import nn

from unrolled.batches import random_batches, sequential_batches
from unrolled.counting import count_levels
from unrolled.generation import generate
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.reference import import_d2l
from unrolled.rnn import RNNLM
from unrolled.training import train
from unrolled.vocab import Vocab

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "lib" / "unrolled" / "data" / "benchmarks.json"
ROUNDS = 15
BATCH, STEPS, SYMBOLS = 32, 35, 28  # the recipe of section 8.5
HIDDENS = (128, 256, 512)
UPDATES = {128: 12, 256: 8, 512: 4}  # in one round
Sides = dict[str, Callable[[], object]]

# of d2l's own, which takes the loss as a number with its gradient
warnings.filterwarnings("ignore", "Converting a tensor with requires_grad")
d2l = import_d2l()


def seconds(sides: Sides, rounds: int = ROUNDS) -> dict[str, float]:
    """The median seconds of one call of each side, the sides in turns."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for action in sides.values():
        action()  # nobody pays for the first call
    for turn in range(rounds):
        order = list(sides)
        if turn % 2:
            order.reverse()
        for name in order:
            start = time.perf_counter()
            sides[name]()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def skewed(n: int, vocab_size: int) -> torch.Tensor:
    """n ids from 1 on, the i-th as frequent as 1 / i."""
    generator = torch.Generator().manual_seed(0)
    weights = 1 / torch.arange(1, vocab_size, dtype=torch.float64)
    return 1 + torch.multinomial(weights, n, True, generator=generator)


class Minibatches:
    """The same minibatches for every side."""

    sequential = True

    def __init__(self, number: int) -> None:
        """Draw them."""
        generator = torch.Generator().manual_seed(0)
        shape = (number, 2, BATCH, STEPS)
        drawn = torch.randint(SYMBOLS, shape, generator=generator)
        self.pairs = [(X, Y) for X, Y in drawn]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.pairs)

    def __iter__(self):
        """One pass."""
        return iter(self.pairs)


def scratch_params(vocab_size: int, num_hiddens: int, device) -> list:
    """The classic initial weights, for d2l's network from scratch."""

    def normal(*shape):
        return (0.01 * torch.randn(*shape)).requires_grad_()

    return [
        normal(vocab_size, num_hiddens),
        normal(num_hiddens, num_hiddens),
        torch.zeros(num_hiddens, requires_grad=True),
        normal(num_hiddens, vocab_size),
        torch.zeros(vocab_size, requires_grad=True),
    ]


def scratch_rnn(inputs, state, params):
    """The forward function that d2l's network from scratch is given."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = torch.tanh(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
        outputs.append(torch.mm(H, W_hq) + b_q)
    return torch.cat(outputs, dim=0), (H,)


def scratch_net(num_hiddens: int):
    """d2l's RNNModelScratch."""
    return d2l.RNNModelScratch(
        SYMBOLS,
        num_hiddens,
        "cpu",
        scratch_params,
        lambda n, h, device: (torch.zeros(n, h, device=device),),
        scratch_rnn,
    )


def products(num_hiddens: int, updates: int) -> None:
    """The matrix products of a training step that cannot be avoided.

    Forward: H W_hh at each step, and the outputs in one product. Backward:
    D W_hh^T at each step, and the gradients of W_hh, W_hq and of the states
    in one product each.
    """
    rows = BATCH * STEPS
    small, square = (
        torch.ones(BATCH, num_hiddens),
        torch.ones(num_hiddens, num_hiddens),
    )
    tall, wide = torch.ones(rows, num_hiddens), torch.ones(rows, SYMBOLS)
    W_hq = torch.ones(num_hiddens, SYMBOLS)
    for _ in range(updates):
        for _ in range(STEPS):
            small @ square
            small @ square.T
        tall @ W_hq
        tall.T @ tall
        tall.T @ wide
        wide @ W_hq.T


def training_step(num_hiddens: int) -> dict:
    """One update of each side, and their ratios to ours."""
    updates = UPDATES[num_hiddens]
    data, loss = Minibatches(updates), nn.CrossEntropyLoss()
    ours, scratch = RNNLM(SYMBOLS, num_hiddens), scratch_net(num_hiddens)
    concise = d2l.RNNModel(nn.RNN(SYMBOLS, num_hiddens), SYMBOLS)
    plain = RNNLM(SYMBOLS, num_hiddens, by_hand=False)
    sgd = torch.optim.SGD(ours.parameters(), lr=1e-3)
    plain_sgd = torch.optim.SGD(plain.parameters(), lr=1e-3)
    their_sgd = torch.optim.SGD(concise.parameters(), lr=1e-3)

    def by_hand(batch_size):
        d2l.sgd(scratch.params, 1e-3, batch_size)

    took = seconds(
        {
            "unrolled": lambda: train(ours, data, 1, sgd, progress=False),
            "d2l, scratch": lambda: d2l.train_epoch_ch8(
                scratch, data, loss, by_hand, "cpu", False
            ),
            "d2l, nn.RNN": lambda: d2l.train_epoch_ch8(
                concise, data, loss, their_sgd, "cpu", False
            ),
            "unrolled, plain loop": lambda: train(
                plain, data, 1, plain_sgd, progress=False
            ),
            "products only": lambda: products(num_hiddens, updates),
        }
    )
    return {
        "what": f"training step, {num_hiddens} hidden units",
        "milliseconds": round(1e3 * took["unrolled"] / updates, 2),
        "ratios": {
            name: round(took[name] / took["unrolled"], 2)
            for name in took
            if name != "unrolled"
        },
    }


def ratio(what: str, ours, other: str, theirs, scale: float = 1.0) -> dict:
    """Ours against one other side; scale: their work over ours."""
    took = seconds({"unrolled": ours, other: theirs})
    return {
        "what": what,
        "milliseconds": round(1e3 * took["unrolled"], 2),
        "ratios": {other: round(took[other] / took["unrolled"] / scale, 2)},
    }


def samplers() -> list[dict]:
    """A pass over a text of the book's length."""
    ids = skewed(173_427, SYMBOLS)
    as_list, generator = ids.tolist(), torch.Generator().manual_seed(0)

    def all_of(minibatches):
        return sum(len(X) for X, _ in minibatches)

    return [
        ratio(
            "a pass of sequential minibatches",
            lambda: all_of(sequential_batches(ids, BATCH, STEPS, generator)),
            "d2l",
            lambda: all_of(
                d2l.seq_data_iter_sequential(as_list, BATCH, STEPS)
            ),
        ),
        ratio(
            "a pass of random minibatches",
            lambda: all_of(random_batches(ids, BATCH, STEPS, generator)),
            "d2l",
            lambda: all_of(d2l.seq_data_iter_random(as_list, BATCH, STEPS)),
        ),
    ]


def counting() -> dict:
    """All n-grams of orders 1 to 5 of a text of the book's length."""
    ids, order = skewed(173_427, SYMBOLS), 5
    as_list = ids.tolist()

    def with_counter():
        return [
            Counter(zip(*(as_list[i:] for i in range(n)), strict=False))
            for n in range(1, order + 1)
        ]

    return ratio(
        "counting n-grams of orders 1 to 5",
        lambda: count_levels(ids, order, SYMBOLS),
        "Counter over zip",
        with_counter,
    )


def scoring(name: str, ours, theirs, few: int) -> dict:
    """Trigrams of words: perplexity of a text, per token.

    nltk scores only the first ``few`` of the 3,000 words, or a round would
    take minutes.
    """
    ids = skewed(32_775, 4_580)
    train_ids, test_ids = ids[:-3_000], ids[-3_000:]
    ours.fit(train_ids)
    words = [str(i) for i in train_ids.tolist()]
    theirs.fit(*padded_everygram_pipeline(3, [words]))
    test = [str(i) for i in test_ids[: few + 2].tolist()]
    trigrams = list(zip(test, test[1:], test[2:], strict=False))
    return ratio(
        f"{name} trigrams, scoring 3,000 words",
        lambda: ours.perplexity(test_ids),
        "nltk.lm",
        lambda: [theirs.logscore(c, (a, b)) for a, b, c in trigrams],
        scale=few / (len(test_ids) - 1),
    )


def writing() -> list[dict]:
    """200 characters with 256 hidden units, greedily and drawn.

    d2l's predict_ch8 is greedy and cannot draw: it is the other side of both.
    """
    letters = [chr(ord("a") + i) for i in range(SYMBOLS - 1)]
    vocab, theirs = Vocab(letters), d2l.Vocab(letters)
    ours, net = RNNLM(SYMBOLS, 256), scratch_net(256)
    generator = torch.Generator().manual_seed(0)

    def d2ls():
        with torch.no_grad():
            return d2l.predict_ch8("abc", 200, net, theirs, "cpu")

    def at(temperature: float):
        return lambda: generate(
            ours,
            "abc",
            200,
            vocab,
            temperature=temperature,
            generator=generator,
        )

    what = "writing 200 characters, 256 hidden units"
    return [
        ratio(what, at(0.0), "d2l", d2ls),
        ratio(f"{what}, drawn", at(1.0), "d2l, greedy", d2ls),
    ]


def machine() -> str:
    """The processor's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":", 1)[1].strip()
        for line in (info.read_text() if info.exists() else "").splitlines()
        if line.startswith("model name")
    ]
    return f"{len(names)} cores, {names[0]}" if names else platform.machine()


def main() -> None:
    """Measure, print and store the table."""
    random.seed(0)
    table = {
        "machine": machine(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "rounds": ROUNDS,
        "rows": [],
    }
    for threads in (1, 2):
        torch.set_num_threads(threads)
        rows = [training_step(num_hiddens) for num_hiddens in HIDDENS]
        rows += [*samplers(), counting()]
        rows += [
            scoring(
                "interpolated",
                NgramLM(3, 4_580, 1.0),
                WittenBellInterpolated(3),
                1_000,
            ),
            scoring(
                "Kneser-Ney",
                KneserNeyLM(3, 4_580),
                KneserNeyInterpolated(3),
                60,
            ),
        ]
        rows += writing()
        for row in rows:
            row = {"threads": threads, **row}
            print(row, flush=True)
            table["rows"].append(row)
    TABLE.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
