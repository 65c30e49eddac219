"""Which way does a truncated gradient point, on average?

    python experiments/bias.py          (about four minutes on one core; what
                                        is stored is not run again)

The gradient of W_hh over passages of the training part, cut off after a
fixed number of steps, or at random places with what is handed on weighted up,
so that the mean is right (Tallec and Ollivier 2017), beside the full one. One
passage says little: what is compared is the mean over many, with products of
different passages only, since both kinds share the noise of each passage.
Results are in lib/unrolled/data/bias.json, for appendix B.
"""

import itertools
import json
import math

import torch
from torch.nn.functional import one_hot

from storing import DATA, store
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import load_model
from unrolled.corpus import load_corpus, split
from unrolled.schedules import cosine
from unrolled.stacked import StackedRNNLM
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

RESULTS = DATA / "bias.json"
SETTINGS = {
    "hidden": 128,
    "rows": 16,
    "window": 64,
    "rate": 2e-3,
    "characters": 400,  # of a passage
    "passages": 340,
    "first": 24,  # the number whose plain mean is shown beside
    "cuts": [1, 5, 10, 35],
    "random": [5, 10, 35],  # mean number of steps
    "networks": {  # input scale, epochs of training
        "before training": [3, 0],
        "after one epoch": [3, 1],
        "after four epochs": [3, 4],
        "before training, inputs 0.1": [0.1, 0],
        "after four epochs, inputs 0.1": [0.1, 4],
    },
    "seeds": [0, 1, 2],  # of the networks
    "stored": 88,  # passages of the built-in story, for the stored network
    "resamples": 1000,
}


def texts() -> tuple[int, torch.Tensor, torch.Tensor]:
    """The vocabulary's size, the ids of the training part and the story."""
    train_text = split(character_stream(load_corpus()))[0]
    vocab = Vocab(list(train_text))
    story = character_stream(load_corpus("builtin"))
    train_ids, story = (
        torch.tensor(vocab[list(text)]) for text in (train_text, story)
    )
    return len(vocab), train_ids, story


def made(vocab_size, ids, scale, epochs, seed) -> StackedRNNLM:
    """One layer, orthogonal at the start, trained as in ``truncation``."""
    generator = torch.Generator().manual_seed(seed)
    model = StackedRNNLM(
        vocab_size,
        SETTINGS["hidden"],
        input_scale=scale,
        generator=generator,
    )
    if epochs:
        loader = SequenceLoader(
            ids, SETTINGS["rows"], SETTINGS["window"], generator=generator
        )
        optimizer = torch.optim.Adam(
            model.parameters(), lr=SETTINGS["rate"], betas=(0.9, 0.99)
        )
        train(
            model, loader, epochs, optimizer, schedule=cosine, progress=False
        )
    return model


def gradients(model, passages, keep) -> torch.Tensor:
    """The gradient of W_hh for each passage, as it is cut: (n, h * h).

    passages: (n, T + 1). keep: (T, n, 1), what the gradient that step t + 1
    hands back to step t is multiplied by: 1 for all is the full gradient.
    """
    tensors = (model.W_in[0], model.W_hh[0], model.b_h[0])
    tensors = (*tensors, model.W_hq, model.b_q)
    W_xh, W_hh, b_h, W_hq, b_q = (p.detach().double() for p in tensors)
    ids, labels = passages.T[:-1], passages.T[1:]
    states = [W_xh.new_zeros(len(passages), len(W_hh))]
    for row in ids:
        states.append(torch.tanh(W_xh[row] + b_h + states[-1] @ W_hh))
    states = torch.stack(states)
    error = (states[1:] @ W_hq + b_q).softmax(-1)
    G = (error - one_hot(labels, len(W_xh))) @ W_hq.T / len(ids)
    D = torch.zeros_like(G)
    handed_back = torch.zeros_like(G[0])
    for t in reversed(range(len(G))):
        D[t] = (G[t] + keep[t] * handed_back) * (1 - states[t + 1] ** 2)
        handed_back = D[t] @ W_hh.T
    return torch.einsum("tni,tnj->nij", states[:-1], D).flatten(1)


def cutting(kind: str, steps: int, n: int, generator) -> torch.Tensor:
    """What is handed back at each step of n passages: see ``gradients``."""
    T = SETTINGS["characters"]
    if kind == "full":
        return torch.ones(T, n, 1).double()
    if kind == "cut":  # the windows are steps 0 to steps - 1, and so on
        last = torch.arange(1, T + 1) % steps == 0
        return (~last).double()[:, None, None].expand(T, n, 1)
    kept = 1 - 1 / steps
    drawn = torch.rand(T, n, 1, generator=generator, dtype=torch.float64)
    return (drawn < kept) / kept


