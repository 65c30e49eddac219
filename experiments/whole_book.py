"""Train networks on the whole book, with the fixed splits, and store them.

    python experiments/whole_book.py log        every configuration, one seed
                                                (those not yet stored)
    python experiments/whole_book.py chosen     three seeds of the best ones
    python experiments/whole_book.py curve      text sizes, counting beside

The validation part decides which configuration is the best of one layer and
of two, and after which epoch its training stops. The test part is scored for
the chosen ones only. Results are in lib/unrolled/data/whole_book.json; the
first seed's parameters lie beside it. Two processes of one thread each use
both cores. Section 8.5 shows the results.
"""

import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

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


def run(chosen: dict, train_ids, valid_ids, vocab, seed: int):
    """Train one model; return it, its history and its CPU seconds."""
    generator = torch.Generator().manual_seed(seed)
    loader = SequenceLoader(train_ids, 32, 64, generator=generator)
    if chosen["rate"] is None:  # section 8.5's recipe, on the whole book
        model = RNNLM(len(vocab), chosen["hidden"], generator=generator)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        schedule = None
    else:
        model = StackedRNNLM(
            len(vocab),
            chosen["hidden"],
            chosen["layers"],
            input_scale=chosen["input_scale"],
            dropout=chosen["dropout"],
            generator=generator,
        )
        optimizer = torch.optim.Adam(
            model.parameters(), lr=chosen["rate"], betas=(0.9, 0.99)
        )
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
    """Run one part in two processes."""
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
