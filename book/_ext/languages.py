"""Two languages: the frame's words, the switch, and what differs in a site.

The English site stands at the root, the Chinese one in its folder ``zh``, page
for page. Each page leads to itself in the other language; the Colab button of
a Chinese page opens the Chinese notebook. What the course's own glue says is
in translations/LANGUAGE/site.po.
"""

import functools
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent.parent
ENGLISH = "en"
FOLDERS = {"en": "", "zh_CN": "zh/"}  # below the site's root
NAMES = {"en": "English", "zh_CN": "中文"}


# what the theme says in English whatever the language of the site
FRAME = (
    "Skip to main content",
    "Back to top",
    "Search this book...",
    "Version warning",
    "Toggle primary sidebar",
    "Toggle secondary sidebar",
    "previous page",
    "next page",
    "Link to this heading",
    "Link to this definition",
    "Link to this image",
    "Link to this table",
    "Main",
    "Page",
)


@functools.cache
def _catalog(language: str):
    path = ROOT / "translations" / language / "site.po"
    with path.open("rb") as file:
        return read_po(file, language)


def word(language: str, text: str) -> str:
    """The text in this language; KeyError if it was never translated."""
    if language == ENGLISH:
        return text
    return _catalog(language)[text].string


def language_of(app) -> str:
    """The language of the site that is built."""
    return app.config.language or ENGLISH


def other(language: str) -> str:
    """The language that the switch leads to."""
    return next(name for name in FOLDERS if name != language)


def add_switch(app, page, template, context, doctree) -> None:
    """What the template of the switch needs."""
    own = language_of(app)
    up = "../" * (page.count("/") + FOLDERS[own].count("/"))
    if page == "404":  # served at any depth
        root = app.config.notfound_urls_prefix
        up = root.removesuffix(FOLDERS[own])
    context["other_language"] = {
        "code": other(own).replace("_", "-"),
        "name": NAMES[other(own)],
        "url": f"{up}{FOLDERS[other(own)]}{page}.html",
        "tip": word(own, "This page in Chinese"),
    }


def open_own_notebook(app, page, template, context, doctree) -> None:
    """Let the Colab button open the notebook of this language."""
    folder = FOLDERS[language_of(app)]
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            url = button.get("url") or ""
            if folder and "colab" in url:
                button["url"] = url.replace("/book/", f"/book/{folder}", 1)


def prepare(app, config) -> None:
    """Place the switch; give the site of this language its address."""
    ends = ["language.html", "article-header-buttons.html"]
    config.html_theme_options["article_header_end"] = ends
    folder = FOLDERS[config.language or ENGLISH]
    if config.html_baseurl and folder:
        config.html_baseurl += folder


def reword(page: str, language: str) -> str:
    """A page's HTML, with the theme's words in the page's language."""
    for text in FRAME:
        said = word(language, text)
        for before, after in (('="', '"'), (">", "<")):
            old = f"{before}{text}{after}"
            page = page.replace(old, f"{before}{said}{after}")
    return page


def reword_frame(app, exception) -> None:
    """Reword every page of a site that is not English."""
    language = language_of(app)
    if exception or language == ENGLISH or app.builder.name != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*.html")):
        text = path.read_text("utf-8")
        path.write_text(reword(text, language), "utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("build-finished", reword_frame)
    # after repository_address, before page_head
    app.connect("config-inited", prepare, priority=420)
    app.connect("html-page-context", add_switch)
    # after the theme has made its buttons
    app.connect("html-page-context", open_own_notebook, priority=950)
    return {"version": "1", "parallel_read_safe": True}
