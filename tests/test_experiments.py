"""The stored results are those of the scripts' settings, all of them."""

import itertools
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy

from scripts import load
from unrolled.checkpoints import load_model
from unrolled.corpus import CorpusError, load_corpus, split
from unrolled.evaluation import evaluate, log_probs
from unrolled.mixtures import fit_weights, mix
from unrolled.ngrams import NgramLM
from unrolled.rnn import RNNLM
from unrolled.subwords import all_tokens, learn_merges
from unrolled.vocab import character_stream

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "lib" / "unrolled" / "data"


def book_or_skip():
    """The book's stream of characters, where it can be had."""
    try:
        return character_stream(load_corpus())
    except CorpusError:
        pytest.skip("The Time Machine is not here")


def test_every_run_of_the_whole_book_is_there_once():
    whole_book, stored = (
        load("experiments/whole_book.py"),
        strict("whole_book.json"),
    )
    assert {"unrolled", "torch"} <= set(stored)
    assert len(stored["search"]) >= 8
    for part in ("seeds", "search", "best", "curve"):
        rows = stored[part]
        wanted = whole_book.settled(part, stored)
        assert len(rows) == len(wanted) >= 3
        assert not whole_book.missing(part, stored)
        for name, chosen, seed in wanted:
            (row,) = [
                r
                for r in rows
                if (r["name"], r["rate"], r.get("size"), r["seed"])
                == (name, chosen["rate"], chosen.get("size"), seed)
            ]
            assert {key: row[key] for key in chosen} == chosen
            assert 1 <= row["best_epoch"] <= row["epochs"]
            assert 1 < row["valid_bits"] < 4
            assert ("test_bits" in row) == (part in ("best", "curve"))


def test_both_sides_of_the_curve_had_as_many_tries():
    whole_book = load("experiments/whole_book.py")
    stored = strict("whole_book.json")
    orders = [(row["size"], row["order"]) for row in stored["counting"]]
    assert orders == [
        (size, order)
        for size in whole_book.SIZES
        for order in whole_book.ORDERS
    ]
    assert len(whole_book.ORDERS) == len(whole_book.NETWORKS)
    for size in whole_book.SIZES:
        first = [
            row
            for row in stored["curve"]
            if (row["size"], row["seed"]) == (size, 0)
        ]
        assert len(first) == len(whole_book.NETWORKS)


def test_counting_on_a_short_text_again():
    book_or_skip()
    whole_book = load("experiments/whole_book.py")
    row = strict("whole_book.json")["counting"][2]
    again = whole_book.counted(row["size"], row["order"])
    assert again == pytest.approx(row, abs=2e-4)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("seeds", "base"),
        ("seeds", "input scale 0.1, W_xh at 30 times the rate"),
        ("seeds", "dropout 0.3, a mask for each step"),
        ("seeds", "two layers"),
        ("search", "one layer, the recipe of 8.5"),
        ("search", "two layers, 5 % of the input hidden"),
        ("curve", "512 units, rate 0.004, 15 % hidden"),
    ],
)
def test_the_first_epoch_of_a_run_again(part, name):
    book_or_skip()
    whole_book = load("experiments/whole_book.py")
    stored = strict("whole_book.json")
    row = next(r for r in stored[part] if r["name"] == name)
    chosen = next(
        chosen
        for other, chosen, seed in whole_book.settled(part, stored)
        if (other, chosen["rate"], chosen.get("size"), seed)
        == (name, row["rate"], row.get("size"), row["seed"])
    )
    _, again = whole_book.run(
        chosen, row["seed"], until=1, size=row.get("size")
    )
    assert again["first_epoch"] == pytest.approx(row["first_epoch"], rel=0.01)


def test_what_is_kept_is_the_seed_that_validation_prefers(
    tmp_path, monkeypatch
):
    whole_book = load("experiments/whole_book.py")
    monkeypatch.setattr(whole_book, "DATA", tmp_path)
    saved = []
    monkeypatch.setattr(
        whole_book,
        "save_model",
        lambda path, model, *_, **__: saved.append((path.name, model)),
    )
    monkeypatch.setattr(whole_book, "parts", lambda: [None])
    rows = []
    for model, name, bits in (
        ("first", "a", 1.9),
        ("worse", "a", 2.0),
        ("other", "b", 2.1),
        ("better", "a", 1.8),
    ):
        rows.append({"name": name, "valid_bits": bits, "layers": 2})
        whole_book.keep(model, rows[-1], rows)
    assert [model for _, model in saved] == ["first", "other", "better"]
    assert {name for name, _ in saved} == {"rnn_2_layer.safetensors"}
    stored = strict("whole_book.json")
    for layers in (1, 2):
        rows = [row for row in stored["best"] if row["layers"] == layers]
        assert [row["seed"] for row in rows] == [0, 1, 2]


def test_masks_of_their_own_and_hidden_characters():
    whole_book = load("experiments/whole_book.py")
    generator = torch.Generator().manual_seed(0)
    ones = torch.ones(9, 4, 50)
    chosen = whole_book.SMALL | {"hidden": 50, "dropout": 0.4}
    model = whole_book.make_model(chosen, 28, generator)
    kept = model._drop(ones) > 0
    assert (kept == kept[0]).all()
    chosen = chosen | {"masks": "each step"}
    model = whole_book.make_model(chosen, 28, generator)
    dropped = model._drop(ones)
    assert not ((dropped > 0) == (dropped > 0)[0]).all()
    assert dropped.mean().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(model.eval()._drop(ones), ones)
    loader = whole_book.HiddenInput(
        torch.arange(1, 401), 2, 5, generator=generator
    )
    loader.share = 0.5
    pairs = list(loader)
    shown = torch.cat([(X != 0).flatten() for X, _ in pairs]).float()
    assert 0.3 < shown.mean() < 0.7
    for X, Y in pairs:
        assert ((X == 0) | (X == Y - 1)).all()


def test_checkpoints_are_small():
    for layers in (1, 2):
        size = (DATA / f"rnn_{layers}_layer.safetensors").stat().st_size
        assert size <= 1_000_000


