"""Networks with a memory of states: what it is worth, and beside what.

    python experiments/recall.py networks    each stored network
    python experiments/recall.py controls    other states, counts for a memory
    python experiments/recall.py seeds       three seeds, trained for it

The temperature is chosen on the first 4,000 characters of the validation
part, the share of the memory on all of it. *Frozen*: the memory holds the
training part. *Growing*: it takes in what has been read, too. *Steps*: the
network learns while it reads (finished_mixture.py) beside a memory that
grows, of the states that it has without. Results are in
lib/unrolled/data/recall.json; appendix C shows them.
"""

import json
import math
import sys

import torch

import gates
from finished_mixture import (
    FILES,
    STAYS,
    Book,
    frozen_laws,
    laws_of,
    learning_laws,
    read_stored,
    stored_model,
)
from storing import DATA, store
from unrolled.context_mixing import ContextMixingLM
from unrolled.memory import recall, states_of
from unrolled.mixtures import fit_weights, mix
from unrolled.ngrams import KneserNeyLM

STORED = DATA / "recall.json"
PARTS = ("networks", "controls", "seeds")
TEMPERATURES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SHORT = 4000  # characters that choose among them
OTHERS = ("GRU", "LSTM, untaught")  # whose states are also left untrained
SEEDED = ("GRU", "LSTM")


def read_results() -> dict:
    """What is stored so far."""
    content = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    return {part: content.get(part, {}) for part in PARTS}


def keep(part: str, name: str, row: dict) -> None:
    """Add a result to what is stored."""
    print(part, name, row, flush=True)
    results = read_results()
    results[part][name] = row
    store(STORED, results)


class Memory:
    """What a network's states recall, on both parts of the book."""

    def __init__(self, model, book: Book) -> None:
        """Read the whole book once."""
        self.ids = torch.cat([book.train, book.held])
        self.start = len(book.train)
        self.size = len(book.vocab)
        self.states = states_of(model, self.ids)

    def laws(self, temperature, length=None, grows=True):
        """P of the first so many characters of both parts: (length, V)."""
        end = len(self.ids) if length is None else self.start + length
        return recall(
            self.states[:end],
            self.ids[:end],
            self.start,
            vocab_size=self.size,
            temperature=temperature,
            grows=grows,
        )

    def ways(self, temperature: float) -> dict:
        """{"frozen", "growing"}: P at each place of both parts: (n, V)."""
        return {
            "frozen": self.laws(temperature, grows=False),
            "growing": self.laws(temperature),
        }


def chosen_temperature(memory: Memory, own) -> tuple[float, dict]:
    """The best on the first of the validation part, and bits for each.

    Beyond the ends of TEMPERATURES where one of them is the best.

    own: ln P of those characters by the network itself.
    """
    tried, ids = {}, memory.ids[memory.start :][:SHORT, None]
    waiting = list(TEMPERATURES)
    for temperature in waiting:
        laws = memory.laws(temperature, SHORT)
        both = [own[:SHORT], laws.gather(1, ids)[:, 0].log()]
        scores = mix(both, fit_weights(both))
        tried[temperature] = round(-scores.mean().item() / math.log(2), 4)
        if temperature == waiting[-1]:  # the best is not to be the last tried
            best = min(tried, key=tried.get)
            if best == min(tried):
                waiting.append(best / 2)
            elif best == max(tried):
                waiting.append(2 * best)
    return best, dict(sorted(tried.items()))


def joined(book: Book, own, other) -> dict:
    """A network and another source as one.

    own, other: ln P of the characters of both parts.
    """
    n = len(book.valid)
    weights = fit_weights([own[:n], other[:n]])
    scores = mix([own, other], weights)
    return {
        "share": round(weights[1], 3),
        "bits": book.bits(scores),
        "blocks": book.blocks(scores),
    }


def remembering(model, book: Book, own, learning=None) -> dict:
    """All results of one network.

    own, learning: ln P of the characters of both parts, by the network as it
    is, and by one that learns while it reads.
    """
    memory = Memory(model, book)
    temperature, tried = chosen_temperature(memory, own)
    row = {
        "temperature": temperature,
        "tried": tried,
        "alone": {"bits": book.bits(own), "blocks": book.blocks(own)},
    }
    for way, laws in memory.ways(temperature).items():
        recalled = book.picked(laws).log()
        row[way] = joined(book, own, recalled)
    if learning is not None:
        row["steps alone"] = {"bits": book.bits(learning)}
        row["steps"] = joined(book, learning, recalled)
    return row


def remembered(name: str, book: Book, own, way: str):
    """ln P at each place of both parts, (n, V), of a network with a memory.

    own: such rows of the network itself. way: "frozen" or "steps".
    """
    row = read_results()["networks"][name]
    share = row.get(way, row["growing"])["share"]
    recalled = Memory(stored_model(name), book).laws(
        row["temperature"], grows=way != "frozen"
    )
    return ((1 - share) * own.exp() + share * recalled).log()


def networks() -> None:
    """Every stored network that has no result yet."""
    book, rates = Book(), read_stored()["reading"]
    for name in FILES:
        if name in read_results()["networks"]:
            continue
        model, learning = stored_model(name), None
        if name not in STAYS:
            laws = learning_laws(name, book, rates[name]["rate"])
            learning = book.picked(laws)
        own = book.picked(frozen_laws(name, book))
        keep("networks", name, remembering(model, book, own, learning))


def counted(book: Book) -> dict:
    """ln P of the characters of both parts by models that count.

    Kneser-Ney has read what a frozen memory holds, context mixing what one
    that grows does.
    """
    size, n = len(book.vocab), len(book.held)
    lm = KneserNeyLM(12, size).fit(book.train).tuned(book.valid)
    mixing = ContextMixingLM(size, book.vocab[" "]).fit(book.train)
    return {
        "Kneser-Ney": lm.log_probs(torch.cat([book.train, book.held]))[-n:],
        "context mixing, learning": mixing.read(book.held),
    }


def controls() -> None:
    """Counts in place of a memory; states of a network without training."""
    book = Book()
    for source, scores in counted(book).items():
        keep("controls", source, {"bits": book.bits(scores)})
        for name in FILES:
            own = book.picked(frozen_laws(name, book))
            row = joined(book, own, scores)
            keep("controls", f"{name}, {source}", row)
    for name in OTHERS:
        trained = stored_model(name)
        model = type(trained)(
            trained.vocab_size,
            trained.num_hiddens,
            trained.num_layers,
            input_scale=gates.ONE["input_scale"],  # as training began
            generator=torch.Generator().manual_seed(0),
        )
        if f"{name}, untrained states" not in read_results()["controls"]:
            own = book.picked(frozen_laws(name, book))
            row = remembering(model, book, own)
            keep("controls", f"{name}, untrained states", row)


def seeds() -> None:
    """The settings of the equal budget, each from three seeds."""
    book = Book()
    for kind in SEEDED:
        setting = gates.settings(kind, gates.best(kind, gates.EQUAL)["number"])
        for seed in gates.SEEDS:
            name = f"{kind}, seed {seed}"
            if name in read_results()["seeds"]:
                continue
            model, _ = gates.run(
                kind, setting, seed, book.train, book.valid, len(book.vocab)
            )
            model = model.half().float().eval()  # as they would be stored
            own = book.picked(laws_of(model, book))
            keep("seeds", name, remembering(model, book, own))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:]:
        {"networks": networks, "controls": controls, "seeds": seeds}[part]()
