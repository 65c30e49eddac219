"""The catalogs of a translation: gettext files in translations/LANGUAGE.

One for each page, ``site`` for what the pages' frame, explorables and
self-checks say, ``unrolled`` for the library's words to a reader, and
``common`` for what stands on three pages or more. A message keeps its
translation until its English changes; then it is marked fuzzy, as gettext
does, and the tests do not pass before someone has looked at it.
"""

import difflib
import io
from collections import Counter
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = "zh_CN"
FOLDER = ROOT / "translations" / LANGUAGE
COMMON, OFTEN = "common", 3
CLOSE = 0.6  # how alike a changed message is to what it was


class UntranslatedError(ValueError):
    """A message has no translation, or one that nobody has looked at."""


def path_of(name: str, folder: Path = FOLDER) -> Path:
    """Where a catalog lies."""
    return folder / f"{name}.po"


def read(name: str, folder: Path = FOLDER) -> Catalog:
    """A catalog; an empty one where there is no file."""
    path = path_of(name, folder)
    if not path.exists():
        return Catalog(LANGUAGE)
    with path.open("rb") as file:
        return read_po(file, LANGUAGE)


def text_of(catalog: Catalog) -> str:
    """A catalog as its file has it; nothing in it depends on the day."""
    file = io.BytesIO()
    write_po(file, catalog, width=0, omit_header=True)
    head = (
        'msgid ""\nmsgstr ""\n'
        '"Language: zh_CN\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return head + file.getvalue().decode("utf-8").strip("\n") + "\n"


def shared(pages: dict[str, list[tuple[str, str]]]) -> set[str]:
    """The messages that stand on at least OFTEN pages."""
    on = Counter(text for said in pages.values() for text in dict(said))
    return {text for text, times in on.items() if times >= OFTEN}


def renewed(old: Catalog, said: list[tuple[str, str]]) -> Catalog:
    """The catalog of what a page says now: (text, where) pairs, in order.

    Known messages keep their translation. A new one that resembles one that
    is gone takes that one's, marked fuzzy.
    """
    new = Catalog(LANGUAGE)
    wanted = dict.fromkeys(text for text, _ in said)
    gone = {m.id: m for m in old if m.id and m.id not in wanted and m.string}
    for text, where in said:
        message = old.get(text)
        if text in new:
            if where not in new[text].auto_comments:
                new[text].auto_comments.append(where)
            continue
        if message is not None:
            new.add(
                text, message.string, flags=message.flags,
                auto_comments=[where], user_comments=message.user_comments,
            )  # fmt: skip
            continue
        (like,) = difflib.get_close_matches(text, gone, 1, CLOSE) or [None]
        string = gone[like].string if like else ""
        flags = ["fuzzy"] if like else []
        new.add(text, string, flags=flags, auto_comments=[where])
    return new


def translator(*names: str, folder: Path = FOLDER):
    """A function that translates, by the first catalog that knows the text.

    It raises UntranslatedError.
    """
    catalogs = [read(name, folder) for name in names]

    def say(text: str) -> str:
        for catalog in catalogs:
            message = catalog.get(text)
            if message is not None and message.string:
                if message.fuzzy:
                    raise UntranslatedError(f"{names[0]}.po: fuzzy: {text!r}")
                return message.string
        raise UntranslatedError(f"{names[0]}.po: not translated: {text!r}")

    return say
