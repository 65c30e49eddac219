"""The recurrence and its gradient, worked out by hand.

Backpropagation through time for H_t = tanh(X_t + H_{t-1} W_hh). It gives what
automatic differentiation gives for the plain loop, in less time, because the
gradient of W_hh is formed once and not once for each step. It knows nothing of
vocabularies (``rnn`` does) and truncates nothing (``training`` does).
"""

import torch
from torch import Tensor


class Recurrence(torch.autograd.Function):
    """All hidden states of one run, with the gradient written out.

    inputs: (T, n, h), what X W_xh + b_h gave; state: (n, h); W_hh: (h, h).
    Returns the states H_1 to H_T as (T, n, h). See ``recurrence``.

    Backward, with Z_t the argument of tanh and D_t the gradient of the loss
    with respect to Z_t:

        D_t = (G_t + D_{t+1} W_hh^T) * (1 - H_t^2)
        gradient of W_hh = sum over t of H_{t-1}^T D_t

    where G_t is the gradient that reaches H_t from outside. The sum is one
    product of two tall matrices.
    """

    @staticmethod
    def forward(ctx, inputs: Tensor, state: Tensor, W_hh: Tensor) -> Tensor:
        """H_t = tanh(inputs_t + H_{t-1} W_hh), for t = 1..T."""
        states = torch.empty_like(inputs)
        hidden = state
        for step, out in zip(inputs, states, strict=True):
            torch.addmm(step, hidden, W_hh, out=out)
            hidden = out.tanh_()
        ctx.save_for_backward(states, state, W_hh)
        return states

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of inputs, state and W_hh."""
        states, state, W_hh = ctx.saved_tensors
        slopes = 1 - states * states
        deltas = torch.empty_like(states)
        reaches = gradient[-1]  # what reaches H_t, from outside and from t+1
        for t in range(len(states) - 1, -1, -1):
            torch.mul(reaches, slopes[t], out=deltas[t])
            if t:
                reaches = torch.addmm(gradient[t - 1], deltas[t], W_hh.T)
        before = torch.cat([state[None], states[:-1]]).flatten(0, 1)
        return (
            deltas,
            deltas[0] @ W_hh.T,
            before.T @ deltas.flatten(0, 1),
        )


def recurrence(inputs: Tensor, state: Tensor, W_hh: Tensor) -> Tensor:
    """The states (T, n, h) for inputs (T, n, h), from state (n, h).

    The same numbers and gradients as the loop

        for step in inputs:
            state = torch.tanh(step + state @ W_hh)
    """
    return Recurrence.apply(inputs, state, W_hh)
