"""The recipe of d2l 1.0, section 9.5, on the library's network.

    python experiments/d2l_1_0.py       (about 12 minutes on one core)

Edition 1.0 of Dive into Deep Learning trains another network on other
minibatches than 0.17 does, and has a validation part. Windows of 32
characters start at every character: the first 10,000 train, in a new order
in each epoch, 1,024 in a minibatch, each from a state of zeros; the next
5,000 validate. 32 hidden units, plain SGD at rate 1, clip at 1, 100 epochs
of ten updates; normal weights of standard deviation 0.01. Every setting is
that of its code, release 1.0.3; so is what is not said in its text, that the
last window for training reads 32 characters of the validation part.

Three seeds train, four times as long as there. Where no gradient is longer
than 1 the clip does nothing, and the run without it is the same run. The
result is lib/unrolled/data/d2l_1_0.json, which appendix A shows.
"""

import itertools
import math
import re
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from storing import DATA, store
from unrolled.corpus import load_corpus
from unrolled.evaluation import evaluate
from unrolled.generation import generate
from unrolled.metrics import perplexity
from unrolled.rnn import RNNLM, scoring
from unrolled.training import train
from unrolled.vocab import Vocab

RESULTS = DATA / "d2l_1_0.json"
SEEDS = (0, 1, 2)
SETTINGS = {
    "windows": 10_000,
    "validation": 5_000,
    "rows": 1024,
    "steps": 32,
    "units": 32,
    "rate": 1.0,
    "clip": 1.0,
    "epochs": 100,
}
EPOCHS = SETTINGS["epochs"]
# the epochs after which a run is scored
AT = (1, 2, 5, *range(10, EPOCHS, 10), *range(EPOCHS, 4 * EPOCHS + 1, 50))


def read(text: str) -> tuple[Vocab, Tensor]:
    """The vocabulary, and the text in ids, cleaned as d2l 1.0 does it."""
    characters = list(re.sub("[^A-Za-z]+", " ", text).lower())
    vocab = Vocab(characters)
    return vocab, torch.tensor(vocab[characters])


def windows(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Those that train and those that validate, (number, steps + 1)."""
    both = ids.unfold(0, SETTINGS["steps"] + 1, 1)
    first, held = SETTINGS["windows"], SETTINGS["validation"]
    return both[:first], both[first : first + held]


class Shuffled:
    """All windows in a new order in each pass, the last minibatch smaller."""

    sequential = False

    def __init__(self, found: Tensor, generator: torch.Generator) -> None:
        """found: (number, steps + 1), inputs and labels in one."""
        self.found, self.generator = found, generator

    def __len__(self) -> int:
        """The number of minibatches."""
        return math.ceil(len(self.found) / SETTINGS["rows"])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass."""
        order = torch.randperm(len(self.found), generator=self.generator)
        for rows in order.split(SETTINGS["rows"]):
            yield self.found[rows, :-1], self.found[rows, 1:]


def validate(model: RNNLM, held: Tensor) -> float:
    """Perplexity over all windows, each from a state of zeros."""
    with scoring(model):
        logits, _ = model(held[:, :-1])
        nll = cross_entropy(logits.flatten(0, 1), held[:, 1:].T.flatten())
    return perplexity(nll.item(), 1)


def run(seed: int, at: tuple[int, ...] = AT) -> dict:
    """One training run; ``at``: the epochs to score, the last one ends it.

    Of each: the perplexity that training reports, that of the windows for
    validation, that of their text read through with the state carried, and
    since the one before the longest gradient and those longer than 1.
    """
    torch.set_num_threads(1)
    vocab, ids = read(load_corpus())
    found, held = windows(ids)
    generator = torch.Generator().manual_seed(seed)
    model = RNNLM(len(vocab), SETTINGS["units"], generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), SETTINGS["rate"])
    loader = Shuffled(found, generator)
    first, count = SETTINGS["windows"], SETTINGS["validation"]
    text = ids[first : first + count + SETTINGS["steps"]]  # of all windows
    names = ("train", "validation", "read through", "longest", "clip fires")
    row = {"seed": seed, "scored": at} | {name: [] for name in names}
    for before, epoch in itertools.pairwise((0, *at)):
        history = train(
            model,
            loader,
            epoch - before,
            optimizer,
            theta=SETTINGS["clip"],
            progress=False,
        )
        values = (
            round(history.train[-1], 4),
            round(validate(model, held), 4),
            round(evaluate(model, text), 4),
            round(max(history.norms), 4),
            sum(norm > 1 for norm in history.norms),
        )
        for name, value in zip(names, values, strict=True):
            row[name].append(value)
        if epoch == EPOCHS:
            row["writes"] = generate(model, "it has", 20, vocab)
    return row


def main() -> None:
    """Train and store."""
    runs = []
    for seed in SEEDS:
        runs.append(run(seed))
        print(runs[-1], flush=True)
    store(RESULTS, {"settings": SETTINGS, "runs": runs})


if __name__ == "__main__":
    main()
