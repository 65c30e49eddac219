"""Writing text with a trained model, one token at a time.

Section 8.5 teaches this module: :doc:`/book/8_5_rnn_from_scratch`. It changes
nothing in the model.
"""

import torch
from torch import Tensor, nn

from unrolled.checks import check_count
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
    """The prefix and num_tokens characters that the model appends.

    The prefix warms the state up. Then each token is drawn from
    softmax(logits / temperature), the generator deciding; temperature 0
    takes the most probable token each time (greedy), of equals the first.

    Raises ValueError for an empty prefix, one with characters that the
    vocabulary does not have, num_tokens < 0 and temperature < 0.
    """
    check_count("num_tokens", num_tokens, 0)
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, got {prefix!r}")
    if not prefix:
        raise ValueError("prefix is empty; give at least one character")
    strange = [character for character in prefix if character not in vocab]
    if strange:
        raise ValueError(
            f"prefix has characters that the model does not know: "
            f"{strange[0]!r} in {prefix!r}"
        )
    if not temperature >= 0:
        raise ValueError(f"temperature must be at least 0, got {temperature}")

    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    ids = vocab[list(prefix)]
    unread, state = ids.copy(), None
    with torch.no_grad():
        for _ in range(num_tokens):
            X = torch.tensor([unread], device=device)
            logits, state = model(X, state)
            unread = [_choose(logits[-1, 0].cpu(), temperature, generator)]
            ids += unread
    model.train(was_training)
    return "".join(vocab.to_tokens(ids))


def _choose(
    logits: Tensor, temperature: float, generator: torch.Generator | None
) -> int:
    if temperature == 0:
        return int(logits.argmax())
    # shifted first: a small temperature must not make infinities
    scaled = (logits.double() - logits.max()) / temperature
    law = scaled.softmax(-1)
    return int(torch.multinomial(law, 1, generator=generator))
