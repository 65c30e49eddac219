"""Chapters run to their end on a reader's text, or say what it lacks.

A reader puts ``load_corpus(path=...)`` where a chapter loads The Time
Machine. Section 8.2 runs here on every text each time, the longer ones once
a week (UNROLLED_WEEKLY=1). What is printed of the numbers is not compared.
"""

import contextlib
import io
import os
import re
from importlib import resources

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
import torch

from unrolled import corpus
from unrolled.corpus import CorpusError

mpl.use("Agg")

WEEKLY = os.environ.get("UNROLLED_WEEKLY") == "1"
PAGES = (
    "8_2_text_preprocessing",
    "8_3_language_models",
    "8_3a_counting_in_earnest",
    "8_4_recurrent_networks",
    "8_5_rnn_from_scratch",
    "8_5a_the_whole_book",
    "a_3_after_rnns",
)
LOAD = re.compile(r'load_corpus\([^()]*fallback="builtin"\)')
LICENCE = """Permission is hereby granted, free of charge, to any person
obtaining a copy of this work and of the files that come with it, to deal in
it without restriction, and to permit persons to whom it is given to do so,
subject to 3 conditions (2024): the notice above isn't to be removed.
"""
CHINESE = (
    "时间旅行者把机器放在桌上，请朋友们来看。大家都不相信他说的话，"
    "只有一个年轻人点了点头。窗外下着小雨，屋里的灯光很暖。"
)


def story():
    """The built-in text, a reader's own here."""
    folder = resources.files("unrolled") / "data"
    return (folder / "builtin.txt").read_text("utf-8")


TEXTS = {
    "licence, repeated": lambda: LICENCE * 60,
    "no digits": lambda: re.sub(r"\d", "", story()),
    "the first 20 kB": lambda: story()[:20_000],
    "every word new": lambda: " ".join(
        f"{a}{b}{c}{d}"
        for a in "bcdfghklmn"
        for b in "aeiou"
        for c in "prstvwxz"
        for d in "aeiouy"
    ),
    "one letter, spaced": lambda: "a " * 10_000,
}
LACKING = {
    "Chinese": lambda: (CHINESE * 400)[:20_000],
    "digits only": lambda: "3141592653 5897932384\n" * 900,
    "one letter repeated": lambda: "a" * 20_000,
    "a few words": lambda: "The cat sat. It's 3 o'clock.",
}


def run(stem, path, folder, change=None):
    """Execute a chapter's cells on the text of a file; what it printed."""
    notebook = nbformat.read(folder / f"{stem}.ipynb", as_version=4)
    loads, dtype = 0, torch.get_default_dtype()
    names, printed = {"__name__": "__main__"}, io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            for cell in notebook.cells:
                if cell.cell_type != "code":
                    continue
                source, number = LOAD.subn(
                    f"load_corpus(path={str(path)!r})", cell.source
                )
                loads += number
                for old, new in (change or {}).items():
                    source = source.replace(old, new)
                exec(compile(source, cell.id, "exec"), names)
                plt.close("all")
    finally:
        plt.close("all")
        torch.set_default_dtype(dtype)
        corpus._loaded_the_book = True  # as before any text
    assert loads == 1
    return printed.getvalue()


@pytest.fixture
def folder(request):
    return request.config.rootpath / "book"


def skip_unless_quick(stem):
    if stem != "8_2_text_preprocessing" and not WEEKLY:
        pytest.skip("runs once a week; UNROLLED_WEEKLY=1 runs it now")


@pytest.mark.slow
# of an interval for what does not vary
@pytest.mark.filterwarnings("ignore:The BCa", "ignore:invalid value")
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("stem", PAGES)
def test_another_text_is_read_to_the_end(stem, name, folder, tmp_path):
    skip_unless_quick(stem)
    text = TEXTS[name]()
    if stem.startswith(("8_3", "8_5a")) and len(text.split()) < 2_000:
        text = " ".join([text] * (2_000 // len(text.split()) + 1))
    path = tmp_path / "own.txt"
    path.write_text(text, "utf-8")
    printed = run(stem, path, folder)
    assert "Not checked on this text: " in printed
    assert "Holds: " in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", LACKING)
@pytest.mark.parametrize("stem", PAGES)
def test_a_text_that_will_not_do_is_told_so(stem, name, folder, tmp_path):
    skip_unless_quick(stem)
    path = tmp_path / "own.txt"
    path.write_text(LACKING[name](), "utf-8")
    with pytest.raises(
        CorpusError,
        match=r"^the text has \d+ words of letters a-z after cleaning, and "
        r"this page needs [\d,]+; choose a longer text in English$",
    ):
        run(stem, path, folder)


@pytest.mark.slow
@pytest.mark.parametrize("least", [1, 2, 1000])
def test_a_sentence_of_8_2_follows_its_setting(least, folder, tmp_path):
    path = tmp_path / "own.txt"
    path.write_text(story(), "utf-8")
    printed = run(
        "8_2_text_preprocessing",
        path,
        folder,
        {
            "least = 20\n": f"least = {least}\n",
            "(1, 2, 3, 5, 10, 20)": f"(1, {least + 1})",
        },
    )
    assert f"with min_freq = {least}, " in printed
    assert f"raising min_freq from 1 to {least + 1} shrinks" in printed


@pytest.mark.parametrize("name", [*TEXTS, *LACKING])
def test_8_1_counts_letters_of_any_text(name, folder, tmp_path):
    """Its imports and the one cell that reads a text; no other needs it."""
    path = tmp_path / "own.txt"
    path.write_text((TEXTS | LACKING)[name](), "utf-8")
    notebook = nbformat.read(
        folder / "8_1_sequence_models.ipynb", as_version=4
    )
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    (reads,) = [source for source in code if LOAD.search(source)]
    (imports,) = [s for s in code if s.startswith("# @title Imports")]
    own = LOAD.sub(f"load_corpus(path={str(path)!r})", reads)
    names, printed = {}, io.StringIO()
    dtype = torch.get_default_dtype()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(imports, "imports", "exec"), names)
            exec(compile(own, "8.1", "exec"), names)
    finally:
        torch.set_default_dtype(dtype)
        corpus._loaded_the_book = True
    assert "Not checked on this text: " in printed.getvalue()
    for source in code[code.index(reads) + 1 :]:
        assert "letters" not in source
