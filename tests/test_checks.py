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


def test_counts():
    check_count("n", 1, 1)
    check_count("n", 7, 2)
    with raises(ValueError, "n must be at least 2, got 1"):
        check_count("n", 1, 2)
    for wrong in (1.0, "1", None, True):
        with raises(TypeError, f"n must be an int, got {wrong!r}"):
            check_count("n", wrong, 1)


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


def test_not_integers():
    with raises(
        TypeError,
        "ids must hold integers, got torch.float32; indices of a vocabulary "
        "are int64",
    ):
        as_ids("ids", torch.tensor([1.0]))
    for dtype in (torch.bool, torch.complex64):
        with pytest.raises(TypeError, match=f"^ids must hold .* {dtype};"):
            as_ids("ids", torch.tensor([1], dtype=dtype))
    with raises(
        TypeError,
        "ids must be an int64 tensor, got str; try "
        "torch.tensor(vocab[tokens])",
    ):
        as_ids("ids", "abc")
    for wrong in (1.5, True, "a"):
        with raises(TypeError, f"ids[1] must be an int, got {wrong!r}"):
            as_ids("ids", [0, wrong])


def test_shape_and_size():
    with raises(ValueError, "ids must have 1 dimension(s), got shape (1, 2)"):
        as_ids("ids", torch.tensor([[1, 2]]))
    with raises(ValueError, "X must have 2 dimension(s), got shape (2,)"):
        as_ids("X", torch.tensor([1, 2]), dims=2)
    assert as_ids("X", torch.tensor([[1, 2]]), dims=2).shape == (1, 2)
    with raises(ValueError, "ids must hold at least 1 ids, got 0"):
        as_ids("ids", torch.tensor([], dtype=torch.int64))
    with raises(ValueError, "ids must hold at least 3 ids, got 2"):
        as_ids("ids", [1, 2], least=3)
    assert len(as_ids("ids", [1, 2, 3], least=3)) == 3


def test_inside_the_vocabulary():
    assert as_ids("ids", [0, 4], vocab_size=5).tolist() == [0, 4]
    with raises(ValueError, "ids must be in 0..4, got 5"):
        as_ids("ids", [0, 5], vocab_size=5)
    with raises(ValueError, "ids must be in 0..4, got -1"):
        as_ids("ids", [9, -1], vocab_size=5)


def test_counts_come_back_as_plain_ints():
    for given in (3, np.int64(3), np.uint8(3)):
        assert type(check_count("n", given, 1)) is int


@pytest.mark.parametrize(
    ("within", "inside", "outside", "words"),
    [
        ("[0, 1)", [0, 0.5], [-0.1, 1], "in [0, 1)"),
        ("(0, 1]", [0.1, 1], [0, 1.1], "in (0, 1]"),
        ("(0, inf]", [1e-9, math.inf], [0, -1], "above 0"),
        ("[0, inf]", [0, math.inf], [-1e-9], "at least 0"),
        ("[0, inf)", [0, 1e300], [-1, math.inf], "finite and at least 0"),
        ("(2, inf)", [2.5], [2, math.inf], "finite and above 2"),
        ("(-inf, inf)", [-1e9, 0], [math.inf, -math.inf], "finite"),
    ],
)
def test_numbers(within, inside, outside, words):
    for value in inside:
        assert check_number("x", value, within) == value
    for value in [*outside, math.nan]:
        with raises(ValueError, f"x must be {words}, got {value}"):
            check_number("x", value, within)


def test_what_is_a_number():
    for value in (1, 0.5, np.float32(0.5), torch.tensor(0.5), np.array(1)):
        assert type(check_number("x", value, "[0, 1]")) is float
    for wrong in (True, "1", None, 1j, torch.ones(2)):
        with pytest.raises(TypeError, match=r"^x must be a number, got"):
            check_number("x", wrong, "[0, 1]")


def test_generators():
    check_generator(None)
    check_generator(torch.Generator())
    with raises(
        TypeError,
        "generator must be a torch.Generator or None, got 0; try "
        "torch.Generator().manual_seed(0)",
    ):
        check_generator(0)


def test_ids_without_values_have_no_range_to_check():
    ids = torch.tensor([3], device="meta")
    assert as_ids("ids", ids, vocab_size=2).is_meta
    with pytest.raises(ValueError, match=r"^ids must have 2 dimension"):
        as_ids("ids", ids, vocab_size=2, dims=2)


@pytest.mark.parametrize(
    ("given", "num_states", "message"),
    [
        ([0.5, 0.5], None, "P must be square, got shape (2,)"),
        ([[0.5, 0.5]], None, "P must be square, got shape (1, 2)"),
        (torch.zeros(0, 0), None, "P must have at least one state, got 0"),
        ([0.5, 0.5], 3, "P must have shape (3,), got (2,)"),
        ([[1.0]], 1, "P must have shape (1,), got (1, 1)"),
        (
            [[0.5, 0.5], [1.5, -0.5]],
            None,
            "P row 1 is [1.5, -0.5]; probabilities must be at least 0",
        ),
        (
            [1.0, math.nan],
            2,
            "P is [1.0, nan]; probabilities must be at least 0",
        ),
        (
            [[0.5, 0.5], [0.5, 0.4]],
            None,
            "P row 1 sums to 0.9, not to 1; divide it by its sum",
        ),
        ([0.6, 0.6], 2, "P sums to 1.2, not to 1; divide it by its sum"),
        ([1, 1], 2, "P sums to 2, not to 1; divide it by its sum"),
    ],
)
def test_what_is_no_distribution(given, num_states, message):
    with raises(ValueError, message):
        as_distributions("P", given, num_states)


def test_a_long_row_is_cut_in_the_message():
    row = [-1.0] * 100
    with raises(
        ValueError,
        f"P is {str(row)[:200]}; probabilities must be at least 0",
    ):
        as_distributions("P", row, 100)


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
