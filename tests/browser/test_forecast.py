"""Section 8.1, forecasts of a noisy sine: the numbers are the library's."""

import json
import math
import random
from pathlib import Path

import pytest
import torch
from torch import nn

from unrolled import forecasters, series

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
        return forecasters.LinearForecaster(
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
        line, fitted = (
            stored(tau, "least squares"),
            forecasters.fit_least_squares,
        )
        assert torch.allclose(line.weights, fitted(*pairs).weights, atol=1e-5)
        assert torch.allclose(line.bias, fitted(*pairs).bias, atol=1e-5)
        trained = forecasters.fit_mlp(*pairs, generator=generator)
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
    # a forecast k steps ahead is made after training from here on
    made = ahead[KNOWN + k - 1 :, k - 1]
    assert state["far"] == pytest.approx(made.tolist(), **near)
    start = noisy[KNOWN - tau : KNOWN]
    run = series.free_run(forecaster, start, LENGTH - KNOWN)
    assert state["free"] == pytest.approx(run.tolist(), **near)

    tables = {
        "network": series.k_step_forecasts(
            stored(tau, "network"), noisy, tau, MAX_K
        ),
        "least squares": series.k_step_forecasts(
            stored(tau, "least squares"), noisy, tau, MAX_K
        ),
        "last value": series.held_forecasts(
            forecasters.persistence, noisy, tau, MAX_K
        ),
        "mean of the window": series.held_forecasts(
            forecasters.window_mean, noisy, tau, MAX_K
        ),
    }
    assert set(state["rmse"]) == set(state["window"]) == set(tables)
    for name, table in tables.items():
        # row t of a table: what was forecast for t, so k steps after the
        # window's end lies in row KNOWN + k - 1
        steps = range(1, k + 1)
        path = [float(table[KNOWN + j - 1, j - 1]) for j in steps]
        assert state["window"][name] == pytest.approx(path, **near)
        expected = forecasters.rmse(table[TARGETS], clean[TARGETS]).tolist()
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

    before = element.evaluate("e => e.state")
    button = element.get_by_role("button", name="new noise")
    button.focus()
    button.press("Enter")
    after = element.evaluate("e => e.state")
    assert after["seed"] == before["seed"] + 1
    assert after["noise"][0] != before["noise"][0]
    check(after)


HANDLES = {
    "tau": "left edge of the window",
    "k": "marker of the forecast",
    "k by its error": "marker of the errors",
}


def centre(handle):
    """Where a finger takes hold of a handle, once it lies still."""
    handle.evaluate("e => e.scrollIntoView({block: 'center'})")
    handle.hover()
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, handle, right, down=0):
    """Take hold of a handle and move it, in steps as a mouse does."""
    x, y = centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=8)
    page.mouse.up()


def step_width(element, name):
    """How many px one step of time, or of k, is wide."""
    handle = element.get_by_role("slider", name=name)
    ends = []
    for key in ("Home", "End"):
        handle.press(key)
        rule = handle.locator(".rule").bounding_box()
        ends.append((rule["x"], float(handle.get_attribute("aria-valuenow"))))
    (low, first), (high, last) = ends
    return (high - low) / (last - first)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_tau_is_dragged_and_snaps(visit, width):
    element = visit(width=width).explorable(PAGE, TAG)
    edge = element.get_by_role("slider", name=HANDLES["tau"])
    px = step_width(element, HANDLES["tau"])
    assert element.evaluate("e => e.state.tau") == 4  # at the right end
    for wanted, near in ((16, 20), (128, 110), (64, 70), (4, 0)):
        now = element.evaluate("e => e.state.tau")
        drag(element.page, edge, (now - near) * px, down=90)
        state = element.evaluate("e => e.state")
        assert state["tau"] == wanted
        assert edge.get_attribute("aria-valuetext") == f"tau = {wanted}"
        assert element.get_by_label("window tau").input_value() == str(wanted)
        # the shade ends where the rule stands
        shade = element.locator(".shade").bounding_box()
        rule = edge.locator(".rule").bounding_box()
        assert shade["x"] == pytest.approx(rule["x"], abs=2)
        assert shade["width"] == pytest.approx(wanted * px, abs=1.5)
    check(state)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", [HANDLES["k"], HANDLES["k by its error"]])
