"""What many test files say: an error to the letter, a seeded generator."""

import re

import pytest
import torch


def raises(kind: type[Exception], message: str):
    """Within it an error of this kind is raised, with exactly these words."""
    return pytest.raises(kind, match="^" + re.escape(message) + "$")


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, at its start."""
    return torch.Generator().manual_seed(seed)
