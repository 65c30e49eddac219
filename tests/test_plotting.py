"""Plotting: labels are required, lines differ, nothing is computed."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from helpers import legend_names

mpl.use("Agg")

from unrolled.course.colours import COLOURS, DASHES, FAMILIES, GREY, INK
from unrolled.course.plotting import (
    draw_data,
    draw_lines,
    draw_points,
    mark_line,
    mark_start,
    new_axes,
    new_panels,
    share_legend,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_figures_have_no_ground_whatever_the_reader_s_style():
    with mpl.rc_context({"figure.facecolor": "black"}):
        axes = new_axes("a", "b")
    assert axes.figure.get_facecolor()[3] == 0
    assert axes.get_facecolor()[3] == 0


def test_words_and_axes_have_one_colour():
    axes = new_axes("a", "b")
    axes = draw_lines(axes, [0, 1], {"one": [1, 2]})
    mark_line(axes, 1, "floor")
    (panel,) = new_panels(["c"], "a", "b")
    words = [axes.xaxis.label, axes.yaxis.label, panel.title]
    words += [*axes.get_xticklabels(), *axes.get_legend().get_texts()]
    assert {mpl.colors.to_hex(w.get_color()) for w in words} == {INK}
    edge = axes.spines["left"].get_edgecolor()
    assert mpl.colors.to_hex(edge) == INK


def test_new_axes_has_labels_size_and_style():
    axes = new_axes("time (steps)", "x")
    assert axes.get_xlabel() == "time (steps)"
    assert axes.get_ylabel() == "x"
    assert new_axes("a", "b").get_title() == ""
    figure = axes.figure
    assert tuple(figure.get_size_inches()) == (5.6, 3.8)
    assert figure.dpi == 140
    assert figure.get_layout_engine().__class__.__name__ == (
        "ConstrainedLayoutEngine"
    )
    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert axes.xaxis.get_label().get_size() == 11
    assert axes.xaxis.get_gridlines()[0].get_visible()
    other = new_axes("a", "b", height=2.0)
    assert tuple(other.figure.get_size_inches()) == (5.6, 2.0)


def test_drawings_are_the_same_bytes_each_time():
    def drawn():
        axes = draw_lines(new_axes("a", "b"), [0, 1], {"one": [1, 2]})
        file = io.StringIO()
        axes.figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()

    first = drawn()
    assert first == drawn()
    assert ">one<" in first  # words stay words


def test_small_multiples_share_their_scales():
    panels = new_panels(["k = 1", "k = 4", "k = 16"], "time", "x")
    assert [axes.get_title() for axes in panels] == [
        "k = 1",
        "k = 4",
        "k = 16",
    ]
    figure = panels[0].figure
    assert len(figure.axes) == 3  # no empty fourth one
    assert [axes.get_xlabel() for axes in panels] == ["", "time", "time"]
    assert [axes.get_ylabel() for axes in panels] == ["x", "", "x"]
    figure.canvas.draw()
    shown = [axes.xaxis.get_tick_params()["labelbottom"] for axes in panels]
    assert shown == [False, True, True]
    panels[0].set_xlim(2, 5)
    panels[1].set_ylim(-7, 7)
    assert {axes.get_xlim() for axes in panels} == {(2, 5)}
    assert {axes.get_ylim() for axes in panels} == {(-7, 7)}
    four = new_panels(list("abcd"), "t", "x", height=2.0)
    assert four[0].figure.get_figheight() == pytest.approx(4.6)
    assert new_panels(list("abcd"), "t", "x")[0].figure.get_figheight() < 5
    four[0].figure.canvas.draw()
    left, right, below, _ = (axes.get_window_extent() for axes in four)
    assert left.y0 == pytest.approx(right.y0)
    assert left.x0 == pytest.approx(below.x0)
    assert below.y1 < left.y0
    two = new_panels(list("ab"), "t", "x", height=2.0)
    assert tuple(two[0].figure.get_size_inches()) == pytest.approx((5.6, 2.6))


def test_small_multiples_may_share_one_legend():
    panels = new_panels(["k = 1", "k = 4"], "time", "x")
    for axes in panels:
        draw_lines(axes, [0, 1], {"forecast": [0, 1], "sine": [1, 0]})
    share_legend(panels)
    assert [axes.get_legend() for axes in panels] == [None, None]
    (legend,) = panels[0].figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["forecast", "sine"]
    assert not legend.get_frame_on()
    colours = {mpl.colors.to_hex(t.get_color()) for t in legend.get_texts()}
    assert colours == {INK}
    panels[0].figure.canvas.draw()
    top = legend.get_window_extent().y1
    assert top < min(axes.get_window_extent().y0 for axes in panels)


def test_a_shared_legend_is_that_of_the_first_panel():
    one, other = new_panels(["a", "b"], "time", "x")
    names = {name: [0, 1] for name in ("p", "q", "r", "s")}
    draw_lines(one, [0, 1], names)
    draw_lines(other, [0, 1], names, first=2)
    share_legend([other, one])
    (legend,) = other.figure.legends
    assert [line.get_color() for line in legend.get_lines()] == [
        line.get_color() for line in other.get_lines()
    ]
    assert legend._ncols == 3
    assert all(word.get_size() < 10 for word in legend.get_texts())
    (alone,) = new_panels(["a"], "time", "x")
    draw_lines(alone, [0, 1], names)
    share_legend([alone])
    assert len(alone.figure.legends) == 1


def test_lines_differ_in_colour_and_dash():
    lines = {f"line {i}": [i, i] for i in range(8)}
    axes = draw_lines(new_axes("a", "b"), [3, 5], lines)
    drawn = axes.get_lines()
    assert [line.get_color() for line in drawn[:7]] == list(COLOURS)
    assert drawn[7].get_color() == COLOURS[0]  # starts again
    assert [line.get_linestyle() for line in drawn[:4]] == list(DASHES)
    assert [line.get_linewidth() for line in drawn] == [1.8] * 8
    assert drawn[2].get_xydata().tolist() == [[3, 2], [5, 2]]
    assert drawn[0].get_color() == FAMILIES["network"]
    assert legend_names(axes) == list(lines)


def test_a_line_may_be_of_a_family():
    lines = {"MLP": [1], "other": [2], "mean": [3]}
    families = {"MLP": "people", "mean": "baseline"}
    axes = draw_lines(new_axes("a", "b"), [0], lines, families=families)
    assert [line.get_color() for line in axes.get_lines()] == [
        FAMILIES["people"],
        COLOURS[1],
        FAMILIES["baseline"],
    ]
    assert [line.get_linestyle() for line in axes.get_lines()] == [
        "-",
        "--",
        "-.",
    ]
    axes = draw_points(new_axes("a", "b"), [0], [1], "x", family="linear")
    assert axes.get_lines()[0].get_color() == FAMILIES["linear"]


def test_first_shifts_colours():
    axes = draw_lines(new_axes("a", "b"), [0], {"one": [1]}, first=2)
    assert axes.get_lines()[0].get_color() == COLOURS[2]
    assert axes.get_lines()[0].get_linestyle() == DASHES[2]


def test_data_lie_behind_and_are_grey():
    axes = new_axes("a", "b")
    assert draw_data(axes, [7, 9], [2, 3], "observed") is axes
    points = axes.get_lines()[0]
    assert points.get_color() == GREY
    assert points.get_marker() == "."
    assert points.get_linestyle() == "None"
    assert points.get_markersize() == 2.5
    assert points.get_zorder() == 1
    assert points.get_alpha() < 1
    assert points.get_rasterized()  # else a thousand points are heavy
    assert points.get_xydata().tolist() == [[7, 2], [9, 3]]
    assert legend_names(axes) == ["observed"]


def test_points_are_open_circles():
    axes = new_axes("a", "b")
    assert draw_points(axes, [7], [1], "measured") is axes
    draw_points(axes, [0], [2], "again", number=8)
    first, second = axes.get_lines()
    assert first.get_color() == COLOURS[0]
    assert second.get_color() == COLOURS[1]
    assert first.get_marker() == "o"
    assert first.get_markerfacecolor() == "none"
    assert first.get_linestyle() == "None"
    assert first.get_xydata().tolist() == [[7, 1]]
    assert legend_names(axes) == ["measured", "again"]


def test_marks_are_thin_and_named():
    axes = new_axes("a", "b")
    assert mark_line(axes, 0.7, "floor") is axes
    assert mark_start(axes, 604, "end of training") is axes
    level, start = axes.get_lines()
    assert list(level.get_ydata()) == [0.7, 0.7]
    assert list(start.get_xdata()) == [604, 604]
    assert level.get_color() == INK
    assert level.get_linestyle() == ":"
    assert start.get_color() == GREY
    assert level.get_linewidth() == start.get_linewidth() == 1
    assert legend_names(axes) == ["floor", "end of training"]
    for value in (0.5, 0.3):
        mark_line(axes, value, "more")
    levels = [line for line in axes.get_lines() if line is not start]
    assert [line.get_linestyle() for line in levels] == [":", "--", ":"]


def test_the_legend_lies_below_in_at_most_two_columns():
    lines = {"one": [1], "two": [1], "three": [1]}
    axes = draw_lines(new_axes("a", "b"), [0], lines)
    legend = axes.get_legend()
    assert legend._ncols == 2
    assert not legend.get_frame_on()
    assert legend.get_texts()[0].get_fontsize() == 9.5
    axes.figure.canvas.draw()
    top, bottom = legend.get_window_extent().y1, axes.get_window_extent().y0
    assert top < bottom
    assert bottom - top < 0.3 * axes.get_window_extent().height  # not far
    middle = legend.get_window_extent().x0 + legend.get_window_extent().x1
    box = axes.get_window_extent()
    assert abs(middle / (box.x0 + box.x1) - 1) < 0.02


@pytest.mark.parametrize("height", [1.5, 2.3, 5.0])
def test_the_legend_covers_no_label_at_any_height(height):
    axes = new_axes("time t (steps)", "x", height=height)
    draw_lines(axes, [0, 1], {"a": [0, 1], "b": [1, 0]})
    axes.figure.draw_without_rendering()
    label = axes.xaxis.label.get_window_extent()
    gap = label.y0 - axes.get_legend().get_window_extent().y1
    assert 0 <= gap / axes.figure.dpi < 0.2  # inches
