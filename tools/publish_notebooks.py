"""Publish the notebooks of a commit on a branch of their own.

    python tools/publish_notebooks.py [--site _build/html]

The branch ``notebooks`` of the remote ``origin`` then holds the notebooks of
the commit that is checked out, with their outputs, and one line of README,
nothing else; their first cell names the repository's address and this very
commit. It is what the site's Colab buttons open. The branch only ever grows:
a run that would change nothing pushes nothing, and no push is forced.

With --site the notebooks that the built site offers for download get the same
first cell.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "notebooks"
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]

from first_cell import filled, notebooks  # noqa: E402
from repository_address import find_repository  # noqa: E402

WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "publish"), ("EMAIL", "publish@localhost"))
}


def git(root: Path, *arguments: str, stdin: str = "", **extra: str) -> str:
    """What git answers; its words in the error if it fails."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **extra},
    )
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def tip(root: Path) -> str:
    """The branch's last commit at the remote, fetched; empty if none."""
    name = f"refs/heads/{BRANCH}"
    there = git(root, "ls-remote", "origin", name)
    if not there:
        return ""
    # a full clone must not become a shallow one by this
    shallow = git(root, "rev-parse", "--is-shallow-repository") == "true"
    depth = ["--depth", "1"] if shallow else []
    git(root, "fetch", "--quiet", *depth, "origin", name)
    return there.split()[0]


def tree(root: Path, files: dict[str, str]) -> str:
    """The tree of these files, made without touching what is checked out."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        for name, text in files.items():
            blob = git(root, "hash-object", "-w", "--stdin", stdin=text)
            entry = f"100644,{blob},{name}"
            git(root, "update-index", "--add", "--cacheinfo", entry, **index)
        return git(root, "write-tree", **index)


def publish(root: Path, repository: str) -> str:
    """Publish; a sentence that says what was done."""
    if git(root, "status", "--porcelain", "--untracked-files=no"):
        raise RuntimeError(
            "files differ from the commit; commit or restore them first"
        )
    commit = git(root, "rev-parse", "HEAD")
    address = f"https://github.com/{repository}"
    files = {
        path.relative_to(root).as_posix(): filled(
            path.read_text("utf-8"), address, commit
        )
        for path in notebooks(root)
    }
    files["README.md"] = (
        f"The notebooks of [{repository}]({address}) at {commit}, as "
        "published. Change them there.\n"
    )
    wanted, last = tree(root, files), tip(root)
    if last and git(root, "rev-parse", f"{last}^{{tree}}") == wanted:
        return f"{BRANCH} holds the notebooks of {commit} already"
    parent = ["-p", last] if last else []
    words = f"Notebooks of {commit}"
    new = git(root, "commit-tree", wanted, *parent, "-m", words, **WHO)
    git(root, "push", "--quiet", "origin", f"{new}:refs/heads/{BRANCH}")
    return f"{len(files) - 1} notebooks of {commit} are on {BRANCH}"


def fill_downloads(root: Path, site: Path, repository: str) -> None:
    """Give the notebooks of the built site the same first cell."""
    commit = git(root, "rev-parse", "HEAD")
    for path in sorted((site / "_sources").rglob("*.ipynb")):
        text = path.read_text("utf-8")
        text = filled(text, f"https://github.com/{repository}", commit)
        path.write_text(text, "utf-8")


def main() -> None:
    """Publish from this repository."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, help="the built site")
    site = parser.parse_args().site
    repository = find_repository(ROOT)
    if repository is None:
        sys.exit("The address is unknown: no GITHUB_REPOSITORY, no origin")
    print(publish(ROOT, repository))
    if site:
        fill_downloads(ROOT, site, repository)


if __name__ == "__main__":
    main()
