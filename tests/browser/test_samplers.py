"""Section 8.3, samplers: the minibatches shown are the library's."""

import random
import re

import pytest
import torch

from unrolled.batches import random_batches, sequential_batches

PAGE, TAG = "book/8_3_language_models.html", "unrolled-samplers"
LETTERS = "abcdefghijklmnopqrstuvwxyz "


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


def table(element):
    """The page's table: the characters of X and of Y, row by row."""
    rows = element.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return [
        [words.replace("\u2423", " ") for words in column]
        for column in zip(*cells, strict=True)
    ]


def places(element, kind):
    """Which cells of the strip are of this class."""
    return element.locator(f".cell{kind}").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.place))"
    )


def check(element, state, monkeypatch):
    batches = library(state, monkeypatch)
    text = state["text"]
    assert state["minibatches"] == len(batches) > 0
    assert state["windows"] == len(batches) * state["batchSize"]
    assert state["starts"] == [X[:, 0].tolist() for X, _ in batches]
    read = {i for X, _ in batches for i in X.flatten().tolist()}
    never = [i for i in range(len(text)) if i not in read]
    assert state["unread"] == never
    X, Y = batches[state["shown"]]
    assert state["X"] == texts(X, text)
    assert state["Y"] == texts(Y, text)
    assert table(element) == [state["X"], state["Y"]]
    assert places(element, "") == list(range(len(text)))
    assert places(element, ".x") == sorted(X.flatten())
    assert places(element, ".y") == sorted(Y.flatten())
    bare = element.locator(".strip > .cell").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.place))"
    )
    assert bare == never
    names = element.locator(".strip button .name").all_inner_texts()
    where = {
        int(start): f"{number}.{row}"
        for number, (X, _) in enumerate(batches)
        for row, start in enumerate(X[:, 0])
    }
    assert names == [where[start] for start in sorted(where)]
    line = element.locator("[aria-live]").inner_text()
    told = [int(number) for number in re.findall(r"\d+", line)]
    # Minibatch 2 (of 0 to 3) ... 8 windows in 4 minibatches; 10 of 50 ...
    shown = [state["shown"], 0, len(batches) - 1]
    assert told[:3] == shown
    assert told[-4:] == [len(where), len(batches), len(never), len(text)]
    # whether each row goes on is told as the library's places have it
    if state["shown"] == 0 and state["mode"] == "sequential":
        assert "begins at zero" in line
    elif state["mode"] == "sequential":
        before = batches[state["shown"] - 1][0]
        assert torch.equal(before[:, -1] + 1, X[:, 0])
        assert "carried over" in line
    else:
        assert "begins anew" in line


def choose(element, **settings):
    """Set controls, named by a word of their labels."""
    for name, value in settings.items():
        element.get_by_role("combobox", name=name).select_option(str(value))


def write(element, text):
    """Type another text, which lies under "more"."""
    field = element.get_by_label("text (at most")
    if not field.is_visible():
        element.get_by_text("more", exact=True).click()
    field.fill(text)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sequential", "random"])
def test_five_random_settings(visit, monkeypatch, mode):
    element = visit().explorable(PAGE, TAG)
    choose(element, sampler=mode)
    draw = random.Random(mode)
    for _ in range(5):
        steps = draw.randint(3, 8)
        choose(element, steps=steps, size=draw.randint(1, 4))
        choose(element, offset=draw.randrange(steps))
        write(element, "".join(draw.choices(LETTERS, k=draw.randint(40, 56))))
        if mode == "random":
            for _ in range(draw.randint(1, 3)):
                element.get_by_role("button", name="new order").click()
        boxes = element.locator(".strip button")
        boxes.nth(draw.randrange(boxes.count())).click()
        state = element.evaluate("e => e.state")
        assert (state["mode"], state["steps"]) == (mode, steps)
        check(element, state, monkeypatch)
        if mode == "random":
            # with rows of one window nothing is left over
            ids = torch.arange(len(state["text"]))
            every = random_batches(ids, 1, steps, offset=state["offset"])
            first = sorted(int(X[0, 0]) for X, _ in every)
            assert first == sorted(
                state["offset"] + steps * number for number in state["order"]
            )


