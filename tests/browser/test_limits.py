"""What DESIGN asks of a core page: short, and a picture comes early."""

from pathlib import Path

import nbformat
import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted(path.stem for path in (ROOT / "book").glob("8_?_*.ipynb"))
MOST_WORDS, TALLEST, FIRST_PICTURE = 2_500, 16_000, 1_500

forms = load("tools/forms.py")
MEASURE = """() => {
  const pictures = [...document.querySelectorAll("article *")].filter(
    (e) => e.matches("figure.drawing") || e.localName.startsWith("unrolled-"));
  const lines = (p) => Math.round(p.getBoundingClientRect().height /
    parseFloat(getComputedStyle(p).lineHeight));
  // paragraphs of nothing but words, whose last line may be short
  const long = [...document.querySelectorAll("article section > p")].filter(
    (p) => lines(p) >= 4 && [...p.querySelectorAll("*")].every((e) =>
      ["A", "EM", "SPAN", "STRONG"].includes(e.tagName) &&
      !e.classList.contains("math")));
  const open = [...document.querySelectorAll("article div.cell_input pre")]
    .filter((e) => !e.closest("details:not([open])"));
  return {
    height: document.documentElement.scrollHeight,
    first: Math.min(...pictures.map((e) => e.getBoundingClientRect().top)),
    characters: long.reduce((sum, p) => sum + p.textContent.length, 0),
    lines: long.reduce((sum, p) => sum + lines(p) - 0.5, 0),
    wide: open.filter((e) => e.scrollWidth > e.clientWidth).length,
    code: open.length,
  };
}"""


@pytest.mark.parametrize("stem", CORE)
def test_a_core_page_has_few_words(stem):
    notebook = nbformat.read(ROOT / "book" / f"{stem}.ipynb", as_version=4)
    assert 0 < forms.words(notebook) <= MOST_WORDS


@pytest.mark.slow
@pytest.mark.parametrize("stem", CORE)
def test_a_core_page_is_short_and_a_picture_comes_early(visit, stem):
    visited = visit()
    visited.go(f"book/{stem}.html")
    visited.settle()
    seen = visited.page.evaluate(MEASURE)
    assert seen["height"] <= TALLEST
    assert 0 < seen["first"] <= FIRST_PICTURE
    if seen["lines"] > 20:
        assert 70 <= seen["characters"] / seen["lines"] <= 80
    assert seen["wide"] == 0  # no line of code is cut
    # the summary has all of its code folded
    assert (seen["code"] > 0) is (stem != "8_6_summary")
