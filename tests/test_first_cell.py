"""The first cell where a mere folder bears the library's name."""

import os
import subprocess
import sys

import pytest

from scripts import load

SOURCE = load("tools/first_cell.py").SOURCE
PIP = """
import pathlib, sys
assert sys.argv[1:3] == ["install", "--quiet"], sys.argv
package = pathlib.Path(__file__).parents[1] / "unrolled"
package.mkdir()
(package / "__init__.py").write_text("__version__ = '9.8.7'")
"""


@pytest.fixture
def beside_a_clone(tmp_path):
    """Runs code where a folder ``unrolled`` lies and no library is found."""
    (tmp_path / "here" / "unrolled" / "lib").mkdir(parents=True)
    there = tmp_path / "there"
    (there / "pip").mkdir(parents=True)
    (there / "torch.py").write_text("__version__ = '1.2.3'")
    (there / "pip" / "__init__.py").touch()
    (there / "pip" / "__main__.py").write_text(PIP)

    def run(code):
        return subprocess.run(
            [sys.executable, "-S", "-c", code],  # without site-packages
            cwd=tmp_path / "here",
            env={**os.environ, "PYTHONPATH": str(there)},
            capture_output=True,
            text=True,
        )

    return run


# in a notebook that was opened before, the folder may be imported already
@pytest.mark.parametrize("before", ["", "import unrolled\n"])
def test_a_folder_is_no_library(beside_a_clone, before):
    done = beside_a_clone(before + SOURCE)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: The library `unrolled` is no")
    assert "pip install -e ." in last


@pytest.mark.parametrize("before", ["", "import unrolled\n"])
def test_it_is_installed_beside_the_folder(beside_a_clone, before):
    filled = load("tools/first_cell.py").filled_source(
        SOURCE, "https://example.org/course", "v9.8.7"
    )
    done = beside_a_clone(before + filled)
    assert not done.stderr
    assert "torch 1.2.3, unrolled 9.8.7; with" in done.stdout
