"""Section 8.5a, the trained network: the page computes what PyTorch does."""

import itertools
import json
import math
import random
from pathlib import Path

import pytest
import torch

from scripts import load
from unrolled.evaluation import log_probs
from unrolled.generation import generate

PAGE, TAG = "book/8_5a_the_whole_book.html", "unrolled-network"
ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "book" / "_static" / "explorables"
OPENING = "the time traveller "
COUNT = "e => e.state.written.length"
UNITS = 8


@pytest.fixture(scope="module")
def tool():
    return load("tools/explorables/network.py")


@pytest.fixture(scope="module")
def network(tool):
    return tool.dequantised()


@pytest.fixture
def element(visit):
    element = visit().explorable(PAGE, TAG)
    element.page.emulate_media(reduced_motion="reduce")  # text at once
    return element


@pytest.fixture
def landing(visit):
    """Put the variant that writes by itself at the top of a page."""

    def start(reduced_motion="no-preference", top=0, **view):
        visited = visit(**view)
        visited.page.emulate_media(reduced_motion=reduced_motion)
        visited.go(PAGE)
        visited.page.evaluate(
            """top => {
              const element = document.createElement("unrolled-network");
              element.setAttribute("writes", "");
              element.id = "landing";
              element.style.marginTop = `${top}px`;
              document.querySelector("article").prepend(element);
            }""",
            top,
        )
        element = visited.page.locator("#landing[ready]")
        element.wait_for(timeout=20_000)
        return element

    return start


def wait_for(element, expression):
    """Wait until an expression of the element, called e, is true."""
    element.page.wait_for_function(
        f"e => {expression}", arg=element.element_handle(), timeout=20_000
    )


def stays(element, expression):
    """Whether a value of the element is the same half a second later."""
    before = element.evaluate(expression)
    element.page.wait_for_timeout(500)
    return element.evaluate(expression) == before


def press(element, words):
    element.get_by_role("button", name=words, exact=True).click()


def fill(element, beginning, seed):
    element.get_by_label("beginning").fill(beginning)
    element.get_by_label("seed").fill(str(seed))


def run(model, ids):
    """Logits (T, V) and the states (T, h), one step at a time."""
    state, logits, states = None, [], []
    with torch.no_grad():
        for i in ids:
            output, state = model(torch.tensor([[i]]), state)
            logits.append(output[0, 0])
            states.append(state[0, 0])
    return torch.stack(logits), torch.stack(states)


def tempered(logits, temperature):
    if temperature == 0:
        law = torch.zeros_like(logits)
        law[logits.argmax()] = 1
        return law
    return (logits / temperature).softmax(-1)


def close(value, tolerance=1e-4):
    return pytest.approx(value, abs=tolerance)


@pytest.mark.slow
def test_the_download_is_small():
    names = ["network.js", "rnn.js", "data/network.json", "data/network.bin"]
    assert sum((FILES / name).stat().st_size for name in names) < 400_000


@pytest.mark.slow
def test_logits_of_100_stored_prefixes(element, network):
    model, vocab = network
    stored = FILES / "data" / "network_prefixes.json"
    prefixes = json.loads(stored.read_text())
    assert len(set(prefixes)) == 100
    assert max(map(len, prefixes)) <= 40
    theirs = element.evaluate(
        "(e, all) => all.map(p => e.logits(p))", prefixes
    )
    for prefix, logits in zip(prefixes, theirs, strict=True):
        with torch.no_grad():
            ours, _ = model(torch.tensor([vocab[list(prefix)]]))
        assert logits == close(ours[-1, 0].tolist())


