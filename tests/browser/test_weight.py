"""What the landing page loads, and how soon it shows on a slow line."""

import contextlib
import functools
import gzip
import http.server
import statistics
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
pytestmark = pytest.mark.slow
LANDING = "book/index.html"
LARGEST = 1_300_000  # bytes, not compressed
SLOWEST = 1.5  # times the first paint of an empty page
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}
TEXT = {".html", ".css", ".js", ".json", ".svg"}
# the theme's style sheets are what any page of it waits for
EMPTY = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>Empty</title>{sheets}</head>
<body><main class="bd-main"><article class="bd-article"><h1>Empty</h1>
</article></main></body></html>
"""


@functools.cache
def compressed(path):
    return gzip.compress(path.read_bytes(), mtime=0)


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves the site as hosts do, text compressed; and the empty page."""

    def log_message(self, *words):
        """Say nothing."""

    def do_GET(self):
        path = SITE / unquote(urlsplit(self.path).path).lstrip("/")
        if path.name == "empty.html":
            body, kind = gzip.compress(empty_page()), "text/html"
        elif path.is_file():
            packed = path.suffix in TEXT
            body = compressed(path) if packed else path.read_bytes()
            kind = self.guess_type(str(path))
        else:
            self.send_error(404)
            return
        self.send_response(200)
        if path.suffix in TEXT:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # a test may be done before the page is
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)


def empty_page():
    names = ("theme", "bootstrap", "pydata-sphinx-theme", "sphinx-book-theme")
    sheets = [f"styles/{name}.css" for name in names] + ["pygments.css"]
    links = "".join(
        f'<link rel="stylesheet" href="../_static/{sheet}">'
        for sheet in sheets
    )
    return EMPTY.format(sheets=links).encode()


@pytest.fixture(scope="module")
def slow_site():
    if not SITE.is_dir():
        pytest.skip("the site is not built; make book builds it")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Compressing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def first_paint(browser, address):
    """Milliseconds to the first content, in a browser that knows nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    name = "first-contentful-paint"
    page.goto(address, wait_until="commit", timeout=60_000)
    page.wait_for_function(
        f"performance.getEntriesByName('{name}').length", timeout=60_000
    )
    time = page.evaluate(
        f"performance.getEntriesByName('{name}')[0].startTime"
    )
    context.close()
    return time


def test_the_first_paint_is_nearly_that_of_an_empty_page(browser, slow_site):
    times = {"book/empty.html": [], LANDING: []}
    for _ in range(3):  # alternating, so that a busy moment meets both
        for path, seen in times.items():
            seen.append(first_paint(browser, slow_site + path))
    empty, landing = map(statistics.median, times.values())
    assert landing <= SLOWEST * empty, times


def weight(visit, site, path):
    """The files that a page loads, with those it loads late, in bytes."""
    visited = visit(own=True)
    loaded = set()
    visited.page.on("request", lambda request: loaded.add(request.url))
    visited.go(path)
    visited.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    visited.page.wait_for_load_state("networkidle")
    visited.page.wait_for_function(
        "() => [...document.querySelectorAll('*')]"
        ".filter(e => e.localName.startsWith('unrolled-'))"
        ".every(e => e.hasAttribute('ready'))",
        timeout=30_000,
    )
    names = {
        unquote(urlsplit(url).path).lstrip("/")
        for url in loaded
        if url.startswith(site)
    }
    return {name: (SITE / name).stat().st_size for name in sorted(names)}


def test_the_landing_page_is_light(visit, site):
    files = weight(visit, site, LANDING)
    assert LANDING in files
    assert "_static/explorables/data/network.bin" in files
    assert sum(files.values()) <= LARGEST, files
    assert not [name for name in files if "mathjax" in name]
    assert not [name for name in files if "fontawesome" in name]


@pytest.mark.parametrize("folder", ["", "zh/"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_icons_are_drawn(visit, theme, folder):
    """Each visible icon is wide, and not the box of a missing glyph."""
    visited = visit(theme=theme, own=True)
    visited.go(f"{folder}book/8_2_text_preprocessing.html")
    visited.page.evaluate("() => document.fonts.ready")
    icons = visited.page.evaluate(
        """() => [...document.querySelectorAll("i[class*=fa-]")]
          .filter((e) => e.getBoundingClientRect().width > 0)
          .map((e) => [e.className, getComputedStyle(e, "::before").content,
            e.getBoundingClientRect().width])"""
    )
    assert len(icons) >= 5
    for name, content, width in icons:
        assert len(content) == 3, name  # one character and its quotes
        assert width > 8, name
    loaded = visited.page.evaluate(
        "() => [...document.fonts].filter(f => f.status === 'loaded')"
        ".map(f => f.family)"
    )
    assert any("Font Awesome" in family for family in loaded)


def test_who_comes_first_in_the_dark_sees_no_light(browser, site):
    """The colours are right before any of the theme's scripts has run."""
    for scheme in ("dark", "light"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        said = []
        page.on("console", lambda m, said=said: said.append(m.text))
        page.route("**/*.js*", lambda route: route.abort())
        page.goto(site + "book/status.html", wait_until="load")
        theme = page.evaluate("document.documentElement.dataset.theme")
        assert theme == scheme
        context.close()
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda m, said=said: said.append(m.text))
        page.goto(site + "book/status.html", wait_until="load")
        assert page.evaluate("document.documentElement.dataset.mode") == (
            "auto"
        )
        assert not [text for text in said if "invalid theme" in text]
        context.close()
