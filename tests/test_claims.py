"""Claims: hold, fail, refuse what is no truth value."""

import numpy as np
import pytest
import torch

from unrolled import corpus
from unrolled.claims import ClaimError, claim


@pytest.fixture(autouse=True)
def _the_book_is_in_use(monkeypatch):
    """Other tests of the same worker may have loaded another text."""
    monkeypatch.setattr(corpus, "_loaded_the_book", True)


def test_a_true_claim_prints_its_sentence(capsys):
    claim("1 is below 2.", 1 < 2)
    assert capsys.readouterr().out == "Holds: 1 is below 2.\n"


def test_a_false_claim_raises_and_prints_nothing(capsys):
    with pytest.raises(ClaimError, match=r"^does not hold: 2 is below 1\.$"):
        claim("2 is below 1.", 2 < 1)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "yes", [True, np.bool_(True), torch.tensor(True), np.array(True)]
)
def test_scalars_of_numpy_and_torch_count_as_truth_values(yes, capsys):
    claim("a sentence", yes)
    assert capsys.readouterr().out == "Holds: a sentence\n"
    with pytest.raises(ClaimError):
        claim("a sentence", ~yes if yes is not True else False)


def test_claims_about_the_book_are_not_checked_on_another_text(
    capsys, monkeypatch
):
    with pytest.raises(ClaimError):
        claim("a sentence", False, corpus=True)
    monkeypatch.setattr(corpus, "_loaded_the_book", False)
    claim("a sentence", False, corpus=True)
    out = capsys.readouterr().out
    assert out == "Not checked on this text: a sentence\n"
    with pytest.raises(ClaimError):  # the others are
        claim("a sentence", False)
