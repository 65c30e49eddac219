"""Recurrent layers with gates: the GRU and the LSTM.

Appendix C teaches this module: :doc:`/book/a_3_after_rnns`. It builds on
``stacked``: the same layers on top of each other, the same dropout, another
step. Each model can stand wherever a ``StackedRNNLM`` can.

Shapes: n batch size, T steps, V vocabulary size, h hidden units. The weights
of all gates of a layer lie side by side, so that one product serves them all,
in the order of ``torch.nn.GRU`` and ``torch.nn.LSTM``; theirs are transposed.

Both models are made as a ``StackedRNNLM`` is, with ``dropout`` between the
layers and before the output and ``recurrent_dropout`` of the state on the way
to the next step, one mask for all steps of a minibatch. A state is
(num_layers, n, h) in a GRU, (num_layers, n, 2h) in an LSTM, H and C side by
side.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from unrolled.checks import check_count, check_generator, check_number
from unrolled.rnn import check_inputs, check_state, linear, rows


def gru_step(
    A: Tensor,
    H: Tensor,
    W_hh: Tensor,
    b_n: Tensor,
    kept: Tensor | float = 1.0,
) -> Tensor:
    """One step of a GRU: the new state (n, h).

        R = sigmoid(A_r + H W_r),    Z = sigmoid(A_z + H W_z)
        N = tanh(A_n + R * (H W_n + b_n))
        H <- (1 - Z) * N + Z * H

    A: (n, 3h), what the input gives to R, Z and N, with its bias; H: (n, h);
    W_hh: (h, 3h); b_n: (h,). kept: factors (n, h) on H where it is multiplied
    by W_hh: dropout. Source: Cho and others (2014), with the reset R after the
    product, as in ``torch.nn.GRU``.
    """
    A_r, A_z, A_n = A.chunk(3, -1)
    H_r, H_z, H_n = (H * kept @ W_hh).chunk(3, -1)
    R, Z = (A_r + H_r).sigmoid(), (A_z + H_z).sigmoid()
    N = torch.tanh(A_n + R * (H_n + b_n))
    return N + Z * (H - N)


def lstm_step(
    A: Tensor,
    H: Tensor,
    C: Tensor,
    W_hh: Tensor,
    kept: Tensor | float = 1.0,
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM: the new state and the new cell, each (n, h).

        I, F, O = sigmoid(A + H W) of their columns,  G = tanh(A_g + H W_g)
        C <- F * C + I * G,    H <- O * tanh(C)

    A: (n, 4h), what the input gives to I, F, G and O, with its bias; H and C:
    (n, h); W_hh: (h, 4h); kept as in ``gru_step``. Source: Hochreiter and
    Schmidhuber (1997), with the forget gate F of Gers, Schmidhuber and
    Cummins (2000).
    """
    I, F, G, O = torch.addmm(A, H * kept, W_hh).chunk(4, -1)  # noqa: E741
    C = F.sigmoid() * C + I.sigmoid() * G.tanh()
    return O.sigmoid() * C.tanh(), C


