"""The same parameters with one process and several, and after a stop.

Processes are threads with real groups, but for the last tests, which start
torchrun.
"""

import contextlib
import math
import os
import re
import subprocess
import sys
import threading

import pytest
import torch

from helpers import raises, seeded, small, text, together
from unrolled import distributed, resuming
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import load_model
from unrolled.distributed import (
    _train_on_text,
    main,
    parser,
    train_together,
)
from unrolled.evaluation import DivergenceError, evaluate
from unrolled.resuming import load_checkpoint
from unrolled.schedules import cosine
from unrolled.stacked import StackedRNNLM
from unrolled.training import train

EPOCHS = 5  # of 10 updates


@pytest.fixture(autouse=True)
def nothing_shared_between_processes(monkeypatch):
    """See test_training: tqdm's lock and monitor do not survive a fork."""
    monkeypatch.setattr(distributed.tqdm, "monitor_interval", 0)
    distributed.tqdm.set_lock(threading.RLock())


def loader(rows=6, sampling="sequential", kind=SequenceLoader):
    return kind(
        text(rows * 52), rows, 5, sampling=sampling, generator=seeded(3)
    )


def adam(model, rate=0.01):
    return torch.optim.Adam(model.parameters(), rate)


def sgd(model, rate=0.5):
    return torch.optim.SGD(model.parameters(), rate)


def run(group=None, model=None, make=adam, data=None, epochs=EPOCHS, **more):
    """Train a small network; the parameters and the history."""
    model = model or small()
    options = {"schedule": cosine, "averaging": 0.9, "theta": 0.5} | more
    history = train_together(
        model,
        data or loader(),
        epochs,
        make(model),
        group=group,
        held_out=text(80, seed=9),
        **options,
    )
    return model.state_dict(), history


def apart(a, b):
    """The largest difference of two sets of parameters."""
    assert a.keys() == b.keys()
    return max((a[name] - b[name]).abs().max().item() for name in a)


class TestTheSame:
    @pytest.mark.parametrize("make", [sgd, adam])
    @pytest.mark.parametrize("size", [None, 1, 2, 3])
    def test_as_train_after_50_updates(self, size, make):
        model, other = small(), small()
        new = text(80, seed=9)
        expected = train(
            model,
            loader(),
            EPOCHS,
            make(model),
            theta=0.5,
            schedule=cosine,
            averaging=0.9,
            held_out=new,
            progress=False,
        )
        assert len(expected.norms) == 50
        assert max(expected.norms) > 0.5 > min(expected.norms)  # some clipped
        if size:
            found = together(lambda _, group: run(group, make=make), size)
        else:
            found = [run(make=make)]
        for parameters, history in found:
            assert apart(parameters, found[0][0]) == 0
            assert apart(parameters, model.state_dict()) < 1e-6
            assert history.norms == pytest.approx(expected.norms, rel=1e-4)
            assert history.train == pytest.approx(expected.train, rel=1e-5)
            assert list(history.held_out) == [1, 2, 3, 4, 5]
            for epoch, score in expected.held_out.items():
                assert history.held_out[epoch] == pytest.approx(score, 1e-5)
            other.load_state_dict(parameters)
            assert history.held_out[5] == evaluate(other, new)

    def test_two_layers_random_minibatches_no_average(self):
        def work(_=0, group=None):
            model = StackedRNNLM(6, 8, 2, generator=seeded(1))
            data = loader(sampling="random")
            options = {"averaging": None, "theta": 0.4}
            return run(group, model, data=data, epochs=2, **options)

        expected, alone = work()
        for parameters, history in together(work):
            assert apart(parameters, expected) < 1e-6
            assert history.train == pytest.approx(alone.train, rel=1e-5)
        loose, _ = run(theta=math.inf, make=sgd, schedule=lambda done: 1.0)
        tight, _ = run(make=sgd, schedule=lambda done: 1.0)
        assert apart(loose, tight) > 1e-3

    def test_without_a_schedule_the_rate_stays(self):
        rates = []

        def make(model):
            optimizer = sgd(model)
            optimizer.register_step_pre_hook(
                lambda *_: rates.append(optimizer.param_groups[0]["lr"])
            )
            return optimizer

        model = small()
        train_together(model, loader(), 2, make(model))
        assert rates == [0.5] * 20

    def test_the_speed_is_that_of_all_together(self, monkeypatch):
        real = distributed.train

        def timed(*args, **options):
            history = real(*args, **options)
            history.tokens_per_second = 100.0
            return history

        monkeypatch.setattr(distributed, "train", timed)
        for _, history in together(lambda _, group: run(group), 3):
            assert history.tokens_per_second == 300

    def test_what_must_be_given(self):
        message = "rows must be a multiple of the 4 processes, got 6"
        for error in together(lambda _, group: run(group), 4):
            assert isinstance(error, ValueError)
            assert str(error) == message
        with raises(ValueError, "num_epochs must be at least 1, got 0"):
            run(epochs=0)

        def other_start(rank, group):
            return run(group, small(seed=rank))

        for error in together(other_start):
            assert "the processes must have the same" in str(error)
        # and nothing was learned until then
        models = [small(seed=0), small(seed=1)]
        together(lambda rank, group: run(group, models[rank]))
        for seed, model in enumerate(models):
            assert (
                apart(model.state_dict(), small(seed=seed).state_dict()) == 0
            )

    def test_processes_that_drift_apart(self):
        def work(rank, group):
            return run(group, make=lambda m: sgd(m, 0.5 + rank / 9))

        for error in together(work):
            assert isinstance(error, ValueError)
            assert "the processes must have the same" in str(error)


