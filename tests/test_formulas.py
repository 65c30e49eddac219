"""Formulas get room before MathJax sets them."""

import re
from pathlib import Path

import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html" / "book"
formulas = load("book/_ext/formulas.py")


@pytest.mark.parametrize(
    ("source", "width"),
    [
        ("x", 1.0),
        ("W_{xh}", 1 + 2 * 0.7),
        ("W_{xh} + b", 1 + 2 * 0.7 + 2 + 1),
        (r"\hat x_t", 1 + 0.7),
        (r"\tau", 1.0),
        (r"1, \dots, T", 1 + 0.65 + 1.9 + 0.65 + 1),
        (r"\ln 2", 2.3 + 1),
        (r"a\,b", 1 + 0.3 + 1),
        ("}", 0.0),
    ],
)
def test_the_room_of_a_formula(source, width):
    assert formulas.room(source) == pytest.approx(width)


def test_longer_formulas_get_more():
    widths = [formulas.room("x" * n) for n in (1, 2, 5, 40)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_each_inline_formula_of_a_page_has_it():
    if not SITE.is_dir():
        pytest.skip("the site is not built; make book builds it")
    page = (SITE / "notation.html").read_text("utf-8")
    plain = re.findall(r'<span class="math notranslate nohighlight">', page)
    kept = re.findall(r'<span class="math[^>]*--room: [\d.]+">', page)
    assert len(kept) > 50
    assert plain == []
