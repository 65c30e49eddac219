"""No more of the book than a short quotation enters the repository."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from unrolled.corpus import load_corpus

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 300  # characters in a row
PIECE = 140  # two pieces and what lies between fit into any longer quote

pytestmark = pytest.mark.skipif(
    os.environ["_UNROLLED_CORPUS_MODE"] != "book",
    reason="the book is not at hand to compare with",
)


def words_of(text):
    return re.sub(r"\s+", " ", text).lower()


def pieces():
    book = words_of(load_corpus())
    return [book[i : i + PIECE] for i in range(0, len(book) - PIECE, PIECE)]


def long_quote(text, parts):
    """Whether two neighbouring pieces of the book stand in the text."""
    text = words_of(text)
    found = [part in text for part in parts]
    return any(a and b for a, b in itertools.pairwise(found))


def readable(path):
    text = path.read_text("utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    found = []
    for cell in json.loads(text)["cells"]:
        found.append("".join(cell["source"]))
        for output in cell.get("outputs", []):
            found.append("".join(output.get("text", "")))
    return "\n".join(found)


def test_the_check_sees_a_long_quote():
    parts = pieces()
    book = load_corpus()
    start = len(book) // 2
    assert long_quote("before " + book[start : start + 900] + " after", parts)
    assert not long_quote(book[start : start + PIECE], parts)


def test_no_file_quotes_the_book_at_length():
    names = subprocess.check_output(
        ["git", "ls-files", "-z"], cwd=ROOT, text=True
    ).split("\0")
    parts = pieces()
    checked = 0
    for name in filter(None, names):
        path = ROOT / name
        if path.suffix in (".png", ".safetensors") or not path.is_file():
            continue
        assert not long_quote(readable(path), parts), name
        checked += 1
    assert checked > 20
