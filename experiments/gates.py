"""Train gated networks and a transformer on the whole book, and store them.

    python experiments/gates.py tune       four settings of each kind, one seed
    python experiments/gates.py long       longer runs of what looked best
    python experiments/gates.py chosen     three seeds of the best of each
    python experiments/gates.py curve      text sizes

Each kind has the same number of settings, each with about the same CPU time;
the validation part decides which is best, and after which epoch its training
stops. The test part is scored for the chosen ones only. Every run is stored
in lib/unrolled/data/gates.json as soon as it ends, and what is stored is not
run again. Appendix C shows the results.
"""

import json
import math
import sys
import time

import torch

from storing import DATA, store
from unrolled.attention import TransformerLM
from unrolled.batches import SequenceLoader
from unrolled.gates import GRULM, LSTMLM
from unrolled.schedules import cosine
from unrolled.stacked import StackedRNNLM
from unrolled.training import train
from whole_book import parts

STORED = DATA / "gates.json"
SEEDS = (0, 1, 2)
PARTS = ("tune", "long", "chosen", "curve")
KINDS = {
    "RNN": StackedRNNLM,
    "GRU": GRULM,
    "LSTM": LSTMLM,
    "transformer": TransformerLM,
}
# what is a matter of training; the rest of a setting goes to the model
TRAINING = {
    "rate": 2e-3,
    "epochs": 14,
    "rows": 32,
    "steps": 64,
    "weight_decay": 0.0,
}
READER = {"rows": 16, "steps": 128}
ONE = {"num_hiddens": 320, "dropout": 0.2, "input_scale": 3.0}
GRU = {**ONE, "num_hiddens": 384}
READS = {"num_hiddens": 96, "num_layers": 4, "dropout": 0.1}
SETTINGS = {
    "LSTM": [
        ONE,
        {**ONE, "recurrent_dropout": 0.2},
        {**ONE, "num_hiddens": 192, "num_layers": 2},
        {**ONE, "input_scale": 10.0},
    ],
    "GRU": [
        GRU,
        {**GRU, "recurrent_dropout": 0.2},
        {**GRU, "num_hiddens": 224, "num_layers": 2},
        {**GRU, "input_scale": 10.0},
    ],
    "transformer": [
        READS,
        {**READS, "num_hiddens": 128, "num_layers": 2},
        {**READS, "dropout": 0.2},
        {**READS, "rate": 4e-3},
    ],
}


def settings(kind: str, number: int) -> dict:
    """A full setting: of the training and of the model."""
    own = READER if kind == "transformer" else {}
    return {**TRAINING, **own, **SETTINGS[kind][number]}


def run(kind: str, chosen: dict, seed: int, ids, valid_ids, vocab_size):
    """Train one model; return it and what is stored of it."""
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
    history = train(
        model,
        loader,
        epochs,
        optimizer,
        schedule=cosine,
        averaging=0.999,
        held_out=valid_ids,
        # late epochs, with the last one
        evaluate_at=range(epochs, epochs // 2, -2),
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


def tune() -> None:
    """Every setting with the first seed, on the validation part."""
    vocab, train_ids, valid_ids, _ = parts()
    numbers = range(len(SETTINGS["LSTM"]))
    for number in numbers:
        for kind in SETTINGS:
            names = [(row["kind"], row["number"]) for row in read()["tune"]]
            if (kind, number) in names:
                continue
            _, row = run(
                kind,
                settings(kind, number),
                SEEDS[0],
                train_ids,
                valid_ids,
                len(vocab),
            )
            keep("tune", {"number": number, **row})


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]]()