@pytest.mark.slow
def test_a_text_that_is_too_short_is_told_in_the_labels_words(visit):
    element = visit().explorable(PAGE, TAG)
    for steps, rows, offset, length in (
        (8, 4, 7, 39), (8, 2, 0, 16), (5, 3, 4, 1), (5, 2, 1, 0),
    ):  # fmt: skip
        choose(element, steps=steps, size=rows)
        choose(element, offset=offset)
        write(element, "a" * length)
        with pytest.raises(ValueError, match="ids must hold") as caught:
            # of no ids at all the library only says that there are none
            sequential_batches(
                torch.arange(max(length, 1)), rows, steps, offset=offset
            )
        needed = int(re.search(r"at least (\d+)", str(caught.value))[1])
        characters = "1 character" if length == 1 else f"{length} characters"
        assert element.locator("[aria-live]").inner_text() == (
            f"The text has {characters}; with a minibatch size of {rows}, "
            f"{steps} steps and an offset of {offset} it must have at least "
            f"{needed}."
        )
        for part in (".strip button", "tbody tr"):
            assert element.locator(part).count() == 0
        # stepping through no minibatches does no harm
        for name in ("back", "next", "play"):
            element.get_by_role("button", name=name).click()
        assert element.evaluate("e => e.state.chosen") is None
        # what is asked for is enough
        write(element, "a" * needed)
        assert element.evaluate("e => e.state.minibatches") == 1


