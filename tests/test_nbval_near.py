"""nbval_near: numbers that are near pass, all else fails and is shown.

The notebooks here are of no course. Each is run once, in one kernel, and
holds many cells; pytest's report tells which of them failed, and how.
"""

import math
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from PIL import __version__ as PIL_VERSION  # noqa: N812

import nbval_near
import nbval_near_pictures
from nbval_near import align, cell_tolerance, different_lines
from test_nbval_near_pictures import line, png

DEFAULTS = SimpleNamespace(
    **{name: default for name, (default, _) in nbval_near.SETTINGS.items()}
)


@pytest.mark.parametrize(
    ("now", "stored", "rtol", "atol", "passes"),
    [
        # relative, to the stored number
        ("x is 1.0000001", "x is 1.0", 1e-6, 0, True),
        ("x is 1.00001", "x is 1.0", 1e-6, 0, False),
        ("110", "100", 0.1, 0, True),
        ("111", "100", 0.1, 0, False),
        ("100", "111", 0.1, 0, True),  # 11 is within 11.1
        ("90", "100", 0.1, 0, True),
        # absolute
        ("1e-17", "0.0", 0.05, 0, False),
        ("1e-17", "0.0", 0, 1e-12, True),
        ("0", "-1e-17", 0, 1e-12, True),
        ("1e-11", "0", 0, 1e-12, False),
        ("0.12", "0.1", 0.1, 0.011, True),  # their sum
        ("0.12", "0.1", 0.1, 0.009, False),
        # signs and exponents
        ("-1.0", "1.0", 0.05, 0, False),
        ("-1.01", "-1.0", 0.05, 0, True),
        ("−1.01", "−1.0", 0.05, 0, True),
        ("−1.0", "-1.0", 0, 0, True),
        ("−1.0", "1.0", 0.05, 0, False),
        ("+1.01", "+1.0", 0.05, 0, True),
        ("2e-3 of 10", "0.002 of 10", 1e-9, 0, True),
        ("1.01e-5", "1E-05", 0.05, 0, True),
        ("1e-5", "1e-6", 0.05, 0, False),
        (".51", ".5", 0.05, 0, True),
        ("1.01e+20", "1e20", 0.05, 0, True),
        # thousands
        ("29,882", "29,882", 0, 0, True),
        ("29,990", "29,882", 0.01, 0, True),
        ("29,990", "29,882", 1e-6, 0, False),
        ("30,010 words", "29,882 words", 0.01, 0, True),
        ("1,000,900.5", "1,000,000.5", 0.001, 0, True),
        ("29882", "29,882", 0, 0, True),
        ("1,2", "1,3", 0.05, 0, False),  # two numbers
        ("12, 882", "12, 883", 0.05, 0, True),
        ("999", "1,000", 0.05, 0, True),
        ("1,230,56", "1,200,56", 0.03, 0, False),  # three numbers
        ("[1,23]", "[1,24]", 0.05, 0, True),
        # nan and infinities
        ("nan", "nan", 0, 0, True),
        ("NaN", "nan", 0, 0, True),
        ("1.0", "nan", 0.05, 1e9, False),
        ("nan", "1.0", 0.05, 1e9, False),
        ("inf", "inf", 0, 0, True),
        ("-inf", "−inf", 0, 0, True),
        ("inf", "-inf", 0.05, 1e9, False),
        ("inf", "nan", 0.05, 1e9, False),
        ("1.0", "inf", 0.05, 1e9, False),
        ("inf", "1.0", 0.05, 1e9, False),
        ("1e999", "2e999", 0.05, 0, False),
        ("inf", "1e999", 0.05, 0, False),
        ("NaNcy and Info", "nancy and Info", 0.05, 0, False),
        ("banana 1.01", "banana 1.0", 0.05, 0, True),
        # percent signs and units
        ("10.1%", "10%", 0.05, 0, True),
        ("10.1 %", "10 %", 0.05, 0, True),
        ("10%", "10 %", 0.05, 0, False),
        ("1.01s", "1s", 0.05, 0, True),
        ("1.01s", "1ms", 0.05, 0, False),
        ("1+2.01j", "1+2j", 0.05, 0, True),
        ("the end is 4.01.", "the end is 4.00.", 0.05, 0, True),
        ("f(1.01)=[2,3]", "f(1)=[2,3]", 0.05, 0, True),
        # versions, dates, times, ranges, names: to the letter
        ("1.2.3", "1.2.4", 1, 9, False),
        ("1.2.3", "1.3.3", 1, 9, False),
        ("2.2.3", "1.2.3", 1, 9, False),
        ("2026-01-02", "2026-01-03", 1, 9, False),
        ("2025-01-02", "2026-01-02", 1, 9, False),
        ("02/01/2026", "02/01/2025", 1, 9, False),
        ("12:30:05", "12:30:06", 1, 9, False),
        ("10-20", "10-21", 1, 9, False),
        ("W_4 is 1", "W_5 is 1", 1, 9, False),
        ("x1", "x2", 1, 9, False),
        ("v2.0", "v2.1", 1, 9, False),
        ("torch.1", "torch.2", 1, 9, False),
        ("3fa9c", "4fa9c", 1, 9, False),
        ("1_000", "2_000", 1, 9, False),
        # words, and how many numbers
        ("y is 1.0", "x is 1.0", 0.05, 0, False),
        ("1.0 and 2.0", "1.0", 0.05, 0, False),
        ("1.0", "1.0 and 2.0", 0.05, 0, False),
        ("10 of 11", "10 of 10", 0.05, 0, False),
        ("1 # 2", "1 0 2", 0.05, 0, False),
        ("", "1.0", 0.05, 0, False),
        # padding may only make up for the length of its number
        ("a  1.0", "a 1.0", 0.05, 0, False),
        ("a 10.01 b", "a  9.99 b", 0.05, 0, True),
        ("a\t1.01", "a 1.0", 0.05, 0, False),
        ("<td>1.01</td>", "<td>1.0</td>", 0.05, 0, True),
        ('<td id="T_x1">1</td>', '<td id="T_x2">1</td>', 0.05, 9, False),
    ],
)
def test_numbers_align_within_tolerance_only(now, stored, rtol, atol, passes):
    assert (align(now, stored, rtol, atol) == stored) is passes
    assert align(stored, stored, 0, 0) == stored


