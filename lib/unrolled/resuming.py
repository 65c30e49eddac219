"""Checkpoints, from which a training that was stopped goes on.

Appendix D teaches this module: :doc:`/book/a_4_distributed`. A checkpoint
holds all that changes in training, so it is larger than a model on disk,
which ``checkpoints`` writes.
"""

import os

import torch


def save_checkpoint(path: str | os.PathLike, content: dict) -> None:
    """Write it, so that ``path`` holds the old or the new one, never half."""
    unfinished = f"{os.fspath(path)}.unfinished"
    with open(unfinished, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load_checkpoint(path: str | os.PathLike) -> dict:
    """What ``save_checkpoint`` wrote; no code in the file is run.

    Raises OSError for a file that cannot be read, ValueError for one that
    holds something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return dict(content)
    except OSError:
        raise
    except Exception as error:  # a foreign file may hold anything
        raise ValueError(f"{os.fspath(path)} is no checkpoint") from error


def checkpoint_of(path: str | os.PathLike | None, settings: object) -> dict:
    """The checkpoint at a path, {} where there is none yet.

    Raises ValueError if its settings are not these.
    """
    if path is None or not os.path.exists(path):
        return {}
    saved = load_checkpoint(path)
    if saved.get("settings") != settings:
        raise ValueError(
            f"settings must be those of {os.fspath(path)}, "
            f"{saved.get('settings')}, got {settings}; or choose another file"
        )
    return saved
