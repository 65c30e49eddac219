"""The tools behind the make targets."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