@pytest.mark.slow
def test_five_random_settings(element, move, tool, network):
    model, vocab = network
    draw = random.Random(0)
    written = 0
    for temperature in (0, *(draw.randint(1, 15) / 10 for _ in range(4))):
        prefix = draw.choice(tool.prefixes())
        seed = draw.randrange(2**32)
        fill(element, prefix, seed)
        move(element, "temperature", temperature)
        press(element, "write one character")
        element.evaluate("e => e.write(100)")
        state = element.evaluate("e => e.state")
        assert state["refused"] is None
        assert [state[k] for k in ("beginning", "temperature", "seed")] == [
            prefix,
            temperature,
            seed,
        ]
        assert len(state["draws"]) == 101

        # every character is the one that its random number picks
        ids = state["ids"]
        text = "".join(vocab.to_tokens(ids))
        assert text == prefix + state["written"]
        logits, states = run(model, ids)
        for step, chosen in enumerate(state["draws"], start=len(prefix)):
            law = tempered(logits[step - 1], temperature)
            assert chosen["temperature"] == temperature
            if temperature == 0:
                assert chosen["uniform"] is None
                assert ids[step] == law.argmax()
            else:
                edges = law.cumsum(0).tolist()
                below = edges[ids[step] - 1] if ids[step] else 0
                # or else ids[step] would not be the one picked
                assert below - 1e-9 <= chosen["uniform"]
                assert chosen["uniform"] < edges[ids[step]] + 1e-9
        if temperature == 0:
            assert text == generate(model, prefix, 101, vocab)

        # what is shown after the last one
        assert state["logits"] == close(logits[-1].tolist())
        probabilities = logits[-1].softmax(-1)
        law = tempered(logits[-1], temperature)
        assert state["probabilities"] == close(probabilities.tolist())
        assert state["shares"] == close(law.tolist())
        top = probabilities.topk(8).indices.tolist()
        names = [t.replace(" ", "space") for t in vocab.to_tokens(top)]
        assert [row[0] for row in state["best"]] == names
        rows = element.locator("tbody tr").all_inner_texts()
        for row, shown, i in zip(state["best"], rows, top, strict=True):
            assert row[1:] == close([probabilities[i].item(), law[i].item()])
            assert f"{100 * row[1]:.1f} %" in shown
            assert f"{100 * row[2]:.1f} %" in shown

        # the units shown are those that vary most, all of them over the text
        variances = states.double().var(0, correction=0)
        shown = [row["unit"] for row in state["units"]]
        assert len(set(shown)) == UNITS
        least = variances[shown].min().item()
        assert least == close(variances.topk(UNITS).values[-1].item(), 1e-6)
        for row in state["units"]:
            assert row["values"] == close(states[:, row["unit"]].tolist())
        names = element.locator(".units button").all_inner_texts()
        assert names == [f"unit {unit}" for unit in shown]

        # what each character cost
        of_text = (-log_probs(model, torch.tensor(ids)) / math.log(2)).tolist()
        assert state["allBits"] == close(of_text)
        mean = sum(of_text) / len(of_text)
        cost = element.get_by_text("per character").inner_text()
        assert f"Mean: {mean:.2f} bits per character" in cost
        assert f"over the {len(of_text)} from the second on" in cost

        # the bits of the beginning
        bits = of_text[: len(prefix) - 1]
        assert state["bits"] == close(bits)
        assert state["totalBits"] == close(sum(bits))
        if bits:
            mean = sum(bits) / len(bits)
            assert state["bitsPerCharacter"] == close(mean)
            assert f"took {sum(bits):.1f} bits: {mean:.2f} bits per" in cost
        written += len(state["written"])
    assert written == 505


@pytest.mark.slow
def test_it_opens_with_a_beginning_already_read(element, network):
    model, vocab = network
    state = element.evaluate("e => e.state")
    assert (state["beginning"], state["written"]) == (OPENING, "")
    logits, _ = run(model, vocab[list(OPENING)])
    assert state["logits"] == close(logits[-1].tolist())
    assert element.locator("tbody tr").count() == 8
    assert element.locator("details").get_attribute("open") is not None
    # it waits for the reader
    assert not state["writing"]
    assert stays(element, COUNT)
    heads = element.locator("th").all_inner_texts()
    assert heads == ["next", "probability", "drawn at 0.5"]


@pytest.mark.slow
def test_a_seed_writes_the_same_again_and_another_does_not(element, move):
    def write(seed):
        fill(element, OPENING, seed)
        assert element.evaluate("e => e.state.written") == ""
        press(element, "write")
        return element.evaluate("e => e.state.written")

    move(element, "temperature", 1)
    first = write(3)
    other = write(4)
    assert write(3) == first != other
    assert 300 <= len(first) <= 320
    assert len(first) == 320 or first.endswith(" ")
    press(element, "another")
    assert element.evaluate("e => e.state.written") == other
    assert element.get_by_label("seed").input_value() == "4"
    press(element, "go on")
    on = element.evaluate("e => e.state.written")
    assert on.startswith(other)
    assert len(on) >= len(other) + 300


