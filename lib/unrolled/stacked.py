"""Recurrent layers on top of each other, with dropout between them.

Section 8.5a teaches this module: :doc:`/book/8_5a_the_whole_book`. It builds
on ``rnn``, which explains the shapes; here a state has one more dimension, the
layer, in front.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from unrolled.bptt import recurrence
from unrolled.checks import check_count, check_generator, check_number
from unrolled.rnn import check_inputs, check_state, linear, rows


class StackedRNNLM(nn.Module):
    """Recurrent layers on top of each other, with dropout.

    Layer l reads the states of layer l - 1; the first reads rows of W_xh.
    While training, dropout zeroes a share of the units between the layers
    and before the output, the same ones at all steps of a minibatch (Gal and
    Ghahramani 2016), so that the recurrence itself is not disturbed.

    As ``RNNLM``, with a state of shape (num_layers, n, h). Weights start
    larger than the book's: rows of W_xh with standard deviation
    ``input_scale``, recurrent matrices orthogonal, all others 1 / sqrt(h).
    The generator draws weights and dropout.
    """

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        num_layers: int = 1,
        *,
        input_scale: float = 3.0,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        """Draw the parameters."""
        super().__init__()
        check_generator(generator)
        vocab_size = check_count("vocab_size", vocab_size, 1)
        num_hiddens = check_count("num_hiddens", num_hiddens, 1)
        num_layers = check_count("num_layers", num_layers, 1)
        check_number("dropout", dropout, "[0, 1)")
        check_number("input_scale", input_scale, "[0, inf]")
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.num_layers, self.dropout = num_layers, dropout
        self.input_scale, self.generator = input_scale, generator
        h = num_hiddens

        def normal(scale: float, *shape: int) -> nn.Parameter:
            values = torch.randn(*shape, generator=generator)
            return nn.Parameter(scale * values)

        self.W_in = nn.ParameterList()  # what each layer does with its input
        self.W_hh, self.b_h = nn.ParameterList(), nn.ParameterList()
        for layer in range(num_layers):
            num_inputs = vocab_size if layer == 0 else h
            scale = 1 / math.sqrt(h) if layer else input_scale
            self.W_in.append(normal(scale, num_inputs, h))
            square = torch.randn(h, h, generator=generator)
            # a copy: the factor comes in column order, slow to multiply
            rotation = torch.linalg.qr(square)[0].contiguous()
            self.W_hh.append(nn.Parameter(rotation))
            self.b_h.append(nn.Parameter(torch.zeros(h)))
        self.W_hq = normal(1 / math.sqrt(h), h, vocab_size)
        self.b_q = nn.Parameter(torch.zeros(vocab_size))

    def begin_state(self, batch_size: int) -> Tensor:
        """Zeros (num_layers, batch_size, h)."""
        batch_size = check_count("batch_size", batch_size, 1)
        return self.b_q.new_zeros(
            self.num_layers, batch_size, self.num_hiddens
        )

    def forward(
        self, X: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (T, n, V) and the last states (num_layers, n, h)."""
        X = check_inputs(X, self.vocab_size)
        if state is None:
            state = self.begin_state(len(X))
        check_state(state, (self.num_layers, len(X), self.num_hiddens))
        below, last = X.T, []  # ids, then the states of the layer below
        for layer, (W_in, W_hh, b_h) in enumerate(
            zip(self.W_in, self.W_hh, self.b_h, strict=True)
        ):
            if layer == 0:
                inputs = embedding(below, W_in + b_h)
            else:
                inputs = linear(below, W_in, b_h)
            states = recurrence(inputs, state[layer], W_hh)
            last.append(states[-1])
            below = self._drop(states)
        return linear(below, self.W_hq, self.b_q), torch.stack(last)

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token: ids (n,), state (num_layers, n, h) -> logits, state.

        As in ``RNNLM``, logits (n, V). While training, dropout draws anew at
        every step, so that only a model in eval mode equals ``forward``.
        """
        below, last = rows(ids, self.W_in[0]), []
        inputs = below + self.b_h[0]
        check_state(state, (self.num_layers, *inputs.shape))
        for layer in range(self.num_layers):
            if layer:
                inputs = torch.addmm(self.b_h[layer], below, self.W_in[layer])
            H = torch.addmm(inputs, state[layer], self.W_hh[layer]).tanh()
            last.append(H)
            below = self._drop(H[None])[0]
        return torch.addmm(self.b_q, below, self.W_hq), torch.stack(last)

    def _drop(self, states: Tensor) -> Tensor:
        """Zero a share of the units, the same ones at every step."""
        if not self.training or self.dropout == 0:
            return states
        kept = 1 - self.dropout
        mask = torch.rand(1, *states.shape[1:], generator=self.generator)
        return states * (mask.to(states) < kept) / kept
