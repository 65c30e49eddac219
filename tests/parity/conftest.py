"""Three texts, and d2l reading whichever of them it is given."""

import os

import pytest

from unrolled.corpus import load_corpus
from unrolled.reference import import_d2l

# capitals, digits, apostrophes, empty lines, other scripts, ties in frequency
ODD = (
    "The 1st line's END\n\n  two  spaces, and a tab\there\n"
    "Zwölf Boxkämpfer jagen Viktor quer\n12345\nthe end; the END -- the end\n"
) * 40


def texts():
    """Names and texts; the book only where it can be had."""
    if os.environ["_UNROLLED_CORPUS_MODE"] == "book":
        yield pytest.param("book", id="the book")
    yield pytest.param("builtin", id="the built-in story")
    yield pytest.param("odd", id="odd characters")


def pytest_generate_tests(metafunc):
    if "text" in metafunc.fixturenames:
        metafunc.parametrize("text", list(texts()), indirect=True)


@pytest.fixture
def text(request):
    """One of the texts."""
    if request.param == "odd":
        return ODD
    name = {"book": "time_machine", "builtin": "builtin"}[request.param]
    return load_corpus(name)


@pytest.fixture
def d2l():
    """The oracle."""
    return import_d2l()


@pytest.fixture
def reads(d2l, monkeypatch, tmp_path):
    """Make d2l read a text where it would download The Time Machine."""

    def give(text):
        path = tmp_path / "given.txt"
        path.write_text(text, "utf-8")
        monkeypatch.setattr(d2l, "download", lambda name: str(path))

    return give
