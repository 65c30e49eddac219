"""What plain ``pytest --nbval book/`` needs to compare as the project does.

nbval compares outputs to the letter. Here a number inside a text may differ
by the cell's relative tolerance; everything else must still match exactly.
A cell's metadata may set it, with the reason for more than 1e-3:

    {"unrolled": {"rtol": 0.01, "reason": "..."}}

Cells tagged ``corpus`` print what depends on The Time Machine. On the built-in
text they are executed but not compared.
"""

import copy
import os
import re

import pytest
from nbval import plugin as nbval

from unrolled.corpus import CorpusError, load_corpus

MODE = "_UNROLLED_CORPUS_MODE"  # set here, read by the workers
DEFAULT_RTOL = 1e-6
LARGEST_RTOL = 0.05

# a digit that continues a word (W_4, x1) or a number belongs to the text
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def cell_rtol(cell) -> float:
    """The relative tolerance of a cell; too large a one is an error."""
    rtol = cell.metadata.get("unrolled", {}).get("rtol", DEFAULT_RTOL)
    if not 0 <= rtol <= LARGEST_RTOL:
        raise ValueError(f"rtol must be in 0..{LARGEST_RTOL}, got {rtol}")
    return rtol


def align_numbers(text: str, reference: str, rtol: float) -> str:
    """The text, with each number that is close spelled as in the reference.

    The text comes back as it is when words differ or a number is too far
    off; the comparison to the letter then fails and shows both.
    """
    ours, theirs = NUMBER.findall(text), NUMBER.findall(reference)
    same_words = NUMBER.sub("#", text) == NUMBER.sub("#", reference)
    close = len(ours) == len(theirs) and all(
        abs(float(a) - float(b)) <= rtol * abs(float(b))
        for a, b in zip(ours, theirs, strict=True)
    )
    return reference if same_words and close else text


def _align(output: dict, reference: dict, rtol: float) -> None:
    """Align every text of one output in place, stream and data alike."""
    for key, value in output.items():
        other = reference.get(key)
        if isinstance(value, str) and isinstance(other, str):
            output[key] = align_numbers(value, other, rtol)
        elif key == "data" and isinstance(other, dict):
            _align(value, other, rtol)


_compare_exactly = nbval.IPyNbCell.compare_outputs


def compare_outputs(self, test, ref, skip_compare=None) -> bool:
    """nbval's comparison, after numbers within tolerance were aligned."""
    tags = self.cell.metadata.get("tags", [])
    if "corpus" in tags and not real_text_is_used():
        return True
    rtol = cell_rtol(self.cell)
    # drawings hold coordinates whose last digits differ between machines
    skip_compare = (
        *(skip_compare or self.parent.skip_compare),
        "image/svg+xml",
    )
    if len(test) == len(ref):
        test = copy.deepcopy(test)
        for output, reference in zip(test, ref, strict=True):
            _align(output, reference, rtol)
    return _compare_exactly(self, test, ref, skip_compare)


nbval.IPyNbCell.compare_outputs = compare_outputs


def real_text_is_used() -> bool:
    """Whether chapters will read The Time Machine or the built-in text."""
    return os.environ[MODE] == "book"


def corpus_mode() -> str:
    """The corpus mode in words."""
    if real_text_is_used():
        return "The Time Machine (every cell is compared)"
    return "built-in text (cells tagged corpus are run, not compared)"


def decide_corpus_mode() -> None:
    """Find out once, for this process and all that it starts.

    Where the book cannot be had, nobody asks the network again.
    """
    if os.environ.get("UNROLLED_DATA"):
        load_corpus()  # a wrong folder is an error, not another mode
    try:
        load_corpus()
        os.environ[MODE] = "book"
    except CorpusError:
        os.environ[MODE] = "builtin"
        os.environ["UNROLLED_OFFLINE"] = "1"


def pytest_configure(config):
    """One torch thread for each parallel worker, in its kernels too."""
    os.environ["UNROLLED_PROGRESS"] = "0"  # no bars in compared outputs
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if MODE not in os.environ:
        decide_corpus_mode()


def pytest_report_header(config):
    """Name the corpus mode at the top of every run."""
    return f"corpus mode: {corpus_mode()}"


def pytest_terminal_summary(terminalreporter):
    """And at its end, where it is not scrolled away."""
    terminalreporter.write_line(f"corpus mode: {corpus_mode()}")


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item):
    """A busy machine may take longer than nbval's 5 s to deliver outputs."""
    if isinstance(item, nbval.IPyNbCell):
        item.output_timeout = 60
