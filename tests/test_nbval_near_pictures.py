"""Two pictures: what may differ, and that all else is seen and named."""

import base64
import io
import re
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nbval_near_pictures import drawing_difference, picture_difference

LIMITS = SimpleNamespace(pixel_mean=1.0, pixel_max=32.0, drawing_shift=0.003)


def told(kind, now, stored, rtol=0.0):
    """How two pictures differ, in words."""
    return picture_difference(kind, now, stored, LIMITS, rtol, str.__eq__)


def png(level, size=(8, 4), spot=0):
    """A grey picture, one pixel of it brighter, as in a notebook."""
    pixels = np.full((*size, 3), level, dtype=np.uint8)
    pixels[0, 0] += spot
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    ("now", "stored", "words"),
    [
        (png(9), png(9), ""),
        (png(9), png(10), ""),  # opacity is the same: 0.75 in the mean
        (png(9), png(11), "mean 1.5 .1., at most 2 "),
        (png(9, spot=32), png(9), ""),
        (png(9, spot=33), png(9), "mean 0.773 .1., at most 33 .32 is allowed"),
        (png(9), png(9, (4, 4)), r"stored: .4, 4. pixels, now: .4, 8."),
    ],
)
def test_pictures_by_their_pixels(now, stored, words):
    difference = told("image/png", now, stored)
    assert bool(difference) == bool(words)
    assert re.search(words, difference)


def svg(body, box="0 0 10 10"):
    space = 'xmlns="http://www.w3.org/2000/svg"'
    return f'<?xml version="1.0"?>\n<svg {space} viewBox="{box}">{body}</svg>'


def line(y=5, colour="#000"):
    """A horizontal line."""
    style = f"fill: none; stroke: {colour}"
    path = f'<path d="M 0 {y} L 10 {y}" style="{style}"/>'
    return svg(f'<g id="curve">{path}</g>')


MARK = '<defs><path id="{0}" d="M 0 0 L 1 {1}"/></defs><use href="#{2}"/>'


@pytest.mark.parametrize(
    ("now", "stored", "words"),
    [
        # points: 0.003 of 10 is 0.03
        ('<path d="M 0 0 L 5 5.02"/>', '<path d="M 0 0 L 5 5"/>', ""),
        ('<path d="M 0 0 L 5 5.04"/>', '<path d="M 0 0 L 5 5"/>', "by 0.04"),
        ('<path d="M0,0 5,5"/>', '<path d="M 0 0 5 5"/>', "off by inf"),
        ('<path d="M 0 0 C 5 5"/>', '<path d="M 0 0 L 5 5"/>', "off by inf"),
        # a tenth of what is itself small
        ('<path d="M 0 0 L .1 .1"/>', '<path d="M 0 0 L .1 .105"/>', ""),
        ('<path d="M 0 0 L .1 .1"/>', '<path d="M 0 0 L .1 .12"/>', "by 0.02"),
        # vertices on a straight line may come and go
        ('<path d="M 0 0 L 5 5"/>', '<path d="M 0 0 L 2 2.02 L 5 5"/>', ""),
        (
            '<path d="M 0 0 L 5 5"/>',
            '<path d="M 0 0 L 2 3 L 5 5"/>',
            "by 0.7",
        ),
        (
            '<path d="M 0 0 L 2 3 L 5 5"/>',
            '<path d="M 0 0 L 5 5"/>',
            "by 0.7",
        ),
        # a gap is no line
        (
            '<path d="M 0 0 L 3 0 M 6 0 L 9 0"/>',
            '<path d="M 0 0 L 3 0 L 6 0 L 7 0 L 9 0"/>',
            "off by 1.5",
        ),
        # a closed path has its last side
        (
            '<path d="M 0 0 L 4 0 L 4 4 z"/>',
            '<path d="M 0 0 L 4 0 L 4 4 L 2 2 z"/>',
            "",
        ),
        # other places, and transforms
        ('<use x="5.02" y="1"/>', '<use x="5" y="1"/>', ""),
        ('<use x="5.04" y="1"/>', '<use x="5" y="1"/>', "x is off by 0.04"),
        ('<circle cx="1" r="2.5"/>', '<circle cx="1" r="2"/>', "r is off"),
        (
            '<g transform="translate(1 2.02)"/>',
            '<g transform="translate(1 2)"/>',
            "",
        ),
        (
            '<g transform="translate(1 2)"/>',
            '<g transform="rotate(1 2)"/>',
            "inf",
        ),
        ('<g transform="scale(1.02)"/>', '<g transform="scale(1)"/>', "0.02"),
        # styles, as attributes or not; to the letter
        ('<path style="stroke: red"/>', '<path stroke="red"/>', ""),
        (
            '<path style="stroke: #ff0001"/>',
            '<path style="stroke: #ff0000"/>',
            "stroke is #ff0001, stored #ff0000",
        ),
        (
            '<path style="stroke-width: 1.9"/>',
            '<path style="stroke-width: 1.8"/>',
            "stroke-width is 1.9, stored 1.8",
        ),
        ('<path style="opacity: .5"/>', "<path/>", "opacity is .5, stored no"),
        # words
        ("<text>a  b</text>", "<text>a\nb</text>", ""),
        ("<text>12</text>", "<text>13</text>", "'12', stored '13'"),
        ("<text><b/>c</text>", "<text><b/>d</text>", "'c', stored 'd'"),
        # names mean their place
        (MARK.format("a", 1, "a"), MARK.format("b", 1, "b"), ""),
        (MARK.format("a", 1, "z"), MARK.format("b", 1, "b"), "href is #z"),
        ('<g clip-path="url(#a)"/>', '<g clip-path="url(#b)"/>', "clip-path"),
        (
            '<g clip-path="url(#a)"/><clipPath id="a"/>',
            '<g clip-path="url(#b)"/><clipPath id="b"/>',
            "",
        ),
        # what there is
        ("<g/>", "", "g, stored nothing"),
        ("", "<g/>", "nothing, stored g"),
        ("<g/>", "<path/>", "g, stored path"),
        ("<metadata><g/></metadata>", "<!-- or not -->", ""),
        ("<g>", "<g/>", "not readable as XML"),
    ],
)
def test_drawings_by_their_elements(now, stored, words):
    difference = told("image/svg+xml", svg(now), svg(stored))
    assert bool(difference) == bool(words), difference
    assert words in difference


