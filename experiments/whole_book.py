"""Train networks on the whole book, with the fixed splits, and store them.

    python experiments/whole_book.py seeds      single changes, three seeds
    python experiments/whole_book.py search     networks of one and two layers
    python experiments/whole_book.py best       three seeds of the best ones
    python experiments/whole_book.py curve      shorter texts, counting beside

The validation part decides which configuration is the best of one layer and
of two, after which epoch its training stops, and which of three seeds is
kept: its parameters lie beside the results. The test part is scored for the
chosen ones only. Each run is stored in lib/unrolled/data/whole_book.json as
soon as it ends; runs that are there are left out. Section 8.5a shows them.
"""

import json
import math
import sys
import time
from functools import partial

import torch

from storing import DATA, store
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import save_model
from unrolled.corpus import load_corpus, split
from unrolled.evaluation import log_probs
from unrolled.ngrams import KneserNeyLM
from unrolled.rnn import RNNLM
from unrolled.schedules import cosine
from unrolled.stacked import StackedRNNLM
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

RESULTS = DATA / "whole_book.json"
PARTS = ("seeds", "search", "best", "curve", "counting")
SEEDS = (0, 1, 2)

# of one small layer, so that each change gets its seeds
SMALL = {
    "layers": 1,
    "hidden": 256,
    "input_scale": 3.0,
    "dropout": 0.0,
    "rate": 2e-3,
    "epochs": 15,
    "averaging": 0.999,
    "rows": 32,
    "steps": 64,
    "start": "orthogonal",  # of the recurrent matrices, or "Gaussian"
    "masks": "shared",  # by all steps, or "each step" its own
    "schedule": "cosine",  # or "constant"
    "input_rate": 1,  # the first layer's input weights, times the rate
    "weight_decay": 0.0,
    "hidden_input": 0.0,  # share of input characters read as unknown
}
SINGLE = {
    "base": {},
    "input scale 0.1": {"input_scale": 0.1},
    "input scale 0.1, W_xh at 30 times the rate": {
        "input_scale": 0.1,
        "input_rate": 30,
    },
    "no averaging": {"averaging": None},
    "constant rate": {"schedule": "constant"},
    "constant rate, no averaging": {
        "schedule": "constant",
        "averaging": None,
    },
    "Gaussian start": {"start": "Gaussian"},
    "dropout 0.3": {"dropout": 0.3},
    "dropout 0.3, a mask for each step": {
        "dropout": 0.3,
        "masks": "each step",
    },
    "5 % of the input hidden": {"hidden_input": 0.05},
    "two layers": {"layers": 2},
}
RATES = (2e-3, 6e-3)  # for each change, since it may need its own
# the search: what differs from ONE or TWO
ONE = {**SMALL, "hidden": 512, "rate": 4e-3}
TWO = {
    **SMALL,
    "layers": 2,
    "hidden": 384,
    "dropout": 0.1,
    "rate": 4e-3,
    "epochs": 20,
}
OWN_RATE = {"input_scale": 0.1, "input_rate": 30}
LONG = {"hidden_input": 0.1, "epochs": 40}
SEARCH = {
    "one layer": ONE,
    "one layer, W_xh at 30 times the rate": ONE | OWN_RATE,
    "one layer, dropout 0.1": ONE | {"dropout": 0.1, "epochs": 20},
    "one layer, 5 % of the input hidden": ONE | {"hidden_input": 0.05},
    "one layer, the recipe of 8.5": ONE | {"rate": None, "epochs": 30},
    "two layers": TWO,
    "two layers, W_xh at 30 times the rate": TWO | OWN_RATE,
    "two layers, 5 % of the input hidden": TWO | {"hidden_input": 0.05},
    "two layers, dropout 0.2": TWO | {"dropout": 0.2, "epochs": 30},
    "two layers, weight decay 0.1": TWO | {"weight_decay": 0.1},
    "two layers, 10 % hidden, 40 epochs": TWO | LONG,
    "two layers, 10 % hidden, no dropout, 40 epochs": TWO
    | LONG
    | {"dropout": 0.0},
    "two layers, 10 % hidden, no dropout, 16 rows": TWO
    | LONG
    | {"dropout": 0.0, "epochs": 24, "rows": 16},
    "two layers, 15 % hidden, no dropout, weight decay 0.1": TWO
    | {"dropout": 0.0, "hidden_input": 0.15, "weight_decay": 0.1}
    | {"epochs": 30},
    "two layers, 10 % hidden, no dropout, rate 0.006": TWO
    | {"dropout": 0.0, "hidden_input": 0.1, "rate": 6e-3, "epochs": 24},
    "two layers, 10 % hidden, no dropout, rate 0.0025": TWO
    | LONG
    | {"dropout": 0.0, "rate": 2.5e-3},
    "two layers, 15 % hidden, no dropout, weight decay 0.1, 60 epochs": TWO
    | {"dropout": 0.0, "hidden_input": 0.15, "weight_decay": 0.1}
    | {"epochs": 60},
    "two layers, 10 % hidden, no dropout, weight decay 0.3": TWO
    | LONG
    | {"dropout": 0.0, "weight_decay": 0.3},
    "two layers, 15 % hidden, no dropout, weight decay 0.3, 60 epochs": TWO
    | {"dropout": 0.0, "hidden_input": 0.15, "weight_decay": 0.3}
    | {"epochs": 60},
}
# shorter texts: for each size as many networks as orders of counting
SIZES = (8_000, 16_000, 32_000, 64_000, 138_741)
NETWORKS = {
    "256 units, rate 0.002": {"hidden": 256, "rate": 2e-3},
    "256 units, rate 0.004": {"hidden": 256},
    "512 units, rate 0.002": {"rate": 2e-3},
    "512 units, rate 0.004": {},
    "512 units, rate 0.002, 15 % hidden": {"rate": 2e-3, "hidden_input": 0.15},
    "512 units, rate 0.004, 15 % hidden": {"hidden_input": 0.15},
}
ORDERS = (3, 4, 6, 8, 10, 12)


