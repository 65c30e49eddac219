"""The forms of a page on the site: findings, figures, folded code.

A cell's role is in its metadata (``{"unrolled": {"role": "finding"}}``; see
tools/forms.py). Here

- a line ``Holds: ...`` that a cell printed becomes a sentence of the page,
  with the code that checked it folded under it;
- a figure becomes one with the page: its SVG stands in the page itself, in
  the theme's colour for words, above its caption (the paragraph after it
  that starts with **Figure N.**) and the code that drew it;
- ``{drawing} CHAPTER NAME`` shows a named figure of a chapter on another
  page, without its caption;
- folded code begins after the line that names it in Colab, and the fold is
  called by the words on it;
- columns of words in a table are set from the left;
- the families' colours, from the library, become a style sheet.
"""

import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from unrolled.course.colours import FAMILIES, INK

BOOK = Path(__file__).resolve().parent.parent
STATIC = BOOK / "_static" / "from_notebooks"
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
# as lib/unrolled/claims.py prints it, in both languages
SAID = re.compile(
    r"(Holds|Not checked on this text|成立|在这段文本上未检验)(?:: |：)(.*)"
)
HOLDS = ("Holds", "成立")
TITLE_LINE = re.compile(r"\A# @title [^\n]*\n?")  # as tools/forms.py writes it
TABLE = re.compile(r'<table [^>]*class="dataframe.*?</table>', flags=re.S)
# counts, measurements, ranges and lists of them: "0 of 3", "(1, -2.5e+04)"
NUMBERS = re.compile(r"(?:[\d\s.,%()\[\]+\u2212-]|e[+-]|inf|nan|to|of)*")


def inline_svg(text: str, alt: str, prefix: str) -> str:
    """A drawing of matplotlib's as part of a page.

    Words and axes take the colour of the text around them; ids that are
    used get the prefix, since those of two figures may be alike, and the
    others go.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(text)
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    used = set(re.findall(r"url\(#([^)]+)\)", text))
    used |= set(re.findall(r'href="#([^"]+)"', text))
    for element in root.iter():
        name = element.get("id")
        if name in used:
            element.set("id", f"{prefix}-{name}")
        elif name is not None:
            del element.attrib["id"]
        for key, value in element.attrib.items():
            if key == f"{{{XLINK}}}href" and value.startswith("#"):
                element.set(key, f"#{prefix}-{value[1:]}")
                continue
            value = value.replace("url(#", f"url(#{prefix}-")
            element.set(key, value.replace(INK, "currentColor"))
    width = float(root.get("width").removesuffix("pt"))
    root.attrib.pop("width")
    root.attrib.pop("height")
    # 1pt of the drawing is 1.75 px, so that its words have the page's size
    root.set("style", f"max-width: {1.75 * width:.0f}px")
    root.set("role", "img")
    root.set("aria-label", alt)
    drawn = ElementTree.tostring(root, encoding="unicode")
    # one style for the whole page would be stated again by each drawing
    return re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>",
        "",
        drawn,
        count=1,
        flags=re.S,
    )


def _unbroken(match: re.Match) -> str:
    return match[0].replace(" ", "\N{NO-BREAK SPACE}")


def align_columns(text: str) -> str:
    """Mark the columns of words in a table of pandas.

    Their cells get the class ``text``; a column is one of numbers where no
    cell below its head says anything else.
    """
    # XML has no names for characters but these
    text = re.sub(
        r"&(?!(?:amp|lt|gt|quot);)\w+;", lambda m: html.unescape(m[0]), text
    )
    table = ElementTree.fromstring(text)
    rows = [list(row) for row in table.iterfind("tbody/tr")]
    heads = [list(row) for row in table.iterfind("thead/tr")]
    for cell in table.iter("th"):
        # "k = 1" and ", %" stay together where a name has two lines
        words = re.sub(r" = |(?<=,) (?=%)", _unbroken, cell.text or "")
        cell.text = words
    for column in zip(*rows, strict=True):
        words = ["".join(cell.itertext()).strip() for cell in column]
        if all(map(NUMBERS.fullmatch, words)):
            continue
        place = rows[0].index(column[0])
        for cell in [*column, *(head[place] for head in heads)]:
            cell.set("class", "text")
    return ElementTree.tostring(table, encoding="unicode", method="html")


class Forms(SphinxPostTransform):
    """Findings, figures and folds; after myst-nb has folded the code."""

    default_priority = 250
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Give each cell with a role its form."""
        for code in self.document.findall(nodes.literal_block):
            if TITLE_LINE.match(code.astext()):
                shown = TITLE_LINE.sub("", code.astext())
                code.rawsource, code.children = shown, []
                code += nodes.Text(shown)
        for raw in self.document.findall(nodes.raw):
            if "html" in raw.get("format", "").split():
                shown = TABLE.sub(lambda m: align_columns(m[0]), raw.astext())
                raw.children = []
                raw += nodes.Text(shown)
        for cell in list(self.document.findall(nodes.container)):
            facts = cell.get("cell_metadata") or {}
            role = facts.get("unrolled", {}).get("role")
            if cell.get("nb_element") != "cell_code" or role is None:
                continue
            cell["classes"].append(f"role-{role}")
            if role == "finding":
                self._finding(cell)
            elif role == "drawing":
                self._drawing(cell, facts)

    def _finding(self, cell) -> None:
        code, *outputs = cell.children
        sentences = []
        for block in [b for o in outputs for b in o.findall(nodes.Text)]:
            for line in block.astext().splitlines():
                said = SAID.fullmatch(line)
                if said is None:
                    raise ValueError(f"a finding prints {line!r}")
                kind, words = said.groups()
                sentence = nodes.paragraph(
                    "", words[0].upper() + words[1:], classes=["measured"]
                )
                if kind not in HOLDS:
                    sentence["classes"].append("not-checked")
                    sentence.insert(0, nodes.emphasis("", f"{kind}: "))
                sentences.append(sentence)
        cell.children = []
        cell += [*sentences, code]

    def _drawing(self, cell, facts) -> None:
        code, *outputs = cell.children
        name = facts["unrolled"]["figure"]
        alt = facts["mystnb"]["image"]["alt"]
        figure = nodes.figure(classes=["drawing"], ids=[f"figure-{name}"])
        for image in [i for o in outputs for i in o.findall(nodes.image)]:
            path = Path(self.app.srcdir, image["uri"])
            svg = inline_svg(path.read_text("utf-8"), alt, name)
            figure += nodes.raw("", svg, format="html")
        beside = cell.parent.children
        after = beside[beside.index(cell) + 1]
        if not after.astext().startswith(("Figure ", "图 ")):
            raise ValueError(f"the figure {name!r} has no caption after it")
        after.parent.remove(after)
        figure += nodes.caption("", "", *after.children)
        cell.children = []
        cell += [figure, code]


