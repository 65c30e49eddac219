"""The comparison is live: a copied notebook, changed a little, must fail.

A chapter is cut after its first printed numbers, so that each run is short,
and handed to pytest in a folder of its own, with the project's conftest.
"""

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "book" / "8_1_sequence_models.ipynb"

gate = load("conftest.py")


def first_numbers():
    """The chapter up to and with the first output that is compared."""
    notebook = nbformat.read(CHAPTER, as_version=4)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.outputs and index > 3:
            notebook.cells = notebook.cells[: index + 1]
            return notebook
    raise AssertionError("the chapter prints nothing")


def outcome(notebook, folder):
    """pytest's exit code and words on a notebook in an empty folder."""
    shutil.copy(ROOT / "conftest.py", folder)
    nbformat.write(notebook, folder / "copy.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "-p",
        "no:cacheprovider",
    ]
    command += ["--nbval-current-env", "--color=no", "copy.ipynb"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def change_text(notebook, pattern, replacement):
    changed = copy.deepcopy(notebook)
    output = changed.cells[-1].outputs[0]
    output.text, count = re.subn(pattern, replacement, output.text, count=1)
    assert count == 1
    return changed


def scale_first_number(factor):
    def scaled(match):
        return f"{float(match.group()) * factor:.3f}"

    return scaled


@pytest.mark.slow
def test_the_copy_itself_passes(tmp_path):
    code, words = outcome(first_numbers(), tmp_path)
    assert code == 0, words
    assert "corpus mode: " in words


@pytest.mark.slow
def test_a_number_20_percent_off_fails(tmp_path):
    notebook = change_text(
        first_numbers(), r"\d\.\d+", scale_first_number(1.2)
    )
    code, words = outcome(notebook, tmp_path)
    assert code == 1, words
    assert "1 failed" in words


@pytest.mark.slow
def test_a_changed_word_fails(tmp_path):
    notebook = change_text(first_numbers(), "shuffled", "sorted")
    code, words = outcome(notebook, tmp_path)
    assert code == 1, words
    assert "1 failed" in words


@pytest.mark.slow
def test_a_claim_fed_a_false_value_fails(tmp_path):
    notebook = first_numbers()
    cell = notebook.cells[-1]
    assert "claim(" in cell.source
    cell.source = cell.source.replace("claim(", "in_order = 9.0\nclaim(", 1)
    code, words = outcome(notebook, tmp_path)
    assert code == 1, words
    assert "ClaimError" in words


@pytest.mark.slow
def test_a_cell_may_loosen_its_numbers_but_not_its_words(tmp_path):
    loose = change_text(first_numbers(), r"\d\.\d+", scale_first_number(1.04))
    loose.cells[-1].metadata["unrolled"] = {"rtol": 0.05, "reason": "test"}
    assert outcome(loose, tmp_path)[0] == 0
    loose.cells[-1].metadata["unrolled"] = {"rtol": 0.5, "reason": "test"}
    code, words = outcome(loose, tmp_path)
    assert code == 1
    assert "rtol must be in 0..0.05" in words


@pytest.mark.parametrize(
    ("text", "reference", "rtol", "same"),
    [
        ("x is 1.0000001", "x is 1.0", 1e-6, True),
        ("x is 1.00001", "x is 1.0", 1e-6, False),
        ("x is 1.2", "x is 1.0", 0.05, False),
        ("y is 1.0", "x is 1.0", 0.05, False),
        ("1.0 and 2.0", "1.0", 0.05, False),
        ("-1.0", "1.0", 0.05, False),
        ("0.0", "0.0", 0.0, True),
        ("0.0000001", "0.0", 0.05, False),
        ("2e-3 of 10", "0.002 of 10", 1e-9, True),
        ("W_4 is 1", "W_5 is 1", 0.05, False),
        ("x1", "x2", 0.05, False),
        ("nan", "1.0", 0.05, False),
        ("10 of 11", "10 of 10", 0.05, False),
        ("a  1.0", "a 1.0", 0.05, False),
    ],
)
def test_numbers_align_within_tolerance_only(text, reference, rtol, same):
    aligned = gate.align_numbers(text, reference, rtol)
    assert aligned == (reference if same else text)
    assert (aligned == reference) is same


def test_the_tolerance_of_a_cell():
    cell = nbformat.v4.new_code_cell("x")
    assert gate.cell_rtol(cell) == 1e-6
    cell.metadata["unrolled"] = {"rtol": 0.05}
    assert gate.cell_rtol(cell) == 0.05
    for rtol in (0.051, -0.1, float("nan")):
        cell.metadata["unrolled"] = {"rtol": rtol}
        with pytest.raises(ValueError, match="rtol must be in 0"):
            gate.cell_rtol(cell)


# cells that train a network; the reasons are in their metadata
LOOSE = {
    "8_4_recurrent_networks": [0.02],
    "8_5_rnn_from_scratch": [0.05, 0.05, 0.05],
}


def test_tolerances_above_the_default_are_few(notebook_path, notebook):
    """A list, so that a new one is seen."""
    loose = {
        cell.id: cell.metadata["unrolled"]["rtol"]
        for cell in notebook.cells
        if "rtol" in cell.metadata.get("unrolled", {})
    }
    assert sorted(loose.values()) == LOOSE.get(notebook_path.stem, [])
