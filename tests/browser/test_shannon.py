"""Section 8.4, Shannon's game: scores recomputed from the library's models."""

import math
import random
from collections import Counter

import pytest
import torch

from unrolled.corpus import load_corpus
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.vocab import Vocab, character_stream

PAGE, TAG = "book/8_4_recurrent_networks.html", "unrolled-shannon"


class Library:
    """The passage that belongs to a context, and the models before it."""

    def __init__(self, context, length):
        stream = character_stream(load_corpus("builtin"))
        self.shown = stream.index(context)
        assert stream.count(context) == 1
        assert self.shown > 0.9 * len(stream)
        self.start = self.shown + len(context)
        self.passage = stream[self.start : self.start + length]
        assert stream[self.start - 1] == " " != self.passage[0]
        vocab = Vocab(list(stream[: self.shown]))
        size = len(vocab) - 1  # without the unknown token
        self.ids = torch.tensor(vocab[list(stream)]) - 1
        self.letters = vocab.to_tokens(list(range(1, size + 1)))
        assert sorted(self.letters) == sorted(" abcdefghijklmnopqrstuvwxyz")
        read = self.ids[: self.shown]
        self.models = [
            NgramLM(1, size, 1.0).fit(read),
            NgramLM(2, size, 1.0).fit(read),
            KneserNeyLM(6, size).fit(read),
        ]

    def law(self, model, place):
        return model.distribution(self.ids[: self.start + place]).tolist()

    def top(self, model, place):
        """All letters, the most probable first, with their probabilities."""
        law = [round(p, 6) for p in self.law(model, place)]
        best = sorted(range(len(law)), key=lambda i: (-law[i], i))
        return [(self.letters[i], law[i]) for i in best]

    def rank(self, model, place):
        letters = [letter for letter, _ in self.top(model, place)]
        return letters.index(self.passage[place]) + 1

    def bits(self, model, place):
        index = self.ids[self.start + place]
        return -math.log2(self.law(model, place)[index])


def bound(ranks):
    shares = [count / len(ranks) for count in Counter(ranks).values()]
    return -sum(q * math.log2(q) for q in shares)


def find(element, letter):
    name = "space" if letter == " " else letter
    return element.locator(".keys").get_by_role(
        "button", name=name, exact=True
    )


@pytest.fixture(scope="module")
def library():
    """Fitted once; the tests check that the page names the same context."""
    return Library("become attached to that step upon the stair ", 60)


