"""Does it cost anything to train with short windows? By training.

    python experiments/truncation.py    (about half an hour on one core;
                                        what is stored is not run again)

Networks trained with windows of 1 to 256 steps, the state carried on, in
three ways to compare windows that read differently much text in a minibatch.
The learning rate is chosen anew for each window, first among few, then
between them, with one seed, on the validation part, which also scores.
Results are in lib/unrolled/data/truncation.json, for appendix B.
"""

import itertools
import json
import math

import torch

from storing import DATA, store
from unrolled.batches import SequenceLoader
from unrolled.corpus import load_corpus, split
from unrolled.evaluation import evaluate
from unrolled.schedules import cosine
from unrolled.stacked import StackedRNNLM
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

RESULTS = DATA / "truncation.json"
SETTINGS = {
    "hidden": 128,
    "windows": [1, 4, 16, 35, 64, 256],
    "rates": [5e-4, 2e-3, 8e-3, 3.2e-2],
    "finer": [0.5, 2],  # then these multiples of the best one
    "seeds": [0, 1, 2],  # the first one chooses the rate
    "updates": 541,  # as many as 4 epochs of 16 rows and windows of 64
    # how many rows, how many updates (None: those of 4 epochs)
    "ways": {
        "equal updates, equal text": {"rows": None, "updates": 541},
        "equal text, 16 rows": {"rows": 16, "updates": None},
        "equal updates, 16 rows": {"rows": 16, "updates": 541},
    },
    "characters": 1024,  # of a minibatch, where the rows are not fixed
    "epochs": 4,
    # input scale 3 as in 8.5; 0.1 reaches further at the start
    "input_scales": {"3": None, "0.1": ["equal updates, equal text"]},
}


class Chained:
    """The passes of a loader, one after the other, for so many updates."""

    def __init__(self, loader: SequenceLoader, updates: int) -> None:
        """Nothing is drawn yet."""
        self.loader, self.updates = loader, updates
        self.sequential = loader.sequential

    def __len__(self) -> int:
        """The number of minibatches."""
        return self.updates

    def __iter__(self):
        """Pairs (X, Y); the state goes on from pass to pass."""
        passes = itertools.chain.from_iterable(itertools.repeat(self.loader))
        yield from itertools.islice(passes, self.updates)


def texts() -> tuple[int, torch.Tensor, torch.Tensor]:
    """The vocabulary's size, the training and the validation part."""
    stream = character_stream(load_corpus())
    vocab = Vocab(list(split(stream)[0]))
    train_ids, valid_ids, _ = split(torch.tensor(vocab[list(stream)]))
    return len(vocab), train_ids, valid_ids


def trained(vocab_size, ids, scale, window, rows, updates, rate, seed):
    """A network, and its number of updates; None: those of the epochs."""
    generator = torch.Generator().manual_seed(seed)
    model = StackedRNNLM(
        vocab_size, SETTINGS["hidden"], input_scale=scale, generator=generator
    )
    loader = SequenceLoader(ids, rows, window, generator=generator)
    updates = updates or SETTINGS["epochs"] * len(loader)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=rate, betas=(0.9, 0.99)
    )
    chained = Chained(loader, updates)
    train(model, chained, 1, optimizer, schedule=cosine, progress=False)
    return model, updates


def run_one(data, way, window, scale, rate, seed, share=1) -> dict:
    """One training, scored on the validation part.

    share: of the updates, to try it quickly.
    """
    vocab_size, train_ids, valid_ids = data
    chosen = SETTINGS["ways"][way]
    rows = chosen["rows"] or SETTINGS["characters"] // window
    updates = chosen["updates"] and round(share * chosen["updates"])
    model, updates = trained(
        vocab_size, train_ids, scale, window, rows, updates, rate, seed
    )
    bits = math.log2(evaluate(model, valid_ids))
    return {
        "way": way,
        "input_scale": scale,
        "window": window,
        "rows": rows,
        "updates": updates,
        "epochs": round(updates * rows * window / len(train_ids), 2),
        "rate": rate,
        "seed": seed,
        "valid_bits": round(bits, 4),
    }


def cells() -> list[tuple]:
    """The way to compare, the window and the input scale, of all cells."""
    return [
        (way, window, float(scale))
        for scale, ways in SETTINGS["input_scales"].items()
        for way in ways or SETTINGS["ways"]
        for window in SETTINGS["windows"]
    ]


def best_rate(rows: list[dict]) -> float:
    """The rate of the best run."""
    return min(rows, key=lambda row: row["valid_bits"])["rate"]


def run_cell(data, way, window, scale) -> list[dict]:
    """Every rate with the first seed, the best rate with the others."""
    cell = data, way, window, scale
    first, *others = SETTINGS["seeds"]
    rows = [run_one(*cell, rate, first) for rate in SETTINGS["rates"]]
    best = best_rate(rows)
    rows += [run_one(*cell, best * x, first) for x in SETTINGS["finer"]]
    best = best_rate(rows)
    rows += [run_one(*cell, best, seed) for seed in others]
    return [row | {"chosen": row["rate"] == best} for row in rows]


def main() -> None:
    """Run the cells that are not yet stored; store after each."""
    rows, data = [], texts()
    if RESULTS.exists():
        rows = json.loads(RESULTS.read_text("utf-8"))["runs"]
    keys = "way", "window", "input_scale"
    done = {tuple(row[key] for key in keys) for row in rows}
    left = [cell for cell in cells() if cell not in done]
    for number, cell in enumerate(left, start=1):
        for row in run_cell(data, *cell):
            print(row, flush=True)
            rows.append(row)
        content = {
            "settings": SETTINGS,
            "runs": rows,
            "cells left": len(left) - number,
        }
        store(RESULTS, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
