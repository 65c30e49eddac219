"""Every page in a real browser: no complaint, no barrier, no overflow."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(
    str(path.relative_to(SITE)) for path in (SITE / "book").glob("*.html")
)
LOUD = ("serious", "critical")


def hide_repeats(page):
    """Hide all code but the first cells of a page: it looks the same
    everywhere, and its thousands of coloured words take axe half a minute.
    """
    page.evaluate(
        "() => [...document.querySelectorAll('div.cell_input, dl.py dl.py')]"
        ".slice(4).forEach(e => { e.style.display = 'none'; });"
        # a drawing is one picture with words of its own, whatever is in it
        "document.querySelectorAll('figure.drawing svg')"
        ".forEach(e => e.replaceChildren());"
        # on a ground with shades axe leaves the contrast open
        "document.querySelectorAll('article :is(table, .output)')"
        ".forEach(e => { e.style.backgroundImage = 'none'; })"
    )


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_barrier_that_axe_finds(visit, path, theme):
    from axe_playwright_python.sync_playwright import Axe

    visited = visit(theme=theme)
    visited.go(path)
    visited.settle()
    assert (
        visited.page.evaluate("document.documentElement.dataset.theme")
        == theme
    )
    hide_repeats(visited.page)
    # it would fetch style sheets anew, some from a wrong address
    found = Axe().run(visited.page, options={"preload": False})
    loud = [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found.response["violations"]
        if rule["impact"] in LOUD
        for node in rule["nodes"]
    ]
    assert loud == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_a_telephone_is_wide_enough(visit, path):
    visited = visit(width=360, height=740)
    visited.go(path)
    visited.settle()
    width = visited.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


# of boxes that scroll, which do not start at their left end, and what lies
# fixed over the page's lower part
AT_REST = """() => ({
  formulas: document.querySelectorAll("article mjx-container").length,
  shifted: [...document.querySelectorAll("article *")]
    .filter((e) => e.scrollLeft !== 0).map((e) => e.outerHTML.slice(0, 80)),
  over: [...document.querySelectorAll("body *")].filter((e) =>
    getComputedStyle(e).position === "fixed" && e.checkVisibility() &&
    e.getBoundingClientRect().height > 0 &&
    e.getBoundingClientRect().top > 100 && !e.closest("dialog"))
    .map((e) => e.id || e.className),
})"""


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_a_telephone_starts_at_the_left_and_covers_nothing(visit, path):
    visited = visit(width=360, height=740)
    visited.go(path)
    visited.settle()
    visited.page.evaluate("scrollTo(0, 600)")
    visited.page.evaluate("scrollTo(0, 300)")  # up, which shows buttons
    seen = visited.page.evaluate(AT_REST)
    assert seen["shifted"] == []
    assert seen["over"] == []
    if "8_1" in path:
        assert seen["formulas"] > 10


@pytest.mark.slow
def test_a_complaint_is_noticed(visit):
    visited = visit()
    visited.go("book/index.html")
    visited.page.evaluate("console.error('planted')")
    visited.page.evaluate("fetch('missing.json')")
    visited.page.wait_for_timeout(200)
    planted, missing = visited.complaints
    assert "planted" in planted
    assert "404" in missing
    assert "book/missing.json" in missing
    visited.complaints.clear()


@pytest.mark.slow
def test_the_landing_page_writes_by_itself(visit):
    visited = visit()
    visited.go("index.html")  # which leads on to the landing page
    network = visited.page.locator("unrolled-network[ready]")
    network.wait_for(timeout=60_000)
    before = network.evaluate("e => e.state.ids.length")
    visited.page.wait_for_function(
        "n => document.querySelector('unrolled-network')"
        ".state.ids.length >= n",
        arg=before + 10,
        timeout=60_000,
    )
