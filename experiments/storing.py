"""Store an experiment's result, with the versions that made it."""

import json
from importlib.metadata import version
from pathlib import Path

import unrolled

DATA = Path(__file__).resolve().parent.parent / "lib" / "unrolled" / "data"


def store(path: Path, content: dict, made_with: str = "torch") -> None:
    """Write one line of JSON: versions first, then the content.

    made_with: the package whose version may change the digits.
    """
    versions = {
        "unrolled": unrolled.__version__,
        made_with: version(made_with).split("+")[0],
    }
    text = json.dumps(
        versions | content, separators=(",", ":"), allow_nan=False
    )
    path.write_text(text + "\n", "utf-8")
