"""Mixtures: by hand, honest distributions, EM against a grid, errors."""

import math

import pytest
import torch

from helpers import seeded
from unrolled import mixtures
from unrolled.mixtures import fit_weights, mix


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
