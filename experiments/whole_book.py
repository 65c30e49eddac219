"""Train networks on the whole book, with the fixed splits, and store them.

    python experiments/whole_book.py log        every configuration, one seed
                                                (those not yet stored)
    python experiments/whole_book.py chosen     three seeds of the best ones
    python experiments/whole_book.py curve      text sizes, counting beside
    python experiments/whole_book.py seeds      single changes, three seeds
    python experiments/whole_book.py search     more networks of two layers
    python experiments/whole_book.py best       three seeds of the best one

The validation part decides which configuration is the best of one layer and
of two, and after which epoch its training stops. The test part is scored for
the chosen ones only. Results of the first three are in
lib/unrolled/data/whole_book.json; the first seed's parameters lie beside it.
Two processes of one thread each use both cores. The last three store each
run in whole_book_tries.json as soon as it ends, and leave out those that are
there. Section 8.5a shows the results.
"""

import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

import unrolled
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

DATA = Path(__file__).resolve().parent.parent / "lib" / "unrolled" / "data"
RESULTS = DATA / "whole_book.json"
TRIES = DATA / "whole_book_tries.json"
SEEDS = (0, 1, 2)

BASE = {
    "layers": 1,
    "hidden": 512,
    "input_scale": 3.0,
    "dropout": 0.3,
    "rate": 2e-3,
    "epochs": 30,
    "averaging": 0.999,
}
CHANGES = {
    "base": {},
    "input scale 0.1": {"input_scale": 0.1},
    "input scale 1": {"input_scale": 1.0},
    "input scale 10": {"input_scale": 10.0},
    "no averaging": {"averaging": None},
    "rate 0.0005": {"rate": 5e-4},
    "rate 0.01": {"rate": 1e-2},
    "no dropout": {"dropout": 0.0},
    "dropout 0.5": {"dropout": 0.5},
    "256 units": {"hidden": 256},
    "the book's SGD": {"rate": None},
    "dropout 0.1": {"dropout": 0.1},
    "no dropout, 15 epochs": {"dropout": 0.0, "epochs": 15},
    "two layers of 384, dropout 0.1, 20 epochs": {
        "layers": 2,
        "hidden": 384,
        "dropout": 0.1,
        "epochs": 20,
    },
    "two layers of 384, no dropout, 15 epochs": {
        "layers": 2,
        "hidden": 384,
        "dropout": 0.0,
        "epochs": 15,
    },
    "two layers of 384": {"layers": 2, "hidden": 384},
    "two layers of 384, dropout 0.4": {
        "layers": 2,
        "hidden": 384,
        "dropout": 0.4,
        "epochs": 40,
    },
}
# what a run of the last three parts may set besides
PLAIN = {
    "rows": 32,
    "steps": 64,
    "start": "orthogonal",  # of the recurrent matrices, or "Gaussian"
    "masks": "shared",  # by all steps, or "each step" its own
    "schedule": "cosine",  # or "constant"
    "input_rate": 1,  # the first layer's input weights, times the rate
    "weight_decay": 0.0,
    "hidden_input": 0.0,  # share of input characters read as unknown
}
# smaller and shorter than BASE, so that each change gets its seeds
SMALL = {**BASE, **PLAIN, "hidden": 256, "dropout": 0.0, "epochs": 15}
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
    "two layers": {"layers": 2},
}
RATES = (2e-3, 6e-3)  # for each change, since it may need its own
DEEP = {**BASE, **PLAIN, "layers": 2, "hidden": 384, "dropout": 0.1}
DEEP["epochs"] = 20
SEARCH = {
    "rate 0.004": {"rate": 4e-3},
    "rate 0.004, 5 % of the input hidden": {
        "rate": 4e-3,
        "hidden_input": 0.05,
    },
    "rate 0.004, dropout 0.2": {"rate": 4e-3, "dropout": 0.2},
    "rate 0.004, weight decay 0.1": {"rate": 4e-3, "weight_decay": 0.1},
}
SIZES = (8_000, 16_000, 32_000, 64_000, 138_741)


