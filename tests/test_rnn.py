"""RNNLM: torch.nn.RNN as the oracle, states, errors."""

import threading

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import unrolled.rnn
from helpers import seeded
from unrolled.rnn import RNNLM, _init_params, _unroll, scoring, step
from unrolled.stacked import StackedRNNLM

# vocabulary, hidden, batch, steps: all different, and with 1
SIZES = [(5, 7, 3, 4), (6, 4, 1, 3), (4, 3, 2, 1), (3, 1, 2, 5), (2, 2, 1, 1)]


def rnn_model(sizes, dtype=torch.float64, **options):
    vocab_size, hidden, _, _ = sizes
    model = RNNLM(
        vocab_size,
        hidden,
        input_scale=1.0,
        recurrent_scale=0.7,
        output_scale=0.5,
        generator=seeded(1),
        **options,
    ).to(dtype)
    with torch.no_grad():  # biases of 0 would hide their place
        model.b_h.normal_(generator=seeded(2))
        model.b_q.normal_(generator=seeded(3))
    return model


def ids_of(sizes, seed=0):
    vocab_size, _, batch, steps = sizes
    return torch.randint(vocab_size, (batch, steps), generator=seeded(seed))


def state_of(sizes, dtype=torch.float64):
    _, hidden, batch, _ = sizes
    return torch.randn(batch, hidden, generator=seeded(9)).to(dtype)


def torch_twin(model):
    """torch.nn.RNN and nn.Linear with the model's weights."""
    dtype = model.W_hh.dtype
    layer = nn.RNN(model.vocab_size, model.num_hiddens, dtype=dtype)
    output = nn.Linear(model.num_hiddens, model.vocab_size, dtype=dtype)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(model.W_xh.T)
        layer.weight_hh_l0.copy_(model.W_hh.T)
        layer.bias_ih_l0.copy_(model.b_h)
        layer.bias_hh_l0.zero_()
        output.weight.copy_(model.W_hq.T)
        output.bias.copy_(model.b_q)
    return layer, output


class TestOracle:
    @pytest.mark.parametrize("sizes", SIZES)
    @pytest.mark.parametrize("by_hand", [True, False])
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
    def test_outputs_and_gradients(self, sizes, by_hand, dtype):
        model = rnn_model(sizes, dtype, by_hand=by_hand)
        layer, output = torch_twin(model)
        X, Y = ids_of(sizes), ids_of(sizes, 1)
        start = state_of(sizes, dtype)
        logits, state = model(X, start)
        states, last = layer(
            one_hot(X.T, sizes[0]).to(dtype), start[None].clone()
        )
        expected = output(states)
        tolerance = (
            {"rtol": 0, "atol": 1e-10}
            if dtype == torch.float64
            else {"rtol": 1e-4, "atol": 1e-6}
        )
        assert torch.allclose(logits, expected, **tolerance)
        assert torch.allclose(state, last[0], **tolerance)
        for found in (logits, expected):
            cross_entropy(found.flatten(0, 1), Y.T.flatten()).backward()
        pairs = (
            (model.W_xh.grad, layer.weight_ih_l0.grad.T),
            (model.W_hh.grad, layer.weight_hh_l0.grad.T),
            (model.b_h.grad, layer.bias_ih_l0.grad),
            (model.W_hq.grad, output.weight.grad.T),
            (model.b_q.grad, output.bias.grad),
        )
        for ours, theirs in pairs:
            assert ours.abs().max() > 1e-5
            assert torch.allclose(ours, theirs, **tolerance)

    def test_a_wrong_weight_would_be_seen(self):
        sizes = SIZES[0]
        model = rnn_model(sizes)
        layer, output = torch_twin(model)
        with torch.no_grad():
            model.W_hh.copy_(model.W_hh.T.clone())
        X = ids_of(sizes)
        states, _ = layer(one_hot(X.T, sizes[0]).double())
        assert not torch.allclose(model(X)[0], output(states), atol=1e-3)

    @pytest.mark.parametrize("sizes", SIZES)
    def test_one_hot_product_is_a_row(self, sizes):
        model = rnn_model(sizes)
        X = ids_of(sizes)
        product = one_hot(X, sizes[0]).double() @ model.W_xh
        assert torch.equal(product, model.W_xh[X])