def test_a_cell_s_own_tolerance_is_one_of_points_too():
    now, stored = line(y=5.4), line(y=5)
    assert told("image/svg+xml", now, stored)
    assert not told("image/svg+xml", now, stored, rtol=0.05)
    assert told("image/svg+xml", line(y=5.6), stored, rtol=0.05)


def test_the_size_of_a_drawing():
    now, stored = svg("", "0 0 99 50"), svg("", "0 0 100 50")
    assert "viewBox is off by 1" in told("image/svg+xml", now, stored)


def test_a_part_that_is_made_of_pixels():
    def holding(level):
        return svg(f'<image href="data:image/png;base64,{png(level)}"/>')

    assert not told("image/svg+xml", holding(9), holding(10))
    difference = told("image/svg+xml", holding(9), holding(90))
    assert "pixels off by mean" in difference


def test_only_a_few_differences_are_told():
    now, stored = svg("<a b='1'/>" * 9), svg("<a b='2'/>" * 9)
    assert told("image/svg+xml", now, stored) == (
        "a: b is 1, stored 2; " * 3 + "and 6 more"
    )


X = np.linspace(0, 10, 200)
WAVE = np.sin(X)


def plotted(y=WAVE, salt="a", colour="#0072b2", width=1.5, marker=3, size=5):
    """A plot of a curve and points, with all that comes with it."""
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        figure = Figure(figsize=(size, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(X, y, color=colour, linewidth=width, label="wave")
        axes.plot(X[::20], y[::20], "o", color="#767676", markersize=marker)
        axes.fill_between(X, y - 0.1, y + 0.1, color="#d55e00", alpha=0.2)
        axes.set(xlabel="x", ylabel="y", ylim=(-1.5, 1.5))
        axes.legend()
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


@pytest.fixture(scope="module")
def plot():
    return plotted()


NOISE = np.random.default_rng(0).normal(size=len(X))


@pytest.mark.parametrize(
    "change",
    [{"salt": "b"}, {"y": WAVE + 1e-9 * NOISE}, {"y": WAVE + 1e-4 * NOISE}],
)
def test_a_plot_of_the_same(plot, change):
    now = plotted(**change)
    assert now != plot
    assert not told("image/svg+xml", now, plot)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "#0072b3"}, "stroke is #0072b3, stored #0072b2"),
        ({"width": 1.6}, "stroke-width is 1.6, stored 1.5"),
        ({"y": WAVE + 0.03 * 3}, "path in line2d_"),  # 3 % of the axis
        ({"y": WAVE + 0.01 * 3}, "d is off by "),
        ({"y": np.where(X[100] == X, WAVE + 0.09, WAVE)}, "d is off by "),
        ({"marker": 4}, "d is off by "),
        ({"size": 5.1}, "viewBox is off by 7.2"),
    ],
)
def test_a_plot_that_changed(plot, change, words):
    assert words in told("image/svg+xml", plotted(**change), plot)


def test_no_picture_is_parsed_where_nothing_changed():
    assert not drawing_difference("<g", "<g", 0.0, str.__eq__, str.__add__)
