"""A model of words, read letter by letter.

Section 8.3a teaches this module: :doc:`/book/8_3a_counting_in_earnest`. A
model of words and a model of characters cannot be compared by perplexity:
their tokens differ. Here the first gives a probability to every next
*character*, and unknown words are spelled, so that nothing is left out. It
counts nothing (``ngrams`` does).
"""

import re
from bisect import bisect_left
from typing import Protocol

import torch
from torch import Tensor

from unrolled.vocab import Vocab


class CountingLM(Protocol):
    """What is needed of a model: see ``ngrams``."""

    order: int
    vocab_size: int

    def distribution(self, context) -> Tensor: ...  # noqa: D102
    def log_probs(self, ids: Tensor) -> Tensor: ...  # noqa: D102


class SpelledWords:
    """P(next character), from a model of words and a model of spelling.

    The next word, with the space that ends it, begins with the string s with
    probability

        A(s) = sum of P(w | words before), over known w that begin with s
               + P(unknown | words before) Q(s)

    where Q(s) is what the speller gives to s after the text from ``start``
    on, as far as it was read, with a space before it. The next
    character is c with probability A(s c) / A(s), s being what has been read
    of the word. Over a whole word the fractions multiply to the probability
    of the word.

    words: a fitted model over the indices of ``vocab``. speller: a fitted
    model over those of ``characters``, best on rare words joined by spaces.

    Raises ValueError if a model and its vocabulary have different sizes.
    """

    def __init__(
        self,
        words: CountingLM,
        vocab: Vocab,
        speller: CountingLM,
        characters: Vocab,
    ) -> None:
        """Sort the known words, so that equal beginnings lie together."""
        for name, model, own in (
            ("words", words, vocab),
            ("speller", speller, characters),
        ):
            if model.vocab_size != len(own):
                raise ValueError(
                    f"{name} has vocab_size {model.vocab_size}, its "
                    f"vocabulary has {len(own)} indices"
                )
        self.words, self.vocab = words, vocab
        self.speller, self.characters = speller, characters
        known = vocab.to_tokens(list(range(1, len(vocab))))
        # with its space a word is no beginning of another one
        pairs = sorted((word + " ", vocab[word]) for word in known)
        self._sorted = [word for word, _ in pairs]
        self._indices = torch.tensor([index for _, index in pairs]).long()

    def log_probs(self, text: str, start: int) -> Tensor:
        """ln P of each character of text[start:]: (len(text) - start,), nats.

        text: words with one space between them, as ``character_stream``
        gives. start: where a word begins; the words before it are the
        context, those of text[start:] are predicted one after the other.
        Minus infinity for a character that both models rule out, and for
        the rest of its word.

        Raises ValueError if no word begins at start or the text has white
        space other than single spaces.
        """
        _check_start(text, start)
        history = self.vocab[text[:start].split()]
        spelling = self._spelling(text, start)
        found = []
        place = 0  # in text[start:]
        for word in text[start:].split():
            string = (word + " ")[: len(text) - start - place]
            law = self.words.distribution(history[-self.words.order :])
            in_order = law[self._indices]
            # summed anew for each beginning: differences of a running sum
            # would lose small probabilities beside large ones
            known = torch.stack(
                [
                    in_order[slice(*self._block(string[:end]))].sum()
                    for end in range(len(string) + 1)
                ]
            )
            piece = spelling[place : place + len(string)].cumsum(0).exp()
            unknown = law[0] * torch.cat([piece.new_ones(1), piece])
            begins = known + unknown
            # 0 / 0 after a beginning that was impossible: still impossible
            found.append((begins[1:] / begins[:-1]).nan_to_num(0.0).log())
            history.append(self.vocab[word])
            place += len(string)
        return torch.cat(found)

    def _spelling(self, text: str, start: int) -> Tensor:
        """The speller's ln P of each character of text[start:]."""
        # it starts anew at the space before the first word
        ids = self.characters[list(" " + text[start:])]
        return self.speller.log_probs(torch.tensor(ids))

    def _block(self, beginning: str) -> tuple[int, int]:
        """The places of the known words that begin so, end excluded."""
        first = bisect_left(self._sorted, beginning)
        # the largest character of all, after every letter
        return first, bisect_left(self._sorted, beginning + chr(0x10FFFF))


def _check_start(text: str, start: int) -> None:
    if not 0 <= start < len(text):
        raise ValueError(f"start must be in 0..{len(text) - 1}, got {start}")
    if text[start] == " " or (start and text[start - 1] != " "):
        raise ValueError(
            f"start must be where a word begins, got {start}, in "
            f"{text[max(start - 5, 0) : start + 5]!r}"
        )
    other = re.search(r"  |[^\S ]", text)
    if other:
        raise ValueError(
            "text must have single spaces as its only white space, got "
            f"{other[0]!r} at {other.start()}; try character_stream(text)"
        )
