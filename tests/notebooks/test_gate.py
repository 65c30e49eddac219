"""The gate as this project sets it up: its conftest and its settings.

How numbers are compared is tested in tests/test_nbval_near.py.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import nbval_near
from unrolled.course.colours import FAMILIES, INK

SVG = "image/svg+xml"
ROOT = Path(__file__).resolve().parents[2]
# cells that train a network; the reasons are in their metadata
LOOSE = {}
CLAIM = (
    "from unrolled.claims import claim\nn = {}\nclaim(f'n is {{n}}.', n < 2)"
)
FALSE = {"x": [("n is", {"n": 2}), ("n is", {"n": 4}), ("n is", {"n": 1})]}
THREADS = "import os\nprint(os.environ['OMP_NUM_THREADS'])"
# a cell, what it printed when it was stored, its tags; whether it passes
CELLS = [
    (CLAIM.format(1), "Holds: n is 1.\n", [], True),
    (CLAIM.format(3), "Holds: n is 3.\n", [], False),  # a claim that is false
    ("print('about the text', n)", "about the text 9\n", ["corpus"], None),
    (CLAIM.format(1), "Holds: n is 1.\n", [], False),  # cannot be false
    (THREADS, "1\n", [], True),
]


@pytest.mark.parametrize("mode", ["book", "builtin"])
def test_what_fails_on_which_text(tmp_path, mode):
    """Cells tagged corpus are compared on the book, and only there."""
    for name in ("conftest.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "lib", tmp_path / "lib")
    (tmp_path / "book").mkdir()
    (tmp_path / "tests" / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "claims_can_fail.py", tmp_path / "tests")
    table = tmp_path / "tests" / "notebooks" / "test_false_claims.py"
    table.write_text(f"FALSE = {FALSE}", "utf-8")
    cells = [
        nbformat.v4.new_code_cell(
            source,
            metadata={"tags": tags},
            execution_count=1,
            outputs=[
                nbformat.v4.new_output("stream", name="stdout", text=text)
            ],
        )
        for source, text, tags, _ in CELLS
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "book" / "x.ipynb")
    environment = os.environ | {"_UNROLLED_CORPUS_MODE": mode}
    for name in ("OMP_NUM_THREADS", "NBVAL_NEAR_RUN_ONLY"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "--nbval", "-rA", "--color=no"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "book"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for number, (*_, passes) in enumerate(CELLS):
        if passes is None:
            passes = mode == "builtin"
        word = "PASSED" if passes else "FAILED"
        assert f"{word} book/x.ipynb::Cell {number}" in done.stdout, (
            done.stdout
        )
    assert "ClaimError" in done.stdout
    assert "Claim 3 of x: 'n is 1.'. It still holds with" in done.stdout
    # what the run was about stands at its top and at its end
    assert done.stdout.count("corpus mode: ") == 2
    command = "make execute NOTEBOOKS=book/x.ipynb"
    assert (command in done.stdout) is (mode == "book")


def test_tolerances_above_the_default_are_few(notebook_path, notebook):
    """A list, so that a new one is seen."""
    loose = [
        cell.metadata["nbval_near"]["rtol"]
        for cell in notebook.cells
        if "nbval_near" in cell.metadata
    ]
    assert sorted(loose) == LOOSE.get(notebook_path.stem, [])


def test_the_page_on_the_gate_is_right():
    """It names each setting, its default, and shows a failure as it is."""
    page = (ROOT / "book" / "gate.md").read_text("utf-8")
    rows = [
        line.split(" | ") for line in page.splitlines() if line[:2] == "| "
    ]
    told = {}
    for names, defaults, *_ in rows[1:]:
        values = defaults.split(", ")
        told |= dict(zip(re.findall(r"`(\w+)`", names), values, strict=True))
    words = {"[]": "nothing", nbval_near.STORE: "nbconvert's"}
    assert told == {
        name: f"{value:g}".replace("e-0", "e-")
        if isinstance(value, float)
        else words.get(str(value), value)
        for name, (value, _) in nbval_near.SETTINGS.items()
    }
    shown = page.split("```text\n")[2].split("```")[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(shown.split("Input:\n")[1].split("\n\n")[0])
    now = printed.getvalue()
    stored = "29,882 words\nmean error 0.52 after 3.0 epochs\n"
    aligned = nbval_near.align(now, stored, 1e-6, 1e-12)
    lines = nbval_near.different_lines(aligned, stored)
    assert "stdout:\n" + "\n".join(lines) + "\n(rtol 1e-06, " in shown


def figures(notebook):
    """The drawings that a notebook stores."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if SVG in output.get("data", {}):
                yield output.data[SVG]


def told(now, stored):
    """How two drawings differ, with this project's tolerances."""
    settings = {
        name: default for name, (default, _) in nbval_near.SETTINGS.items()
    }
    return nbval_near.picture_difference(
        SVG, now, stored, SimpleNamespace(**settings), 1e-6, str.__eq__
    )


def up(point):
    """A point of a curve, higher by 3 % of axes of 200 points."""
    return f"{point[1]} {float(point[2]) - 0.03 * 200:.6f}"


def test_a_stale_figure_is_seen(notebook_path, notebook):
    """Each colour, each width of a line and each curve in it."""
    stored = list(figures(notebook))
    assert stored
    for drawing in stored:
        colours = {*FAMILIES.values(), INK} & {*re.findall("#\\w{6}", drawing)}
        assert colours
        for colour in colours:
            assert told(drawing.replace(colour, "#123456"), drawing)
        widths = {*re.findall(r"stroke-width: ([\d.]+)", drawing)}
        for width in widths:
            thicker = f"stroke-width: {float(width) + 0.1:g}"
            now = re.sub(rf"stroke-width: {width}(?![\d.])", thicker, drawing)
            assert told(now, drawing)
        # paths of many points that no group of an axis holds
        for curve in re.findall(r'd="(M [^"]{500,})"', drawing):
            now = re.sub(r"(-?[\d.]+) (-?[\d.]+)", up, curve)
            assert told(drawing.replace(curve, now), drawing)


def test_figures_are_compared_on_the_pinned_versions():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert "nbval_near_skip" not in options
    assert "nbval_near_drawing_shift" not in options
    (entry,) = options["nbval_near_picture_pins"]
    file, *names = entry.split()
    assert file == "constraints.txt"
    assert {"matplotlib", "numpy"} <= {*names}
    told = nbval_near.differing_pins([entry], ROOT)
    assert not [words for words in told if "is not in" in words]


def test_the_page_on_the_gate_shows_a_figure_that_failed():
    page = (ROOT / "book" / "gate.md").read_text("utf-8")
    shown = re.search(r"now:    (path in .*)", page)[1]
    path = ROOT / "book" / "8_2_text_preprocessing.ipynb"
    *_, drawing = figures(nbformat.read(path, as_version=4))
    now, stored = re.search(r"stroke is (\S+), stored (\S+?);", shown).groups()
    assert told(drawing.replace(stored, now), drawing) == shown
