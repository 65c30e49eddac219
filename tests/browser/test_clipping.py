"""Section 8.5, clipping: the picture's numbers are the library's."""

import random

import pytest
import torch

from unrolled.training import clip_gradients

PAGE, TAG = "book/8_5_rnn_from_scratch.html", "unrolled-clipping"


@pytest.mark.slow
def test_five_random_settings(visit, move):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(0)
    shrunk = 0
    for _ in range(5):
        gradient = [round(draw.uniform(-4, 4), 1) for _ in range(2)]
        theta = round(draw.uniform(0.2, 4), 1)
        move(element, "first entry", gradient[0])
        move(element, "second entry", gradient[1])
        move(element, "theta", theta)
        state = element.evaluate("e => e.state")
        assert state["gradient"] == pytest.approx(gradient)
        assert state["theta"] == pytest.approx(theta)
        p = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        p.grad = torch.tensor(gradient, dtype=torch.float64)
        norm = clip_gradients([p], theta)
        assert state["norm"] == pytest.approx(norm)
        assert state["clipped"] == pytest.approx(p.grad.tolist())
        shown = element.locator("[aria-live]").inner_text()
        assert f"norm {norm:.2f}" in shown
        shrunk += norm > theta
    assert shrunk > 0


@pytest.mark.slow
def test_by_keyboard_and_by_pointer(visit):
    element = visit().explorable(PAGE, TAG)
    theta = element.get_by_role("slider", name="theta")
    before = element.evaluate("e => e.state.theta")
    theta.focus()
    theta.press("ArrowRight")
    assert element.evaluate("e => e.state.theta") == pytest.approx(
        before + 0.1
    )
    element.locator("svg").scroll_into_view_if_needed()
    box = element.locator("svg").bounding_box()
    element.page.mouse.click(
        box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"]
    )
    assert element.evaluate("e => e.state.gradient") == pytest.approx([2, 2])
