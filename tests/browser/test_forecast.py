"""Section 8.1, forecasts of a noisy sine: the numbers are the library's."""

import json
import math
import random
from pathlib import Path

import pytest
import torch
from torch import nn

from unrolled import series

PAGE, TAG = "book/8_1_sequence_models.html", "unrolled-forecast"
STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
FILE = STATIC / "explorables" / "data" / "forecast.json"
TAUS, MAX_K, KNOWN, LENGTH = (4, 16, 64, 128), 64, 604, 1300
TARGETS = slice(672, LENGTH)  # one full period, t = 673 to 1300


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def stored(tau, name):
    """A forecaster with the weights that the page loads."""
    weights = json.loads(FILE.read_text())["models"][str(tau)][name]
    if name == "least squares":
        return series.LinearForecaster(
            tensor(weights["weights"]), tensor(weights["bias"])
        )
    net = nn.Sequential(
        nn.Linear(tau, 10, dtype=torch.float64),
        nn.ReLU(),
        nn.Linear(10, 1, dtype=torch.float64),
    )
    net[0].weight.data = tensor(weights["hidden"])
    net[0].bias.data = tensor(weights["hidden bias"])
    net[2].weight.data = tensor([weights["output"]])
    net[2].bias.data = tensor([weights["output bias"]])
    return net


@pytest.mark.slow
def test_the_weights_are_trained_as_in_the_section():
    generator = torch.Generator().manual_seed(4)
    _, _, noisy = series.noisy_sine(LENGTH, generator=generator)
    for tau in TAUS:
        pairs = series.windows(noisy[:KNOWN], tau)
        line, fitted = stored(tau, "least squares"), series.fit_least_squares
        assert torch.allclose(line.weights, fitted(*pairs).weights, atol=1e-5)
        assert torch.allclose(line.bias, fitted(*pairs).bias, atol=1e-5)
        trained = series.fit_mlp(*pairs, generator=generator)
        for a, b in zip(
            stored(tau, "network").parameters(),
            trained.parameters(),
            strict=True,
        ):
            assert torch.allclose(a, b, atol=1e-5)


def check(state):
    """Make every forecast again from the noise, with the library."""
    model, tau, k = state["model"], state["tau"], state["k"]
    time, clean, _ = series.noisy_sine(LENGTH, sigma=0.0)
    noisy = clean + 0.2 * tensor(state["noise"])
    assert len(time) == len(state["noise"])
    forecaster = stored(tau, model)

    ahead = series.k_step_forecasts(forecaster, noisy, tau, MAX_K)
    near = {"rel": 1e-8, "abs": 1e-10}
    assert state["one"] == pytest.approx(ahead[KNOWN:, 0].tolist(), **near)
    # a forecast k steps ahead is made after training from here on
    made = ahead[KNOWN + k - 1 :, k - 1]
    assert state["far"] == pytest.approx(made.tolist(), **near)
    start = noisy[KNOWN - tau : KNOWN]
    run = series.free_run(forecaster, start, LENGTH - KNOWN)
    assert state["free"] == pytest.approx(run.tolist(), **near)

    tables = {
        model: ahead,
        "least squares": series.k_step_forecasts(
            stored(tau, "least squares"), noisy, tau, MAX_K
        ),
        "last value": series.held_forecasts(
            series.persistence, noisy, tau, MAX_K
        ),
        "mean of the window": series.held_forecasts(
            series.window_mean, noisy, tau, MAX_K
        ),
    }
    assert set(state["rmse"]) == set(tables)
    for name, table in tables.items():
        expected = series.rmse(table[TARGETS], clean[TARGETS]).tolist()
        assert state["rmse"][name] == pytest.approx(expected, **near)


@pytest.mark.slow
def test_five_random_settings(visit, move):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(0)
    taus = [*draw.sample(TAUS, 4), draw.choice(TAUS)]
    noises = set()
    for number, tau in enumerate(taus):
        model = ("network", "least squares")[number % 2]
        k = draw.randint(1, MAX_K)
        element.get_by_role("combobox", name="model").select_option(model)
        element.get_by_label("window tau").select_option(str(tau))
        move(element, "steps ahead k", k)
        element.get_by_role("button", name="new noise").click()
        state = element.evaluate("e => e.state")
        assert (state["model"], state["tau"], state["k"]) == (model, tau, k)
        check(state)
        noise = tensor(state["noise"])
        noises.add(state["noise"][0])
        assert abs(noise.mean()) < 5 / math.sqrt(LENGTH)
        assert abs(noise.std() - 1) < 5 / math.sqrt(2 * LENGTH)
        shown = element.locator("[aria-live]").inner_text()
        assert f"RMSE {state['rmse'][model][k - 1]:.3f}" in shown
    assert len(noises) == 5


@pytest.mark.slow
def test_by_keyboard(visit):
    element = visit().explorable(PAGE, TAG)
    steps = element.get_by_label("steps ahead k")
    steps.focus()
    steps.press("Home")
    assert element.evaluate("e => e.state.k") == 1
    check(element.evaluate("e => e.state"))
    steps.press("ArrowRight")
    assert element.evaluate("e => e.state.k") == 2

    wave = element.get_by_label("drawn behind")
    assert element.locator("svg").first.locator("circle").count() > 600
    wave.focus()
    wave.press("ArrowDown")
    assert element.evaluate("e => e.state.behind") == "clean"
    assert element.locator("svg").first.locator("circle").count() == 0

    before = element.evaluate("e => e.state")
    button = element.get_by_role("button", name="new noise")
    button.focus()
    button.press("Enter")
    after = element.evaluate("e => e.state")
    assert after["seed"] == before["seed"] + 1
    assert after["noise"][0] != before["noise"][0]
    check(after)