def strict(name):
    """A stored result; NaN and Infinity are no JSON."""

    def refuse(constant):
        raise ValueError(f"{name} holds {constant}")

    text = (DATA / name).read_text("utf-8")
    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "part", ["clip", "long", "probes", "sampling", "scale"]
)
def test_every_run_of_the_classic_recipe_is_there_once(part):
    experiment = load("experiments/classic_recipe.py")
    make_jobs, name = experiment.PARTS[part]
    stored = strict(name)
    found = [experiment.key(row) for row in stored["runs"]]
    jobs = [experiment.key(experiment.CLASSIC | job) for job in make_jobs()]
    assert len(set(jobs)) == len(jobs)
    assert sorted(map(str, found)) == sorted(map(str, jobs))
    assert {"unrolled", "torch", "recipe", "unigram"} <= set(stored)
    long = part in ("long", "sampling")
    at = experiment.LONG_AT if long else experiment.AT
    assert stored["checkpoints"] == at
    for row in stored["runs"]:
        done = sum(epoch <= row["epochs"] for epoch in at)
        # an epoch that ended in no number is not scored
        least = done - (row.get("end") == "not finite")
        assert least <= len(row["train"]) <= done


@pytest.mark.parametrize("part", ["clip", "long", "probes", "scale"])
def test_what_is_said_of_a_run_agrees_with_its_curves(part):
    experiment = load("experiments/classic_recipe.py")
    stored = strict(experiment.PARTS[part][1])
    for row in stored["runs"]:
        scores = [s for s in row["held out"] if s is not None]
        assert row["best"] == min(scores, default=None)
        if scores:
            place = stored["checkpoints"].index(row["best epoch"])
            assert row["held out"][place] == row["best"]
        curve = zip(stored["checkpoints"], row["train"], strict=False)
        far = [
            e for e, value in curve if not (value or math.inf) < stored["far"]
        ]
        ended = [row["epochs"]] * (row["end"] in ("far off", "not finite"))
        if far or ended:
            assert row["blew up"] <= min(far + ended)
        if row["end"] == "epochs" and row["clip"] is None:
            assert (row["clip fires"] > 0) == (row["largest norm"] > 1)


@pytest.mark.parametrize(
    ("part", "changes", "epochs"),
    [
        ("clip", {}, 6),
        ("clip", {"recurrent": 1.0, "rate": 0.25, "clip": None}, 4),
        ("clip", {"activation": "relu"}, 4),
        ("long", {"clip": None}, 4),
        ("scale", {"input": 0.1, "input rate": 100.0}, 5),
    ],
    ids=str,
)
def test_the_classic_recipe_runs_again(part, changes, epochs):
    """The first epochs: later ones are chaotic, and differ by machine."""
    book_or_skip()
    experiment = load("experiments/classic_recipe.py")
    row = experiment.load_rows(part)[
        experiment.key(experiment.CLASSIC | changes | {"seed": 1})
    ]
    again = experiment.run(changes, 1, epochs, stop=part != "long")
    assert len(again["train"]) >= 4
    for name in ("train", "held out"):
        there = row[name][: len(again[name])]
        assert again[name] == pytest.approx(there, rel=0.01)


@pytest.mark.parametrize("sampling", ["sequential", "random"])
def test_the_samplers_run_again(sampling):
    book_or_skip()
    experiment = load("experiments/classic_recipe.py")
    changes = {"sampling": sampling, "input": 3.0}
    row = experiment.load_rows("sampling")[
        experiment.key(experiment.CLASSIC | changes | {"seed": 2})
    ]
    again = experiment.sampled(changes, 2, 3)
    assert len(again["train"]) == 3
    assert again["train"] == pytest.approx(row["train"][:3], rel=0.01)
    for name in ("carried", "zeros"):
        for now, before in zip(again[name], row[name], strict=False):
            assert now == pytest.approx(before, rel=0.01)


def test_scores_from_zeros_are_those_of_each_window(monkeypatch):
    """Against scoring each window by itself."""
    experiment = load("experiments/classic_recipe.py")
    generator = torch.Generator().manual_seed(0)
    text = torch.randint(28, (100,), generator=generator)
    monkeypatch.setattr(experiment, "blocks", lambda: (28, [text]))
    model = RNNLM(
        28,
        8,
        input_scale=1.0,
        recurrent_scale=1.0,
        output_scale=1.0,
        generator=generator,
    )
    found = experiment.scores(model)
    windows = [text[start : start + 36] for start in (0, 35)]
    logs = torch.cat([log_probs(model, window) for window in windows])
    assert found["zeros"] == pytest.approx([math.exp(-logs.mean())])
    assert found["carried"] == [evaluate(model, text)]
    assert abs(found["zeros"][0] / found["carried"][0] - 1) > 1e-3


def test_a_run_without_the_clip_stands_for_both_if_it_never_fires():
    experiment = load("experiments/classic_recipe.py")
    off = experiment.CLASSIC | {"clip": None, "seed": 0, "best": 3.0}
    off |= {"end": "epochs"}
    on = experiment.CLASSIC | {"seed": 0}
    for norm, expected in ((0.9, 3.0), (1.0, 3.0), (1.1, None), (None, None)):
        twin = off | {"largest norm": norm}
        found = experiment.unclipped(on, {experiment.key(twin): twin})
        assert (found and found["best"]) == expected
    assert found is None
    assert experiment.unclipped(on, {}) is None
    lost = off | {"largest norm": 0.5, "end": "not finite"}
    assert experiment.unclipped(on, {experiment.key(lost): lost}) is None
    assert experiment.unclipped(twin, {experiment.key(twin): twin}) is None


def test_relu_units_are_those_of_torch():
    experiment = load("experiments/classic_recipe.py")
    generator = torch.Generator().manual_seed(0)
    model = experiment.ReluLM(
        5, 4, input_scale=1.0, recurrent_scale=0.7, generator=generator
    )
    layer = torch.nn.RNN(5, 4, nonlinearity="relu")
    X = torch.randint(5, (3, 6), generator=generator)
    state = torch.rand(3, 4, generator=generator)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(model.W_xh.T)
        layer.weight_hh_l0.copy_(model.W_hh.T)
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
        hot = torch.nn.functional.one_hot(X.T, 5).float()
        states, last = layer(hot, state[None])
        logits, ours = model(X, state)
    expected = states @ model.W_hq + model.b_q
    assert torch.allclose(logits, expected, atol=1e-6)
    assert torch.allclose(ours, last[0], atol=1e-6)


