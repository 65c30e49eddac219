"""GRU and LSTM: torch's own as the oracle, states, dropout."""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from helpers import raises, seeded
from unrolled.batches import SequenceLoader
from unrolled.gates import GRULM, LSTMLM, gru_step, lstm_step
from unrolled.training import train

V, H, N, T = 5, 7, 3, 4
KINDS = {GRULM: nn.GRU, LSTMLM: nn.LSTM}
both = pytest.mark.parametrize("kind", KINDS)


def model_of(kind, layers=2, **options):
    """A model of double precision without a parameter of 0."""
    model = kind(V, H, layers, generator=seeded(0), **options).double()
    for p in model.parameters():
        nn.init.normal_(p, 0.0, 0.5, generator=seeded(p.numel()))
    return model


def torchs_own(model):
    """Torch's layers with the model's weights, by their own gradients.

    Of a GRU's second bias only the part of N is ours; the rest, and that of
    an LSTM, adds to the first.
    """
    kind = KINDS[type(model)]
    theirs = kind(V, H, model.num_layers, dtype=torch.float64)
    with torch.no_grad():
        for layer in range(model.num_layers):
            of = theirs._parameters
            of[f"weight_ih_l{layer}"].copy_(model.W_in[layer].T)
            of[f"weight_hh_l{layer}"].copy_(model.W_hh[layer].T)
            of[f"bias_ih_l{layer}"].copy_(model.b_in[layer])
            second = of[f"bias_hh_l{layer}"].zero_()
            if kind is nn.GRU:
                second[2 * H :] = model.b_n[layer]
    return theirs


@both
@pytest.mark.parametrize("layers", [1, 3])
def test_against_torch_in_output_and_every_gradient(kind, layers):
    model = model_of(kind, layers)
    theirs = torchs_own(model)
    X = torch.randint(V, (N, T), generator=seeded(1))
    start = torch.randn(layers, N, model.parts * H, generator=seeded(2))
    start = start.double().requires_grad_()
    logits, last = model(X, start)
    given = [part.contiguous() for part in start.chunk(model.parts, -1)]
    states, end = theirs(
        one_hot(X.T, V).double(), tuple(given) if kind is LSTMLM else given[0]
    )
    end = torch.cat(end, -1) if kind is LSTMLM else end
    expected = states @ model.W_hq + model.b_q
    assert torch.allclose(logits, expected, rtol=0, atol=1e-10)
    assert torch.allclose(last, end, rtol=0, atol=1e-10)

    def gradients(scores, after, *parameters):
        loss = scores.square().sum() + (after**3).sum()
        return torch.autograd.grad(loss, parameters)

    names = ["W_in", "W_hh", "b_in", *(["b_n"] if kind is GRULM else [])]
    ours = [model.W_hq, model.b_q, start]
    ours += [p for name in names for p in getattr(model, name)]
    assert len(ours) == 1 + len(list(model.parameters()))
    oracle = [model.W_hq, model.b_q, start]
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        if name != "bias_hh" or kind is GRULM:
            oracle += [
                getattr(theirs, f"{name}_l{layer}") for layer in range(layers)
            ]
    pairs = zip(
        gradients(logits, last, *ours),
        gradients(expected, end, *oracle),
        strict=True,
    )
    for mine, other in pairs:
        if mine.shape == (H,):  # b_n
            other = other[2 * H :]
        other = other.T if other.shape != mine.shape else other
        assert mine.abs().max() > 1e-3
        assert torch.allclose(mine, other, rtol=0, atol=1e-10)


def test_a_gru_step_by_hand():
    one = torch.ones(1, 1)
    A = torch.tensor([[0.0, 0.0, 0.5]])
    W = torch.tensor([[0.0, 0.0, 2.0]])
    # R = Z = 1/2; N = tanh(0.5 + (2 * 1 + 1) / 2) = tanh(2)
    expected = (1 + torch.tensor(2.0).tanh()) / 2
    found = gru_step(A, one, W, torch.ones(1))
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)
    # nothing of H in the products: N = tanh(0.5 + 1 / 2), and H goes on
    expected = (1 + torch.tensor(1.0).tanh()) / 2
    found = gru_step(A, one, W, torch.ones(1), 0.0)
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_an_lstm_step_by_hand():
    one = torch.ones(1, 1)
    A = torch.tensor([[0.0, 0.0, 0.5, 0.0]])
    W = torch.tensor([[0.0, 0.0, 1.5, 0.0]])
    # I = F = O = 1/2; G = tanh(2)
    C = (3 + torch.tensor(2.0).tanh()) / 2
    found = lstm_step(A, one, 3 * one, W)
    assert [x.item() for x in found] == pytest.approx(
        [C.tanh().item() / 2, C.item()], abs=1e-6
    )
    C = (3 + torch.tensor(0.5).tanh()) / 2
    found = lstm_step(A, one, 3 * one, W, 0.0)
    assert found[1].item() == pytest.approx(C.item(), abs=1e-6)


