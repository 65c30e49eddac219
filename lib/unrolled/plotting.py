"""Every figure's style in one place: colours, sizes, labels.

All chapters draw with this module. Functions take an Axes and return it;
they know no model and compute no result. Colours are those of Okabe and Ito,
which colour-blind readers can tell apart; lines differ in their dashes too,
so that a figure can be printed in grey.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

COLOURS = (
    "#0072b2",  # blue
    "#d55e00",  # vermilion
    "#009e73",  # green
    "#cc79a7",  # purple
    "#e69f00",  # orange
    "#56b4e9",  # sky
    "#000000",  # black
)
DASHES = ("-", "--", "-.", ":")
GREY = "#8c8c8c"  # for data and other background

# read when an Axes is made; a figure's own settings are arguments below
_AXES_STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
}


def new_axes(
    xlabel: str,
    ylabel: str,
    *,
    title: str = "",
    width: float = 5.6,
    height: float = 3.8,
) -> Axes:
    """One empty Axes with its labels; units belong in the labels.

    width and height are in inches; at 5.6 the text can still be read on a
    telephone. Raises ValueError if a label is empty.
    """
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not label.strip():
            raise ValueError(f"{name} is empty; name the quantity, its unit")
    # outside the context: the first figure starts the notebook's backend,
    # whose settings the context would undo
    figure = plt.figure(
        figsize=(width, height),
        dpi=140,
        facecolor="white",
        layout="constrained",
    )
    with plt.rc_context(_AXES_STYLE):
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return axes


def draw_lines(
    axes: Axes,
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    first: int = 0,
) -> Axes:
    """Draw named lines over the same x, each (len(x),), with a legend.

    ``first`` is the number of the first colour and dash to use. Raises
    ValueError if a line's length is not that of x.
    """
    for number, (name, y) in enumerate(lines.items(), start=first):
        if len(y) != len(x):
            raise ValueError(
                f"line {name!r} has {len(y)} values but x has {len(x)}"
            )
        axes.plot(
            x,
            y,
            label=name,
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number % len(DASHES)],
            linewidth=1.8,
        )
    return add_legend(axes)


def draw_data(
    axes: Axes, x: Sequence[float], y: Sequence[float], name: str
) -> Axes:
    """Draw observations as small grey points behind everything else."""
    axes.plot(x, y, ".", color=GREY, markersize=2.5, label=name, zorder=1)
    return add_legend(axes)


def draw_points(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    *,
    number: int = 0,
) -> Axes:
    """Draw open circles in colour ``number``: a measurement at each x."""
    axes.plot(
        x,
        y,
        "o",
        color=COLOURS[number % len(COLOURS)],
        markerfacecolor="none",
        label=name,
    )
    return add_legend(axes)


def mark_line(axes: Axes, value: float, name: str) -> Axes:
    """Draw a thin horizontal line: a floor, a baseline, an expectation.

    A second one on the same axes is dashed, a third dotted again.
    """
    before = sum(line.get_gid() == "mark" for line in axes.lines)
    axes.axhline(
        value,
        color="black",
        linewidth=1,
        linestyle=(":", "--")[before % 2],
        label=name,
        gid="mark",
    )
    return add_legend(axes)


def mark_start(axes: Axes, x: float, name: str) -> Axes:
    """Draw a thin vertical line: where something starts."""
    axes.axvline(x, color=GREY, linewidth=1, label=name)
    return add_legend(axes)


def draw_ladder(
    names: Sequence[str],
    bits: Sequence[float],
    *,
    band: tuple[float, float] | None = None,
    band_name: str = "",
) -> Axes:
    """Draw one row for each model, bits per character from 0, best lowest.

    band: a range to shade, with its name. Raises ValueError unless there is
    one number for each name.
    """
    if len(names) != len(bits):
        raise ValueError(f"{len(names)} names but {len(bits)} numbers")
    axes = new_axes(
        "bits per character (fewer is better)",
        "model",
        height=1.2 + 0.26 * len(names),
    )
    rows = range(len(names))
    axes.hlines(rows, 0, bits, color=GREY, linewidth=1)
    axes.plot(bits, rows, "o", color=COLOURS[0], markersize=5)
    for row, value in zip(rows, bits, strict=True):
        axes.text(value + 0.1, row, f"{value:.2f}", va="center", fontsize=9.5)
    axes.set_yticks(rows, names, fontsize=9.5)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(bits) * 1.14)
    if band is not None:
        axes.axvspan(*band, color=COLOURS[4], alpha=0.3, label=band_name)
        # the rows' labels are long: the legend goes inside, lower right
        axes.legend(loc="lower right", fontsize=9.5)
    return axes


def draw_windows(
    axes: Axes, text: str, batches: Sequence[Sequence[Sequence[int]]]
) -> Axes:
    """Draw which window of a text goes into which minibatch and row.

    batches: for each minibatch, for each of its rows, the places in the text
    of the window's tokens. One line for each minibatch; each window is a box
    around its tokens, with its row number; places without a box are not used.
    Raises ValueError if a place is outside the text.
    """
    for line, windows in enumerate(batches):
        for place, token in enumerate(text):
            axes.text(
                place,
                line,
                token,
                family="monospace",
                ha="center",
                va="center",
                fontsize=9,
            )
        for row, places in enumerate(windows):
            if not 0 <= min(places) <= max(places) < len(text):
                raise ValueError(
                    f"places must be in 0..{len(text) - 1}, got "
                    f"{min(places)} to {max(places)}"
                )
            axes.add_patch(
                plt.Rectangle(
                    (places[0] - 0.5, line - 0.36),
                    len(places),
                    0.72,
                    facecolor=COLOURS[row % len(COLOURS)],
                    alpha=0.3,
                )
            )
            axes.text(
                places[0] - 0.42, line - 0.4, f"{row}", fontsize=7, va="bottom"
            )
    axes.set_xlim(-1, len(text))
    axes.set_ylim(len(batches) - 0.4, -0.7)
    axes.set_yticks(range(len(batches)))
    axes.grid(visible=False)
    return axes


def draw_unrolled(inputs: Sequence[str], labels: Sequence[str]) -> Axes:
    """Draw a recurrent network over its steps: inputs, states, labels.

    One column for each step, counted from 1; the state goes from each
    column to the next. Raises ValueError unless there is one label for each
    input, and at least one.
    """
    if not 0 < len(inputs) == len(labels):
        raise ValueError(f"{len(inputs)} inputs but {len(labels)} labels")
    axes = new_axes("step", "layer", height=2.6)
    arrow = {"arrowstyle": "->", "color": "black", "linewidth": 1}
    box = {"boxstyle": "round,pad=0.35", "edgecolor": "black"}
    rows = ("input", "state", "label")
    for step in range(1, len(inputs) + 1):
        column = (inputs[step - 1], f"$H_{{{step}}}$", labels[step - 1])
        for row, text in enumerate(column):
            axes.text(
                step,
                row,
                text,
                ha="center",
                va="center",
                bbox={**box, "facecolor": "#cfe3f1" if row == 1 else "white"},
            )
        for below in (0, 1):
            axes.annotate(
                "",
                (step, below + 0.72),
                (step, below + 0.28),
                arrowprops=arrow,
            )
        # the first state comes from one of zeros
        axes.annotate("", (step - 0.32, 1), (step - 0.68, 1), arrowprops=arrow)
    axes.set_yticks(range(3), rows)
    axes.set_xticks(range(1, len(inputs) + 1))
    axes.set_xlim(0.2, len(inputs) + 0.6)
    axes.set_ylim(-0.5, 2.5)
    axes.grid(visible=False)
    return axes


def add_legend(axes: Axes) -> Axes:
    """Rebuild the legend, below the drawing so that it hides no data."""
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=2,
        frameon=False,
        fontsize=9.5,
    )
    return axes
