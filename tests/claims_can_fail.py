"""No claim is true by construction: each fails when it is fed a false value.

A pytest plugin. While nbval runs a notebook of the book, before each claim
its condition is evaluated once more with the values that the table FALSE, in
tests/notebooks/test_false_claims.py, has for it. Where it still holds the
cell fails. So no chapter runs a second time for this, none is shortened, and
nothing is left to the weekly run.

The kernel runs this file too, so pytest is imported where it is needed only.
"""

import ast
import copy
import runpy
import sys
from pathlib import Path

TABLE = Path(__file__).parent / "notebooks" / "test_false_claims.py"
WHERE = "tests/notebooks/test_false_claims.py"
NAME = "_with_false_values"  # of the function that the kernel calls


def is_claim(statement: ast.stmt) -> bool:
    """Whether a statement is a call of claim()."""
    call = getattr(statement, "value", None)
    function = getattr(call, "func", None)
    return isinstance(call, ast.Call) and ast.unparse(function) == "claim"


class BeforeClaims(ast.NodeTransformer):
    """Puts a call before each claim: its sentence, its condition as text."""

    def visit_Module(self, module):
        """Only here: a claim stands at the top level of its cell."""
        body = []
        for statement in module.body:
            if is_claim(statement):
                sentence, condition = copy.deepcopy(statement.value.args[:2])
                source = ast.Constant(ast.unparse(condition))
                name = ast.Name(NAME, ast.Load())
                call = ast.Expr(ast.Call(name, [sentence, source], []))
                body.append(ast.copy_location(call, statement))
            body.append(statement)
        module.body = body
        return ast.fix_missing_locations(module)


def tries(chapter: str, entries: list | None, names: dict):
    """The function that tries the claims of a chapter, in their order.

    entries: words of each claim's sentence, and false values by name.
    names: the variables of the notebook.
    """
    met = []

    def with_false_values(sentence, condition):
        met.append(sentence)
        number, table = len(met), f'FALSE["{chapter}"] in {WHERE}'
        this = f"Claim {number} of {chapter}: {sentence!r}."
        entry = (
            '("words of the sentence", {"name": a value that makes it false})'
        )
        if entries is None or len(entries) < number:
            raise AssertionError(
                f"{this} There is no entry for it: add {entry} to {table}."
            )
        words, false = entries[number - 1]
        if words not in sentence:
            raise AssertionError(
                f"{this} At its place in {table} is the entry ({words!r}, "
                f"...), about other words: add {entry} for each new claim, "
                "and keep the order of the page."
            )
        if missing := sorted(set(false) - set(names)):
            raise AssertionError(
                f"{this} Its entry in {table} gives a value to "
                f"{', '.join(missing)}, but the notebook has no such variable."
            )
        if eval(condition, {**names, **false}):
            raise AssertionError(
                f"{this} It still holds with the false values of {table}. "
                "Choose values that contradict it; if there are none, it is "
                f"true by construction and no finding. Condition: {condition}"
            )

    return with_false_values


def arm(chapter: str) -> None:
    """In a kernel: from now on try every claim with its false values."""
    from IPython import get_ipython

    sys.path.insert(0, str(TABLE.parents[1]))
    entries = runpy.run_path(str(TABLE))["FALSE"].get(chapter)
    del sys.path[0]
    shell = get_ipython()
    shell.user_ns[NAME] = tries(chapter, entries, shell.user_ns)
    shell.ast_transformers.append(BeforeClaims())


def pytest_runtest_call(item):
    """Arm the kernel before the first cell that it runs."""
    from nbval.plugin import IPyNbCell

    chapters = item.config.rootpath / "book"
    if not isinstance(item, IPyNbCell) or item.path.parent != chapters:
        return
    notebook = item.parent
    if notebook.kernel is None or getattr(notebook, "armed", False):
        return
    notebook.armed = True
    code = (
        "import runpy\n"
        f"runpy.run_path({__file__!r})['arm']({item.path.stem!r})\n"
        "del runpy"
    )
    reply = notebook.kernel.kc.execute(
        code, store_history=False, reply=True, timeout=120
    )["content"]
    if reply["status"] != "ok":
        item.raise_cell_error(
            "claims cannot be tried", "\n".join(reply["traceback"])
        )
