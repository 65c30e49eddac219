"""Section 8.1, forecasts of a noisy sine: the numbers are the library's."""

import json
import math
import random
from pathlib import Path

import pytest
import torch
from torch import nn

from helpers import held_forecasts
from scripts import load
from unrolled import forecasters, series

PAGE, TAG = "book/8_1_sequence_models.html", "unrolled-forecast"
STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
FILE = STATIC / "explorables" / "data" / "forecast.json"
TAUS, MAX_K, KNOWN, LENGTH = (4, 16, 64, 128), 64, 604, 1300
TARGETS = slice(672, LENGTH)  # one full period, t = 673 to 1300
JUMPS, MODES = (1, 4, 16, 64), ("fed back", "direct")
FAMILIES = ("network", "least squares")


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def stored(tau, name, jump=1):
    """A forecaster with the weights that the page loads.

    One that jumps k steps; for k = 1 it is also the one that is fed back.
    """
    content = json.loads(FILE.read_text())
    models = content["models"][str(tau)]
    if jump > 1:
        models = content["direct"][str(tau)][str(jump)]
    weights = models[name]
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


def same(model, trained, atol):
    """Whether two forecasters have the same weights."""
    if isinstance(model, forecasters.LinearForecaster):
        pairs = [(model.weights, trained.weights), (model.bias, trained.bias)]
    else:
        pairs = zip(model.parameters(), trained.parameters(), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=atol) for a, b in pairs)


def fit(name, features, labels, generator):
    if name == "network":
        return forecasters.fit_mlp(features, labels, generator=generator)
    return forecasters.fit_least_squares(features, labels)


@pytest.mark.slow
def test_the_weights_are_trained_as_in_the_section():
    generator = torch.Generator().manual_seed(4)
    _, _, noisy = series.noisy_sine(LENGTH, generator=generator)
    for tau in TAUS:
        pairs = series.windows(noisy[:KNOWN], tau)
        for name in FAMILIES:
            trained = fit(name, *pairs, generator)
            model = stored(tau, name)
            assert same(model, trained, 2e-6)
            # few digits are enough, even when fed back 64 times
            kept, all_digits = (
                series.k_step_forecasts(one, noisy, tau, MAX_K)
                for one in (model, trained)
            )
            off = (kept - all_digits)[TARGETS].abs().max()
            assert off < 1e-3


@pytest.mark.slow
def test_the_direct_weights_are_trained_as_in_the_section():
    for tau in TAUS:
        for k in JUMPS[1:]:
            for name in FAMILIES:
                generator = torch.Generator().manual_seed(4)
                _, _, noisy = series.noisy_sine(LENGTH, generator=generator)
                # every pair whose target is among the known values
                ends = range(tau, KNOWN - k + 1)
                features = torch.stack([noisy[e - tau : e] for e in ends])
                labels = torch.stack([noisy[e + k - 1] for e in ends])
                trained = fit(name, features, labels, generator)
                model = stored(tau, name, k)
                assert same(model, trained, 2e-5)
                kept, all_digits = (
                    held_forecasts(one, noisy, tau, k)[:, k - 1]
                    for one in (model, trained)
                )
                off = (kept - all_digits)[TARGETS].abs().max()
                assert off < 1e-3


def jumps(tau, name, noisy):
    """What the direct models of one window forecast, as a table (T, 4)."""
    return torch.stack(
        [
            held_forecasts(stored(tau, name, k), noisy, tau, k)[:, -1]
            for k in JUMPS
        ],
        dim=1,
    )


def check(state):
    """Make every forecast again from the noise, with the library."""
    model, tau, k = state["model"], state["tau"], state["k"]
    time, clean, _ = series.noisy_sine(LENGTH, sigma=0.0)
    noisy = clean + 0.2 * tensor(state["noise"])
    assert len(time) == len(state["noise"])
    forecaster = stored(tau, model)
    every, near = tuple(range(1, MAX_K + 1)), {"rel": 1e-8, "abs": 1e-10}

    start = noisy[KNOWN - tau : KNOWN]
    run = series.free_run(forecaster, start, LENGTH - KNOWN)
    assert state["free"] == pytest.approx(run.tolist(), **near)
    assert state["back"] == pytest.approx(run[:k].tolist(), **near)

    # a name's table, and how many steps ahead its columns are
    tables = {
        "last value": (
            held_forecasts(lambda window: window[:, -1], noisy, tau, MAX_K),
            every,
        ),
        "mean of the window": (
            held_forecasts(
                lambda window: window.mean(dim=1), noisy, tau, MAX_K
            ),
            every,
        ),
    }
    for name in FAMILIES:
        if state["mode"] == "direct":
            tables[name] = jumps(tau, name, noisy), JUMPS
        else:
            forecaster = stored(tau, name)
            tables[name] = (
                series.k_step_forecasts(forecaster, noisy, tau, MAX_K),
                every,
            )
    # a forecast k steps ahead is made after training from here on
    ahead, places = tables[model]
    assert state["places"] == list(places)
    made = ahead[KNOWN + k - 1 :, places.index(k)]
    assert state["far"] == pytest.approx(made.tolist(), **near)
    assert set(state["rmse"]) == set(state["window"]) == set(tables)
    for name, (table, places) in tables.items():
        # row t of a table: what was forecast for t, so j steps after the
        # window's end lies in row KNOWN + j - 1
        path = [
            float(table[KNOWN + j - 1, column])
            for column, j in enumerate(places)
            if j <= k
        ]
        assert state["window"][name] == pytest.approx(path, **near)
        expected = forecasters.rmse(table[TARGETS], clean[TARGETS]).tolist()
        assert state["rmse"][name] == pytest.approx(expected, **near)


