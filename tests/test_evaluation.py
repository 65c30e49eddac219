"""Evaluation: against one step at a time, in chunks, modes, errors."""

import itertools
import math

import pytest
import torch

from helpers import seeded, small, text
from unrolled import evaluation
from unrolled.evaluation import evaluate, log_probs
from unrolled.rnn import RNNLM
from unrolled.stacked import StackedRNNLM


class TestScoring:
    @pytest.mark.parametrize("n", [2, 3, 1000, 1001, 1002, 2500])
    def test_against_one_step_at_a_time(self, n):
        model, ids = small(), text(n, seed=4)
        state = model.begin_state(1)
        expected = []
        with torch.no_grad():
            for now, then in itertools.pairwise(ids):
                logits, state = model(now.reshape(1, 1), state)
                law = logits[0, 0].double().log_softmax(-1)
                expected.append(law[then].item())
        found = log_probs(model, ids)
        assert found.dtype == torch.float64
        assert found.shape == (n - 1,)
        assert not found.requires_grad
        assert found.tolist() == pytest.approx(expected, abs=1e-5)
        mean = -sum(expected) / (n - 1)
        assert evaluate(model, ids) == pytest.approx(math.exp(mean), rel=1e-5)

    def test_uniform_at_zero_weights(self):
        model = RNNLM(6, 3, output_scale=0.0)
        assert evaluate(model, text(50)) == pytest.approx(6)

    def test_dropout_is_off_and_the_mode_comes_back(self):
        model = StackedRNNLM(6, 20, dropout=0.5, generator=seeded(0))
        model.train()
        one, two = evaluate(model, text(60)), evaluate(model, text(60))
        assert one == two
        assert model.training
        model.eval()
        evaluate(model, text(60))
        assert not model.training


def test_evaluation_runs_in_chunks(monkeypatch):
    model, ids = small(), text(100)
    whole = log_probs(model, ids)
    monkeypatch.setattr(evaluation, "CHUNK", 7)
    assert torch.allclose(log_probs(model, ids), whole, atol=1e-6)
