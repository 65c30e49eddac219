"""Writing text with a trained model, one token at a time.

Section 8.5 teaches this module: :doc:`/book/8_5_rnn_from_scratch`. It changes
nothing in the model.
"""

import torch
from torch import Tensor, nn

from unrolled.checks import check_count
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

    Raises ValueError for an empty prefix, one with characters that the
    vocabulary does not have, a vocabulary that is not the model's in size,
    num_tokens < 0, temperature < 0 and logits that are not finite.
    """
    num_tokens = check_count("num_tokens", num_tokens, 0)
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, got {prefix!r}")
    if not prefix:
        raise ValueError("prefix is empty; give at least one character")
    strange = [character for character in prefix if character not in vocab]
    if strange:
        known = vocab.to_tokens(list(range(1, len(vocab))))
        raise ValueError(
            f"prefix has characters that the model does not know: "
            f"{strange[0]!r} in {prefix!r}; it knows "
            f"{''.join(sorted(known))[:40]!r}"
        )
    if len(vocab) != model.vocab_size:
        raise ValueError(
            f"vocab has {len(vocab)} indices, the model {model.vocab_size}"
        )
    if not temperature >= 0:
        raise ValueError(f"temperature must be at least 0, got {temperature}")

    device = next(model.parameters()).device
    ids = vocab[list(prefix)]
    unread, state = ids.copy(), None
    with scoring(model):
        for _ in range(num_tokens):
            X = torch.tensor([unread], device=device)
            logits, state = model(X, state)
            unread = [_choose(logits[-1, 0].cpu(), temperature, generator)]
            ids += unread
    return "".join(vocab.to_tokens(ids))


def _choose(
    logits: Tensor, temperature: float, generator: torch.Generator | None
) -> int:
    if not logits.isfinite().all():
        raise ValueError("the model gives logits that are not finite")
    if temperature == 0:
        return int(logits.argmax())
    # shifted first: a small temperature must not make infinities
    scaled = (logits.double() - logits.max()) / temperature
    law = scaled.softmax(-1)
    return int(torch.multinomial(law, 1, generator=generator))
