"""Execute notebooks from top to bottom and store what they print.

    python tools/execute.py [book/chapter.ipynb ...]     (all, if none named)

The stored outputs are those on The Time Machine, so it must be there.

Each notebook keeps the seconds it took and the versions it ran with in its
metadata, which the status page shows. Nothing else volatile is stored.
"""

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import forms
import nbformat
from nbclient import NotebookClient

from unrolled.corpus import load_corpus

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("torch", "numpy", "scipy", "matplotlib")


def execute(path: Path) -> None:
    """Run one notebook in a fresh kernel and write it back."""
    notebook = nbformat.read(path, as_version=4)
    forms.apply(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    start = time.perf_counter()
    NotebookClient(
        notebook,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    seconds = time.perf_counter() - start
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _tidy(cell)
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "unrolled": {
            "seconds": round(seconds, 1),
            "python": platform.python_version(),
            **{name: version(name).split("+")[0] for name in SHOWN},
        },
    }
    nbformat.write(notebook, path)
    print(f"{path.name}: {seconds:.1f} s", flush=True)


def _tidy(cell) -> None:
    """Join stream pieces, whose cuts depend on timing."""
    joined = []
    for output in cell.outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            joined.append(output)
    cell.outputs = joined


def main() -> None:
    """Execute the named notebooks, or all, on one thread."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["UNROLLED_PROGRESS"] = "0"  # a bar's output differs each time
    load_corpus()  # or what is stored would be about another text
    paths = [Path(name).resolve() for name in sys.argv[1:]]
    for path in paths or sorted((ROOT / "book").glob("*.ipynb")):
        execute(path)


if __name__ == "__main__":
    # first, so that the code which ran is the code which is stored
    book = str(ROOT / "book")
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--quiet", book], check=True
    )
    main()