@pytest.mark.parametrize(
    ("now", "stored", "aligned"),
    [
        # the near ones are aligned, the others left
        ("1.01, 5, 3.01", "1, 4, 3", "1, 5, 3"),
        ("a 1.01\nb 5\n", "a 1\nb 4\n", "a 1\nb 5\n"),
        # a word that differs stays, and the numbers around it align
        ("gain 1.01 of 2.01", "loss 1 of 2", "gain 1 of 2"),
        # a line more, a line less, on either side
        ("a 1.01\nnew 7\nb 2.01", "a 1\nb 2", "a 1\nnew 7\nb 2"),
        ("a 1.01\nb 2.01", "a 1\nold 7\nb 2", "a 1\nb 2"),
        ("1.01", "1 and 2", "1"),
        ("1.01 and 2.01", "1", "1 and 2.01"),
    ],
)
def test_what_is_near_is_aligned_and_the_rest_left(now, stored, aligned):
    assert align(now, stored, 0.05, 0) == aligned


@pytest.mark.parametrize(
    ("now", "stored", "shown"),
    [
        (
            "name  1\nsame  2\nlast  3",
            "name  4\nsame  2\nlast  3",
            ["  stored: name  4", "  now:    name  1"],
        ),
        ("a\nb", "a", ["  now:    b"]),
        ("a", "a\nb", ["  stored: b"]),
        # where only spaces or line ends differ they are made visible
        ("a  b", "a b", ["  stored: 'a b'", "  now:    'a  b'"]),
        ("a\n", "a", ["  stored: 'a'", "  now:    'a\\n'"]),
        ("same", "same", []),
    ],
)
def test_different_lines_are_whole_and_labelled(now, stored, shown):
    assert different_lines(now, stored) == shown


