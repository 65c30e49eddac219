"""The runs behind appendix E, the answers to the classic exercises.

    python experiments/classic_exercises.py            what is missing
    python experiments/classic_exercises.py sine rnn   these parts, anew

Small networks, three seeds or more for each cell of a grid, so that an answer
is not the luck of one run. Every part is a function that gives rows; what
they hold stands in its first lines. Unless a part says otherwise it trains on
the first 10,000 characters of the book with the recipe of section 8.5 (32
rows, 35 steps, plain SGD at rate 1, clipped at 1), 128 units, and takes bits
per character on the next 10,000. Results are in
lib/unrolled/data/classic_exercises.json; in all about half an hour on one
core.
"""

import json
import math
import re
import sys
import time
from functools import cache, partial
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from torch.nn.utils.rnn import pad_sequence

from storing import DATA, store
from unrolled.batches import (
    SequenceLoader,
    random_batches,
    sequential_batches,
)
from unrolled.corpus import load_corpus, split
from unrolled.course.several import Lines, fit_lines, fit_networks
from unrolled.horizon import best_forecasts, fed_back, pairs, windows_before
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.series import noisy_sine
from unrolled.subwords import encode, learn_merges
from unrolled.vocab import Vocab, character_stream, clean_lines

RESULTS = DATA / "classic_exercises.json"
SEEDS = (0, 1, 2)
BLOCK, ROWS, STEPS, UNITS = 10_000, 32, 35, 128
ACTIVATIONS = {
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "sigmoid": torch.sigmoid,
    "none": lambda values: values,
}


def seeded(seed: int) -> torch.Generator:
    """A generator with this seed."""
    return torch.Generator().manual_seed(seed)


@cache
def texts() -> dict:
    """The vocabulary, two blocks of 10,000 characters, the three parts."""
    stream = character_stream(load_corpus())
    vocab = Vocab(list(stream))
    ids = torch.tensor(vocab[list(stream)])
    train_ids, valid_ids, _ = split(ids)
    return {
        "vocab": vocab,
        "first": ids[:BLOCK],
        "second": ids[BLOCK : 2 * BLOCK],
        "train": train_ids,
        "valid": valid_ids[:BLOCK],
    }


class Network(nn.Module):
    """RNNLM with any activation, an embedding if wanted, no lookup."""

    def __init__(
        self, size, *, activation="tanh", width=None, scales=(1, 1), seed=0
    ):
        """width: of the embedding, N(0, 1); scales: of W_xh, and of W_hh
        in units of 1 / sqrt(units)."""
        super().__init__()
        generator = seeded(seed)

        def normal(scale, *shape):
            values = torch.randn(shape, generator=generator)
            return nn.Parameter(scale * values)

        inputs, recurrent = scales
        self.E = normal(1, size, width) if width else None
        self.W_xh = normal(inputs, width or size, UNITS)
        self.W_hh = normal(recurrent / math.sqrt(UNITS), UNITS, UNITS)
        self.b_h = nn.Parameter(torch.zeros(UNITS))
        self.W_hq = normal(0.01, UNITS, size)
        self.b_q = nn.Parameter(torch.zeros(size))
        self.activation = ACTIVATIONS[activation]

    def begin_state(self, rows):
        """Zeros."""
        return torch.zeros(rows, UNITS)

    def forward(self, X, state):
        """Logits (T, n, V) and the last state."""
        table = self.W_xh if self.E is None else self.E @ self.W_xh
        states = []
        for row in table[X.T] + self.b_h:
            state = self.activation(row + state @ self.W_hh)
            states.append(state)
        return torch.stack(states) @ self.W_hq + self.b_q, state


class Concise(nn.Module):
    """torch's own layers, with one-hot inputs and a linear output."""

    def __init__(self, size, kind, layers=1, seed=0):
        """As torch starts them."""
        super().__init__()
        torch.manual_seed(seed)
        self.rnn = getattr(nn, kind)(size, UNITS, layers)
        self.output = nn.Linear(UNITS, size)
        self.size = size

    def begin_state(self, rows):
        """Zeros."""
        return torch.zeros(self.rnn.num_layers, rows, UNITS)

    def forward(self, X, state):
        """Logits (T, n, V) and the last state."""
        states, state = self.rnn(one_hot(X.T, self.size).float(), state)
        return self.output(states), state


