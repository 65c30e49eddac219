"""The d2l package as an oracle: what the classic code gives on our input.

Tests and the parity page use this module; no chapter needs d2l to run. It
holds no code of d2l, it only imports it where a plain import would fail.
"""

import importlib
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

# d2l.torch imports torchvision, which it does not declare and which fails to
# load beside a CPU-only torch. Nothing that the course compares needs it.
_STUBBED = ("torchvision", "torchvision.transforms")


def import_d2l() -> ModuleType:
    """Return the module ``d2l.torch`` of d2l 0.17.0.

    Where torchvision cannot be loaded, d2l sees an empty stand-in for it
    during its own import. The stand-in is removed again, so that a later
    ``import torchvision`` meets the real package or its real error.

    Raises ImportError, saying what to install, if d2l is missing or is of
    another release.
    """
    if importlib.util.find_spec("d2l") is None:
        raise ImportError(
            "d2l is not installed; try: pip install d2l==0.17.0 (later "
            "releases pin packages that do not exist for this Python)",
            name="d2l",
        )
    stubs = {} if _loads("torchvision") else _stand_ins()
    sys.modules.update(stubs)
    try:
        oracle = importlib.import_module("d2l.torch")
    finally:
        for name, stub in stubs.items():
            if sys.modules.get(name) is stub:
                del sys.modules[name]
    release = importlib.import_module("d2l").__version__
    if not release.startswith("0.17."):
        raise ImportError(
            f"d2l is {release}; the course compares with 0.17.0: pip install "
            "d2l==0.17.0",
            name="d2l",
        )
    return oracle


def _loads(name: str) -> bool:
    """Whether a package can really be imported, not only found."""
    before = set(sys.modules)
    try:
        importlib.import_module(name)
    except Exception:  # an ImportError, or torch's RuntimeError on a mismatch
        for half_loaded in set(sys.modules) - before:
            if half_loaded.split(".")[0] == name:
                del sys.modules[half_loaded]
        return False
    return True


def _stand_ins() -> dict[str, ModuleType]:
    """Empty modules under torchvision's names."""
    stubs = {name: ModuleType(name) for name in _STUBBED}
    for name, stub in stubs.items():
        stub.__spec__ = importlib.machinery.ModuleSpec(name, None)
    stubs["torchvision"].transforms = stubs["torchvision.transforms"]
    stubs["torchvision"].__path__ = []
    return stubs
