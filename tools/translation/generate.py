"""Write the pages of another language: book/zh, from English and catalogs.

The notebooks there are those of book/ in other words, with the same numbers
in what they print. They are not committed; ``make zh`` makes them again.
"""

import copy
import json
import re
import shutil
import sys
from pathlib import Path

import catalogs
import library
import nbformat
import pages
from nbclient import NotebookClient
from outputs import Printed

sys.path.append(str(catalogs.ROOT / "tools"))
from claims import anchor, collect

NAME = "zh"
TARGET = pages.BOOK / NAME
DATA = library.LIBRARY / "data"
CLAIMS = DATA / f"claims.{catalogs.LANGUAGE}.json"
SPEAK = f"""

from unrolled.language import set_language

set_language("{catalogs.LANGUAGE}")"""
LINK = re.compile(r"\]\(([\w.-]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.*)$", flags=re.M)


def headings(text: str) -> list[str]:
    """The anchors of a Markdown text, in order; code is no heading."""
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)
    text = re.sub(r"\]\([^)]*\)", "]", text)  # of a link its words
    return [anchor(words) for words in HEADING.findall(text)]


def prose_of(page: str, text: str) -> str:
    """The Markdown of a page."""
    if not page.endswith(".ipynb"):
        return text
    return "\n\n".join(
        "".join(cell["source"])
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "markdown"
    )


def linked(text: str, page: str, anchors: dict[str, dict[str, str]]) -> str:
    """The text, with its links at the headings' new names."""

    def change(match: re.Match) -> str:
        target = match[1] or page
        name = anchors.get(target, {}).get(match[2], match[2])
        return f"]({match[1]}#{name})"

    return LINK.sub(change, text)


def speaking(cell: dict, say) -> None:
    """Let the first code cell set the language, and its note follow."""
    for output in cell["outputs"]:
        text = "".join(output["text"]).replace(pages.NOTE, say(pages.NOTE))
        output["text"] = text.splitlines(keepends=True)
    source = "".join(cell["source"])
    before, mark, after = source.rpartition("\n\nprint(")
    source = before + SPEAK + mark + after
    cell["source"] = source.splitlines(keepends=True)


def notebook(page: str, text: str, say, printed: Printed) -> str:
    """A notebook in the other language, as JSON."""
    english = json.loads(text)
    other = pages.translated_notebook(english, say)
    for before, cell in zip(english["cells"], other["cells"], strict=True):
        if cell["cell_type"] != "code":
            continue
        if pages.role_of(cell) == pages.INSTALL:
            speaking(cell, say)
        else:
            printed.cell(cell, "".join(before["source"]))
    other["metadata"]["unrolled"]["language"] = catalogs.LANGUAGE
    return json.dumps(other, indent=1, ensure_ascii=False) + "\n"


def generate(folder: Path = catalogs.FOLDER, target: Path = TARGET) -> None:
    """Write all pages; raises UntranslatedError where words are missing."""
    say_library = catalogs.translator(library.NAME, folder=folder)
    known = [w for w, where in library.messages() if where.startswith("templ")]
    made, anchors = {}, {}
    for page in pages.page_names():
        text = (pages.BOOK / page).read_text("utf-8")
        stem = Path(page).stem
        say = catalogs.translator(stem, catalogs.COMMON, folder=folder)
        if page.endswith(".ipynb"):
            printed = Printed(say, say_library, known)
            made[page] = notebook(page, text, say, printed)
        else:
            made[page] = pages.prose.translated(text, say)
        anchors[page] = dict(
            zip(
                headings(prose_of(page, text)),
                headings(prose_of(page, made[page])),
                strict=True,
            )
        )
    write(made, anchors, target)
    claims = collect(target)
    text = json.dumps(claims, indent=1, ensure_ascii=False)
    CLAIMS.write_text(text + "\n", "utf-8")
    mo = DATA / f"{catalogs.LANGUAGE}.mo"
    mo.write_bytes(library.compiled(folder))
    fill_lists(target)
    write_readme(folder)


def write_readme(folder: Path) -> None:
    """README.zh.md, beside the English one."""
    text = (catalogs.ROOT / "README.md").read_text("utf-8")
    text = pages.prose.translated(
        text, catalogs.translator("readme", folder=folder)
    )
    switch = "[中文](README.zh.md)", "[English](README.md)"
    path = catalogs.ROOT / "README.zh.md"
    path.write_text(text.replace(*switch), "utf-8")


def write(
    made: dict[str, str], anchors: dict[str, dict[str, str]], target: Path
) -> None:
    """Write the pages, and nothing else, into the folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for page, text in made.items():
        (target / page).write_text(linked(text, page, anchors), "utf-8")


def fill_lists(target: Path) -> None:
    """Run the notebooks that list claims, and keep the lists alone.

    No template says what they print; they take seconds and need no text.
    """
    for path in sorted(target.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if not any(map(is_listing, notebook.cells)):
            continue
        run = copy.deepcopy(notebook)
        where = {"metadata": {"path": str(target)}}
        NotebookClient(run, kernel_name="python3", resources=where).execute()
        for cell, done in zip(notebook.cells, run.cells, strict=True):
            if is_listing(cell):
                cell.outputs = done.outputs
        nbformat.write(notebook, path)


def is_listing(cell: dict) -> bool:
    """Whether a cell makes a list for the reader."""
    return cell["cell_type"] == "code" and pages.role_of(cell) == "listing"
