"""A source with a known floor, many times: networks, tables, samples.

    python experiments/source.py        (about four minutes on one core)

Section 8.4's chain over three symbols, in which the next one depends on the
last two, and a second one that is less certain. Networks of several seeds,
on section 8.4's text and on new ones, beside a bigram and a trigram model:
bits, and the total variation distance from the rule after each pair. Results
are in lib/unrolled/data/source.json, which section 8.4 shows.
"""

import math
import time

import torch

from storing import DATA, store
from unrolled.batches import SequenceLoader
from unrolled.markov import MarkovChain
from unrolled.ngrams import NgramLM
from unrolled.rnn import RNNLM, scoring
from unrolled.training import train

LN2 = math.log(2)
RESULTS = DATA / "source.json"
SETTINGS = {
    "exponents": [3, 1],  # of uniform numbers: 3 is section 8.4's source
    "fitted": 40_000,
    "unseen": 20_000,
    "epochs": 20,
    "starts": ["section 8.4's", "torch's"],
    "texts": {"section 8.4's": 5, "new ones": 5},  # networks on each
    "samples": 1000,
}


def seeded(seed: int, kind: int) -> torch.Generator:
    """A generator of its own for each number and kind of use."""
    return torch.Generator().manual_seed(seed + 1000 * kind)


def started(start: str, generator: torch.Generator) -> RNNLM:
    """A network with section 8.4's weights, or torch.nn.RNN's."""
    scales = {"input_scale": 1, "recurrent_scale": 0.1, "output_scale": 0.1}
    network = RNNLM(3, 32, **scales, generator=generator)
    if start == "torch's":  # uniform within 1 / sqrt(h)
        with torch.no_grad():
            for values in network.parameters():
                uniform = torch.rand(values.shape, generator=generator)
                values.copy_((2 * uniform - 1) / math.sqrt(32))
    return network


class Source:
    """Section 8.4's source of three symbols, and texts drawn from it."""

    def __init__(self, exponent: int) -> None:
        """The rule after each pair of symbols, from seed 8."""
        self.generator = torch.Generator().manual_seed(8)
        self.rules = torch.rand(
            9, 3, generator=self.generator, dtype=torch.float64
        )
        self.rules = self.rules**exponent
        self.rules /= self.rules.sum(dim=1, keepdim=True)
        transition = torch.zeros(9, 9, dtype=torch.float64)
        for pair in range(9):
            for c in range(3):
                transition[pair, 3 * (pair % 3) + c] = self.rules[pair, c]
        self.chain = MarkovChain(transition)

    def bits(self, laws, symbols) -> float:
        """Bits per symbol from the third on: all have seen two by then.

        laws: (n, 3), what each place says of the next symbol.
        """
        picked = laws[1:-1].gather(1, symbols[2:, None])
        return round(-picked.log().mean().item() / LN2, 5)

    def distances(self, laws, pairs) -> list:
        """Mean total variation from the rule after each of nine pairs."""
        # at the first place a network has seen one symbol only
        apart = (laws - self.rules[pairs]).abs().sum(1)[1:] / 2
        pairs = pairs[1:]
        means = [apart[pairs == pair].mean().item() for pair in range(9)]
        return [round(value, 5) for value in means]


def run_one(source, pairs, start, generator, epochs=None) -> dict:
    """A network and two tables of counts, fitted on one text."""
    seen = pairs[: SETTINGS["fitted"]] % 3
    pairs = pairs[SETTINGS["fitted"] :]
    unseen = pairs % 3
    network = started(start, generator)
    loader = SequenceLoader(seen, 32, 25, generator=generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    epochs = epochs or SETTINGS["epochs"]
    train(
        network,
        loader,
        epochs,
        optimizer,
        schedule=lambda done: 1 - done,
        progress=False,
    )
    with scoring(network):
        laws = network(unseen[None])[0][:, 0].double().softmax(-1)
    laws = {"the source": source.rules[pairs], "network": laws}
    for name, order in (("bigram", 2), ("trigram", 3)):
        table = NgramLM(order, 3, 1.0).fit(seen)
        rows = [table.distribution([p // 3, p % 3]) for p in range(9)]
        laws[name] = torch.stack(rows)[pairs]
    return {
        "bits": {n: source.bits(law, unseen) for n, law in laws.items()},
        "distance": {
            name: source.distances(law, pairs)
            for name, law in laws.items()
            if name != "the source"
        },
    }


def run() -> list[dict]:
    """Networks on the page's text and on new ones, for both sources."""
    found = []
    for exponent in SETTINGS["exponents"]:
        source = Source(exponent)
        length = SETTINGS["fitted"] + SETTINGS["unseen"]
        page = source.chain.sample(length, generator=source.generator)
        own = []
        for seed in range(SETTINGS["samples"]):
            pairs = source.chain.sample(
                SETTINGS["unseen"], generator=seeded(seed, 1)
            )
            own.append(source.bits(source.rules[pairs], pairs % 3))
        texts = {
            "section 8.4's": [page] * SETTINGS["texts"]["section 8.4's"],
            "new ones": [
                source.chain.sample(length, generator=seeded(seed, 2))
                for seed in range(SETTINGS["texts"]["new ones"])
            ],
        }
        runs = [
            {"text": name, "start": start, "seed": seed}
            | run_one(source, pairs, start, seeded(seed, 3))
            for name, drawn in texts.items()
            for start in SETTINGS["starts"]
            for seed, pairs in enumerate(drawn)
        ]
        share = source.chain.stationary().tolist()
        own = torch.tensor(own, dtype=torch.float64)
        row = {
            "exponent": exponent,
            "entropy rate": round(source.chain.entropy_rate() / LN2, 5),
            "share of each pair": [round(s, 5) for s in share],
            "own score": {
                "mean": round(own.mean().item(), 5),
                "standard deviation": round(own.std().item(), 5),
            },
        }
        print(row, flush=True)
        found.append(row | {"runs": runs})
    return found


def main() -> None:
    """Run it and store it."""
    start = time.process_time()
    content = {
        "settings": SETTINGS,
        "sources": run(),
        "cpu_seconds": round(time.process_time() - start),
    }
    store(RESULTS, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
