"""Where the text of the course comes from, checked by hash.

Section 8.2 teaches this module: :doc:`/book/8_2_text_preprocessing`. It hands
out one long string, and fixes which parts of it train, choose and score. It
cleans nothing (``vocab`` does).

The text is *The Time Machine* by H. G. Wells (1895; the text of an edition of
1898), in the public domain, in the form that Dive into Deep Learning uses:
178,979 bytes of ASCII. The repository holds no copy. The built-in text,
*The Hunting Tooth*, is a story written for this course and dedicated to the
public domain (CC0 1.0).
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pooch

from unrolled.language import say

FILE_NAME = "timemachine.txt"
SHA256 = "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516"
MIRRORS = (
    "https://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
    "https://raw.githubusercontent.com/d2l-ai/d2l-zh/"
    "592fbef84a684e752393edbf267c07dbc53e082b/data/timemachine.txt",
)
NAMES = ("time_machine", "builtin")
PATIENCE = 15.0  # seconds for all mirrors together
READ_TIMEOUT = 6.0  # seconds without a byte before a mirror is given up

_loaded_the_book = True  # until another text is loaded


class CorpusError(ValueError):
    """The text that was asked for cannot be had; the message says why."""


def load_corpus(
    name: str = "time_machine",
    *,
    path: str | os.PathLike | None = None,
    fallback: str | None = None,
) -> str:
    """Return a text as one str, without a byte-order mark.

    name: "time_machine", or "builtin" for the built-in story.
    path: a reader's own file, in UTF-8, instead of a named text.
    fallback: "builtin" gives the built-in story, with a notice on stdout,
    where The Time Machine cannot be downloaded.

    The Time Machine is looked for in the folder that the environment
    variable UNROLLED_DATA names (it must be there then), in the cache, and at
    two mirrors, for at most 15 seconds. It is checked by sha256 wherever it
    comes from. UNROLLED_OFFLINE=1 leaves the mirrors out; UNROLLED_CACHE
    names another cache folder.

    The claims of a chapter that are about The Time Machine are checked, or
    not, by the text that was loaded last.

    Raises CorpusError, with the way out in its message.
    """
    global _loaded_the_book
    if fallback not in (None, "builtin"):
        raise CorpusError(f"fallback must be 'builtin', got {fallback!r}")
    if name not in NAMES:
        raise CorpusError(
            f"name must be one of {NAMES}, got {name!r}; for a file of your "
            "own pass path=..."
        )
    if path is not None:
        data = _read(path, "path")
        text = _decode(data, path)
        _loaded_the_book = _is_right(data)
        return text
    if name == "time_machine":
        try:
            text = _time_machine().decode("ascii")
        except _NotReachedError as error:
            if fallback is None:
                raise
            notice = (
                "Notice: The Time Machine could not be had ({cause}); the "
                "built-in text is used instead."
            )
            print(say(notice, cause=error.cause))
        else:
            _loaded_the_book = True
            return text
    _loaded_the_book = False
    story = resources.files("unrolled") / "data" / "builtin.txt"
    return story.read_text("utf-8")


def text_is_the_book() -> bool:
    """Whether the last text loaded is The Time Machine; True before any."""
    return _loaded_the_book


def split(text: Sequence) -> tuple[Sequence, Sequence, Sequence]:
    """The first 80 % to train, 10 % to choose, the last 10 % to score.

    text: a str, a list or a tensor; the parts are slices of it. The same
    boundaries everywhere: the 173,427 characters of the book are cut at
    138,741 and 156,084. Raises ValueError for fewer than 10 tokens.

    >>> split("abcdefghij")
    ('abcdefgh', 'i', 'j')
    """
    if len(text) < 10:
        raise ValueError(f"text must have at least 10 tokens, got {len(text)}")
    first, second = len(text) * 8 // 10, len(text) * 9 // 10
    return text[:first], text[first:second], text[second:]


class _NotReachedError(CorpusError):
    """No copy here and none from the mirrors: the one case to fall back."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"The Time Machine could not be had: {cause}. Either put "
            f"{FILE_NAME} into a folder and set UNROLLED_DATA to it, or pass "
            "fallback='builtin', or bring your own text with path=..."
        )
        self.cause = cause


def _time_machine() -> bytes:
    folder = os.environ.get("UNROLLED_DATA")
    if folder:
        data = _read(Path(folder) / FILE_NAME, "UNROLLED_DATA")
        if not _is_right(data):
            raise CorpusError(
                f"UNROLLED_DATA: {Path(folder) / FILE_NAME} is not the text "
                f"that the course was made with (its sha256 is not {SHA256}); "
                "get it again, or unset UNROLLED_DATA"
            )
        return data
    named = os.environ.get("UNROLLED_CACHE")
    cache = _expanded(named) if named else pooch.os_cache("unrolled")
    cached = cache / FILE_NAME
    try:
        data = cached.read_bytes()
    except OSError:
        data = b""
    if _is_right(data):
        return data  # a damaged file is passed over, and replaced below
    if os.environ.get("UNROLLED_OFFLINE", "0") not in ("", "0"):
        raise _NotReachedError("UNROLLED_OFFLINE is set and no copy is cached")
    return _download(cache)


def _expanded(cache: str) -> Path:
    try:
        return Path(cache).expanduser()
    except RuntimeError as error:
        raise CorpusError(
            f"UNROLLED_CACHE: {cache!r:.200} names a home that cannot be "
            "found; give the whole path"
        ) from error


def _is_right(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256


def _download(cache: Path) -> bytes:
    """The text from the first mirror that serves it right, within PATIENCE.

    A thread does the work, since looking up a host's name may hang for
    longer than any time limit that can be set on a connection.
    """
    found: list[bytes] = []
    causes: list[str] = []

    def try_mirrors() -> None:
        for url in MIRRORS:
            try:
                found.append(_fetch(url, cache))
                return
            except Exception as error:  # whatever it is, try the next one
                causes.append(f"{url}: {type(error).__name__}")

    worker = threading.Thread(target=try_mirrors, daemon=True)
    worker.start()
    worker.join(PATIENCE)
    if found:
        return found[0]
    if worker.is_alive():
        causes.append(f"no answer within {PATIENCE:g} s")
    raise _NotReachedError("; ".join(causes))


def _fetch(url: str, cache: Path) -> bytes:
    """One mirror's copy: checked by hash, moved into place in one step."""
    pooch.get_logger().setLevel("WARNING")  # a download is no news
    with tempfile.TemporaryDirectory() as elsewhere:
        path = pooch.retrieve(
            url,
            known_hash=f"sha256:{SHA256}",
            fname=FILE_NAME,
            path=cache if _can_write(cache) else elsewhere,
            downloader=pooch.HTTPDownloader(timeout=READ_TIMEOUT),
        )
        return Path(path).read_bytes()


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _read(path: str | os.PathLike, argument: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{argument}: cannot read {path!s:.200} "
            f"({getattr(error, 'strerror', None) or error}); check the name, "
            "or leave it out to let the course find the text"
        ) from error


def _decode(data: bytes, path: str | os.PathLike) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"path {os.fspath(path)!r} is not UTF-8 (byte {error.start} is "
            f"0x{data[error.start]:02x}); save it as UTF-8 first"
        ) from error
    if "\0" in text:
        raise CorpusError(
            f"path {os.fspath(path)!r} holds NUL characters, as UTF-16 or a "
            "file that is no text does; save it as UTF-8 first"
        )
    if not text.strip():
        raise CorpusError(
            f"path {os.fspath(path)!r} holds no text; choose another file"
        )
    return text
