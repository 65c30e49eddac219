"""FontAwesome's icons, those that the site uses.

The theme's style sheet and fonts hold some two thousand icons in 260 to 380
kB, as much as everything else that a page needs for its first paint. When the
site is built, ``_static/icons.css`` gets the rules and the glyphs of the
icons that occur in its pages, with the fonts inside, so that no icon shows
late.
"""

import base64
import io
import logging
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

# for each file of the theme: family, weight, and the classes that ask for it
FONTS = {
    "fa-solid-900": ("Free", 900, {"fas", "fa-solid"}),
    "fa-regular-400": ("Free", 400, {"far", "fa-regular"}),
    "fa-brands-400": ("Brands", 400, {"fab", "fa-brands"}),
}
# what the script's pictures looked like: as large as their neighbours, and
# beside the words of the search field
AS_BEFORE = (
    ".theme-switch-button .fa-lg{font-size:1em}\n"
    ".bd-search .fa-solid.fa-magnifying-glass{position:static}"
)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
CLASS = re.compile(r"\.(fa[\w-]*)")
POINT = re.compile(r"\\(f[0-9a-f]{3}|[0-9a-f]{2})\b")


def used_names(site: Path) -> set[str]:
    """The classes of FontAwesome in the site's pages and the theme's code."""
    names: set[str] = set()
    for page in site.rglob("*.html"):
        for classes in re.findall(r'class="([^"]*)"', page.read_text("utf-8")):
            names.update(n for n in classes.split() if n.startswith("fa"))
    for script in (site / "_static" / "scripts").glob("*.js"):
        names.update(re.findall(r"\bfa-[a-z-]+", script.read_text("utf-8")))
    return names


def kept_rules(sheet: str, names: set[str]) -> str:
    """The rules of the sheet for these names, and its variables."""
    # keyframes nest, and no icon turns here
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    sheet = re.sub(r"@[\w-]+[^{;]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", sheet)
    kept = []
    for selectors, body in RULE.findall(sheet):
        wanted = [
            s for s in selectors.split(",") if set(CLASS.findall(s)) <= names
        ]
        if wanted:
            kept.append(f"{','.join(wanted)}{{{body}}}")
    return "\n".join(kept)


def smaller_font(path: Path, points: set[int]) -> bytes | None:
    """The font with these glyphs only, as woff; None if it has none."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    font = TTFont(path, recalcTimestamp=False)
    points &= set(font.getBestCmap())
    if not points:
        return None
    options = subset.Options(flavor="woff", layout_features=[])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(font)
    font.flavor = "woff"
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


def write_icons(app, exception) -> None:
    """Write _static/icons.css from what the theme brought."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    (source,) = site.glob("_static/vendor/fontawesome/*/css/all.min.css")
    names = used_names(site)
    rules = kept_rules(source.read_text("utf-8"), names)
    # the theme draws some icons by their numbers
    theme = "".join(
        sheet.read_text("utf-8")
        for sheet in (site / "_static" / "styles").glob("*.css")
    )
    points = {int(p, 16) for p in POINT.findall(rules + theme)}
    faces = []
    for stem, (family, weight, classes) in FONTS.items():
        file = source.parent.parent / "webfonts" / f"{stem}.ttf"
        font = smaller_font(file, set(points)) if classes & names else None
        if font:
            data = base64.b64encode(font).decode()
            faces += [
                f'@font-face{{font-family:"Font Awesome {version} {family}";'
                f"font-style:normal;font-weight:{weight};"
                f'src:url(data:font/woff;base64,{data}) format("woff")}}'
                for version in (5, 6)  # the theme still asks for both
            ]
    notice = re.match(r"/\*!.*?\*/", source.read_text("utf-8"), flags=re.S)
    lines = [notice[0], rules, *faces, AS_BEFORE, ""]
    (site / "_static" / "icons.css").write_text("\n".join(lines), "utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("build-finished", write_icons)
    return {"version": "1", "parallel_read_safe": True}
