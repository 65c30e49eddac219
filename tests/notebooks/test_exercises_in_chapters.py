"""Exercises and self-checks: complete, and every solution solves its own."""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch

from scripts import load
from unrolled.course.exercises import verdict
from unrolled.course.tasks import EXERCISES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "book").glob("8_[1-5]*.ipynb"))
PAGES += [
    ROOT / "book" / f"{name}.ipynb"
    for name in ("a_2_bptt_by_hand", "a_3_after_rnns")
]
# core pages have questions for a self-check too, as have appendices B and C;
# deeper ones exercises only
CHAPTERS = [path for path in PAGES if path.stem[3] == "_"]
DETAILS = re.compile(
    r"<details><summary>(.*?)</summary>\n\n(.*?)\n\n</details>", flags=re.S
)

extension = load("book/_ext/from_notebooks.py")


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def text_of(path):
    return "\n\n".join(
        c.source for c in cells_of(path) if c.cell_type == "markdown"
    )


def solutions(path):
    """Exercise number -> what is folded away."""
    return {
        int(summary.split()[1]): body
        for summary, body in DETAILS.findall(text_of(path))
        if summary.startswith("Solution")
    }


def open_exercises():
    """Each code exercise: chapter, its name for check, its skeleton."""
    for path in PAGES:
        for cell in cells_of(path):
            for name, function in re.findall(
                r'^check\("(.+?)", (\w+)\)$', cell.source, flags=re.M
            ):
                yield pytest.param(path, cell, name, function, id=name)


@pytest.mark.parametrize("path", PAGES, ids=[p.stem for p in PAGES])
def test_four_exercises_or_more_each_with_a_solution(path):
    text = text_of(path)
    numbers = [int(n) for n in re.findall(r"^### Exercise (\d):", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 4
    assert sorted(solutions(path)) == numbers
    assert all(len(body) > 60 for body in solutions(path).values())


@pytest.mark.parametrize("path", PAGES, ids=[p.stem for p in PAGES])
def test_it_is_said_how_many_are_code(path):
    words = ["One", "Two", "Three", "Four", "Five", "Six"]
    code, paper = re.search(
        r"^## Exercises\n\n(\w+) (?:is|are) code"
        r".*?(\w+) (?:is|are) for pencil",
        text_of(path),
        flags=re.M | re.S,
    ).groups()
    checked = sum(p.values[0] == path for p in open_exercises())
    assert words.index(code) + 1 == checked
    assert words.index(paper.capitalize()) + 1 == (
        len(solutions(path)) - checked
    )


def test_every_check_stands_in_its_chapter():
    found = [(p.values[0].stem, p.values[2]) for p in open_exercises()]
    assert [name for _, name in found] == list(EXERCISES)
    for stem, name in found:
        page = name.split("-")[0].replace(".", "_")
        page = {"B": "a_2", "C": "a_3"}.get(page, page)
        assert stem.startswith(f"{page}_")


@pytest.mark.parametrize(
    ("path", "cell", "name", "function"), list(open_exercises())
)
def test_a_solution_solves_its_exercise(path, cell, name, function):
    number = int(name.split("-")[1])
    found = f"exercise {name}, {path.stem}"
    assert name in EXERCISES, f"{found}: add it to EXERCISES in tasks.py"
    assert number in solutions(path), f"{found}: it has no folded solution"
    code = re.findall(r"```python\n(.*?)```", solutions(path)[number], re.S)
    assert len(code) == 1, f"{found}: one block of python in its solution"
    code = code[0]
    names = {"torch": torch}
    exec(compile(code, name, "exec"), names)
    (line,) = verdict(name, names[function])
    assert "right, in all" in line
    # the skeleton asks for the same function, and is still open
    signature = EXERCISES[name].signature
    assert f"def {signature}:" in cell.source
    assert f"def {signature}:" in code
    assert cell.outputs, f"{found}: make execute NOTEBOOKS=book/{path.name}"
    assert "gives nothing back yet" in cell.outputs[0].text


@pytest.mark.parametrize("path", CHAPTERS, ids=[p.stem for p in CHAPTERS])
def test_five_questions_or_more_each_option_explained(path):
    (section,) = [
        c.source
        for c in cells_of(path)
        if c.source.startswith("## Self-check")
    ]
    questions = re.split(r"^\*\*\d\.\*\* ", section, flags=re.M)[1:]
    assert len(questions) >= 5
    places = []
    for question in questions:
        assert question.split("\n")[0].strip()
        options = DETAILS.findall(question)
        assert 3 <= len(options) <= 4
        verdicts = [body.split(" ")[0] for _, body in options]
        assert sorted(verdicts, reverse=True) == ["**Yes.**"] + ["**No.**"] * (
            len(options) - 1
        )
        assert all(len(body) > 20 for _, body in options)
        assert len({summary for summary, _ in options}) == len(options)
        places.append(verdicts.index("**Yes.**"))
    assert len(set(places)) > 1  # not always the same place


@pytest.mark.parametrize("path", CHAPTERS, ids=[p.stem for p in CHAPTERS])
def test_a_teacher_can_leave_the_solutions_out(path):
    notebook = nbformat.read(path, as_version=4)
    less = extension.without_solutions(notebook)
    text = "\n\n".join(
        c.source for c in less.cells if c.cell_type == "markdown"
    )
    assert "Solution 1" not in text
    assert text.count("*(Solution left out.)*") == len(solutions(path))
    assert text.count("<details>") >= 15  # the self-check stays


def test_the_switch_is_read_where_a_page_is_read(monkeypatch):
    app = SimpleNamespace(config=SimpleNamespace(language="en"))
    stem = f"book/{CHAPTERS[0].stem}"
    raw = CHAPTERS[0].read_text("utf-8")
    for setting, left_out in (("0", True), ("1", False), ("", False)):
        monkeypatch.setenv("UNROLLED_SOLUTIONS", setting)
        source = [raw]
        extension.leave_out_solutions(app, stem, source)
        assert ("Solution 1" not in source[0]) is left_out
    monkeypatch.setenv("UNROLLED_SOLUTIONS", "0")
    source = ["# Not a notebook"]
    extension.leave_out_solutions(app, "book/notation", source)
    assert source == ["# Not a notebook"]
