"""The recurrence and its gradient, worked out by hand.

Backpropagation through time for H_t = tanh(X_t + H_{t-1} W_hh). It gives what
automatic differentiation gives for the plain loop, in less time, because the
gradient of W_hh is formed once and not once for each step. It knows nothing of
vocabularies (``rnn`` does) and truncates nothing (``training`` does).
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

tanh_backward = torch.ops.aten.tanh_backward.grad_input


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
        # H_0 lies before H_1, so that H_0..H_{T-1} are one piece of memory
        states = torch.cat([state[None], inputs])
        hidden, *later = states.unbind()
        for out in later:
            hidden = out.addmm_(hidden, W_hh).tanh_()
        ctx.save_for_backward(states, W_hh)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of inputs, state and W_hh."""
        states, W_hh = ctx.saved_tensors
        # G_t at first; in place it becomes D_t, from the last to the first
        deltas = gradient.clone(memory_format=torch.contiguous_format)
        D, H = deltas.unbind(), states[1:].unbind()
        for t in range(len(D) - 1, -1, -1):
            tanh_backward(D[t], H[t], grad_input=D[t])  # times 1 - H_t^2
            if t:
                D[t - 1].addmm_(D[t], W_hh.T)
        before = states[:-1].flatten(0, 1)
        return deltas, D[0] @ W_hh.T, before.T @ deltas.flatten(0, 1)


def recurrence(inputs: Tensor, state: Tensor, W_hh: Tensor) -> Tensor:
    """The states (T, n, h) for inputs (T, n, h), from state (n, h).

    The same numbers and gradients as the loop

        for step in inputs:
            state = torch.tanh(step + state @ W_hh)

    with T at least 1. First derivatives only: to differentiate a gradient
    again is a RuntimeError; the plain loop (``RNNLM(by_hand=False)``) can.
    """
    if len(inputs) == 1 and not torch.is_grad_enabled():
        # writing text: a step at a time, and nothing to keep for later
        return torch.addmm(inputs[0], state, W_hh).tanh_()[None]
    return Recurrence.apply(inputs, state, W_hh)
