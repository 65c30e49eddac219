"""Section 8.5, clipping: the picture's numbers are the library's."""

import math
import random

import pytest
import torch

from unrolled.training import clip_gradients

PAGE, TAG = "book/8_5_rnn_from_scratch.html", "unrolled-clipping"
NUM_STEPS = 6


def loss_of(w, b):
    """The loss of the unit, step by step."""
    h = torch.zeros((), dtype=torch.float64)
    for _ in range(NUM_STEPS):
        h = w * h + b
    return (h - 1) ** 2


def check(state):
    """Compute the step with the library: loss, gradient, clip, landings."""
    params = torch.tensor(state["parameters"], dtype=torch.float64)
    w_b = [p.clone().requires_grad_() for p in params]
    loss = loss_of(*w_b)
    loss.backward()
    gradient = [p.grad.item() for p in w_b]
    norm = clip_gradients(w_b, state["theta"])
    clipped = [p.grad.item() for p in w_b]
    assert state["loss"] == pytest.approx(loss.item())
    assert state["gradient"] == pytest.approx(gradient)
    assert state["norm"] == pytest.approx(norm)
    assert state["clipped"] == pytest.approx(clipped)
    for name, direction in {"without": gradient, "with": clipped}.items():
        step = state["eta"] * torch.tensor(direction, dtype=torch.float64)
        landing = params - step
        found = state[name]
        assert found["parameters"] == pytest.approx(landing.tolist())
        assert found["loss"] == pytest.approx(loss_of(*landing).item())
        assert found["length"] == pytest.approx(step.norm().item())
    return norm


def put(element, w, b):
    """Press the mouse where these parameters are in the picture."""
    x, y = place(element, w, b)
    element.page.mouse.click(x, y)


def place(element, w, b):
    """Where parameters are on the screen, read off the ring."""
    element.locator(".picture").scroll_into_view_if_needed()
    ring = element.locator(".here .dot").bounding_box()
    here = element.evaluate("e => e.state.parameters")
    frame = element.locator(".picture svg > rect").bounding_box()
    scale = frame["width"] / 2  # the picture is two units wide and high
    x = ring["x"] + ring["width"] / 2 + (w - here[0]) * scale
    return x, ring["y"] + ring["height"] / 2 - (b - here[1]) * scale


@pytest.mark.slow
def test_random_places_and_settings(visit, move):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(0)
    shrunk = kept = 0
    for w, b in [
        (0.1, 0.9),
        *((draw.uniform(0, 2), draw.uniform(-1, 1)) for _ in range(6)),
    ]:
        theta = draw.randint(1, 40) / 2
        eta = draw.randint(1, 10) / 100
        move(element, "theta", theta)
        move(element, "learning rate", eta)
        put(element, w, b)
        state = element.evaluate("e => e.state")
        # a pixel is less than a hundredth
        assert state["parameters"] == pytest.approx([w, b], abs=0.011)
        assert (state["theta"], state["eta"]) == (theta, eta)
        norm = check(state)
        line = element.locator("[aria-live]").inner_text()
        assert f"norm {norm:.2f}" in line
        assert ("the clip changes nothing" in line) == (norm <= theta)
        shrunk += norm > theta
        kept += norm <= theta
    assert shrunk > 1
    assert kept > 0


@pytest.mark.slow
def test_the_words_say_what_the_two_steps_did(visit, move):
    element = visit().explorable(PAGE, TAG)
    state = element.evaluate("e => e.state")
    line = element.locator("[aria-live]").inner_text()
    # what the reader meets first: thrown out and up, or a little way down
    assert state["without"]["loss"] > state["loss"] > state["with"]["loss"]
    assert "leaves the picture and raises the loss" in line
    assert f"{state['loss']:.2f} to {state['without']['loss']:.2f}" in line
    assert f"lowers the loss from {state['loss']:.2f}" in line
    cells = element.locator("tr", has_text="without the clip")
    assert f"{state['without']['loss']:.2f}" in cells.inner_text()
    cells = element.locator("tr", has_text="with the clip").last
    assert f"{state['with']['loss']:.2f}" in cells.inner_text()
    # on the steepest place the number gets a power of ten
    put(element, 2, 1)
    loss = element.evaluate("e => e.state.without.loss")
    assert loss > 1e9
    power = str(int(math.log10(loss)))
    raised = power.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    assert f"× 10{raised}" in element.locator("[aria-live]").inner_text()


