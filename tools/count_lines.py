"""Count the library's lines of code, module by module.

    python tools/count_lines.py        (make lines)

A line of code holds something other than a comment, a docstring or nothing.
Of these, argument checks are counted apart: a function named ``check_...`` or
``_check_...``; a call of one, or of ``as_ids``, that makes up its statement;
and a branch or an ``except`` that does nothing but raise. What is left is
what a module teaches.
"""

import ast
import io
import tokenize
from pathlib import Path
from typing import NamedTuple

LIBRARY = Path(__file__).resolve().parent.parent / "lib" / "unrolled"
# no idea that a page teaches: sentences that are checked, checks, the oracle
MACHINERY = (
    "__init__",
    "checks",
    "claims",
    "course",
    "language",
    "reference",
)
# beyond the classic course: of appendices, and of pages that can be skipped
APART = (
    "attention",
    "context_mixing",
    "distributed",
    "gates",
    "reading",
    "memory",
    "resuming",
    "sharing",
    "subwords",
)


class Count(NamedTuple):
    """The lines of one module."""

    module: str
    lines: int  # of the file
    code: int  # without checks
    checks: int

    @property
    def teaches(self) -> bool:
        """Whether the module belongs to what the course teaches."""
        return self.module.split(".")[0] not in MACHINERY


def count(source: str, module: str = "") -> Count:
    """Count one module."""
    tree = ast.parse(source)
    code = _lines_with_code(source) - _lines(_docstrings(tree))
    checks = code & _lines(_checks(tree))
    lines = source.count("\n")
    return Count(module, lines, len(code - checks), len(checks))


def library() -> list[Count]:
    """Every module, those of subfolders too."""
    found = []
    for path in sorted(LIBRARY.rglob("*.py")):
        module = path.relative_to(LIBRARY).with_suffix("").as_posix()
        source = path.read_text("utf-8")
        found.append(count(source, module.replace("/", ".")))
    return found


def taught(counts: list[Count]) -> int:
    """The lines of teaching code, without those counted apart."""
    return sum(c.code for c in counts if c.teaches and c.module not in APART)


def table(counts: list[Count]) -> str:
    """The modules and their sums, in words."""
    rows = [f"{'module':20s} {'lines':>5s} {'code':>5s} {'checks':>6s}"]
    for kind, teaches in (("teaching", True), ("machinery", False)):
        group = [c for c in counts if c.teaches == teaches]
        total = [sum(c[i] for c in group) for i in (1, 2, 3)]
        for module, *numbers in [*group, (kind + ", all", *total)]:
            rows.append("{:20s} {:5d} {:5d} {:6d}".format(module, *numbers))
    return "\n".join([*rows, f"teaching code: {taught(counts)} lines"])


def _lines_with_code(source: str) -> set[int]:
    nothing = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in nothing:
            found.update(range(token.start[0], token.end[0] + 1))
    return found


def _lines(nodes: list[ast.AST]) -> set[int]:
    found: set[int] = set()
    for node in nodes:
        found.update(range(node.lineno, node.end_lineno + 1))
    return found


def _docstrings(tree: ast.Module) -> list[ast.AST]:
    return [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and ast.get_docstring(node) is not None
    ]


def _checks(tree: ast.Module) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if _is_check(node)]


def _is_check(node: ast.AST) -> bool:
    """Whether a statement does nothing but check; see above."""
    if isinstance(node, ast.FunctionDef):
        return node.name.startswith(("check_", "_check"))
    if isinstance(node, (ast.Expr, ast.Assign)):
        call = node.value
        return isinstance(call, ast.Call) and _is_named_as_check(call.func)
    if isinstance(node, ast.If):
        return _raises(node.body) and all(
            isinstance(other, ast.Raise) or _is_check(other)
            for other in node.orelse
        )
    if isinstance(node, ast.ExceptHandler):
        return _raises(node.body)
    if isinstance(node, ast.For):
        return all(_is_check(inner) for inner in node.body)
    return False


def _is_named_as_check(function: ast.expr) -> bool:
    name = getattr(function, "attr", None) or getattr(function, "id", "")
    return name == "as_ids" or name.startswith(("check_", "_check"))


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a branch ends in an error: what precedes it makes its words."""
    return isinstance(body[-1], ast.Raise)


if __name__ == "__main__":
    print(table(library()))
