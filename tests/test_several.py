"""Many forecasters at once are those of one at a time."""

import math

import pytest
import torch
from scipy.stats import binom

from helpers import seeded, three_series
from unrolled.course.several import (
    Lines,
    Networks,
    fit_lines,
    fit_networks,
    median_interval,
    train_networks,
)
from unrolled.forecasters import fit_least_squares, fit_mlp
from unrolled.horizon import fed_back, pairs


@pytest.fixture
def noisy():
    return three_series()


def test_each_network_is_the_one_trained_alone(noisy):
    features, labels = pairs(noisy, 6)
    settings = {
        "num_epochs": 3,
        "num_hiddens": 7,
        "batch_size": 11,
        "learning_rate": 0.03,
    }
    several = fit_networks(
        features, labels, [seeded(s) for s in (5, 6, 7)], **settings
    )
    for s, seed in enumerate((5, 6, 7)):
        alone = fit_mlp(
            features[s], labels[s], generator=seeded(seed), **settings
        )
        torch.testing.assert_close(
            several(features)[s], alone(features[s])[:, 0], rtol=0, atol=1e-9
        )


def test_training_through_the_steps_lowers_their_error(noisy):
    generators = [seeded(s) for s in range(3)]
    start = fit_networks(*pairs(noisy, 4), generators, num_epochs=1)
    features, last = pairs(noisy, 4, 5)
    n = features.shape[1]
    labels = torch.stack([pairs(noisy, 4, k)[1][:, :n] for k in range(1, 6)])
    assert torch.equal(labels[-1], last)

    def loss(networks):
        return (fed_back(networks, features, 5) - labels).square().mean()

    before = [p.clone() for p in start.parameters()]
    trained = train_networks(
        start, features, labels, generators, num_epochs=20
    )
    assert loss(trained) < 0.9 * loss(start)
    for old, kept in zip(before, start.parameters(), strict=True):
        assert torch.equal(old, kept)  # the start stays as it was


def fit_then_train(features, labels, generators):
    networks = Networks(*(torch.zeros(1) for _ in range(4)))
    return train_networks(networks, features, labels[None], generators)


def test_the_settings_of_one_are_those_of_many(noisy):
    """Defaults are those of fit_mlp, for both ways to train."""
    features, labels = pairs(noisy, 4)
    one = fit_mlp(features[0], labels[0], generator=seeded(0))
    generators = [seeded(i) for i in range(len(features))]
    several = fit_networks(features, labels, generators)
    first = several(features)[0].flatten()
    assert torch.allclose(first, one(features[0]).flatten(), atol=1e-5)

    def trained(**settings):
        generators = [seeded(i) for i in range(len(features))]
        net = train_networks(
            several, features, labels[None], generators, **settings
        )
        return net(features)

    usual = {"learning_rate": 0.01, "batch_size": 16, "num_epochs": 5}
    assert torch.equal(trained(), trained(**usual))


def test_lines_need_labels_for_each_series(noisy):
    features, labels = pairs(noisy, 4)
    with pytest.raises(ValueError, match="shorter"):
        fit_lines(features, labels[:2])


def test_each_line_is_the_one_fitted_alone(noisy):
    features, labels = pairs(noisy, 4)
    together = fit_lines(features, labels)(features)
    for x, y, forecasts in zip(features, labels, together, strict=True):
        alone = fit_least_squares(x, y)(x)
        assert torch.allclose(forecasts.flatten(), alone.flatten())


def test_lines_are_linear():
    lines = Lines(
        torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([3.0, 0])
    )
    window = torch.tensor([[[1.0, 1.0]], [[5.0, 7.0]]])
    assert lines(window).tolist() == [[6.0], [7.0]]


@pytest.mark.parametrize(
    ("n", "confidence", "r"),
    # of 2 values, and of 4, exactly the confidence that is asked for
    [
        (20, 0.95, 6),
        (10, 0.95, 2),
        (6, 0.95, 1),
        (100, 0.95, 40),
        (2, 0.5, 1),
        (4, 0.875, 1),
    ],
)
def test_the_interval_of_a_median(n, confidence, r):
    values = torch.randperm(n, generator=seeded(n)) + 1.0
    assert median_interval(values, confidence) == (r, n + 1 - r)
    assert 1 - 2 * binom.cdf(r - 1, n, 0.5) >= confidence
    assert 1 - 2 * binom.cdf(r, n, 0.5) < confidence


def test_the_interval_covers_as_it_says():
    """Of 2,000 samples of a skewed distribution."""
    drawn = torch.empty(2000, 20).exponential_(generator=seeded(0))
    low, high = zip(*map(median_interval, drawn), strict=True)
    inside = [a <= math.log(2) <= b for a, b in zip(low, high, strict=True)]
    assert sum(inside) / 2000 == pytest.approx(0.9586, abs=0.015)
