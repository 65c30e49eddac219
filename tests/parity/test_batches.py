"""Minibatches: the same windows as d2l's, given the same offset and order."""

import random

import pytest
import torch

from unrolled.batches import (
    SequenceLoader,
    random_batches,
    sequential_batches,
)
from unrolled.vocab import Vocab, character_stream

SIZES = [(32, 35), (3, 7), (1, 16), (5, 1)]


def ids_of(text):
    stream = character_stream(text, joining="edition")[:10_000]
    return torch.tensor(Vocab(list(stream))[list(stream)])


def same(ours, theirs):
    """The same minibatches, at least one."""
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs) > 0
    for (X, Y), (X2, Y2) in zip(ours, theirs, strict=True):
        assert torch.equal(X, X2)
        assert torch.equal(Y, Y2)


@pytest.mark.parametrize(("batch_size", "num_steps"), SIZES)
def test_sequential(text, d2l, monkeypatch, batch_size, num_steps):
    ids = ids_of(text)
    for offset in {0, num_steps // 2, num_steps - 1}:
        monkeypatch.setattr(random, "randint", lambda a, b, o=offset: o)
        same(
            sequential_batches(ids, batch_size, num_steps, offset=offset),
            d2l.seq_data_iter_sequential(ids.tolist(), batch_size, num_steps),
        )


@pytest.mark.parametrize(("batch_size", "num_steps"), SIZES)
def test_random(text, d2l, monkeypatch, batch_size, num_steps):
    ids = ids_of(text)
    for offset in {0, num_steps // 2, num_steps - 1}:
        # number each token by its place, to read the order off
        places = torch.arange(len(ids))
        generator = torch.Generator().manual_seed(offset)
        order = [
            int(row[0]) - offset
            for X, _ in random_batches(
                places, batch_size, num_steps, generator, offset
            )
            for row in X
        ]

        def shuffle(starts, order=order):
            rest = [start for start in starts if start not in set(order)]
            starts[:] = order + rest

        monkeypatch.setattr(random, "randint", lambda a, b, o=offset: o)
        monkeypatch.setattr(random, "shuffle", shuffle)
        generator = torch.Generator().manual_seed(offset)
        same(
            random_batches(ids, batch_size, num_steps, generator, offset),
            d2l.seq_data_iter_random(ids.tolist(), batch_size, num_steps),
        )


class TestDifferences:
    """Each shows d2l's behaviour and ours."""

    def test_offset(self, d2l, monkeypatch):
        drawn = []

        def randint(low, high):
            drawn.append((low, high))
            return high

        monkeypatch.setattr(random, "randint", randint)
        # the largest offset skips a whole window
        (X, _), *_ = d2l.seq_data_iter_sequential(list(range(35)), 2, 5)
        assert drawn == [(0, 5)]
        assert X[0, 0] == 5
        firsts = {
            int(
                next(iter(sequential_batches(torch.arange(35), 2, 5)))[0][0, 0]
            )
            for _ in range(300)
        }
        assert firsts == {0, 1, 2, 3, 4}

    @pytest.mark.filterwarnings("ignore:Converting a tensor with")
    def test_the_random_run_reuses_the_sequential_iterator(
        self, d2l, reads, text
    ):
        reads(text)
        loader, vocab = d2l.load_data_time_machine(8, 10)
        read = []

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.zeros(len(vocab)))

            def begin_state(self, batch_size, device):
                return torch.zeros(1)

            def forward(self, X, state):
                read.append(X)
                logits = self.weight.expand(X.numel(), len(vocab))
                return logits, state

        # what the chapter's "random" run passes on
        d2l.train_epoch_ch8(
            Net(),
            loader,
            torch.nn.CrossEntropyLoss(),
            torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1),
            "cpu",
            use_random_iter=True,
        )
        # each minibatch still continues the one before
        stream = loader.corpus
        rows = torch.cat(read, 1)
        for row in rows.tolist():
            starts = range(len(stream) - len(row) + 1)
            assert any(stream[s : s + len(row)] == row for s in starts)

        generator = torch.Generator().manual_seed(0)
        places = torch.arange(len(stream))
        ours = SequenceLoader(
            places, 8, 10, sampling="random", generator=generator
        )
        rows = torch.cat([X for X, _ in ours], 1)
        assert (rows.diff() == 1).all(1).sum() == 0

    def test_a_text_that_is_too_short(self, d2l):
        for sampler in (
            d2l.seq_data_iter_random,
            d2l.seq_data_iter_sequential,
        ):
            assert list(sampler(list(range(9)), 4, 5)) == []
        for sampler in (random_batches, sequential_batches):
            with pytest.raises(ValueError, match="ids must hold at least"):
                sampler(torch.arange(9), 4, 5)

    def test_global_random_state(self, d2l):
        random.seed(0)
        before = random.getstate()
        list(d2l.seq_data_iter_random(list(range(35)), 2, 5))
        assert random.getstate() != before
        before, torchs = random.getstate(), torch.get_rng_state()
        generator = torch.Generator().manual_seed(0)
        list(random_batches(torch.arange(35), 2, 5, generator))
        assert random.getstate() == before
        assert torch.equal(torch.get_rng_state(), torchs)
