"""Exercises: right answers, each known slip by name, what a tutor says."""

import math

import numpy as np
import pytest
import torch

from unrolled.course.exercises import check, verdict
from unrolled.course.tasks import EXERCISES, Exercise

NAMES = list(EXERCISES)
SLIPS = [
    pytest.param(name, slip, id=f"{name}, {slip[:30]}")
    for name, exercise in EXERCISES.items()
    for slip in exercise.slips
]


def solved(name, function):
    """Whether the verdict is good; check prints it."""
    assert check(name, function) is None  # a page shows no bare value
    return "right, in all" in verdict(name, function)[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_right_answer(name, capsys):
    assert solved(name, EXERCISES[name].solve) is True
    assert capsys.readouterr().out == (
        f"Exercise {name}: right, in all {len(EXERCISES[name].cases)} cases.\n"
    )


@pytest.mark.parametrize(("name", "slip"), SLIPS)
def test_each_slip_is_recognised_by_name(name, slip, capsys):
    assert solved(name, EXERCISES[name].slips[slip]) is False
    said = capsys.readouterr().out
    assert said.endswith(f"  A usual slip gives exactly this: {slip}.\n")
    called = EXERCISES[name].signature.split("(")[0]
    assert f"  called   {called}(" in said
    assert "\n  came     " in said
    assert "\n  expected " in said


def test_nothing_given_back_yet(capsys):
    assert solved("8.1-1", lambda P, start, k: None) is False
    assert capsys.readouterr().out == (
        "Exercise 8.1-1: law_after gives nothing back yet.\n"
    )


def test_a_function_that_stops(capsys):
    def wrong(P, start, k):
        raise RuntimeError("no")

    assert solved("8.1-1", wrong) is False
    said = capsys.readouterr().out
    assert said.startswith("Exercise 8.1-1: law_after(tensor[0.7, 0.2, 0.1")
    assert said.endswith("2) stopped with\n  RuntimeError: no\n")
    assert solved("8.1-1", lambda: None) is False  # takes no arguments
    assert "TypeError" in capsys.readouterr().out


def test_a_wrong_answer_that_is_no_known_slip(capsys):
    assert solved("8.4-2", lambda probs: 7.0) is False
    assert capsys.readouterr().out == (
        "Exercise 8.4-2: wrong in 3 of 3 cases. The first of them:\n"
        "  called   perplexity_of([0.5, 0.25, 0.125])\n"
        "  came     7\n"
        "  expected 4\n"
    )


def test_wrong_in_the_last_case_only(capsys):
    right = EXERCISES["8.4-2"].solve
    assert not solved("8.4-2", lambda p: right(p) if len(p) > 1 else 6.0)
    said = capsys.readouterr().out
    assert "wrong in 1 of 3 cases" in said
    assert "perplexity_of([0.2])" in said


@pytest.mark.parametrize(
    "answer",
    [
        "4",
        None,
        True,
        [4.0],
        torch.tensor([1.0, 2.0]),
        4.001,
        math.nan,
        {},
        lambda: 4,
    ],
)
def test_what_is_no_right_number(answer, capsys):
    exercise = EXERCISES["8.4-2"]
    assert not solved("8.4-2", lambda probs: answer)
    assert "0x" not in capsys.readouterr().out
    assert exercise.cases[0] == ([0.5, 0.25, 0.125],)


@pytest.mark.parametrize(
    "convert",
    [torch.tensor, lambda x: torch.tensor([x]), lambda x: x * (1 + 1e-6)],
)
def test_right_numbers_of_other_kinds(convert):
    right = EXERCISES["8.4-2"].solve
    assert solved("8.4-2", lambda probs: convert(right(probs)))


def test_right_tensors_of_other_kinds():
    right = EXERCISES["8.1-1"].solve
    for convert in (torch.Tensor.double, lambda x: x.requires_grad_()):
        assert solved("8.1-1", lambda *a, c=convert: c(right(*a)))
    assert not solved("8.1-1", lambda *a: right(*a)[None])  # another shape
    assert not solved("8.1-1", lambda *a: right(*a).tolist())
    right = EXERCISES["8.5-1"].solve
    assert solved("8.5-1", lambda *a: tuple(right(*a)))
    assert not solved("8.5-1", lambda *a: right(*a)[:1])


def test_a_function_that_edits_its_arguments():
    def edits(gradients, theta):
        norm = torch.cat([g.flatten() for g in gradients]).norm()
        for gradient in gradients:
            gradient *= min(1.0, theta / float(norm))
        return gradients

    assert solved("8.5-1", edits)
    assert solved("8.5-1", edits)  # the cases are as they were

    def empties(words):
        pair = EXERCISES["8.2a-2"].solve(words)
        words.clear()
        return pair

    assert solved("8.2a-2", empties)
    assert solved("8.2a-2", empties)


def test_words_of_long_and_deep_values(capsys):
    assert not solved("8.1-1", lambda P, start, k: torch.zeros(3, 3))
    said = capsys.readouterr().out
    assert "came     tensor[0, 0, 0, 0, 0, 0, ...] of shape (3, 3)" in said
    assert not solved("8.2-1", lambda tokens: list("abcdefghi"))
    assert "'h', ...]" in capsys.readouterr().out


def test_the_first_difference_of_long_tensors(capsys):
    right = EXERCISES["8.4-1"].solve

    def last_row_wrong(*arguments):
        H = right(*arguments)
        H[-1, -1] += 0.5
        return H

    assert not solved("8.4-1", last_row_wrong)
    said = capsys.readouterr().out
    assert "\n  first at (1, 3): " in said
    assert not solved("8.4-1", lambda *a: right(*a)[:1])
    assert "first at" not in capsys.readouterr().out


def test_nothing_in_one_case_only(capsys):
    right = EXERCISES["8.4-2"].solve
    assert not solved("8.4-2", lambda p: right(p) if len(p) > 1 else None)
    assert "\n  came     None\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [
        10**400,
        4 + 0j,
        torch.tensor(4 + 0j),
        torch.eye(2).to_sparse(),
        torch.zeros(0),
    ],
)
def test_answers_that_cannot_be_compared(answer):
    assert not solved("8.4-2", lambda probs: answer)
    assert not solved("8.1-1", lambda P, start, k: answer)


