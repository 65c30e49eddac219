"""The first cell, and the branch with the published notebooks."""

import json
import subprocess
import sys

import pytest

from scripts import ROOT, load

first_cell = load("tools/first_cell.py")
publisher = load("tools/publish_notebooks.py")

OUTPUT = {"name": "stdout", "output_type": "stream", "text": ["kept\n"]}


def git(folder, *arguments):
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def notebook(words):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": [words]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": first_cell.METADATA,
            "outputs": [OUTPUT],
            "source": first_cell.SOURCE.splitlines(keepends=True),
        },
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(folder, name, words):
    path = folder / "book" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first_cell.to_json(notebook(words)), "utf-8")


def commit(folder, words):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", words)
    git(folder, "push", "-q", "origin", "HEAD:main")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def course(tmp_path):
    """A repository with two notebooks, and its bare remote."""
    remote, folder = tmp_path / "remote.git", tmp_path / "course"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "remote", "add", "origin", str(remote))
    write(folder, "8_1_one.ipynb", "# One")
    write(folder, "zh/8_1_one.ipynb", "# 一")
    (folder / "other.txt").write_text("not published\n", "utf-8")
    commit(folder, "first")
    return folder, remote


def published(remote, name):
    return git(remote, "show", f"notebooks:{name}")


def test_a_first_publication_an_update_and_a_rerun(course):
    folder, remote = course
    first = git(folder, "rev-parse", "HEAD")
    assert "2 notebooks" in publisher.publish(folder, "some/rnn")
    names = git(remote, "ls-tree", "-r", "--name-only", "notebooks")
    assert set(names.splitlines()) == {
        "README.md",
        "book/8_1_one.ipynb",
        "book/zh/8_1_one.ipynb",
    }
    readme = published(remote, "README.md")
    assert len(readme.splitlines()) == 1
    assert first in readme
    there = json.loads(published(remote, "book/8_1_one.ipynb"))
    source = "".join(there["cells"][1]["source"])
    assert 'REPOSITORY = "https://github.com/some/rnn"\n' in source
    assert f'REVISION = "{first}"\n' in source
    assert there["cells"][1]["outputs"] == [OUTPUT]
    # nothing else is changed, in the notebook and in the checkout
    there["cells"][1]["source"] = first_cell.SOURCE.splitlines(keepends=True)
    assert there == notebook("# One")
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "main"

    before = git(remote, "rev-parse", "notebooks")
    assert "already" in publisher.publish(folder, "some/rnn")
    assert git(remote, "rev-parse", "notebooks") == before

    write(folder, "8_2_two.ipynb", "# Two")
    (folder / "book" / "zh" / "8_1_one.ipynb").unlink()
    second = commit(folder, "second")
    publisher.publish(folder, "some/rnn")
    names = git(remote, "ls-tree", "-r", "--name-only", "notebooks")
    assert names.splitlines() == [
        "README.md",
        "book/8_1_one.ipynb",
        "book/8_2_two.ipynb",
    ]
    assert second in published(remote, "book/8_1_one.ipynb")
    # it grows: the first publication is still there, below
    assert git(remote, "rev-parse", "notebooks~1") == before
    assert git(remote, "rev-parse", "main") == second


def test_from_a_shallow_clone_as_workflows_make_it(course, tmp_path):
    folder, remote = course
    publisher.publish(folder, "some/rnn")
    write(folder, "8_1_one.ipynb", "# One, again")
    latest = commit(folder, "second")
    shallow = tmp_path / "shallow"
    source = remote.as_uri()
    arguments = ("--depth", "1", "--single-branch", "-b", "main")
    git(tmp_path, "clone", "-q", *arguments, source, str(shallow))
    publisher.publish(shallow, "some/rnn")
    assert latest in published(remote, "README.md")
    assert git(remote, "rev-list", "--count", "notebooks") == "2"


def test_a_full_clone_stays_one(course, tmp_path):
    folder, remote = course
    publisher.publish(folder, "some/rnn")
    full = tmp_path / "full"
    git(tmp_path, "clone", "-q", "-b", "main", remote.as_uri(), str(full))
    write(full, "8_1_one.ipynb", "# One, again")
    commit(full, "second")
    publisher.publish(full, "some/rnn")
    assert git(full, "rev-parse", "--is-shallow-repository") == "false"


