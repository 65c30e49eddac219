"""The list of claims, in two languages."""

from unrolled.course.findings import read_claims
from unrolled.language import set_language


def test_the_claims_in_english_carry_their_own_sentence():
    claims = read_claims()
    assert len(claims) > 200
    assert all(row["english"] == row["sentence"] for row in claims)
    assert {"chapter", "title", "section", "anchor"} <= claims[0].keys()


def test_the_chinese_claims_stand_beside_the_english_ones():
    english = read_claims()
    set_language("zh_CN")
    try:
        chinese = read_claims()
    finally:
        set_language("en")
    for one, other in zip(english, chinese, strict=True):
        assert one["sentence"] == other["english"] != other["sentence"]
        assert one["chapter"] == other["chapter"]
