"""The classic recipe of section 8.5, over grids of settings and seeds.

    python experiments/classic_recipe.py clip      learning rate x clip x
                                                   recurrent scale, and ReLU
    python experiments/classic_recipe.py long      500 epochs without a clip
    python experiments/classic_recipe.py probes    other clips, other rates
    python experiments/classic_recipe.py sampling  sequential, random windows
    python experiments/classic_recipe.py scale     initial weights x rate

The recipe: the first 10,000 characters of the book, 32 rows, 35 steps, plain
SGD, normal weights of standard deviation 0.01. What is varied stands in each
row of the results. The next 10,000 characters choose the checkpoint; the
10,000 after them are scored once, by the network of that checkpoint (with
``sampling`` all along: its verdicts are about both).

A run ends after its epochs, or where no more can come of it:

- "not finite": a loss or a gradient is no longer a number;
- "far off": its training perplexity was FAR for PATIENCE epochs in a row;
- "by heart": at two checkpoints in a row held-out perplexity was more than
  a quarter above its best, which was below that of the uniform
  distribution, and training perplexity below half of that best.

``blew up`` is the first epoch whose training perplexity was FAR or no
number, if there is one. Results are in lib/unrolled/data/clip_grid.json,
clip_long.json, clip_probes.json, sampling.json and initial_scale.json, one
run a line; a run that is stored is not made again. On one core, in all, about
three quarters of an hour.
"""

import copy
import functools
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy, embedding

import unrolled
from unrolled.batches import SAMPLINGS, SequenceLoader
from unrolled.corpus import load_corpus
from unrolled.evaluation import DivergenceError, evaluate
from unrolled.metrics import perplexity
from unrolled.ngrams import NgramLM
from unrolled.rnn import RNNLM, linear, scoring
from unrolled.schedules import log_spaced
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

DATA = Path(__file__).resolve().parent.parent / "lib" / "unrolled" / "data"
BLOCK, ROWS, STEPS = 10_000, 32, 35
EPOCHS, LONG = 200, 500
# the epochs after which a run is scored, if it gets there
AT, LONG_AT = log_spaced(EPOCHS, 24), log_spaced(LONG, 30)
FAR = 280  # ten times the perplexity of the uniform distribution
PATIENCE = 30
SEEDS = (0, 1, 2)
RATES = (0.1, 0.25, 0.5, 1.0, 4.0)
# recurrent: the standard deviation of W_hh times the root of the number of
# units, about the size of the largest eigenvalue; 0.16 is 0.01 of 256 units
CLASSIC = {
    "units": 256,
    "activation": "tanh",
    "rate": 1.0,
    "input rate": 1.0,  # of W_xh: so many times the rate
    "clip": 1.0,
    "input": 0.01,
    "recurrent": 0.16,
    "sampling": "sequential",
}
RELU = {"activation": "relu", "recurrent": 1.0, "sampling": "random"}


class ReluLM(RNNLM):
    """RNNLM with H_t = max(0, ...) in place of tanh."""

    def forward(self, X, state=None):
        """Logits (T, n, V) and the last state (n, h)."""
        if state is None:
            state = self.begin_state(len(X))
        states = []
        for row in embedding(X.T, self.W_xh + self.b_h):
            state = torch.relu(row + state @ self.W_hh)
            states.append(state)
        return linear(torch.stack(states), self.W_hq, self.b_q), state


@functools.cache
def blocks() -> tuple[int, list[torch.Tensor]]:
    """The number of symbols, and the three blocks of characters."""
    stream = character_stream(load_corpus())
    vocab = Vocab(list(stream))
    ids = torch.tensor(vocab[list(stream[: 3 * BLOCK])])
    return len(vocab), list(ids.split(BLOCK))


def epochs_of(setting: dict, seed: int) -> Iterator[tuple]:
    """Train; after each epoch (model, training perplexity, norms)."""
    torch.set_num_threads(1)
    size, (first, *_) = blocks()
    generator = torch.Generator().manual_seed(seed)
    kind = RNNLM if setting["activation"] == "tanh" else ReluLM
    model = kind(
        size,
        setting["units"],
        input_scale=setting["input"],
        recurrent_scale=setting["recurrent"] / math.sqrt(setting["units"]),
        generator=generator,
    )
    rate, own = setting["rate"], setting["input rate"]
    others = [p for p in model.parameters() if p is not model.W_xh]
    optimizer = torch.optim.SGD(
        [{"params": [model.W_xh], "lr": own * rate}, {"params": others}],
        lr=rate,
    )
    loader = SequenceLoader(
        first, ROWS, STEPS, sampling=setting["sampling"], generator=generator
    )
    theta = setting["clip"] or math.inf
    while True:
        history = train(
            model, loader, 1, optimizer, theta=theta, progress=False
        )
        yield model, history.train[0], history.norms