class TestState:
    @pytest.mark.parametrize("by_hand", [True, False])
    def test_two_pieces_are_one_run(self, by_hand):
        sizes = (5, 7, 3, 6)
        model, X = rnn_model(sizes, by_hand=by_hand), ids_of(sizes)
        whole, last = model(X)
        for cut in range(1, 6):
            first, state = model(X[:, :cut])
            second, end = model(X[:, cut:], state)
            pieces = torch.cat([first, second])
            assert torch.allclose(pieces, whole, rtol=0, atol=1e-12)
            assert torch.allclose(end, last, rtol=0, atol=1e-12)

    def test_begin_state(self):
        model = rnn_model(SIZES[0])
        state = model.begin_state(3)
        assert state.shape == (3, 7)
        assert state.dtype == torch.float64
        assert not state.any()
        X = ids_of(SIZES[0])
        assert torch.equal(model(X)[0], model(X, state)[0])

    def test_a_step_is_the_loop_is_the_model(self):
        sizes = SIZES[0]
        model, X = rnn_model(sizes), ids_of(sizes)
        state = state_of(sizes)
        H = state
        found = []
        for t in range(X.shape[1]):
            hot = one_hot(X[:, t], sizes[0]).double()
            H = step(hot, H, model.W_xh, model.W_hh, model.b_h)
            found.append(H)
        states = _unroll(model.W_xh[X.T] + model.b_h, state, model.W_hh)
        assert torch.allclose(states, torch.stack(found), atol=1e-12)
        assert torch.allclose(model(X, state)[1], H, atol=1e-12)


class TestParameters:
    def test_names_shapes_and_scales(self):
        params = _init_params(40, 300, generator=seeded(0))
        shapes = {name: tuple(p.shape) for name, p in params.items()}
        assert shapes == {
            "W_xh": (40, 300),
            "W_hh": (300, 300),
            "b_h": (300,),
            "W_hq": (300, 40),
            "b_q": (40,),
        }
        for name in ("W_xh", "W_hh", "W_hq"):
            assert params[name].std().item() == pytest.approx(0.01, rel=0.05)
        assert not params["b_h"].any()
        assert not params["b_q"].any()

    def test_each_scale_is_its_own(self):
        params = _init_params(
            40,
            300,
            input_scale=3.0,
            recurrent_scale=0.5,
            output_scale=0.0,
            generator=seeded(0),
        )
        assert params["W_xh"].std().item() == pytest.approx(3, rel=0.05)
        assert params["W_hh"].std().item() == pytest.approx(0.5, rel=0.05)
        assert not params["W_hq"].any()

    def test_the_model_has_exactly_these(self):
        model = RNNLM(28, 16, generator=seeded(5))
        drawn = _init_params(28, 16, generator=seeded(5))
        named = dict(model.named_parameters())
        assert list(named) == list(drawn)
        for name, value in drawn.items():
            assert isinstance(named[name], nn.Parameter)
            assert torch.equal(named[name], value)
        assert (model.vocab_size, model.num_hiddens) == (28, 16)
        scaled = RNNLM(
            28,
            16,
            input_scale=2.0,
            recurrent_scale=3.0,
            output_scale=4.0,
            generator=seeded(5),
        )
        for name, factor in (("W_xh", 200), ("W_hh", 300), ("W_hq", 400)):
            assert torch.allclose(
                getattr(scaled, name), factor * drawn[name], rtol=1e-5
            )

    def test_by_hand_is_the_default(self):
        assert RNNLM(3, 2).by_hand

    @pytest.mark.parametrize("by_hand", [True, False])
    def test_by_hand_decides_which_loop_runs(self, by_hand, monkeypatch):
        called = []
        for name in ("recurrence", "_unroll"):
            plain = getattr(unrolled.rnn, name)

            def noted(*arguments, name=name, plain=plain):
                called.append(name)
                return plain(*arguments)

            monkeypatch.setattr(unrolled.rnn, name, noted)
        RNNLM(3, 2, by_hand=by_hand)(torch.tensor([[1, 2]]))
        assert called == ["recurrence" if by_hand else "_unroll"]

    def test_a_device_is_taken(self):
        model = RNNLM(3, 2, device="meta")
        assert {p.device.type for p in model.parameters()} == {"meta"}
        assert model.begin_state(1).device.type == "meta"


