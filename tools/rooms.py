"""Measure how much room each explorable needs, and reserve it.

    python tools/rooms.py           (make rooms, which builds the site first)

An explorable is drawn by its script, long after the page is there. If it did
not keep its room, everything below would move, and a link into the page would
miss. So every explorable of the built site is measured in Chromium, at every
width of the screen from 320 to 1600 px, with a mouse and with a finger (whose
controls are larger), and the heights are written to the end of
book/_static/explorables.css as rules for the width that the explorable has.
Run it again whenever an explorable changes its height, then build the site;
tests/browser/test_layout.py says when that is due.
"""

import functools
import http.server
import re
import threading
from pathlib import Path

import chromium
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
SHEET = ROOT / "book" / "_static" / "explorables.css"
MARK = "/* From here on written by tools/rooms.py (make rooms). */\n"
# on narrow screens a few pixels break a line
WIDTHS = [*range(320, 720, 8), *range(720, 1601, 16)]
SPREAD = 32  # px by which the heights under one rule may differ

# Nothing else is laid out, which makes a width a matter of milliseconds.
ALONE = """() => {
  const found = [...document.querySelectorAll("*")]
    .filter((e) => e.localName.startsWith("unrolled-"));
  for (const e of document.querySelectorAll(".bd-article section > *")) {
    if (e.localName !== "section" && !found.some((x) => e.contains(x))) {
      e.style.display = "none";
    }
  }
  for (const e of found) e.style.setProperty("min-height", "0", "important");
}"""
MEASURE = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame(); await frame();
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return [...document.querySelectorAll("[ready]")]
    .filter((e) => e.localName.startsWith("unrolled-"))
    .map((e) => [e.localName + (e.hasAttribute("writes") ? "[writes]" : ""),
                 e.parentElement.clientWidth,
                 e.getBoundingClientRect().height, rem]);
}"""

Heights = dict[int, float]  # px of the explorable's width -> rem it needs


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *words) -> None:
        """Say nothing."""


def measure(page: Page) -> dict[str, Heights]:
    """The heights of every explorable of a page, at every width."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('*')]"
        ".every((e) => !e.localName.startsWith('unrolled-')"
        " || e.hasAttribute('ready'))"
    )
    page.evaluate(ALONE)
    found: dict[str, Heights] = {}
    for screen in WIDTHS:
        page.set_viewport_size({"width": screen, "height": 900})
        for name, width, height, rem in page.evaluate(MEASURE):
            # a hundredth more than measured: pixels are rounded
            need = height / rem + 0.01
            heights = found.setdefault(name, {})
            heights[width] = max(heights.get(width, 0), need)
    return found


def steps(heights: Heights, spread: float) -> list[tuple[int, float]]:
    """Few (width from which on, height) that are enough at every width."""
    rules: list[tuple[int, float]] = []
    start, low, high = 0, float("inf"), 0.0
    widths = sorted(heights)
    for width, after in zip(widths, [*widths[1:], widths[-1]], strict=True):
        # up to the next width that was measured, the larger of the two
        height = max(heights[width], heights[after])
        if max(high, height) - min(low, height) > spread:
            rules.append((start, high))
            start, low, high = width, height, height
        low, high = min(low, height), max(high, height)
    return [*rules, (start, high)]


def rules(found: dict[str, Heights], rem: float = 16) -> str:
    """The rules of a style sheet for what was measured."""
    lines = []
    for name, heights in sorted(found.items()):
        for start, height in steps(heights, SPREAD / rem):
            rule = f"{name} {{ min-height: {height:.2f}rem; }}"
            if start:
                at = f"@container explorable (min-width: {start}px)"
                rule = f"{at} {{ {rule} }}"
            lines.append(f"  {rule}\n")
    return "".join(lines)


def pages() -> list[str]:
    """Pages of the built site that hold each explorable at least once."""
    chosen, seen = [], set()
    for path in sorted((SITE / "book").glob("*.html")):
        # the network that writes by itself is smaller: it counts as another
        tag = r"<(unrolled-\w+(?: writes)?)"
        names = set(re.findall(tag, path.read_text("utf-8")))
        if names - seen:
            chosen.append(str(path.relative_to(SITE)))
        seen |= names
    return chosen


def main() -> None:
    """Measure the built site and write the rules."""
    program = chromium.find()
    if program is None:
        raise SystemExit(chromium.MISSING)
    if not SITE.is_dir():
        raise SystemExit("The site is not built: run make book first")
    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    media = {
        "(scripting: enabled)": False,
        "(scripting: enabled) and (pointer: coarse)": True,
    }
    text = ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        for query, touch in media.items():
            found: dict[str, Heights] = {}
            for path in pages():
                # nothing walks or writes by itself while it is measured
                context = browser.new_context(
                    reduced_motion="reduce", has_touch=touch, is_mobile=touch
                )
                page = context.new_page()
                page.set_default_timeout(120_000)  # of a busy machine
                page.goto(f"http://127.0.0.1:{server.server_port}/{path}")
                for name, heights in measure(page).items():
                    most = found.setdefault(name, {})
                    for width, height in heights.items():
                        most[width] = max(most.get(width, 0), height)
                context.close()
            text += f"@media {query} {{\n{rules(found)}}}\n"
        browser.close()
    server.shutdown()
    kept = SHEET.read_text("utf-8").partition(MARK)[0]
    SHEET.write_text(kept + MARK + text, "utf-8")
    print(f"{SHEET.relative_to(ROOT)}: {text.count('min-height')} rules")


if __name__ == "__main__":
    main()
