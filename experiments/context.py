"""How much of its context do the ladder's networks use?

    python experiments/context.py        (a few minutes on one core)

Every fifth character of the test part, predicted from the last 1, 2, ... 100
characters only, by the two stored networks and, beside them, by Kneser-Ney.
A network that is cut off starts from some state: zeros, which it hardly ever
saw in training, the mean state, the state after another passage, or the mean
of what it predicts after several other passages. Results are in
lib/unrolled/data/context.json, which section 8.4 shows.
"""

import math
import time

import torch

from storing import DATA, store
from unrolled.checkpoints import load_model
from unrolled.corpus import load_corpus, split
from unrolled.evaluation import log_probs
from unrolled.ngrams import KneserNeyLM
from unrolled.rnn import scoring
from unrolled.vocab import character_stream

RESULTS = DATA / "context.json"
SETTINGS = {
    "lengths": [1, 2, 3, 5, 10, 20, 50, 100],  # characters of context
    "every": 5,  # of the characters of the test part
    "order": 12,  # of Kneser-Ney: at most 11 characters of context
    "passages": 2000,  # of the training part, whose states are borrowed
    "passage": 64,  # characters
    "borrowed": 4,  # states whose predictions are averaged
}


def last_log_probs(model, ids, places, length, state) -> torch.Tensor:
    """ln P of all tokens at the places, from ``length`` ids: (n, V)."""
    inside = torch.arange(-length, 0)
    found = []
    with scoring(model):
        for some, begin in zip(
            places.split(250), state.split(250, dim=-2), strict=True
        ):
            logits, _ = model(ids[some[:, None] + inside], begin)
            found.append(logits[-1].double().log_softmax(-1))
    return torch.cat(found)


def borrowed_states(model, ids, generator) -> torch.Tensor:
    """The state after each of many passages of a text: (..., n, h)."""
    length = SETTINGS["passage"]
    first = torch.randint(
        len(ids) - length, (SETTINGS["passages"],), generator=generator
    )
    with scoring(model):
        return model(ids[first[:, None] + torch.arange(length)])[1]


def cut_scores(model, ids, places, pool, length, generator) -> dict:
    """ln P of what came, (n,), from a short context and each start."""
    tokens = ids[places][:, None]

    def scores(state):
        found = last_log_probs(model, ids, places, length, state)
        return found.gather(1, tokens)[:, 0]

    def another():
        drawn = (len(places),)
        chosen = torch.randint(pool.shape[-2], drawn, generator=generator)
        return scores(pool[..., chosen, :])

    zeros = model.begin_state(len(places))
    several = torch.stack([another() for _ in range(SETTINGS["borrowed"])])
    return {
        "zeros": scores(zeros),
        "the mean state": scores(zeros + pool.mean(-2, keepdim=True)),
        "another passage's": several[0],
        "several passages'": several.exp().mean(0).log(),
    }


def in_bits(scores: torch.Tensor, full: torch.Tensor) -> dict:
    """Bits per character; what they lack, with its standard error.

    From means over blocks of 50 scored characters in a row.
    """
    lacking = (full - scores) / math.log(2)
    blocks = torch.stack([b.mean() for b in lacking.split(50)[:-1]])
    return {
        "bits": round(-scores.mean().item() / math.log(2), 4),
        "above full": round(lacking.mean().item(), 4),
        "standard error": round(blocks.std().item() / len(blocks) ** 0.5, 4),
    }


def texts(vocab) -> tuple[torch.Tensor, ...]:
    """Train, validation and all ids; the places that are scored."""
    ids = torch.tensor(vocab[list(character_stream(load_corpus()))])
    train_ids, valid_ids, test_ids = split(ids)
    first = len(ids) - len(test_ids)
    places = torch.arange(first, len(ids), SETTINGS["every"])
    return train_ids, valid_ids, ids, places


def of_network(layers: int, lengths=SETTINGS["lengths"]) -> dict:
    """A stored network: {length: {start: score}}."""
    model, vocab = load_model(DATA / f"rnn_{layers}_layer.safetensors")
    train_ids, _, ids, places = texts(vocab)
    generator = torch.Generator().manual_seed(layers)
    pool = borrowed_states(model, train_ids, generator)
    full = log_probs(model, ids)[places - 1]
    rows = {"all": {"zeros": in_bits(full, full)}}
    for length in lengths:
        scores = cut_scores(model, ids, places, pool, length, generator)
        rows[str(length)] = {
            start: in_bits(score, full) for start, score in scores.items()
        }
        print(layers, length, rows[str(length)], flush=True)
    return rows


def of_counting(order=SETTINGS["order"], lengths=SETTINGS["lengths"]) -> dict:
    """Kneser-Ney of one order, cut short, and of lower orders."""
    _, vocab = load_model(DATA / "rnn_1_layer.safetensors")
    train_ids, valid_ids, ids, places = texts(vocab)
    contexts = [ids[place - order + 1 : place].tolist() for place in places]
    longest, rows = order - 1, {}
    for length in [longest, *(x for x in lengths[::-1] if x < longest)]:
        lm = KneserNeyLM(length + 1, len(vocab)).fit(train_ids)
        lm = lm.tuned(valid_ids)
        fitted = lm.log_probs(ids)[places - 1]
        if length == longest:
            whole, full = lm, fitted
        cut = [
            whole.prob(context[longest - length :], token)
            for context, token in zip(
                contexts, ids[places].tolist(), strict=True
            )
        ]
        rows[str(length)] = {
            "fitted anew": in_bits(fitted, full),
            "cut short": in_bits(torch.tensor(cut).double().log(), full),
        }
        print("Kneser-Ney", length, rows[str(length)], flush=True)
    return rows


def main() -> None:
    """Run it and store it."""
    start = time.process_time()
    content = {
        "settings": SETTINGS,
        "models": {
            "one layer": of_network(1),
            "two layers": of_network(2),
            "Kneser-Ney": of_counting(),
        },
        "cpu_seconds": round(time.process_time() - start),
    }
    store(RESULTS, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
