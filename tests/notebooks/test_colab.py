"""Every chapter runs as in Colab: only its own file, and what it installs.

A fresh virtual environment holds torch, matplotlib and a kernel and nothing
of ours. The first cell installs the library, by pip, from a git address with
the released tag: here that of a local repository made for the test. Each
chapter then runs from an empty folder. Where a training takes minutes it is
made smaller, on the built-in text: whether its claims hold is for nbval to
say.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import unrolled
from scripts import load

ROOT = Path(__file__).resolve().parents[2]
# what Colab has; it needs changes of Colab's own from Python 3.12 on
OLD = ["ipython==7.34.0", "ipykernel==6.17.1"]
# every notebook has run under nbval already; that each also runs in an empty
# folder is checked once a week (UNROLLED_WEEKLY=1), and of these each time
QUICK = {"8_2_text_preprocessing", "8_6_summary"}
# how a finding begins, and one of another text
SAID = ("Holds: ", "Not checked on this text: ")
SAID_ZH = ("成立：", "在这段文本上未检验：")
ZH = sorted((ROOT / "book" / "zh").glob("*.ipynb"))  # made by make zh
QUICK_ZH = {"8_6_summary"}
WEEKLY = os.environ.get("UNROLLED_WEEKLY") == "1"
# chapter: a line of it, and what is put in its place
SHORTER = {
    "8_5_rnn_from_scratch": (
        "EPOCHS, HIDDENS = 60, 256",
        "EPOCHS, HIDDENS = 20, 32",
    )
}
KERNEL = OLD if sys.version_info < (3, 12) else ["ipykernel"]
RUNNER = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, kernel_name="python3", timeout=600).execute()
nbformat.write(notebook, sys.argv[1])
"""


def run(*command, **settings):
    """A command's output; its words in the failure if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **settings,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository with the library and its released tag."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "lib",
        folder / "lib",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-A", cwd=folder)
    run("git", *who, "commit", "-q", "-m", "library", cwd=folder)
    run("git", "tag", f"v{unrolled.__version__}", cwd=folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment without anything of ours."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q"]
    # most modules are never imported: no need to compile them all
    install += ["--retries", "1", "--timeout", "20", "--no-compile"]
    install += ["torch==2.13.0", "matplotlib", "nbclient", "nbformat"]
    done = subprocess.run(
        [*map(str, install), *KERNEL],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode and "after connection broken by" in done.stdout:
        pytest.skip("no network: no package index to install from")
    assert done.returncode == 0, done.stdout[-4000:]
    return python


def shorten(notebook, line, shorter):
    """Put a line in the place of one that stands there exactly once."""
    found = 0
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and f"{line}\n" in source:
            found += source.count(f"{line}\n")
            cell["source"] = source.replace(f"{line}\n", f"{shorter}\n")
    assert found == 1, line


def alone(notebook_path, python, repository, tmp_path):
    """What a notebook prints that runs with nothing but itself."""
    notebook = json.loads(notebook_path.read_text("utf-8"))
    (first, *_) = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    tag = f"v{unrolled.__version__}"
    fill = load("tools/first_cell.py").filled_source
    first["source"] = fill("".join(first["source"]), repository, tag)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "JUPYTER"))
    }
    environment["PIP_NO_COMPILE"] = "1"
    if notebook_path.stem in SHORTER:
        shorten(notebook, *SHORTER[notebook_path.stem])
        environment.pop("UNROLLED_DATA", None)
        environment["UNROLLED_OFFLINE"] = "1"
        environment["UNROLLED_CACHE"] = str(tmp_path / "none")
    copy = tmp_path / notebook_path.name
    copy.write_text(json.dumps(notebook), "utf-8")
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    run(python, "-c", RUNNER, copy, cwd=tmp_path, env=environment)
    ran = json.loads(copy.read_text("utf-8"))
    assert os.listdir(tmp_path) == [copy.name]  # notebooks write no files
    return "".join(
        "".join(output.get("text", ""))
        for cell in ran["cells"]
        for output in cell.get("outputs", [])
    )


def check_findings(printed, said):
    """On the built-in text what is said of the book is not checked."""
    made = [printed.count(words) for words in said]
    assert sum(made) >= 3
    assert made[0] > 0


@pytest.mark.slow
def test_a_chapter_runs_in_an_empty_folder(
    notebook_path, python, repository, tmp_path
):
    if notebook_path.stem not in QUICK and not WEEKLY:
        pytest.skip("runs once a week; UNROLLED_WEEKLY=1 runs it now")
    printed = alone(notebook_path, python, repository, tmp_path)
    check_findings(printed, SAID)


@pytest.mark.slow
@pytest.mark.parametrize("path", ZH, ids=lambda path: path.stem)
def test_a_chinese_chapter_runs_in_an_empty_folder(
    path, python, repository, tmp_path
):
    if path.stem not in QUICK_ZH and not WEEKLY:
        pytest.skip("runs once a week; UNROLLED_WEEKLY=1 runs it now")
    printed = alone(path, python, repository, tmp_path)
    check_findings(printed, SAID_ZH)
    assert "Holds: " not in printed
