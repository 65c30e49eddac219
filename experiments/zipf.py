"""How often the interval for Zipf's alpha covers the population's alpha.

    python experiments/zipf.py        (about an hour on one core)

Populations of words, pairs and triples shaped like those of The Time
Machine, and texts as long as it. What is covered or not is the slope of
ln probability on ln rank of the population itself. Three kinds of texts:
independent draws; draws that depend on their neighbours; blocks of the book
itself, drawn again, from a population that is the book. The results go to
the library's data folder.
"""

import math

import numpy as np
import torch

from storing import DATA, store
from unrolled.corpus import load_corpus
from unrolled.course.populations import population_alpha
from unrolled.vocab import clean_lines, tokenize
from unrolled.zipf_law import fit_zipf

STORED = DATA / "zipf.json"
KINDS = {"words": 1, "pairs": 2, "triples": 3}
RANGES = {
    "words": ((1, 100), (100, 1000)),
    "pairs": ((1, 100), (100, 1000)),
    "triples": ((1, 100),),
}
NUM_TOKENS, BLOCK, REPLICATIONS, RESAMPLES = 32_775, 1000, 400, 40
MOST = 400_000  # kinds in a population
# fitted by hand to how many kinds the book has at least so many times
SHAPES = {
    # ln p = -a ln(rank + b): Mandelbrot
    "shifted": {"words": (1.333, 9.69), "pairs": (0.901, 13.43)},
    # two lines, of slopes a and b, that meet at a rank
    "broken": {
        "words": (0.992, 1.819, 1320),
        "pairs": (0.682, 0.934, 573),
        "triples": (0.336, 0.572, 21.5),
    },
    # ln p = -a ln rank - b (ln rank)^2
    "bent": {
        "words": (0.496, 0.0603),
        "pairs": (0.480, 0.0248),
        "triples": (0.879, -0.0180),
    },
}
# of each kind seen, so much is taken and given to kinds not seen
DISCOUNTS = {"words": 0.53, "pairs": 0.79, "triples": 0.91}


def book_ids(kind):
    """(n,) a number for each word, pair or triple of the book."""
    order = KINDS[kind]
    lines = tokenize(clean_lines(load_corpus()))
    words = [word for line in lines for word in line]
    grams = zip(*(words[i:] for i in range(order)), strict=False)
    numbers = {}
    return np.array([numbers.setdefault(g, len(numbers)) for g in grams])


def population(shape, kind):
    """Probabilities in falling order."""
    if shape == "the book":
        p = np.bincount(book_ids(kind)).astype(float)
    elif shape == "discounted":
        # a new draw of each rate, as uncertain as its count leaves it, and
        # the rest to unseen kinds that fall off with the tail's power
        counts, taken = np.bincount(book_ids(kind)), DISCOUNTS[kind]
        seen = np.random.default_rng(0).gamma(counts - taken)
        tail = np.arange(len(counts) / 2, 60_000) ** (-1 / taken)
        p = np.append(seen, taken * len(counts) * tail / tail.sum())
    else:
        ranks = np.arange(1.0, MOST + 1)
        a, b, *rest = SHAPES[shape][kind]
        if shape == "shifted":
            p = (ranks + b) ** -a
        elif shape == "bent":
            p = np.exp(-a * np.log(ranks) - b * np.log(ranks) ** 2)
            if b < 0:  # it would rise again
                p = np.minimum.accumulate(p)
        else:
            far = ranks / rest[0]
            p = np.where(far < 1, far**-a, far**-b)
    return -np.sort(-p / p.sum())


