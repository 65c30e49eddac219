"""Where the notebooks are."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def pytest_generate_tests(metafunc):
    if "notebook_path" in metafunc.fixturenames:
        metafunc.parametrize(
            "notebook_path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS]
        )


@pytest.fixture
def notebook(notebook_path):
    return nbformat.read(notebook_path, as_version=4)
