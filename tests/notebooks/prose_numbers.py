"""The numbers in a page's sentences, and those that the page computes.

A number in prose stands on the page when an output or the code holds it. An
output may have more digits; it is rounded to those of the prose, outwards too
where the sentence states a bound ("above 0.4"). Code must hold it exactly.
"""

import io
import itertools
import re
import tokenize
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
)
from typing import NamedTuple

UNITS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
)
TENS = re.findall(
    r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety"
)
VALUES = {word: n for n, word in enumerate(UNITS)}
VALUES |= {word: 10 * n for n, word in enumerate(TENS, start=2)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ONE = f"(?:{'|'.join(TENS)})-(?:{'|'.join(UNITS[1:10])})|{'|'.join(VALUES)}"
WORD = rf"(?<![\w-])(?:(?:{_ONE}|a)(?: (?:{'|'.join(SCALES)}))+|{_ONE})(?!\w)"
DIGITS = (
    r"(?<![\w.,/^])(?<!\d-)[-\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:[eE][-+]?\d+)?(?![\w^])(?!\.\d)"
)
NUMBER = re.compile(f"(?:{DIGITS})|(?i:{WORD})")
PERCENT = re.compile(r"\s*%")
SMALL = 10  # whole numbers below it are everywhere
ABOVE = re.compile(r"(?i)\b(?:above|more than|at least|beyond)\s$")
BELOW = re.compile(r"(?i)\b(?:below|under|less than|at most|within)\s$")
HEDGE = re.compile(r"(?i)\b(?:about|nearly|almost|some)\s$")
OF = re.compile(r"\s(?:out\s)?of\s(?:the\s|all\s)?")
# "one word in eleven", "more than one in twelve"
RATE = re.compile(r"(?i)(\bmore\sthan\s)?\bone(?:\s(?!another\b)\w+)?\sin\s$")

# what is no statement about a measurement, blanked before numbers are read
LEFT_OUT = [
    re.compile(pattern, flags=re.M)
    for pattern in (
        r"```[\s\S]*?```",  # code, in blocks and in a line
        r"`[^`\n]*`",
        r"\$\$[\s\S]*?\$\$",  # formulas
        r"\$[^$]*\$",
        r"(?<=\])\([^)]*\)",  # where a link leads
        r"<[^>]*>",
        r"^#+ .*",  # headings
        r"^:+.*",  # of directives, on pages that are no notebooks
        r"^ *\d+\. ",  # places in a list
        r"^\*\*Sources\.\*\*[\s\S]*",
        r"^\*\*Time:\*\*.*",  # computed by tools/forms.py
        r"\b(?i:sections?|chapters?|figures?|exercises?|pages?|equations?)"
        r" \d+(?:\.\d+)*[a-z]?(?:(?:,| to| and) \d+(?:\.\d+)*[a-z]?)*",
        r"\b(?:d2l|releases?|editions?|Python)"
        r"(?:[, ]+(?:and |to )?\d+(?:\.\d+)+)+",
        r"(?<![\w.,])[89]\.[1-7]-\d+[a-d]?",  # the classic exercises
        r"(?<![\w.,])8\.[1-6][ab]?(?:\.\d)?(?![\w%])"
        r"(?!\.\d)(?!\s(?:%|bits|nats|times))",  # pages
        r"(?<![\w.,])(?:1[5-9]|20)\d\d(?![\w.,]*\d)(?! %)",  # years
    )
]
# exercises and questions: their numbers are given, or worked out by hand
MADE_UP = re.compile(r"### Exercise|<details><summary>Solution|## Self-check")


HEADING = re.compile(r"^##+ (.*)", flags=re.M)
WAYS = {  # of rounding: a bound is rounded towards the safe side
    "": (ROUND_HALF_EVEN, ROUND_HALF_UP),
    "above": (ROUND_FLOOR,),
    "below": (ROUND_CEILING,),
}


class Number(NamedTuple):
    """A number as it is written, and what is said about it."""

    text: str
    start: int
    value: Decimal
    decimals: int
    percent: bool = False
    bound: str = ""  # "above" or "below" where the sentence says so
    hedged: bool = False  # "about"
    rate: bool = False  # the M of "one in M"
    whole: str = ""  # the M of "N of M"

    @property
    def digits(self) -> int:
        """How many of its digits say something: 2 of 0.012, 1 of 5."""
        text = self.text if self.text[-1].isdigit() else str(self.value)
        mantissa = re.sub(r"[eE].*|\D", "", text)
        return len(mantissa.lstrip("0"))

    @property
    def checked(self) -> bool:
        """Whether it says enough to be looked for."""
        small = abs(self.value) < SMALL and not self.decimals
        return self.percent or self.rate or bool(self.whole) or not small


def value_of(text: str) -> Decimal:
    """What a numeral or a word means."""
    if re.match(r"[-\u2212\d]", text):
        return Decimal(text.replace(",", "").replace("\u2212", "-"))
    value = Decimal(0)
    for word in re.split("[ -]", text.lower()):
        if word in SCALES:
            value = max(value, Decimal(1)) * SCALES[word]
        else:
            value += VALUES.get(word, 1)  # "a hundred"
    return value


def decimals_of(value: Decimal) -> int:
    """How many digits stand after the point."""
    return max(0, -value.as_tuple().exponent)


def sentences(source: str) -> str:
    """A Markdown cell without what states no measurement, same places."""
    if MADE_UP.match(source):
        return " " * len(source)
    # a formula that is nothing but a number is a number
    source = re.sub(r"\$(-?[\d.,]+)\$", r" \1 ", source)
    for pattern in LEFT_OUT:
        source = pattern.sub(lambda found: " " * len(found[0]), source)
    return source


def numbers(text: str) -> list[Number]:
    """All numbers of a text."""
    found = []
    matches = list(NUMBER.finditer(text))
    for match, after in itertools.zip_longest(matches, matches[1:]):
        before = text[max(0, match.start() - 30) : match.start()]
        value, rate = value_of(match[0]), RATE.search(before)
        bound = "above" if ABOVE.search(before) else ""
        if BELOW.search(before) or (rate and rate[1]):
            bound = "below"
        found.append(
            Number(
                match[0],
                match.start(),
                value,
                decimals_of(value),
                bool(PERCENT.match(text, match.end())),
                bound,
                bool(HEDGE.search(before)),
                bool(rate),
                _whole(match, after, text),
            )
        )
    return found


def _whole(part: re.Match, after: re.Match | None, text: str) -> str:
    """The M of "N of M"; nothing where it is no such count."""
    if not after or not OF.fullmatch(text[part.end() : after.start()]):
        return ""
    digits = [text[x.start()].isdigit() for x in (part, after)]
    # "one of two or three levels", "better than one of 512"
    if text[after.end() :].startswith(" or ") or digits == [False, True]:
        return ""
    count, whole = value_of(part[0]), value_of(after[0])
    return after[0] if whole > 1 and count <= whole else ""


class Section(NamedTuple):
    """What stands between two headings."""

    title: str
    said: list[tuple[str, Number]]  # a cell's words, and a number in them
    printed: list[Number]
    code: list[Decimal]


def sections(notebook) -> list[Section]:
    """The sections of a page; the first has no title."""
    found = [Section("", [], [], [])]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1].code.extend(literals(cell.source))
            for text in printed(cell):
                found[-1].printed.extend(numbers(text))
            continue
        heads = [*HEADING.finditer(cell.source)]
        for number in numbers(sentences(cell.source)):
            while heads and heads[0].start() < number.start:
                found.append(Section(heads.pop(0)[1], [], [], []))
            found[-1].said.append((cell.source, number))
        found.extend(Section(head[1], [], [], []) for head in heads)
    return found