def choose(element, move, *, model, mode, tau, k):
    """Set all controls; the slider's value is a place among those of k."""
    element.get_by_role("combobox", name="model").select_option(model)
    element.get_by_label("fed back or direct").select_option(mode)
    element.get_by_label("window tau").select_option(str(tau))
    places = JUMPS if mode == "direct" else range(1, MAX_K + 1)
    move(element, "steps ahead k", places.index(k) + 1)


@pytest.fixture(scope="module")
def floors():
    """The floor of each window, as the tool computes it."""
    tool = load("tools/explorables/forecast.py")
    return {tau: tool.floor(tau) for tau in TAUS}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_random_settings(visit, move, floors, mode):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(0)
    taus = [*draw.sample(TAUS, 4), draw.choice(TAUS)]
    ks = [draw.randint(1, MAX_K) for _ in taus]
    if mode == "direct":
        ks = [*draw.sample(JUMPS, 4), draw.choice(JUMPS)]
    noises = set()
    for number, (tau, k) in enumerate(zip(taus, ks, strict=True)):
        model, other = draw.sample(FAMILIES, 2)
        choose(element, move, model=model, mode=mode, tau=tau, k=k)
        if number:
            element.get_by_role("button", name="new noise").click()
        state = element.evaluate("e => e.state")
        chosen = (state[name] for name in ("model", "mode", "tau", "k"))
        assert tuple(chosen) == (model, mode, tau, k)
        check(state)
        noise = tensor(state["noise"])
        noises.add(state["noise"][0])
        assert abs(noise.mean()) < 5 / math.sqrt(LENGTH)
        assert abs(noise.std() - 1) < 5 / math.sqrt(2 * LENGTH)

        assert state["floor"] == pytest.approx(floors[tau], abs=1e-4)
        column = state["places"].index(k)
        wave = math.sin(0.01 * (KNOWN + k))
        miss = abs(state["window"][model][-1] - wave)
        off, of_other = (state["rmse"][n][column] for n in (model, other))
        last = state["rmse"]["last value"][k - 1]
        the = {"network": "the network"}
        floor = floors[tau][k - 1]
        shown = element.locator("[aria-live]").inner_text()
        assert shown == (
            f"{k} step{'s' * (k > 1)} after this window of tau = {tau} values "
            f"{the.get(model, model)} ({mode}) misses the clean wave by "
            f"{miss:.2f}; over a full period it has RMSE {off:.3f}, "
            f"{the.get(other, other)} {of_other:.3f}, repeating the last "
            f"value {last:.3f}, the best possible forecast {floor:.3f}."
        )
    assert len(noises) == 5


@pytest.mark.slow
def test_one_step_ahead_both_ways_are_the_same(visit, move):
    element = visit().explorable(PAGE, TAG)
    found = {}
    for mode in MODES:
        choose(element, move, model="network", mode=mode, tau=64, k=1)
        found[mode] = element.evaluate("e => e.state")
    back, direct = found.values()
    for name in FAMILIES:
        assert back["window"][name] == direct["window"][name]
        assert back["rmse"][name][0] == direct["rmse"][name][0]
        assert back["rmse"][name][63] != direct["rmse"][name][3]


@pytest.mark.slow
def test_k_goes_to_the_nearest_that_has_a_model(visit, move):
    element = visit().explorable(PAGE, TAG)
    way = element.get_by_label("fed back or direct")
    for k, nearest in ((1, 1), (2, 1), (9, 4), (12, 16), (50, 64), (64, 64)):
        way.select_option("fed back")
        move(element, "steps ahead k", k)
        assert element.evaluate("e => e.state.k") == k
        way.select_option("direct")
        assert element.evaluate("e => e.state.k") == nearest
        # and back again it stays there
        way.select_option("fed back")
        steps = element.get_by_label("steps ahead k")
        assert element.evaluate("e => e.state.k") == nearest
        assert steps.input_value() == str(nearest)
    # which k there are is said where the way is chosen
    options = way.locator("option").all_inner_texts()
    assert options == ["fed back", "direct, for k = 1, 4, 16, 64"]


