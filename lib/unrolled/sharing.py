"""One minibatch shared by several processes, and gradients averaged.

Appendix D teaches this module: :doc:`/book/a_4_distributed`. Every process
holds the whole model and its rows of each minibatch; ``distributed`` trains.
No model is cut into parts here.
"""

import contextlib
import hashlib
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from unrolled.batches import SequenceLoader

START = timedelta(minutes=5)  # by then all processes have loaded torch


class LostProcessError(RuntimeError):
    """Another process has gone, or gives no answer any more."""


class SharedRows:
    """A loader that gives process ``rank`` of ``size`` its rows.

    Of a minibatch with n rows these are n / size, the same ones in every
    minibatch, so that the state of a sequential loader can be carried on. All
    processes must draw alike: each has a generator of the same seed.

    Raises ValueError for rows that the processes cannot share equally, and
    for a loader without a generator of its own.

    >>> loader = SequenceLoader(
    ...     torch.arange(35), 4, 2, generator=torch.Generator().manual_seed(0)
    ... )
    >>> [len(X) for X, Y in SharedRows(loader, 1, 2)]
    [2, 2, 2, 2]
    """

    def __init__(self, loader: SequenceLoader, rank: int, size: int) -> None:
        """Check the arguments; nothing is drawn yet."""
        if loader.batch_size % size:
            raise ValueError(
                f"rows must be a multiple of the {size} processes, got "
                f"{loader.batch_size}"
            )
        if loader.generator is None:
            raise ValueError(
                "loader must have a generator, of the same seed in every "
                "process; try torch.Generator().manual_seed(0)"
            )
        self.loader, self.sequential = loader, loader.sequential
        share = loader.batch_size // size
        self.rows = slice(rank * share, (rank + 1) * share)

    def __len__(self) -> int:
        """The number of minibatches of every pass."""
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass: pairs (X, Y), each (batch_size / size, num_steps)."""
        for X, Y in self.loader:
            yield X[self.rows], Y[self.rows]


def all_reduce(
    values: Tensor,
    group: dist.ProcessGroup | None,
    op: dist.ReduceOp = dist.ReduceOp.SUM,
) -> None:
    """Add up (or take the largest), in place: the same in all processes.

    Without a group there is one process, and nothing changes. Raises
    LostProcessError if another process has gone or stays silent for the
    group's time-out.
    """
    if group is None:
        return
    try:
        dist.all_reduce(values, op, group=group)
    except RuntimeError as error:
        silent = "timed out" in str(error).lower()
        raise LostProcessError(
            f"another process {'gives no answer' if silent else 'has gone'}"
        ) from error


def average_gradients(
    params: Iterable[Tensor], group: dist.ProcessGroup | None
) -> None:
    """Replace the gradients by their means over all processes.

    All of them as one vector, so that there is one message for an update. If
    each process has the gradient of the mean loss over equally many rows,
    what comes out is the gradient of the mean over all rows.
    """
    gradients = [p.grad for p in params]
    flat = torch.cat([g.flatten() for g in gradients])
    all_reduce(flat, group)
    flat /= 1 if group is None else group.size()
    sizes = [g.numel() for g in gradients]
    for gradient, mean in zip(gradients, flat.split(sizes), strict=True):
        gradient.copy_(mean.view_as(gradient))


@contextlib.contextmanager
def averaging_gradients(
    model: nn.Module, group: dist.ProcessGroup | None
) -> Iterator[None]:
    """Within it ``backward`` leaves gradients that are averaged.

    That happens when the last parameter has its gradient, before anyone can
    clip. Raises ValueError if at the end some parameters have gradients and
    others do not, since then nothing was averaged.
    """
    params = [p for p in model.parameters() if p.requires_grad]
    ready: set[int] = set()

    def note(parameter: Tensor) -> None:
        ready.add(id(parameter))
        if len(ready) == len(params):
            ready.clear()
            average_gradients(params, group)

    hooks = [p.register_post_accumulate_grad_hook(note) for p in params]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    if ready:
        raise ValueError(
            f"model must use all {len(params)} parameters, got gradients for "
            f"{len(ready)}"
        )


def check_alike(
    model: nn.Module,
    generator: torch.Generator,
    group: dist.ProcessGroup | None,
) -> None:
    """Raise ValueError if processes differ in parameters or generators."""
    digest = hashlib.sha256(generator.get_state().numpy().tobytes())
    for parameter in model.parameters():
        digest.update(parameter.detach().cpu().numpy().tobytes())
    bits = torch.tensor(list(digest.digest()))
    # the largest, and minus the smallest
    ends = torch.cat([bits, -bits]).to(parameter.device)
    all_reduce(ends, group, dist.ReduceOp.MAX)
    largest, smallest = ends.cpu().chunk(2)
    if not torch.equal(largest, -smallest):
        raise ValueError(
            "the processes must have the same parameters and generators; do "
            "all of them have the same seed, and read the same checkpoint?"
        )


def device() -> torch.device:
    """The process's own GPU if there is one for each, else the CPU."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if torch.cuda.device_count() < here:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


@contextlib.contextmanager
def joined(
    seconds: float,
) -> Iterator[tuple[dist.ProcessGroup | None, Callable[[], bool]]]:
    """The group of all processes, and a function that asks to speak.

    seconds: how long a process waits for another. The function is true for
    the first process that calls it. Without torchrun there is no group.
    """
    if "WORLD_SIZE" not in os.environ:
        yield None, lambda: True
        return
    if os.environ["WORLD_SIZE"] == os.environ.get("LOCAL_WORLD_SIZE"):
        names = [name for _, name in socket.if_nameindex()]
        for name in {"lo", "lo0"}.intersection(names):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
    store, rank, size = next(rendezvous("env://", timeout=START))
    # on a busy machine one process may load torch for longer than `seconds`
    store.set(f"ready {rank}", "")
    store.wait([f"ready {other}" for other in range(size)], START)
    dist.init_process_group(
        "nccl" if device().type == "cuda" else "gloo",
        store=store,
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=seconds),
    )

    def stop(*_) -> None:  # torchrun's signal when another process has gone
        raise LostProcessError("another process has gone, or it was told to")

    def first() -> bool:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # until it has spoken
        return store.add("failures", 1) == 1

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield dist.group.WORLD, first
    finally:
        dist.destroy_process_group()
        signal.signal(signal.SIGTERM, before)
