"""The forms of a page: what each code cell is, and what follows from it.

    python tools/forms.py [book/chapter.ipynb ...]     (all, if none named)

A cell whose code is not the lesson has a role in its metadata
(``{"unrolled": {"role": "finding"}}``). From it this writes how the cell is
folded on the site, in JupyterLab and in Colab, and the line that names it.
Captions are numbered in their order, and the time to read is computed. Only
metadata, that first line and these numbers change.
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
TITLES = {
    "install": "Install the library (only where it is missing)",
    "install_d2l": "Install d2l (only where it is missing)",
    "imports": "Imports",
    "listing": "How this list is made",
    "drawing": "How this is drawn",
    "table": "How this table is made",
    "computing": "How this is computed",
    "finding": "How this is checked",
    "check": "Check: {title}",
}
TITLE_LINE = re.compile(r"\A# @title [^\n]*\n?")
CAPTION = re.compile(r"\A\*\*Figure \d+\.\*\* ")
TIME = re.compile(r"^(\*\*Time:\*\*) [^.]*\.", flags=re.M)
WORDS, LINES = 200, 15  # that a reader reads in a minute
FOLDED = re.compile(r"<details>.*?</details>", flags=re.S)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", flags=re.S)
TAG = re.compile(r"<[^>]*>")


def title_of(cell) -> str | None:
    """The words on the fold of a cell, None where nothing is folded.

    Raises ValueError for a role that does not exist.
    """
    facts = cell.metadata.get("unrolled", {})
    role = facts.get("role")
    if role is None:
        return None
    if role not in TITLES:
        raise ValueError(f"role must be one of {list(TITLES)}, got {role!r}")
    return TITLES[role].format(title=facts.get("title", ""))


def fold(cell) -> None:
    """Write the fold of one code cell from its role, or take it away."""
    title = title_of(cell)
    tags = [t for t in cell.metadata.get("tags", []) if t != "hide-input"]
    image = cell.metadata.get("mystnb", {}).get("image")
    for name in ("tags", "jupyter", "cellView", "mystnb"):
        cell.metadata.pop(name, None)
    shown = {"image": image} if image else {}
    source = TITLE_LINE.sub("", cell.source)
    if title is not None:
        source = f"# @title {title}\n{source}"
        tags = ["hide-input", *tags]
        cell.metadata["jupyter"] = {"source_hidden": True}
        cell.metadata["cellView"] = "form"
        shown |= {"code_prompt_show": title, "code_prompt_hide": title}
    cell.source = source
    if tags:
        cell.metadata["tags"] = tags
    if shown:
        cell.metadata["mystnb"] = shown


def words(notebook) -> int:
    """How many words of a page are read; a formula counts as one.

    What is folded (solutions, answers) is not counted.
    """
    text = "\n".join(
        TAG.sub(" ", FORMULA.sub(" x ", FOLDED.sub("", cell.source)))
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    )
    return len(re.findall(r"\w[\w'-]*", text))


def visible_lines(notebook) -> int:
    """How many lines of code stand open on a page."""
    return sum(
        bool(line.strip())
        for cell in notebook.cells
        if cell.cell_type == "code" and title_of(cell) is None
        for line in cell.source.splitlines()
    )


def reading_minutes(notebook) -> int:
    """How long a page takes to read, in steps of five minutes."""
    minutes = words(notebook) / WORDS + visible_lines(notebook) / LINES
    return max(5, 5 * round(minutes / 5))


def apply(notebook) -> None:
    """Give a whole notebook its forms, in place."""
    number = 0
    minutes = rf"\1 about {reading_minutes(notebook)} minutes to read."
    for cell in notebook.cells:
        if cell.cell_type == "code":
            fold(cell)
        elif CAPTION.match(cell.source):
            number += 1
            cell.source = CAPTION.sub(f"**Figure {number}.** ", cell.source)
        else:
            cell.source = TIME.sub(minutes, cell.source)


def main() -> None:
    """Write the forms of the named notebooks, or of all."""
    paths = [Path(name).resolve() for name in sys.argv[1:]]
    for path in paths or sorted((ROOT / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        apply(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
