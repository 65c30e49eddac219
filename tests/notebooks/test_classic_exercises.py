"""Appendix E: the table of exercises and the answers hold together.

Both editions' lists are written out below, by section. Each of their numbers
stands in one row of the table; each row leads to an answer that says the same
numbers; and each answer holds a claim, or leads to a page's finding.
"""

import json
import re
from pathlib import Path

import nbformat
import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
TABLE = "a_5_classic_exercises"
PAGES = sorted(path.stem for path in BOOK.glob("a_5_*.ipynb"))

ZH = {
    "8.1": "1a 1b 1c 1d 2 3 4",
    "8.2": "1 2",
    "8.3": "1 2 3 4 5a 5b 5c 6",
    "8.4": "1 2 3 4",
    "8.5": "1 2a 2b 2c 3a 3b 4 5 6",
    "8.6": "1 2 3",
    "8.7": "1a 1b 1c 2",
}
EN = {  # exercise 3 of 9.2 asks three things, which are numbered here
    "9.1": "1a 1b 1c 1d 2 3 4",
    "9.2": "1 2 3i 3ii 3iii",
    "9.3": "1 2 3 4a 4b 5",
    "9.4": "1 2 3 4",
    "9.5": "1 2 3 4 5 6 7 8a 8b 9 10",
    "9.6": "1 2",
    "9.7": "1a 1b 1c 2",
}
ROW = re.compile(
    r"^\| (E\d+) \| ([\w., -]*?) ?\| ([\w., -]*?) ?\| "
    r"\[(.+?)\]\((.*?)#(.+?)\) \| (.+) \|$",
    flags=re.M,
)
HEADING = re.compile(r"^### (E\d+)\. .*", flags=re.M)
LINK = re.compile(r"\]\((\w+)\.ipynb#([\w-]+)\)")

anchor = load("tools/claims.py").anchor


def numbers(lists):
    """The numbers of an edition's exercises, as the table writes them."""
    return [
        f"{section}-{number}".replace("3i", "3, i")
        for section, found in lists.items()
        for number in found.split()
    ]


def text_of(stem):
    """A page's cells: kind and source."""
    notebook = nbformat.read(BOOK / f"{stem}.ipynb", as_version=4)
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def answers(pages):
    """Number of an answer -> its page, anchor, words, and claims."""
    found = {}
    for stem, cells in pages.items():
        now = None
        for kind, source in cells:
            if kind == "markdown":
                heading = HEADING.search(source)
                if heading:
                    now = heading[1]
                    assert now not in found, f"{now} is answered twice"
                    title = heading[0].removeprefix("### ")
                    found[now] = [stem, anchor(title), source, False]
                elif source.startswith("## "):
                    now = None
                elif now:
                    found[now][2] += "\n" + source
            elif now:
                found[now][3] |= "\nclaim(" in f"\n{source}"
    return found


def complaints(pages, findings):
    """What is missing or does not agree; empty where all is well.

    pages: stem -> cells; findings: pairs (page, anchor) that have claims.
    """
    table = "\n".join(s for kind, s in pages[TABLE] if kind == "markdown")
    rows = {row[0]: row for row in ROW.findall(table)}
    given = answers(pages)
    wrong = [f"{name} has no row" for name in given.keys() - rows.keys()]
    for column, lists in ((1, ZH), (2, EN)):
        listed = [row[column] for row in rows.values() if row[column]]
        if sorted(listed) != sorted(numbers(lists)):
            wrong.append(f"column {column} has {len(listed)} numbers")
    for name, (_, zh, en, _, page, place, _) in rows.items():
        if name not in given:
            wrong.append(f"{name} has no answer")
            continue
        stem, own, text, claimed = given[name]
        if (page.removesuffix(".ipynb") or TABLE, place) != (stem, own):
            wrong.append(f"{name}: its link does not lead to its answer")
        lead = "; ".join(
            f"{edition} {number}"
            for edition, number in (("d2l-zh", zh), ("d2l-en", en))
            if number
        )
        if f"\n*{lead}.* **" not in text:
            wrong.append(f"{name} does not say {lead}")
        if not claimed and findings.isdisjoint(LINK.findall(text)):
            wrong.append(f"{name} has no claim and leads to none")
    return wrong


@pytest.fixture(scope="module")
def pages():
    return {stem: text_of(stem) for stem in PAGES}


@pytest.fixture(scope="module")
def findings():
    path = ROOT / "lib" / "unrolled" / "data" / "claims.json"
    return {
        (row["chapter"], row["anchor"])
        for row in json.loads(path.read_text("utf-8"))
    }


def test_both_lists_are_whole():
    assert len(numbers(ZH)) == len(set(numbers(ZH))) == 37
    assert len(numbers(EN)) == len(set(numbers(EN))) == 39


def test_every_exercise_is_answered(pages, findings):
    assert complaints(pages, findings) == []


def changed(pages, stem, old, new):
    """The pages with some words replaced, once."""
    cells = list(pages[stem])
    at = next(i for i, (_, source) in enumerate(cells) if old in source)
    cells[at] = cells[at][0], cells[at][1].replace(old, new, 1)
    return pages | {stem: cells}


@pytest.mark.parametrize(
    ("stem", "old", "new", "words"),
    [
        (TABLE, "| E14 | 8.3-1 ", "| E14 | 8.3-9 ", "column 1"),
        (TABLE, "| E12 |", "| 12 |", "E12 has no row"),
        (TABLE, "#e14-", "#e15-", "E14: its link"),
        (TABLE, "### E3. ", "### ", "E3 has no answer"),
        (TABLE, "*d2l-zh 8.1-2;", "*d2l-zh 8.1-3;", "E5 does not say"),
        ("a_5_1_text_and_data", "#most-words-are-rare", "#x", "E10 has no"),
    ],
)
def test_what_is_missing_is_noticed(pages, findings, stem, old, new, words):
    found = complaints(changed(pages, stem, old, new), findings)
    assert any(words in one for one in found)


def test_a_claim_that_is_taken_away_is_noticed(pages, findings):
    cells = [
        (kind, source.replace("claim(", "print("))
        for kind, source in pages["a_5_3_gradients"]
    ]
    found = complaints(pages | {"a_5_3_gradients": cells}, findings)
    assert any("E40 has no claim" in one for one in found)
