"""What can be wrong with a translation, as far as a program can tell.

``problems(english, chinese)`` lists it in words: numbers, placeholders,
formulas, code, links and tags that differ; a sentence too few or too many; a
negation that is gone; a term that the glossary has otherwise; English that
was left; spaces and punctuation that are not Chinese.
"""

import re
from collections import Counter

from catalogs import ROOT
from cells import placeholders
from markdown_it import MarkdownIt

CJK = "\u4e00-\u9fff"
WIDE = r"，。；：、！？（）《》「」“”‘’…—"
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", flags=re.S)
CODE = re.compile(r"`+[^`]+`+")
TAG = re.compile(r"</?[a-zA-Z][^>]*>")
TARGET = re.compile(r"\]\(([^)\s]*)[^)]*\)")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|\d+")
WORDS = re.compile(r"[A-Za-z]+(?:[ ,'-]+[A-Za-z]+){5,}")  # six or more
NOT = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|cannot|without"
    r"|nowhere)\b|n't\b",
    flags=re.I,
)
# "different", "but" and "not only" are no negations, though they have the sign
NEGATION = re.compile("不(?!同|过|仅)|没|无|非|未|别|勿|莫|否|免|毫")
# bounds, and how Chinese has them
BOUNDS = {
    r"\bat most\b": "至多|最多|不超过|顶多|以内|不多于|不高于|不大于",
    r"\bat least\b": "至少|最少|不少于|不低于|起码|不小于|不短于",
}
# where a message stands whose braces hold placeholders
TEMPLATE = re.compile(r"\b(?:finding|listing|template)\b")
PRINTED = re.compile(r"\b(?:code|computing|table)\b")
MARKDOWN = MarkdownIt("commonmark")


def _text(node: str) -> str:
    """A formula without the language in it."""
    return re.sub(r"\\text(?:it)?\{[^}]*\}", r"\\text{}", node)


def _spoken(text: str) -> str:
    """The text without formulas, code, tags and addresses."""
    for form in (FORMULA, CODE, TAG):
        text = form.sub(" x ", text)
    return TARGET.sub("]", text)


def _numbers(text: str, is_template: bool) -> Counter:
    text = _without(_spoken(text), is_template)
    return Counter(n.rstrip(",") for n in NUMBER.findall(text))


def _plain(text: str) -> str:
    """What is said, without "**Figure 1.**" in front and without marks."""
    text = re.sub(r"\A\*\*[^*]+\*\*", "", _spoken(text))
    return re.sub(r"\*|\]", "", text)


def sentences(text: str, chinese: bool) -> list[str]:
    """The sentences of a text; what follows the last one is another."""
    text = _plain(text)
    if chinese:
        parts = re.split(r"(?<=[。？！])(?![。？！])", text)
    else:
        # initials, "e.g." and numbers end none
        short = r"\b(?:[A-Z]|e\.g|i\.e|vol|pp?|No|Fig|eds?|St)\."
        text = re.sub(short, "x", text)
        parts = re.split(r"(?<=[.?!])(?=[\s)\"'”’]|$)", text)
    return [part for part in parts if re.search(r"\w", part)]


def _ended(parts: list[str], ends: str) -> int:
    """How many of them end like a sentence."""
    return sum(bool(re.search(rf"[{ends}]\W*$", part)) for part in parts)


def _marks(text: str) -> Counter:
    """Strong and emphasised parts, as Markdown reads them."""
    html = MARKDOWN.render(FORMULA.sub("x", text))
    return Counter(re.findall(r"<(strong|em)>", html))


def glossary() -> dict[str, list[str]]:
    """English term -> the Chinese ones that may stand for it."""
    page = (ROOT / "book" / "notation.md").read_text("utf-8")
    table = page.split("## Chinese-English glossary")[1].split("\n## ")[0]
    found = {}
    for row in re.findall(r"^\| (.*) \|$", table, flags=re.M)[1:]:
        chinese, english, _ = row.split(" | ", 2)
        if set(chinese) <= set("-| "):
            continue
        english = re.sub(r"\(.*?\)|`[^`]*`", "", english)
        terms = [term.strip() for term in english.split(",") if term.strip()]
        ours = [word.removesuffix("的") for word in chinese.split(", ")]
        pairs = len(terms) == len(ours)
        for n, term in enumerate(terms):
            found.setdefault(term, []).extend([ours[n]] if pairs else ours)
    return {term: words for term, words in found.items() if term}


def terms_in(english: str, words: dict[str, list[str]]) -> list[str]:
    """The terms of the glossary that a text uses, longest first."""
    text, found = _spoken(english), []
    for term in sorted(words, key=len, reverse=True):
        form = re.compile(rf"\b{re.escape(term)}s?\b", flags=re.I)
        if form.search(text):
            found.append(term)
            # "state" is not asked of "hidden state"
            text = form.sub(" ", text)
    return found


