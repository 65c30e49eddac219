"""Networks that learn while they read, and the finished mixture.

    python experiments/finished_mixture.py reading     how fast to learn
    python experiments/finished_mixture.py mixture     all models as one

(between the two: experiments/recall.py networks)

*Reading*: each stored network goes through the validation part with several
rates; with the one that is best there, through validation and test part. The
*mixture* multiplies powers of what context mixing says and the networks, each
with its memory of states (recall.py). Fitted before: counts, parameters and
memories are those of the training part, and no power changes after the
validation part. Learning: all of them go on, but for the transformer, which
only reads. Settings are chosen on the validation part. Results are in
lib/unrolled/data/finished_mixture.json; appendix C shows them.
"""

import json
import math
import sys
import time

import numpy as np
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
    "LSTM, untaught": "lstm_untaught",
    "transformer": "transformer",
}
RATES = (6e-6, 1.2e-5, 2.4e-5, 4.8e-5, 9.6e-5)
DECAY = 1e-3
STAYS = ("transformer",)  # read frozen only: a step of it costs too much
SEGMENT = 20
WARM = 1000  # training characters that a network reads first
BLOCK = 1000  # test characters whose bits are stored as one sum
WAYS = ("frozen", "learning")
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


def stored_model(name: str):
    """A network with its stored parameters."""
    return load_model(DATA / f"{FILES[name]}.safetensors")[0]


def laws_of(model, book: Book):
    """ln P of every character, at each place of both parts: (n, V)."""
    return read(model, book.warm, segment=WARM)[WARM - 1 :]


def frozen_laws(name: str, book: Book):
    """As ``laws_of``, by a stored network."""
    return laws_of(stored_model(name), book)


def learning_laws(
    name: str, book: Book, rate: float, length: int | None = None
):
    """As ``frozen_laws``, by a network that learns while it reads.

    length: of how many characters; all, if None.
    """
    model = stored_model(name)
    ids = book.warm if length is None else book.warm[: WARM + length]
    laws = read(
        model,
        ids,
        rate=rate,
        decay=DECAY,
        segment=SEGMENT,
        sizes=gradient_sizes(model, book.train),
    )
    return laws[WARM - 1 :]


def counting_laws(book: Book, networks: dict):
    """Context mixing: rows fitted before, rows that learn, and one control.

    The control is ln P with the networks' rows among the inputs of context
    mixing, fitted before; their weights start at 0.
    """
    lm = ContextMixingLM(len(book.vocab), book.vocab[" "]).fit(book.train)
    weights, history = lm.weights.copy(), lm.history

    def rows(learns):
        lm.weights, lm.history = weights.copy(), history
        for place, token in enumerate(book.held.tolist()):
            yield lm.predict().log()
            moves = learns or place < len(book.valid)
            lm.update(token, counts=learns, weights=moves)

    frozen = torch.stack(list(rows(False)))
    lm.num_extra, lm.history = len(networks), history
    none = np.zeros((len(weights), len(networks)))
    lm.weights = np.concatenate([weights, none], 1)
    inputs, n = torch.stack(list(networks.values()), 1), len(book.valid)
    fitted = lm.read(book.valid, counts=False, extra=inputs[:n])
    still = {"counts": False, "weights": False}
    control = [fitted, lm.read(book.test, **still, extra=inputs[n:])]
    lm.num_extra = 0
    return frozen, torch.stack(list(rows(True))), torch.cat(control)


def read_stored() -> dict:
    """What is stored so far."""
    if not STORED.exists():
        return {"tried": [], "reading": {}, "mixture": {}}
    content = json.loads(STORED.read_text("utf-8"))
    return {key: content[key] for key in ("tried", "reading", "mixture")}


def tried_one(name: str, book: Book, rate: float) -> dict:
    """A network that learns at this rate, on the validation part."""
    start = time.process_time()
    laws = learning_laws(name, book, rate, len(book.valid))
    (bits,) = book.bits(book.picked(laws))
    seconds = round(time.process_time() - start)
    row = {"name": name, "rate": rate, "valid_bits": bits}
    print(row, flush=True)
    return {**row, "cpu_seconds": seconds}


def reading() -> None:
    """The rate of each network, and what it gains by reading."""
    book, content = Book(), read_stored()
    names = [n for n in FILES if (DATA / f"{FILES[n]}.safetensors").exists()]
    for name in names:
        before = book.picked(frozen_laws(name, book))
        row = {"frozen": book.bits(before)}
        stored = content["reading"].get(name)
        if stored and stored["frozen"] == row["frozen"]:
            continue  # the same network as then
        content["tried"] = [t for t in content["tried"] if t["name"] != name]
        row["frozen blocks"] = book.blocks(before)
        if name not in STAYS:
            tried = [tried_one(name, book, rate) for rate in RATES]
            best = min(tried, key=lambda one: one["valid_bits"])
            after = book.picked(learning_laws(name, book, best["rate"]))
            row["rate"], row["learning"] = best["rate"], book.bits(after)
            row["learning blocks"] = book.blocks(after)
            content["tried"] += tried
        content["reading"][name] = row
        print(name, row["frozen"], row.get("learning"), flush=True)
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


def all_laws(book: Book):
    """Rows of ln P with the memories, the same without, and the control.

    The first two: {"frozen": {name: rows}, "learning": {name: rows}}.
    """
    from recall import remembered  # which itself imports this file

    alone, found = {}, {}
    for way in WAYS:
        alone[way], found[way] = {}, {}
        for name, row in read_stored()["reading"].items():
            learns = way == "learning" and "rate" in row
            own = (
                learning_laws(name, book, row["rate"])
                if learns
                else frozen_laws(name, book)
            )
            alone[way][name] = own
            memory = "frozen" if way == "frozen" else "steps"
            found[way][name] = remembered(name, book, own, memory)
    *counted, control = counting_laws(book, alone["frozen"])
    for way, rows in zip(WAYS, counted, strict=True):
        alone[way] = {COUNTING: rows, **alone[way]}
        found[way] = {COUNTING: rows, **found[way]}
    return found, alone, control


def without(laws: dict, *names: str) -> dict:
    """What is left."""
    return {name: rows for name, rows in laws.items() if name not in names}


def mixture() -> None:
    """All of it, and without each part."""
    book, content = Book(), read_stored()
    laws, alone, control = all_laws(book)
    content["mixture"] = {"networks as inputs": book.bits(control)}
    for way in WAYS:
        learns, own = way == "learning", laws[way]
        cases = {"all of it": own}
        cases |= {f"without {name}": without(own, name) for name in own}
        cases["without any memory"] = alone[way]
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
        content["mixture"][way] = rows = {}
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
        store(STORED, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:]:
        {"reading": reading, "mixture": mixture}[part]()
