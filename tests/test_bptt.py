"""The recurrence by hand: against the plain loop, gradcheck, a wrong one."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from helpers import seeded
from unrolled.bptt import Recurrence, recurrence
from unrolled.rnn import RNNLM, _unroll

# (T, n, h), all different, and with 1 in every place
SHAPES = [(3, 4, 5), (2, 4, 3), (1, 2, 3), (4, 1, 2), (5, 3, 1), (1, 1, 1)]


def drawn(shape, dtype=torch.float64, seed=0):
    steps, batch, hidden = shape
    generator = seeded(seed)
    return [
        torch.randn(*size, generator=generator, dtype=dtype).requires_grad_()
        for size in ((steps, batch, hidden), (batch, hidden), (hidden, hidden))
    ]


def weighted(states):
    """A loss that needs every state, and each of them differently."""
    weights = torch.arange(1, states.numel() + 1, dtype=states.dtype)
    return (states * weights.reshape(states.shape).cos()).sum()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_states_and_gradients_of_the_loop(shape, dtype):
    ours, theirs = drawn(shape, dtype), drawn(shape, dtype)
    states, expected = recurrence(*ours), _unroll(*theirs)
    tolerance = (
        {"rtol": 0, "atol": 1e-12}
        if dtype == torch.float64
        else {"rtol": 1e-4, "atol": 1e-5}
    )
    assert states.shape == shape
    assert torch.allclose(states, expected, **tolerance)
    weighted(states).backward()
    weighted(expected).backward()
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad.abs().max() > 1e-3
        assert torch.allclose(a.grad, b.grad, **tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_states_where_no_gradient_is_asked(shape):
    given = [value.detach() for value in drawn(shape)]
    kept = [value.clone() for value in given]
    with torch.no_grad():
        states = recurrence(*given)
    assert states.shape == shape
    assert torch.allclose(states, _unroll(*given), rtol=0, atol=1e-12)
    assert all(map(torch.equal, given, kept))


def test_one_step_without_a_gradient_keeps_nothing(monkeypatch):
    given = drawn((1, 2, 3))
    assert type(recurrence(*given).grad_fn).__name__ == "RecurrenceBackward"

    def refused(*arguments):
        raise AssertionError("the states were kept")

    monkeypatch.setattr(Recurrence, "apply", refused)
    with torch.no_grad():
        recurrence(*given)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_gradient_of_a_gradient_is_refused(steps):
    inputs, state, W_hh = drawn((steps, 2, 3))
    loss = recurrence(inputs, state, W_hh).pow(2).sum()
    (gradient,) = torch.autograd.grad(loss, W_hh, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.sum().backward()


@pytest.mark.parametrize("shape", SHAPES)
def test_gradcheck(shape):
    assert torch.autograd.gradcheck(recurrence, drawn(shape))


class Wrong(Recurrence):
    """Forgets the slope of tanh at one place."""

    @staticmethod
    def backward(ctx, gradient):
        inputs, state, W_hh = Recurrence.backward(ctx, gradient)
        return inputs * 1.01, state, W_hh


class Truncated(Recurrence):
    """Takes the sum for W_hh without its first step."""

    @staticmethod
    def backward(ctx, gradient):
        states, _W_hh = ctx.saved_tensors
        inputs, to_state, full = Recurrence.backward(ctx, gradient)
        return inputs, to_state, full - states[0].T @ inputs[0]


@pytest.mark.parametrize("wrong", [Wrong, Truncated])
def test_a_wrong_gradient_is_rejected(wrong):
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(wrong.apply, drawn((3, 4, 5)))


def test_a_loss_on_the_last_state_only():
    ours, theirs = drawn((4, 2, 3)), drawn((4, 2, 3))
    recurrence(*ours)[-1].sum().backward()
    _unroll(*theirs)[-1].sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=0, atol=1e-12)


def test_states_that_were_edited_are_noticed():
    states = recurrence(*drawn((3, 4, 5)))
    with torch.no_grad():
        states += 1
    with pytest.raises(RuntimeError, match="has been modified inplace"):
        states.sum().backward()


def test_arguments_are_left_as_they_were():
    inputs, state, W_hh = drawn((3, 4, 5))
    before = [x.detach().clone() for x in (inputs, state, W_hh)]
    states = recurrence(inputs, state, W_hh)
    kept = states.detach().clone()
    weighted(states).backward()
    for now, old in zip((inputs, state, W_hh), before, strict=True):
        assert torch.equal(now, old)
    assert torch.equal(states, kept)


@pytest.mark.parametrize("cut", [9, 4, 1])
def test_the_whole_gradient_of_a_language_model(cut):
    """All five tensors in formulas; the state detached every ``cut`` steps.

    E_t = softmax(O_t) - onehot(y_t), over the number of tokens; what reaches
    the state from its own output, G_t = E_t W_hq^T; then D_t as in ``bptt``,
    which starts anew at a border.
    """
    V, T, n, h = 7, 9, 3, 5
    generator = torch.Generator().manual_seed(0)
    scales = {"input_scale": 1, "recurrent_scale": 0.5, "output_scale": 1}
    model = RNNLM(V, h, **scales, generator=generator).double()
    ids = torch.randint(V, (n, T + 1), generator=generator)
    X, Y, state, loss = ids[:, :-1], ids[:, 1:], None, 0.0
    for piece in torch.arange(T).split(cut):
        state = state if state is None else state.detach()
        logits, state = model(X[:, piece], state)
        labels = Y[:, piece].T.flatten()
        losses = cross_entropy(logits.flatten(0, 1), labels, reduction="none")
        loss = loss + losses.sum() / (T * n)
    loss.backward()

    W_xh, W_hh, b_h, W_hq, b_q = (p.detach() for p in model.parameters())
    states = [torch.zeros(n, h).double()]
    for t in range(T):
        states.append(torch.tanh(W_xh[X[:, t]] + states[t] @ W_hh + b_h))
    E = [
        (H @ W_hq + b_q).softmax(-1) - one_hot(Y[:, t], V)
        for t, H in enumerate(states[1:])
    ]
    E = torch.stack(E) / (T * n)
    D = torch.zeros(T + 1, n, h).double()
    for t in reversed(range(T)):
        later = D[t + 1] @ W_hh.T if (t + 1) % cut else 0.0
        D[t] = (E[t] @ W_hq.T + later) * (1 - states[t + 1] ** 2)
    expected = {
        "W_xh": sum(one_hot(X[:, t], V).double().T @ D[t] for t in range(T)),
        "W_hh": sum(states[t].T @ D[t] for t in range(T)),
        "b_h": D.sum((0, 1)),
        "W_hq": sum(states[t + 1].T @ E[t] for t in range(T)),
        "b_q": E.sum((0, 1)),
    }
    for name, found in model.named_parameters():
        assert found.grad.abs().max() > 1e-3, name
        gap = (found.grad - expected[name]).abs().max()
        assert gap < 1e-14, name
