"""Training with several processes, started by torchrun.

Appendix D teaches this module: :doc:`/book/a_4_distributed`. It has no engine
of its own: every process calls ``training.train`` on its rows, an epoch at a
time, while ``sharing`` averages the gradients. On the book:

    torchrun --standalone --nproc-per-node 2 -m unrolled.distributed

``--help`` says the rest. Without torchrun there is one process.
"""

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm import tqdm

from unrolled import resuming
from unrolled.batches import SequenceLoader
from unrolled.checkpoints import save_model
from unrolled.checks import check_count
from unrolled.corpus import load_corpus, split
from unrolled.evaluation import DivergenceError, evaluate
from unrolled.schedules import averaged, cosine
from unrolled.sharing import (
    SharedRows,
    all_reduce,
    averaging_gradients,
    check_alike,
    device,
    joined,
)
from unrolled.stacked import StackedRNNLM
from unrolled.training import History, train
from unrolled.vocab import Vocab, character_stream


def train_together(
    model: nn.Module,
    loader: SequenceLoader,
    num_epochs: int,
    optimizer: torch.optim.Optimizer,
    *,
    group: dist.ProcessGroup | None = None,
    theta: float = 1.0,
    schedule: Callable[[float], float] = lambda done: 1.0,
    held_out: Tensor | None = None,
    averaging: float | None = None,
    checkpoint: str | os.PathLike | None = None,
    settings: dict | None = None,
) -> History:
    """Train the model in place, in all processes of the group alike.

    loader: of whole minibatches; each process takes its rows of them.
    checkpoint: a file that process 0 writes after each epoch. If it is there
    already, training goes on from it, with any number of processes.
    settings: kept in the checkpoint; it is an error to come with other ones.
    Other arguments as for ``training.train``: with ``averaging`` the average
    is what is scored, and left in the model. Every process scores the whole
    held-out text, so that none waits for another. Dropout would draw the
    same masks in every process.

    Without a group there is one process. Process 0 shows a bar on stderr,
    unless UNROLLED_PROGRESS is 0. The history has the perplexities of all
    rows and epochs, the norms since the last start, and the speed of all
    processes together in the last epoch.

    Raises ValueError for rows that cannot be shared equally, for processes
    that are not alike and for a checkpoint of other settings; besides what
    ``training.train`` raises and ``sharing.all_reduce``.
    """
    num_epochs = check_count("num_epochs", num_epochs, 1)
    rank, size = (group.rank(), group.size()) if group else (0, 1)
    rows = SharedRows(loader, rank, size)
    saved = resuming.checkpoint_of(checkpoint, settings)
    start = saved.get("epoch", 0)
    history = History(saved.get("train", []), saved.get("held_out", {}))
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        loader.generator.set_state(saved["generator"])
    check_alike(model, loader.generator, group)
    bar = tqdm(
        range(start + 1, num_epochs + 1),
        unit="epoch",
        initial=start,
        total=num_epochs,
        disable=rank != 0 or os.environ.get("UNROLLED_PROGRESS") == "0",
    )
    done = start * len(loader)  # updates
    with (
        averaged(model, optimizer, averaging, done=done) as scored,
        averaging_gradients(model, group),
    ):
        if saved:
            scored.load_state_dict(saved["scored"])
        for epoch in bar:
            try:
                part = train(
                    model,
                    rows,
                    1,
                    optimizer,
                    theta=theta,
                    schedule=lambda u, n=epoch - 1: schedule(
                        (n + u) / num_epochs
                    ),
                    progress=False,
                )
            except DivergenceError as error:  # it knows of one epoch only
                words = str(error).replace("epoch 1;", f"epoch {epoch};")
                raise DivergenceError(words) from error
            _append(history, part, group, size, next(model.parameters()))
            if held_out is not None:
                score = history.held_out[epoch] = evaluate(scored, held_out)
                bar.set_postfix(held_out=f"{score:.3g}")
            check_alike(scored, loader.generator, group)
            if checkpoint is not None and rank == 0:
                content = {
                    "epoch": epoch,
                    "settings": settings,
                    "train": history.train,
                    "held_out": history.held_out,
                    "model": model.state_dict(),
                    "scored": scored.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "generator": loader.generator.get_state(),
                }
                resuming.save_checkpoint(checkpoint, content)
        model.load_state_dict(scored.state_dict())
    return history


