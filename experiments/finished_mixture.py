"""Networks that learn while they read, and the finished mixture.

    python experiments/finished_mixture.py reading     how fast to learn
    python experiments/finished_mixture.py mixture     all models as one

*Reading*: each stored network goes through the validation part with several
rates; with the one that is best there, through validation and test part. The
*mixture* multiplies powers of what context mixing and the networks say. Fitted
before: no count, no parameter and no power changes after the validation part.
Learning: all of them go on. Everything is chosen on the validation part.
Results are in lib/unrolled/data/finished_mixture.json; appendix C shows them.
"""

import json
import math
import sys
import time

import torch

from storing import DATA, store
from unrolled.checkpoints import load_model
from unrolled.context_mixing import ContextMixingLM
from unrolled.reading import gradient_sizes, multiply, read
from whole_book import parts

STORED = DATA / "finished_mixture.json"
FILES = {
    "RNN, one layer": "rnn_1_layer",
    "RNN, two layers": "rnn_2_layer",
    "GRU": "gru",
    "LSTM": "lstm",
    "transformer": "transformer",
}
RATES = (6e-6, 1.2e-5, 2.4e-5, 4.8e-5)
DECAYS = (1e-3, 4e-3)
SEGMENT = 20
WARM = 1000  # training characters that a network reads first
BLOCK = 1000  # test characters whose bits are stored as one sum
COUNTING, SHARE = "context mixing", 0.75  # its power at the start
RATE = 1e-3  # of the powers


class Book:
    """The parts of the book, and how to score rows of ln P on two of them."""

    def __init__(self) -> None:
        """Read it."""
        self.vocab, self.train, self.valid, self.test = parts()
        self.held = torch.cat([self.valid, self.test])
        self.warm = torch.cat([self.train[-WARM:], self.held])

    def picked(self, laws):
        """ln P of the characters of both parts, or of the first of them."""
        return laws.gather(1, self.held[: len(laws), None])[:, 0]

    def bits(self, log_probs) -> list[float]:
        """Bits per character: of the validation, and of the test part."""
        n = len(self.valid)
        two = [part for part in (log_probs[:n], log_probs[n:]) if len(part)]
        return [round(-p.mean().item() / math.log(2), 4) for p in two]

    def blocks(self, log_probs) -> list[float]:
        """Bits of each thousand characters of the test part, summed.

        The last sum takes what is left.
        """
        rows = -log_probs[len(self.valid) :] / math.log(2)
        *sums, last = (block.sum().item() for block in rows.split(BLOCK))
        sums[-1] += last
        return [round(bits, 1) for bits in sums]


def reader(name: str, book: Book):
    """A stored network, and how large its gradients usually are."""
    model, _ = load_model(DATA / f"{FILES[name]}.safetensors")
    return model, gradient_sizes(model, book.train)


def frozen_laws(name: str, book: Book):
    """ln P of every character, at each place of both parts: (n, V)."""
    model, _ = load_model(DATA / f"{FILES[name]}.safetensors")
    return read(model, book.warm, segment=WARM)[WARM - 1 :]


def learning_laws(name: str, book: Book, rate: float, decay: float):
    """As ``frozen_laws``, by a network that learns while it reads."""
    model, sizes = reader(name, book)
    settings = {"rate": rate, "decay": decay, "segment": SEGMENT}
    return read(model, book.warm, sizes=sizes, **settings)[WARM - 1 :]


def counting_laws(book: Book):
    """The rows of context mixing: fitted before, and learning."""
    lm = ContextMixingLM(len(book.vocab), book.vocab[" "]).fit(book.train)
    weights, history, found = lm.weights.copy(), lm.history, []
    for learns in (False, True):
        lm.weights, lm.history, rows = weights.copy(), history, []
        for place, token in enumerate(book.held.tolist()):
            rows.append(lm.predict().log())
            moves = learns or place < len(book.valid)
            lm.update(token, counts=learns, weights=moves)
        found.append(torch.stack(rows))
    return found