def test_k_is_dragged(visit, width, name):
    element = visit(width=width).explorable(PAGE, TAG)
    marker = element.get_by_role("slider", name=name)
    px = step_width(element, name)
    assert element.evaluate("e => e.state.k") == MAX_K  # at the right end
    # far outside the picture the pointer still holds the marker
    for wanted, aim, down in ((40, 40, 0), (52, 52, 500), (1, -90, 0)):
        now = element.evaluate("e => e.state.k")
        drag(element.page, marker, (aim - now) * px, down)
        assert element.evaluate("e => e.state.k") == wanted
        assert marker.get_attribute("aria-valuetext") == f"k = {wanted}"
        assert element.get_by_label("steps ahead k").input_value() == str(
            wanted
        )
    check(element.evaluate("e => e.state"))
    # let go, it stays
    element.page.mouse.move(700, 300)
    assert element.evaluate("e => e.state.k") == 1


@pytest.mark.slow
def test_a_right_click_does_not_drag(visit):
    element = visit().explorable(PAGE, TAG)
    marker = element.get_by_role("slider", name=HANDLES["k"])
    before = element.evaluate("e => e.state.k")
    x, y = centre(marker)
    element.page.mouse.move(x, y)
    element.page.mouse.down(button="right")
    element.page.mouse.move(x + 60, y)
    element.page.mouse.up(button="right")
    assert element.evaluate("e => e.state.k") == before


@pytest.mark.slow
def test_the_handles_by_keyboard(visit):
    element = visit().explorable(PAGE, TAG)
    edge, *markers = (
        element.get_by_role("slider", name=name) for name in HANDLES.values()
    )
    for key, tau in (
        ("Home", 128), ("ArrowRight", 64), ("ArrowRight", 16),
        ("ArrowUp", 4), ("ArrowRight", 4), ("ArrowLeft", 16), ("End", 4),
    ):  # fmt: skip
        edge.press(key)
        assert element.evaluate("e => e.state.tau") == tau
    for marker in markers:
        for key, k in (
            ("Home", 1), ("ArrowLeft", 1), ("ArrowRight", 2), ("ArrowUp", 3),
            ("PageUp", 10), ("ArrowDown", 9), ("PageDown", 2), ("End", MAX_K),
        ):  # fmt: skip
            marker.press(key)
            assert element.evaluate("e => e.state.k") == k
            # both markers and the control say the same
            shown = [m.get_attribute("aria-valuetext") for m in markers]
            assert shown == [f"k = {k}"] * 2
            assert element.get_by_label("steps ahead k").input_value() == str(
                k
            )
    # a key that means nothing is left to the page
    marker.press("x")
    assert element.evaluate("e => e.state.k") == MAX_K