@pytest.mark.slow
def test_the_ball_has_the_radius_of_the_longest_step(visit, move):
    element = visit().explorable(PAGE, TAG)
    frame = element.locator(".picture svg > rect")
    side = float(frame.get_attribute("width"))
    for theta, eta in ((5, 0.05), (10, 0.02)):
        move(element, "theta", theta)
        move(element, "learning rate", eta)
        radius = float(
            element.locator(".picture .ball").first.get_attribute("r")
        )
        assert radius == pytest.approx(eta * theta * side / 2)
        x, y, end_x, end_y = (
            float(element.locator("line.kept").first.get_attribute(name))
            for name in ("x1", "y1", "x2", "y2")
        )
        # where the clip acts, the clipped step ends on its edge
        assert math.hypot(end_x - x, end_y - y) == pytest.approx(radius)


@pytest.mark.slow
def test_a_drag_goes_on_outside_the_picture(visit):
    element = visit().explorable(PAGE, TAG)
    mouse = element.page.mouse
    mouse.move(*place(element, *element.evaluate("e => e.state.parameters")))
    mouse.down()
    x, y = place(element, 1.0, 0.5)
    mouse.move(x, y)
    state = element.evaluate("e => e.state")
    assert state["parameters"] == pytest.approx([1, 0.5], abs=0.011)
    frame = element.locator(".picture svg > rect").bounding_box()
    # far to the left of the page's column: the nearest place in the picture
    mouse.move(frame["x"] - 150, y)
    state = element.evaluate("e => e.state")
    assert state["parameters"] == pytest.approx([0, 0.5], abs=0.011)
    mouse.move(frame["x"] - 150, frame["y"] - 60)
    assert element.evaluate("e => e.state.parameters") == [0, 1]
    mouse.move(*place(element, 0.5, 0.2))
    mouse.up()
    state = element.evaluate("e => e.state")
    assert state["parameters"] == pytest.approx([0.5, 0.2], abs=0.011)
    check(state)
    mouse.move(x, y)  # the button is up: nothing follows the mouse
    assert (
        element.evaluate("e => e.state")["parameters"] == state["parameters"]
    )


@pytest.mark.slow
def test_a_finger_drags_the_ring_and_scrolls_beside_it(browser, site):
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(site + PAGE)
    element = page.locator(f"{TAG}[ready]")
    element.wait_for()
    touch = "e => getComputedStyle(e).touchAction"
    assert element.locator(".here").evaluate(touch) == "none"
    assert element.locator(".picture").evaluate(touch) == "auto"
    reach = element.locator(".here .reach").bounding_box()
    assert min(reach["width"], reach["height"]) >= 44
    page.touchscreen.tap(*place(element, 0.6, -0.4))
    state = element.evaluate("e => e.state")
    assert state["parameters"] == pytest.approx([0.6, -0.4], abs=0.011)
    check(state)
    context.close()


@pytest.mark.slow
def test_by_keyboard(visit):
    element = visit().explorable(PAGE, TAG)
    theta = element.get_by_role("slider", name="theta")
    before = element.evaluate("e => e.state")
    theta.focus()
    theta.press("ArrowRight")
    after = element.evaluate("e => e.state")
    assert after["theta"] == pytest.approx(before["theta"] + 0.5)
    ring = element.get_by_role("slider", name="parameters w and b")
    ring.focus()
    w, b = before["parameters"]
    for key, move in {
        "ArrowRight": (0.01, 0),
        "Shift+ArrowUp": (0, 0.1),
        "ArrowDown": (0, -0.01),
        "Shift+ArrowLeft": (-0.1, 0),
    }.items():
        ring.press(key)
        w, b = w + move[0], b + move[1]
        state = element.evaluate("e => e.state")
        assert state["parameters"] == pytest.approx([w, b])
        check(state)
    assert ring.get_attribute("aria-valuetext") == f"w {w:.2f}, b {b:.2f}"
    for _ in range(12):  # and it stops at the edge
        ring.press("Shift+ArrowUp")
    assert element.evaluate("e => e.state.parameters[1]") == 1
    # keys that would scroll the page away from it
    at = element.page.evaluate("scrollY")
    place = "e => e.state.parameters"
    ring.press("PageDown")
    assert element.evaluate(place) == pytest.approx([w, 0.9])
    ring.press("PageUp")
    ring.press("End")
    assert element.evaluate(place) == pytest.approx([w, 1])
    ring.press("Home")
    assert element.evaluate(place) == before["parameters"]
    element.page.wait_for_timeout(300)
    assert element.page.evaluate("scrollY") == at