def check(state, ranks, library):
    """Every number of the state, after these ranks of the reader."""
    assert state["context"] == "become attached to that step upon the stair "
    assert state["length"] == len(library.passage)
    found = len(ranks)
    assert state["found"] == library.passage[:found]
    assert state["reader"]["ranks"] == ranks
    assert state["reader"]["mean"] == pytest.approx(sum(ranks) / found)
    assert state["reader"]["bound"] == pytest.approx(bound(ranks), abs=1e-12)
    names = [model["name"] for model in state["models"]]
    assert names == ["unigram", "bigram", "Kneser-Ney"]
    for shown, model in zip(state["models"], library.models, strict=True):
        places = range(found)
        expected = [library.rank(model, place) for place in places]
        assert shown["ranks"] == expected
        assert shown["mean"] == pytest.approx(sum(expected) / found)
        assert shown["bound"] == pytest.approx(bound(expected), abs=1e-12)
        bits = sum(library.bits(model, place) for place in places) / found
        # the page's probabilities are rounded to six decimals
        assert shown["bits"] == pytest.approx(bits, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_five_random_games(visit, library, seed):
    element = visit().explorable(PAGE, TAG)
    draw = random.Random(seed)
    ranks = []
    for place in range(draw.randint(6, 14)):
        answer = library.passage[place]
        others = [letter for letter in library.letters if letter != answer]
        wrong = draw.sample(others, draw.choice([0, 0, 1, 3, 8]))
        for letter in wrong:
            find(element, letter).click()
        state = element.evaluate("e => e.state")
        assert state["wrong"] == wrong
        for letter in wrong:
            key = find(element, letter)
            assert key.get_attribute("aria-disabled") == "true"
        if wrong:  # a second time it does not count
            element.locator(".typed").press_sequentially(wrong[0])
        find(element, answer).click()
        ranks.append(len(wrong) + 1)
    state = element.evaluate("e => e.state")
    check(state, ranks, library)
    rows = element.locator("tbody tr").all()
    for row, shown in zip(
        rows, [state["reader"], *state["models"]], strict=True
    ):
        numbers = [shown["mean"], shown["bound"], shown.get("bits")]
        assert row.locator("td").all_inner_texts() == [
            "–" if value is None else f"{value:.2f}" for value in numbers
        ]
    below = element.locator(".own small").all_inner_texts()
    assert below == [str(rank) for rank in ranks]


@pytest.mark.slow
def test_by_keyboard_to_the_end(visit, library):
    element = visit().explorable(PAGE, TAG)
    typed = element.get_by_label("type here")
    typed.focus()
    typed.press_sequentially(library.passage[:2])
    find(element, "z").focus()
    element.page.keyboard.press("z")  # a letter, typed on a button
    element.page.keyboard.press("Space")  # presses z: no second guess
    assert element.evaluate("e => e.state.wrong") == ["z"]
    element.page.keyboard.press(library.passage[2])
    check(element.evaluate("e => e.state"), [1, 1, 2], library)
    typed.press_sequentially(library.passage[3:])
    state = element.evaluate("e => e.state")
    check(state, [1, 1, 2] + [1] * (len(library.passage) - 3), library)
    words = element.locator("[aria-live]").inner_text()
    assert f"last of the {len(library.passage)} characters" in words
    typed.press_sequentially("abc")
    assert element.evaluate("e => e.state") == state
    element.get_by_role("button", name="start again").press("Enter")
    assert element.evaluate("e => e.state.reader.ranks") == []


@pytest.mark.slow
def test_the_models_guesses(visit, library):
    element = visit().explorable(PAGE, TAG)
    assert element.evaluate("e => e.state.top") is None
    for place in range(3):
        element.get_by_role("button", name="show me").press("Enter")
        shown = element.evaluate("e => e.state.top")
        best = library.top(library.models[2], place)[:5]
        assert [letter for letter, _ in shown] == [x for x, _ in best]
        assert [p for _, p in shown] == pytest.approx([p for _, p in best])
        find(element, library.passage[place]).press("Enter")
        assert element.evaluate("e => e.state.top") is None
    assert element.evaluate("e => e.state.helped") == [0, 1, 2]


@pytest.mark.slow
def test_the_exported_laws_and_the_hidden_answer(visit, library):
    element = visit().explorable(PAGE, TAG)
    game = element.evaluate("e => e.game")
    assert game["characters"] == "".join(library.letters)
    for exported, model in zip(game["models"], library.models, strict=True):
        assert len(exported["laws"]) == len(library.passage)
        for place, law in enumerate(exported["laws"]):
            assert law == pytest.approx(library.law(model, place), abs=6e-7)
            assert sum(law) == pytest.approx(1, abs=27 * 5e-7)
    html = element.page.content()
    inside = element.evaluate("e => e.shadowRoot.innerHTML")
    for text in (html, inside):
        assert library.passage[:12] not in text


@pytest.mark.slow
def test_ties_are_broken_by_the_vocabulary(visit, library):
    """No tie matters in the passage itself, so all are made equal here."""
    element = visit().explorable(PAGE, TAG)
    element.evaluate("e => e.game.models.forEach(m => m.laws[0].fill(1 / 27))")
    element.get_by_role("button", name="show me").click()
    shown = element.evaluate("e => e.state.top")
    assert [letter for letter, _ in shown] == library.letters[:5]
    element.get_by_label("type here").press_sequentially(library.passage[0])
    index = library.letters.index(library.passage[0])
    for model in element.evaluate("e => e.state.models"):
        assert model["ranks"] == [index + 1]
