"""The transformer: torch's own as the oracle, what a place sees, pieces."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from helpers import raises, seeded
from unrolled.attention import TransformerLM, attend, causal_bias
from unrolled.batches import SequenceLoader
from unrolled.evaluation import log_probs
from unrolled.training import train

V, H, K, N, T = 5, 12, 3, 2, 7


def model_of(layers=2, **options):
    """A model of double precision without a parameter of 0."""
    options = {"num_heads": K, "window": 8, "generator": seeded(0)} | options
    model = TransformerLM(V, H, layers, **options).double()
    for i, p in enumerate(model.parameters()):
        nn.init.normal_(p, 0.0, 0.5, generator=seeded(i))
    return model


def ids_of(*shape, seed=1):
    return torch.randint(V, shape, generator=seeded(seed))


def test_what_is_not_said():
    model = TransformerLM(V, H)
    stated = TransformerLM(V, H, 1, num_heads=4, window=128, dropout=0.0)
    assert repr(model) == repr(stated)
    assert model.window == stated.window
    shapes = [p.shape for p in model.parameters()]
    assert shapes == [p.shape for p in stated.parameters()]


def test_the_state_lies_where_the_parameters_lie():
    state = TransformerLM(V, H).to("meta").begin_state(2)
    assert (state.device.type, state.shape) == ("meta", (2, 0))


NAMES = {
    "W_qkv": "self_attn.in_proj_weight",
    "b_qkv": "self_attn.in_proj_bias",
    "W_o": "self_attn.out_proj.weight",
    "b_o": "self_attn.out_proj.bias",
    "W_1": "linear1.weight",
    "b_1": "linear1.bias",
    "W_2": "linear2.weight",
    "b_2": "linear2.bias",
    "g_1": "norm1.weight",
    "s_1": "norm1.bias",
    "g_2": "norm2.weight",
    "s_2": "norm2.bias",
}


@pytest.mark.parametrize("layers", [1, 3])
def test_against_torch_in_output_and_every_gradient(layers):
    model, X = model_of(layers), ids_of(N, T)
    theirs = [
        nn.TransformerEncoderLayer(
            H,
            K,
            4 * H,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
            dtype=torch.float64,
        )
        for _ in range(layers)
    ]
    for block, layer in zip(model.blocks, theirs, strict=True):
        layer.load_state_dict(
            {
                name: block[ours].T if block[ours].dim() == 2 else block[ours]
                for ours, name in NAMES.items()
            }
        )
    logits, _ = model(X)
    mask = causal_bias(T, K).repeat(N, 1, 1)  # for each row, its heads
    hidden = one_hot(X, V).double() @ model.W_xh
    for layer in theirs:
        hidden = layer(hidden, src_mask=mask)
    hidden = nn.functional.layer_norm(hidden, (H,), model.g_q, model.s_q)
    expected = (hidden @ model.W_hq + model.b_q).transpose(0, 1)
    assert torch.allclose(logits, expected, rtol=0, atol=1e-10)

    shared = [model.W_xh, model.g_q, model.s_q, model.W_hq, model.b_q]
    ours = [block[name] for block in model.blocks for name in NAMES]
    assert len(shared) + len(ours) == len(list(model.parameters()))
    oracle = [
        layer.get_parameter(name)
        for layer in theirs
        for name in NAMES.values()
    ]
    pairs = zip(
        torch.autograd.grad(logits.square().sum(), shared + ours),
        torch.autograd.grad(expected.square().sum(), shared + oracle),
        strict=True,
    )
    for mine, other in pairs:
        assert mine.abs().max() > 1e-3
        other = other.T if mine.shape != other.shape else other
        if mine.dim() == 2 and mine.shape[0] == mine.shape[1]:
            other = other.T  # W_o, which is square
        scale = mine.abs().max()
        assert torch.allclose(mine / scale, other / scale, rtol=0, atol=1e-10)


def test_attend_by_hand():
    Q = torch.tensor([[0.0], [2.0]]).double()
    K_ = torch.tensor([[1.0], [0.5]]).double()
    V_ = torch.tensor([[3.0], [7.0]]).double()
    none = torch.zeros(2, 2).double()
    # scores of the second place: 2 and 1, so that its weights are e : 1
    found = attend(Q, K_, V_, none)
    assert found[0].item() == pytest.approx(5)
    e = math.e
    assert found[1].item() == pytest.approx((3 * e + 7) / (e + 1))
    # two features: scores are divided by their root
    two = attend(Q.repeat(1, 2), K_.repeat(1, 2), V_, none)[1].item()
    e = math.exp(math.sqrt(2))
    assert two == pytest.approx((3 * e + 7) / (e + 1))


def test_causal_bias_by_hand():
    inf = math.inf
    assert causal_bias(3, 2).tolist() == [
        [[0, -inf, -inf], [-1 / 16, 0, -inf], [-1 / 8, -1 / 16, 0]],
        [[0, -inf, -inf], [-1 / 256, 0, -inf], [-1 / 128, -1 / 256, 0]],
    ]


def test_no_place_sees_what_comes_later_and_each_sees_what_came():
    model, X = model_of(), ids_of(1, T)
    before = model(X)[0]
    for t in range(T):
        other = X.clone()
        other[0, t] = (other[0, t] + 1) % V
        changed = (model(other)[0] - before).abs().amax((1, 2))
        assert not changed[:t].any()
        assert (changed[t:] > 1e-6).all()


def test_a_window_and_no_more():
    model = model_of(window=4)
    X = ids_of(1, 11)
    logits, state = model(X)
    # pieces of 1: each place sees itself and the three before it
    for t in range(11):
        alone, _ = model(X[:, max(0, t - 3) : t + 1])
        assert torch.allclose(logits[t], alone[-1], atol=1e-12)
    assert torch.equal(state, X[:, -4:])


def test_a_text_that_fits_is_read_at_once_with_what_fits_before():
    model, X = model_of(window=8), ids_of(N, 13)
    logits, state = model(X[:, 5:10], X[:, :5])  # room for three of five
    at_once, _ = model(X[:, 2:10])
    assert torch.allclose(logits, at_once[3:], atol=1e-12)
    assert torch.equal(state, X[:, 2:10])
    # exactly a window: nothing before it
    logits, _ = model(X[:, 5:], X[:, :5])
    assert torch.allclose(logits, model(X[:, 5:])[0], atol=1e-12)
    assert not torch.allclose(logits[:1], model(X[:, 4:6])[0][1:], atol=1e-3)


def test_a_longer_text_goes_in_quarters():
    model, X = model_of(window=8), ids_of(1, 17)
    logits, _ = model(X)
    assert logits.shape == (17, 1, V)
    # 0-1, 2-3, ...; the piece of 12 and 13 has six before it, 16 has seven
    assert torch.allclose(logits[12:14], model(X[:, 6:14])[0][6:], atol=1e-12)
    assert torch.allclose(logits[16], model(X[:, 9:])[0][7], atol=1e-12)


def test_one_token_at_a_time():
    model, X = model_of(), ids_of(N, 8)
    whole, state = model.begin_state(N), None
    whole, last = model(X)
    state = model.begin_state(N)
    assert state.shape == (N, 0)
    assert state.dtype == torch.int64
    for t in range(8):
        logits, state = model.step(X[:, t], state)
        assert torch.allclose(logits, whole[t], atol=1e-12)
    assert torch.equal(state, last)
    with raises(ValueError, f"ids must be in 0..{V - 1}, got {V}"):
        model.step(torch.tensor([V, 0]), state)


def test_scored_as_any_other():
    model, ids = model_of(window=20), ids_of(15)
    scores = log_probs(model, ids)
    expected = model(ids[None, :-1])[0][:, 0].log_softmax(-1)
    expected = expected.gather(1, ids[1:, None])[:, 0]
    assert torch.allclose(scores, expected, atol=1e-12)


def test_weights():
    model = TransformerLM(50, 60, 2, num_heads=5, generator=seeded(0))
    for block in model.blocks:
        for name, rows in (
            ("W_qkv", 60),
            ("W_o", 60),
            ("W_1", 60),
            ("W_2", 240),
        ):
            assert block[name].std().item() == pytest.approx(
                rows**-0.5, rel=0.05
            )
        assert all((block[g] == 1).all() for g in ("g_1", "g_2"))
        for name in ("b_qkv", "b_o", "b_1", "b_2", "s_1", "s_2"):
            assert not block[name].any()
    assert model.W_xh.std().item() == pytest.approx(1, rel=0.05)
    assert model.W_hq.std().item() == pytest.approx(60**-0.5, rel=0.05)
    assert (model.g_q == 1).all()
    assert not model.s_q.any()
    assert not model.b_q.any()
    same = TransformerLM(50, 60, 2, num_heads=5, generator=seeded(0))
    for p, q in zip(model.parameters(), same.parameters(), strict=True):
        assert torch.equal(p, q)


class TestDropout:
    def test_only_while_training(self):
        X = ids_of(N, T)
        first, second = (model_of(dropout=0.5)(X)[0] for _ in "ab")
        assert torch.equal(first, second)
        plain = model_of()(X)[0]
        assert not torch.equal(first, plain)
        assert torch.equal(model_of(dropout=0.5).eval()(X)[0], plain)

    def test_what_is_kept(self):
        model = model_of(dropout=0.25)
        dropped = model._drop(torch.ones(50, 60, 4))
        assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
        assert dropped.mean().item() == pytest.approx(1, abs=0.03)

    def test_none_draws_nothing(self):
        model = model_of()
        before = model.generator.get_state()
        model(ids_of(N, T))
        assert torch.equal(model.generator.get_state(), before)


def test_it_learns():
    ids = torch.arange(400) % 4
    model = TransformerLM(4, 16, num_heads=2, generator=seeded(0))
    loader = SequenceLoader(ids, 4, 10, generator=seeded(1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    history = train(model, loader, 4, optimizer, progress=False)
    assert history.train[-1] < 1.2
