"""What a second process costs and saves, and what more rows do to learning.

    python experiments/distributed.py learn   (about 10 minutes on one core)
    python experiments/distributed.py fail    (about 3 minutes)
    python experiments/distributed.py time    (at most 5 minutes, both cores
                                               idle)

Learn: epochs to the same held-out score, for rows of a minibatch and learning
rates; one process, since several give the same. Fail: the second of two
processes is killed, hangs or is stopped; what is said, after how long, and
what the same command makes of the checkpoint. Time: an update of one process
with one thread and with two, and of two processes, in turn. Results are in
lib/unrolled/data/distributed.json, which appendix D shows.
"""

import itertools
import json
import math
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist

from storing import DATA, store
from unrolled import distributed, sharing
from unrolled.batches import SequenceLoader
from unrolled.corpus import load_corpus, split
from unrolled.evaluation import evaluate
from unrolled.resuming import load_checkpoint
from unrolled.stacked import StackedRNNLM
from unrolled.training import train
from unrolled.vocab import Vocab, character_stream

RESULTS = DATA / "distributed.json"
BETAS = (0.9, 0.99)

LEARN = {
    "units": 128,
    "steps": 32,
    "rows": [32, 64, 128, 256],
    "rates": [0.002, 0.004, 0.008, 0.016, 0.032],
    "seeds": [0, 1, 2],
    "target": 2.25,  # bits per character, held out
    "held out": 8000,  # characters of the validation part
    "epochs": 30,  # at most
}
TIME = {
    "units": [128, 512, 1024],
    "rows": [32, 256],
    "steps": 32,
    "processes": [2, 8, 64],  # the last two are predicted
    "seconds": 35,  # for each size, after which no round begins
    "rounds": [3, 40],  # at least, at most
}
FAIL = {
    "options": {"units": 64, "rows": 16, "steps": 16, "epochs": 4},
    "update": 1300,  # in the third epoch: the second process takes no part
    "kinds": {"killed": "SIGKILL", "hangs": None, "stopped": "SIGSTOP"},
}


def book() -> tuple[Vocab, torch.Tensor, torch.Tensor]:
    """The vocabulary, and the ids of the first two parts."""
    train_text, valid_text, _ = split(character_stream(load_corpus()))
    vocab = Vocab(list(train_text))
    ids = [torch.tensor(vocab[list(t)]) for t in (train_text, valid_text)]
    return vocab, *ids


def learn_one(rows: int, rate: float, seed: int, epochs: int) -> dict:
    """Held-out bits after each epoch, until they are below the target."""
    vocab, ids, valid_ids = book()
    generator = torch.Generator().manual_seed(seed)
    model = StackedRNNLM(len(vocab), LEARN["units"], generator=generator)
    loader = SequenceLoader(ids, rows, LEARN["steps"], generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), rate, betas=BETAS)
    held_out, bits = valid_ids[: LEARN["held out"] + 1], []
    while len(bits) < epochs and min(bits, default=9) > LEARN["target"]:
        train(model, loader, 1, optimizer, progress=False)
        bits.append(round(math.log2(evaluate(model, held_out)), 4))
    return {
        "rows": rows,
        "rate": rate,
        "seed": seed,
        "updates in an epoch": len(loader),
        "reached": bits[-1] <= LEARN["target"],
        "bits": bits,
    }


def learn() -> list[dict]:
    """Every combination of rows, rate and seed."""
    names = ("rows", "rates", "seeds")
    found = []
    for job in itertools.product(*(LEARN[name] for name in names)):
        found.append(learn_one(*job, LEARN["epochs"]))
        print(*job, len(found[-1]["bits"]), flush=True)
    return found


def torchrun(*arguments: str) -> tuple[int, str]:
    """Two processes of this file; the exit status and what they said."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc-per-node", "2", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "UNROLLED_PROGRESS": "0"},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def fail_at(kind: str, update: int, began: Path, options: list[str]) -> int:
    """A process of a run; the second one fails at an update."""
    average, updates = sharing.average_gradients, 0

    def fails(*arguments):
        nonlocal updates
        updates += 1
        if os.environ["RANK"] == "1" and updates == update:
            began.write_text(str(time.time()), "utf-8")
            if FAIL["kinds"][kind]:
                number = getattr(signal, FAIL["kinds"][kind])
                os.kill(os.getpid(), number)
            time.sleep(600)
        average(*arguments)

    sharing.average_gradients = fails
    return distributed.main(options)


def fail() -> dict:
    """What is said when the second process fails, and what is left."""
    found = {
        "runs": [],
        "timeout": distributed.parser().parse_args([]).timeout,
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        plain = ["-m", "unrolled.distributed"]

        def options(name):
            chosen = FAIL["options"] | {"checkpoint": folder / name}
            return [f"--{k}={value}" for k, value in chosen.items()]

        status, _ = torchrun(*plain, *options("whole"))
        assert status == 0 == distributed.main(options("one"))
        whole, one = (load_checkpoint(folder / n) for n in ("whole", "one"))
        found["one process"] = {
            "difference": difference(one, whole),
            "held out": [list(k["held_out"].values()) for k in (one, whole)],
        }
        for kind in FAIL["kinds"]:
            worker = [__file__, "worker", kind, str(folder / "began")]
            status, said = torchrun(*worker, *options(kind))
            ended = time.time()
            began = float((folder / "began").read_text("utf-8"))
            messages = re.findall("^unrolled: .*", said, flags=re.M)
            left = load_checkpoint(folder / kind)
            again, _ = torchrun(*plain, *options(kind))
            found["runs"].append(
                {
                    "kind": kind,
                    "status": status,
                    "seconds": round(ended - began, 1),
                    "messages": [
                        m.replace(f"{folder}{os.sep}", "") for m in messages
                    ],
                    "lines": len(said.splitlines()),
                    "epochs left": left["epoch"],
                    "status again": again,
                    "difference": difference(
                        load_checkpoint(folder / kind), whole
                    ),
                }
            )
            print(found["runs"][-1], flush=True)
    return found


def difference(a: dict, b: dict) -> float:
    """The largest one in all parameters of two checkpoints."""
    return max(
        (a[of][name] - b[of][name]).abs().max().item()
        for of in ("model", "scored")
        for name in a[of]
    )


def sent() -> int:
    """Bytes that went over this machine's loopback so far."""
    path = Path("/sys/class/net/lo/statistics/tx_bytes")
    return int(path.read_text()) if path.exists() else 0


