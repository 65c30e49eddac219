"""Pages of the book, in English and in another language.

A page is a notebook or a Markdown file in book/. What it says is walked
through once, in order; ``say`` hears each piece and answers with what takes
its place.
"""

import copy
import json
import re
from pathlib import Path

import cells
import prose
from catalogs import ROOT
from prose import Say

BOOK = ROOT / "book"
INSTALL = "install"
NOTE = "with other versions the last digits may differ."
TITLE = re.compile(r"\A(# @title )(.*)")


def page_names(book: Path = BOOK) -> list[str]:
    """The pages of the book: notebooks, then Markdown files."""
    return [
        path.name
        for pattern in ("*.ipynb", "*.md")
        for path in sorted(book.glob(pattern))
    ]


def role_of(cell: dict) -> str | None:
    """The role of a cell, as in tools/forms.py."""
    return cell["metadata"].get("unrolled", {}).get("role")


def translated_cell(cell: dict, say: Say) -> None:
    """Replace in place what one cell says; its outputs stay."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        source = prose.translated(source, say)
    elif role_of(cell) == INSTALL:  # its title, and what it prints
        source = TITLE.sub(lambda m: m[1] + say(m[2]), source)
        source = source.replace(NOTE, say(NOTE))
    else:
        listing = role_of(cell) == "listing"
        source = cells.translated(source, say, listing=listing)
        image = cell["metadata"].get("mystnb", {}).get("image", {})
        if "alt" in image:
            image["alt"] = say(image["alt"])
    if title := TITLE.match(source):
        shown = cell["metadata"].setdefault("mystnb", {})
        for name in ("code_prompt_show", "code_prompt_hide"):
            if name in shown:
                shown[name] = title[2]
    cell["source"] = source.splitlines(keepends=True)


def translated_notebook(notebook: dict, say: Say) -> dict:
    """A notebook that says all in other words, with its old outputs."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        translated_cell(cell, say)
    return notebook


def messages(name: str, book: Path = BOOK) -> list[tuple[str, str]]:
    """What a page says: each piece, and where it stands, in order."""
    text = (book / name).read_text("utf-8")
    found, where = [], [""]

    def listen(piece: str) -> str:
        found.append((piece, where[0]))
        return piece

    if name.endswith(".md"):
        prose.translated(text, listen)
        return found
    for cell in json.loads(text)["cells"]:
        where[0] = f"{role_of(cell) or cell['cell_type']} {cell['id']}"
        translated_cell(copy.deepcopy(cell), listen)
    return found
