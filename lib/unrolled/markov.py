"""First-order Markov chains on a finite set of states, computed exactly.

Section 8.1 teaches this module: :doc:`/book/8_1_sequence_models`. Section 8.4
uses its entropy rate as a known floor. A chain of order tau fits here too:
let each state stand for tau symbols in a row.

Shapes: S states, numbered 0 to S - 1; probabilities are float64. Logarithms
are natural, so entropies and log-probabilities are in nats; divide by ln 2
for bits.
"""

from collections.abc import Sequence

import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor

_TOLERANCE = 1e-9  # how far a row may sum from 1


class MarkovChain:
    """P(x_1, ..., x_T) = initial[x_1] * prod_t transition[x_{t-1}, x_t].

    transition: (S, S), row i is the law of the next state after state i.
    initial: (S,), the law of the first state; uniform if left out.

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
        """Check both laws and keep copies of them."""
        matrix = torch.as_tensor(transition, dtype=torch.float64)
        if matrix.dim() != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(
                f"transition must be square, got shape {tuple(matrix.shape)}"
            )
        num_states = len(matrix)
        if num_states == 0:
            raise ValueError("transition must have at least one state, got 0")
        if initial is None:
            initial = torch.full(
                (num_states,), 1 / num_states, dtype=torch.float64
            )
        law = torch.as_tensor(initial, dtype=torch.float64)
        if law.shape != (num_states,):
            raise ValueError(
                f"initial must have shape ({num_states},), got "
                f"{tuple(law.shape)}"
            )
        for i, row in enumerate(matrix):
            _check_law(f"transition row {i}", row)
        _check_law("initial", law)
        # clones: a caller who edits his own tensor must not change the chain
        self.transition = matrix.clone()
        self.initial = law.clone()

    def __len__(self) -> int:
        """The number of states S."""
        return len(self.transition)

    @classmethod
    def from_counts(
        cls,
        counts: Tensor | Sequence[Sequence[float]],
        initial: Tensor | Sequence[float] | None = None,
        *,
        smoothing: float = 0.0,
    ) -> "MarkovChain":
        """Maximum likelihood from transition counts (S, S).

        ``smoothing`` is added to every count; 0 leaves them as they are.

        Raises ValueError for negative or non-finite counts, a negative
        smoothing, and a state that was never left when smoothing is 0.
        """
        table = torch.as_tensor(counts, dtype=torch.float64)
        if table.dim() != 2 or table.shape[0] != table.shape[1]:
            raise ValueError(
                f"counts must be square, got shape {tuple(table.shape)}"
            )
        if not (smoothing >= 0 and smoothing < float("inf")):
            raise ValueError(
                f"smoothing must be finite and at least 0, got {smoothing}"
            )
        bad = ~((table >= 0) & table.isfinite())
        if bool(bad.any()):
            i, j = bad.nonzero()[0].tolist()
            raise ValueError(
                f"counts[{i}, {j}] is {table[i, j].item()}; counts must be "
                "finite and at least 0"
            )
        table = table + smoothing
        totals = table.sum(dim=1, keepdim=True)
        if bool((totals == 0).any()):
            state = int((totals[:, 0] == 0).nonzero()[0])
            raise ValueError(
                f"counts row {state} is all 0: state {state} was never left, "
                "so its row is unknown; pass smoothing > 0"
            )
        return cls(table / totals, initial)

    @classmethod
    def fit(
        cls, states: Tensor, num_states: int, *, smoothing: float = 0.0
    ) -> "MarkovChain":
        """Count the transitions of one observed path (T,) and normalise.

        The initial law is certain of the path's first state.

        Raises TypeError if states is not an integer tensor; ValueError if
        it has under two values or one outside 0..num_states - 1, and as
        ``from_counts`` does.

        >>> chain = MarkovChain.fit(torch.tensor([0, 1, 0, 0]), num_states=2)
        >>> chain.transition.tolist()
        [[0.5, 0.5], [1.0, 0.0]]
        """
        _check_states(states, num_states)
        if len(states) < 2:
            raise ValueError(
                f"states has {len(states)} values; a transition needs 2"
            )
        pairs = states[:-1].long() * num_states + states[1:].long()
        counts = torch.bincount(pairs, minlength=num_states**2)
        initial = [float(s == states[0]) for s in range(num_states)]
        return cls.from_counts(
            counts.reshape(num_states, num_states),
            initial,
            smoothing=smoothing,
        )

    def k_step(self, k: int) -> Tensor:
        """P(x_{t+k} = j | x_t = i) as a matrix (S, S): transition to the k.

        k = 0 is the identity. Raises ValueError for k < 0.
        """
        _check_steps("k", k)
        return torch.linalg.matrix_power(self.transition, k)

    def law_at(self, t: int) -> Tensor:
        """The law (S,) of the state t steps after the first.

        Raises ValueError for t < 0.
        """
        _check_steps("t", t)
        law = self.initial
        for _ in range(t):
            law = law @ self.transition  # S^2 products a step
        return law

    def log_prob(self, states: Tensor) -> Tensor:
        """Log-probability of a path (T,) in nats; -inf if it cannot happen.

        Raises TypeError or ValueError for states that are not ids of this
        chain, or none at all.
        """
        _check_states(states, len(self))
        states = states.long()
        if len(states) == 0:
            raise ValueError("states is empty; a path has at least one state")
        steps = self.transition[states[:-1], states[1:]].log().sum()
        return self.initial[states[0]].log() + steps

    def stationary(self) -> Tensor:
        """The law (S,) that one more step leaves as it is.

        Raises ValueError if there are several: then the chain has more
        than one closed class, a set of states that it can never leave.
        """
        closed = self.closed_classes()
        if len(closed) > 1:
            raise ValueError(
                f"the chain has {len(closed)} closed classes, {closed}, and "
                "so no unique stationary law; study each class by itself"
            )
        # law (P - I) = 0 and sum(law) = 1 as one system with the right side
        # (0, ..., 0, 1): its least-squares solution is the last column here
        system = torch.cat(
            [
                self.transition.T - self.k_step(0),
                self.transition.new_ones(1, len(self)),
            ]
        )
        law = torch.linalg.pinv(system)[:, -1]
        outside = [s for s in range(len(self)) if s not in closed[0]]
        law[outside] = 0  # exactly: a transient state is left for good
        return law

    def closed_classes(self) -> list[list[int]]:
        """The sets of states that reach one another and never leave."""
        count, label = connected_components(
            (self.transition > 0).numpy(), connection="strong"
        )
        classes = [
            [s for s in range(len(self)) if label[s] == c]
            for c in range(count)
        ]
        return sorted(
            states
            for states in classes
            if all(
                label[j] == label[i]
                for i in states
                for j in self.transition[i].nonzero()[:, 0]
            )
        )

    def backward(self, t: int) -> Tensor:
        """P(x_t = i | x_{t+1} = j) at [j, i], by Bayes' rule, (S, S).

        t counts from 0. The matrix depends on t unless the chain starts
        from its stationary law.

        Raises ValueError for t < 0 and for a state that has probability 0
        at t + 1, after which the past is undefined.
        """
        return self._bayes(self.law_at(t))

    def reversed(self) -> "MarkovChain":
        """The stationary chain read from its end to its beginning.

        Starts from the stationary law. Raises ValueError if that law is
        not unique, or is 0 somewhere.
        """
        law = self.stationary()
        return MarkovChain(self._bayes(law), law)

    def _bayes(self, law: Tensor) -> Tensor:
        joint = law[:, None] * self.transition  # [i, j]
        following = joint.sum(dim=0)
        if bool((following == 0).any()):
            state = int((following == 0).nonzero()[0])
            raise ValueError(
                f"state {state} has probability 0 at the later step: nothing "
                "can be said of what came before it; leave the state out"
            )
        return (joint / following).T

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
        """Draw a path (num_steps,) of int64 states from the initial law on.

        One uniform number a step is looked up in the cumulative row.
        Raises ValueError for num_steps < 1.
        """
        _check_steps("num_steps", num_steps, least=1)
        uniform = torch.rand(
            num_steps, generator=generator, dtype=torch.float64
        )
        ladder = self.transition.cumsum(dim=1)
        rungs = self.initial.cumsum(dim=0)
        path = torch.empty(num_steps, dtype=torch.int64)
        for t in range(num_steps):
            # scaled by the last rung, which rounding leaves a hair off 1
            state = torch.searchsorted(
                rungs, uniform[t] * rungs[-1], right=True
            )
            path[t] = state
            rungs = ladder[state]
        return path


def _check_law(name: str, law: Tensor) -> None:
    if not bool((law >= 0).all()):
        raise ValueError(
            f"{name} is {law.tolist()}; probabilities must be at least 0"
        )
    total = law.sum().item()
    if not abs(total - 1) <= _TOLERANCE:
        raise ValueError(
            f"{name} sums to {total:.12g}, not to 1; divide it by its sum"
        )


def _check_steps(name: str, value: int, least: int = 0) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _check_states(states: Tensor, num_states: int) -> None:
    if not isinstance(states, Tensor) or states.dtype not in (
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
    ):
        raise TypeError(
            "states must be an integer tensor, got "
            f"{getattr(states, 'dtype', type(states).__name__)}"
        )
    if states.dim() != 1:
        raise ValueError(
            f"states must have one dimension, got shape {tuple(states.shape)}"
        )
    outside = (states < 0) | (states >= num_states)
    if bool(outside.any()):
        first = int(outside.nonzero()[0])
        raise ValueError(
            f"states[{first}] is {states[first].item()}, outside "
            f"0..{num_states - 1}"
        )
