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


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A small d2l before the real one, and nothing of the two loaded."""

    def of_the_test():
        names = ("d2l", "torchvision", "bystander")
        return [m for m in sys.modules if m.split(".")[0] in names]

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("__version__ = '0.17.9'")
    (tmp_path / "d2l" / "torch.py").write_text(
        "import torchvision\n"
        "import torchvision.transforms\n"
        "from torchvision import transforms\n"
        "seen = torchvision\n"
    )
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "transforms.py").write_text("")
    (tmp_path / "torchvision" / "part.py").write_text("")
    (tmp_path / "bystander.py").write_text("")
    for name in of_the_test():
        monkeypatch.delitem(sys.modules, name)
    yield tmp_path
    # not through monkeypatch, which would bring the small d2l back
    for name in of_the_test():
        del sys.modules[name]


def loaded(package):
    return sorted(m for m in sys.modules if m.split(".")[0] == package)


def test_what_d2l_sees_of_a_torchvision_that_fails(packages):
    (packages / "torchvision" / "__init__.py").write_text(
        "import bystander\n"
        "import torchvision.part\n"
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    d2l = reference.import_d2l()
    assert d2l.__name__ == "d2l.torch"
    assert d2l.seen.__name__ == d2l.seen.__spec__.name == "torchvision"
    assert d2l.transforms is d2l.seen.transforms
    assert d2l.transforms.__name__ == "torchvision.transforms"
    assert d2l.transforms.__spec__.name == "torchvision.transforms"
    assert d2l.seen.__path__ == []
    assert d2l.seen.__spec__.loader is None
    assert loaded("torchvision") == []
    assert loaded("bystander") == ["bystander"]  # not ours to remove


def test_what_d2l_sees_of_a_torchvision_that_works(packages):
    (packages / "torchvision" / "__init__.py").write_text("real = 7\n")
    d2l = reference.import_d2l()
    assert d2l.seen.real == 7
    assert loaded("torchvision") == ["torchvision", "torchvision.transforms"]


def test_a_torchvision_that_was_put_in_meanwhile_stays(packages):
    """Only our own stand-in is removed."""
    (packages / "torchvision" / "__init__.py").write_text("raise OSError\n")
    (packages / "d2l" / "torch.py").write_text(
        "import sys\nsys.modules['torchvision'] = sys\n"
    )
    reference.import_d2l()
    assert loaded("torchvision") == ["torchvision"]


def test_another_release_is_refused(packages):
    (packages / "torchvision" / "__init__.py").write_text("")
    (packages / "d2l" / "__init__.py").write_text("__version__ = '1.0.3'")
    with pytest.raises(
        ImportError,
        match=r"^d2l is 1\.0\.3; the course compares with 0\.17\.0: pip "
        r"install d2l==0\.17\.0$",
    ) as caught:
        reference.import_d2l()
    assert caught.value.name == "d2l"


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
        match=r"^"
        + re.escape(
            "d2l is not installed; try: pip install d2l==0.17.0 (later "
            "releases pin packages that do not exist for this Python)"
        )
        + "$",
    ) as caught:
        reference.import_d2l()
    assert caught.value.name == "d2l"
