"""Section 8.4, Shannon's guessing game: what three models expect.

A passage of the built-in story, near its end, and for each of its characters
the distribution that each model gives to it, from the characters before. The
models have read the story up to the 44 characters that the reader is shown,
and nothing from there on.
"""

import json

import torch

from unrolled.corpus import load_corpus
from unrolled.counting import InterpolatedLM
from unrolled.ngrams import KneserNeyLM, NgramLM
from unrolled.vocab import Vocab, character_stream

START = 35_098  # of the passage, in the stream; a word begins there
SHOWN = 44  # characters before it, to begin with
LENGTH = 60


def models(
    ids: torch.Tensor, vocab_size: int
) -> list[tuple[str, InterpolatedLM]]:
    """The models by their names, fitted on ids (n,)."""
    return [
        ("unigram", NgramLM(1, vocab_size, 1.0).fit(ids)),
        ("bigram", NgramLM(2, vocab_size, 1.0).fit(ids)),
        ("Kneser-Ney", KneserNeyLM(6, vocab_size).fit(ids)),
    ]


def game() -> dict:
    """What the page needs, as JSON has it.

    characters: one string, in the order of the vocabulary; an index into it
    names a character. passage: such indices, so that the answer cannot be
    read by accident. models: for each a name and laws, LENGTH distributions
    over the characters.
    """
    stream = character_stream(load_corpus("builtin"))
    before = stream[: START - SHOWN]
    passage = stream[START : START + LENGTH]
    vocab = Vocab(list(before))
    # The story's first nine tenths hold every letter. So the unknown token,
    # index 0, is left out: nobody can guess it, and a model that spared
    # probability for it would play by other rules than the reader.
    text = torch.tensor(vocab[list(stream)]) - 1
    size = len(vocab) - 1
    pasts = [text[: START + place] for place in range(LENGTH)]
    return {
        "context": stream[START - SHOWN : START],
        "characters": "".join(vocab.to_tokens(list(range(1, size + 1)))),
        "passage": (torch.tensor(vocab[list(passage)]) - 1).tolist(),
        "models": [
            {
                "name": name,
                "laws": [
                    [round(p, 6) for p in model.distribution(past).tolist()]
                    for past in pasts
                ],
            }
            for name, model in models(text[: len(before)], size)
        ],
    }


def export() -> dict[str, bytes]:
    """The file of the page, by name."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        text = json.dumps(game(), separators=(",", ":"))
    finally:
        torch.set_num_threads(threads)
    return {"shannon.json": text.encode()}
