"""Print the built site as one PDF with the system's Chromium.

    python tools/pdf.py [TARGET]
    python tools/pdf.py zh [TARGET]     the Chinese site

Writes _build/unrolled.pdf (unrolled.zh.pdf) unless told otherwise: a title
page, contents with page numbers, then every page in the order of _toc.yml.
Each page of the site is printed by itself with book/_static/print.css; pypdf
joins them, turns the links between them into links inside the file, and adds
bookmarks.
"""

import functools
import html
import http.server
import io
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag

import chromium
import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    Fit,
    FloatObject,
    NameObject,
    NullObject,
)

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "unrolled.pdf"
ZH = "zh"  # the Chinese site: its folder, and the settings it was built with
ZH_SOURCE = ROOT / "_build" / ZH / "source"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OLDEST = 131  # the first to print the boxes in the margin of @page
# links between pages of the site are printed with this address, which no
# other link can have, and found by it again
INSIDE = "http://site.invalid/"

PAPER = """
@page {{
  size: A4;
  margin: 20mm 18mm;
  @top-left {{ content: {title}; color: #48566b; font: 8pt sans-serif }}
  @bottom-center {{ content: counter(page); font: 9pt sans-serif }}
}}
html {{ counter-reset: page {before} }}
"""

# Waits until the page is as it will be printed, and says which formulas are
# not typeset.
SETTLE = """async () => {
  const plain = () => [...document.querySelectorAll("article .math")]
    .filter((e) => !e.querySelector("mjx-container"));
  const end = Date.now() + 60000;
  while (plain().length && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
  }));
  return plain().map((e) => e.textContent);
}"""

# Links inside the site get the address INSIDE. For every id there is a link,
# which nobody sees, since Chromium names only places that a link leads to.
# Returns the title and the sections: [id, level, words].
PREPARE = """(inside) => {
  const article = document.querySelector("article");
  for (const link of article.querySelectorAll("a[href]")) {
    if (link.origin === location.origin) {
      link.href = link.href.replace(location.origin + "/", inside);
    }
  }
  const places = document.createElement("div");
  places.style.display = "none";
  for (const { id } of article.querySelectorAll("[id]")) {
    const link = document.createElement("a");
    link.href = "#" + id;
    places.append(link);
  }
  article.append(places);
  const headings = article.querySelectorAll("section[id] > :is(h1, h2)");
  return [...headings].map((heading) => {
    const words = heading.cloneNode(true);
    for (const part of words.querySelectorAll(".headerlink, mjx-math")) {
      part.remove();
    }
    const level = Number(heading.localName[1]);
    return [heading.parentElement.id, level, words.textContent.trim()];
  });
}"""


@dataclass
class Page:
    """One page of the site, and what became of it on paper."""

    name: str  # as in _toc.yml
    depth: int = 0  # of the page in the contents
    part: str = ""  # the caption above it, if it is the first of a part
    title: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    pdf: PdfReader | None = None
    start: int = 0  # its first sheet in the whole, counted from 0

    def place(self, name: str) -> tuple[int, float]:
        """The sheet in the whole, and the height on it, where an id stands."""
        found = self.pdf.named_destinations.get(f"/{name}")
        if found is None:
            return self.start, float(self.pdf.pages[0].mediabox.top)
        sheet = self.pdf.get_destination_page_number(found)
        return self.start + sheet, float(found.top)


