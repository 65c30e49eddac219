"""Markov chains: against brute-force tables, by hand, and clear errors."""

import itertools
import math
from fractions import Fraction

import pytest
import torch

from helpers import seeded
from unrolled.markov import MarkovChain

WEATHER = [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.4, 0.4]]
START = [0.5, 0.3, 0.2]


@pytest.fixture
def chain():
    return MarkovChain(WEATHER, START)


def joint_table(chain, length):
    """P(x_1, ..., x_length) for all paths, by multiplying out."""
    table = {}
    for path in itertools.product(range(len(chain)), repeat=length):
        p = chain.initial[path[0]].item()
        for a, b in itertools.pairwise(path):
            p *= chain.transition[a, b].item()
        table[path] = p
    return table


class TestMaking:
    def test_uniform_start_if_none_is_given(self):
        chain = MarkovChain(WEATHER)
        assert chain.initial.tolist() == pytest.approx([1 / 3] * 3)
        assert len(chain) == 3

    def test_is_float64_and_a_copy(self):
        matrix = torch.tensor(WEATHER, dtype=torch.float64)
        law = torch.tensor(START, dtype=torch.float64)
        chain = MarkovChain(matrix, law)
        matrix[0, 0] = law[0] = 9.0
        assert chain.transition[0, 0] == 0.7
        assert chain.initial[0] == 0.5
        assert chain.transition.dtype == torch.float64
        assert MarkovChain([[1.0]]).initial.dtype == torch.float64

    def test_rounding_is_forgiven(self):
        chain = MarkovChain([[1 - 1e-10, 0.0], [0.0, 1.0]])
        assert chain.transition[0, 0] == 1 - 1e-10


class TestCounting:
    def test_smoothing_adds_to_every_count(self):
        path = torch.tensor([0, 1, 1, 0, 1, 2])
        chain = MarkovChain.fit(path, 3, smoothing=0.5)
        # counts 0 2 0, 1 1 1 and 0 0 0
        assert chain.transition.tolist() == [
            pytest.approx([0.5 / 3.5, 2.5 / 3.5, 0.5 / 3.5]),
            pytest.approx([1 / 3] * 3),
            pytest.approx([1 / 3] * 3),
        ]

    def test_fit_by_hand(self):
        path = torch.tensor([2, 0, 0, 1, 2, 0, 2])
        chain = MarkovChain.fit(path, 3)
        assert chain.transition[0].tolist() == pytest.approx([1 / 3] * 3)
        assert chain.transition[1].tolist() == [0, 0, 1]
        assert chain.transition[2].tolist() == [1, 0, 0]
        assert chain.initial.tolist() == [0, 0, 1]

    def test_fit_is_the_most_likely_chain(self):
        path = MarkovChain(WEATHER).sample(200, generator=seeded())
        best = MarkovChain.fit(path, 3)
        others = MarkovChain(WEATHER, best.initial)
        assert best.log_prob(path) > others.log_prob(path)
        smoothed = MarkovChain.fit(path, 3, smoothing=0.5)
        assert best.log_prob(path) > smoothed.log_prob(path)

    def test_fit_finds_the_chain_again(self):
        path = MarkovChain(WEATHER).sample(30_000, generator=seeded())
        found = MarkovChain.fit(path, 3).transition
        assert (found - torch.tensor(WEATHER)).abs().max() < 0.015

    def test_bytes_do_not_overflow(self):
        path = torch.tensor([200, 201, 200, 201], dtype=torch.uint8)
        chain = MarkovChain.fit(path, 202, smoothing=1e-9)
        assert chain.transition[200, 201].item() == pytest.approx(1)

    def test_a_state_that_is_never_left(self):
        path = torch.tensor([0, 0, 1])
        chain = MarkovChain.fit(path, 2, smoothing=1e-9)
        assert chain.transition[1].tolist() == [0.5, 0.5]

    def test_the_shortest_path(self):
        assert len(MarkovChain.fit(torch.tensor([0, 0]), 1)) == 1
        assert len(MarkovChain.fit([0, 1, 0], 2)) == 2


