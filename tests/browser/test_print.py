"""Printed pages, and the PDF of the course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(
    str(path.relative_to(SITE)) for path in (SITE / "book").glob("*.html")
)
A4 = 660  # px between its margins

pytestmark = pytest.mark.slow

# Forms of a page that each page may have: a fold of code with a measured
# sentence, a wide table, a long line, a figure in the site's colours.
FORMS = """
<div class="cell docutils container" id="forms">
<p class="measured">A sentence that was measured.</p>
<details class="hide above-input"><summary>How this is checked</summary>
<div class="cell_input docutils container"><pre>claim()</pre></div></details>
<div class="cell_input docutils container">
<div class="highlight-python notranslate"><div class="highlight"><pre>x = [
<span class="mi">1234567890</span>LONG]</pre></div></div></div>
<div class="cell_output docutils container"><div class="output text_html">
<table class="dataframe"><tr>WIDE</tr></table></div>
<div class="output text_html"><figure><svg viewBox="0 0 1000 300" width="1000">
<text fill="currentColor" y="20">axis</text></svg></figure></div></div></div>
""".replace("LONG", "1234567890" * 30).replace("WIDE", "<td>0.1234</td>" * 12)


def print_view(visited, path):
    """Open a page as it is printed: explorables ready, formulas typeset."""
    visited.go(path)
    visited.page.emulate_media(media="print")
    visited.page.wait_for_function(
        "() => [...document.querySelectorAll('article .math')]"
        ".every(e => e.querySelector('mjx-container'))"
        " && [...document.querySelectorAll('article *')]"
        ".filter(e => e.localName.startsWith('unrolled-'))"
        ".every(e => e.hasAttribute('ready'))",
        timeout=60_000,
    )


# What is seen of a page but the inside of explorables: for each element the
# lightness (0 black, 1 white) of its words and of its background, if any.
SHADES = """() => {
  const lightness = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[0-9.]+/g).map(Number);
    return a < 0.1 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  return [...document.querySelectorAll("body, body *")]
    .filter((e) => e.checkVisibility(
      { opacityProperty: true, visibilityProperty: true }))
    .filter((e) => !e.closest("mjx-assistive-mml, svg :not(text)"))
    .map((e) => {
      const style = getComputedStyle(e);
      const says = [...e.childNodes].some(
        (n) => n.nodeType === 3 && n.data.trim());
      return [
        `${e.localName}.${e.getAttribute("class") ?? ""}`,
        says ? lightness(e.localName === "text" ? style.fill : style.color)
             : null,
        lightness(style.backgroundColor),
      ];
    });
}"""

# Elements that reach over the paper's edge, or that scroll sideways.
CUT = """() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll(".bd-article *")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => !e.closest("mjx-assistive-mml, [ready]"))
    .filter((e) => {
      const box = e.getBoundingClientRect();
      const scrolls = getComputedStyle(e).overflowX !== "visible"
        && e.clientWidth  // it is none of a word in a line
        && e.scrollWidth > e.clientWidth + 1;
      return box.width && (box.left < -1 || box.right > width + 1 || scrolls);
    })
    .map((e) => `${e.localName}: ${e.textContent.slice(0, 60)}`);
}"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_dark_theme_prints_light_and_whole(visit, path):
    visited = visit(theme="dark", width=A4)
    print_view(visited, path)
    page = visited.page
    page.evaluate(
        "forms => document.querySelector('article > section')"
        ".insertAdjacentHTML('beforeend', forms)",
        FORMS,
    )
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    # a button's colour goes over to the print's in a moment
    page.evaluate("document.getAnimations().forEach((a) => a.finish())")
    shades = page.evaluate(SHADES)
    assert len(shades) > 40
    assert [s for s in shades if s[1] is not None and s[1] > 0.5] == []
    assert [s for s in shades if s[2] is not None and s[2] < 0.85] == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") == A4
    # folds stay folded, and of folded code nothing is left
    # of the page; what is inside an explorable is hidden with it
    unfolded = "document.querySelectorAll('article details[open]').length"
    assert page.evaluate(unfolded) == 0
    assert page.locator("details > :not(summary):visible").count() == 0
    assert page.locator("details.hide:visible").count() == 0
    assert page.locator("#forms p.measured").is_visible()
    # the page's own title, and nothing to press
    assert page.locator("h1:visible").count() == 1
    assert page.locator(".bd-article h1").is_visible()
    assert (
        page.evaluate(
            "() => [...document.querySelectorAll("
            "'button, nav, header, footer, .headerlink')]"
            ".filter(e => e.checkVisibility()).map(e => e.outerHTML)"
        )
        == []
    )


def test_the_light_theme_prints_light_too(visit):
    visited = visit(width=A4)
    print_view(visited, "book/8_1_sequence_models.html")
    for name, text, background in visited.page.evaluate(SHADES):
        assert text is None or text < 0.6, name
        assert background is None or background > 0.85, name


def test_an_explorable_leaves_one_line(visit):
    visited = visit(theme="dark", width=A4)
    element = visited.explorable(
        "book/8_5_rnn_from_scratch.html", "unrolled-clipping"
    )
    visited.page.emulate_media(media="print")
    name = element.get_attribute("aria-label")
    note = element.evaluate("e => getComputedStyle(e, '::before').content")
    assert name in note or "attr(aria-label)" in note
    assert 10 < element.evaluate("e => e.offsetHeight") < 60
    inside = element.locator("button, input, svg, p")
    assert inside.count() > 0
    assert inside.locator("visible=true").count() == 0