def read_toc(path: Path) -> list[Page]:
    """The pages of the contents, in order."""

    def walk(entries, depth):
        for entry in entries:
            yield Page(entry["file"], depth)
            yield from walk(entry.get("sections", []), depth + 1)

    toc = yaml.safe_load(path.read_text("utf-8"))
    pages = [Page(toc["root"])]
    for part in toc.get("parts", [toc]):
        group = list(walk(part["chapters"], 0))
        group[0].part = part.get("caption", "")
        pages += group
    return pages


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *words):
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which the files of a folder can be had."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def quoted(words: str) -> str:
    """Words as a string of CSS."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def to_pdf(tab, title: str, before: int) -> PdfReader:
    """Print what a tab shows; its sheets are numbered after `before`."""
    paper = PAPER.format(title=quoted(title), before=before)
    tab.add_style_tag(content=paper)
    return PdfReader(
        io.BytesIO(tab.pdf(prefer_css_page_size=True, print_background=True))
    )


def open_page(tab, address: str, page: Page) -> None:
    """Open a page, wait for its formulas, and read its title and sections.

    Raises ValueError if a formula is not typeset.
    """
    tab.goto(f"{address}{page.name}.html", wait_until="load")
    plain = tab.evaluate(SETTLE)
    if plain:
        raise ValueError(
            f"{page.name}: {len(plain)} formulas are not typeset, "
            f"the first is {plain[0]}"
        )
    headings = tab.evaluate(PREPARE, INSIDE)
    page.title = next(words for _, level, words in headings if level == 1)
    page.sections = [
        (name, words) for name, level, words in headings if level == 2
    ]


def front(pages: list[Page], facts: dict, sheets: dict) -> str:
    """The title page and the contents; `sheets` has the page numbers."""
    rows = []
    for page in pages:
        if page.part:
            rows.append(f"<h2>{html.escape(page.part)}</h2>")
        for name, words in [("", page.title), *page.sections]:
            kind = "section" if name else "page"
            rows.append(
                f'<a class="{kind}" style="--depth: {page.depth}" '
                f'href="{INSIDE}{page.name}.html#{name}">'
                f"<span>{html.escape(words)}</span><i></i>"
                f"<b>{sheets.get((page.name, name), 0) + 1}</b></a>"
            )
    # "Unrolled: so and so", with the colon of either language
    title, rest = re.split(r": |：", facts["title"], maxsplit=1)
    lang = facts["sphinx"]["config"]["language"].replace("_", "-")
    contents = {"zh-CN": "目录"}.get(lang, "Contents")
    return f"""<!doctype html><html lang="{lang}"><meta charset="utf-8"><style>