class Page:
    """The numbers that a page says, computes and sets."""

    def __init__(self, notebook) -> None:
        self.sections = sections(notebook)

    def said(self):
        """Each number that has to stand on the page: words, it, section."""
        for section in self.sections:
            for words, number in section.said:
                if number.checked:
                    yield words, number, section

    def holds(self, number: Number, section: Section) -> bool:
        """Whether an output or the code of this section holds the number.

        A section that prints nothing sums up and may quote the whole page;
        so may numbers of three digits, which hardly meet by chance.
        """
        near = [section] if section.printed else self.sections
        if number.digits >= 3:
            near = self.sections
        shown = [x for other in near for x in other.printed]
        if number.whole:
            pair = number.value, value_of(number.whole)
            return any(
                x.whole and (x.value, value_of(x.whole)) == pair for x in shown
            )
        value = number.value / 100 if number.percent else number.value
        if not number.rate and any(value in x.code for x in near):
            return True
        return any(same(number, x) for x in shown)


def same(number: Number, shown: Number) -> bool:
    """Whether a printed number, rounded, is this one."""
    value, decimals = shown.value, shown.decimals
    if number.rate:
        value = value / 100 if shown.percent else value
        if not 0 < value < 1:
            return False
        value, decimals = 1 / value, 9
    elif number.percent and not shown.percent:
        if not 0 <= value <= 1:
            return False
        value, decimals = 100 * value, decimals - 2
    elif number.percent is not shown.percent:
        return False
    if number.value >= 0:  # "falls by 0.2" where -0.2 is printed
        value = abs(value)
    if value == number.value:
        return True
    exact = not number.hedged and not number.bound
    # a whole number, or 0.1, fits too many others
    loose = number.decimals < 2 and (number.digits < 2 or not number.decimals)
    if (
        exact
        and loose
        and not number.rate
        and not (number.percent and number.digits > 1)
    ):
        return False
    places = -number.decimals
    if not exact and not number.rate:  # "under two thousand"
        places = number.value.normalize().as_tuple().exponent
    step = Decimal(1).scaleb(places)
    return decimals > -places and any(
        value.quantize(step, way) == number.value for way in WAYS[number.bound]
    )


