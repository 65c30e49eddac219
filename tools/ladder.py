"""Write the ladder: every model's bits per character on the test part.

    python tools/ladder.py        (needs The Time Machine)

Counting models, mixtures and compressors are fitted here, with the library
(about four minutes); the pages compute the same rows with their own code and
compare. Networks come from the stored experiments. zpaq is no package that
the course needs: where it is not installed (``pip install zpaq``), its row
stays as it is.
"""

import csv
import io
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from scipy.stats import bootstrap

import unrolled
from unrolled.checkpoints import load_model
from unrolled.coding import COMPRESSORS
from unrolled.context_mixing import ContextMixingLM
from unrolled.corpus import load_corpus, split
from unrolled.course.ladder import KINDS, Rung, read_ladder
from unrolled.evaluation import log_probs
from unrolled.mixtures import fit_weights, mix
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.spelling import SpelledWords
from unrolled.subwords import all_tokens, encode, learn_merges
from unrolled.vocab import Vocab, character_stream

DATA = Path(unrolled.__file__).parent / "data"
TABLE = DATA / "ladder.csv"
BEFORE, WHILE = KINDS
# characters of the test part that are drawn again together: of our models any
# number from 250 to 2,000 gives the same verdicts, but the files of
# compressors grow by leaps, which shorter blocks take for differences
# rungs above one that it is compared with: a page shows some rungs only, and
# the one above may be another there
NEAR = 6
BLOCK = 1_000


@dataclass(frozen=True)
class Scored:
    """A model and what it costs, block by block."""

    name: str
    kind: str
    section: str
    family: str
    blocks: np.ndarray  # bits of each block of the test part
    seeds: tuple[float, ...] = ()  # bits per character, if there are several

    def bits(self, length: int) -> float:
        """Per character."""
        return float(self.blocks.sum() / length)


def ends(length: int) -> list[int]:
    """Where the blocks of a text end; the last one takes what is left."""
    return [*range(BLOCK, length - BLOCK + 1, BLOCK), length]


def blocks_of(bits: Sequence[float], until: Sequence[int]) -> np.ndarray:
    """Sums over blocks; until: the last character of each number, counted.

    until is 1, 2, 3 ... for characters; a token stands where it ends.
    """
    borders = ends(until[-1])
    places = np.searchsorted(borders, until)
    return np.bincount(places, weights=bits, minlength=len(borders))


def by_character(log_probs: torch.Tensor) -> np.ndarray:
    """Bits of each block, from ln P of each character."""
    bits = (-log_probs / math.log(2)).double().numpy()
    return blocks_of(bits, range(1, len(bits) + 1))


def compressed(text: str, given: str, compress) -> np.ndarray:
    """Bits of each block: by how much the compressed file grows."""
    whole = (given + text).encode()
    start = len(given.encode())
    cuts = [
        start,
        *(len((given + text[:e]).encode()) for e in ends(len(text))),
    ]
    return np.diff([8.0 * len(compress(whole[:cut])) for cut in cuts])


class Text:
    """The book, its fixed parts, and log probabilities on them."""

    def __init__(self, stream: str) -> None:
        """Split the stream and number its characters."""
        self.stream = stream
        self.texts = split(stream)
        self.train_text, self.valid_text, self.test_text = self.texts
        self.vocab = Vocab(list(self.train_text))
        self.ids = torch.tensor(self.vocab[list(stream)])
        self.train, self.valid, self.test = split(self.ids)

    def along(self, lm):
        """ln P on the validation and on the test part."""
        log_probs = lm.log_probs(self.ids)
        before = log_probs[: -len(self.test)]
        return before[-len(self.valid) :], log_probs[-len(self.test) :]

    def spelled_words(self):
        """ln P of a trigram of words, letter by letter, on both parts."""
        words = self.train_text.split()
        vocab = Vocab(words, min_freq=2)
        lm = KneserNeyLM(3, len(vocab)).fit(torch.tensor(vocab[words]))
        lm = lm.tuned(torch.tensor(vocab[self.valid_text.split()]))
        rare = [word for word, n in Counter(words).items() if n == 1]
        speller = KneserNeyLM(6, len(self.vocab)).fit(
            torch.tensor(self.vocab[list(" " + " ".join(rare) + " ")])
        )
        model = SpelledWords(lm, vocab, speller, self.vocab)
        until = len(self.train) + len(self.valid)
        starts = [
            self.stream.index(" ", place - 1) + 1
            for place in (len(self.train), until)
        ]
        return (
            model.log_probs(self.stream[:until], starts[0]),
            model.log_probs(self.stream, starts[1]),
        )

    @cached_property
    def mixing(self):
        """ln P of context mixing, on the validation and the test part.

        First with its counts frozen, and its weights on the test part; then
        learning both. On the validation part weights learn in either case.
        """
        size, space = len(self.vocab), self.vocab[" "]
        lm = ContextMixingLM(size, space).fit(self.train)
        weights, history = lm.weights.copy(), lm.history
        valid = lm.read(self.valid, counts=False)
        frozen = valid, lm.read(self.test, counts=False, weights=False)
        lm.weights, lm.history = weights, history
        return frozen, (lm.read(self.valid), lm.read(self.test))

    def subwords(self):
        """Bits of each block by the subword model that 8.2a has chosen."""
        stored = json.loads((DATA / "subwords.json").read_text("utf-8"))
        chosen = stored["chosen"]
        if chosen["kind"] != "Kneser-Ney, tuned":
            raise ValueError(f"the ladder cannot fit {chosen['kind']!r}")
        merges = learn_merges(self.train_text, chosen["merges"])
        cut = [encode(text, merges) for text in self.texts]
        vocab = Vocab(all_tokens(self.train_text, merges))
        parts = [torch.tensor(vocab[tokens]) for tokens in cut]
        lm = KneserNeyLM(chosen["order"], len(vocab)).fit(parts[0])
        lm = lm.tuned(parts[1])
        scored = lm.log_probs(torch.cat(parts))[-len(parts[2]) :]
        until = list(itertools.accumulate(map(len, cut[2])))
        return blocks_of((-scored / math.log(2)).double().numpy(), until)


