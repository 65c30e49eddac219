"""Checkpoints: whole or not at all, and no code in them."""

import os
import pickle

import pytest
import torch

from unrolled import resuming
from unrolled.resuming import checkpoint_of, load_checkpoint, save_checkpoint


def test_there_and_back(tmp_path):
    path = tmp_path / "a.pt"
    first = {"epoch": 3, "weights": {"W": torch.arange(3.0)}, "text": [1.5]}
    save_checkpoint(path, first)
    found = load_checkpoint(str(path))
    assert found["weights"]["W"].tolist() == [0, 1, 2]
    assert found["epoch"] == 3
    assert found["text"] == [1.5]
    save_checkpoint(path, {"epoch": 4})
    assert load_checkpoint(path) == {"epoch": 4}
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_it_asks_for_the_cpu_and_for_no_code(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"epoch": 3})
    real, asked = torch.load, {}

    def spy(file, **options):
        asked.update(options)
        return real(file, **options)

    monkeypatch.setattr(torch, "load", spy)
    load_checkpoint(path)
    # whatever wrote it, and whatever torch's defaults are
    assert asked == {"map_location": "cpu", "weights_only": True}


@pytest.mark.parametrize("where", ["save", "fsync"])
def test_an_end_while_it_is_written(tmp_path, monkeypatch, where):
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"epoch": 1})

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "save":
            real = torch.save

            def half(content, file):
                file.write(b"half")
                fail()

            patch.setattr(torch, "save", half)
            assert torch.save is not real
        else:
            patch.setattr(os, "fsync", fail)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(path, {"epoch": 2})
    assert load_checkpoint(path) == {"epoch": 1}
    save_checkpoint(path, {"epoch": 2})  # what was left over is no obstacle
    assert load_checkpoint(path) == {"epoch": 2}


def test_it_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    done = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(number):
        # all of it, not what Python still holds back
        assert os.fstat(number).st_size > 500
        done.append("written")
        real_fsync(number)

    def replace(old, new):
        done.append("named")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    save_checkpoint(tmp_path / "a.pt", {"epoch": 1})
    assert done == ["written", "named"]


class Code:
    """What a pickle may do when it is read."""

    def __reduce__(self):
        return print, ("code was run",)


@pytest.mark.parametrize("kind", ["code", "text", "tensor"])
def test_other_files(tmp_path, capsys, kind):
    path = tmp_path / "a.pt"
    if kind == "code":
        path.write_bytes(pickle.dumps(Code()))
    elif kind == "text":
        path.write_text("a text")
    else:
        torch.save(torch.tensor(1.0), path)
    with pytest.raises(ValueError, match=r"a\.pt is no checkpoint$"):
        load_checkpoint(path)
    assert capsys.readouterr().out == ""


def test_the_checkpoint_for_these_settings(tmp_path):
    path = tmp_path / "a.pt"
    assert checkpoint_of(None, {"rows": 4}) == {}
    assert checkpoint_of(path, {"rows": 4}) == {}
    content = {"epoch": 2, "settings": {"rows": 4}}
    save_checkpoint(path, content)
    assert checkpoint_of(path, {"rows": 4}) == content
    message = (
        f"settings must be those of {path}, {{'rows': 4}}, got {{'rows': 6}}; "
        "or choose another file"
    )
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        checkpoint_of(path, {"rows": 6})
    assert str(caught.value) == message
    save_checkpoint(path, {"epoch": 2})  # without any
    with pytest.raises(ValueError, match="None, got"):
        checkpoint_of(path, {"rows": 6})
    assert resuming.checkpoint_of(path, None) == {"epoch": 2}


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "b.pt")
