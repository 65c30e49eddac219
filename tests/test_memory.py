"""A memory of states: by hand, no peeking, and every kind of network."""

import pytest
import torch
from torch.nn.functional import one_hot

from helpers import seeded, small, text
from unrolled import memory as module
from unrolled.attention import TransformerLM
from unrolled.gates import GRULM, LSTMLM
from unrolled.memory import recall, states_of
from unrolled.stacked import StackedRNNLM

V = 6
KINDS = {
    "RNN": lambda: small(),
    "two layers": lambda: StackedRNNLM(V, 8, 2, dropout=0.5),
    "GRU": lambda: GRULM(V, 8, 2, dropout=0.5, generator=seeded(0)),
    "LSTM": lambda: LSTMLM(V, 8, recurrent_dropout=0.5, generator=seeded(0)),
    "transformer": lambda: TransformerLM(
        V, 8, num_heads=2, window=16, dropout=0.5, generator=seeded(0)
    ),
}
IDS = text(60)
STATES = torch.randn(60, 3, generator=seeded(1))


def recalled(start=40, temperature=0.7, states=STATES, ids=IDS, **options):
    return recall(
        states,
        ids,
        start,
        vocab_size=V,
        temperature=temperature,
        **options,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_logits_come_from_the_states(kind):
    model = KINDS[kind]()
    before = [p.detach().clone() for p in model.parameters()]
    states = states_of(model, IDS)
    assert len(states) == len(IDS)
    assert not states.requires_grad
    logits, _ = model.eval()(IDS[None], model.begin_state(1))
    ours = states @ model.W_hq + model.b_q
    assert torch.allclose(ours, logits[:, 0], atol=1e-5)
    for p, was in zip(model.parameters(), before, strict=True):
        assert torch.equal(p, was)


def test_dropout_is_off_and_the_mode_is_kept():
    model = KINDS["GRU"]().train()
    assert torch.equal(states_of(model, IDS), states_of(model, IDS))
    assert model.training


def test_a_reader_elsewhere():
    states = states_of(small().to("meta"), IDS)
    assert (states.device.type, len(states)) == ("meta", 60)


@pytest.mark.parametrize("grows", [True, False])
def test_by_hand(grows):
    rows = recalled() if grows else recalled(grows=False)
    assert rows.shape == (20, V)
    assert rows.dtype == torch.float64
    for place in range(40, 60):  # what is asked for
        now = place - 1
        stored = range(now if grows else 39)
        expected = torch.zeros(V)
        for j in stored:
            distance = (STATES[now] - STATES[j]).square().sum()
            expected[IDS[j + 1]] += torch.exp(-distance / 0.7)
        expected /= expected.sum()
        assert torch.allclose(rows[place - 40], expected.double(), atol=1e-5)


def test_many_blocks_are_as_one(monkeypatch):
    once = recalled(start=5)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert torch.allclose(recalled(start=5), once, atol=1e-6)
    fixed = recalled(start=5, grows=False)
    monkeypatch.setattr(module, "BLOCK", 1000)
    assert torch.allclose(recalled(start=5, grows=False), fixed, atol=1e-6)


def test_no_row_has_seen_its_id_or_a_later_state():
    before = recalled()
    ids, states = IDS.clone(), STATES.clone()
    ids[50] = (ids[50] + 1) % V
    states[50:] += 1.0
    after = recalled(states=states, ids=ids)
    assert torch.equal(before[:11], after[:11])
    assert (before[11:] != after[11:]).any(1).all()


def test_a_fixed_memory_takes_nothing_in():
    before = recalled(grows=False)
    ids, states = IDS.clone(), STATES.clone()
    ids[40:] = 0
    states[40:45] += 1.0
    after = recalled(states=states, ids=ids, grows=False)
    assert torch.equal(before[0], after[0])  # asked by the state at 39
    assert torch.equal(before[6:], after[6:])
    assert (before[1:6] != after[1:6]).any(1).all()


def test_cold_the_nearest_decides_and_hot_all_count_alike():
    cold = recalled(temperature=1e-4)
    apart = torch.cdist(STATES[39:40], STATES[:39])[0]
    assert torch.allclose(
        cold[0], one_hot(IDS[apart.argmin() + 1], V).double()
    )
    hot = recalled(temperature=1e6)
    shares = one_hot(IDS[1:40], V).double().mean(0)
    assert torch.allclose(hot[0], shares, atol=1e-4)


def test_the_shortest():
    rows = recalled(start=2, ids=IDS[:3], states=STATES[:3])
    assert torch.equal(rows, one_hot(IDS[1:2], V).double())


def test_states_far_from_0_keep_their_places():
    far = recalled(states=STATES + 10.0)
    assert torch.allclose(far, recalled(), atol=1e-3)
