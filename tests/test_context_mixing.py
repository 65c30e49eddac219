"""Context mixing: laws, the step of the weights, causes, floors, errors."""

import copy
import math

import numpy as np
import pytest
import torch

from helpers import seeded, text
from unrolled.coding import decode, encode
from unrolled.context_mixing import KINDS, PLACES, ContextMixingLM
from unrolled.markov import MarkovChain
from unrolled.ngrams import KneserNeyLM

V, SPACE = 6, 0


def small(**settings):
    return ContextMixingLM(V, SPACE, **{"order": 4, **settings})


def bits(log_probs):
    return -log_probs.mean().item() / math.log(2)


def test_every_law_is_one():
    lm = small()
    for token in text(200).tolist():
        law = lm.predict()
        assert law.shape == (V,)
        assert law.dtype == torch.float64
        assert law.sum().item() == pytest.approx(1, abs=1e-12)
        assert (law > 0).all()
        lm.update(token)


def test_before_any_text_all_are_equal():
    assert small().predict().tolist() == pytest.approx([1 / V] * V)
    assert small().distribution([]).tolist() == pytest.approx([1 / V] * V)
    assert ContextMixingLM(1, 0).predict().tolist() == [1.0]


def test_counts_are_kneser_ney_s_continuation_counts():
    ids = text(400)
    kn = KneserNeyLM(3, V).fit(ids)
    theirs = np.zeros(V * V)
    theirs[kn._levels[1].keys] = kn._adjusted_counts(2)
    lm = small(order=2, kinds=("characters",)).fit(ids)
    ours = np.stack([lm._counts["characters", (c,)] for c in range(V)])
    # the first pair has nothing before it, which ours counts as a context
    first = ids[0] * V + ids[1]
    differ = np.flatnonzero(ours.reshape(-1) != theirs)
    assert differ.tolist() == [first]
    assert theirs.max() > 3


def test_leaning_by_hand():
    """Two symbols came after 1: 2 twice, 3 once."""
    lm = small(order=1, kinds=("characters",), learning_rate=0.0)
    lm.fit(torch.tensor([1, 2, 1, 3, 1, 2]))
    # discounts 1.2 from the count of 2, 0.8 from that of 1
    kept = {2: 0.8 / 3, 3: 0.2 / 3}
    lower = 2 / 3 / V
    law = lm.distribution([1])
    for x in range(V):
        assert law[x].item() == pytest.approx(kept.get(x, 0) + lower)
    # 4 was never met: all from the uniform distribution
    assert lm.distribution([4]).tolist() == pytest.approx([1 / V] * V)


def discount(n):
    """What is taken from a count, whole or faded."""
    if n < 1:
        return min(n, 0.8)
    return 0.4 + 0.4 * n if n < 2 else min(0.6 + 0.3 * n, 1.5)


def test_every_context_leans_on_the_one_before():
    lm = small(learning_rate=0.0)
    for token in text(400).tolist():
        p = np.full(V, 1 / V)
        for kind, family in lm.families().items():
            for context in family:
                if (kind, context) in lm._counts:
                    n = lm._counts[kind, context].astype(float)
                    taken = np.array([discount(x) for x in n])
                    p = (n - taken + taken.sum() * p) / n.sum()
        assert lm.predict().tolist() == pytest.approx(p, rel=1e-9)
        lm.update(token)
    # of all of its contexts one at least was met before
    assert sum(row.max() > 3 for row in lm._counts.values()) > 10


def test_the_contexts_by_hand():
    lm = small().fit(torch.tensor([1, 2, 0, 3, 0, 4]))
    older, previous, start = (1, 2), (3,), (4,)
    assert lm.families() == {
        "characters": [(4,), (0, 4), (3, 0, 4), (0, 3, 0, 4)],
        "words": [start, (previous, start), (older, previous, start)],
        "skipping": [(older, start)],
        "recent": [start, (previous, start)],
    }
    assert ContextMixingLM(V, SPACE).order == 10


def test_one_by_one_as_at_once():
    ids = text(100)
    lm, found = small(), []
    for token in ids.tolist():
        found.append(lm.predict()[token].item())
        lm.update(token)
    read = small().read(ids).exp().tolist()
    assert read == pytest.approx(found, rel=1e-12)