def bits(model, ids, rows=10) -> float:
    """Bits per character; the text in rows, each read from zeros."""
    ids = ids[: len(ids) // rows * rows].view(rows, -1)
    with torch.no_grad():
        logits, _ = model(ids[:, :-1], model.begin_state(rows))
        loss = cross_entropy(logits.flatten(0, 1), ids[:, 1:].T.flatten())
    return loss.item() / math.log(2)


def clip(model, theta) -> float:
    """Shrink the gradients to norm theta, if one is given; their norm."""
    return nn.utils.clip_grad_norm_(
        model.parameters(), math.inf if theta is None else theta
    ).item()


def one_epoch(model, loader, optimizer, theta=1.0, change=None) -> float:
    """Train; the mean loss in nats, or nan where one is no number."""
    state, total, count = None, 0.0, 0
    for X, Y in loader:
        if state is None or not loader.sequential:
            state = model.begin_state(len(X))
        logits, state = model(X, state.detach())
        loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
        total, count = total + loss.item(), count + 1
        if not math.isfinite(total):
            return math.nan
        optimizer.zero_grad()
        loss.backward()
        if not math.isfinite(clip(model, theta)):
            return math.nan
        if change:
            change(model)
        optimizer.step()
    return total / count


def trained(model, epochs, **options) -> dict:
    """The recipe, and what it comes to.

    options: rate, theta, steps, sampling, seed, optimizer (a function of the
    parameters), change (of the gradients). worst: the largest training loss
    of an epoch, as log10 of the perplexity; blew up: the first epoch above
    ten times the uniform distribution's perplexity, or no number.
    """
    size = len(texts()["vocab"])
    make = options.get("optimizer") or (
        lambda p: torch.optim.SGD(p, options.get("rate", 1.0))
    )
    optimizer = make(model.parameters())
    loader = SequenceLoader(
        texts()["first"],
        ROWS,
        options.get("steps", STEPS),
        sampling=options.get("sampling", "sequential"),
        generator=seeded(options.get("seed", 0)),
    )
    losses, scores, blew_up = [], [], None
    for epoch in range(1, epochs + 1):
        loss = one_epoch(
            model,
            loader,
            optimizer,
            options.get("theta", 1.0),
            options.get("change"),
        )
        if math.isnan(loss):
            blew_up = blew_up or epoch
            break
        losses.append(loss)
        if loss > math.log(10 * size):
            blew_up = blew_up or epoch
        if epoch % 5 == 0 or epoch == epochs:
            scores.append(bits(model, texts()["second"]))
    finite = [score for score in scores if math.isfinite(score)]
    return {
        "best": round(min(finite), 4) if finite else None,
        "last": round(finite[-1], 4) if finite else None,
        "train": round(losses[-1] / math.log(2), 4) if losses else None,
        "worst": round(max(losses) / math.log(10), 2) if losses else None,
        "blew_up": blew_up,
    }


def size() -> int:
    """The number of symbols."""
    return len(texts()["vocab"])


def activations(seeds=SEEDS, epochs=15) -> list[dict]:
    """Four activations, two starts, with the clip and without."""
    return [
        {"activation": name, "input": scale, "clip": theta, "seed": seed}
        | trained(
            Network(size(), activation=name, scales=(scale, 1), seed=seed),
            epochs,
            theta=theta,
            seed=seed,
        )
        for name in ACTIVATIONS
        for scale in (0.01, 1.0)
        for theta in (1.0, None)
        for seed in seeds
    ]


def samplers(seeds=SEEDS, epochs=30) -> list[dict]:
    """A start and rate that need a clip, with both ways to sample."""
    return [
        {"sampling": sampling, "clip": theta, "seed": seed}
        | trained(
            Network(size(), scales=(0.01, 1), seed=seed),
            epochs,
            theta=theta,
            sampling=sampling,
            seed=seed,
        )
        for sampling in ("sequential", "random")
        for theta in (1.0, None)
        for seed in seeds
    ]


def of_length_one(model) -> None:
    """Every gradient as long as the clip would leave a long one."""
    norm = clip(model, None)
    for p in model.parameters():
        p.grad.div_(norm)


def each_value(model) -> None:
    """Every entry between -0.01 and 0.01."""
    nn.utils.clip_grad_value_(model.parameters(), 0.01)


REMEDIES = {
    "nothing": {},
    "clip at 1": {"theta": 1.0},
    "clip each value at 0.01": {"change": each_value},
    "all gradients of length 1": {"change": of_length_one},
    "a quarter of the rate": {"rate": 0.25},
    "windows of 5 steps": {"steps": 5},
    "recurrent weights from 0.16": {"scales": (0.01, 0.16)},
    "input weights from 1": {"scales": (1, 1)},
    "Adam at 0.002": {"optimizer": lambda p: torch.optim.Adam(p, 2e-3)},
    "weight decay 0.001": {
        "optimizer": lambda p: torch.optim.SGD(p, 1.0, weight_decay=1e-3)
    },
    "GRU, as torch starts it": {"kind": "GRU"},
}


def remedies(seeds=SEEDS, epochs=30) -> list[dict]:
    """What else than a clip, at the start and rate of ``samplers``."""
    rows = []
    for name, change in REMEDIES.items():
        options = {"theta": None} | change
        kind, scales = options.pop("kind", None), options.pop("scales", None)
        for seed in seeds:
            model = (
                Concise(size(), kind, seed=seed)
                if kind
                else Network(size(), scales=scales or (0.01, 1), seed=seed)
            )
            row = trained(model, epochs, seed=seed, **options)
            rows.append({"remedy": name, "seed": seed} | row)
    return rows


INPUTS = {  # width of the embedding, scale of W_xh
    "one-hot, weights 0.01": (None, 0.01),
    "one-hot, weights 1": (None, 1),
    "embedding of 32, weights 0.01": (32, 0.01),
    "embedding of 32, weights 1 / sqrt 32": (32, 32**-0.5),
    "embedding of 4, weights 1 / 2": (4, 0.5),
}


def embeddings(seeds=SEEDS, epochs=60) -> list[dict]:
    """Learned embeddings for one-hot inputs, at two sizes of the rows."""
    return [
        {"inputs": name, "seed": seed}
        | trained(
            Network(size(), width=width, scales=(scale, 0.16), seed=seed),
            epochs,
            seed=seed,
        )
        for name, (width, scale) in INPUTS.items()
        for seed in seeds
    ]


OPTIMIZERS = {
    "SGD at 1": lambda p: torch.optim.SGD(p, 1.0),
    "Adam at 0.002": lambda p: torch.optim.Adam(p, 2e-3),
}


LAYERS = (1, 2, 4)


def layers(seeds=SEEDS, epochs=60) -> list[dict]:
    """One, two and four layers of torch.nn.RNN, with two optimizers."""
    return [
        {"layers": number, "optimizer": name, "seed": seed}
        | trained(
            Concise(size(), "RNN", number, seed=seed),
            epochs,
            optimizer=make,
            seed=seed,
        )
        for name, make in OPTIMIZERS.items()
        for number in LAYERS
        for seed in seeds
    ]


def update(model, optimizer, X, state, Y) -> tuple[int, torch.Tensor]:
    """One update by the loss of the last steps; bytes saved, last state."""
    saved = []

    def note(values):
        saved.append(values.nbytes)
        return values

    with torch.autograd.graph.saved_tensors_hooks(note, lambda v: v):
        logits, last = model(X, state)
        last_logits = logits[-Y.shape[1] :].flatten(0, 1)
        loss = cross_entropy(last_logits, Y.T.flatten())
    optimizer.zero_grad()
    loss.backward()
    clip(model, 1.0)
    optimizer.step()
    return sum(saved), last.detach()


KEPT = (1, 2, 4)


def kept_minibatches(seeds=SEEDS, epochs=20) -> list[dict]:
    """Gradients through the last k minibatches, the loss on the last one.

    The earlier ones are read again with the parameters of now, as the graph
    of before is of no use after an update. bytes: what autograd saves for
    one update.
    """
    rows = []
    for k in KEPT:
        for seed in seeds:
            model = Network(size(), seed=seed)
            optimizer = torch.optim.SGD(model.parameters(), 1.0)
            loader = SequenceLoader(
                texts()["first"], ROWS, STEPS, generator=seeded(seed)
            )
            seconds, scores = [], []
            for epoch in range(1, epochs + 1):
                before, starts = [], [model.begin_state(ROWS)]
                for X, Y in loader:
                    began = time.perf_counter()
                    before, starts = [*before, X][-k:], starts[-k:]
                    most, last = update(
                        model, optimizer, torch.cat(before, 1), starts[0], Y
                    )
                    starts.append(last)
                    if len(before) == k:
                        seconds.append(time.perf_counter() - began)
                if epoch % 5 == 0:
                    scores.append(bits(model, texts()["second"]))
            rows.append(
                {
                    "kept": k,
                    "seed": seed,
                    "best": round(min(scores), 4),
                    "last": round(scores[-1], 4),
                    "bytes": most,
                    "milliseconds": round(
                        1000 * torch.tensor(seconds).median().item(), 2
                    ),
                }
            )
    return rows


class AnyStart:
    """Windows that begin anywhere, drawn with replacement."""

    sequential = False

    def __init__(self, ids, generator):
        """As SequenceLoader."""
        self.ids, self.generator = ids, generator

    def __iter__(self):
        """As many minibatches as the others have."""
        for _ in range((len(self.ids) - 1) // (ROWS * STEPS)):
            last = len(self.ids) - STEPS
            start = torch.randint(last, (ROWS, 1), generator=self.generator)
            places = start + torch.arange(STEPS)
            yield self.ids[places], self.ids[places + 1]


READINGS = (
    "sequential, offset drawn",
    "sequential, offset 0",
    "random, offset drawn",
    "random, offset 0",
    "starts drawn anywhere",
)


class FixedOffset:
    """The passes of a sampler that all begin at offset 0."""

    def __init__(self, way, ids, generator):
        """way: "sequential" or "random"."""
        self.sequential = way == "sequential"
        cut = sequential_batches if self.sequential else random_batches
        self.batches = partial(
            cut, ids, ROWS, STEPS, generator=generator, offset=0
        )

    def __iter__(self):
        """Pairs (X, Y)."""
        return iter(self.batches())


def reader(name: str, ids, seed: int):
    """One of the ways to read."""
    way, _, offset = name.partition(", ")
    if offset == "":
        return AnyStart(ids, seeded(seed))
    if offset == "offset 0":
        return FixedOffset(way, ids, seeded(seed))
    return SequenceLoader(
        ids, ROWS, STEPS, sampling=way, generator=seeded(seed)
    )


def readings(seeds=SEEDS, epochs=4) -> list[dict]:
    """Ways to read the training part, at equal updates; Adam, no clip."""
    rows = []
    for name in READINGS:
        for seed in seeds:
            model = Network(size(), seed=seed)
            optimizer = torch.optim.Adam(model.parameters(), 2e-3)
            loader = reader(name, texts()["train"], seed)
            for _ in range(epochs):
                loss = one_epoch(model, loader, optimizer)
            rows.append(
                {
                    "reading": name,
                    "seed": seed,
                    "train": round(loss / math.log(2), 4),
                    "valid": round(bits(model, texts()["valid"]), 4),
                }
            )
    return rows


def sentences() -> tuple[list, list]:
    """The sentences of the training part and of some of the validation
    part, as ids, each with a space before it."""
    whole = load_corpus()
    found = [
        " ".join(" ".join(clean_lines(piece)).split())
        for piece in re.split(r"(?<=[.!?])[\"'”’)]*\s+", whole)
    ]
    found = [piece for piece in found if piece]
    vocab = texts()["vocab"]
    ids = [torch.tensor(vocab[list(" " + piece)]) for piece in found]
    ends = torch.tensor([len(piece) for piece in ids]).cumsum(0)
    first = int((ends < 0.8 * ends[-1]).sum())
    last = int((ends < ends[first] + BLOCK).sum())
    return ids[:first], ids[first:last]


def minibatches(ids, way: str, generator, rows=12):
    """Sentences in minibatches (X, Y, mask), padded with the unknown token.

    way: "shuffled", or "by length": sorted within pools of 20 minibatches.
    """
    order = torch.randperm(len(ids), generator=generator).tolist()
    if way == "by length":
        pools = [
            sorted(order[i : i + 20 * rows], key=lambda n: len(ids[n]))
            for i in range(0, len(order), 20 * rows)
        ]
        order = [n for pool in pools for n in pool]
    groups = [order[i : i + rows] for i in range(0, len(order), rows)]
    turn = torch.randperm(len(groups), generator=generator).tolist()
    for number in turn:
        chosen = [ids[n] for n in groups[number]]
        padded = pad_sequence(chosen, batch_first=True)
        space = padded[:, :1]  # every sentence ends with one too
        padded = torch.cat([padded, torch.zeros_like(space)], 1)
        lengths = torch.tensor([len(one) for one in chosen])
        padded[torch.arange(len(chosen)), lengths] = space[0, 0]
        mask = torch.arange(padded.shape[1] - 1) < lengths[:, None]
        yield padded[:, :-1], padded[:, 1:], mask


def by_sentence(model, ids) -> float:
    """Bits per character, each sentence read from zeros."""
    total, count = 0.0, 0
    with torch.no_grad():
        for X, Y, mask in minibatches(ids, "by length", seeded(0)):
            logits, _ = model(X, model.begin_state(len(X)))
            losses = cross_entropy(
                logits.transpose(1, 2), Y.T, reduction="none"
            )
            total += losses[mask.T].sum().item()
            count += int(mask.sum())
    return total / count / math.log(2)


FORMS = ("streams", "masked", "padding scored", "by length, masked")


def whole_sentences(seeds=SEEDS, updates=480) -> list[dict]:
    """Sentences in minibatches of 12, against streams of as many characters.

    padding: its share of the minibatches; stream and sentences: bits on the
    same text, read on, and sentence by sentence from zeros.
    """
    train_ids, valid_ids = sentences()
    stream, held = torch.cat(train_ids), torch.cat(valid_ids)
    rows = []
    for form in FORMS:
        for seed in seeds:
            model = Network(size(), seed=seed)
            optimizer = torch.optim.Adam(model.parameters(), 2e-3)
            generator = seeded(seed)
            done, read, padding, state = 0, 0, 0, None
            while done < updates:
                if form == "streams":
                    batches = (
                        (X, Y, torch.ones_like(Y) > 0)
                        for X, Y in SequenceLoader(
                            stream, ROWS, STEPS, generator=generator
                        )
                    )
                    state = model.begin_state(ROWS)
                else:
                    way = "by length" if "length" in form else "shuffled"
                    batches = minibatches(train_ids, way, generator)
                for X, Y, mask in batches:
                    if done == updates:
                        break
                    if form != "streams":
                        state = model.begin_state(len(X))
                    logits, state = model(X, state.detach())
                    losses = cross_entropy(
                        logits.transpose(1, 2), Y.T, reduction="none"
                    )
                    scored = form == "padding scored"
                    loss = losses.mean() if scored else losses[mask.T].mean()
                    optimizer.zero_grad()
                    loss.backward()
                    clip(model, 1.0)
                    optimizer.step()
                    done += 1
                    read += int(mask.sum())
                    padding += int((~mask).sum())
            rows.append(
                {
                    "form": form,
                    "seed": seed,
                    "characters": read,
                    "padding": round(padding / (read + padding), 4),
                    "stream": round(bits(model, held), 4),
                    "sentences": round(by_sentence(model, valid_ids), 4),
                }
            )
    return rows


def syllables(word: str) -> list[str]:
    """Rough syllables: consonants and vowels, cut before a consonant that
    a vowel follows."""
    vowel, other = "[aeiouy]", "[^aeiouy]"
    end = f"{other}+$|{other}(?={other})"
    return re.findall(f"{other}*{vowel}+(?:{end})?|{other}+", word)


def pieces(text: str, way: str, train_text: str) -> list[str]:
    """A text as tokens, the space as one of its own or before a word."""
    words = text.split()
    if way == "characters":
        return list(text)
    if way == "pairs of characters":
        return [text[i : i + 2] for i in range(0, len(text), 2)]
    if way == "syllables":
        cut = [syllables(word) for word in words]
        return [piece for word in cut for piece in [" " + word[0], *word[1:]]]
    if way == "subwords":
        return encode(text, learn_merges(train_text, 200))
    return [" " + word for word in words]


def spelled(tokens: list[str], known: set) -> list[str]:
    """What is not known, letter by letter, so that nothing is lost."""
    return [
        part
        for token in tokens
        for part in ([token] if token in known else list(token))
    ]


WAYS = (
    "characters",
    "pairs of characters",
    "syllables",
    "subwords",
    "words",
)


def tokenisations(ways=WAYS, orders=range(1, 9)) -> list[dict]:
    """Kneser-Ney on five kinds of tokens, in bits per character.

    A token seen twice in the training part is known; others are spelled.
    """
    stream = character_stream(load_corpus())
    train_text, valid_text, _ = split(stream)
    rows = []
    for way in ways:
        cut = pieces(train_text, way, train_text)
        counts: dict[str, int] = {}
        for token in cut:
            counts[token] = counts.get(token, 0) + 1
        known = {token for token, n in counts.items() if n > 1}
        learned = spelled(cut, known)
        vocab = Vocab(learned + list(stream))
        held = spelled(pieces(valid_text, way, train_text), known)
        ids = torch.tensor(vocab[learned])
        after = torch.tensor(vocab[learned[-20:] + held])
        for order in orders:
            model = KneserNeyLM(order, len(vocab)).fit(ids)
            scores = model.log_probs(after)[-len(held) :]
            rows.append(
                {
                    "way": way,
                    "order": order,
                    "vocabulary": len(vocab),
                    "tokens": len(held),
                    "bits": round(
                        -scores.sum().item() / math.log(2) / len(valid_text),
                        4,
                    ),
                }
            )
    return rows


SYMBOLS = 8
SPEECH = ("no marks", "a mark at each turn", "the speaker at every token")


def talk(rules, length: int, generator) -> tuple[list, list]:
    """Two who take turns, each with a Markov rule of its own.

    rules: (2, 8, 8), next symbols by the last one, whoever said it. A turn
    ends with probability 0.05 at each symbol. Symbols, and who said them.
    """
    ends = (torch.rand(length, generator=generator) < 0.05).tolist()
    symbols, speakers, now = [0], [0], 0
    for end in ends:
        now = 1 - now if end else now
        rule = rules[now][symbols[-1]]
        drawn = torch.multinomial(rule, 1, generator=generator)
        symbols.append(drawn.item())
        speakers.append(now)
    return symbols, speakers


def written(form: str, symbols, speakers):
    """Inputs, labels, and which labels are symbols, not marks."""
    if form == SPEECH[2]:  # who speaks now is part of the input
        pairs_ = zip(symbols[:-1], speakers[1:], strict=True)
        inputs = [symbol + SYMBOLS * who for symbol, who in pairs_]
        labels = symbols[1:]
    else:
        line = [symbols[0]]
        for n in range(1, len(symbols)):
            if form == SPEECH[1] and speakers[n] != speakers[n - 1]:
                line.append(SYMBOLS + speakers[n])
            line.append(symbols[n])
        inputs, labels = line[:-1], line[1:]
    inputs, labels = torch.tensor(inputs), torch.tensor(labels)
    return inputs, labels, labels < SYMBOLS


def counted(form, order, train, test) -> float:
    """Bits per symbol of counting, one added in all."""
    inputs, labels, _ = written(form, *train)
    others, nexts, scored = written(form, *test)
    if form == SPEECH[2]:  # one context: the last symbol and who speaks
        counts = torch.ones(2 * SYMBOLS, SYMBOLS)
        counts.index_put_((inputs, labels), torch.tensor(1.0), True)
        probs = (counts / counts.sum(1, keepdim=True))[others, nexts]
        return -probs.log2().mean().item()
    size = SYMBOLS + 2
    model = NgramLM(order, size, 1.0).fit(torch.cat([inputs, labels[-1:]]))
    scores = model.log_probs(torch.cat([others, nexts[-1:]]))
    return -scores[-len(nexts) :][scored].mean().item() / math.log(2)


def heard(form, train, test, seed, epochs) -> float:
    """Bits per symbol of a network that reads the line as one stream."""
    inputs, labels, _ = written(form, *train)
    model = Network(2 * SYMBOLS, seed=seed)
    adam = torch.optim.Adam(model.parameters(), 2e-3)
    length = len(inputs) // ROWS
    X = inputs[: ROWS * length].view(ROWS, length)
    Y = labels[: ROWS * length].view(ROWS, length)
    for _ in range(epochs):
        state = model.begin_state(ROWS)
        for x, y in zip(X.split(STEPS, 1), Y.split(STEPS, 1), strict=True):
            logits, state = model(x, state.detach())
            loss = cross_entropy(logits.flatten(0, 1), y.T.flatten())
            adam.zero_grad()
            loss.backward()
            clip(model, 1.0)
            adam.step()
    others, nexts, scored = written(form, *test)
    with torch.no_grad():
        logits, _ = model(others[None], model.begin_state(1))
    losses = cross_entropy(logits[:, 0], nexts, reduction="none")
    return losses[scored].mean().item() / math.log(2)


def dialogue(seeds=SEEDS, length=20_000, epochs=10) -> list[dict]:
    """Three ways to write down who speaks, counted and read by a network.

    Bits per symbol on as much new talk, the cost of marks left out.
    """
    rows = []
    for seed in seeds:
        generator = seeded(seed)
        noise = torch.randn(2, SYMBOLS, SYMBOLS, generator=generator)
        rules = (1.5 * noise).softmax(2)
        train = talk(rules, length, generator)
        test = talk(rules, length, generator)
        symbols, speakers = map(torch.tensor, test)
        truth = rules[speakers[1:], symbols[:-1], symbols[1:]].log2()
        found = {("", "the source itself"): -truth.mean().item()}
        for form in SPEECH:
            for order in (2, 3, 4) if form != SPEECH[2] else (2,):
                bits_ = counted(form, order, train, test)
                found[form, f"counting, order {order}"] = bits_
            found[form, "RNN"] = heard(form, train, test, seed, epochs)
        for (form, model), bits_ in found.items():
            row = {"form": form, "model": model, "seed": seed}
            rows.append(row | {"bits": round(bits_, 4)})
    return rows


SERIES, KNOWN, LENGTH = 20, 604, 1000
AHEAD = (1, 4, 16, 64)


@cache
def waves() -> tuple[torch.Tensor, torch.Tensor]:
    """The clean sine, and twenty noisy ones (S, T)."""
    drawn = [noisy_sine(LENGTH, generator=seeded(n)) for n in range(SERIES)]
    return drawn[0][1], torch.stack([noisy for _, _, noisy in drawn])


class Layered:
    """A network for each series: widths, e.g. (4, 10, 1), side by side."""

    def __init__(self, widths, activation, seed=0):
        """Xavier's weights, biases of 0."""
        generator = seeded(seed)
        self.layers = []
        for inputs, outputs in pairwise(widths):
            limit = math.sqrt(6 / (inputs + outputs))
            W = torch.rand(
                SERIES, inputs, outputs, generator=generator
            ).double()
            b = torch.zeros(SERIES, 1, outputs).double()
            self.layers.append((limit * (2 * W - 1), b))
        self.activation = ACTIVATIONS[activation]
        for p in self.parameters():
            p.requires_grad_()

    def parameters(self):
        """All weights and biases."""
        return [p for layer in self.layers for p in layer]

    def __call__(self, window):
        """Values (S, n) of windows (S, n, tau)."""
        *hidden, (W, b) = self.layers
        for V, c in hidden:
            window = self.activation(torch.baddbmm(c, window, V))
        return torch.baddbmm(b, window, W)[..., 0]


def rmse(forecasts) -> list[float]:
    """Against the clean sine from t = 705 on, for each series."""
    clean, _ = waves()
    off = forecasts - clean[KNOWN + 100 :]
    return [round(v, 4) for v in off.square().mean(1).sqrt().tolist()]


NETS = {
    "10 units": ((4, 10, 1), "ReLU"),
    "100 units": ((4, 100, 1), "ReLU"),
    "10 and 10 units": ((4, 10, 10, 1), "ReLU"),
    "10 units, tanh": ((4, 10, 1), "tanh"),
}


def architectures(epochs=(5, 50, 200)) -> list[dict]:
    """Four networks on four values, by the number of epochs, one step."""
    _, noisy = waves()
    features, labels = pairs(noisy[:, :KNOWN], 4)
    targets = torch.arange(KNOWN + 100, LENGTH)
    test = windows_before(noisy, 4, 1, targets)
    rows = []
    for name, (widths, activation) in NETS.items():
        net = Layered(widths, activation)
        adam = torch.optim.Adam(net.parameters(), 0.01)
        generator = seeded(1)
        for epoch in range(1, max(epochs) + 1):
            order = torch.randperm(features.shape[1], generator=generator)
            for batch in order.split(16):
                off = net(features[:, batch]) - labels[:, batch]
                loss = off.square().mean(1).sum()
                adam.zero_grad()
                loss.backward()
                adam.step()
            if epoch in epochs:
                with torch.no_grad():
                    found = rmse(net(test))
                rows.append({"net": name, "epochs": epoch, "rmse": found})
    lines = fit_lines(features, labels)
    rows.append(
        {"net": "least squares", "epochs": 0, "rmse": rmse(lines(test))}
    )
    best = best_forecasts(test, 1)[..., 0]
    rows.append({"net": "floor", "epochs": 0, "rmse": rmse(best)})
    return rows


class Recurrent:
    """For each series one tanh layer of 16 units that reads the values."""

    def __init__(self, seed=0):
        """Small random weights, the recurrent ones of spectral size 1."""
        generator = seeded(seed)

        def normal(scale, *shape):
            values = torch.randn(SERIES, *shape, generator=generator)
            return (scale * values.double()).requires_grad_()

        self.all = [
            normal(0.5, 1, 16),
            normal(16**-0.5, 16, 16),
            normal(0.0, 1, 16),
            normal(16**-0.5, 16, 1),
            normal(0.0, 1, 1),
        ]

    def step(self, values, state):
        """Values and state (S, n, 16) of now; forecast (S, n) and state."""
        W_x, W_h, b, W_q, b_q = self.all
        state = torch.tanh(values[..., None] @ W_x + b + state @ W_h)
        return (state @ W_q + b_q)[..., 0], state

    def read(self, series):
        """Forecasts (S, T) of the next value, and the states after each."""
        state = torch.zeros(SERIES, 1, 16).double()
        forecasts, states = [], []
        for t in range(series.shape[1]):
            forecast, state = self.step(series[:, t : t + 1], state)
            forecasts.append(forecast)
            states.append(state)
        return torch.cat(forecasts, 1), torch.cat(states, 1)


def sine_rnn(updates=300) -> list[dict]:
    """An RNN in the experiment of 8.1, beside what stands there."""
    _, noisy = waves()
    targets = torch.arange(KNOWN + 100, LENGTH)
    models = {}
    for tau in (4, 64):
        known = pairs(noisy[:, :KNOWN], tau)
        models[f"least squares, tau = {tau}"] = tau, fit_lines(*known)
    generators = [seeded(n) for n in range(SERIES)]
    models["network, tau = 4"] = (
        4,
        fit_networks(*pairs(noisy[:, :KNOWN], 4), generators),
    )
    weights = torch.ones(SERIES, 1).double()
    last = Lines(weights, torch.zeros(SERIES).double())
    models["last value"] = 1, last
    rows = []
    for name, (tau, model) in models.items():
        for k in AHEAD:
            window = windows_before(noisy, tau, k, targets)
            found = rmse(fed_back(model, window, k)[-1])
            rows.append({"model": name, "k": k, "rmse": found})
    for k in AHEAD:
        window = windows_before(noisy, 64, k, targets)
        found = rmse(best_forecasts(window, k)[..., -1])
        rows.append({"model": "floor, tau = 64", "k": k, "rmse": found})
    net = Recurrent()
    adam = torch.optim.Adam(net.all, 0.01)
    for _ in range(updates):
        forecasts, _ = net.read(noisy[:, : KNOWN - 1])
        off = forecasts - noisy[:, 1:KNOWN]
        adam.zero_grad()
        off.square().mean(1).sum().backward()
        nn.utils.clip_grad_norm_(net.all, 10.0)
        adam.step()
    with torch.no_grad():
        forecasts, states = net.read(noisy)
        for k in AHEAD:
            value = forecasts[:, targets - k]
            state = states[:, targets - k]
            for _ in range(k - 1):
                value, state = net.step(value, state)
            rows.append({"model": "RNN", "k": k, "rmse": rmse(value)})
    return rows


PARTS = {
    "sine_rnn": sine_rnn,
    "dialogue": dialogue,
    "architectures": architectures,
    "tokenisations": tokenisations,
    "whole_sentences": whole_sentences,
    "readings": readings,
    "samplers": samplers,
    "activations": activations,
    "remedies": remedies,
    "embeddings": embeddings,
    "layers": layers,
    "kept_minibatches": kept_minibatches,
}


def read() -> dict:
    """What is stored so far."""
    if not RESULTS.exists():
        return {}
    return json.loads(RESULTS.read_text("utf-8"))


def main(chosen: list[str]) -> None:
    """Run parts and store each as it ends."""
    torch.set_num_threads(1)
    wrong = set(chosen) - set(PARTS)
    if wrong:
        raise SystemExit(f"no such part: {sorted(wrong)}; {list(PARTS)}")
    for part, rows in PARTS.items():
        if part not in chosen and (chosen or part in read()):
            continue
        began = time.process_time()
        found = rows()
        print(part, f"{time.process_time() - began:.0f} s", flush=True)
        parts = {name: read()[name] for name in PARTS if name in read()}
        store(RESULTS, parts | {part: found})


if __name__ == "__main__":
    main(sys.argv[1:])
