"""What the library says of bad arguments: each row of error_messages.txt.

Texts, not tuples: as Python each row would take three times its lines. And
the table is whole: an error of the library that has no row fails here.
"""

import ast
import importlib
import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import helpers
import unrolled

TABLE = Path(__file__).with_name("error_messages.txt")
LIBRARY = Path(unrolled.__file__).parent
# where each module lies in the library
PATHS = {path.stem: path for path in LIBRARY.rglob("[a-z]*.py")}
CHECKS = ("check_count", "check_number", "as_ids", "as_distributions")
# functions whose errors need more than a call: see the tests of the module
ELSEWHERE = {
    "checkpoints": {"_check_sizes"},  # wrapped by load_model
    "coding": {"decode"},  # data of another model
    "training": {"_labels"},
    "zipf_law": {"zipf_interval", "alpha"},
}


class Row(NamedTuple):
    """One call, what prepares it, and the error as "Kind: message"."""

    module: str
    line: int
    preparation: str
    call: str
    error: str


# code, up to the error that it raises or to a blank line
BLOCK = re.compile(r"((?:(?! +\w+Error: ).+\n)+)((?: +.+\n)*)")


def rows_of(table):
    """The rows of a table as text."""
    module = shared = ""
    for found in BLOCK.finditer(table):
        code, error = found.groups()
        if code.startswith("# "):
            module, shared = code[2:].strip(), ""
        elif module:
            prepared, calls = shared, []
            for node in ast.parse(code).body:
                if error and isinstance(node, ast.Expr):
                    calls.append(node)
                else:
                    prepared += ast.unparse(node) + "\n"
            if not error:
                shared = prepared
            said = re.sub(r"\n +", " ", error.strip())
            above = table.count("\n", 0, found.start())
            for call in calls:
                line = above + call.lineno
                yield Row(module, line, prepared, ast.unparse(call), said)


ROWS = list(rows_of(TABLE.read_text("utf-8")))


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row.module}-line{row.line}" for row in ROWS]
)
def test_what_is_said(row):
    path = PATHS[row.module].relative_to(LIBRARY).with_suffix("")
    module = importlib.import_module(".".join(["unrolled", *path.parts]))
    names = {**vars(helpers), **vars(module)}
    names |= {"math": math, "np": np, "torch": torch}
    exec(row.preparation, names)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        eval(row.call, names)
    said = f"{type(caught.value).__name__}: {caught.value}"
    wanted = ".*".join(map(re.escape, row.error.split("…")))
    assert re.fullmatch(wanted, said, re.S), f"{said}\nnot: {row.error}"


def pattern(message):
    """A regular expression for an f-string, from its source."""
    if isinstance(message, ast.Constant):
        return re.escape(message.value)
    if isinstance(message, ast.JoinedStr):
        return "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".*"
            for part in message.values
        )
    return ".*"


def errors_of(function):
    """Patterns of what a function says, by raising or through a check."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            kind = ast.unparse(node.exc.func)
            if kind in ("TypeError", "ValueError", "IndexError"):
                yield f"{kind}: {pattern(node.exc.args[0])}"
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CHECKS:
                yield rf"\w+: {pattern(node.args[0])}(\[\d+\])? .*"
            if name == "check_generator":
                yield "TypeError: generator must be .*"


@pytest.mark.parametrize("module", sorted(PATHS))
def test_every_error_has_a_row(module):
    said = [row.error for row in ROWS if row.module == module]
    for node in ast.walk(ast.parse(PATHS[module].read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        if node.name not in ELSEWHERE.get(module, ()):
            for wanted in errors_of(node):
                found = [re.fullmatch(wanted, error, re.S) for error in said]
                assert any(found), f"{node.name} says {wanted}: no row"


def test_a_table_by_hand():
    table = """Words.

# one

x = 1

f(x)
g(
    x
)
    ValueError: no
    more
y = 2
h(y)
    TypeError: this

# two

k()
    KeyError: z
"""
    assert list(rows_of(table)) == [
        ("one", 7, "x = 1\n", "f(x)", "ValueError: no more"),
        ("one", 8, "x = 1\n", "g(x)", "ValueError: no more"),
        ("one", 14, "x = 1\ny = 2\n", "h(y)", "TypeError: this"),
        ("two", 19, "", "k()", "KeyError: z"),
    ]