class Stop(SequenceLoader):
    """Ends in the fourth minibatch of its third pass."""

    passes = 0

    def __iter__(self):
        self.passes += 1
        for number, pair in enumerate(super().__iter__()):
            if self.passes == 3 and number == 3:
                raise KeyboardInterrupt
            yield pair


class TestGoingOn:
    @pytest.mark.parametrize("averaging", [None, 0.9])
    def test_as_if_it_had_not_stopped(self, tmp_path, averaging):
        path = tmp_path / "a.pt"
        options = {"checkpoint": path, "averaging": averaging}

        def stopped(_, group):
            return run(group, data=loader(kind=Stop), **options)

        whole = together(lambda _, group: run(group, averaging=averaging))
        errors = together(stopped)
        assert {type(error) for error in errors} == {KeyboardInterrupt}
        assert load_checkpoint(path)["epoch"] == 2
        copy = path.read_bytes()
        again = together(lambda _, group: run(group, **options))
        for (parameters, history), (expected, before) in zip(
            again, whole, strict=True
        ):
            assert apart(parameters, expected) == 0
            assert history.train == before.train
            assert history.held_out == before.held_out
            assert history.norms == before.norms[20:]
        # with another number of processes
        path.write_bytes(copy)
        parameters, history = run(**options)
        assert apart(parameters, expected) < 1e-6
        assert history.train == pytest.approx(before.train, rel=1e-5)

    def test_nothing_is_left_to_do(self, tmp_path):
        options = {"checkpoint": tmp_path / "a.pt"}
        parameters, before = run(**options)
        again, history = run(model=small(seed=5), **options)
        assert apart(parameters, again) == 0
        assert history.held_out == before.held_out
        assert history.norms == []
        assert history.tokens_per_second == 0

    def test_process_0_writes_after_each_epoch(self, tmp_path, monkeypatch):
        written = []
        monkeypatch.setattr(
            resuming,
            "save_checkpoint",
            lambda path, content: written.append((path, content["epoch"])),
        )
        together(
            lambda rank, group: run(group, checkpoint=tmp_path / f"{rank}.pt")
        )
        expected = [(tmp_path / "0.pt", n) for n in range(1, EPOCHS + 1)]
        assert written == expected

    def test_other_settings(self, tmp_path):
        options = {"checkpoint": tmp_path / "a.pt", "epochs": 1}
        run(settings={"rate": 1}, **options)
        with pytest.raises(ValueError, match="settings must be those of"):
            run(settings={"rate": 2}, **options)
        run(settings={"rate": 1}, **options)


