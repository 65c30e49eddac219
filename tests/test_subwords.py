"""Subwords: by hand, against tokenizers, round trips, clear errors."""

import json
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from unrolled.corpus import CorpusError, load_corpus, split
from unrolled.subwords import (
    all_tokens,
    decode,
    encode,
    learn_merges,
    split_words,
)
from unrolled.vocab import Vocab, character_stream

STORY = (resources.files("unrolled") / "data" / "builtin.txt").read_text(
    "utf-8"
)
# the words of Sennrich, Haddow and Birch (2016), as often as there; each
# follows a space, the first one too
LOW = " low" * 5 + " lower" * 2 + " newest" * 6 + " widest" * 3
# words of few letters in few lengths: many ties, runs such as aaaa
drawn = settings(
    deadline=None, derandomize=True, max_examples=60, database=None
)
small_texts = st.text("aab b c", max_size=60)


def oracle(text, num_merges):
    """The library's tokenizer, with words cut before each space."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=1 + len(set(text)) + num_merges,
        special_tokens=["<unk>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def merges_of(tokenizer):
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair) for pair in merges]


def all_merges(text):
    """As many as there are, which the error of one too many says."""
    with pytest.raises(ValueError, match="num_merges must be at most") as e:
        learn_merges(text, len(text) + 1)
    return learn_merges(text, int(str(e.value).split()[5]))


def assert_equal(text, held_out, merges):
    """Merges, numbers of tokens and encodings are those of the library."""
    tokenizer = oracle(text, len(merges))
    assert merges == merges_of(tokenizer)
    vocab = Vocab(all_tokens(text, merges))
    theirs = tokenizer.get_vocab()
    assert vocab.to_tokens(list(range(len(vocab)))) == sorted(
        theirs, key=theirs.get
    )
    for some in (text, held_out):
        tokens = tokenizer.encode(some)
        ids = vocab[encode(some, merges)]
        assert ids == tokens.ids
        assert vocab.to_tokens(ids) == tokens.tokens


class TestByHand:
    def test_words_take_the_space_before_them(self):
        assert split_words("a bc d") == ["a", " bc", " d"]
        assert split_words("  a ") == [" ", " a", " "]
        assert split_words("a\n b") == ["a\n", " b"]
        assert split_words("") == []

    def test_merges(self):
        # (e, s) and (s, t) occur 6 + 3 = 9 times, and e is older than s.
        # Then (es, t) has 9. (w, e) had 2 + 6 = 8 and has lost 6; three
        # pairs have 5 + 2 = 7: (space, l), (l, o) and (o, w). The space is
        # the oldest. Of (space l, o) and (o, w) the second is older, since
        # o is a character. Then (space l, ow) has 7, and after it four have
        # 6: the space is oldest again, then e in (e, w).
        assert learn_merges(LOW, 7) == [
            ("e", "s"),
            ("es", "t"),
            (" ", "l"),
            ("o", "w"),
            (" l", "ow"),
            (" ", "n"),
            ("e", "w"),
        ]

    def test_new_words(self):
        merges = learn_merges(LOW, 5)
        assert encode(" lowest", merges) == [" low", "est"]
        assert encode("lowest", merges) == ["l", "ow", "est"]
        assert encode(" newer low", merges) == [*" newer", " low"]

    def test_no_merges_are_characters(self):
        assert learn_merges(LOW, 0) == []
        assert encode("a low", []) == list("a low")

    def test_a_run_is_merged_from_the_left(self):
        assert learn_merges("aaaaa", 3) == [
            ("a", "a"),
            ("aa", "a"),
            ("aa", "aaa"),
        ]
        assert encode("aaa", [("a", "a")]) == ["aa", "a"]

    def test_the_pair_that_was_learned_first_goes_first(self):
        merges = [("b", "c"), ("a", "b")]
        assert encode("abc", merges) == ["a", "bc"]
        assert encode("abc", merges[::-1]) == ["ab", "c"]

    def test_all_tokens(self):
        assert all_tokens("ba b", [("b", "a")]) == [" ", "a", "b", "ba"]
        merges = learn_merges(LOW, 5)
        vocab = Vocab(all_tokens(LOW, merges))
        assert vocab[" low"] == len(vocab) - 1
        # "es" was always merged further, but a new word may end with it
        assert "es" not in encode(LOW, merges)
        assert vocab[encode("es", merges)] != [0]


class TestOracle:
    @pytest.mark.parametrize("num_merges", [0, 1, 20, 300, 1000])
    def test_the_built_in_story(self, num_merges):
        train, _, held_out = split(character_stream(STORY))
        merges = learn_merges(train, num_merges)
        assert_equal(train, held_out, merges)

    def test_marks_capitals_and_line_breaks(self):
        train, _, held_out = split(STORY)
        assert_equal(train, held_out, learn_merges(train, 500))

    def test_other_scripts(self):
        text = "час часы времени время  машина 时间是 时间的机器"
        assert_equal(text, "временная машина времени", all_merges(text))

    def test_unknown_characters(self):
        assert_equal(LOW, " löwest \n low", learn_merges(LOW, 8))

    def test_the_book(self):
        try:
            text = character_stream(load_corpus())
        except CorpusError:
            pytest.skip("The Time Machine is not here")
        train, valid, test = split(text)
        most = learn_merges(train, 4000)
        for num_merges in (100, 1000, 4000):
            assert_equal(train, valid + test, most[:num_merges])


# functions, not methods: make mutate runs them in several sessions of one
# process, and hypothesis takes a class of a second session for another test
@drawn
@given(small_texts, small_texts)
def test_small_texts(text, held_out):
    assert_equal(text, held_out, all_merges(text))


@drawn
@given(small_texts, st.text(max_size=40), st.integers(0, 20))
def test_round_trip(text, other, number):
    merges = all_merges(text)
    for some in (text, other):
        tokens = encode(some, merges[:number])
        assert decode(tokens) == some
        assert all(tokens)


@drawn
@given(small_texts)
def test_the_last_merge_makes_every_word_one_token(text):
    merges = all_merges(text)
    assert encode(text, merges) == split_words(text)
    # no token is made in two ways, so that each has one number
    made = all_tokens(text, merges)
    assert len(set(made)) == len(made)


@drawn
@given(small_texts)
def test_few_merges_begin_many(text):
    merges = all_merges(text)
    half = len(merges) // 2
    assert learn_merges(text, half) == merges[:half]


def test_a_text_of_cleaned_words():
    text = character_stream(STORY)
    tokens = encode(text, learn_merges(text, 200))
    assert decode(tokens) == text
    assert not any(" " in token[1:] for token in tokens)
    vocab = Vocab(tokens)
    assert decode(vocab.to_tokens(vocab[tokens])) == text


class TestLimits:
    def test_nothing(self):
        assert learn_merges("", 0) == []
        assert encode("", [("a", "b")]) == []
        assert decode([]) == ""
        assert all_tokens("", []) == []

    def test_as_many_merges_as_there_are(self):
        assert learn_merges("ab abc", 3)[-1] == (" ab", "c")

    def test_unknown_characters_stay(self):
        merges = learn_merges(LOW, 8)
        assert encode(" lüw", merges) == [" l", "ü", "w"]
        vocab = Vocab(all_tokens(LOW, merges))
        assert vocab["ü"] == 0