def parts() -> tuple[Vocab, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The vocabulary, and the ids of the three parts."""
    stream = character_stream(load_corpus())
    train_text, _, _ = split(stream)
    vocab = Vocab(list(train_text))
    return vocab, *split(torch.tensor(vocab[list(stream)]))


def settings(name: str) -> dict:
    """The full settings of a configuration."""
    return {**BASE, **CHANGES[name]}


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


def make_model(chosen: dict, size: int, generator) -> StackedRNNLM:
    """A network of the course's kind, as the settings say."""
    shared = chosen.get("masks", "shared") == "shared"
    kind = StackedRNNLM if shared else MaskedAtEachStep
    model = kind(
        size,
        chosen["hidden"],
        chosen["layers"],
        input_scale=chosen["input_scale"],
        dropout=chosen["dropout"],
        generator=generator,
    )
    if chosen.get("start") == "Gaussian":
        with torch.no_grad():
            for W_hh in model.W_hh:
                W_hh.normal_(generator=generator).div_(len(W_hh) ** 0.5)
    return model


def make_optimizer(model, chosen: dict) -> torch.optim.Optimizer:
    """Adam; with weight decay, apart from the gradient (AdamW)."""
    betas, rate = (0.9, 0.99), chosen["rate"]
    factor, decay = chosen.get("input_rate", 1), chosen.get("weight_decay")
    if factor == 1 and not decay:
        return torch.optim.Adam(model.parameters(), lr=rate, betas=betas)
    first = model.W_in[0]
    others = [p for p in model.parameters() if p is not first]
    groups = [{"params": [first], "lr": factor * rate}, {"params": others}]
    return torch.optim.AdamW(
        groups, lr=rate, betas=betas, weight_decay=decay or 0.0
    )


def run(chosen: dict, train_ids, valid_ids, vocab, seed: int):
    """Train one model; return it, its history and its CPU seconds."""
    generator = torch.Generator().manual_seed(seed)
    loader = SequenceLoader(train_ids, 32, 64, generator=generator)
    if chosen["rate"] is None:  # section 8.5's recipe, on the whole book
        model = RNNLM(len(vocab), chosen["hidden"], generator=generator)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        schedule = None
    else:
        model = make_model(chosen, len(vocab), generator)
        optimizer = make_optimizer(model, chosen)
        schedule = cosine
    epochs = chosen["epochs"]
    start = time.process_time()
    history = train(
        model,
        loader,
        epochs,
        optimizer,
        schedule=schedule,
        averaging=chosen["averaging"] if chosen["rate"] else None,
        held_out=valid_ids,
        evaluate_at=range(max(1, epochs // 10), epochs + 1, 2),
        keep_best=True,
        progress=False,
    )
    return model, history, time.process_time() - start


def try_one(chosen: dict, seed: int, until: int | None = None):
    """As ``run``, with the settings of PLAIN too, up to an epoch."""
    vocab, train_ids, valid_ids, _ = parts()
    generator = torch.Generator().manual_seed(seed)
    model = make_model(chosen, len(vocab), generator)
    loader = HiddenInput(
        train_ids, chosen["rows"], chosen["steps"], generator=generator
    )
    loader.share = chosen["hidden_input"]
    epochs = chosen["epochs"]
    until = until or epochs

    def schedule(done):
        if chosen["schedule"] == "constant":
            return min(1.0, done * until / epochs / 0.03)
        return cosine(done * until / epochs)

    start = time.process_time()
    history = train(
        model,
        loader,
        until,
        make_optimizer(model, chosen),
        schedule=schedule,
        averaging=chosen["averaging"],
        held_out=valid_ids,
        # late epochs, with the last one
        evaluate_at=range(until, until // 3, -2),
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


def read_tries() -> dict:
    """What the last three parts have stored so far."""
    if not TRIES.exists():
        return {"seeds": [], "search": [], "best": []}
    return json.loads(TRIES.read_text("utf-8"))


def better_rate(name: str, rows: list[dict]) -> float:
    """The rate that the validation part prefers, with the first seed."""
    of_name = [r for r in rows if (r["name"], r["seed"]) == (name, SEEDS[0])]
    return min(of_name, key=lambda row: row["valid_bits"])["rate"]


def settled(part: str, stored: dict) -> list[tuple[str, dict, int]]:
    """Name, settings and seed of each run of one of the last three parts."""
    if part == "seeds":
        # both rates with the first seed, the better one with the others
        first, *others = SEEDS
        jobs = [
            (name, SMALL | change | {"rate": rate}, first)
            for rate in RATES
            for name, change in SINGLE.items()
        ]
        if len(stored["seeds"]) < len(jobs):
            return jobs
        for seed in others:
            for name, change in SINGLE.items():
                rate = better_rate(name, stored["seeds"])
                jobs.append((name, SMALL | change | {"rate": rate}, seed))
        return jobs
    if part == "search":
        return [(name, DEEP | c, 0) for name, c in SEARCH.items()]
    name = min(stored["search"], key=lambda row: row["valid_bits"])["name"]
    return [(name, DEEP | SEARCH[name], seed) for seed in SEEDS]


def missing(part: str, stored: dict) -> list[tuple[str, dict, int]]:
    """The runs of a part that are not stored."""
    done = {(row["name"], row["rate"], row["seed"]) for row in stored[part]}
    return [
        (name, chosen, seed)
        for name, chosen, seed in settled(part, stored)
        if (name, chosen["rate"], seed) not in done
    ]


def tries(part: str) -> None:
    """Run what is missing of one part, one after another."""
    torch.set_num_threads(1)
    stored = read_tries()
    _, train_ids, valid_ids, test_ids = parts()
    while left := missing(part, stored):
        name, chosen, seed = left[0]
        model, row = try_one(chosen, seed)
        if part == "best":
            whole = torch.cat([train_ids, valid_ids, test_ids])
            scores = log_probs(model, whole)[-len(test_ids) :]
            bits = -scores.mean().item() / math.log(2)
            row["test_bits"] = round(bits, 4)
        print({"name": name, **row}, flush=True)
        stored[part].append({"name": name, **row})
        content = {
            "unrolled": unrolled.__version__,
            "torch": torch.__version__.split("+")[0],
            **{key: stored[key] for key in ("seeds", "search", "best")},
        }
        TRIES.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def log_one(name: str) -> dict:
    """One configuration, scored on the validation part."""
    torch.set_num_threads(1)
    vocab, train_ids, valid_ids, _ = parts()
    _, history, seconds = run(settings(name), train_ids, valid_ids, vocab, 0)
    return {
        "name": name,
        **settings(name),
        "valid_bits": round(math.log2(min(history.held_out.values())), 4),
        "best_epoch": history.best_epoch,
        "cpu_seconds": round(seconds),
    }


def chosen_one(job: tuple[str, int]) -> dict:
    """One seed of a chosen configuration, scored on the test part."""
    name, seed = job
    torch.set_num_threads(1)
    vocab, train_ids, valid_ids, test_ids = parts()
    chosen = settings(name)
    model, history, seconds = run(chosen, train_ids, valid_ids, vocab, seed)
    if seed == 0:
        path = DATA / f"rnn_{chosen['layers']}_layer.safetensors"
        save_model(path, model, vocab, dtype=torch.float16)
    whole = torch.cat([train_ids, valid_ids, test_ids])
    scores = log_probs(model, whole)[-len(test_ids) :]
    return {
        "name": name,
        "seed": seed,
        "layers": chosen["layers"],
        "valid_bits": round(math.log2(min(history.held_out.values())), 4),
        "test_bits": round(-scores.mean().item() / math.log(2), 4),
        "cpu_seconds": round(seconds),
    }


def best(log: list[dict], layers: int) -> str:
    """The configuration that the validation part prefers."""
    of_size = [row for row in log if row["layers"] == layers]
    return min(of_size, key=lambda row: row["valid_bits"])["name"]


def curve_one(size: int) -> dict:
    """The first ``size`` characters, for a network and for Kneser-Ney."""
    torch.set_num_threads(1)
    vocab, train_ids, valid_ids, test_ids = parts()
    less = train_ids[:size]
    log = read()["log"]
    # smaller texts get more epochs; the best of them is kept in any case
    chosen = settings(best(log, 1))
    chosen["epochs"] = round(chosen["epochs"] * (len(train_ids) / size) ** 0.5)
    model, _, _ = run(chosen, less, valid_ids, vocab, 0)
    whole = torch.cat([train_ids, valid_ids, test_ids])
    network = log_probs(model, whole)[-len(test_ids) :]
    orders = {
        order: KneserNeyLM(order, len(vocab)).fit(less).tuned(valid_ids)
        for order in range(2, 11)
    }
    order = min(orders, key=lambda k: orders[k].perplexity(valid_ids))
    counting = orders[order].log_probs(whole)[-len(test_ids) :]
    return {
        "size": size,
        "network": round(-network.mean().item() / math.log(2), 4),
        "kneser_ney": round(-counting.mean().item() / math.log(2), 4),
        "order": order,
    }


def read() -> dict:
    """What is stored so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def store(key: str, rows: list[dict]) -> None:
    """Replace one part of the results."""
    RESULTS.write_text(json.dumps({**read(), key: rows}, indent=1) + "\n")


def main(part: str) -> None:
    """Run one part; the first three in two processes."""
    if part in ("seeds", "search", "best"):
        tries(part)
        return
    rows = []
    with ProcessPoolExecutor(2) as pool:
        if part == "log":
            rows = read().get("log", [])
            done = {row["name"] for row in rows}
            jobs = [name for name in CHANGES if name not in done]
            work = log_one
        elif part == "chosen":
            names = [best(read()["log"], layers) for layers in (1, 2)]
            jobs = [(name, seed) for name in names for seed in (0, 1, 2)]
            work = chosen_one
        elif part == "curve":
            jobs, work = list(SIZES), curve_one
        else:
            raise SystemExit(__doc__)
        for row in pool.map(work, jobs):
            print(row, flush=True)
            rows.append(row)
    store(part, rows)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