@pytest.mark.slow
def test_the_largest_seed_is_followed_by_0(element):
    fill(element, OPENING, 2**32 - 1)
    press(element, "another")
    assert element.evaluate("e => e.state.seed") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "value", "word"),
    [
        ("beginning", "the 7", "“7” cannot stand in the beginning"),
        ("beginning", "café", "“é” cannot stand in the beginning"),
        ("beginning", "", "The beginning is empty"),
        ("seed", "-1", "The seed must be a whole number"),
        ("seed", "", "The seed must be a whole number"),
    ],
)
def test_what_it_cannot_read_is_refused(element, label, value, word):
    field = element.get_by_label(label)
    visible = "e => getComputedStyle(e).visibility"
    colour = "e => getComputedStyle(e).color"
    text, table = element.locator(".text"), element.locator("table")
    before = text.evaluate(colour)
    field.fill(value)
    assert word in element.locator("#said").inner_text()
    assert word in element.evaluate("e => e.state.refused")
    assert field.get_attribute("aria-invalid") == "true"
    # what is shown belongs to other settings: the text fades, the rest goes
    assert text.evaluate(colour) != before
    assert table.evaluate(visible) == "hidden"
    assert element.locator(".hint").evaluate(visible) == "hidden"
    for name in ("write", "another", "write one character"):
        button = element.get_by_role("button", name=name, exact=True)
        assert button.is_disabled()
    field.fill("2" if label == "seed" else "And now ")  # capitals are read
    assert field.get_attribute("aria-invalid") is None
    assert text.evaluate(colour) == before
    assert table.evaluate(visible) == "visible"
    assert element.get_by_role("button", name="another").is_enabled()
    if label == "beginning":
        assert element.evaluate("e => e.state.beginning") == "and now "


@pytest.mark.slow
def test_by_keyboard(element):
    keyboard = element.page.keyboard
    element.get_by_label("beginning").focus()
    keyboard.press("End")
    keyboard.type("sat")
    assert element.evaluate("e => e.state.beginning") == OPENING + "sat"
    keyboard.press("Tab")  # to the temperature
    keyboard.press("Home")
    assert element.evaluate("e => e.state.temperature") == 0
    keyboard.press("Tab")  # to the seed
    keyboard.press("ArrowUp")
    assert element.evaluate("e => e.state.seed") == 16
    keyboard.press("Tab")
    keyboard.press("Enter")
    assert element.evaluate(COUNT) == 1
    assert "1 written" in element.locator("#said").inner_text()
    shown = element.locator(".text").inner_text()
    assert shown.startswith(OPENING + "sat")
    # the characters, one by one
    element.locator(".text").focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    assert element.evaluate("e => e.state.pointed") == 1
    bits = element.evaluate("e => e.state.allBits[0]")
    hint = element.locator(".hint")
    assert hint.inner_text() == f"h after “t”: {bits:.2f} bits."
    keyboard.press("ArrowLeft")
    assert "first, not counted" in hint.inner_text()
    # and a unit
    button = element.locator(".units button").nth(2)
    button.focus()
    keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert element.get_by_label("colour").input_value() == "unit"


def tints(element):
    """Of each character of the text: its share of colour, and its sign."""
    return element.evaluate(
        "e => e.marks.map(m => (m.classList.contains('minus') ? -1 : 1) *"
        " Number(m.style.getPropertyValue('--share')))"
    )


