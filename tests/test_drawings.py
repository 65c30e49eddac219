"""Drawings: rows, boxes and columns where they belong."""

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("Agg")

from unrolled.course.colours import COLOURS, FAMILIES, GREY, INK
from unrolled.course.drawings import (
    draw_chain,
    draw_ladder,
    draw_paths,
    draw_windows,
)
from unrolled.course.ladder import KINDS, Rung
from unrolled.course.plotting import new_axes


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def names_below(axes):
    """What the legend of a ladder names."""
    (legend,) = axes.figure.legends
    return [text.get_text() for text in legend.get_texts()]


def rungs_of(*rows):
    """Rungs from (name, bits, family, learns, level with)."""
    return [
        Rung(name, bits, "train", KINDS[learns], "8.3", family, (level,))
        for name, bits, family, learns, level in rows
    ]


THREE = rungs_of(
    ("uniform", 4.8, "baseline", False, ""),
    ("best", 1.9, "network", False, "another"),
    ("next", 1.8, "network", False, "best"),
)
ONE = rungs_of(("a", 1.0, "counting", False, ""))


def test_a_ladder_has_a_row_for_each_model():
    axes = draw_ladder(THREE, band=(0.6, 1.3), band_name="Shannon 1951")
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "uniform",
        "best",
        "next",
    ]
    baseline, network, *_ = axes.get_lines()
    assert baseline.get_xydata().tolist() == [[4.8, 0]]
    assert network.get_xydata().tolist() == [[1.9, 1], [1.8, 2]]
    assert baseline.get_color() == FAMILIES["baseline"]
    assert network.get_color() == FAMILIES["network"]
    texts = [t.get_text() for t in axes.texts]
    assert texts == ["4.800", "1.900", "\N{ALMOST EQUAL TO} 1.800"]
    assert [t.get_position()[1] for t in axes.texts] == [0, 1, 2]
    # the first on top, and every number inside the drawing
    assert axes.yaxis_inverted()
    axes.figure.canvas.draw()
    right = axes.get_window_extent().x1
    assert max(t.get_window_extent().x1 for t in axes.texts) <= right
    assert axes.get_xlim()[0] == 0
    assert names_below(axes) == ["baseline", "network", "Shannon 1951"]
    (band,) = axes.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (0.6, 1.3)
    assert axes.get_xlabel() == "bits per character (fewer is better)"
    assert axes.get_ylabel() == "model"


def test_several_seeds_stand_in_brackets():
    rows = [replace(ONE[0], fewest=0.9876, most=1.1), *THREE]
    first, second, *_ = draw_ladder(rows).texts
    assert first.get_text() == "1.000 (0.988 to 1.100)"
    assert second.get_text() == "4.800"


def test_what_learns_while_it_reads_is_an_open_point():
    rows = rungs_of(
        ("a", 3.0, "counting", False, ""),
        ("b", 2.0, "counting", True, ""),
        ("c", 1.0, "compressor", True, ""),
    )
    axes = draw_ladder(rows)
    points = [line for line in axes.get_lines() if len(line.get_xdata())]
    assert [(p.get_ydata()[0], p.get_fillstyle()) for p in points] == [
        (0, "full"),
        (1, "none"),
        (2, "none"),
    ]
    assert [p.get_color() for p in points] == [
        FAMILIES["counting"],
        FAMILIES["counting"],
        FAMILIES["compressor"],
    ]
    names = names_below(axes)
    assert names == ["counting", "compressor", f"open: {KINDS[1]}"]
    (legend,) = axes.figure.legends
    shown = legend.legend_handles
    assert [handle.get_fillstyle() for handle in shown] == [
        "full",
        "full",
        "none",
    ]
    assert [handle.get_marker() for handle in shown] == ["o"] * 3
    assert [handle.get_color() for handle in shown] == [
        FAMILIES["counting"],
        FAMILIES["compressor"],
        INK,
    ]
    assert legend._ncols == 3  # more do not fit on a phone
    # what is only named lies nowhere in the drawing
    named = [line for line in axes.get_lines() if not len(line.get_xdata())]
    assert len(named) == 3
    assert not any(len(line.get_ydata()) for line in named)


