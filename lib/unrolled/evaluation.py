"""Scoring a recurrent language model on a text that it was not trained on.

Section 8.5 teaches this module: :doc:`/book/8_5_rnn_from_scratch`. It changes
nothing in the model; perplexity is that of ``metrics``.
"""

import torch
from torch import Tensor, nn

from unrolled import metrics
from unrolled.checks import as_ids
from unrolled.rnn import scoring

CHUNK = 1000  # steps that evaluation runs at once
WHAT_TO_TRY = (
    "try a smaller learning rate, a smaller theta or smaller initial weights"
)


class DivergenceError(ArithmeticError):
    """The numbers are no longer finite; the message says what to try."""


def log_probs(model: nn.Module, ids: Tensor) -> Tensor:
    """ln P of ids[1:], each given what precedes it in ids: (n - 1,).

    One run over the whole text, the state carried from first to last, from
    a state of zeros; dropout off. Float64, on the CPU.

    Raises ValueError for fewer than two ids or ids outside the vocabulary.
    """
    ids = as_ids("ids", ids, vocab_size=model.vocab_size, least=2)
    state = model.begin_state(1)
    found = []
    with scoring(model):
        for start in range(0, len(ids) - 1, CHUNK):
            piece = ids[start : start + CHUNK + 1].to(state.device)
            logits, state = model(piece[None, :-1], state)
            picked = logits[:, 0].double().log_softmax(-1)
            found.append(picked.gather(1, piece[1:, None])[:, 0].cpu())
    return torch.cat(found)


def evaluate(model: nn.Module, ids: Tensor) -> float:
    """Perplexity of ids[1:], each given all before it: see ``log_probs``.

    Raises DivergenceError if the model gives what is not a number.
    """
    scores = log_probs(model, ids)
    if scores.isnan().any():
        raise DivergenceError(f"the model gives nan; {WHAT_TO_TRY}")
    return metrics.perplexity(-scores.sum().item(), len(scores))