def best_counting(text: Text):
    """The models of the mixture of 8.3a: [(valid, test), ...].

    The trigram of words first, then the pair of Kneser-Ney models.
    """
    orders = {
        order: text.along(
            KneserNeyLM(order, len(text.vocab))
            .fit(text.train)
            .tuned(text.valid)
        )
        for order in (4, 6, 8, 10, 12)
    }

    def score(pair):
        both = [orders[order][0] for order in pair]
        return -mix(both, fit_weights(both)).mean().item()

    pair = min(itertools.combinations(orders, 2), key=score)
    return [text.spelled_words(), *(orders[order] for order in pair)]


def mixed(models) -> torch.Tensor:
    """Test ln P of a mixture whose weights the validation part chose."""
    shared = [min(len(pair[i]) for pair in models) for i in (0, 1)]
    on_valid = [valid[-shared[0] :] for valid, _ in models]
    on_test = [test[-shared[1] :] for _, test in models]
    return mix(on_test, fit_weights(on_valid))


def counting_rungs(text: Text, models) -> Iterable[Scored]:
    """The rows of 8.2a, 8.3 and 8.3a; models: those of ``best_counting``."""
    size = len(text.vocab)
    uniform = torch.full((len(text.test),), -math.log(size))
    baseline = (f"uniform over {size} symbols", BEFORE, "8.3", "baseline")
    yield Scored(*baseline, by_character(uniform))

    def row(name, section, log_probs, kind=BEFORE):
        blocks = by_character(log_probs)
        return Scored(name, kind, section, "counting", blocks)

    for order in range(1, 8):
        lm = NgramLM(order, size, 1.0).fit(text.train).tuned(text.valid)
        yield row(f"{order}-gram, characters", "8.3", text.along(lm)[1])
    seven = KneserNeyLM(7, size).fit(text.train)
    yield row("Kneser-Ney, 7-gram", "8.3a", text.along(seven)[1])
    yield Scored(
        "Kneser-Ney, subwords", BEFORE, "8.2a", "counting", text.subwords()
    )
    yield row("two Kneser-Ney models", "8.3a", mixed(models[1:]))
    yield row("trigram of words, spelled", "8.3a", models[0][1])
    yield row("words and characters mixed", "8.3a", mixed(models))
    frozen, learning = text.mixing
    yield row("context mixing", "8.3a", frozen[1])
    yield row("context mixing, learning", "8.3a", learning[1], WHILE)


def compressor_rungs(text: Text) -> Iterable[Scored]:
    """The compressors of 8.3; zpaq where it is installed."""
    compressors = dict(COMPRESSORS)
    try:
        import zpaq

        compressors["zpaq"] = lambda data: zpaq.compress(data, 5)
    except ImportError:
        print("zpaq is not installed", file=sys.stderr)
    before = text.train_text + text.valid_text
    for name, compress in compressors.items():
        blocks = compressed(text.test_text, before, compress)
        yield Scored(name, WHILE, "8.3", "compressor", blocks)


