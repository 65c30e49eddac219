"""Drawings of a recurrent network: what is where, and which way it goes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("Agg")

from unrolled.course.cells import STATE, draw_cell, draw_unrolled
from unrolled.course.colours import INK

NAMES = ("H", "O", "\\ell")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def boxed(axes):
    """What stands in a box, by its place."""
    return {
        word.get_position(): word
        for word in axes.texts
        if word.get_bbox_patch() is not None
    }


def arrows(axes):
    """Start and end of each arrow."""
    return [
        (word.xyann, word.xy) for word in axes.texts if hasattr(word, "xyann")
    ]


def words(axes):
    """The words beside boxes and arrows, by their place."""
    return [
        (word.get_position(), word.get_text())
        for word in axes.texts
        if word.get_text() and word.get_bbox_patch() is None
    ]


def test_an_unrolled_network_has_a_column_for_each_step():
    axes = draw_unrolled(list("mac"), list("ach"))
    assert {at: word.get_text() for at, word in boxed(axes).items()} == {
        (step, row): text
        for step, (read, label) in enumerate(["ma", "ac", "ch"], 1)
        for row, text in enumerate(
            (
                read,
                f"$H_{{{step}}}$",
                f"$O_{{{step}}}$",
                f"$\\ell_{{{step}}}$",
                label,
            )
        )
    }
    found = arrows(axes)
    assert len(found) == 15
    for step in (1, 2, 3):
        of_step = found[5 * (step - 1) : 5 * step]
        # up from input to loss, down from the label to the loss
        for low, ((x, y), (u, v)) in enumerate(of_step[:4]):
            assert x == u == step
            assert low < min(y, v) < max(y, v) < low + 1
            assert (v > y) is (low < 3)
        (x, y), (u, v) = of_step[4]
        assert y == v == 1
        assert step - 1 < x < u < step


def test_the_same_weights_are_named_on_every_arrow_of_the_state():
    beside = words(draw_unrolled(list("mac"), list("ach")))
    along = [at for at, text in beside if text == "$W_{hh}$"]
    assert [x for x, _ in along] == pytest.approx([0.5, 1.5, 2.5])
    assert all(1 < y < 1.3 for _, y in along)
    names = {text: at for at, text in beside}
    for row, name in enumerate(("$W_{xh}$", "$W_{hq}$", "softmax")):
        x, y = names[name]
        assert 3 < x < 3.5
        assert y == pytest.approx(row + 0.5)
    for row, name in enumerate(("input", "state", "output", "loss", "label")):
        x, y = names[name]
        assert x < 0.3
        assert y == row
    assert len(beside) == 3 + 3 + 5


def test_a_state_has_the_colour_of_networks():
    axes = draw_unrolled(["m"], ["a"])
    edges = {
        at: mpl.colors.to_hex(word.get_bbox_patch().get_edgecolor())
        for at, word in boxed(axes).items()
    }
    assert {at for at, edge in edges.items() if edge == STATE} == {(1, 1)}
    assert set(edges.values()) == {STATE, INK}
    for word in axes.texts:
        assert word.get_color() == INK or not word.get_text()
    low, high = axes.get_xlim()
    assert low < -0.8
    assert 1 < high < 2
    assert axes.get_ylim()[0] < 0 < 4 < axes.get_ylim()[1]
    assert not axes.get_frame_on()


def test_a_cell_goes_from_input_and_last_state_to_the_output():
    axes = draw_cell()
    places = {word.get_text(): at for at, word in boxed(axes).items()}
    assert list(places) == [
        "$X_t$",
        "$H_{t-1}$",
        "$[X_t, H_{t-1}]$",
        "$H_t$",
        "$O_t$",
    ]
    x = [places[name][0] for name in places]
    assert x[0] == x[1] < x[2] < x[3] < x[4]
    found = arrows(axes)
    assert len(found) == 5
    for (start, _), (end, _) in found[:4]:
        assert start < end
    shapes = [text for _, text in words(axes) if text.startswith("(")]
    assert shapes == ["(n, d)", "(n, h)", "(n, d + h)", "(n, h)", "(n, q)"]


def test_the_state_goes_round():
    axes = draw_cell()
    (loop,) = axes.lines
    assert loop.get_color() == STATE
    (start, end) = loop.get_xydata()[[0, -1]]
    places = {word.get_text(): at for at, word in boxed(axes).items()}
    assert start[0] == places["$H_t$"][0]
    assert start[1] < places["$H_t$"][1]
    assert tuple(end) == arrows(axes)[-1][0]
    (_, y), (u, v) = arrows(axes)[-1]
    assert y == v == places["$H_{t-1}$"][1]
    assert u < places["$H_{t-1}$"][0]
    states = {
        word.get_text()
        for word in boxed(axes).values()
        if mpl.colors.to_hex(word.get_bbox_patch().get_edgecolor()) == STATE
    }
    assert states == {"$H_{t-1}$", "$H_t$"}
    said = {text for _, text in words(axes)}
    assert {"tanh", "kept for step t + 1"} < said
    assert {r"$W_{xh}$ on $W_{hh}$, $+\,b_h$", r"$W_{hq}$, $+\,b_q$"} < said