def test_a_state_that_overflows_has_an_infinite_score():
    experiment = load("experiments/classic_recipe.py")
    generator = torch.Generator().manual_seed(0)
    model = experiment.ReluLM(5, 4, generator=generator)
    text = torch.randint(5, (400,), generator=generator)
    assert experiment.held(model, text) == evaluate(model, text) < 6
    with torch.no_grad():
        model.W_xh.fill_(1.0)
        model.W_hh.fill_(1.0)
    assert experiment.held(model, text) == math.inf


def test_the_cliff_again():
    """The path, some of the many descents, and one network."""
    experiment = load("experiments/cliff.py")
    stored = strict("cliff.json")
    unit = stored["unit"]
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        path = experiment.one_descent()
        again = experiment.many_descents((0.01,))
        # the first step by differences: a slope, shortened to theta
        start, tiny = torch.tensor(experiment.FROM), 1e-6
        ends = [
            experiment.loss_of(*(start + tiny * shift).split(1)).item()
            for shift in torch.tensor([[1, 0], [-1, 0], [0, 1], [0, -1]])
        ]
    finally:
        torch.set_default_dtype(dtype)
    slope = [(ends[i] - ends[i + 1]) / (2 * tiny) for i in (0, 2)]
    factor = path["rate"] * min(1, path["theta"] / math.hypot(*slope))
    for at, name in enumerate(("w", "b")):
        first, then = path["clipped"][name][:2]
        assert first - then == pytest.approx(factor * slope[at], abs=6e-4)
        assert abs(first - then) > 6e-3
    for name in ("unclipped", "clipped"):
        for key in ("w", "b", "loss"):
            before = unit["descent"][name][key]
            assert path[name][key] == pytest.approx(before, rel=0.01)
    rows = {(r["rate"], r["clip"]): r for r in unit["descents"]["rows"]}
    assert len(rows) == 2 * len(experiment.RATES)
    for row in again["rows"]:
        before = rows[row["rate"], row["clip"]]
        assert row["arrived"] == pytest.approx(before["arrived"], abs=5)
    book_or_skip()
    now, before = experiment.thrown(1), stored["network"][1]
    assert now["update"] == before["update"]
    assert now["norms until then"] == pytest.approx(
        before["norms until then"], rel=0.01
    )
    assert now["loss"] == pytest.approx(before["loss"], rel=0.02)


@pytest.mark.slow
def test_two_of_the_series_of_8_1a_run_again():
    """Two of the twenty series of each kind, run again."""
    experiment = load("experiments/horizon.py")
    stored = json.loads((DATA / "horizon.json").read_text("utf-8"))["runs"]
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        usual = experiment.Setting(2)
        again = {
            "as on the page": usual.both("network", 4),
            "25 epochs": usual.both("network", 4, num_epochs=25),
            "as many pairs": usual.both("least squares", 4, extra=63),
        }
        through = {
            "10 epochs on 1 step": usual.through(4, 1, 10),
            "10 epochs, direct": usual.direct_longer(4, 10),
        }
    finally:
        torch.set_default_dtype(dtype)
    model = {"as many pairs": "least squares, 4"}
    for case, ways in again.items():
        there = stored[case][model.get(case, "network, 4")]
        for way, values in ways.items():
            assert values == pytest.approx(there[way][:2], rel=0.02)
    for way, values in through.items():
        there = stored["trained through"]["network, 4"][way]
        assert values == pytest.approx(there[:2], rel=0.02)
    for case, models in stored.items():
        for name, ways in models.items():
            for way, values in ways.items():
                assert len(values) == experiment.NUM_SERIES, (case, name, way)


def ways_to_cut(text, tokens):
    """Every list of tokens that joins to the text."""
    if not text:
        return [[]]
    return [
        [text[:end], *rest]
        for end in range(1, len(text) + 1)
        if text[:end] in tokens
        for rest in ways_to_cut(text[end:], tokens)
    ]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("passage", [" lower low", "stest", "l"])
def test_all_ways_to_cut_a_text(order, passage):
    experiment = load("experiments/subwords.py")
    text = " low lower newest widest slow lowest" * 3
    cut = experiment.CutText(text, learn_merges(text, 9))
    lm = NgramLM(order, len(cut.vocab), 1.0).fit(cut.parts[0])
    before = cut.parts[0].tolist()
    ways = ways_to_cut(passage, all_tokens(text, cut.merges))
    assert len(ways) == len({tuple(way) for way in ways})
    assert len(ways) > 2 or passage == "l"
    expected = 0.0
    for way in ways:
        ids = before + cut.vocab[way]
        logs = lm.log_probs(torch.tensor(ids))[len(before) - 1 :]
        expected += math.exp(logs.sum())
    found = experiment.all_cuts(lm, cut.vocab, before, passage)
    assert math.exp(found) == pytest.approx(expected, rel=1e-9)
    assert experiment.encode(passage, cut.merges) in ways


def test_subwords_run_again_with_fifty_merges():
    """Order 2 of one number of merges, words and all cuts."""
    experiment = load("experiments/subwords.py")
    stored = json.loads((DATA / "subwords.json").read_text("utf-8"))
    stream = book_or_skip()
    cut = experiment.CutText(stream, learn_merges(split(stream)[0], 50))
    assert [list(pair) for pair in cut.merges[:10]] == stored["first merges"]
    for kind, bits in experiment.scores(cut, (2,)).items():
        there = stored["validation bits"]["50"][kind][1:2]
        assert bits == pytest.approx(there, abs=2e-4)
    row = stored["rows"]["50"]
    train, _, test = split(stream.split())
    assert experiment.words(cut, test) == pytest.approx(row["words"])
    unknown = experiment.unknown_words(train, test)
    assert unknown == stored["unknown words"]
    again = experiment.left_out(cut, experiment.KINDS[2], 2, 2000)
    there = row["left out"][1]
    assert again.pop("kind") == there.pop("kind")
    assert again == pytest.approx(there, abs=2e-4)