def lines(picture):
    """The lines of a chart: colour, dash and width of each."""
    return picture.locator("polyline").evaluate_all(
        "lines => lines.map(line => { const s = getComputedStyle(line);"
        " return [s.stroke, s.strokeDasharray, s.strokeWidth]; })"
    )


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_look_for_each_forecaster_in_both_pictures(visit, theme):
    element = visit(theme=theme).explorable(PAGE, TAG)
    for model, strong in (("network", 0), ("least squares", 1)):
        element.get_by_label("model").select_option(model)
        picture, errors = element.locator(".chart").all()
        four = lines(errors)
        assert lines(picture)[-4:] == four
        assert len({(colour, dash) for colour, dash, _ in four}) == 4
        widths = [float(width.removesuffix("px")) for _, _, width in four]
        assert widths.index(max(widths)) == strong
        # the baselines are of one colour, the models of two others
        colours = [colour for colour, _, _ in four]
        assert colours[2] == colours[3]
        assert len(set(colours)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_a_chart_is_drawn_at_its_own_width(visit, width):
    element = visit(width=width).explorable(PAGE, TAG)
    page = element.page

    def look():
        return element.evaluate(
            "e => [...e.shadowRoot.querySelectorAll('.chart')].map(chart => {"
            " const svg = chart.querySelector('.plot svg');"
            " const ctm = svg.getScreenCTM();"
            " const box = svg.getBoundingClientRect();"
            " const out = [...svg.querySelectorAll('text')].filter(t => {"
            "  const b = t.getBoundingClientRect();"
            "  return b.left < box.left - 1 || b.right > box.right + 1; });"
            " const type = [...chart.querySelectorAll("
            "  'text, .tag, .keys > span')]"
            "  .map(t => parseFloat(getComputedStyle(t).fontSize));"
            " return { scale: [ctm.a, ctm.d], width: box.width,"
            "  room: chart.querySelector('.plot').clientWidth,"
            "  type: Math.min(...type), out: out.length }; })"
        )

    for wide in (width, width - 40):
        page.set_viewport_size({"width": wide, "height": 900})
        page.wait_for_timeout(200)  # two frames, and the observer's
        for chart in look():
            assert chart["scale"] == [1, 1]
            assert chart["width"] == pytest.approx(chart["room"], abs=1)
            assert chart["type"] >= 12
            assert chart["out"] == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= wide


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_its_height_stays(visit, move, width):
    element = visit(width=width).explorable(PAGE, TAG)
    heights = set()
    for model in ("network", "least squares"):
        element.get_by_label("model").select_option(model)
        for tau, k in ((4, 1), (16, 9), (64, MAX_K), (128, 30)):
            element.get_by_label("window tau").select_option(str(tau))
            move(element, "steps ahead k", k)
            heights.add(element.bounding_box()["height"])
    element.get_by_role("button", name="new noise").click()
    heights.add(element.bounding_box()["height"])
    assert len(heights) == 1


@pytest.mark.slow
def test_handles_are_large_enough_and_apart(visit, move):
    element = visit(width=360).explorable(PAGE, TAG)
    for tau, k in ((4, 1), (128, MAX_K)):
        element.get_by_label("window tau").select_option(str(tau))
        move(element, "steps ahead k", k)
        edge, marker, errors = (
            element.get_by_role("slider", name=name).bounding_box()
            for name in HANDLES.values()
        )
        for box in (edge, marker, errors):
            assert min(box["width"], box["height"]) >= 44
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
        assert edge["x"] + edge["width"] <= marker["x"] + 1
        tags = element.locator(".tag").all()
        for tag in tags:
            box = tag.bounding_box()
            assert box["x"] >= 16
            assert box["x"] + box["width"] <= 344


@pytest.mark.slow
def test_lines_stay_in_forced_colours(visit):
    element = visit().explorable(PAGE, TAG)
    element.page.emulate_media(forced_colors="active")
    ink, paper = element.evaluate(
        "e => { const probe = document.createElement('span');"
        " e.shadowRoot.append(probe);"
        " probe.style.cssText = 'color: CanvasText; background: Canvas;"
        " forced-color-adjust: none';"
        " const { color, backgroundColor } = getComputedStyle(probe);"
        " probe.remove(); return [color, backgroundColor]; }"
    )
    assert ink != paper
    for picture in element.locator(".chart").all():
        assert {colour for colour, _, _ in lines(picture)} == {ink}
    dashes = [dash for _, dash, _ in lines(picture)]
    assert len(set(dashes)) == len(dashes)
    rules = element.locator(".rule").evaluate_all(
        "rules => rules.map(r => getComputedStyle(r).borderLeftColor)"
    )
    assert paper not in rules
