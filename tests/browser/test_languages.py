"""Two languages: the switch, the words of scripts, the Chinese search."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup, Comment

from scripts import ROOT

SITE = ROOT / "_build" / "html"
ZH = sorted((SITE / "zh" / "book").glob("*.html"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ZH, reason="make book builds the Chinese site"),
]

# four English words in a row, outside what may stay English: code, figures,
# printed tables, titles of works, the library's own documentation
ENGLISH = re.compile(r"[A-Za-z][a-z'-]*(?:[ ,;:]+[A-Za-z][a-z'-]*){3,}")
KEPT = "pre, code, svg, table, em, script, style"
KEPT += ", .math, .sig, .highlight, .output, .py"
SOURCES = ("资料来源", "程序库中")
# names of the ladder and of tables, and words of the text, as they are
# printed there
NAMES = """
    words and characters mixed|context mixing, words, networks
    all gradients of length|a width for each k|ten times the values
    the time machine by h g wells|the best there is
"""


def sentences_in_english(path):
    # drawings are most of a page, and without them it is read in no time
    html = re.sub(r"<svg.*?</svg>", "", path.read_text("utf-8"), flags=re.S)
    soup = BeautifulSoup(html, "html.parser")
    for kept in soup.select(KEPT):
        kept.extract()
    known = [name.strip() for name in re.split(r"[|\n]", NAMES)]
    found = []
    for text in soup.body.find_all(string=True):
        if isinstance(text, Comment):
            continue
        block = text.find_parent(["p", "li"])
        if block and block.get_text().strip().startswith(SOURCES):
            continue
        found += [
            run for run in ENGLISH.findall(str(text)) if run not in known
        ]
    return found


@pytest.mark.parametrize("path", ZH, ids=lambda path: path.stem)
def test_no_english_sentence_is_left(path):
    if path.stem != "library":  # its entries are the docstrings
        assert sentences_in_english(path) == []


def test_english_sentences_are_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<body><p>这里 it was left as it is 了。</p></body>", "utf-8"
    )
    assert sentences_in_english(page) == ["it was left as it is"]


@pytest.mark.parametrize("name", ["index", "8_4_recurrent_networks"])
def test_the_switch_leads_to_the_same_page_and_back(visit, name):
    visited = visit()
    visited.go(f"book/{name}.html")
    page = visited.page
    assert page.locator("html").get_attribute("lang") == "en"
    for lang, words, path in (
        ("zh-CN", "中文", f"/zh/book/{name}.html"),
        ("en", "English", f"/book/{name}.html"),
    ):
        switch = page.locator("a.language")
        assert switch.inner_text().strip() == words
        assert switch.get_attribute("hreflang") == lang
        switch.click()
        page.wait_for_url(re.compile(re.escape(path) + "$"))
        assert page.locator("html").get_attribute("lang") == lang


def test_every_page_has_its_counterpart():
    for path in ZH:
        assert (SITE / "book" / path.name).is_file()
    assert len(ZH) == len(list((SITE / "book").glob("*.html")))


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("困惑度", "8_4_recurrent_networks"),
        ("梯度裁剪", "8_5_rnn_from_scratch"),
        ("隐状态", "8_4_recurrent_networks"),
        ("马尔可夫链的平稳分布", "8_1_sequence_models"),  # no spaces
        ("perplexity", "8_4_recurrent_networks"),
    ],
)
def test_the_chinese_search_finds_the_page(visit, query, page):
    visited = visit()
    visited.go(f"zh/search.html?q={quote(query)}")
    links = visited.page.locator("#search-results ul.search > li > a")
    links.first.wait_for(timeout=20_000)
    found = [link.get_attribute("href") for link in links.all()]
    assert any(page in link for link in found[:6]), found[:6]


def test_explorables_and_self_checks_speak_chinese(visit):
    visited = visit()
    visited.go("zh/book/8_1_sequence_models.html")
    page = visited.page
    chain = page.locator("unrolled-markov")
    chain.scroll_into_view_if_needed()
    page.wait_for_selector("unrolled-markov[ready]", timeout=20_000)
    assert "晴" in chain.get_attribute("aria-label")
    assert chain.get_by_role("button", name="走一步").is_visible()
    form = page.locator("form.selfcheck").first
    form.get_by_role("button", name="核对").or_(
        form.get_by_role("button", name="检查")
    ).click()
    assert re.search("[\u4e00-\u9fff]", form.locator(".verdict").inner_text())


def test_chinese_needs_no_font_from_elsewhere():
    sheet = (SITE / "zh" / "_static" / "unrolled.css").read_text("utf-8")
    assert 'html[lang^="zh"]' in sheet
    for face in re.findall(r"@font-face\{[^}]*\}", sheet):
        assert "http" not in face


def test_the_root_of_the_chinese_site_leads_to_its_first_page():
    text = Path(SITE / "zh" / "index.html").read_text("utf-8")
    assert 'lang="zh-CN"' in text
    assert 'url=book/index.html"' in text
    assert "To the course" not in text
