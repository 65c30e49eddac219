"""Bring what the notebooks printed to the other pages of the site.

So no number or time on those pages is kept by hand:

- ``{measured} CHAPTER words`` shows the one claim of the chapter that
  contains the words;
- ``{chapter-status}`` makes the table of versions and times;
- ``{used-in} MODULE`` names the pages that import a module of the library;
- a page that holds explorables loads their scripts, other pages do not;
- with UNROLLED_SOLUTIONS=0 in the environment the solutions of the exercises
  are left out, for teachers.
"""

import json
import os
import re
from pathlib import Path

from docutils import nodes
from languages import word
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parent.parent
LIBRARY = BOOK.parent / "lib" / "unrolled"
COLUMNS = ("python", "torch", "numpy", "scipy", "matplotlib")


def chapters() -> list[Path]:
    """Every notebook of the book, in order."""
    return sorted(BOOK.glob("*.ipynb"))


def printed_claims(notebook: dict) -> list[str]:
    """The sentences that held when the notebook was executed."""
    text = "\n".join(
        "".join(output["text"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    )
    return re.findall(r"^(?:Holds: |成立：)(.*)$", text, flags=re.M)


def english_claims(chapter: str) -> list[str]:
    """The same sentences in English, in the same order."""
    table = json.loads((LIBRARY / "data" / "claims.json").read_text("utf-8"))
    return [row["sentence"] for row in table if row["chapter"] == chapter]


class Measured(SphinxDirective):
    """``{measured} CHAPTER words``: the claim that contains the words.

    The words are English ones on every page.
    """

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """One paragraph; exactly one claim must match."""
        chapter, words = self.arguments
        path = BOOK / f"{chapter}.ipynb"
        claims = english = printed_claims(json.loads(path.read_text("utf-8")))
        if self.config.language == "zh_CN":
            english = english_claims(chapter)
        found = [
            claim
            for claim, sentence in zip(claims, english, strict=True)
            if words in sentence
        ]
        if len(found) != 1:
            raise self.error(
                f"{len(found)} claims of {chapter} contain {words!r}"
            )
        sentence = found[0][0].upper() + found[0][1:]
        return [nodes.paragraph("", sentence, classes=["measured"])]


class ChapterStatus(SphinxDirective):
    """``{chapter-status}``: what each notebook ran with, and how long."""

    def run(self) -> list[nodes.Node]:
        """One table, a row for each notebook."""
        words = (
            word(self.config.language, "chapter"),
            word(self.config.language, "seconds"),
            word(self.config.language, "claims"),
        )
        head = [*words, *COLUMNS]
        rows = []
        for path in chapters():
            notebook = json.loads(path.read_text("utf-8"))
            facts = notebook["metadata"]["unrolled"]
            title = "".join(notebook["cells"][0]["source"]).splitlines()[0]
            rows.append(
                [
                    title.lstrip("# "),
                    str(facts["seconds"]),
                    str(len(printed_claims(notebook))),
                    *(facts[name] for name in COLUMNS),
                ]
            )
        return [_table(head, rows, numbers={1, 2})]


def importers(module: str) -> tuple[list[Path], list[str]]:
    """The notebooks and the other modules that import one of the library.

    module: its name after ``unrolled``, such as "course.tables".
    """
    folder, _, name = f"unrolled.{module}".rpartition(".")
    statement = re.compile(
        rf"^\s*from (?:{re.escape(folder)}\.{name} import "
        rf"|{re.escape(folder)} import (?:.*, )?{name}\b)",
        flags=re.M,
    )
    pages = [
        path
        for path in chapters()
        if any(
            cell["cell_type"] == "code"
            and statement.search("".join(cell["source"]))
            for cell in json.loads(path.read_text("utf-8"))["cells"]
        )
    ]
    modules = [
        path.relative_to(LIBRARY).with_suffix("").as_posix().replace("/", ".")
        for path in sorted(LIBRARY.rglob("*.py"))
        if statement.search(path.read_text("utf-8"))
    ]
    return pages, modules


class UsedIn(SphinxDirective):
    """``{used-in} MODULE``: links to the pages whose code imports it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One paragraph."""
        pages, modules = importers(self.arguments[0])
        language = self.config.language
        before = word(language, "On the pages: ") if pages else ""
        paragraph = nodes.paragraph("", before)
        for number, path in enumerate(pages):
            notebook = json.loads(path.read_text("utf-8"))
            title = "".join(notebook["cells"][0]["source"]).splitlines()[0]
            section = re.match(r"# ((?:Appendix|附录) \w+|\S+)", title)[1]
            paragraph += nodes.Text(", " if number else "")
            link = addnodes.pending_xref(
                "",
                nodes.inline("", section),
                refdomain="std",
                reftype="doc",
                reftarget=f"/book/{path.stem}",
                refdoc=self.state.document.settings.env.docname,
                refexplicit=True,
                refwarn=True,
            )
            paragraph += link
        if pages:
            paragraph += nodes.Text(word(language, ". "))
        if modules:
            names = word(language, "In the library: {names}.")
            paragraph += nodes.Text(names.format(names=", ".join(modules)))
        if not (pages or modules):
            paragraph += nodes.Text(word(language, "Used by tests only."))
        return [paragraph]


def _table(
    head: list[str], rows: list[list[str]], numbers: set[int]
) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", _row(head, numbers))
    group += nodes.tbody("", *(_row(row, numbers) for row in rows))
    return nodes.table("", group)


def _row(texts: list[str], numbers: set[int]) -> nodes.row:
    row = nodes.row("")
    for place, text in enumerate(texts):
        classes = ["number"] if place in numbers else []
        row += nodes.entry("", nodes.paragraph("", text), classes=classes)
    return row


def add_explorables(app, page, template, context, doctree) -> None:
    """Load the script of each explorable that stands on the page."""
    body = context.get("body") or ""  # search and index pages have none
    for name in sorted(set(re.findall(r"<unrolled-(\w+)", body))):
        app.add_js_file(f"explorables/{name}.js", type="module")


SOLUTION = re.compile(
    r"<details><summary>(?:Solution|解答) \d+</summary>.*?</details>",
    flags=re.S,
)


def without_solutions(notebook: dict, language: str = "en") -> dict:
    """The notebook, with a sentence in the place of each solution."""
    left_out = word(language, "*(Solution left out.)*")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            cell["source"] = SOLUTION.sub(left_out, source)
    return notebook


def leave_out_solutions(app, name: str, source: list[str]) -> None:
    """Apply the teachers' switch to a page as it is read."""
    if os.environ.get("UNROLLED_SOLUTIONS") != "0":
        return
    if (BOOK.parent / f"{name}.ipynb").exists():
        notebook = json.loads(source[0])
        source[0] = json.dumps(
            without_solutions(notebook, app.config.language)
        )


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("source-read", leave_out_solutions)
    app.connect("html-page-context", add_explorables)
    app.add_directive("measured", Measured)
    app.add_directive("chapter-status", ChapterStatus)
    app.add_directive("used-in", UsedIn)
    return {"version": "1", "parallel_read_safe": True}
