"""Train gated networks and a transformer on the whole book, and store them.

    python experiments/gates.py tune       some settings of each kind
    python experiments/gates.py chosen     three seeds of the best of each
    python experiments/gates.py curve      text sizes

Each kind has the same number of settings, each with about the same CPU time;
the validation part decides which is the best, and after which epoch its
training stops. The test part is scored for the chosen ones only, with the
parameters in half precision, as the first seed's are stored. Every run is
kept in lib/unrolled/data/gates.json as soon as it ends, and what is there is
not run again. Appendix C shows the results.
"""

import json
import math
import sys
import time

import torch

from storing import DATA, store
from unrolled.attention import TransformerLM
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import load_model, save_model
from unrolled.evaluation import log_probs
from unrolled.gates import GRULM, LSTMLM
from unrolled.schedules import cosine
from unrolled.training import train
from whole_book import parts

STORED = DATA / "gates.json"
SEEDS = (0, 1, 2)
PARTS = ("tune", "chosen", "curve")
SIZES = (8_000, 16_000, 32_000, 64_000)  # and all of it, which is ``chosen``
KINDS = {
    "GRU": GRULM,
    "LSTM": LSTMLM,
    "transformer": TransformerLM,
}
# what is a matter of training; the rest of a setting goes to the model
TRAINING = {
    "rate": 8e-3,
    "epochs": 12,
    "rows": 32,
    "steps": 64,
    "weight_decay": 0.0,
}
READER = {"rows": 16, "steps": 128, "rate": 2e-3}
ONE = {"num_hiddens": 320, "dropout": 0.3, "input_scale": 3.0}
SOME = {"recurrent_dropout": 0.1, "epochs": 14}
TWO = {"num_layers": 2, "dropout": 0.2, **SOME}
GRU = {**ONE, "num_hiddens": 384}
READS = {"num_hiddens": 96, "num_layers": 4, "dropout": 0.1}
FAST = {**READS, "rate": 5e-3, "epochs": 14}
# the first of each kind was a guess, the others answer what came out
SETTINGS = {
    "LSTM": [
        ONE,
        {**ONE, "dropout": 0.4, "recurrent_dropout": 0.3, "epochs": 16},
        {**ONE, **TWO, "num_hiddens": 192},
    ],
    "GRU": [
        GRU,
        {**GRU, **SOME, "rate": 4e-3},
        {**GRU, **TWO, "num_hiddens": 224, "rate": 4e-3},
    ],
    "transformer": [
        READS,
        FAST,
        {**FAST, "num_hiddens": 128, "num_layers": 2},
    ],
}


def settings(kind: str, number: int) -> dict:
    """A full setting: of the training and of the model."""
    own = READER if kind == "transformer" else {}
    return {**TRAINING, **own, **SETTINGS[kind][number]}


