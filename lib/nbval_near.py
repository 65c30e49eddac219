"""nbval with a tolerance: a pytest plugin, to be copied where it is needed.

nbval compares what a notebook's cells give with what is stored, to the letter.
Here numbers inside texts may differ by a relative and an absolute tolerance,
pictures by one on pixels and points (nbval_near_pictures.py). A number that is
near is spelled as stored and the rest left, so that a failure shows only what
is off. In a cell's metadata:

    {"nbval_near": {"rtol": 0.02, "reason": "trained for three epochs only"}}
"""

import copy
import difflib
import math
import os
import re
from collections import defaultdict
from importlib import metadata
from types import MethodType, SimpleNamespace

import pytest
from nbval.plugin import IPyNbCell

from nbval_near_pictures import picture_difference

KEY = pytest.StashKey()
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
RUN_ONLY = "NBVAL_NEAR_RUN_ONLY"  # environment: tags of cells not compared
STORE = "jupyter nbconvert --to notebook --execute --inplace {notebook}"
SETTINGS = {  # pytest's ini options, each with nbval_near_ before its name
    "rtol": (1e-6, "relative tolerance of numbers"),
    "atol": (1e-12, "absolute tolerance of numbers"),
    "max_rtol": (0.05, "the largest rtol that a cell may set"),
    "max_atol": (0.01, "the largest atol that a cell may set"),
    "pixel_mean": (0.1, "mean difference of two pictures, of 255"),
    "pixel_max": (32.0, "largest difference of a pixel, of 255"),
    "drawing_shift": (0.003, "how far a point may move, of a larger side"),
    "output_timeout": (60.0, "seconds to wait for an output"),
    "stderr": ("compare", "compare, ignore or fail"),
    "store_command": (STORE, "shown where outputs differ"),
    "skip": ([], "MIME types that are never compared"),
    "picture_pins": ([], "package==version, or files of such lines, names"),
}
NUMBER = re.compile(
    r"""((?<!\ )\ *              # its padding, as in a column
    (?<![\w.])(?<!\d[-−/:])      # not in a word, a version, a date, a time
    [-+−]?
    (?:(?:(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?:\.\d*)?|\.\d+)
       (?:[eE][-+−]?\d+)?(?!\w*\d)(?![-−./:]\d)
      |(?:nan|NaN|inf|Infinity)(?!\w)))""",
    flags=re.VERBOSE,
)


def near(now: str, stored: str, rtol: float, atol: float) -> bool:
    """Whether |now - stored| <= atol + rtol * |stored|; nan is near nan."""
    bare = now.strip(), stored.strip()
    # spaces before the numbers may make up for another length
    gap = len(now) - len(stored)
    if gap and gap != len(bare[0]) - len(bare[1]):
        return False
    a, b = (float(x.replace(",", "").replace("−", "-")) for x in bare)
    if math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= atol + rtol * abs(b)
    same = a == b or (math.isnan(a) and math.isnan(b))
    return same and not re.search(r"\d", now + stored)  # 1e999 is infinite


def align(now: str, stored: str, rtol: float, atol: float) -> str:
    """The text, with each number that is near spelled as in the stored one.

    Words stay. Where they differ, numbers after the same words correspond.
    """
    # words at even places, and after each but the last a number
    ours, theirs = NUMBER.split(now), NUMBER.split(stored)
    a, b = ours[::2], theirs[::2]
    blocks = [("equal", 0, len(a), 0, len(b))]
    if a != b:
        blocks = difflib.SequenceMatcher(None, a, b, False).get_opcodes()
    for _, i, i_end, j, j_end in blocks:
        ours_at = range(2 * i + 1, min(2 * i_end, len(ours)), 2)
        theirs_at = range(2 * j + 1, min(2 * j_end, len(theirs)), 2)
        for x, y in zip(ours_at, theirs_at, strict=False):
            if near(ours[x], theirs[y], rtol, atol):
                ours[x] = theirs[y]
    return "".join(ours)


def different_lines(now: str, stored: str) -> list[str]:
    """The lines in which two texts differ, whole and labelled."""
    spaces_only = now.split() == stored.split()  # make them visible
    a, b = (
        [repr(x) if spaces_only else x for x in text.splitlines(spaces_only)]
        for text in (stored, now)
    )
    labels = {"-": "  stored: ", "+": "  now:    "}
    lines = list(difflib.unified_diff(a, b, lineterm="", n=0))[2:]
    return [labels[x[0]] + x[1:400] for x in lines if x[0] in labels]


def differing_pins(pins: list[str], folder) -> list[str]:
    """Which installed versions are not the pinned ones, in words."""
    found = []
    for entry in pins:
        source, *names = entry.split()
        here = "==" in source
        text = source if here else (folder / source).read_text("utf-8")
        pinned = dict(re.findall(r"(?m)^([\w.-]+)==([^\s;#]+)", text))
        found += [f"{x} is not in {source}" for x in names if x not in pinned]
        for name, wanted in pinned.items():
            if names and name not in names:
                continue
            try:
                version = metadata.version(name).split("+")[0]
            except metadata.PackageNotFoundError:
                # a file's lines are constraints: they ask for no package
                version = "missing" if here or names else wanted
            if version != wanted:
                found.append(f"{name} is {version}, not {wanted}")
    return found