def test_the_validation_part_chose_among_all_subword_models():
    experiment = load("experiments/subwords.py")
    stored = json.loads((DATA / "subwords.json").read_text("utf-8"))
    grid, chosen = stored["validation bits"], stored["chosen"]
    assert set(grid) == set(stored["rows"]) == set(map(str, experiment.MERGES))
    for kinds in grid.values():
        assert list(kinds) == list(experiment.KINDS)
        assert {len(row) for row in kinds.values()} == {5}
    assert experiment.best(grid) == tuple(
        chosen[key] for key in ("merges", "kind", "order")
    )
    rows = [row for kinds in grid.values() for row in kinds.values()]
    assert chosen["validation"] == min(map(min, rows))
    assert chosen["left out"]["one cut"] == chosen["validation"]
    # the first seam lies between words, where encoding cuts anyway
    assert chosen["seams"][0]["bits"] == 0
    for row in stored["rows"].values():
        assert row["words"]["unknown tokens"] == 0
        for there in row["left out"]:
            assert there["all cuts"] <= there["one cut"]


def test_the_first_texts_of_three_populations_give_the_same_alphas():
    """Three of the 400 texts of some cases of zipf.py, run again."""
    book_or_skip()
    experiment = load("experiments/zipf.py")
    stored = json.loads((DATA / "zipf.json").read_text("utf-8"))
    assert stored["replications"] == experiment.REPLICATIONS >= 400
    assert stored["resamples"] == experiment.RESAMPLES
    rows = {
        (r["kind"], r["shape"], r["draws"], r["first"], r["last"]): r
        for r in stored["runs"]
    }
    assert set(rows) == {
        (kind, *case, *ranks)
        for kind, ranges in experiment.RANGES.items()
        for case in experiment.cases(kind)
        for ranks in ranges
    }
    assert len(rows) == len(stored["runs"])
    for kind, shape, draws in (
        ("words", "broken", "clumps"),
        ("pairs", "the book", "blocks"),
        ("triples", "discounted", "independent"),
    ):
        found = experiment.measure(kind, shape, draws, 3)
        for ranks, (true, alphas) in found.items():
            row = rows[kind, shape, draws, *ranks]
            assert row["true"] == pytest.approx(true, abs=1e-4)
            for again, before in zip(alphas, row["examples"], strict=True):
                assert again == pytest.approx(before, abs=2e-3)


def stored(name):
    """A stored result; what is no number must not be in valid JSON."""

    def refuse(word):
        raise ValueError(f"{word} is not JSON")

    text = (DATA / f"{name}.json").read_text("utf-8")
    return json.loads(text, parse_constant=refuse)


def one_of(rows, **wanted):
    (row,) = [r for r in rows if wanted.items() <= r.items()]
    return row


@pytest.mark.parametrize(
    "name", ["memory", "context", "source", "reach", "truncation", "bias"]
)
def test_what_is_stored_was_made_by_the_script_as_it_is(name):
    result = stored(name)
    settings = load(f"experiments/{name}.py").SETTINGS
    assert result["settings"] == settings
    for version in (result["unrolled"], result["torch"]):
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_every_delay_was_tried_and_one_of_them_again():
    memory = load("experiments/memory.py")
    result = stored("memory")
    rows = result["runs"]
    assert len(rows) == len(memory.jobs())
    for start, window, state, delay, seed, *updates in memory.jobs():
        one_of(
            rows,
            start=start,
            window=window,
            state=state,
            delay=delay,
            seed=seed,
            updates=updates[0] if updates else memory.SETTINGS["updates"],
        )
    # nobody can know what a reset state never saw: 1/8, or 3 bits
    assert memory.floor(2, 4) == {"accuracy": 0.5625, "bits": 1.5}
    for row in rows:
        if row["state"] == "reset":
            most = memory.floor(row["delay"], row["window"])
            assert row["reset"]["accuracy"] < most["accuracy"] + 0.01
    job = "torch's", 4, "reset", 1, 0
    again = memory.run_one(*job)
    there = one_of(rows, **{k: again[k] for k in list(again)[:6]})
    for way in ("carried", "reset"):
        assert again[way] == pytest.approx(there[way], abs=0.02)


@pytest.mark.slow
def test_short_contexts_are_scored_again():
    book_or_skip()
    context = load("experiments/context.py")
    models = stored("context")["models"]
    again = context.of_network(1, [1, 2])
    counted = context.of_counting(2, [1])
    for length in ("all", "1", "2"):
        for start, score in again[length].items():
            there = models["one layer"][length][start]
            assert score == pytest.approx(there, abs=0.01)
    there = models["Kneser-Ney"]["1"]["fitted anew"]["bits"]
    assert counted["1"]["fitted anew"]["bits"] == pytest.approx(
        there, abs=0.01
    )


@pytest.mark.slow
def test_a_network_learns_the_source_again():
    experiment = load("experiments/source.py")
    there = stored("source")["sources"][0]
    source = experiment.Source(there["exponent"])
    pairs = source.chain.sample(60_000, generator=source.generator)
    start = experiment.SETTINGS["starts"][0]
    again = experiment.run_one(source, pairs, start, experiment.seeded(0, 3))
    row = one_of(there["runs"], text="section 8.4's", start=start, seed=0)
    assert again["bits"] == pytest.approx(row["bits"], abs=0.003)
    for name, apart in again["distance"].items():
        assert apart == pytest.approx(row["distance"][name], abs=0.05)


