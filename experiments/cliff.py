"""The cliff of a loss, and one step on it with and without the clip.

    python experiments/cliff.py        (about ten seconds on one core)

Two direct computations. A single tanh unit that feeds itself for 50 steps
(after Pascanu, Mikolov and Bengio, 2013, whose unit was a sigmoid): its loss
over its two parameters, one descent that comes to the cliff, and descents
from many starts, at several learning rates. Then the network of section 8.5
with recurrent weights at 1: the loss of a minibatch along the direction of
the update that throws it away. Results are in lib/unrolled/data/cliff.json.
"""

import copy
import itertools
import math

import torch
from torch.nn.functional import cross_entropy

from storing import DATA, store
from unrolled.batches import SequenceLoader
from unrolled.corpus import load_corpus
from unrolled.rnn import RNNLM
from unrolled.training import clip_gradients
from unrolled.vocab import Vocab, character_stream

STORED = DATA / "cliff.json"
STEPS, START, TARGET = 50, 0.5, 0.7  # of the unit; its first state; h_50
SHOWN = ((0.5, 2.5), (-1.0, 0.5))  # w and b of the picture, and of starts
DESCENT, THETA = 500, 1.0  # steps of gradient descent; the clip
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
NUM_STARTS = 400
FROM = (1.5, -0.4)  # where the descent of the picture starts
SHORT = 40  # places of its path that are stored
NEAR = 0.01  # a loss below it counts as arrived


def loss_of(w, b):
    """(h_50 - 0.7)^2 of h_t = tanh(w h_{t-1} + b), elementwise."""
    h = torch.full_like(w, START)
    for _ in range(STEPS):
        h = torch.tanh(w * h + b)
    return (h - TARGET) ** 2


def gradient_of(w, b):
    """Loss and gradient (2, n) at n points."""
    w, b = w.detach().requires_grad_(), b.detach().requires_grad_()
    loss = loss_of(w, b)
    return loss.detach(), torch.stack(torch.autograd.grad(loss.sum(), (w, b)))


def descend(points, rate, theta, num_steps=DESCENT):
    """Gradient descent of n points at once, clipped each by itself.

    points: (2, n). Returns places (num_steps + 1, 2, n), losses of the same
    places and the norms of gradients there (num_steps + 1, n).
    """
    places, losses, norms = [], [], []
    for _ in range(num_steps + 1):
        loss, gradient = gradient_of(*points)
        norm = gradient.norm(dim=0)
        places.append(points)
        losses.append(loss)
        norms.append(norm)
        points = points - rate * gradient * (theta / norm).clamp(max=1)
    return torch.stack(places), torch.stack(losses), torch.stack(norms)


def short(values):
    """Numbers of a tensor, four digits that count."""
    if isinstance(values, float):
        return float(f"{values:.4g}")
    return [short(value) for value in values.tolist()]


def surface(width=61, height=46):
    """The loss over a grid of w (rows) and b (columns)."""
    axes = [
        torch.linspace(*limits, number)
        for limits, number in zip(SHOWN, (width, height), strict=True)
    ]
    w, b = torch.meshgrid(*axes, indexing="ij")
    return {
        "w": short(axes[0]),
        "b": short(axes[1]),
        "loss": [short(row) for row in loss_of(w, b)],
    }


def one_descent(rate=0.1):
    """From one start, with the clip and without: the paths."""
    start = torch.tensor(FROM)[:, None]
    found = {"rate": rate, "theta": THETA}
    for name, theta in (("unclipped", math.inf), ("clipped", THETA)):
        places, losses, norms = descend(start, rate, theta)
        steps = (places[1:] - places[:-1]).norm(dim=1)[:, 0]
        longest = int(steps.argmax())
        found[name] = {
            "w": short(places[:SHORT, 0, 0]),
            "b": short(places[:SHORT, 1, 0]),
            "loss": short(losses[:SHORT, 0]),
            "largest norm": short(norms.max().item()),
            "longest step": short(steps[longest].item()),
            "after step": longest,
            "last loss": short(losses[-1, 0].item()),
        }
    return found


