"""Markdown, cut into what is translated and what stays.

``translated(source, say)`` gives the page back with each heading, paragraph,
list item and table row replaced by ``say(it)``. Called with a function that
only listens, it lists what there is to translate; so the catalog and the page
cannot disagree about what a piece is. Code, formulas that stand alone, HTML
tags and options of directives are left as they are.
"""

import re
from collections.abc import Callable

Say = Callable[[str], str]

FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
COLONS = re.compile(r"(:{3,})(?:(\{[\w-]+\}) ?(.*))?")
HEADING = re.compile(r"(#{1,6} )(.*)")
ITEM = re.compile(r"(\s*(?:[-*+]|\d+\.) )(.*)")
OPTION = re.compile(r":[\w-]+:( .*)?")
DETAILS = re.compile(r"(<details><summary>)(.*)(</summary>)")
TAG_LINE = re.compile(r"</?[\w-]+>")
# what is no language: formulas, code, tags, addresses
SILENT = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|<[^>]*>|\]\([^)]*\)|\\\w+", flags=re.S
)
COMMENTED = ("bash", "python")  # fences whose comments are read
COMMENT = re.compile(r"(\s*|.*\S  +)(# )(.+)")
SPOKEN = ("{button-ref}",)  # fences whose content is read


def speaks(text: str) -> bool:
    """Whether there is anything in it to translate."""
    # \text{...} inside a formula is language
    if re.search(r"\\text(?:it)?\{[^}]*[a-z]{3}", text):
        return True
    return bool(re.search(r"[A-Za-z]{2}", SILENT.sub(" ", text)))


def translated(source: str, say: Say) -> str:
    """The Markdown with every piece that speaks replaced by ``say(it)``."""
    lines, done, n = source.split("\n"), [], 0
    while n < len(lines):
        line = lines[n]
        if fence := FENCE.fullmatch(line):
            end = _end_of_fence(lines, n, fence[2])
            inside = lines[n + 1 : end]
            if fence[3].startswith(SPOKEN):
                inside = [_line(one, say) for one in inside]
            elif fence[3] in COMMENTED:
                inside = [_comment(one, say) for one in inside]
            done += [line, *inside, *lines[end : end + 1]]
            n = end + 1
        elif _stands_alone(line):
            done.append(_line(line, say))
            n += 1
        else:
            end = n + 1
            while end < len(lines) and (
                "\n".join(lines[n:end]).count("$$") % 2  # inside a formula
                or not _begins(lines[end])
            ):
                end += 1
            done.append(_piece(lines[n:end], say))
            n = end
    return "\n".join(done)


def _end_of_fence(lines: list[str], start: int, marks: str) -> int:
    for n in range(start + 1, len(lines)):
        if lines[n].strip().startswith(marks):
            return n
    raise ValueError(f"a fence is not closed: {lines[start]!r}")


def _stands_alone(line: str) -> bool:
    """Whether no other line belongs to this one."""
    return (
        not line.strip()
        or line.startswith("|")
        or any(
            form.fullmatch(line)
            for form in (HEADING, COLONS, OPTION, DETAILS, TAG_LINE)
        )
    )


def _begins(line: str) -> bool:
    """Whether a line is no continuation of the one before it."""
    return bool(
        _stands_alone(line) or FENCE.fullmatch(line) or ITEM.fullmatch(line)
    )


def _line(line: str, say: Say) -> str:
    for form in (HEADING, DETAILS):
        if match := form.fullmatch(line):
            before, words, *after = match.groups()
            return "".join([before, _said(words, say), *after])
    if match := COLONS.fullmatch(line):
        marks, kind, words = match.groups()
        if not words or kind != "{grid-item-card}":
            return line
        return f"{marks}{kind} {_said(words, say)}"
    if OPTION.fullmatch(line) or re.fullmatch(r"[|:\s-]*", line):
        return line
    return _said(line, say)


def _comment(line: str, say: Say) -> str:
    """A line of code, with its comment said."""
    match = COMMENT.fullmatch(line)
    if match is None:
        return line
    before, mark, words = match.groups()
    return f"{before}{mark}{_said(words, say)}"


def _piece(lines: list[str], say: Say) -> str:
    """A paragraph or a list item, its lines joined; formulas keep theirs."""
    before = ""
    if item := ITEM.fullmatch(lines[0]):
        before, lines = item[1], [item[2], *lines[1:]]
    joined, inside = lines[0].strip(), lines[0].count("$$") % 2
    for line in lines[1:]:
        line = line.strip()
        apart = inside or line.startswith("$$") or joined.endswith("$$")
        joined += ("\n" if apart else " ") + line
        inside ^= line.count("$$") % 2
    return before + _said(joined, say)


def _said(words: str, say: Say) -> str:
    return say(words) if speaks(words) else words
