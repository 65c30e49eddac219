"""First-order Markov chains on a finite set of states, computed exactly.

Section 8.1 teaches this module: :doc:`/book/8_1_sequence_models`. Section 8.4
uses its entropy rate as a known floor. A chain of order tau fits here too:
let each state stand for tau symbols in a row.

Shapes: S states, numbered 0 to S - 1; probabilities are float64. Logarithms
are natural, so entropies and log-probabilities are in nats; divide by ln 2
for bits.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from unrolled.checks import (
    as_distributions,
    as_ids,
    check_count,
    check_generator,
    check_number,
)


class MarkovChain:
    """P(x_1, ..., x_T) = initial[x_1] * prod_t transition[x_{t-1}, x_t].

    transition: (S, S), row i is the distribution of the next state after
    state i. initial: (S,), that of the first state; uniform if left out.
    Lists, arrays and tensors will do. What comes in less than float64 is
    divided by its sums, which are 1 up to that precision only.

    Raises ValueError if a row is not a probability distribution.

    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])  # dry, wet
    >>> round(weather.k_step(2)[0, 1].item(), 4)         # wet in two days
    0.14
    >>> [round(p, 4) for p in weather.stationary().tolist()]
    [0.8333, 0.1667]
    """

    def __init__(
        self,
        transition: Tensor | Sequence[Sequence[float]],
        initial: Tensor | Sequence[float] | None = None,
    ) -> None:
        """Check both, and keep copies of them."""
        self.transition = as_distributions("transition", transition)
        if initial is None:
            initial = torch.ones(len(self)).double() / len(self)
        self.initial = as_distributions("initial", initial, len(self))

    def __len__(self) -> int:
        """The number of states S."""
        return len(self.transition)

    @classmethod
    def fit(
        cls, states: Tensor, num_states: int, *, smoothing: float = 0.0
    ) -> "MarkovChain":
        """Count the transitions of one observed path (T,) and normalise.

        The chain starts in the path's first state for certain.

        ``smoothing`` is added to every count; 0 gives the most likely chain.

        Raises TypeError for states that are no integers; ValueError if there
        are under two, if one is outside 0..num_states - 1, for a negative
        smoothing, and for a state that is never left when smoothing is 0.

        >>> chain = MarkovChain.fit(torch.tensor([0, 1, 0, 0]), num_states=2)
        >>> chain.transition.tolist()
        [[0.5, 0.5], [1.0, 0.0]]
        """
        num_states = check_count("num_states", num_states, 1)
        states = as_ids("states", states, vocab_size=num_states, least=2)
        smoothing = check_number("smoothing", smoothing, "[0, inf)")
        pairs = states[:-1] * num_states + states[1:]
        counts = torch.bincount(pairs, minlength=num_states**2).double()
        counts = counts.reshape(num_states, num_states) + smoothing
        _check_left(counts)
        first = torch.zeros(num_states).double()
        first[states[0]] = 1
        return cls(counts / counts.sum(dim=1, keepdim=True), first)

    def k_step(self, k: int) -> Tensor:
        """P(x_{t+k} = j | x_t = i) as a matrix (S, S): transition to the k.

        k = 0 is the identity. Raises ValueError for k < 0.
        """
        k = check_count("k", k, 0)
        return torch.linalg.matrix_power(self.transition, k)

    def law_at(self, t: int) -> Tensor:
        """The distribution (S,) of the state t steps after the first.

        Raises ValueError for t < 0.
        """
        law = self.initial
        for _ in range(check_count("t", t, 0)):
            law = law @ self.transition  # S^2 products a step
        return law

    def log_prob(self, states: Tensor) -> Tensor:
        """Log-probability of a path (T,) in nats; -inf if it cannot happen.

        Raises TypeError or ValueError for states that are not ids of this
        chain, or none at all.
        """
        states = as_ids("states", states, vocab_size=len(self))
        steps = self.transition[states[:-1], states[1:]].log().sum()
        return self.initial[states[0]].log() + steps

    def stationary(self) -> Tensor:
        """The distribution (S,) that one more step leaves as it is.

        No entry is negative, and each has nearly all digits right, however
        small it is: see ``_log_stationary``.

        Raises ValueError if there are several: then the chain has more
        than one closed class, a set of states that it can never leave.
        """
        return self._log_stationary().exp()

    def _log_stationary(self) -> Tensor:
        """Its logarithms, (S,), by the algorithm of GTH.

        Take out the states one by one, the last first: paths through it then
        lead where they leave it to. Put them back, the first first: each has
        the weight of the paths that enter it, over its probability to leave.
        Nothing is subtracted, so no digits are lost (Grassmann, Taksar and
        Heyman 1985); logarithms, since weights may lie below 1e-308.
        """
        closed = self._closed_classes()
        if len(closed) > 1:
            raise ValueError(
                f"the chain has {len(closed)} closed classes, "
                f"{closed!s:.200}, and so no unique stationary law; study "
                "each class by itself"
            )
        inside = torch.tensor(closed[0])
        P = self.transition[inside][:, inside]
        for n in range(len(P) - 1, 0, -1):
            P[:n, n] /= P[n, :n].sum()
            P[:n, :n].addr_(P[:n, n], P[n, :n])
        weight = torch.zeros(len(P)).double()
        for n in range(1, len(P)):
            weight[n] = torch.logsumexp(weight[:n] + P[:n, n].log(), dim=0)
        # a transient state is left for good
        log_law = torch.full((len(self),), -torch.inf).double()
        log_law[inside] = weight.log_softmax(dim=0)
        return log_law

    def _closed_classes(self) -> list[list[int]]:
        """The sets of states that reach one another and never leave."""
        possible = (self.transition > 0).numpy()
        _, label = connected_components(possible, connection="strong")
        leaves = (possible & (label[:, None] != label)).any(axis=1)
        left = set(label[leaves].tolist())
        classes: dict[int, list[int]] = {}
        for state, number in enumerate(label.tolist()):
            if number not in left:
                classes.setdefault(number, []).append(state)
        return list(classes.values())

    def backward(self, t: int) -> Tensor:
        """P(x_t = i | x_{t+1} = j) at [j, i], by Bayes' rule, (S, S).

        t counts from 0. The matrix depends on t unless the chain starts
        from its stationary distribution.

        Raises ValueError for t < 0 and for a state that has probability 0
        at t + 1, after which the past is undefined.
        """
        joint = self.law_at(t)[:, None] * self.transition  # [i, j]
        following = joint.sum(dim=0)
        _check_possible(following > 0)
        return (joint / following).T

    def reversed(self) -> "MarkovChain":
        """The stationary chain read from its end to its beginning.

        P(i before j) = law_i P_ij / law_j; starts from the stationary law.
        Raises ValueError if that is not unique, or is 0 somewhere.
        """
        log_law = self._log_stationary()
        _check_possible(log_law > -torch.inf)
        rows = (log_law[:, None] - log_law + self.transition.log()).exp().T
        return MarkovChain(rows / rows.sum(1, keepdim=True), log_law.exp())

    def entropy_rate(self) -> float:
        """Mean uncertainty of the next state at stationarity, in nats.

        - sum_i law_i sum_j P_ij ln P_ij (Cover and Thomas, Elements of
          Information Theory, theorem 4.2.4). Raises as ``stationary`` does.
        """
        rows = -torch.xlogy(self.transition, self.transition).sum(dim=1)
        return float(self.stationary() @ rows)

    def sample(
        self, num_steps: int, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw a path (num_steps,) of int64 states, the first from initial.

        One uniform number a step is looked up in the running sum of a row.
        Raises ValueError for num_steps < 1.
        """
        num_steps = check_count("num_steps", num_steps, 1)
        check_generator(generator)
        uniform = torch.rand(
            num_steps, generator=generator, dtype=torch.float64
        )

        @cache
        def ladder(state: int) -> list[float]:
            return self.transition[state].cumsum(0).tolist()

        path, rungs = [], self.initial.cumsum(0).tolist()
        for u in uniform.tolist():
            # scaled by the last rung, which rounding leaves a hair off 1
            path.append(bisect_right(rungs, u * rungs[-1]))
            rungs = ladder(path[-1])
        return torch.tensor(path)


def _check_left(counts: Tensor) -> None:
    if not bool(counts.any(dim=1).all()):
        state = int((~counts.any(dim=1)).nonzero()[0])
        raise ValueError(
            f"states never leave {state}, so its row is unknown; pass "
            "smoothing > 0"
        )


def _check_possible(possible: Tensor) -> None:
    if not bool(possible.all()):
        state = int((~possible).nonzero()[0])
        raise ValueError(
            f"state {state} has probability 0 at the later step: nothing "
            "can be said of what came before it; leave the state out"
        )
