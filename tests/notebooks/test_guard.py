"""Every notebook passes the guard, and the guard notices each fault."""

import copy
from pathlib import Path

import nbformat
import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]

guard = load("tests/notebooks/guard.py")


def test_no_faults(notebook):
    assert guard.faults(notebook) == []


def test_same_first_code_cell_everywhere():
    firsts = {}
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        cell = guard.code_cells(nbformat.read(path, as_version=4))[0]
        assert set(cell.metadata["tags"]) == {
            "hide-input",
            "nbval-ignore-output",
        }
        firsts[path.name] = cell.source
    assert len(firsts) >= 1
    assert len(set(firsts.values())) == 1


def test_opens_and_closes_as_a_chapter(notebook):
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    for phrase in (
        "**You need to know:**",
        "**You will be able to:**",
        "**Time:**",
    ):
        assert phrase in first
    assert "## Take away" in last


def small():
    """A notebook without faults: a finding, a drawing, its caption."""
    finding = nbformat.v4.new_code_cell(
        'claim(f"it is {x}.", x < 2)',
        metadata={"unrolled": {"role": "finding"}},
        execution_count=1,
        outputs=[
            nbformat.v4.new_output(
                "stream", name="stdout", text="Holds: it is 1.\n"
            )
        ],
    )
    drawing = nbformat.v4.new_code_cell(
        "_ = draw(x)",
        metadata={
            "unrolled": {"role": "drawing", "figure": "line"},
            "mystnb": {
                "image": {"alt": "A line that rises from left to right."}
            },
        },
        execution_count=2,
        outputs=[
            nbformat.v4.new_output(
                "display_data",
                data={"image/svg+xml": "<svg/>", "image/png": ""},
            )
        ],
    )
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title"),
            finding,
            drawing,
            nbformat.v4.new_markdown_cell("**Figure 1.** A line."),
        ]
    )
    guard.forms.apply(notebook)
    return notebook


def in_drawing(change):
    """The change, made to the cell that draws."""
    return lambda notebook: change(notebook.cells[2])


def in_cell(**changes):
    def change(notebook):
        notebook.cells[1].update(changes)

    return change


def output(kind, **fields):
    def change(notebook):
        notebook.cells[1].outputs.append(
            nbformat.v4.new_output(kind, **fields)
        )

    return change


def metadata(**fields):
    def change(notebook):
        notebook.cells[1].metadata.update(fields)

    return change


def check(source):
    """Turn the finding into a check with this source, without output."""

    def change(notebook):
        cell = notebook.cells[1]
        cell.update(source=source, outputs=[])
        cell.metadata["unrolled"] = {"role": "check", "title": "t"}
        guard.forms.apply(notebook)

    return change


def many_ignored(notebook):
    cell = notebook.cells[1]
    cell.metadata["tags"] = ["hide-input", "nbval-ignore-output"]
    for count in range(3, 6):
        twin = copy.deepcopy(cell)
        twin.execution_count = count
        notebook.cells.append(twin)


FAULTS = {
    "never run": (in_cell(execution_count=None, outputs=[]), "not executed"),
    "out of order": (in_cell(execution_count=2), "not executed"),
    "error": (
        output("error", ename="E", evalue="", traceback=[]),
        "ended in an error",
    ),
    "stderr": (output("stream", name="stderr", text="w"), "stderr"),
    "bare value": (
        output("execute_result", data={"text/plain": "1"}, execution_count=1),
        "bare value",
    ),
    "path": (
        output("stream", name="stdout", text="saved in /home/me/x"),
        "absolute path",
    ),
    "address": (
        output("stream", name="stdout", text="<object at 0x7f00>"),
        "memory address",
    ),
    "tag": (metadata(tags=["nbval-skip"]), "has the tag 'nbval-skip'"),
    "marker": (in_cell(source="# NBVAL_IGNORE_OUTPUT\nx = 1"), "marker"),
    "magic": (in_cell(source="%matplotlib inline"), "magic"),
    "tolerance": (metadata(nbval_near={"rtol": 0.06, "reason": "r"}), "0.06"),
    "reason": (metadata(nbval_near={"rtol": 0.01}), "needs a reason"),
    "long": (in_cell(source="x = 1\n" * 60), "more than 45 lines"),
    "alt": (
        in_drawing(lambda c: c.metadata["mystnb"].pop("image")),
        "without alt text",
    ),
    "pixels": (
        in_drawing(lambda c: c.outputs[0].update(data={"image/png": "AA"})),
        "not SVG",
    ),
    "open drawing": (
        in_drawing(lambda c: c.metadata.pop("unrolled")),
        "its role is not drawing",
    ),
    "no name": (
        in_drawing(lambda c: c.metadata["unrolled"].pop("figure")),
        "without a name",
    ),
    "no caption": (lambda n: n.cells.pop(3), "without a caption"),
    "wrong number": (
        lambda n: n.cells[3].update(source="**Figure 2.** A line."),
        "not in its form",
    ),
    "open finding": (
        lambda n: n.cells[1].metadata.pop("cellView"),
        "not in its form",
    ),
    "claim in the lesson": (metadata(unrolled={}), "claims and another role"),
    "finding without a claim": (
        in_cell(source="# @title How this is checked\nx = 1"),
        "the role and no claim",
    ),
    "mixed": (
        in_cell(
            source="# @title How this is checked\nassert x\n"
            'claim(f"it is {x}.", x < 2)'
        ),
        "mixes a finding with a check",
    ),
    "empty check": (check("x = 1"), "asserts nothing"),
    "aligned": (
        output("stream", name="stdout", text="k  error\n"),
        "aligns with spaces",
    ),
    "indented": (
        output("stream", name="stdout", text="a\n 1\n"),
        "aligns with spaces",
    ),
    "star": (in_cell(source="from math import *"), "star import"),
    "literal": (in_cell(source='claim("1 is 1", True)'), "constant"),
    "constant": (in_cell(source='claim("1 < 2", 1 < 2)'), "constant"),
    "no number": (in_cell(source='claim("it is so", x)'), "without a number"),
    "in a loop": (
        in_cell(source='for x in y:\n    claim("1", x)'),
        "inside a loop",
    ),
    "many ignored": (many_ignored, "4 cells are not compared"),
    "myst": (
        lambda n: n.cells[0].update(source="```{note}\nx\n```"),
        "MyST in a text cell",
    ),
}


def test_the_small_notebook_has_no_faults():
    assert guard.faults(small()) == []
    checked = small()
    check("assert x == 1")(checked)
    assert guard.faults(checked) == []


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_noticed(name):
    change, words = FAULTS[name]
    broken = small()
    change(broken)
    found = guard.faults(broken)
    assert any(words in fault for fault in found), found


def test_a_chapter_with_a_cell_never_run_fails(notebook):
    cell = guard.code_cells(notebook)[3]
    cell.execution_count, cell.outputs = None, []
    assert "not executed" in guard.faults(notebook)[0]
