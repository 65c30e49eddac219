"""The address: found, used everywhere, or nothing that needs it is shown."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from scripts import load

ROOT = Path(__file__).resolve().parents[1]
address = load("book/_ext/repository_address.py")

TOC = """\
format: jb-book
root: book/index
chapters:
  - file: book/8_9_small
"""
INDEX = """\
---
myst:
  html_meta:
    description: Words written by "hand" & kept.
---
# Unrolled

A course.

```{address-known}
Known: {repository}`the repository`, {repository}`the licence <LICENSE>` and
{colab}`8.9 in Colab <8_9_small>`.
```

```{address-unknown}
Unknown: **download** it. {repository}`No link here`.
```
"""
CELLS = [
    {
        "cell_type": "markdown",
        "metadata": {},
        "source": "# 8.9 Small\n\nA first sentence. A second $x$.\n\n## A\n",
    },
    {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": [],
        "source": "1",
    },
]


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/Some-One/rnn.course",
        "https://github.com/Some-One/rnn.course.git",
        "https://github.com/Some-One/rnn.course/",
        "https://user:secret@github.com/Some-One/rnn.course.git",
        "http://www.github.com/Some-One/rnn.course",
        "git@github.com:Some-One/rnn.course.git",
        "github.com:Some-One/rnn.course",
        "ssh://git@github.com/Some-One/rnn.course.git",
        "ssh://git@ssh.github.com:443/Some-One/rnn.course.git",
        "git://GitHub.com/Some-One/rnn.course.git",
    ],
)
def test_addresses_on_github(remote):
    assert address.on_github(remote) == "Some-One/rnn.course"


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/home/someone/course",
        "https://gitlab.com/someone/course.git",
        "https://github.com.example.org/someone/course",
        "https://notgithub.com/someone/course",
        "https://example.org/github.com/someone/course",
        "https://x@example.org/@github.com/someone/course",
        "git@example.org:github.com/someone/course.git",
        "https://github.com/someone",
        "https://github.com/someone/course/tree/main",
    ],
)
def test_addresses_elsewhere(remote):
    assert address.on_github(remote) is None


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path):
    """A git repository without a remote."""
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_environment_goes_first(repository):
    git(repository, "remote", "add", "origin", "https://github.com/a/from-git")
    assert address.find_repository(repository, {}) == "a/from-git"
    workflow = {"GITHUB_REPOSITORY": "b/from-workflow"}
    assert address.find_repository(repository, workflow) == "b/from-workflow"
    elsewhere = workflow | {"GITHUB_SERVER_URL": "https://git.example.org"}
    assert address.find_repository(repository, elsewhere) == "a/from-git"
    odd = {"GITHUB_REPOSITORY": "no owner"}
    assert address.find_repository(repository, odd) == "a/from-git"


def test_no_remote_or_one_on_another_host_is_unknown(repository):
    assert address.find_repository(repository, {}) is None
    git(repository, "remote", "add", "origin", "https://gitlab.com/a/b.git")
    assert address.find_repository(repository, {}) is None


def test_an_exported_folder_inside_a_repository_is_not_that_one(repository):
    git(repository, "remote", "add", "origin", "https://github.com/a/b")
    exported = repository / "course"
    exported.mkdir()
    assert address.find_repository(exported, {}) is None


def test_a_shallow_clone_and_a_folder_without_git(repository, tmp_path):
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for word in "one", "two":
        git(repository, *who, "commit", "-q", "--allow-empty", "-m", word)
    clone = tmp_path / "clone"
    source = repository.as_uri()
    git(tmp_path, "clone", "-q", "--depth", "1", source, str(clone))
    assert address.find_repository(clone, {}) is None
    new = "git@github.com:a/b.git"
    git(clone, "remote", "set-url", "origin", new)
    assert address.find_repository(clone, {}) == "a/b"
    shutil.rmtree(clone / ".git")
    assert address.find_repository(clone, {}) is None


def test_where_github_pages_serves():
    site = address.site_address
    assert site("Some-One/rnn") == "https://some-one.github.io/rnn/"
    assert site("Some-One/Some-One.github.io") == "https://some-one.github.io/"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that builds two pages: with a repository, or a remote."""

    def run(repository="", remote=""):
        folder = tmp_path_factory.mktemp("course")
        shutil.copy(ROOT / "_config.yml", folder)
        (folder / "_toc.yml").write_text(TOC, "utf-8")
        book = folder / "book"
        for name in ("_ext", "_root", "_static", "_templates"):
            leave = shutil.ignore_patterns("__pycache__", "from_notebooks")
            shutil.copytree(ROOT / "book" / name, book / name, ignore=leave)
        (book / "index.md").write_text(INDEX, "utf-8")
        notebook = {
            "cells": CELLS,
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 4,
        }
        text = json.dumps(notebook)
        (book / "8_9_small.ipynb").write_text(text, "utf-8")
        if remote:
            git(folder, "init", "-q")
            git(folder, "remote", "add", "origin", remote)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GITHUB_")
        }
        if repository:
            environment["GITHUB_REPOSITORY"] = repository
        code = "from jupyter_book.cli.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "build", ".", "-n", "-W"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return folder / "_build" / "html"

    return run