def test_weights_may_be_large():
    lm = small().fit(text(100))
    lm.weights[:] = 1e3
    assert lm.predict().sum().item() == pytest.approx(1)


def test_a_shorter_context_counts_what_the_longer_had_not_met():
    lm = small(order=2, kinds=("characters",), learning_rate=0.0)
    lm.fit(torch.tensor([1, 2, 3, 1, 2, 3, 4, 2, 3]))
    row = lm._counts["characters", (2,)]
    assert row[3] == 2  # after (1, 2) and after (4, 2), not three times
    assert lm._counts["characters", (1, 2)][3] == 2


def test_recent_counts_fade():
    lm = small(order=1, kinds=("recent",), learning_rate=0.0)
    lm.fit(torch.tensor([1, 0, 2, 0, 1, 0]))
    row = lm._counts["recent", ()]  # words began with 1, 2 and 1
    expected = [0, 0.8 * 0.8 + 1, 0.8, 0, 0, 0]
    assert row.tolist() == pytest.approx(expected, rel=1e-6)


def test_one_step_is_the_gradient_s():
    lm = small().fit(text(300))
    lm.learning_rate = 1.0
    lm.predict()
    place = min(len(lm.history[-1]), PLACES - 1)
    changes = torch.tensor(lm._changes)
    for token in (1, 4):
        w = torch.tensor(lm.weights[place], requires_grad=True)
        loss = -torch.log_softmax(w @ changes, 0)[token]
        (gradient,) = torch.autograd.grad(loss, w)
        assert gradient.abs().max() > 0.01
        after = copy.deepcopy(lm)
        after.update(token, counts=False)
        moved = torch.tensor(lm.weights[place] - after.weights[place])
        assert torch.allclose(moved, gradient, atol=1e-12)
        # and the other places keep theirs
        others = np.arange(PLACES) != place
        assert (after.weights[others] == lm.weights[others]).all()


@pytest.mark.parametrize("letters", [0, 1, 7, 8, 9, 20])
def test_each_place_in_a_word_has_its_weights(letters):
    lm = small().fit(text(300))
    lm.history = (1, 2), (), (), (1,) * letters
    before = lm.weights.copy()
    law = lm.predict()
    lm.update(int(law.argmin()), counts=False)
    moved = np.flatnonzero((lm.weights != before).any(axis=1))
    assert moved.tolist() == [min(letters, 8)]


def test_counts_take_half_the_memory():
    rows = small().fit(text(30))._counts.values()
    assert {row.dtype for row in rows} == {np.dtype(np.float32)}


def test_weights_learn_whom_to_trust():
    rest, test = text(3_000), text(600, seed=1)
    learned = small().fit(rest).read(test)
    fixed = small(learning_rate=0.0).fit(rest).read(test)
    assert bits(learned) < bits(fixed) - 0.01


def test_frozen_does_not_change():
    lm, ids = small().fit(text(500)), text(200, seed=1)
    before = copy.deepcopy(lm)
    first = lm.read(ids, counts=False, weights=False)
    assert (lm.weights == before.weights).all()
    assert lm._counts.keys() == before._counts.keys()
    assert all((lm._counts[k] == before._counts[k]).all() for k in lm._counts)
    assert lm.history != before.history
    lm.history = before.history
    assert torch.equal(first, lm.read(ids, counts=False, weights=False))


def test_counts_and_weights_learn_apart():
    lm, ids = small().fit(text(500)), text(200, seed=1)
    one, other = copy.deepcopy(lm), copy.deepcopy(lm)
    one.read(ids, counts=False)
    assert one._counts.keys() == lm._counts.keys()
    assert (one.weights != lm.weights).any()
    other.read(ids, weights=False)
    assert (other.weights == lm.weights).all()
    assert len(other._counts) > len(lm._counts)


def test_in_parts_as_at_once():
    ids = text(300)
    whole = small().read(ids)
    lm = small()
    assert torch.equal(torch.cat([lm.read(p) for p in ids.split(70)]), whole)


