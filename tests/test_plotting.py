"""Plotting: labels are required, lines differ, nothing is computed."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("Agg")

from unrolled import plotting
from unrolled.plotting import (
    COLOURS,
    DASHES,
    draw_data,
    draw_lines,
    draw_points,
    mark_line,
    mark_start,
    new_axes,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def legend_names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_figures_are_white_whatever_the_reader_s_style():
    with mpl.rc_context({"figure.facecolor": "black"}):
        figure = new_axes("a", "b").figure
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_new_axes_has_labels_size_and_style():
    axes = new_axes("time (steps)", "x", title="a wave")
    assert axes.get_xlabel() == "time (steps)"
    assert axes.get_ylabel() == "x"
    assert axes.get_title() == "a wave"
    assert new_axes("a", "b").get_title() == ""
    figure = axes.figure
    assert tuple(figure.get_size_inches()) == (5.6, 3.8)
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert figure.dpi == 140
    assert figure.get_layout_engine().__class__.__name__ == (
        "ConstrainedLayoutEngine"
    )
    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert axes.xaxis.get_label().get_size() == 11
    assert axes.xaxis.get_gridlines()[0].get_visible()
    other = new_axes("a", "b", width=3.0, height=2.0)
    assert tuple(other.figure.get_size_inches()) == (3.0, 2.0)


def test_the_reader_s_own_settings_are_left_alone():
    before = dict(mpl.rcParams)
    new_axes("a", "b")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("x", "y", "name"), [(" ", "b", "x"), ("a", "", "y")])
def test_an_empty_label_is_refused(x, y, name):
    with pytest.raises(
        ValueError,
        match=f"^{name}label is empty; name the quantity, its unit$",
    ):
        new_axes(x, y)


def test_lines_differ_in_colour_and_dash():
    lines = {f"line {i}": [i, i] for i in range(8)}
    axes = draw_lines(new_axes("a", "b"), [3, 5], lines)
    drawn = axes.get_lines()
    assert [line.get_color() for line in drawn[:7]] == list(COLOURS)
    assert drawn[7].get_color() == COLOURS[0]  # starts again
    assert [line.get_linestyle() for line in drawn[:4]] == list(DASHES)
    assert [line.get_linewidth() for line in drawn] == [1.8] * 8
    assert drawn[2].get_xydata().tolist() == [[3, 2], [5, 2]]
    assert legend_names(axes) == list(lines)


def test_first_shifts_colours():
    axes = draw_lines(new_axes("a", "b"), [0], {"one": [1]}, first=2)
    assert axes.get_lines()[0].get_color() == COLOURS[2]
    assert axes.get_lines()[0].get_linestyle() == DASHES[2]


def test_unequal_lengths_are_refused():
    with pytest.raises(
        ValueError, match=r"^line 'short' has 1 values but x has 2$"
    ):
        draw_lines(new_axes("a", "b"), [0, 1], {"short": [1]})


def test_data_lie_behind_and_are_grey():
    axes = new_axes("a", "b")
    assert draw_data(axes, [7, 9], [2, 3], "observed") is axes
    points = axes.get_lines()[0]
    assert points.get_color() == plotting.GREY
    assert points.get_marker() == "."
    assert points.get_linestyle() == "None"
    assert points.get_markersize() == 2.5
    assert points.get_zorder() == 1
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
    assert level.get_color() == "black"
    assert level.get_linestyle() == ":"
    assert start.get_color() == plotting.GREY
    assert level.get_linewidth() == start.get_linewidth() == 1
    assert legend_names(axes) == ["floor", "end of training"]


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