def test_a_result_from_outside_is_a_line():
    axes = draw_ladder(THREE, mark=1.7, mark_name="outside")
    line = axes.get_lines()[-1]
    assert line.get_xdata() == [1.7, 1.7]
    assert line.get_linestyle() == ":"
    assert (line.get_color(), line.get_linewidth()) == (INK, 1)
    assert names_below(axes)[-1] == "outside"
    unnamed = draw_ladder(THREE, mark=1.7)
    assert names_below(unnamed) == ["baseline", "network"]


def test_a_taller_ladder_for_more_models():
    heights = [draw_ladder(ONE * n).figure.get_figheight() for n in (2, 8)]
    assert heights[1] - heights[0] == pytest.approx(6 * 0.15)
    assert heights[0] == pytest.approx(1.4 + 2 * 0.15)


def test_a_ladder_without_a_band():
    axes = draw_ladder(ONE)
    assert names_below(axes) == ["counting"]
    assert not axes.patches


def test_a_ladder_has_thin_rows_and_small_words():
    rows = rungs_of(
        *(
            (name, 1.0 + n / 10, "network" if n > 4 else "counting", 0, "")
            for n, name in enumerate("abcdefghij")
        )
    )
    bits = [rung.bits for rung in rows]
    axes = draw_ladder(rows, band=(0.6, 1.3), band_name="b")
    (bars,) = axes.collections
    assert [bar.tolist() for bar in bars.get_segments()] == [
        [[0, row], [value, row]] for row, value in enumerate(bits)
    ]
    assert mpl.colors.to_hex(bars.get_color()[0]) == GREY
    assert bars.get_linewidth() == 1
    assert bars.get_alpha() < 1
    for line in axes.get_lines():
        assert (line.get_marker(), line.get_linestyle()) == ("o", "None")
        assert 4 <= line.get_markersize() < 6
    (legend,) = axes.figure.legends
    words = [*axes.texts, *legend.get_texts()]
    colours = {mpl.colors.to_hex(word.get_color()) for word in words}
    assert colours == {INK}
    assert all(w.get_size() < 10 for w in (*words, *axes.get_yticklabels()))
    for word, value in zip(axes.texts, bits, strict=True):
        assert word.get_va() == "center"
        assert value < word.get_position()[0] < value + 0.3
    assert max(bits) > 0.7 * axes.get_xlim()[1]
    assert axes.xaxis.get_gridlines()[0].get_visible()
    assert not axes.yaxis.get_gridlines()[0].get_visible()
    (band,) = axes.patches
    assert mpl.colors.to_hex(band.get_facecolor()) == FAMILIES["people"]
    assert band.get_alpha() < 0.5
    assert not legend.get_frame_on()
    # below everything, so that it hides no row
    axes.figure.canvas.draw()
    box, ground = legend.get_window_extent(), axes.get_tightbbox()
    assert box.y1 <= ground.y0


def test_a_band_without_a_name_is_not_in_the_legend():
    axes = draw_ladder(ONE, band=(0.6, 1.3))
    assert names_below(axes) == ["counting"]


def test_windows_are_drawn_in_small_letters():
    axes = plt.figure(figsize=(6, 3)).add_subplot()  # without a grid
    draw_windows(axes, "abcdef", [[[0, 1], [3]], [[4, 5], [1, 2]]])
    assert not axes.xaxis.get_gridlines()[0].get_visible()
    assert [box.get_width() for box in axes.patches] == [2, 1, 2, 2]
    assert all(box.get_alpha() < 0.5 for box in axes.patches)
    assert {t.get_color() for t in axes.texts} == {INK}
    letters = [t for t in axes.texts if t.get_text() in "abcdef"]
    for letter in letters:
        assert letter.get_fontfamily() == ["monospace"]
        assert (letter.get_ha(), letter.get_va()) == ("center", "center")
        assert letter.get_size() < 10
    low, high = axes.get_ylim()
    assert low < 2
    assert high > -1
    assert axes.get_xlim()[0] > -2
    axes.figure.canvas.draw()
    numbers = [t for t in axes.texts if t.get_text() in "01"]
    for number, patch in zip(numbers, axes.patches, strict=True):
        assert number.get_size() < 8
        assert number.get_va() == "bottom"
        # above the left end of its box
        word, box = number.get_window_extent(), patch.get_window_extent()
        assert box.x0 <= word.x0 < word.x1 < box.x1
        assert abs(word.y0 - box.y1) < 0.25 * box.height
    new = new_axes("a", "b")
    draw_windows(new, "a", [])
    assert not new.xaxis.get_gridlines()[0].get_visible()


