"""Mutation testing: change one thing in the library, see a test fail.

    python tools/mutate.py [MODULE ...]      (all modules, if none is named)

mutmut does the work, in a scratch folder where the library has the layout
that it expects. Prints killed and survived for each module, and each
survivor with its change and the reason from tools/survivors.toml why no test
can see it. Exit code 1 if a module has under 95 % killed or a survivor has
no reason.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "mutants"
MUTATED = "mutants/src"  # where mutmut writes in it
GOAL = 0.95
CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{only}]
also_copy = ["tools"]
pytest_add_cli_args_test_selection = ["tests"]

[tool.pytest.ini_options]
addopts = "--import-mode=importlib -p no:nbval -x"
pythonpath = ["tests"]
"""


def prepare(modules: list[str], found: dict[str, str]) -> None:
    """Lay out a project that holds these modules and their tests only.

    found: the path of each module, without its ending.
    """
    shutil.rmtree(SCRATCH, ignore_errors=True)
    shutil.copytree(
        ROOT / "lib" / "unrolled",
        SCRATCH / "src" / "unrolled",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    # test_ladder runs a tool
    shutil.copytree(ROOT / "tools", SCRATCH / "tools")
    (SCRATCH / "tests").mkdir()
    # now: Python forgets a path that it does not find at its start
    (SCRATCH / MUTATED).mkdir(parents=True)
    tests = [f"test_{module}" for module in modules]
    for name in ("helpers", "scripts", "test_error_messages", *tests):
        shutil.copy(ROOT / "tests" / f"{name}.py", SCRATCH / "tests")
    table = (ROOT / "tests" / "error_messages.txt").read_text("utf-8")
    (SCRATCH / "tests" / "error_messages.txt").write_text(
        part_of(table, modules), "utf-8"
    )
    only = ", ".join(f'"src/unrolled/{found[m]}.py"' for m in modules)
    config = CONFIG.format(only=only)
    (SCRATCH / "pyproject.toml").write_text(config, "utf-8")


def part_of(table: str, modules: list[str]) -> str:
    """What the table of error messages says of these modules."""
    sections = re.split(r"^(?=# )", table, flags=re.M)
    return "".join(
        section
        for section in sections
        if section.split("\n")[0].removeprefix("# ") in modules
    )


def mutmut(*arguments: str) -> str:
    """One call of mutmut in the scratch folder."""
    # one thread: a forked copy of torch's thread pool waits for ever
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=SCRATCH,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "UNROLLED_PROGRESS": "0",
            # programs that a test starts run the mutant, too
            "PYTHONPATH": str(SCRATCH / MUTATED),
        },
        capture_output=True,
        text=True,
    )
    if done.returncode and arguments[0] == "run":
        print(done.stdout[-3000:], done.stderr[-3000:])
        raise SystemExit("mutmut could not run; see above")
    return done.stdout


def change(mutant: str) -> tuple[str, str]:
    """The line as it was and as the mutant has it."""
    lines = mutmut("show", mutant).splitlines()
    old = [x[1:].strip() for x in lines if re.match(r"-(?!--)", x)]
    new = [x[1:].strip() for x in lines if re.match(r"\+(?!\+\+)", x)]
    return " ".join(old), " ".join(new)


def reason(module: str, old: str, new: str) -> str:
    """Why no test can tell this change from the original.

    An entry names a part of the new line, of a line that was removed, or of
    both lines.
    """
    known = tomllib.loads((ROOT / "tools" / "survivors.toml").read_text())
    for entry in known.get(module, []):
        came, went = entry.get("change", ""), entry.get("removed", "")
        if bool(came) == bool(new) and came in new and went in old:
            return entry["reason"]
    return ""


def main(modules: list[str]) -> int:
    """Run, print the table, judge."""
    library = ROOT / "lib" / "unrolled"
    found = {
        path.stem: path.relative_to(library).with_suffix("").as_posix()
        for path in sorted(library.rglob("*.py"))
        if path.stem != "__init__"
    }
    modules = modules or list(found)
    for module in modules:
        if module not in found:
            raise SystemExit(f"no module {module!r}; there are {list(found)}")
    prepare(modules, found)
    mutmut("run", "--max-children", "2")
    verdicts = re.findall(
        r"^\s*unrolled\.(?:course\.)?(\w+)\.(\S+): (.+)$",
        mutmut("results", "--all", "true"),
        flags=re.M,
    )
    failed = False
    print("module      mutants  killed  timed out  survived  killed")
    for module in modules:
        count = Counter(v for m, _, v in verdicts if m == module)
        total, killed, late = count.total(), count["killed"], count["timeout"]
        share = killed / max(total, 1)  # a time-out counts as survived
        failed |= total == 0 or share < GOAL
        print(
            f"{module:10s} {total:8d} {killed:7d} {late:10d} "
            f"{total - killed - late:9d} {share:7.1%}"
        )
    for module, name, verdict in verdicts:
        if verdict == "killed":
            continue
        old, new = change(f"unrolled.{found[module].replace('/', '.')}.{name}")
        why = reason(module, old, new)
        failed |= not why
        print(f"\n{verdict}: {module}.{name}\n  - {old}\n  + {new}")
        print(f"  {why or 'NO REASON GIVEN'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
