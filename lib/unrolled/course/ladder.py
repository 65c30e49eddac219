"""The ladder: every model of the course, scored on the same characters.

Section 8.3 begins it, section 8.5a finishes it:
:doc:`/book/8_3_language_models`. Those characters are the last part of
``corpus.split``. This module reads the table; it fits nothing (``make
ladder`` does, and writes the table).

A rung is one of two kinds. What was *fitted before* is the same from the
first to the last of those characters. What *learns while it reads* may use
all that it has already scored, as every compressor does.
"""

import csv
from dataclasses import dataclass
from importlib import resources

# Shannon (1951), "Prediction and Entropy of Printed English", table I: bits
# per character of 27-letter English, for people who knew the 100 characters
# before; computed from their guesses, lower and upper bound
SHANNON = (0.6, 1.3)
# from outside, measured once and not computed again: paq8px v216 -8L, one of
# the strongest known compressors of this kind, on the same characters
PAQ = 1.727
KINDS = ("fitted before", "learns while it reads")


@dataclass(frozen=True)
class Rung:
    """One model's result on the test part of The Time Machine."""

    name: str
    bits: float  # per character
    read_before: str  # "train" (80 %) or "train and validation" (90 %)
    kind: str  # one of KINDS
    section: str  # where the course computes it
    family: str  # one of colours.FAMILIES, which gives its colour
    # those of the few rungs above it for which a 95 % interval for what this
    # one saves, from a bootstrap of blocks of text, holds 0
    level_with: tuple[str, ...] = ()
    # over the seeds, where there were several: the fewest and the most bits
    fewest: float | None = None
    most: float | None = None


def read_ladder() -> list[Rung]:
    """The stored table, from the most bits per character to the fewest."""
    table = resources.files("unrolled") / "data" / "ladder.csv"
    rows = csv.DictReader(table.read_bytes().decode().splitlines())
    numbers = ("bits", "fewest", "most")
    rungs = []
    for row in rows:
        found = {n: float(row[n]) if row[n] else None for n in numbers}
        names = tuple(filter(None, row["level_with"].split("; ")))
        rungs.append(Rung(**row | found | {"level_with": names}))
    return sorted(rungs, key=lambda rung: -rung.bits)
