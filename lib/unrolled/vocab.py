"""From text to numbers: clean lines, tokens, a vocabulary, one stream.

Section 8.2 teaches this module: :doc:`/book/8_2_text_preprocessing`. It does
not read files (``corpus`` does) and does not cut minibatches (``batches``).
Indices are those of Dive into Deep Learning, section 8.2, on the same tokens.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import overload

from unrolled.checks import check_number
from unrolled.corpus import CorpusError

UNITS = ("word", "char")


def clean_lines(text: str) -> list[str]:
    """Split a text into lines of lower-case letters a-z and single spaces.

    Every run of other characters becomes one space; a line's ends are
    stripped. Lines that hold no letter stay, empty, so that line numbers are
    those of the text. Only a-z survive: other scripts are lost entirely.

    Raises TypeError if text is not a str.

    >>> clean_lines("The Time Machine,\\n\\nby H. G. Wells [1898]")
    ['the time machine', '', 'by h g wells']
    """
    _check_text("text", text)
    lines = re.split(r"\r\n|\r|\n", text)
    if lines[-1] == "":
        lines.pop()  # the text ended with its last line, not with one more
    return [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines]


def tokenize(lines: Iterable[str], unit: str = "word") -> list[list[str]]:
    """Cut each line into words or into characters; one list for each line.

    Words are what white space separates; characters include the spaces.

    Raises ValueError for any other unit; TypeError if lines is one str, or
    holds anything but strings.

    >>> tokenize(["the time"])
    [['the', 'time']]
    >>> tokenize(["the"], unit="char")
    [['t', 'h', 'e']]
    """
    if unit not in UNITS:
        raise ValueError(f"unit must be one of {UNITS}, got {unit!r}")
    if isinstance(lines, str):
        raise TypeError(
            "lines must be a list of str, got one str; try [text] or "
            "clean_lines(text)"
        )
    if not isinstance(lines, Iterable):
        raise TypeError(f"lines must be a list of str, got {lines!r}")
    lines = list(lines)
    for number, line in enumerate(lines):
        _check_text(f"lines[{number}]", line)
    return [line.split() if unit == "word" else list(line) for line in lines]


def character_stream(text: str, *, joining: str = "space") -> str:
    """The whole text, cleaned, as one string of characters.

    joining="space" puts one space between the lines that hold any letter;
    this is the stream of this course. joining="edition" puts nothing there,
    as the classic edition does: the last word of a line and the first of the
    next then run together. It is here for comparison only. A text without
    a-z gives the empty string.

    Raises ValueError for any other joining; TypeError as ``clean_lines``.

    >>> character_stream("The Time\\n\\nMachine")
    'the time machine'
    >>> character_stream("The Time\\n\\nMachine", joining="edition")
    'the timemachine'
    """
    joints = {"space": " ", "edition": ""}
    if joining not in tuple(joints):
        raise ValueError(
            f"joining must be one of {tuple(joints)}, got {joining!r}"
        )
    return joints[joining].join(filter(None, clean_lines(text)))


class Vocab:
    """Tokens numbered by falling frequency; index 0 is the unknown token.

    tokens: a flat list of str, or a list of such lists.
    min_freq: tokens seen less often get no index of their own.
    reserved_tokens: get the indices 1, 2, ... whether seen or not.

    Ties in frequency keep the order in which tokens were first seen.

    Raises TypeError if tokens is one str or holds anything but strings (or
    lists of them); ValueError for min_freq < 0 and for reserved tokens that
    occur twice or are the unknown token.

    >>> vocab = Vocab(["the", "time", "the"])
    >>> vocab["the"], vocab[["time", "machine"]], len(vocab)
    (1, [2, 0], 3)
    >>> vocab.to_tokens([1, 0])
    ['the', '<unk>']
    """

    unk = 0
    unknown_token = "<unk>"

    def __init__(
        self,
        tokens: Sequence[str] | Sequence[Sequence[str]],
        min_freq: float = 0,
        reserved_tokens: Sequence[str] = (),
    ) -> None:
        """Count the tokens and number them."""
        check_number("min_freq", min_freq, "[0, inf]")
        reserved = _flat("reserved_tokens", reserved_tokens)
        fixed = [self.unknown_token, *reserved]
        twice = [t for t, count in Counter(fixed).items() if count > 1]
        if twice:
            raise ValueError(
                f"reserved_tokens: {twice[0]!r} occurs more than once; each "
                f"token needs one index ({self.unknown_token!r} has 0)"
            )
        # sorted is stable and Counter keeps the order of first sight
        self.token_freqs: list[tuple[str, int]] = sorted(
            Counter(_flat("tokens", tokens)).items(),
            key=lambda pair: pair[1],
            reverse=True,
        )
        self._tokens = fixed + [
            token
            for token, count in self.token_freqs
            if count >= min_freq and token not in fixed
        ]
        self._indices = {token: i for i, token in enumerate(self._tokens)}

    def __len__(self) -> int:
        """The number of indices, the unknown and reserved ones included."""
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        """Whether the token has an index of its own."""
        return token in self._indices

    @overload
    def __getitem__(self, tokens: str) -> int: ...
    @overload
    def __getitem__(self, tokens: Sequence) -> list: ...
    def __getitem__(self, tokens):
        """The index of a token, or those of a (nested) list of tokens.

        A token that is not in the vocabulary has index 0. Raises TypeError
        for what is neither a str nor a list or tuple.
        """
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        if not isinstance(tokens, str):
            raise TypeError(
                f"token must be a str or a list of str, got {tokens!r}; "
                "to_tokens goes from indices to tokens"
            )
        return self._indices.get(tokens, self.unk)

    @overload
    def to_tokens(self, indices: int) -> str: ...
    @overload
    def to_tokens(self, indices: Sequence) -> list: ...
    def to_tokens(self, indices):
        """The token of an index, or those of a list or tensor of indices.

        Raises IndexError for an index outside 0..len(vocab) - 1, negative
        ones too; TypeError for what is no integer.
        """
        if hasattr(indices, "tolist"):
            indices = indices.tolist()  # a tensor or an array
        if isinstance(indices, (list, tuple)):
            return [self.to_tokens(index) for index in indices]
        if isinstance(indices, bool) or not isinstance(indices, int):
            raise TypeError(
                f"index must be an int or a list of int, got {indices!r}"
            )
        if not 0 <= indices < len(self):
            raise IndexError(
                f"index {indices} is outside 0..{len(self) - 1}, the indices "
                "of this vocabulary"
            )
        return self._tokens[indices]


def _flat(name: str, tokens: Iterable) -> list[str]:
    """The tokens of a list, or of a list of lists, as one list."""
    if isinstance(tokens, str):
        raise TypeError(
            f"{name} must be a list of str, got one str; for its characters "
            "try list(text)"
        )
    if isinstance(tokens, (Mapping, Set)):
        raise TypeError(
            f"{name} must be a list of str, got a {type(tokens).__name__}, "
            "whose counts or order would be lost"
        )
    if not isinstance(tokens, Iterable):
        raise TypeError(f"{name} must be a list of str, got {tokens!r}")
    flat = []
    for number, item in enumerate(tokens):
        if isinstance(item, str):
            flat.append(item)
        elif isinstance(item, (list, tuple)):
            for token in item:
                _check_text(f"{name}[{number}]: every token", token)
            flat.extend(item)
        else:
            raise TypeError(
                f"{name}[{number}] must be a str or a list of str, got "
                f"{item!r}"
            )
    return flat


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, got {text!r:.60}")


def check_words(text: str, least: int) -> None:
    """Raise CorpusError for a cleaned text of fewer than ``least`` words.

    Words are what white space separates. Pages call this for texts of a
    reader's own, before they count anything.

    >>> check_words("the time machine", 3)
    """
    found = len(text.split())
    if found < least:
        raise CorpusError(
            f"the text has {found:,} words of letters a-z after cleaning, "
            f"and this page needs {least:,}; choose a longer text in English"
        )
