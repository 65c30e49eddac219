"""Sections 8.1 and 8.4, a Markov chain: the numbers are the library's."""

import math
import random

import pytest
import torch

from unrolled.markov import MarkovChain

PAGE, TAG = "book/8_1_sequence_models.html", "unrolled-markov"
NAMES = ("sun", "cloud", "rain")


def check(state):
    """Compute all that is shown again, with the library."""
    start = [float(i == state["start"]) for i in range(3)]
    chain = MarkovChain(state["matrix"], start)
    law = chain.k_step(state["k"])[state["start"]].tolist()
    assert state["law"] == pytest.approx(law, abs=1e-12)
    for t, law_t in enumerate(state["laws"]):
        assert law_t == pytest.approx(chain.law_at(t).tolist(), abs=1e-12)

    assert sorted(state["closed"]) == chain.closed_classes()
    if len(state["closed"]) > 1:
        assert state["stationary"] is None
        assert state["entropyRate"] is None
        with pytest.raises(ValueError, match="no unique stationary law"):
            chain.entropy_rate()
    else:
        longrun = chain.stationary().tolist()
        assert state["stationary"] == pytest.approx(longrun, abs=1e-10)
        bits = chain.entropy_rate() / math.log(2)
        assert state["entropyRate"] == pytest.approx(bits, abs=1e-10)

    # the path follows from the uniforms by the cumulative sums
    assert len(state["uniforms"]) == 60
    here, path = state["start"], [state["start"]]
    for u in torch.tensor(state["uniforms"], dtype=torch.float64):
        rungs = chain.transition[here].cumsum(dim=0)
        here = int(torch.searchsorted(rungs, u * rungs[-1], right=True))
        path.append(here)
    assert state["path"] == path


def check_shown(element, state):
    """What the reader sees is what the state says."""
    letters = "".join(NAMES[s][0].upper() for s in state["path"])
    assert "".join(element.locator(".path span").all_inner_texts()) == letters
    line = element.locator("[aria-live]").inner_text()
    assert f"rain {state['law'][2]:.3f}" in line
    if state["stationary"] is None:
        assert "no unique stationary law" in line
    else:
        assert f"{state['entropyRate']:.3f} bits" in line


@pytest.mark.slow
def test_five_random_settings(visit, move):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(0)
    seeds = set()
    for _ in range(5):
        for i, today in enumerate(NAMES):
            before = element.evaluate("e => e.state.matrix")[i]
            j, p = draw.randrange(3), round(draw.uniform(0, 0.99), 2)
            move(element, f"{today} to {NAMES[j]}", p)
            row = element.evaluate("e => e.state.matrix")[i]
            a, b = [m for m in range(3) if m != j]
            assert row[j] == pytest.approx(p)
            assert sum(row) == pytest.approx(1, abs=1e-12)
            # the other two keep their proportion
            assert row[a] * before[b] == pytest.approx(row[b] * before[a])
        start, k = draw.randrange(3), draw.randint(0, 30)
        element.get_by_label("start state").select_option(NAMES[start])
        move(element, "number of steps k", k)
        element.get_by_role("button", name="new sample").click()
        state = element.evaluate("e => e.state")
        assert (state["start"], state["k"]) == (start, k)
        seeds.add(state["seed"])
        check(state)
        check_shown(element, state)
    assert len(seeds) == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ones", "closed"),
    [
        (["sun to sun", "rain to rain"], [[0], [2]]),
        (["sun to sun", "cloud to cloud", "rain to rain"], [[0], [1], [2]]),
        (["sun to rain", "rain to sun", "cloud to cloud"], [[0, 2], [1]]),
        (["rain to rain"], [[2]]),  # sun and cloud are left for good
        (["sun to rain", "rain to sun"], [[0, 2]]),
        (["sun to cloud", "cloud to rain", "rain to sun"], [[0, 1, 2]]),
    ],
)
def test_sure_steps(visit, move, ones, closed):
    element = visit().explorable(PAGE, TAG)
    for cell in ones:
        move(element, cell, 1)
    state = element.evaluate("e => e.state")
    assert state["closed"] == closed
    check(state)
    check_shown(element, state)
    # and back: two zeros share what is left alike
    move(element, ones[0], 0.4)
    state = element.evaluate("e => e.state")
    row = state["matrix"][NAMES.index(ones[0].split()[0])]
    assert sorted(row) == pytest.approx([0.3, 0.3, 0.4])
    check(state)


@pytest.mark.slow
def test_by_keyboard(visit):
    element = visit().explorable(PAGE, TAG)
    cell = element.get_by_label("sun to cloud")
    cell.focus()
    cell.press("ArrowRight")
    state = element.evaluate("e => e.state")
    expected = [0.7 * 0.79 / 0.8, 0.21, 0.1 * 0.79 / 0.8]
    assert state["matrix"][0] == pytest.approx(expected)
    shown = element.get_by_label("sun to sun").get_attribute("aria-valuetext")
    assert shown == f"{expected[0]:.3f}"
    check(state)

    steps = element.get_by_label("number of steps k")
    steps.focus()
    steps.press("End")
    start = element.get_by_label("start state")
    start.focus()
    start.press("ArrowDown")
    button = element.get_by_role("button", name="new sample")
    button.focus()
    button.press("Space")
    after = element.evaluate("e => e.state")
    assert (after["k"], after["start"]) == (30, 1)
    assert after["seed"] == state["seed"] + 1
    assert after["uniforms"] != state["uniforms"]
    check(after)
