"""Training: clipping, scoring, the loop against a hand-written one, errors."""

import contextlib
import copy
import inspect
import itertools
import math
import re
import threading

import pytest
import torch
from torch.nn.functional import cross_entropy

from helpers import raises, seeded, small, text
from unrolled import training
from unrolled.batches import SequenceLoader
from unrolled.evaluation import DivergenceError, evaluate
from unrolled.ngrams import NgramLM
from unrolled.stacked import StackedRNNLM
from unrolled.training import clip_gradients, train


def loader(n=120, sampling="sequential", seed=3):
    return SequenceLoader(
        text(n), 3, 5, sampling=sampling, generator=seeded(seed)
    )


def sgd(model, rate=0.5):
    return torch.optim.SGD(model.parameters(), lr=rate)


@pytest.fixture(autouse=True)
def nothing_shared_between_processes(monkeypatch):
    """tqdm's monitor thread does not survive mutmut's fork, and its lock is
    shared by all processes: one that ends while holding it stops the others.
    """
    monkeypatch.setattr(training.tqdm, "monitor_interval", 0)
    training.tqdm.set_lock(threading.RLock())


class TestClipping:
    def params(self, *gradients):
        found = []
        for gradient in gradients:
            p = torch.zeros(len(gradient), requires_grad=True)
            p.grad = torch.tensor(gradient)
            found.append(p)
        return found

    def test_by_hand(self):
        # together (3, 4, 12): norm 13
        params = self.params([3.0, 4.0], [12.0])
        assert clip_gradients(params, 1.0) == pytest.approx(13)
        assert params[0].grad.tolist() == pytest.approx([3 / 13, 4 / 13])
        assert params[1].grad.tolist() == pytest.approx([12 / 13])

    @pytest.mark.parametrize("theta", [5.0, 5.1, 1e9, math.inf])
    def test_inside_the_ball_nothing_changes(self, theta):
        params = self.params([3.0, 4.0])
        assert clip_gradients(params, theta) == pytest.approx(5)
        assert params[0].grad.tolist() == [3.0, 4.0]

    def test_direction_kept_and_in_place(self):
        params = self.params([0.3, -7.0, 2.0], [5.0])
        gradients = [p.grad for p in params]
        before = torch.cat([g.clone() for g in gradients])
        clip_gradients(params, 2.5)
        after = torch.cat(gradients)  # the very tensors
        assert after.norm().item() == pytest.approx(2.5, rel=1e-6)
        cosine_of = torch.cosine_similarity(before, after, dim=0)
        assert cosine_of.item() == pytest.approx(1)

    def test_against_torch(self):
        for theta in (0.1, 1.0, 100.0):
            ours = self.params([1.0, -2.0], [3.0, 0.5, 7.0])
            theirs = self.params([1.0, -2.0], [3.0, 0.5, 7.0])
            norm = clip_gradients(ours, theta)
            expected = torch.nn.utils.clip_grad_norm_(theirs, theta)
            assert norm == pytest.approx(expected.item())
            for a, b in zip(ours, theirs, strict=True):
                assert torch.allclose(a.grad, b.grad, rtol=1e-5)

    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            ([3e20, 4e20], torch.float32),
            ([3e37, -2e38], torch.float32),
            ([300.0, 400.0], torch.float16),
        ],
    )
    def test_squares_beyond_the_largest_number(self, values, dtype):
        p = torch.zeros(2, dtype=dtype)
        p.grad = torch.tensor(values, dtype=dtype)
        length = math.hypot(*values)
        assert clip_gradients([p], 2.0) == pytest.approx(length, rel=1e-3)
        assert p.grad.tolist() == pytest.approx(
            [2 * value / length for value in values], rel=2e-3
        )

    def test_without_gradients_and_from_a_generator(self):
        bare = torch.zeros(3, requires_grad=True)
        params = self.params([3.0, 4.0])
        norm = clip_gradients((p for p in [bare, *params]), 1.0)
        assert norm == pytest.approx(5)
        assert params[0].grad.norm().item() == pytest.approx(1)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_does_not_underflow(self, dtype):
        p = torch.zeros(100, dtype=dtype, requires_grad=True)
        p.grad = torch.full((100,), 1e-4, dtype=dtype)
        norm = clip_gradients([p], 1e-4)
        assert norm == pytest.approx(1e-3, rel=0.01)
        assert p.grad.float().norm().item() == pytest.approx(1e-4, rel=0.02)