def test_the_epoch_of_a_divergence():
    class Poison(Stop):
        def __iter__(self):
            self.passes += 1
            for X, Y in SequenceLoader.__iter__(self):
                if self.passes == 3:
                    with torch.no_grad():
                        model.b_q.fill_(math.nan)
                yield X, Y

    model = small()
    with pytest.raises(DivergenceError, match="the loss is nan in epoch 3; "):
        run(model=model, data=loader(kind=Poison))


def test_one_progress_bar(capsys, monkeypatch):
    together(lambda _, group: run(group))
    assert capsys.readouterr().err == ""  # UNROLLED_PROGRESS is 0 in tests
    monkeypatch.delenv("UNROLLED_PROGRESS")
    found = together(lambda _, group: run(group))
    bar = capsys.readouterr().err
    assert bar.count("| 0/5 [00:00<?, ?epoch/s]") == 1
    assert bar.count("100%") >= 1
    assert "epoch" in bar
    assert f"held_out={found[0][1].held_out[5]:.3g}" in bar


def test_the_bar_of_one_process_that_goes_on(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("UNROLLED_PROGRESS")
    options = {"checkpoint": tmp_path / "a.pt"}
    run(epochs=2, **options)
    capsys.readouterr()
    run(**options)
    bar = capsys.readouterr().err
    begins, *_, ends = re.findall(r"\| (\d/\d) \[", bar)
    assert (begins, ends) == ("2/5", "5/5")
    assert "/1 [" not in bar  # that of each epoch's training is off


def test_gradients_are_clipped_to_a_norm_of_1():
    def learn(**options):
        model = small()
        with torch.no_grad():
            model.W_hq *= 30  # far off, and sure
        history = train_together(model, loader(), 2, sgd(model), **options)
        return history.norms, model.state_dict()

    norms, parameters = learn()
    assert max(norms) > 1
    assert apart(parameters, learn(theta=1.0)[1]) == 0
    assert apart(parameters, learn(theta=2.0)[1]) > 0


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A file with a small text, and the options of a small network."""
    path = tmp_path_factory.mktemp("text") / "story.txt"
    words = "the cat sat on a mat and the dog ran to the old red barn "
    path.write_text(words * 40, "utf-8")
    options = {"rows": 4, "steps": 8, "units": 8, "epochs": 4, "rate": 0.01}
    options |= {"averaging": 0.9, "text": path}
    return [
        word
        for name, value in options.items()
        for word in (f"--{name}", str(value))
    ]


class TestCommandLine:
    def test_one_process(self, story, tmp_path, capsys, monkeypatch):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        ends, saved = tmp_path / "a.pt", tmp_path / "a.safetensors"
        files = ["--checkpoint", str(ends), "--save", str(saved)]
        assert main([*story, *files]) == 0
        said = capsys.readouterr().out
        kept = load_checkpoint(ends)
        assert said == (
            f"after epoch 4: perplexity {kept['train'][3]:.3f} in training, "
            f"{kept['held_out'][4]:.3f} held out\n"
        )
        assert kept["held_out"][4] < kept["held_out"][1]
        assert kept["settings"] == {
            "rows": 4,
            "steps": 8,
            "units": 8,
            "layers": 1,
            "epochs": 4,
            "rate": 0.01,
            "averaging": 0.9,
            "seed": 0,
            "characters": 40 * 57 - 1,
        }
        model, vocab = load_model(saved)
        assert vocab.to_tokens(1) == " "  # the most frequent one
        for name, value in kept["scored"].items():
            assert torch.equal(model.state_dict()[name], value)
        # the same command again has nothing to do
        assert main([*story, *files]) == 0
        assert capsys.readouterr().out == said

    def test_a_text_of_its_own_seed_and_sizes(self, story):
        args = [*story, "--layers", "2", "--seed", "7", "--epochs", "1"]
        found = {}
        for seed in ("7", "8"):
            options = parser().parse_args([*args, "--seed", seed])
            found[seed] = _train_on_text(options, None).train[0]
        assert found["7"] != found["8"]
        options = parser().parse_args(story)
        assert (options.rows, options.steps, options.units) == (4, 8, 8)
        assert parser().parse_args([]).timeout == 15.0
        assert parser().parse_args([]).checkpoint is None

    def test_what_the_options_become(self, story, monkeypatch):
        asked, seen = [], {}

        def text_of(**options):
            asked.append(options)
            return "the cat sat on the mat " * 50

        def note(*args, **options):
            seen.update(options, args=args)

        monkeypatch.setattr(distributed, "load_corpus", text_of)
        monkeypatch.setattr(distributed, "train_together", note)
        monkeypatch.setattr(distributed, "device", lambda: "meta")
        args = [*story, "--layers", "2", "--checkpoint", "a.pt"]
        _train_on_text(parser().parse_args(args), "a group")
        assert asked == [{"path": story[-1], "fallback": "builtin"}]
        model, data, epochs, optimizer = seen["args"]
        assert (model.num_hiddens, model.num_layers) == (8, 2)
        assert {p.device.type for p in model.parameters()} == {"meta"}
        assert (data.batch_size, data.num_steps, epochs) == (4, 8, 4)
        # the text is cut into parts of 80, 10 and 10 %
        assert (len(data.ids), len(seen["held_out"])) == (919, 115)
        assert optimizer.defaults["lr"] == 0.01
        assert optimizer.defaults["betas"] == (0.9, 0.99)
        assert seen["group"] == "a group"
        assert seen["schedule"] is cosine
        assert seen["averaging"] == 0.9
        assert seen["checkpoint"] == "a.pt"

    def test_only_process_0_saves(self, story, tmp_path):
        saved = tmp_path / "a.safetensors"
        options = parser().parse_args([*story, "--epochs", "1"])
        options.save = str(saved)
        written, real = [], distributed.save_model

        def save(*args):
            written.append(threading.current_thread())
            real(*args)

        threads = []

        def work(_, group):
            threads.append((group.rank(), threading.current_thread()))
            _train_on_text(options, group)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributed, "save_model", save)
            together(work)
        assert written == [dict(threads)[0]]
        assert saved.exists()

    def test_help_says_the_defaults(self, capsys):
        with pytest.raises(SystemExit):
            main(["--help"])
        said = " ".join(capsys.readouterr().out.split())
        assert said.startswith("usage: unrolled.distributed ")
        first, more = "started by torchrun.", "Appendix D teaches this module"
        assert f"Training with several processes, {first}" in said
        assert more not in said
        for words in (
            "--rows ROWS of a minibatch, shared by all processes (32)",
            "--steps STEPS of a window (64)",
            "--units UNITS of a layer (256)",
            "--layers LAYERS of the network (1)",
            "--epochs EPOCHS in all (15)",
            "--rate RATE of Adam, at its largest (0.002)",
            "AVERAGING decay of the average that is scored (0.999)",
            "--seed SEED of all that is drawn (0)",
            "TIMEOUT seconds that a process waits for another (15.0)",
            "--checkpoint FILE a file to go on from, written after each epoch",
            "--save FILE a file for the network at the end (safetensors)",
            "--text FILE a file to read in place of The Time Machine",
        ):
            assert words in said

    @pytest.mark.parametrize("rank", ["0", "1"])
    def test_one_message_at_the_end(
        self, story, tmp_path, capfd, monkeypatch, rank
    ):
        speaks, asked, groups = [True], [], []

        @contextlib.contextmanager
        def joined(seconds):
            asked.append(seconds)
            yield "the group", lambda: speaks[0]

        def run_into(error, *options):
            def fail(_, group):
                groups.append(group)
                raise error

            monkeypatch.setattr(distributed, "_train_on_text", fail)
            assert main([*story, *options, "--timeout", "3"]) == 1
            return capfd.readouterr()

        path = tmp_path / "a.pt"
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setattr(distributed, "joined", joined)
        lost = RuntimeError("another process has gone")
        start = f"unrolled: process {rank} stops: another process has gone."
        assert run_into(lost) == ("", start + "\n")
        files = ["--checkpoint", str(path)]
        expected = f"{start} There is no checkpoint yet.\n"
        assert run_into(lost, *files) == ("", expected)
        resuming.save_checkpoint(path, {"epoch": 3})
        expected = (
            f"{start} {path} holds epoch 3 of 4; the same command goes on "
            "from there.\n"
        )
        assert run_into(lost, *files) == ("", expected)
        wrong = ValueError("rows must be a multiple of the 2 processes, got 3")
        expected = f"unrolled: process {rank} stops: {wrong}.\n"
        assert run_into(wrong, *files) == ("", expected)
        for error in (ArithmeticError("x"), OSError("x")):
            assert run_into(error).err.endswith("stops: x.\n")
        speaks[0] = False  # another one has spoken
        assert run_into(lost) == ("", "")
        assert set(asked) == {3.0}
        assert set(groups) == {"the group"}
        with pytest.raises(KeyError):  # a fault of ours shows where it is
            run_into(KeyError("x"))

    def test_only_process_0_prints(self, story, capfd, monkeypatch):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        monkeypatch.setenv("RANK", "1")
        assert main([*story, "--epochs", "1"]) == 0
        with pytest.raises(SystemExit):
            main(["--rows", "many"])
        assert capfd.readouterr() == ("", "")


BROKEN = """
import os, signal, sys, time
from unrolled import distributed, sharing

kind, *options = sys.argv[1:]
average, updates = sharing.average_gradients, 0


def fails_once(*args):
    global updates
    updates += 1
    if os.environ["RANK"] == "1" and updates == 150:
        if kind == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)
    return average(*args)


