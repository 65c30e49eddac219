"""The language of claims and exercises: English, unless a page sets it."""

import pytest

from unrolled import language
from unrolled.claims import claim
from unrolled.course.exercises import verdict
from unrolled.language import joined, say, set_language


@pytest.fixture
def chinese():
    set_language("zh_CN")
    yield
    set_language("en")


def test_english_is_the_start_and_is_left_alone():
    assert language.spoken_language() == "en"
    assert say("Holds: {sentence}", sentence="x") == "Holds: x"
    assert joined("1.5 to 1.6 and 2") == "1.5 to 1.6 and 2"


def test_a_claim_and_an_exercise_speak_chinese(chinese, capsys):
    assert language.spoken_language() == "zh_CN"
    claim("一加一等于 2。", 1 + 1 == 2)
    assert capsys.readouterr().out == "成立：一加一等于 2。\n"
    claim(f"在 {1.5} to {1.6} 之间。", True)
    assert capsys.readouterr().out == "成立：在 1.5 到 1.6 之间。\n"
    (line,) = verdict("8.2-1", lambda tokens: None)
    assert line.startswith("练习 8.2-1：")
    lines = verdict("8.1-1", lambda P, start, k: start @ P**k)
    assert lines[1].startswith("  调用 law_after(")
    assert "矩阵的幂是矩阵的乘积" in lines[-1]  # the usual slip


def test_lists_of_numbers_are_joined_in_chinese(chinese):
    assert joined("在 1.5 to -1.6 之间") == "在 1.5 到 -1.6 之间"
    assert joined("有 5 %, 7 % and 8 %") == "有 5 %, 7 % 和 8 %"
    assert joined("the time and the machine") == "the time and the machine"


def test_words_without_a_translation_stay(chinese):
    assert say("Nobody translated {this}.", this=1) == "Nobody translated 1."


def test_back_to_english(chinese):
    set_language("en")
    assert say("Holds: {sentence}", sentence="x") == "Holds: x"


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="name must be one of"):
        set_language("fr")
    assert language.spoken_language() == "en"
