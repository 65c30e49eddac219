"""Section 8.3, samplers: the minibatches shown are the library's."""

import random

import pytest
import torch

from unrolled.batches import random_batches, sequential_batches

PAGE, TAG = "book/8_3_language_models.html", "unrolled-samplers"


def library(state, monkeypatch):
    """All minibatches of places that the library gives at these settings."""
    sizes = state["batchSize"], state["steps"]
    places = torch.arange(len(state["text"]))
    if state["mode"] == "sequential":
        return list(sequential_batches(places, *sizes, offset=state["offset"]))
    with monkeypatch.context() as patch:
        # the page cannot draw as torch does: here torch draws as the page
        patch.setattr(
            torch,
            "randperm",
            lambda n, generator: torch.tensor(state["order"]),
        )
        return list(random_batches(places, *sizes, offset=state["offset"]))


def texts(places, text):
    """Rows of places as the characters that stand there."""
    return ["".join(text[i] for i in row) for row in places.tolist()]


def shown(element):
    """The page's table: the characters of X and of Y, row by row."""
    rows = element.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return [
        [words.replace("\u2423", " ") for words in column]
        for column in zip(*cells, strict=True)
    ]


def check(element, state, monkeypatch):
    batches = library(state, monkeypatch)
    text = state["text"]
    assert state["error"] is None
    assert state["minibatches"] == len(batches) > 0
    assert state["windows"] == len(batches) * state["batchSize"]
    assert state["starts"] == [X[:, 0].tolist() for X, _ in batches]
    read = {i for X, _ in batches for i in X.flatten().tolist()}
    never = [i for i in range(len(text)) if i not in read]
    assert state["unread"] == never
    X, Y = batches[state["chosen"]]
    assert state["X"] == texts(X, text)
    assert state["Y"] == texts(Y, text)
    assert shown(element) == [state["X"], state["Y"]]
    marked = [
        element.locator(".cell").evaluate_all(
            "(cells, kind) => cells.flatMap((cell, place) =>"
            " cell.querySelector(kind).textContent ? [place] : [])",
            kind,
        )
        for kind in (".x", ".y")
    ]
    assert marked == [sorted(X.flatten()), sorted(Y.flatten())]
    bare = "cells => cells.map(cell => +cell.textContent.match(/[0-9]+/)[0])"
    assert element.locator(".unread").evaluate_all(bare) == never
    names = element.locator(".strip button .name").all_inner_texts()
    where = {
        int(start): f"{number}.{row}"
        for number, (X, _) in enumerate(batches)
        for row, start in enumerate(X[:, 0])
    }
    assert names == [where[start] for start in sorted(where)]
    assert (
        f"Windows: {len(where)}, minibatches: {len(batches)}, never read as "
        f"inputs: {len(never)} of {len(text)} characters"
    ) in element.locator("[aria-live]").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sequential", "random"])
def test_five_random_settings(visit, move, monkeypatch, mode):
    element = visit().explorable(PAGE, TAG)
    element.get_by_label("sampling").select_option(mode)
    draw = random.Random(mode)
    for _ in range(5):
        steps = draw.randint(2, 8)
        move(element, "steps", steps)
        move(element, "batch size", draw.randint(1, 4))
        move(element, "offset", draw.randrange(steps))
        move(element, "length of the text", draw.randint(45, 79))
        if mode == "random":
            move(element, "seed of the order", draw.randrange(100))
        boxes = element.locator(".strip button")
        boxes.nth(draw.randrange(boxes.count())).hover()
        state = element.evaluate("e => e.state")
        assert (state["mode"], state["steps"]) == (mode, steps)
        check(element, state, monkeypatch)
        if mode == "random":
            # with rows of one window nothing is left over
            places = torch.arange(len(state["text"]))
            every = random_batches(places, 1, steps, offset=state["offset"])
            first = sorted(int(X[0, 0]) for X, _ in every)
            assert first == sorted(
                state["offset"] + steps * number for number in state["order"]
            )


@pytest.mark.slow
def test_a_text_that_is_too_short_is_told_as_the_library_does(visit, move):
    element = visit().explorable(PAGE, TAG)
    for steps, rows, offset, length in (
        (8, 4, 7, 39), (8, 2, 0, 16), (5, 3, 4, 10),
    ):  # fmt: skip
        move(element, "steps", steps)
        move(element, "batch size", rows)
        move(element, "offset", offset)
        move(element, "length of the text", length)
        state = element.evaluate("e => e.state")
        with pytest.raises(ValueError, match="ids must hold") as caught:
            sequential_batches(
                torch.arange(length), rows, steps, offset=offset
            )
        assert state["error"] == str(caught.value)
        assert str(caught.value) in element.locator("[aria-live]").inner_text()
        assert element.locator(".strip button").count() == 0
        # one character less of need, and there is a minibatch
        move(element, "length of the text", rows * steps + 1 + offset)
        assert element.evaluate("e => e.state.minibatches") == 1


@pytest.mark.slow
def test_by_keyboard(visit, monkeypatch):
    element = visit().explorable(PAGE, TAG)
    offset = element.get_by_label("offset")
    offset.focus()
    offset.press("End")  # 4, the largest for 5 steps
    element.get_by_label("steps").press("ArrowLeft")
    state = element.evaluate("e => e.state")
    assert (state["steps"], state["offset"]) == (4, 3)
    assert offset.get_attribute("aria-valuetext") == "3"
    element.get_by_role("button", name="previous minibatch").press("Enter")
    state = element.evaluate("e => e.state")
    assert state["chosen"] == state["minibatches"] - 1
    check(element, state, monkeypatch)
    element.get_by_role("button", name="next minibatch").press("Enter")
    assert element.evaluate("e => e.state.chosen") == 0
    element.locator(".strip button").first.focus()
    element.page.keyboard.press("ArrowRight")
    state = element.evaluate("e => e.state")
    assert state["chosen"] == 1
    check(element, state, monkeypatch)
    element.get_by_label("sampling").select_option("random")
    before = element.evaluate("e => e.state.order")
    element.get_by_role("button", name="new order").press("Enter")
    state = element.evaluate("e => e.state")
    assert state["order"] != before
    assert sorted(state["order"]) == sorted(before)
    check(element, state, monkeypatch)
