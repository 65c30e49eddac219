"""Series: hand-worked windows, brute-force forecasts, clear errors."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from helpers import seeded
from unrolled.forecasters import LinearForecaster
from unrolled.series import (
    free_run,
    k_step_forecasts,
    noisy_sine,
    windows,
)


def zero(window):
    return window.new_zeros(len(window))


def wave(length=30, seed=0):
    return noisy_sine(length, omega=0.3, generator=seeded(seed))[2]


class TestNoisySine:
    def test_time_clean_and_noise(self):
        time, clean, noisy = noisy_sine(20_000, generator=seeded())
        assert time.dtype == clean.dtype == noisy.dtype == torch.float64
        assert time[0] == 1
        assert time[-1] == 20_000
        assert clean[156].item() == pytest.approx(math.sin(1.57))
        noise = noisy - clean
        assert noise.mean().abs() < 0.005
        assert noise.std().item() == pytest.approx(0.2, rel=0.02)

    def test_noise_is_added_in_full_precision(self):
        _, clean, noisy = noisy_sine(50, sigma=0.5, generator=seeded(7))
        draws = torch.randn(50, generator=seeded(7), dtype=torch.float64)
        torch.testing.assert_close(
            noisy, clean + 0.5 * draws, rtol=1e-12, atol=0
        )

    def test_settings(self):
        _, clean, noisy = noisy_sine(
            5000, omega=0.5, sigma=2.0, generator=seeded()
        )
        assert clean[2].item() == pytest.approx(math.sin(1.5))
        assert (noisy - clean).std().item() == pytest.approx(2.0, rel=0.05)

    def test_same_seed_same_noise(self):
        first = noisy_sine(9, generator=seeded(3))[2]
        assert torch.equal(first, noisy_sine(9, generator=seeded(3))[2])
        assert not torch.equal(first, noisy_sine(9, generator=seeded(4))[2])

    def test_shortest(self):
        assert len(noisy_sine(1, sigma=0.0)[0]) == 1


class TestWindows:
    def test_by_hand(self):
        features, labels = windows(torch.arange(6.0), tau=3)
        assert features.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        assert labels.tolist() == [3, 4, 5]

    def test_longest_window(self):
        features, labels = windows(torch.arange(4.0), tau=3)
        assert features.tolist() == [[0, 1, 2]]
        assert labels.tolist() == [3]


def one_by_one(model, x, tau, max_k):
    """k-step forecasts, one origin and one step at a time."""
    table = torch.full((len(x), max_k), math.nan, dtype=x.dtype)
    for last in range(tau - 1, len(x)):
        window = x[last - tau + 1 : last + 1].tolist()
        for k in range(1, max_k + 1):
            value = model(torch.tensor([window], dtype=x.dtype)).item()
            if last + k < len(x):
                table[last + k, k - 1] = value
            window = [*window[1:], value]
    return table


class TestForecasts:
    @pytest.mark.parametrize(
        ("length", "tau", "max_k"),
        [(12, 3, 5), (12, 1, 11), (12, 11, 1), (7, 4, 3), (2, 1, 1)],
    )
    def test_k_steps_equal_one_at_a_time(self, length, tau, max_k):
        x = wave(length)
        weights = torch.linspace(0.2, 0.5, tau, dtype=torch.float64)
        model = LinearForecaster(weights, torch.tensor(0.1))
        ours = k_step_forecasts(model, x, tau, max_k)
        expected = one_by_one(model, x, tau, max_k)
        assert torch.equal(ours.isnan(), expected.isnan())
        assert not ours.isnan().all()
        torch.testing.assert_close(ours, expected, equal_nan=True)

    def test_only_the_past_is_used(self):
        x, k = wave(20), 4
        changed = x.clone()
        changed[12] += 5.0
        forecasts = [
            k_step_forecasts(lambda w: w.mean(1), s, 3, k)[:, k - 1]
            for s in (x, changed)
        ]
        differ = (forecasts[0] != forecasts[1]) & ~forecasts[0].isnan()
        # windows that end at 12, 13, 14 hold index 12; the target is 4 later
        assert differ.nonzero()[:, 0].tolist() == [16, 17, 18]

    def test_columns_of_shape_n_by_1_are_accepted(self):
        x = wave(9)
        flat = k_step_forecasts(lambda w: w[:, -1], x, 2, 3)
        column = k_step_forecasts(lambda w: w[:, -1:], x, 2, 3)
        torch.testing.assert_close(flat, column, equal_nan=True)

    def test_no_gradient_is_kept(self):
        net = nn.Linear(2, 1, dtype=torch.float64)
        assert not k_step_forecasts(net, wave(9), 2, 3).requires_grad

    def test_the_farthest_horizon(self):
        x = torch.arange(6.0)
        assert k_step_forecasts(zero, x, 2, 4).shape == (6, 4)


class TestFreeRun:
    def test_each_value_is_fed_back(self):
        fibonacci = free_run(
            lambda w: w.sum(1), torch.tensor([1.0, 1.0]), num_steps=5
        )
        assert fibonacci.tolist() == [2, 3, 5, 8, 13]

    def test_is_the_longest_k_step_forecast(self):
        x = wave(16)
        model = LinearForecaster(
            torch.tensor([0.3, -0.2, 0.8], dtype=torch.float64),
            torch.tensor(0.1, dtype=torch.float64),
        )
        table = k_step_forecasts(model, x, 3, 6)
        run = free_run(model, x[:3], 6)
        torch.testing.assert_close(run, table[3:9].diagonal())

    def test_one_step(self):
        assert len(free_run(zero, torch.ones(2), 1)) == 1


class TestWhatPeopleHandIn:
    def test_numpy_integers_are_integers(self):
        features, _ = windows(torch.arange(9.0), np.int64(4))
        assert features.shape == (5, 4)
