"""What the library says to a reader: the words given to ``say``, and slips."""

import ast
import io
from datetime import UTC, datetime
from pathlib import Path

import catalogs
from babel.messages.mofile import write_mo

from unrolled.course.tasks import EXERCISES

LIBRARY = catalogs.ROOT / "lib" / "unrolled"
NAME = "unrolled"


def said_in(source: str) -> list[str]:
    """The words given to ``say``: a string, or a name that holds one."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, (ast.FunctionDef, ast.Module)):
            continue
        strings = {
            ast.unparse(node.targets[0]): node.value.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
        }
        for call in ast.walk(function):
            if (
                not isinstance(call, ast.Call)
                or ast.unparse(call.func) != "say"
                or isinstance(function, ast.Module)
            ):
                continue
            words = call.args[0]
            if isinstance(words, ast.Constant):
                found.append(words.value)
            elif ast.unparse(words) in strings:
                found.append(strings[ast.unparse(words)])
            elif ast.unparse(words) != "slip":  # tasks.py has these
                raise ValueError(f"say({ast.unparse(words)}): which words?")
    return list(dict.fromkeys(found))


def messages(library: Path = LIBRARY) -> list[tuple[str, str]]:
    """All words, and where they stand."""
    found = []
    for path in sorted(library.rglob("*.py")):
        if path.stem == "language":
            continue
        source = path.read_text("utf-8")
        found += [
            (words, f"template {path.stem}") for words in said_in(source)
        ]
    found += [(words, "joint") for words in (" to ", " and ")]
    for name, exercise in EXERCISES.items():
        found += [(slip, f"slip {name}") for slip in exercise.slips]
    return found


def compiled(folder: Path = catalogs.FOLDER) -> bytes:
    """The catalog as the library reads it (a .mo file)."""
    file = io.BytesIO()
    catalog = catalogs.read(NAME, folder)
    # or the file would differ from day to day
    day = datetime(2026, 1, 1, tzinfo=UTC)
    catalog.revision_date = catalog.creation_date = day
    write_mo(file, catalog)
    return file.getvalue()
