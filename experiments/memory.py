"""How far back can a network name a symbol? Random symbols, k steps ago.

    python experiments/memory.py        (about 15 minutes on one core)

The label is the symbol seen k steps before, in a text of random symbols, so
the best possible score is known. Training cuts gradients at windows; the
state is carried on over the border, or starts from zeros there. A third kind
of network carries the state and trains its output only, so that what its
state holds is what random weights leave in it. Results are in
lib/unrolled/data/memory.json, which section 8.4 shows.
"""

import math
import time

import torch

from storing import DATA, store
from unrolled.rnn import RNNLM, scoring
from unrolled.training import train

LN2 = math.log(2)
RESULTS = DATA / "memory.json"

SETTINGS = {
    "symbols": 8,
    "hidden": 64,
    "updates": 1000,
    "rate": 3e-3,
    "delays": [1, 2, 3, 5, 8, 12, 16, 24],
    "rows": {"4": 128, "16": 32},  # of a minibatch, for each window
    "starts": ["torch's", "orthogonal"],
    "states": ["carried", "reset", "carried, only the output trained"],
    "seeds": [0, 1, 2, 3, 4],
    "longer": {"updates": 4000, "delays": [5, 8, 12], "seeds": [0, 1]},
}


def decay(done: float) -> float:
    """A schedule: down to 0 along a line."""
    return 1 - done


def seeded(*seeds: int) -> torch.Generator:
    """A generator of its own for each combination of small numbers."""
    mixed = sum(s * 1009**i for i, s in enumerate(seeds))
    return torch.Generator().manual_seed(mixed)


def started(vocab_size, hidden, start, generator) -> RNNLM:
    """A network that starts as torch.nn.RNN and nn.Linear do.

    All weights uniform within 1 / sqrt(h); "orthogonal" changes W_hh only.
    """
    model = RNNLM(vocab_size, hidden, generator=generator)
    with torch.no_grad():
        for values in model.parameters():
            uniform = torch.rand(values.shape, generator=generator)
            values.copy_((2 * uniform - 1) / math.sqrt(hidden))
        if start == "orthogonal":
            square = torch.randn(hidden, hidden, generator=generator)
            model.W_hh.copy_(torch.linalg.qr(square)[0])
    return model


class Delayed:
    """A loader of random symbols; a label is the symbol k steps before.

    The text does not end: every update reads new symbols. Rows go on from
    minibatch to minibatch; ``sequential`` says whether the state does, too.
    """

    def __init__(self, delay, window, updates, *, sequential, generator):
        """Nothing is drawn yet."""
        self.delay, self.window, self.updates = delay, window, updates
        self.rows = SETTINGS["rows"][str(window)]
        self.sequential, self.generator = sequential, generator

    def __len__(self) -> int:
        """The number of minibatches."""
        return self.updates

    def __iter__(self):
        """Pairs (X, Y), each (rows, window)."""
        X, Y = draw(
            self.rows, self.updates * self.window, self.delay, self.generator
        )
        for first in range(0, X.shape[1], self.window):
            piece = slice(first, first + self.window)
            yield X[:, piece], Y[:, piece]


def draw(rows, steps, delay, generator):
    """Random symbols (rows, steps), and those ``delay`` steps before."""
    drawn = torch.randint(
        SETTINGS["symbols"], (rows, delay + steps), generator=generator
    )
    return drawn[:, delay:], drawn[:, :-delay]


def score(model, delay, generator, window=None) -> dict:
    """Accuracy and bits on 64 new rows of 512 symbols.

    window: start from zeros every so many steps; None: never, and the first
    64 steps do not count.
    """
    X, Y = draw(64, 512, delay, generator)
    first = 0 if window else 64
    if window:
        X, Y = X.reshape(-1, window), Y.reshape(-1, window)
    with scoring(model):
        logits = model(X)[0].transpose(0, 1)[:, first:].double()
    Y = Y[:, first:]
    picked = logits.log_softmax(-1).gather(-1, Y[..., None])
    return {
        "accuracy": round((logits.argmax(-1) == Y).double().mean().item(), 4),
        "bits": round(-picked.mean().item() / LN2, 4),
    }


def run_one(start, window, state, delay, seed, updates=None) -> dict:
    """One network, trained and scored on symbols that it has not seen."""
    generator = seeded(seed, delay, window)
    model = started(SETTINGS["symbols"], SETTINGS["hidden"], start, generator)
    if "only the output" in state:
        model.W_xh.requires_grad_(False)
        model.W_hh.requires_grad_(False)
        model.b_h.requires_grad_(False)
    loader = Delayed(
        delay,
        window,
        updates or SETTINGS["updates"],
        sequential=state != "reset",
        generator=generator,
    )
    optimizer = torch.optim.Adam(
        [p for p in model.parameters() if p.requires_grad], lr=SETTINGS["rate"]
    )
    train(model, loader, 1, optimizer, schedule=decay, progress=False)
    row = {
        "start": start,
        "window": window,
        "state": state,
        "delay": delay,
        "seed": seed,
        "updates": loader.updates,
        "carried": score(model, delay, seeded(seed, delay, 7)),
    }
    if state == "reset":
        row["reset"] = score(model, delay, seeded(seed, delay), window)
    return row


def floor(delay: int, window: int | None = None) -> dict:
    """The best that anyone can do: all that can be known is known.

    With a state that is reset, the first ``delay`` symbols of each window
    ask for what came before it; there every guess is as good as another.
    """
    hidden = min(delay / window, 1.0) if window else 0.0
    chance = 1 / SETTINGS["symbols"]
    return {
        "accuracy": round(1 - hidden * (1 - chance), 4),
        "bits": round(hidden * math.log2(SETTINGS["symbols"]), 4),
    }


def jobs() -> list[tuple]:
    """The whole grid, then some of it with four times the updates.

    With a state that is reset, one seed will do where the delay is as long
    as the window: nothing can be known there. Where no gradient goes back,
    one window will do.
    """
    longer, seeds = SETTINGS["longer"], SETTINGS["seeds"]
    windows = [int(window) for window in SETTINGS["rows"]]
    grid = [
        (start, window, state, delay, seed)
        for start in SETTINGS["starts"]
        for window in windows
        for state in SETTINGS["states"]
        for delay in SETTINGS["delays"]
        for seed in seeds
        if seed == seeds[0] or state != "reset" or delay < window
        if window == windows[-1] or "only" not in state
    ]
    return grid + [
        (start, windows[0], "carried", delay, seed, longer["updates"])
        for start in SETTINGS["starts"]
        for delay in longer["delays"]
        for seed in longer["seeds"]
    ]


def run() -> dict:
    """Every run, and the best possible score of each cell."""
    rows = []
    for job in jobs():
        rows.append(run_one(*job))
        print(rows[-1], flush=True)
    floors = [
        {
            "delay": delay,
            "window": int(window),
            "carried": floor(delay),
            "reset": floor(delay, int(window)),
        }
        for delay in SETTINGS["delays"]
        for window in SETTINGS["rows"]
    ]
    return {"runs": rows, "floors": floors}


def main() -> None:
    """Run it and store it."""
    start = time.process_time()
    content = {
        "settings": SETTINGS,
        **run(),
        "cpu_seconds": round(time.process_time() - start),
    }
    store(RESULTS, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
