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

    assert sorted(state["closed"]) == chain._closed_classes()
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

    reach = sum(
        torch.linalg.matrix_power(chain.transition, n) for n in (0, 1, 2)
    )
    unreached = (reach[state["start"]] == 0).nonzero()[:, 0].tolist()
    assert state["unreached"] == unreached
    assert state["periods"] == [period(chain, c) for c in state["closed"]]

    # the path follows from the uniforms by the cumulative sums
    assert len(state["uniforms"]) == len(state["path"]) - 1
    here, path = state["start"], [state["start"]]
    for u in torch.tensor(state["uniforms"], dtype=torch.float64):
        rungs = chain.transition[here].cumsum(dim=0)
        here = int(torch.searchsorted(rungs, u * rungs[-1], right=True))
        path.append(here)
    assert state["path"] == path
    shares = [path.count(s) / len(path) for s in range(3)]
    assert state["shares"] == pytest.approx(shares)


def period(chain, states):
    """The divisor of all numbers of steps that lead back to a state."""
    ways = [
        n
        for n in range(1, 13)
        if torch.linalg.matrix_power(chain.transition, n)[states[0], states[0]]
        > 0
    ]
    return math.gcd(*ways)


def check_shown(element, state):
    """What the reader sees is what the state says."""
    room = element.locator(".path").evaluate("e => e.clientWidth")
    shown = state["path"][-min(24, int(room) // 26) :]
    letters = "".join(NAMES[s][0].upper() for s in shown)
    assert len(letters) >= 8 or len(letters) == len(state["path"])
    assert "".join(element.locator(".path span").all_inner_texts()) == letters
    row = element.locator(".shares tr", has_text="share of time")
    shown = [f"{share:.3f}" for share in state["shares"]]
    assert row.locator("td").all_inner_texts() == shown
    row = element.locator(".shares tr", has_text="stationary")
    line = element.locator("[aria-live]").inner_text()
    assert f"rain {state['law'][2]:.3f}" in line
    if state["stationary"] is None:
        assert "no unique stationary distribution" in line
        assert row.locator("td").all_inner_texts() == ["not unique"]
    else:
        assert f"{state['entropyRate']:.3f} bits" in line
        shown = [f"{p:.3f}" for p in state["stationary"]]
        assert row.locator("td").all_inner_texts() == shown
    assert ("never settles" in line) == (max(state["periods"]) > 1)
    check_graph(element, state["matrix"])


def check_graph(element, matrix):
    """An arrow for each step that can be made, as wide as it is likely."""
    width = "es => Object.fromEntries(es.map(e =>"
    width += " [e.dataset.step, Number(e.getAttribute('stroke-width'))]))"
    arrows = element.locator(".edge").evaluate_all(width)
    assert arrows == {
        f"{i}{j}": pytest.approx(max(0.8, 8 * p))
        for i, row in enumerate(matrix)
        for j, p in enumerate(row)
        if p > 0
    }


def still(visited):
    """The explorable, whose walker waits to be told."""
    visited.page.emulate_media(reduced_motion="reduce")
    return visited.explorable(PAGE, TAG)


@pytest.mark.slow
def test_five_random_settings(visit, move):
    element = still(visit())
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
        element.get_by_role("button", name="new walk").click()
        element.get_by_role("button", name="100 steps").click()
        state = element.evaluate("e => e.state")
        assert (state["start"], state["k"]) == (start, k)
        seeds.add(state["seed"])
        assert len(state["path"]) == 101
        check(state)
        check_shown(element, state)
    assert len(seeds) == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ones", "closed", "words"),
    [
        (
            ["sun to sun", "rain to rain"],
            [[0], [2]],
            [
                "2 closed classes (sun; rain)",
                "leaves cloud for good",
                "From sun it never reaches cloud and rain.",
            ],
        ),
        (
            ["sun to sun", "cloud to cloud", "rain to rain"],
            [[0], [1], [2]],
            ["3 closed classes (sun; cloud; rain)"],
        ),
        (
            ["sun to rain", "rain to sun", "cloud to cloud"],
            [[0, 2], [1]],
            [
                "(sun and rain; cloud)",
                "The class of sun and rain has period 2",
            ],
        ),
        (["rain to rain"], [[2]], ["leaves sun and cloud for good"]),
        (
            ["sun to rain", "rain to sun"],
            [[0, 2]],
            [
                "leaves cloud for good",
                "From sun it never reaches cloud.",
                "The class of sun and rain has period 2",
                "the stationary one exists all the same",
            ],
        ),
        (
            ["sun to cloud", "cloud to rain", "rain to sun"],
            [[0, 1, 2]],
            [
                "The chain has period 3",
                "repeats every 3 steps; the stationary one exists",
            ],
        ),
        # sun and rain both lead to cloud, which leads to either
        (
            ["sun to cloud", "rain to cloud", "cloud to cloud"],
            [[1]],
            ["leaves sun and rain for good"],
        ),
    ],
)
def test_sure_steps(visit, move, ones, closed, words):
    element = still(visit())
    for cell in ones:
        move(element, cell, 1)
    state = element.evaluate("e => e.state")
    assert state["closed"] == closed
    line = element.locator("[aria-live]").inner_text()
    for said in words:
        assert said in line
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
    element = still(visit())
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
    walks = []
    for _ in range(2):
        button = element.get_by_role("button", name="one step")
        button.focus()
        for _ in range(3):
            button.press("Space")
        after = element.evaluate("e => e.state")
        assert (after["k"], after["start"]) == (30, 1)
        assert len(after["path"]) == 4
        check(after)
        check_shown(element, after)
        walks.append((after["seed"], after["uniforms"]))
        button = element.get_by_role("button", name="new walk")
        button.focus()
        button.press("Enter")
    assert walks[1][0] == walks[0][0] + 1
    assert walks[1][1] != walks[0][1]


@pytest.mark.slow
def test_a_chain_that_takes_turns_has_period_two(visit, move):
    # cloud on every other day: no sure step is needed for a period
    element = still(visit())
    for cell, p in {
        "sun to cloud": 1,
        "rain to cloud": 1,
        "cloud to cloud": 0,
    }.items():
        move(element, cell, p)
    state = element.evaluate("e => e.state")
    assert state["periods"] == [2]
    check(state)
    check_shown(element, state)
    laws = state["laws"]
    assert laws[30] == pytest.approx(laws[28])
    assert laws[30] != pytest.approx(laws[29], abs=0.1)


@pytest.mark.slow
def test_the_walk_comes_near_the_stationary_distribution(visit):
    element = still(visit())
    for _ in range(20):
        element.get_by_role("button", name="100 steps").click()
    state = element.evaluate("e => e.state")
    check(state)
    # within about four standard deviations of 2,000 dependent steps
    assert state["shares"] == pytest.approx(state["stationary"], abs=0.07)
    # another k leaves the walk alone, another chain begins it anew
    element.get_by_label("number of steps k").press("ArrowRight")
    assert len(element.evaluate("e => e.state.path")) == 2001
    element.get_by_label("sun to cloud").press("ArrowRight")
    assert len(element.evaluate("e => e.state.path")) == 1


@pytest.mark.slow
def test_it_walks_by_itself_where_it_is_seen_until_paused(visit):
    visited = visit()
    element = visited.explorable(PAGE, TAG)
    length = "e => e.state.path.length"
    assert element.evaluate(length) == 1  # far below the first screen
    walked = "n => document.querySelector('unrolled-markov').state"
    walked += ".path.length >= n"
    element.locator(".graph").scroll_into_view_if_needed()
    visited.page.wait_for_function(walked, arg=3)
    visited.page.evaluate("scrollTo(0, 0)")
    visited.page.wait_for_timeout(300)  # for the observer to notice
    before = element.evaluate(length)
    visited.page.wait_for_timeout(1600)
    assert element.evaluate(length) == before
    element.locator(".graph").scroll_into_view_if_needed()
    visited.page.wait_for_function(walked, arg=before + 1)
    element.get_by_role("button", name="pause").click()
    before = element.evaluate(length)
    visited.page.wait_for_timeout(1600)
    assert element.evaluate(length) == before
    state = element.evaluate("e => e.state")
    check(state)
    check_shown(element, state)
    # the walker stands on the last state of its path
    element.get_by_role("button", name="one step").click()
    visited.page.wait_for_timeout(800)
    there = NAMES[element.evaluate("e => e.state.path.at(-1)")]
    walker = element.locator(".walker").bounding_box()
    name = element.locator(".name", has_text=there).bounding_box()
    assert (
        abs(walker["x"] + walker["width"] / 2 - name["x"] - name["width"] / 2)
        < 3
    )
    assert 0 < name["y"] - walker["y"] < 40
    element.get_by_role("button", name="walk", exact=True).click()
    visited.page.wait_for_function(walked, arg=before + 2)


@pytest.mark.slow
def test_with_less_motion_it_waits_to_be_told(visit):
    element = still(visit())
    element.locator(".graph").scroll_into_view_if_needed()
    element.page.wait_for_timeout(1600)
    assert element.evaluate("e => e.state.path.length") == 1
    button = element.get_by_role("button", name="walk", exact=True)
    assert button.count() == 0
    element.get_by_role("button", name="one step").click()
    assert element.evaluate("e => e.state.path.length") == 2
    moving = "e => e.shadowRoot.querySelector('.walker').getAnimations()"
    assert element.evaluate(f"{moving}.length") == 0
