"""Networks that learn while they read: dynamic evaluation.

Appendix C teaches this module: :doc:`/book/a_3_after_rnns`. Each piece of a
text is scored first, then learned from, as compressors do. It trains nothing
from the start (``training``) and leaves the model that it is given alone.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unrolled.batches import sequential_batches
from unrolled.checks import as_ids, check_count, check_number

TINY = 1e-5  # of a gradient's usual size, added so that none is 0


def gradient_sizes(
    model: nn.Module, ids: Tensor, *, batch_size: int = 32, num_steps: int = 64
) -> list[Tensor]:
    """How large each parameter's gradient usually is: root mean squares.

    Over the sequential minibatches of a text, the model's own training text,
    with dropout off. One tensor for each of ``model.parameters()``. What of
    them is below a hundredth of the mean is set to that.

    Source: Krause and others (2018), "Dynamic evaluation of neural sequence
    models". Errors as for ``sequential_batches``.
    """
    reader = copy.deepcopy(model).eval()
    squares = [torch.zeros_like(p) for p in reader.parameters()]
    state, number = reader.begin_state(batch_size), 0
    for X, Y in sequential_batches(ids, batch_size, num_steps, offset=0):
        with torch.enable_grad():
            logits, state = reader(X, state.detach())
            loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
        for p, gradient in zip(squares, _gradients(reader, loss), strict=True):
            p += gradient.square()
        number += 1
    sizes = [(s / number).sqrt() for s in squares]
    least = torch.cat([s.flatten() for s in sizes]).mean().item() / 100
    return [s.clamp(min=least) for s in sizes]


def read(
    model: nn.Module,
    ids: Tensor,
    *,
    rate: float = 0.0,
    decay: float = 0.0,
    segment: int = 20,
    sizes: Sequence[Tensor | float] | None = None,
) -> Tensor:
    """ln P of every token after each of ids[:-1]: (n - 1, V), float64.

    Segment after segment: the model gives its distributions; then, told what
    came, it takes one step and a step back towards where it began,

        p <- p - rate g / s + decay (p_0 - p)

    with g the gradient of the segment's mean loss, through its own steps
    only, and s the parameter's entry in ``sizes`` (1 without). So no
    distribution has seen what it is about. With a rate of 0 the model stays
    as it is, and the rows are those of ``evaluation.log_probs``.

    The state goes on from segment to segment; it comes from the parameters of
    its time and is not computed again. The model that was given is unchanged.

    Raises TypeError or ValueError for numbers out of range and for fewer
    than two ids.
    """
    ids = as_ids("ids", ids, vocab_size=model.vocab_size, least=2)
    segment = check_count("segment", segment, 1)
    check_number("rate", rate, "[0, inf)")
    check_number("decay", decay, "[0, 1]")
    reader = copy.deepcopy(model).eval()
    parameters = list(reader.parameters())
    sizes = [1.0] * len(parameters) if sizes is None else sizes
    starts = [p.detach().clone() for p in parameters]
    found, state = [], reader.begin_state(1)
    for first in range(0, len(ids) - 1, segment):
        piece = ids[first : first + segment + 1].to(state.device)
        with torch.set_grad_enabled(rate > 0):
            logits, state = reader(piece[None, :-1], state.detach())
            loss = cross_entropy(logits[:, 0], piece[1:])
        found.append(logits[:, 0].detach().double().log_softmax(-1).cpu())
        if rate == 0:
            continue
        gradients = _gradients(reader, loss)
        with torch.no_grad():
            for p, g, p_0, s in zip(
                parameters, gradients, starts, sizes, strict=True
            ):
                p.sub_(g / s, alpha=rate)
                p.lerp_(p_0, decay)
    return torch.cat(found)


def _gradients(model: nn.Module, loss: Tensor) -> Sequence[Tensor]:
    return torch.autograd.grad(loss, list(model.parameters()))
