"""The tools behind the make targets."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts import load

ROOT = Path(__file__).resolve().parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
PLACEHOLDER = CONFIG["repository"]["url"]


@pytest.fixture
def clone(tmp_path):
    """The tracked files in a repository of their own."""
    names = subprocess.check_output(
        ["git", "ls-files", "-z"], cwd=ROOT, text=True
    ).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    return tmp_path


def set_repository(folder, *arguments):
    return subprocess.run(
        [sys.executable, "tools/set_repository.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_the_address_is_set_everywhere(clone):
    url = "https://github.com/someone/unrolled"
    done = set_repository(clone, url + ".git")
    assert done.returncode == 0, done.stderr
    for name in ("README.md", "_config.yml", "CITATION.cff", "pyproject.toml"):
        assert f"set in {name}" in done.stdout
        text = (clone / name).read_text("utf-8")
        assert url in text
        assert PLACEHOLDER not in text
    for notebook in (clone / "book").glob("*.ipynb"):
        text = notebook.read_text("utf-8")
        assert f'REPOSITORY = \\"{url}\\"' in text
        # the first cell must still know the placeholder to refuse it
        assert '\\"/_owner_/\\" in REPOSITORY' in text


@pytest.mark.parametrize(
    "url", ["", "someone/unrolled", "http://github.com/a/b", "https://x.y/a/b"]
)
def test_a_bad_address_changes_nothing(clone, url):
    done = set_repository(clone, url)
    assert done.returncode == 2
    assert f"URL is {url!r}" in done.stdout
    assert PLACEHOLDER in (clone / "_config.yml").read_text("utf-8")


class TestClaims:
    """make claims collects what the notebooks printed."""

    def test_the_stored_claims_are_those_of_the_notebooks(self):
        claims = load("tools/claims.py")
        stored = json.loads(claims.TABLE.read_text("utf-8"))
        assert stored == claims.collect(), "make claims, then make execute"
        assert len(stored) > 100

    def test_a_notebook_by_hand(self, tmp_path):
        def text(source):
            return {"cell_type": "markdown", "source": [source]}

        def code(*printed):
            outputs = [{"output_type": "stream", "text": list(printed)}]
            return {"cell_type": "code", "source": [], "outputs": outputs}

        cells = [
            text("# 8.9 A title\n\nHolds: not this one."),
            code("Holds: one is 1.\n", "noise\n"),
            text("## It's 2, isn't it?"),
            code("Not checked on this text: x.\nHolds: two is 2.\n"),
        ]
        path = tmp_path / "8_9_x.ipynb"
        path.write_text(json.dumps({"cells": cells}), "utf-8")
        rows = load("tools/claims.py").claims_of(path)
        assert [(r["section"], r["anchor"], r["sentence"]) for r in rows] == [
            ("8.9 A title", "89-a-title", "one is 1."),
            ("It's 2, isn't it?", "its-2-isnt-it", "two is 2."),
        ]
        assert {(r["chapter"], r["title"]) for r in rows} == {
            ("8_9_x", "8.9 A title")
        }