def problems(
    english: str,
    chinese: str,
    *,
    is_template: bool = False,
    words: dict[str, list[str]] | None = None,
) -> list[str]:
    """What is wrong, each a kind and some words; nothing if all is well.

    is_template: braces hold placeholders. words: the glossary.
    """
    if not chinese.strip():
        return ["missing: not translated"]
    found = []

    def same(what: str, of) -> None:
        one, other = of(english), of(chinese)
        if one != other:
            less = sorted((one - other).elements())
            more = sorted((other - one).elements())
            found.append(f"{what}: missing {less}, too many {more}")

    same("formulas", lambda t: Counter(map(_text, FORMULA.findall(t))))
    same("code", lambda t: Counter(CODE.findall(t)))
    same("tags", lambda t: Counter(TAG.findall(CODE.sub("", t))))
    same("links", lambda t: Counter(TARGET.findall(CODE.sub("", t))))
    same("emphasis", _marks)
    if is_template:
        try:
            same("placeholders", lambda t: Counter(placeholders(t)))
        except ValueError as error:
            return [*found, f"placeholders: {error}"]
    same("numbers", lambda t: _numbers(t, is_template))
    said = _without(english, is_template)
    before, after = sentences(said, False), sentences(chinese, True)
    one, other = _ended(before, ".?!"), _ended(after, "。？！")
    if one != other:
        found.append(f"sentences: {one} in English, {other} here")
    if len(before) != len(after):  # no telling which belongs to which
        before, after = [" ".join(before)], [" ".join(after)]
    for sentence, ours in zip(before, after, strict=True):
        one, other = len(NOT.findall(sentence)), len(NEGATION.findall(ours))
        if one > other:
            where = sentence.strip()
            found.append(f"negation: {one} in {where!r}, {other} here")
        for phrase, words_for in BOUNDS.items():
            if re.search(phrase, sentence) and not re.search(words_for, ours):
                found.append(f"bound: {phrase!r} of {sentence.strip()!r}")
    if not english.startswith("**Sources"):  # titles stay as they are
        for term in terms_in(said, words or {}):
            if not any(word in chinese for word in words[term]):
                found.append(f"term: {term!r} is {' or '.join(words[term])}")
        for run in WORDS.findall(_spoken(_without(chinese, is_template))):
            found.append(f"English: left: {run!r}")
    return found + _typography(chinese, is_template)


def _without(text: str, is_template: bool) -> str:
    """The text without placeholders."""
    for mark in placeholders(text) if is_template else []:
        text = text.replace(mark, " ")
    return text


def allowed(comments: list[str]) -> set[str]:
    """The kinds of problem that a translator's comment excuses.

    ``# allowed: negation: "don't" is a word of the text`` excuses one.
    """
    return {
        kind
        for comment in comments
        for kind in re.findall(r"^allowed: (\w+)", comment)
    }


def is_template(message) -> bool:
    """Whether braces in a message hold placeholders."""
    where = " ".join(message.auto_comments)
    printed = PRINTED.search(where) and "{" in message.id
    return bool(TEMPLATE.search(where) or printed)


def found_in(message, said: str, words: dict) -> list[str]:
    """What the checks say to this translation, but for what is excused."""
    excused = allowed(message.user_comments)
    return [
        problem
        for problem in problems(
            message.id, said, is_template=is_template(message), words=words
        )
        if problem.split(":")[0] not in excused
    ]


def _typography(chinese: str, is_template: bool) -> list[str]:
    """Spaces between Chinese and Latin; punctuation of full width."""
    text = re.sub(r"(?<=[。：]\*\*) ", "", chinese)  # it ends the strong part
    text = re.sub(r"\*", "", text)
    text = FORMULA.sub("x", CODE.sub("x", TARGET.sub("]", text)))
    text = TAG.sub("", text)
    text = re.sub(r" ?\{\d+\} ?", "", text)  # of a script: a word or a number
    for mark in placeholders(text) if is_template else []:
        text = text.replace(mark, "0")
    text = re.sub(r"!?\[|\]", "", text)
    found = []
    close = re.search(rf"[{CJK}][A-Za-z0-9]|[A-Za-z0-9%][{CJK}]", text)
    if close:
        found.append(f"spaces: one too few: {_around(text, close)}")
    far = re.search(
        rf"[{CJK}] +[{CJK}]|[{WIDE[:11]}] (?!\|)| [{WIDE[:9]}]", text
    )
    if far:
        found.append(f"spaces: one too many: {_around(text, far)}")
    half = re.search(rf"[{CJK}][,;:!?()]|[,;!?(][{CJK}]|[{CJK}]\.(?!\w)", text)
    if half:
        found.append(f"punctuation: of half width: {_around(text, half)}")
    return found


def _around(text: str, match: re.Match) -> str:
    return repr(text[max(0, match.start() - 8) : match.end() + 8])
