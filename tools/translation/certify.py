"""How many planted errors the checks of a translation find.

    python tools/translation/certify.py [ERRORS OF EACH KIND] [SEED]

Copies of the catalogs get errors that translators make, one at a time, in
messages drawn at random; the checks look at each. Prints a table: the kind,
how many were planted, how many were found.
"""

import random
import re
import sys
from collections.abc import Callable

import catalogs
import checks
from cells import placeholders

# terms that are swapped for others of the glossary
SWAPS = {
    "困惑度": "准确率",
    "词元": "单词",
    "隐状态": "隐藏层",
    "小批量": "批次",
    "语言模型": "语音模型",
    "词表": "字典",
}


WORDS = re.compile(r"(?<=\\text\{)[^{}]*")  # in a formula


def _other_number(said: str, draw: random.Random) -> str | None:
    """One digit of one number is another."""
    spans = [m.span() for m in re.finditer(r"\d", checks._spoken(said))]
    found = [m.start() for m in re.finditer(r"\d", said)]
    if not spans or len(found) != len(spans):
        return None  # a digit in code or a formula: other kinds do these
    at = draw.choice(found)
    return said[:at] + str((int(said[at]) + 3) % 10) + said[at + 1 :]


def _sentence_left_out(said: str, draw: random.Random) -> str | None:
    parts = re.findall(r"[^。？！]+[。？！]+", said)
    if len(parts) < 2 or "".join(parts) != said:
        return None
    parts.pop(draw.randrange(1, len(parts)))
    return "".join(parts)


def _negation_dropped(said: str, draw: random.Random) -> str | None:
    """A word that negates, not a syllable of "different" or "but"."""
    found = [
        m.span()
        for m in re.finditer(
            "(?:没有|没|无法|并不|不(?![同过仅断论管妨]))(?!有关)", said
        )
    ]
    if not found:
        return None
    start, end = draw.choice(found)
    return said[:start] + said[end:]


def _wrong_term(said: str, draw: random.Random) -> str | None:
    known = [term for term in SWAPS if term in said]
    if not known:
        return None
    term = draw.choice(known)
    return said.replace(term, SWAPS[term])


def _broken_placeholder(said: str, draw: random.Random) -> str | None:
    marks = placeholders(said)
    if not marks:
        return None
    mark = draw.choice(marks)
    worse = draw.choice([mark[:-1], mark.replace("{", "{{"), "{x}", ""])
    return said.replace(mark, worse, 1)


def _broken_formula(said: str, draw: random.Random) -> str | None:
    found = list(checks.FORMULA.finditer(said))
    if not found:
        return None
    match = draw.choice(found)
    # words in it are the translator's own
    words = {n for m in WORDS.finditer(said) for n in range(*m.span())}
    inner = set(range(*match.span())) - words
    at = draw.choice(sorted(n for n in inner if said[n] not in "$ \n"))
    return said[:at] + said[at + 1 :]


# kind -> what it makes of a translation, None where it cannot be made
SLIPS: dict[str, Callable[[str, random.Random], str | None]] = {
    "a number swapped": _other_number,
    "a sentence left out": _sentence_left_out,
    "a negation dropped": _negation_dropped,
    "a wrong term": _wrong_term,
    "a broken placeholder": _broken_placeholder,
    "a broken formula": _broken_formula,
}
STALE = "a stale block"  # the English moved on


def messages() -> list:
    """Every translated message of the pages, with what excuses it."""
    return [
        message
        for path in sorted(catalogs.FOLDER.glob("*.po"))
        for message in catalogs.read(path.stem)
        if message.id and message.string
    ]


def plant(kind: str, number: int, draw: random.Random, words: dict) -> int:
    """How many of so many slips of one kind are found."""
    rows, caught, planted = messages(), 0, 0
    draw.shuffle(rows)
    for message in rows:
        if kind == "a broken placeholder" and not checks.is_template(message):
            continue
        if kind == STALE:
            found = _stale(message)
        else:
            worse = SLIPS[kind](message.string, draw)
            if worse is None or worse == message.string:
                continue
            found = checks.found_in(message, worse, words)
        planted += 1
        caught += bool(found)
        if planted == number:
            break
    return caught


def _stale(message) -> bool:
    """Whether a catalog notices that the English has changed."""
    old = catalogs.Catalog(catalogs.LANGUAGE)
    old.add(message.id, message.string)
    new = catalogs.renewed(old, [(message.id + " More was said.", "")])
    return all(m.fuzzy or not m.string for m in new if m.id)


def main(number: int = 10, seed: int = 0) -> dict[str, tuple[int, int]]:
    """Plant and print; returns what was planted and found."""
    words, table = checks.glossary(), {}
    for kind in [*SLIPS, STALE]:
        draw = random.Random(f"{kind} {seed}")
        table[kind] = (number, plant(kind, number, draw, words))
        print(f"{kind:24}{number:4} planted{table[kind][1]:4} found")
    return table


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
