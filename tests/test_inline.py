"""Figures in a notebook: vectors, and pixels beside them."""

import base64
import io

import matplotlib as mpl
import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib_inline.config import InlineBackend
from nbclient import NotebookClient
from PIL import Image
from traitlets.config import Configurable

from unrolled.course.inline import SMALL, show_in_notebooks
from unrolled.course.plotting import new_axes

SOURCE = """
from unrolled.course.plotting import new_axes
_ = new_axes("a word", "x", height=2.0)
"""


@pytest.fixture(scope="module")
def shown():
    """What a notebook shows that draws the same figure twice."""
    cells = [nbformat.v4.new_code_cell(SOURCE) for _ in range(2)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    return [output["data"] for c in notebook.cells for output in c.outputs]


def test_a_figure_is_shown_as_vectors_and_as_pixels(shown):
    assert len(shown) == 2
    for data in shown:
        assert {"image/svg+xml", "image/png"} <= set(data)
        assert ">a word<" in data["image/svg+xml"]  # words stay words
    assert shown[0] == shown[1]  # the same bytes at every run


def test_the_picture_is_small(shown):
    data = base64.b64decode(shown[0]["image/png"])
    width, height = Image.open(io.BytesIO(data)).size
    assert 400 < width <= 580  # 5.6 inches, cropped
    assert 150 < height <= 220
    assert len(data) < 20_000


def test_the_svg_has_no_date(shown):
    assert "<dc:date>" not in shown[0]["image/svg+xml"]


def test_outside_a_notebook_only_the_files_of_svg_change():
    with mpl.rc_context():
        before = dict(mpl.rcParams)
        show_in_notebooks()
        new_axes("a", "b")
        changed = {k for k, v in mpl.rcParams.items() if v != before[k]}
        # what files of SVG look like, and nothing that is seen on a screen
        assert changed <= {"svg.fonttype", "svg.hashsalt"}
        assert mpl.rcParams["svg.fonttype"] == "none"
        # names in a file come from it: another one is another file
        assert mpl.rcParams["svg.hashsalt"] == "unrolled"


class Shell(Configurable):
    """What a notebook's shell has that is used here."""

    def __init__(self):
        self.display_formatter = DisplayFormatter()


@pytest.mark.filterwarnings("ignore:.*use @observe:DeprecationWarning")
@pytest.mark.parametrize("kind", [Shell, lambda: None])
def test_how_the_backend_is_set(kind, monkeypatch):
    shell = kind()
    InlineBackend.clear_instance()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    try:
        show_in_notebooks()
        assert InlineBackend.initialized() is (shell is not None)
        if shell is not None:
            backend = InlineBackend.instance()
            assert backend.parent is shell
            assert backend.figure_formats == {"svg"}
            options = backend.print_figure_kwargs
            assert options["bbox_inches"] == "tight"
            assert options["dpi"] >= 200
            assert options["metadata"] == {"Date": None, "Creator": None}
            pictures = shell.display_formatter.formatters["image/png"]
            figure = new_axes("a", "b").figure
            data = base64.b64decode(pictures(figure))
            assert data.startswith(b"\x89PNG")
            width, _ = Image.open(io.BytesIO(data)).size
            whole = figure.get_size_inches()[0] * SMALL
            # as dense as asked for; cut to what is drawn, not to the figure
            assert 0.9 * whole < width < 1.1 * whole
            assert abs(width - whole) > 1
    finally:
        InlineBackend.clear_instance()
