"""StackedRNNLM: torch.nn.RNN as the oracle, states, dropout, errors."""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from helpers import seeded
from unrolled.stacked import StackedRNNLM


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_against_torch(layers):
    V, h, n, T = 5, 7, 3, 4
    model = StackedRNNLM(V, h, layers, generator=seeded(0)).double()
    with torch.no_grad():
        for bias in model.b_h:
            bias.normal_(generator=seeded(4))
    theirs = nn.RNN(V, h, layers, dtype=torch.float64)
    with torch.no_grad():
        for layer in range(layers):
            getattr(theirs, f"weight_ih_l{layer}").copy_(model.W_in[layer].T)
            getattr(theirs, f"weight_hh_l{layer}").copy_(model.W_hh[layer].T)
            getattr(theirs, f"bias_ih_l{layer}").copy_(model.b_h[layer])
            getattr(theirs, f"bias_hh_l{layer}").zero_()
    X = torch.randint(V, (n, T), generator=seeded(1))
    start = torch.randn(layers, n, h, generator=seeded(2)).double()
    logits, state = model(X, start)
    states, last = theirs(one_hot(X.T, V).double(), start)
    expected = states @ model.W_hq + model.b_q
    assert torch.allclose(logits, expected, rtol=0, atol=1e-10)
    assert torch.allclose(state, last, rtol=0, atol=1e-10)
    logits.square().sum().backward()
    expected.square().sum().backward()
    for layer in range(layers):
        ours = model.W_hh[layer].grad
        assert ours.abs().max() > 1e-3
        # both losses flowed into W_hq, but each into its own layers
        assert torch.allclose(
            ours,
            getattr(theirs, f"weight_hh_l{layer}").grad.T,
            rtol=1e-8,
            atol=1e-10,
        )


def test_in_two_pieces():
    model = StackedRNNLM(5, 4, 2, generator=seeded(0)).double()
    X = torch.randint(5, (3, 6), generator=seeded(1))
    whole, last = model(X)
    first, state = model(X[:, :2])
    second, end = model(X[:, 2:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-12)
    assert torch.allclose(end, last, atol=1e-12)


@pytest.mark.parametrize("layers", [1, 3])
def test_one_token_at_a_time(layers):
    model = StackedRNNLM(5, 4, layers, generator=seeded(0)).double()
    for p in model.parameters():  # no bias of 0
        nn.init.normal_(p, 0.0, 0.5, generator=seeded(p.numel()))
    X = torch.randint(5, (2, 6), generator=seeded(1))
    logits, last = model(X)
    state = model.begin_state(2).double()
    for t in range(6):
        scores, state = model.step(X[:, t], state)
        assert torch.allclose(scores, logits[t], atol=1e-12)
    assert torch.allclose(state, last, atol=1e-12)


def test_begin_state():
    state = StackedRNNLM(5, 4, 2).begin_state(3)
    assert state.shape == (2, 3, 4)
    assert not state.any()


def test_weights():
    model = StackedRNNLM(30, 50, 3, input_scale=2.5, generator=seeded(0))
    assert [tuple(W.shape) for W in model.W_in] == [
        (30, 50),
        (50, 50),
        (50, 50),
    ]
    scales = [W.std().item() for W in model.W_in]
    assert scales == pytest.approx([2.5, 50**-0.5, 50**-0.5], rel=0.1)
    for W in model.W_hh:
        assert torch.allclose(W @ W.T, torch.eye(50), atol=1e-5)
        assert W.is_contiguous()
    assert not torch.equal(model.W_hh[0], model.W_hh[1])
    assert model.W_hq.shape == (50, 30)
    assert model.W_hq.std().item() == pytest.approx(50**-0.5, rel=0.1)
    assert model.b_q.shape == (30,)
    assert not any(b.any() for b in [*model.b_h, model.b_q])
    assert [tuple(b.shape) for b in model.b_h] == [(50,)] * 3
    assert (model.num_layers, model.dropout, model.input_scale) == (
        3,
        0.0,
        2.5,
    )
    default = StackedRNNLM(30, 50)
    assert default.num_layers == 1
    assert default.W_in[0].std().item() == pytest.approx(3, rel=0.1)


class TestDropout:
    def model(self, dropout):
        return StackedRNNLM(5, 400, 2, dropout=dropout, generator=seeded(0))

    def test_none_draws_nothing(self):
        model = self.model(0.0)
        before = model.generator.get_state()
        model(torch.ones(1, 2, dtype=torch.long))
        assert torch.equal(model.generator.get_state(), before)

    def test_off_when_scoring(self):
        X = torch.randint(5, (2, 3), generator=seeded(1))
        model = self.model(0.5)
        model.eval()
        assert torch.equal(model(X)[0], model(X)[0])
        model.train()
        assert not torch.equal(model(X)[0], model(X)[0])
        assert torch.equal(self.model(0.0)(X)[0], self.model(0.0)(X)[0])

    def test_same_units_at_every_step_and_the_mean_kept(self):
        model = self.model(0.25)
        states = torch.ones(6, 3, 400)
        dropped = model._drop(states)
        assert torch.equal(dropped[0], dropped[5])
        assert not torch.equal(dropped[:, 0], dropped[:, 1])
        values = dropped.unique().tolist()
        assert values == pytest.approx([0, 1 / 0.75])
        assert (dropped == 0).double().mean().item() == pytest.approx(
            0.25, abs=0.05
        )

    def test_reproducible_from_the_generator(self):
        X = torch.randint(5, (2, 3), generator=seeded(1))
        assert torch.equal(self.model(0.5)(X)[0], self.model(0.5)(X)[0])


def test_no_input_scale_at_all():
    # an input scale of 0 is odd, but says what it does
    assert StackedRNNLM(3, 3, input_scale=0.0).W_in[0].abs().max() == 0
    assert StackedRNNLM(3, 3, input_scale=0.5).input_scale == 0.5
