"""Vocab: by hand, against a plain sort, round trips, clear errors."""

from collections import Counter

import numpy as np
import pytest
import torch

from helpers import raises
from unrolled.corpus import CorpusError
from unrolled.vocab import (
    Vocab,
    character_stream,
    check_words,
    clean_lines,
    tokenize,
)


class TestCleaning:
    def test_by_hand(self):
        text = "The TIME--Machine,\n  by H.G. Wells\n\n[1898]\nIt's"
        assert clean_lines(text) == [
            "the time machine",
            "by h g wells",
            "",
            "",
            "it s",
        ]

    @pytest.mark.parametrize(
        ("text", "lines"),
        [
            ("", []),
            ("\n", [""]),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("a\n\n", ["a", ""]),
            ("a\r\nb\rc\n", ["a", "b", "c"]),
            ("a\x0cb", ["a b"]),
        ],
    )
    def test_line_breaks(self, text, lines):
        assert clean_lines(text) == lines

    def test_other_scripts_are_lost(self):
        assert clean_lines("Zażółć\nВремя") == ["za", ""]

    def test_only_text(self):
        with raises(TypeError, "text must be a str, got b'the'"):
            clean_lines(b"the")
        with raises(TypeError, "text must be a str, got ['the']"):
            clean_lines(["the"])


class TestTokenizing:
    def test_words_and_characters(self):
        lines = ["the time", "", "a"]
        assert tokenize(lines) == [["the", "time"], [], ["a"]]
        assert tokenize(lines, "word") == tokenize(lines)
        assert tokenize(lines, "char") == [list("the time"), [], ["a"]]

    def test_a_generator_will_do(self):
        assert tokenize(line for line in ["a b"]) == [["a", "b"]]

    def test_unknown_unit(self):
        with raises(
            ValueError, "unit must be one of ('word', 'char'), got 'byte'"
        ):
            tokenize(["a"], "byte")

    def test_not_lines(self):
        with raises(
            TypeError,
            "lines must be a list of str, got one str; try [text] or "
            "clean_lines(text)",
        ):
            tokenize("the time")
        with raises(TypeError, "lines must be a list of str, got None"):
            tokenize(None)
        with raises(TypeError, "lines[1] must be a str, got 3"):
            tokenize(["a", 3])


class TestStream:
    text = "The Time\n\n  Machine!\nby\n***\nWells"

    def test_one_space_between_lines_with_letters(self):
        assert character_stream(self.text) == "the time machine by wells"
        assert character_stream(self.text, joining="space") == (
            "the time machine by wells"
        )

    def test_the_edition_glues_lines(self):
        glued = character_stream(self.text, joining="edition")
        assert glued == "the timemachinebywells"

    def test_no_letters_no_stream(self):
        assert character_stream("...\n1895") == ""

    def test_bad_input(self):
        with raises(
            ValueError, "joining must be one of ('space', 'edition'), got 'x'"
        ):
            character_stream("a", joining="x")
        with raises(
            ValueError, "joining must be one of ('space', 'edition'), got []"
        ):
            character_stream("a", joining=[])
        with raises(TypeError, "text must be a str, got 1"):
            character_stream(1)


TOKENS = ["b", "a", "c", "a", "b", "d", "e", "b"]


class TestVocab:
    def test_by_hand(self):
        vocab = Vocab(TOKENS)
        assert vocab.token_freqs == [
            ("b", 3),
            ("a", 2),
            ("c", 1),
            ("d", 1),
            ("e", 1),
        ]
        assert len(vocab) == 6
        assert vocab.unk == 0
        assert vocab.to_tokens(list(range(6))) == ["<unk>", *"bacde"]
        assert vocab["b"] == 1
        assert vocab["zebra"] == 0
        assert vocab["<unk>"] == 0
        assert vocab[["a", "zebra", "e"]] == [2, 0, 5]
        assert vocab[("a",)] == [2]
        assert vocab[[["a"], []]] == [[2], []]

    def test_lists_of_lists_are_one_text(self):
        nested = Vocab([["b", "a"], [], ["c", "a", "b", "d", "e", "b"]])
        flat = Vocab(TOKENS)
        assert nested.token_freqs == flat.token_freqs
        assert nested.to_tokens(1) == flat.to_tokens(1) == "b"

    def test_an_empty_first_line(self):
        assert len(Vocab([[], ["a"]])) == 2

    def test_nothing_at_all(self):
        vocab = Vocab([])
        assert len(vocab) == 1
        assert vocab["a"] == 0
        assert vocab.token_freqs == []

    @pytest.mark.parametrize(
        ("min_freq", "kept"),
        [(0, "bacde"), (1, "bacde"), (2, "ba"), (3, "b"), (4, "")],
    )
    def test_min_freq(self, min_freq, kept):
        vocab = Vocab(TOKENS, min_freq=min_freq)
        assert vocab.to_tokens(list(range(len(vocab)))) == ["<unk>", *kept]
        assert len(vocab.token_freqs) == 5  # counts are kept in any case

    def test_reserved_tokens_come_first(self):
        vocab = Vocab(TOKENS, 2, ["<pad>", "a", "d"])
        tokens = vocab.to_tokens(list(range(len(vocab))))
        assert tokens == ["<unk>", "<pad>", "a", "d", "b"]
        assert vocab["<pad>"] == 1
        assert vocab["d"] == 3

    def test_unknown_token_in_the_text(self):
        vocab = Vocab(["<unk>", "a", "<unk>"])
        assert vocab.token_freqs[0] == ("<unk>", 2)
        assert vocab["<unk>"] == 0
        assert len(vocab) == 2

    def test_round_trip(self):
        vocab = Vocab(TOKENS)
        assert vocab.to_tokens(vocab[TOKENS]) == TOKENS
        assert vocab.to_tokens([[1], [2, 0]]) == [["b"], ["a", "<unk>"]]

    def test_tensors_decode(self):
        vocab = Vocab(TOKENS)
        assert vocab.to_tokens(torch.tensor([1, 0])) == ["b", "<unk>"]
        assert vocab.to_tokens(torch.tensor(2)) == "a"

    def test_contains(self):
        vocab = Vocab(TOKENS, min_freq=2)
        assert "a" in vocab
        assert "c" not in vocab
        assert 1 not in vocab

    def test_against_a_plain_sort(self):
        generator = torch.Generator().manual_seed(0)
        draws = torch.randint(0, 40, (500,), generator=generator).tolist()
        tokens = [f"w{n}" for n in draws]
        first_seen = {t: tokens.index(t) for t in set(tokens)}
        expected = sorted(
            Counter(tokens).items(), key=lambda p: (-p[1], first_seen[p[0]])
        )
        assert Vocab(tokens).token_freqs == expected


