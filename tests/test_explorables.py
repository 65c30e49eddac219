"""What the explorables load is what the library exports, and nothing more."""

import hashlib
import itertools
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import seeded
from scripts import load
from unrolled import forecasters, series
from unrolled.corpus import load_corpus
from unrolled.vocab import character_stream

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "_static" / "explorables"
DATA = FOLDER / "data"
TAGS = {
    "8_1_sequence_models": {"forecast", "markov"},
    "8_3_language_models": {"samplers"},
    "8_4_recurrent_networks": {"shannon"},
    "8_5_rnn_from_scratch": {"clipping"},
    "8_5a_the_whole_book": {"network"},
}
SHARED = {"base", "chart", "rnn", "say", "words"}  # modules that others import
NETWORK = ["rnn.js", "base.js", "data/network.json", "data/network.bin"]
BOOK = os.environ["_UNROLLED_CORPUS_MODE"] == "book"
QUOTED = 300  # characters of The Time Machine, at most

tool = load("tools/explorables/__main__.py")
forecast = load("tools/explorables/forecast.py")


@pytest.fixture(scope="module")
def exported():
    files = {}
    for name, module in tool.exporters().items():
        if BOOK or name != "shannon":  # whose models read the book
            files |= module.export()
    return files


def close(a, b):
    """The same JSON, numbers to one part in a thousand."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) or isinstance(b, float):
        # or one unit of the last digit that is kept
        return math.isclose(a, b, rel_tol=1e-3, abs_tol=2e-5)
    return a == b


@pytest.mark.slow
def test_the_files_are_what_the_library_exports(exported):
    stored = {p.name for p in DATA.iterdir()} - {tool.MANIFEST}
    assert stored - set(exported) == (set() if BOOK else {"shannon.json"})
    assert set(exported) <= stored
    for name, content in exported.items():
        there = (DATA / name).read_bytes()
        if name.endswith(".json"):
            # a training ends in other last digits on another machine
            assert close(json.loads(there), json.loads(content)), name
        else:
            assert there == content, name


def test_the_manifest_is_that_of_the_files():
    files = {
        p.name: p.read_bytes()
        for p in DATA.iterdir()
        if p.name != tool.MANIFEST
    }
    assert (DATA / tool.MANIFEST).read_text("utf-8") == tool.manifest(files)
    row = json.loads(tool.manifest({"x": b"abc"}))["x"]
    assert row["bytes"] == 3
    assert row["sha256"] == hashlib.sha256(b"abc").hexdigest()


def posterior_mean(window, k):
    """Of the wave k steps after a window, summed up phase by phase."""
    above = below = 0.0
    for phase in np.linspace(0, 2 * np.pi, 3000, endpoint=False):
        wave = np.sin(phase + 0.01 * np.arange(len(window)))
        weight = np.exp(-((window - wave) ** 2).sum() / (2 * 0.2**2))
        above += weight * np.sin(phase + 0.01 * (len(window) - 1 + k))
        below += weight
    return above / below


@pytest.mark.parametrize("tau", [1, 4, 64])
def test_the_best_forecast_is_a_posterior_mean(tau):
    _, _, noisy = series.noisy_sine(3 * tau, generator=seeded(tau))
    windows = noisy.reshape(3, tau)
    best = forecast.best_forecasts(windows, 64)
    assert best.shape == (3, 64)
    for window, row in zip(windows.numpy(), best.tolist(), strict=True):
        for k in (1, 16, 64):
            assert row[k - 1] == pytest.approx(posterior_mean(window, k))


def test_the_best_forecast_knows_the_height_before_the_direction():
    # up or down from zero: zero; from the top it can only go down
    up_or_down = forecast.best_forecasts(torch.zeros(1, 1).double(), 64)
    assert up_or_down[0].tolist() == pytest.approx([0] * 64, abs=1e-12)
    # a long window without noise shows the phase
    wave = torch.sin(0.01 * torch.arange(1, 565, dtype=torch.float64))
    best = forecast.best_forecasts(wave[None, :500], 64)[0]
    assert torch.allclose(best, wave[500:], atol=2e-3)


@pytest.mark.parametrize("tau", [4, 128])
def test_the_floor_is_an_average_over_the_targets(monkeypatch, tau):
    monkeypatch.setattr(forecast, "FLOOR_SEEDS", range(2))
    floor = forecast.floor(tau)
    assert len(floor) == 64
    for k in (1, 64):
        windows, truth = [], []
        for seed in range(2):
            generator = seeded(seed)
            _, _, noisy = series.noisy_sine(1300, generator=generator)
            for t in range(673, 1301):  # the value at time t has index t - 1
                windows.append(noisy[t - k - tau : t - k])
                truth.append(math.sin(0.01 * t))
        best = forecast.best_forecasts(torch.stack(windows), k)[:, -1]
        off = best - torch.tensor(truth, dtype=torch.float64)
        expected = off.square().mean().sqrt().item()
        assert floor[k - 1] == pytest.approx(expected, abs=6e-5)


def test_the_floor_is_reached_by_the_best_forecast_of_any_phase():
    """Other noise, other phases, one window each: about the same error.

    The 20 series hold about a hundred windows of 128 without a common value,
    so that their RMSE may be off by 7 % (one standard deviation).
    """
    stored = json.loads((DATA / "forecast.json").read_text())["floor"]
    generator = seeded(0)
    for tau in forecast.TAUS:
        shape = {"generator": generator, "dtype": torch.float64}
        phase = 2 * math.pi * torch.rand(4000, 1, **shape)
        wave = torch.sin(phase + 0.01 * torch.arange(tau + 64))
        noise = 0.2 * torch.randn(4000, tau, **shape)
        best = forecast.best_forecasts(wave[:, :tau] + noise, 64)
        off = (best - wave[:, tau:]).square().mean(dim=0).sqrt()
        assert stored[str(tau)] == pytest.approx(off.tolist(), rel=0.15)


@pytest.mark.slow
def test_no_forecaster_goes_below_the_floor():
    stored = json.loads((DATA / "forecast.json").read_text())["floor"]
    scored = slice(forecast.TARGET - 1, forecast.LENGTH)
    for tau in forecast.TAUS:
        squares = []
        for seed in range(10):
            clean, noisy, _ = forecast.noise(seed)
            pairs = series.windows(noisy[: forecast.KNOWN], tau)
            ahead = series.k_step_forecasts(
                forecasters.fit_least_squares(*pairs), noisy, tau, 64
            )
            squares.append(forecasters.rmse(ahead[scored], clean[scored]) ** 2)
        reached = torch.stack(squares).mean(dim=0).sqrt()
        floor = torch.tensor(stored[str(tau)], dtype=torch.float64)
        assert bool((reached > floor).all())
        # what is farther is harder, and a longer window tells more
        assert bool((floor.diff() >= 0).all())
        assert floor[-1] > 1.2 * floor[0]
    rows = [stored[str(tau)] for tau in forecast.TAUS]
    for short, long in itertools.pairwise(rows):
        assert all(a > b for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize("stem", TAGS)
def test_each_stands_in_its_chapter_with_a_sentence_inside(stem):
    text = (ROOT / "book" / f"{stem}.ipynb").read_text("utf-8")
    found = dict(re.findall(r"<unrolled-(\w+)>(.*?)</unrolled-", text))
    assert set(found) == TAGS[stem]
    for sentence in found.values():
        assert sentence.startswith("On the course's site")
        assert sentence.endswith(".")


def test_every_module_is_an_explorable_and_loads_nothing_foreign():
    modules = {p.stem for p in FOLDER.glob("*.js")} - SHARED
    assert modules == set.union(*TAGS.values())
    for path in FOLDER.glob("*.js"):
        code = path.read_text("utf-8")
        hosts = set(re.findall(r"https?://([\w.]+)", code))
        assert hosts <= {"www.w3.org"}, path.name  # SVG's name, not a request
        if path.stem not in SHARED:
            assert f'customElements.define("unrolled-{path.stem}"' in code


def size(names):
    return sum((FOLDER / name).stat().st_size for name in names)


def test_the_network_is_a_small_download():
    assert size(["network.js", *NETWORK]) < 400_000


def test_the_game_is_a_small_download():
    alone = ["shannon.js", "rnn.js", "base.js", "data/shannon.json"]
    assert size(alone) < 100_000
    assert size({*alone, *NETWORK}) < 450_000


def passages(text):
    """What is shown and what is guessed of a text, as strings."""
    game = json.loads((DATA / "shannon.json").read_text("utf-8"))
    for passage in game["passages"]:
        if passage["text"] == text:
            guessed = [game["characters"][i] for i in passage["passage"]]
            yield passage["context"] + "".join(guessed)


def test_the_game_quotes_few_characters_of_the_book():
    quoted = list(passages("time_machine"))
    assert len(quoted) > 1
    assert sum(map(len, quoted)) <= QUOTED


@pytest.mark.skipif(not BOOK, reason="the book is not at hand")
def test_the_games_quotations_stand_alone():
    """With what a page prints of the same place, they stay short too."""
    stream = character_stream(load_corpus())
    pages = "".join(
        character_stream(json.dumps(json.loads(path.read_text("utf-8"))))
        for path in sorted((ROOT / "book").glob("*.ipynb"))
    )
    for passage in passages("time_machine"):
        start = stream.index(passage)
        end = start + len(passage)
        for around in (stream[start - 40 : start], stream[end : end + 40]):
            assert around not in pages


def test_the_passages_are_where_they_should_be():
    """In the story, and in the part of the book that no model has read."""
    story = character_stream(load_corpus("builtin"))
    ours = list(passages("builtin"))
    assert len(ours) > 1
    assert all(passage in story for passage in ours)
    if BOOK:
        stream = character_stream(load_corpus())
        unread = stream[len(stream) * 9 // 10 :]
        for passage in passages("time_machine"):
            assert passage in unread