def test_the_future_has_no_say():
    ids, other = text(400), text(400, seed=1)
    other[:250] = ids[:250]
    assert ids[250] != other[250]
    a, b = small().read(ids), small().read(other)
    assert torch.equal(a[:250], b[:250])
    assert a[250] != b[250]


def test_other_names_for_the_symbols_change_nothing():
    ids = text(300)
    names = torch.tensor([0, 4, 3, 5, 1, 2])  # the space keeps its own
    assert torch.allclose(small().read(ids), small().read(names[ids]))


def test_a_copy_goes_on_by_itself():
    lm, ids = small().fit(text(300)), text(60, seed=2)
    lm.predict()
    twin, control = copy.deepcopy(lm), small().fit(text(300))
    twin.read(ids)  # counts and weights learn
    assert torch.equal(lm.read(ids), control.read(ids))
    assert torch.equal(twin.read(ids), lm.read(ids))


def test_scores_agree_with_distributions():
    lm, ids = small().fit(text(500)), text(60, seed=2)
    before = lm.weights.copy(), lm.history
    scores = lm.log_probs(ids)
    for t in (1, 7, 30):
        law = lm.distribution(ids[:t])
        assert scores[t - 1].exp().item() == pytest.approx(law[ids[t]].item())
    assert lm.perplexity(ids) == pytest.approx((-scores.mean()).exp().item())
    assert (lm.weights == before[0]).all()
    assert lm.history == before[1]


def test_what_comes_again_is_cheap():
    once = torch.randint(V, (300,), generator=seeded())
    found = small().read(once.repeat(3))
    assert bits(found[:300]) > 0.9 * math.log2(V)
    assert bits(found[300:600]) < 1.2
    assert bits(found[600:]) < 0.3


def test_a_chain_comes_close_to_its_floor():
    chain = MarkovChain(
        [
            [0.1, 0.7, 0.1, 0.1],
            [0.2, 0.1, 0.6, 0.1],
            [0.3, 0.1, 0.1, 0.5],
            [0.7, 0.1, 0.1, 0.1],
        ]
    )
    ids = chain.sample(6_000, generator=seeded(1))
    # what the chain itself gives to these very steps
    floor = bits(chain.transition[ids[2_999:-1], ids[3_000:]].log())
    right = ContextMixingLM(4, 0, order=2, kinds=("characters",))
    assert floor < bits(right.read(ids)[3_000:]) < floor + 0.03
    # contexts that can tell nothing cost more while weights learn so
    assert bits(ContextMixingLM(4, 0).read(ids)[3_000:]) < floor + 0.2


def test_there_and_back_while_learning():
    lm, ids = small().fit(text(300)), text(300, seed=1)

    def predictor(model):
        def predict(token):
            if token is not None:
                model.update(token)
            return model.predict()

        return predict

    data = encode(predictor(copy.deepcopy(lm)), ids)
    assert decode(predictor(copy.deepcopy(lm)), data, 300) == ids.tolist()
    ideal = bits(copy.deepcopy(lm).read(ids)) * 300
    assert ideal <= 8 * len(data) <= 1.001 * ideal + 65


def oracle(ids, certainty):
    """ln P of a model that nearly knows each token: (n, 1, V)."""
    laws = torch.full((len(ids), 1, V), (1 - certainty) / (V - 1)).double()
    laws[torch.arange(len(ids)), 0, ids] = certainty
    return laws.log()


def test_another_model_can_be_mixed_in():
    ids = text(1_500)
    lm, alone = small(num_extra=1), small().read(ids)
    assert (lm.weights[:, -1] == 0).all()
    mixed = lm.read(ids, extra=oracle(ids, 0.9))
    assert mixed[0].item() == pytest.approx(alone[0].item())
    assert bits(mixed[500:]) < bits(alone[500:]) - 0.3
    # a constant added to its logarithms means nothing
    again = small(num_extra=1).read(ids, extra=oracle(ids, 0.9) + 3)
    assert torch.allclose(mixed, again)


def test_each_kind_alone():
    for kind in KINDS:
        lm = small(kinds=[kind])
        assert set(lm.families()) == {kind}
        assert bits(lm.read(text(900))[300:]) < math.log2(V)
