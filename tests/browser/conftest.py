"""The built site on a local server, and a real browser that opens it.

Chromium is the system's own (Debian: package chromium). Without one the
tests are skipped, and the reason says so.
"""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

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
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        yield browser
        browser.close()


class Visit:
    """A page that is open, and what the browser complained of."""

    def __init__(self, page, site, complaints):
        self.page, self.site, self.complaints = page, site, complaints

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
        self.page.wait_for_timeout(300)

    def explorable(self, path, tag):
        """The element of this tag on a page, once it is ready."""
        self.go(path)
        element = self.page.locator(f"{tag}[ready]")
        element.wait_for(timeout=90_000)
        return element


@pytest.fixture
def visit(browser, site):
    """Make visits; in the end nothing may have gone wrong in any of them.

    visit(theme="dark", width=360): a fresh page with these settings.
    """
    contexts, everything = [], []

    def start(theme="light", width=1280, height=900):
        context = browser.new_context(
            color_scheme=theme, viewport={"width": width, "height": height}
        )
        contexts.append(context)
        context.add_init_script(
            f"localStorage.setItem('mode', '{theme}');"
            f"localStorage.setItem('theme', '{theme}')"
        )
        page, complaints = context.new_page(), []
        everything.append(complaints)

        def on_console(message):
            if message.type == "error":
                where = message.location["url"].removeprefix(site)
                complaints.append(f"console: {message.text} ({where})")

        def on_request(request):
            if request.url.startswith("http") and not request.url.startswith(
                site
            ):
                complaints.append(f"foreign request: {request.url}")

        page.on("console", on_console)
        page.on("pageerror", lambda e: complaints.append(f"error: {e}"))
        page.on("request", on_request)
        return Visit(page, site, complaints)

    yield start
    for context in contexts:
        context.close()
    assert [c for complaints in everything for c in complaints] == []


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
