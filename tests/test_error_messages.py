"""What the library says of bad arguments: each row of error_messages.txt.

Texts, not tuples: as Python each row would take three times its lines. That
no error of the library is left out is tested in test_error_table.
"""

import ast
import importlib
import math
import re
import sys
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


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if drawing := sys.modules.get("matplotlib.pyplot"):
        drawing.close("all")


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
