"""Dynamic evaluation: scored before learned, steps by hand, nothing kept."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from helpers import seeded, small, text
from unrolled.attention import TransformerLM
from unrolled.evaluation import log_probs
from unrolled.gates import GRULM, LSTMLM
from unrolled.reading import gradient_sizes, multiply, read

KINDS = {
    "RNN": lambda: small(),
    "GRU": lambda: GRULM(6, 8, 2, dropout=0.5, generator=seeded(0)),
    "LSTM": lambda: LSTMLM(6, 8, recurrent_dropout=0.5, generator=seeded(0)),
    "transformer": lambda: TransformerLM(
        6, 8, num_heads=2, window=40, dropout=0.5, generator=seeded(0)
    ),
}
IDS = text(60)


def picked(rows, ids):
    return rows.gather(1, ids[1:, None])[:, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("segment", [7, 58, 59, 100])
def test_without_learning_it_is_evaluation(kind, segment):
    if kind == "transformer":
        segment = 20  # its window: 20 and as many before, as in evaluation
        ids = IDS[:21]
    else:
        ids = IDS
    model = KINDS[kind]()
    rows = read(model, ids, segment=segment, decay=0.5)
    assert rows.shape == (len(ids) - 1, 6)
    assert rows.dtype == torch.float64
    assert torch.allclose(rows.exp().sum(1), torch.ones(1).double())
    expected = log_probs(model, ids)
    assert torch.allclose(picked(rows, ids), expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_has_seen_what_it_is_about(kind):
    model = KINDS[kind]()
    before = read(model, IDS, rate=0.5, segment=10)
    for place in (1, 10, 11, 34, 59):
        other = IDS.clone()
        other[place] = (other[place] + 1) % 6
        after = read(model, other, rate=0.5, segment=10)
        # rows up to the one about this token stand; then it was read
        assert torch.equal(after[:place], before[:place])
        if place < 59:
            assert not torch.equal(after[place:], before[place:])


def test_what_was_learned_shows_in_the_next_segment_only():
    model = small()
    plain = read(model, IDS, segment=10)
    learning = read(model, IDS, segment=10, rate=0.5)
    assert torch.equal(plain[:10], learning[:10])
    assert (plain[10:] != learning[10:]).any(1).all()


@pytest.mark.parametrize("weighed", [False, True])
def test_steps_by_hand(weighed):
    model, ids = small().double(), IDS[:10]
    sizes = [p.detach().abs() + 0.5 for p in model.parameters()]
    rows = read(
        model,
        ids,
        rate=0.3,
        decay=0.1,
        segment=3,
        sizes=sizes if weighed else None,
    )
    ours = small().double()
    starts = [p.detach().clone() for p in ours.parameters()]
    state = ours.begin_state(1)
    for first in (0, 3, 6):
        logits, state = ours(ids[None, first : first + 3], state.detach())
        expected = logits[:, 0].log_softmax(-1)
        assert torch.allclose(
            rows[first : first + 3], expected.detach(), atol=1e-12
        )
        loss = cross_entropy(logits[:, 0], ids[first + 1 : first + 4])
        gradients = torch.autograd.grad(loss, list(ours.parameters()))
        with torch.no_grad():
            for i, p in enumerate(ours.parameters()):
                scale = sizes[i] if weighed else 1.0
                p -= 0.3 * gradients[i] / scale
                p += 0.1 * (starts[i] - p)


def test_the_model_stays_as_it_was():
    model = small()
    before = [p.detach().clone() for p in model.parameters()]
    model.train()
    first = read(model, IDS, rate=0.5)
    assert torch.equal(first, read(model, IDS, rate=0.5))
    assert model.training
    for p, was in zip(model.parameters(), before, strict=True):
        assert torch.equal(p, was)
        assert p.grad is None


def test_with_a_decay_of_one_nothing_is_learned_to_stay():
    model = small()
    rows = read(model, IDS, rate=0.5, decay=1.0, segment=10)
    plain = read(model, IDS, segment=10)
    assert torch.allclose(rows, plain, atol=1e-6)


def test_it_gains_where_there_is_something_to_learn():
    ids = text(600)
    plain = picked(read(small(), ids), ids).mean()
    learning = picked(read(small(), ids, rate=0.5), ids).mean()
    assert learning > plain + 0.3


def test_under_no_grad_too():
    with torch.no_grad():
        rows = read(small(), IDS, rate=0.5)
    assert torch.equal(rows, read(small(), IDS, rate=0.5))


def test_gradient_sizes_by_hand():
    model, ids = small().double(), text(61)
    sizes = gradient_sizes(model, ids, batch_size=3, num_steps=10)
    state, squares = model.begin_state(3), 0.0
    for first in (0, 10):
        rows = ids[:60].reshape(3, 20)[:, first : first + 10]
        labels = ids[1:].reshape(3, 20)[:, first : first + 10]
        logits, state = model(rows, state.detach())
        loss = cross_entropy(logits.flatten(0, 1), labels.T.flatten())
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        flat = torch.cat([g.flatten() for g in gradients])
        squares = squares + flat.square() / 2
    expected = squares.sqrt()
    expected = expected.clamp(min=expected.mean() / 100)
    found = torch.cat([s.flatten() for s in sizes])
    assert torch.allclose(found, expected, atol=1e-14)
    assert (found > expected.min()).any()
    assert [s.shape for s in sizes] == [p.shape for p in model.parameters()]


def test_pieces_and_minibatches_of_the_stated_size():
    rows = read(small(), IDS, rate=0.5)
    assert torch.equal(rows, read(small(), IDS, rate=0.5, segment=20))
    ids = text(32 * 130 + 1)
    usual = gradient_sizes(small(), ids)
    stated = gradient_sizes(small(), ids, batch_size=32, num_steps=64)
    for one, other in zip(usual, stated, strict=True):
        assert torch.equal(one, other)


def test_gradient_sizes_leave_dropout_out():
    model = KINDS["GRU"]()
    ours = gradient_sizes(model, IDS, batch_size=2, num_steps=5)
    again = gradient_sizes(model, IDS, batch_size=2, num_steps=5)
    for one, other in zip(ours, again, strict=True):
        assert torch.equal(one, other)
    assert model.training


class TestMultiply:
    def laws(self, n=6, models=3, size=4):
        scores = torch.randn(models, n, size, generator=seeded(0)).double()
        return list(scores.log_softmax(-1))

    def test_by_hand(self):
        laws = [torch.tensor([[0.5, 0.5], [0.8, 0.2]]).double().log()]
        laws += [torch.tensor([[0.2, 0.8], [0.4, 0.6]]).double().log()]
        found, powers = multiply(laws, torch.tensor([1, 0]), [2.0, 1.0])
        # 0.25 * 0.2 and 0.25 * 0.8
        assert found[0].exp().item() == pytest.approx(0.8)
        # E[ln P_1] is ln 0.5, as is ln P_1(1): its power stays
        assert powers[0].item() != 2.0
        none, same = multiply(laws, torch.tensor([1, 0]), [2.0, 1.0], learn=0)
        assert same.tolist() == [2.0, 1.0]
        # 0.64 * 0.4 and 0.04 * 0.6
        assert none[1].exp().item() == pytest.approx(0.256 / 0.28)

    def test_one_step(self):
        laws = self.laws(n=1)
        ids, start = torch.tensor([2]), [0.5, 0.3, 0.1]
        v = torch.tensor(start).double().requires_grad_()
        loss = -(v @ torch.stack(laws)[:, 0]).log_softmax(-1)[2]
        (gradient,) = torch.autograd.grad(loss, v)
        for options, rate in ({"rate": 0.2}, 0.2), ({}, 0.001):
            found, powers = multiply(laws, ids, start, **options)
            assert found[0].item() == pytest.approx(-loss.item())
            assert torch.allclose(
                powers, v.detach() - rate * gradient, atol=1e-12
            )

    def test_a_single_model_with_power_1_is_itself(self):
        laws, ids = self.laws(models=1), torch.tensor([0, 1, 2, 3, 0, 1])
        found, _ = multiply(laws, ids, [1.0], rate=0.0)
        assert torch.allclose(found, laws[0].gather(1, ids[:, None])[:, 0])

    def test_no_row_has_seen_its_id(self):
        laws, ids = self.laws(), torch.tensor([0, 1, 2, 3, 0, 1])
        other = ids.clone()
        other[3] = 0
        before, _ = multiply(laws, ids, [0.3] * 3, rate=0.5)
        after, _ = multiply(laws, other, [0.3] * 3, rate=0.5)
        assert torch.equal(before[:3], after[:3])
        assert not torch.equal(before[4:], after[4:])

    def test_it_stops_learning(self):
        laws, ids = self.laws(), torch.tensor([0, 1, 2, 3, 0, 1])
        short, powers = multiply(
            [law[:4] for law in laws], ids[:4], [0.3] * 3, rate=0.5
        )
        whole, last = multiply(laws, ids, [0.3] * 3, rate=0.5, learn=4)
        assert torch.equal(whole[:4], short)
        assert torch.equal(last, powers)
        rest, _ = multiply([law[4:] for law in laws], ids[4:], powers, learn=0)
        assert torch.equal(whole[4:], rest)
        assert not torch.equal(last, multiply(laws, ids, [0.3] * 3)[1])
