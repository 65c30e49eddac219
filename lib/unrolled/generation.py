"""Writing text with a trained model, one token at a time.

Section 8.5 teaches this module: :doc:`/book/8_5_rnn_from_scratch`. It changes
nothing in the model.
"""

import math

import torch
from torch import Tensor, nn

from unrolled.checks import check_count, check_generator, check_number
from unrolled.rnn import scoring
from unrolled.vocab import Vocab


def generate(
    model: nn.Module,
    prefix: str,
    num_tokens: int,
    vocab: Vocab,
    *,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> str:
    """The prefix and num_tokens tokens that the model appends, as one str.

    The prefix warms the state up. Then each token is drawn from
    softmax(logits / temperature), the generator deciding; temperature 0
    takes the most probable token each time (greedy), of equals the first.
    Where the unknown token is drawn, its name appears.

    A vocabulary with tokens of several characters, none of them with white
    space, is one of words (marks such as <pad> do not count): the prefix is
    then cut into words at white space, and words are joined by spaces. Any
    other is one of characters, which are joined by nothing.

    Raises ValueError for an empty prefix, one with characters (or words)
    that the vocabulary does not have, a vocabulary that is not the model's
    in size, num_tokens < 0, temperature < 0 and logits that are not finite.
    """
    num_tokens = check_count("num_tokens", num_tokens, 0)
    check_generator(generator)
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, got {prefix!r}")
    of_words = _holds_words(vocab)
    unit = "word" if of_words else "character"
    tokens = prefix.split() if of_words else list(prefix)
    if not tokens:
        raise ValueError(f"prefix is empty; give at least one {unit}")
    _check_known(prefix, tokens, vocab, unit)
    if len(vocab) != model.vocab_size:
        raise ValueError(
            f"vocab has {len(vocab)} indices, the model {model.vocab_size}"
        )
    check_number("temperature", temperature, "[0, inf]")

    device = next(model.parameters()).device
    written: list[Tensor] = []
    if num_tokens:
        with scoring(model), torch.inference_mode():
            X = torch.tensor([vocab[tokens]], device=device)
            logits, state = model(X, None)
            logits = logits[-1]  # (1, V)
            for _ in range(num_tokens - 1):
                token = _choose(logits, temperature, generator).to(device)
                written.append(token)
                logits, state = _step(model, token, state)
            written.append(_choose(logits, temperature, generator).to(device))
    new = vocab.to_tokens(torch.cat(written).tolist() if written else [])
    if not of_words:
        return prefix + "".join(new)
    space = " " if new and not prefix[-1].isspace() else ""
    return prefix + space + " ".join(new)


def _holds_words(vocab: Vocab) -> bool:
    """Whether the tokens are words, by the rule that ``generate`` states."""
    tokens = [
        token
        for token in vocab.to_tokens(list(range(len(vocab))))
        if not (token.startswith("<") and token.endswith(">"))
    ]
    return any(len(token) > 1 for token in tokens) and not any(
        character.isspace() for token in tokens for character in token
    )


def _check_known(
    prefix: str, tokens: list[str], vocab: Vocab, unit: str
) -> None:
    strange = [token for token in tokens if token not in vocab]
    if not strange:
        return
    known = vocab.to_tokens(list(range(1, len(vocab))))
    if unit == "word":
        shown = ", ".join(known[:8])
    else:
        shown = repr("".join(sorted(known))[:40])
    raise ValueError(
        f"prefix has {unit}s that the model does not know: "
        f"{strange[0]!r} in {prefix!r}; it knows {shown}"
    )


def _step(
    model: nn.Module, token: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits (1, V) and state after one more token (1,)."""
    if hasattr(model, "step"):
        return model.step(token, state)
    logits, state = model(token[None], state)
    return logits[-1], state


def _choose(
    logits: Tensor, temperature: float, generator: torch.Generator | None
) -> Tensor:
    """One token (1,) from logits (1, V), drawn on the CPU."""
    logits = logits.cpu()
    scaled = logits.double() / temperature if temperature else logits
    # a finite sum has finite terms, and is quicker to ask for
    if not math.isfinite(scaled.sum()):
        if not logits.isfinite().all():
            raise ValueError("the model gives logits that are not finite")
        # shifted first: a small temperature must not make infinities
        scaled = (logits.double() - logits.max()) / (temperature or 1)
    if not temperature:
        return scaled.argmax(-1)
    # the least waiting time: what multinomial draws, without its checks
    waiting = torch.empty_like(scaled).exponential_(generator=generator)
    return scaled.softmax(-1).div_(waiting).argmax(-1)
