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


def rendered(axes):
    """Each word with the rectangle that it fills, box and all, as drawn."""
    axes.figure.canvas.draw()
    found = []
    for word in axes.texts:
        if word.get_text():
            patch = word.get_bbox_patch() or word
            found.append((word.get_text(), patch.get_window_extent()))
    return found


DRAWINGS = {
    "cell": draw_cell,
    "unrolled": lambda: draw_unrolled(list("mac"), list("ach")),
}


@pytest.mark.parametrize("kind", DRAWINGS)
def test_words_are_apart_and_fill_the_drawing(kind):
    axes = DRAWINGS[kind]()
    found = rendered(axes)
    for i, (_, one) in enumerate(found):
        for _, other in found[:i]:
            assert not one.padded(-1).overlaps(other.padded(-1))
    drawn = [box for _, box in found]
    drawn += [line.get_window_extent() for line in axes.lines]
    frame, inch = axes.get_window_extent(), axes.figure.dpi
    low = [min(box.min[k] for box in drawn) for k in (0, 1)]
    high = [max(box.max[k] for box in drawn) for k in (0, 1)]
    # inside, and no wide margins
    for edge, inner in zip(frame.min, low, strict=True):
        assert edge - 2 < inner < edge + 0.4 * inch
    for edge, inner in zip(frame.max, high, strict=True):
        assert edge - 0.5 * inch < inner < edge + 2
    assert not axes.get_xticks().size
    assert not axes.get_yticks().size


@pytest.mark.parametrize(("kind", "height"), [("cell", 1.9), ("unrolled", 3)])
def test_how_tall_it_is(kind, height):
    assert DRAWINGS[kind]().figure.get_figheight() == height


@pytest.mark.parametrize("kind", DRAWINGS)
def test_sizes_and_lines(kind):
    axes = DRAWINGS[kind]()
    sizes = {word.get_text(): word.get_size() for word in axes.texts}
    boxes = {word.get_text() for word in boxed(axes).values()}
    for text, size in sizes.items():
        if text in boxes:
            assert size == 10
        elif text in ("input", "state", "output", "loss", "label"):
            assert size == 9
        elif text.startswith(("(", "kept")):
            assert size == 8
        elif text:  # the name of weights, or what is computed
            assert size == 7
    for word in axes.texts:
        if hasattr(word, "xyann"):
            assert word.arrow_patch.get_linewidth() == 1
            assert word.arrow_patch.get_arrowstyle().arrow == "->"
    for line in axes.lines:
        assert line.get_linewidth() == 1


def test_arrows_of_a_cell_join_the_boxes():
    axes = draw_cell()
    axes.figure.canvas.draw()
    to_data = axes.transData.inverted()
    edges = {}
    for word in boxed(axes).values():
        box = word.get_bbox_patch().get_window_extent()
        edges[word.get_text()] = to_data.transform(box.get_points())

    def gap(point, name):
        """How far a point is from a box, along x and y."""
        low, high = edges[name]
        return max(
            max(edge[0] - at, at - edge[1])
            for edge, at in zip(
                zip(low, high, strict=True), point, strict=True
            )
        )

    joined = [
        ("$X_t$", "$[X_t, H_{t-1}]$"),
        ("$H_{t-1}$", "$[X_t, H_{t-1}]$"),
        ("$[X_t, H_{t-1}]$", "$H_t$"),
        ("$H_t$", "$O_t$"),
    ]
    for (start, end), (source, target) in zip(
        arrows(axes)[:4], joined, strict=True
    ):
        assert -0.1 < gap(start, source) < 0.2
        assert -0.1 < gap(end, target) < 0.3
        # from the left, and above or below all the way
        assert end[0] < edges[target].mean(0)[0]
        assert start[1] * end[1] > 0 or start[1] == end[1] == 0
    _, end = arrows(axes)[4]
    assert -0.1 < gap(end, "$H_{t-1}$") < 0.2
    centres = {name: points.mean(0) for name, points in edges.items()}
    assert centres["$X_t$"][1] == pytest.approx(-centres["$H_{t-1}$"][1])
    for name in ("$[X_t, H_{t-1}]$", "$H_t$", "$O_t$"):
        assert centres[name][1] == pytest.approx(0, abs=0.05)


def test_the_loop_runs_below_and_at_the_left():
    axes = draw_cell()
    (loop,) = axes.lines
    x, y = loop.get_xydata().T
    assert x[0] == x[1] > x[2] == x[3]
    assert y[1] == y[2]
    assert y[2] < y[3] < 0
    assert y[1] < y[0] < 0
    assert axes.get_ylim()[0] < y[1]
    words = [w for w in axes.texts if w.get_text().startswith("kept")]
    assert words[0].get_color() == STATE
    u, v = words[0].get_position()
    assert words[0].get_ha() == "center"
    assert abs(u - (x[2] + x[1]) / 2) < 0.6
    assert y[1] < v < y[1] + 0.3
    colours = [
        mpl.colors.to_hex(word.arrow_patch.get_edgecolor())
        for word in axes.texts
        if hasattr(word, "xyann")
    ]
    assert colours == [INK] * 4 + [STATE]


def test_words_under_and_over_arrows_and_boxes():
    axes = draw_cell()
    at = {word.get_text(): word for word in axes.texts if word.get_text()}
    boxes = [word for word in axes.texts if word.get_bbox_patch()]
    shapes = [w for w in axes.texts if w.get_text().startswith("(")]
    for box, shape in zip(boxes, shapes, strict=True):
        (x, y), (u, v) = box.get_position(), shape.get_position()
        assert x == u
        assert y - 0.6 < v < y - 0.3
        assert (shape.get_ha(), shape.get_va()) == ("center", "top")
        assert shape.get_color() == INK
    assert at["tanh"].get_va() == "bottom"
    assert at["tanh"].get_position()[1] > 0
    for text in (r"$W_{xh}$ on $W_{hh}$, $+\,b_h$", r"$W_{hq}$, $+\,b_q$"):
        assert at[text].get_va() == "top"
        assert at[text].get_color() == INK
        assert -0.3 < at[text].get_position()[1] < 0
    assert "XXXX" not in at
