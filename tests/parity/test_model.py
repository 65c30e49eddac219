"""The network: d2l's outputs, gradients, clipping, prediction, training."""

import math

import pytest
import torch
from torch import nn

import unrolled.training
from unrolled.batches import sequential_batches
from unrolled.generation import generate
from unrolled.rnn import RNNLM
from unrolled.training import clip_gradients, train
from unrolled.vocab import Vocab, character_stream


def scratch_params(vocab_size, num_hiddens, seed=0, scale=0.3):
    """W_xh, W_hh, b_h, W_hq, b_q in d2l's order, all different, none zero."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        values = torch.randn(*shape, generator=generator)
        return (scale * values).requires_grad_()

    return [
        normal(vocab_size, num_hiddens),
        normal(num_hiddens, num_hiddens),
        normal(num_hiddens),
        normal(num_hiddens, vocab_size),
        normal(vocab_size),
    ]


def scratch_rnn(inputs, state, params):
    """The forward function that d2l's RNNModelScratch is handed."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = torch.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return torch.cat(outputs), (H,)


def scratch_net(d2l, params):
    """d2l's network from scratch, with these parameters."""
    vocab_size, num_hiddens = params[0].shape

    def zeros(batch_size, num_hiddens, device):
        return (torch.zeros(batch_size, num_hiddens, device=device),)

    return d2l.RNNModelScratch(
        vocab_size,
        num_hiddens,
        "cpu",
        lambda *_: params,
        zeros,
        scratch_rnn,
    )


def our_net(params):
    """The library's network with copies of these parameters."""
    model = RNNLM(*params[0].shape)
    with torch.no_grad():
        for mine, theirs in zip(model.parameters(), params, strict=True):
            mine.copy_(theirs)
    return model


class Fixed:
    """A loader that gives the same minibatches in every epoch."""

    def __init__(self, minibatches, sequential=True):
        self.minibatches, self.sequential = list(minibatches), sequential

    def __len__(self):
        return len(self.minibatches)

    def __iter__(self):
        return iter(self.minibatches)


# of d2l's own, which takes the loss as a number with its gradient
pytestmark = pytest.mark.filterwarnings("ignore:Converting a tensor with")
SIZES = [(28, 16, 4, 7), (5, 3, 1, 1), (11, 32, 6, 1), (7, 9, 1, 12)]


def minibatch(vocab_size, batch_size, num_steps):
    generator = torch.Generator().manual_seed(1)
    shape = (2, batch_size, num_steps)
    return torch.randint(vocab_size, shape, generator=generator)