@pytest.mark.parametrize(
    ("own", "tolerance"),
    [
        ({}, (1e-6, 1e-12)),
        ({"rtol": 0}, (0, 1e-12)),
        ({"rtol": 1e-6}, (1e-6, 1e-12)),
        ({"rtol": 0.05, "reason": "r"}, (0.05, 1e-12)),
        ({"atol": 0.01, "reason": "r"}, (1e-6, 0.01)),
    ],
)
def test_the_tolerance_of_a_cell(own, tolerance):
    assert cell_tolerance(own, DEFAULTS) == tolerance


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            {"rtol": 0.051, "reason": "r"},
            "rtol must be in 0..0.05 .*got 0.051",
        ),
        ({"atol": 0.02, "reason": "r"}, "nbval_near_max_atol.*got 0.02"),
        ({"rtol": -0.1, "reason": "r"}, "got -0.1"),
        ({"rtol": math.nan, "reason": "r"}, "got nan"),
        ({"rtol": "0.01", "reason": "r"}, "got '0.01'"),
        ({"rtol": True, "reason": "r"}, "got True"),
        ({"rtol": 0.01}, "rtol 0.01 needs a reason"),
        ({"atol": 0.01, "reason": " "}, "atol 0.01 needs a reason"),
        ({"rtoll": 0}, "'rtoll' is none of rtol, atol, reason"),
    ],
)
def test_a_tolerance_that_a_cell_may_not_have(own, words):
    with pytest.raises(ValueError, match=words):
        cell_tolerance(own, DEFAULTS)


def settings(tmp_path, **given):
    """The settings of a project that has set these."""
    found = {
        f"nbval_near_{name}": default if default == [] else str(default)
        for name, (default, _) in nbval_near.SETTINGS.items()
    }
    found |= {f"nbval_near_{name}": text for name, text in given.items()}
    return nbval_near.read_settings(
        SimpleNamespace(getini=found.__getitem__, rootpath=tmp_path)
    )


def test_settings_are_read(tmp_path):
    read = settings(tmp_path, rtol="1e-3", pixel_max="7", stderr="fail")
    assert (read.rtol, read.pixel_max, read.stderr) == (1e-3, 7, "fail")
    assert (read.atol, read.skip, read.pictures) == (1e-12, [], False)


@pytest.mark.parametrize(
    ("name", "given"),
    [("rtol", "-1"), ("atol", "nan"), ("max_rtol", "x"), ("stderr", "skip")],
)
def test_a_wrong_setting_is_an_error_that_names_it(tmp_path, name, given):
    with pytest.raises(pytest.UsageError) as caught:
        settings(tmp_path, **{name: given})
    assert f"nbval_near_{name} must be " in str(caught.value)
    assert repr(given) in str(caught.value)


def test_pictures_are_compared_where_versions_are_as_pinned(tmp_path):
    (tmp_path / "pins.txt").write_text(
        f"# made with\nnumpy=={np.__version__}  # arrays\nno-such-package==1\n"
        "pillow>=1\n",
        "utf-8",
    )
    numpy = f"numpy=={np.__version__}"
    assert settings(tmp_path, picture_pins=[numpy]).pictures
    assert settings(tmp_path, picture_pins=["pins.txt"]).pictures
    others = tmp_path / "others.txt"  # a file of which only some count
    others.write_text(f"{numpy}\nPillow==0.1\npytest==0.1\n", "utf-8")
    assert settings(tmp_path, picture_pins=["others.txt numpy"]).pictures
    for pins, words in (
        (["others.txt numpy Pillow"], f"Pillow is {PIL_VERSION}, not 0.1"),
        (["others.txt numpy scipy"], "scipy is not in others.txt"),
        (["pins.txt no-such-package"], "no-such-package is missing, not 1"),
        (["numpy==0.1"], f"numpy is {np.__version__}, not 0.1"),
        ([numpy, "no-such-package==1"], "no-such-package is missing, not 1"),
    ):
        read = settings(tmp_path, picture_pins=pins)
        assert (read.pictures, read.differing) == (False, [words])


