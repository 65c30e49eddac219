"""Samplers: the notes' examples, every property, d2l as the oracle, errors."""

import itertools
import random
import tracemalloc

import numpy as np
import pytest
import torch

from helpers import seeded
from unrolled.batches import (
    SequenceLoader,
    random_batches,
    sequential_batches,
)
from unrolled.reference import import_d2l

BOTH = (random_batches, sequential_batches)
IDS = torch.arange(35)


def rows(batches, which=0):
    return [batch[which].tolist() for batch in batches]


class TestByHand:
    def test_sequential_example_of_the_notes(self):
        batches = list(sequential_batches(IDS, 2, 5, offset=1))
        assert rows(batches) == [
            [[1, 2, 3, 4, 5], [17, 18, 19, 20, 21]],
            [[6, 7, 8, 9, 10], [22, 23, 24, 25, 26]],
            [[11, 12, 13, 14, 15], [27, 28, 29, 30, 31]],
        ]
        assert rows(batches, 1) == [
            [[2, 3, 4, 5, 6], [18, 19, 20, 21, 22]],
            [[7, 8, 9, 10, 11], [23, 24, 25, 26, 27]],
            [[12, 13, 14, 15, 16], [28, 29, 30, 31, 32]],
        ]

    def test_random_example_of_the_notes(self):
        for seed in range(5):
            batches = list(random_batches(IDS, 2, 5, seeded(seed), offset=4))
            assert len(batches) == 3
            starts = [row[0] for X in rows(batches) for row in X]
            assert sorted(starts) == [4, 9, 14, 19, 24, 29]

    def test_left_over_windows_are_dropped(self):
        # 6 windows, 4 to a minibatch
        batches = list(random_batches(IDS, 4, 5, seeded(0), offset=0))
        assert len(batches) == 1
        # strips of 11, two windows of 5 each
        batches = list(sequential_batches(IDS, 3, 5, offset=0))
        assert [X[:, 0].tolist() for X, _ in batches] == [
            [0, 11, 22],
            [5, 16, 27],
        ]

    def test_last_label_is_the_last_token(self):
        for sampler in BOTH:
            ((X, Y),) = sampler(torch.arange(7), 2, 3, seeded(0), 0)
            assert sorted(X.flatten().tolist()) == [0, 1, 2, 3, 4, 5]
            assert sorted(Y.flatten().tolist()) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("sampler", BOTH)
class TestProperties:
    @pytest.mark.parametrize(
        ("n", "batch_size", "num_steps"),
        [(35, 2, 5), (100, 3, 7), (9, 1, 1), (50, 1, 10), (40, 13, 1)],
    )
    def test_shapes_labels_and_no_repeats(
        self, sampler, n, batch_size, num_steps
    ):
        ids = torch.randperm(n, generator=seeded(1))
        after = dict(zip(ids.tolist(), ids.tolist()[1:], strict=False))
        for seed in range(6):
            seen = []
            for X, Y in sampler(ids, batch_size, num_steps, seeded(seed)):
                assert X.shape == Y.shape == (batch_size, num_steps)
                assert X.dtype == Y.dtype == torch.int64
                assert [after[x] for x in X.flatten().tolist()] == (
                    Y.flatten().tolist()
                )
                seen += X.flatten().tolist()
            assert seen
            assert len(set(seen)) == len(seen)

    def test_reproducible_from_the_generator(self, sampler):
        one, same, other = (
            rows(sampler(IDS, 2, 5, seeded(seed))) for seed in (7, 7, 8)
        )
        assert one == same != other

    def test_without_a_generator_torch_is_asked(self, sampler):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            one = rows(sampler(IDS, 2, 5))
            torch.manual_seed(3)
            assert rows(sampler(IDS, 2, 5)) == one

    def test_offsets_are_uniform_up_to_num_steps_minus_1(self, sampler):
        counts = torch.zeros(5)
        generator = seeded(0)
        for _ in range(2000):
            X, _ = next(iter(sampler(IDS, 1, 5, generator)))
            counts[X[0, 0] % 5] += 1
        # 2000 draws at p = 1/5: standard deviation 18
        assert counts.min() > 400 - 4 * 18
        assert counts.max() < 400 + 4 * 18

    def test_int32_will_do_and_nothing_else_is_changed(self, sampler):
        ids = torch.arange(20, dtype=torch.int32)
        X, Y = next(iter(sampler(ids, 2, 3, seeded(0))))
        assert X.dtype == Y.dtype == torch.int64
        assert ids.dtype == torch.int32

    def test_memory_is_that_of_a_minibatch(self, sampler):
        ids = torch.arange(1_000_000)
        for drawn in next(iter(sampler(ids, 4, 10, seeded(0)))):
            assert drawn.untyped_storage().nbytes() == 4 * 10 * 8

    def test_editing_a_minibatch_leaves_the_text_alone(self, sampler):
        ids = torch.arange(35)
        X, Y = next(iter(sampler(ids, 2, 5, seeded(0))))
        kept = Y.clone()
        X += 100
        assert torch.equal(ids, torch.arange(35))
        assert torch.equal(Y, kept)

    def test_too_short_a_text(self, sampler):
        # 2 * 5 inputs, one label more, and up to 4 skipped
        assert len(list(sampler(torch.arange(15), 2, 5, seeded(0)))) == 1
        assert len(list(sampler(torch.arange(11), 2, 5, offset=0))) == 1
        assert len(list(sampler(torch.arange(13), 2, 5, offset=2))) == 1


