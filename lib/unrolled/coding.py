"""Compressing a text with a model's probabilities, and getting it back.

Section 8.4 teaches this module: :doc:`/book/8_4_recurrent_networks`; section
8.3 uses the general compressors in it. The arithmetic coding itself is done
by the library constriction, which gets one distribution for each token.
Encoder and decoder must see the same numbers to the last bit, so both walk
the same path, one token at a time, and the probabilities are rounded to
integers before they are used.
"""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator, Sequence

import brotli
import constriction
import numpy as np
import pyppmd
import zstandard
from torch import Tensor

from unrolled.checks import as_ids, check_count
from unrolled.counting import InterpolatedLM

# each with its strongest setting; PPMd's order is the best of 3 to 16 on the
# validation part of The Time Machine
COMPRESSORS = {
    "gzip": lambda data: gzip.compress(data, compresslevel=9, mtime=0),
    "bz2": lambda data: bz2.compress(data, compresslevel=9),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    "zstd": lambda data: zstandard.compress(data, level=22),
    "brotli": lambda data: brotli.compress(data, quality=11, lgwin=24),
    "PPMd": lambda data: pyppmd.compress(
        data, max_order=6, mem_size=64 << 20, variant="I"
    ),
}
RESOLUTION = 1 << 20  # probabilities are multiples of 1 / RESOLUTION

# given the token that came (None: the text starts), the law of the next: (V,)
Predictor = Callable[[int | None], Tensor]


def counting_predictor(model: InterpolatedLM) -> Predictor:
    """A predictor that starts before the text, from a counting model."""
    context: list[int] = []

    def predict(token: int | None) -> Tensor:
        if token is None:
            context.clear()
        else:
            context.append(token)
            del context[: -model.order]
        return model.distribution(context)

    return predict


def encode(predict: Predictor, ids: Sequence[int] | Tensor) -> bytes:
    """The text as bytes: -log2 P(text) bits, at most 64 more, and rounding.

    Probabilities are rounded to multiples of 2^-20, at least one: a law over
    few tokens loses nothing to speak of, one over 50,000 may lose 0.05 of
    its mass, or 0.07 bits a token.

    Raises TypeError for ids that are no integers, ValueError for an id that
    the predictor does not know, and for a predictor that gives no
    probabilities, such as a network whose numbers are nan.
    """
    encoder = constriction.stream.queue.RangeEncoder()
    previous = None
    for token in as_ids("ids", ids, least=0).tolist():
        law = _checked(predict(previous))
        _check_known(token, law)
        if len(law) > 1:  # the only token there is needs no bits
            encoder.encode(token, _model(_quantised(law)))
        previous = token
    # little-endian on every machine
    return encoder.get_compressed().astype("<u4").tobytes()


def decode(predict: Predictor, data: bytes, num_tokens: int) -> list[int]:
    """The num_tokens ids that ``encode`` was given.

    predict: a predictor of the same model. The data do not say where the
    text ends: asked for more tokens, it makes some up. Raises ValueError if
    data is no whole number of 4-byte words or holds what no text is encoded
    to (other data may make up a text), for num_tokens < 0, and for a
    predictor that gives no probabilities.
    """
    num_tokens = check_count("num_tokens", num_tokens, 0)
    if len(data) % 4:
        raise ValueError(
            f"data must be whole 4-byte words, got {len(data)} bytes"
        )
    words = np.frombuffer(data, dtype="<u4").astype(np.uint32)
    decoder = constriction.stream.queue.RangeDecoder(words)
    ids: list[int] = []
    for _ in range(num_tokens):
        law = _checked(predict(ids[-1] if ids else None))
        if len(law) == 1:
            ids.append(0)
            continue
        try:
            token = decoder.decode(_model(_quantised(law)))
        except AssertionError as error:  # so constriction says it
            raise ValueError(
                f"data holds no text of this predictor: {len(ids)} tokens "
                "can be read and no more; it must be what encode gave, with "
                "the same model"
            ) from error
        ids.append(int(token))
    return ids


def ideal_bits(predict: Predictor, ids: Sequence[int] | Tensor) -> float:
    """-log2 of the probability that the predictor gives to the text.

    Errors as for ``encode``.
    """
    return sum(_costs(predict, as_ids("ids", ids, least=0).tolist()))


def compressed_bits(text: str, given: str, compressor: str) -> int:
    """Bits that a general compressor adds for ``text`` when it follows
    ``given``: 8 times the growth of the compressed file.

    compressor: a name in COMPRESSORS.

    Raises ValueError for any other compressor, TypeError if a text is not a
    str.
    """
    if compressor not in tuple(COMPRESSORS):
        raise ValueError(
            f"compressor must be one of {tuple(COMPRESSORS)}, got "
            f"{compressor!r}"
        )
    for name, value in (("text", text), ("given", given)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a str, got {value!r:.60}")
    compress = COMPRESSORS[compressor]
    alone = len(compress(given.encode()))
    return 8 * (len(compress((given + text).encode())) - alone)


def _costs(predict: Predictor, ids: list[int]) -> Iterator[float]:
    previous = None
    for token in ids:
        law = _checked(predict(previous))
        _check_known(token, law)
        yield -float(law[token].log2())
        previous = token


def _checked(law: Tensor) -> Tensor:
    """The law itself, (V,), if it can be one."""
    if law.dim() != 1 or not len(law):
        raise ValueError(
            "the predictor must give one probability for each token, got "
            f"shape {tuple(law.shape)}"
        )
    values = _as_array(law)
    total = values.sum()
    if not (abs(total - 1) < 1e-3 and values.min() >= 0):  # nan is neither
        raise ValueError(
            "the predictor must give probabilities that sum to 1, got a sum "
            f"of {total:.4g} and a least of {values.min():.4g}"
        )
    return law


def _check_known(token: int, law: Tensor) -> None:
    if not 0 <= token < len(law):
        raise ValueError(f"ids must be in 0..{len(law) - 1}, got {token}")


def _quantised(law: Tensor) -> np.ndarray:
    """Integers of at least 1, close to law * RESOLUTION, as float64.

    Every token stays possible, and a difference in the last bit of the law
    changes nothing but where it straddles a rounding border.
    """
    scaled = _as_array(law) * RESOLUTION
    return scaled.round().clip(min=1)


def _as_array(law: Tensor) -> np.ndarray:
    return law.detach().cpu().double().numpy()


def _model(weights: np.ndarray):
    return constriction.stream.model.Categorical(
        weights / weights.sum(), perfect=False
    )