@pytest.mark.slow
def test_the_colours_of_the_text(element, network):
    model, _ = network
    press(element, "write")
    state = element.evaluate("e => e.state")
    _, states = run(model, state["ids"])
    by, text = element.get_by_label("colour"), element.locator(".text")
    key = element.locator(".key")
    # bits, which an open element begins with
    assert text.get_attribute("data-colour") == "bits"
    expected = [0, *(min(bits / 8, 1) for bits in state["allBits"])]
    assert tints(element) == close(expected, 6e-4)
    assert max(expected) > 0.5
    assert "8 bits or more" in key.inner_text()
    marks = text.locator("span")
    marks.nth(40).hover()
    hint = element.locator(".hint")
    assert f": {state['allBits'][39]:.2f} bits." in hint.inner_text()
    # a unit that is pointed at, as long as it is
    unit = state["units"][3]["unit"]
    button = element.locator(".units button").nth(3)
    button.hover()
    assert text.get_attribute("data-colour") == "unit"
    values = states[:, unit].tolist()
    assert tints(element) == close(values, 6e-4)
    said = key.inner_text().replace("−", "-")
    assert f"Unit {unit}: from {min(values):.2f}" in said
    assert f"to {max(values):.2f} over" in said
    element.page.mouse.move(0, 0)
    assert text.get_attribute("data-colour") == "bits"
    # a unit that was pressed stays
    button.click()
    element.page.mouse.move(0, 0)
    assert text.get_attribute("data-colour") == "unit"
    assert tints(element) == close(values, 6e-4)
    marks.nth(40).hover()
    said = hint.inner_text().replace("−", "-")
    assert f"unit {unit} then {values[40]:.2f}" in said
    # also among the units of another text
    press(element, "another")
    state = element.evaluate("e => e.state")
    assert state["unit"] == unit
    assert unit in [row["unit"] for row in state["units"]]
    # and none
    by.select_option("nothing")
    assert text.get_attribute("data-colour") is None
    assert key.inner_text() == ""