def _append(history, part, group, size, parameter) -> None:
    """Note an epoch: its rows were equally many in all processes."""
    found = [math.log(part.train[0]), part.tokens_per_second]
    sums = torch.tensor(found, device=parameter.device)
    all_reduce(sums, group)
    history.train.append(math.exp(sums[0] / size))
    history.norms += part.norms
    history.tokens_per_second = sums[1].item()


def _train_on_text(
    args: argparse.Namespace, group: dist.ProcessGroup | None
) -> History:
    """What the command line asks for; the settings are 8.5a's."""
    stream = character_stream(load_corpus(path=args.text, fallback="builtin"))
    train_text, valid_text, _ = split(stream)
    vocab = Vocab(list(train_text))
    ids, valid_ids = (
        torch.tensor(vocab[list(part)]) for part in (train_text, valid_text)
    )
    generator = torch.Generator().manual_seed(args.seed)
    model = StackedRNNLM(
        len(vocab), args.units, args.layers, generator=generator
    ).to(device())
    settings = vars(args) | {"characters": len(stream)}
    for name in ("text", "checkpoint", "save", "timeout"):
        del settings[name]
    history = train_together(
        model,
        SequenceLoader(ids, args.rows, args.steps, generator=generator),
        args.epochs,
        torch.optim.Adam(model.parameters(), args.rate, betas=(0.9, 0.99)),
        group=group,
        schedule=cosine,
        averaging=args.averaging,
        held_out=valid_ids,
        checkpoint=args.checkpoint,
        settings=settings,
    )
    if args.save and (group is None or group.rank() == 0):
        save_model(args.save, model, vocab)
    return history


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(
        prog="unrolled.distributed", description=__doc__.split("\n")[0]
    )
    for name, value, words in (
        ("rows", 32, "of a minibatch, shared by all processes"),
        ("steps", 64, "of a window"),
        ("units", 256, "of a layer"),
        ("layers", 1, "of the network"),
        ("epochs", 15, "in all"),
        ("rate", 2e-3, "of Adam, at its largest"),
        ("averaging", 0.999, "decay of the average that is scored"),
        ("seed", 0, "of all that is drawn"),
        ("timeout", 15.0, "seconds that a process waits for another"),
    ):
        made.add_argument(
            f"--{name}",
            type=type(value),
            default=value,
            help=f"{words} (%(default)s)",
        )
    for name, words in (
        ("text", "a file to read in place of The Time Machine"),
        ("checkpoint", "a file to go on from, written after each epoch"),
        ("save", "a file for the network at the end (safetensors)"),
    ):
        made.add_argument(f"--{name}", metavar="FILE", help=words)
    return made


def main(argv: list[str] | None = None) -> int:
    """Train, print the scores, and end on one message if that fails."""
    rank = int(os.environ.get("RANK", 0))
    with contextlib.ExitStack() as stack:
        if rank:  # process 0 speaks for all
            stack.enter_context(contextlib.redirect_stdout(None))
            stack.enter_context(contextlib.redirect_stderr(None))
        args = parser().parse_args(argv)
        group, first = stack.enter_context(joined(args.timeout))
        try:
            history = _train_on_text(args, group)
        except (ArithmeticError, OSError, RuntimeError, ValueError) as error:
            if first():
                print(_last_words(error, rank, args), file=sys.__stderr__)
            return 1
        last = len(history.train)
        print(
            f"after epoch {last}: perplexity {history.train[-1]:.3f} in "
            f"training, {history.held_out[last]:.3f} held out"
        )
    return 0


def _last_words(error, rank, args) -> str:
    words = f"unrolled: process {rank} stops: {error}."
    if isinstance(error, ValueError) or not args.checkpoint:
        return words
    if not os.path.exists(args.checkpoint):
        return f"{words} There is no checkpoint yet."
    epoch = resuming.load_checkpoint(args.checkpoint)["epoch"]
    words += f" {args.checkpoint} holds epoch {epoch} of {args.epochs};"
    return f"{words} the same command goes on from there."


if __name__ == "__main__":
    sys.exit(main())
