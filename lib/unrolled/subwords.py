"""Between characters and words: byte-pair encoding.

Section 8.2a teaches this module: :doc:`/book/8_2a_subwords`. It starts from
characters and merges, again and again, the two neighbours that stand together
most often inside words; frequent words end as one token, rare ones as a few.
It numbers nothing: ``vocab`` does, from ``all_tokens``.

A word is written with the space before it, as in GPT-2's vocabulary. Every
character of a text is then in exactly one word, and joining tokens gives the
text back. Characters are those of Python, not bytes, in spite of the name.

Sources: Gage (1994), who compressed files so; Sennrich, Haddow and Birch
(2016), who did it within words, for translation. Merges, tokens and their
order equal those of the library ``tokenizers``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from unrolled.checks import check_count


def split_words(text: str) -> list[str]:
    """Cut a text before each space; joined, the pieces are the text.

    Raises TypeError if text is not a str.

    >>> split_words("the time machine")
    ['the', ' time', ' machine']
    """
    _check_text("text", text)
    return re.findall(" [^ ]*|[^ ]+", text)


def learn_merges(text: str, num_merges: int) -> list[tuple[str, str]]:
    """The pairs of tokens to merge, in the order in which they are found.

    Each step takes the pair with most occurrences side by side in the words
    of the text. Among equals it takes the one whose first token is oldest,
    then the one whose second is: characters are older than merged tokens and
    by code point among themselves, merged tokens by the step that made them.

    Raises TypeError if text is not a str; ValueError for num_merges < 0, and
    for more merges than there are until each word is one token. The first
    merges of many are those of few: learn once, take merges[:n].

    >>> learn_merges("low lower newest widest", 3)
    [('e', 's'), ('l', 'o'), ('es', 't')]
    """
    num_merges = check_count("num_merges", num_merges, 0)
    words = Counter(split_words(text))
    pieces = {word: list(word) for word in words}
    pairs, where = Counter(), defaultdict(set)

    def count(word: str, times: int) -> None:
        for pair in pairwise(pieces[word]):
            pairs[pair] += times
            where[pair].add(word)

    for word, times in words.items():
        count(word, times)
    age = {character: i for i, character in enumerate(sorted(set(text)))}
    merges = []
    for _ in range(num_merges):
        most = max(pairs.values(), default=0)
        if most == 0:
            raise ValueError(
                f"num_merges must be at most {len(merges)} for this text, "
                f"whose words are then one token each; got {num_merges}"
            )
        equals = [pair for pair, times in pairs.items() if times == most]
        best = min(equals, key=lambda pair: (age[pair[0]], age[pair[1]]))
        merges.append(best)
        age["".join(best)] = len(age)
        # only these words change; all others keep their pairs
        for word in where.pop(best):
            count(word, -words[word])
            pieces[word] = _merge(pieces[word], best)
            count(word, words[word])
    return merges


def encode(text: str, merges: Sequence[tuple[str, str]]) -> list[str]:
    """Cut a text into tokens: each word's characters, merged in order.

    merges: as ``learn_merges`` gives them. Of the pairs in a word the one
    that was learned first is merged first, until none is left that was
    learned. A character that the merges never saw stays a token by itself;
    it is ``Vocab`` that calls it unknown.

    Raises TypeError if text is not a str, or merges are no pairs of str.

    >>> encode("lowest", [("e", "s"), ("l", "o"), ("es", "t")])
    ['lo', 'w', 'est']
    """
    _check_merges(merges)
    rank = {pair: i for i, pair in enumerate(merges)}
    words = split_words(text)
    cut = {}
    for word in set(words):
        pieces = list(word)
        while found := rank.keys() & pairwise(pieces):
            pieces = _merge(pieces, min(found, key=rank.get))
        cut[word] = pieces
    return [token for word in words for token in cut[word]]


def decode(tokens: Sequence[str]) -> str:
    """The text of tokens: decode(encode(text, merges)) == text, always.

    Raises TypeError if tokens is one str, or holds anything but strings.
    """
    _check_tokens(tokens)
    return "".join(tokens)


def all_tokens(text: str, merges: Sequence[tuple[str, str]]) -> list[str]:
    """Every token that can come out, from the oldest: what to number.

    The characters of the text from which the merges were learned, by code
    point, then what each merge made. A vocabulary must hold them all: one
    made from the encoded text alone lacks those that were always merged
    further, and a new word may stop at them.

    >>> all_tokens("low", [("l", "o")])
    ['l', 'o', 'w', 'lo']
    """
    _check_text("text", text)
    _check_merges(merges)
    return [*sorted(set(text)), *map("".join, merges)]


def _merge(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """The pieces with each occurrence of the pair joined, from the left."""
    merged = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, got {text!r:.60}")


def _check_tokens(tokens: object) -> None:
    if isinstance(tokens, str) or not isinstance(tokens, Sequence):
        raise TypeError(f"tokens must be a list of str, got {tokens!r:.60}")
    for i, token in enumerate(tokens):
        _check_text(f"tokens[{i}]", token)


def _check_merges(merges: object) -> None:
    if isinstance(merges, str) or not isinstance(merges, Sequence):
        raise TypeError(
            f"merges must be a list of pairs of str, got {merges!r:.60}"
        )
    for i, pair in enumerate(merges):
        right = isinstance(pair, tuple) and len(pair) == 2
        if not (right and all(isinstance(token, str) for token in pair)):
            raise TypeError(
                f"merges[{i}] must be a tuple of two str, got {pair!r:.60}"
            )
