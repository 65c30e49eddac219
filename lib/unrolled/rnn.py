"""Recurrent language models from plain tensors.

Sections 8.4 and 8.5 teach this module: :doc:`/book/8_4_recurrent_networks`. It
computes logits and states of one layer (``stacked`` has more); it trains
nothing (``training``), writes no text (``generation``) and knows no
vocabulary.

Shapes: n batch size, T steps, V vocabulary size, h hidden units. Inside, time
comes first: (T, n, ...). In the names of ``torch.nn.RNN``, whose weights are
transposed: weight_ih_l0 = W_xh^T, weight_hh_l0 = W_hh^T, and its two biases
bias_ih_l0 + bias_hh_l0 add up to our b_h; ``nn.Linear``: weight = W_hq^T.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from unrolled.bptt import recurrence
from unrolled.checks import as_ids, check_count, check_generator, check_number


def _init_params(
    vocab_size: int,
    num_hiddens: int,
    *,
    input_scale: float = 0.01,
    recurrent_scale: float = 0.01,
    output_scale: float = 0.01,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Normal weights with the given standard deviations, biases of 0.

    W_xh (V, h), W_hh (h, h), b_h (h,), W_hq (h, V), b_q (V,). The defaults
    are those of Dive into Deep Learning, section 8.5. Drawn in this order,
    from the generator.

    Raises ValueError for a size below 1 or a negative scale, TypeError for a
    generator that is none, such as a seed.
    """
    check_generator(generator)
    vocab_size = check_count("vocab_size", vocab_size, 1)
    num_hiddens = check_count("num_hiddens", num_hiddens, 1)
    for name, scale in (
        ("input_scale", input_scale),
        ("recurrent_scale", recurrent_scale),
        ("output_scale", output_scale),
    ):
        check_number(name, scale, "[0, inf]")

    def normal(scale: float, *shape: int) -> Tensor:
        return scale * torch.randn(*shape, generator=generator)

    return {
        "W_xh": normal(input_scale, vocab_size, num_hiddens),
        "W_hh": normal(recurrent_scale, num_hiddens, num_hiddens),
        "b_h": torch.zeros(num_hiddens),
        "W_hq": normal(output_scale, num_hiddens, vocab_size),
        "b_q": torch.zeros(vocab_size),
    }


def step(X: Tensor, H: Tensor, W_xh: Tensor, W_hh: Tensor, b_h: Tensor):
    """One step, H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h): (n, h).

    X: (n, V), one-hot rows or any other features; H: (n, h).
    """
    return torch.tanh(X @ W_xh + H @ W_hh + b_h)


def _unroll(inputs: Tensor, state: Tensor, W_hh: Tensor) -> Tensor:
    """All states (T, n, h), one step after the other, with autograd.

    inputs: (T, n, h), X_t W_xh + b_h for every step; state: (n, h). The
    plain version of ``bptt.recurrence``, with the same numbers.
    """
    states = []
    for row in inputs:
        state = torch.tanh(row + state @ W_hh)
        states.append(state)
    return torch.stack(states)


