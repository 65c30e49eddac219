"""What plain ``pytest --nbval book/`` needs to compare as the project does.

The comparison is that of lib/nbval_near.py, with settings in pyproject.toml.
Cells tagged ``corpus`` print what depends on The Time Machine: on the built-in
text they are executed but not compared. tests/claims_can_fail.py tries each
claim with values that contradict it.
"""

import gc
import os
from pathlib import Path

from unrolled.corpus import CorpusError, load_corpus

pytest_plugins = ["nbval_near", "claims_can_fail"]

# what takes a minute or more begins first, and whole files follow: or else,
# at the end, one worker would wait for another
LONG = (
    "book/8_5_rnn_from_scratch.ipynb",
    "tests/notebooks/test_colab.py",
    "tests/browser/",
    "tests/test_experiments.py",
    "book/8_",
    "book/a_",
)
# of the Chinese notebooks, which `make zh` makes and `make test-zh` runs, a
# quick one is run with the others
QUICK_ZH = "8_2_text_preprocessing.ipynb"
collect_ignore = [
    "tests/benchmarks",
    *(
        str(path)
        for path in sorted(Path(__file__).parent.glob("book/zh/*.ipynb"))
        if path.name != QUICK_ZH
    ),
]
MODE = "_UNROLLED_CORPUS_MODE"  # set here, read by the workers and by tests


def corpus_mode() -> str:
    """The corpus mode in words."""
    if os.environ[MODE] == "book":
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
    """What kernels and workers inherit."""
    os.environ["UNROLLED_PROGRESS"] = "0"  # no bars in compared outputs
    # on a busy machine two threads are several times slower than one
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # xdist would begin with the files that have most tests
    config.option.loadscopereorder = False
    if MODE not in os.environ:
        decide_corpus_mode()
    if os.environ[MODE] == "builtin":
        os.environ["NBVAL_NEAR_RUN_ONLY"] = "corpus"


def pytest_collection_modifyitems(items):
    """Put what takes long first, in the order of LONG."""

    def place(item):
        fits = [i for i, what in enumerate(LONG) if what in item.nodeid]
        return fits[0] if fits else len(LONG)

    items.sort(key=place)


def pytest_collection_finish():
    """What was collected stays: the collector need not look at it again."""
    gc.freeze()


def pytest_report_header(config):
    """Name the corpus mode at the top of every run."""
    return f"corpus mode: {corpus_mode()}"


def pytest_terminal_summary(terminalreporter):
    """And at its end, where it is not scrolled away."""
    terminalreporter.write_line(f"corpus mode: {corpus_mode()}")
