"""SpelledWords: by hand, brute force over strings, sums to 1, errors."""

import math

import pytest
import torch

from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.spelling import SpelledWords
from unrolled.vocab import Vocab

TEXT = "the time the them a theme the time a man then them "
WORDS = TEXT.split()


def models(order=2, spell_order=2, min_freq=2):
    vocab = Vocab(WORDS, min_freq=min_freq)
    words = NgramLM(order, len(vocab), 1.0).fit(torch.tensor(vocab[WORDS]))
    letters = Vocab(list(TEXT))
    rare = list(" theme man then ")
    speller = KneserNeyLM(spell_order, len(letters), 0.5)
    speller.fit(torch.tensor(letters[rare]))
    return SpelledWords(words, vocab, speller, letters)


def brute(model, text, start):
    """A(sc) / A(s) with plain loops over the vocabulary."""
    history = text[:start].split()
    spelled = ""  # all that the speller has read after its first space
    found = []
    for word in text[start:].split():
        law = model.words.distribution(model.vocab[history])
        end = min(len(word) + 1, len(text) - start - len(found))
        string = (word + " ")[:end]

        def begins(s, spelled=spelled, law=law):
            known = sum(
                law[i].item()
                for i in range(1, len(model.vocab))
                if (model.vocab.to_tokens(i) + " ").startswith(s)
            )
            q = 1.0
            for place, letter in enumerate(s):
                context = model.characters[list(" " + spelled + s[:place])]
                q *= model.speller.prob(context, model.characters[letter])
            return known + law[0].item() * q

        for end in range(1, len(string) + 1):
            found.append(
                math.log(begins(string[:end]) / begins(string[: end - 1]))
            )
        history.append(word)
        spelled += string
    return found


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("spell_order", [1, 3])
def test_against_brute_force(order, spell_order):
    model = models(order, spell_order)
    text = "the time them moment then tim"
    for start in (0, 4, 9):
        ours = model.log_probs(text, start)
        assert ours.shape == (len(text) - start,)
        assert ours.dtype == torch.float64
        assert ours.tolist() == pytest.approx(brute(model, text, start))


def test_a_space_at_the_end_is_a_character_like_any_other():
    model = models()
    one, two = model.log_probs("the time", 4), model.log_probs("the time ", 4)
    assert two[:-1].tolist() == pytest.approx(one.tolist())
    assert len(two) == 5
    assert two.tolist() == pytest.approx(brute(model, "the time ", 4))


def test_next_characters_sum_to_1():
    model = models()
    symbols = list(model.characters.to_tokens(range_of(model)))
    for beginning in ("", "t", "the", "them", "x", "mo"):
        text = "the " + beginning
        total = 0.0
        for symbol in symbols[1:]:
            if symbol == " " and not beginning:
                continue  # no word is empty: see below
            total += model.log_probs(text + symbol, 4)[-1].exp().item()
        # what is missing went to <unk> and, at the start, to the space
        law = model.words.distribution(model.vocab[["the"]])
        assert total <= 1 + 1e-12
        assert total > 1 - law[0].item()


def range_of(model):
    return list(range(len(model.characters)))


def test_a_whole_word_costs_its_probability():
    model = models()
    law = model.words.distribution(model.vocab[["the"]])
    cost = model.log_probs("the time ", 4).sum().exp().item()
    assert law[model.vocab["time"]].item() < cost < 1
    # a word that is not known costs the unknown word, and its spelling
    unknown = model.log_probs("the moan ", 4).sum().item()
    letters = model.characters[list(" moan ")]
    spelling = model.speller.log_probs(torch.tensor(letters)).sum().item()
    assert unknown == pytest.approx(law[0].log().item() + spelling)


def test_the_words_before_count():
    model = models(order=2)
    after_the = model.log_probs("the time", 4).sum().item()
    after_a = model.log_probs("a time", 2).sum().item()
    assert after_the > after_a


def test_small_probabilities_beside_large_ones():
    words = ["a"] * 10 + ["b", "c"]
    vocab, letters = Vocab(words), Vocab(list("abc "))
    speller = NgramLM(1, len(letters), 1.0)
    speller.fit(torch.tensor(letters[list(" a b c ")]))
    for strength in (1e-9, 1e-15):
        lm = NgramLM(2, len(vocab), [1.0, strength])
        lm.fit(torch.tensor(vocab[words]))
        model = SpelledWords(lm, vocab, speller, letters)
        ours = model.log_probs("a c ", 2).tolist()
        assert ours == pytest.approx(brute(model, "a c ", 2), rel=1e-9)


def test_what_both_models_rule_out():
    model = models()
    model.words = NgramLM(1, len(model.vocab), 0.0)
    model.words.fit(torch.tensor(model.vocab[["the", "time"]]))
    found = model.log_probs("the moan the ", 4)
    assert not found.isnan().any()
    assert found[:5].isneginf().all()  # "moan " after its first letter, too
    assert found[5:].isfinite().all()
