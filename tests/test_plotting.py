"""Plotting: labels are required, lines differ, nothing is computed."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("Agg")

from unrolled.course import plotting
from unrolled.course.plotting import (
    COLOURS,
    DASHES,
    FAMILIES,
    INK,
    draw_data,
    draw_ladder,
    draw_lines,
    draw_points,
    draw_unrolled,
    draw_windows,
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


def legend_names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""

    def linear(share):
        if share <= 0.04045:
            return share / 12.92
        return ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, mpl.colors.to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [*FAMILIES.values(), INK])
@pytest.mark.parametrize("ground", ["#ffffff", "#121212"])
def test_colours_are_seen_on_white_and_on_near_black(colour, ground):
    dark, light = sorted([luminance(colour), luminance(ground)])
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_families_differ():
    assert len(set(FAMILIES.values())) == len(FAMILIES) == 7
    assert set(COLOURS) == set(FAMILIES.values())


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


def test_the_reader_s_own_settings_are_left_alone():
    before = dict(mpl.rcParams)
    new_axes("a", "b")
    changed = {k for k, v in mpl.rcParams.items() if v != before[k]}
    # what files of SVG look like, and nothing that is seen on a screen
    assert changed <= {"svg.fonttype", "svg.hashsalt"}


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


def test_small_multiples_need_titles_and_labels():
    with pytest.raises(ValueError, match=r"^titles is empty; each panel"):
        new_panels([], "t", "x")
    with pytest.raises(ValueError, match=r"^ylabel is empty"):
        new_panels(["a"], "t", " ")


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
    with pytest.raises(
        ValueError, match=r"^family must be one of \['network', .*'other'$"
    ):
        draw_points(new_axes("a", "b"), [0], [1], "x", family="other")


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
    assert level.get_color() == INK
    assert level.get_linestyle() == ":"
    assert start.get_color() == plotting.GREY
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


def test_a_ladder_has_a_row_for_each_model():
    axes = draw_ladder(
        ["uniform", "best", "next"],
        [4.8, 1.9, 1.8],
        ["baseline", "network", "network"],
        band=(0.6, 1.3),
        band_name="Shannon 1951",
    )
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "uniform",
        "best",
        "next",
    ]
    baseline, network = axes.get_lines()
    assert baseline.get_xydata().tolist() == [[4.8, 0]]
    assert network.get_xydata().tolist() == [[1.9, 1], [1.8, 2]]
    assert baseline.get_color() == FAMILIES["baseline"]
    assert network.get_color() == FAMILIES["network"]
    assert [t.get_text() for t in axes.texts] == ["4.80", "1.90", "1.80"]
    assert [t.get_position()[1] for t in axes.texts] == [0, 1, 2]
    # the first on top, and every number inside the drawing
    assert axes.yaxis_inverted()
    axes.figure.canvas.draw()
    right = axes.get_window_extent().x1
    assert max(t.get_window_extent().x1 for t in axes.texts) <= right
    assert axes.get_xlim()[0] == 0
    assert legend_names(axes) == ["baseline", "network", "Shannon 1951"]
    (band,) = axes.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (0.6, 1.3)
    assert axes.get_xlabel() == "bits per character (fewer is better)"
    assert axes.get_ylabel() == "model"


def test_a_taller_ladder_for_more_models():
    heights = [
        draw_ladder(
            list("abcdefgh")[:n], [1.0] * n, ["network"] * n
        ).figure.get_figheight()
        for n in (2, 8)
    ]
    assert heights[1] - heights[0] == pytest.approx(6 * 0.26)
    assert heights[0] == pytest.approx(1.2 + 2 * 0.26)


def test_a_ladder_without_a_band():
    axes = draw_ladder(["a"], [1.0], ["counting"])
    assert legend_names(axes) == ["counting"]
    assert not axes.patches
    with pytest.raises(
        ValueError, match=r"^1 names but 2 numbers and 1 families$"
    ):
        draw_ladder(["a"], [1.0, 2.0], ["counting"])
    with pytest.raises(ValueError, match=r"but 1 numbers and 2 families$"):
        draw_ladder(["a"], [1.0], ["counting", "network"])


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


@pytest.mark.parametrize("places", [[-1, 0], [5, 6]])
def test_windows_outside_the_text(places):
    with pytest.raises(
        ValueError, match=rf"^places must be in 0..5, got {places[0]} to "
    ):
        draw_windows(new_axes("a", "b"), "abcdef", [[places]])


def test_an_unrolled_network_has_a_column_for_each_step():
    axes = draw_unrolled(list("mac"), list("ach"))
    boxed = [t for t in axes.texts if t.get_bbox_patch() is not None]
    found = {t.get_position(): t.get_text() for t in boxed}
    assert found == {
        (1, 0): "m",
        (1, 1): "$H_{1}$",
        (1, 2): "a",
        (2, 0): "a",
        (2, 1): "$H_{2}$",
        (2, 2): "c",
        (3, 0): "c",
        (3, 1): "$H_{3}$",
        (3, 2): "h",
    }
    arrows = [(t.xyann, t.xy) for t in axes.texts if hasattr(t, "arrow_patch")]
    assert len(arrows) == 9  # up twice and along once, for each step
    along = [(a, b) for a, b in arrows if a[1] == b[1]]
    assert all(a[0] < b[0] and a[1] == 1 for a, b in along)
    up = [(a, b) for a, b in arrows if a[0] == b[0]]
    assert all(a[1] < b[1] for a, b in up)
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "input",
        "state",
        "label",
    ]
    assert list(axes.get_xticks()) == [1, 2, 3]
    low, high = axes.get_xlim()
    assert 0 < low < 0.32
    assert 3 < high < 4


@pytest.mark.parametrize(("inputs", "labels"), [("ab", "a"), ("", "")])
def test_an_unrolled_network_needs_a_label_for_each_input(inputs, labels):
    with pytest.raises(
        ValueError, match=rf"^{len(inputs)} inputs but {len(labels)} labels$"
    ):
        draw_unrolled(list(inputs), list(labels))
