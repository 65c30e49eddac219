"""Series: hand-worked windows, brute-force forecasts, clear errors."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from unrolled import series
from unrolled.series import (
    LinearForecaster,
    fit_least_squares,
    fit_mlp,
    free_run,
    held_forecasts,
    k_step_forecasts,
    noisy_sine,
    rmse,
    windows,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def wave(length=30, seed=0):
    return noisy_sine(length, omega=0.3, generator=seeded(seed))[2]


def raises(kind, message):
    return pytest.raises(kind, match=r"^" + re.escape(message) + "$")


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

    def test_held_forecasts_repeat_the_rule(self):
        x = torch.arange(6.0)
        held = held_forecasts(series.window_mean, x, 2, 3)
        expected = [
            [math.nan] * 3,
            [math.nan] * 3,
            [0.5, math.nan, math.nan],
            [1.5, 0.5, math.nan],
            [2.5, 1.5, 0.5],
            [3.5, 2.5, 1.5],
        ]
        torch.testing.assert_close(
            held, torch.tensor(expected), equal_nan=True
        )

    def test_baselines(self):
        window = torch.tensor([[1.0, 2.0, 6.0], [0.0, 1.0, -1.0]])
        assert series.persistence(window).tolist() == [6, -1]
        assert series.window_mean(window).tolist() == [3, 0]
        assert series.zero(window).tolist() == [0, 0]

    @pytest.mark.parametrize("function", [k_step_forecasts, held_forecasts])
    def test_bad_horizon(self, function):
        x = torch.arange(6.0)
        with raises(
            ValueError,
            "max_k is 5, but 6 values with tau = 2 reach at most 4 steps "
            "ahead",
        ):
            function(series.zero, x, 2, 5)
        assert function(series.zero, x, 2, 4).shape == (6, 4)
        with raises(ValueError, "max_k must be at least 1, got 0"):
            function(series.zero, x, 2, 0)
        with raises(
            ValueError,
            "tau is 6 but the series has 6 values; a window and its label "
            "need tau at most 5",
        ):
            function(series.zero, x, 6, 1)
        with pytest.raises(ValueError, match=r"^series\[0\] is nan"):
            function(series.zero, torch.tensor([math.nan, 1.0]), 1, 1)

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
            free_run(series.zero, torch.ones(2), 0)
        assert len(free_run(series.zero, torch.ones(2), 1)) == 1
        with raises(
            ValueError,
            "start[1] is inf; every value must be finite: drop or fill the "
            "gaps first",
        ):
            free_run(series.zero, torch.tensor([1.0, math.inf]), 1)


class TestRmse:
    def test_by_hand(self):
        assert rmse(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])) == (
            pytest.approx(math.sqrt(12.5))
        )

    def test_columns_apart(self):
        table = torch.tensor([[1.0, 0.0], [1.0, 4.0]])
        assert rmse(table, torch.tensor([1.0, 1.0])).tolist() == (
            pytest.approx([0.0, math.sqrt(5.0)])
        )

    def test_one_row(self):
        assert rmse(torch.tensor([2.0]), torch.tensor([5.0])) == 3

    def test_bad_input(self):
        with raises(
            ValueError,
            "forecasts and target need the same length, at least 1; got 2 "
            "and 3",
        ):
            rmse(torch.zeros(2), torch.zeros(3))
        with raises(
            ValueError,
            "forecasts and target need the same length, at least 1; got 0 "
            "and 0",
        ):
            rmse(torch.zeros(0), torch.zeros(0))
        with raises(
            ValueError,
            "forecasts hold NaN: some targets have no full window before "
            "them; score later rows only",
        ):
            rmse(torch.tensor([[0.0, math.nan]]), torch.zeros(1))


class TestLeastSquares:
    def test_finds_known_weights(self):
        x = torch.randn(40, 3, generator=seeded(), dtype=torch.float64)
        labels = x @ torch.tensor([2.0, -1.0, 0.5]).double() + 0.3
        fit = fit_least_squares(x, labels)
        assert fit.weights.tolist() == pytest.approx([2.0, -1.0, 0.5])
        assert fit.bias.item() == pytest.approx(0.3)
        torch.testing.assert_close(fit(x), labels)

    def test_residuals_are_orthogonal_to_the_inputs(self):
        features, labels = windows(wave(60), 3)
        fit = fit_least_squares(features, labels)
        residual = labels - fit(features)
        assert residual.abs().max() > 0.01
        assert (features.T @ residual).abs().max() < 1e-10
        assert residual.sum().abs() < 1e-10

    def test_dependent_columns_get_the_shortest_weights(self):
        """Without noise a sine's windows have rank 2."""
        clean = noisy_sine(500, sigma=0.0)[1]
        features, labels = windows(clean[:300], 4)
        fit = fit_least_squares(features, labels)
        ahead = k_step_forecasts(fit, clean, 4, 64)
        assert rmse(ahead[100:], clean[100:]).max() < 1e-9
        assert fit.weights.norm() < 2

    def test_bad_input(self):
        with raises(
            ValueError,
            "features: 3 rows cannot fix 3 weights and a bias; at least 4 "
            "are needed",
        ):
            fit_least_squares(torch.ones(3, 3), torch.ones(3))
        fit_least_squares(torch.eye(4, 3), torch.ones(4))
        for features, labels in (
            (torch.ones(5), torch.ones(5)),
            (torch.ones(5, 2), torch.ones(4)),
            (torch.ones(5, 2), torch.ones(5, 1)),
        ):
            with raises(
                ValueError,
                "features must be (n, tau) and labels (n,); got "
                f"{tuple(features.shape)} and {tuple(labels.shape)}",
            ):
                fit_least_squares(features, labels)


