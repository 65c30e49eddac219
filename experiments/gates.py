"""Train gated networks and a transformer on the whole book, and store them.

    python experiments/gates.py tune       some settings of each kind
    python experiments/gates.py chosen     three seeds of the best of each
    python experiments/gates.py care       seeds of the best after more tries
    python experiments/gates.py again      the best, on more of the text
    python experiments/gates.py curve      text sizes

The first three settings of each kind have about the same CPU time; the others
are more care for some kinds, with a teacher for some of their labels. The
validation part decides which is the best, and after which epoch its training
stops. The test part is scored for the chosen ones only, with the
parameters in half precision, as the first seed's are stored. Every run is
kept in lib/unrolled/data/gates.json as soon as it ends, and what is there is
not run again. Appendix C shows the results.
"""

import functools
import itertools
import json
import math
import sys
import time

import torch

from storing import DATA, store
from unrolled.attention import TransformerLM
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import load_model, save_model
from unrolled.context_mixing import ContextMixingLM
from unrolled.evaluation import log_probs
from unrolled.gates import GRULM, LSTMLM
from unrolled.schedules import cosine
from unrolled.training import train
from whole_book import HiddenInput, parts

STORED = DATA / "gates.json"
SEEDS = (0, 1, 2)
PARTS = ("tune", "chosen", "care", "again", "curve")
EQUAL = 3  # settings of each kind; the others are more care for some
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
    "hidden_input": 0.0,  # share of input characters read as unknown
    "taught": 0.0,  # share of labels that the teacher draws
}
FOLDS = 5
CARE = {"GRU": SEEDS, "LSTM": SEEDS[:1]}
AGAIN = "GRU"  # the best of all, by the validation part
READER = {"rows": 16, "steps": 128, "rate": 2e-3}
ONE = {"num_hiddens": 320, "dropout": 0.3, "input_scale": 3.0}
SOME = {"recurrent_dropout": 0.1, "epochs": 14}
TWO = {"num_layers": 2, "dropout": 0.2, **SOME}
GRU = {**ONE, "num_hiddens": 384}
READS = {"num_hiddens": 96, "num_layers": 4, "dropout": 0.1}
FAST = {**READS, "rate": 5e-3, "epochs": 14}
# what helped the networks of 8.5a
NOISE = {"hidden_input": 0.15, "weight_decay": 0.1}
LONG = {**NOISE, "dropout": 0.0, "epochs": 40}
TAUGHT = {**LONG, "hidden_input": 0.05, "taught": 0.7}
LESSON = {**TAUGHT, "num_layers": 2, "steps": 32, "input_scale": 3.0}
# the first of each kind was a guess, the others answer what came out
SETTINGS = {
    "LSTM": [
        ONE,
        {**ONE, "dropout": 0.4, "recurrent_dropout": 0.3, "epochs": 16},
        {**ONE, **TWO, "num_hiddens": 192},
        {**ONE, **TWO, **LONG, "num_hiddens": 192, "recurrent_dropout": 0.0},
        {**ONE, **TWO, **LONG, "num_hiddens": 192, "dropout": 0.2},
        {**ONE, **TWO, **LONG, "num_hiddens": 192, "taught": 0.5},
        {
            **ONE,
            **TWO,
            **LONG,
            "num_hiddens": 192,
            "dropout": 0.2,
            "taught": 0.5,
        },
        {**LESSON, "num_hiddens": 192},
    ],
    "GRU": [
        GRU,
        {**GRU, **SOME, "rate": 4e-3},
        {**GRU, **TWO, "num_hiddens": 224, "rate": 4e-3},
        {**LESSON, "num_hiddens": 224, "rate": 4e-3},
        {**LESSON, "num_hiddens": 224, "rate": 4e-3, "epochs": 60},
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


@functools.cache
def teacher(ids, vocab_size: int):
    """Context mixing's distribution of each character: (n, V), cumulated.

    One fifth after the other, by a model that has read the four others, and
    of this one what comes before. So none has seen what it is about.
    """
    laws, space = [], parts()[0][" "]
    for number in range(FOLDS):
        others = list(ids.tensor_split(FOLDS))
        own = others.pop(number)
        lm = ContextMixingLM(vocab_size, space).fit(torch.cat(others))
        for token in own.tolist():
            laws.append(lm.predict().cumsum(0).float())
            lm.update(token)
    return torch.stack(laws)


class Taught(HiddenInput):
    """A loader of places in a text: of some the teacher draws the label."""

    def __iter__(self):
        """Labels are drawn anew in each pass."""
        for X, Y in SequenceLoader.__iter__(self):
            shown, drawn, of_all = (
                torch.rand(X.shape, generator=self.generator) for _ in range(3)
            )
            labels = (self.laws[Y] < of_all[..., None]).sum(-1)
            labels.clamp_(max=self.laws.shape[1] - 1)
            labels = torch.where(drawn < self.taught, labels, self.texts[Y])
            yield self.texts[X] * (shown >= self.share), labels


def run(
    kind: str,
    chosen: dict,
    seed: int,
    ids,
    valid_ids,
    vocab_size: int,
    until: int | None = None,
):
    """Train one model, up to an epoch; return it and what is stored of it.

    valid_ids: what decides where training stops; None: it runs to its end.
    """
    generator = torch.Generator().manual_seed(seed)
    options = {k: v for k, v in chosen.items() if k not in TRAINING}
    model = KINDS[kind](vocab_size, **options, generator=generator)
    rows, steps = chosen["rows"], chosen["steps"]
    share, taught = chosen["hidden_input"], chosen["taught"]
    if taught:
        places = torch.arange(len(ids))
        loader = Taught(places, rows, steps, generator=generator)
        loader.texts, loader.taught = ids, taught
        loader.laws = teacher(ids, vocab_size)
    else:
        kind_of_loader = HiddenInput if share else SequenceLoader
        loader = kind_of_loader(ids, rows, steps, generator=generator)
    loader.share = share
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=chosen["rate"],
        betas=(0.9, 0.99),
        weight_decay=chosen["weight_decay"],
    )
    epochs, start = chosen["epochs"], time.process_time()
    until = until or epochs
    choice = {}
    if valid_ids is not None:
        choice = {
            "held_out": valid_ids,
            # late epochs, with the last one, of a short text early ones too
            "evaluate_at": range(until, until // 2, -2)
            if len(ids) > SIZES[-1]
            else range(until, 0, -max(2, until // 16)),
            "keep_best": True,
        }
    history = train(
        model,
        loader,
        until,
        optimizer,
        schedule=lambda done: cosine(done * until / epochs),
        averaging=0.999,
        progress=False,
        **choice,
    )
    found = {}
    if choice:
        best = math.log2(min(history.held_out.values()))
        found["valid_bits"] = round(best, 4)
        found["best_epoch"] = history.best_epoch
    return model, {
        "kind": kind,
        "seed": seed,
        **chosen,
        "parameters": sum(p.numel() for p in model.parameters()),
        **found,
        "first_epoch": round(math.log2(history.train[0]), 4),
        "train_bits": round(math.log2(history.train[-1]), 4),
        "cpu_seconds": round(time.process_time() - start),
    }


def read() -> dict:
    """What is stored so far."""
    content = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    return {part: content.get(part, []) for part in PARTS}


def keep(part: str, row: dict) -> None:
    """Add a row to what is stored."""
    print(row, flush=True)
    rows = read()
    rows[part].append(row)
    store(STORED, rows)


def path_of(kind: str):
    """Where the first seed's parameters lie."""
    return DATA / f"{kind.lower()}.safetensors"


def store_model(path, model, vocab):
    """Keep a model in half precision, and give it back as it is kept."""
    save_model(path, model, vocab, dtype=torch.float16)
    return load_model(path)[0]


def tune_one(kind: str, number: int) -> None:
    """One setting with the first seed; the best so far is stored."""
    vocab, train_ids, valid_ids, _ = parts()
    model, row = run(
        kind,
        settings(kind, number),
        SEEDS[0],
        train_ids,
        valid_ids,
        len(vocab),
    )
    rows = [row for row in read()["tune"] if row["kind"] == kind]
    if all(row["valid_bits"] < r["valid_bits"] for r in rows):
        store_model(path_of(kind), model, vocab)
    # the mixture has one that is no pupil of context mixing as well
    others = [r["valid_bits"] for r in rows if not r.get("taught")]
    untaught = kind == "LSTM" and not row["taught"]
    if untaught and all(row["valid_bits"] < bits for bits in others):
        store_model(DATA / "lstm_untaught.safetensors", model, vocab)
    keep("tune", {"number": number, **row})


def tune() -> None:
    """Every setting that is not stored."""
    for kind in SETTINGS:
        for number in range(len(SETTINGS[kind])):
            done = [(row["kind"], row["number"]) for row in read()["tune"]]
            if (kind, number) not in done:
                tune_one(kind, number)


def best(kind: str, among: int | None = None) -> dict:
    """The row of the setting that the validation part prefers.

    among: the first so many settings of the kind; all, if None.
    """
    rows = [row for row in read()["tune"] if row["kind"] == kind]
    return min(rows[:among], key=lambda row: row["valid_bits"])


def on_test(model, held) -> float:
    """Bits per character of the test part, the last of ``held``."""
    scores = log_probs(model, torch.cat(held))[-len(held[-1]) :]
    return round(-scores.mean().item() / math.log(2), 4)


def seeded(part: str, kind: str, seed: int, among: int | None = None) -> None:
    """A setting that was chosen, from one seed, on the test part."""
    vocab, train_ids, valid_ids, test_ids = parts()
    held = [train_ids[-1000:], valid_ids, test_ids]  # the first warm it up
    row = first = best(kind, among)
    setting = settings(kind, first["number"])
    model, _ = load_model(path_of(kind))
    # the first seed's was stored by ``tune``, if none was better since
    if seed != SEEDS[0] or first["number"] != best(kind)["number"]:
        model, row = run(kind, setting, seed, train_ids, valid_ids, len(vocab))
        model = model.half().float()  # as they would be stored
    bits = on_test(model, held)
    keep(part, {**row, "number": first["number"], "test_bits": bits})


def chosen() -> None:
    """The best of the equal budget, for each kind and seed."""
    for seed in SEEDS:
        for kind in SETTINGS:
            done = [(row["kind"], row["seed"]) for row in read()["chosen"]]
            if (kind, seed) not in done:
                seeded("chosen", kind, seed, EQUAL)


def care() -> None:
    """The best of all settings, of the kinds that had more of them."""
    for kind, seeds in CARE.items():
        for seed in seeds:
            done = [(row["kind"], row["seed"]) for row in read()["care"]]
            if (kind, seed) not in done:
                seeded("care", kind, seed)


def again() -> None:
    """The best setting from the start, on training and validation part.

    For a model that learns while it reads: the validation part has been read
    when the test part begins. Nothing is chosen here.
    """
    vocab, train_ids, valid_ids, test_ids = parts()
    ids = torch.cat([train_ids, valid_ids])
    number = best(AGAIN)["number"]
    for seed in SEEDS:
        if seed in [row["seed"] for row in read()["again"]]:
            continue
        model, row = run(
            AGAIN, settings(AGAIN, number), seed, ids, None, len(vocab)
        )
        bits = on_test(model.half().float(), [ids[-1000:], test_ids])
        keep("again", {"number": number, **row, "test_bits": bits})


def curve() -> None:
    """The best setting of each kind on the first characters of the text.

    Shorter texts get more epochs: the CPU time falls as the root of the size.
    """
    vocab, train_ids, valid_ids, test_ids = parts()
    held = [train_ids[-1000:], valid_ids, test_ids]
    for kind, size in itertools.product(SETTINGS, SIZES):
        done = [(row["kind"], row["size"]) for row in read()["curve"]]
        if (kind, size) in done:
            continue
        setting = settings(kind, best(kind, EQUAL)["number"])
        setting["epochs"] = round(
            setting["epochs"] * (len(train_ids) / size) ** 0.5
        )
        ids = train_ids[:size]
        model, row = run(kind, setting, SEEDS[0], ids, valid_ids, len(vocab))
        bits = on_test(model.half().float(), held)
        keep("curve", {"size": size, **row, "test_bits": bits})


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:]:
        jobs = {
            "tune": tune,
            "chosen": chosen,
            "care": care,
            "again": again,
            "curve": curve,
        }
        jobs[part]()
