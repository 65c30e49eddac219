"""Lines of code with Chinese in them: how wide they are, where they break."""

import re
import unicodedata

WIDTH = 79


def columns(text: str) -> int:
    """How wide a line is; Chinese characters take two columns."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide


def pieces_of(text: str) -> list[str]:
    """Where a line may be broken: at spaces, and around wide characters."""
    wide = r"[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f]"
    closing = r"[，。；：、！？）》”’]"
    return re.findall(rf"{wide}{closing}*|[^\s\u2e80-\uffef]+| +|\s", text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most so many columns, where that can be."""
    lines = [""]
    for piece in pieces_of(text):
        if lines[-1] and columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        if lines[-1] or not piece.isspace():
            lines[-1] += piece
    return [line.rstrip() for line in lines]