class TestStep:
    """One token at a time gives what the whole text gives at once."""

    @pytest.mark.parametrize("sizes", SIZES)
    @pytest.mark.parametrize("layers", [0, 1, 3])
    def test_equals_forward(self, sizes, layers):
        vocab_size, hidden, batch, _ = sizes
        if layers:
            model = StackedRNNLM(
                vocab_size, hidden, layers, dropout=0.5, generator=seeded(1)
            ).eval()
        else:
            model = rnn_model(sizes, torch.float32)
        with torch.no_grad():  # biases of 0 would hide their place
            for name, p in model.named_parameters():
                if name.startswith("b_"):
                    p.normal_(generator=seeded(2))
        X = ids_of(sizes)
        start = model.begin_state(batch).normal_(generator=seeded(4))
        expected, last = model(X, start)
        state = start
        for t in range(X.shape[1]):
            logits, state = model.step(X[:, t], state)
            assert torch.allclose(logits, expected[t], rtol=0, atol=1e-6)
        assert torch.allclose(state, last, rtol=0, atol=1e-6)
        logits.sum().backward()
        assert model.W_hq.grad.abs().max() > 0

    def test_dropout_while_training_only(self):
        model = StackedRNNLM(4, 50, 2, dropout=0.5, generator=seeded(1))
        ids, state = torch.tensor([1]), model.begin_state(1)
        assert not torch.equal(
            model.step(ids, state)[0], model.step(ids, state)[0]
        )

    @pytest.mark.parametrize("kind", [RNNLM, StackedRNNLM])
    def test_ids_of_one_byte(self, kind):
        model = kind(5, 3)
        state = model.begin_state(1)
        small = torch.tensor([4], dtype=torch.uint8)
        assert torch.equal(
            model.step(small, state)[0], model.step(small.long(), state)[0]
        )


class TestScoring:
    def test_threads_share_a_model(self):
        model = StackedRNNLM(5, 20, 2, dropout=0.5, generator=seeded(0))
        X = torch.randint(5, (2, 6), generator=seeded(1))
        with scoring(model):
            expected = model(X)[0]
        barrier, wrong = threading.Barrier(6), []

        def work():
            barrier.wait()
            for _ in range(60):
                with scoring(model):
                    if not torch.equal(model(X)[0], expected):
                        wrong.append("dropout")
                    if torch.is_grad_enabled():
                        wrong.append("gradients")

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert model.training

    def test_the_first_one_out_changes_nothing_for_the_others(self):
        model = StackedRNNLM(5, 20, dropout=0.5)
        inside, done = threading.Event(), threading.Event()

        def work():
            with scoring(model):
                inside.set()
                done.wait(10)

        thread = threading.Thread(target=work)
        with scoring(model):
            thread.start()
            assert inside.wait(10)
        assert not model.training
        done.set()
        thread.join()
        assert model.training

    @pytest.mark.parametrize("mode", [True, False])
    def test_every_part_gets_its_mode_back_after_an_error_too(self, mode):
        model = nn.Sequential(nn.Linear(1, 1), nn.Dropout()).train(mode)
        model[1].train(not mode)
        for error in (None, KeyError):
            try:
                with scoring(model), scoring(model):
                    assert not any(m.training for m in model.modules())
                    if error:
                        raise error
            except KeyError:
                pass
            assert [model.training, model[0].training] == [mode, mode]
            assert model[1].training is not mode

    def test_a_mode_that_was_set_meanwhile_stays(self):
        model = nn.Dropout().eval()
        with scoring(model):
            model.train()
        assert model.training