@pytest.mark.slow
def test_by_keyboard(visit, monkeypatch):
    element = visit().explorable(PAGE, TAG)
    offset = element.get_by_label("offset")
    offset.focus()
    offset.press("End")  # 4, the largest for 5 steps
    element.get_by_label("steps").press("ArrowUp")
    state = element.evaluate("e => e.state")
    assert (state["steps"], state["offset"]) == (4, 3)
    assert offset.locator("option").all_inner_texts() == list("0123")
    element.get_by_role("button", name="back").press("Enter")
    state = element.evaluate("e => e.state")
    assert state["chosen"] == state["minibatches"] - 1
    check(element, state, monkeypatch)
    element.get_by_role("button", name="next").press("Enter")
    assert element.evaluate("e => e.state.chosen") == 0
    # the tab key leads to the chosen minibatch, arrows to its neighbours
    page = element.page
    element.locator(".strip button[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    state = element.evaluate("e => e.state")
    assert (state["chosen"], state["shown"]) == (0, 1)
    check(element, state, monkeypatch)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    state = element.evaluate("e => e.state")
    assert (state["chosen"], state["shown"]) == (1, 1)
    check(element, state, monkeypatch)
    element.get_by_label("sampler").select_option("random")
    before = element.evaluate("e => e.state.order")
    element.get_by_role("button", name="new order").press("Enter")
    state = element.evaluate("e => e.state")
    assert state["order"] != before
    assert sorted(state["order"]) == sorted(before)
    check(element, state, monkeypatch)


@pytest.mark.slow
def test_a_click_stays_and_hovering_only_previews(visit, monkeypatch):
    element = visit().explorable(PAGE, TAG)
    boxes = element.locator(".strip button")
    boxes.filter(has_text="2.1").click()
    boxes.filter(has_text="3.0").hover()
    state = element.evaluate("e => e.state")
    assert (state["chosen"], state["shown"]) == (2, 3)
    check(element, state, monkeypatch)
    pressed = element.locator(".strip button[aria-pressed='true'] .name")
    assert sorted(pressed.all_inner_texts()) == ["2.0", "2.1"]
    element.get_by_role("heading").hover()
    state = element.evaluate("e => e.state")
    assert (state["chosen"], state["shown"]) == (2, 2)
    check(element, state, monkeypatch)
    # the next step starts from the one chosen
    boxes.filter(has_text="0.0").hover()
    element.get_by_role("button", name="next").click()
    assert element.evaluate("e => e.state.shown") == 3


@pytest.mark.slow
def test_play_goes_to_the_last_minibatch_and_ends(visit):
    element = visit(own=True)
    element.page.clock.install()
    element = element.explorable(PAGE, TAG)
    clock = element.page.clock
    play = element.locator(".steps button").nth(1)
    chosen = "e => e.state.chosen"
    play.click()
    assert play.inner_text() == "pause"
    seen = [element.evaluate(chosen)]
    while play.inner_text() == "pause":
        clock.run_for(500)
        now = element.evaluate(chosen)
        seen += [now] * (now != seen[-1])
        assert len(seen) < 10
    assert seen == [0, 1, 2, 3]
    clock.run_for(10_000)
    assert element.evaluate(chosen) == 3
    # from the last it starts again; a choice or a control stops it
    play.click()
    assert element.evaluate(chosen) == 0
    element.get_by_role("button", name="next").click()
    assert play.inner_text() == "play"
    play.click()
    choose(element, size=1)
    clock.run_for(10_000)
    assert element.evaluate(chosen) == 1


@pytest.mark.slow
def test_one_event_cuts_the_text_once(visit):
    element = visit().explorable(PAGE, TAG)
    element.evaluate(
        "e => { const update = e.update.bind(e); e.updates = 0;"
        " e.update = () => { e.updates += 1; update(); }; }"
    )
    # from the largest offset, which fewer steps do not allow
    for number, change in enumerate(
        ({"offset": 4}, {"steps": 3}, {"size": 3}, {"sampler": "random"}), 1
    ):
        choose(element, **change)
        assert element.evaluate("e => e.updates") == number
    # and to look at a minibatch does not cut at all
    before = element.evaluate_handle("e => e.now")
    element.get_by_role("button", name="next").click()
    element.locator(".strip button").first.hover()
    assert element.evaluate("(e, now) => e.now === now", before)


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_its_room(visit, width):
    element = visit(width=width).explorable(PAGE, TAG)
    heights, cut = set(), []
    for mode in ("sequential", "random"):
        for steps in range(3, 9):
            for size in (1, 4):
                choose(element, sampler=mode, steps=steps, size=size)
                heights.add(element.bounding_box()["height"])
                cut += element.locator(".strip").evaluate_all(
                    "s => s.filter(s => s.scrollHeight > s.clientHeight)"
                    ".map(s => s.style.cssText)"
                )
                boxes = element.locator(".strip button").evaluate_all(
                    "boxes => boxes.map(b => b.getBoundingClientRect())"
                    ".map(({ width, height }) => Math.min(width, height))"
                )
                assert min(boxes) >= 44
    small = element.evaluate(
        "e => [...e.shadowRoot.querySelectorAll('*')].flatMap(part => {"
        " const room = e.getBoundingClientRect();"
        " const box = part.getBoundingClientRect();"
        " if (!box.width || part.matches('style, .room')) return [];"
        " const found = [];"
        " if (box.right > room.right || box.left < room.left)"
        "  found.push('wide');"
        " if (parseFloat(getComputedStyle(part).fontSize) < 12)"
        "  found.push('type');"
        " if (part.matches('button, select, input, summary')"
        "  && Math.min(box.width, box.height) < 44) found.push('target');"
        " return found.map(what => `${what}: ${part.outerHTML.slice(0, 80)}`);"
        "})"
    )
    assert small == []
    order = element.evaluate(
        "e => ['.strip', '.steps', '.pair', 'select', 'details'].map(part =>"
        " e.shadowRoot.querySelector(part).getBoundingClientRect().top)"
    )
    assert order == sorted(order)
    # a text that is too short takes the same room
    write(element, "short")
    element.get_by_text("more", exact=True).click()  # folds it again
    heights.add(element.bounding_box()["height"])
    assert len(heights) == 1
    assert heights.pop() <= 760
    assert cut == []
