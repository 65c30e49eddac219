"""Section 8.4, Shannon's guessing game: what three counting models expect.

Six passages that no model has read: two from the last tenth of The Time
Machine, together less than the 300 characters that may be quoted of it, and
four from the built-in story. For each of their characters the distribution
that each model gives to it, from the characters before. All models have read
the first eight tenths of The Time Machine and nothing else, like the network,
which the page runs itself.
"""

import json

import torch

from unrolled.corpus import load_corpus, split
from unrolled.counting import InterpolatedLM
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.vocab import Vocab, character_stream

SHOWN = 96  # characters before a passage, at most: they begin with a word
LENGTH = 50  # of a passage, at most: it ends with a word
STARTS = {  # in the streams; a word begins there
    "time_machine": (160_905, 169_903),
    "builtin": (1_500, 10_003, 28_701, 35_098),
}
MILLION = 1_000_000


def models(
    ids: torch.Tensor, vocab_size: int
) -> list[tuple[str, InterpolatedLM]]:
    """The models by their names, fitted on ids (n,)."""
    return [
        ("unigram", NgramLM(1, vocab_size, 1.0).fit(ids)),
        ("bigram", NgramLM(2, vocab_size, 1.0).fit(ids)),
        ("7-gram", KneserNeyLM(7, vocab_size).fit(ids)),
    ]


def cut(stream: str, start: int) -> tuple[str, str]:
    """What is shown before a start, and the passage."""
    first = stream.index(" ", start - SHOWN - 1) + 1
    end = stream.rindex(" ", start, start + LENGTH + 1)
    return stream[first:start], stream[start:end]


def game() -> dict:
    """What the page needs, as JSON has it.

    characters: one string, in the order of the vocabulary; an index into it
    names a character. unigram: one distribution over the characters; bigram:
    one after each character; both are the same in all passages. passages: for
    each the text it is from, the context that is shown, the characters to
    guess as indices, so that the answer cannot be read by accident, and the
    7-gram's distribution at each place.
    """
    # the book second: claims go by the text that was loaded last
    streams = {"builtin": character_stream(load_corpus("builtin"))}
    book = streams["time_machine"] = character_stream(load_corpus())
    train_text, _, _ = split(book)
    vocab = Vocab(list(train_text))
    # The unknown token, index 0, is left out: nobody can guess it, and a
    # model that spared probability for it would play by other rules than the
    # reader.
    size = len(vocab) - 1

    def ids_of(text: str) -> torch.Tensor:
        return torch.tensor(vocab[list(text)]) - 1

    unigram, bigram, best = (m for _, m in models(ids_of(train_text), size))
    passages = []
    for name, starts in STARTS.items():
        for start in starts:
            context, passage = cut(streams[name], start)
            ids, shown = ids_of(context + passage), len(context)
            passages.append(
                {
                    "text": name,
                    "context": context,
                    "passage": ids[shown:].tolist(),
                    "7-gram": [
                        millionths(best, ids[: shown + place])
                        for place in range(len(passage))
                    ],
                }
            )
    return {
        "characters": "".join(vocab.to_tokens(list(range(1, size + 1)))),
        "unigram": millionths(unigram, ids_of(" ")),
        "bigram": [
            millionths(bigram, torch.tensor([last])) for last in range(size)
        ],
        "passages": passages,
    }


def millionths(model: InterpolatedLM, past: torch.Tensor) -> list[int]:
    """The distribution after a past, as whole millionths, none of them 0.

    Else a character would cost infinitely many bits.
    """
    shares = model.distribution(past).tolist()
    return [max(round(MILLION * p), 1) for p in shares]


def export() -> dict[str, bytes]:
    """The file of the page, by name."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        text = json.dumps(game(), separators=(",", ":"))
    finally:
        torch.set_num_threads(threads)
    return {"shannon.json": text.encode()}