def text(draws, p, rng, blocks=None):
    """(NUM_TOKENS,) int64, a text of such a population.

    "independent"; "clumps": what is drawn may occur more than once in a row,
    so that a count's variance over its mean m is 1 + 0.12 sqrt(m), at most
    2.3, as in the book between blocks; "rare clumps": it is 1.4 for every
    rate, and rare kinds clump more than in the book; "topics": from rank 101
    on, the probabilities are multiplied, anew for each block, by exponential
    numbers; "blocks": those of the book, drawn again.
    """
    n = NUM_TOKENS
    if draws == "blocks":
        chosen = rng.integers(len(blocks), size=math.ceil(n / BLOCK))
        return blocks[chosen].ravel()[:n]
    cumulative = np.cumsum(p)
    if draws == "topics":
        parts = []
        for start in range(0, n, BLOCK):
            topic = p.copy()
            topic[100:] *= rng.exponential(size=len(p) - 100)
            there = np.cumsum(topic)
            size = min(BLOCK, n - start)
            parts.append(np.searchsorted(there, rng.random(size) * there[-1]))
        return np.concatenate(parts)
    clumps = draws in ("clumps", "rare clumps")
    if clumps:  # a geometric number with the mean t: variance over mean 2t - 1
        times = 1 + 0.06 * np.sqrt(np.minimum(n * p, 117))
        times = times if draws == "clumps" else np.full(len(p), 1.2)
        cumulative = np.cumsum(p / times)
    ids = np.searchsorted(cumulative, rng.random(n) * cumulative[-1])
    if clumps:
        ids = ids.repeat(rng.geometric(1 / times[ids]))[:n]
    return ids


def cases(kind):
    """Every pair of a shape and a way to draw."""
    shapes = [s for s in SHAPES if kind in SHAPES[s]] + ["discounted"]
    return [
        *((shape, "independent") for shape in shapes),
        ("broken", "clumps"),
        ("bent", "rare clumps"),
        ("discounted", "topics"),
        ("the book", "blocks"),
    ]


def measure(kind, shape, draws, replications, resamples=RESAMPLES):
    """For each range: the truth, and (alpha, low, high) of each text."""
    p, blocks = population(shape, kind), None
    if draws == "blocks":
        ids = book_ids(kind)
        blocks = ids[: len(ids) // BLOCK * BLOCK].reshape(-1, BLOCK)
        p = -np.sort(-np.unique(blocks, return_counts=True)[1])
    found = {}
    for seed in range(replications):
        ids = text(draws, p, np.random.default_rng(seed), blocks)
        for first, last in RANGES[kind]:
            try:
                row = population_alpha(
                    torch.from_numpy(ids),
                    first=first,
                    last=last,
                    block=BLOCK,
                    resamples=resamples,
                    seed=seed,
                )
            except ValueError:  # the last rank occurs too seldom
                row = ()
            found.setdefault((first, last), []).append(row)
    return {
        ranks: (fit_zipf(p / p[-1], first=ranks[0], last=ranks[1]).alpha, rows)
        for ranks, rows in found.items()
    }


def summary(true, rows):
    """The coverage, from how many intervals, and what the misses are."""
    rows = np.array([row for row in rows if row])
    if len(rows) == 0:
        return {"true": round(true, 4), "intervals": 0}
    alpha, low, high = rows.T
    return {
        "true": round(true, 4),
        "intervals": len(rows),
        "covered": int(((low <= true) & (true <= high)).sum()),
        "too high": int((low > true).sum()),
        "bias": round(float(alpha.mean()) - true, 4),
        "deviation": round(float(alpha.std()), 4),
        "margin": round(float((high - low).mean()) / 2, 4),
        "examples": [[round(x, 4) for x in row] for row in rows[:3].tolist()],
    }


def runs(replications=REPLICATIONS, kinds=tuple(KINDS)):
    """Every run, as rows of a table."""
    for kind in kinds:
        for shape, draws in cases(kind):
            found = measure(kind, shape, draws, replications)
            for (first, last), result in found.items():
                yield {
                    "kind": kind,
                    "first": first,
                    "last": last,
                    "shape": shape,
                    "draws": draws,
                    **summary(*result),
                }


def main() -> None:
    """Run everything and store it."""
    content = {
        "tokens": NUM_TOKENS,
        "block": BLOCK,
        "replications": REPLICATIONS,
        "resamples": RESAMPLES,
        "runs": [],
    }
    for row in runs():
        content["runs"].append(row)
        print({k: v for k, v in row.items() if k != "examples"}, flush=True)
        store(STORED, content, made_with="numpy")


if __name__ == "__main__":
    main()