def test_what_is_not_committed_is_not_published(course):
    folder, remote = course
    write(folder, "8_1_one.ipynb", "# Not committed")
    with pytest.raises(RuntimeError, match="commit or restore"):
        publisher.publish(folder, "some/rnn")
    assert git(remote, "branch", "--list", "notebooks") == ""


def test_a_push_that_came_between_is_not_overwritten(course, monkeypatch):
    folder, remote = course
    publisher.publish(folder, "some/rnn")
    old = publisher.tip(folder)
    write(folder, "8_1_one.ipynb", "# One, again")
    commit(folder, "second")
    publisher.publish(folder, "some/rnn")
    newest = git(remote, "rev-parse", "notebooks")
    write(folder, "8_1_one.ipynb", "# One, a third time")
    commit(folder, "third")
    monkeypatch.setattr(publisher, "tip", lambda root: old)
    with pytest.raises(RuntimeError, match="rejected"):
        publisher.publish(folder, "some/rnn")
    assert git(remote, "rev-parse", "notebooks") == newest


def test_downloads_of_the_site_name_the_address_too(course, tmp_path):
    folder, _ = course
    sources = tmp_path / "html" / "_sources" / "book"
    sources.mkdir(parents=True)
    text = first_cell.to_json(notebook("# One"))
    (sources / "8_1_one.ipynb").write_text(text, "utf-8")
    (sources / "index.md").write_text("# Unrolled", "utf-8")
    publisher.fill_downloads(folder, tmp_path / "html", "some/rnn")
    commit_ = git(folder, "rev-parse", "HEAD")
    filled = (sources / "8_1_one.ipynb").read_text("utf-8")
    assert filled == first_cell.filled(
        text, "https://github.com/some/rnn", commit_
    )
    assert commit_ in filled


def test_a_cell_without_the_lines_is_an_error():
    with pytest.raises(ValueError, match="REVISION once"):
        first_cell.filled_source('REPOSITORY = ""\n', "https://x", "1")


class TestFirstCell:
    """What the cell does, in an interpreter of its own."""

    def run(self, folder, *options, source=first_cell.SOURCE, **environment):
        return subprocess.run(
            [sys.executable, *options, "-c", source],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    def test_with_the_library_it_prints_one_line(self, tmp_path):
        library = str(ROOT / "lib")
        done = self.run(tmp_path, PYTHONPATH=library)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1
        assert done.stdout.startswith("Python 3.")
        assert "+" not in done.stdout  # no local part of torch's version
        assert done.stdout.endswith("the last digits may differ.\n")

    @pytest.mark.parametrize("beside", ["", "unrolled", "unrolled/lib"])
    def test_without_it_the_error_says_what_to_do(self, tmp_path, beside):
        # a clone named as the library lies in the way: a mere folder
        (tmp_path / beside).mkdir(parents=True, exist_ok=True)
        done = self.run(tmp_path, "-S")
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("ModuleNotFoundError: The library `unrolled`")
        for words in ("Clone or download", "pip install -e .", "make book"):
            assert words in last

    def test_with_an_address_it_installs_that_revision(self, tmp_path):
        """A stand-in for pip writes what it was asked for, and the library."""
        stand_in = tmp_path / "modules"
        (stand_in / "pip").mkdir(parents=True)
        (stand_in / "pip" / "__main__.py").write_text(
            "import pathlib, sys\n"
            "folder = pathlib.Path(__file__).parents[1] / 'unrolled'\n"
            "folder.mkdir()\n"
            "(folder / '__init__.py').write_text('__version__ = \"9.9\"')\n"
            "(folder / 'asked').write_text(' '.join(sys.argv[1:]))\n",
            "utf-8",
        )
        (stand_in / "pip" / "__init__.py").write_text("", "utf-8")
        (stand_in / "torch.py").write_text("__version__ = '2.0+cpu'", "utf-8")
        (tmp_path / "unrolled").mkdir()  # in the way, and seen first
        source = first_cell.filled_source(
            first_cell.SOURCE, "https://github.com/some/rnn", "abc123"
        )
        looked = f"import unrolled\n{source}"  # as a reader who tried before
        done = self.run(
            tmp_path, "-S", source=looked, PYTHONPATH=str(stand_in)
        )
        assert done.returncode == 0, done.stderr
        assert "torch 2.0, unrolled 9.9;" in done.stdout
        asked = (stand_in / "unrolled" / "asked").read_text("utf-8")
        assert asked.split()[-1] == "git+https://github.com/some/rnn@abc123"
