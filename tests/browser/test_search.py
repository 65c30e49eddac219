"""The search leads to the section that a reader looks for."""

import json
import re
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.slow
LIBRARY = "book/library.html"


def results(visit, query):
    """The addresses of the results as they stand on the page, in order."""
    visited = visit()
    visited.go(f"search.html?q={quote(query)}")
    page = visited.page
    summary = page.locator("#search-results .search-summary")
    page.wait_for_function(
        "e => /found|did not match/.test(e.innerText)",
        arg=summary.element_handle(),
        timeout=20_000,
    )
    links = page.locator("#search-results ul.search > li > a")
    return [link.get_attribute("href") for link in links.all()]


def test_perplexity_leads_to_where_it_is_defined(visit):
    found = results(visit, "perplexity")
    assert found[0] == "book/8_4_recurrent_networks.html#perplexity"
    assert len(found) == len(set(found))


@pytest.mark.parametrize("query", ["perplexity", "vocab", "hidden state"])
def test_pages_come_before_entries_of_the_library(visit, query):
    found = results(visit, query)
    entries = [link.startswith(LIBRARY) for link in found]
    assert True in entries
    assert False in entries
    assert entries == sorted(entries)


@pytest.mark.parametrize("query", ["stationary", "gradient clipping"])
def test_a_result_opens_at_its_section(visit, query):
    path, anchor = results(visit, query)[0].split("#")
    visited = visit()
    visited.go(f"{path}#{anchor}")
    target = visited.page.locator(":target")
    assert target.evaluate("e => e.localName") == "section"
    text = target.inner_text().lower()
    for word in query.split():
        assert word[:4] in text


@pytest.mark.parametrize("query", ["困惑", "困惑度", "循环", "偏移"])
def test_chinese_words_find_the_glossary(visit, query):
    assert "book/notation.html#chinese-english-glossary" in results(
        visit, query
    )


def test_what_is_nowhere_is_not_found(visit):
    assert results(visit, "xyzzy") == []
    assert results(visit, "惑困") == []


def test_every_anchor_of_the_index_is_on_its_page(visit, site):
    visited = visit()
    visited.go("search.html")
    text = visited.page.evaluate(
        "async () => JSON.stringify((await import("
        "new URL('_static/sections.js', location))).default)"
    )
    pages = json.loads(text)
    assert len(pages) > 10
    for page, sections in pages.items():
        html = visited.page.request.get(f"{site}{page}.html").text()
        assert sections[0][0] == ""
        for anchor, *_ in sections[1:]:
            assert re.search(rf'id="{re.escape(anchor)}"', html), anchor