@pytest.mark.slow
def test_gradients_reach_as_far_as_they_did():
    book_or_skip()
    reach = load("experiments/reach.py")
    result, data = stored("reach"), reach.texts()
    cells, columns = list(reach.cells()), result["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in result["rows"]]
    keys = "hidden", "recurrent", "seed", "input_scale", "epochs"
    assert [tuple(row[key] for key in keys) for row in rows] == cells
    assert result["cells left"] == 0
    shared = 128, "orthogonal", 1, 0.1
    for epochs, near in ((0, 0.001), (4, 0.05)):
        cell = *shared, epochs
        again = reach.run_one(data, *cell)
        there = rows[cells.index(cell)]
        assert list(again) == columns
        for way in ("", ", slopes 1", ", slopes shuffled"):
            factor = there[f"factor{way}"]
            assert again[f"factor{way}"] == pytest.approx(factor, rel=near)
        for way in ("", ", slopes 1"):
            back = reach.SETTINGS[f"back{way}"]
            share, found = (
                [math.log(x) / b for b, x in zip(back, kept, strict=True)]
                for kept in (there[f"share{way}"], again[f"share{way}"])
            )
            assert found == pytest.approx(share, abs=near)
    assert reach.nilpotent() == result["all eigenvalues 0"]


@pytest.mark.slow
def test_a_window_is_trained_again():
    book_or_skip()
    truncation = load("experiments/truncation.py")
    result, settings = stored("truncation"), truncation.SETTINGS
    rows, (first, *others) = result["runs"], settings["seeds"]
    assert result["cells left"] == 0
    for way, window, scale in truncation.cells():
        cell = {"way": way, "window": window, "input_scale": scale}
        runs = [row for row in rows if cell.items() <= row.items()]
        of_first = [row for row in runs if row["seed"] == first]
        coarse = settings["rates"]
        best = truncation.best_rate(of_first[: len(coarse)])
        finer = [best * x for x in settings["finer"]]
        assert [row["rate"] for row in of_first] == coarse + finer
        # the validation part chose, and the others ran with the same rate
        best = truncation.best_rate(of_first)
        chosen = [row for row in runs if row["chosen"]]
        assert {row["rate"] for row in chosen} == {best}
        assert [row["seed"] for row in chosen] == [first, *others]
    size = len(coarse) + len(finer) + len(others)
    assert len(rows) == size * len(truncation.cells())
    way, scale = "equal updates, equal text", 3.0
    there = one_of(
        rows, way=way, window=4, input_scale=scale, rate=2e-3, seed=0
    )
    again = truncation.run_one(
        truncation.texts(), way, 4, scale, there["rate"], 0
    )
    assert again["valid_bits"] == pytest.approx(there["valid_bits"], abs=0.03)
    assert again["updates"] == there["updates"]


@pytest.fixture(scope="module")
def passages():
    book_or_skip()
    bias = load("experiments/bias.py")
    vocab_size, ids, _ = bias.texts()
    model = bias.made(vocab_size, ids, 1.0, 0, 0).double()
    return bias, model, ids[:1203].reshape(3, 401)


@pytest.mark.parametrize(("kind", "steps"), [("full", 0), ("cut", 35)])
def test_gradients_by_hand_are_those_of_detached_states(passages, kind, steps):
    bias, model, ids = passages
    T = bias.SETTINGS["characters"]
    found = bias.gradients(model, ids, bias.cutting(kind, steps, 3, None))
    state, loss = None, 0.0
    for piece in torch.arange(T).split(steps or T):
        if state is not None:
            state = state.detach()
        logits, state = model(ids[:1, piece], state)
        labels = ids[0, piece + 1]
        loss = loss + cross_entropy(logits[:, 0], labels, reduction="sum")
    (there,) = torch.autograd.grad(loss / T, [model.W_hh[0]])
    assert there.abs().max() > 1e-4
    assert torch.allclose(found[0], there.flatten(), rtol=0, atol=1e-12)


def test_random_cuts_are_weighted_up_to_1(passages):
    bias, *_ = passages
    generator = torch.Generator().manual_seed(0)
    keep = bias.cutting("random", 5, 500, generator)
    assert keep.unique().tolist() == [0.0, 1.25]
    assert keep.mean().item() == pytest.approx(1, abs=0.01)


def test_random_cuts_are_right_on_average(passages):
    """The mean over all ways to cut, each weighted by its probability."""
    bias, model, ids = passages
    T, kept = 5, 0.75
    ids = ids[:, : T + 1]
    full = bias.gradients(model, ids, torch.ones(T, 3, 1).double())
    means = {"weighted up": torch.zeros_like(full)}
    means["as they are"] = torch.zeros_like(full)
    for handed in itertools.product((0.0, 1.0), repeat=T - 1):
        keep = torch.tensor([*handed, 1.0]).double()[:, None, None]
        keep = keep.expand(T, 3, 1)  # the last step gets nothing back
        chance = math.prod(kept if h else 1 - kept for h in handed)
        for name, weight in (("weighted up", 1 / kept), ("as they are", 1)):
            found = bias.gradients(model, ids, keep * weight)
            means[name] += chance * found
    assert torch.allclose(means["weighted up"], full, rtol=0, atol=1e-14)
    assert (means["as they are"] - full).norm() > 0.01 * full.norm()


def test_the_bias_of_some_passages_is_as_stored():
    book_or_skip()
    bias, name = load("experiments/bias.py"), "before training"
    result, settings = stored("bias"), bias.SETTINGS
    rows = result["networks"]
    wanted = itertools.product(settings["networks"], settings["seeds"])
    assert [(row["network"], row["seed"]) for row in rows] == [*wanted]
    assert result["networks left"] == 0
    again = bias.run_one(name, 0, 40)
    there = one_of(rows, network=name, seed=0)["cuts"]
    assert set(again["cuts"]) == set(there) == set(result["stored network"])
    for cut, row in again["cuts"].items():
        cosine = there[cut]["cosine of means"]
        assert row["cosine of means"] == pytest.approx(cosine, abs=0.01)


def test_every_run_of_the_gated_networks_is_there_once():
    experiment, stored = load("experiments/gates.py"), strict("gates.json")
    tuned = [(row["kind"], row["number"]) for row in stored["tune"]]
    wanted = [
        (kind, number)
        for kind, found in experiment.SETTINGS.items()
        for number in range(len(found))
    ]
    assert sorted(tuned) == sorted(wanted)
    for row in stored["tune"]:
        setting = experiment.settings(row["kind"], row["number"])
        # the first rows are older than the last two settings
        old = {"hidden_input": 0.0, "taught": 0.0}
        assert {name: (old | row)[name] for name in setting} == setting
        assert row["best_epoch"] <= row["epochs"]
        # the same budget for the first of each kind
        most = 150 if row["number"] < experiment.EQUAL else 600
        assert row["cpu_seconds"] < most
    runs = [(row["kind"], row["seed"]) for row in stored["chosen"]]
    seeds = experiment.SEEDS
    assert runs == [(k, seed) for seed in seeds for k in experiment.SETTINGS]
    for part, among in (("chosen", experiment.EQUAL), ("care", None)):
        for row in stored[part]:
            number = experiment.best(row["kind"], among)["number"]
            assert row["number"] == number
            assert 0 < row["test_bits"] - row["valid_bits"] < 0.15
    runs = [(row["kind"], row["seed"]) for row in stored["care"]]
    more = experiment.CARE.items()
    assert sorted(runs) == sorted((k, n) for k, seeds in more for n in seeds)
    again = stored["again"]
    assert [row["seed"] for row in again] == list(seeds)
    best = experiment.best(experiment.AGAIN)["number"]
    for row in again:
        assert (row["kind"], row["number"]) == (experiment.AGAIN, best)
        assert "valid_bits" not in row  # nothing was left to choose on
    curve = [(row["kind"], row["size"]) for row in stored["curve"]]
    assert sorted(curve) == sorted(
        itertools.product(experiment.SETTINGS, experiment.SIZES)
    )


@pytest.mark.parametrize(
    "stem", ["gru", "lstm", "lstm_untaught", "transformer"]
)
def test_a_gated_network_that_is_stored_is_the_best_of_its_kind(stem):
    book_or_skip()
    experiment = load("experiments/gates.py")
    path = experiment.DATA / f"{stem}.safetensors"
    assert path.stat().st_size < 2**20
    model, _ = load_model(path)
    kind, _, untaught = stem.partition("_")
    rows = [
        row
        for row in strict("gates.json")["tune"]
        if row["kind"].lower() == kind and not (untaught and row.get("taught"))
    ]
    row = min(rows, key=lambda one: one["valid_bits"])
    size = sum(p.numel() for p in model.parameters())
    assert size == row["parameters"]
    _, _, valid_ids, _ = experiment.parts()
    bits = -log_probs(model, valid_ids).mean().item() / math.log(2)
    assert bits == pytest.approx(row["valid_bits"], abs=1e-3)


def test_a_teacher_draws_some_of_the_labels():
    experiment = load("experiments/gates.py")
    text = torch.arange(200) % 4
    loader = experiment.Taught(
        torch.arange(200), 2, 5, generator=torch.Generator().manual_seed(0)
    )
    loader.texts, loader.share = text, 0.0
    # the teacher says 5 at each place
    loader.laws = torch.tensor([0.0, 0, 0, 0, 0, 1]).expand(200, 6)
    for loader.taught, least, most in (
        (0.0, 0, 0),
        (0.5, 0.3, 0.7),
        (1, 1, 1),
    ):
        drawn, count = 0, 0
        for X, Y in loader:
            told = Y == 5
            assert torch.equal(Y[~told], (X[~told] + 1) % 4)
            drawn, count = drawn + told.sum().item(), count + Y.numel()
        assert least <= drawn / count <= most
    loader.share = 1.0
    assert all(not X.any() for X, _ in loader)


def test_a_teacher_has_not_seen_what_it_is_asked():
    book_or_skip()
    experiment = load("experiments/gates.py")
    text = experiment.parts()[1][:400].clone()
    size = int(text.max()) + 1
    laws = experiment.teacher(text, size)
    assert laws.shape == (400, size)
    assert torch.allclose(laws[:, -1], torch.ones(400))
    changed = text.clone()
    changed[350] = (changed[350] + 1) % size
    again = experiment.teacher(changed, size)
    assert torch.equal(laws[320:351], again[320:351])  # its own fifth
    assert not torch.equal(laws[351:], again[351:])
    assert not torch.equal(laws[:320], again[:320])


def test_a_gated_network_runs_again():
    """The first epoch: later ones are chaotic, and differ by machine."""
    book_or_skip()
    experiment, stored = load("experiments/gates.py"), strict("gates.json")
    row = next(r for r in stored["tune"] if "first_epoch" in r)
    vocab, train_ids, valid_ids, _ = experiment.parts()
    _, again = experiment.run(
        row["kind"],
        experiment.settings(row["kind"], row["number"]),
        row["seed"],
        train_ids,
        valid_ids[:500],
        len(vocab),
        until=1,
    )
    assert again["first_epoch"] == pytest.approx(row["first_epoch"], rel=0.01)


def test_the_finished_mixture_is_whole():
    stored = strict("finished_mixture.json")
    experiment = load("experiments/finished_mixture.py")
    names = set(experiment.FILES)
    assert set(stored["reading"]) == names
    for name, result in stored["reading"].items():
        rows = [row for row in stored["tried"] if row["name"] == name]
        assert bool(rows) == (name not in experiment.STAYS)
        if rows:
            assert [row["rate"] for row in rows] == list(experiment.RATES)
            chosen = min(rows, key=lambda row: row["valid_bits"])
            assert chosen["rate"] == result["rate"]
            assert chosen["valid_bits"] == result["learning"][0]
    everything = stored["mixture"]["learning"]["all of it"]
    assert set(everything["powers"]) == names | {"context mixing"}


def test_reading_again():
    """The validation part, by the smallest network."""
    book_or_skip()
    experiment = load("experiments/finished_mixture.py")
    book, stored = experiment.Book(), strict("finished_mixture.json")
    name = "RNN, one layer"
    row, length = stored["reading"][name], len(book.valid)
    learning = experiment.learning_laws(name, book, row["rate"], length)
    book.held = book.valid
    book.warm = book.warm[: experiment.WARM + length]
    for laws, way in (
        (learning, "learning"),
        (experiment.frozen_laws(name, book), "frozen"),
    ):
        (bits,) = book.bits(book.picked(laws))
        assert bits == pytest.approx(row[way][0], abs=1e-3)


def test_every_memory_is_there():
    experiment, stored = load("experiments/recall.py"), strict("recall.json")
    reading = strict("finished_mixture.json")["reading"]
    assert list(stored["networks"]) == list(experiment.FILES)
    for name, row in stored["networks"].items():
        assert row["alone"]["bits"] == reading[name]["frozen"]
        assert ("steps" in row) == (name not in experiment.STAYS)
        if "steps" in row:
            assert row["steps alone"]["bits"] == reading[name]["learning"]
    seeded = list(stored["seeds"].items())
    assert [name for name, _ in seeded] == [
        f"{kind}, seed {seed}"
        for kind in experiment.SEEDED
        for seed in experiment.gates.SEEDS
    ]
    chosen = {
        f"{row['kind']}, seed {row['seed']}": row["test_bits"]
        for row in strict("gates.json")["chosen"]
    }
    for name, row in seeded:
        # the same run as the one that is stored elsewhere
        bits = row["alone"]["bits"][1]
        assert bits == pytest.approx(chosen[name], abs=0.01)
    others = ("Kneser-Ney", "context mixing, learning")
    names = [
        *others,
        *(f"{n}, {o}" for o in others for n in stored["networks"]),
    ]
    names += [f"{name}, untrained states" for name in experiment.OTHERS]
    assert sorted(stored["controls"]) == sorted(names)
    for row in (*stored["networks"].values(), *stored["seeds"].values()):
        tried = {float(t): bits for t, bits in row["tried"].items()}
        assert set(tried) >= set(experiment.TEMPERATURES)
        best = min(tried, key=tried.get)
        assert row["temperature"] == best
        assert min(tried) < best < max(tried)


def test_a_memory_again():
    """The first characters of the validation part, by the smallest network."""
    book_or_skip()
    experiment, stored = load("experiments/recall.py"), strict("recall.json")
    name, book = "RNN, one layer", experiment.Book()
    row, short = stored["networks"][name], experiment.SHORT
    memory = experiment.Memory(experiment.stored_model(name), book)
    laws = memory.laws(row["temperature"], short)
    book.held = book.valid = book.valid[:short]
    warm = load("experiments/finished_mixture.py").WARM
    book.warm = book.warm[: warm + short]
    own = experiment.frozen_laws(name, book)
    scores = [book.picked(rows) for rows in (own, laws.log())]
    bits = -mix(scores, fit_weights(scores)).mean().item() / math.log(2)
    tried = row["tried"][str(row["temperature"])]
    assert bits == pytest.approx(tried, abs=1e-3)


def test_powers_of_the_finished_mixture_by_hand():
    experiment = load("experiments/finished_mixture.py")
    laws = torch.tensor([[0.5, 0.5], [0.8, 0.2]]).double().log()
    book = SimpleNamespace(held=torch.tensor([0, 1]), valid=torch.tensor([0]))
    alone, powers = experiment.mixed(
        book, {"a": laws, "b": laws}, True, rate=0.0
    )
    assert powers.tolist() == [0.5, 0.5]
    assert torch.allclose(alone, torch.tensor([0.5, 0.2]).double().log())
    both = {"context mixing": laws, "b": laws, "c": laws}
    _, powers = experiment.mixed(book, both, True, rate=0.0)
    assert powers.tolist() == [0.75, 0.125, 0.125]
    _, still = experiment.mixed(book, both, False, rate=1.0)
    _, moved = experiment.mixed(book, both, True, rate=1.0)
    assert not torch.equal(still, moved)


def test_the_recipe_of_d2l_1_0_was_run_as_it_is_set():
    recipe, result = load("experiments/d2l_1_0.py"), stored("d2l_1_0")
    assert result["settings"] == recipe.SETTINGS
    assert [run["seed"] for run in result["runs"]] == list(recipe.SEEDS)
    for run in result["runs"]:
        assert run["scored"] == list(recipe.AT)
        lists = [value for value in run.values() if isinstance(value, list)]
        assert {len(values) for values in lists} == {len(recipe.AT)}
        assert run["validation"][0] > 20 > 8 > min(run["validation"])
        fired = zip(run["longest"], run["clip fires"], strict=True)
        assert all((length > 1) == (count > 0) for length, count in fired)


def test_the_windows_of_d2l_1_0():
    recipe = load("experiments/d2l_1_0.py")
    steps, first = recipe.SETTINGS["steps"], recipe.SETTINGS["windows"]
    ids = torch.arange(20_000)
    found, held = recipe.windows(ids)
    assert found.shape == (first, steps + 1)
    assert held.shape == (recipe.SETTINGS["validation"], steps + 1)
    assert found[5].tolist() == list(range(5, 6 + steps))
    assert held[0, 0] == first
    generator = torch.Generator().manual_seed(0)
    loader = recipe.Shuffled(found, generator)
    passes = [list(loader), list(loader)]
    starts = [torch.cat([X[:, 0] for X, _ in one]) for one in passes]
    for one, order in zip(passes, starts, strict=True):
        assert len(one) == len(loader) == 10
        assert all(torch.equal(Y, X + 1) for X, Y in one)
        assert torch.equal(order.sort().values, torch.arange(first))
    assert not torch.equal(*starts)


def test_the_first_epochs_of_d2l_1_0_again():
    book_or_skip()
    again = load("experiments/d2l_1_0.py").run(0, (1, 2))
    there = one_of(stored("d2l_1_0")["runs"], seed=0)
    for name in ("train", "validation", "read through", "longest"):
        assert again[name] == pytest.approx(there[name][:2], rel=1e-3)


def test_every_run_of_appendix_d_is_there_once():
    experiment = load("experiments/distributed.py")
    stored = strict("distributed.json")
    assert {"unrolled", "torch"} <= set(stored)
    for part in ("learn", "time", "fail"):
        assert stored["settings"][part] == getattr(experiment, part.upper())
    wanted = experiment.LEARN
    jobs = itertools.product(wanted["rows"], wanted["rates"], wanted["seeds"])
    found = [(r["rows"], r["rate"], r["seed"]) for r in stored["learn"]]
    assert found == list(jobs)
    for row in stored["learn"]:
        *before, last = row["bits"]
        assert all(bits > wanted["target"] for bits in before)
        assert row["reached"] == (last <= wanted["target"])
        assert row["reached"] or len(row["bits"]) == wanted["epochs"]
    sizes = itertools.product(
        experiment.TIME["units"], experiment.TIME["rows"]
    )
    grid = stored["time"]["grid"]
    assert [(cell["units"], cell["rows"]) for cell in grid] == list(sizes)
    for cell in grid:
        assert cell["rounds"] >= experiment.TIME["rounds"][0]
    kinds = [run["kind"] for run in stored["fail"]["runs"]]
    assert kinds == list(experiment.FAIL["kinds"])


def test_the_first_epoch_with_256_rows_again():
    book_or_skip()
    experiment = load("experiments/distributed.py")
    (row,) = [
        r
        for r in strict("distributed.json")["learn"]
        if (r["rows"], r["rate"], r["seed"]) == (256, 0.016, 1)
    ]
    again = experiment.learn_one(256, 0.016, 1, 1)
    assert again["bits"] == pytest.approx(row["bits"][:1], rel=0.01)


@pytest.fixture(scope="module")
def exercises():
    return load("experiments/classic_exercises.py")


def test_every_cell_of_the_classic_exercises_has_its_seeds(exercises):
    result = stored("classic_exercises")
    assert set(result) == {"unrolled", "torch", *exercises.PARTS}
    keys = {
        "activations": ("activation", "input", "clip"),
        "samplers": ("sampling", "clip"),
        "remedies": ("remedy",),
        "embeddings": ("inputs",),
        "layers": ("layers", "optimizer"),
        "kept_minibatches": ("kept",),
        "readings": ("reading",),
        "whole_sentences": ("form",),
        "dialogue": ("form", "model"),
    }
    sizes = {"activations": 16, "samplers": 4, "layers": 6}
    for part, names in keys.items():
        cells = {}
        for row in result[part]:
            cell = tuple(row[name] for name in names)
            cells.setdefault(cell, []).append(row["seed"])
        assert all(seeds == [0, 1, 2] for seeds in cells.values()), part
        if part in sizes:
            assert len(cells) == sizes[part]
    remedies = {row["remedy"] for row in result["remedies"]}
    assert remedies == set(exercises.REMEDIES)
    inputs = {row["inputs"] for row in result["embeddings"]}
    assert inputs == set(exercises.INPUTS)
    readings = {row["reading"] for row in result["readings"]}
    assert readings == set(exercises.READINGS)
    forms = {row["form"] for row in result["whole_sentences"]}
    assert forms == set(exercises.FORMS)
    kept = {row["kept"] for row in result["kept_minibatches"]}
    assert kept == set(exercises.KEPT)
    for part in ("sine_rnn", "architectures"):
        assert all(len(row["rmse"]) == 20 for row in result[part])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "setting", "less", "key"),
    [
        ("remedies", "REMEDIES", {"clip at 1": {"theta": 1.0}}, "best"),
        ("embeddings", "INPUTS", {"one-hot, weights 1": (None, 1)}, "best"),
        ("layers", "LAYERS", (1,), "best"),
        ("kept_minibatches", "KEPT", (2,), "best"),
        ("readings", "READINGS", ("random, offset 0",), "valid"),
        ("whole_sentences", "FORMS", ("masked",), "sentences"),
    ],
)
def test_a_run_of_the_classic_exercises_again(
    exercises, monkeypatch, part, setting, less, key
):
    book_or_skip()
    monkeypatch.setattr(exercises, setting, less)
    rows = stored("classic_exercises")[part]
    for again in exercises.PARTS[part](seeds=(0,)):
        kept = {"seed", "remedy", "inputs", "layers", "optimizer", "kept"}
        kept |= {"reading", "form"}
        cell = {k: v for k, v in again.items() if k in kept}
        there = one_of(rows, **cell)
        assert again[key] == pytest.approx(there[key], abs=0.03)
        for exact in ("bytes", "padding", "blew_up"):
            assert again.get(exact) == there.get(exact)


