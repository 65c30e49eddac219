"""How far back does a gradient reach? Input scale times recurrent start.

    python experiments/reach.py     (about ten minutes on one core; what
                                    is stored is not run again)

Appendix B's measure: the loss at one character, and what each earlier step
contributes to the gradient of W_hh, as a share of the nearest step's, the
median over 50 places of the built-in story. For networks before training of
128 and 512 units, those of 128 units after training on the book, and the
stored one. Beside it what is said to explain it: singular values,
eigenvalues, slopes of tanh; and the same gradient with the slopes set to 1 on
the way back. Results are in lib/unrolled/data/reach.json.
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
from unrolled.rnn import RNNLM
from unrolled.schedules import cosine
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

RESULTS = DATA / "reach.json"
SETTINGS = {
    "input_scales": [0.01, 0.1, 1, 3],
    "recurrent": [
        "Gaussian, 0.01",
        "Gaussian, 1.0 / sqrt h",
        "Gaussian, 1.1 / sqrt h",
        "Gaussian, 1.5 / sqrt h",
        "orthogonal",
        "torch.nn.RNN's",  # uniform within 1 / sqrt(h)
    ],
    "hidden": [128, 512],
    # epochs and Adam's rate, of 128 units: of all starts; of some of them
    "trained": {"epochs": 4, "rate": 2e-3, "recurrent": None},
    "longer": {
        "epochs": 8,
        "rate": 8e-3,
        "recurrent": ["orthogonal", "torch.nn.RNN's"],
    },
    "rows": 16,
    "window": 64,
    "seeds": [0, 1, 2],
    "steps": 100,
    "places": 50,
    "back": [1, 2, 3, 5, 7, 10, 15, 20, 35, 50, 70, 90],
    "back, slopes 1": [10, 35],
    "factor": [5, 35],  # steps back between which a factor is measured
}


def made(vocab_size: int, hidden: int, recurrent: str, scale, seed) -> RNNLM:
    """A network before training; one seed draws one W_xh for all scales."""
    root = math.sqrt(hidden)
    generator = torch.Generator().manual_seed(seed)
    model = RNNLM(
        vocab_size,
        hidden,
        input_scale=scale,
        recurrent_scale=1,
        output_scale=1 / root,
        generator=generator,
    )
    with torch.no_grad():
        W = model.W_hh
        if recurrent == "orthogonal":
            W.copy_(torch.linalg.qr(W)[0])
        elif recurrent == "torch.nn.RNN's":
            W.uniform_(-1 / root, 1 / root, generator=generator)
        else:
            size = recurrent.removeprefix("Gaussian, ")
            W.mul_(float(size.removesuffix(" / sqrt h")))
            W.div_(root if "sqrt" in size else 1)
    return model


def deltas(last, slopes, W_hh) -> torch.Tensor:
    """All D_t, (T, n, h), of a loss at the last step only.

    last: its gradient for H_T, (n, h). slopes: (T, n, h), of tanh.
    """
    found, handed_back = [], last
    for slope in slopes.flip(0):
        found.append(handed_back * slope)
        handed_back = found[-1] @ W_hh.T
    return torch.stack(found).flip(0)


def contributions(before, D) -> torch.Tensor:
    """Of each step to the gradient of W_hh, nearest first, as a share of it.

    The median over places. The norm of an outer product is the product of
    the norms.
    """
    norms = (before.norm(dim=-1) * D.norm(dim=-1)).flip(0)
    typical = norms.quantile(0.5, dim=1)
    return typical / typical[0]


def factor(share) -> float:
    """By how much a contribution changes with each step further back."""
    near, far = SETTINGS["factor"]
    return rounded((share[far] / share[near]) ** (1 / (far - near)), 4)


def rounded(value, digits: int) -> float:
    """To so many digits that count: some numbers are very small."""
    return float(f"{value:.{digits}g}")


def reach(tensors: list, story) -> dict:
    """What one network does on the story; ``tensors`` in double precision.

    Three ways back: as it is; with all slopes set to 1; with each place's
    slopes dealt out among the units at random, other ones at every step.
    """
    W_xh, W_hh, b_h, W_hq, b_q = (p.detach().double() for p in tensors)
    T, n = SETTINGS["steps"], SETTINGS["places"]
    windows = story[: n * T].reshape(n, T).T
    states = [W_xh.new_zeros(n, len(W_hh))]
    for ids in windows:
        states.append(torch.tanh(W_xh[ids] + b_h + states[-1] @ W_hh))
    states = torch.stack(states)
    labels = story[T : n * T + 1 : T]
    error = (states[-1] @ W_hq + b_q).softmax(-1)
    last = (error - one_hot(labels, len(W_xh))) @ W_hq.T
    before, slopes = states[:-1], 1 - states[1:] ** 2
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(slopes.shape, generator=generator).argsort(-1)
    share, of_ones, of_shuffled = (
        contributions(before, deltas(last, way, W_hh))
        for way in (
            slopes,
            torch.ones_like(slopes),
            slopes.gather(-1, order),
        )
    )
    numbers = {
        "mean slope": slopes.mean(),
        "rms slope": slopes.square().mean().sqrt(),
        "rms weight": W_hh.norm() / math.sqrt(len(W_hh)),
        "largest eigenvalue": torch.linalg.eigvals(W_hh).abs().max(),
        "largest singular value": torch.linalg.matrix_norm(W_hh, 2),
    }
    few = of_ones[SETTINGS["back, slopes 1"]]
    return {
        "share": [rounded(x, 3) for x in share[SETTINGS["back"]]],
        "share, slopes 1": [rounded(x, 3) for x in few],
        "factor": factor(share),
        "factor, slopes 1": factor(of_ones),
        "factor, slopes shuffled": factor(of_shuffled),
        **{name: round(x.item(), 4) for name, x in numbers.items()},
    }


def trained(model, ids, seed, epochs) -> float:
    """Train it on the book, in place; its last training bits."""
    ways = (SETTINGS["trained"], SETTINGS["longer"])
    (way,) = (way for way in ways if way["epochs"] == epochs)
    generator = torch.Generator().manual_seed(100 + seed)
    loader = SequenceLoader(
        ids, SETTINGS["rows"], SETTINGS["window"], generator=generator
    )
    optimizer = torch.optim.Adam(
        model.parameters(), lr=way["rate"], betas=(0.9, 0.99)
    )
    history = train(
        model, loader, epochs, optimizer, schedule=cosine, progress=False
    )
    return round(math.log2(history.train[-1]), 4)


WEIGHTS = ("rms weight", "largest eigenvalue", "largest singular value")


def rules(rows: list[dict]) -> dict:
    """How well weight x slope predicts the factor per step, over all rows."""
    found = {}
    real = torch.tensor([row["factor"] for row in rows]).log()
    for weight, slope in itertools.product(WEIGHTS, ("rms", "mean")):
        said = [row[weight] * row[f"{slope} slope"] for row in rows]
        said = torch.tensor(said).log()
        off = (said - real).exp()
        correlation = torch.stack([real, said]).corrcoef()[0, 1]
        found[f"{weight} x {slope} slope"] = {
            "correlation": round(correlation.item(), 4),
            "least ratio": round(off.min().item(), 3),
            "largest ratio": round(off.max().item(), 3),
        }
    return found


def nilpotent() -> dict:
    """Products of Jacobians of two networks whose eigenvalues are all 0.

    A chain of 32 units, each of which hands 1.5 times itself on to the next,
    with slopes of 1: it grows, and is 0 after 32 steps. And two units with
    tanh, one of them held at 0 by its input, the other at 1.
    """
    chain = torch.diag(torch.full((31,), 1.5).double(), 1)
    two = torch.tensor([[2.0, 2.0], [-2.0, -2.0]]).double()
    state, inputs = torch.tensor([[0.0, 1.0], [2.0, 42.0]]).double()
    product, norms = torch.eye(2).double(), []
    for _ in range(50):
        state = torch.tanh(inputs + state @ two)
        product = product @ two @ torch.diag(1 - state**2)
        norms.append(product.norm().item())
    steps = [1, 5, 10, 20, 31, 32, 50]
    powers = [torch.linalg.matrix_power(chain, s) for s in steps]
    return {
        "steps": steps,
        "chain": [
            float(f"{torch.linalg.matrix_norm(p, 2).item():.4g}")
            for p in powers
        ],
        "two units": [float(f"{norms[s - 1]:.4g}") for s in steps],
    }


def cells():
    """Hidden units, recurrent start, seed, input scale, epochs, of all."""
    kinds = [(hidden, 0, None) for hidden in SETTINGS["hidden"]]
    for way in (SETTINGS["trained"], SETTINGS["longer"]):
        kinds.append((128, way["epochs"], way["recurrent"]))
    for hidden, epochs, starts in kinds:
        for recurrent in starts or SETTINGS["recurrent"]:
            for seed in SETTINGS["seeds"]:
                for scale in SETTINGS["input_scales"]:
                    yield hidden, recurrent, seed, scale, epochs


def run_one(data, hidden, recurrent, seed, scale, epochs) -> dict:
    """One cell of the grid."""
    story, ids, vocab = data
    model = made(len(vocab), hidden, recurrent, scale, seed)
    bits = trained(model, ids, seed, epochs) if epochs else None
    return {
        "hidden": hidden,
        "recurrent": recurrent,
        "input_scale": scale,
        "seed": seed,
        "epochs": epochs,
        "training_bits": bits,
        **reach(list(model.parameters()), story),
    }


def texts() -> tuple[torch.Tensor, torch.Tensor, Vocab]:
    """The built-in story, the training part of the book, the vocabulary."""
    train_text = split(character_stream(load_corpus()))[0]
    vocab = Vocab(list(train_text))
    story = character_stream(load_corpus("builtin"))
    return (
        torch.tensor(vocab[list(story)]),
        torch.tensor(vocab[list(train_text)]),
        vocab,
    )


def store_all(rows, data) -> None:
    """Write the rows, the stored network's, and how well rules predict."""
    story, _, vocab = data
    stored, its_vocab = load_model(DATA / "rnn_1_layer.safetensors")
    assert its_vocab.to_tokens([*range(28)]) == vocab.to_tokens([*range(28)])
    first = (stored.W_in[0], stored.W_hh[0], stored.b_h[0])
    content = {
        "settings": SETTINGS,
        "columns": list(rows[0]),
        "rows": [list(row.values()) for row in rows],
        "stored": reach([*first, stored.W_hq, stored.b_q], story),
        "rules": {
            str(epochs): rules([r for r in rows if r["epochs"] == epochs])
            for epochs in sorted({row["epochs"] for row in rows})
        },
        "all eigenvalues 0": nilpotent(),
        "cells left": len(list(cells())) - len(rows),
    }
    store(RESULTS, content)


def main() -> None:
    """Run what is not yet stored; store after every tenth cell."""
    rows, data = [], texts()
    if RESULTS.exists():
        there = json.loads(RESULTS.read_text("utf-8"))
        rows = [
            dict(zip(there["columns"], row, strict=True))
            for row in there["rows"]
        ]
    keys = "hidden", "recurrent", "seed", "input_scale", "epochs"
    done = {tuple(row[key] for key in keys) for row in rows}
    left = [cell for cell in cells() if cell not in done]
    for number, cell in enumerate(left, start=1):
        rows.append(run_one(data, *cell))
        print(cell, rows[-1]["factor"], flush=True)
        if number % 10 == 0:
            store_all(rows, data)
    store_all(rows, data)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