def read(site, name):
    return BeautifulSoup((site / name).read_text("utf-8"), "html.parser")


def outside(soup):
    """Where the links and the head of a page lead on other hosts."""
    found = [a["href"] for a in soup.find_all("a", href=True)]
    found += [e["href"] for e in soup.find_all("link", href=True)]
    found += [e["content"] for e in soup.find_all("meta", content=True)]
    return {x for x in found if re.match("https?://|//", x)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"repository": "Some-One/rnn"}, "Some-One/rnn"),
        ({"remote": "git@github.com:another/course.git"}, "another/course"),
    ],
)
def test_a_known_address_is_used_everywhere(build, how, name):
    site = build(**how)
    owner, short = name.split("/")
    github = f"https://github.com/{name}"
    pages = f"https://{owner.lower()}.github.io/{short}/"
    colab = (
        f"https://colab.research.google.com/github/{name}/blob/notebooks/"
        "book/8_9_small.ipynb"
    )
    index, chapter = (
        read(site, "book/index.html"),
        read(site, "book/8_9_small.html"),
    )
    text = index.find("article").get_text()
    assert "Known: the repository" in text
    assert "Unknown" not in text
    assert {github, f"{github}/blob/HEAD/LICENSE", colab} <= outside(index)
    assert {github, colab} <= outside(chapter)
    assert any(x.startswith(f"{github}/issues/new") for x in outside(chapter))
    for page, soup in {"index": index, "8_9_small": chapter}.items():
        (canonical,) = soup.find_all("link", rel="canonical")
        assert canonical["href"] == f"{pages}book/{page}.html"
        head = {
            m["property"]: m["content"]
            for m in soup.find_all("meta", property=True)
        }
        assert head["og:url"] == canonical["href"]
        assert head["og:image"] == f"{pages}_static/page.png"
        assert (site / "_static" / "page.png").is_file()
        # nothing leads to another place than these
        for link in outside(soup):
            assert re.match(f"{re.escape(github)}(/|$)|{pages}", link) or (
                link == colab
            ), link
    places = re.findall("<loc>(.*?)</loc>", (site / "sitemap.xml").read_text())
    assert sorted(places) == [
        f"{pages}book/8_9_small.html",
        f"{pages}book/index.html",
    ]
    lost = read(site, "404.html")
    first = f"/{short}/book/index.html"
    assert lost.find("article").find("a")["href"] == first
    for sheet in lost.find_all("link", rel="stylesheet"):
        assert sheet["href"].startswith(f"/{short}/_static/")
    root = read(site, "index.html")
    assert root.find("link", rel="canonical")["href"] == (
        f"{pages}book/index.html"
    )
    assert root.find("meta", property="og:image")


@pytest.mark.slow
def test_an_unknown_address_leaves_no_dead_link(build):
    site = build(remote="https://gitlab.com/a/b.git")
    for name in ("book/index.html", "book/8_9_small.html", "404.html"):
        soup = read(site, name)
        assert outside(soup) == set(), name
        whole = (site / name).read_text("utf-8")
        for word in ("_owner_", "colab", "Colab", "issues/new"):
            assert word not in whole, f"{name} has {word}"
        assert not soup.find("link", rel="canonical")
        assert not soup.find("meta", property=re.compile("og:(url|image)"))
    assert not (site / "sitemap.xml").exists()
    text = read(site, "book/index.html").find("article").get_text()
    assert "Unknown: download it. No link here." in text
    assert "Known:" not in text
    assert read(site, "404.html").find("article").find("a")["href"] == (
        "/book/index.html"
    )
    # what the front matter says goes before the first paragraph
    for name, words in {
        "book/index.html": 'Words written by "hand" & kept.',
        "index.html": 'Words written by "hand" & kept.',
        "book/8_9_small.html": "A first sentence. A second x.",
    }.items():
        soup = read(site, name)
        (meta,) = soup.find_all("meta", attrs={"name": "description"})
        assert meta["content"] == words
        (og,) = soup.find_all("meta", property="og:description")
        assert og["content"] == words
