"""No test is empty: each asserts something, and not a thing of itself.

That a test fails when the code under it is wrong is what ``make mutate``
shows; here are the kinds that a reader of the tests alone can see.
"""

import ast
import textwrap
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
# functions that assert for those who call them
ASSERTING = {"raises", "assert_close", "expect", "exec", "wait_for_function"}
# calls that give the same for the same
PURE = {"len", "abs", "sum", "min", "max", "set", "list", "sorted", "str"}


def checks(node: ast.AST) -> bool:
    """Whether something in it asserts, or calls what does."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if isinstance(inner, ast.Call):
            name = ast.unparse(inner.func).split(".")[-1]
            if name in ASSERTING or name.startswith(("assert_", "check_")):
                return True
            if any(k.arg == "check" for k in inner.keywords):
                return True  # a program that must end well
    return False


def compares_with_itself(node: ast.AST) -> list[str]:
    """Assertions in it that hold whatever the code does, as source."""
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert) and isinstance(
            inner.test, ast.Constant
        ):
            found.append(ast.unparse(inner))
        if isinstance(inner, ast.Compare):
            sides = [inner.left, *inner.comparators]
            words = [ast.unparse(side) for side in sides]
            calls = any(
                isinstance(part, ast.Call)
                and ast.unparse(part.func) not in PURE
                for side in sides
                for part in ast.walk(side)
            )
            # two calls may differ: that they do not is what is asserted
            if len(set(words)) < len(words) and not calls:
                found.append(ast.unparse(inner))
    return found


def functions_of(source: str):
    """Name and node of each test in a file, with helpers of that file."""
    tree = ast.parse(source)
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    for name, node in functions.items():
        if name.startswith("test_"):
            called = {
                ast.unparse(inner.func).split(".")[-1]
                for inner in ast.walk(node)
                if isinstance(inner, ast.Call)
            }
            yield (
                name,
                [node, *(functions[c] for c in called & set(functions))],
            )


FILES = sorted(TESTS.rglob("test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_test_asserts_something(path):
    for name, nodes in functions_of(path.read_text("utf-8")):
        assert any(map(checks, nodes)), f"{name} asserts nothing"
        for node in nodes:
            assert compares_with_itself(node) == [], name


@pytest.mark.parametrize(
    ("body", "asserts", "empty"),
    [
        ("x = f()", False, 0),
        ("assert f() == 1", True, 0),
        ("with raises(ValueError, 'no'): f()", True, 0),
        ("assert x == x", True, 1),
        ("assert len(x) == 3 == len(x)", True, 1),
        ("assert a.b[0] <= c < a.b[0]", True, 1),
        ("assert True", True, 1),
        ("assert first() == first()", True, 0),
    ],
)
def test_what_is_seen(body, asserts, empty):
    source = f"def test_it():\n{textwrap.indent(body, '    ')}\n"
    ((name, (node,)),) = functions_of(source)
    assert name == "test_it"
    assert checks(node) is asserts
    assert len(compares_with_itself(node)) == empty