class TestAhead:
    def test_k_steps_equal_enumeration(self, chain):
        table = joint_table(chain, 4)
        for first in range(3):
            start = chain.initial[first].item()
            for last in range(3):
                total = sum(
                    p
                    for path, p in table.items()
                    if (path[0], path[-1]) == (first, last)
                )
                ours = chain.k_step(3)[first, last].item()
                assert ours == pytest.approx(total / start)

    def test_small_k(self, chain):
        assert torch.equal(chain.k_step(0), torch.eye(3).double())
        assert torch.equal(chain.k_step(1), chain.transition)

    def test_law_at_equals_enumeration(self, chain):
        assert chain.law_at(0).tolist() == START
        table = joint_table(chain, 3)
        for state in range(3):
            total = sum(p for path, p in table.items() if path[2] == state)
            assert chain.law_at(2)[state].item() == pytest.approx(total)

    def test_log_prob(self, chain):
        for path, p in joint_table(chain, 3).items():
            ours = chain.log_prob(torch.tensor(path))
            assert ours.exp().item() == pytest.approx(p)
        single = chain.log_prob(torch.tensor([1], dtype=torch.uint8))
        assert single.item() == pytest.approx(math.log(0.3))

    def test_an_impossible_path(self):
        chain = MarkovChain([[0.0, 1.0], [1.0, 0.0]])
        assert chain.log_prob(torch.tensor([0, 0])) == -math.inf


