"""A small causal transformer: a model that looks back instead of carrying on.

Appendix C teaches this module: :doc:`/book/a_3_after_rnns`. Its "state" is the
text itself: the last characters that were read. Otherwise it can stand
wherever a ``StackedRNNLM`` can.

Shapes: n batch size, T steps, V vocabulary size, h width, k heads. A block is
that of ``torch.nn.TransformerEncoderLayer`` with ``norm_first`` and the
activation "gelu", whose matrices are transposed.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, layer_norm

from unrolled.checks import as_ids, check_count, check_generator, check_number
from unrolled.rnn import check_inputs, rows


def attend(Q: Tensor, K: Tensor, V: Tensor, bias: Tensor) -> Tensor:
    """For each place a weighted mean of values: (..., T, h / k).

        softmax(Q K^T / sqrt(h / k) + bias) V

    Q, K, V: (..., T, h / k), questions, keys and values. bias: (..., T, T),
    minus infinity where a place must not look. Source: Vaswani and others
    (2017).
    """
    scores = Q @ K.transpose(-1, -2) / math.sqrt(Q.shape[-1]) + bias
    return scores.softmax(-1) @ V


def causal_bias(num_steps: int, num_heads: int) -> Tensor:
    """What is added to the scores: (k, T, T); minus infinity for the future.

    Head i takes 2^(-8 i / k) off for each step back, i = 1 .. k, which is all
    that tells the places apart. Source: Press, Smith and Lewis (2022).
    """
    at = torch.arange(num_steps)
    back = (at[:, None] - at).double()
    slopes = 2.0 ** (-8 * torch.arange(1, num_heads + 1) / num_heads)
    bias = -slopes[:, None, None] * back
    return bias.masked_fill(back < 0, -math.inf)


class TransformerLM(nn.Module):
    """Blocks of attention and a small network, with dropout.

    Each block adds to its input, row by row of the text:

        X <- X + attention(norm(X)) W_o + b_o
        X <- X + gelu(norm(X) W_1 + b_1) W_2 + b_2

    ``model(X, state)`` takes X (n, T) int64 and a state (n, w) of ids that
    came before, w at most ``window``; it gives logits (T, n, V) and the last
    ``window`` ids. No character sees more than ``window``, itself counted. A
    text of at most ``window`` characters is read at once, with as many of
    those before it as fit; a longer one in pieces of a quarter of a window,
    so that all but the first see three quarters at least.

    While training, dropout zeroes single numbers of what is added.

    Raises TypeError or ValueError for sizes out of range, ids that are none
    and states of another shape.
    """

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        num_layers: int = 1,
        *,
        num_heads: int = 4,
        window: int = 128,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        """Draw the parameters."""
        super().__init__()
        check_generator(generator)
        self.vocab_size = check_count("vocab_size", vocab_size, 1)
        self.num_hiddens = h = check_count("num_hiddens", num_hiddens, 1)
        self.num_layers = check_count("num_layers", num_layers, 1)
        self.num_heads = check_count("num_heads", num_heads, 1)
        self.window = check_count("window", window, 4)
        self.dropout = check_number("dropout", dropout, "[0, 1)")
        self.generator = generator
        if h % num_heads:
            raise ValueError(
                f"num_hiddens must be a multiple of num_heads, got {h} and "
                f"{num_heads}"
            )

        def normal(*shape: int, scale: float | None = None) -> nn.Parameter:
            values = torch.randn(*shape, generator=generator)
            return nn.Parameter((scale or shape[0] ** -0.5) * values)

        shapes = {"W_qkv": (h, 3 * h), "W_o": (h, h)}
        shapes |= {"W_1": (h, 4 * h), "W_2": (4 * h, h)}
        self.blocks = nn.ModuleList()
        for _ in range(self.num_layers):
            block = nn.ParameterDict()
            for name, shape in shapes.items():
                block[name] = normal(*shape)
                block["b" + name[1:]] = nn.Parameter(torch.zeros(shape[1]))
            for number in "12":  # the two norms
                block["g_" + number] = nn.Parameter(torch.ones(h))
                block["s_" + number] = nn.Parameter(torch.zeros(h))
            self.blocks.append(block)
        self.W_xh = normal(vocab_size, h, scale=1.0)
        self.g_q = nn.Parameter(torch.ones(h))
        self.s_q = nn.Parameter(torch.zeros(h))
        self.W_hq, self.b_q = (
            normal(h, vocab_size),
            nn.Parameter(torch.zeros(vocab_size)),
        )

    def begin_state(self, batch_size: int) -> Tensor:
        """No characters: (batch_size, 0), int64."""
        batch_size = check_count("batch_size", batch_size, 1)
        return torch.zeros(
            batch_size, 0, dtype=torch.int64, device=self.b_q.device
        )

    def forward(
        self, X: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (T, n, V), and the last ids of state and X: (n, w)."""
        X = check_inputs(X, self.vocab_size)
        state = self._check(state, len(X))
        read, T = torch.cat([state, X], 1), X.shape[1]
        size = self.window // 4 if self.window < T else T
        logits = []
        for first in range(read.shape[1] - T, read.shape[1], size):
            end = min(first + size, read.shape[1])
            piece = read[:, max(0, end - self.window) : end]
            logits.append(self._logits(piece)[first - end :])
        return torch.cat(logits), read[:, -self.window :]

    def _check(self, state: Tensor | None, n: int) -> Tensor:
        """The state as int64; none is that of the beginning."""
        if state is None:
            return self.begin_state(n)
        size = self.vocab_size
        state = as_ids("state", state, vocab_size=size, dims=2, least=0)
        if len(state) != n:
            raise ValueError(f"state must have {n} rows, got {len(state)}")
        return state

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One token: ids (n,) -> logits (n, V), and the ids read so far."""
        rows(ids, self.W_xh)  # refuses ids outside the vocabulary
        logits, state = self(ids[:, None], state)
        return logits[0], state

    def _logits(self, ids: Tensor) -> Tensor:
        """(T, n, V), each place seeing itself and those before it."""
        X = self._drop(embedding(ids, self.W_xh))
        bias = causal_bias(ids.shape[1], self.num_heads).to(X)
        for block in self.blocks:
            X = X + self._drop(self._attention(block, X, bias))
            inner = self._norm(X, block["g_2"], block["s_2"])
            inner = gelu(inner @ block["W_1"] + block["b_1"])
            X = X + self._drop(inner @ block["W_2"] + block["b_2"])
        X = self._norm(X, self.g_q, self.s_q).transpose(0, 1)
        return X @ self.W_hq + self.b_q

    def _attention(self, block, X: Tensor, bias: Tensor) -> Tensor:
        X = self._norm(X, block["g_1"], block["s_1"])
        # (n, T, 3h) -> questions, keys, values, each (n, k, T, h / k)
        parts = (X @ block["W_qkv"] + block["b_qkv"]).chunk(3, -1)
        Q, K, V = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in parts
        )
        means = attend(Q, K, V, bias).transpose(1, 2).flatten(2)
        return means @ block["W_o"] + block["b_o"]

    def _norm(self, X: Tensor, g: Tensor, s: Tensor) -> Tensor:
        return layer_norm(X, (self.num_hiddens,), g, s)

    def _drop(self, X: Tensor) -> Tensor:
        """Zero a share of the numbers while training."""
        if not self.training or self.dropout == 0:
            return X
        kept = 1 - self.dropout
        mask = torch.rand(X.shape, generator=self.generator).to(X)
        return X * (mask < kept) / kept
