"""Coding: what comes back, how large it is, one path for both ways."""

import bz2
import gzip
import lzma
import math

import brotli
import pyppmd
import pytest
import torch
import zstandard

from helpers import raises, seeded
from unrolled.coding import (
    RESOLUTION,
    _quantised,
    compressed_bits,
    counting_predictor,
    decode,
    encode,
    ideal_bits,
)
from unrolled.ngrams import KneserNeyLM, NgramLM

TEXT, GIVEN = "the time machine " * 9, "by h g wells " * 40 + "the time "


def text(n, size=6, seed=0):
    weights = 1 / torch.arange(1, size + 1, dtype=torch.float64)
    return torch.multinomial(weights, n, True, generator=seeded(seed))


def counting(order=3):
    return KneserNeyLM(order, 7).fit(text(500))


def test_counting_model_there_and_back():
    lm, ids = counting(), text(2_000, 7, seed=1)
    data = encode(counting_predictor(lm), ids)
    assert decode(counting_predictor(lm), data, 2_000) == ids.tolist()
    ideal = ideal_bits(counting_predictor(lm), ids)
    assert ideal <= 8 * len(data) + 1
    assert 8 * len(data) <= 1.001 * ideal + 64


def test_ideal_bits_by_hand():
    lm = NgramLM(2, 3, 1.0).fit(torch.tensor([1, 2, 1, 2]))
    ids = [1, 2, 2]
    expected = -sum(
        math.log2(p)
        for p in (lm.prob([], 1), lm.prob([1], 2), lm.prob([1, 2], 2))
    )
    assert ideal_bits(counting_predictor(lm), ids) == pytest.approx(expected)
    assert ideal_bits(counting_predictor(lm), []) == 0


def test_a_sure_model_needs_next_to_nothing():
    def predict(token):
        law = torch.full((4,), 1e-9, dtype=torch.float64)
        law[3] = 1 - 3e-9
        return law

    data = encode(predict, [3] * 5_000)
    assert len(data) <= 12
    assert decode(predict, data, 5_000) == [3] * 5_000


def test_an_impossible_token_can_still_be_sent():
    lm = NgramLM(1, 4, 0.0).fit(torch.tensor([1, 1, 2]))
    data = encode(counting_predictor(lm), [1, 3, 0, 2])
    assert decode(counting_predictor(lm), data, 4) == [1, 3, 0, 2]


def test_the_last_bit_of_a_probability_does_not_matter():
    lm, ids = counting(), text(300, 7, seed=2)

    def shaken(sign):
        inner = counting_predictor(lm)
        return lambda token: inner(token) * (1 + sign * 1e-13)

    data = encode(shaken(1), ids)
    assert decode(shaken(-1), data, 300) == ids.tolist()


def test_another_model_does_not_get_it_back():
    ids = text(300, 7, seed=2)
    data = encode(counting_predictor(counting(3)), ids)
    other = decode(counting_predictor(counting(2)), data, 300)
    assert other != ids.tolist()


def test_no_token_is_impossible_and_none_gets_more_than_it_must():
    law = torch.tensor([0.75, 0.25, 0.0, 1e-9], dtype=torch.float64)
    expected = [0.75 * RESOLUTION, 0.25 * RESOLUTION, 1, 1]
    assert _quantised(law).tolist() == expected


def test_nothing_and_one_token():
    lm = counting()
    assert (
        decode(counting_predictor(lm), encode(counting_predictor(lm), []), 0)
        == []
    )
    data = encode(counting_predictor(lm), [5])
    assert decode(counting_predictor(lm), data, 1) == [5]
    assert len(data) % 4 == 0


def test_only_as_much_context_as_the_model_needs():
    lm = counting(2)
    predict = counting_predictor(lm)
    predict(None)
    for token in (1, 2, 3, 4):
        law = predict(token)
    assert torch.equal(law, lm.distribution([4]))


def test_one_token_needs_no_bits():
    counted = NgramLM(2, 1, 1.0).fit(torch.zeros(5).long())
    predict = counting_predictor(counted)
    data = encode(predict, [0] * 9)
    assert decode(predict, data, 9) == [0] * 9
    assert len(data) <= 8
    assert ideal_bits(predict, [0] * 9) == 0
    with raises(ValueError, "ids must be in 0..0, got 1"):
        encode(predict, [1])


def test_two_tokens_need_bits():
    law = torch.tensor([0.5, 0.5])
    ids = [0, 1, 1, 0, 1] * 40
    data = encode(lambda _: law, ids)
    assert decode(lambda _: law, data, 200) == ids
    assert 200 <= 8 * len(data) <= 264


@pytest.mark.parametrize("num_bytes", [8, 12, 400])
def test_bits_that_no_text_has(num_bytes):
    predict = counting_predictor(counting())
    with pytest.raises(
        ValueError,
        match=r"^data holds no text of this predictor: \d+ tokens can be read "
        "and no more; it must be what encode gave, with the same model$",
    ):
        decode(predict, b"\xff" * num_bytes, 50)


def test_a_predictor_may_be_used_again():
    ids = torch.randint(6, (40,), generator=seeded(5))
    predict = counting_predictor(NgramLM(3, 6, 1.0).fit(ids))
    bits = ideal_bits(predict, ids)
    data = encode(predict, ids)
    assert decode(predict, data, len(ids)) == ids.tolist()
    assert ideal_bits(predict, ids) == bits


def test_rounding_costs_more_where_tokens_are_many():
    law = torch.zeros(50_000, dtype=torch.float64)
    law[0] = 1.0
    data = encode(lambda _: law, [0] * 2_000)
    # 50,000 of 2^20 go to the others
    expected = -2_000 * math.log2(2**20 / (2**20 + 50_000))
    assert 8 * len(data) == pytest.approx(expected, abs=64)


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("gzip", lambda data: gzip.compress(data, 9, mtime=0)),
        ("bz2", lambda data: bz2.compress(data, 9)),
        ("xz", lambda data: lzma.compress(data, preset=9 | 1 << 31)),
        ("zstd", zstandard.ZstdCompressor(level=22).compress),
        ("brotli", lambda data: brotli.compress(data, quality=11, lgwin=24)),
        (
            "PPMd",
            lambda data: pyppmd.compress(
                data, max_order=6, mem_size=1 << 26, variant="I"
            ),
        ),
    ],
)
def test_compressed_growth(name, compress):
    both = len(compress((GIVEN + TEXT).encode()))
    assert compressed_bits(TEXT, GIVEN, name) == 8 * (
        both - len(compress(GIVEN.encode()))
    )


def test_what_was_given_helps():
    text = "abcdefghijklmnopqrstuvwxyz0123456789"
    for name in ("gzip", "xz"):
        alone = compressed_bits(text, "", name)
        assert compressed_bits(text, text, name) < alone / 2


def test_gzip_does_not_store_the_time(monkeypatch):
    sizes = set()
    for now in (0, 1_900_000_000):
        monkeypatch.setattr("time.time", lambda now=now: now)
        sizes.add(compressed_bits(TEXT, GIVEN, "gzip"))
    assert len(sizes) == 1
