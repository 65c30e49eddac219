"""The trained network of section 8.5a, small enough for a web page.

Every weight becomes a whole number from -127 to 127, one byte, times a scale
of its column; the biases stay decimal numbers. Files:

network.json           vocabulary, sizes, scales and biases
network.bin            the whole numbers: W_in, W_hh, W_hq, row by row
network_prefixes.json  what the test compares logits on; the page does not
                       load it
"""

import json
import random
from pathlib import Path

import torch

from unrolled.checkpoints import load_model
from unrolled.stacked import StackedRNNLM
from unrolled.vocab import Vocab

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "lib" / "unrolled" / "data" / "rnn_1_layer.safetensors"
LARGEST = 127  # of a signed byte, the same on both sides of 0
NUM_PREFIXES, LONGEST = 100, 40
WORDS = """
    a the green paper lamp walks seven quiet into river under stone cloud yes
    bring old we kitchen above zebra jump quick of and on vex music window
    but snow they over my salt engine with tomorrow it market no forest
"""


def export() -> dict[str, bytes]:
    """The three files."""
    header, numbers = quantised()
    return {
        "network.json": _compact(header),
        "network.bin": numbers,
        "network_prefixes.json": _compact(prefixes()),
    }


def quantised() -> tuple[dict, bytes]:
    """What the page needs: a header and the weights as bytes."""
    model, vocab = load_model(STORED)
    scales, numbers = {}, []
    for name, W in _matrices(model).items():
        W = W.detach().double()
        # rounded before it is used, so that page and test read the same
        scale = [float(f"{s:.6g}") for s in (W.abs().amax(0) / LARGEST)]
        scales[name] = scale
        whole = (W / torch.tensor(scale, dtype=W.dtype)).round()
        numbers.append(whole.clamp(-LARGEST, LARGEST).to(torch.int8))
    header = {
        "tokens": vocab.to_tokens(list(range(len(vocab)))),
        "hiddens": model.num_hiddens,
        "scales": scales,
        "b_h": [round(b, 5) for b in model.b_h[0].tolist()],
        "b_q": [round(b, 5) for b in model.b_q.tolist()],
    }
    return header, b"".join(n.numpy().tobytes() for n in numbers)


def dequantised() -> tuple[StackedRNNLM, Vocab]:
    """The network that the page runs, in float64, and its vocabulary."""
    header, numbers = quantised()
    # each token once, in the order of the indices; the first is <unk>
    vocab = Vocab(header["tokens"][1:])
    model = StackedRNNLM(len(vocab), header["hiddens"]).double().eval()
    whole = torch.frombuffer(bytearray(numbers), dtype=torch.int8).double()
    with torch.no_grad():
        start = 0
        for name, W in _matrices(model).items():
            scale = torch.tensor(header["scales"][name], dtype=W.dtype)
            part = whole[start : start + W.numel()]
            W.copy_(part.view_as(W) * scale)
            start += W.numel()
        model.b_h[0].copy_(torch.tensor(header["b_h"], dtype=W.dtype))
        model.b_q.copy_(torch.tensor(header["b_q"], dtype=W.dtype))
    return model, vocab


def prefixes() -> list[str]:
    """Beginnings of a text: half words in any order, half any letters."""
    draw, words = random.Random(85), WORDS.split()
    found = ["a", " ", "  q "]  # the shortest, and spaces at the ends
    while len(found) < NUM_PREFIXES:
        if len(found) % 2:
            text = " ".join(draw.choices(words, k=draw.randint(1, 9)))
        else:
            letters = "abcdefghijklmnopqrstuvwxyz   "
            text = "".join(draw.choices(letters, k=draw.randint(2, LONGEST)))
        text = text[:LONGEST]
        if text not in found:
            found.append(text)
    return found


def _matrices(model: StackedRNNLM) -> dict[str, torch.Tensor]:
    """The matrices in the order of the file."""
    return {"W_in": model.W_in[0], "W_hh": model.W_hh[0], "W_hq": model.W_hq}


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
