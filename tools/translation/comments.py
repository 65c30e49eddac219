"""The comments of a code cell, and how they are replaced."""

import io
import re
import tokenize

from lines import WIDTH, wrapped
from prose import Say

KEPT = re.compile(r"#\s*(?:noqa|fmt:|type:|ruff:)")
TITLE = "# @title "


def changes_of(source: str, lines: list[str], say: Say) -> list:
    """Comments; those that fill lines, one below the other, are one."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = [t for t in tokens if t.type == tokenize.COMMENT]
    groups = []
    for token in found:
        row, column = token.start
        alone = not lines[row - 1][:column].strip()
        if KEPT.match(token.string):
            continue
        last = groups[-1] if groups else None
        follows = (
            last is not None
            and alone
            and last["alone"]
            and last["rows"][-1] == row - 1
            and last["column"] == column
            and not last["text"].startswith(TITLE)
        )
        if follows:
            last["rows"].append(row)
            last["text"] += " " + token.string.lstrip("# ")
        else:
            groups.append(
                {
                    "rows": [row],
                    "column": column,
                    "alone": alone,
                    "text": token.string,
                }
            )
    return [c for g in groups if (c := _comment(g, lines, say)) is not None]


def _comment(group: dict, lines: list[str], say: Say):
    text, first, last = group["text"], group["rows"][0], group["rows"][-1]
    marks = TITLE if text.startswith(TITLE) else "# "
    words = text[len(marks) :] if text.startswith(marks) else text.lstrip("#")
    if not re.search(r"[A-Za-z]{2}", words):
        return None
    said = say(words.strip())
    start = (first - 1, len(lines[first - 1][: group["column"]].encode()))
    end = (last - 1, len(lines[last - 1].encode()))

    def change(before, after):
        if not group["alone"] or marks == TITLE:
            return [f"{before}{marks}{said}"]
        rows = wrapped(said, WIDTH - group["column"] - 2)
        return [f"{before}# {row}" for row in rows]

    return start, end, change
