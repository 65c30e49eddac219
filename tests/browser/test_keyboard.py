"""Who goes by keyboard sees where, stays there and stops where it matters."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(
    str(path.relative_to(SITE)) for path in (SITE / "book").glob("*.html")
)
pytestmark = pytest.mark.slow

# what has the focus: its name, whether it is seen, and the contrast of the
# ring around it, its label or its grip, with the ground that the ring lies on
FOCUSED = """() => {
  let e = document.activeElement;
  while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement ?? e.getRootNode().host) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0.5) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const ring = (e) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } =
      getComputedStyle(e);
    if (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) {
      return outlineColor;
    }
    return boxShadow.match(/rgb\\([^)]*\\)(?= 0px 0px 0px [23])/)?.[0];
  };
  const GRIP = ".grip, .toctree-toggle";
  const marked = [e, e.closest("label"), e.querySelector(GRIP)]
    .filter(Boolean).find(ring);
  const words = e.getAttribute("aria-label") ?? e.title ?? "";
  const contrast = () => {
    const [a, b] = [ring(marked), ground(marked.parentElement)].map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return {
    name: `${e.localName}.${e.className.baseVal ?? e.className} ${words}`,
    end: e === document.body,
    seen: e.checkVisibility({ opacityProperty: true }),
    contrast: marked ? contrast() : 0,
  };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["book/8_1_sequence_models.html", "book/library.html"]
)
def test_what_has_the_focus_has_a_ring(visit, path, theme):
    visited = visit(theme=theme)
    visited.go(path)
    visited.settle()
    page = visited.page
    page.add_style_tag(content="* { transition: none !important }")
    # the library's entries are all alike
    page.evaluate(
        "[...document.querySelectorAll('dl.py')].slice(12)"
        ".forEach((e) => e.remove())"
    )
    names, faults = set(), []
    for _ in range(2000):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now["end"]:
            break
        names.add(now["name"].strip())
        if not now["seen"] or now["contrast"] < 3:
            faults.append(now)
    assert now["end"]
    for part in ("primary-toggle", "dropdown-toggle", "btn-fullscreen"):
        assert any(part in name for name in names), part
    assert faults == []


def test_formulas_are_no_stops_and_can_be_read_aloud(visit):
    visited = visit()
    visited.go("book/8_1_sequence_models.html")
    visited.page.evaluate("() => MathJax.startup.promise")
    formulas, stops, spoken = visited.page.evaluate(
        "() => ['', '[tabindex]', ':has(mjx-assistive-mml > math)'].map("
        "(s) => document.querySelectorAll(`mjx-container${s}`).length)"
    )
    assert formulas == spoken > 20
    assert stops == 0


# of boxes that the reader can scroll sideways: how many there are, which are
# no stop for the Tab key, and which stops do not scroll
SCROLLED = """() => {
  const boxes = [...document.querySelectorAll("article *")].filter((e) =>
    !e.matches("span, pre") && getComputedStyle(e).overflowX === "auto");
  const wide = boxes.filter((e) => e.scrollWidth > e.clientWidth + 8);
  const names = (list) => list.map((e) => e.outerHTML.slice(0, 80));
  return [
    wide.length, names(wide.filter((e) => e.tabIndex !== 0)),
    names(boxes.filter((e) => !wide.includes(e) && e.tabIndex === 0)),
  ];
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_what_scrolls_is_a_stop_and_nothing_else_is(visit, width):
    visited = visit(width=width)
    page = visited.page
    visited.go("book/8_3a_counting_in_earnest.html")
    page.evaluate("() => MathJax.startup.promise")
    page.wait_for_timeout(300)
    many, missed, idle = page.evaluate(SCROLLED)
    assert many > (4 if width == 360 else 0)
    assert missed == idle == []
    # a box that grows or shrinks with the window
    page.set_viewport_size(
        {"width": 3000 if width == 360 else 360, "height": 900}
    )
    page.wait_for_timeout(500)
    assert page.evaluate(SCROLLED)[1:] == [[], []]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_copy_button_keeps_the_focus_and_speaks(visit, key):
    visited = visit()
    page = visited.page
    visited.go("book/8_2_text_preprocessing.html")
    page.wait_for_selector("button.copybtn", state="attached")
    said = page.get_by_role("status").and_(page.locator("body > *"))
    button = page.locator("div.cell_input:visible button.copybtn").first
    for _ in range(2):  # and a second time
        assert said.inner_text() == ""
        button.focus()
        page.keyboard.press(key)
        page.wait_for_function(
            "() => document.querySelector('body > [role=status]').textContent"
        )
        assert said.inner_text() == "Copied!"
        assert button.evaluate("e => e === document.activeElement")
        page.evaluate(
            "document.querySelector('body > [role=status]').textContent = ''"
        )


def test_folds_are_called_by_what_they_say(visit):
    visited = visit()
    visited.go("book/8_1_sequence_models.html")
    fold = visited.page.locator("div.role-finding details").first
    assert "How this is checked" in fold.aria_snapshot()
    fold.locator("summary").click()
    assert "How this is checked" in fold.locator("summary").inner_text()
    code = fold.locator("pre").inner_text()
    assert code.strip()
    assert "@title" not in code


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_link_of_a_heading_has_the_colour_of_links(visit, theme):
    visited = visit(theme=theme)
    visited.go("book/8_1_sequence_models.html")
    page = visited.page
    page.add_style_tag(content="* { transition: none !important }")
    heading = page.locator("article h2").first
    heading.hover()
    link = heading.locator("a.headerlink")
    look = "e => [getComputedStyle(e).color, getComputedStyle(e).opacity]"
    # of a link in the text, which axe has looked at
    other = page.locator("article p > a.reference").first
    assert link.evaluate(look) == other.evaluate(look)
    link.hover()
    assert link.evaluate(look)[1] == "1"
