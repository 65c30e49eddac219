"""Models that learn while they read: dynamic evaluation, and a mixture.

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

    Raises TypeError or ValueError for numbers out of range, for sizes that
    are not positive or of other shapes, and for fewer than two ids.
    """
    ids = as_ids("ids", ids, vocab_size=model.vocab_size, least=2)
    segment = check_count("segment", segment, 1)
    check_number("rate", rate, "[0, inf)")
    check_number("decay", decay, "[0, 1]")
    reader = copy.deepcopy(model).eval()
    parameters = list(reader.parameters())
    sizes = _check_sizes(
        [1.0] * len(parameters) if sizes is None else sizes, parameters
    )
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


def multiply(
    laws: Sequence[Tensor],
    ids: Tensor,
    weights: Sequence[float],
    *,
    rate: float = 0.001,
    learn: int | None = None,
) -> tuple[Tensor, Tensor]:
    """ln P of each id under a product of powers that learns, and its powers.

        P(x) ~ exp(sum over j of v_j ln P_j(x))

    laws: one (n, V) tensor of ln P_j for each model, row i about ids[i], all
    finite. weights: the v_j at the start; after each id a step along the
    gradient of -ln P moves them, v_j -= rate (E[ln P_j] - ln P_j(id)), E
    being the mean under P. learn: only the first so many ids do so (all, if
    None). Returns (n,), nats, and the v_j after the last id.

    A product can be sharper than any of its models, as a mean cannot.
    Sources: those of ``context_mixing``, whose last step this is. Raises
    ValueError for laws that are not finite or of other shapes.
    """
    shapes = {tuple(law.shape) for law in laws}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2:
        raise ValueError(
            "laws must be (n, V) tensors of one shape, got "
            f"{[tuple(law.shape) for law in laws]}"
        )
    ids = as_ids("ids", ids, vocab_size=shape[1])
    powers = torch.as_tensor(weights, dtype=torch.float64).clone()
    if len(ids) != shape[0] or len(powers) != len(laws):
        raise ValueError(
            f"laws must be {len(powers)} tensors, one for each weight, of "
            f"{len(ids)} rows, got {len(laws)} of {shape[0]}"
        )
    stacked = torch.stack([law.double() for law in laws], 1)  # (n, J, V)
    if not bool(stacked.isfinite().all()):
        raise ValueError("laws must be finite logarithms")
    check_number("rate", rate, "[0, inf)")
    learn = len(ids) if learn is None else check_count("learn", learn, 0)
    found = []
    for i, token in enumerate(ids.tolist()):
        law = stacked[i]
        log_probs = (powers @ law).log_softmax(-1)
        found.append(log_probs[token])
        if i < learn:
            powers -= rate * (law @ log_probs.exp() - law[:, token])
    return torch.stack(found), powers


def _gradients(model: nn.Module, loss: Tensor) -> Sequence[Tensor]:
    return torch.autograd.grad(loss, list(model.parameters()))


def _check_sizes(
    sizes: Sequence[Tensor | float], parameters: Sequence[Tensor]
) -> Sequence[Tensor | float]:
    if len(sizes) != len(parameters):
        raise ValueError(
            f"sizes must be {len(parameters)}, one for each parameter, got "
            f"{len(sizes)}"
        )
    for i, p in enumerate(parameters):
        size = torch.as_tensor(sizes[i])
        if size.shape not in ((), p.shape):
            raise ValueError(
                "sizes must be numbers, or of their parameters' shapes, got "
                f"{tuple(size.shape)} for {tuple(p.shape)}"
            )
        if not bool((size > 0).all()):
            raise ValueError("sizes must be positive")
    return sizes
