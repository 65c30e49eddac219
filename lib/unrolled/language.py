"""The language in which claims and exercises speak to a reader.

English, unless ``set_language`` says otherwise: the first cell of a notebook
in another language does. Errors stay English, so that they can be looked up.
The translations are gettext's; ``make zh`` writes them from translations/.
"""

import gettext
import re
from importlib import resources

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh_CN")
# computed lists and ranges of numbers: "0.5, 0.4 and 0.3", "1.5 to 1.6"
JOINT = re.compile(r"(?<=[\d)%])( to | and )(?=[+\-\w])")
_name = ENGLISH
_spoken = gettext.NullTranslations()


def set_language(name: str) -> None:
    """Speak this language from now on.

    Raises ValueError for one that there is no translation into.
    """
    global _name, _spoken
    if name not in LANGUAGES:
        raise ValueError(f"name must be one of {LANGUAGES}, got {name!r}")
    _name, _spoken = name, gettext.NullTranslations()
    if name != ENGLISH:
        file = resources.files("unrolled") / "data" / f"{name}.mo"
        with file.open("rb") as opened:
            _spoken = gettext.GNUTranslations(opened)


def spoken_language() -> str:
    """The language that is spoken now."""
    return _name


def say(words: str, **values: object) -> str:
    """The words in the language of the reader, with the values in them.

    words: English, with a name in braces for each value. Words that have no
    translation stay as they are.

    >>> say("{n} of {all}", n=1, all=3)
    '1 of 3'
    """
    return _spoken.gettext(words).format(**values)


def joined(sentence: str) -> str:
    """The sentence, with "to" and "and" after numbers as the reader says it.

    For sentences in another language whose numbers a page has joined.
    """
    if _name == ENGLISH:
        return sentence
    return JOINT.sub(lambda match: _spoken.gettext(match[1]), sentence)