def many_descents(rates=RATES):
    """How many of the starts arrive, at each rate, with and without."""
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand(2, NUM_STARTS, generator=generator)
    low, high = torch.tensor(SHOWN).T[..., None]
    starts, rows = low + (high - low) * unit, []
    for rate, clip in itertools.product(rates, (None, THETA)):
        places, losses, norms = descend(starts, rate, clip or math.inf)
        steps = (places[1:] - places[:-1]).norm(dim=1)
        rows.append(
            {
                "rate": rate,
                "clip": clip,
                "arrived": int((losses[-1] < NEAR).sum()),
                "median of losses": short(losses[-1].quantile(0.5).item()),
                "norm was above 1": int((norms > THETA).any(0).sum()),
                "thrown further than 1": int((steps > 1).any(0).sum()),
                "longest step": short(steps.max().item()),
            }
        )
    return {"starts": NUM_STARTS, "steps": DESCENT, "rows": rows}


def thrown(seed=0, rate=1.0, points=201):
    """The loss of one minibatch along the update that throws a network away.

    256 units, recurrent weights at 1, rate 1, no clip: the first update after
    which the loss of its own minibatch is more than half above what it was.
    """
    stream = character_stream(load_corpus())
    vocab = Vocab(list(stream))
    ids = torch.tensor(vocab[list(stream[:10_000])])
    generator = torch.Generator().manual_seed(seed)
    model = RNNLM(len(vocab), 256, recurrent_scale=1 / 16, generator=generator)
    loader, update = SequenceLoader(ids, 32, 35, generator=generator), 0
    norms, losses = [], []
    while True:
        state = model.begin_state(32)
        for X, Y in loader:
            update += 1
            before = state = state.detach()
            logits, state = model(X, state)
            loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
            model.zero_grad()
            loss.backward()
            norm = clip_gradients(model.parameters(), math.inf)
            norms.append(short(norm))
            losses.append(short(loss.item()))
            at = copy.deepcopy(model)
            step(model, at, rate)
            if loss_on(model, X, Y, before) > 1.5 * loss.item():
                lengths = torch.linspace(0, 2 * rate * norm, points)
                curve = []
                for length in lengths.tolist():
                    step(model, at, length / norm)
                    curve.append(loss_on(model, X, Y, before))
                step(model, at, rate / max(norm, 1))
                clipped = loss_on(model, X, Y, before)
                step(model, at, rate)
                return {
                    "seed": seed,
                    "rate": rate,
                    "update": update,
                    "norm": short(norm),
                    "before": short(loss.item()),
                    "unclipped": short(loss_on(model, X, Y, before)),
                    "clipped": short(clipped),
                    "norms until then": norms,
                    "losses until then": losses,
                    "length": short(lengths),
                    "loss": [short(value) for value in curve],
                }


def step(model, start, length):
    """Set the model to its start, moved by length against the gradient."""
    with torch.no_grad():
        for param, old in zip(
            model.parameters(), start.parameters(), strict=True
        ):
            param.copy_(old - length * param.grad)


@torch.no_grad()
def loss_on(model, X, Y, state):
    """Mean cross-entropy of a minibatch."""
    logits, _ = model(X, state)
    return cross_entropy(logits.flatten(0, 1), Y.T.flatten()).item()


def unit():
    """All of the single unit, in double precision."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return {
            "surface": surface(),
            "descent": one_descent(),
            "descents": many_descents(),
        }
    finally:
        torch.set_default_dtype(dtype)


def main() -> None:
    """Compute everything and store it."""
    torch.set_num_threads(1)
    content = {
        "unit": {"steps": STEPS, "start": START, "target": TARGET, **unit()},
        "network": [thrown(seed) for seed in (0, 1, 2)],
    }
    store(STORED, content)


if __name__ == "__main__":
    main()
