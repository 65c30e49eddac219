"""Sentences about results that are checked every time they are printed.

Every chapter uses this module. A claim prints a sentence with its measured
number and raises when it does not hold, so a page cannot keep a sentence that
its own code contradicts. The module knows nothing of models, and of texts only
what ``corpus`` says: whether The Time Machine is in use.
"""

from unrolled.corpus import text_is_the_book
from unrolled.language import joined, say


class ClaimError(AssertionError):
    """A sentence on the page is contradicted by what was measured."""


def claim(sentence: str, holds: bool, *, corpus: bool = False) -> None:
    """Print the sentence if it holds; raise ClaimError if it does not.

    sentence: what was measured, with its number, ready to be read.
    holds: one truth value; a bool, or a 0-dimensional boolean array or
    tensor. Numbers are refused: ``claim(s, error)`` is a slip for
    ``claim(s, error < limit)``.
    corpus: the sentence is about The Time Machine. Where the text that was
    loaded last is another one, it is printed as not checked.

    Raises TypeError for any other kind of argument, ValueError for an empty
    sentence.

    >>> claim(f"Two and two make {2 + 2}.", 2 + 2 == 4)
    Holds: Two and two make 4.
    """
    if not isinstance(sentence, str):
        raise TypeError(f"sentence must be a str, got {sentence!r}")
    if not sentence.strip():
        raise ValueError("sentence is empty; say what was measured")
    verdict, sentence = _truth(holds), joined(sentence)
    if corpus and not text_is_the_book():
        print(say("Not checked on this text: {sentence}", sentence=sentence))
    elif verdict:
        print(say("Holds: {sentence}", sentence=sentence))
    else:
        raise ClaimError(f"does not hold: {sentence}")


def _truth(holds: object) -> bool:
    # arrays and tensors are recognised by shape and dtype, so that neither
    # numpy nor torch has to be imported here
    value = holds
    if hasattr(holds, "dtype") and getattr(holds, "shape", None) == ():
        value = holds.item()
    if not isinstance(value, bool):
        raise TypeError(
            f"holds must be one truth value, got {holds!r}; compare the "
            "measured number with a limit, or use all() or any()"
        )
    return value