def cell(source, *outputs, **metadata):
    """A code cell that was run and gave these outputs."""
    stored = [
        nbformat.v4.new_output("stream", name=output[0], text=output[1])
        if isinstance(output, tuple)
        else nbformat.v4.new_output("display_data", data=output)
        for output in outputs
    ]
    return nbformat.v4.new_code_cell(
        source, outputs=stored, metadata=metadata, execution_count=1
    )


def prints(now, stored, **metadata):
    """A cell that prints one text, and had another stored."""
    return cell(f"print({now!r})", ("stdout", f"{stored}\n"), **metadata)


def shows(now, stored, **metadata):
    """A cell that displays one thing, and had another stored."""
    return cell(f"display({now!r}, raw=True)", stored, **metadata)


def draws(now, stored, **metadata):
    """A cell that shows one drawing, and had another stored."""
    return shows({SVG: now}, {SVG: stored}, **metadata)


SVG = "image/svg+xml"
WARNS = "import sys; print('careful 1', file=sys.stderr); print('done')"
LOOSE = {"rtol": 0.05, "reason": "for this test"}
# name: a cell, and what its failure says; nothing where it passes
CELLS = {
    "near": (prints("loss 1.0000001", "loss 1.0"), []),
    "off": (
        prints(
            "rows 29,882\nloss 1.20 of 3.0000001", "rows 29,882\nloss 1.0 of 3"
        ),
        [
            "stdout:\n  stored: loss 1.0 of 3\n  now:    loss 1.20 of 3\n"
            "(rtol 1e-06, atol 1e-12)\nTo store anew: store small.ipynb",
        ],
    ),
    "word": (
        prints("sorted", "shuffled"),
        ["stored: shuffled", "now:    sorted"],
    ),
    "loose": (prints("1.04", "1.0", nbval_near=LOOSE), []),
    "loose, off": (prints("1.06", "1.0", nbval_near=LOOSE), ["(rtol 0.05, "]),
    "no reason": (
        prints("1.0", "1.0", nbval_near={"rtol": 0.05}),
        ["nbval_near in the cell's metadata: rtol 0.05 needs a reason"],
    ),
    "html": (
        shows(
            {"text/html": "<b>1.0000001</b>", "text/plain": "1.0000001"},
            {"text/html": "<b>1</b>", "text/plain": "1"},
        ),
        [],
    ),
    "html, off": (
        shows({"text/html": "<b>2</b>"}, {"text/html": "<b>1</b>"}),
        ["text/html:\n  stored: <b>1</b>\n  now:    <b>2</b>"],
    ),
    "json": (
        shows({"application/json": {"a": 1}}, {"application/json": {"a": 2}}),
        ["application/json:\n  stored: {'a': 2}"],
    ),
    "svg": (draws(line(y=5.0001), line(y=5)), []),
    "svg, off": (
        draws(line(y=6, colour="#111"), line(y=5)),
        [
            "image/svg+xml:\n  stored: another picture\n",
            "now:    path in curve: d is off by 1; "
            "path in curve: stroke is #111, stored #000\n(rtol",
        ],
    ),
    "svg, loose": (draws(line(y=5.2), line(y=5), nbval_near=LOOSE), []),
    "svg, loose, off": (
        draws(line(y=5.6), line(y=5), nbval_near=LOOSE),
        ["d is off by 0.6"],
    ),
    "skipped": (shows({"text/latex": "a"}, {"text/latex": "b"}), []),
    "picture": (shows({"image/png": png(9)}, {"image/png": png(9)}), []),
    "picture, near": (
        shows({"image/png": png(9)}, {"image/png": png(10)}),
        [],
    ),
    "picture, off": (
        shows({"image/png": png(9)}, {"image/png": png(200)}),
        [
            "image/png:",
            "pixels off by mean 143 (1), at most 191 (32 is allowed)",
        ],
    ),
    "picture, size": (
        shows({"image/png": png(9)}, {"image/png": png(9, (4, 4))}),
        ["stored: (4, 4) pixels, now: (4, 8)"],
    ),
    "one less": (
        cell("print(1)", ("stdout", "1\n"), {"text/plain": "2"}),
        ["text/plain:\n  stored: 2\n(rtol"],
    ),
    "one more": (
        cell(
            "print(1); display({'text/plain': '2'}, raw=True)",
            ("stdout", "1\n"),
        ),
        ["text/plain:\n  now:    2\n(rtol"],
    ),
    "two, second off": (
        cell(
            "for i in '13': display({'text/plain': i}, raw=True)",
            {"text/plain": "1"},
            {"text/plain": "2"},
        ),
        ["text/plain:\n  stored: 2\n  now:    3\n(rtol"],
    ),
    "tagged": (prints("5", "1", tags=["about-data"]), []),
    "tagged, raises": (
        cell("1 / 0", tags=["about-data"]),
        ["ZeroDivisionError"],
    ),
    "stderr": (
        cell(WARNS, ("stdout", "done\n")),
        ["stderr:\n  now:    careful 1\n"],
    ),
    "stderr, near": (
        cell(WARNS, ("stderr", "careful 1.0000001\n"), ("stdout", "done\n")),
        [],
    ),
}