def run(
    kind: str,
    chosen: dict,
    seed: int,
    ids,
    valid_ids,
    vocab_size: int,
    until: int | None = None,
):
    """Train one model, up to an epoch; return it and what is stored of it."""
    generator = torch.Generator().manual_seed(seed)
    options = {k: v for k, v in chosen.items() if k not in TRAINING}
    model = KINDS[kind](vocab_size, **options, generator=generator)
    loader = SequenceLoader(
        ids, chosen["rows"], chosen["steps"], generator=generator
    )
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=chosen["rate"],
        betas=(0.9, 0.99),
        weight_decay=chosen["weight_decay"],
    )
    epochs, start = chosen["epochs"], time.process_time()
    until = until or epochs
    history = train(
        model,
        loader,
        until,
        optimizer,
        schedule=lambda done: cosine(done * until / epochs),
        averaging=0.999,
        held_out=valid_ids,
        # late epochs, with the last one
        evaluate_at=range(until, until // 2, -2),
        keep_best=True,
        progress=False,
    )
    best = math.log2(min(history.held_out.values()))
    return model, {
        "kind": kind,
        "seed": seed,
        **chosen,
        "parameters": sum(p.numel() for p in model.parameters()),
        "valid_bits": round(best, 4),
        "best_epoch": history.best_epoch,
        "first_epoch": round(math.log2(history.train[0]), 4),
        "train_bits": round(math.log2(history.train[-1]), 4),
        "cpu_seconds": round(time.process_time() - start),
    }


def read() -> dict:
    """What is stored so far."""
    if not STORED.exists():
        return {part: [] for part in PARTS}
    return json.loads(STORED.read_text("utf-8"))


def keep(part: str, row: dict) -> None:
    """Add a row to what is stored."""
    print(row, flush=True)
    content = read()
    rows = {p: content.get(p, []) for p in PARTS}
    rows[part].append(row)
    store(STORED, rows)


def path_of(kind: str):
    """Where the first seed's parameters lie."""
    return DATA / f"{kind.lower()}.safetensors"


def store_model(path, model, vocab):
    """Keep a model in half precision, and give it back as it is kept."""
    save_model(path, model, vocab, dtype=torch.float16)
    return load_model(path)[0]


def tune() -> None:
    """Every setting with the first seed; the best so far is stored."""
    vocab, train_ids, valid_ids, _ = parts()
    for number in range(len(SETTINGS["LSTM"])):
        for kind in SETTINGS:
            rows = [row for row in read()["tune"] if row["kind"] == kind]
            if number in [row["number"] for row in rows]:
                continue
            chosen = settings(kind, number)
            model, row = run(
                kind, chosen, SEEDS[0], train_ids, valid_ids, len(vocab)
            )
            if all(row["valid_bits"] < r["valid_bits"] for r in rows):
                store_model(path_of(kind), model, vocab)
            keep("tune", {"number": number, **row})


def best(kind: str) -> dict:
    """The row of the setting that the validation part prefers."""
    rows = [row for row in read()["tune"] if row["kind"] == kind]
    return min(rows, key=lambda row: row["valid_bits"])


def on_test(model, held) -> float:
    """Bits per character of the test part, the last third of ``held``."""
    scores = log_probs(model, torch.cat(held))[-len(held[-1]) :]
    return round(-scores.mean().item() / math.log(2), 4)


def chosen() -> None:
    """The best setting of each kind, from every seed, on the test part."""
    vocab, train_ids, valid_ids, test_ids = parts()
    held = [train_ids[-1000:], valid_ids, test_ids]  # the first warm it up
    for seed in SEEDS:
        for kind in SETTINGS:
            done = [(row["kind"], row["seed"]) for row in read()["chosen"]]
            if (kind, seed) in done:
                continue
            row = best(kind)
            if seed == SEEDS[0]:  # trained by ``tune``
                model, _ = load_model(path_of(kind))
            else:
                model, row = run(
                    kind,
                    settings(kind, row["number"]),
                    seed,
                    train_ids,
                    valid_ids,
                    len(vocab),
                )
                model = model.half().float()  # as they would be stored
            number = best(kind)["number"]
            row = {**row, "number": number, "test_bits": on_test(model, held)}
            keep("chosen", row)


def curve() -> None:
    """The best setting of each kind on the first characters of the text.

    Shorter texts get more epochs: the CPU time falls as the root of the size.
    """
    vocab, train_ids, valid_ids, test_ids = parts()
    held = [train_ids[-1000:], valid_ids, test_ids]
    for size in reversed(SIZES):
        for kind in SETTINGS:
            done = [(row["kind"], row["size"]) for row in read()["curve"]]
            if (kind, size) in done:
                continue
            setting = settings(kind, best(kind)["number"])
            setting["epochs"] = round(
                setting["epochs"] * (len(train_ids) / size) ** 0.5
            )
            model, row = run(
                kind,
                setting,
                SEEDS[0],
                train_ids[:size],
                valid_ids,
                len(vocab),
            )
            bits = on_test(model.half().float(), held)
            keep("curve", {"size": size, **row, "test_bits": bits})


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:]:
        {"tune": tune, "chosen": chosen, "curve": curve}[part]()
