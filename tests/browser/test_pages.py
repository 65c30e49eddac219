"""Every page in a real browser: no complaint, no barrier, no overflow."""

import pytest

from scripts import built_pages

PAGES = built_pages()
LOUD = ("serious", "critical")


# rules that look at colours: nearly all of axe's time, and all that another
# theme can change
COLOURS = ["color-contrast", "link-in-text-block"]
OTHERS = {"rules": {rule: {"enabled": False} for rule in COLOURS}}
# what a page repeats, with thousands of words; rows only of tables that
# pandas made, of numbers
REPEATED = """
  div.cell_input, [class*=highlight-], mjx-container, dl.py > dt,
  dl.py dl.py, dl.field-list, table.dataframe tbody tr
"""
WORDS = "article p, article li, nav a"  # of which many have the same colours
KEPT = 4  # of each kind that a page has


def leave_out_repeats(page, repeated):
    """Empty all but the first of what a page repeats, kind by kind.

    A kind is a tag and its classes, those around it and those within it.
    """
    page.evaluate(
        """([repeated, kept]) => {
          const seen = {};
          const name = (e) => `${e.localName}.${e.className}`;
          for (const e of document.querySelectorAll(repeated)) {
            if (!e.isConnected) continue; // in one that is empty now
            const around = e.closest("table") ?? e.parentElement;
            const within = e.matches("p, li, a")
              ? [...e.querySelectorAll("*")].map(name).sort() : [];
            const block = around.closest("[class]").className;
            const kind = [name(e), block, ...new Set(within)];
            seen[kind] = (seen[kind] ?? 0) + 1;
            if (seen[kind] > kept) e.replaceChildren();
          }
        }""",
        [repeated, KEPT],
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


@pytest.fixture(scope="module", params=PAGES)
def on_screen(tabs, request):
    """A page on a wide screen."""
    with tabs.visits() as start:
        visited = start()
        visited.go(request.param)
        visited.settle()
        yield visited.page


@pytest.mark.slow
def test_a_wide_screen_cuts_no_table(on_screen, tables_of):
    assert [t for t in tables_of(on_screen) if t["wide"] > 1] == []


@pytest.mark.slow
def test_no_barrier_that_axe_finds(on_screen):
    """The last to have this page, as it takes much of it away."""
    leave_out_repeats(on_screen, REPEATED)
    assert barriers(on_screen, **OTHERS) == []
    leave_out_repeats(on_screen, WORDS)
    for theme in ("light", "dark"):
        change_theme(on_screen, theme)
        assert barriers(on_screen, runOnly=COLOURS) == []


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
