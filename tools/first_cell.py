"""The first cell of every notebook, which installs the library if need be.

    python tools/first_cell.py                          (write it everywhere)
    python tools/first_cell.py fill ADDRESS REVISION NOTEBOOK ...

Its source is first_cell.txt. Notebooks of the repository name no address;
``fill`` puts one and a revision into notebooks that go elsewhere: those that
a published site offers for download.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path(__file__).with_suffix(".txt").read_text("utf-8").rstrip("\n")
LABEL = "Install the library (only where it is missing)"
METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "mystnb": {"code_prompt_hide": LABEL, "code_prompt_show": LABEL},
    "tags": ["hide-input", "nbval-ignore-output"],
    "unrolled": {"role": "install"},
}


def notebooks(root: Path = ROOT) -> list[Path]:
    """Every notebook of the book, other languages' too."""
    return sorted(
        path
        for path in (root / "book").rglob("*.ipynb")
        if not any(part.startswith(".") for part in path.parts)
    )


def first_code_cell(notebook: dict) -> dict:
    """The cell of a notebook that this file is about."""
    return next(c for c in notebook["cells"] if c["cell_type"] == "code")


def to_json(notebook: dict) -> str:
    """The notebook as nbformat writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def filled_source(source: str, address: str, revision: str) -> str:
    """The cell's source with the address and the revision in their lines."""
    for name, value in {"REPOSITORY": address, "REVISION": revision}.items():
        pattern = rf'^{name} = "[^"]*"$'
        if len(re.findall(pattern, source, flags=re.M)) != 1:
            raise ValueError(f"the first cell does not set {name} once")
        line = f'{name} = "{value}"'.replace("\\", r"\\")
        source = re.sub(pattern, line, source, flags=re.M)
    return source


def filled(text: str, address: str, revision: str) -> str:
    """A notebook's JSON with both filled in; nothing else changes."""
    notebook = json.loads(text)
    cell = first_code_cell(notebook)
    source = filled_source("".join(cell["source"]), address, revision)
    cell["source"] = source.splitlines(keepends=True)
    return to_json(notebook)


def write_everywhere() -> None:
    """Write the cell, and what it prints here, into every notebook."""
    printed = subprocess.run(
        [sys.executable, "-c", SOURCE],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    output = {"name": "stdout", "output_type": "stream", "text": [printed]}
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        cell = first_code_cell(notebook)
        cell["metadata"] = METADATA
        cell["source"] = SOURCE.splitlines(keepends=True)
        cell["outputs"] = [output]
        path.write_text(to_json(notebook), "utf-8")
        print(path.relative_to(ROOT))


def main(arguments: list[str]) -> None:
    """Write or fill."""
    if not arguments:
        write_everywhere()
        return
    command, address, revision, *paths = arguments
    if command != "fill" or not paths:
        sys.exit(__doc__)
    for path in map(Path, paths):
        text = filled(path.read_text("utf-8"), address, revision)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
