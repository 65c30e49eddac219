"""How many bits does a character cost, if a model reads subwords?

    python experiments/subwords.py        (about a minute on one core)

Merges are learned on the training part of the book alone. For each number of
them the three parts are cut into tokens, counting models of orders 1 to 5
are fitted on the training part, and the held-out parts are scored in bits
per *character*: the bits of all their tokens, divided by how many characters
they hold. The validation part chooses; the chosen model is scored on the
test part, once. Results are in lib/unrolled/data/subwords.json, which
section 8.2a shows.

Each part is encoded by itself. A model reads the tokens of the parts before,
then those of its own part, which spell exactly the characters of the part,
wherever it begins. Where it begins inside a word, or after the space before
a word, the tokens at the seam are not those of the whole text; what that
costs is measured.

The probability of a text is taken as that of the one way in which the
encoder cuts it. Other ways have some too, so the bits are an upper bound;
``all_cuts`` adds them all up, on a passage, and of the chosen model on the
whole validation part. A cut always ends where the text does: what
tokens that reach beyond its end would add is left out in both.
"""

import itertools
import math
import time
from collections import defaultdict
from collections.abc import Sequence

import torch

from storing import DATA, store
from unrolled.corpus import load_corpus, split
from unrolled.metrics import bits_per_token
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.subwords import all_tokens, encode, learn_merges
from unrolled.vocab import Vocab, character_stream

STORED = DATA / "subwords.json"
MERGES = (0, 50, 100, 200, 500, 1000, 2000, 4000)
ORDERS = (1, 2, 3, 4, 5)
LONGER = (6, 8, 10)  # beside the choice: what characters need to keep up
PASSAGE = 2000  # characters, on which all cuts are added up
KINDS = ("smoothed", "Kneser-Ney", "Kneser-Ney, tuned")


class CutText:
    """The parts of the book as tokens, for one list of merges."""

    def __init__(self, stream: str, merges: Sequence) -> None:
        """Encode each part by itself and number the tokens."""
        self.texts = split(stream)
        self.merges = merges
        self.vocab = Vocab(all_tokens(self.texts[0], merges))
        self.parts = [self.ids(text) for text in self.texts]

    def ids(self, text: str) -> torch.Tensor:
        """The tokens of a text, numbered."""
        return torch.tensor(self.vocab[encode(text, self.merges)])

    def fitted(self, kind: str, order: int):
        """A counting model of the training part."""
        size = len(self.vocab)
        if kind == "smoothed":
            lm = NgramLM(order, size, 1.0)
        else:
            lm = KneserNeyLM(order, size)
        lm = lm.fit(self.parts[0])
        return lm if kind == "Kneser-Ney" else lm.tuned(self.parts[1])

    def bits(self, lm, part: int) -> float:
        """Bits per character of part 1 (validation) or 2 (test)."""
        read = torch.cat(self.parts[: part + 1])
        scored = lm.log_probs(read)[-len(self.parts[part]) :]
        return bits_per_token(-scored.sum().item(), len(self.texts[part]))

    def seam(self, lm, part: int) -> float:
        """Bits that the seam before a part costs: two texts against one.

        Everything up to the end of the part is scored, with that part
        encoded by itself and together with what precedes it.
        """
        before, until = "".join(self.texts[:part]), self.texts[part]
        apart = torch.cat([self.ids(before), self.ids(until)])
        nll = [
            -lm.log_probs(ids).sum().item()
            for ids in (apart, self.ids(before + until))
        ]
        return (nll[0] - nll[1]) / math.log(2)

    def seam_tokens(self, part: int, around: int = 3) -> list[str]:
        """The last tokens before a part and its first ones."""
        before, after = self.parts[part - 1], self.parts[part]
        near = torch.cat([before[-around:], after[:around]])
        return self.vocab.to_tokens(near)


def rounded(bits: float) -> float:
    """Four digits after the point."""
    return round(bits, 4)


def scores(cut: CutText, orders: Sequence[int] = ORDERS) -> dict:
    """Validation bits per character: {kind: [of each order]}."""
    return {
        kind: [
            rounded(cut.bits(cut.fitted(kind, order), 1)) for order in orders
        ]
        for kind in KINDS
    }


def words(cut: CutText, test: list[str]) -> dict:
    """What becomes of words: tokens for each, how many are one token.

    test: running words; each has a space before it.
    """
    tokens = encode("".join(" " + word for word in test), cut.merges)
    begins = [token.startswith(" ") for token in tokens] + [True]
    whole = sum(a and b for a, b in itertools.pairwise(begins))
    size = len(cut.parts[0])
    return {
        "vocabulary": len(cut.vocab),
        "training tokens": size,
        "characters per token": rounded(len(cut.texts[0]) / size),
        "tokens never seen": len(cut.vocab) - len(set(cut.parts[0].tolist())),
        "tokens per word": rounded(len(tokens) / len(test)),
        "words of one token": rounded(whole / len(test)),
        "unknown tokens": cut.vocab[tokens].count(0),
    }