@pytest.mark.slow
def test_direct_by_keyboard(visit):
    element = visit().explorable(PAGE, TAG)
    way = element.get_by_label("fed back or direct")
    way.focus()
    way.press("ArrowDown")
    assert element.evaluate("e => e.state.mode") == "direct"
    steps = element.get_by_label("steps ahead k")
    markers = [
        element.get_by_role("slider", name=HANDLES[name])
        for name in ("k", "k by its error")
    ]
    for slider in (steps, *markers):
        for key, k in (
            ("Home", 1), ("ArrowLeft", 1), ("ArrowRight", 4),
            ("ArrowUp", 16), ("ArrowRight", 64), ("ArrowDown", 16),
            ("End", 64), ("ArrowRight", 64),
        ):  # fmt: skip
            slider.press(key)
            assert element.evaluate("e => e.state.k") == k
            assert steps.get_attribute("aria-valuetext") == str(k)
            shown = [m.get_attribute("aria-valuetext") for m in markers]
            assert shown == [f"k = {k}"] * 2
    check(element.evaluate("e => e.state"))
    way.press("ArrowUp")
    assert element.evaluate("e => e.state.mode") == "fed back"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_k_snaps_when_it_is_dragged_in_direct(visit, move, width):
    element = visit(width=width).explorable(PAGE, TAG)
    choose(element, move, model="network", mode="direct", tau=16, k=64)
    for name in (HANDLES["k"], HANDLES["k by its error"]):
        marker = element.get_by_role("slider", name=name)
        px = step_width(element, name)
        for wanted, aim in ((16, 25), (64, 50), (4, 6), (1, -20)):
            now = element.evaluate("e => e.state.k")
            drag(element.page, marker, (aim - now) * px)
            assert element.evaluate("e => e.state.k") == wanted
        marker.press("End")


def points(line, box):
    """The points of a line of the lower chart, as k and RMSE."""
    found = [tuple(map(float, p.split(","))) for p in line.split()]
    left, right, top, bottom, highest = box
    return [
        (1 + (x - left) / (right - left) * 63,
         (bottom - y) / (bottom - top) * highest)
        for x, y in found
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_floor_and_the_four_points_are_drawn(visit, move, mode):
    element = visit().explorable(PAGE, TAG)
    choose(element, move, model="network", mode=mode, tau=16, k=16)
    _, errors = element.locator(".chart").all()
    state = element.evaluate("e => e.state")
    assert errors.locator(".keys").inner_text() == "the best possible"
    seen = errors.evaluate(
        "chart => { const of = (name) =>"
        "  [...chart.querySelectorAll('.plot ' + name)];"
        " const axis = of('line.axis').at(-1), grid = of('line.grid')"
        "  .map(line => Number(line.getAttribute('y1')));"
        " return { x: ['x1', 'x2'].map(n => Number(axis.getAttribute(n))),"
        "  grid, ticks: of('text[text-anchor=end]').map(t => +t.textContent),"
        "  lines: of('polyline').map(l => l.getAttribute('points')),"
        "  marks: of('circle').length }; }"
    )
    # two lines of the grid fix the scale
    (low, high), ticks = (seen["grid"][0], seen["grid"][-1]), seen["ticks"]
    assert ticks[0] == 0
    box = (*seen["x"], high, low, ticks[-1])
    floor, *others = (points(line, box) for line in seen["lines"])
    assert [k for k, _ in floor] == pytest.approx(range(1, 65), abs=0.05)
    assert [off for _, off in floor] == pytest.approx(state["floor"], abs=2e-3)
    for name, line in zip(state["rmse"], others, strict=True):
        values = state["rmse"][name]
        assert [off for _, off in line] == pytest.approx(values, abs=2e-3)
        if name in FAMILIES:
            at = [k for k, _ in line]
            assert at == pytest.approx(state["places"], abs=0.05)
    assert seen["marks"] == (8 if mode == "direct" else 0)
    # only the floor's line is dashed like this, here and above
    dashes = [dash for _, dash, _ in lines(element)]
    assert dashes.count(lines(errors)[0][1]) == 1
    assert lines(errors)[0][1] != "none"


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
        floor, *four = lines(errors)
        assert floor[:2] not in [line[:2] for line in four]
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
    for mode in MODES:
        for model in FAMILIES:
            for tau, k in ((4, 1), (16, 4), (64, MAX_K), (128, 16)):
                choose(element, move, model=model, mode=mode, tau=tau, k=k)
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