def test_windows_are_boxes_around_their_tokens():
    axes = new_axes("place in the text", "minibatch")
    batches = [[[0, 1], [3, 4]], [[4, 5], [1, 2]]]
    assert draw_windows(axes, "abcdef", batches) is axes
    boxes = [
        (p.get_x(), p.get_width(), round(p.get_y() + p.get_height() / 2))
        for p in axes.patches
    ]
    assert boxes == [(-0.5, 2, 0), (2.5, 2, 0), (3.5, 2, 1), (0.5, 2, 1)]
    colours = [p.get_facecolor() for p in axes.patches]
    assert colours[0] == colours[2] != colours[1] == colours[3]
    letters = [t for t in axes.texts if t.get_text() in "abcdef"]
    assert "".join(t.get_text() for t in letters) == "abcdefabcdef"
    assert [t.get_position() for t in letters[6:8]] == [(0, 1), (1, 1)]
    rows = [t.get_text() for t in axes.texts if t.get_text() in "01"]
    assert rows == ["0", "1", "0", "1"]
    assert list(axes.get_yticks()) == [0, 1]
    low, high = axes.get_xlim()
    assert low <= -0.5
    assert high >= 5.5
    bottom, top = axes.get_ylim()
    assert bottom > 1.36  # the first minibatch on top, all boxes inside
    assert top < -0.4


