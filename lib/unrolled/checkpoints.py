"""Models on disk, each with its vocabulary.

Section 8.5a uses this module: :doc:`/book/8_5a_the_whole_book`, and appendix
C: :doc:`/book/a_3_after_rnns`. The format is
safetensors: plain arrays and a header of text, which runs no code when it is
read, unlike a pickle.
"""

import json
import os

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from unrolled.attention import TransformerLM
from unrolled.gates import GRULM, LSTMLM
from unrolled.rnn import RNNLM
from unrolled.stacked import StackedRNNLM
from unrolled.vocab import Vocab

KINDS = {
    kind.__name__: kind
    for kind in (RNNLM, StackedRNNLM, GRULM, LSTMLM, TransformerLM)
}
LanguageModel = RNNLM | StackedRNNLM | GRULM | LSTMLM | TransformerLM
# what a model is made with besides its sizes, where it has such a thing
OPTIONS = ("dropout", "recurrent_dropout", "num_heads", "window")


def save_model(
    path: str | os.PathLike,
    model: LanguageModel,
    vocab: Vocab,
    *,
    dtype: torch.dtype | None = None,
) -> None:
    """Write parameters, sizes and vocabulary into one file.

    Of the vocabulary the tokens and their order are kept, not how often each
    was seen. dtype: store the parameters in another precision, such as
    torch.float16 for half the size; they come back as float32.

    Raises TypeError for another kind of model or a dtype of integers,
    ValueError if the vocabulary is not the model's in size or a parameter is
    too large for the dtype.
    """
    kind = type(model).__name__
    if kind not in tuple(KINDS):
        raise TypeError(f"model must be one of {tuple(KINDS)}, got {kind}")
    if len(vocab) != model.vocab_size:
        raise ValueError(
            f"vocab has {len(vocab)} indices, the model {model.vocab_size}"
        )
    tokens = [_to_json(t) for t in vocab.to_tokens(list(range(1, len(vocab))))]
    header = {
        "kind": kind,
        "num_hiddens": model.num_hiddens,
        "num_layers": getattr(model, "num_layers", 1),
        "dropout": 0.0,
        **{k: getattr(model, k) for k in OPTIONS if hasattr(model, k)},
        "tokens": tokens,
    }
    if dtype is not None and not dtype.is_floating_point:
        raise TypeError(f"dtype must be of floating point, got {dtype}")
    tensors = {}
    for name, value in model.state_dict().items():
        tensors[name] = value.detach().cpu().to(dtype).contiguous()
        if not torch.equal(tensors[name].isfinite(), value.cpu().isfinite()):
            raise ValueError(f"{name} has a value too large for {dtype}")
    save_file(tensors, path, metadata={"unrolled": json.dumps(header)})


def load_model(
    path: str | os.PathLike,
) -> tuple[LanguageModel, Vocab]:
    """The model, in float32 on the CPU and ready to score, and its vocabulary.

    Raises ValueError for a file that ``save_model`` did not write, OSError
    for one that cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["unrolled"])
            names = list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
        _check_sizes(header, tensors)
        model, vocab = _made_from(header)
        model.load_state_dict({n: t.float() for n, t in tensors.items()})
    except OSError:
        raise
    except Exception as error:  # a foreign header may hold anything
        raise ValueError(
            f"path must be a file that save_model wrote, got {path}"
        ) from error
    return model.eval(), vocab


def _check_sizes(header: dict, tensors: dict[str, Tensor]) -> None:
    """Raise before a model is made as large as a foreign header says."""
    if not isinstance(header["tokens"], list):
        raise TypeError("the header's tokens are no list")
    rows, columns = tensors["W_hq"].shape
    # one matrix in each layer, or block, has such a name
    layers = sum(
        name.startswith("W_hh") or name.endswith("W_o") for name in tensors
    )
    said = (
        header["num_hiddens"],
        len(header["tokens"]) + 1,
        header.get("num_layers", 1),
    )
    if header["kind"] not in KINDS or said != (rows, columns, layers):
        raise ValueError(f"the header says {said}")


def _to_json(token: str) -> str | list[int]:
    """The token, or its code points where JSON would join two of them."""
    halves = any("\ud800" <= character <= "\udfff" for character in token)
    return [ord(character) for character in token] if halves else token


def _from_json(token: str | list[int]) -> str:
    return token if isinstance(token, str) else "".join(map(chr, token))


def _made_from(header: dict) -> tuple[LanguageModel, Vocab]:
    """A new model of the sizes that the header says, and the vocabulary."""
    # each token once, most frequent first: the order of the indices
    vocab = Vocab([_from_json(token) for token in header["tokens"]])
    sizes = len(vocab), header["num_hiddens"]
    if header["kind"] == "RNNLM":
        return RNNLM(*sizes), vocab
    options = {k: header[k] for k in OPTIONS if k in header}
    return KINDS[header["kind"]](
        *sizes, header["num_layers"], **options
    ), vocab
