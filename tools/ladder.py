"""Write the ladder: every model's bits per character on the test part.

    python tools/ladder.py        (needs The Time Machine)

Counting models and compressors are fitted here, with the library; section
8.3 computes the same rows with its own code and compares. Rows of networks
come from the stored experiments, where there are any.
"""

import csv
import io
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields, replace
from pathlib import Path

import torch

from unrolled.checkpoints import load_model
from unrolled.coding import COMPRESSORS, compressed_bits
from unrolled.corpus import load_corpus, split
from unrolled.course.ladder import Rung
from unrolled.evaluation import log_probs
from unrolled.metrics import bits_per_token
from unrolled.mixtures import fit_weights, mix
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.spelling import SpelledWords
from unrolled.vocab import Vocab, character_stream

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "lib" / "unrolled" / "data"
TABLE = DATA / "ladder.csv"
SECTION = "8.3"


def bits(log_probs) -> float:
    """Mean bits per character."""
    return bits_per_token(-log_probs.sum().item(), len(log_probs))


class Text:
    """The book, its fixed parts, and log probabilities on them."""

    def __init__(self, stream: str) -> None:
        """Split the stream and number its characters."""
        self.stream = stream
        parts = split(stream)
        self.train_text, self.valid_text, self.test_text = parts
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


def best_counting(text: Text):
    """The models of the best counting mixture: [(valid, test), ...].

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
        return bits(mix(both, fit_weights(both)))

    pair = min(itertools.combinations(orders, 2), key=score)
    return [text.spelled_words(), *(orders[order] for order in pair)]


def mixed(models) -> float:
    """Test bits of a mixture whose weights the validation part chose."""
    shared = [min(len(pair[i]) for pair in models) for i in (0, 1)]
    on_valid = [valid[-shared[0] :] for valid, _ in models]
    on_test = [test[-shared[1] :] for _, test in models]
    return bits(mix(on_test, fit_weights(on_valid)))


def counting_rungs(text: Text) -> list[Rung]:
    """Every row of section 8.3."""
    size = len(text.vocab)
    found = {f"uniform over {size} symbols": math.log2(size)}
    for order in range(1, 8):
        lm = NgramLM(order, size, 1.0).fit(text.train).tuned(text.valid)
        found[f"{order}-gram, characters"] = bits(text.along(lm)[1])
    seven = KneserNeyLM(7, size).fit(text.train)
    found["Kneser-Ney, 7-gram"] = bits(text.along(seven)[1])
    models = best_counting(text)
    found["two Kneser-Neys"] = mixed(models[1:])
    found["trigram of words, spelled"] = bits(models[0][1])
    found["best counting model"] = mixed(models)
    rungs = [
        Rung(
            name,
            b,
            "train",
            SECTION,
            "baseline" if name.startswith("uniform") else "counting",
        )
        for name, b in found.items()
    ]
    before = text.train_text + text.valid_text
    for name in COMPRESSORS:
        added = compressed_bits(text.test_text, before, name)
        share = added / len(text.test_text)
        rungs.append(
            Rung(name, share, "train and validation", SECTION, "compressor")
        )
    return rungs


def network_rungs(text: Text) -> list[Rung]:
    """Rows of section 8.5, from the stored networks."""
    held = len(text.valid) + len(text.test)
    rungs, along = [], None
    for layers, name in ((1, "one layer"), (2, "two layers")):
        network, vocab = load_model(DATA / f"rnn_{layers}_layer.safetensors")
        # the last 1,000 training characters warm the state up
        ids = torch.tensor(vocab[list(text.stream[-held - 1000 :])])
        scores = log_probs(network, ids)[-held:]
        along = scores[: len(text.valid)], scores[-len(text.test) :]
        rungs.append(
            Rung(f"RNN, {name}", bits(along[1]), "train", "8.5", "network")
        )
    both = mixed([*best_counting(text), along])
    last = Rung("RNN and counting", both, "train", "8.5", "mixture")
    return [*rungs, last]


def write_ladder(rungs: Sequence[Rung], path: Path) -> None:
    """Write the table, bits with four digits after the point."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([field.name for field in fields(Rung)])
    for rung in rungs:
        writer.writerow(astuple(replace(rung, bits=f"{rung.bits:.4f}")))
    # as bytes, so that no machine changes the ends of lines
    path.write_bytes(table.getvalue().encode())


def main() -> None:
    """Fit everything and write the table."""
    text = Text(character_stream(load_corpus()))
    rungs = counting_rungs(text) + network_rungs(text)
    write_ladder(sorted(rungs, key=lambda rung: -rung.bits), TABLE)
    for rung in rungs:
        print(f"{rung.name:28s} {rung.bits:.4f}")


if __name__ == "__main__":
    main()
