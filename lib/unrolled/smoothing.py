"""Smoothing with parameters that are set by hand or tuned on another text.

Section 8.3 teaches this module: :doc:`/book/8_3_language_models`. It fixes no
formula (the models of ``ngrams`` do) and looks nothing up (``counting`` does).
"""

from collections.abc import Callable, Sequence
from typing import Self

import torch
from torch import Tensor

from unrolled.checks import as_ids
from unrolled.counting import InterpolatedLM, Rule


class SmoothedLM(InterpolatedLM):
    """Interpolation with parameters, one set for each order.

    A subclass states its formula once, in ``_counts``, ``_own`` and
    ``_lower``. Tables apply it to the n-grams that were counted, tuning to
    those of a text. ``gram`` holds what is counted of an n-gram, a column for
    each kind, ``context`` the sums of those over the n-grams that share its
    context.
    """

    _shape: tuple[int, ...] = ()  # of the parameters of one order

    def _counts(self, length: int) -> Tensor:
        """What is counted of each n-gram of one length: (size, kinds)."""
        raise NotImplementedError

    def _parameters(self) -> Sequence:
        """The parameters of each order, from the lowest."""
        raise NotImplementedError

    def _bounded(self, raw: Tensor) -> Tensor:
        """Parameters in their range, from any numbers."""
        raise NotImplementedError

    def _own(self, gram: Tensor, context: Tensor, parameter: Tensor) -> Tensor:
        raise NotImplementedError

    def _lower(self, context: Tensor, parameter: Tensor) -> Tensor:
        raise NotImplementedError

    def _set_rules(self) -> None:
        self._rules = []
        for length, parameter in enumerate(self._parameters(), start=1):
            parameter = torch.tensor(parameter, dtype=torch.float64)
            grams, contexts = self._both(length)
            context = contexts[self._contexts(length)]
            own = self._own(grams, context, parameter)
            self._rules.append(Rule(own, self._lower(contexts, parameter)))

    def _both(self, length: int) -> tuple[Tensor, Tensor]:
        """Counts of all n-grams of one length, and sums of all contexts."""
        grams = self._counts(length)
        sums = [self._sum_by_context(length, column) for column in grams.T]
        return grams, torch.stack(sums, dim=1)

    def _with(self, parameters: float | Sequence) -> Self:
        """The same counts, not counted again, with other parameters."""
        self._check_fitted()
        other = type(self)(self.order, self.vocab_size, parameters)
        other._levels = self._levels
        other._set_rules()
        return other

    def tuned(self, ids: Tensor) -> Self:
        """The same counts with the parameters that suit another text best.

        ids: (n,) int64, at least two; not those that were counted, or
        nothing would be left for what was not seen. Minimises the mean -ln P
        of ids[1:] over the strengths (their logarithms, from strength 1) or
        the discounts (three for each order), all orders at once. An order
        that does not help ends with a large strength.
        """
        self._check_fitted()
        ids = as_ids("ids", ids, vocab_size=self.vocab_size, least=2)
        with torch.inference_mode(False):  # gradients are needed
            looked_up = []
            for length, found in enumerate(self._find(ids), start=1):
                grams, contexts = self._both(length)
                looked_up.append(
                    (_rows(grams, found[1]), _rows(contexts, found[0]))
                )

            def probs(raw: Tensor) -> Tensor:
                mixed = torch.tensor(1 / self.vocab_size, dtype=torch.float64)
                parameters = self._bounded(raw)
                for order, (gram, context) in enumerate(looked_up):
                    own = self._own(gram, context, parameters[order])
                    lower = self._lower(context, parameters[order])
                    mixed = own + lower * mixed
                return mixed[1:]

            start = torch.zeros(self.order, *self._shape, dtype=torch.float64)
            best = self._bounded(_maximise(probs, start))
            return self._with(best.tolist())


def _rows(values: Tensor, numbers: Tensor) -> Tensor:
    """values[numbers], and zeros for the number -1."""
    return torch.cat([values, values.new_zeros(1, values.shape[1])])[numbers]


def _maximise(probs: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """The parameters at which the mean of -ln probs is least (L-BFGS)."""
    parameters = start.clone().requires_grad_()
    # fine tolerances: near a flat start the first steps gain very little
    optimizer = torch.optim.LBFGS(
        [parameters],
        max_iter=300,
        tolerance_grad=1e-8,
        tolerance_change=1e-11,
        line_search_fn="strong_wolfe",
    )

    def mean_nll() -> Tensor:
        optimizer.zero_grad()
        loss = -probs(parameters).log().mean()
        loss.backward()
        return loss

    optimizer.step(mean_nll)
    return parameters.detach()
