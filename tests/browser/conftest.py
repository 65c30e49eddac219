"""The built site on a local server, and a real browser that opens it.

It is the system's Chromium (tools/chromium.py). Without one the tests are
skipped, and the reason says so.
"""

import contextlib
import functools
import http.server
import os
import re
import threading
from pathlib import Path

import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
chromium = load("tools/chromium.py")
CHROMIUM = chromium.find()
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


PLAIN = "plain"  # below it is the same site without formulas
TAG = "unrolled-"  # below this and a name, pages that hold nothing else


@functools.cache
def alone(path, tag):
    """A page of which only one explorable is left, with room around it."""
    html = path.read_text("utf-8")
    (element,) = re.findall(rf"<{tag}[^>]*>.*?</{tag}>", html, flags=re.S)
    room = '<p style="height: 2000px"></p>'
    whole = r"(<article[^>]*>).*(</article>)"
    rest = rf"\1<section>{room}HERE{room}</section>\2"
    return re.sub(whole, rest, html, flags=re.S).replace("HERE", element)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def do_GET(self):
        """A page with one explorable alone, or a file."""
        tag, _, path = self.path.lstrip("/").partition("/")
        if not (tag.startswith(TAG) and path.endswith(".html")):
            super().do_GET()
            return
        body = alone(SITE / path, tag).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path):
        """Where the file is; without formulas, MathJax is empty."""
        first, _, rest = path.lstrip("/").partition("/")
        if first == PLAIN or first.startswith(TAG):
            if "mathjax" in rest:
                return os.devnull
            path = f"/{rest}"
        return super().translate_path(path)

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture(scope="session")
def site():
    """The address of the built site."""
    if not SITE.is_dir():
        pytest.skip("the site is not built; make book builds it")
    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    if CHROMIUM is None:
        if os.environ.get("UNROLLED_NEEDS_BROWSER") == "1":
            pytest.fail("no Chromium found, and UNROLLED_NEEDS_BROWSER is 1")
        pytest.skip(chromium.MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        yield browser
        browser.close()


class Visit:
    """A page that is open, and what the browser complained of."""

    def __init__(self, page, site):
        self.page, self.site, self.complaints = page, site, []
        self.listeners = {
            "console": self.on_console,
            "pageerror": lambda e: self.complaints.append(f"error: {e}"),
            "request": self.on_request,
        }
        for event, listener in self.listeners.items():
            page.on(event, listener)

    def on_console(self, message):
        """Note an error that was written to the console."""
        if message.type == "error":
            where = message.location["url"].removeprefix(self.site)
            self.complaints.append(f"console: {message.text} ({where})")

    def on_request(self, request):
        """Note a request that leaves the site."""
        url = request.url
        if url.startswith("http") and not url.startswith(self.site):
            self.complaints.append(f"foreign request: {url}")

    def go(self, path):
        """Open a page of the site and wait until it has loaded."""
        # a busy machine takes its time; nothing here is about speed
        self.page.goto(self.site + path, wait_until="load", timeout=120_000)

    def settle(self):
        """Wait for the explorables of the page, and for formulas."""
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('*')]"
            ".filter(e => e.localName.startsWith('unrolled-'))"
            ".every(e => e.hasAttribute('ready'))",
            timeout=90_000,
        )
        self.page.evaluate(TYPESET)

    def explorable(self, path, tag):
        """The element of this tag on a page, once it is ready.

        Nothing else of the page is there, which takes a third of the time.
        tests/browser/test_pages.py opens whole pages.
        """
        self.go(f"{tag}/{path}")
        element = self.page.locator(f"{tag}[ready]")
        element.wait_for(timeout=90_000)
        return element


# formulas are there, and what follows upon them has been drawn
TYPESET = """async () => {
  await window.MathJax?.startup?.promise;
  for (let frames = 0; frames < 3; frames += 1) {
    await new Promise(requestAnimationFrame);
  }
}"""
# a tab that was used before has to forget
FIRST = """
if (location.protocol.startsWith("http")) {
  if (window.name !== "visited") {
    localStorage.clear();
    sessionStorage.clear();
    window.name = "visited";
  }
  localStorage.setItem("mode", "THEME");
  localStorage.setItem("theme", "THEME");
}
"""


