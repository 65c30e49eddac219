"""Every page in a real browser: no complaint, no barrier, no overflow."""

import pytest

from scripts import built_pages

PAGES = built_pages()
LOUD = ("serious", "critical")


# rules that look at colours: nearly all of axe's time, and all that another
# theme can change
COLOURS = ["color-contrast", "link-in-text-block"]
# what a page repeats in the same colours, with thousands of words; rows only
# of tables that pandas made, of numbers
REPEATED = """
  div.cell_input, [class*=highlight-], mjx-container, dl.py > dt,
  dl.py dl.py, dl.field-list, table.dataframe tbody tr
"""
KEPT = 4  # of each kind that a page has


def leave_out_repeats(page):
    """Empty all but the first of what a page repeats, kind by kind."""
    page.evaluate(
        """([repeated, kept]) => {
          const seen = {};
          for (const e of document.querySelectorAll(repeated)) {
            if (!e.isConnected) continue; // in one that is empty now
            const around = e.closest("table") ?? e.parentElement;
            const kind = [e.localName, e.className, around.className];
            seen[kind] = (seen[kind] ?? 0) + 1;
            if (seen[kind] > kept) e.replaceChildren();
          }
        }""",
        [REPEATED, KEPT],
    )
    page.evaluate(
        # a drawing is one picture with words of its own, whatever is in it
        "document.querySelectorAll('figure.drawing svg')"
        ".forEach(e => e.replaceChildren());"
        # on a ground with shades axe leaves the contrast open
        "document.querySelectorAll('article :is(table, .output)')"
        ".forEach(e => { e.style.backgroundImage = 'none'; })"
    )


def barriers(page, **options):
    """What axe finds on an open page that is serious, in words."""
    from axe_playwright_python.sync_playwright import Axe

    # it would fetch style sheets anew, some from a wrong address; and to
    # describe what is no barrier takes as long as to find one
    options |= {"preload": False, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options)
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found.response["violations"]
        if rule["impact"] in LOUD
        for node in rule["nodes"]
    ]


def change_theme(page, theme):
    """Have the open page in another theme, at once."""
    page.add_style_tag(content="* { transition: none !important }")
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_no_barrier_that_axe_finds(visit, path):
    visited = visit()
    visited.go(path)
    visited.settle()
    page = visited.page
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    leave_out_repeats(page)
    assert barriers(page) == []
    change_theme(page, "dark")
    assert barriers(page, runOnly=COLOURS) == []


@pytest.mark.slow
def test_barriers_are_noticed(visit):
    visited = visit()
    visited.go("book/notation.html")
    page = visited.page
    page.evaluate(
        "document.querySelector('article h1').insertAdjacentHTML('afterend',"
        ' \'<p style="color: #888; background: #777">pale</p>'
        '<p class="in-the-dark">paler</p><button></button>\')'
    )
    page.add_style_tag(
        content='[data-theme="dark"] .in-the-dark { color: #555 }'
    )
    names = [found.partition(":")[0] for found in barriers(page)]
    assert sorted(names) == ["button-name", "color-contrast"]
    change_theme(page, "dark")
    found = barriers(page, runOnly=COLOURS)
    assert [
        name in words
        for name, words in zip(("pale<", "paler<"), found, strict=True)
    ] == [True, True]


@pytest.fixture(scope="module", params=PAGES)
def on_telephone(tabs, request):
    """A page on a telephone, for tests that leave it as they find it."""
    with tabs.visits() as start:
        visited = start(width=360, height=740)
        visited.go(request.param)
        visited.settle()
        yield visited.page


@pytest.mark.slow
def test_a_telephone_is_wide_enough(on_telephone):
    assert on_telephone.evaluate("document.documentElement.scrollWidth") <= 360


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
def test_a_telephone_starts_at_the_left_and_covers_nothing(on_telephone):
    on_telephone.evaluate("scrollTo(0, 600)")
    on_telephone.evaluate("scrollTo(0, 300)")  # up, which shows buttons
    seen = on_telephone.evaluate(AT_REST)
    assert seen["shifted"] == []
    assert seen["over"] == []
    if "8_1" in on_telephone.url:
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
def test_a_tab_that_is_used_again_has_forgotten(tabs):
    with tabs.visits() as start:
        page = start(width=700).page
        page.goto(f"{tabs.site}book/notation.html")
        page.evaluate("localStorage.kept = sessionStorage.kept = 'yes'")
        page.reload()  # within a visit it is kept
        kept = page.evaluate("[localStorage.kept, sessionStorage.kept]")
        assert kept == ["yes", "yes"]
        page.route("**/*", lambda route: route.abort())
        page.emulate_media(media="print", reduced_motion="reduce")
        page.set_viewport_size({"width": 300, "height": 300})
    with tabs.visits() as start:
        visited = start(width=700)
        assert visited.page is page
        visited.go("book/notation.html")
        assert page.evaluate(
            "[localStorage.kept, sessionStorage.kept, localStorage.mode,"
            " innerWidth, matchMedia('print').matches,"
            " matchMedia('(prefers-reduced-motion)').matches]"
        ) == [None, None, "light", 700, False, False]


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
