"""Every number in a page's sentences stands in an output or in the code.

What is no measurement of the page is listed in prose_numbers.toml, by page
and phrase: [[allowed]] with the reason, [[unmeasured]] where an output is
still to come. The pages' own rules are in prose_numbers.py.
"""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest

from scripts import load

HERE = Path(__file__).resolve().parent
BOOK = HERE.parents[1] / "book"

prose = load("tests/notebooks/prose_numbers.py")

LISTED = {"allowed": [], "unmeasured": []} | tomllib.loads(
    (HERE / "prose_numbers.toml").read_text("utf-8")
)
TO_BE_REWRITTEN = (  # the only pages with numbers that no output shows
    "8_2_text_preprocessing",
    "8_3_language_models",
    "8_4_recurrent_networks",
    "8_6_summary",
    "a_1_coming_from_d2l",
    "a_2_bptt_by_hand",
)
CAUGHT = 0.8  # of slips, at the least


def read(text):
    return prose.numbers(prose.sentences(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It has 29,882 words, 0.5 of them new, and loses -0.20.", 3),
        ("Seventeen of twenty; sixty-four steps; ten thousand.", 4),
        ("It holds 90 % of what comes, 8.6 bits, and 8.6 % more.", 3),
        ("4 values and five more", 0),  # small, and of nothing
        ("4 of 5 values; one word in eleven; 5 %", 3),
        ("a number alone, $604$, is one; $k = 16$ is not", 1),
        ("$$x = 12$$ and `12` and [twelve](a_12.ipynb#12)\n# 12", 1),
        ("```python\nx = 12\n```", 0),
        ("section 12, figures 11 and 12, sections 8.1 to 8.5", 0),
        ("8.1a and 8.1.2, of d2l 0.17, 1.0 and release 0.17", 0),
        ("| E33 | 8.5-3b | 9.5-8b |, 9.5-10, but 9.5 and 33 count", 2),
        ("in 1913 (Good, 1953); 1,913 of them", 1),
        ("It ends.\n\n**Sources.** A, volume 12. B, 13.", 0),
        ("**Time:** about 15 minutes to read.", 0),
        ("### Exercise 1: Twelve\n\nIn a text of 26,000 words", 0),
        ("better than one of 512, or one of two or three", 1),
        ("W_12, x86, 3-gram, 2nd, 1.2.3", 0),
    ],
)
def test_which_numbers_are_read(text, found):
    assert sum(number.checked for number in read(text)) == found


@pytest.mark.parametrize(
    ("said", "printed", "holds"),
    [
        ("0.46", "it is 0.4572", True),
        ("0.46", "it is 0.4652", False),
        ("0.46", "it is 0.5", False),
        ("0.5", "it is 0.46", False),  # one digit fits too many
        ("about 0.5", "it is 0.46", True),
        ("above 0.4", "it is 0.46", True),
        ("above 0.5", "it is 0.46", False),  # not to the safe side
        ("at most 0.47", "it is 0.461", True),
        ("at most 0.46", "it is 0.461", False),
        ("46 %", "it is 0.4572", True),
        ("46 %", "it is 46.1 %", True),
        ("46 %", "there are 46", False),
        ("46", "it is 45.7", False),
        ("about 46", "it is 45.7", True),
        ("under two thousand", "there are 1,932", True),
        ("under two thousand", "there are 2,032", False),
        ("29,882", "there are 29882", True),
        ("29,882", "there are 29,883", False),
        ("-0.20", "it is 0.20", False),
        ("falls by 0.20", "it is -0.20", True),
        ("one word in eleven", "9.1 % are new", True),
        ("one word in eleven", "8.1 % are new", False),
        ("more than one in twelve", "8.7 %", True),
        ("more than one in eleven", "8.7 %", False),
        ("seventeen of twenty", "better in 17 of 20", True),
        ("seventeen of twenty", "17 and 20", False),
        ("5,000", "none", True),  # the code sets it
        ("80 %", "none", True),
        ("5,001", "none", False),
        ("70 %", "none", False),
    ],
)
def test_what_counts_as_the_same_number(said, printed, holds):
    cells = [
        nbformat.v4.new_markdown_cell(f"It is {said}."),
        nbformat.v4.new_code_cell(
            "draw(5_000, 0.8, '70 and 71')  # 72",
            outputs=[nbformat.v4.new_output("stream", text=printed)],
        ),
    ]
    assert (not list(missing(nbformat.v4.new_notebook(cells=cells)))) is holds


