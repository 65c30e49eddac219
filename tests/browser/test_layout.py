"""Nothing moves: links land where they should, explorables keep their room."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
SCRIPTS = ROOT / "book" / "_static" / "explorables"
PAGES = sorted(
    str(path.relative_to(SITE)) for path in (SITE / "book").glob("*.html")
)
# where each explorable stands: the first page that holds it
TAGS = {
    tag: path
    for path in reversed(PAGES)
    for tag in re.findall(r"<(unrolled-\w+)", (SITE / path).read_text("utf-8"))
}
NEAR = 20  # px from where a heading should stand
SHIFT = 0.05

# adds up what has moved since the page began to load
WATCH = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) window.shift += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""
# ready, typeset, and at rest for a tenth of a second
SETTLE = """async () => {
  const parts = () => [...document.querySelectorAll("*")]
    .filter((e) => e.localName.startsWith("unrolled-"));
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  while (!parts().every((e) => e.hasAttribute("ready"))) await pause(50);
  if (window.MathJax?.startup) await MathJax.startup.promise;
  const place = () => `${scrollY} ${document.documentElement.scrollHeight}`;
  for (let before = null, since = 0; since < 5; since += 1) {
    if (place() !== before) since = 0;
    before = place();
    await pause(20);
  }
}"""
# the sections with a heading, in order, and which of them must be tried by
# loading the page: the last one, and the first one after each explorable
ANCHORS = """() => {
  const sections = [...document.querySelectorAll("section[id]")]
    .filter((e) => /^H[1-6]$/.test(e.firstElementChild?.tagName));
  const after = [...document.querySelectorAll("*")]
    .filter((e) => e.localName.startsWith("unrolled-"))
    .map((e) => sections.find((s) =>
      e.compareDocumentPosition(s) & Node.DOCUMENT_POSITION_FOLLOWING));
  const loaded = new Set([...after, sections.at(-1)].filter(Boolean));
  return [sections.map((e) => e.id), [...loaded].map((e) => e.id)];
}"""
# goes to each section in turn: "" if the heading stands where the theme wants
# it, free of the header, or can be seen at the end of the page
MISSES = """([ids, near, go]) => {
  const page = document.documentElement;
  const miss = (id) => {
    const heading = document.getElementById(id).firstElementChild;
    const box = heading.getBoundingClientRect();
    const wanted = parseFloat(getComputedStyle(page).scrollPaddingTop);
    const top = document.elementFromPoint(box.left + 2, box.top + 2);
    if (!heading.contains(top)) return `${id}: covered at ${box.top}`;
    if (Math.abs(box.top - wanted) <= near) return "";
    const end = page.scrollHeight - innerHeight - scrollY <= 1;
    if (end && box.top > wanted && box.bottom <= innerHeight) return "";
    return `${id}: at ${box.top}, not ${wanted}`;
  };
  const found = [];
  for (const id of ids) {
    // what a link does, but without waiting for a frame
    if (go) document.getElementById(id).scrollIntoView();
    found.push(miss(id));
  }
  return found.filter(Boolean);
}"""


def misses(page, ids, go=True):
    """Go to each anchor of an open page; what was missed, in words."""
    assert ids, "no anchor to check"
    return page.evaluate(MISSES, [ids, NEAR, go])


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", PAGES)
def test_every_link_into_a_page_lands(visit, path, width):
    # as a reader comes first, by telephone; the other window is a later one
    visited = visit(width=width, own=width == 360)
    page = visited.page
    page.set_default_timeout(120_000)  # other tests keep the machine busy
    visited.go(path)
    page.evaluate(WATCH)
    page.evaluate(SETTLE)
    shift = page.evaluate("window.shift")
    ids, loaded = page.evaluate(ANCHORS)
    assert misses(page, ids) == []
    assert loaded
    if width == 1280 and not page.locator(", ".join(TAGS)).count():
        loaded = []  # nothing there grows late
    for name in loaded:
        # a query of its own, or the page would not be loaded again
        visited.go(f"{path}?{name}#{name}")
        page.evaluate(SETTLE)
        assert misses(page, [name], go=False) == []
    assert shift < SHIFT


@pytest.mark.slow
def test_a_miss_and_a_shift_are_noticed(visit):
    visited = visit(own=True)
    page = visited.page
    visited.go("book/notation.html")
    page.evaluate(WATCH)
    page.evaluate(SETTLE)
    ids, _ = page.evaluate(ANCHORS)
    before = page.evaluate("window.shift")
    grow = "px => { const e = document.createElement('div');"
    grow += " e.style.height = px; e.style.overflowAnchor = 'none';"
    grow += " document.querySelector('.bd-article section').before(e); }"
    assert misses(page, ids[1:2]) == []
    # as in a browser that does not hold on to what the reader sees
    page.evaluate("document.documentElement.style.overflowAnchor = 'none'")
    page.evaluate(grow, "30px")
    (miss,) = misses(page, ids[1:2], go=False)
    assert ids[1] in miss
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(grow, "400px")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") > before + SHIFT
    # under the header it is not seen, and nowhere near it is not found
    page.evaluate("scrollTo(0, 5000)")
    (miss,) = misses(page, ids[:1], go=False)
    assert ids[0] in miss
    with pytest.raises(AssertionError, match="no anchor"):
        misses(page, [])


def test_every_explorable_stands_somewhere():
    modules = {
        f"unrolled-{path.stem}"
        for path in SCRIPTS.glob("*.js")
        if "customElements.define" in path.read_text("utf-8")
    }
    assert modules == set(TAGS) != set()


ALONE = """(tag) => {
  let e = document.querySelector(tag);
  for (; !e.matches("article"); e = e.parentElement) {
    for (const other of e.parentElement.children) {
      if (other !== e) other.style.display = "none";
    }
  }
}"""


@pytest.mark.slow
@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("tag", TAGS)
def test_the_room_that_is_kept_is_the_room_it_needs(visit, tag, touch):
    element = visit(
        reduced_motion="reduce", has_touch=touch, is_mobile=touch
    ).explorable(TAGS[tag], tag)
    page = element.page
    room = element.bounding_box()["width"]
    page.evaluate(ALONE, tag)  # or each width lays out a long page anew
    assert element.bounding_box()["width"] == room
    for width in (320, 360, 500, 768, 1024, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(SETTLE)
        kept, needed = page.evaluate(
            "tag => { const e = document.querySelector(tag);"
            " const kept = parseFloat(getComputedStyle(e).minHeight);"
            " e.style.minHeight = 0;"
            " const needed = e.getBoundingClientRect().height;"
            " e.style.minHeight = ''; return [kept, needed]; }",
            tag,
        )
        where = f"{width} px: keeps {kept}, needs {needed}; run make rooms"
        assert needed <= kept + 0.5, where
        if width in (360, 1280):
            assert kept - needed <= 60, where


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_it_says_that_it_loads_and_does_not_grow(visit, width):
    visited = visit(width=width)
    page, held = visited.page, []
    page.route("**/explorables/clipping.js*", lambda route: held.append(route))
    # load waits for the module
    page.goto(visited.site + TAGS["unrolled-clipping"], wait_until="commit")
    element = page.locator("unrolled-clipping")
    element.wait_for()
    says = "e => getComputedStyle(e, '::after').content"
    assert "Loading ..." in element.evaluate(says)
    assert "On the course" in element.inner_text()
    before = element.bounding_box()["height"]
    assert before > 300
    held[0].continue_()
    page.wait_for_selector("unrolled-clipping[ready]")
    assert element.evaluate(says) == "none"
    assert element.bounding_box()["height"] == pytest.approx(before, abs=1)


@pytest.mark.slow
def test_without_scripts_the_sentence_stands_alone(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + TAGS["unrolled-clipping"])
    element = page.locator("unrolled-clipping")
    assert "On the course" in element.inner_text()
    assert element.bounding_box()["height"] < 150
    context.close()


@pytest.mark.slow
def test_a_file_that_is_missing_is_said_in_words(visit):
    visited = visit()
    page = visited.page
    page.route("**/data/network.bin", lambda route: route.abort())
    visited.go(TAGS["unrolled-network"])
    element = page.locator("unrolled-network[failed]")
    element.wait_for()
    said = element.get_by_role("alert").inner_text()
    assert "Check the connection and load the page again" in said
    says = "e => getComputedStyle(e, '::after').content"
    assert element.evaluate(says) == "none"
    assert visited.complaints
    visited.complaints.clear()


@pytest.mark.slow
@pytest.mark.parametrize("tag", TAGS)
def test_on_a_telephone_it_can_be_read_and_hit(visit, tag):
    element = visit(
        width=360,
        height=740,
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    ).explorable(TAGS[tag], tag)
    page = element.page
    page.evaluate(SETTLE)
    small, fine, controls, words = page.evaluate(
        """(tag) => {
          const root = document.querySelector(tag).shadowRoot;
          const seen = (e) => e.checkVisibility() && !e.closest(".hidden");
          const controls = [...root.querySelectorAll("button, input, select")]
            .filter(seen);
          const small = controls.filter((e) => {
            const { width, height } = e.getBoundingClientRect();
            return Math.min(width, height) < 43.9;
          });
          const words = [...root.querySelectorAll("*")].filter((e) =>
            seen(e) && !e.matches("style, option") && [...e.childNodes].some(
              (n) => n.nodeType === Node.TEXT_NODE && n.data.trim()));
          const fine = words.filter((e) => {
            const own = e.getScreenCTM?.() ?? { a: 1, b: 0 };
            const scale = Math.hypot(own.a, own.b); // of a picture
            return parseFloat(getComputedStyle(e).fontSize) * scale < 11.9;
          });
          const name = (e) => e.outerHTML.slice(0, 100);
          return [small.map(name), fine.map(name),
                  controls.length, words.length];
        }""",
        tag,
    )
    assert controls > 0
    assert words > 0
    assert small == []
    assert fine == []
