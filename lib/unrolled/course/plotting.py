"""The style of every figure in one place: sizes, labels, lines and marks.

Functions take an Axes and return it; they know no model. Lines differ in
their dashes too, so that a figure can be printed in grey. Figures are vector
graphics on no ground of their own, for a light and for a dark theme.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from unrolled.course.colours import DASHES, GREY, INK, colour_of
from unrolled.course.inline import show_in_notebooks

WIDTH = 5.6  # inches: the text can still be read on a telephone
# read when an Axes is made; a figure's own settings are arguments below
_AXES_STYLE = {
    **dict.fromkeys(("font.size", "axes.titlesize", "axes.labelsize"), 11),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
}


def new_axes(xlabel: str, ylabel: str, *, height: float = 3.8) -> Axes:
    """One empty Axes with its labels; units belong in the labels.

    height: in inches. Raises ValueError if a label is empty.
    """
    _check_labels(xlabel, ylabel)
    figure = new_figure(height)
    with plt.rc_context(_AXES_STYLE):
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel)
    return axes


def new_panels(
    titles: Sequence[str],
    xlabel: str,
    ylabel: str,
    *,
    height: float = 1.9,
) -> list[Axes]:
    """Small multiples: one Axes for each title, two in a row, same scales.

    height: of one row, in inches. Raises ValueError if a label is empty or
    there is no title.
    """
    _check_labels(xlabel, ylabel)
    if not titles:
        raise ValueError("titles is empty; each panel needs its own")
    rows = (len(titles) + 1) // 2
    figure = new_figure(0.6 + height * rows)
    with plt.rc_context(_AXES_STYLE):
        grid = figure.subplots(rows, 2, sharex=True, sharey=True)
        panels = list(grid.flat)
        for unused in panels[len(titles) :]:
            unused.remove()
        panels = panels[: len(titles)]
        for axes, title in zip(panels, titles, strict=True):
            axes.set_title(title)
        for axes in panels[::2]:
            axes.set_ylabel(ylabel)
        for axes in panels[-2:]:
            axes.set_xlabel(xlabel)
            axes.tick_params(labelbottom=True)
    return panels


def share_legend(panels: Sequence[Axes]) -> None:
    """One legend below all panels, in place of one in each."""
    handles, names = panels[0].get_legend_handles_labels()
    for axes in panels:
        axes.get_legend().remove()
    panels[0].figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
    )


def _check_labels(xlabel: str, ylabel: str) -> None:
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not label.strip():
            raise ValueError(f"{name} is empty; name the quantity, its unit")


def new_figure(height: float):
    """An empty figure of the usual width; height in inches."""
    # outside any context: the first figure starts the notebook's backend,
    # whose settings the context would undo
    figure = plt.figure(
        figsize=(WIDTH, height),
        dpi=140,
        facecolor="none",
        layout="constrained",
    )
    show_in_notebooks()
    return figure


def draw_lines(
    axes: Axes,
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    first: int = 0,
    families: Mapping[str, str] | None = None,
) -> Axes:
    """Draw named lines over the same x, each (len(x),), with a legend.

    ``first`` is the number of the first colour and dash to use; families
    names the family of a line, whose colour it then gets. Raises ValueError
    if a line's length is not that of x, or for an unknown family.
    """
    families = families or {}
    for number, (name, y) in enumerate(lines.items(), start=first):
        if len(y) != len(x):
            raise ValueError(
                f"line {name!r} has {len(y)} values but x has {len(x)}"
            )
        axes.plot(
            x,
            y,
            label=name,
            color=colour_of(families.get(name), number),
            linestyle=DASHES[number % len(DASHES)],
            linewidth=1.8,
        )
    return _add_legend(axes)


def draw_data(
    axes: Axes, x: Sequence[float], y: Sequence[float], name: str
) -> Axes:
    """Draw observations as small grey points behind everything else."""
    axes.plot(
        x,
        y,
        ".",
        color=GREY,
        alpha=0.6,
        markersize=2.5,
        label=name,
        zorder=1,
        rasterized=True,  # a thousand points weigh more as shapes
    )
    return _add_legend(axes)


def draw_points(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    *,
    number: int = 0,
    family: str | None = None,
) -> Axes:
    """Draw open circles: a measurement at each x.

    In the family's colour if one is named, else in colour ``number``.
    """
    axes.plot(
        x,
        y,
        "o",
        color=colour_of(family, number),
        markerfacecolor="none",
        label=name,
    )
    return _add_legend(axes)


def mark_line(axes: Axes, value: float, name: str) -> Axes:
    """Draw a thin horizontal line: a floor, a baseline, an expectation.

    A second one on the same axes is dashed, a third dotted again.
    """
    before = sum(line.get_gid() == "mark" for line in axes.lines)
    axes.axhline(
        value,
        color=INK,
        linewidth=1,
        linestyle=(":", "--")[before % 2],
        label=name,
        gid="mark",
    )
    return _add_legend(axes)


def mark_start(axes: Axes, x: float, name: str) -> Axes:
    """Draw a thin vertical line: where something starts."""
    axes.axvline(x, color=GREY, linewidth=1, label=name)
    return _add_legend(axes)


def _add_legend(axes: Axes) -> Axes:
    """Rebuild the legend, below the labels so that it hides no data."""
    inches = axes.figure.dpi_scale_trans
    below = ScaledTranslation(0, -0.46, inches)  # however high the drawing is
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + below,
        ncols=2,
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
    )
    return axes
