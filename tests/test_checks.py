"""Checks: what passes, and the message for each thing that does not."""

import math

import numpy as np
import pytest
import torch

from helpers import raises
from unrolled.checks import (
    as_distributions,
    as_ids,
    check_count,
    check_generator,
    check_number,
)


@pytest.mark.parametrize(
    "dtype", [torch.int64, torch.int32, torch.int16, torch.uint8, torch.uint16]
)
def test_any_integer_tensor_becomes_int64(dtype):
    ids = as_ids("ids", torch.tensor([3, 1], dtype=dtype), vocab_size=4)
    assert ids.dtype == torch.int64
    assert ids.tolist() == [3, 1]


def test_an_int64_tensor_is_not_copied():
    ids = torch.tensor([1, 2])
    assert as_ids("ids", ids).data_ptr() == ids.data_ptr()


def test_lists_will_do():
    assert as_ids("ids", [1, 2]).tolist() == [1, 2]
    assert as_ids("ids", (1,)).dtype == torch.int64
    assert as_ids("ids", [np.int64(4)]).tolist() == [4]
    empty = as_ids("ids", [], vocab_size=3, least=0)
    assert empty.dtype == torch.int64
    assert empty.tolist() == []


def test_shape_and_size():
    assert as_ids("X", torch.tensor([[1, 2]]), dims=2).shape == (1, 2)
    assert len(as_ids("ids", [1, 2, 3], least=3)) == 3


def test_inside_the_vocabulary():
    assert as_ids("ids", [0, 4], vocab_size=5).tolist() == [0, 4]


def test_counts_come_back_as_plain_ints():
    assert check_count("n", 1, 1) == 1
    for given in (3, np.int64(3), np.uint8(3)):
        assert type(check_count("n", given, 1)) is int


@pytest.mark.parametrize(
    ("within", "inside"),
    [
        ("[0, 1)", [0, 0.5]),
        ("(0, 1]", [0.1, 1]),
        ("(0, inf]", [1e-9, math.inf]),
        ("[0, inf]", [0, math.inf]),
        ("[0, inf)", [0, 1e300]),
        ("(2, inf)", [2.5]),
        ("(-inf, inf)", [-1e9, 0]),
    ],
)
def test_numbers(within, inside):
    for value in inside:
        assert check_number("x", value, within) == value


def test_what_is_a_number():
    for value in (1, 0.5, np.float32(0.5), torch.tensor(0.5), np.array(1)):
        assert type(check_number("x", value, "[0, 1]")) is float


def test_generators():
    check_generator(None)
    check_generator(torch.Generator())


def test_ids_without_values_have_no_range_to_check():
    ids = torch.tensor([3], device="meta")
    assert as_ids("ids", ids, vocab_size=2).is_meta


@pytest.mark.parametrize("kind", [list, np.array, torch.DoubleTensor])
def test_distributions_in_double_precision_stay_as_they_are(kind):
    rows = [[0.25, 0.75 + 1e-10], [1.0, 0.0]]
    law = as_distributions("P", kind(rows))
    assert law.dtype == torch.float64
    assert law.tolist() == rows
    assert as_distributions("p", kind([0.5, 0.5]), 2).tolist() == [0.5, 0.5]


def test_whole_numbers_are_taken_too():
    law = as_distributions("P", torch.eye(2, dtype=torch.int64))
    assert law.dtype == torch.float64
    assert torch.equal(law, torch.eye(2).double())


def test_distributions_are_copies():
    given = torch.eye(2).double().requires_grad_()
    law = as_distributions("P", given)
    law[0, 0] = 5
    assert given[0, 0] == 1
    assert not law.requires_grad


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16]
)
def test_less_precise_distributions_are_divided_by_their_sums(dtype):
    rows = torch.tensor([[0.9, 0.1], [0.3, 0.7]], dtype=dtype)
    law = as_distributions("P", rows)
    assert law.sum(dim=1).tolist() == pytest.approx([1, 1], abs=1e-15)
    torch.testing.assert_close(
        law, rows.double() / rows.double().sum(dim=1)[:, None]
    )


def test_the_slack_is_the_precision_for_each_state():
    """Half of it too much will do, twice it will not."""
    step = torch.finfo(torch.float32).eps
    fits = torch.tensor([1 + step, 0.0])
    assert as_distributions("p", fits, 2).tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"^p sums to 1\.0000"):
        as_distributions("p", torch.tensor([1 + 4 * step, 0.0]), 2)
    # in double precision the bound is a billionth
    as_distributions("p", [1 + 9e-10], 1)
    with raises(
        ValueError,
        "p sums to 1.000000002, not to 1; divide it by its sum",
    ):
        as_distributions("p", [1 + 2e-9], 1)
