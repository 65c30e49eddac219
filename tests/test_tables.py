"""Tables: a caption, few digits, HTML and text that say the same."""

import numpy as np
import pandas as pd
import pytest
import torch
from bs4 import BeautifulSoup
from IPython.core.formatters import DisplayFormatter

from unrolled.course import tables
from unrolled.course.tables import show_table


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, in both forms."""
    found = []

    def display(table):
        data, _ = DisplayFormatter().format(table)
        found.append((data["text/plain"], data["text/html"]))

    monkeypatch.setattr(tables, "display", display)
    return found


def cells(html):
    soup = BeautifulSoup(html, "html.parser")
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in soup.find_all("tr")
    ]


FRAME = pd.DataFrame(
    {"paths": [3, 52_488], "share": [0.12345, 20.0], "who": ["a", None]},
    index=pd.Index([1, 8], name="k"),
)


def test_a_table_in_both_forms(shown):
    show_table(FRAME, "What <b> costs")
    ((text, html),) = shown
    assert text.splitlines() == [
        "What <b> costs",
        "k   paths   share who",
        "1       3   0.123   a",
        "8  52,488  20.000    ",
    ]
    assert cells(html) == [
        ["k", "paths", "share", "who"],
        ["1", "3", "0.123", "a"],
        ["8", "52,488", "20.000", ""],
    ]
    soup = BeautifulSoup(html, "html.parser")
    assert soup.caption.get_text() == "What <b> costs"
    assert soup.find("b") is None
    assert soup.table.find(True) is soup.caption  # before any row
    assert soup.table.get("border") is None
    assert len(soup.find_all("table")) == 1


def test_digits_for_all_columns_or_for_some(shown):
    show_table(FRAME, "c", digits=1)
    assert cells(shown[0][1])[1:] == [
        ["1", "3", "0.1", "a"],
        ["8", "52,488", "20.0", ""],
    ]
    show_table(FRAME, "c", digits={"share": 0})
    assert [row[2] for row in cells(shown[1][1])[1:]] == ["0", "20"]


def test_counts_have_no_point_whatever_stands_beside_them(shown):
    rows = {"a": {"kinds": 861, "share": 0.5}, "b": {"share": 1.0}}
    frame = pd.DataFrame(rows).T[["kinds", "share"]]
    assert frame["kinds"].dtype == float  # pandas has made them floats
    show_table(frame, "c")
    show_table(frame, "c", digits=1)
    show_table(frame, "c", digits={"kinds": 2})
    show_table(frame, "c", digits={"share": 1})
    assert [cells(html)[1][1:] for _, html in shown] == [
        ["861", "0.500"],
        ["861", "0.5"],
        ["861.00", "0.500"],
        ["861", "0.5"],
    ]
    assert cells(shown[0][1])[2][1:] == ["", "1.000"]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (float("nan"), ""),
        (None, ""),
        (True, "True"),
        (np.int64(1234), "1,234"),
        (np.float32(0.5), "0.50"),
        (torch.tensor(0.125), "0.12"),
        (torch.tensor(1500), "1,500"),
        (float("inf"), "inf"),
        (-1234.567, "-1,234.57"),
        ("3 of 3", "3 of 3"),
    ],
)
def test_one_value(value, word):
    assert tables._word(value, 2) == word


def test_long_words_are_not_cut(shown):
    long = "x" * 200
    show_table(pd.DataFrame({"a": [long]}), "c")
    text, html = shown[0]
    assert long in text
    assert long in html


def test_tables_of_words_alone_have_a_class(shown):
    show_table(pd.DataFrame({"a": ["x"], "b": ["y"]}), "c")
    show_table(pd.DataFrame({"a": ["x"], "b": [1]}), "c")
    classes = [
        BeautifulSoup(html, "html.parser").table["class"] for _, html in shown
    ]
    assert classes == [["dataframe", "words"], ["dataframe"]]


def test_the_frame_itself_is_left_alone(shown):
    before = FRAME.copy(deep=True)
    show_table(FRAME, "c")
    pd.testing.assert_frame_equal(FRAME, before)
    assert FRAME.index.name == "k"