def test_an_array_with_one_number():
    right = EXERCISES["8.4-2"].solve
    assert solved("8.4-2", lambda p: np.array(right(p)))
    assert solved("8.4-2", lambda p: np.float32(right(p)))


def verdict_on(monkeypatch, right, answer, case=("x",)):
    """What is said of an answer, where ``right`` is the right one."""
    exercise = Exercise("f(x)", lambda *_: right, (case,))
    monkeypatch.setitem(EXERCISES, "new", exercise)
    return verdict("new", lambda *_: answer)


def test_a_difference_within_rounding_is_none(monkeypatch):
    right = torch.arange(1.0, 9.0)
    for answer in (right * (1 + 1e-6), right.double() * (1 + 1e-6)):
        assert len(verdict_on(monkeypatch, right, answer)) == 1
        off = answer.clone()
        off[3] = 4.5
        *_, said = verdict_on(monkeypatch, right, off)
        assert said == "  first at (3,): 4.5, not 4"
    assert len(verdict_on(monkeypatch, 0.0, 1e-9)) == 1
    assert len(verdict_on(monkeypatch, 0.0, 1e-7)) > 1


def test_a_place_only_where_it_cannot_be_seen(monkeypatch):
    for size, lines in ((6, 4), (7, 5)):
        said = verdict_on(monkeypatch, torch.ones(size), torch.zeros(size))
        assert len(said) == lines


def test_what_looks_alike_is_told_apart(monkeypatch):
    right = torch.tensor([0.25, 0.5])
    *_, said = verdict_on(monkeypatch, right, right * (1 + 3e-5))
    assert said == "  first at (0,): 0.2500075, not 0.25"
    *_, said = verdict_on(monkeypatch, right, right.half() * 1.01)
    assert said == "  torch.float32 is expected, not torch.float16"
    *_, said = verdict_on(monkeypatch, right, right.to(torch.cfloat))
    assert said == "  torch.float32 is expected, not torch.complex64"
    *_, said = verdict_on(monkeypatch, right, right.numpy())
    assert said == "  a tensor is expected, not a ndarray"
    *_, said = verdict_on(monkeypatch, right, right[None])
    assert said.startswith("  expected ")
    letters = list("abcdefghij")
    *_, said = verdict_on(monkeypatch, letters, [*letters[:9], "k"])
    assert said == "  first at 9: 'k', not 'j'"
    *_, said = verdict_on(monkeypatch, letters, ["b", *letters[1:]])
    assert said.startswith("  expected ")


def test_answers_that_cannot_be_shown(monkeypatch):
    deep = []
    deep.append(deep)
    right = torch.ones(2)
    for answer, word in (
        (deep, "a list"),
        (right.to("meta"), "a Tensor"),
        (right.to_sparse(), "a Tensor"),
    ):
        said = verdict_on(monkeypatch, right, answer)
        assert said[2] == f"  came     {word}"
    long = torch.ones(7)
    assert len(verdict_on(monkeypatch, long, long.to("meta"))) == 4
    assert len(verdict_on(monkeypatch, "a", np.array(["a", "b"]))) == 4


def test_a_function_that_ends_the_program():
    def leave(P, start, k):
        raise SystemExit(3)

    _, said = verdict("8.1-1", leave)
    assert said == "  SystemExit: 3"


def test_what_only_looks_right(monkeypatch):
    assert len(verdict_on(monkeypatch, 1.0, True)) > 1
    right = torch.ones(3)
    assert len(verdict_on(monkeypatch, right, right.to(torch.cfloat))) > 1


def test_values_in_few_words(monkeypatch):
    six, seven = torch.zeros(6), torch.zeros(7)
    eight, nine = ["a"] * 8, ["a"] * 9
    letters = "'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'"
    _, called, came, _ = verdict_on(
        monkeypatch, 1.0, len, (six, seven, eight, nine, "b", 2, 0.5)
    )
    assert called == (
        "  called   f(tensor[0, 0, 0, 0, 0, 0], "
        "tensor[0, 0, 0, 0, 0, 0, ...], "
        f"[{letters}], [{letters}, ...], 'b', 2, 0.5)"
    )
    assert came == "  came     <built-in function len>"
    _, _, came, _ = verdict_on(monkeypatch, 1.0, solved)
    assert came == "  came     <function solved>"