def test_a_section_quotes_itself_and_a_summary_the_page():
    def shown(text):
        output = nbformat.v4.new_output("stream", text=text)
        return nbformat.v4.new_code_cell("f()", outputs=[output])

    words = nbformat.v4.new_markdown_cell
    cells = [
        words("## One\n\nIt is 0.46, and 0.573."),
        shown("0.46"),
        words("## Two\n\nIt is 0.46, and 0.573."),
        shown("0.573"),
        words("## Together\n\n0.46, and 0.573."),
    ]
    found = missing(nbformat.v4.new_notebook(cells=cells))
    # two digits meet by chance, three hardly
    assert [(w[:6], n.text) for w, n in found] == [("## Two", "0.46")]


def entries(page):
    """The listed phrases of a page, as patterns."""
    both = LISTED["allowed"] + LISTED["unmeasured"]
    return [
        re.compile(r"\s+".join(map(re.escape, entry["phrase"].split())))
        for entry in both
        if entry["page"] == page
    ]


def covers(pattern, words, number):
    """Whether a listed phrase holds this number."""
    return any(
        found.start() <= number.start < found.end()
        for found in pattern.finditer(words)
    )


def missing(notebook):
    """The numbers that stand nowhere, each with its cell's words."""
    page = prose.Page(notebook)
    for words, number, section in page.said():
        if not page.holds(number, section):
            yield words, number


def test_every_number_in_prose_stands_on_its_page(notebook_path, notebook):
    listed = entries(notebook_path.stem)
    for words, number in missing(notebook):
        around = words[max(0, number.start - 60) : number.start + 40]
        assert any(covers(entry, words, number) for entry in listed), (
            f"no output and no code of this section holds {number.text}: "
            f"...{' '.join(around.split())}..."
        )


def test_each_listed_phrase_is_still_needed(notebook_path, notebook):
    """One whose sentence or output has changed must go from the list."""
    found = list(missing(notebook))
    for entry in entries(notebook_path.stem):
        assert any(covers(entry, *case) for case in found), entry.pattern


def test_listed_phrases_have_a_page_and_a_reason():
    assert set(LISTED) == {"allowed", "unmeasured"}
    stems = {path.stem for path in BOOK.glob("*.ipynb")}
    for kind, listed in LISTED.items():
        for entry in listed:
            assert set(entry) == {"page", "phrase", "reason"}, entry
            assert entry["page"] in stems
            assert len(entry["reason"].split()) >= 2, entry
            if kind == "unmeasured":
                assert entry["page"] in TO_BE_REWRITTEN


@pytest.mark.parametrize("name", ["index", "notation"])
def test_other_pages_quote_numbers_of_the_notebooks(name):
    """What else they quote is computed: ```{measured}``` and the like."""
    pages = [
        prose.Page(nbformat.read(path, as_version=4))
        for path in BOOK.glob("*.ipynb")
    ]
    for number in read((BOOK / f"{name}.md").read_text("utf-8")):
        assert not number.checked or any(
            page.holds(number, section)
            for page in pages
            for section in page.sections
        ), number.text


def test_slips_are_caught(capsys):
    """One digit changed, two swapped, one more or less in the last place."""
    slips = caught = 0
    for path in sorted(BOOK.glob("*.ipynb")):
        page = prose.Page(nbformat.read(path, as_version=4))
        for _, number, section in page.said():
            if page.holds(number, section):
                held = [
                    page.holds(slip, section) for slip in prose.altered(number)
                ]
                slips, caught = slips + len(held), caught + held.count(False)
    with capsys.disabled():
        print(f"\nslips in numbers of prose: {caught} of {slips} are caught")
    assert slips > 1000
    assert caught >= CAUGHT * slips