def short(value: float) -> float | None:
    """Four digits that count; None for what JSON cannot hold."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def share(norms: list[float]) -> float:
    """How many of the norms are above 1; of none, 0."""
    return round(sum(n > 1 for n in norms) / max(len(norms), 1), 4)


def held(model: torch.nn.Module, text: torch.Tensor) -> float:
    """Held-out perplexity; infinite where the state overflows.

    A state of ReLU units can grow over 10,000 characters until it is no
    number, while windows of 35 are still well.
    """
    try:
        return evaluate(model, text)
    except DivergenceError:
        return math.inf


def run(changes: dict, seed: int, epochs: int, *, stop: bool = True) -> dict:
    """One training run, scored on the second block; its row.

    stop: end where the network knows the text by heart, after few epochs.
    """
    start = time.process_time()
    checkpoints = AT if stop else LONG_AT
    size, (_, second, third) = blocks()
    best, best_epoch, kept = math.inf, None, None
    trained, held_out, norms, until_best = [], [], [], 0
    blew_up, worst, far, by_heart, end = None, 0.0, 0, 0, "epochs"
    steps = epochs_of({**CLASSIC, **changes}, seed)
    for epoch in range(1, epochs + 1):
        try:
            model, now, new = next(steps)
        except DivergenceError:
            blew_up, worst, end = blew_up or epoch, math.inf, "not finite"
            break
        score = held(model, second) if epoch in checkpoints else None
        norms += new
        worst = max(worst, now)
        far = far + 1 if now >= FAR else 0
        if far:
            blew_up = blew_up or epoch
        if score is not None:
            trained.append(short(now))
            held_out.append(short(score))
            if score < best:
                best, best_epoch, until_best = score, epoch, len(norms)
                kept = copy.deepcopy(model.state_dict())
            learned = score > 1.25 * best and now < best / 2 < size / 2
            by_heart = by_heart + 1 if learned else 0
        if far == PATIENCE:
            end = "far off"
        elif stop and by_heart == 2:
            end = "by heart"
        if end != "epochs":
            break
    if kept:
        model.load_state_dict(kept)
    return {
        "best": short(best),
        "best epoch": best_epoch,
        "third": short(held(model, third)) if kept else None,
        "end": end,
        "epochs": epoch,
        "blew up": blew_up,
        "worst": short(worst),
        "largest norm": short(max(norms, default=math.inf)),
        "clip fires": share(norms),
        "until best": share(norms[:until_best]),
        "train": trained,
        "held out": held_out,
        "seconds": round(time.process_time() - start, 1),
    }


def scores(model: torch.nn.Module) -> dict[str, list[float]]:
    """Perplexity of the three blocks, state carried, and from zeros.

    carried: the state goes from the first character of a block to its last.
    zeros: every window of 35 characters starts from zeros.
    """
    _, texts = blocks()
    carried = [evaluate(model, text) for text in texts]
    zeros = []
    with scoring(model):
        for text in texts:
            count = (len(text) - 1) // STEPS * STEPS
            X = text[:count].reshape(-1, STEPS)
            Y = text[1 : count + 1].reshape(-1, STEPS)
            logits = model(X)[0].double().flatten(0, 1)
            nll = cross_entropy(logits, Y.T.flatten(), reduction="sum")
            zeros.append(perplexity(nll.item(), count))
    return {"carried": carried, "zeros": zeros}


def sampled(changes: dict, seed: int, epochs: int) -> dict:
    """One run of one of the samplers: both scores of all three blocks."""
    start = time.process_time()
    row = {"train": [], "carried": [], "zeros": []}
    norms = []
    steps = epochs_of({**CLASSIC, **changes}, seed)
    for epoch in range(1, epochs + 1):
        model, now, new = next(steps)
        norms += new
        if epoch in LONG_AT:
            row["train"].append(short(now))
            for name, found in scores(model).items():
                row[name].append([short(value) for value in found])
    seconds = round(time.process_time() - start, 1)
    return {"epochs": epochs, "clip fires": share(norms), **row} | {
        "seconds": seconds
    }


def clip_jobs() -> Iterator[dict]:
    """The grid, tanh first; each setting without the clip, then with it."""
    scales = {"tanh": (0.16, 1.0, 2.0), "relu": (0.16, 1.0)}
    for activation in scales:
        for recurrent, rate, seed, clip in itertools.product(
            scales[activation], RATES, SEEDS, (None, 1.0)
        ):
            yield {
                "activation": activation,
                "recurrent": recurrent,
                "rate": rate,
                "clip": clip,
                "seed": seed,
            }


def long_jobs() -> Iterator[dict]:
    """Far beyond the best epoch, with the clip and without; a small rate."""
    for seed, clip in itertools.product(SEEDS, (None, 1.0)):
        yield {"clip": clip, "epochs": LONG, "seed": seed}
    for seed in SEEDS:
        yield {"clip": None, "rate": 0.25, "epochs": LONG, "seed": seed}


def probe_jobs() -> Iterator[dict]:
    """What could refute the grid: a rate between, shorter clips, no state.

    Units of ReLU with random minibatches start each window from zeros.
    """
    for changes, clips in (
        ({"rate": 2.0}, (None, 1.0)),
        ({"rate": 4.0}, (0.1,)),
        ({"recurrent": 1.0}, (0.25,)),
        (RELU, (None, 1.0)),
    ):
        for seed, clip in itertools.product(SEEDS, clips):
            yield {**changes, "clip": clip, "seed": seed}


def sampling_jobs() -> Iterator[dict]:
    """Both samplers: the recipe, and one that learns faster."""
    for changes in ({"epochs": LONG}, {"input": 3.0, "epochs": 150}):
        for seed, sampling in itertools.product(SEEDS, SAMPLINGS):
            yield {**changes, "sampling": sampling, "seed": seed}


def scale_jobs() -> Iterator[dict]:
    """Input x recurrent scale x rate x clip, and a rate of W_xh's own.

    Those with an input scale of 0.01 and one rate for all are in the grid
    of ``clip_jobs``.
    """
    for rate, own, scale in (
        (1.0, 100.0, 0.01),
        (1.0, 100.0, 0.1),
        (1.0, 1000.0, 0.01),
        (1.0, 1000.0, 0.1),
        (0.25, 400.0, 0.01),
    ):
        for seed in SEEDS:
            yield {
                "rate": rate,
                "input": scale,
                "input rate": own,
                "seed": seed,
            }
    for recurrent, scales, rates in (
        (0.16, (0.1, 1.0, 3.0), (0.25, 1.0, 4.0)),
        (1.0, (1.0, 3.0), (1.0,)),
    ):
        for scale, rate, seed, clip in itertools.product(
            scales, rates, SEEDS, (None, 1.0)
        ):
            yield {
                "recurrent": recurrent,
                "input": scale,
                "rate": rate,
                "clip": clip,
                "seed": seed,
            }


def made(part: str, job: dict) -> dict:
    """What came of a job."""
    changes = {k: v for k, v in job.items() if k not in ("seed", "epochs")}
    epochs = job.get("epochs", EPOCHS)
    if part == "sampling":
        return sampled(changes, job["seed"], epochs)
    return run(changes, job["seed"], epochs, stop=part != "long")


def key(row: dict) -> tuple:
    """What tells one job from the others."""
    return tuple(row[name] for name in (*CLASSIC, "seed"))


def unclipped(row: dict, rows: dict) -> dict | None:
    """The same run without the clip, if the clip had nothing to do.

    Of an epoch that ended in no number the norms are not known.
    """
    twin = rows.get(key({**row, "clip": None}))
    if not row["clip"] or not twin or twin["end"] == "not finite":
        return None
    if twin["largest norm"] is None or twin["largest norm"] > row["clip"]:
        return None
    return {**twin, "clip": row["clip"], "seconds": 0.0}


PARTS = {
    "clip": (clip_jobs, "clip_grid.json"),
    "long": (long_jobs, "clip_long.json"),
    "probes": (probe_jobs, "clip_probes.json"),
    "sampling": (sampling_jobs, "sampling.json"),
    "scale": (scale_jobs, "initial_scale.json"),
}


def load_rows(part: str) -> dict[tuple, dict]:
    """The stored runs of a part."""
    path = DATA / PARTS[part][1]
    if not path.exists():
        return {}
    rows = json.loads(path.read_text("utf-8"))["runs"]
    return {key(row): row for row in rows}


def store(part: str, rows: dict) -> None:
    """All runs of a part, one a line."""
    size, (first, second, third) = blocks()
    unigram = NgramLM(1, size, 1.0).fit(first)
    head = {
        "unrolled": unrolled.__version__,
        "torch": torch.__version__.split("+")[0],
        "recipe": {
            "characters": BLOCK,
            "rows": ROWS,
            "steps": STEPS,
            "symbols": size,
        },
        "unigram": {
            "second": short(unigram.perplexity(second)),
            "third": short(unigram.perplexity(third)),
        },
        "far": FAR,
        "patience": PATIENCE,
        "checkpoints": LONG_AT if part in ("long", "sampling") else AT,
    }
    lines = ",\n".join(
        json.dumps(row, allow_nan=False) for row in rows.values()
    )
    text = (
        json.dumps(head, allow_nan=False)[:-1]
        + f',\n"runs": [\n{lines}\n]}}\n'
    )
    (DATA / PARTS[part][1]).write_text(text, "utf-8")


def main() -> None:
    """Make the runs of a part that are not stored yet."""
    part = sys.argv[1]
    rows = load_rows(part)
    for job in PARTS[part][0]():
        row = {**CLASSIC, **job}
        if key(row) in rows:
            continue
        found = unclipped(row, rows) or {**row, **made(part, job)}
        rows[key(row)] = found
        hidden = ("train", "held out", "carried", "zeros")
        print(
            {
                **job,
                **{
                    k: v
                    for k, v in found.items()
                    if k not in hidden and k not in CLASSIC
                },
            },
            flush=True,
        )
        store(part, rows)


if __name__ == "__main__":
    main()
