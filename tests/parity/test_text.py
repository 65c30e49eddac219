"""Text: the same lines, tokens, vocabulary and stream as d2l's."""

import pytest

from unrolled.vocab import Vocab, character_stream, clean_lines, tokenize


def test_cleaned_lines(text, d2l, reads):
    reads(text)
    assert clean_lines(text) == d2l.read_time_machine()


@pytest.mark.parametrize("unit", ["word", "char"])
def test_tokens(text, d2l, reads, unit):
    reads(text)
    ours = tokenize(clean_lines(text), unit)
    assert ours == d2l.tokenize(d2l.read_time_machine(), unit)
    assert sum(map(len, ours)) > 100


@pytest.mark.parametrize("unit", ["word", "char"])
@pytest.mark.parametrize("min_freq", [0, 2, 10])
@pytest.mark.parametrize("reserved", [[], ["<pad>", "the"]])
def test_every_index_of_the_vocabulary(text, d2l, unit, min_freq, reserved):
    lines = tokenize(clean_lines(text), unit)
    theirs = d2l.Vocab(lines, min_freq, reserved)
    ours = Vocab(lines, min_freq, reserved)
    assert len(ours) == len(theirs) > 3
    assert ours.to_tokens(list(range(len(ours)))) == theirs.idx_to_token
    assert ours.token_freqs == theirs.token_freqs
    asked = [*theirs.idx_to_token, "no such token"]
    assert ours[asked] == theirs[asked]
    assert ours.unk == theirs.unk == 0


def test_the_editions_stream_by_name(text, d2l, reads):
    reads(text)
    ids, vocab = d2l.load_corpus_time_machine()
    stream = character_stream(text, joining="edition")
    ours = Vocab(list(stream))
    assert ours[list(stream)] == ids
    assert len(ours) == len(vocab)
    assert ours.to_tokens(ids) == vocab.to_tokens(ids)


class TestDifferences:
    """Each shows d2l's behaviour and ours."""

    def test_lost_spaces(self, text, d2l, reads):
        reads(text)
        ids, vocab = d2l.load_corpus_time_machine()
        theirs = "".join(vocab.to_tokens(ids))
        ours = character_stream(text)
        lines = [line for line in clean_lines(text) if line]
        assert len(ours) - len(theirs) == len(lines) - 1
        assert ours.split() == [w for line in lines for w in line.split()]
        lost = len(ours.split()) - len(theirs.split())
        assert lost == len(lines) - 1 > 100

    def test_an_unknown_unit(self, d2l, capsys):
        assert d2l.tokenize(["a line"], "words") is None
        assert "ERROR" in capsys.readouterr().out
        with pytest.raises(ValueError, match="unit must be one of"):
            tokenize(["a line"], "words")

    def test_an_index_that_does_not_exist(self, d2l):
        tokens = list("abc")
        assert d2l.Vocab(tokens).to_tokens(-1) == "c"
        with pytest.raises(IndexError, match="index -1 is outside 0"):
            Vocab(tokens).to_tokens(-1)

    def test_a_token_that_is_a_number(self, d2l):
        assert d2l.Vocab(list("abc"))[1] == 0  # an index, taken for a token
        with pytest.raises(TypeError, match="token must be a str"):
            Vocab(list("abc"))[1]

    def test_one_string_for_a_list(self, d2l):
        assert len(d2l.Vocab("the time")) == 1 + len(set("the time"))
        with pytest.raises(TypeError, match=r"try list\(text\)"):
            Vocab("the time")