def test_what_blew_up_does_so_again(exercises):
    book_or_skip()
    rows = stored("classic_exercises")
    for part, wanted, options in (
        ("samplers", {"sampling": "random"}, {"sampling": "random"}),
        ("activations", {"activation": "ReLU", "input": 0.01}, {}),
    ):
        there = one_of(rows[part], **wanted, clip=None, seed=0)
        again = exercises.trained(
            exercises.Network(
                exercises.size(),
                activation=wanted.get("activation", "tanh"),
                scales=(0.01, 1),
            ),
            there["blew_up"] or 3,
            theta=None,
            **options,
        )
        assert again["blew_up"] == there["blew_up"]


def test_series_and_tokens_of_the_classic_exercises_again(exercises):
    rows = stored("classic_exercises")
    again = exercises.architectures(epochs=(5,))
    for row in again:
        there = one_of(
            rows["architectures"], net=row["net"], epochs=row["epochs"]
        )
        assert row["rmse"] == pytest.approx(there["rmse"], abs=2e-3)
    found = exercises.dialogue(seeds=(0,), epochs=1)
    for row in found:
        if row["model"] == "RNN":  # one epoch of ten
            continue
        bits = row.pop("bits")
        there = one_of(rows["dialogue"], **row)
        assert bits == pytest.approx(there["bits"], abs=1e-3)
    book_or_skip()
    for row in exercises.tokenisations(ways=("syllables",), orders=(2,)):
        there = one_of(rows["tokenisations"], way=row["way"], order=2)
        assert row == pytest.approx(there, abs=1e-3)