@page :first {{ @bottom-center {{ content: none !important }} }}
body {{ color: #222832; font: 10.5pt/1.5 sans-serif; margin: 0 }}
header {{ break-after: page; padding-top: 70mm; text-align: center }}
header h1 {{ font-size: 40pt; font-weight: 600; margin: 0 }}
header p {{ font-size: 13pt }}
header small {{ color: #48566b; display: block; margin-top: 110mm }}
h2 {{ break-after: avoid; font-size: 10.5pt; margin: 5mm 0 0; color: #48566b }}
a {{ break-inside: avoid; color: inherit; display: flex; gap: 2mm;
    padding-left: calc(6mm * var(--depth)); text-decoration: none }}
a.page {{ break-after: avoid; font-weight: 600; margin-top: 2.5mm }}
a.section {{ padding-left: calc(6mm * var(--depth) + 6mm) }}
i {{ border-bottom: 1px dotted #48566b; flex: 1; margin-bottom: 1.4mm }}
b {{ font-weight: inherit; min-width: 8mm; text-align: right }}
</style><header><h1>{html.escape(title)}</h1><p>{html.escape(rest)}</p>
<small>{html.escape(facts["author"])}<br>{html.escape(facts["copyright"])}
</small></header><h1>{contents}</h1>{"".join(rows)}</html>"""


def link_inside(writer: PdfWriter, pages: list[Page]) -> None:
    """Let links to pages of the site lead to their sheets.

    A link to a page that is not in the file is no link any more.
    """
    known = {f"{INSIDE}{page.name}.html": page for page in pages}
    for sheet in writer.pages:
        kept = ArrayObject()
        for reference in sheet.get("/Annots", []):
            note = reference.get_object()
            uri = str(note.get("/A", {}).get("/URI", ""))
            if uri.startswith(INSIDE):
                target, name = urldefrag(uri)
                if target not in known:
                    continue
                number, top = known[target].place(unquote(name))
                del note["/A"]
                note[NameObject("/Dest")] = ArrayObject(
                    [
                        writer.pages[number].indirect_reference,
                        NameObject("/XYZ"),
                        NullObject(),
                        FloatObject(top),
                        NullObject(),
                    ]
                )
            kept.append(reference)
        if kept:
            sheet[NameObject("/Annots")] = kept
        elif "/Annots" in sheet:
            del sheet["/Annots"]


def print_course(
    browser, address: str, pages: list[Page], facts: dict, target: Path
) -> int:
    """Write the PDF of these pages; returns the number of its sheets.

    facts: title, author, copyright and language, as in _config.yml.
    """
    context = browser.new_context(
        color_scheme="light", viewport={"width": 660, "height": 930}
    )
    # an explorable that never starts leaves its plain sentence
    context.route("**/explorables/*.js*", lambda route: route.abort())
    tab = context.new_page()
    tab.emulate_media(media="print")

    # the contents come first, and how long they are decides every number:
    # they are printed once without numbers, to be counted
    for page in pages:
        open_page(tab, address, page)
    tab.goto("about:blank")
    tab.set_content(front(pages, facts, {}))
    start = length = len(to_pdf(tab, "", 0).pages)

    sheets = {}
    for page in pages:
        open_page(tab, address, page)
        page.start = start
        page.pdf = to_pdf(tab, page.title, start)
        start += len(page.pdf.pages)
        for name in ("", *(name for name, _ in page.sections)):
            sheets[page.name, name] = page.place(name)[0]
    tab.goto("about:blank")
    tab.set_content(front(pages, facts, sheets))
    contents = to_pdf(tab, "", 0)
    if len(contents.pages) != length:
        raise ValueError(
            f"the contents take {len(contents.pages)} pages with numbers and "
            f"{length} without"
        )
    context.close()

    writer = PdfWriter()
    for part in (contents, *(page.pdf for page in pages)):
        writer.append(part, import_outline=False)
    link_inside(writer, pages)
    for page in pages:
        above = writer.add_outline_item(
            title=page.title, page_number=page.start, is_open=False
        )
        for name, words in page.sections:
            number, top = page.place(name)
            writer.add_outline_item(
                title=words,
                page_number=number,
                parent=above,
                fit=Fit.xyz(top=top),
            )
    writer.add_metadata({"/Title": facts["title"], "/Author": facts["author"]})
    writer.compress_identical_objects()
    target.parent.mkdir(parents=True, exist_ok=True)
    writer.write(target)
    return len(writer.pages)


def main(arguments: list[str]) -> None:
    """Print every page of the contents."""
    source, site, target = ROOT, SITE, TARGET
    if arguments[:1] == [ZH]:
        source, site = ZH_SOURCE, SITE / ZH
        target = TARGET.with_suffix(f".{ZH}.pdf")
        arguments = arguments[1:]
    if arguments:
        target = Path(arguments[0])
    pages = read_toc(source / "_toc.yml")
    missing = [p.name for p in pages if not (site / f"{p.name}.html").exists()]
    if missing:
        sys.exit(
            f"The site is not built: {site} lacks {missing[0]}.html. "
            "Run make book first."
        )
    program = chromium.find()
    if program is None:
        sys.exit(chromium.MISSING)
    facts = yaml.safe_load((source / "_config.yml").read_text("utf-8"))

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, served(site) as address:
        browser = playwright.chromium.launch(
            executable_path=program, args=FLAGS
        )
        if int(browser.version.split(".")[0]) < OLDEST:
            sys.exit(
                f"{program} is version {browser.version}; page numbers need "
                f"{OLDEST} or newer."
            )
        count = print_course(browser, address, pages, facts, target)
        browser.close()
    print(f"{target}: {count} pages")


if __name__ == "__main__":
    main(sys.argv[1:])