class TestCompanion:
    model = LinearForecaster(
        torch.tensor([0.5, -0.3, 0.9], dtype=torch.float64),
        torch.tensor(0.2, dtype=torch.float64),
    )

    def test_by_hand(self):
        expected = [
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0.5, -0.3, 0.9, 0.2],
            [0, 0, 0, 1],
        ]
        assert self.model.companion().tolist() == expected

    def test_tau_1(self):
        short = LinearForecaster(torch.tensor([0.5]), torch.tensor(2.0))
        assert short.companion().tolist() == [[0.5, 2.0], [0.0, 1.0]]

    def test_powers_are_the_fed_back_forecasts(self):
        x = wave(20)
        weights, bias = self.model.k_step(5)
        assert weights.shape == (5, 3)
        assert bias.shape == (5,)
        ahead = k_step_forecasts(self.model, x, 3, 5)
        for k in (1, 2, 5):
            row = x.unfold(0, 3, 1)[:-k] @ weights[k - 1] + bias[k - 1]
            torch.testing.assert_close(row, ahead[2 + k :, k - 1])

    def test_powers_with_tau_2(self):
        """The exact rule of a sine, k steps on: sin((n + k) w)."""
        rule = LinearForecaster(
            torch.tensor([-1.0, 2 * math.cos(0.3)], dtype=torch.float64),
            torch.tensor(0.0, dtype=torch.float64),
        )
        window = torch.tensor(
            [math.sin(0.6), math.sin(0.9)], dtype=torch.float64
        )
        expected = [math.sin(0.9 + 0.3 * k) for k in (1, 2, 3)]
        weights, bias = rule.k_step(3)
        assert (weights @ window + bias).tolist() == pytest.approx(expected)

    def test_bad_max_k(self):
        with raises(ValueError, "max_k must be at least 1, got 0"):
            self.model.k_step(0)
        assert len(self.model.k_step(1)[1]) == 1