def test_a_self_check_prints_as_questions_to_tick(visit):
    visited = visit(width=A4)
    visited.go("book/8_4_recurrent_networks.html")
    form = visited.page.locator("form.selfcheck").first
    form.get_by_role("radio").first.check()
    form.get_by_role("button", name="Check").click()
    assert form.locator(".verdict").is_visible()
    visited.page.emulate_media(media="print")
    assert form.locator("label:visible").count() == 3
    assert form.locator(":is(.verdict, .why, .buttons):visible").count() == 0


def squeezed(text):
    """A text without white space, which a PDF does not keep."""
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def small(browser, site, tmp_path_factory):
    """The pages of a small PDF, and what it was made of."""
    pdf = load("tools/pdf.py")
    pages = [
        pdf.Page("book/8_4_recurrent_networks"),
        pdf.Page("book/notation", part="Reference"),
    ]
    target = tmp_path_factory.mktemp("pdf") / "small.pdf"
    facts = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    count = pdf.print_course(browser, site, pages, facts, target)
    reader = PdfReader(target)
    assert count == len(reader.pages)
    return reader


def test_the_contents_name_the_sheets_where_titles_stand(small):
    sheets = [sheet.extract_text() for sheet in small.pages]
    assert "Unrolled" in sheets[0]
    assert len(sheets) > 10
    entries = re.findall(r"^(.+?) (\d+)$", sheets[1], flags=re.M)
    titles = [words for words, _ in entries]
    assert titles[0] == "8.4 Recurrent neural networks"
    assert {"Perplexity", "Take away", "Notation", "Units"} <= set(titles)
    numbers = [int(number) for _, number in entries]
    assert numbers == sorted(numbers)
    assert numbers[0] == 3
    for words, number in entries:
        _, *lines = sheets[int(number) - 1].splitlines()  # without its head
        text = squeezed("\n".join(lines))
        assert squeezed(words) in text, (words, number)
    # the second page begins where the contents say, and not before
    start = int(dict(entries)["Notation"]) - 1
    assert sheets[start].splitlines()[0] == "Notation"
    assert sheets[start - 1].splitlines()[0] == titles[0]


def test_every_sheet_but_the_first_bears_its_number(small):
    for number, sheet in enumerate(small.pages, 1):
        lines = sheet.extract_text().splitlines()
        assert (str(number) in lines) == (number > 1)


def links_of(reader, sheet):
    """The sheets to which links lead, None for links to elsewhere."""
    for note in sheet.get("/Annots", []):
        target = note.get_object().get("/Dest")
        yield target and reader.get_page_number(target[0].get_object())


def test_links_between_pages_lead_inside_the_file(small):
    entries = re.findall(r" (\d+)$", small.pages[1].extract_text(), re.M)
    shown = [int(number) - 1 for number in entries]
    assert list(links_of(small, small.pages[1])) == shown
    start = shown[-1]
    chapter = range(2, start)
    others = [
        target
        for sheet in small.pages[start:]
        for target in links_of(small, sheet)
    ]
    # the glossary of the second page links to the chapter
    assert any(target in chapter for target in others)
    everywhere = [
        note.get_object()["/A"]["/URI"]
        for sheet in small.pages
        for note in sheet.get("/Annots", [])
        if "/A" in note.get_object()
    ]
    for address in everywhere:
        assert "127.0.0.1" not in address
        assert ".invalid" not in address


def test_bookmarks_by_page_and_section(small):
    first, sections, second, _ = small.outline
    assert first.title == "8.4 Recurrent neural networks"
    assert second.title == "Notation"
    found = {
        item.title: small.get_destination_page_number(item) + 1
        for item in (first, *sections, second)
    }
    contents = dict(
        re.findall(r"^(.+?) (\d+)$", small.pages[1].extract_text(), re.M)
    )
    for title, number in found.items():
        assert contents[title] == str(number)
    assert len(found) > 8


def test_formulas_are_typeset_and_text_can_be_searched(small):
    text = "\n".join(sheet.extract_text() for sheet in small.pages)
    assert r"\mathbf" not in text
    assert "geometric mean" in " ".join(text.split())


def run(folder):
    return subprocess.run(
        [sys.executable, "tools/pdf.py"],
        cwd=folder,
        env={**os.environ, "PATH": ""},
        capture_output=True,
        text=True,
    )


def test_what_is_missing_is_named(tmp_path):
    (tmp_path / "tools").mkdir()
    for name in (
        "tools/pdf.py",
        "tools/chromium.py",
        "_toc.yml",
        "_config.yml",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    done = run(tmp_path)
    assert done.returncode == 1
    assert "The site is not built" in done.stderr
    assert "make book" in done.stderr

    pages = load("tools/pdf.py").read_toc(ROOT / "_toc.yml")
    for page in pages:
        path = tmp_path / "_build" / "html" / f"{page.name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    done = run(tmp_path)
    assert done.returncode == 1
    assert "No Chromium" in done.stderr
    assert not list(tmp_path.rglob("*.pdf"))


def test_all_pages_in_the_order_of_the_contents(tmp_path):
    pdf = load("tools/pdf.py")
    toc = tmp_path / "_toc.yml"
    toc.write_text(
        "root: a\nparts:\n- caption: One\n  chapters:\n  - file: b\n"
        "    sections:\n    - file: c\n  - file: d\n"
        "- caption: Two\n  chapters:\n  - file: e\n"
    )
    read = [(p.name, p.depth, p.part) for p in pdf.read_toc(toc)]
    assert read == [
        ("a", 0, ""),
        ("b", 0, "One"),
        ("c", 1, ""),
        ("d", 0, ""),
        ("e", 0, "Two"),
    ]
    names = {f"{p.name}.html" for p in pdf.read_toc(ROOT / "_toc.yml")}
    assert names == set(PAGES)
