"""Set the repository's address everywhere.

    python tools/set_repository.py https://github.com/ACCOUNT/unrolled

The address lives in _config.yml; this puts the same one into the notebooks'
first cell, the README and the other files that name it.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Replace the old address by the new one in every tracked file."""
    url = (arguments[0] if arguments else "").rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w-]+/[\w.-]+", url):
        print(
            f"URL is {url!r}; it should look like "
            "https://github.com/ACCOUNT/REPOSITORY"
        )
        return 2
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    old = config["repository"]["url"]
    names = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture, or a file deleted but not yet committed
        if old in text:
            path.write_text(text.replace(old, url), "utf-8")
            print(f"set in {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
