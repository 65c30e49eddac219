"""Series: hand-worked windows, brute-force forecasts, clear errors."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from helpers import raises, seeded
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

    def test_bad_settings(self):
        with raises(ValueError, "num_steps must be at least 1, got 0"):
            noisy_sine(0)
        with raises(TypeError, "num_steps must be an int, got 2.0"):
            noisy_sine(2.0)
        with raises(TypeError, "num_steps must be an int, got True"):
            noisy_sine(True)
        for sigma in (-0.1, math.nan, math.inf):
            with raises(
                ValueError, f"sigma must be finite and at least 0, got {sigma}"
            ):
                noisy_sine(3, sigma=sigma)
        with raises(
            ValueError, "omega must be finite, got inf; the book uses 0.01"
        ):
            noisy_sine(3, omega=math.inf)


class TestWindows:
    def test_by_hand(self):
        features, labels = windows(torch.arange(6.0), tau=3)
        assert features.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        assert labels.tolist() == [3, 4, 5]

    def test_longest_window(self):
        features, labels = windows(torch.arange(4.0), tau=3)
        assert features.tolist() == [[0, 1, 2]]
        assert labels.tolist() == [3]

    def test_bad_tau(self):
        with raises(ValueError, "tau must be at least 1, got 0"):
            windows(torch.arange(4.0), 0)
        for tau in (4, 5):
            with raises(
                ValueError,
                f"tau is {tau} but the series has 4 values; a window and its "
                "label need tau at most 3",
            ):
                windows(torch.arange(4.0), tau)
        with raises(TypeError, "tau must be an int, got 1.5"):
            windows(torch.arange(4.0), 1.5)

    def test_bad_series(self):
        with raises(
            TypeError,
            "series must be a floating tensor, got list; try "
            "torch.tensor(list(values), dtype=torch.float64)",
        ):
            windows([1.0, 2.0], 1)
        with raises(
            TypeError,
            "series must be a floating tensor, got torch.int64; try "
            "torch.tensor(list(values), dtype=torch.float64)",
        ):
            windows(torch.arange(4), 1)
        for shape in ((2, 3), (0,), ()):
            with raises(
                ValueError,
                "series must have one dimension and at least one value, got "
                f"shape {shape}",
            ):
                windows(torch.zeros(shape), 1)
        for bad in (math.nan, math.inf):
            with raises(
                ValueError,
                f"series[2] is {bad}; every value must be finite: drop or "
                "fill the gaps first",
            ):
                windows(torch.tensor([0.0, 1.0, bad, bad]), 1)


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

    def test_bad_horizon(self):
        x = torch.arange(6.0)
        with raises(
            ValueError,
            "max_k is 5, but 6 values with tau = 2 reach at most 4 steps "
            "ahead",
        ):
            k_step_forecasts(zero, x, 2, 5)
        assert k_step_forecasts(zero, x, 2, 4).shape == (6, 4)
        with raises(ValueError, "max_k must be at least 1, got 0"):
            k_step_forecasts(zero, x, 2, 0)
        with raises(
            ValueError,
            "tau is 6 but the series has 6 values; a window and its label "
            "need tau at most 5",
        ):
            k_step_forecasts(zero, x, 6, 1)
        with pytest.raises(ValueError, match=r"^series\[0\] is nan"):
            k_step_forecasts(zero, torch.tensor([math.nan, 1.0]), 1, 1)

    def test_a_forecaster_must_return_one_value_a_window(self):
        with raises(
            ValueError,
            "forecaster returned shape (4, 2) for windows (4, 2); one value "
            "for each window is needed",
        ):
            k_step_forecasts(lambda w: w, torch.arange(6.0), 2, 1)


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

    def test_bad_input(self):
        with raises(ValueError, "num_steps must be at least 1, got 0"):
            free_run(zero, torch.ones(2), 0)
        assert len(free_run(zero, torch.ones(2), 1)) == 1
        with raises(
            ValueError,
            "start[1] is inf; every value must be finite: drop or fill the "
            "gaps first",
        ):
            free_run(zero, torch.tensor([1.0, math.inf]), 1)


class TestWhatPeopleHandIn:
    def test_an_array_is_no_forecast(self):
        with raises(
            TypeError,
            "forecaster must return a tensor, got ndarray; try "
            "torch.as_tensor(values)",
        ):
            free_run(lambda w: w[:, -1].numpy(), torch.zeros(3), 2)

    def test_numpy_integers_are_integers(self):
        features, _ = windows(torch.arange(9.0), np.int64(4))
        assert features.shape == (5, 4)

    def test_a_seed_is_no_generator(self):
        with pytest.raises(TypeError, match=r"^generator must be a torch"):
            noisy_sine(5, generator=0)