def run(folder, ini, names):
    """pytest's words about each cell, and at its top."""
    for module in (nbval_near, nbval_near_pictures):
        shutil.copy(module.__file__, folder)
    (folder / "conftest.py").write_text('pytest_plugins = ["nbval_near"]\n')
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}")
    cells = [CELLS[name][0] for name in names]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, folder / "small.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
    ]
    command += ["--color=no", "--junitxml=junit.xml", "-p", "no:cacheprovider"]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "NBVAL_NEAR_"))
    }
    done = subprocess.run(
        [*command, "small.ipynb"],
        cwd=folder,
        env=environment | {"NBVAL_NEAR_RUN_ONLY": "about-data"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    cases = ElementTree.parse(folder / "junit.xml").findall(".//testcase")
    assert len(cases) == len(names), done.stdout
    words = ["".join(case.itertext()) for case in cases]
    return dict(zip(names, words, strict=True)), done.stdout


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Every cell, on the versions that are installed."""
    ini = (
        "nbval_near_store_command = store {notebook}\n"
        "nbval_near_skip = text/latex\nnbval_near_pixel_mean = 1\n"
        f"nbval_near_picture_pins = numpy=={np.__version__}\n"
    )
    return run(tmp_path_factory.mktemp("first"), ini, list(CELLS))


@pytest.mark.parametrize("name", CELLS)
def test_a_cell(first_run, name):
    words, expected = first_run[0][name], CELLS[name][1]
    assert bool(words.strip()) == bool(expected), words
    for part in expected:
        assert part in words


def test_tags_that_are_not_compared_are_named_at_the_top(first_run):
    assert "not compared: those tagged about-data" in first_run[1]
    assert "pictures not compared" not in first_run[1]


def test_stderr_ignored_and_pictures_of_other_versions(tmp_path):
    ini = "nbval_near_stderr = ignore\nnbval_near_picture_pins = numpy==0.1\n"
    names = ["stderr", "stderr, near", "picture, off", "svg, off", "off"]
    words, output = run(tmp_path, ini, names)
    failed = [name for name in names if words[name].strip()]
    assert failed == ["off"]
    told = f"pictures not compared: numpy is {np.__version__}, not 0.1"
    assert output.count(told) == 1


def test_stderr_that_fails(tmp_path):
    names = ["near", "stderr", "stderr, near"]
    words, _ = run(tmp_path, "nbval_near_stderr = fail\n", names)
    failed = [name for name in names if words[name].strip()]
    assert failed == ["stderr", "stderr, near"]
    assert "stderr:\ncareful 1" in words["stderr, near"]
    # the command that is shown unless another is set
    assert "--execute --inplace small.ipynb" in words["stderr"]