class Tabs:
    """Tabs of the browser, which tests use one after the other.

    To open a page in a new tab takes twice the time: it begins with a
    process of its own, and has compiled no script yet.
    """

    MOST = 4  # that wait to be used

    def __init__(self, browser, site):
        self.browser, self.site, self.waiting = browser, site, []

    def open(self, settings):
        """A new tab."""
        context = self.browser.new_context(**settings)
        context.add_init_script(
            FIRST.replace("THEME", settings["color_scheme"])
        )
        return context.new_page()

    def take(self, settings):
        """A tab with these settings that waits, or else a new one."""
        for place, (page, its) in enumerate(self.waiting):
            if its == settings:
                del self.waiting[place]
                return page
        return self.open(settings)

    def give_back(self, page, settings):
        """Undo what a test may have done to a tab."""
        page.unroute_all(behavior="ignoreErrors")
        page.emulate_media(
            media="null", reduced_motion="null", forced_colors="null"
        )
        if "reduced_motion" in settings:
            page.emulate_media(reduced_motion=settings["reduced_motion"])
        page.set_viewport_size(settings["viewport"])
        page.mouse.move(-1, -1)
        page.goto("about:blank")  # where nothing moves or computes
        page.evaluate("window.name = ''")
        self.waiting.append((page, settings))
        if len(self.waiting) > self.MOST:
            oldest, _ = self.waiting.pop(0)
            oldest.context.close()

    @contextlib.contextmanager
    def visits(self):
        """Make visits; in the end nothing may have gone wrong in any."""
        made = []

        def start(
            theme="light", width=1280, height=900, own=False, **settings
        ):
            settings["color_scheme"] = theme
            settings["viewport"] = {"width": width, "height": height}
            page = self.open(settings) if own else self.take(settings)
            visit = Visit(page, self.site)
            made.append((visit, None if own else settings))
            return visit

        try:
            yield start
        except BaseException:
            made, unfinished = [], made
            for visit, _ in unfinished:
                visit.page.context.close()
            raise
        complaints = []
        for visit, settings in made:
            complaints += visit.complaints
            for event, listener in visit.listeners.items():
                visit.page.remove_listener(event, listener)
            if settings is None or visit.complaints:
                visit.page.context.close()
            else:
                self.give_back(visit.page, settings)
        assert complaints == []


@pytest.fixture(scope="session")
def tabs(browser, site):
    """The tabs of this browser."""
    tabs = Tabs(browser, site)
    yield tabs
    for page, _ in tabs.waiting:
        page.context.close()


@pytest.fixture
def visit(tabs):
    """Make visits; in the end nothing may have gone wrong in any of them.

    visit(theme="dark", width=360): a page with these settings, and with
    nothing stored. With own=True it is in a tab that nobody used before, as
    a first load or a script that is there before the page's own needs it.
    """
    with tabs.visits() as start:
        yield start


def set_range(element, label, value):
    """Move a slider, found by its label, as a reader would with keys."""
    slider = element.get_by_role("slider", name=label)
    slider.evaluate(
        "(input, value) => { input.value = value;"
        " input.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(value),
    )


@pytest.fixture
def move():
    """The function that moves a slider."""
    return set_range


# tables that are wider than the box they are in: whether the box scrolls,
# shows a shade where it cuts, and keeps the names of the rows in sight
WIDE = """() => [...document.querySelectorAll("article table")]
  .filter((e) => e.checkVisibility())
  .map((table) => [table, table.closest(".output") ?? table])
  .map(([table, box]) => {
    const { overflowX, backgroundImage, backgroundAttachment } =
      getComputedStyle(box);
    const first = table.querySelector("tbody tr").firstElementChild;
    const wide = box.scrollWidth - box.clientWidth;
    box.scrollLeft = wide;
    const stays = first.getBoundingClientRect().left
      - box.getBoundingClientRect().left;
    box.scrollLeft = 0;
    return {
      wide, scrolls: overflowX === "auto", stays: Math.abs(stays) < 3,
      shades: backgroundImage.split("linear-gradient").length - 1,
      attached: backgroundAttachment,
    };
  })"""


@pytest.fixture
def tables_of():
    """The function that looks at the tables of an open page."""
    return lambda page: page.evaluate(WIDE)
