"""Section 8.4, Shannon's game: scores recomputed from the library's models."""

import json
import math
import os
import random
from collections import Counter
from pathlib import Path

import pytest
import torch

from scripts import load
from unrolled.corpus import load_corpus
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.vocab import Vocab, character_stream

PAGE, TAG = "book/8_4_recurrent_networks.html", "unrolled-shannon"
BOOK = os.environ["_UNROLLED_CORPUS_MODE"] == "book"
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "book" / "_static" / "explorables" / "data"
NAMES = ["network", "7-gram", "bigram", "unigram"]
STORY = 2  # a passage of the built-in story; those before it are of the book


class Library:
    """The models, and a passage that follows a context.

    Where the book is not at hand the counting models cannot be fitted: their
    distributions are then read from the page's own file. The network's are
    always computed by torch.
    """

    def __init__(self):
        self.stored = json.loads((DATA / "shannon.json").read_text())
        tool = load("tools/explorables/network.py")
        self.network, self.vocab = tool.dequantised()
        size = len(self.vocab) - 1  # without the unknown token
        self.letters = self.vocab.to_tokens(list(range(1, size + 1)))
        assert sorted(self.letters) == sorted(" abcdefghijklmnopqrstuvwxyz")
        self.streams = {"builtin": character_stream(load_corpus("builtin"))}
        if BOOK:
            stream = character_stream(load_corpus())
            self.streams["time_machine"] = stream
            read = stream[: len(stream) * 8 // 10]
            assert Vocab(list(read)).to_tokens([1, size]) == [
                self.letters[0],
                self.letters[-1],
            ]
            ids = self.ids(read)
            self.models = {
                "unigram": NgramLM(1, size, 1.0).fit(ids),
                "bigram": NgramLM(2, size, 1.0).fit(ids),
                "7-gram": KneserNeyLM(7, size).fit(ids),
            }

    def ids(self, text):
        return torch.tensor(self.vocab[list(text)]) - 1

    def open(self, number):
        """Take a passage: the answer comes from the stream, if it can."""
        stored = self.stored["passages"][number]
        self.number, self.context = number, stored["context"]
        self.text = stored["text"]
        length = len(stored["passage"])
        self.passage = "".join(self.letters[i] for i in stored["passage"])
        stream = self.streams.get(self.text)
        if stream is not None:
            assert stream.count(self.context) == 1
            start = stream.index(self.context) + len(self.context)
            assert self.passage == stream[start : start + length]
            assert stream[start - 1] == " " != self.passage[0]
        with torch.no_grad():
            whole = self.ids(self.context + self.passage) + 1
            logits, _ = self.network(whole[None])
        first = len(self.context) - 1
        self.by_network = logits[first:-1, 0, 1:].softmax(-1)
        return self

    def distribution(self, name, place):
        if name == "network":
            return self.by_network[place].tolist()
        past = self.ids(self.context + self.passage[:place])
        if BOOK:
            return self.models[name].distribution(past).tolist()
        table = {
            "unigram": self.stored["unigram"],
            "bigram": self.stored["bigram"][past[-1]],
            "7-gram": self.stored["passages"][self.number]["7-gram"][place],
        }
        return [count / 1e6 for count in table[name]]

    def top(self, name, place):
        """All letters, the most probable first, with their probabilities."""
        shares = self.distribution(name, place)
        if name != "network":
            shares = [max(round(p, 6), 1e-6) for p in shares]
        best = sorted(range(len(shares)), key=lambda i: (-shares[i], i))
        return [(self.letters[i], shares[i]) for i in best]

    def rank(self, name, place):
        letters = [letter for letter, _ in self.top(name, place)]
        return letters.index(self.passage[place]) + 1

    def bits(self, name, place):
        index = self.letters.index(self.passage[place])
        return -math.log2(self.distribution(name, place)[index])


def bound(ranks):
    shares = [count / len(ranks) for count in Counter(ranks).values()]
    return -sum(q * math.log2(q) for q in shares) + 0.0  # no minus zero


def find(element, letter):
    name = "space" if letter == " " else letter
    return element.locator(".keys").get_by_role(
        "button", name=name, exact=True
    )


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.fixture
def play(visit):
    """Open the page at a passage."""

    def start(number=0, **view):
        element = visit(**view).explorable(PAGE, TAG)
        element.get_by_role("combobox").select_option(str(number))
        return element

    return start


def state_of(element):
    """The state, once the network has read the passage."""
    element.page.wait_for_function(
        "e => e.state.models[0].ranks !== null", arg=element.element_handle()
    )
    return element.evaluate("e => e.state")


def check(state, ranks, library):
    """Every number of the state, after these ranks of the reader."""
    assert state["text"] == library.text
    assert state["context"] == library.context
    assert state["length"] == len(library.passage)
    found = len(ranks)
    assert state["found"] == library.passage[:found]
    assert state["reader"]["ranks"] == ranks
    assert state["reader"]["mean"] == pytest.approx(sum(ranks) / found)
    assert state["reader"]["bound"] == pytest.approx(bound(ranks), abs=1e-12)
    assert [model["name"] for model in state["models"]] == NAMES
    for shown in state["models"]:
        name, places = shown["name"], range(found)
        expected = [library.rank(name, place) for place in places]
        assert shown["ranks"] == expected
        assert shown["mean"] == pytest.approx(sum(expected) / found)
        assert shown["bound"] == pytest.approx(bound(expected), abs=1e-12)
        bits = sum(library.bits(name, place) for place in places) / found
        # the file's probabilities are rounded to six decimals
        assert shown["bits"] == pytest.approx(bits, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_six_random_games(play, library, seed):
    library.open(seed)
    element = play(seed)
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
            words = element.locator(".line").inner_text()
            assert "was wrong already" in words
        find(element, answer).click()
        ranks.append(len(wrong) + 1)
    state = state_of(element)
    check(state, ranks, library)
    rows = element.locator("tbody tr").all()
    for row, shown in zip(
        rows, [state["reader"], *state["models"]], strict=True
    ):
        numbers = [shown["mean"], shown["bound"], shown.get("bits")]
        cells = row.locator("td").all_inner_texts()
        for cell, value in zip(cells, numbers, strict=True):
            if value is None:
                assert cell == "–"
            else:  # halves may be rounded either way
                assert len(cell.split(".")[1]) == 2
                assert float(cell) == pytest.approx(value, abs=0.00501)
    below = element.locator(".own small").all_inner_texts()
    assert below[::2] == [str(rank) for rank in ranks]
    network = state["models"][0]["ranks"]
    assert below[1::2] == [str(rank) for rank in network]


@pytest.mark.slow
def test_by_keyboard_to_the_end(play, library):
    library.open(STORY)
    element = play(STORY)
    typed = element.get_by_label("type here")
    typed.focus()
    typed.press_sequentially(library.passage[:2])
    find(element, "z").focus()
    element.page.keyboard.press("z")  # a letter, typed on a button
    element.page.keyboard.press("Space")  # presses z: no second guess
    assert element.evaluate("e => e.state.wrong") == ["z"]
    element.page.keyboard.press(library.passage[2])
    check(state_of(element), [1, 1, 2], library)
    typed.press_sequentially(library.passage[3:-1])
    assert element.evaluate("e => e.state.verdict") == []
    find(element, library.passage[-1]).press("Enter")
    state = element.evaluate("e => e.state")
    check(state, [1, 1, 2] + [1] * (len(library.passage) - 3), library)
    words = element.locator(".line").inner_text()
    assert f"last of the {len(library.passage)} characters" in words
    # the keys are gone, and the focus with them is not
    focused = "e => e.shadowRoot.activeElement.className"
    assert element.evaluate(focused) == "verdict"
    typed.press_sequentially("abc")
    assert element.evaluate("e => e.state") == state
    assert "is over" in element.locator(".line").inner_text()
    element.get_by_role("button", name="start again").press("Enter")
    assert element.evaluate("e => e.state.reader.ranks") == []


@pytest.mark.slow
@pytest.mark.parametrize("key", ["7", ".", "é", "你", "\N{GRINNING FACE}"])
def test_a_key_that_does_not_count_is_answered(play, key):
    element = play()
    before = element.evaluate("e => e.state")
    element.get_by_label("type here").fill(key)
    line = element.locator(".line")
    assert f"“{key}” does not count" in line.inner_text()
    assert "a to z, or the space" in line.inner_text()
    assert element.evaluate("e => e.state") == before
    find(element, "q").press("&")  # and on a key of the page
    assert "“&” does not count" in line.inner_text()
    find(element, "q").press("ArrowDown")  # which types nothing
    find(element, "q").press("Control+c")
    assert "“&” does not count" in line.inner_text()
    assert element.evaluate("e => e.state") == before


def judged(yours, rival):
    yours, rival = f"{yours:.2f}", f"{rival:.2f}"
    order = (float(yours) > float(rival)) - (float(yours) < float(rival))
    return ["as well as", "worse than", "better than"][order] + " the "


@pytest.mark.slow
@pytest.mark.parametrize("wrong_at_each", [0, 1, 2])
def test_the_verdict(play, library, wrong_at_each):
    """Steady readers have a bound of 0, whatever they need; others not."""
    library.open(1)
    element = play(1)
    typed = element.get_by_label("type here")
    stop = element.get_by_role("button", name="stop and compare")
    ranks = []
    for place in range(12):
        assert stop.is_enabled() == (place >= 10)
        answer = library.passage[place]
        wrong = [x for x in "zqxjkv" if x != answer]
        count = (wrong_at_each * place) % 5
        typed.press_sequentially("".join(wrong[:count]) + answer)
        ranks.append(count + 1)
    state_of(element)
    stop.click()
    state = element.evaluate("e => e.state")
    check(state, ranks, library)
    said = element.locator(".verdict").inner_text()
    assert state["over"]
    assert said.split("\n\n") == state["verdict"]
    mine = bound(ranks)
    assert f"{sum(ranks) / 12:.2f} guesses per character over 12" in said
    assert f"makes {mine:.2f} bits" in said
    for name in ("network", "7-gram"):
        theirs = [library.rank(name, place) for place in range(12)]
        sentence = judged(mine, bound(theirs)) + name
        assert f"{sentence} ({bound(theirs):.2f})" in said
        bits = sum(library.bits(name, place) for place in range(12)) / 12
        assert f"the {name} needs {bits:.2f}" in said
    where = "below" if mine < 0.6 else "above" if mine > 1.3 else "in"
    assert f"between 0.6 and 1.3 bits: your bound is {where} that" in said
    assert "you asked for" not in said


@pytest.mark.slow
def test_a_verdict_speaks_of_help(play, library):
    library.open(0)
    element = play(0)
    for place in range(10):
        if place in (3, 4):
            element.get_by_role("button", name="show me").click()
        find(element, library.passage[place]).click()
    element.get_by_role("button", name="stop and compare").click()
    said = element.locator(".verdict").inner_text()
    assert "Before 2 of them you asked" in said


@pytest.mark.slow
def test_the_models_guesses(play, library):
    library.open(STORY)
    element = play(STORY)
    assert element.evaluate("e => e.state.top") is None
    for place in range(3):
        element.get_by_role("button", name="show me").press("Enter")
        shown = element.evaluate("e => e.state.top")
        best = library.top("7-gram", place)[:5]
        assert [letter for letter, _ in shown] == [x for x, _ in best]
        assert [p for _, p in shown] == pytest.approx([p for _, p in best])
        find(element, library.passage[place]).press("Enter")
        assert element.evaluate("e => e.state.top") is None
    assert element.evaluate("e => e.state.helped") == [0, 1, 2]


@pytest.mark.slow
def test_the_exported_distributions_and_the_hidden_answers(play, library):
    element = play()
    game = element.evaluate("e => e.game")
    assert game["characters"] == "".join(library.letters)
    assert len(game["passages"]) == 6
    for number in range(6):
        library.open(number)
        element.get_by_role("combobox").select_option(str(number))
        tables = element.evaluate(
            "(e, [names, length]) => names.map(name =>"
            " Array.from({ length }, (_, place) => e.shares(name, place)))",
            [NAMES[1:], len(library.passage)],
        )
        for name, table in zip(NAMES[1:], tables, strict=True):
            assert len(table) == len(library.passage) > 0
            for place, shares in enumerate(table):
                expected = library.distribution(name, place)
                assert shares == pytest.approx(expected, abs=1e-6)
                assert sum(shares) == pytest.approx(1, abs=27 * 1e-6)
                assert min(shares) > 0
        html = element.page.content()
        inside = element.evaluate("e => e.shadowRoot.textContent")
        label = element.locator(".past").get_attribute("aria-label")
        for text in (html, inside, label):
            assert library.passage[:12] not in text


@pytest.mark.slow
def test_another_passage_begins_a_new_game(play, library):
    element = play()
    seen = []
    for number in [0, 1, 2, 3, 4, 5, 0]:
        library.open(number)
        state = element.evaluate("e => e.state")
        assert state["context"] == library.context
        assert state["reader"]["ranks"] == []
        words = element.locator("p.quiet").first.inner_text()
        # which text it is from, and what the models have read
        own = state["text"] == "time_machine"
        assert ("last tenth of The Time Machine" in words) == own
        assert ("learnt from another book" in words) != own
        shown = element.locator(".past").get_attribute("aria-label")
        assert shown.endswith(library.context)
        find(element, library.passage[0]).click()
        seen.append(state["context"])
        element.get_by_role("button", name="another passage").click()
    assert len(set(seen)) == 6


@pytest.mark.slow
def test_the_network_is_fetched_at_the_first_guess(visit, library):
    library.open(0)
    visited = visit(own=True)
    asked = []
    visited.page.on("request", lambda r: asked.append(r.url.split("/")[-1]))
    element = visited.explorable(PAGE, TAG)
    element.get_by_label("type here").fill("7")  # no guess
    visited.page.wait_for_timeout(300)
    assert "shannon.json" in asked
    assert "network.bin" not in asked
    find(element, library.passage[0]).click()
    check(state_of(element), [1], library)
    assert asked.count("network.bin") == 1
    element.get_by_role("button", name="another passage").click()
    find(element, library.open(1).passage[0]).click()
    check(state_of(element), [1], library)
    assert asked.count("network.bin") == 1


@pytest.mark.slow
def test_without_the_network_the_game_goes_on(visit, library):
    library.open(0)
    visited = visit()
    element = visited.explorable(PAGE, TAG)
    visited.page.route("**/network.bin", lambda route: route.abort())
    typed = element.get_by_label("type here")
    typed.press_sequentially(library.passage[0])
    row = element.locator("tbody tr").nth(1)
    row.get_by_text("could not be loaded").wait_for()
    typed.press_sequentially(library.passage[1:10])
    element.get_by_role("button", name="stop and compare").click()
    said = element.locator(".verdict").inner_text()
    assert "the 7-gram (" in said
    assert "network" not in said
    visited.complaints.clear()  # of the missing file


@pytest.mark.slow
def test_a_telephone(play, library):
    library.open(STORY)
    element = play(STORY, width=360, height=740)
    find(element, "z").click()
    element.locator(".typed").press_sequentially(library.passage[:10])
    state_of(element)
    sizes = element.evaluate(
        "e => [...e.shadowRoot.querySelectorAll('button, input, select')]"
        ".map(x => x.getBoundingClientRect())"
        ".map(r => Math.min(r.width, r.height))"
    )
    assert len(sizes) > 30
    assert min(sizes) >= 44
    types = element.evaluate(
        "e => [...e.shadowRoot.querySelectorAll('p, small, b, td, th')]"
        ".map(x => parseFloat(getComputedStyle(x).fontSize))"
    )
    assert min(types) >= 12


@pytest.mark.slow
def test_ties_are_broken_by_the_vocabulary(play, library):
    """No tie matters in the passages themselves, so all are made equal."""
    library.open(0)
    element = play()
    element.evaluate(
        "e => { const { unigram, bigram, passages: [first] } = e.game;"
        " for (const row of [unigram, ...bigram, first['7-gram'][0]])"
        " row.fill(1e6 / 27); }"
    )
    element.get_by_role("button", name="show me").click()
    shown = element.evaluate("e => e.state.top")
    assert [letter for letter, _ in shown] == library.letters[:5]
    element.get_by_label("type here").press_sequentially(library.passage[0])
    index = library.letters.index(library.passage[0])
    for model in element.evaluate("e => e.state.models")[1:]:
        assert model["ranks"] == [index + 1]
