"""Windows and horizons of many series; the floor is one."""

import math

import pytest
import torch

from helpers import seeded, three_series
from unrolled.course.several import fit_lines
from unrolled.forecasters import fit_least_squares
from unrolled.horizon import (
    best_forecasts,
    fed_back,
    pairs,
    windows_before,
)
from unrolled.series import k_step_forecasts, windows


@pytest.fixture
def noisy():
    return three_series()


def test_pairs_of_one_step_are_the_windows_of_8_1(noisy):
    features, labels = pairs(noisy, 5)
    for s in range(3):
        alone = windows(noisy[s], 5)
        assert torch.equal(features[s], alone[0])
        assert torch.equal(labels[s], alone[1])


def test_a_label_is_k_steps_after_its_window():
    features, labels = pairs(torch.arange(20.0).reshape(2, 10), 3, 4)
    assert features.shape == (2, 4, 3)
    assert torch.equal(labels, features[:, :, -1] + 4)
    assert labels[:, -1].tolist() == [9.0, 19.0]


def test_the_shortest_series_has_one_pair():
    features, labels = pairs(torch.arange(6.0)[None], 4, 2)
    assert features.tolist() == [[[0.0, 1.0, 2.0, 3.0]]]
    assert labels.tolist() == [[5.0]]


def test_windows_end_k_steps_before_their_targets():
    series = torch.arange(30.0)[None]
    window = windows_before(series, 4, 6, torch.tensor([9, 29]))
    assert window[0, :, -1].tolist() == [3.0, 23.0]


def test_feeding_back_is_that_of_the_section(noisy):
    lines = fit_lines(*pairs(noisy, 5))
    targets = torch.arange(20, 120)
    for s in range(3):
        alone = fit_least_squares(*windows(noisy[s], 5))
        ahead = k_step_forecasts(alone, noisy[s], 5, 7)
        for k in (1, 2, 7):
            window = windows_before(noisy, 5, k, targets)
            fed = fed_back(lines, window, k)
            assert fed.shape == (k, 3, 100)
            torch.testing.assert_close(fed[-1, s], ahead[targets, k - 1])


def test_the_floor_by_hand():
    """One value near 1: the phase is near the top, so k on it is cos."""
    window = torch.tensor([[1.0]])

    def after_100(window, sigma):
        return best_forecasts(window, 100, sigma=sigma)[0, -1].item()

    assert after_100(window, 0.01) == pytest.approx(math.cos(1.0), abs=0.01)
    # one value of 0: up or down, as likely
    assert after_100(window * 0, 0.01) == pytest.approx(0, abs=1e-12)
    # noise without end: nothing is known
    assert after_100(window, 1e6) == pytest.approx(0, abs=1e-9)


def test_with_one_phase_the_wave_is_known():
    ahead = best_forecasts(torch.zeros(1, 4), 3, num_phases=1, omega=0.5)
    wave = [math.sin(0.5), math.sin(1.0), math.sin(1.5)]
    assert ahead[0].tolist() == pytest.approx(wave)


def test_the_floor_of_many_series_is_that_of_each(noisy):
    window = noisy.unfold(1, 5, 1)
    together = best_forecasts(window, 4)
    assert together.shape == (3, 116, 4)
    for s in range(3):
        torch.testing.assert_close(together[s], best_forecasts(window[s], 4))


def test_the_grid_of_phases_is_fine_enough(noisy):
    window = noisy[:, :64]
    few = best_forecasts(window, 64, num_phases=1000)
    many = best_forecasts(window, 64, num_phases=20_000)
    torch.testing.assert_close(few, many, rtol=0, atol=1e-9)


def test_nothing_beats_the_floor_on_its_own_terms():
    """Phase drawn anew for each window: the expected error is smallest."""
    phase = torch.rand(4000, generator=seeded(0)) * 2 * math.pi
    steps = 0.01 * torch.arange(16)
    clean = torch.sin(phase[:, None] + steps)
    window = clean + 0.2 * torch.randn(4000, 16, generator=seeded(1))
    target = torch.sin(phase + 0.01 * (15 + 64))

    def error(forecast):
        return (forecast - target).square().mean().item()

    best = error(best_forecasts(window, 64)[:, -1])
    assert best < error(window.mean(dim=1))
    design = torch.cat([window, torch.ones(4000, 1)], dim=1)
    fitted = torch.linalg.lstsq(design, target[:, None]).solution
    # least squares that has seen these very targets has 17 weights to fit
    assert best < error((design @ fitted)[:, 0]) * (1 + 2 * 17 / 4000)
