"""Shared rows and averaged gradients: real groups, of threads."""

import math
import os
import signal
import time

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy

from helpers import raises, seeded, small, text, together
from unrolled import sharing
from unrolled.batches import SequenceLoader
from unrolled.sharing import (
    LostProcessError,
    SharedRows,
    all_reduce,
    average_gradients,
    averaging_gradients,
    check_alike,
    device,
    joined,
)
from unrolled.training import clip_gradients


def loader(seed=3, rows=6, sampling="sequential"):
    return SequenceLoader(
        text(200), rows, 5, sampling=sampling, generator=seeded(seed)
    )


class TestSharedRows:
    @pytest.mark.parametrize("size", [1, 2, 3, 6])
    @pytest.mark.parametrize("sampling", ["sequential", "random"])
    def test_together_they_are_the_minibatch(self, size, sampling):
        shares = [
            SharedRows(loader(sampling=sampling), rank, size)
            for rank in range(size)
        ]
        whole = loader(sampling=sampling)
        for share in shares:
            assert len(share) == len(whole) > 3
            assert share.sequential == (sampling == "sequential")
        passes = 0
        for _ in range(2):  # the second pass has another offset
            for (X, Y), *parts in zip(whole, *shares, strict=True):
                assert {len(x) for x, _ in parts} == {6 // size}
                assert torch.equal(torch.cat([x for x, _ in parts]), X)
                assert torch.equal(torch.cat([y for _, y in parts]), Y)
                passes += 1
        assert passes == 2 * len(whole)


class TestAllReduce:
    def test_sums_and_the_largest(self):
        def work(rank, group):
            sums = torch.tensor([1.0, 10.0]) * (rank + 1)
            most = torch.tensor([rank, -rank])
            all_reduce(sums, group)
            all_reduce(most, group, dist.ReduceOp.MAX)
            return sums.tolist(), most.tolist()

        assert together(work, 3) == [([6, 60], [2, 0])] * 3

    def test_one_process_has_nothing_to_add(self):
        values = torch.tensor([1.0, 2.0])
        all_reduce(values, None)
        assert values.tolist() == [1, 2]

    def test_a_process_that_goes(self):
        def work(rank, group):
            if rank == 1:
                return
            all_reduce(torch.ones(3), group)

        error, _ = together(work)
        assert isinstance(error, LostProcessError)
        assert str(error) == "another process has gone"
        assert isinstance(error.__cause__, RuntimeError)

    def test_a_process_that_is_silent(self):
        def work(rank, group):
            if rank == 1:
                time.sleep(1)
                return
            all_reduce(torch.ones(3), group)

        error, _ = together(work, seconds=0.2)
        assert isinstance(error, LostProcessError)
        assert str(error) == "another process gives no answer"


def with_gradients(*gradients):
    found = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(found, gradients, strict=True):
        parameter.grad = gradient
    return found


class TestAveraging:
    def test_by_hand(self, monkeypatch):
        sent = []
        real = sharing.all_reduce
        monkeypatch.setattr(
            sharing,
            "all_reduce",
            lambda flat, group: sent.append(len(flat)) or real(flat, group),
        )

        def work(rank, group):
            params = with_gradients(
                torch.tensor([[1.0, 2.0]]) * (1 + 2 * rank),
                torch.tensor([5.0 + rank]),
            )
            average_gradients(iter(params), group)
            return [p.grad.tolist() for p in params]

        # (1, 2) and (3, 6), 5 and 6
        assert together(work) == [[[[2, 4]], [5.5]]] * 2
        assert sent == [3, 3]  # one message from each

    def test_of_one_process(self):
        params = with_gradients(torch.tensor([3.0, 4.0]))
        average_gradients(params, None)
        assert params[0].grad.tolist() == [3, 4]

    def backward(self, model, X, Y):
        logits, _ = model(X)
        cross_entropy(logits.flatten(0, 1), Y.T.flatten()).backward()
        return [p.grad.clone() for p in model.parameters()]

    def test_it_is_the_gradient_of_all_rows(self):
        whole = small()
        X, Y = next(iter(loader()))
        expected = self.backward(whole, X, Y)

        def work(rank, group):
            model, found = small(), []
            with averaging_gradients(model, group):
                for _ in range(2):  # each backward pass, not the first only
                    model.zero_grad()
                    rows = slice(3 * rank, 3 * rank + 3)
                    found += [self.backward(model, X[rows], Y[rows])]
            model.zero_grad()
            alone = self.backward(model, X[rows], Y[rows])
            return *found, alone

        for *averaged, alone in together(work):
            for found in averaged:
                for a, b in zip(found, expected, strict=True):
                    assert torch.allclose(a, b, atol=1e-7)
            # afterwards the hooks are gone
            assert not torch.allclose(alone[0], expected[0], atol=1e-3)

    def test_the_mean_is_clipped_and_not_the_other_way_round(self):
        def work(rank, group):
            line = nn.Linear(2, 1, bias=False)
            with averaging_gradients(line, group):
                slopes = ([3.0, 0.0], [0.0, 1.0])[rank]
                line(torch.tensor(slopes)).backward()
            norm = clip_gradients(line.parameters(), 1.0)
            return norm, line.weight.grad.tolist()

        # the mean of (3, 0) and (0, 1) is (1.5, 0.5)
        norm = math.hypot(1.5, 0.5)
        for found, gradient in together(work):
            assert found == pytest.approx(norm)
            expected = [1.5 / norm, 0.5 / norm]
            assert gradient[0] == pytest.approx(expected)

    def test_frozen_parameters_are_left_out(self):
        model = small()
        model.W_xh.requires_grad_(False)
        X, Y = next(iter(loader()))
        logits, _ = model(X)
        with averaging_gradients(model, None):
            cross_entropy(logits.flatten(0, 1), Y.T.flatten()).backward()
        assert model.W_xh.grad is None
        assert model.W_hh.grad.abs().max() > 0

    def test_a_parameter_that_has_no_part_in_the_loss(self):
        pair = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])

        def half():
            with averaging_gradients(pair, None):
                pair[0](torch.ones(1)).backward()

        message = "model must use all 4 parameters, got gradients for 2"
        with raises(ValueError, message):
            half()

        def another_error():
            with averaging_gradients(pair, None):
                pair[0](torch.ones(1)).backward()
                raise KeyError

        with pytest.raises(KeyError):  # what went wrong first is what is said
            another_error()