def network_rungs(text: Text, models) -> Iterable[Scored]:
    """Rows of section 8.5a, from the stored networks.

    models: those of ``best_counting``.
    """
    stored = json.loads((DATA / "whole_book.json").read_text("utf-8"))["best"]
    held = len(text.valid) + len(text.test)
    networks = []
    for layers, name in ((1, "one layer"), (2, "two layers")):
        network, vocab = load_model(DATA / f"rnn_{layers}_layer.safetensors")
        # the last 1,000 training characters warm the state up
        ids = torch.tensor(vocab[list(text.stream[-held - 1000 :])])
        scores = log_probs(network, ids)[-held:]
        networks.append((scores[: len(text.valid)], scores[-len(text.test) :]))
        yield Scored(
            f"RNN, {name}",
            BEFORE,
            "8.5a",
            "network",
            by_character(networks[-1][1]),
            tuple(r["test_bits"] for r in stored if r["layers"] == layers),
        )
    words, *counting = models
    for name, family, several in (
        ("two networks mixed", "network", networks),
        ("words and networks", "mixture", [words, *networks]),
        (
            "RNN and counting",
            "mixture",
            [words, *counting, networks[-1]],
        ),
        (
            "context mixing, words, networks",
            "mixture",
            [text.mixing[0], words, *networks],
        ),
    ):
        blocks = by_character(mixed(several))
        yield Scored(name, BEFORE, "8.5a", family, blocks)


def after_rnns_rungs() -> Iterable[Scored]:
    """Rows of appendix C: blocks that its experiments have stored."""
    content, runs, recalls = (
        json.loads((DATA / f"{name}.json").read_text("utf-8"))
        for name in ("finished_mixture", "gates", "recall")
    )
    reading = content["reading"]

    def row(name, kind, family, blocks, seeds=()):
        return Scored(name, kind, "C", family, np.array(blocks), seeds)

    for name in ("GRU", "LSTM", "transformer"):
        # the last settings of a kind are those of the stored network
        part = "care" if any(r["kind"] == name for r in runs["care"]) else ""
        found = {
            r["seed"]: r["test_bits"]
            for r in runs[part or "chosen"]
            if r["kind"] == name
        }
        seeds = tuple(found.values()) if len(found) > 1 else ()
        blocks = reading[name]["frozen blocks"]
        yield row(name, BEFORE, "network", blocks, seeds)
    readers = {n: r for n, r in reading.items() if "learning" in r}
    best = min(readers, key=lambda name: readers[name]["learning"][0])
    blocks = readers[best]["learning blocks"]
    yield row(f"{best}, learning", WHILE, "network", blocks)
    remembering = recalls["networks"]
    for way, end, kind in (
        ("frozen", "memory", BEFORE),
        ("steps", "memory, learning", WHILE),
    ):
        able = {n: r[way] for n, r in remembering.items() if way in r}
        best = min(able, key=lambda name: able[name]["bits"][0])
        yield row(f"{best}, {end}", kind, "network", able[best]["blocks"])
    for name, way, kind in (
        ("finished mixture", "frozen", BEFORE),
        ("finished mixture, learning", "learning", WHILE),
    ):
        blocks = content["mixture"][way]["all of it"]["blocks"]
        yield row(name, kind, "mixture", blocks)


def undecided(first: Scored, then: Scored) -> bool:
    """Whether a bootstrap of blocks leaves open which of two is better."""
    found = bootstrap(
        (first.blocks - then.blocks,),
        np.mean,
        n_resamples=9_999,
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return bool(low < 0 < high)


def as_rungs(scored: Iterable[Scored], length: int) -> list[Rung]:
    """The rows of the table, from the most bits to the fewest."""
    ordered = sorted(scored, key=lambda s: -s.bits(length))
    rungs = []
    for place, s in enumerate(ordered):
        read = "train" if s.kind == BEFORE else "train and validation"
        above = ordered[max(0, place - NEAR) : place]
        level = tuple(b.name for b in above if undecided(b, s))
        rungs.append(
            Rung(
                s.name,
                s.bits(length),
                read,
                s.kind,
                s.section,
                s.family,
                level,
                min(s.seeds, default=None),
                max(s.seeds, default=None),
            )
        )
    return rungs


def write_ladder(rungs: Sequence[Rung], path: Path) -> None:
    """Write the table, bits with four digits after the point."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = [field.name for field in fields(Rung)]
    writer.writerow(names)
    for rung in rungs:
        values = [getattr(rung, name) for name in names]
        writer.writerow(
            f"{v:.4f}"
            if isinstance(v, float)
            else "; ".join(v)
            if isinstance(v, tuple)
            else v
            for v in values
        )
    # as bytes, so that no machine changes the ends of lines
    path.write_bytes(table.getvalue().encode())


def main() -> None:
    """Fit everything and write the table."""
    text = Text(character_stream(load_corpus()))
    models = best_counting(text)
    scored = [
        *counting_rungs(text, models),
        *compressor_rungs(text),
        *network_rungs(text, models),
        *after_rnns_rungs(),
    ]
    rungs = as_rungs(scored, len(text.test))
    if not any(rung.name == "zpaq" for rung in rungs):
        rungs += [rung for rung in read_ladder() if rung.name == "zpaq"]
    write_ladder(sorted(rungs, key=lambda rung: -rung.bits), TABLE)
    for rung in rungs:
        mark = "~" if rung.level_with else " "
        print(f"{mark} {rung.name:28s} {rung.bits:.4f}")


if __name__ == "__main__":
    main()
