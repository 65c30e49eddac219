"""Bring everything that is derived up to date, in the right order.

    python tools/refresh.py [book/chapter.ipynb ...]     (all, if none named)

Each step reads what the one before wrote: the ladder is shown by chapters,
chapters print claims, the summary lists them, the explorables stand on built
pages. After each step its time and the files that it changed are printed.
Named notebooks: only these are executed again, beside the summary. Long
trainings are not among the steps (make experiments), nor is what depends on
the speed of the machine (make bench).
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import chromium

ROOT = Path(__file__).resolve().parent.parent
SUMMARY = "book/8_6_summary.ipynb"


def steps(chosen: list[str], root: Path = ROOT) -> list[tuple[str, list]]:
    """What is done, in order: a few words, and the command."""
    named = [os.path.relpath(Path(name).resolve(), root) for name in chosen]
    every = sorted(
        str(path.relative_to(root)) for path in (root / "book").glob("*.ipynb")
    )
    if unknown := [name for name in named if name not in every]:
        raise SystemExit(f"no notebook of the book: {', '.join(unknown)}")
    chapters = [name for name in named or every if name != SUMMARY]
    python = sys.executable
    found = [
        ("the first cell of each notebook", [python, "tools/first_cell.py"]),
        ("scores on the ladder", [python, "tools/ladder.py"]),
    ]
    if chapters:
        execute = [python, "tools/execute.py", *chapters]
        found.append(("outputs, folds and numbers of figures", execute))
    build = ["jupyter-book", "build", ".", "-n", "-W", "--keep-going"]
    build[0] = str(Path(python).with_name(build[0]))
    return [
        *found,
        ("the list of claims", [python, "tools/claims.py"]),
        ("the summary", [python, "tools/execute.py", SUMMARY]),
        ("what explorables show", [python, "tools/explorables"]),
        ("the site", build),
        ("the room of each explorable", [python, "tools/rooms.py"]),
    ]


def fingerprints(root: Path = ROOT) -> dict[str, str]:
    """A hash of each file that git knows or would add."""
    asked = ["--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        ["git", "ls-files", "-z", *asked],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest()
        for name in names
        if name and (root / name).is_file()
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The files that differ, with what happened to them."""
    words = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            words.append(f"new: {name}")
        elif name not in after:
            words.append(f"gone: {name}")
        elif before[name] != after[name]:
            words.append(f"changed: {name}")
    return words


def refresh(plan: list[tuple[str, list]], root: Path = ROOT) -> None:
    """Do the steps of a plan and say what each of them did.

    Raises SystemExit with the command where one fails.
    """
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    before = fingerprints(root)
    for number, (words, command) in enumerate(plan, 1):
        print(f"{number}/{len(plan)}  {words}", flush=True)
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(done.stdout[-3000:])
            raise SystemExit(f"this step failed: {' '.join(command)}")
        after = fingerprints(root)
        seconds = time.perf_counter() - start
        for line in changed(before, after) or ["nothing changed"]:
            print(f"     {line}")
        print(f"     {seconds:.0f} s", flush=True)
        before = after


if __name__ == "__main__":
    plan = steps(sys.argv[1:])
    if chromium.find() is None:
        print(f"left out, since there is no Chromium: {plan.pop()[0]}")
    refresh(plan)
