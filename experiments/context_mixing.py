"""What each part of context mixing is worth: one is left out at a time.

    python experiments/context_mixing.py    (about five minutes on one core)

Every model reads the training part, learning counts and weights. *Frozen*,
its counts then stay as they are while the validation part sets its weights,
and on the test part nothing is learned. *Learning*, counts and weights go on
through both. *Frozen later* learns through the validation part and nothing
after it. All settings were chosen on the validation part. Bits per character
go to the library's data folder.
"""

import sys
import time

import numpy as np
import torch

from storing import DATA, store
from unrolled import context_mixing
from unrolled.context_mixing import KINDS, ContextMixingLM
from unrolled.corpus import load_corpus, split
from unrolled.metrics import bits_per_token
from unrolled.vocab import Vocab, character_stream

STORED = DATA / "context_mixing.json"


class CountingAll(ContextMixingLM):
    """Every context counts every token, without update exclusion."""

    def _count(self, token):
        """One more of this token, and less of all where counts fade."""
        for kind, family in self.families().items():
            for context in family:
                row = self._counts.setdefault(
                    (kind, context), np.zeros(self.vocab_size, np.float32)
                )
                if kind == "recent":
                    row *= context_mixing.FADING
                row[token] += 1


def without(kind):
    """The kinds of contexts that are left."""
    return tuple(other for other in KINDS if other != kind)


TWO = ("characters", "words")
# name -> class, sets of weights, and what is set otherwise than usual
CASES = {
    "all of it": (ContextMixingLM, 9, {}),
    **{
        f"without {kind}": (ContextMixingLM, 9, {"kinds": without(kind)})
        for kind in KINDS
    },
    "characters alone": (ContextMixingLM, 9, {"kinds": ("characters",)}),
    "orders 1 to 6": (ContextMixingLM, 9, {"order": 6}),
    "one set of weights": (ContextMixingLM, 1, {}),
    "weights stay 1": (ContextMixingLM, 9, {"learning_rate": 0.0}),
    "characters and words": (ContextMixingLM, 9, {"kinds": TWO}),
    "characters and words, weights 1": (
        ContextMixingLM,
        9,
        {"kinds": TWO, "learning_rate": 0.0},
    ),
    "without update exclusion": (CountingAll, 9, {}),
}


def score(case, parts, vocab):
    """Bits per character: {way: [validation, test]}, and the seconds."""
    kind, places, settings = CASES[case]
    train, valid, test = parts
    usual, context_mixing.PLACES = context_mixing.PLACES, places
    before = time.process_time()
    try:
        lm = kind(len(vocab), vocab[" "], **settings).fit(train)
        trained, here = lm.weights.copy(), lm.history
        frozen = {"counts": False, "weights": False}
        found = {
            "frozen": [lm.read(valid, counts=False), lm.read(test, **frozen)]
        }
        lm.weights, lm.history = trained, here
        on_valid, here = lm.read(valid), lm.history
        later = lm.read(test, **frozen)
        lm.history = here
        found["learning"] = [on_valid, lm.read(test)]
        found["frozen later"] = [on_valid, later]
    finally:
        context_mixing.PLACES = usual
    bits = {
        way: [round(bits_per_token(-p.sum().item(), len(p)), 4) for p in two]
        for way, two in found.items()
    }
    return bits, time.process_time() - before


def text_parts():
    """The three parts of the book as ids, and the vocabulary."""
    stream = character_stream(load_corpus())
    vocab = Vocab(list(split(stream)[0]))
    return split(torch.tensor(vocab[list(stream)])), vocab


def main() -> None:
    """Score every case and store the table."""
    parts, vocab = text_parts()
    runs = {}
    for case in CASES:
        runs[case], seconds = score(case, parts, vocab)
        print(f"{case}: {runs[case]}, {seconds:.0f} s", file=sys.stderr)
    content = {
        "order of the numbers": ["validation", "test"],
        "runs": runs,
    }
    store(STORED, content, made_with="numpy")


if __name__ == "__main__":
    main()
