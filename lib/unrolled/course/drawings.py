"""Whole drawings: the ladder, windows of a text, a network over its steps.

Sections 8.3 to 8.6 show them. Like ``plotting``, which makes their axes, this
module computes no result.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from unrolled.course.colours import COLOURS, FAMILIES, GREY, INK, colour_of
from unrolled.course.plotting import new_axes


def draw_ladder(
    names: Sequence[str],
    bits: Sequence[float],
    families: Sequence[str],
    *,
    band: tuple[float, float] | None = None,
    band_name: str = "",
) -> Axes:
    """Draw one row for each model, bits per character from 0, best lowest.

    families: the family of each model, named in the legend. band: a range
    for people to shade, with its name. Raises ValueError unless there is one
    number and one family for each name.
    """
    if not len(names) == len(bits) == len(families):
        raise ValueError(
            f"{len(names)} names but {len(bits)} numbers and "
            f"{len(families)} families"
        )
    axes = new_axes(
        "bits per character (fewer is better)",
        "model",
        height=1.2 + 0.26 * len(names),
    )
    rows = range(len(names))
    axes.hlines(rows, 0, bits, color=GREY, linewidth=1, alpha=0.6)
    for family in dict.fromkeys(families):
        points = [
            (b, r)
            for b, r, f in zip(bits, rows, families, strict=True)
            if f == family
        ]
        axes.plot(
            *zip(*points, strict=True),
            "o",
            color=colour_of(family, 0),
            markersize=5,
            label=family,
        )
    for row, value in zip(rows, bits, strict=True):
        axes.text(
            value + 0.1,
            row,
            f"{value:.2f}",
            va="center",
            fontsize=9.5,
            color=INK,
        )
    axes.set_yticks(rows, names, fontsize=9.5)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(bits) * 1.14)
    if band is not None:
        colour = FAMILIES["people"]
        axes.axvspan(*band, color=colour, alpha=0.3, label=band_name)
    # the rows' labels are long: the legend goes inside, lower right
    axes.legend(loc="lower right", fontsize=9.5, labelcolor=INK, framealpha=0)
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
                color=INK,
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
                places[0] - 0.42,
                line - 0.4,
                f"{row}",
                fontsize=7,
                va="bottom",
                color=INK,
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
    arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1}
    box = {"boxstyle": "round,pad=0.35", "facecolor": "none"}
    edges = (INK, FAMILIES["network"], INK)
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
                color=INK,
                bbox={**box, "edgecolor": edges[row]},
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