def luminance(colour):
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in (c / 255 for c in colour)
    ]
    return sum(
        w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


SHADES = """element => {
  const seen = (colour, under) => {
    const numbers = colour.match(/[\\d.]+/g).map(Number);
    const alpha = numbers[3] ?? 1;
    return under.map((u, i) => alpha * numbers[i] + (1 - alpha) * u);
  };
  const page = seen(getComputedStyle(element.page).backgroundColor, [0, 0, 0]);
  return element.marks.map(mark => {
    const style = getComputedStyle(mark);
    return [seen(style.color, page), seen(style.backgroundColor, page)];
  });
}"""


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tint_can_be_read(visit, theme):
    element = visit(theme=theme).explorable(PAGE, TAG)
    element.page.emulate_media(reduced_motion="reduce")
    element.evaluate("e => e.write(300)")
    for by in ("bits", "unit"):
        element.get_by_label("colour").select_option(by)
        shades = element.evaluate(SHADES)
        assert len({tuple(paper) for _, paper in shades}) > 20
        for ink, paper in shades:
            light, dark = sorted(map(luminance, (ink, paper)))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.slow
def test_forced_colours_leave_underlines_and_bars(element):
    element.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    press(element, "write")
    widths = element.evaluate(
        "e => e.marks.map(m => parseFloat(getComputedStyle(m)"
        ".borderBottomWidth))"
    )
    assert min(widths) == 0
    assert max(widths) >= 2
    bar = element.locator(".bar i").first
    ink, paper = bar.evaluate(
        "i => [getComputedStyle(i).backgroundColor,"
        " getComputedStyle(i.closest('table')).color]"
    )
    assert ink == paper


@pytest.mark.slow
def test_it_writes_by_itself_one_character_after_the_other(landing):
    element = landing()
    assert element.locator("details").get_attribute("open") is None
    wait_for(element, "e.state.written.length > 3")
    counts = element.evaluate(
        """async e => {
          const counts = [];
          for (let n = 0; n < 40; n++) {
            await new Promise(requestAnimationFrame);
            counts.push(e.state.written.length);
          }
          return counts;
        }"""
    )
    steps = [b - a for a, b in itertools.pairwise(counts)]
    # a frame that came late may bring some more: a quarter of a second's
    assert 0 <= min(steps) <= max(steps) <= 4
    assert element.evaluate("e => e.state.running")
    # pause, and go on
    press(element, "pause")
    assert stays(element, COUNT)
    before = element.evaluate(COUNT)
    press(element, "go on")
    wait_for(element, f"e.state.written.length > {before}")
    # a new text, with the next seed
    written, seed = element.evaluate("e => [e.state.written, e.state.seed]")
    press(element, "another")
    wait_for(element, "e.state.written.length > 10")
    state = element.evaluate("e => e.state")
    assert state["seed"] == seed + 1
    assert not written.startswith(state["written"][:10])


@pytest.mark.slow
def test_it_stops_after_a_while_and_paces_differ(landing):
    element = landing()
    pace = element.get_by_role("combobox", name="pace")
    rates = element.evaluate(
        """async e => {
          const clock = { now: 0 };
          performance.now = () => clock.now;
          const frames = [];
          requestAnimationFrame = run => frames.push(run);
          const rates = [];
          for (const pace of ["slow", "normal", "fast"]) {
            e.restart();
            e.pace.value = pace;
            e.inView = true;
            cancelAnimationFrame(e.frame);
            e.frame = null;
            frames.length = 0;
            e.play();
            for (let n = 0; n < 100; n++) {
              clock.now += 20;
              frames.shift()(clock.now);
            }
            rates.push(e.state.written.length / 2);
          }
          // a page that slept does not catch up
          clock.now += 60_000;
          const before = e.state.written.length;
          frames.shift()(clock.now);
          rates.push(e.state.written.length - before);
          for (let n = 0; frames.length && n < 1e5; n++) {
            clock.now += 100;
            frames.shift()(clock.now);
          }
          return rates;
        }"""
    )
    # the last character of two seconds may be due a frame later
    assert rates == pytest.approx([4, 12, 40, 10], abs=0.5)
    assert pace.input_value() == "fast"
    state = element.evaluate("e => e.state")
    assert not state["writing"]
    assert 300 <= len(state["written"]) <= 320


@pytest.mark.slow
def test_it_stops_out_of_sight_and_goes_on_in_sight(landing):
    element = landing()
    wait_for(element, "e.state.written.length > 3")
    element.page.evaluate("scrollTo({ top: 5000, behavior: 'instant' })")
    wait_for(element, "!e.state.running")
    assert stays(element, COUNT)
    before = element.evaluate(COUNT)
    element.page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    wait_for(element, f"e.state.written.length > {before}")
    # a hidden tab
    hide = """hidden => {
      Object.defineProperty(document, 'hidden',
        { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    element.page.evaluate(hide, True)
    assert stays(element, COUNT)
    before = element.evaluate(COUNT)
    element.page.evaluate(hide, False)
    wait_for(element, f"e.state.written.length > {before}")
    # one that was paused stays paused
    press(element, "pause")
    element.page.evaluate(hide, False)
    assert stays(element, COUNT)


@pytest.mark.slow
def test_it_begins_once_it_is_in_view(landing):
    element = landing(top=3000)
    assert element.evaluate("e => e.state.writing")
    assert stays(element, COUNT)
    assert element.evaluate(COUNT) == 0
    element.scroll_into_view_if_needed()
    wait_for(element, "e.state.written.length > 3")


@pytest.mark.slow
def test_who_wants_less_motion_starts_it_with_a_button(landing):
    element = landing(reduced_motion="reduce")
    assert not element.evaluate("e => e.state.writing")
    assert stays(element, COUNT)
    assert element.evaluate(COUNT) == 0
    press(element, "write")
    assert 300 <= element.evaluate(COUNT) <= 320


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_the_landing_variant_is_small_and_keeps_its_height(landing, width):
    element = landing(width=width, height=740)
    height = "e => e.getBoundingClientRect().height"
    tall = element.evaluate(height)
    assert tall < 330
    wait_for(element, "e.state.written.length > 3")
    element.evaluate("e => e.write(400)")
    assert element.evaluate(height) == tall
    text = element.locator(".text")
    assert text.evaluate(
        "t => t.scrollHeight - t.clientHeight - t.scrollTop < 2"
    )
    # the text comes first, then one row of 44 px
    boxes = [
        element.locator(part).bounding_box()
        for part in (".text", ".row", "summary")
    ]
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops)
    controls = element.locator(".row button, .row select").all()
    sizes = [control.bounding_box() for control in controls]
    assert len(sizes) == 3
    assert len({box["y"] for box in sizes}) == 1
    assert min(box["height"] for box in sizes) >= 44
    right = element.bounding_box()["x"] + element.bounding_box()["width"]
    assert max(box["x"] + box["width"] for box in sizes) < right


@pytest.mark.slow
def test_who_scrolled_up_to_read_is_left_there(landing):
    element = landing(width=360, height=740)
    press(element, "pause")
    element.evaluate("e => { e.write(400); e.page.scrollTop = 0; }")
    press(element, "go on")
    before = element.evaluate(COUNT)
    wait_for(element, f"e.state.written.length > {before}")
    assert element.evaluate("e => e.page.scrollTop") == 0