def read_stored() -> dict:
    """What is stored so far."""
    if not STORED.exists():
        return {"tried": [], "reading": {}, "mixture": {}}
    content = json.loads(STORED.read_text("utf-8"))
    return {key: content[key] for key in ("tried", "reading", "mixture")}


def reading() -> None:
    """The rate and the decay of each network, and what reading gives it."""
    book, content = Book(), read_stored()
    names = [n for n in FILES if (DATA / f"{FILES[n]}.safetensors").exists()]
    for name in names:
        if name in content["reading"]:
            continue
        model, sizes = reader(name, book)
        upto, rows = book.warm[: -len(book.test)], []
        for rate in RATES:
            for decay in DECAYS:
                start = time.process_time()
                laws = read(
                    model,
                    upto,
                    rate=rate,
                    decay=decay,
                    segment=SEGMENT,
                    sizes=sizes,
                )[WARM - 1 :]
                (bits,) = book.bits(book.picked(laws))
                seconds = round(time.process_time() - start)
                rows.append(
                    {
                        "name": name,
                        "rate": rate,
                        "decay": decay,
                        "valid_bits": bits,
                        "cpu_seconds": seconds,
                    }
                )
                print(rows[-1], flush=True)
        chosen = min(rows, key=lambda row: row["valid_bits"])
        before = book.picked(frozen_laws(name, book))
        after = book.picked(
            learning_laws(name, book, chosen["rate"], chosen["decay"])
        )
        content["tried"] += rows
        content["reading"][name] = {
            "rate": chosen["rate"],
            "decay": chosen["decay"],
            "frozen": book.bits(before),
            "learning": book.bits(after),
            "frozen blocks": book.blocks(before),
            "learning blocks": book.blocks(after),
        }
        print(name, book.bits(before), book.bits(after), flush=True)
        store(STORED, content)


def mixed(book: Book, laws: dict, learns: bool, rate: float = RATE):
    """ln P of the product of all laws on both parts, and its powers."""
    others = max(1, len(laws) - (COUNTING in laws))
    share = (1 - SHARE) / others if COUNTING in laws else 1 / others
    start = [SHARE if name == COUNTING else share for name in laws]
    learn = None if learns else len(book.valid)
    return multiply(
        list(laws.values()), book.held, start, rate=rate, learn=learn
    )


def all_laws(book: Book) -> dict:
    """{"frozen": {name: rows}, "learning": {name: rows}}."""
    frozen, learning = counting_laws(book)
    found = {"frozen": {COUNTING: frozen}, "learning": {COUNTING: learning}}
    for name, row in read_stored()["reading"].items():
        found["frozen"][name] = frozen_laws(name, book)
        found["learning"][name] = learning_laws(
            name, book, row["rate"], row["decay"]
        )
    return found


def without(laws: dict, *names: str) -> dict:
    """What is left."""
    return {name: rows for name, rows in laws.items() if name not in names}


def mixture() -> None:
    """All of it, and without each part."""
    book, content = Book(), read_stored()
    laws = all_laws(book)
    content["mixture"] = {}
    for way, learns in (("frozen", False), ("learning", True)):
        own = laws[way]
        cases = {"all of it": own}
        cases |= {f"without {name}": without(own, name) for name in own}
        cases["without any network"] = {COUNTING: own[COUNTING]}
        if learns:
            networks = without(laws["frozen"], COUNTING)
            cases["networks that do not learn"] = {
                COUNTING: own[COUNTING],
                **networks,
            }
            cases["counts that do not learn"] = {
                **own,
                COUNTING: laws["frozen"][COUNTING],
            }
        rows = {}
        for case, chosen in cases.items():
            scores, powers = mixed(book, chosen, learns)
            rows[case] = {"bits": book.bits(scores)}
            if case == "all of it":
                rows[case]["blocks"] = book.blocks(scores)
                rows[case]["powers"] = dict(
                    zip(
                        chosen,
                        [round(p, 3) for p in powers.tolist()],
                        strict=True,
                    )
                )
            print(way, case, rows[case]["bits"], flush=True)
        content["mixture"][way] = rows
        store(STORED, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:]:
        {"reading": reading, "mixture": mixture}[part]()