sharing.average_gradients = fails_once
sys.exit(distributed.main(options))
"""


def torchrun(*arguments):
    """Start two processes; the exit status and what they said."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc-per-node", "2", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,  # on a busy machine
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    "MUTANT_UNDER_TEST" in os.environ, reason="changed code is here only"
)
class TestTorchrun:
    """56 updates in an epoch: the second process fails in the third one."""

    def without_a_stop(self, story, folder):
        """The checkpoints of one process and of two, at the end."""
        options = parser().parse_args(story)
        options.checkpoint = str(folder / "1.pt")
        _train_on_text(options, None)
        options.checkpoint = str(folder / "2.pt")
        together(lambda _, group: _train_on_text(options, group))
        return [load_checkpoint(folder / f"{size}.pt") for size in (1, 2)]

    @pytest.mark.parametrize("kind", ["dies", "hangs"])
    def test_a_failure_and_the_same_command_again(self, story, tmp_path, kind):
        one, two = self.without_a_stop(story, tmp_path)
        broken, path = tmp_path / "broken.py", tmp_path / "a.pt"
        broken.write_text(BROKEN, "utf-8")
        options = [*story, "--checkpoint", path]
        silent = ["--timeout", "4"] if kind == "hangs" else []
        status, said = torchrun(broken, kind, *options, *silent)
        assert status == 1
        what = "has gone" if kind == "dies" else "gives no answer"
        (message,) = re.findall("^unrolled: .*", said, flags=re.M)
        # torchrun's signal may come before the closed connection is seen
        message = message.replace("gone, or it was told to.", "gone.")
        assert message == (
            f"unrolled: process 0 stops: another process {what}. {path} holds "
            "epoch 2 of 4; the same command goes on from there."
        )
        assert said.count("Traceback") == 1  # torchrun's own report
        assert len(said.splitlines()) < 60
        assert load_checkpoint(path)["held_out"] == {
            epoch: score
            for epoch, score in two["held_out"].items()
            if epoch <= 2
        }
        if kind == "hangs":
            return
        status, said = torchrun("-m", "unrolled.distributed", *options)
        assert status == 0
        found = load_checkpoint(path)
        assert found["epoch"] == 4
        assert found["held_out"] == two["held_out"]
        assert said.count("after epoch 4: perplexity ") == 1
        for name in ("model", "scored"):
            assert apart(found[name], two[name]) == 0
            assert apart(found[name], one[name]) < 1e-6
        scores = one["held_out"]
        assert found["held_out"][4] == pytest.approx(scores[4], rel=1e-5)