def test_sentences_in_minibatches(exercises):
    one, two = torch.tensor([9, 1, 2, 3]), torch.tensor([9, 4])
    ((X, Y, mask),) = exercises.minibatches(
        [one, two], "shuffled", exercises.seeded(0), rows=2
    )
    order = sorted(range(2), key=lambda n: -int(mask[n].sum()))
    assert X[order].tolist() == [[9, 1, 2, 3], [9, 4, 9, 0]]
    assert Y[order].tolist() == [[1, 2, 3, 9], [4, 9, 0, 0]]
    assert mask[order].int().tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]


def test_syllables_and_spelling(exercises):
    assert exercises.syllables("hunting") == ["hun", "ting"]
    assert exercises.syllables("shh") == ["shh"]
    for word in ("machine", "strength", "a", "eyes"):
        assert "".join(exercises.syllables(word)) == word
    text = "the machine"
    for way in exercises.WAYS[:3]:
        cut = exercises.pieces(text, way, text)
        assert "".join(cut).strip() == text
    assert exercises.spelled(["ab", "cd"], {"ab"}) == ["ab", "c", "d"]


def test_how_talk_is_written(exercises):
    symbols, speakers = [5, 6, 7], [0, 0, 1]
    none, mark, told = exercises.SPEECH
    inputs, labels, _ = exercises.written(none, symbols, speakers)
    assert (inputs.tolist(), labels.tolist()) == ([5, 6], [6, 7])
    inputs, labels, scored = exercises.written(mark, symbols, speakers)
    assert labels.tolist() == [6, 9, 7]
    assert scored.tolist() == [True, False, True]
    inputs, labels, _ = exercises.written(told, symbols, speakers)
    assert (inputs.tolist(), labels.tolist()) == ([5, 14], [6, 7])
