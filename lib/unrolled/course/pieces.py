"""A text cut into pieces, in as many ways as there are rows.

Pages 8.2 and 8.2a draw with it. It cuts nothing itself.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from unrolled.course.colours import COLOURS, INK
from unrolled.course.plotting import new_figure

ROW = 0.42  # inches


def draw_pieces(rows: Mapping[str, Sequence[tuple[str, int]]]) -> Axes:
    """Draw rows of boxes, each box as wide as the text that it stands for.

    rows: what a row is -> its pieces from left to right, each with what is
    written on it and its width in characters. Widths of 0 are left out.

    Raises ValueError if there is no row, a row is empty, or a width is
    negative.
    """
    if not rows or not all(rows.values()):
        raise ValueError("rows must be at least one, each with a piece")
    widths = [width for row in rows.values() for _, width in row]
    if min(widths) < 0:
        raise ValueError(f"widths must be at least 0, got {min(widths)}")
    longest = max(sum(width for _, width in row) for row in rows.values())
    axes = new_figure(ROW * len(rows)).add_subplot(frameon=False)
    axes.set(xticks=[], xlim=(-0.2, longest + 0.2))
    axes.set_yticks(range(len(rows)), list(rows), color=INK, fontsize=10)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0)
    words = {"ha": "center", "va": "center", "fontsize": 9, "color": INK}
    for y, row in enumerate(rows.values()):
        x = 0.0
        for text, width in row:
            if width:
                box = plt.Rectangle(
                    (x + 0.08, y - 0.34),
                    width - 0.16,
                    0.68,
                    facecolor="none",
                    edgecolor=COLOURS[0],
                    linewidth=1.2,
                )
                axes.add_patch(box)
                axes.text(x + width / 2, y, text, family="monospace", **words)
            x += width
    return axes
