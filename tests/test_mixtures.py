"""Mixtures: by hand, honest distributions, EM against a grid, errors."""

import math

import pytest
import torch

from helpers import seeded
from unrolled import mixtures
from unrolled.mixtures import fit_weights, mix, multiply


def logs(*values):
    return torch.tensor(values, dtype=torch.float64).log()


def test_by_hand():
    mixed = mix([logs(0.5, 0.2), logs(0.1, 1.0)], [0.75, 0.25])
    assert mixed.exp().tolist() == pytest.approx([0.4, 0.4])
    assert mixed.dtype == torch.float64


def test_limits():
    a, b = logs(0.5, 0.0), logs(0.1, 0.3)
    assert mix([a, b], [1, 0])[0].item() == pytest.approx(math.log(0.5))
    assert mix([a, b], [1, 0])[1].item() == -math.inf
    # one model with probability 0 does not spoil the mixture
    assert mix([a, b], [0.5, 0.5])[1].exp().item() == pytest.approx(0.15)
    assert mix([a], [1.0]).tolist() == a.tolist()


def test_a_mixture_of_distributions_is_one():
    laws = torch.rand(3, 7, generator=seeded(0), dtype=torch.float64)
    laws /= laws.sum(1, keepdim=True)
    mixed = mix(list(laws.log()), [0.2, 0.3, 0.5])
    assert mixed.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_em_finds_the_best_weights():
    generator = seeded(1)
    models = [
        torch.rand(400, generator=generator, dtype=torch.float64)
        .clamp(min=0.01)
        .log()
        for _ in range(2)
    ]
    weights = fit_weights(models)
    assert sum(weights) == pytest.approx(1)
    best = mix(models, weights).mean().item()
    for w in torch.linspace(0, 1, 101).tolist():
        assert mix(models, [w, 1 - w]).mean().item() <= best + 1e-9


def test_em_drops_what_does_not_help():
    good, bad = logs(*[0.9] * 50), logs(*[0.1] * 50)
    weights = fit_weights([good, bad, bad])
    assert weights[0] > 0.999
    assert fit_weights([good]) == [pytest.approx(1.0)]
    assert fit_weights([good, good]) == pytest.approx([0.5, 0.5])


def test_no_round_makes_it_worse(monkeypatch):
    generator = seeded(2)
    models = [
        torch.rand(60, generator=generator, dtype=torch.float64).log()
        for _ in range(3)
    ]
    scores = []
    for rounds in range(12):
        monkeypatch.setattr(mixtures, "ROUNDS", rounds)
        weights = fit_weights(models)
        scores.append(mix(models, weights).mean().item())
        if rounds == 0:
            assert weights == pytest.approx([1 / 3] * 3, abs=1e-12)
    assert scores == sorted(scores)


def test_it_ends_when_nothing_moves():
    # another 1,990 rounds would take the second weight to 0
    weights = fit_weights([logs(*[0.9] * 50), logs(*[0.1] * 50)])
    assert 0 < weights[1] < 1e-6


def test_weights_are_made_to_sum_to_1():
    assert mix([logs(1.0)], [1 + 5e-7]).item() == pytest.approx(0, abs=1e-12)


def test_weights_in_single_precision_will_do():
    weights = torch.tensor([0.1, 0.2, 0.7])
    mixed = mix([logs(0.5), logs(0.2), logs(1.0)], weights)
    assert mixed.exp().item() == pytest.approx(0.79)


def test_em_drops_a_model_that_is_a_little_worse_everywhere():
    better = torch.rand(500, generator=seeded(3)).log()
    assert fit_weights([better, better - 0.01])[1] < 1e-3


def test_what_just_passes():
    a = logs(0.5, 0.5)
    assert mix([a * 0 + 9e-6], [1.0]).tolist() == pytest.approx([9e-6] * 2)
    assert len(fit_weights([logs(0.5, 0.0), logs(0.0, 0.5)])) == 2


def test_log_probs_may_come_one_by_one():
    models = [logs(0.5, 0.2), logs(0.1, 1.0)]
    mixed = mix((one for one in models), [0.75, 0.25])
    assert mixed.tolist() == mix(models, [0.75, 0.25]).tolist()
    assert fit_weights(iter(models)) == fit_weights(models)


class TestMultiply:
    def laws(self, n=6, models=3, size=4):
        generator = torch.Generator().manual_seed(0)
        scores = torch.randn(models, n, size, generator=generator).double()
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
        found, powers = multiply(laws, ids, start, rate=0.2)
        assert found[0].item() == pytest.approx(-loss.item())
        assert torch.allclose(powers, v.detach() - 0.2 * gradient)

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
