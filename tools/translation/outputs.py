"""What a page printed, in another language, without running it again.

A claim prints its sentence with numbers in it. The English template says
where they stand, so they can be read from what was printed and put into the
translated one. ``make test-zh`` runs the translated pages and compares.
"""

import ast
import re

from cells import parts_of, placeholders, spoken, template, unbraced
from prose import Say

from unrolled.language import JOINT

# a placeholder that can only print a number, and what it prints
NUMERIC = re.compile(r":[^{}:]*[fdge%,]\}$")
NUMBER = r"([-+]?(?:[\d,]*\.?\d+(?:e[-+]?\d+)?%?|inf|nan))"


def pattern(words: str) -> re.Pattern:
    """A template as a pattern with a group for each placeholder."""
    marks, found = placeholders(words), []
    for part in parts_of(words, marks):
        if part not in marks:
            found.append(re.escape(unbraced(part)))
        else:
            found.append(NUMBER if NUMERIC.search(part) else "(.*?)")
    return re.compile("".join(found))


def filled(words: str, values: dict[str, str]) -> str:
    """A template with its placeholders replaced by what they printed."""
    parts = parts_of(words, list(values))
    return "".join(values.get(part, unbraced(part)) for part in parts)


def converted(line: str, english: str, say: Say) -> str | None:
    """The line in the other language, None if another template is its."""
    match = pattern(english).fullmatch(line)
    if match is None:
        return None
    values = {}
    for mark, value in zip(placeholders(english), match.groups(), strict=True):
        if values.setdefault(mark, value) != value:
            return None
    return filled(say(english), values)


class Printed:
    """Translates the lines that a page's cells print."""

    def __init__(self, say: Say, say_library: Say, known: list[str]) -> None:
        """say: of the page; known: the library's templates."""
        # "a {kind}" and the like are parts of lines, which any line may be
        self.known = [k for k in known if len(re.sub(r"{.*?}", "", k)) > 6]
        self.say, self.say_library = say, say_library

    def line(self, line: str, claims: list[str]) -> str:
        """One line; it stays as it is where nobody knows it."""
        for frame in self.known:
            match = pattern(frame).fullmatch(line)
            if match is None:
                continue
            values = dict(
                zip(placeholders(frame), match.groups(), strict=True)
            )
            if "{sentence}" in values:
                values["{sentence}"] = self.sentence(match[1], claims)
            return filled(self.say_library(frame), values)
        for english in claims:  # or it is a print, perhaps with more behind
            whole = pattern(english).pattern + "( .*)?"
            if match := re.fullmatch(whole, line):
                more = match.groups()[-1] or ""
                said = line.removesuffix(more)
                rest = more and " " + self.line(more[1:], claims)
                return converted(said, english, self.say) + rest
        return line

    def sentence(self, sentence: str, claims: list[str]) -> str:
        """A claim's sentence; it must be one of the cell's."""
        for english in claims:
            found = converted(sentence, english, self.say)
            if found is not None:
                return JOINT.sub(lambda m: self.say_library(m[1]), found)
        raise ValueError(f"no claim of the cell prints {sentence!r}")

    def cell(self, cell: dict, source: str) -> None:
        """The streams of a cell, in place. source: its English code."""
        claims = [template(node) for node in spoken(ast.parse(source), False)]
        for output in cell["outputs"]:
            if output["output_type"] == "stream":
                lines = "".join(output["text"]).split("\n")
                text = "\n".join(self.line(line, claims) for line in lines)
                output["text"] = text.splitlines(keepends=True)
