"""How good a prediction is: one definition of perplexity for the whole book.

Section 8.3 is the first to use it, section 8.4 explains it:
:doc:`/book/8_3_language_models`. It computes no probabilities; a model hands
in the sum of its negative log probabilities, in nats, and the number of tokens
that were predicted. Sums add up over minibatches; means of means do not.
"""

import math

from unrolled.checks import check_count


def perplexity(sum_nll: float, num_tokens: int) -> float:
    """exp of the mean negative log-likelihood of a token.

    sum_nll: the sum of -ln p over the predicted tokens, in nats.
    num_tokens: how many tokens were predicted.

    1 for a model that is always certain and right, the vocabulary size for
    the uniform model, infinite if one token had probability 0. It is the
    geometric mean of 1 / p (section 8.4).

    Raises TypeError for what is no number; ValueError for a sum that is
    negative or not a number and for num_tokens < 1.

    >>> round(perplexity(2 * math.log(28), 2), 6)
    28.0
    """
    try:
        return math.exp(_mean_nll(sum_nll, num_tokens))
    except OverflowError:  # above the largest float, 1.8e308
        return math.inf


def bits_per_token(sum_nll: float, num_tokens: int) -> float:
    """The same quality in bits: log2 of the perplexity.

    Arguments and errors as for ``perplexity``. It is the length of the code
    that an ideal coder driven by the model needs for each token.

    >>> bits_per_token(math.log(2), 1)
    1.0
    """
    return _mean_nll(sum_nll, num_tokens) / math.log(2)


def _mean_nll(sum_nll: float, num_tokens: int) -> float:
    num_tokens = check_count("num_tokens", num_tokens, 1)
    if hasattr(sum_nll, "item") and getattr(sum_nll, "shape", None) == ():
        sum_nll = sum_nll.item()  # a 0-dimensional tensor or array
    if isinstance(sum_nll, bool) or not isinstance(sum_nll, (int, float)):
        raise TypeError(f"sum_nll must be one number, got {sum_nll!r}")
    if not sum_nll >= 0:
        raise ValueError(
            f"sum_nll must be at least 0, got {sum_nll}; it is the sum of "
            "-ln p, and p is at most 1"
        )
    return sum_nll / num_tokens
