"""The forms of a page: in a notebook, and on the site."""

import copy
import re

import nbformat
import pandas as pd
import pytest

from scripts import load
from unrolled.course.colours import FAMILIES, INK

forms = load("tools/forms.py")
extension = load("book/_ext/forms.py")


def code(source, role=None, **metadata):
    cell = nbformat.v4.new_code_cell(source, metadata=metadata)
    if role:
        cell.metadata.setdefault("unrolled", {})["role"] = role
    return cell


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def shaped(*cells):
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    forms.apply(notebook)
    return notebook.cells


def test_a_finding_is_folded_everywhere():
    (cell,) = shaped(code("claim(x, y)", "finding", tags=["corpus"]))
    assert cell.source == "# @title How this is checked\nclaim(x, y)"
    assert cell.metadata["tags"] == ["hide-input", "corpus"]  # the site
    assert cell.metadata["jupyter"] == {"source_hidden": True}
    assert cell.metadata["cellView"] == "form"  # Colab
    assert cell.metadata["mystnb"] == {
        "code_prompt_show": "How this is checked",
        "code_prompt_hide": "How this is checked",
    }


def test_a_check_says_what_it_checks():
    (cell,) = shaped(code("assert a", "check", unrolled={"title": "a holds"}))
    assert cell.source.splitlines()[0] == "# @title Check: a holds"


def test_the_lesson_is_not_folded():
    folded = shaped(code("x = 1", "imports"))[0]
    del folded.metadata["unrolled"]
    (cell,) = shaped(folded)
    assert cell.source == "x = 1"
    assert cell.metadata == {}


def test_alt_text_and_everything_else_stay():
    image = {"image": {"alt": "a line"}}
    (cell,) = shaped(
        code("draw()", "drawing", mystnb=image, unrolled={"figure": "f"})
    )
    assert cell.metadata["mystnb"]["image"] == image["image"]
    assert cell.metadata["unrolled"] == {"figure": "f", "role": "drawing"}


def test_an_unknown_role():
    with pytest.raises(ValueError, match=r"^role must be one of .*'other'$"):
        shaped(code("x", "other"))


def test_twice_is_once():
    cells = [
        code("claim(x, y)", "finding"),
        text("**Figure 7.** A."),
        text("**Time:** an hour. The code runs."),
    ]
    once = shaped(*cells)
    twice = shaped(*copy.deepcopy(once))
    assert once == twice


def test_captions_are_numbered_in_order():
    cells = shaped(
        text("**Figure 3.** One."), text("Figure 9."), text("**Figure 1.** B.")
    )
    assert [c.source for c in cells] == [
        "**Figure 1.** One.",
        "Figure 9.",
        "**Figure 2.** B.",
    ]


def test_the_time_to_read_is_computed():
    def minutes(words, lines, folded=0):
        cells = shaped(
            text("**Time:** an age. It runs."),
            text("word " * words),
            code("x\n" * lines),
            code("x\n" * folded, "imports"),
        )
        found = re.fullmatch(
            r"\*\*Time:\*\* about (\d+) minutes to read\. It runs\.",
            cells[0].source,
        )
        return int(found[1])

    assert minutes(2000, 0) == 10
    assert minutes(2000, 150) == 20
    assert minutes(2000, 150, folded=600) == 20
    assert minutes(1, 0) == 5


def test_words_are_those_that_are_read():
    notebook = nbformat.v4.new_notebook(
        cells=[
            text("It's $x_t = 3$ here. <b>Two</b>"),
            text("<details><summary>S</summary>\n\nmany words\n\n</details>"),
            text("$$a\n= b$$"),
        ]
    )
    assert forms.words(notebook) == 5  # It's x here Two x


DRAWING = f"""<?xml version="1.0"?>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="400pt" height="200pt"
 viewBox="0 0 400 200" xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata>who and when</metadata>
 <defs><style type="text/css">*{{stroke-linejoin: round}}</style></defs>
 <g id="figure_1">
  <defs><path id="m1" d="M 0 0" style="stroke: {INK}"/></defs>
  <g clip-path="url(#c1)"><use xlink:href="#m1" x="1" y="2"/></g>
  <path d="M 1 1" style="stroke: {FAMILIES["network"]}"/>
  <text style="fill: {INK}">step</text>
 </g>
 <defs><clipPath id="c1"><rect x="0"/></clipPath></defs>
</svg>"""


def test_a_drawing_becomes_part_of_the_page():
    drawn = extension.inline_svg(DRAWING, 'a "line" & more', "f")
    assert drawn.startswith("<svg")
    assert 'role="img"' in drawn
    assert 'aria-label="a &quot;line&quot; &amp; more"' in drawn
    assert "who and when" not in drawn
    assert "<style" not in drawn
    assert INK not in drawn
    assert drawn.count("currentColor") == 2
    assert FAMILIES["network"] in drawn
    assert set(re.findall(r'\bid="([^"]+)"', drawn)) == {"f-m1", "f-c1"}
    assert "url(#f-c1)" in drawn
    assert 'xlink:href="#f-m1"' in drawn  # no other prefix works in HTML
    assert 'viewBox="0 0 400 200"' in drawn
    assert "pt" not in re.findall(r"<svg[^>]*>", drawn)[0]


def column(table, place):
    """The classes of a column's cells, from the head down."""
    rows = re.findall("<tr.*?</tr>", table, flags=re.S)
    cells = [re.findall("<t[hd]([^>]*)>", row)[place] for row in rows]
    return ["text" in cell for cell in cells]


def test_columns_of_words_are_marked():
    frame = pd.DataFrame(
        {
            "token": ["<unk>", "the  "],
            "occurs": ["0", "2,261"],
            "diverged": ["0 of 3", ""],
            "from": ["-5.9e+04 to inf", "(1, 2.5, \u22123)"],
            "strengths": ["0", "large, 83"],
            "found": ["1", "yes"],
        },
        index=["network, k = 1", "2"],
    )
    table = extension.align_columns(
        re.search("<table.*</table>", frame.to_html(), flags=re.S)[0]
    )
    marked = [all(column(table, place)) for place in range(7)]
    assert marked == [True, True, False, False, False, True, True]
    assert not any(any(column(table, place)) for place in (2, 3, 4))
    assert "&lt;unk&gt;" in table
    assert "network, k\xa0=\xa01" in table


def test_named_figures_are_found_by_their_name():
    svg, alt = extension.stored_svg("8_1_sequence_models", "k-step")
    assert "<svg" in svg
    assert alt.startswith("Forecasts")
    with pytest.raises(ValueError, match=r"no figure named 'none'$"):
        extension.stored_svg("8_1_sequence_models", "none")


def test_a_drawing_is_shortened_to_hundredths():
    path = '<path d="M 12.345678 3.5 L 7.1299 100" style="fill: #0.12345"/>'
    assert extension.shortened(path) == (
        '<path d="M 12.34 3.5 L 7.12 100" style="fill: #0.12345"/>'
    )