class _GatedLM(nn.Module):
    """What the two models share; a subclass says what a step is.

    As ``StackedRNNLM``; a state is (num_layers, n, parts h), with ``parts``
    tensors side by side. Rows of the first W_in have standard deviation
    ``input_scale``; each gate's recurrent matrix starts orthogonal, all
    others at 1 / sqrt(h). dropout: between the layers and before the output;
    recurrent_dropout: of the state, on the way to the next step. Both draw
    one mask for all steps of a minibatch (Gal and Ghahramani 2016).

    Raises TypeError for sizes that are no int and a generator that is none,
    ValueError for what is out of range.
    """

    num_gates: int  # columns of W_hh, in units of h
    parts: int  # tensors in a state

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        num_layers: int = 1,
        *,
        input_scale: float = 1.0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        """Draw the parameters."""
        super().__init__()
        check_generator(generator)
        self.vocab_size = check_count("vocab_size", vocab_size, 1)
        self.num_hiddens = h = check_count("num_hiddens", num_hiddens, 1)
        self.num_layers = check_count("num_layers", num_layers, 1)
        self.dropout = check_number("dropout", dropout, "[0, 1)")
        self.recurrent_dropout = check_number(
            "recurrent_dropout", recurrent_dropout, "[0, 1)"
        )
        self.generator = generator
        check_number("input_scale", input_scale, "[0, inf)")

        def normal(scale: float, *shape: int) -> nn.Parameter:
            values = torch.randn(*shape, generator=generator)
            return nn.Parameter(scale * values)

        def rotation() -> Tensor:
            return torch.linalg.qr(torch.randn(h, h, generator=generator))[0]

        width = self.num_gates * h
        self.W_in, self.b_in = nn.ParameterList(), nn.ParameterList()
        self.W_hh = nn.ParameterList()
        for layer in range(self.num_layers):
            scale = 1 / math.sqrt(h) if layer else input_scale
            self.W_in.append(normal(scale, h if layer else vocab_size, width))
            self.b_in.append(nn.Parameter(torch.zeros(width)))
            gates = [rotation() for _ in range(self.num_gates)]
            self.W_hh.append(nn.Parameter(torch.cat(gates, 1)))
        self.W_hq = normal(1 / math.sqrt(h), h, vocab_size)
        self.b_q = nn.Parameter(torch.zeros(vocab_size))

    def begin_state(self, batch_size: int) -> Tensor:
        """Zeros (num_layers, batch_size, parts h)."""
        n = check_count("batch_size", batch_size, 1)
        width = self.parts * self.num_hiddens
        return self.b_q.new_zeros(self.num_layers, n, width)

    def forward(
        self, X: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (T, n, V) and the last states (num_layers, n, parts h)."""
        X = check_inputs(X, self.vocab_size)
        if state is None:
            state = self.begin_state(len(X))
        h = self.num_hiddens
        check_state(state, (self.num_layers, len(X), self.parts * h))
        below, last = X.T, []
        for layer in range(self.num_layers):
            W_in, b_in = self.W_in[layer], self.b_in[layer]
            if layer == 0:
                inputs = embedding(below, W_in + b_in)
            else:
                inputs = linear(below, W_in, b_in)
            kept = self._mask(state[layer, :, :h], self.recurrent_dropout)
            here, states = state[layer], []
            for A in inputs.unbind():
                here = self._step(layer, A, here, kept)
                states.append(here[:, :h])
            last.append(here)
            below = torch.stack(states)
            below = below * self._mask(states[0], self.dropout)
        return linear(below, self.W_hq, self.b_q), torch.stack(last)

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token: ids (n,) -> logits (n, V) and the state after it.

        While training, dropout draws anew at every step, so that only a
        model in eval mode equals ``forward``.
        """
        rows(ids, self.W_in[0])  # refuses ids outside the vocabulary
        logits, state = self(ids[:, None], state)
        return logits[0], state

    def _step(
        self, layer: int, A: Tensor, state: Tensor, kept: Tensor | float
    ) -> Tensor:
        """The layer's next state; kept: a mask (n, h) for the old one."""
        raise NotImplementedError

    def _mask(self, like: Tensor, share: float) -> Tensor | float:
        """A factor for each unit, 0 or 1 / (1 - share); 1 drops none."""
        if not self.training or share == 0:
            return 1.0
        drawn = torch.rand(like.shape, generator=self.generator).to(like)
        return (drawn < 1 - share) / (1 - share)


class GRULM(_GatedLM):
    """A language model of GRU layers: see ``gru_step``."""

    num_gates, parts = 3, 1

    def __init__(self, vocab_size: int, num_hiddens: int, *rest, **options):
        """As ``_GatedLM``; b_n starts at 0."""
        super().__init__(vocab_size, num_hiddens, *rest, **options)
        zeros = [torch.zeros(num_hiddens) for _ in self.W_hh]
        self.b_n = nn.ParameterList(map(nn.Parameter, zeros))

    def _step(self, layer, A, state, kept):
        return gru_step(A, state, self.W_hh[layer], self.b_n[layer], kept)


class LSTMLM(_GatedLM):
    """A language model of LSTM layers: see ``lstm_step``."""

    num_gates, parts = 4, 2

    def __init__(self, vocab_size: int, num_hiddens: int, *rest, **options):
        """As ``_GatedLM``; the forget gates start open, at sigmoid(1)."""
        super().__init__(vocab_size, num_hiddens, *rest, **options)
        h = self.num_hiddens
        with torch.no_grad():
            for b_in in self.b_in:
                b_in[h : 2 * h] = 1.0  # Jozefowicz and others (2015)

    def _step(self, layer, A, state, kept):
        H, C = state.chunk(2, -1)
        return torch.cat(lstm_step(A, H, C, self.W_hh[layer], kept), -1)