class RNNLM(nn.Module):
    """One recurrent layer and a linear output: logits of the next token.

        H_t = tanh(onehot(x_t) W_xh + H_{t-1} W_hh + b_h)
        O_t = H_t W_hq + b_q

    A one-hot row times W_xh is a row of W_xh, so the row is looked up.

    ``model(X, state)`` takes X (n, T) int64 and state (n, h), and gives
    logits (T, n, V) and the last state (n, h). Without a state it starts
    from zeros. The scales are the standard deviations of the weights, which
    the generator draws; biases start at 0. ``by_hand=False`` uses the plain
    loop, with automatic differentiation, in place of ``bptt.recurrence``.

    Raises TypeError for ids that are no integers, ValueError for ids outside
    the vocabulary and for a state of the wrong shape.
    """

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        *,
        input_scale: float = 0.01,
        recurrent_scale: float = 0.01,
        output_scale: float = 0.01,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        by_hand: bool = True,
    ) -> None:
        """Draw the parameters (on the CPU, then moved to the device)."""
        super().__init__()
        params = _init_params(
            vocab_size,
            num_hiddens,
            input_scale=input_scale,
            recurrent_scale=recurrent_scale,
            output_scale=output_scale,
            generator=generator,
        )
        for name, value in params.items():
            setattr(self, name, nn.Parameter(value.to(device)))
        self.vocab_size, self.num_hiddens = self.W_xh.shape
        self.by_hand = by_hand

    def begin_state(self, batch_size: int) -> Tensor:
        """Zeros (batch_size, h), in the dtype and on the device of W_hh."""
        batch_size = check_count("batch_size", batch_size, 1)
        return self.W_hh.new_zeros(batch_size, self.num_hiddens)

    def forward(
        self, X: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (T, n, V) and the last state (n, h)."""
        X = check_inputs(X, self.vocab_size)
        if state is None:
            state = self.begin_state(len(X))
        check_state(state, (len(X), self.num_hiddens))
        # the bias is added to the V rows, not to every step
        inputs = embedding(X.T, self.W_xh + self.b_h)
        run = recurrence if self.by_hand else _unroll
        states = run(inputs, state, self.W_hh)
        return linear(states, self.W_hq, self.b_q), states[-1]

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token: ids (n,), state (n, h) -> logits (n, V), state (n, h).

        What ``forward`` gives for a text of one step, to rounding, in less
        time: writing text is made of such steps.
        """
        inputs = rows(ids, self.W_xh) + self.b_h
        check_state(state, inputs.shape)
        state = torch.addmm(inputs, state, self.W_hh).tanh()
        return torch.addmm(self.b_q, state, self.W_hq), state


# models that are being scored, by id: how often, and their modes before
_scored: dict[int, tuple[int, list[tuple[nn.Module, bool]]]] = {}
_lock = Lock()


@contextmanager
def scoring(model: nn.Module) -> Iterator[None]:
    """Within it the model keeps no gradients and drops nothing out.

    Threads may score one model at the same time: the first in switches to
    eval mode, the last out gives every part its mode back. A part that was
    put into training mode in between stays in it.
    """
    with _lock:
        users, modes = _scored.get(id(model), (0, []))
        if users == 0:
            modes = [(part, part.training) for part in model.modules()]
            model.eval()
        _scored[id(model)] = users + 1, modes
    try:
        with torch.no_grad():
            yield
    finally:
        with _lock:
            users, modes = _scored.pop(id(model))
            if users > 1:
                _scored[id(model)] = users - 1, modes
            else:
                for part, was_training in modes:
                    part.training |= was_training


def linear(states: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """States (T, n, h) times W plus b, (T, n, columns of W)."""
    rows = torch.addmm(b, states.flatten(0, 1), W)
    return rows.unflatten(0, states.shape[:2])


def rows(ids: Tensor, W: Tensor) -> Tensor:
    """The rows W[ids], (n, h)."""
    try:
        # it refuses what is outside by itself: a check would cost as much
        return W.index_select(0, ids)
    except (IndexError, RuntimeError, TypeError):
        return W[as_ids("ids", ids, vocab_size=len(W))]


def check_inputs(X: Tensor, vocab_size: int) -> Tensor:
    """X as int64, (n, T); raise for what holds no ids of the vocabulary."""
    return as_ids("X", X, vocab_size=vocab_size, dims=2)


def check_state(state: Tensor, shape: Sequence[int]) -> None:
    """Raise unless the state is a tensor of this shape."""
    if not isinstance(state, Tensor):
        raise TypeError(
            f"state must be a tensor, got {type(state).__name__}; "
            "model.begin_state(batch_size) makes one"
        )
    if tuple(state.shape) != tuple(shape):
        raise ValueError(
            f"state must have shape {tuple(shape)}, got "
            f"{tuple(state.shape)}; model.begin_state(batch_size) makes one"
        )