class TestBadVocab:
    def test_min_freq(self):
        with raises(TypeError, "min_freq must be a number, got '3'"):
            Vocab(TOKENS, min_freq="3")
        assert len(Vocab(TOKENS, min_freq=1.5)) == 3
        for bad in (-1, float("nan")):
            with raises(ValueError, f"min_freq must be at least 0, got {bad}"):
                Vocab(TOKENS, min_freq=bad)

    def test_tokens(self):
        with raises(
            TypeError,
            "tokens must be a list of str, got one str; for its characters "
            "try list(text)",
        ):
            Vocab("the time")
        for lossy in ({"a": 3}, {"a", "b"}):
            with raises(
                TypeError,
                f"tokens must be a list of str, got a {type(lossy).__name__}, "
                "whose counts or order would be lost",
            ):
                Vocab(lossy)
        with raises(TypeError, "tokens must be a list of str, got None"):
            Vocab(None)
        with raises(
            TypeError, "tokens[1] must be a str or a list of str, got 3"
        ):
            Vocab(["a", 3])
        with raises(
            TypeError, "tokens[0]: every token must be a str, got None"
        ):
            Vocab([["a", None]])

    def test_reserved(self):
        message = (
            "reserved_tokens: {!r} occurs more than once; each token needs "
            "one index ('<unk>' has 0)"
        )
        with raises(ValueError, message.format("x")):
            Vocab(TOKENS, reserved_tokens=["x", "y", "x"])
        with raises(ValueError, message.format("<unk>")):
            Vocab(TOKENS, reserved_tokens=["<unk>"])
        with raises(
            TypeError,
            "reserved_tokens must be a list of str, got one str; for its "
            "characters try list(text)",
        ):
            Vocab(TOKENS, reserved_tokens="<pad>")

    @pytest.mark.parametrize("index", [-1, 6, 100])
    def test_index_out_of_range(self, index):
        message = (
            f"index {index} is outside 0..5, the indices of this vocabulary"
        )
        with raises(IndexError, message):
            Vocab(TOKENS).to_tokens(index)
        with raises(IndexError, message):
            Vocab(TOKENS).to_tokens([1, index])

    @pytest.mark.parametrize("index", ["a", 1.0, None, True])
    def test_index_is_no_integer(self, index):
        with raises(
            TypeError,
            f"index must be an int or a list of int, got {index!r}",
        ):
            Vocab(TOKENS).to_tokens(index)

    @pytest.mark.parametrize("token", [3, None, b"a"])
    def test_token_is_no_text(self, token):
        with raises(
            TypeError,
            f"token must be a str or a list of str, got {token!r}; "
            "to_tokens goes from indices to tokens",
        ):
            Vocab(TOKENS)[token]


def test_a_text_with_too_few_words():
    check_words("the time  machine", 3)
    with raises(
        CorpusError,
        "the text has 3 words of letters a-z after cleaning, and this page "
        "needs 1,000; choose a longer text in English",
    ):
        check_words("the time  machine", 1000)


def test_the_least_count_may_be_a_number_of_numpy_or_torch():
    tokens = ["a", "a", "b"]
    for two in (np.int64(2), np.float32(2), torch.tensor(2)):
        assert len(Vocab(tokens, min_freq=two)) == 2