def test_sequential_rows_go_on():
    for seed in range(5):
        batches = list(
            sequential_batches(torch.arange(200), 4, 6, seeded(seed))
        )
        assert len(batches) > 3
        for (before, _), (after, _) in itertools.pairwise(batches):
            assert torch.equal(after[:, 0], before[:, -1] + 1)


def test_random_order_is_uniform():
    # 3 windows: 6 orders, each about 1/6 of 1200
    seen = {}
    generator = seeded(0)
    for _ in range(1200):
        drawn = random_batches(torch.arange(7), 1, 2, generator, offset=0)
        key = tuple(int(X[0, 0]) for X, _ in drawn)
        seen[key] = seen.get(key, 0) + 1
    assert len(seen) == 6
    assert min(seen.values()) > 200 - 4 * 13


def test_nothing_of_the_size_of_the_text_is_made():
    ids = torch.arange(2_000_000)
    tracemalloc.start()
    for sampler in BOTH:
        for count, _ in enumerate(sampler(ids, 8, 50, seeded(0)), start=1):
            if count == 50:
                break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # Python's own objects: no lists of the text


@pytest.mark.parametrize(("batch_size", "num_steps"), [(2, 5), (4, 3), (1, 8)])
def test_equal_to_d2l_given_offset_and_order(
    monkeypatch, batch_size, num_steps
):
    d2l = import_d2l()
    for offset in range(num_steps):
        monkeypatch.setattr(random, "randint", lambda a, b, o=offset: o)
        theirs = list(
            d2l.seq_data_iter_sequential(IDS.tolist(), batch_size, num_steps)
        )
        ours = list(
            sequential_batches(IDS, batch_size, num_steps, offset=offset)
        )
        assert len(ours) == len(theirs) > 0
        for (X, Y), (X2, Y2) in zip(ours, theirs, strict=True):
            assert torch.equal(X, X2)
            assert torch.equal(Y, Y2)

        ours = list(
            random_batches(IDS, batch_size, num_steps, seeded(offset), offset)
        )
        order = [int(row[0]) - offset for X, _ in ours for row in X]

        def shuffle(starts, order=order):
            rest = [start for start in starts if start not in order]
            starts[:] = order + rest

        monkeypatch.setattr(random, "shuffle", shuffle)
        theirs = list(
            d2l.seq_data_iter_random(IDS.tolist(), batch_size, num_steps)
        )
        assert len(ours) == len(theirs) > 0
        for (X, Y), (X2, Y2) in zip(ours, theirs, strict=True):
            assert torch.equal(X, X2)
            assert torch.equal(Y, Y2)


class TestLoader:
    @pytest.mark.parametrize("sampling", ["sequential", "random"])
    @pytest.mark.parametrize(
        ("n", "batch_size", "num_steps"),
        [(35, 2, 5), (36, 2, 5), (39, 3, 4), (57, 4, 6), (100, 7, 3)],
    )
    def test_every_pass_has_the_same_length(
        self, sampling, n, batch_size, num_steps
    ):
        loader = SequenceLoader(
            torch.arange(n),
            batch_size,
            num_steps,
            sampling=sampling,
            generator=seeded(0),
        )
        sampler = (
            sequential_batches if sampling == "sequential" else random_batches
        )
        possible = [
            len(
                list(
                    sampler(
                        torch.arange(n), batch_size, num_steps, seeded(0), o
                    )
                )
            )
            for o in range(num_steps)
        ]
        assert len(loader) == min(possible) > 0
        assert {len(list(loader)) for _ in range(20)} == {len(loader)}

    def test_each_pass_draws_anew_from_the_generator(self):
        loader = SequenceLoader(IDS, 2, 5, generator=seeded(1))
        firsts = [int(next(iter(loader))[0][0, 0]) for _ in range(40)]
        assert set(firsts) == {0, 1, 2, 3, 4}
        again = SequenceLoader(IDS, 2, 5, generator=seeded(1))
        assert [int(next(iter(again))[0][0, 0]) for _ in range(40)] == firsts

    def test_a_pass_is_one_of_the_sampler(self):
        for name, sampler in zip(("random", "sequential"), BOTH, strict=True):
            loader = SequenceLoader(
                IDS, 2, 5, sampling=name, generator=seeded(4)
            )
            assert rows(loader) == rows(sampler(IDS, 2, 5, seeded(4)))[:3]
            assert loader.sequential is (name == "sequential")

    def test_sequential_by_default(self):
        assert SequenceLoader(IDS, 2, 5).sequential


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64])
def test_small_integers_do_not_wrap(kind):
    ids = torch.arange(4000)
    for sampler in (random_batches, sequential_batches):
        X, _ = next(sampler(ids, kind(100), kind(10), offset=kind(3)))
        assert X.shape == (100, 10)
    assert len(SequenceLoader(ids, kind(100), kind(10))) == 3
