"""The exercises: two for each chapter, answers worked out by hand."""

import math

import pytest
import torch

from unrolled.tasks import EXERCISES, Exercise

NAMES = list(EXERCISES)


def test_two_for_each_chapter():
    assert [f"8.{c}-{n}" for c in range(1, 6) for n in (1, 2)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_at_least_one_slip_and_three_cases(name):
    assert len(EXERCISES[name].slips) >= 1
    assert len(EXERCISES[name].cases) >= 3


def test_answers_by_hand():
    def solve(name, *arguments):
        return EXERCISES[name].solve(*arguments)

    P = torch.tensor([[0.9, 0.1], [0.6, 0.4]])
    sure = torch.tensor([1.0, 0.0])
    # 0.9 * 0.9 + 0.1 * 0.6, 0.9 * 0.1 + 0.1 * 0.4
    assert solve("8.1-1", P, sure, 2).tolist() == pytest.approx([0.87, 0.13])
    assert solve("8.1-2", torch.arange(5), 2).tolist() == [0, 1, 2]
    assert solve("8.2-1", ["b", "a", "a"]) == ["<unk>", "a", "b"]
    assert solve("8.2-2", "Don't 'go'!") == "don't go"
    assert solve("8.3-1", list("aba"), "a", "b") == 1.0
    assert solve("8.3-2", [1, 1], 2, 3.0, 3) == pytest.approx(1 / 5)
    zero = torch.zeros(1, 1)
    one = torch.ones(1, 1)
    stepped = solve("8.4-1", one, zero, one, one, torch.zeros(1))
    assert stepped.item() == pytest.approx(math.tanh(1))
    assert solve("8.4-2", [0.5, 0.125]) == pytest.approx(4)
    assert solve("8.4-2", [0.5, 0.0]) == math.inf
    clipped = solve("8.5-1", [torch.tensor([3.0]), torch.tensor([4.0])], 1.0)
    assert [g.item() for g in clipped] == pytest.approx([0.6, 0.8])
    law = solve("8.5-2", torch.tensor([math.log(4.0), 0.0]), 0.5)
    assert law.tolist() == pytest.approx([16 / 17, 1 / 17])


def test_an_exercise_needs_no_slip():
    assert Exercise("f(x)", len, (("a",),)).slips == {}
