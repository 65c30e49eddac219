"""What counting costs: make bench prints this table.

Times are medians of five runs in one process on one thread. The texts are
drawn from a fixed law, skewed as a text is, so no corpus is needed.
"""

import statistics
import time
from collections.abc import Callable

import torch

from unrolled.corpus import split
from unrolled.ngrams import KneserNeyLM, NgramLM

ROUNDS = 5


def seconds(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of one call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def skewed(n: int, vocab_size: int) -> torch.Tensor:
    """n ids, the i-th as frequent as 1 / i; the last third of the text
    repeats runs of what came before, so that long n-grams recur.
    """
    generator = torch.Generator().manual_seed(0)
    weights = 1 / torch.arange(1, vocab_size, dtype=torch.float64)
    ids = 1 + torch.multinomial(weights, n, True, generator=generator)
    third = n // 3
    ids[-third:] = ids[:third]
    return ids


def fit_and_score(model, ids: torch.Tensor) -> float:
    """Count the first 80 %, score the last 10 %."""
    train, _, test = split(ids)
    return model.fit(train).perplexity(test)


def growth(sizes: list[int]) -> tuple[list[float], float]:
    """Seconds for each size, and the slope of log time on log size."""
    times = []
    for size in sizes:
        ids = skewed(size, 28)
        times.append(
            seconds(lambda ids=ids: NgramLM(7, 28, 1.0).fit(ids), rounds=3)
        )
    x = torch.tensor(sizes, dtype=torch.float64).log()
    y = torch.tensor(times, dtype=torch.float64).log()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).pow(
        2
    ).sum()
    return times, slope.item()


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    print("Fit on 80 % and score 10 % of a text as long as the book:")
    characters, words = skewed(173_427, 28), skewed(32_775, 4_580)
    for name, model, ids in (
        ("characters, order 7", NgramLM(7, 28, 1.0), characters),
        ("characters, order 7, Kneser-Ney", KneserNeyLM(7, 28), characters),
        ("words, order 3", NgramLM(3, 4_580, 1.0), words),
        ("words, order 3, Kneser-Ney", KneserNeyLM(3, 4_580), words),
    ):
        took = seconds(lambda m=model, i=ids: fit_and_score(m, i))
        print(f"  {name:34s} {took:6.3f} s")

    train, valid, _ = split(characters)
    fitted = NgramLM(7, 28, 1.0).fit(train)
    took = seconds(lambda: fitted.with_strengths(2.0).perplexity(valid))
    print(f"  {'new strengths, scored again':34s} {took:6.3f} s")
    took = seconds(lambda: fitted.tuned(valid), rounds=3)
    print(f"  {'all seven strengths tuned':34s} {took:6.3f} s")

    sizes = [100_000, 300_000, 1_000_000, 3_000_000]
    times, slope = growth(sizes)
    print("Counting characters, order 7:")
    for size, took in zip(sizes, times, strict=True):
        per_token = 1e9 * took / size
        print(f"  {size:9,d} tokens {took:7.3f} s {per_token:6.0f} ns a token")
    print(f"  time grows like size ** {slope:.2f}")


if __name__ == "__main__":
    main()