class TestAlike:
    def alike(self, model_of, seed_of, size=3):
        return together(
            lambda rank, group: check_alike(
                model_of(rank), seeded(seed_of(rank)), group
            ),
            size,
        )

    def test_they_are(self):
        assert self.alike(lambda rank: small(), lambda rank: 5) == [None] * 3
        check_alike(small(), seeded(0), None)

    @pytest.mark.parametrize("other", [0, 1, 2])
    @pytest.mark.parametrize("last", [False, True])
    def test_one_bit_differs(self, other, last):
        def model_of(rank):
            model = small()
            if rank == other:
                with torch.no_grad():
                    value = model.b_q if last else model.W_xh
                    value[-1] = torch.nextafter(value[-1], value[-1] + 1)
            return model

        message = (
            "the processes must have the same parameters and generators; do "
            "all of them have the same seed, and read the same checkpoint?"
        )
        for error in self.alike(model_of, lambda rank: 5):
            assert isinstance(error, ValueError)
            assert str(error) == message

    def test_one_draws_otherwise(self):
        for error in self.alike(lambda rank: small(), lambda rank: rank // 2):
            assert isinstance(error, ValueError)


def test_the_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert device() == torch.device("cpu")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device() == torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert device() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")  # one would have none
    assert device() == torch.device("cpu")


class TestJoining:
    def test_without_torchrun(self, monkeypatch):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        with joined(1.0) as (group, first):
            assert group is None
            assert first()
            assert first()

    @pytest.mark.parametrize("here", ["1", "2"])
    def test_a_group_of_one(self, monkeypatch, here):
        """As torchrun would start it."""
        store = dist.TCPStore("127.0.0.1", 0, 1, True)  # finds a free port
        for name, value in {
            "RANK": "0",
            "WORLD_SIZE": "1",
            "LOCAL_WORLD_SIZE": here,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(store.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": "0",
            "GLOO_SOCKET_IFNAME": "",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GLOO_SOCKET_IFNAME")
        asked, real = {}, dist.init_process_group

        def note(*args, **options):
            asked.update(options)
            return real(*args, **options)

        monkeypatch.setattr(dist, "init_process_group", note)
        with joined(7.5) as (group, first):
            assert (group.rank(), group.size()) == (0, 1)
            assert dist.get_backend(group) == "gloo"
            with raises(
                LostProcessError, "another process has gone, or it was told to"
            ):
                os.kill(os.getpid(), signal.SIGTERM)
            assert [first(), first(), first()] == [True, False, False]
            os.kill(os.getpid(), signal.SIGTERM)  # too late to matter
            values = torch.ones(2)
            all_reduce(values, group)
            assert values.tolist() == [1, 1]
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert asked["timeout"].total_seconds() == 7.5
        assert not dist.is_initialized()
        # among processes of one machine only
        assert ("GLOO_SOCKET_IFNAME" in os.environ) == (here == "1")
        with pytest.raises(KeyError), joined(7.5):
            raise KeyError
        assert not dist.is_initialized()