def printed(cell):
    """The texts that a code cell put on the page; no pictures."""
    source = cell.source
    if cell.cell_type != "code" or "# @title Install" in source:
        return
    if re.search(r"^check\(", source, flags=re.M):  # an exercise, not solved
        return
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data:
            continue
        for mime in ("text/plain", "text/markdown"):
            yield data.get(mime, "")
        yield output.get("text", "")


def literals(source: str):
    """The numbers of a piece of code, not those in its words."""
    lines = io.StringIO(source).readline
    for token in tokenize.generate_tokens(lines):
        if token.type == tokenize.NUMBER and "x" not in token.string.lower():
            text = token.string.lower().replace("_", "").rstrip("j")
            yield Decimal(text)


def altered(number: Number):
    """Slips: one digit, two swapped, one up or down in the last place."""
    text = number.text if number.text[-1].isdigit() else str(number.value)
    places = [i for i, sign in enumerate(text) if sign.isdigit()]
    found = {
        text[:i] + digit + text[i + 1 :]
        for i in places
        for digit in "0123456789"
    }
    for i, j in itertools.pairwise(places):
        a, b = text[i], text[j]
        found.add(text[:i] + b + text[i + 1 : j] + a + text[j + 1 :])
    step = Decimal(1).scaleb(-number.decimals)
    for other in (number.value + step, number.value - step):
        found.add(f"{other:,}" if "," in text else str(other))
    for other in sorted(found):
        value = value_of(other)
        if number.rate and not value:  # one in none is no number
            continue
        spelled = re.match(r"[-\u2212]?(?:0(?![\d,])|[1-9])", other)
        if spelled and value != number.value:
            yield number._replace(
                text=other, value=value, decimals=decimals_of(value)
            )
