"""What the explorables load is what the library exports, and nothing more."""

import hashlib
import json
import math
import re
from pathlib import Path

import pytest

from scripts import load

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "_static" / "explorables"
DATA = FOLDER / "data"
TAGS = {
    "8_1_sequence_models": {"forecast", "markov"},
    "8_3_language_models": {"samplers"},
    "8_4_recurrent_networks": {"markov", "shannon"},
    "8_5_rnn_from_scratch": {"clipping", "network"},
}

tool = load("tools/explorables/__main__.py")


@pytest.fixture(scope="module")
def exported():
    files = {}
    for module in tool.exporters().values():
        files |= module.export()
    return files


def close(a, b):
    """The same JSON, numbers to one part in a thousand."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-5)
    return a == b


@pytest.mark.slow
def test_the_files_are_what_the_library_exports(exported):
    stored = {p.name for p in DATA.iterdir()} - {tool.MANIFEST}
    assert stored == set(exported) != set()
    for name, content in exported.items():
        there = (DATA / name).read_bytes()
        if name.endswith(".json"):
            # a training ends in other last digits on another machine
            assert close(json.loads(there), json.loads(content)), name
        else:
            assert there == content, name


def test_the_manifest_is_that_of_the_files():
    files = {
        p.name: p.read_bytes()
        for p in DATA.iterdir()
        if p.name != tool.MANIFEST
    }
    assert (DATA / tool.MANIFEST).read_text("utf-8") == tool.manifest(files)
    row = json.loads(tool.manifest({"x": b"abc"}))["x"]
    assert row["bytes"] == 3
    assert row["sha256"] == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("stem", TAGS)
def test_each_stands_in_its_chapter_with_a_sentence_inside(stem):
    text = (ROOT / "book" / f"{stem}.ipynb").read_text("utf-8")
    found = dict(re.findall(r"<unrolled-(\w+)>(.*?)</unrolled-", text))
    assert set(found) == TAGS[stem]
    for sentence in found.values():
        assert sentence.startswith("On the course's site")
        assert sentence.endswith(".")


def test_every_module_is_an_explorable_and_loads_nothing_foreign():
    modules = {p.stem for p in FOLDER.glob("*.js")} - {"base"}
    assert modules == set.union(*TAGS.values())
    for path in FOLDER.glob("*.js"):
        code = path.read_text("utf-8")
        hosts = set(re.findall(r"https?://([\w.]+)", code))
        assert hosts <= {"www.w3.org"}, path.name  # SVG's name, not a request
        if path.stem != "base":
            assert f'customElements.define("unrolled-{path.stem}"' in code


def test_the_network_is_a_small_download():
    names = ["network.js", "base.js", "data/network.json", "data/network.bin"]
    assert sum((FOLDER / n).stat().st_size for n in names) < 400_000