def unknown_words(train: list[str], test: list[str]) -> dict:
    """Test words that the training part lacks, and the first long ones."""
    seen = set(train)
    new = [word for word in test if word not in seen]
    long = dict.fromkeys(word for word in new if len(word) >= 8)
    return {
        "running words": len(test),
        "unknown": len(new),
        "share": rounded(len(new) / len(test)),
        "examples": list(long)[:3],
    }


def all_cuts(lm, vocab: Vocab, before: list[int], text: str) -> float:
    """ln P(text | the tokens before): the sum over every way to cut it.

    A way to cut is a sequence of tokens of the vocabulary that joins to the
    text. They are added up from left to right, those that end at one place
    with the same last tokens together: for a model of order n the last
    n - 1 tokens are all that matters of the past.
    """
    numbers = {vocab.to_tokens(i): i for i in range(1, len(vocab))}
    longest = max(map(len, numbers))
    # ways[place]: {last tokens: ln P of all cuts of text[:place]}
    ways = [defaultdict(list) for _ in range(len(text) + 1)]
    ways[0][tuple(before[len(before) - lm.order + 1 :])] = [0.0]
    for place in range(len(text)):
        ends = {
            end: numbers[text[place:end]]
            for end in range(place + 1, min(place + longest, len(text)) + 1)
            if text[place:end] in numbers
        }
        for last, logs in ways[place].items():
            total = log_sum(logs)
            law = lm.distribution(list(last)).log().numpy()
            for end, token in ends.items():
                ways[end][(*last, token)[1:]].append(total + law[token])
        ways[place].clear()  # nothing comes back to it
    return log_sum([log for logs in ways[-1].values() for log in logs])


def log_sum(logs: list[float]) -> float:
    """ln of the sum of exp(logs), without underflow."""
    most = max(logs)
    return most + math.log(sum(math.exp(log - most) for log in logs))


def left_out(cut: CutText, kind: str, order: int, length: int) -> dict:
    """Bits per character of a validation passage, one cut and all cuts.

    length: so many characters and the rest of a word, so that the one cut
    is that of the whole part; 0 takes all of it.
    """
    text = cut.texts[1]
    text = text[: text.index(" ", length)] if length else text
    lm, ids = cut.fitted(kind, order), cut.ids(text)
    assert torch.equal(ids, cut.parts[1][: len(ids)])
    before = cut.parts[0][-order:]
    one = -lm.log_probs(torch.cat([before, ids]))[order - 1 :].sum().item()
    every = -all_cuts(lm, cut.vocab, before.tolist(), text)
    return {
        "kind": kind,
        "order": order,
        "characters": len(text),
        "one cut": rounded(bits_per_token(one, len(text))),
        "all cuts": rounded(bits_per_token(every, len(text))),
    }


def best(grid: dict) -> tuple[int, str, int]:
    """Number of merges, kind and order with the fewest validation bits."""
    _, merges, kind, order = min(
        (bits, int(merges), kind, order)
        for merges, kinds in grid.items()
        for kind, row in kinds.items()
        for order, bits in zip(ORDERS, row, strict=True)
    )
    return merges, kind, order


def row(cut: CutText, test: list[str], new: list[str]) -> dict:
    """All that is stored of one number of merges, but for the scores."""
    return {
        "longer, tuned": [
            rounded(cut.bits(cut.fitted(KINDS[2], order), 1))
            for order in LONGER
        ],
        "words": words(cut, test),
        "examples": [encode(" " + word, cut.merges) for word in new],
        "left out": [
            left_out(cut, KINDS[2], order, PASSAGE) for order in (1, 2, 3, 5)
        ],
    }


def final(cut: CutText, kind: str, order: int) -> dict:
    """The chosen model: both parts, its seams, all cuts of validation."""
    lm = cut.fitted(kind, order)
    return {
        "merges": len(cut.merges),
        "kind": kind,
        "order": order,
        "validation": rounded(cut.bits(lm, 1)),
        "test": rounded(cut.bits(lm, 2)),
        "seams": [
            {"tokens": cut.seam_tokens(i), "bits": rounded(cut.seam(lm, i))}
            for i in (1, 2)
        ],
        "left out": left_out(cut, kind, order, 0),
    }


def main() -> None:
    """Run everything and store it."""
    stream = character_stream(load_corpus())
    merges = learn_merges(split(stream)[0], MERGES[-1])
    learned = time.process_time()
    # these parts are those of 8.2, cut between words
    train, _, test = split(stream.split())
    unknown = unknown_words(train, test)
    grid, rows = {}, {}
    for n in MERGES:
        cut = CutText(stream, merges[:n])
        grid[n], rows[n] = scores(cut), row(cut, test, unknown["examples"])
        print(n, grid[n], rows[n], flush=True)
    chosen, *model = best(grid)
    content = {
        "orders": ORDERS,
        "validation bits": grid,
        "chosen": final(CutText(stream, merges[:chosen]), *model),
        "longer orders": LONGER,
        "unknown words": unknown,
        "first merges": merges[:10],
        "rows": rows,
        # of one processor, the import of torch included
        "seconds": {
            "merges": round(learned, 1),
            "all": round(time.process_time()),
        },
    }
    store(STORED, content)


if __name__ == "__main__":
    main()
