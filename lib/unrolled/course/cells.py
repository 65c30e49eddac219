"""Drawings of a recurrent network: one step, and the steps unrolled.

Section 8.4 shows them. They compute nothing.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes

from unrolled.course.colours import FAMILIES, INK
from unrolled.course.plotting import new_figure

STATE = FAMILIES["network"]
SMALL = 8  # points: names of weights, and shapes


def draw_cell() -> Axes:
    """Draw one step: input and last state side by side, one product, tanh.

    Shapes stand under the boxes; the new state goes out to the output layer
    and back to the next step.
    """
    axes = _plain(1.9, (-1.0, 6.7), (-1.75, 1.15))
    _box(axes, 0, 0.75, "$X_t$", shape="(n, d)")
    _box(axes, 0, -0.75, "$H_{t-1}$", STATE, "(n, h)")
    _box(axes, 1.6, 0, "$[X_t, H_{t-1}]$", shape="(n, d + h)")
    _box(axes, 4, 0, "$H_t$", STATE, "(n, h)")
    _box(axes, 6.2, 0, "$O_t$", shape="(n, q)")
    _arrow(axes, (0.35, 0.6), (1.0, 0.15))
    _arrow(axes, (0.45, -0.6), (1.0, -0.15))
    _arrow(
        axes, (2.3, 0), (3.65, 0), "tanh", r"$W_{xh}$ on $W_{hh}$, $+\,b_h$"
    )
    _arrow(axes, (4.35, 0), (5.85, 0), "", r"$W_{hq}$, $+\,b_q$")
    # the loop: what comes out goes in at the next step
    axes.plot(
        [4, 4, -0.9, -0.9], [-0.75, -1.6, -1.6, -0.75], color=STATE, lw=1
    )
    _arrow(axes, (-0.9, -0.75), (-0.42, -0.75), colour=STATE)
    axes.text(
        2, -1.52, "kept for step t + 1", ha="center", color=STATE, size=SMALL
    )
    return axes


def draw_unrolled(inputs: Sequence[str], labels: Sequence[str]) -> Axes:
    """Draw a network over its steps: inputs, states, outputs, loss, labels.

    One column for each step; the state goes from each column to the next,
    through the same weights. Raises ValueError unless there is one label for
    each input, and at least one.
    """
    if not 0 < len(inputs) == len(labels):
        raise ValueError(f"{len(inputs)} inputs but {len(labels)} labels")
    steps = len(inputs)
    axes = _plain(3.0, (-0.9, steps + 0.5), (-0.5, 4.5))
    rows = ("input", "state", "output", "loss", "label")
    for row, name in enumerate(rows):
        axes.text(-0.85, row, name, va="center", color=INK, size=SMALL + 1)
    for step, (read, label) in enumerate(zip(inputs, labels, strict=True), 1):
        _box(axes, step, 0, read)
        _box(axes, step, 1, f"$H_{{{step}}}$", STATE)
        _box(axes, step, 2, f"$O_{{{step}}}$")
        _box(axes, step, 3, f"$\\ell_{{{step}}}$")
        _box(axes, step, 4, label)
        for low, high, name in (
            (0.3, 0.7, "$W_{xh}$"),
            (1.3, 1.7, "$W_{hq}$"),
            (2.3, 2.7, "softmax"),
            (3.7, 3.3, ""),
        ):
            _arrow(axes, (step, low), (step, high))
            if name and step == steps:
                axes.text(
                    step + 0.06,
                    (low + high) / 2,
                    name,
                    va="center",
                    color=INK,
                    size=SMALL - 1,
                )
        # the first state comes from one of zeros
        _arrow(axes, (step - 0.7, 1), (step - 0.3, 1), "$W_{hh}$")
    return axes


def _plain(height: float, x: tuple[float, float], y: tuple[float, float]):
    """An Axes without a frame, ticks or grid."""
    axes = new_figure(height).add_subplot(frameon=False)
    axes.set(xticks=[], yticks=[], xlim=x, ylim=y)
    return axes


def _box(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    colour: str = INK,
    shape: str = "",
) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        color=INK,
        size=10,
        bbox={
            "boxstyle": "round,pad=0.3",
            "facecolor": "none",
            "edgecolor": colour,
        },
    )
    if shape:
        axes.text(
            x, y - 0.42, shape, ha="center", va="top", color=INK, size=SMALL
        )


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    above: str = "",
    below: str = "",
    colour: str = INK,
) -> None:
    """From start to end, with words above and below its middle."""
    arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1}
    axes.annotate("", end, start, arrowprops=arrow)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    words = {"ha": "center", "color": INK, "size": SMALL - 1}
    if above:
        axes.text(x, y + 0.08, above, va="bottom", **words)
    if below:
        axes.text(x, y - 0.1, below, va="top", **words)
