"""Networks with a memory of states: what it is worth, and beside what.

    python experiments/recall.py networks    each stored network
    python experiments/recall.py controls    other states, counts for a memory
    python experiments/recall.py seeds       three seeds, trained for it

The temperature is chosen on the first 4,000 characters of the validation
part, the share of the memory on all of it. *Fitted before*: the memory grows
to the end of the validation part and then stays as it is. *Learning*: it
grows on. *Steps*: the network learns while it reads (finished_mixture.py)
beside a memory of the states that it had without. Results are in
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
from unrolled.mixtures import fit_weights, mix
from unrolled.ngrams import KneserNeyLM
from unrolled.recall import recall, states_of

STORED = DATA / "recall.json"
PARTS = ("networks", "controls", "seeds")
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
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
        self.starts = len(book.train), len(book.train) + len(book.valid)
        self.size = len(book.vocab)
        self.states = states_of(model, self.ids)

    def laws(self, start, end, temperature, grows=True):
        """P of ids[start:end]: (end - start, V)."""
        return recall(
            self.states[:end],
            self.ids[:end],
            start,
            vocab_size=self.size,
            temperature=temperature,
            grows=grows,
        )

    def ways(self, temperature: float) -> dict:
        """{"frozen", "learning"}: P at each place of both parts: (n, V)."""
        valid, test = self.starts
        first = self.laws(valid, test, temperature)
        end = len(self.ids)
        return {
            way: torch.cat([first, self.laws(test, end, temperature, grows)])
            for way, grows in (("frozen", False), ("learning", True))
        }


def chosen_temperature(memory: Memory, own) -> tuple[float, dict]:
    """The best on the first of the validation part, and bits for each.

    own: ln P of those characters by the network itself.
    """
    valid, _ = memory.starts
    tried = {}
    for temperature in TEMPERATURES:
        laws = memory.laws(valid, valid + SHORT, temperature)
        ids = memory.ids[valid : valid + SHORT, None]
        both = [own[:SHORT], laws.gather(1, ids)[:, 0].log()]
        scores = mix(both, fit_weights(both))
        tried[temperature] = round(-scores.mean().item() / math.log(2), 4)
    return min(tried, key=tried.get), tried


def joined(book: Book, own, other) -> tuple[dict, float]:
    """A network and another source as one; the share of the other.

    own, other: ln P of the characters of both parts.
    """
    n = len(book.valid)
    weights = fit_weights([own[:n], other[:n]])
    scores = mix([own, other], weights)
    row = {
        "share": round(weights[1], 3),
        "bits": book.bits(scores),
        "blocks": book.blocks(scores),
    }
    return row, weights[1]


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
        row[way], _ = joined(book, own, recalled)
    if learning is not None:
        row["steps alone"] = {"bits": book.bits(learning)}
        row["steps"], _ = joined(book, learning, recalled)
    return row


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

    Kneser-Ney has read what a memory has that was fitted before, context
    mixing what one has that grows.
    """
    size, n = len(book.vocab), len(book.valid)
    tuned = KneserNeyLM(12, size).fit(book.train).tuned(book.valid)
    both = torch.cat([book.train, book.valid])
    lm = KneserNeyLM(12, size, tuned.discounts).fit(both)
    all_ids = torch.cat([book.train, book.held])
    by_kneser_ney = torch.cat(
        [
            tuned.log_probs(all_ids)[-len(book.held) :][:n],
            lm.log_probs(all_ids)[-len(book.test) :],
        ]
    )
    mixing = ContextMixingLM(size, book.vocab[" "]).fit(book.train)
    return {
        "Kneser-Ney": by_kneser_ney,
        "context mixing, learning": mixing.read(book.held),
    }


def controls() -> None:
    """Counts in place of a memory; states of a network without training."""
    book = Book()
    for source, scores in counted(book).items():
        keep("controls", source, {"bits": book.bits(scores)})
        for name in FILES:
            own = book.picked(frozen_laws(name, book))
            row, _ = joined(book, own, scores)
            keep("controls", f"{name}, {source}", row)
    for name in OTHERS:
        trained = stored_model(name)
        model = type(trained)(
            trained.vocab_size,
            trained.num_hiddens,
            trained.num_layers,
            generator=torch.Generator().manual_seed(0),
        )
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
