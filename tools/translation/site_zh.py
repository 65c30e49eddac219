"""The other language's site: its words, its sources, its build.

The pages' frame, the explorables and the self-checks say their words through
``t`` in scripts (explorables/say.js) and ``word`` in the Sphinx glue. The
site is built like the English one, from a folder that looks like the
repository, and is put into a folder of it: /book/page.html is
/zh/book/page.html in the other language.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import catalogs
import checks
import generate
import yaml

ROOT = catalogs.ROOT
NAME = "site"
SOURCE = ROOT / "_build" / "zh" / "source"
SITE = ROOT / "_build" / "html"
SAID = re.compile(r"\bt`((?:[^`\\]|\\.)*)`", flags=re.S)


def taken_apart(literal: str) -> tuple[str, list[str]]:
    """What a tagged template asks for, and what stands in its places.

    Its words have {1}, {2} ... for the places.
    """
    found, places, n = "", [], 0
    while n < len(literal):
        if literal.startswith("${", n):
            depth, end = 1, n + 2
            while depth:
                depth += {"{": 1, "}": -1}.get(literal[end], 0)
                end += 1
            places.append(literal[n:end])
            found, n = found + f"{{{len(places)}}}", end
        else:
            found, n = found + literal[n], n + 1
    if "\\" in found:
        found = found.encode().decode("unicode_escape")
    return found, places


def key(literal: str) -> str:
    """What a tagged template asks for."""
    return taken_apart(literal)[0]


def reworded(script: str, say) -> str:
    """A script that is no module, with its templates translated."""

    def change(match: re.Match) -> str:
        words, places = taken_apart(match[1])
        said = say(words)
        for number, place in enumerate(places, start=1):
            said = said.replace(f"{{{number}}}", place)
        return f"t`{said}`"

    return SAID.sub(change, script)


def in_scripts(static: Path) -> list[tuple[str, str]]:
    """The words of the scripts, and where they stand."""
    return [
        (key(literal), f"template {path.name}")
        for path in sorted(static.rglob("*.js"))
        for literal in SAID.findall(path.read_text("utf-8"))
    ]


def in_glue(folder: Path) -> list[tuple[str, str]]:
    """The words given to ``word`` in the Sphinx glue, and its FRAME."""
    found = []
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            said = []
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "word":
                said = [node.args[-1]]
            elif (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "FRAME"
            ):
                said = node.value.elts
            found += [
                (words.value, f"template {path.name}")
                for words in said
                if isinstance(words, ast.Constant)
            ]
    return found


def in_settings(root: Path = ROOT) -> list[tuple[str, str]]:
    """What the site's configuration and contents say."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    contents = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    footer = re.sub(r"</?p>", "", config["html"]["extra_footer"])
    said = [
        config["title"],
        " ".join(footer.split()),
        config["sphinx"]["config"]["ogp_image_alt"],
        *(part["caption"] for part in contents["parts"]),
        "To the course",  # of book/_root/index.html
    ]
    return [(words, "settings") for words in said]


def messages() -> list[tuple[str, str]]:
    """All words of the site that are not a page's."""
    book = ROOT / "book"
    return [
        *in_settings(),
        *in_glue(book / "_ext"),
        *in_scripts(book / "_static"),
    ]


def write_sources(source: Path = SOURCE) -> None:
    """A folder like the repository, with the pages of the other language."""
    say = catalogs.translator(NAME)
    shutil.rmtree(source, ignore_errors=True)
    book = source / "book"
    shutil.copytree(generate.TARGET, book)
    # what the English build makes of its notebooks may be half written
    made = shutil.ignore_patterns("from_notebooks", "__pycache__")
    for name in ("_ext", "_static", "_templates", "_root"):
        shutil.copytree(ROOT / "book" / name, book / name, ignore=made)
    for name in ("lib", "translations"):
        (source / name).symlink_to(ROOT / name)
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config_title = config["title"]
    config["title"] = say(config["title"])
    footer = re.sub(r"</?p>", "", config["html"]["extra_footer"])
    config["html"]["extra_footer"] = f"<p>{say(' '.join(footer.split()))}</p>"
    settings = config["sphinx"]["config"]
    settings["language"] = catalogs.LANGUAGE
    settings["ogp_image_alt"] = say(settings["ogp_image_alt"])
    settings["html_search_options"] = {"dict": str(source / "terms.txt")}
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    for part in contents["parts"]:
        part["caption"] = say(part["caption"])
    for name, content in (("_config", config), ("_toc", contents)):
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (source / f"{name}.yml").write_text(text, "utf-8")
    # terms of the glossary stay whole in the index of words
    terms = {word for row in checks.glossary().values() for word in row}
    lines = "".join(f"{term} 1000 n\n" for term in sorted(terms))
    (source / "terms.txt").write_text(lines, "utf-8")
    said = {w: say(w) for w, _ in in_scripts(ROOT / "book" / "_static")}
    table = json.dumps(said, ensure_ascii=False, indent=0, sort_keys=True)
    first = book / "_root" / "index.html"
    text = first.read_text("utf-8").replace('lang="en"', 'lang="zh-CN"')
    for words in (config_title, "To the course"):
        text = text.replace(words, say(words))
    first.write_text(text, "utf-8")
    script = book / "_static" / "selfcheck.js"
    script.write_text(reworded(script.read_text("utf-8"), say), "utf-8")
    words = book / "_static" / "explorables" / "words.js"
    words.write_text(f"export default {table};\n", "utf-8")


def build(source: Path = SOURCE) -> None:
    """Build it by itself; ``place`` puts it into the English site."""
    sys.path.append(str(ROOT / "book" / "_ext"))
    from repository_address import find_repository

    write_sources(source)
    environment = dict(os.environ)
    if repository := find_repository(ROOT):
        environment["GITHUB_REPOSITORY"] = repository
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", source, "-n", "-W", "--keep-going"]
    subprocess.run(command, check=True, env=environment)


def place(source: Path = SOURCE, site: Path = SITE) -> None:
    """Put what was built into the English site."""
    target = site / generate.NAME
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(source / "_build" / "html", target)
