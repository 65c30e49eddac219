"""What the explorables load is what the library exports, and nothing more."""

import hashlib
import json
import math
import os
import re
from pathlib import Path

import pytest

from scripts import load
from unrolled.corpus import load_corpus
from unrolled.vocab import character_stream

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "_static" / "explorables"
DATA = FOLDER / "data"
TAGS = {
    "8_1_sequence_models": {"forecast", "markov"},
    "8_3_language_models": {"samplers"},
    "8_4_recurrent_networks": {"markov", "shannon"},
    "8_5_rnn_from_scratch": {"clipping", "network"},
}
SHARED = {"base", "chart", "rnn"}  # modules that others import
NETWORK = ["rnn.js", "base.js", "data/network.json", "data/network.bin"]
BOOK = os.environ["_UNROLLED_CORPUS_MODE"] == "book"
QUOTED = 300  # characters of The Time Machine, at most

tool = load("tools/explorables/__main__.py")


@pytest.fixture(scope="module")
def exported():
    files = {}
    for name, module in tool.exporters().items():
        if BOOK or name != "shannon":  # whose models read the book
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
    assert stored - set(exported) == (set() if BOOK else {"shannon.json"})
    assert set(exported) <= stored
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
    modules = {p.stem for p in FOLDER.glob("*.js")} - SHARED
    assert modules == set.union(*TAGS.values())
    for path in FOLDER.glob("*.js"):
        code = path.read_text("utf-8")
        hosts = set(re.findall(r"https?://([\w.]+)", code))
        assert hosts <= {"www.w3.org"}, path.name  # SVG's name, not a request
        if path.stem not in SHARED:
            assert f'customElements.define("unrolled-{path.stem}"' in code


def size(names):
    return sum((FOLDER / name).stat().st_size for name in names)


def test_the_network_is_a_small_download():
    assert size(["network.js", *NETWORK]) < 400_000


def test_the_game_is_a_small_download():
    alone = ["shannon.js", "rnn.js", "base.js", "data/shannon.json"]
    assert size(alone) < 100_000
    assert size({*alone, *NETWORK}) < 450_000


def passages(text):
    """What is shown and what is guessed of a text, as strings."""
    game = json.loads((DATA / "shannon.json").read_text("utf-8"))
    for passage in game["passages"]:
        if passage["text"] == text:
            guessed = [game["characters"][i] for i in passage["passage"]]
            yield passage["context"] + "".join(guessed)


def test_the_game_quotes_few_characters_of_the_book():
    quoted = list(passages("time_machine"))
    assert len(quoted) > 1
    assert sum(map(len, quoted)) <= QUOTED


@pytest.mark.skipif(not BOOK, reason="the book is not at hand")
def test_the_games_quotations_stand_alone():
    """With what a page prints of the same place, they stay short too."""
    stream = character_stream(load_corpus())
    pages = "".join(
        character_stream(json.dumps(json.loads(path.read_text("utf-8"))))
        for path in sorted((ROOT / "book").glob("*.ipynb"))
    )
    for passage in passages("time_machine"):
        start = stream.index(passage)
        end = start + len(passage)
        for around in (stream[start - 40 : start], stream[end : end + 40]):
            assert around not in pages


def test_the_passages_are_where_they_should_be():
    """In the story, and in the part of the book that no model has read."""
    story = character_stream(load_corpus("builtin"))
    ours = list(passages("builtin"))
    assert len(ours) > 1
    assert all(passage in story for passage in ours)
    if BOOK:
        stream = character_stream(load_corpus())
        unread = stream[len(stream) * 9 // 10 :]
        for passage in passages("time_machine"):
            assert passage in unread