@pytest.mark.parametrize(
    ("vocab_size", "num_hiddens", "batch_size", "num_steps"), SIZES
)
def test_outputs_and_gradients(
    d2l, vocab_size, num_hiddens, batch_size, num_steps
):
    params = scratch_params(vocab_size, num_hiddens)
    theirs, ours = scratch_net(d2l, params), our_net(params)
    X, Y = minibatch(vocab_size, batch_size, num_steps)
    loss, state = nn.CrossEntropyLoss(), theirs.begin_state(batch_size, "cpu")
    logits, (last,) = theirs(X, state)
    loss(logits, Y.T.reshape(-1)).backward()
    logits2, last2 = ours(X, torch.zeros(batch_size, num_hiddens))
    assert logits2.shape == (num_steps, batch_size, vocab_size)
    torch.testing.assert_close(
        logits2.flatten(0, 1), logits, rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(last2, last, rtol=1e-4, atol=1e-6)
    loss(logits2.flatten(0, 1), Y.T.flatten()).backward()
    for mine, parameter in zip(ours.parameters(), params, strict=True):
        torch.testing.assert_close(
            mine.grad, parameter.grad, rtol=1e-4, atol=1e-6
        )
    # from zeros, one step leaves W_hh alone
    assert (params[1].grad.abs().max() > 0) == (num_steps > 1)
    assert params[0].grad.abs().max() > 0


def test_the_concise_network(d2l):
    params = scratch_params(9, 6)
    W_xh, W_hh, b_h, W_hq, b_q = params
    theirs, ours = d2l.RNNModel(nn.RNN(9, 6), 9), our_net(params)
    with torch.no_grad():
        theirs.rnn.weight_ih_l0.copy_(W_xh.T)
        theirs.rnn.weight_hh_l0.copy_(W_hh.T)
        theirs.rnn.bias_ih_l0.copy_(b_h)
        theirs.rnn.bias_hh_l0.zero_()
        theirs.linear.weight.copy_(W_hq.T)
        theirs.linear.bias.copy_(b_q)
    X, _ = minibatch(9, 3, 5)
    logits, last = theirs(X, theirs.begin_state("cpu", 3))
    logits2, last2 = ours(X)
    torch.testing.assert_close(
        logits2.flatten(0, 1), logits, rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(last2, last[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("theta", [1e-3, 0.5, 1.0, 100.0])
def test_clipping(d2l, theta):
    params = scratch_params(6, 4)
    ours = our_net(params)
    for mine, parameter in zip(ours.parameters(), params, strict=True):
        parameter.grad = parameter.detach() * 2
        mine.grad = parameter.grad.clone()
    norm = math.sqrt(sum(p.grad.pow(2).sum().item() for p in params))
    assert d2l.grad_clipping(scratch_net(d2l, params), theta) is None
    found = clip_gradients(ours.parameters(), theta)  # ours gives the norm
    assert found == pytest.approx(norm, rel=1e-6)
    for mine, parameter in zip(ours.parameters(), params, strict=True):
        torch.testing.assert_close(mine.grad, parameter.grad)
    left = math.sqrt(sum(p.grad.pow(2).sum().item() for p in params))
    assert left == pytest.approx(min(norm, theta), rel=1e-5)


@pytest.mark.parametrize("prefix", ["t", "the time traveller "])
def test_greedy_prediction(text, d2l, prefix):
    stream = character_stream(text)
    vocab, theirs = Vocab(list(stream)), d2l.Vocab(list(stream))
    prefix = "".join(c for c in prefix if c in vocab)
    params = scratch_params(len(vocab), 24, scale=0.15)
    written = d2l.predict_ch8(
        prefix, 80, scratch_net(d2l, params), theirs, "cpu"
    )
    assert generate(our_net(params), prefix, 80, vocab) == written
    assert len(written) == len(prefix) + 80


@pytest.mark.parametrize("sequential", [True, False])
def test_the_first_fifty_losses(text, d2l, monkeypatch, sequential):
    """Same parameters, same minibatches: the same path, clipping and all."""
    stream = character_stream(text)[:10_000]
    vocab = Vocab(list(stream))
    ids = torch.tensor(vocab[list(stream)])
    minibatches = list(sequential_batches(ids, 8, 20, offset=3))[:25]
    params = scratch_params(len(vocab), 32, scale=0.1)
    with torch.no_grad():
        params[4] *= 30  # a poor start, so that gradients are clipped
    ours, theirs = our_net(params), scratch_net(d2l, params)

    their_losses, our_losses = [], []
    cross_entropy = nn.CrossEntropyLoss(reduction="none")

    def recording(logits, labels):
        losses = cross_entropy(logits, labels)
        their_losses.append(losses.mean().item())
        return losses

    epochs = math.ceil(50 / len(minibatches))
    perplexities = [
        d2l.train_epoch_ch8(
            theirs,
            Fixed(minibatches),
            recording,
            lambda batch_size: d2l.sgd(params, 1.0, batch_size),
            "cpu",
            use_random_iter=not sequential,
        )[0]
        for _ in range(epochs)
    ]

    plain = unrolled.training.cross_entropy

    def also_recording(logits, labels):
        loss = plain(logits, labels)
        our_losses.append(loss.item())
        return loss

    monkeypatch.setattr(unrolled.training, "cross_entropy", also_recording)
    history = train(
        ours,
        Fixed(minibatches, sequential),
        epochs,
        torch.optim.SGD(ours.parameters(), lr=1.0),
        theta=1.0,
        progress=False,
    )
    assert len(our_losses) == len(their_losses) >= 50
    assert our_losses == pytest.approx(their_losses, abs=1e-4)
    assert max(our_losses) - min(our_losses) > 0.1  # something was learned
    assert any(norm > 1 for norm in history.norms)  # and clipped
    assert history.train == pytest.approx(perplexities, rel=1e-4)


class TestDifferences:
    """Each shows d2l's behaviour and ours."""

    def test_a_prefix_with_unknown_characters(self, d2l):
        tokens = list("the time machine")
        params = scratch_params(len(Vocab(tokens)), 4)
        written = d2l.predict_ch8(
            "The", 1, scratch_net(d2l, params), d2l.Vocab(tokens), "cpu"
        )
        assert written.startswith("<unk>he")
        with pytest.raises(ValueError, match="does not know: 'T' in 'The'"):
            generate(our_net(params), "The", 1, Vocab(tokens))

    def test_an_empty_prefix(self, d2l):
        tokens = list("abc")
        params = scratch_params(4, 4)
        with pytest.raises(IndexError, match="string index out of range"):
            d2l.predict_ch8(
                "", 1, scratch_net(d2l, params), d2l.Vocab(tokens), "cpu"
            )
        with pytest.raises(ValueError, match="prefix is empty"):
            generate(our_net(params), "", 1, Vocab(tokens))

    def test_a_loss_that_is_not_finite(self, d2l):
        params = scratch_params(4, 4)
        with torch.no_grad():
            params[4][0] = math.inf
        ids = torch.tensor([1, 2, 3, 1, 2, 3, 1, 2])
        batches = list(sequential_batches(ids, 1, 3, offset=0))
        perplexity, _ = d2l.train_epoch_ch8(
            scratch_net(d2l, params),
            Fixed(batches),
            nn.CrossEntropyLoss(),
            lambda batch_size: None,
            "cpu",
            False,
        )
        assert math.isnan(perplexity)  # it trains on, and says nothing
        ours = our_net(params)
        with pytest.raises(
            unrolled.training.DivergenceError,
            match="the loss is nan in epoch 1",
        ):
            train(
                ours,
                Fixed(batches),
                1,
                torch.optim.SGD(ours.parameters(), lr=1.0),
                progress=False,
            )

    def test_a_mean_of_perplexities_is_neither_d2ls_nor_ours(self, d2l):
        """Both weigh tokens; the mean over minibatches, seen elsewhere, is
        larger, because exp is convex.
        """
        params = scratch_params(5, 6, scale=1.0)
        ids = torch.randint(
            5, (401,), generator=torch.Generator().manual_seed(0)
        )
        batches = list(sequential_batches(ids, 4, 10, offset=0))
        each, losses = [], nn.CrossEntropyLoss()
        net = scratch_net(d2l, params)
        with torch.no_grad():
            for X, Y in batches:
                logits, _ = net(X, net.begin_state(4, "cpu"))
                each.append(losses(logits, Y.T.reshape(-1)).item())
        theirs, _ = d2l.train_epoch_ch8(
            net, Fixed(batches), losses, lambda batch_size: None, "cpu", True
        )
        ours = our_net(params)
        frozen = torch.optim.SGD(ours.parameters(), lr=0.0)
        history = train(ours, Fixed(batches, False), 1, frozen, progress=False)
        assert history.train[0] == pytest.approx(theirs, rel=1e-5)
        mean_of_perplexities = sum(map(math.exp, each)) / len(each)
        assert theirs < mean_of_perplexities * 0.999
