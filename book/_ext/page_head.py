"""The head of every page: a title, a description, and nothing that blocks.

- The title is "PAGE - Unrolled".
- The description is what the page's front matter says
  (``myst: html_meta: description``), else the start of its first paragraph.
- OpenGraph, canonical, sitemap and the page for what is not found come from
  Sphinx extensions; this gives them the site's address where it is known
  (``html: baseurl`` in _config.yml, else repository_address.py) and leaves
  out what would be wrong without one.
- Scripts that no page needs are dropped (FontAwesome's, whose icons show by
  its style sheet; thebe's; MathJax where there is no formula), the others are
  deferred. Style sheets, which the first paint waits for, are named by the
  pages that have something for them.
"""

import functools
import html
import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from languages import FOLDERS, word

COURSE = "Unrolled"
LONGEST = 200  # characters of a description
META = re.compile(
    r'<meta (?:name|property)="([\w:]+)" content="([^"]*)" ?/>\s*'
)
# style sheets of extensions and of the course -> what they are for
SHEETS = {
    "copybutton": 'class="highlight',
    "explorables": "<unrolled-",
    "mystnb": 'class="cell',
    "pygments": 'class="highlight',
    "selfcheck": "<details",
    "sphinx-design": 'class="sd-',
    "togglebutton": "dropdown|toggle",
}


def use_site_address(app, config) -> None:
    """What needs the site's address, in the configuration."""
    base = config.html_baseurl
    config.ogp_site_url = base
    config.ogp_site_name = COURSE
    config.ogp_social_cards = {"enable": False}  # they are drawn at build
    folder = FOLDERS[config.language]
    config.notfound_urls_prefix = urlsplit(base).path if base else f"/{folder}"
    first = config.notfound_urls_prefix + "book/index.html"
    config.notfound_context = {
        "title": word(config.language, "No such page"),
        "body": word(
            config.language,
            "<h1>There is no such page</h1><p>It may have been renamed. "
            '<a href="{first}">The first page</a> lists all chapters; the '
            "contents and the search lead to all pages.</p>",
        ).format(first=first),
    }
    if base:
        config.sitemap_url_scheme = "{link}"
        config.sitemap_excludes = [
            "404.html", "genindex.html", "py-modindex.html", "search.html",
            "_modules/*",
        ]  # fmt: skip
        app.setup_extension("sphinx_sitemap")


def shortened(text: str, longest: int = LONGEST) -> str:
    """Its first sentences, or the first words of a long sentence."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    # initials end no sentence
    ends = [m.end() for m in re.finditer(r"(?<![A-Z])[.?!](?= )", text)]
    ends = [end for end in ends if end <= longest]
    if ends and ends[-1] > longest / 3:
        return text[: ends[-1]]
    return text[: longest - 3].rsplit(" ", 1)[0].rstrip(",;:") + "..."


def described(doctree: nodes.document) -> str:
    """The start of the first paragraph that is not inside something else."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = paragraph.astext().strip()
        if isinstance(paragraph.parent, nodes.section) and text:
            return shortened(text)
    return ""


def describe(app, page, template, context, doctree) -> None:
    """Give the page its title and description."""
    title = html.unescape(re.sub("<[^>]*>", "", context.get("title") or ""))
    if page == "search":
        title = word(app.config.language, "Search")
    context["head_title"] = f"{title} - {COURSE}"
    if page == app.config.root_doc:
        title = context["head_title"] = app.config.html_title
    context["metatags"] = re.sub(
        r'<meta name="viewport"[^>]*>\s*', "", context.get("metatags") or ""
    )
    if not doctree:
        return
    given = re.search(
        r'<meta content="([^"]*)"[^>]*name="description"', context["metatags"]
    )
    text = given[1] if given else html.escape(described(doctree))
    if text and not given:
        context["metatags"] += (
            f'<meta name="description" content="{text}" />\n'
        )
    # what the OpenGraph extension reads; never the environment's own
    context["meta"] = {
        **(context.get("meta") or {}),
        "og:title": html.escape(title),
        "og:description": text,
    }


def drop_relative_addresses(app, page, template, context, doctree) -> None:
    """OpenGraph wants whole addresses; without a site there are none."""
    if not app.config.html_baseurl:
        context["metatags"] = META.sub(
            lambda m: (
                "" if m[1] in ("og:url", "og:image", "og:image:alt") else m[0]
            ),
            context["metatags"],
        )