class TestLongRun:
    def test_one_more_step_changes_nothing(self, chain):
        law = chain.stationary()
        torch.testing.assert_close(law @ chain.transition, law)
        assert law.sum().item() == pytest.approx(1, abs=1e-15)
        torch.testing.assert_close(chain.k_step(200)[0], law)

    def test_by_hand(self):
        law = MarkovChain([[0.9, 0.1], [0.5, 0.5]]).stationary()
        assert law.tolist() == pytest.approx([5 / 6, 1 / 6])

    def test_a_periodic_chain_has_one_too(self):
        law = MarkovChain([[0.0, 1.0], [1.0, 0.0]]).stationary()
        assert law.tolist() == pytest.approx([0.5, 0.5])

    def test_transient_states_get_exactly_0(self):
        chain = MarkovChain(
            [[0.5, 0.25, 0.25], [0.0, 0.3, 0.7], [0.0, 0.6, 0.4]]
        )
        law = chain.stationary()
        assert law[0] == 0
        assert law[1:].tolist() == pytest.approx([6 / 13, 7 / 13])
        assert chain._closed_classes() == [[1, 2]]

    def test_two_worlds_have_no_unique_law(self):
        chain = MarkovChain(torch.eye(2))
        assert chain._closed_classes() == [[0], [1]]

    def test_classes_are_found_in_any_order_of_states(self):
        chain = MarkovChain(
            [
                [0.0, 0.0, 1.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [1.0, 0.0, 0.0, 0.0],
                [0.5, 0.5, 0.0, 0.0],
            ]
        )
        assert chain._closed_classes() == [[0, 2], [1]]

    def test_entropy_rate(self):
        fair = MarkovChain([[0.5, 0.5], [0.5, 0.5]])
        assert fair.entropy_rate() == pytest.approx(math.log(2))
        assert MarkovChain([[0.0, 1.0], [1.0, 0.0]]).entropy_rate() == 0
        mixed = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
        first = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
        expected = (5 * first + math.log(2)) / 6
        assert mixed.entropy_rate() == pytest.approx(expected)

    def test_entropy_rate_is_the_mean_code_length(self):
        chain = MarkovChain(WEATHER)
        path = chain.sample(20_000, generator=seeded(1))
        rate = -chain.log_prob(path).item() / len(path)
        assert rate == pytest.approx(chain.entropy_rate(), rel=0.02)


class TestBackwards:
    def test_equals_the_table(self, chain):
        table = joint_table(chain, 4)
        for t in (0, 1, 2):
            ours = chain.backward(t)
            for now, later in itertools.product(range(3), repeat=2):
                both = sum(
                    p
                    for path, p in table.items()
                    if (path[t], path[t + 1]) == (now, later)
                )
                after = sum(
                    p for path, p in table.items() if path[t + 1] == later
                )
                assert ours[later, now].item() == pytest.approx(both / after)

    def test_reversed_reads_the_chain_from_its_end(self, chain):
        settled = MarkovChain(WEATHER, chain.stationary())
        back = chain.reversed()
        for path in joint_table(settled, 3):
            there = settled.log_prob(torch.tensor(path))
            again = back.log_prob(torch.tensor(path[::-1]))
            assert there.item() == pytest.approx(again.item())
        torch.testing.assert_close(
            back.reversed().transition, chain.transition
        )

    def test_a_cycle_turns_round(self):
        cycle = MarkovChain(
            [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        )
        assert torch.equal(
            cycle.reversed().transition.round(), cycle.transition.T
        )

    def test_a_state_that_is_certain_has_a_past(self):
        chain = MarkovChain([[1.0]])
        assert chain.backward(0).tolist() == [[1.0]]


class TestSampling:
    def test_shares_of_states_and_steps(self):
        chain = MarkovChain(WEATHER, [0.0, 0.0, 1.0])
        path = chain.sample(30_000, generator=seeded(2))
        assert path.dtype == torch.int64
        assert path[0] == 2
        shares = torch.bincount(path, minlength=3) / len(path)
        assert (shares - chain.stationary()).abs().max() < 0.015

    def test_first_state_follows_the_initial_law(self, chain):
        generator = seeded(3)
        first = torch.cat(
            [chain.sample(1, generator=generator) for _ in range(4000)]
        )
        shares = torch.bincount(first, minlength=3) / len(first)
        assert (shares - chain.initial).abs().max() < 0.03

    def test_impossible_states_never_come(self):
        chain = MarkovChain(
            [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]],
            [0.0, 1.0, 0.0],
        )
        path = chain.sample(2000, generator=seeded())
        assert chain.log_prob(path) > -math.inf

    def test_rows_a_hair_below_1_stay_inside(self, monkeypatch):
        """The largest uniform number must not fall off the ladder."""
        chain = MarkovChain([[0.5, 0.5 - 5e-10]] * 2, [0.5, 0.5 - 5e-10])
        largest = 1 - 2**-53
        monkeypatch.setattr(
            torch,
            "rand",
            lambda n, **_: torch.full((n,), largest, dtype=torch.float64),
        )
        assert chain.sample(3).tolist() == [1, 1, 1]

    def test_a_draw_of_exactly_0_gives_no_impossible_state(self, monkeypatch):
        chain = MarkovChain([[0.0, 1.0], [0.0, 1.0]], [0.0, 1.0])
        monkeypatch.setattr(
            torch, "rand", lambda n, **_: torch.zeros(n, dtype=torch.float64)
        )
        assert chain.sample(3).tolist() == [1, 1, 1]

    def test_draws_are_looked_up_in_full_precision(self, chain):
        uniform = torch.rand(200, generator=seeded(6), dtype=torch.float64)
        expected, law = [], chain.initial
        for u in uniform.tolist():
            state = 0
            while u >= law[: state + 1].sum():
                state += 1
            expected.append(state)
            law = chain.transition[state]
        assert chain.sample(200, generator=seeded(6)).tolist() == expected

    def test_same_seed_same_path(self, chain):
        first = chain.sample(50, generator=seeded(4))
        assert torch.equal(first, chain.sample(50, generator=seeded(4)))
        assert not torch.equal(first, chain.sample(50, generator=seeded(5)))


def walk(num_states, up):
    """Up with one probability, else down; at the ends it stays."""
    matrix = torch.zeros(num_states, num_states).double()
    for state in range(num_states):
        matrix[state, min(state + 1, num_states - 1)] += up
        matrix[state, max(state - 1, 0)] += 1 - up
    return MarkovChain(matrix)


def exact_law(matrix):
    """The stationary law in fractions, by Gaussian elimination."""
    size = len(matrix)
    P = [[Fraction(p) for p in row] for row in matrix.tolist()]
    # law (P - I) = 0, with the last equation replaced by sum(law) = 1; the
    # diagonal is what the others leave, so that rows sum to 1 exactly
    rows = [[P[i][j] for i in range(size)] for j in range(size)]
    for i in range(size):
        rows[i][i] = -sum(P[i][j] for j in range(size) if j != i)
    rows[-1] = [Fraction(1)] * size
    right = [Fraction(0)] * (size - 1) + [Fraction(1)]
    for i in range(size):
        pivot = next(r for r in range(i, size) if rows[r][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        right[i], right[pivot] = right[pivot], right[i]
        for r in range(size):
            if r != i and rows[r][i] != 0:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [
                    a - factor * b
                    for a, b in zip(rows[r], rows[i], strict=True)
                ]
                right[r] -= factor * right[i]
    return [x / rows[i][i] for i, x in enumerate(right)]


class TestSmallProbabilities:
    @pytest.mark.parametrize("seed", range(30))
    def test_the_law_against_fractions(self, seed):
        generator = seeded(seed)
        size = 2 + seed % 6
        exponent = torch.rand(size, size, generator=generator).double()
        matrix = 10 ** (-20 * exponent)
        matrix[torch.rand(size, size, generator=generator) < 0.3] = 0
        for state in range(size):  # a ring, so that all states are reached
            matrix[state, (state + 1) % size] += 1e-20
        matrix /= matrix.sum(dim=1, keepdim=True)
        law = MarkovChain(matrix).stationary()
        assert (law >= 0).all()
        for ours, exact in zip(law.tolist(), exact_law(matrix), strict=True):
            assert ours == pytest.approx(float(exact), rel=1e-12)

    @pytest.mark.parametrize(
        ("num_states", "up"), [(30, 0.2), (20, 0.1), (30, 0.9), (30, 1e-20)]
    )
    def test_a_reversible_chain_is_its_own_reverse(self, num_states, up):
        chain = walk(num_states, up)
        back = chain.reversed()
        assert (back.transition - chain.transition).abs().max() < 1e-10
        assert (back.transition.sum(dim=1) - 1).abs().max() < 1e-15
        assert (chain.stationary() >= 0).all()
        assert chain.stationary().sum() == pytest.approx(1, abs=1e-14)
        for i in range(num_states - 1):  # law_i up = law_{i+1} down
            if up > 1e-5:
                ratio = back.initial[i + 1] / back.initial[i]
                assert ratio == pytest.approx(up / (1 - up), rel=1e-11)


class TestOtherPrecisions:
    def test_float32_and_float16(self):
        given = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            chain = MarkovChain(given.to(dtype), given[0].to(dtype))
            assert chain.transition.sum(dim=1).tolist() == pytest.approx(
                [1, 1], abs=1e-15
            )
            assert chain.transition[0, 1].item() == pytest.approx(
                0.1, rel=0.01
            )
        random = torch.rand(50, 50, generator=seeded())
        MarkovChain(random / random.sum(dim=1, keepdim=True))
        MarkovChain((random / random.sum(dim=1, keepdim=True)).numpy())

    def test_the_given_tensor_may_need_gradients(self):
        chain = MarkovChain(torch.eye(2).requires_grad_())
        assert not chain.transition.requires_grad
        assert len(chain._closed_classes()) == 2

    @pytest.mark.parametrize(
        "dtype",
        [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64],
    )
    def test_every_integer_type_will_do(self, dtype):
        path = torch.tensor([0, 1, 1, 0], dtype=dtype)
        chain = MarkovChain.fit(path, 300, smoothing=1e-12)
        assert chain.transition[1, 1].item() == pytest.approx(0.5)
        assert chain.log_prob(path).item() == pytest.approx(math.log(0.25))


def test_many_states_are_no_trouble():
    matrix = torch.rand(1500, 1500, generator=seeded()).double()
    chain = MarkovChain(matrix / matrix.sum(dim=1, keepdim=True))
    assert chain._closed_classes() == [list(range(1500))]
    assert len(MarkovChain(torch.eye(3000))._closed_classes()) == 3000
    assert len(chain.sample(100, generator=seeded())) == 100
