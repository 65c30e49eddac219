"""Schedules: by hand, hooks that come and go, averages."""

import contextlib

import pytest
import torch
from torch import nn

from unrolled.schedules import averaged, cosine, log_spaced, scheduled


def test_cosine():
    assert cosine(0.0) == 0
    assert cosine(0.015) == pytest.approx(0.5, abs=0.01)
    assert cosine(0.03) == pytest.approx(1, abs=0.01)
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1.0) == pytest.approx(0, abs=1e-12)


def test_log_spaced():
    epochs = log_spaced(500)
    assert epochs[0] == 1
    assert epochs[-1] == 500
    assert epochs == sorted(set(epochs))
    assert epochs == log_spaced(500, 25)
    assert 18 <= len(epochs) <= 25
    assert log_spaced(100, 3) == [1, 10, 100]
    assert log_spaced(3, 25) == [1, 2, 3]
    assert log_spaced(1) == [1]


def descent(rate=0.5):
    """A model with one weight of 1 and gradient 1, and its optimizer."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    model.weight.grad = torch.ones(1, 1)
    return model, torch.optim.SGD(model.parameters(), lr=rate)


def test_rates_by_hand():
    model, optimizer = descent()
    weights = []
    with scheduled(optimizer, lambda done: 1 - done, 2):
        for _ in range(2):
            optimizer.step()
            weights.append(model.weight.item())
    # 0.5 at the first update, 0.25 at the second
    assert weights == [0.5, 0.25]
    optimizer.step()  # the hook is gone, the rate as it was
    assert model.weight.item() == -0.25


def test_rates_come_back_after_an_error():
    _, optimizer = descent()
    for schedule in (lambda done: 7.0, None):
        with contextlib.suppress(KeyError), scheduled(optimizer, schedule, 3):
            optimizer.step()
            optimizer.param_groups[0]["lr"] = 9.0
            raise KeyError
        assert optimizer.param_groups[0]["lr"] == 0.5


def test_the_average_by_hand():
    model, optimizer = descent()
    with averaged(model, optimizer, 0.25) as mean:
        assert mean.weight.item() == 1
        optimizer.step()
        # decay min(0.25, 2/11): moves by 9/11 from 1 towards 0.5
        assert mean.weight.item() == pytest.approx(1 - 0.5 * 9 / 11)
        before = mean.weight.item()
        optimizer.step()
        # decay 0.25 = min(0.25, 3/12), towards 0
        assert mean.weight.item() == pytest.approx(0.25 * before)
    optimizer.step()
    assert mean.weight.item() == pytest.approx(0.25 * before)
    with averaged(model, optimizer, None) as same:
        assert same is model


def test_an_average_that_goes_on():
    model, optimizer = descent()
    with averaged(model, optimizer, 0.9) as mean:
        for _ in range(3):
            optimizer.step()
        kept = mean.weight.item(), model.weight.item()
        optimizer.step()
        expected = mean.weight.item()
    model.weight.data.fill_(kept[1])
    with averaged(model, optimizer, 0.9, done=3) as mean:
        mean.weight.data.fill_(kept[0])
        optimizer.step()
        assert mean.weight.item() == expected
    # decay min(0.9, 5/14), not that of a first update
    assert expected == pytest.approx(kept[0] * 5 / 14 - 9 / 14)