def leave_thebe_out(app) -> None:
    """Switch off what Jupyter Book always loads.

    The course has no thebe button, and its scripts name a foreign host and
    declare one constant twice, an error in every browser.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__.startswith("sphinx_thebe"):
                app.disconnect(listener.id)
    app.registry.css_files[:] = [
        style for style in app.registry.css_files if "thebe" not in style[0]
    ]


def lighten(app, page, template, context, doctree) -> None:
    """Drop the scripts that the page does not need, and defer the others."""
    needs_formulas = 'class="math ' in (context.get("body") or "")
    scripts, seen = [], []
    for script in context.get("script_files", []):
        text = str(script)
        if "MathJax" in text or "mathjax" in text:
            wanted = needs_formulas
        else:
            # it serves a switch between versions that is not here, and would
            # run before the deferred script that it changes
            wanted = "DOCUMENTATION_OPTIONS.pagename" not in text
        # modules wait by themselves, and the search page's own scripts use
        # the others as soon as they are read
        waits = (
            script.filename
            and "type" not in script.attributes
            and page != "search"
        )
        if waits and "defer" not in script.attributes:
            script = type(script)(
                script.filename,
                priority=script.priority,
                **script.attributes,
                defer="defer",
            )
        # some extensions add theirs twice
        same = (script.filename, script.attributes)
        if wanted and same not in seen:
            scripts.append(script)
        seen.append(same)
    context["script_files"] = scripts
    context["lean"] = functools.partial(lean, context.get("body") or "")
    context["deferred"] = deferred


def name_folds(app, page, template, context, doctree) -> None:
    """Name the fold of deeper pages in the contents by the page above them.

    The theme gives it a picture of an arrow only, which nobody can hear.
    """
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    @functools.wraps(generate)
    def named(*arguments, **settings):
        contents = generate(*arguments, **settings)
        for entry in getattr(contents, "select", lambda _: [])(
            "li.has-children:has(> a):has(> details)"
        ):
            title = entry.a.get_text(" ", strip=True)
            label = word(app.config.language, "Pages below {title}")
            entry.details.summary["aria-label"] = label.format(title=title)
        return contents

    context["generate_toctree_html"] = named


def lean(body: str, head: str) -> str:
    """The theme's head with icon_font.py's icons, and no preloads.

    Style sheets that the page has no use for are left out. On a slow line
    what is preloaded takes its share from the style sheets, which alone are
    needed for the first paint. And who comes for the first time sees the
    colours of the system at once: the theme's own script, which sets them, is
    deferred.
    """
    head = re.sub(
        r'<script src="[^"]*fontawesome[^"]*"></script>\s*', "", head
    )
    head = re.sub(
        r'vendor/fontawesome/[^"]*all\.min\.css[^"]*', "icons.css", head
    )
    head = re.sub(
        r'<(link rel="preload"[^>]*|!-- (?:Pre-l|L)oaded.*?--)>\s*', "", head
    )
    for name, marks in SHEETS.items():
        if not re.search(marks, body):
            sheet = rf"<link [^>]*_static/{name}\b[^>]*\.css[^>]*>\s*"
            head = re.sub(sheet, "", head)
    return head.replace(
        'localStorage.getItem("mode") || ""',
        'localStorage.getItem("mode") || "auto"',
    ).replace(
        'localStorage.getItem("theme") || ""',
        'localStorage.getItem("theme") || (matchMedia('
        '"(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    )


def deferred(scripts: str) -> str:
    """The scripts, run after those of the head, which are deferred too."""
    return scripts.replace("<script src=", "<script defer src=")


def write_root(app, exception) -> None:
    """Give the root, which leads to the first page, that page's head.

    It is the address that people share, and previews follow no refresh.
    """
    if exception or app.builder.name != "html":
        return
    first = Path(app.outdir) / f"{app.config.root_doc}.html"
    root = Path(app.outdir) / "index.html"
    head = first.read_text("utf-8").split("</head>")[0]
    wanted = re.findall(
        r'<meta (?:name="description"|property="og:)[^>]*>'
        r'|<meta [^>]*name="description"[^>]*>'
        r'|<link rel="canonical"[^>]*>',
        head,
    )
    text = root.read_text("utf-8")
    lines = "".join(f"    {line}\n" for line in dict.fromkeys(wanted))
    root.write_text(text.replace("  </head>", f"{lines}  </head>"), "utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.setup_extension("sphinxext.opengraph")
    app.setup_extension("notfound.extension")
    leave_thebe_out(app)
    app.connect("config-inited", use_site_address, priority=450)
    # before OpenGraph's tags, and after them
    app.connect("html-page-context", describe, priority=450)
    app.connect("html-page-context", drop_relative_addresses, priority=800)
    # late: pages get their scripts until the very end
    app.connect("html-page-context", name_folds, priority=900)
    app.connect("html-page-context", lighten, priority=900)
    app.connect("build-finished", write_root)
    return {"version": "1", "parallel_read_safe": True}
