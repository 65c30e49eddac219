"""Formulas keep about their room until MathJax has set them.

Until then a browser shows the TeX source, which is longer than the formula:
lines break elsewhere, columns of tables are wider, and everything moves when
MathJax is done. So each formula in a line gets the width that it will have,
estimated from its source, as the css variable ``--room``; unrolled.css keeps
that room where scripts run.
"""

import html
import re

INLINE = re.compile(
    r'<span class="math notranslate nohighlight">(\\\(.*?\\\))</span>', re.S
)
WIDE = {"quad": 1.6, "qquad": 3.2, "dots": 1.9, "ldots": 1.9, "cdots": 1.9}
NONE = {"left", "right", "hat", "bar", "tilde", "mathrm", "text", "mathbf"}
SMALL = 0.7  # a character of an index beside one on the line
SPACED = set("=<>+-") | {"le", "ge", "in", "to", "approx", "sim", "mid"}


def room(source: str) -> float:
    """About how wide the formula is, in characters of its line.

    >>> round(room("W_{xh}"), 1)
    2.4
    """
    total, size, sizes = 0.0, 1.0, []
    tokens = re.findall(r"\\([A-Za-z]+)|\\(.)|(\S)", source)
    index = False  # the next character or group stands above or below
    for name, sign, character in tokens:
        if character in ("_", "^"):
            index = True
            continue
        if character == "{":
            sizes.append(size)
            size = SMALL if index else size
        elif character == "}":
            size = sizes.pop() if sizes else 1.0
        elif name in NONE:
            continue
        elif sign:
            total += 0.3 if sign in ",;: !" else size
        else:
            width = WIDE.get(name, 1.0)
            if (name or character) in SPACED:
                width += 1.0
            if (name or character) in {",", ".", "(", ")", "|", "i", "l"}:
                width = 0.65
            if len(name) > 1 and name in {"log", "ln", "exp", "min", "max"}:
                width = len(name) + 0.3
            total += width * (SMALL if index else size)
        index = False
    return total


def keep_room(app, page, template, context, doctree) -> None:
    """Write the room of each formula into the page."""

    def kept(found: re.Match) -> str:
        source = html.unescape(found[1])[2:-2]
        return (
            '<span class="math notranslate nohighlight" '
            f'style="--room: {room(source):.1f}">{found[1]}</span>'
        )

    if context.get("body"):
        context["body"] = INLINE.sub(kept, context["body"])


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", keep_room)
    return {"version": "1", "parallel_read_safe": True}