def stored_svg(chapter: str, name: str) -> tuple[str, str]:
    """A named figure of a chapter: its SVG and its words."""
    notebook = json.loads((BOOK / f"{chapter}.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("unrolled", {}).get("figure") == name:
            for output in cell["outputs"]:
                data = output.get("data", {})
                if "image/svg+xml" in data:
                    alt = cell["metadata"]["mystnb"]["image"]["alt"]
                    return "".join(data["image/svg+xml"]), alt
    raise ValueError(f"{chapter} has no figure named {name!r}")


def shortened(svg: str) -> str:
    """The drawing with hundredths of a point, which nobody can see."""
    return re.sub(r"(?<![\w#.])(\d+\.\d\d)\d+(?![\w.])", r"\1", svg)


class Drawing(SphinxDirective):
    """``{drawing} CHAPTER NAME``: a figure of a chapter.

    A file of its own, loaded when it comes into view: inside the page it
    would delay the first paint. Words keep the grey that both themes show.
    """

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The figure as it stands in its chapter, without a caption."""
        chapter, name = self.arguments
        try:
            svg, alt = stored_svg(chapter, name)
        except ValueError as error:
            raise self.error(str(error)) from error
        STATIC.mkdir(parents=True, exist_ok=True)
        file = STATIC / f"{chapter}-{name}.svg"
        file.write_text(shortened(svg), "utf-8")
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        width, height = (round(float(length)) for length in box.groups())
        up = "../" * self.env.docname.count("/")
        image = (
            # dark-light: the theme puts no white plate behind it
            f'<img class="dark-light" loading="lazy"'
            f' src="{up}_static/from_notebooks/{file.name}"'
            f' width="{width}" height="{height}" alt="{html.escape(alt)}">'
        )
        figure = nodes.figure(classes=["drawing"])
        figure += nodes.raw("", image, format="html")
        return [figure]


def name_folds(app, page, template, context, doctree) -> None:
    """Let each fold of code be called by what it says.

    myst-nb calls all of them "Toggle hidden content".
    """
    if context.get("body"):
        context["body"] = re.sub(
            '<summary aria-label="[^"]*">', "<summary>", context["body"]
        )


def write_colours(app) -> None:
    """The families' colours as a style sheet."""
    STATIC.mkdir(parents=True, exist_ok=True)
    rows = [f"  --family-{name}: {c};" for name, c in FAMILIES.items()]
    text = ":root {\n" + "\n".join(rows) + "\n}\n"
    (STATIC / "colours.css").write_text(text, "utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", write_colours)
    app.connect("html-page-context", name_folds)
    app.add_post_transform(Forms)
    app.add_directive("drawing", Drawing)
    return {"version": "1", "parallel_read_safe": True}
