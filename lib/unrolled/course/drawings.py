"""Whole drawings: a chain, the ladder, windows of a text, sample paths.

Sections 8.1, 8.3, 8.3a, 8.5a and 8.6 show them. Like ``plotting``, which makes
their axes, this module computes no result.
"""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from unrolled.course.colours import COLOURS, FAMILIES, GREY, INK, colour_of
from unrolled.course.ladder import KINDS, Rung
from unrolled.course.plotting import new_axes, new_figure


def draw_ladder(
    rungs: Sequence[Rung],
    *,
    band: tuple[float, float] | None = None,
    band_name: str = "",
    mark: float | None = None,
    mark_name: str = "",
) -> Axes:
    """Draw one row for each model, bits per character from 0, in this order.

    An open point learns while it reads. A sign before a number: no interval
    tells it apart from the one above. In brackets: over several seeds.
    band: a range for people to shade, with its name. mark: a result from
    outside, with its name. Raises ValueError if there are no rungs.
    """
    if not rungs:
        raise ValueError("rungs is empty; there is nothing to draw")
    axes = new_axes(
        "bits per character (fewer is better)",
        "model",
        height=1.4 + 0.15 * len(rungs),
    )
    rows, bits = range(len(rungs)), [rung.bits for rung in rungs]
    axes.hlines(rows, 0, bits, color=GREY, linewidth=1, alpha=0.6)
    for family, kind in dict.fromkeys((r.family, r.kind) for r in rungs):
        axes.plot(
            *zip(
                *(
                    (rung.bits, row)
                    for row, rung in enumerate(rungs)
                    if (rung.family, rung.kind) == (family, kind)
                ),
                strict=True,
            ),
            "o",
            color=colour_of(family, 0),
            markersize=5,
            fillstyle="none" if kind == KINDS[1] else "full",
        )
    above = None
    for row, rung in enumerate(rungs):
        level = above in rung.level_with
        above = rung.name
        seeds = rung.fewest is not None
        spread = f" ({rung.fewest:.3f} to {rung.most:.3f})" if seeds else ""
        axes.text(
            rung.bits + 0.1,
            row,
            f"{'≈ ' * level}{rung.bits:.3f}{spread}",
            va="center",
            fontsize=9,
            color=INK,
        )
    axes.set_yticks(rows, [rung.name for rung in rungs], fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(bits) * 1.16)
    for family in dict.fromkeys(rung.family for rung in rungs):
        colour = colour_of(family, 0)
        axes.plot([], [], "o", color=colour, markersize=5, label=family)
    if any(rung.kind == KINDS[1] for rung in rungs):
        axes.plot(
            [], [], "o", color=INK, fillstyle="none", label=f"open: {KINDS[1]}"
        )
    if mark is not None:
        axes.axvline(mark, color=INK, linewidth=1, ls=":", label=mark_name)
    if band is not None:
        colour = FAMILIES["people"]
        axes.axvspan(*band, color=colour, alpha=0.3, label=band_name)
    axes.figure.legend(
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
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


def draw_paths(axes: Axes, paths: Sequence[Sequence[float]]) -> Axes:
    """Draw many paths (T, n) as thin lines, all alike, over 0..T - 1."""
    axes.plot(paths, color=COLOURS[0], linewidth=0.7, alpha=0.5)
    return axes


def draw_chain(
    names: Sequence[str], transition: Sequence[Sequence[float]]
) -> Axes:
    """Draw a Markov chain: a circle for each state, arrows with chances.

    transition: (S, S), from (row) to (column); what is 0 gets no arrow.
    Raises ValueError unless there is a row of S numbers for each name.
    """
    size = len(names)
    if [len(row) for row in transition] != [size] * size:
        raise ValueError(
            f"{size} names, but transition is not {size} rows of {size}"
        )
    figure = new_figure(2.5)
    axes = figure.add_subplot(frameon=False, aspect="equal")
    axes.set(xticks=[], yticks=[], xlim=(-3.0, 3.0), ylim=(-1.0, 1.75))
    turns = [math.pi / 2 - 2 * math.pi * s / size for s in range(size)]
    places = [(1.7 * math.cos(a), 0.85 * math.sin(a)) for a in turns]
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1}
    words = {"ha": "center", "va": "center", "fontsize": 10, "color": INK}
    for i, (x, y) in enumerate(places):
        axes.add_patch(
            plt.Circle(
                (x, y), 0.3, facecolor="none", edgecolor=COLOURS[0], lw=1.6
            )
        )
        axes.text(x, y, names[i], **words)
        for j, (u, v) in enumerate(places):
            chance = f"{float(transition[i][j]):g}"
            if float(transition[i][j]) == 0:
                continue
            if i == j:  # a loop on the far side of the circle
                out = math.hypot(x, y)
                a, b = x / out, y / out
                left = (x + 0.29 * a - 0.16 * b, y + 0.29 * b + 0.16 * a)
                right = (x + 0.29 * a + 0.16 * b, y + 0.29 * b - 0.16 * a)
                loop = {**style, "connectionstyle": "arc3,rad=-1.9"}
                axes.annotate("", right, left, arrowprops=loop)
                axes.text(x + 0.74 * a, y + 0.74 * b, chance, **words)
                continue
            length = math.hypot(u - x, v - y)
            a, b = (u - x) / length, (v - y) / length
            bent = {**style, "connectionstyle": "arc3,rad=-0.16"}
            axes.annotate(
                "",
                (u - 0.33 * a - 0.06 * b, v - 0.33 * b + 0.06 * a),
                (x + 0.33 * a - 0.06 * b, y + 0.33 * b + 0.06 * a),
                arrowprops=bent,
            )
            # beside the arrow, on the side to which it bends
            off = 0.2 + 0.08 * length
            axes.text(
                (x + u) / 2 - off * b, (y + v) / 2 + off * a, chance, **words
            )
    return axes