def by_hand(model, batches, num_epochs, rate, theta, sequential):
    """The same training, written out."""
    norms, perplexities = [], []
    for _ in range(num_epochs):
        state, total, count = None, 0.0, 0
        for X, Y in batches:
            if state is None or not sequential:
                state = torch.zeros(len(X), model.num_hiddens)
            logits, state = model(X, state.detach())
            loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
            model.zero_grad()
            loss.backward()
            norm = torch.cat(
                [p.grad.flatten() for p in model.parameters()]
            ).norm()
            norms.append(norm.item())
            with torch.no_grad():
                for p in model.parameters():
                    p -= rate * min(1, theta / norm.item()) * p.grad
            total += loss.item() * Y.numel()
            count += Y.numel()
        perplexities.append(math.exp(total / count))
    return norms, perplexities


class TestLoop:
    @pytest.mark.parametrize("sampling", ["sequential", "random"])
    @pytest.mark.parametrize("theta", [0.05, math.inf])
    def test_against_a_hand_written_loop(self, sampling, theta):
        ours, theirs = small(), small()
        history = train(
            ours,
            loader(sampling=sampling),
            4,
            sgd(ours),
            theta=theta,
            progress=False,
        )
        norms, perplexities = by_hand(
            theirs,
            loader(sampling=sampling),
            4,
            0.5,
            theta,
            sampling == "sequential",
        )
        assert history.norms == pytest.approx(norms, rel=1e-4)
        assert history.train == pytest.approx(perplexities, rel=1e-4)
        assert len(history.norms) == 4 * len(loader())
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-3, atol=1e-5)
        assert history.tokens_per_second > 0
        assert history.held_out == {}
        assert history.best_epoch is None

    def test_the_norm_is_at_most_1_unless_another_is_asked(self):
        moved = []
        for options in ({}, {"theta": 2.0}):
            model = small()
            with torch.no_grad():
                model.W_hq.mul_(50)  # a steep start
            before = [p.clone() for p in model.parameters()]
            once = SequenceLoader(text(60), 2, 20)
            assert len(once) == 1
            history = train(
                model, once, 1, sgd(model), progress=False, **options
            )
            assert history.norms[0] > 2
            moves = zip(model.parameters(), before, strict=True)
            moved.append(torch.cat([(p - q).flatten() for p, q in moves]))
        assert moved[0].norm().item() == pytest.approx(0.5 * 1)
        assert moved[1].norm().item() == pytest.approx(0.5 * 2)

    def test_it_learns(self):
        model = small()
        data = SequenceLoader(text(1500), 8, 10, generator=seeded(0))
        train(
            model,
            data,
            15,
            torch.optim.Adam(model.parameters(), 0.02),
            progress=False,
        )
        new = text(500, seed=9)
        bigram = NgramLM(2, 6, 1.0).fit(text(1500))
        assert evaluate(model, new) < 1.1 * bigram.perplexity(new)
        assert evaluate(model, new) < 3

    def test_held_out_at_the_chosen_epochs(self):
        model, new = small(), text(80, seed=9)
        history = train(
            model,
            loader(),
            6,
            sgd(model),
            held_out=new,
            evaluate_at=[1, 4, 6],
            progress=False,
        )
        assert list(history.held_out) == [1, 4, 6]
        assert history.held_out[6] == evaluate(model, new)
        best = min(history.held_out.values())
        assert history.held_out[history.best_epoch] == best
        every = train(
            small(), loader(), 3, sgd(model), held_out=new, progress=False
        )
        assert list(every.held_out) == [1, 2, 3]

    def worsening(self, **options):
        """A text to train on that leads away from the held-out one."""
        model = small()
        constant = SequenceLoader(torch.zeros(60, dtype=torch.int64), 3, 5)
        history = train(
            model,
            constant,
            8,
            sgd(model, 1.0),
            held_out=text(80),
            progress=False,
            **options,
        )
        return model, history

    def test_keep_best(self):
        model, history = self.worsening(keep_best=True)
        assert history.best_epoch == 1
        assert len(history.held_out) == 8
        assert evaluate(model, text(80)) == pytest.approx(history.held_out[1])
        model, history = self.worsening()
        assert evaluate(model, text(80)) == pytest.approx(history.held_out[8])

    def test_schedule(self):
        seen = []

        def schedule(done):
            seen.append(done)
            return 0.5

        model, other = small(), small()
        optimizer = sgd(model, 0.8)
        train(model, loader(), 2, optimizer, schedule=schedule, progress=False)
        updates = 2 * len(loader())
        assert seen == pytest.approx([i / updates for i in range(updates)])
        assert optimizer.param_groups[0]["lr"] == 0.8  # as it was
        train(other, loader(), 2, sgd(other, 0.4), progress=False)
        for a, b in zip(model.parameters(), other.parameters(), strict=True):
            assert torch.allclose(a, b)

    def test_averaging(self):
        model, follower = small(), small()
        mean = [p.detach().clone() for p in follower.parameters()]
        for updates, (X, Y) in enumerate(loader(), start=1):
            if updates == 1:
                state = follower.begin_state(len(X))
            logits, state = follower(X, state.detach())
            loss = cross_entropy(logits.flatten(0, 1), Y.T.flatten())
            follower.zero_grad()
            loss.backward()
            decay = min(0.6, (1 + updates) / (10 + updates))
            with torch.no_grad():
                for m, p in zip(mean, follower.parameters(), strict=True):
                    p -= 0.5 * p.grad
                    m += (1 - decay) * (p - m)
        new = text(60, seed=2)
        history = train(
            model,
            loader(),
            1,
            sgd(model),
            theta=math.inf,
            averaging=0.6,
            held_out=new,
            progress=False,
        )
        for a, b in zip(model.parameters(), mean, strict=True):
            assert torch.allclose(a, b, atol=1e-5)
        # it is the average that was scored
        assert history.held_out[1] == pytest.approx(evaluate(model, new))

    def test_averaging_keeps_the_best_average(self):
        model, history = self.worsening(averaging=0.5, keep_best=True)
        best = history.held_out[history.best_epoch]
        assert evaluate(model, text(80)) == pytest.approx(best)

    def test_a_loader_without_a_length(self):
        """Only a schedule has to know how many minibatches come."""
        model, other, minibatches = small(), small(), list(loader())

        class Stream:
            sequential = True

            def __iter__(self):
                return iter(minibatches)

        train(model, Stream(), 1, sgd(model), progress=False)
        train(other, loader(), 1, sgd(other), progress=False)
        for a, b in zip(model.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)

    def test_reproducible(self):
        runs = []
        for _ in range(2):
            model = StackedRNNLM(6, 8, dropout=0.3, generator=seeded(1))
            history = train(model, loader(), 2, sgd(model), progress=False)
            runs.append(history.train)
        assert runs[0] == runs[1]

    def test_the_progress_bar(self, capsys, monkeypatch):
        model = small()
        train(model, loader(), 2, sgd(model), progress=False)
        assert capsys.readouterr().err == ""
        train(model, loader(), 2, sgd(model), progress=True)
        assert "2/2" in capsys.readouterr().err
        monkeypatch.setenv("UNROLLED_PROGRESS", "0")
        train(model, loader(), 2, sgd(model))
        assert capsys.readouterr().err == ""
        monkeypatch.delenv("UNROLLED_PROGRESS")
        history = train(
            model, loader(), 1, sgd(model), held_out=text(50), evaluate_at=[1]
        )
        err = capsys.readouterr().err
        assert re.search(r"[\d?]epoch/s|s/epoch", err)  # the unit
        assert f"held_out={history.held_out[1]:.3g}" in err

    def test_a_loss_that_is_not_finite(self):
        model = small()
        with torch.no_grad():
            model.W_hq.fill_(math.nan)
        with raises(
            DivergenceError,
            "the loss is nan in epoch 1; try a smaller learning rate, a "
            "smaller theta or smaller initial weights",
        ):
            train(model, loader(), 2, sgd(model), progress=False)

    def test_a_gradient_that_is_not_finite(self):
        model = small()
        before = copy.deepcopy(model.state_dict())
        model.b_q.register_hook(lambda gradient: gradient * math.nan)
        with raises(
            DivergenceError,
            "the gradient's norm is nan in epoch 1; try a smaller learning "
            "rate, a smaller theta or smaller initial weights",
        ):
            train(model, loader(), 2, sgd(model), progress=False)
        for name, value in model.state_dict().items():
            assert torch.equal(value, before[name])

    def test_a_last_update_that_ruins_the_model(self):
        model = small()
        data = SequenceLoader(text(60), 2, 20)
        with raises(
            DivergenceError,
            "the model gives nan; try a smaller learning rate, a smaller "
            "theta or smaller initial weights",
        ):
            train(
                model,
                data,
                1,
                sgd(model, math.inf),
                held_out=text(50),
                progress=False,
            )

    @pytest.mark.parametrize(
        ("keep_best", "averaging"), [(True, None), (True, 0.9), (False, 0.9)]
    )
    def test_what_is_left_after_an_interrupt(self, keep_best, averaging):
        class Cut(SequenceLoader):
            """Ends, or is interrupted, in its third pass."""

            passes, interrupt = 0, False

            def __iter__(self):
                self.passes += 1
                for n, pair in enumerate(super().__iter__()):
                    if self.passes == 3 and n == 1:
                        if self.interrupt:
                            raise KeyboardInterrupt
                        return
                    yield pair

        def run(num_epochs, interrupt=False):
            model = small()
            optimizer = sgd(model, 0.3)
            data = Cut(text(120), 3, 5, generator=seeded(3))
            data.interrupt = interrupt
            with contextlib.suppress(KeyboardInterrupt):
                train(
                    model,
                    data,
                    num_epochs,
                    optimizer,
                    schedule=lambda done: 0.5,
                    held_out=text(80, seed=9),
                    keep_best=keep_best,
                    averaging=averaging,
                    progress=False,
                )
            assert data.passes == min(num_epochs, 3)
            assert optimizer.param_groups[0]["lr"] == 0.3
            return model.state_dict()

        # without keep_best the average has seen one update more
        expected = run(2 if keep_best else 3)
        for name, value in run(5, interrupt=True).items():
            assert torch.equal(value, expected[name])

    def test_an_equal_score_is_no_better_one(self):
        model = small()
        history = train(
            model,
            loader(),
            9,
            sgd(model, 0.0),
            held_out=text(80, seed=9),
            progress=False,
        )
        assert len(set(history.held_out.values())) == 1
        assert history.best_epoch == 1

    def test_it_diverges_with_a_huge_rate(self):
        model = small()
        with pytest.raises(DivergenceError, match=r"^the loss is .* epoch"):
            train(
                model,
                loader(),
                50,
                sgd(model, 1e38),
                theta=math.inf,
                progress=False,
            )