class TestMlp:
    @pytest.fixture
    def pairs(self):
        return windows(noisy_sine(400, generator=seeded())[2], 4)

    def reference(self, features, labels, generator, **settings):
        """The same training with hand-written Adam and gradients."""
        n_hidden = settings.get("num_hiddens", 10)
        rate = settings.get("learning_rate", 0.01)
        size = settings.get("batch_size", 16)
        epochs = settings.get("num_epochs", 5)

        def draw(n_in, n_out):
            weight = torch.empty(n_out, n_in, dtype=torch.float64)
            bound = math.sqrt(6 / (n_in + n_out))  # Glorot and Bengio, 2010
            weight.uniform_(-bound, bound, generator=generator)
            bias = torch.empty(n_out, dtype=torch.float64)
            bias.uniform_(
                -1 / math.sqrt(n_in), 1 / math.sqrt(n_in), generator=generator
            )
            return [weight, bias]

        p = draw(features.shape[1], n_hidden) + draw(n_hidden, 1)
        m = [torch.zeros_like(q) for q in p]
        v = [torch.zeros_like(q) for q in p]
        step = 0
        for _ in range(epochs):
            order = torch.randperm(len(features), generator=generator)
            for start in range(0, len(features), size):
                rows = order[start : start + size]
                x, y = features[rows], labels[rows]
                hidden = (x @ p[0].T + p[1]).clamp(min=0)
                error = hidden @ p[2].T + p[3] - y[:, None]
                d_out = 2 * error / len(rows)
                d_hidden = (d_out @ p[2]) * (hidden > 0)
                grads = [
                    d_hidden.T @ x,
                    d_hidden.sum(0),
                    d_out.T @ hidden,
                    d_out.sum(0),
                ]
                step += 1
                for i, g in enumerate(grads):
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g**2
                    unbiased = m[i] / (1 - 0.9**step)
                    scale = (v[i] / (1 - 0.999**step)).sqrt() + 1e-8
                    p[i] = p[i] - rate * unbiased / scale
        return p

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {
                "num_hiddens": 3,
                "learning_rate": 0.05,
                "batch_size": 7,
                "num_epochs": 2,
            },
        ],
    )
    def test_equals_hand_written_training(self, pairs, settings):
        net = fit_mlp(*pairs, generator=seeded(1), **settings)
        ours = list(net.parameters())
        expected = self.reference(*pairs, seeded(1), **settings)
        for a, b in zip(ours, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)

    def test_learns(self, pairs):
        features, labels = pairs
        net = fit_mlp(*pairs, generator=seeded(1))
        loss = (net(features)[:, 0] - labels).square().mean()
        assert loss < 0.2 * labels.var()

    def test_leaves_the_global_random_state_alone(self, pairs):
        torch.manual_seed(5)
        before = torch.get_rng_state()
        fit_mlp(*pairs, generator=seeded(1), num_epochs=1)
        assert torch.equal(torch.get_rng_state(), before)

    def test_is_done_with_gradients(self, pairs):
        net = fit_mlp(*pairs, generator=seeded(1), num_epochs=1)
        assert not net(pairs[0]).requires_grad

    def test_bad_input(self, pairs):
        for name in ("num_hiddens", "batch_size", "num_epochs"):
            with raises(ValueError, f"{name} must be at least 1, got 0"):
                fit_mlp(*pairs, **{name: 0})
        fit_mlp(
            *(p[:2] for p in pairs), num_hiddens=1, batch_size=1, num_epochs=1
        )
        for rate in (0, -1.0, math.nan):
            with raises(
                ValueError, f"learning_rate must be above 0, got {rate}"
            ):
                fit_mlp(*pairs, learning_rate=rate)
        with raises(
            ValueError, "features: nothing to learn from, got shape (0, 4)"
        ):
            fit_mlp(torch.zeros(0, 4), torch.zeros(0))
        with raises(
            ValueError,
            "features must be (n, tau) and labels (n,); got (2, 2) and (3,)",
        ):
            fit_mlp(torch.zeros(2, 2), torch.zeros(3))


class TestWhatPeopleHandIn:
    def test_a_target_with_another_shape_does_not_broadcast(self):
        with raises(
            ValueError,
            "target must be (n,), got shape (1, 3); rows are what is "
            "averaged over",
        ):
            rmse(torch.zeros(1, 3), torch.zeros(1, 3))

    def test_single_precision_is_taken_as_double(self):
        features, labels = windows(torch.rand(40, generator=seeded(0)), 3)
        net = fit_mlp(features, labels, num_epochs=1, generator=seeded(0))
        same = fit_mlp(
            features.double(),
            labels.double(),
            num_epochs=1,
            generator=seeded(0),
        )
        assert torch.equal(net[0].weight, same[0].weight)
        assert fit_least_squares(features, labels).weights.dtype == (
            torch.float64
        )

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    @pytest.mark.parametrize("fit", [fit_least_squares, fit_mlp])
    def test_gaps_are_named(self, fit, bad):
        for place in (0, 1):
            pair = [torch.zeros(9, 2), torch.zeros(9)]
            pair[place][4] = bad
            name = ("features", "labels")[place]
            with raises(
                ValueError,
                f"{name} must be finite, got {bad}; drop those rows first",
            ):
                fit(*pair)

    def test_arrays_and_lists(self):
        with raises(
            TypeError,
            "labels must be a tensor, got list; try "
            "torch.tensor(values, dtype=torch.float64)",
        ):
            fit_least_squares(torch.zeros(9, 2), [0.0] * 9)
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
        for call in (
            lambda: noisy_sine(5, generator=0),
            lambda: fit_mlp(torch.zeros(4, 1), torch.zeros(4), generator=0),
        ):
            with pytest.raises(TypeError, match=r"^generator must be a torch"):
                call()
