"""Forecasters: hand-worked weights, hand-written training, clear errors."""

import math

import pytest
import torch

from helpers import seeded
from unrolled.forecasters import (
    fit_least_squares,
    fit_mlp,
    rmse,
)
from unrolled.series import k_step_forecasts, noisy_sine, windows


def wave(length):
    return noisy_sine(length, omega=0.3, generator=seeded())[2]


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


class TestWhatPeopleHandIn:
    def test_the_least_that_can_be_fitted(self):
        lines = fit_least_squares(torch.eye(4, 3), torch.ones(4))
        assert lines(torch.eye(4, 3).double()).tolist() == pytest.approx(
            [1] * 4
        )
        two = torch.eye(2), torch.ones(2)
        one = fit_mlp(*two, num_hiddens=1, batch_size=1, num_epochs=1)
        assert len(one[0].weight) == 1

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