@both
def test_in_two_pieces_and_one_token_at_a_time(kind):
    model = model_of(kind)
    X = torch.randint(V, (N, 6), generator=seeded(1))
    whole, last = model(X)
    first, state = model(X[:, :2])
    second, end = model(X[:, 2:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-12)
    assert torch.allclose(end, last, atol=1e-12)
    state = model.begin_state(N)
    for t in range(6):
        scores, state = model.step(X[:, t], state)
        assert torch.allclose(scores, whole[t], atol=1e-12)
    assert torch.allclose(state, last, atol=1e-12)


@both
def test_begin_state(kind):
    state = kind(5, 4, 2).begin_state(3)
    assert state.shape == (2, 3, 4 * kind.parts)
    assert not state.any()


@both
def test_weights(kind):
    h, gates = 50, kind.num_gates
    model = kind(30, h, 3, input_scale=2.5, generator=seeded(0))
    scales = [W.std().item() for W in model.W_in]
    assert scales == pytest.approx([2.5, h**-0.5, h**-0.5], rel=0.1)
    assert [len(W) for W in model.W_in] == [30, h, h]
    for W in model.W_hh:
        assert W.shape == (h, gates * h)
        blocks = W.chunk(gates, 1)
        for block in blocks:
            assert torch.allclose(block @ block.T, torch.eye(h), atol=1e-5)
        assert not torch.equal(*blocks[:2])
    assert not torch.equal(model.W_hh[0], model.W_hh[1])
    assert model.W_hq.std().item() == pytest.approx(h**-0.5, rel=0.1)
    assert not model.b_q.any()
    for b in model.b_in:
        forget = b[h : 2 * h]
        assert (forget == (1 if kind is LSTMLM else 0)).all()
        assert b.sum() == forget.sum()
    assert kind(30, h).W_in[0].std().item() == pytest.approx(1, rel=0.1)
    same = kind(30, h, 3, input_scale=2.5, generator=seeded(0))
    for p, q in zip(model.parameters(), same.parameters(), strict=True):
        assert torch.equal(p, q)


@both
class TestDropout:
    def model(self, kind, **options):
        return kind(V, 200, 2, generator=seeded(0), **options)

    @pytest.mark.parametrize("which", ["dropout", "recurrent_dropout"])
    def test_only_while_training(self, kind, which):
        X = torch.randint(V, (2, 3), generator=seeded(1))
        model = self.model(kind, **{which: 0.5})
        plain = self.model(kind)(X)[0]
        assert torch.equal(model.eval()(X)[0], plain)
        first, second = (self.model(kind, **{which: 0.5})(X) for _ in "ab")
        assert torch.equal(first[0], second[0])
        assert not torch.equal(first[0], plain)
        # what is kept is H itself, of the first layer at least
        h = model.num_hiddens
        untouched = torch.equal(
            first[1][0, :, :h], self.model(kind)(X)[1][0, :, :h]
        )
        assert untouched == (which == "dropout")

    def test_no_dropout_draws_nothing(self, kind):
        model = self.model(kind)
        before = model.generator.get_state()
        model(torch.ones(1, 2, dtype=torch.long))
        assert torch.equal(model.generator.get_state(), before)

    def test_a_mask(self, kind):
        model = self.model(kind)
        mask = model._mask(torch.ones(3, 4000), 0.25)
        assert mask.unique().tolist() == pytest.approx([0, 1 / 0.75])
        assert mask.mean().item() == pytest.approx(1, abs=0.03)
        assert not torch.equal(mask[0], mask[1])
        assert model.eval()._mask(mask, 0.25) == 1.0

    def test_the_same_units_at_every_step(self, kind):
        # logits are linear in what is left: a unit that is dropped at one
        # step is at all
        model = kind(V, 6, dropout=0.5, generator=seeded(3))
        with torch.no_grad():
            model.W_hq.copy_(torch.eye(6, V))
            model.b_q.zero_()
        logits, _ = model(torch.randint(V, (2, 8), generator=seeded(1)))
        zero = logits == 0
        assert torch.equal(zero[0], zero[7])
        assert 0 < zero[0].sum() < zero[0].numel()


def test_kept_goes_to_every_step_of_the_recurrence():
    # with all of H dropped in the products, each state hears one input only
    class Deaf(LSTMLM):
        def _mask(self, like, share):
            return 0.0 if share == 0.5 else 1.0

    deaf = Deaf(V, H, recurrent_dropout=0.5, generator=seeded(0))
    with torch.no_grad():
        deaf.b_in[0][H : 2 * H] = -1e9  # the cell forgets all
    one = deaf(torch.tensor([[1, 2, 3]]))[0][-1]
    other = deaf(torch.tensor([[3, 0, 3]]))[0][-1]
    assert torch.equal(one, other)


@both
def test_it_learns(kind):
    ids = torch.arange(400) % 4
    model = kind(4, 16, generator=seeded(0))
    loader = SequenceLoader(ids, 4, 10, generator=seeded(1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    history = train(model, loader, 4, optimizer, progress=False)
    assert history.train[-1] < 1.2


def test_a_kind_must_say_what_a_step_is():
    class Nothing(GRULM.__base__):
        num_gates, parts = 1, 1

    with pytest.raises(NotImplementedError):
        Nothing(V, H)(torch.ones(1, 1, dtype=torch.long))


def test_step_refuses_other_ids():
    with raises(ValueError, "ids must be in 0..4, got 5"):
        GRULM(V, H).step(torch.tensor([5]), GRULM(V, H).begin_state(1))
