"""On a telephone nothing is cut without a sign, and a finger does its part."""

import pytest

from scripts import built_pages

PAGES = built_pages()
pytestmark = pytest.mark.slow


TELEPHONE = {
    "width": 360,
    "height": 740,
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}


def open_on_telephone(visited, path):
    """Open a page, wait for its formulas and explorables."""
    visited.go(path)
    visited.settle()
    return visited.page


@pytest.fixture
def telephone(visit):
    """Open a page on a telephone, wait for its formulas."""
    return lambda path: open_on_telephone(visit(**TELEPHONE), path)


@pytest.fixture(scope="module", params=PAGES)
def each_page(tabs, request):
    """A page on a telephone, for tests that leave it as they find it."""
    with tabs.visits() as start:
        yield open_on_telephone(start(**TELEPHONE), request.param)


def test_a_telephone_is_wide_enough(each_page):
    assert each_page.evaluate("document.documentElement.scrollWidth") <= 360


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


def test_a_telephone_starts_at_the_left_and_covers_nothing(each_page):
    each_page.evaluate("scrollTo(0, 600)")
    each_page.evaluate("scrollTo(0, 300)")  # up, which shows buttons
    seen = each_page.evaluate(AT_REST)
    assert seen["shifted"] == []
    assert seen["over"] == []
    if "8_1" in each_page.url:
        assert seen["formulas"] > 10


# formulas of which ink lies outside the box that shows them, on the side
# that no scrolling reaches, or that cannot scroll
CUT = """() => {
  const faults = [];
  const all = [...document.querySelectorAll("article mjx-container")]
    .filter((e) => e.checkVisibility());
  for (const formula of all) {
    const ink = [...formula.querySelectorAll("mjx-c, mjx-utext")]
      .map((e) => e.getBoundingClientRect()).filter((box) => box.width);
    let left = Math.min(...ink.map((box) => box.left));
    let right = Math.max(...ink.map((box) => box.right));
    for (let e = formula; !e.matches("article"); e = e.parentElement) {
      const { overflowX } = getComputedStyle(e);
      if (overflowX === "visible") continue;
      const box = e.getBoundingClientRect();
      const scrolls = overflowX === "auto";
      if (left < box.left - 1 || (right > box.right + 1 && !scrolls)) {
        faults.push([formula.textContent, left - box.left, right - box.right]);
      }
      // all of the box may be reached, if the boxes around it show it
      [left, right] = [box.left, box.right];
    }
  }
  return [all.length, faults];
}"""


def test_formulas_begin_in_their_boxes_and_are_not_cut(each_page):
    count, faults = each_page.evaluate(CUT)
    assert faults == []
    if "8_1_sequence" in each_page.url:
        assert count > 20
        # the test sees a row that begins at its right end
        style = each_page.add_style_tag(
            content="article div.math { display: flex !important; "
            "flex-direction: row-reverse }"
        )
        assert each_page.evaluate(CUT)[1]
        style.evaluate("e => e.remove()")


def test_wide_tables_scroll_with_a_sign_and_keep_their_names(
    each_page, tables_of
):
    tables = tables_of(each_page)
    for table in tables:
        assert table["scrolls"]
        assert table["shades"] == 4
        assert table["attached"] == "local, local, scroll, scroll"
        assert table["stays"]
    if "8_5_" in each_page.url:
        assert any(table["wide"] > 50 for table in tables)


def test_the_shade_is_seen_where_a_table_is_cut(telephone):
    from io import BytesIO

    from PIL import Image

    page = telephone("book/status.html")
    table = page.locator("article table")
    table.scroll_into_view_if_needed()

    def edge():
        """How much darker the right edge is than the page, 0 to 255."""
        shot = Image.open(BytesIO(table.screenshot())).convert("L")
        column = [
            shot.getpixel((shot.width - 4, y)) for y in range(shot.height)
        ]
        return 255 - sorted(column)[len(column) // 2]

    cut = edge()
    table.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_timeout(200)
    assert cut > edge() + 30


def test_the_ways_on_are_read_whole(each_page):
    cut = each_page.evaluate(
        "() => [...document.querySelectorAll('.prev-next-area :is(a, p)')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1"
        " || e.getBoundingClientRect().right > innerWidth)"
        ".map((e) => e.textContent)"
    )
    assert cut == []


def test_no_hint_at_keys_and_no_tooltip_that_stays(telephone):
    page = telephone("book/notation.html")
    page.locator("button.search-button").last.tap()
    field = page.locator("#search-input")
    field.wait_for(state="visible")
    assert not page.locator(".search-button__kbd-shortcut:visible").count()
    page.keyboard.press("Escape")
    page.locator("button.primary-toggle").tap()
    page.wait_for_timeout(500)
    assert page.locator(".tooltip:visible").count() == 0


def swipe(page, slider, along, down):
    """Move a finger from near a slider's end; how far the page went."""
    slider.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box, before = slider.bounding_box(), page.evaluate("scrollY")
    x = box["x"] + 0.85 * box["width"]
    y = box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    for step in range(16):
        point = {"x": x + along * step / 15, "y": y + down * step / 15}
        touch.send(
            "Input.dispatchTouchEvent",
            {
                "type": "touchMove" if step else "touchStart",
                "touchPoints": [point],
            },
        )
        page.wait_for_timeout(16)
    touch.send(
        "Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}
    )
    page.wait_for_timeout(400)
    return page.evaluate("scrollY") - before


@pytest.mark.parametrize("where", [".matrix", ".controls"])
def test_a_swipe_over_a_slider_scrolls_and_changes_nothing(telephone, where):
    page = telephone("book/8_1_sequence_models.html")
    markov = page.locator("unrolled-markov[ready]")
    markov.wait_for(timeout=90_000)
    slider = markov.locator(f"{where} input[type=range]").first
    settings = "e => [e.state.matrix, e.state.k]"
    before = markov.evaluate(settings)
    assert swipe(page, slider, 0, -150) > 50
    assert markov.evaluate(settings) == before
    # and along the slider it moves the slider
    assert swipe(page, slider, -20, 0) == 0
    assert markov.evaluate(settings) != before