def parts() -> tuple[Vocab, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The vocabulary, and the ids of the three parts."""
    stream = character_stream(load_corpus())
    train_text, _, _ = split(stream)
    vocab = Vocab(list(train_text))
    return vocab, *split(torch.tensor(vocab[list(stream)]))


class MaskedAtEachStep(StackedRNNLM):
    """Dropout that draws anew at every step, in place of once for all."""

    def _drop(self, states):
        """Zero a share of the units, other ones at every step."""
        if not self.training or self.dropout == 0:
            return states
        kept = 1 - self.dropout
        mask = torch.rand(states.shape, generator=self.generator) < kept
        return states * mask / kept


class HiddenInput(SequenceLoader):
    """A loader that shows a share of the input characters as unknown."""

    share = 0.0

    def __iter__(self):
        """Labels stay as they are."""
        for X, Y in super().__iter__():
            shown = torch.rand(X.shape, generator=self.generator)
            yield X * (shown >= self.share), Y


def make_model(chosen: dict, size: int, generator):
    """A network of the course's kind, as the settings say."""
    if chosen["rate"] is None:  # section 8.5's
        return RNNLM(size, chosen["hidden"], generator=generator)
    kind = StackedRNNLM if chosen["masks"] == "shared" else MaskedAtEachStep
    model = kind(
        size,
        chosen["hidden"],
        chosen["layers"],
        input_scale=chosen["input_scale"],
        dropout=chosen["dropout"],
        generator=generator,
    )
    if chosen["start"] == "Gaussian":
        with torch.no_grad():
            for W_hh in model.W_hh:
                W_hh.normal_(generator=generator).div_(len(W_hh) ** 0.5)
    return model


def make_optimizer(model, chosen: dict) -> torch.optim.Optimizer:
    """Adam; with weight decay, apart from the gradient (AdamW)."""
    betas, rate = (0.9, 0.99), chosen["rate"]
    if rate is None:  # section 8.5's
        return torch.optim.SGD(model.parameters(), lr=1.0)
    factor, decay = chosen["input_rate"], chosen["weight_decay"]
    if factor == 1 and not decay:
        return torch.optim.Adam(model.parameters(), lr=rate, betas=betas)
    first = model.W_in[0]
    others = [p for p in model.parameters() if p is not first]
    groups = [{"params": [first], "lr": factor * rate}, {"params": others}]
    return torch.optim.AdamW(groups, lr=rate, betas=betas, weight_decay=decay)


def run(chosen: dict, seed: int, until: int | None = None, size=None):
    """Train one network, up to an epoch, on the first ``size`` characters.

    Returns the model, as it was best on the validation part, and its row.
    """
    vocab, train_ids, valid_ids, _ = parts()
    generator = torch.Generator().manual_seed(seed)
    model = make_model(chosen, len(vocab), generator)
    loader = HiddenInput(
        train_ids[:size], chosen["rows"], chosen["steps"], generator=generator
    )
    loader.share = chosen["hidden_input"]
    epochs, classic = chosen["epochs"], chosen["rate"] is None
    until = until or epochs

    def schedule(done):
        if classic:
            return 1.0
        done = done * until / epochs  # of all updates
        if chosen["schedule"] == "constant":
            return min(1.0, done / 0.03)
        return cosine(done)

    start = time.process_time()
    history = train(
        model,
        loader,
        until,
        make_optimizer(model, chosen),
        schedule=schedule,
        averaging=None if classic else chosen["averaging"],
        held_out=valid_ids,
        # the last epoch and those before, of a short text early ones too
        evaluate_at=range(until, 0, -max(2, until // 16))
        if size
        else range(until, until // 3, -2),
        keep_best=True,
        progress=False,
    )
    seconds = round(time.process_time() - start)
    return model, {
        "seed": seed,
        **chosen,
        "first_epoch": round(history.train[0], 4),  # training perplexity
        "valid_bits": round(math.log2(min(history.held_out.values())), 4),
        "best_epoch": history.best_epoch,
        "cpu_seconds": seconds,
    }


def on_test(log_probs_of) -> float:
    """Bits per character of the test part, read after the other two."""
    *before, test_ids = parts()[1:]
    scores = log_probs_of(torch.cat([*before, test_ids]))[-len(test_ids) :]
    return round(-scores.mean().item() / math.log(2), 4)


def read() -> dict:
    """What is stored so far."""
    if not RESULTS.exists():
        return {part: [] for part in PARTS}
    stored = json.loads(RESULTS.read_text("utf-8"))
    return {part: stored[part] for part in PARTS}


def least(rows: list[dict], **fixed) -> dict:
    """The row that the validation part prefers, of those with these values."""
    of_kind = [r for r in rows if fixed.items() <= r.items()]
    return min(of_kind, key=lambda row: row["valid_bits"])


def at_size(network: dict, size: int) -> dict:
    """Settings for a text of this size: a shorter one gets more epochs."""
    epochs = round(ONE["epochs"] * (SIZES[-1] / size) ** 0.5)
    return {**ONE, **network, "epochs": epochs, "size": size}


def settled(part: str, stored: dict) -> list[tuple[str, dict, int]]:
    """Name, settings and seed of each run of a part.

    Those of the other seeds are known when the first seed's are stored.
    """
    first, *others = SEEDS
    if part == "seeds":
        # both rates with the first seed, the better one with the others
        jobs = [
            (name, SMALL | change | {"rate": rate}, first)
            for rate in RATES
            for name, change in SINGLE.items()
        ]
        done = {(row["name"], row["rate"]) for row in stored["seeds"]}
        if not {(name, chosen["rate"]) for name, chosen, _ in jobs} <= done:
            return jobs
        for seed in others:
            for name, change in SINGLE.items():
                rate = least(stored["seeds"], name=name, seed=first)["rate"]
                jobs.append((name, SMALL | change | {"rate": rate}, seed))
        return jobs
    if part == "search":
        return [(name, chosen, first) for name, chosen in SEARCH.items()]
    if part == "best":
        names = [least(stored["search"], layers=n)["name"] for n in (1, 2)]
        return [(name, SEARCH[name], seed) for name in names for seed in SEEDS]
    jobs = [
        (name, at_size(network, size), first)
        for size in SIZES
        for name, network in NETWORKS.items()
    ]
    if len(stored["curve"]) < len(jobs):
        return jobs
    for size in SIZES:
        name = least(stored["curve"], size=size, seed=first)["name"]
        for seed in others:
            jobs.append((name, at_size(NETWORKS[name], size), seed))
    return jobs


def missing(part: str, stored: dict) -> list[tuple[str, dict, int]]:
    """The runs of a part that are not stored."""

    def key(name, chosen, seed):
        return name, chosen["rate"], chosen.get("size"), seed

    done = {key(row["name"], row, row["seed"]) for row in stored[part]}
    return [job for job in settled(part, stored) if key(*job) not in done]


def counted(size: int, order: int) -> dict:
    """Kneser-Ney of one order, on the first characters."""
    vocab, train_ids, valid_ids, _ = parts()
    lm = KneserNeyLM(order, len(vocab)).fit(train_ids[:size]).tuned(valid_ids)
    bits = math.log2(lm.perplexity(valid_ids))
    return {
        "size": size,
        "order": order,
        "valid_bits": round(bits, 4),
        "test_bits": on_test(lm.log_probs),
    }


def keep(model, row: dict, rows: list[dict]) -> None:
    """Store the parameters, if no seed before was better on validation."""
    if row["valid_bits"] == least(rows, name=row["name"])["valid_bits"]:
        path = DATA / f"rnn_{row['layers']}_layer.safetensors"
        save_model(path, model, parts()[0], dtype=torch.float16)


def main(part: str) -> None:
    """Run what is missing of one part, one after another."""
    if part not in PARTS[:-1]:
        raise SystemExit(__doc__)
    torch.set_num_threads(1)
    stored = read()
    if part == "curve" and not stored["counting"]:
        stored["counting"] = [counted(n, k) for n in SIZES for k in ORDERS]
    while left := missing(part, stored):
        name, chosen, seed = left[0]
        size = chosen.get("size")
        model, row = run(chosen, seed, size=size)
        row = {"name": name, **row}
        if part in ("best", "curve"):
            row["test_bits"] = on_test(partial(log_probs, model))
        stored[part].append(row)
        if part == "best":
            keep(model, row, stored[part])
        print(row, flush=True)
        store(RESULTS, stored)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
