"""Vocab: by hand, against a plain sort, round trips, clear errors."""

from collections import Counter

import numpy as np
import pytest
import torch

from helpers import seeded
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


class TestTokenizing:
    def test_words_and_characters(self):
        lines = ["the time", "", "a"]
        assert tokenize(lines) == [["the", "time"], [], ["a"]]
        assert tokenize(lines, "word") == tokenize(lines)
        assert tokenize(lines, "char") == [list("the time"), [], ["a"]]

    def test_a_generator_will_do(self):
        assert tokenize(line for line in ["a b"]) == [["a", "b"]]


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
        [
            (0, "bacde"),
            (1, "bacde"),
            (1.5, "ba"),
            (2, "ba"),
            (3, "b"),
            (4, ""),
        ],
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
        generator = seeded(0)
        draws = torch.randint(0, 40, (500,), generator=generator).tolist()
        tokens = [f"w{n}" for n in draws]
        first_seen = {t: tokens.index(t) for t in set(tokens)}
        expected = sorted(
            Counter(tokens).items(), key=lambda p: (-p[1], first_seen[p[0]])
        )
        assert Vocab(tokens).token_freqs == expected


def test_a_text_with_just_enough_words():
    check_words("the time  machine", 3)


def test_the_least_count_may_be_a_number_of_numpy_or_torch():
    tokens = ["a", "a", "b"]
    for two in (np.int64(2), np.float32(2), torch.tensor(2)):
        assert len(Vocab(tokens, min_freq=two)) == 2
