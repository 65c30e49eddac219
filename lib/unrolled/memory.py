"""A memory of states: what came after the states that are like this one.

Appendix C teaches this module: :doc:`/book/a_3_after_rnns`. It works with any
network whose logits are a state times ``W_hq`` plus ``b_q``, and trains none.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from unrolled.checks import as_ids, check_count, check_number

BLOCK = 200  # states that are compared at once; their scores fill the memory


def states_of(model: nn.Module, ids: Tensor) -> Tensor:
    """The state from which a network predicts, after each id: (n, h).

    ids: (n,) int64, read from first to last from a state of zeros, with
    dropout off. The model that was given is unchanged. Raises TypeError or
    ValueError for ids that are none of its own.
    """
    ids = as_ids("ids", ids, vocab_size=model.vocab_size)
    reader = copy.deepcopy(model).eval()
    h = len(reader.W_hq)
    device = reader.W_hq.device
    # with the identity in place of the output layer, logits are states
    reader.W_hq = nn.Parameter(torch.eye(h, device=device))
    reader.b_q = nn.Parameter(torch.zeros(h, device=device))
    with torch.no_grad():
        states, _ = reader(ids[None].to(device))
    return states[:, 0]


def recall(
    states: Tensor,
    ids: Tensor,
    start: int,
    *,
    vocab_size: int,
    temperature: float,
    grows: bool = True,
) -> Tensor:
    """P of ids[start:] by what followed similar states: (n - start, V).

    To each state before belongs the id that came after it. With h the state
    now and T the temperature,

        P(x) = sum over the j with ids[j + 1] = x of
               exp(-(h - h_j)^2 / T) / (the sum over all j),

    which is attention to all that was read: keys are states, values are what
    came next. grows: whether what comes from ``start`` on is remembered as
    soon as it is known; or else only pairs within ids[:start] are.

    states: (n, h), row i after ids[i]. float64. Mix it with the network's own
    distribution: alone it gives 0 to what never followed.

    Sources: Grave, Joulin and Usunier (2017), a cache of states; Khandelwal
    and others (2020), nearest neighbour language models. Raises TypeError or
    ValueError for what is out of range or does not fit.
    """
    ids = as_ids("ids", ids, vocab_size=vocab_size, least=3)
    start = check_count("start", start, 2)
    check_number("temperature", temperature, "(0, inf)")
    if states.dim() != 2 or len(states) != len(ids):
        raise ValueError(
            f"states must be ({len(ids)}, h), one for each id, got "
            f"{tuple(states.shape)}"
        )
    if start >= len(ids):
        raise ValueError(f"start must be below {len(ids)}, got {start}")
    after = one_hot(ids[1:], vocab_size).to(states)
    squares, found = states.square().sum(1), []
    for first in range(start - 1, len(ids) - 1, BLOCK):
        last = min(first + BLOCK, len(ids) - 1)
        known = last if grows else start - 1
        # -(h - h_j)^2, but for the square of h, the same for all j
        scores = 2 * states[first:last] @ states[:known].T - squares[:known]
        if grows:  # a state must not find itself, nor what comes later
            later = torch.ones(last - first, last - first).triu().bool()
            scores[:, first:].masked_fill_(later.to(scores.device), -torch.inf)
        weights = (scores / temperature).softmax(1)
        found.append((weights @ after[:known]).double())
    return torch.cat(found)
