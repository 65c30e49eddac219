"""The table of error messages is whole: each error of the library has a row.

Not beside the rows: make mutate runs those of one module on changed code.
"""

import ast
import re

import pytest

from test_error_messages import PATHS, ROWS

CHECKS = ("check_count", "check_number", "as_ids", "as_distributions")
# functions whose errors need more than a call: see the tests of the module
ELSEWHERE = {
    "checkpoints": {"_check_sizes"},  # wrapped by load_model
    "resuming": {"checkpoint_of"},  # of a file made before
    "sharing": {"averaging_gradients", "check_alike"},
    "zipf_law": {"zipf_interval", "alpha"},
}


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
