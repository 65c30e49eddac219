"""import_d2l: a real d2l, no fake module left, a clear error without it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled import reference


def run(code):
    """Run code in a process of its own: imports cannot be undone here."""
    folder = Path(reference.__file__).parents[1]  # the library under test
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_d2l_is_the_real_one_and_no_fake_stays():
    code = """
import importlib.util, sys
from unrolled.reference import import_d2l
d2l = import_d2l()
assert d2l is import_d2l()
assert d2l.__name__ == "d2l.torch"
vocab = d2l.Vocab([["a", "b", "a"]])
assert vocab["a"] == 1
fakes = [m for m in sys.modules if m.split(".")[0] == "torchvision"
         and getattr(sys.modules[m], "__file__", None) is None]
assert not fakes, fakes
if importlib.util.find_spec("torchvision") is None:
    try:
        import torchvision
    except ModuleNotFoundError as error:
        print("no torchvision, as before")
else:
    print("torchvision is installed")
"""
    assert "torchvision" in run(code)


def test_a_broken_torchvision_is_stepped_over(tmp_path):
    """Like PyPI's build beside a CPU-only torch: RuntimeError on import."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "part.py").write_text("")
    (package / "__init__.py").write_text(
        "from torchvision import part\n"
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from unrolled.reference import import_d2l
assert import_d2l().Vocab([["a"]])["a"] == 1
assert not [m for m in sys.modules if m.split(".")[0] == "torchvision"]
try:
    import torchvision
except RuntimeError as error:
    print(error)
"""
    assert run(code) == "operator torchvision::nms does not exist\n"


def test_a_working_torchvision_is_used(tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "transforms.py").write_text("")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from unrolled.reference import import_d2l
import_d2l()
print(sys.modules["torchvision"].__file__ is not None)
"""
    assert run(code) == "True\n"


def test_without_d2l_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(
        reference.importlib.util,
        "find_spec",
        lambda name: None if name == "d2l" else "found",
    )
    with pytest.raises(
        ImportError,
        match="^"
        + re.escape(
            "d2l is not installed; try: pip install d2l==0.17.0 (later "
            "releases pin packages that do not exist for this Python)"
        )
        + "$",
    ) as caught:
        reference.import_d2l()
    assert caught.value.name == "d2l"
