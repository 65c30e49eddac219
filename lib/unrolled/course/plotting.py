"""Every figure's style in one place: colours, sizes, labels.

All chapters draw with this module. Functions take an Axes and return it;
they know no model and compute no result. Colours follow Okabe and Ito, whose
palette colour-blind readers can tell apart, with a contrast of at least 3 to
1 on white and on near black; lines differ in their dashes too, so that a
figure can be printed in grey. Figures are vector graphics on no ground of
their own, to be read in a light and in a dark theme.
"""

import sys
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

# one colour for each family of models, in every figure and on every page of
# the site, whose style sheet is made from this table
FAMILIES = {
    "network": "#0072b2",  # blue
    "counting": "#d55e00",  # vermilion
    "compressor": "#009e73",  # green
    "mixture": "#c2649a",  # purple
    "people": "#a87900",  # ochre
    "linear": "#a0522d",  # sienna; least squares
    "baseline": "#808080",  # grey
}
COLOURS = tuple(FAMILIES.values())  # for lines that are of no family
WIDTH = 5.6  # inches: the text can still be read on a telephone
DASHES = ("-", "--", "-.", ":")
GREY = FAMILIES["baseline"]  # for data and other background
INK = "#767676"  # words and axes; the site puts its theme's colour there

# read when an Axes is made; a figure's own settings are arguments below
_AXES_STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
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
    figure = _new_figure(height)
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
    figure = _new_figure(0.6 + height * rows)
    with plt.rc_context(_AXES_STYLE):
        grid = figure.subplots(
            rows, 2, sharex=True, sharey=True, squeeze=False
        )
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


def _new_figure(height: float):
    # outside any context: the first figure starts the notebook's backend,
    # whose settings the context would undo
    figure = plt.figure(
        figsize=(WIDTH, height),
        dpi=140,
        facecolor="none",
        layout="constrained",
    )
    _show_as_vectors()
    return figure


def _show_as_vectors() -> None:
    """In a notebook, show figures as SVG, the same bytes at every run."""
    mpl.rcParams["svg.fonttype"] = "none"  # words stay words
    mpl.rcParams["svg.hashsalt"] = "unrolled"
    if "matplotlib_inline" not in sys.modules:
        return
    from IPython import get_ipython
    from matplotlib_inline.config import InlineBackend

    shell = get_ipython()
    if shell is not None:
        backend = InlineBackend.instance(parent=shell)
        backend.print_figure_kwargs = {
            "bbox_inches": "tight",
            "dpi": 240,  # of what is drawn as pixels, for sharp screens
            "metadata": {"Date": None, "Creator": None},
        }
        backend.figure_formats = {"svg"}


def _colour(family: str | None, number: int) -> str:
    """The family's colour, or the colour of this number."""
    if family is None:
        return COLOURS[number % len(COLOURS)]
    if family not in FAMILIES:
        raise ValueError(
            f"family must be one of {list(FAMILIES)}, got {family!r}"
        )
    return FAMILIES[family]


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
            color=_colour(families.get(name), number),
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
        color=_colour(family, number),
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
            color=_colour(family, 0),
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


def _add_legend(axes: Axes) -> Axes:
    """Rebuild the legend, below the drawing so that it hides no data."""
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=2,
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
    )
    return axes