def read_settings(config) -> SimpleNamespace:
    """The settings, checked."""
    found = SimpleNamespace()
    for name, (default, words) in SETTINGS.items():
        given = config.getini(f"nbval_near_{name}")
        form = {"stderr": "compare|ignore|fail"}.get(name, "(?s).*")
        if isinstance(default, float):
            form, words = r"\d*\.?\d+(e[-+]?\d+)?", "a number from 0 on"
        if default != [] and not re.fullmatch(form, given):
            problem = f"nbval_near_{name} must be {words}, got {given!r}"
            raise pytest.UsageError(problem)
        setattr(found, name, type(default)(given))
    found.differing = differing_pins(found.picture_pins, config.rootpath)
    found.pictures = bool(found.picture_pins) and not found.differing
    return found


def cell_tolerance(own: dict, settings) -> tuple[float, float]:
    """rtol and atol of a cell, from its metadata, or a ValueError."""
    found = {"rtol": settings.rtol, "atol": settings.atol}
    for name in sorted({*own} - {"reason"}):
        given = own[name]
        if name not in found:
            raise ValueError(f"{name!r} is none of rtol, atol, reason")
        most = getattr(settings, f"max_{name}")
        if type(given) not in (int, float) or not 0 <= given <= most:
            limit = f"0..{most:g} (the setting nbval_near_max_{name})"
            raise ValueError(f"{name} must be in {limit}, got {given!r}")
        if given > found[name] and not str(own.get("reason", "")).strip():
            raise ValueError(f"{name} {given:g} needs a reason beside it")
        found[name] = given
    return found["rtol"], found["atol"]


def _places(outputs) -> dict:
    """Each kind of content, and where it stands: (dictionary, key) pairs."""
    found = defaultdict(list)
    for output in outputs:
        for key in output:
            if key == "data":
                for mime in output.data:
                    found[mime].append((output.data, mime))
            else:
                kind = output.name if key == "text" else key
                found[kind].append((output, key))
    return found


def compare_outputs(cell, test, ref, skip_compare=None) -> bool:
    """nbval's comparison of a cell, after what is near was aligned."""
    settings, about = cell.config.stash[KEY], cell.cell.metadata
    try:
        rtol, atol = cell_tolerance(about.get("nbval_near", {}), settings)
    except ValueError as error:
        cell.raise_cell_error(f"nbval_near in the cell's metadata: {error}")
    if {*os.environ.get(RUN_ONLY, "").split()} & {*about.get("tags", [])}:
        return True
    test, ref = copy.deepcopy(test), copy.deepcopy(ref)
    now, stored = _places(test), _places(ref)
    kinds = {**stored, **now}
    skip = {*(skip_compare or cell.parent.skip_compare)} - {*PICTURES}
    skip.update(settings.skip)
    if settings.stderr != "compare":
        skip.add("stderr")
    if not settings.pictures:
        skip.update(kind for kind in kinds if kind.startswith("image/"))

    def same_words(now: str, stored: str) -> bool:
        return align(now, stored, rtol, atol) == stored

    report = []
    for kind in [kind for kind in kinds if kind not in skip]:
        for (a, i), (b, j) in zip(now[kind], stored[kind], strict=False):
            if kind in PICTURES:
                words = picture_difference(
                    kind, a[i], b[j], settings, rtol, same_words
                )
                a[i], b[j] = words, words and "another picture"
            elif isinstance(a[i], str) and isinstance(b[j], str):
                a[i] = align(a[i], b[j], rtol, atol)
        texts = [
            "\n".join(cell.sanitize(str(place[key])) for place, key in found)
            for found in (now[kind], stored[kind])
        ]
        if texts[0] != texts[1]:
            report += [f"{kind}:", *different_lines(*texts)]
    if settings.stderr == "fail" and now["stderr"]:
        report = ["stderr:", *(place[key] for place, key in now["stderr"])]
    elif IPyNbCell.compare_outputs(cell, test, ref, skip):
        return True
    path = os.path.relpath(cell.path, cell.config.rootpath)
    command = settings.store_command.replace("{notebook}", path)
    report += [f"(rtol {rtol:g}, atol {atol:g})", f"To store anew: {command}"]
    cell.comparison_traceback = report
    return False


def pytest_addoption(parser):
    """Make the settings known."""
    for name, (default, words) in SETTINGS.items():
        kind = "linelist" if default == [] else "string"
        default = default if default == [] else str(default)
        parser.addini(f"nbval_near_{name}", words, kind, default)


def pytest_configure(config):
    """Read the settings, before any test."""
    config.stash[KEY] = read_settings(config)


def pytest_report_header(config):
    """Say once what is not compared."""
    settings = config.stash[KEY]
    if settings.differing:
        yield "pictures not compared: " + "; ".join(settings.differing)
    if os.environ.get(RUN_ONLY):
        yield f"cells run, not compared: those tagged {os.environ[RUN_ONLY]}"


def pytest_itemcollected(item):
    """Have each cell compare its outputs here."""
    if isinstance(item, IPyNbCell):
        item.compare_outputs = MethodType(compare_outputs, item)
        item.output_timeout = item.config.stash[KEY].output_timeout