def compared(full, other) -> dict:
    """Two kinds of gradient of the same passages, (n, size) each.

    Products of different passages only, so that the noise that both kinds
    share does not count: an estimate of what the means over infinitely many
    would be. Intervals: the jackknife's standard error.
    """
    n, first = len(full), SETTINGS["first"]
    pairs = {"ff": full @ full.T, "fo": full @ other.T, "oo": other @ other.T}
    own = {name: gram.diagonal() for name, gram in pairs.items()}
    crossed = {
        name: gram.sum() - own[name].sum() for name, gram in pairs.items()
    }
    less = {
        name: crossed[name] - gram.sum(0) - gram.sum(1) + 2 * own[name]
        for name, gram in pairs.items()
    }

    def cosine_of(sums):
        return sums["fo"] / (sums["ff"] * sums["oo"]).sqrt()

    each = cosine_of(less)
    error = ((n - 1) * each.var(correction=0)).sqrt()
    mean = {name: value / n / (n - 1) for name, value in crossed.items()}
    noise = own["ff"].mean() - mean["ff"]
    bias = mean["ff"] + mean["oo"] - 2 * mean["fo"]
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(
        n, (SETTINGS["resamples"], first), generator=generator
    )
    plain = torch.stack(
        [
            cosine_of({k: g[rows][:, rows].sum() for k, g in pairs.items()})
            for rows in drawn
        ]
    )
    low, middle, high = plain.quantile(
        torch.tensor([0.05, 0.5, 0.95]).double()
    )
    alone = cosine_of(own).mean()
    norms = own["ff"].sqrt()
    two = (pairs["ff"] / norms / norms[:, None]).sum() - n
    found = {
        "cosine of means": cosine_of(crossed),
        "standard error": error,
        "cosine of means of 24": middle,
        "its 5 %": low,
        "its 95 %": high,
        "cosine of one passage": alone,
        "cosine of two full ones": two / n / (n - 1),
        "bias / length of the mean": bias.clamp(min=0).sqrt()
        / mean["ff"].sqrt(),
        "noise / length of the mean": (noise / mean["ff"]).sqrt(),
        "variance / that of the full": (own["oo"].mean() - mean["oo"]) / noise,
    }
    numbers = {name: value.item() for name, value in found.items()}
    # where the mean is too small beside the noise, a root of what is below 0
    return {
        name: round(x, 4) if math.isfinite(x) else None
        for name, x in numbers.items()
    }


def every_passage(model, passages, kind, steps) -> torch.Tensor:
    """The gradients of all passages, a few at a time: (n, h * h)."""
    generator = torch.Generator().manual_seed(1)
    found = [
        gradients(model, some, cutting(kind, steps, len(some), generator))
        for some in passages.split(20)
    ]
    return torch.cat(found)


def passages_of(ids, number) -> torch.Tensor:
    """The first passages of a text, each with one label more: (n, T + 1)."""
    length = SETTINGS["characters"]
    first = torch.arange(number)[:, None] * length
    return ids[first + torch.arange(length + 1)]


def every_cut(model, passages) -> dict:
    """{cut: comparison with the full gradient}."""
    full, found = every_passage(model, passages, "full", 0), {}
    for kind, key in (("cut", "cuts"), ("random", "random")):
        for steps in SETTINGS[key]:
            other = every_passage(model, passages, kind, steps)
            row = found[f"{kind}, {steps}"] = compared(full, other)
            print(kind, steps, row, flush=True)
    return found


def run_one(name, seed, number=SETTINGS["passages"]) -> dict:
    """One network with every cut."""
    vocab_size, ids, _ = texts()
    model = made(vocab_size, ids, *SETTINGS["networks"][name], seed)
    cuts = every_cut(model, passages_of(ids, number))
    return {"network": name, "seed": seed, "cuts": cuts}


def stored() -> dict:
    """The one-layer network of 8.5a, on a story that it does not know."""
    model, _ = load_model(DATA / "rnn_1_layer.safetensors")
    return every_cut(model, passages_of(texts()[2], SETTINGS["stored"]))


def main() -> None:
    """Run what is not yet stored, the stored network anew; store as it goes.

    The stored network is that of the day, so it is run each time.
    """
    rows, story = [], stored()
    if RESULTS.exists():
        rows = json.loads(RESULTS.read_text("utf-8"))["networks"]
    done = {(row["network"], row["seed"]) for row in rows}
    wanted = itertools.product(SETTINGS["networks"], SETTINGS["seeds"])
    left = [network for network in wanted if network not in done]
    for number, network in enumerate([None, *left]):
        if network is not None:
            rows.append(run_one(*network))
        content = {
            "settings": SETTINGS,
            "networks": rows,
            "stored network": story,
            "networks left": len(left) - number,
        }
        store(RESULTS, content)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