def test_labels_outside_the_vocabulary():
    model, ids = small(), text(9)
    before = copy.deepcopy(model.state_dict())

    class Last:
        """One minibatch whose last label is not what it should be."""

        sequential = True

        def __init__(self, labels):
            self.labels = labels

        def __len__(self):
            return 1

        def __iter__(self):
            yield ids[None, :-1], self.labels

    for wrong, kind, message in (
        (6, ValueError, "Y must be in 0..5, got 6"),
        (-1, ValueError, "Y must be in 0..5, got -1"),
        (-100, ValueError, "Y must be in 0..5, got -100"),  # torch skips it
        (0.5, TypeError, "Y must hold integers, got torch.float32"),
    ):
        labels = ids[None, 1:].clone().to(torch.tensor(wrong).dtype)
        labels[0, -1] = wrong
        with pytest.raises(kind, match="^" + re.escape(message)):
            train(model, Last(labels), 1, sgd(model), progress=False)
    with raises(ValueError, "Y must have the shape of X, (1, 8), got (1, 7)"):
        train(model, Last(ids[None, 2:]), 1, sgd(model), progress=False)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


class TestDetails:
    """What no chapter would notice."""

    def test_defaults(self):
        def default(function, name):
            return inspect.signature(function).parameters[name].default

        assert default(train, "theta") == 1.0

    def test_an_average_with_no_memory_is_the_model(self):
        models = [small(), small()]
        for model, averaging in zip(models, (None, 0.0), strict=True):
            options = {"averaging": averaging, "progress": False}
            train(model, loader(), 2, sgd(model), **options)
        for a, b in zip(*(m.parameters() for m in models), strict=True):
            assert torch.equal(a, b)

    def test_tokens_per_second_by_the_clock(self, monkeypatch):
        ticks = itertools.count(0.0, 2.0)
        monkeypatch.setattr(training.time, "perf_counter", lambda: next(ticks))
        model, minibatches = small(), loader()
        history = train(model, minibatches, 3, sgd(model), progress=False)
        tokens = 3 * len(minibatches) * 3 * 5  # rows and steps
        assert history.tokens_per_second == tokens / (3 * 2.0)