def clocked(work, group) -> tuple[float, int]:
    """Seconds of the slower process, and bytes on the loopback."""
    sharing.all_reduce(torch.zeros(1), group)  # begin together
    before, start = sent(), time.perf_counter()
    work()
    seconds = torch.tensor(time.perf_counter() - start, dtype=torch.float64)
    sharing.all_reduce(seconds, group, dist.ReduceOp.MAX)
    return seconds.item(), sent() - before


class Updates:
    """One update of a network at a time, in several arrangements."""

    def __init__(self, units: int, group) -> None:
        """A network with an optimizer that has its state."""
        self.group, self.rank = group, group.rank()
        generator = torch.Generator().manual_seed(0)
        self.model = StackedRNNLM(28, units, generator=generator)
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-5)
        self.number = sum(p.numel() for p in self.model.parameters())

    def update(self, rows: int) -> None:
        """Forward, backward, clip, update: what ``train`` does."""
        steps = TIME["steps"]
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(28, ((rows + 1) * steps,), generator=generator)
        loader = SequenceLoader(ids, rows, steps, generator=generator)
        train(self.model, loader, 1, self.optimizer, progress=False)

    def alone(self, rows: int, threads: int = 1) -> None:
        """The first process only, with one thread or more."""
        if self.rank == 0:
            torch.set_num_threads(threads)
            self.update(rows)
            torch.set_num_threads(1)

    def both(self, rows: int) -> None:
        """Two processes, each with its half of the rows."""
        with sharing.averaging_gradients(self.model, self.group):
            self.update(rows // 2)

    def communicate(self) -> None:
        """The all-reduce of an update, and nothing else."""
        sharing.all_reduce(torch.zeros(self.number), self.group)


def time_one(units: int, rows: int, group) -> dict:
    """Each arrangement in turn, round after round; medians."""
    updates = Updates(units, group)
    kinds = {
        "1 process, 1 thread": lambda: updates.alone(rows),
        "2 processes": lambda: updates.both(rows),
        "1 process, 2 threads": lambda: updates.alone(rows, 2),
        "all-reduce": updates.communicate,
    }
    for size in TIME["processes"]:
        if rows % size == 0:
            kinds[f"1/{size} of the rows"] = lambda share=rows // size: (
                updates.alone(share)
            )
    for work in kinds.values():  # not counted
        clocked(work, group)
    found = {name: [] for name in kinds}
    volume, (least, most), start = [], TIME["rounds"], time.monotonic()
    for number in range(most):
        late = torch.tensor(time.monotonic() - start > TIME["seconds"])
        late = late.to(torch.int64)
        sharing.all_reduce(late, group, dist.ReduceOp.MAX)  # both go on
        if number >= least and late:
            break
        for name, work in kinds.items():
            seconds, passed = clocked(work, group)
            found[name].append(seconds)
            if name == "2 processes":
                volume.append(passed)
    return {
        "units": units,
        "rows": rows,
        "parameters": updates.number,
        "rounds": len(volume),
        "bytes": min(volume),  # other programs may use the loopback, too
        "seconds": {
            name: [round(q, 6) for q in statistics.quantiles(values)]
            for name, values in found.items()
        },
    }


def time_all() -> dict:
    """Every size, in the two processes that torchrun has started."""
    with sharing.joined(120.0) as (group, _):
        grid = [
            time_one(units, rows, group)
            for units in TIME["units"]
            for rows in TIME["rows"]
        ]
        tiny = [
            clocked(lambda: sharing.all_reduce(torch.zeros(1), group), group)
            for _ in range(200)
        ]
        return {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "load": [round(x, 2) for x in os.getloadavg()],
            "tiny all-reduce": statistics.median(t for t, _ in tiny),
            "grid": grid,
        }


def keep(part: str, found: object) -> None:
    """Store one part, beside what is there of the others."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in ("unrolled", "torch"):
        kept.pop(name, None)
    kept |= {"settings": {"learn": LEARN, "time": TIME, "fail": FAIL}}
    store(RESULTS, kept | {part: found})


def main(part: str = "", *rest: str) -> int:
    """Run one part, or be one of its processes."""
    if part == "worker":
        kind, began, *options = rest
        return fail_at(kind, FAIL["update"], Path(began), options)
    if part == "learn":
        keep(part, learn())
    elif part == "fail":
        keep(part, fail())
    elif part == "time" and "WORLD_SIZE" in os.environ:
        found = time_all()
        if os.environ["RANK"] == "0":
            keep(part, found)
    elif part == "time":
        status, said = torchrun(__file__, "time")
        print(said)
        return status
    else:
        raise SystemExit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
