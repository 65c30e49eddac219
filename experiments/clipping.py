"""When does gradient clipping matter? The book's recipe, many times.

    python experiments/clipping.py

10,000 characters, 32 rows, 35 steps, SGD, as in section 8.5, with 256 hidden
units and 100 epochs. Each setting runs with and without clipping, from three
seeds. A run has diverged if its loss stopped being a finite number or ended
above that of the unigram model. Results are in
lib/unrolled/data/clipping.json, which section 8.5 shows.
"""

import json
import math
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from unrolled.batches import SequenceLoader
from unrolled.corpus import load_corpus
from unrolled.evaluation import DivergenceError
from unrolled.ngrams import NgramLM
from unrolled.rnn import RNNLM
from unrolled.training import History, train
from unrolled.vocab import Vocab, character_stream

DATA = Path(__file__).resolve().parent.parent / "lib" / "unrolled" / "data"
HIDDEN, EPOCHS, SEEDS = 256, 100, (0, 1, 2)
# learning rate, steps, and the factor of recurrent weights: their standard
# deviation times the root of the number of hidden units, about the size of
# the largest eigenvalue
SETTINGS = {
    "the book's": (1.0, 35, 0.16),
    "rate 4": (4.0, 35, 0.16),
    "recurrent weights at 1": (1.0, 35, 1.0),
    "recurrent weights at 2": (1.0, 35, 2.0),
    "recurrent weights at 2, rate 0.1": (0.1, 35, 2.0),
    "recurrent weights at 1, 140 steps": (1.0, 140, 1.0),
}


def run(job: tuple[str, float, int]) -> dict:
    """One training run: what happened to its loss and its norms."""
    name, theta, seed = job
    torch.set_num_threads(1)
    rate, num_steps, factor = SETTINGS[name]
    text = character_stream(load_corpus())[:10_000]
    vocab = Vocab(list(text))
    ids = torch.tensor(vocab[list(text)])
    unigram = NgramLM(1, len(vocab), 1.0).fit(ids).perplexity(ids)
    generator = torch.Generator().manual_seed(seed)
    model = RNNLM(
        len(vocab),
        HIDDEN,
        recurrent_scale=factor / math.sqrt(HIDDEN),
        generator=generator,
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    loader = SequenceLoader(ids, 32, num_steps, generator=generator)
    history = History()
    try:
        history = train(
            model, loader, EPOCHS, optimizer, theta=theta, progress=False
        )
        final, norms = history.train[-1], history.norms
    except DivergenceError:
        final, norms = math.inf, []
    fired = sum(norm > 1 for norm in norms) / len(norms) if norms else None
    return {
        "setting": name,
        "clipped": theta < math.inf,
        "seed": seed,
        "perplexity": round(final, 3) if final < math.inf else None,
        "diverged": not final < unigram,
        "norm_above_1": fired and round(fired, 4),
        "largest_norm": round(max(norms), 2) if norms else None,
        # one run in three keeps its norms, every fourth update
        "norms": [round(x, 3) for x in norms[::4]] if seed == 0 else [],
    }


def main() -> None:
    """Run all in two processes and store the results."""
    jobs = [
        (name, theta, seed)
        for name in SETTINGS
        for theta in (1.0, math.inf)
        for seed in SEEDS
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = []
        for row in pool.map(run, jobs):
            print({k: v for k, v in row.items() if k != "norms"}, flush=True)
            rows.append(row)
    path = DATA / "clipping.json"
    path.write_text(json.dumps(rows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
