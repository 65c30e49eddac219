"""Code cells, cut into what a reader is told and what runs.

``translated(source, say)`` replaces comments, docstrings and the sentences
given to ``claim``; nothing else of the code changes. A sentence is passed on
as a template: its placeholders stand in braces, as in an f-string.
"""

import ast
import re

from comments import changes_of
from lines import WIDTH, columns, pieces_of, wrapped
from prose import Say


def template(node: ast.expr) -> str:
    """A string or f-string as a template.

    Raises ValueError for anything else.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{", "{{").replace("}", "}}")
    if not isinstance(node, ast.JoinedStr):
        raise ValueError(f"no string: {ast.unparse(node)}")
    found = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            found.append(part.value.replace("{", "{{").replace("}", "}}"))
        else:
            found.append(_placeholder(part))
    return "".join(found)


def _placeholder(part: ast.FormattedValue) -> str:
    shown = "{" + ast.unparse(part.value)
    if part.conversion != -1:
        shown += "!" + chr(part.conversion)
    if part.format_spec is not None:
        shown += ":" + "".join(
            p.value if isinstance(p, ast.Constant) else _placeholder(p)
            for p in part.format_spec.values
        )
    return shown + "}"


def placeholders(text: str) -> list[str]:
    """What stands in braces, in order; doubled braces are plain ones.

    Raises ValueError where a brace is left open.
    """
    found, depth, start, n = [], 0, 0, 0
    while n < len(text):
        if depth == 0 and text[n : n + 2] in ("{{", "}}"):
            n += 2
            continue
        if text[n] == "{":
            if depth == 0:
                start = n
            depth += 1
        elif text[n] == "}":
            depth -= 1
            if depth == 0:
                found.append(text[start : n + 1])
        if depth < 0:
            raise ValueError(f"a brace is closed that was not open: {text!r}")
        n += 1
    if depth:
        raise ValueError(f"a brace is left open: {text!r}")
    return found


def parts_of(text: str, marks: list[str]) -> list[str]:
    """The text cut before and behind each of these marks."""
    if not marks:
        return [text]
    return re.split("(" + "|".join(map(re.escape, marks)) + ")", text)


def unbraced(text: str) -> str:
    """What doubled braces of a template stand for."""
    return text.replace("{{", "{").replace("}}", "}")


def spoken(node: ast.AST, listing: bool) -> list[ast.expr]:
    """The strings of a statement that are said to the reader.

    Those given to ``claim``, the words that a ``print`` begins with, and in
    a listing its sentences.
    """
    found, parts = [], set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.JoinedStr):
            parts |= {id(part) for part in ast.walk(inner)} - {id(inner)}
    for inner in ast.walk(node):
        called = isinstance(inner, ast.Call) and getattr(inner.func, "id", "")
        if called == "claim" or (called == "print" and _is_told(inner)):
            found.append(inner.args[0])
        elif (
            listing
            and isinstance(inner, (ast.Constant, ast.JoinedStr))
            and id(inner) not in parts
            and _is_sentence(inner)
        ):
            found.append(inner)
    return found


def _is_told(call: ast.Call) -> bool:
    """Whether a print begins with words, and not with a value alone."""
    if not call.args or not isinstance(
        call.args[0], (ast.Constant, ast.JoinedStr)
    ):
        return False
    first = call.args[0]
    if isinstance(first, ast.Constant) and not isinstance(first.value, str):
        return False
    words = template(first)
    for mark in placeholders(words):
        words = words.replace(mark, " ")
    return len(re.findall(r"[A-Za-z]{2,}", words)) > 1


def _is_sentence(node: ast.expr) -> bool:
    """In a cell that makes a list: words that end like a sentence."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        return False
    text = re.sub(r"<[^>]*>", "", template(node)).strip()
    return bool(re.search(r"[a-z]+,? [a-z]+.*\.$", text, flags=re.S))


def documented(tree: ast.AST) -> list[ast.expr]:
    """The docstrings."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, kinds) and ast.get_docstring(node) is not None
    ]


def translated(source: str, say: Say, *, listing: bool = False) -> str:
    """The code with what it says replaced.

    listing: the cell makes a list for the reader; its sentences count too.
    """
    tree, lines = ast.parse(source), source.split("\n")
    changes = []  # (first line, last line, new lines), lines from 0
    docstrings = documented(tree)
    strings = {id(n): n for n in spoken(tree, listing)}
    for node in docstrings:
        strings.pop(id(node), None)
        changes.append(_docstring(node, lines, say))
    for node in strings.values():
        changes.append(_string(node, lines, say))
    changes += changes_of(source, lines, say)
    # several on one line: the later one first, so that places still hold
    for start, end, change in sorted(changes, key=lambda c: c[:2])[::-1]:
        first, last = start[0], end[0]
        before = _cut(lines[first], start[1], head=True)
        after = _cut(lines[last], end[1], head=False)
        new = change(before, after)
        lines[first : last + 1] = new
    return "\n".join(lines)


def _cut(line: str, at: int, *, head: bool) -> str:
    """A part of a line; ast counts bytes."""
    raw = line.encode()
    return (raw[:at] if head else raw[at:]).decode()


def _span(node: ast.expr):
    start = (node.lineno - 1, node.col_offset)
    return start, (node.end_lineno - 1, node.end_col_offset)


def _docstring(node: ast.Constant, lines: list[str], say: Say):
    start, end = _span(node)
    indent = " " * start[1]
    paragraphs = [
        " ".join(p.split()) for p in re.split(r"\n\s*\n", node.value)
    ]
    said = [say(p) for p in paragraphs if p]

    def change(before, after):
        rows = []
        for number, text in enumerate(said):
            room = WIDTH - len(indent) - (6 if len(said) == 1 else 3)
            rows += [""] if number else []
            rows += wrapped(text, room)
        rows[0] = f'{before}"""{rows[0]}'
        rows[1:] = [f"{indent}{row}" if row else "" for row in rows[1:]]
        if len(rows) == 1:
            rows[0] += f'"""{after}'
        else:
            rows.append(f'{indent}"""{after}')
        return rows

    return start, end, change


def _string(node: ast.expr, lines: list[str], say: Say):
    start, end = _span(node)
    said = say(template(node))

    def change(before, after):
        indent = " " * (len(before) - len(before.lstrip()))
        if before.strip():  # the string goes to lines of its own
            return [before + _literal(said) + after]
        room = WIDTH - len(indent) - 4
        rows = [_literal(row) for row in _literal_lines(said, room)]
        rows = [indent + row for row in rows]
        rows[-1] += after
        return rows

    return start, end, change


def _literal_lines(text: str, width: int) -> list[str]:
    """The template in parts; no placeholder is broken."""
    rows, marks = [""], placeholders(text)
    for part in parts_of(text, marks):
        for piece in [part] if part in marks else pieces_of(part):
            if rows[-1] and columns(rows[-1] + piece) > width:
                rows.append("")
            rows[-1] += piece
    return rows


def _literal(text: str) -> str:
    """Source of a string; an f-string where there are placeholders."""
    marks = placeholders(text)
    if not marks:
        return f'"{_escaped(unbraced(text))}"'
    parts = [p if p in marks else _escaped(p) for p in parts_of(text, marks)]
    return f'f"{"".join(parts)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
