"""How a notebook shows figures: as vectors, with a small picture beside them.

``plotting`` asks for it whenever it makes a figure. Outside notebooks
nothing happens.
"""

import sys
from functools import partial

import matplotlib as mpl
from matplotlib.figure import Figure

# of pixels among the vectors; twice what a screen of usual density needs
SHARP = 240
SMALL = 100  # dots per inch of the picture beside them
CROPPED = {"bbox_inches": "tight"}


def show_in_notebooks() -> None:
    """Show figures as SVG, the same bytes at every run, and as PNG.

    Jupyter shows no SVG of a notebook that it was not told to trust; then
    the PNG stands in.
    """
    mpl.rcParams["svg.fonttype"] = "none"  # words stay words
    mpl.rcParams["svg.hashsalt"] = "unrolled"
    if "matplotlib_inline" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.core.pylabtools import print_figure
    from matplotlib_inline.config import InlineBackend

    shell = get_ipython()
    if shell is None:
        return
    backend = InlineBackend.instance(parent=shell)
    undated = {"Date": None, "Creator": None}
    backend.print_figure_kwargs = CROPPED | {"dpi": SHARP, "metadata": undated}
    # the backend knows one density for all formats: the PNG is added by hand
    backend.figure_formats = {"svg"}
    # cut to what is drawn, as print_figure does unless it is told not to
    picture = partial(print_figure, dpi=SMALL, base64=True)
    pictures = shell.display_formatter.formatters["image/png"]
    pictures.for_type(Figure, picture)