def test_paths_are_all_alike():
    axes = new_axes("t", "x")
    draw_paths(axes, [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    assert [list(line.get_ydata()) for line in axes.lines] == [
        [0.0, 2.0, 4.0],
        [1.0, 3.0, 5.0],
    ]
    assert {line.get_color() for line in axes.lines} == {COLOURS[0]}
    assert all(line.get_linewidth() < 1 for line in axes.lines)
    assert all(line.get_alpha() < 1 for line in axes.lines)


def test_a_chain_has_an_arrow_for_each_chance():
    axes = draw_chain(["a", "b"], [[0.25, 0.75], [1, 0]])
    words = [text.get_text() for text in axes.texts if text.get_text()]
    assert sorted(words) == ["0.25", "0.75", "1", "a", "b"]
    arrows = [t for t in axes.texts if getattr(t, "arrow_patch", None)]
    assert len(arrows) == 3
    assert len(axes.patches) == 2


def test_the_arrows_of_a_chain_start_and_end_at_their_states():
    axes = draw_chain(list("abc"), [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    places = {
        t.get_text(): t.get_position()
        for t in axes.texts
        if t.get_text() in "abc" and t.get_text()
    }

    def nearest(point):
        return min(
            places,
            key=lambda name: (
                (places[name][0] - point[0]) ** 2
                + (places[name][1] - point[1]) ** 2
            ),
        )

    found = [
        (nearest(t.xyann), nearest(t.xy))
        for t in axes.texts
        if getattr(t, "arrow_patch", None)
    ]
    assert found == [("a", "b"), ("b", "c"), ("c", "a")]


def arrows_of(axes):
    return [t for t in axes.texts if getattr(t, "arrow_patch", None)]


def test_the_states_of_a_chain_lie_clockwise_from_the_top():
    axes = draw_chain(list("abcd"), [[0.25] * 4] * 4)
    centres = [circle.center for circle in axes.patches]
    top, right, bottom, left = (complex(*centre) for centre in centres)
    assert top.real == pytest.approx(0)
    assert right.imag == pytest.approx(0)
    assert top == pytest.approx(-bottom)
    assert right == pytest.approx(-left)
    assert right.real > top.imag > 0.5  # wider than high
    names = {t.get_text(): t for t in axes.texts}
    for name, centre in zip("abcd", centres, strict=True):
        assert names[name].get_position() == centre
    for circle in axes.patches:
        assert 0.2 < circle.get_radius() < 0.4  # they do not touch
        assert circle.get_facecolor()[3] == 0
        assert mpl.colors.to_hex(circle.get_edgecolor()) == COLOURS[0]
        assert 1 < circle.get_linewidth() < 2


def test_a_chain_is_all_that_its_drawing_shows():
    axes = draw_chain(list("abc"), [[0.5, 0.25, 0.25]] * 3)
    assert axes.get_frame_on() is False
    assert axes.get_xlim()[0] == -axes.get_xlim()[1]  # in the middle
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0
    assert axes.get_aspect() == 1  # circles are round
    assert axes.figure.get_figheight() == 2.5
    axes.figure.canvas.draw()
    ground = axes.get_window_extent()
    assert ground.width > 0.8 * axes.figure.bbox.width
    for thing in (*axes.texts, *axes.patches):
        box = thing.get_window_extent()
        assert ground.x0 <= box.x0 <= box.x1 <= ground.x1
        assert ground.y0 <= box.y0 <= box.y1 <= ground.y1
    words = [t for t in axes.texts if t.get_text()]
    assert {(t.get_ha(), t.get_va()) for t in words} == {("center", "center")}
    assert {t.get_fontsize() for t in words} == {10}
    assert {t.get_color() for t in words} == {INK}
    for arrow in arrows_of(axes):
        patch = arrow.arrow_patch
        assert type(patch.get_arrowstyle()).__name__ == "CurveFilledB"
        assert mpl.colors.to_hex(patch.get_edgecolor()) == INK
        assert patch.get_linewidth() == 1


def test_the_arrows_of_a_chain_leave_room_for_those_back():
    """There and back bend apart, each with its chance on its own side."""
    names = list("abc")
    chances = [[0, 0.1, 0.2], [0.3, 0, 0.4], [0.5, 0.6, 0]]
    axes = draw_chain(names, chances)
    place = {t.get_text(): t.get_position() for t in axes.texts}
    radius = axes.patches[0].get_radius()
    steps = [(i, j) for i in range(3) for j in range(3) if i != j]
    for arrow, (i, j) in zip(arrows_of(axes), steps, strict=True):
        start, end = complex(*place[names[i]]), complex(*place[names[j]])
        along = (end - start) / abs(end - start)
        tail = (complex(*arrow.xyann) - start) / along
        head = (complex(*arrow.xy) - end) / along
        # outside both circles, to the left of the line between them
        assert radius < abs(tail) < radius + 0.1
        assert tail.real > 0.9 * abs(tail)
        assert (-head.real, head.imag) == pytest.approx((tail.real, tail.imag))
        assert 0.02 < tail.imag < 0.1
        bend = arrow.arrow_patch.get_connectionstyle().rad
        assert -0.5 < bend < 0  # to the left too
        word = complex(*place[f"{chances[i][j]:g}"])
        beside = (word - (start + end) / 2) / along
        assert beside.real == pytest.approx(0)
        assert 0.3 < beside.imag < 0.5


def test_the_loops_of_a_chain_lie_on_the_outside():
    names = list("abcd")
    chances = [[0.0] * 4 for _ in names]
    for state in range(4):
        chances[state][state] = 0.1 + state / 10
    axes = draw_chain(names, chances)
    place = {t.get_text(): t.get_position() for t in axes.texts}
    radius = axes.patches[0].get_radius()
    for state, arrow in enumerate(arrows_of(axes)):
        centre = complex(*place[names[state]])
        out = centre / abs(centre)
        ends = [
            (complex(*point) - centre) / out
            for point in (arrow.xyann, arrow.xy)
        ]
        # at the edge of the circle, one on either side
        left, right = ends
        assert left == pytest.approx(right.conjugate())
        assert radius < abs(left) < radius + 0.1
        assert left.real > left.imag > 0.05
        bend = arrow.arrow_patch.get_connectionstyle().rad
        assert -3 < bend < -1  # round the far side, not through the circle
        word = (complex(*place[f"{chances[state][state]:g}"]) - centre) / out
        assert radius + 0.3 < word.real < 3 * radius
        assert word.imag == pytest.approx(0)
